"""Losses: frozen dataclasses that turn outputs and targets into one number for every sample.

A loss knows what a network's outputs mean. Its `link` is the activation that turns outputs into predictions:
cross-entropy takes scores and its link is softmax, so that `log(softmax(...))` is computed stably in one piece.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from chainrule.errors import SettingError, UnknownNameError
from chainrule.tracing import functions as f


@dataclass(frozen=True)
class Loss:
    """A loss of your own: a frozen dataclass with `__call__(outputs, targets)`, or a plain function of these two.

    Outputs and targets have shape (batch, outputs); the result has shape (batch,), or is one number for the
    whole batch. `link` names the activation from outputs to predictions, `task` what is predicted.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> def fourth_power(outputs, targets):
    ...     return np.mean((outputs - targets) ** 4, axis=-1)
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> history = cr.Network([cr.Dense(1)]).fit(X, 2 * X, loss=fourth_power, epochs=5, progress=False)
    >>> history["loss"][-1] < history["loss"][0]
    True
    """

    link: ClassVar[str] = "identity"
    task: ClassVar[Literal["regression", "classification"]] = "regression"
    one_column: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample."""
        raise SettingError(f"{type(self).__name__} has no __call__(outputs, targets); write one.")

    def encode(self, class_indices: Any, classes: int, width: int) -> Any:
        """Targets for labels given as class_indices 0 … classes − 1: one column of two values, or one-hot rows."""
        if width == 1:
            return np.where(class_indices[:, None] > 0, self.one_column[1], self.one_column[0])
        return np.eye(classes)[class_indices]


@dataclass(frozen=True)
class PerOutput(Loss):
    """A loss of every output by itself; the mean, or with `over="sum"` the sum, over a sample's outputs is its loss."""

    _: KW_ONLY
    over: Literal["mean", "sum"] = "mean"

    def __post_init__(self) -> None:
        if self.over not in ("mean", "sum"):
            raise SettingError(f"{type(self).__name__} was given over={self.over!r}; use 'mean' or 'sum'.")

    def per_output(self, outputs: Any, targets: Any) -> Any:
        """The loss of every output."""
        raise SettingError(f"{type(self).__name__} has no per_output(outputs, targets); write one.")

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample."""
        values = self.per_output(outputs, targets)
        return np.mean(values, axis=-1) if self.over == "mean" else np.sum(values, axis=-1)


@dataclass(frozen=True)
class SquaredError(PerOutput):
    """(a − y)² of every output.

    Parameters
    ----------
    over : {"mean", "sum"}
        What is done over a sample's outputs.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.SquaredError()(np.array([[1.0, 3.0]]), np.array([[0.0, 1.0]]))
    array([2.5])
    """

    def per_output(self, outputs: Any, targets: Any) -> Any:
        """The loss of every output."""
        return np.square(outputs - targets)


@dataclass(frozen=True)
class L2Norm(Loss):
    """½ Σᵢ (yᵢ − tᵢ)² over the outputs, whose derivative is y − t."""

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample."""
        return 0.5 * np.sum(np.square(outputs - targets), axis=-1)


@dataclass(frozen=True)
class AbsoluteError(PerOutput):
    """|a − y|; its derivative where a = y is taken as 0."""

    def per_output(self, outputs: Any, targets: Any) -> Any:
        """The loss of every output."""
        return np.abs(outputs - targets)


@dataclass(frozen=True)
class Huber(PerOutput):
    """½d² where |d| ≤ delta, delta·(|d| − ½delta) beyond: squared near the target, absolute far from it (Huber 1964)."""

    delta: float = 1.0

    def __post_init__(self) -> None:
        PerOutput.__post_init__(self)
        if not self.delta > 0:
            raise SettingError(f"Huber was given delta={self.delta}; it must be positive.")

    def per_output(self, outputs: Any, targets: Any) -> Any:
        """The loss of every output."""
        distance = np.abs(outputs - targets)
        near = np.minimum(distance, self.delta)
        return near * (distance - 0.5 * near)


@dataclass(frozen=True)
class LogCosh(PerOutput):
    """ln cosh(a − y): like ½d² near the target and |d| − ln 2 far from it."""

    def per_output(self, outputs: Any, targets: Any) -> Any:
        """The loss of every output."""
        distance = outputs - targets
        return distance + f.softplus(-2.0 * distance) - math.log(2.0)


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

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.CrossEntropy()(np.array([[0.0, 0.0]]), np.array([1])).round(4)
    array([0.6931])
    """

    link: ClassVar[str] = "softmax"
    task: ClassVar[Literal["regression", "classification"]] = "classification"

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample: ln Σ eᶻ − Σ t·z."""
        if len(targets.shape) < len(outputs.shape):
            chosen = np.where(targets[..., None] == np.arange(outputs.shape[-1]), outputs, 0.0)
        else:
            chosen = targets * outputs
        return f.logsumexp(outputs, axis=-1) - np.sum(chosen, axis=-1)

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
        if outputs.shape[-1] == 1:
            return np.maximum(1.0 - targets * outputs, 0.0)[..., 0]
        right = np.sum(np.where(targets > 0, outputs, 0.0), axis=-1)
        wrong = np.max(np.where(targets > 0, -np.inf, outputs), axis=-1)
        return np.maximum(1.0 + wrong - right, 0.0)


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

    link: ClassVar[str] = "softmax"

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample."""
        entropy = targets * np.log(np.where(targets > 0, targets, 1.0))
        return np.sum(entropy - targets * f.log_softmax(outputs, axis=-1), axis=-1)


LOSSES: dict[str, Loss] = {
    "squared_error": SquaredError(),
    "l2_norm": L2Norm(),
    "absolute_error": AbsoluteError(),
    "huber": Huber(),
    "log_cosh": LogCosh(),
    "binary_cross_entropy": BinaryCrossEntropy(),
    "cross_entropy": CrossEntropy(),
    "hinge": Hinge(),
    "poisson": Poisson(),
    "kl_divergence": KLDivergence(),
}
"""Losses by name."""

_ALIASES = {"mse": "squared_error", "mae": "absolute_error", "log_loss": "cross_entropy", "kl": "kl_divergence"}


@dataclass(frozen=True)
class FunctionLoss(Loss):
    """A plain function of outputs and targets, as a loss."""

    function: Callable[[Any, Any], Any]

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """What the function gives."""
        return self.function(outputs, targets)


def as_loss(given: Any) -> Loss:
    """A loss from its name, itself, or a plain function of outputs and targets."""
    if isinstance(given, str):
        name = _ALIASES.get(given, given)
        if name not in LOSSES:
            raise UnknownNameError.among("loss", given, LOSSES)
        return LOSSES[name]
    if isinstance(given, Loss):
        return given
    if isinstance(given, type) and issubclass(given, Loss):
        return given()
    if callable(given):
        return FunctionLoss(given)
    raise SettingError(
        f"{given!r} is no loss; give a name, a loss such as cr.Huber(), or a function of outputs and targets."
    )
