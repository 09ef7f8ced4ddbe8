"""Rows in folds: each held out once, by class or amount evenly, whole groups together, or the latest last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError, SettingError
from chainrule.tables.options import counted

Rows = NDArray[np.intp]


def folds(y: NDArray[Any], count: int, seed: int = 0, groups: Any = None, weights: Any = None) -> list[Rows]:
    """The rows in `count` parts of about the same size, each ascending.

    Classes, and amounts from small to large, are spread over the parts as evenly as can be; rows of one group stay together. Rows
    of weight 0 are spread apart from the others, so that every part has its share of those that count.

    Parameters
    ----------
    y : array, (rows,)
        Class numbers, or amounts.
    count : int
        Parts, at least 2 and at most as many as there are rows, or groups.
    seed : int
        The same seed gives the same parts.
    groups : array, (rows,), optional
        What group each row belongs to.
    weights : array, (rows,), optional
        How much each counts.

    Examples
    --------
    >>> import numpy as np
    >>> parts = folds(np.array([0, 0, 0, 0, 1, 1]), 2)
    >>> [np.bincount(np.array([0, 0, 0, 0, 1, 1])[part]).tolist() for part in parts]
    [[2, 1], [2, 1]]
    """
    SettingError.unless_count("folds", "count", count, at_least=2)
    random = np.random.default_rng(seed)
    y = np.asarray(y)
    counts = np.ones(len(y), bool) if weights is None else np.asarray(weights) > 0
    if groups is None:
        parts, idle = _dealt(y, np.flatnonzero(counts), count, random), np.flatnonzero(~counts)
        if not len(idle):
            return parts
        return [np.sort(np.concatenate(both)) for both in zip(parts, np.array_split(idle, count), strict=True)]
    _, group_of = np.unique(np.asarray(groups), return_inverse=True)
    sizes = np.bincount(group_of, counts)
    if len(sizes) < count:
        raise DataError(
            f"the rows are of {counted(len(sizes), 'group')}, too few for {count} folds; name a column with more groups, or take "
            "fewer folds."
        )
    part_of, filled = np.empty(len(sizes), np.intp), np.zeros(count)
    order = random.permutation(len(sizes))
    for group in order[np.argsort(-sizes[order], kind="stable")]:  # the largest first, each where there is most room
        part_of[group] = np.argmin(filled)
        filled[part_of[group]] += sizes[group]
    return [np.flatnonzero(part_of[group_of] == part) for part in range(count)]


def _dealt(y: NDArray[Any], rows: Rows, count: int, random: np.random.Generator) -> list[Rows]:
    """The rows in order of y, rows of the same y in random order, dealt out like cards, each round in another order."""
    if len(rows) < count:
        raise DataError(f"there are {len(rows)} rows that count, too few for {count} folds; choose fewer folds.")
    shuffled = random.permutation(rows)
    order = shuffled[_in_order(y[shuffled])]
    rounds = -(-len(order) // count)
    part = np.full(len(y), count)  # and of rows that do not count, none
    part[order] = np.argsort(random.random((rounds, count)), axis=1).ravel()[: len(order)]
    return [np.flatnonzero(part == own) for own in range(count)]


def _in_order(values: NDArray[Any]) -> Rows:
    """The places of numbers from small to large, equal ones as they come: NumPy's stable sort takes four times as long."""
    order = np.argsort(values)
    ordered = values[order]
    run = np.zeros(len(values), np.intp)
    np.cumsum(ordered[1:] != ordered[:-1], out=run[1:])
    run *= len(values)
    return np.sort(run + order) - run


def latest(order: Any, share: float) -> tuple[Rows, Rows]:
    """The rows in two parts, the earlier and the later ones; rows of one time are never parted.

    Examples
    --------
    >>> [part.tolist() for part in latest([2001, 2003, 2003, 2000, 2002], 0.4)]
    [[0, 3, 4], [1, 2]]
    """
    times = np.asarray(order)
    by_time = np.argsort(times, kind="stable")
    cut = len(times) - max(1, round(share * len(times)))
    first = times[by_time[max(cut, 0)]]
    later = times >= first
    if later.all():
        raise DataError(
            "all rows are of the same time, so none come later; choose another column, or leave the order out."
        )
    return np.flatnonzero(~later), np.flatnonzero(later)


def unless_idle(weights: NDArray[Any], parts: Sequence[Rows], groups: Any = None) -> None:
    """Refuse parts where nothing counts of what is held out, or of what is learned from.

    Examples
    --------
    >>> unless_idle(np.array([0.0, 2.0, 1.0, 0.0]), [np.array([0, 1])])
    """
    for held in parts:
        if len(held) and not (weights[held].any() and weights[others(len(weights), held, groups)].any()):
            what = (
                "are held out together" if weights[held].any() else "are learned from, and those held out have weight 0"
            )
            some = counted(int(np.count_nonzero(weights)), "row")
            raise DataError(
                f"all of the {some} whose weight is above 0 {what}; give weights to more rows, "
                "or hold out other ones: by other groups, or another order."
            )


def others(rows: int, held: Rows, groups: Any = None) -> Rows:
    """The rows beside those held out, ascending, without those of a group of which others are held out.

    Raises
    ------
    DataError
        When none is left.

    Examples
    --------
    >>> import numpy as np
    >>> others(4, np.array([3])).tolist(), others(4, np.array([3]), groups=["a", "b", "b", "a"]).tolist()
    ([0, 1, 2], [1, 2])
    """
    learned = np.ones(rows, bool)
    learned[held] = False
    if groups is not None:
        known = np.asarray(groups)
        learned &= ~np.isin(known, known[held])
    if rows and not learned.any():
        raise DataError(
            "of every group some rows are held out, so none is left to learn from; choose other groups, or leave the order out."
        )
    return np.flatnonzero(learned)
