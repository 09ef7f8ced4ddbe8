"""BLAS kept to one thread while a short answer is computed by NumPy.

For products of more than 2¹⁸ multiplications OpenBLAS calls threads that then look for work for some 25 ms. Where others keep the
cores busy, or the next training wants them, a short answer took that long instead of a fifth of a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from itertools import repeat
from threading import RLock
from typing import Any
from weakref import ref

from chainrule import forks

SEVERAL = 16
"""Rows of an answer below which nothing is done about threads."""

SOME, MANY = 2**18, 2**26
"""Products summed up: from how many on BLAS calls its threads, and from how many on that saves more than a millisecond."""


class _Libraries:
    """The libraries of BLAS that are loaded, whose numbers of threads belong to the whole process, and who wants one."""

    def __init__(self) -> None:
        self.lock, self.callers = RLock(), list[Any]()
        self.usual: list[int] = []
        self.known: Any = None
        forks.locks.append(self.lock)

    @property
    def threads(self) -> list[int]:
        """How many threads each of them has now."""
        return [library.num_threads for library in self.known.lib_controllers]

    def set_threads(self, numbers: Iterable[int]) -> None:
        """Give each of them so many."""
        for library, number in zip(self.known.lib_controllers, numbers, strict=False):
            library.set_num_threads(number)


libraries = _Libraries()


class OneThread:
    """BLAS kept to one thread while any caller is inside.

    A signal's handler may ask in the middle of this, or raise. So a caller is inside until all is done, and what is not done yet
    when this object goes is done then.
    """

    def __enter__(self) -> None:
        with libraries.lock:
            if libraries.known is None:
                libraries.known = forks.load("threadpoolctl").ThreadpoolController().select(user_api="blas")
            self._caller = ref(self, _leave)
            libraries.callers.append(self._caller)
            if len(libraries.callers) == 1:
                libraries.usual = libraries.threads
                libraries.set_threads(repeat(1))

    def __exit__(self, *_: object) -> None:
        _leave(self._caller)
        del self._caller  # nobody has to be told when this object goes


def _leave(caller: Any) -> None:
    with libraries.lock:
        if libraries.callers == [caller]:
            libraries.set_threads(libraries.usual)
        if caller in libraries.callers:
            libraries.callers.remove(caller)


def quiet(rows: int, numbers: int) -> AbstractContextManager[None]:
    """Computes an answer for so many rows, each multiplied with so many numbers, without waking threads, if it is a short one."""
    return OneThread() if rows >= SEVERAL and SOME < rows * numbers < MANY else nullcontext()
