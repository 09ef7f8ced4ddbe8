"""How many threads a training uses: one for every core, unless others keep the cores busy so that one is faster.

Threads that share out a step wait for each other many times in it; where one of them does not get its core, all wait. So a part of
a call ends when one was held up, and unless one thread would have taken longer all the same, a training goes on in one, and looks
ever more rarely whether the cores are free again. What one training finds of them goes for all of the process.
The numbers are the same for any number of threads, so the choice may follow the clock.
Trainings that several threads of one process carry out at the same time share the cores out among them.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from chainrule.engines.llvm.planning.buffers import REST

FIRST, AGAIN = 4, 32
"""The call in which the other number of threads is tried first, since those before are short. The calls until the next trial double
each time, up to so many."""

FIRST_WHOLE = 5
"""The first of steps so long that calls have too few for a trial: then a whole call is one, and the calls between are fourfold."""

SHARE = 16
"""A trial takes one of so many of a call's steps, with the number in use and with the other."""

WORSE = 1.5
"""How many times slower than the last call a call must be for the other number of threads to be tried at once."""

PATIENCE = 64 * REST
"""Looks for another thread, a millisecond or some, after which one counts as held up: those that take turns on a core have it
for longer. A step may have such waits by itself: where they turn out to be no loss patience doubles; without any it falls again."""

LATER, RARELY = 4, 64
"""Cores that others keep busy are looked at again after as long as a part that was held up lasted, then so many times as long as
the time before, up to so many times: what a look costs is a part of it."""

RECENTLY = 0.1
"""Seconds for which a training counts as going on after one of its calls has ended."""

_expected: list[int] = []
"""How many trainings whoever carries out several says that go on at the same time."""

_ended: dict[int, float] = {}
"""When the last call of every thread that trains ended; infinity while it lasts."""


@contextmanager
def side_by_side(count: int) -> Iterator[None]:
    """While it lasts so many trainings go on at the same time, also where some of them are not in machine code just now."""
    _expected.append(count)
    try:
        yield
    finally:
        if count in _expected:  # or this is a copy of the process, where nobody else trains
            _expected.remove(count)


@contextmanager
def callers() -> Iterator[int]:
    """For a call on several threads: how many of the process's threads make such calls now, this one included."""
    this, now = threading.get_ident(), time.perf_counter()
    _ended[this] = math.inf
    try:
        for other, ended in list(_ended.items()):
            if ended < now - RECENTLY:
                _ended.pop(other, None)
        yield max(len(_ended), *_expected, 1)
    finally:
        _ended[this] = time.perf_counter()


class _Cores:
    """Whether others keep cores busy, as the process's trainings have found."""

    def __init__(self) -> None:
        self._until = self._held_up = self._free = 0.0
        self._times = 1

    @property
    def taken(self) -> float:
        """Seconds for which they count as taken."""
        return max(0.0, self._until - time.perf_counter())

    def are_busy(self, seconds: float) -> None:
        """A part that was held up lasted so long, and one thread would have been faster."""
        self._held_up, self._free, self._until = seconds, 0.0, time.perf_counter() + self._times * seconds
        self._times = min(LATER * self._times, RARELY)

    def are_free(self, seconds: float) -> None:
        """A part was not held up; who is woken first runs for some time beside others, too, so a short one says nothing."""
        self._free += seconds
        if self._free > 2 * self._held_up:
            self._times = 1


_cores = _Cores()


class ThreadChoice:
    """What steps with one thread and with all took lately, and which number is next.

    Of the last two times of the number in use the shorter one counts: a call that was held up once says nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seconds: dict[int, deque[float]] = {}
        self._calls, self._next, self._pause = 0, 0, 2
        self._left, self._worse = 0, False
        self._since = 0, 0.0  # steps with all threads, and their seconds, since one was held up
        self.patience = PATIENCE

    def _fastest(self) -> int:
        """The number that was; all as long as nothing is known of them."""
        if _cores.taken:
            return 1
        return min(self._seconds, key=lambda n: min(self._seconds[n])) if self._most in self._seconds else self._most

    def parts(self, steps: int) -> Iterator[tuple[int, int]]:
        """A call of so many steps in parts: the number of threads and of steps of each; most calls have one part.

        What is noted of a part before the next one is asked for counts for that.
        """
        self._calls, self._left = self._calls + 1, steps
        for threads in self._tried(steps):
            yield threads, min(max(1, steps // SHARE), self._left)
        while self._left:
            taken = math.ceil(_cores.taken / min(self._seconds[1])) if self._most > 1 and 1 in self._seconds else 0
            yield self._fastest(), min(self._left, taken or self._left)

    def _tried(self, steps: int) -> tuple[int, ...]:
        """The numbers of threads that are tried at the beginning of a call of so many steps."""
        whole = steps < SHARE
        due = self._calls >= max(self._next, FIRST_WHOLE if whole else FIRST)
        if self._most == 1 or _cores.taken or not (due or self._worse):
            return ()
        usual = self._fastest()
        other = 1 if usual == self._most else self._most
        self._pause = min((4 if whole else 2) * self._pause, AGAIN)
        self._next, self._worse = self._calls + self._pause, False
        return (other,) * steps if whole else (usual, other)

    def note(self, threads: int, steps: int, seconds: float, *, held_up: bool = False) -> None:
        """So many steps of a part were done, in a time with the waking of its threads, the last one if one was held up.

        The first call, which touches its memory first, is not counted.
        """
        self._left -= steps
        if threads > 1 and self._were_held_up(steps, seconds, held_up=held_up):
            _cores.are_busy(seconds)
            self._seconds.pop(threads, None)
        elif self._calls > 1:
            self._add(threads, seconds / steps)

    def _were_held_up(self, steps: int, seconds: float, *, held_up: bool) -> bool:
        """Whether one thread would have been faster since threads were held up before; that it is not known says yes."""
        done, taken = self._since
        self._since = (0, 0.0) if held_up else (done + steps, taken + seconds)
        if not held_up:
            self.patience = max(PATIENCE, self.patience // 2)
            _cores.are_free(seconds)
            return False
        if (taken + seconds) / (done + steps) > min(self._seconds.get(1, [0.0])):
            return True
        self.patience *= 2
        return False

    def _add(self, threads: int, seconds: float) -> None:
        """What a step took with so many threads."""
        if threads == self._fastest():
            before = self._seconds.setdefault(threads, deque(maxlen=2))
            self._worse = seconds > WORSE * min(before, default=seconds)
            before.append(seconds)
        else:
            self._seconds[threads] = deque([seconds], maxlen=2)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ended.clear)
    os.register_at_fork(after_in_child=_expected.clear)
