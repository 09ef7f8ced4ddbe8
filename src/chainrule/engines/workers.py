"""Threads kept from one call to the next, which carry out something together or aside.

Whoever calls may be stopped between any two of Python's instructions: a signal's handler raises KeyboardInterrupt,
SystemExit, whatever it likes, in the main thread, and `PyThreadState_SetAsyncExc` does in any. So nothing that must not be
cut in two is done by the caller. One thread, which no signal reaches, hires the others and hands out the work; they give
themselves back. The caller only hands over a job, and waits by looking at a flag that is set once for ever: whatever is
raised meanwhile takes nothing away, and is raised again when all is done. What has to be handed over again is handed over
again, since a job begins only once.

Should a second exception still get through between two instructions of the waiting, the caller leaves early, and nothing
else happens: a job itself keeps what its machine code reads and writes, until the last thread is done with it.

`threading.Event`, `Condition`, `Semaphore` and the executors made of them are not for callers here. They take a lock in a
function written in Python, and an exception that comes just then leaves it shut.
"""

from __future__ import annotations

import _thread
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

Work = Callable[[], None]


class Job:
    """Works to be carried out at the same time, each by a thread of its own, or none of them.

    `gather` is told how many of them there will be, from the first on: fewer than asked for where the system has no more
    threads. `keeping` is whatever must be there until the last one is done.
    """

    def __init__(self, works: list[Work], gather: Callable[[int], None] | None = None, keeping: Any = None) -> None:
        self._works, self._gather, self._keeping = works, gather, keeping
        self._cores = _cores()  # those of the thread that calls
        self._handed_over = self._begun = self._done = False
        self._left = self._count = 0
        self._error: BaseException | None = None
        self._latch = _thread.allocate_lock()
        self._latch.acquire()

    @property
    def is_done(self) -> bool:
        """Whether all is done, or nobody is there to do it."""
        return self._done

    def hand_over(self) -> None:
        """Have it carried out; it begins once, however often it is handed over."""
        if not self._handed_over:
            if _hirer_is_there():
                _jobs.put(self)
            else:
                self._done = True
            self._handed_over = True

    def wait(self) -> bool:
        """Until all is done, whatever is raised meanwhile, which is raised then.

        `False` if there was no thread to carry it out.
        """
        raised: BaseException | None = None
        while True:
            try:
                self.hand_over()
                while not self._done:
                    self._latch.acquire()
                break
            except BaseException as error:
                raised = error if raised is None else raised
        if raised is not None:
            try:
                raise raised
            finally:
                del raised  # it refers to this frame, which would refer to it
        return self._count > 0

    def result(self) -> bool:
        """As `wait`, but what a work raised is raised as well."""
        carried_out = self.wait()
        if self._error is not None:
            raise self._error
        return carried_out

    def begin(self) -> None:
        """Hire for it and hand out its works: for the thread that hires."""
        with _lock:
            if self._begun:
                return
            self._begun = True
        hired: list[Worker] = []
        try:
            _hire_into(hired, len(self._works))
            if hired and self._gather is not None:
                self._gather(len(hired))
        except BaseException as error:
            self._error = error
            with _lock:
                _idle.extend(hired)
            hired = []
        # As many as there are cores are put on one each, since threads woken together are often put on the same core,
        # and moved apart only after some 10 ms. Fewer choose for themselves: other processes choose as well.
        cores = self._cores if len(hired) >= len(self._cores) else []
        self._left = self._count = len(hired)
        if not hired:
            self._finish()
        for place, (worker, work) in enumerate(zip(hired, self._works, strict=False)):
            worker.give(self, work, {cores[place % len(cores)]} if cores else set(self._cores))

    def ended(self, worker: Worker, error: BaseException | None) -> None:
        """Note that a worker has done its part; the last one lets the caller go on."""
        with _lock:
            self._error = error if self._error is None else self._error
            self._left -= 1
            last = not self._left
            _idle.append(worker)
        if last:
            self._finish()

    def _finish(self) -> None:
        self._works, self._gather, self._keeping = [], None, None
        self._done = True  # before the latch is opened: who gets through it finds all done
        self._latch.release()


class Worker:
    """One thread, which waits for work."""

    def __init__(self) -> None:
        self._given: SimpleQueue[tuple[Job, Work]] = SimpleQueue()
        self._cores: set[int] = set()
        self._thread = threading.Thread(target=self._serve, name="chainrule", daemon=True)
        self._thread.start()

    def give(self, job: Job, work: Work, cores: set[int]) -> None:
        """Carry this out for a job, on one of these cores.

        Whoever gives it moves the thread there: to move itself it would first need its former core, where another may be at work.
        """
        if cores != self._cores:
            _keep_on(self._thread, cores)
            self._cores = cores
        self._given.put((job, work))

    def _serve(self) -> None:
        while True:
            job, work = self._given.get()
            raised: BaseException | None = None
            try:
                work()
            except BaseException as error:
                raised = error
            del work
            job.ended(self, raised)
            del job, raised  # what they hold is not kept until the next work comes


class Aside:
    """A function that another thread carries out while this one goes on."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._function, self._arguments = function, arguments
        self._results: list[Any] = []
        self._job = Job([self._carry_out])
        self._job.hand_over()

    def _carry_out(self) -> None:
        self._results.append(self._function(*self._arguments))

    @property
    def is_done(self) -> bool:
        """Whether its result is there without waiting, or only by carrying it out here."""
        return self._job.is_done

    def wait(self) -> None:
        """Until it has ended, whatever came of it."""
        self._job.wait()

    def result(self) -> Any:
        """What it gives, waited for; what it raises is raised here."""
        if not self._job.result():
            self._carry_out()
        return self._results[0]


def together(works: list[Work], gather: Callable[[int], None], keeping: Any = None) -> bool:
    """Carry out all at the same time, or none; see `Job`. `False` if there is no thread to do it."""
    return Job(works, gather, keeping).result()


def uninterrupted(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function gives, carried out whole by a thread that no signal's handler raises anything in."""
    return Aside(function, *arguments).result()


def _hire_into(hired: list[Worker], count: int) -> None:
    """So many workers, or as many as there can be."""
    with _lock:
        hired += [_idle.pop() for _ in range(min(count, len(_idle)))]
    with suppress(RuntimeError):
        while len(hired) < count:
            hired.append(Worker())


def _hirer_is_there() -> bool:
    """See to it that there is the thread that hires; `False` if the system has no more threads, or Python ends."""
    if sys.is_finalizing():
        return False
    if not _hirers:  # two at the same time may find so; a second one does no harm
        try:
            _hirers.append(_thread.start_new_thread(_hire, (_jobs,)))  # one instruction, unlike Thread.start
        except RuntimeError:
            return False
    return True


def _hire(jobs: SimpleQueue[Job]) -> None:
    """Begin one job after another: what the thread that hires does."""
    while True:
        job = jobs.get()
        job.begin()
        del job


def _cores() -> list[int]:
    """The cores that this thread may run on, where the system says which."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _keep_on(thread: threading.Thread, cores: set[int]) -> None:
    """Keep a thread on these cores, where the system allows it."""
    if cores and thread.native_id and hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            os.sched_setaffinity(thread.native_id, cores)


def _begin_anew() -> None:
    """No threads, and no lock that one of them holds: a copy of the process has only the thread that made it."""
    global _jobs, _lock
    _jobs, _lock = SimpleQueue(), _thread.allocate_lock()
    _idle.clear()
    _hirers.clear()


_jobs: SimpleQueue[Job] = SimpleQueue()
_lock = _thread.allocate_lock()
_idle: list[Worker] = []
_hirers: list[int] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
