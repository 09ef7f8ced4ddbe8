"""What is to be learned from a table: rows, what each is, and what a network's outputs say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.network import Network
from chainrule.network.meaning import Meaning
from chainrule.tables import Feature
from chainrule.tabular.learning.judging import Judge
from chainrule.training import Loss, heads_of
from chainrule.training.losses import CrossEntropy, SquaredError


@dataclass(frozen=True, eq=False)
class Problem:
    """What is to be learned: rows, and what each is.

    Attributes
    ----------
    X : float32 array, (rows, features)
    y : array, (rows,)
        Class numbers, or scaled amounts.
    features : tuple of Feature
    classes : int
        How many; 0 where amounts are learned.
    weights : float array, (rows,), optional
        How much each row counts.
    judge : Judge, optional
        What chooses between epochs and recipes; by default how wrong they are.
    """

    X: NDArray[np.float32]
    y: NDArray[Any]
    features: tuple[Feature, ...]
    classes: int = 0
    weights: NDArray[Any] | None = None
    judge: Judge | None = None

    @property
    def outputs(self) -> int:
        """How many outputs the network has."""
        return self.classes or 1

    @property
    def nothing_said(self) -> NDArray[np.float64]:
        """What is said of no rows."""
        return np.empty((0, self.classes) if self.classes else (0,))

    def loss(self, label_smoothing: float = 0.0) -> Loss:
        """What is made small: cross-entropy, or the squared error."""
        return CrossEntropy(label_smoothing) if self.classes else SquaredError()

    def meant(self, network: Network, labels: NDArray[Any] | None = None) -> Network:
        """The network, built for these features, with all classes as what its outputs mean, also those its rows lack."""
        if not network.is_built:
            network.build(len(self.features))
        classes = (np.arange(self.classes) if labels is None else labels) if self.classes else None
        network.meanings = [Meaning(head, classes, True) for head in heads_of(network.model, self.loss())]
        return network

    def probabilities(self, raw: NDArray[Any]) -> NDArray[Any]:
        """What a network's outputs say: probabilities of classes, (rows, classes), or scaled amounts, (rows,)."""
        if not self.classes:
            return np.asarray(raw, np.float64)[:, 0]
        shifted = np.exp(np.asarray(raw, np.float64) - np.max(raw, axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))

    def wrong(self, said: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
        """How wrong it is of every row: −ln p of the right class, or the squared error of scaled amounts."""
        if self.classes:
            return np.asarray(-np.log(np.maximum(said[np.arange(len(truth)), truth], 1e-7)))
        return np.asarray(np.square(said - truth, dtype=np.float64))

    def badness(self, said: NDArray[Any], rows: NDArray[np.intp]) -> tuple[float, ...]:
        """How bad it is what is said of these rows, the lower the better: by the judge, and where that is equal by the loss."""
        if not len(rows):
            return (0.0,)
        weights = None if self.weights is None else self.weights[rows]
        wrong = (
            float(np.average(self.wrong(said, self.y[rows]), weights=weights))
            if weights is None or weights.any()
            else 0.0
        )
        return (wrong,) if self.judge is None else (self.judge(said, rows), wrong)
