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

FIRST, AGAIN, SOON = (3, 5, 9, 17), 32, 8
"""Calls in which the other number of threads is tried: a few early ones, and later one in so many; more often where it is all
threads, since what keeps a core busy is often over soon."""

SHARE = 16
"""A trial takes one of so many of a call's steps."""

FIRST_WHOLE = (5, 17)
"""The same of steps so long that a call has fewer: then a whole call is one."""

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

    Of the last two times of each number the shorter one counts: a call that was held up once says nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seconds: dict[int, deque[float]] = {}
        self._calls = 0
        self._worse = False

    def _fastest(self) -> int:
        return min(self._seconds, key=lambda n: min(self._seconds[n]), default=self._most)

    def parts(self, steps: int) -> list[tuple[int, int]]:
        """A call of so many steps in parts: the number of threads and of steps of each; most calls have one part."""
        self._calls += 1
        fastest = self._fastest()
        whole = steps < SHARE
        again = AGAIN if fastest == self._most else SOON
        due = self._worse or self._calls in (FIRST_WHOLE if whole else FIRST) or self._calls % again == 0
        if self._most == 1 or not due:
            return [(fastest, steps)]
        other = 1 if fastest == self._most else self._most
        if whole:
            return [(other, steps)]
        return [(fastest, steps - steps // SHARE), (other, steps // SHARE)]  # at the end, when this process is quiet

    def note(self, threads: int, seconds_per_step: float) -> None:
        """What a part took; the first calls touch their memory for the first time and are not counted."""
        if self._calls < FIRST[0]:
            return
        usual = threads == self._fastest()
        before = self._seconds.setdefault(threads, deque(maxlen=2))
        self._worse = usual and seconds_per_step > WORSE * min(before, default=seconds_per_step)
        before.append(seconds_per_step)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ended.clear)
    os.register_at_fork(after_in_child=_expected.clear)
