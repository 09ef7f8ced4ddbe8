"""What a loss is: a frozen dataclass that turns outputs and targets into one number for every sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from chainrule.errors import DataError, SettingError, ShapeError
from chainrule.tracing.apply import plain_numbers


@dataclass(frozen=True)
class Loss:
    """A loss of your own: a frozen dataclass with `__call__(outputs, targets)`, or a plain function of these two.

    Outputs and targets have shape (batch, outputs); the result has shape (batch,), or is one number for the
    whole batch. `link` names the activation from outputs to predictions, `task` what is predicted.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        What is done over the samples of a batch to get the number that training lowers, and over all of them in
        `evaluate`. With "sum" a history has the mean of its batches' sums, each counted by its rows.

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

    _: KW_ONLY
    reduction: Literal["mean", "sum"] = "mean"

    def __post_init__(self) -> None:
        for name in ("reduction", "over"):
            SettingError.unless_one_of(type(self).__name__, name, getattr(self, name, "mean"), ("mean", "sum"))

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample."""
        raise SettingError(f"{type(self).__name__} has no __call__(outputs, targets); write one.")

    def unless_fit(self, targets: Any, what: str) -> None:
        """Refuse values that are no targets for it, an array of shape (batch, outputs); `what` they are called.

        Raises
        ------
        DataError
            When it says what they must be.
        """
        name, probabilities = type(self).__name__, self.link == "softmax" or self.task == "classification"
        if probabilities and self.link != "identity" and ((targets < 0) | (targets > 1)).any():
            raise DataError(f"{what} has values outside 0 … 1; {name} needs probabilities, or labels in one column.")
        if self.link == "softmax" and (abs(targets.sum(axis=1) - 1) > 1e-3).any():
            raise DataError(
                f"{what} has rows that do not sum to 1, and {name} needs probabilities. "
                "For several labels at once use loss='binary_cross_entropy'."
            )
        if self.link == "exp" and (targets < 0).any():
            raise DataError(f"{what} has negative values, and {name} needs counts or rates.")

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

    def per_output(self, outputs: Any, targets: Any) -> Any:
        """The loss of every output."""
        raise SettingError(f"{type(self).__name__} has no per_output(outputs, targets); write one.")

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample."""
        values = self.per_output(outputs, aligned(outputs, targets))
        return np.mean(values, axis=-1) if self.over == "mean" else np.sum(values, axis=-1)


@dataclass(frozen=True)
class FunctionLoss(Loss):
    """A plain function of outputs and targets, as a loss."""

    function: Callable[[Any, Any], Any]

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """What the function gives."""
        return self.function(outputs, targets)


def class_numbers(outputs: Any, targets: Any) -> Any:
    """Class numbers, one for every row of the outputs.

    Raises
    ------
    ShapeError, DataError
        For others than so many, and for numbers that are no classes.
    """
    rows, classes = tuple(np.shape(outputs)[:-1]), np.shape(outputs)[-1]
    if tuple(np.shape(targets)) != rows:
        raise ShapeError(
            f"a loss was given outputs of shape {np.shape(outputs)} and class numbers of shape {np.shape(targets)}; give {rows}."
        )
    known = plain_numbers(targets)
    strange = known[(known < 0) | (known >= classes) | (known % 1 != 0)]
    if strange.size:
        raise DataError(f"a loss was given the class number {strange[0]}; give whole numbers from 0 to {classes - 1}.")
    return np.asarray(targets) if known.size else targets


def aligned(outputs: Any, targets: Any) -> Any:
    """Targets of the outputs' shape: (batch,) becomes (batch, 1) beside one output; what would be broadcast is refused."""
    ours, given = tuple(np.shape(outputs)), tuple(np.shape(targets))
    if ours == given or given == ():
        return targets
    if (*given, 1) == ours:
        return np.reshape(targets, ours)
    raise ShapeError(
        f"a loss was given outputs of shape {ours} and targets of shape {given}; every output needs its own target: give "
        f"targets of shape {ours}."
    )
