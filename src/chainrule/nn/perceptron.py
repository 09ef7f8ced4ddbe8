"""The perceptron: one neuron with a step function, and the rule that trains it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import DataError, NotBuiltError, SettingError, ShapeError
from chainrule.nn.numbers import NUMBERS, as_array, as_plain
from chainrule.notebooks import Text


@dataclass
class Perceptron:
    """A neuron with a step function, a = 1 if Σ wᵢxᵢ + b > 0 else 0, trained by Rosenblatt's rule.

    For every sample in turn: w ← w + η (t − a) x and b ← b + η (t − a). If some line separates the classes, the
    rule finds one after finitely many mistakes; if none does, it errs in every pass for ever.

    Parameters
    ----------
    learning_rate : float
        η. With weights that start at 0 it scales them and changes nothing else.
    weight : array-like of shape (features,), optional
        Where w starts, and what has been learned.
    bias : float
        The same for b.
    threshold : float, optional
        A fixed threshold θ in place of a bias that is learned: a = 1 if Σ wᵢxᵢ > θ. 0 is a neuron without bias.
    fires_at_zero : bool
        Whether the step function gives 1 for z = 0 also.

    Attributes
    ----------
    errors : list of int
        Mistakes in each pass over the samples.
    converged : bool or None
        Whether the last pass had none; `None` before `fit`.
    separable : bool or None
        `True` when a pass had no mistakes; `False` when weights and bias came back to values they had at the end
        of an earlier pass, so that the same mistakes must recur for ever; `None` when neither was seen. With a threshold
        other than 0 a circle proves nothing, since a smaller learning rate may leave it, and it is `None`.

    Examples
    --------
    >>> import chainrule as cr
    >>> X = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> cr.Perceptron().fit(X, [0, 0, 0, 1]).predict(X)
    array([0, 0, 0, 1])
    >>> xor = cr.Perceptron().fit(X, [0, 1, 1, 0])
    >>> xor.converged, xor.separable
    (False, False)

    References
    ----------
    Rosenblatt 1958; Novikoff 1962 (convergence); Minsky and Papert, "Perceptrons", 1969 (cycling, XOR).
    """

    learning_rate: float = 1.0
    weight: Any = None
    bias: float = 0.0
    errors: list[int] = field(default_factory=list)
    converged: bool | None = None
    separable: bool | None = None
    _: KW_ONLY
    threshold: float | None = None
    fires_at_zero: bool = False

    def __post_init__(self) -> None:
        SettingError.unless_number("Perceptron", "learning_rate", self.learning_rate, above=0)
        SettingError.unless_number("Perceptron", "bias", self.bias)
        if self.weight is not None:
            self.weight = as_array(self.weight, np.float64, "weight")
            if self.weight.ndim != 1:
                raise ShapeError(f"Perceptron was given weight of shape {self.weight.shape}; give shape (features,).")
        if self.threshold is not None:
            SettingError.unless_number("Perceptron", "threshold", self.threshold)
            if self.bias not in (0.0, -self.threshold):
                raise SettingError(
                    "Perceptron was given a bias and a threshold, which is a bias of −threshold; give one."
                )
            self.bias = 0.0 - self.threshold

    def fit(self, X: Any, y: Any, epochs: int = 100) -> Perceptron:
        """Learn from samples X, shape (samples, features), and targets y of two kinds of label, 0 and 1 or False and True.

        Starts from the weights it has, zeros at first, and stops after a pass without mistakes, when it is seen to
        go round in circles, or after `epochs` passes.
        """
        samples, targets = as_plain(X, "X"), as_plain(y, "y")
        if targets.ndim == 2 and targets.shape[1] == 1:
            targets = targets[:, 0]
        if samples.ndim != 2 or targets.shape != (len(samples),) or not len(samples):
            raise ShapeError(
                f"Perceptron needs X of shape (samples, features) and one target for each sample; "
                f"it was given X {samples.shape} and y {targets.shape}."
            )
        samples = as_array(samples, np.float64, "X")
        if targets.dtype.kind not in NUMBERS or not np.isin(targets, (0, 1)).all():
            raise DataError(
                f"Perceptron needs targets 0 and 1, or False and True, and was given {targets[:5].tolist()}; number the two "
                "kinds, for instance (y == 'spam').astype(int)."
            )
        SettingError.unless_count("Perceptron", "epochs", epochs)
        if self.weight is None:
            self.weight = np.zeros(samples.shape[1])
        self._check_width(samples)
        self.errors, self.converged, self.separable = [], False, None
        seen = {(self.weight.tobytes(), self.bias)}
        for _ in range(epochs):
            self.errors.append(self._one_pass(samples, targets.astype(np.float64)))
            if self.errors[-1] == 0:
                self.converged = self.separable = True
                break
            state = (self.weight.tobytes(), self.bias)
            if state in seen:
                self.separable = None if self.threshold else False
                break
            seen.add(state)
        return self

    def _one_pass(self, samples: Any, targets: Any) -> int:
        mistakes = 0
        for x, target in zip(samples, targets, strict=True):
            error = target - float(self._fires(self.weight @ x + self.bias))
            if error:
                mistakes += 1
                self.weight = self.weight + self.learning_rate * error * x
                if self.threshold is None:
                    self.bias = float(self.bias + self.learning_rate * error)
        return mistakes

    def _fires(self, z: Any) -> Any:
        """The step function."""
        return z >= 0 if self.fires_at_zero else z > 0

    def linear(self, X: Any) -> Any:
        """The linear activation z = X · w + b, shape (samples,)."""
        if self.weight is None:
            raise NotBuiltError("this Perceptron has no weights yet; call fit(X, y) first.")
        samples = as_array(X, np.float64, "X")
        self._check_width(samples)
        return samples @ self.weight + self.bias

    def _check_width(self, samples: Any) -> None:
        if samples.ndim != 2 or samples.shape[1] != len(self.weight):
            raise ShapeError(
                f"this Perceptron has weights for {len(self.weight)} features and was given X {samples.shape}; "
                "give X of shape (samples, features)."
            )

    def predict(self, X: Any) -> Any:
        """1 where z > 0 (or z ≥ 0, with `fires_at_zero`), 0 elsewhere, shape (samples,)."""
        return self._fires(self.linear(X)).astype(int)

    def summary(self) -> Text:
        """What happened, in words."""
        return Text(self._told())

    def _told(self) -> str:
        if self.converged is None:
            return "Perceptron, not trained yet."
        passes = f"{len(self.errors)} {'pass' if len(self.errors) == 1 else 'passes'}"
        if self.converged:
            return f"Learned in {passes}: the line w·x + b = 0 separates the classes."
        if self.separable is False:
            line = "No line" if self.threshold is None else "No line through the origin"
            return (
                f"Goes round in circles after {passes}: the weights came back to earlier values, so its mistakes "
                f"recur for ever. {line} separates the classes."
            )
        return f"Still made {self.errors[-1]} mistakes in the last of {passes}; more passes may or may not help."
