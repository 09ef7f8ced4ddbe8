"""The signals that ask a training to end: Ctrl-C, and SIGTERM and SIGHUP, which are heard as Ctrl-C is."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

HANGUP: int | None = getattr(signal, "SIGHUP", None)
"""What processes hear whose terminal is closed, or whose connection is lost; Windows has none."""

ENDING: tuple[int, ...] = (signal.SIGTERM,) if HANGUP is None else (signal.SIGTERM, HANGUP)
"""What a process is asked to end by, besides Ctrl-C; who goes on after `nohup` ignores SIGHUP, and does so here."""


class Terminated(KeyboardInterrupt):
    """Somebody wants the process to end, by the signal of this number, which is heard as Ctrl-C is."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def heard_as_interrupt() -> Iterator[None]:
    """While it lasts what asks a process to end is heard as Ctrl-C is, in the main thread, unless somebody else hears it."""

    def terminate(number: int) -> None:
        raise Terminated(number)

    with heard(terminate, ENDING):
        yield


@contextmanager
def told(ending: Callable[[], None]) -> Iterator[None]:
    """While it lasts Ctrl-C and the others raise nothing in the main thread and call this, unless somebody else hears them.

    So threads can be ended from wherever the main thread is, and what they did is not lost.
    """
    with heard(lambda number: ending(), (signal.SIGINT, *ENDING)):
        yield


@contextmanager
def heard(hear: Callable[[int], None], numbers: Sequence[int]) -> Iterator[None]:
    """While it lasts these signals call `hear` in the main thread, unless somebody else hears them.

    A worker of another process ends afterwards, as the one that made it expects: a pool that is shut down waits for that.
    """
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in numbers if main}
    own = {n: handler for n, handler in before.items() if handler is _PYTHONS.get(n) or isinstance(handler, _Handler)}
    handler = _Handler(hear)
    for number in own:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in own:
            if signal.getsignal(number) is handler:
                signal.signal(number, own[number])
        for number in handler.heard:
            if own[number] is signal.SIG_DFL and _is_worker():
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)


_PYTHONS: dict[int, Any] = dict.fromkeys(ENDING, signal.SIG_DFL) | {signal.SIGINT: signal.default_int_handler}
"""What Python does itself when it hears them; whoever has put something else there goes on hearing them."""


class _Handler:
    """What hears signals here; a terminal that is closed says so several times, of which only the first is news."""

    def __init__(self, hear: Callable[[int], None]) -> None:
        self.heard: list[int] = []
        self._hear = hear

    def __call__(self, number: int, frame: object) -> None:
        self.heard.append(number)
        if number == HANGUP:
            signal.signal(number, signal.SIG_IGN)
        self._hear(number)


def _is_worker() -> bool:
    """Whether a process made this one by `multiprocessing`, which is loaded then."""
    made_by = getattr(sys.modules.get("multiprocessing.process"), "parent_process", None)
    return made_by is not None and made_by() is not None
