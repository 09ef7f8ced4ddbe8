"""What came out of learning a table: the network, what it said of rows it had not seen, and how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.network import Network
from chainrule.tables import Preparation
from chainrule.tables.options import counted
from chainrule.tabular.explaining.predictors import Predictor, predictors_of
from chainrule.tabular.learning.ensemble import OutOfFold
from chainrule.tabular.learning.members import Member
from chainrule.tabular.learning.plan import Plan
from chainrule.tabular.learning.recipe import Recipe
from chainrule.tabular.learning.shortfall import shortfall
from chainrule.training import History


@dataclass(frozen=True, eq=False)
class Learned:
    """What came out of learning a table.

    Attributes
    ----------
    network : Network
        The mean of all members.
    preparation : Preparation
        With the scales that were taken.
    X : float32 array, (rows, features)
        The rows as this prepares them.
    y : array, (rows,)
        What each is: class numbers, or amounts as this scales them.
    out_of_fold : OutOfFold
        What was said of rows by networks that had not seen them.
    plan : Plan
        What was to be done.
    recipe : Recipe
    tried : tuple of str
        The recipes that were tried, the one taken first.
    epochs : tuple of int
        How many each has made.
    members : tuple of Member
        The networks, each with the rows that it had not seen.
    histories : tuple of History
        How each went.
    seconds : float
    interrupted : bool
        Whether Ctrl-C ended it.
    ended_by : int
        The number of the signal that did; SIGINT for Ctrl-C.
    chosen_by : str
        The metric that chose epochs and recipes, or "loss".
    amounts : array, (rows,), optional
        The amounts as they stand in the table; by default what is restored of `y`, which is rounded.
    """

    network: Network
    preparation: Preparation
    X: NDArray[np.float32]
    y: NDArray[Any]
    out_of_fold: OutOfFold
    plan: Plan
    recipe: Recipe
    tried: tuple[str, ...]
    epochs: tuple[int, ...]
    members: tuple[Member, ...]
    histories: tuple[History, ...]
    seconds: float
    interrupted: bool
    ended_by: int
    chosen_by: str = "loss"
    amounts: NDArray[np.float64] | None = None

    @property
    def truth(self) -> NDArray[Any]:
        """What each row is: class numbers, or amounts in the table's units."""
        target = self.preparation.target
        if target.classes:
            return self.y
        return np.asarray(target.restored(self.y)) if self.amounts is None else self.amounts

    @property
    def predictors(self) -> list[Predictor]:
        """The networks, each with the rows that it had not seen."""
        networks, held = [x.network for x in self.members], [x.assignment.held for x in self.members]
        return predictors_of(networks, held, self.preparation.target)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was not as it was to be: time that was short, and rows that neither taught nor were held out."""
        unused = len(self.out_of_fold.unused) if len(self.out_of_fold.rows) else 0
        idle = f"{counted(unused, 'earlier row')} of held-out groups were not used"
        return (*shortfall(self.plan, self.epochs, self.seconds, self.interrupted), *[idle] * bool(unused))

    @property
    def settings(self) -> dict[str, object]:
        """How it was done, by names."""
        done = {
            "networks": len(self.members),
            "epochs": ", ".join(map(str, self.epochs)),
            "seconds": round(self.seconds, 1),
            "chosen by": self.chosen_by,
        }
        taken, *others = self.tried
        return {**done, "recipe": taken, "tried besides": ", ".join(others) or "none", **vars(self.recipe)}
