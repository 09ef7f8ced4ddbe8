"""Python's search for unreachable objects, put off while thousands of small ones are made and all of them are needed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def put_off() -> Iterator[None]:
    """No search while code is written: with large libraries loaded it took twice the time of the writing itself."""
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()
