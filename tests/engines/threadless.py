"""A system that has no more threads, as containers and shells that allow a process a number of them."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chainrule.engines import workers


@contextmanager
def no_more_threads(after: int = 0) -> Iterator[None]:
    """While it lasts none can be started, or only so many; those that are kept are not there either."""
    begin, left = _thread.start_new_thread, [None] * after

    def begun(*given: Any, **named: Any) -> Any:
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()
        return begin(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_thread, "start_new_thread", begun)
        patch.setattr(threading, "_start_new_thread", begun)
        for name in ("_idle", "_hirers"):
            patch.setattr(workers, name, [])
        yield
