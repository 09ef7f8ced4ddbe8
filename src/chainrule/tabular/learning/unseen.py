"""What a network says of rows held out, as if it had never been stopped by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.network import Network
from chainrule.tabular.learning.problem import Problem
from chainrule.training import EpochEnd, History


class Unseen:
    """What is said of rows held out, each at the epoch that other ones of them would have chosen.

    A network is kept as it was in the epoch in which it was best on the rows held out, and what it says of these very rows
    is then better than what it will say of new ones: on tables of pure noise with 120 rows, an AUC of .55. So the rows are
    halved, and each half is told of at the epoch in which the network was best on the other.

    Examples
    --------
    >>> X, y = np.zeros((4, 1), np.float32), np.array([0.0, 1.0, 2.0, 3.0])
    >>> unseen = Unseen(Problem(X, y, ()), np.arange(4), seed=0)
    >>> unseen.see(y + 1.0)
    >>> unseen.see(y - 0.5)
    >>> unseen.see(y + 2.0)
    >>> unseen.said - y
    array([-0.5, -0.5, -0.5, -0.5])
    """

    def __init__(self, problem: Problem, held: NDArray[np.intp], seed: int) -> None:
        self._problem, self._held = problem, held
        order = np.random.default_rng(seed).permutation(len(held))
        self._halves = order[: len(order) // 2], order[len(order) // 2 :]
        self._least: list[tuple[float, ...]] = [(np.inf,), (np.inf,)]
        self.said: NDArray[Any] = np.empty((0,))

    def state_dict(self) -> dict[str, Any]:
        """What has been seen so far, as values."""
        return {"least": self._least, "said": self.said}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._least, self.said = list(state["least"]), state["said"]

    def see(self, said: NDArray[Any]) -> None:
        """Take notice of what is said of all of them after an epoch."""
        if not len(self.said):
            self.said = said.copy()
        for own, other in ((0, 1), (1, 0)):
            half = self._halves[own]
            badness = self._problem.badness(said[half], self._held[half])
            if badness < self._least[own]:
                self._least[own] = badness
                self.said[self._halves[other]] = said[self._halves[other]]


class Best:
    """The weights that a network had in the epoch in which it was best on the rows held out, and how wrong it was in each."""

    def __init__(self, problem: Problem, held: NDArray[np.intp]) -> None:
        self._problem, self._held = problem, held
        self._least: tuple[float, ...] = (np.inf,)
        self._kept: tuple[int, Any] | None = None
        self._losses: list[float] = []

    def state_dict(self) -> dict[str, Any]:
        """What has been seen so far, as values."""
        return {"least": self._least, "kept": self._kept, "losses": self._losses}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._least, self._kept, self._losses = state["least"], state["kept"], list(state["losses"])

    def see(self, said: NDArray[Any], end: EpochEnd) -> None:
        """Take notice of what is said of the rows held out after an epoch."""
        badness = self._problem.badness(said, self._held)
        self._losses.append(badness[-1])
        if badness < self._least:
            self._least, self._kept = badness, (end.epoch, end.parameters)

    def restore(self, network: Network, history: History) -> None:
        """Give the network the weights of its best epoch."""
        if self._kept is not None:
            history.best_epoch, network.parameters = self._kept
        if self._losses:
            history.add("val_loss", self._losses)
