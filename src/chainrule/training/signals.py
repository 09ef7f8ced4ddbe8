"""The signals that ask a training to end: Ctrl-C, and SIGTERM, which is heard as Ctrl-C is."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Terminated(KeyboardInterrupt):
    """Somebody wants the process to end, which is heard as Ctrl-C is."""


_heard: list[int] = []

_OWN: dict[int, Any] = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
"""What Python does itself when it hears them; whoever has put something else there goes on hearing them."""


def terminate(number: int, frame: object) -> None:
    """What SIGTERM does where it is heard as Ctrl-C."""
    _heard.append(number)
    raise Terminated


@contextmanager
def heard_as_interrupt() -> Iterator[None]:
    """While it lasts SIGTERM is heard as Ctrl-C is, in the main thread, unless somebody else hears it.

    A worker of another process ends afterwards, as the one that made it expects: a pool that is shut down waits for that.
    """
    with _heard_by({signal.SIGTERM: terminate}):
        yield


@contextmanager
def told(ending: Callable[[], None]) -> Iterator[None]:
    """While it lasts Ctrl-C and SIGTERM raise nothing in the main thread and call this, unless somebody else hears them.

    So threads can be ended from wherever the main thread is, and what they did is not lost.
    """

    def tell(number: int, frame: object) -> None:
        _heard.append(number)
        ending()

    with _heard_by({signal.SIGTERM: tell, signal.SIGINT: tell}):
        yield


@contextmanager
def _heard_by(handlers: Mapping[int, Callable[[int, Any], None]]) -> Iterator[None]:
    """These in place of Python's own handlers, in the main thread, and SIGTERM once more for a worker that heard it."""
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in handlers if main}
    own = {number: before[number] for number in before if before[number] is _OWN[number]}
    if signal.SIGTERM in own:
        _heard.clear()
    for number in own:
        signal.signal(number, handlers[number])
    try:
        yield
    finally:
        for number, handler in own.items():
            signal.signal(number, handler)
        if signal.SIGTERM in own and signal.SIGTERM in _heard and _is_worker():
            os.kill(os.getpid(), signal.SIGTERM)


def _is_worker() -> bool:
    """Whether a process made this one by `multiprocessing`, which is loaded then."""
    made_by = getattr(sys.modules.get("multiprocessing.process"), "parent_process", None)
    return made_by is not None and made_by() is not None
