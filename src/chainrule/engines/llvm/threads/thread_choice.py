"""How many threads a training uses: one for every core, unless others keep the cores busy so that one is faster.

Threads that share out a step wait for each other many times in it; where one of them does not get its core, all wait.
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

FIRST, ONE_AGAIN, ALL_AGAIN = 4, 32, 16
"""The call in which the other number of threads is tried first, since those before are short. The calls until the next trial double
each time, up to so many: more where one thread is tried, since what keeps a core busy is often over soon."""

FIRST_WHOLE = 5
"""The first of steps so long that calls have too few for a trial: then a whole call is one, and the calls between are fourfold."""

HALF, SHARE = 2, 16
"""A trial takes one of so many of a call's steps, with all threads and with one: others that keep a core busy run in turns of some
milliseconds with a thread that is woken, and let it run first, so a short trial with all says nothing."""

WORSE = 1.5
"""How many times slower than the last call a call must be for the other number of threads to be tried at once."""

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


class ThreadChoice:
    """What steps with one thread and with all took lately, and which number is next.

    Of the last two times of the number in use the shorter one counts: a call that was held up once says nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seconds: dict[int, deque[float]] = {}
        self._calls, self._next, self._pause = 0, 0, 2
        self._worse = False

    def _fastest(self) -> int:
        if not self._seconds:
            return self._most
        return min(self._seconds, key=lambda n: min(self._seconds[n]))

    def parts(self, steps: int) -> Iterator[tuple[int, int]]:
        """A call of so many steps in parts: the number of threads and of steps of each; most calls have one part.

        What is noted of a part before the next one is asked for counts for that.
        """
        self._calls += 1
        usual, whole = self._fastest(), steps < SHARE
        due = self._calls >= max(self._next, FIRST_WHOLE if whole else FIRST)
        if self._most == 1 or not (due or self._worse):
            yield usual, steps
            return
        other = 1 if usual == self._most else self._most
        self._pause = min((4 if whole else 2) * self._pause, ONE_AGAIN if other == 1 else ALL_AGAIN)
        self._next, self._worse = self._calls + self._pause, False
        left = steps
        for threads in () if whole else (usual, other):
            part = steps // (SHARE if threads == 1 else HALF)
            yield threads, part
            left -= part
        if left:
            yield other if whole else self._fastest(), left

    def note(self, threads: int, seconds_per_step: float) -> None:
        """What a part took, with the time to wake its threads; the first call, which touches its memory first, is not counted."""
        if self._calls == 1:
            return
        if threads == self._fastest():
            before = self._seconds.setdefault(threads, deque(maxlen=2))
            self._worse = seconds_per_step > WORSE * min(before, default=seconds_per_step)
            before.append(seconds_per_step)
        else:
            self._seconds[threads] = deque([seconds_per_step], maxlen=2)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ended.clear)
    os.register_at_fork(after_in_child=_expected.clear)
