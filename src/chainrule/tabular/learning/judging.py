"""What decides which epoch and which recipe is better, where it is a metric that is asked for and not the loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import UnknownNameError
from chainrule.training.metrics import METRICS, Metric

GROUPS = 20
"""Parts of the rows, each of which is left out once to see how sure a difference is."""


@dataclass(frozen=True, eq=False)
class Judge:
    """How bad it is what is said of rows, by a metric: the lower the better.

    Attributes
    ----------
    metric : Metric
    truth : array, (rows,)
        Class numbers, or amounts in the units of the table, of all rows.
    weights : array, (rows,), optional
        How much each row counts.
    restored : callable, optional
        From scaled amounts to amounts; None where classes are predicted.

    Examples
    --------
    >>> from chainrule.training.metrics import METRICS
    >>> judge = Judge(METRICS["accuracy"], np.array([0, 1, 1]))
    >>> judge(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 2]))
    -0.5
    """

    metric: Metric
    truth: NDArray[Any]
    weights: NDArray[Any] | None = None
    restored: Callable[[Any], NDArray[Any]] | None = None

    def __call__(self, said: NDArray[Any], rows: NDArray[np.intp]) -> float:
        """Of what is said of these rows: probabilities of classes, or scaled amounts; infinite where there is no such number."""
        outputs = said if self.restored is None else self.restored(said)
        value = self.metric(self.truth[rows], outputs, None if self.weights is None else self.weights[rows])
        return np.inf if np.isnan(value) else -value if self.metric.greater_is_better else value


def check_choosing(name: str | None) -> None:
    """Raise when a metric is none by which epochs can be chosen."""
    known = {other for metric in METRICS.values() if metric.compares for other in (metric.name, *metric.known_as)}
    if name is not None and name not in known:
        raise UnknownNameError.among("metric to choose by", name, [x.name for x in METRICS.values() if x.compares])


def surely_less(difference: Callable[[NDArray[np.intp]], float], count: int, surely: float) -> bool:
    """Whether a difference between what is said of so many rows is positive by so many standard errors of its own.

    The error is that of the jackknife: as the difference changes where a twentieth of the rows is left out (Efron and Stein 1981).

    Examples
    --------
    >>> better = np.array([1.0, 0.9, 1.1] * 20)
    >>> surely_less(lambda kept: better[kept].mean(), 60, 1.0), surely_less(lambda kept: -better[kept].mean(), 60, 1.0)
    (True, False)
    """
    every = np.arange(count)
    part = np.random.default_rng(0).permutation(count) % min(GROUPS, count)
    without = np.array([difference(every[part != own]) for own in range(part.max() + 1)])
    error = np.sqrt((len(without) - 1) * np.mean(np.square(without - without.mean())))
    whole = difference(every)
    return bool(np.isfinite(error) and whole > surely * error and whole > 0.0)
