"""Losses: frozen dataclasses that turn outputs and targets into one number for every sample.

A loss knows what a network's outputs mean. Its `link` is the activation that turns outputs into predictions:
cross-entropy takes scores and its link is softmax, so that `log(softmax(...))` is computed stably in one piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from chainrule.errors import DataError, SettingError
from chainrule.tracing import functions as f
from chainrule.tracing.apply import plain_numbers
from chainrule.training.loss import Loss, PerOutput, aligned, class_numbers


@dataclass(frozen=True)
class SquaredError(PerOutput):
    """(a − y)² of every output.

    Parameters
    ----------
    over : {"mean", "sum"}
        What is done over a sample's outputs.
    reduction : {"mean", "sum"}
        What is done over the samples of a batch. `SquaredError(over="sum", reduction="sum")` is Σ(a − y)².

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.SquaredError()(np.array([[1.0, 3.0]]), np.array([[0.0, 1.0]]))
    array([2.5])
    """

    known_as: ClassVar[tuple[str, ...]] = (
        "squared_error",
        "mse",
    )

    def per_output(self, outputs: Any, targets: Any) -> Any:
        """The loss of every output."""
        return np.square(outputs - targets)


@dataclass(frozen=True)
class L2Norm(Loss):
    """½ Σᵢ (yᵢ − tᵢ)² over the outputs, whose derivative is y − t."""

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample."""
        return 0.5 * np.sum(np.square(outputs - aligned(outputs, targets)), axis=-1)


@dataclass(frozen=True)
class AbsoluteError(PerOutput):
    """|a − y|; its derivative where a = y is taken as 0."""

    known_as: ClassVar[tuple[str, ...]] = (
        "absolute_error",
        "mae",
    )

    def per_output(self, outputs: Any, targets: Any) -> Any:
        """The loss of every output."""
        return np.abs(outputs - targets)


@dataclass(frozen=True)
class Huber(PerOutput):
    """½d² where |d| ≤ delta, delta·(|d| − ½delta) beyond: squared near the target, absolute far from it (Huber 1964)."""

    delta: float = 1.0

    def __post_init__(self) -> None:
        Loss.__post_init__(self)
        SettingError.unless_number("Huber", "delta", self.delta, above=0)

    def per_output(self, outputs: Any, targets: Any) -> Any:
        """The loss of every output."""
        return f.huber(outputs - targets, self.delta)


@dataclass(frozen=True)
class LogCosh(PerOutput):
    """ln cosh(a − y): like ½d² near the target and |d| − ln 2 far from it."""

    def per_output(self, outputs: Any, targets: Any) -> Any:
        """The loss of every output."""
        return f.log_cosh(outputs - targets)


@dataclass(frozen=True)
class BinaryCrossEntropy(PerOutput):
    """−t ln p − (1 − t) ln(1 − p) with p = σ(score), for every output by itself.

    For two classes with one output, for several yes-or-no labels at once, and for one-hot targets per output.
    Takes scores; a network that already ends in a sigmoid is recognised.
    """

    link: ClassVar[str] = "sigmoid"
    task: ClassVar[Literal["regression", "classification"]] = "classification"

    def per_output(self, outputs: Any, targets: Any) -> Any:
        """The loss of every output: softplus(z) − t·z, finite for every finite score."""
        return f.softplus(outputs) - targets * outputs


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """−ln p of the right class with p = softmax(scores); targets are class numbers, or rows of probabilities.

    Takes scores; a network that already ends in a softmax is recognised.

    Parameters
    ----------
    label_smoothing : float
        ε, at least 0 and less than 1: the right class is wanted with probability 1 − ε, and the rest shared out among all
        classes, t ← (1 − ε) t + ε/K (Szegedy et al., "Rethinking the inception architecture", 2016).

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.CrossEntropy()(np.array([[0.0, 0.0]]), np.array([1])).round(4)
    array([0.6931])
    """

    known_as: ClassVar[tuple[str, ...]] = (
        "cross_entropy",
        "log_loss",
    )
    link: ClassVar[str] = "softmax"
    task: ClassVar[Literal["regression", "classification"]] = "classification"
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        SettingError.unless_number("CrossEntropy", "label_smoothing", self.label_smoothing, at_least=0, below=1)

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample: ln Σ eᶻ − Σ t·z."""
        if len(np.shape(targets)) < len(outputs.shape):
            classes = class_numbers(outputs, targets)
            chosen = np.where(classes[..., None] == np.arange(outputs.shape[-1]), outputs, 0.0)
        else:
            chosen = aligned(outputs, targets) * outputs
        wanted = np.sum(chosen, axis=-1)
        if self.label_smoothing:
            wanted = (1.0 - self.label_smoothing) * wanted + self.label_smoothing * np.mean(outputs, axis=-1)
        return f.logsumexp(outputs, axis=-1) - wanted

    def encode(self, class_indices: Any, classes: int, width: int) -> Any:
        """The class numbers themselves."""
        if width == 1:
            raise SettingError(
                "cross_entropy needs one output for each class, and this network has one output. "
                "Use loss='binary_cross_entropy', or end the network in as many neurons as there are classes."
            )
        return class_indices.astype(np.int32)


@dataclass(frozen=True)
class Hinge(Loss):
    """max(0, 1 − t·score) for two classes t = ±1; for more, max(0, 1 + best wrong score − right score).

    References
    ----------
    Cortes and Vapnik 1995; Crammer and Singer 2001 for several classes.
    """

    task: ClassVar[Literal["regression", "classification"]] = "classification"
    one_column: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample."""
        targets = aligned(outputs, targets)
        if outputs.shape[-1] == 1:
            self.unless_fit(plain_numbers(targets).reshape(-1, 1), "targets")
            return np.maximum(1.0 - targets * outputs, 0.0)[..., 0]
        best = np.max(outputs + (targets <= 0), axis=-1)  # the right score itself is the 0
        return best - np.sum(outputs * (targets > 0), axis=-1)

    def unless_fit(self, targets: Any, what: str) -> None:
        """Refuse numbers other than −1 and 1, and rows without one right class."""
        if targets.shape[-1] > 1:
            if ((targets > 0).sum(axis=-1) != 1).any():
                raise DataError(
                    f"{what} has rows in which not a single column is positive; Hinge needs the one of the right class, or "
                    "labels in one column."
                )
        elif (strange := targets[np.abs(targets) != 1]).size:
            raise DataError(f"{what} has {strange[0]:g}; Hinge needs −1 and 1, or labels.")


@dataclass(frozen=True)
class Poisson(PerOutput):
    """Rate − t ln(rate) with rate = e^output, for counts t: the likelihood of a Poisson law, less a constant.

    Takes logarithms of rates; a network that already ends in `exp` is recognised.
    """

    link: ClassVar[str] = "exp"

    def per_output(self, outputs: Any, targets: Any) -> Any:
        """The loss of every output."""
        return np.exp(outputs) - targets * outputs


@dataclass(frozen=True)
class KLDivergence(Loss):
    """Σ t (ln t − ln p) with p = softmax(scores), for targets that are probabilities (Kullback and Leibler 1951).

    Takes scores; a network that already ends in a softmax is recognised.
    """

    known_as: ClassVar[tuple[str, ...]] = (
        "kl_divergence",
        "kl",
    )
    link: ClassVar[str] = "softmax"

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample."""
        targets = aligned(outputs, targets)
        entropy = targets * np.log(np.where(targets > 0, targets, 1.0))
        return np.sum(entropy - targets * f.log_softmax(outputs, axis=-1), axis=-1)
