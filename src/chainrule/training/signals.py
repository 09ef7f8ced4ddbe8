"""The signal that asks a process to end, heard as Ctrl-C is."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Terminated(KeyboardInterrupt):
    """Somebody wants the process to end, which is heard as Ctrl-C is."""


def terminate(number: int, frame: object) -> None:
    """What SIGTERM does where it is heard as Ctrl-C."""
    raise Terminated


@contextmanager
def heard_as_interrupt() -> Iterator[None]:
    """While it lasts SIGTERM is heard as Ctrl-C is, in the main thread, unless somebody else hears it."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
