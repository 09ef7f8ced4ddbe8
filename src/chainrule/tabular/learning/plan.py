"""How much a training may do in its time: how many networks, how many epochs each, how much of it for recipes that are tried.

The plan is a function of counts alone, so the same table and the same time give the same model on every machine that is fast
enough. The clock ends a training only where the machine is slower than is assumed here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from chainrule.tabular.learning.recipe import FEW

SPEED = 6e10
"""Multiplications a second that a thread carries out at the least in training, overheads included."""

PASSES = 3
"""What a step costs: forwards, and twice as much backwards."""

OVERHEAD = 6e4
"""What a row costs besides its products, in multiplications."""

COMPILING = 0.3
"""Seconds that the machine code of a recipe takes, and what is made ready for it."""

LEAST = 0.3
"""Seconds, by the speed assumed here, that a network which was begun may learn for at the least, whatever the clock says."""

LOOK = 7e-4
"""Seconds that a look at the rows held out takes besides its products; no two threads do that at the same time."""

STEPS_BETWEEN_LOOKS, FEWEST_LOOKS = 20, 50
"""Of few rows several epochs go by between two looks, about as many steps as a look takes."""

FEWEST_STEPS, MOST_STEPS = 1500, 12_000
FEWEST_EPOCHS, MOST_EPOCHS = 12, 400
LEAST_EPOCHS_OF_MANY = 100

ENOUGH = 20
"""With fewer epochs than this there are fewer networks instead."""

SHARE_TRIED = 0.4
"""The share of the folds that further recipes are tried on; all of them where rows are few."""


@dataclass(frozen=True)
class Plan:
    """How many networks are trained, on how many folds, for how many epochs.

    Attributes
    ----------
    folds : int
        Parts of the rows, each held out by the networks of its own.
    repeats : int
        How often the rows are parted anew.
    epochs : int
        Passes over its rows that every network makes.
    tried : int
        The folds that every further recipe is tried on.
    recipes : int
        For how many recipes there is time, the first included.
    wanted : int
        The epochs that suit so many rows; 0 where others were asked for.
    """

    folds: int
    repeats: int
    epochs: int
    tried: int = 0
    recipes: int = 1
    wanted: int = field(default=0, repr=False, compare=False)

    @property
    def members(self) -> int:
        """How many networks."""
        return self.folds * self.repeats


def plan(
    rows: int, weights: int, batch: int, seconds: float | None, threads: int, folds: int = 5, recipes: int = 1
) -> Plan:
    """What fits into the time, for networks that take so many multiplications a row, and so many recipes, the first included.

    Few rows get more networks, many rows fewer recipes, then fewer epochs, and only then fewer networks.

    Examples
    --------
    >>> plan(rows=500, weights=80_000, batch=100, seconds=10, threads=2, recipes=2)
    Plan(folds=5, repeats=2, epochs=300, tried=5, recipes=2)
    >>> plan(rows=1_000_000, weights=80_000, batch=256, seconds=10, threads=2).members
    1
    """
    steps = max(1, -(-rows // batch))
    an_epoch = _an_epoch(rows, weights, batch, threads)
    wanted = min(MOST_EPOCHS, max(LEAST_EPOCHS_OF_MANY, -(-FEWEST_STEPS // steps)))
    wanted = max(min(wanted, MOST_STEPS // steps), FEWEST_EPOCHS)

    def fitting(members: int, tried: int, count: int) -> float:
        """The epochs of each of so many networks, beside what is tried of so many recipes."""
        return _left(seconds, count) / an_epoch * threads / (members + tried * (count - 1))

    for members in (2 * folds if rows < FEW else folds, folds, 3, 2):
        repeats = 2 if members > folds else 1
        tried = _tried(rows, members // repeats)
        # A recipe is tried where nobody's epochs are cut for it, the first of them also at half of the epochs.
        enough = (n for n in range(recipes, 1, -1) if fitting(members, tried, n) >= (wanted if n > 2 else wanted / 2))
        count = next(enough, 1)
        each = fitting(members, tried, count)
        if members > 1 and folds > 1 and each >= min(wanted, ENOUGH if members > 3 else FEWEST_EPOCHS):
            tried = tried if count > 1 else 0
            return Plan(members // repeats, repeats, _even(min(wanted, each)), tried, count, wanted)
    left = max(_left(seconds, 1), LEAST)
    each = max(1, min(wanted, left / an_epoch * threads))  # one network has all threads
    return Plan(1, 1, _even(each), wanted=wanted)


def _left(seconds: float | None, recipes: int) -> float:
    """The time for training, once so many recipes are compiled."""
    return math.inf if seconds is None else max(seconds - COMPILING * recipes, seconds / 4)


def least_epochs(rows: int, weights: int, batch: int) -> int:
    """The epochs that a network makes even where the clock says that time is up: most of a small table's, none of a large one's.

    Examples
    --------
    >>> least_epochs(rows=150, weights=80_000, batch=100) > 200, least_epochs(rows=1_000_000, weights=80_000, batch=256)
    (True, 0)
    """
    return int(LEAST / _an_epoch(rows, weights, batch, 1))


def _an_epoch(rows: int, weights: int, batch: int, threads: int) -> float:
    """Seconds that an epoch takes a thread, with its share of the looks at the rows held out."""
    steps = max(1, -(-rows // batch))
    look = LOOK * steps / max(STEPS_BETWEEN_LOOKS, steps)
    return rows * (PASSES * weights + OVERHEAD) / SPEED + look * threads


def passes_between_looks(epochs: int, steps: int) -> int:
    """How many epochs of so many steps go by between two looks at the rows held out; that many divide all epochs.

    Examples
    --------
    >>> passes_between_looks(300, steps=4), passes_between_looks(300, steps=12), passes_between_looks(30, steps=4)
    (5, 1, 1)
    """
    most = min(STEPS_BETWEEN_LOOKS // steps, epochs // FEWEST_LOOKS)
    return next((passes for passes in range(most, 1, -1) if epochs % passes == 0), 1)


def _tried(rows: int, folds: int) -> int:
    return folds if rows < FEW else max(1, round(SHARE_TRIED * folds))


def _even(epochs: float) -> int:
    """About so many, of many such that several numbers divide them."""
    return int(epochs) // 12 * 12 if epochs > 60 else int(epochs)
