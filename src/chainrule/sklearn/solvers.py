"""scikit-learn's solvers: its forms of Adam and SGD, its falling learning rate, and its orders of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.training import Schedule
from chainrule.training.optimizer import OptimizerState
from chainrule.training.optimizers import SGD, Adam, risen


@dataclass(frozen=True)
class AdamSolver(Adam):
    """Adam in the order of computation of its paper's section 2: ε is added before the correction, not after."""

    def update(
        self, gradient: Any, parameter: Any, state: OptimizerState, learning_rate: Any, step: Any
    ) -> tuple[Any, OptimizerState]:
        """The parameter and its state after one step."""
        mean, mean_square = self._means(gradient, state)
        rate = learning_rate * np.sqrt(risen(self.beta2, step)) / risen(self.beta1, step)
        new = parameter - rate * mean / (np.sqrt(mean_square) + self.epsilon)
        return new, {"mean": mean, "mean_square": mean_square}


@dataclass(frozen=True)
class SGDSolver(SGD):
    """Gradient descent whose momentum may also be 1."""

    def __post_init__(self) -> None:
        """Settings are the estimator's, which has checked them."""


@dataclass(frozen=True)
class InverseScaling(Schedule):
    """rate / (seen + 1)^power, where `seen` counts the rows learned from before this epoch; in the first, `rate` itself."""

    rate: float
    power: float
    rows: int
    earlier: int = 0

    def __call__(self, epoch: Any) -> Any:
        """Learning rates at these times."""
        whole = np.floor(epoch)
        return np.where(whole > 0, self.rate / (self.earlier + whole * self.rows + 1.0) ** self.power, self.rate)


class Orders:
    """The orders of rows that scikit-learn's `shuffle` gives epoch after epoch: each a shuffle of the one before."""

    def __init__(self, random: np.random.RandomState, rows: int) -> None:
        self._random, self._order = random, np.arange(rows)

    def __call__(self, epochs: int) -> Any:
        """The next orders, shape (epochs, rows)."""
        rows = len(self._order)
        orders = np.empty((epochs, rows), np.int32)
        for i in range(epochs):
            shuffled = np.arange(rows)
            self._random.shuffle(shuffled)
            orders[i] = self._order = self._order[shuffled]
        return orders
