"""How many threads the next call of a training uses: all, unless others keep the cores busy so that one is faster.

Threads that share out a step wait for each other many times in it; where one of them does not get its core, all wait.
The numbers are the same for any number of threads, so the choice may follow the clock.
"""

from __future__ import annotations

import os

AGAIN = 64
"""Calls after which the slower number of threads is tried again; at first it is tried after 4, 8, 16 and 32."""

WORSE = 1.5
"""How many times slower than the last call a call must be for the other number of threads to be tried at once."""


def available() -> int:
    """How many threads a training may use here: OMP_NUM_THREADS, or the cores this process may run on."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Pace:
    """What calls with one thread and with all took lately, and which number is next."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seconds: dict[int, float] = {}
        self._calls = 0
        self._worse = False

    @property
    def threads(self) -> int:
        """How many threads to use for the next call."""
        untried = [n for n in (self._most, 1) if n not in self._seconds]
        if untried:
            return untried[0]
        fastest, slowest = sorted(self._seconds, key=lambda n: self._seconds[n])
        due = self._calls % AGAIN == 0 or self._calls in (4, 8, 16, 32)
        return slowest if due or self._worse else fastest

    def note(self, threads: int, seconds_per_step: float) -> None:
        """What the last call took; the very first is not counted, since it touches its memory for the first time."""
        self._calls += 1
        if self._most == 1 or self._calls == 1:
            return
        before = self._seconds.get(threads, seconds_per_step)
        fastest = threads == min(self._seconds, key=lambda n: self._seconds[n], default=threads)
        self._worse = fastest and seconds_per_step > WORSE * before
        self._seconds[threads] = seconds_per_step
