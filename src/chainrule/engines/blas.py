"""BLAS kept to one thread while a short answer is computed by NumPy.

For products of more than 2¹⁸ multiplications OpenBLAS calls threads that then look for work for some 25 ms. Where others keep the
cores busy, or the next training wants them, a short answer took that long instead of a fifth of a millisecond.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import Any

from chainrule import forks

SEVERAL = 16
"""Rows of an answer below which nothing is done about threads."""

SOME, MANY = 2**18, 2**26
"""Products summed up: from how many on BLAS calls its threads, and from how many on that saves more than a millisecond."""


class _OneThread:
    """BLAS kept to one thread while any caller is inside; the number of its threads belongs to the whole process."""

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0
        self._limit: Any = None
        self.known: Any = None
        forks.locks.append(self._lock)

    def __enter__(self) -> None:
        with self._lock:
            if self.known is None:
                self.known = forks.load("threadpoolctl").ThreadpoolController().select(user_api="blas")
            if not self._inside:
                self._limit = self.known.limit(limits=1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit.restore_original_limits()


one_thread = _OneThread()


def quiet(rows: int, numbers: int) -> AbstractContextManager[None]:
    """Computes an answer for so many rows, each multiplied with so many numbers, without waking threads, if it is a short one."""
    return one_thread if rows >= SEVERAL and SOME < rows * numbers < MANY else nullcontext()
