"""What a network says of rows held out, as if it had never been stopped by them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tabular.problem import Problem


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
        self._problem, self._truth = problem, problem.y[held]
        order = np.random.default_rng(seed).permutation(len(held))
        self._halves = order[: len(order) // 2], order[len(order) // 2 :]
        self._least = [np.inf, np.inf]
        self.said: NDArray[Any] = np.empty((0,))

    def see(self, said: NDArray[Any]) -> None:
        """Take notice of what is said of all of them after an epoch."""
        if not len(self.said):
            self.said = said.copy()
        wrong = self._problem.wrong(said, self._truth)
        for own, other in ((0, 1), (1, 0)):
            loss = float(wrong[self._halves[own]].mean()) if len(self._halves[own]) else 0.0
            if loss < self._least[own]:
                self._least[own] = loss
                self.said[self._halves[other]] = said[self._halves[other]]
