"""A recipe: which network a table gets, and how it is trained."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import SettingError
from chainrule.nn.embeddings import CategoryEmbedding, PeriodicEmbedding, PiecewiseEmbedding
from chainrule.nn.ensembles import BatchEnsemble, MemberMean
from chainrule.nn.layer import Layer
from chainrule.nn.layers import Dense, Dropout
from chainrule.tables import Feature
from chainrule.tabular.learning.rates import schedule_named
from chainrule.training.optimizers import AdamW

MOST_EMBEDDED = 256
"""Tables with more columns of numbers than this get them as they are: their vectors would be most of the network."""

FEW = 2000
"""Tables with fewer rows than this get smaller networks, and more of them."""

MANY, FEW_PASSES = 100_000, 5
"""Tables with so many rows get the largest network that sees them so many times, or else the smallest."""

LARGER, SMALLER, SMALLEST = ((256, 256), 128), ((128, 128), 128), ((96, 64), 64)
"""Neurons in the hidden layers, and rows in a step. The smallest learns as much in few passes as the others, for more steps."""

DROPOUT, FEW_EPOCHS = 0.15, 20
"""The share that is left out, but not in fewer epochs: so seldom seen no row is learned by heart."""

ROWS_FOR_QUANTILES = 1 << 16
"""Of more rows so many tell the quantiles, drawn at random: each to a thousandth of the rows, in a tenth of the time."""

WIDEST_CATEGORY = 16
"""The most numbers in a category's vector."""


@dataclass(frozen=True)
class Recipe:
    """A network of dense layers over embedded columns, trained by AdamW, as a rule along half a cosine wave.

    Attributes
    ----------
    hidden : tuple of ints, optional
        Neurons in each hidden layer; by default 256 and 256, for fewer than 2,000 rows 128 and 128. For 100,000 and more the first
        of these that fit 5 epochs into the time, and else 96 and 64.
    activation : str
        Theirs.
    dropout : float, optional
        The share of their outputs that are left out in a step of training; by default 0.15, and none in fewer than 20 epochs.
    bins, width : int
        Bins of a column's piecewise linear curves, at its quantiles, and how many curves it has; with 0 curves numbers are not
        embedded.
    waves : int
        How many learned waves the curves are made of instead (PBLD), which is for what is smooth; 0 for bins.
    learning_rate, weight_decay : float
        Of AdamW.
    schedule : str
        How the rate goes over the epochs: "cosine" (falling to 0), "warm-up" (the same after a tenth in which it rises), "linear",
        "step", "exponential", "plateau", "constant".
    l2 : float
        Half the squares of the weights times this is added to the loss, besides the weights' decay.
    members : int
        How many networks each one imitates by factors of its own for each of them (TabM); 1 for plain layers.
    label_smoothing : float
        Of the cross-entropy, for classes.
    batch_size : int, optional
        Rows in a step, at most a quarter of the rows there are; by default 128, and 64 beside the smallest layers.
    """

    hidden: tuple[int, ...] | None = None
    activation: str = "relu"
    dropout: float | None = None
    bins: int = 16
    width: int = 8
    waves: int = 0
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    schedule: str = "cosine"
    l2: float = 0.0
    members: int = 1
    label_smoothing: float = 0.0
    batch_size: int | None = None

    def __post_init__(self) -> None:
        for size in self.hidden or ():
            SettingError.unless_count("a recipe", "hidden", size)
        if self.batch_size is not None:
            SettingError.unless_count("a recipe", "batch_size", self.batch_size)
        for name in ("bins", "members"):
            SettingError.unless_count("a recipe", name, getattr(self, name))
        for name in ("width", "waves"):
            SettingError.unless_count("a recipe", name, getattr(self, name), at_least=0)
        SettingError.unless_number("a recipe", "l2", self.l2, at_least=0)
        schedule_named(self.schedule)

    def for_rows(self, rows: int, passes: Callable[[Recipe], float] = lambda recipe: math.inf) -> Recipe:
        """The recipe with all that so many rows decide, and how often they are seen: `passes` says it of a recipe.

        Examples
        --------
        >>> [Recipe().for_rows(rows).hidden for rows in (1_000, 10_000, 400_000)]
        [(128, 128), (256, 256), (256, 256)]
        >>> [Recipe().for_rows(400_000, lambda recipe: epochs).hidden for epochs in (3, 30)]
        [(96, 64), (256, 256)]
        >>> [Recipe().for_rows(10_000, lambda recipe: epochs).dropout for epochs in (3, 30)]
        [0.0, 0.15]
        """
        fitted, epochs = self, math.inf
        for hidden, batch_size in (
            (SMALLER,) if rows < FEW else (LARGER,) if rows < MANY else (LARGER, SMALLER, SMALLEST)
        ):
            fitted = replace(
                self,
                hidden=hidden if self.hidden is None else self.hidden,
                batch_size=batch_size if self.batch_size is None else self.batch_size,
            )
            epochs = passes(fitted)
            if epochs >= FEW_PASSES:
                break
        dropout = 0.0 if epochs < FEW_EPOCHS else DROPOUT
        return replace(fitted, dropout=dropout if self.dropout is None else self.dropout)

    def layers(self, features: Sequence[Feature], X: NDArray[np.float32], outputs: int) -> tuple[Any, ...]:
        """The network's layers for rows X, shape (rows, features), in which the numbers come first and the codes last.

        The same rows give the same layers, so that networks on other folds of them share their machine code.
        """
        numbers = sum(feature.kind == "number" for feature in features)
        sizes = tuple(feature.size for feature in features if feature.kind == "code")
        layers: list[Any] = []
        if sizes:
            layers.append(
                CategoryEmbedding(sizes, tuple(min(WIDEST_CATEGORY, round(1.6 * size**0.56)) for size in sizes))
            )
        if self.width and 0 < numbers <= MOST_EMBEDDED:
            layers.append(self._embedding(X[:, :numbers]))
        for size in self.hidden or ():
            layers.append(self._dense(size))
            if self.dropout:
                layers.append(Dropout(self.dropout))
        return (*layers, self._last(outputs))

    def _embedding(self, X: NDArray[np.float32]) -> Layer:
        """The layer that makes vectors of these columns of numbers, the first ones."""
        if self.waves:
            return PeriodicEmbedding(self.width, self.waves, columns=X.shape[1])
        if len(X) > ROWS_FOR_QUANTILES:
            X = X[np.random.default_rng(0).integers(0, len(X), ROWS_FOR_QUANTILES)]
        return PiecewiseEmbedding(tuple(quantiles(values, self.bins) for values in X.T), self.width)

    def _dense(self, size: int) -> Layer:
        return (
            Dense(size, self.activation)
            if self.members == 1
            else BatchEnsemble(size, self.activation, members=self.members)
        )

    def _last(self, outputs: int) -> Layer:
        """The last layer; of several outputs, which are scores of classes, probabilities are averaged."""
        if self.members == 1:
            return Dense(outputs)
        return MemberMean(outputs, members=self.members, of="probabilities" if outputs > 1 else "outputs")

    def weights(self, features: Sequence[Feature], outputs: int) -> int:
        """About how many multiplications a row takes in a pass forwards."""
        numbers = sum(feature.kind == "number" for feature in features)
        wide = len(features) + sum(min(WIDEST_CATEGORY, feature.size) for feature in features if feature.kind == "code")
        embedded = numbers * self.width * bool(numbers <= MOST_EMBEDDED)
        sizes = (wide + embedded, *(self.hidden or ()), outputs)
        return embedded * (self.waves or self.bins) + self.members * sum(a * b for a, b in itertools.pairwise(sizes))

    def optimizer(self, epochs: int) -> AdamW:
        """AdamW for so many epochs."""
        return AdamW(schedule_named(self.schedule)(self.learning_rate, epochs), weight_decay=self.weight_decay)

    def batch(self, rows: int) -> int:
        """How many of so many rows a step takes: of few at most a quarter."""
        return min(self.batch_size or LARGER[1], max(16, rows // 4))


def quantiles(values: NDArray[np.float32], bins: int) -> tuple[float, ...]:
    """The different quantiles that part values into bins of as many rows, rising; of one value alone, a bin that begins there."""
    edges = np.unique(np.quantile(values, np.linspace(0.0, 1.0, bins + 1)).astype(np.float32))
    if len(edges) < 2:
        edges = np.array([edges[0], edges[0] + 1.0], np.float32)
    return tuple(map(float, edges))
