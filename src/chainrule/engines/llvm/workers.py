"""Threads kept from one call to the next, each on a core of its own, that carry out something together."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

_idle: list[Worker] = []
_lock = threading.Lock()


class Worker:
    """One thread, which waits for work."""

    def __init__(self) -> None:
        self._work: SimpleQueue[tuple[Callable[[], None], int, SimpleQueue[None]]] = SimpleQueue()
        self._core: int | None = None
        threading.Thread(target=self._serve, name="chainrule", daemon=True).start()

    def give(self, work: Callable[[], None], core: int, done: SimpleQueue[None]) -> None:
        """Carry this out on a core, and say when it is done."""
        self._work.put((work, core, done))

    def _serve(self) -> None:
        while True:
            work, core, done = self._work.get()
            if core != self._core:
                _stay_on(core)
                self._core = core
            work()
            done.put(None)
            del work, done  # what they hold is not kept until the next work comes


def together(works: list[Callable[[], None]], gather: Callable[[int], None]) -> bool:
    """Carry out all at the same time, or none: `gather` is told how many of them there will be, from the first on.

    There may be fewer than asked for, where the system has no more threads; `False` if there is none. This thread only
    waits, so that an interrupt cannot keep one of them from its part; it is raised when all are done.
    """
    workers = _hired(len(works))
    if not workers:
        return False
    begin, done, given = threading.Event(), SimpleQueue[None](), 0
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    begins = False

    def member(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            begin.wait()
            if begins:
                work()

        return run

    try:
        for place, (worker, work) in enumerate(zip(workers, works, strict=False)):
            worker.give(member(work), cores[place % len(cores)], done)
            given += 1
        gather(given)
        begins = True
    finally:
        begin.set()
        _wait(done, given)
        with _lock:
            _idle.extend(workers)
    return True


def _hired(count: int) -> list[Worker]:
    """So many workers, or as many as there can be."""
    with _lock:
        workers = [_idle.pop() for _ in range(min(count, len(_idle)))]
    with suppress(RuntimeError):
        while len(workers) < count:
            workers.append(Worker())
    return workers


def _wait(done: SimpleQueue[None], count: int) -> None:
    """Until so many are done; an interrupt has to wait as well."""
    interrupt: Any = None
    while count:
        try:
            done.get()
            count -= 1
        except KeyboardInterrupt as signal:
            interrupt = signal
    if interrupt is not None:
        raise interrupt


def _stay_on(core: int) -> None:
    """Keep this thread on one core, where the system allows it.

    Threads woken together are often put on the same core, and moved apart only after some 10 ms of waiting in turns.
    """
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            os.sched_setaffinity(0, {core})


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # a copy of the process has none of its threads
