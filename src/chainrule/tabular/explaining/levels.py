"""Mean predictions for several values of a column, as data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Level:
    """A value of the column: its place along an axis where there is one, its text, its share of all rows, and mean predictions."""

    place: float | None
    text: str
    share: float
    means: tuple[float, ...]


@dataclass(frozen=True, repr=False)
class Levels:
    """Mean predictions for several values of a column.

    Attributes
    ----------
    column, target : str
        Which column, and what is predicted.
    curves : tuple of str
        What the means are of: classes, or the target itself.
    levels : tuple of Level
        Values in order, or categories by how often they occur.
    ordered : bool
        Whether values lie along an axis, as numbers and times do.
    missing : Level, optional
        For rows without a value, where there are some.
    average : tuple of float
        The mean predictions of the rows as they are.
    rows : int
        How many rows the means are of.
    """

    column: str
    target: str
    curves: tuple[str, ...]
    levels: tuple[Level, ...]
    ordered: bool
    missing: Level | None
    average: tuple[float, ...]
    rows: int

    @property
    def span(self) -> float:
        """How far the mean predictions lie apart, of the curve where that is most."""
        return float(np.ptp([level.means for level in self.levels], axis=0).max())

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest mean prediction."""
        means = [*(x for level in self.levels for x in level.means), *self.average]
        return min(means), max(means)
