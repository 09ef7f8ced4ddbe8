"""The perceptron: one neuron with a step function, and the rule that trains it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import DataError, NotBuiltError, SettingError, ShapeError


@dataclass
class Perceptron:
    """A neuron with a step function, a = 1 if Σ wᵢxᵢ + b > 0 else 0, trained by Rosenblatt's rule.

    For every sample in turn: w ← w + η (t − a) x and b ← b + η (t − a). If some line separates the classes, the
    rule finds one after finitely many mistakes; if none does, it errs in every pass for ever.

    Parameters
    ----------
    learning_rate : float
        η. With weights that start at 0 it scales them and changes nothing else.

    Attributes
    ----------
    weight : array of shape (features,)
    bias : float
    errors : list of int
        Mistakes in each pass over the samples.
    converged : bool or None
        Whether the last pass had none; `None` before `fit`.
    separable : bool or None
        `True` when a pass had no mistakes; `False` when weights and bias came back to values they had at the end
        of an earlier pass, so that the same mistakes must recur for ever; `None` when neither was seen.

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

    def __post_init__(self) -> None:
        SettingError.unless_number("Perceptron", "learning_rate", self.learning_rate, above=0)

    def fit(self, X: Any, y: Any, epochs: int = 100) -> Perceptron:
        """Learn from samples X, shape (samples, features), and targets y of two kinds of label, 0 and 1 or False and True.

        Starts from the weights it has, zeros at first, and stops after a pass without mistakes, when it is seen to
        go round in circles, or after `epochs` passes.
        """
        samples, targets = np.asarray(X, np.float64), np.asarray(y)
        if samples.ndim != 2 or len(samples) != len(targets) or not len(samples):
            raise ShapeError(
                f"Perceptron needs X of shape (samples, features) and one target for each sample; "
                f"it was given X {samples.shape} and y {targets.shape}."
            )
        if not np.isin(targets, (0, 1)).all():
            raise DataError(f"Perceptron needs targets 0 and 1 and was given {np.unique(targets)[:5].tolist()}.")
        if not np.isfinite(samples).all():
            raise DataError("Perceptron was given NaN or infinite numbers in X; remove those rows or fill them in.")
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
                self.separable = False
                break
            seen.add(state)
        return self

    def _one_pass(self, samples: Any, targets: Any) -> int:
        mistakes = 0
        for x, target in zip(samples, targets, strict=True):
            error = target - float(self.weight @ x + self.bias > 0)
            if error:
                mistakes += 1
                self.weight = self.weight + self.learning_rate * error * x
                self.bias = float(self.bias + self.learning_rate * error)
        return mistakes

    def linear(self, X: Any) -> Any:
        """The linear activation z = X · w + b, shape (samples,)."""
        if self.weight is None:
            raise NotBuiltError("this Perceptron has no weights yet; call fit(X, y) first.")
        samples = np.asarray(X, np.float64)
        self._check_width(samples)
        return samples @ self.weight + self.bias

    def _check_width(self, samples: Any) -> None:
        if samples.ndim != 2 or samples.shape[1] != len(self.weight):
            raise ShapeError(
                f"this Perceptron has weights for {len(self.weight)} features and was given X {samples.shape}; "
                "give X of shape (samples, features)."
            )

    def predict(self, X: Any) -> Any:
        """1 where z > 0, 0 elsewhere, shape (samples,)."""
        return (self.linear(X) > 0).astype(int)

    def summary(self) -> str:
        """What happened, in words."""
        if self.converged is None:
            return "Perceptron, not trained yet."
        passes = f"{len(self.errors)} {'pass' if len(self.errors) == 1 else 'passes'}"
        if self.converged:
            return f"Learned in {passes}: the line w·x + b = 0 separates the classes."
        if self.separable is False:
            return (
                f"Goes round in circles after {passes}: the weights came back to earlier values, so its mistakes "
                "recur for ever. No line separates the classes."
            )
        return f"Still made {self.errors[-1]} mistakes in the last of {passes}; more passes may or may not help."
