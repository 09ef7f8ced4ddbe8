"""Orders of rows that are drawn once for all fits of a search which shuffle alike, as those of one seed do."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from chainrule.sklearn.solvers import Orders

MOST = 2**20
"""Numbers of rows that are kept of orders which begin alike; a fit of more epochs goes on by itself."""

KINDS = 8
"""Beginnings that are kept: those of the folds of one setting, which follow each other."""

_searches: list[_Search] = []
"""Those that go on."""


class _Drawn:
    """Orders from one state of random numbers, as many as somebody has asked for."""

    def __init__(self, random: np.random.RandomState, rows: int) -> None:
        self._orders, self._known, self._lock = Orders(copy.deepcopy(random), rows), list[Any](), threading.Lock()
        self.most = MOST // rows

    def between(self, first: int, end: int) -> Any:
        """Those of the epochs from `first` to `end`."""
        with self._lock:
            if end > len(self._known):
                self._known.extend(self._orders(end - len(self._known)))
        return np.stack(self._known[first:end])


class SharedOrders:
    """The same as `Orders`, which takes them from what is drawn for all."""

    def __init__(self, random: np.random.RandomState, rows: int, drawn: _Drawn) -> None:
        self._own, self._drawn, self._done = Orders(random, rows), drawn, 0

    def __call__(self, epochs: int) -> Any:
        """The next orders, shape (epochs, rows)."""
        first, self._done = self._done, self._done + epochs
        if self._done <= self._drawn.most:
            return self._drawn.between(first, self._done)
        if first <= self._drawn.most:
            self._own(first)  # which were taken from the others
        return self._own(epochs)


class _Search:
    """What the fits of one search have drawn so far."""

    def __init__(self) -> None:
        self._drawn: dict[Any, _Drawn] = {}

    def drawn(self, random: np.random.RandomState, rows: int) -> _Drawn:
        """The orders from there on; those that began first are forgotten when there are too many."""
        state = random.get_state(legacy=False)
        key = rows, state["bit_generator"], state["state"]["key"].tobytes(), state["state"]["pos"]
        found = self._drawn.get(key) or self._drawn.setdefault(key, _Drawn(random, rows))
        for old in list(self._drawn)[:-KINDS]:
            self._drawn.pop(old, None)
        return found


@contextmanager
def shared() -> Iterator[None]:
    """While it lasts fits share their orders."""
    search = _Search()
    _searches.append(search)
    try:
        yield
    finally:
        if search in _searches:  # or this is a copy of the process, which does not go on with it
            _searches.remove(search)


def orders_for(random: np.random.RandomState, rows: int, *, private: bool) -> Callable[[int], Any]:
    """The orders of a fit, whose random numbers are its own where they are `private`: nobody sees how many were drawn."""
    if not _searches or not private:
        return Orders(random, rows)
    return SharedOrders(random, rows, _searches[-1].drawn(random, rows))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_searches.clear)  # a lock may be held by a thread that is not there
