"""scikit-learn's losses: their gradients, and their values as `loss_curve_` has them, which are not always the integral.

`plain` is the loss of the same gradient as it would be written: the one to be explained.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from chainrule.tracing.functions import stop_gradient
from chainrule.training import Loss
from chainrule.training.losses import BinaryCrossEntropy, CrossEntropy, L2Norm, Poisson


def shown_as(value: Any, shown: Any) -> Any:
    """A number with the derivative of `value` that reads as `shown`."""
    return value + stop_gradient(shown - value)


def _bounded(value: Any) -> Any:
    """Cross-entropies of probabilities that are kept ε away from 0, as they are reported."""
    return shown_as(value, np.minimum(value, -math.log(np.finfo(value.dtype).eps)))


@dataclass(frozen=True)
class LogLoss(CrossEntropy):
    """−ln p of the right class among several, shown at most as −ln ε."""

    plain: ClassVar[Loss] = CrossEntropy()

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample."""
        return _bounded(CrossEntropy.__call__(self, outputs, targets))


@dataclass(frozen=True)
class BinaryLogLoss(BinaryCrossEntropy):
    """−t ln p − (1 − t) ln(1 − p) of every output, each shown at most as −ln ε; for two classes and several labels."""

    over: Literal["mean", "sum"] = "sum"
    plain: ClassVar[Loss] = BinaryCrossEntropy(over="sum")

    def per_output(self, outputs: Any, targets: Any) -> Any:
        """The loss of every output."""
        return _bounded(BinaryCrossEntropy.per_output(self, outputs, targets))


@dataclass(frozen=True)
class HalfSquaredError(Loss):
    """½ Σ (a − y)² over the outputs, shown as their mean."""

    plain: ClassVar[Loss] = L2Norm()

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample."""
        total = 0.5 * np.sum(np.square(outputs - targets), axis=-1)
        width = outputs.shape[-1]
        return total if width == 1 else shown_as(total, total / width)


@dataclass(frozen=True)
class HalfPoissonDeviance(Loss):
    """Σ t ln(t / rate) − t + rate over the outputs, with rate = e^output (half the deviance of Poisson's law)."""

    link: ClassVar[str] = "exp"
    plain: ClassVar[Loss] = Poisson(over="sum")

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The loss of every sample."""
        entropy = targets * np.log(np.where(targets > 0, targets, 1.0))
        return np.sum(entropy - targets * outputs - targets + np.exp(outputs), axis=-1)
