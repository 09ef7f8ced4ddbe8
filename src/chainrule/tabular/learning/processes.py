"""Networks of a table learned by other processes of this machine, each of which learns one at a time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from queue import SimpleQueue
from typing import Any

from chainrule.errors import LostProcessError
from chainrule.tabular.learning.deadline import Asked, Deadline
from chainrule.tabular.learning.members import HEARD, Assignment, Member, Places, trained
from chainrule.tabular.learning.problem import Problem

GONE = 1
"""Exit code of a process that nobody waits for any more."""


class _Noting(SpawnContext):
    """How processes begin, anew since a copy of this one would lack its threads; it notes them."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[SpawnProcess] = []

    def Process(self, *given: Any, **named: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802
        """One that is to begin."""
        self.begun.append(SpawnProcess(*given, **named))
        return self.begun[-1]


class Processes:
    """Processes that learn networks; they begin when there is something to learn.

    What a network becomes depends on its rows and its assignment alone, so it is the same as in this process, to the bit.
    """

    def __init__(self, count: int) -> None:
        context = _Noting()
        self._begun = context.begun
        self.count = count
        self._asked, self._shares = context.RawValue("b", 0), context.RawArray("d", count)
        self._free: SimpleQueue[int] = SimpleQueue()
        for place in range(count):
            self._free.put(place)
        self._pool = ProcessPoolExecutor(count, context, _begin, (self._asked, self._shares))

    def trained(
        self, problem: Problem, own: Assignment, deadline: Deadline, threads: int, note: Callable[[float], None],
        places: Places | None,
    ) -> Member:  # fmt: skip
        """One network, as `members.trained` gives it.

        Raises
        ------
        LostProcessError
            When one of the processes is gone; the others end.
        """
        place = self._free.get()
        try:
            self._shares[place] = 0.0
            future = self._pool.submit(_trained, place, problem, own, deadline.began, deadline.seconds, threads, places)
            self._wait(future, place, deadline, note)
            return future.result()
        except BrokenProcessPool as error:
            raise LostProcessError(
                f"one of the {self.count} processes that learn networks is gone; the others are ended. Give the checkpoint, if there "
                "is one, as resume to go on, with any number of them. In a script, begin them below if __name__ == '__main__'."
            ) from error
        finally:
            self._free.put(place)

    def _wait(self, future: Future[Member], place: int, deadline: Deadline, note: Callable[[float], None]) -> None:
        """Until it is learned; tells how far it is, and the other process that somebody wants it to end."""
        told = 0.0
        while not future.done():
            wait([future], HEARD)
            self._end_if_one_is_lost()
            if deadline.asked.is_set():
                self._asked.value = 1
            if self._shares[place] > told:
                told = self._shares[place]
                note(told)

    def _end_if_one_is_lost(self) -> None:
        """Notice it here as well: a pool of which one is lost while another begins may not notice, and wait for ever."""
        begun = [one for one in self._begun if one.pid is not None]
        if all(one.is_alive() for one in begun):
            return
        for one in begun:
            one.kill()
        raise BrokenProcessPool("a process has ended")

    def end(self) -> None:
        """Let the processes go."""
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def processes_for(count: int | None) -> Iterator[Processes | None]:
    """So many processes for as long as it lasts; `None` for this one alone."""
    if count is None or count == 1:
        yield None
        return
    processes = Processes(count)
    try:
        yield processes
    finally:
        processes.end()


class _AskedElsewhere(Asked):
    """The wish, as it is known to the process that has begun this one."""

    def is_set(self) -> bool:
        return bool(_shared[0].value)


_shared: list[Any] = []
"""What this process shares with the one that has begun it: whether it is to end, and how far networks are that are being learned."""


def _begin(asked: Any, shares: Any) -> None:
    """What a process begins with: whoever ends the training talks to the first one, without which this one is of no use."""
    if hasattr(os, "setsid"):
        os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(GONE))
    _shared[:] = asked, shares
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(GONE)


def _trained(
    place: int, problem: Problem, own: Assignment, began: float, seconds: float | None, threads: int, places: Places | None
) -> Member:  # fmt: skip
    deadline = Deadline(seconds, _AskedElsewhere())
    deadline.began = began  # the clock is the machine's

    def note(share: float) -> None:
        _shared[1][place] = share

    return trained(problem, own, deadline, threads, note, places)
