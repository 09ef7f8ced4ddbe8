"""The signal that asks a process to end, heard as Ctrl-C is."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Terminated(KeyboardInterrupt):
    """Somebody wants the process to end, which is heard as Ctrl-C is."""


_heard: list[int] = []


def terminate(number: int, frame: object) -> None:
    """What SIGTERM does where it is heard as Ctrl-C."""
    _heard.append(number)
    raise Terminated


@contextmanager
def heard_as_interrupt() -> Iterator[None]:
    """While it lasts SIGTERM is heard as Ctrl-C is, in the main thread, unless somebody else hears it.

    A worker of another process ends afterwards, as the one that made it expects: a pool that is shut down waits for that.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    _heard.clear()
    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if _heard and _is_worker():
            os.kill(os.getpid(), signal.SIGTERM)


def _is_worker() -> bool:
    """Whether a process made this one by `multiprocessing`, which is loaded then."""
    made_by = getattr(sys.modules.get("multiprocessing.process"), "parent_process", None)
    return made_by is not None and made_by() is not None
