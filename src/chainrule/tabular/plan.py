"""How much a training may do in its time: how many networks, and how many epochs each.

The plan is a function of counts alone, so the same table and the same time give the same model on every machine that is fast
enough. The clock ends a training only where the machine is slower than is assumed here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from chainrule.tabular.recipe import FEW

SPEED = 6e10
"""Multiplications a second that a thread carries out at the least in training, overheads included."""

PASSES = 3
"""What a step costs: forwards, and twice as much backwards."""

OVERHEAD = 6e4
"""What a row costs besides its products, in multiplications."""

FEWEST_STEPS, MOST_STEPS = 1500, 12_000
FEWEST_EPOCHS, MOST_EPOCHS = 12, 400
LEAST_EPOCHS_OF_MANY = 100

ENOUGH = 20
"""With fewer epochs than this there are fewer networks instead."""


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
    """

    folds: int
    repeats: int
    epochs: int

    @property
    def members(self) -> int:
        """How many networks."""
        return self.folds * self.repeats


def plan(rows: int, weights: int, batch: int, seconds: float | None, threads: int, folds: int = 5) -> Plan:
    """What fits into the time, for networks that take so many multiplications a row.

    Few rows get more networks, many rows fewer epochs, and only then fewer networks.

    Examples
    --------
    >>> plan(rows=500, weights=80_000, batch=100, seconds=10, threads=2)
    Plan(folds=5, repeats=2, epochs=300)
    >>> plan(rows=1_000_000, weights=80_000, batch=256, seconds=10, threads=2).members
    1
    """
    steps = max(1, -(-rows // batch))
    wanted = min(MOST_EPOCHS, max(LEAST_EPOCHS_OF_MANY, -(-FEWEST_STEPS // steps)))
    wanted = max(min(wanted, MOST_STEPS // steps), FEWEST_EPOCHS)
    an_epoch = rows * (PASSES * weights + OVERHEAD) / SPEED
    alone = math.inf if seconds is None else seconds / an_epoch  # epochs that one network by itself has time for
    for members in (2 * folds if rows < FEW else folds, folds, 3, 2):
        each = alone * threads / members
        if members > 1 and folds > 1 and each >= min(wanted, ENOUGH if members > 3 else FEWEST_EPOCHS):
            repeats = 2 if members > folds else 1
            return Plan(members // repeats, repeats, int(min(wanted, each)))
    return Plan(1, 1, int(max(1, min(wanted, alone * threads))))  # one network has all threads
