"""What predictions are worth: every metric a function of the truth, what was predicted, and weights of rows.

Truth is class numbers (rows,) beside probabilities (rows, classes), or amounts beside amounts, (rows,) both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import UnknownNameError

Task = Literal["classification", "regression"]
Array = NDArray[Any]


@dataclass(frozen=True)
class Metric:
    """A number that says how good predictions are.

    Attributes
    ----------
    name : str
        How it is called in settings.
    title : str
        How it is written.
    task : {"classification", "regression"}
        What it is for.
    of : callable
        (truth, outputs, weights) → float; NaN where there is no such number.
    greater_is_better : bool
        Whether more is better.
    primary : bool
        Whether it is the first that a reader looks at.
    known_as : tuple of str
        Further names, such as scikit-learn's.
    compares : bool
        Whether of two models the one that has less of it, or more, is better.
    """

    name: str
    title: str
    task: Task
    of: Callable[[Array, Array, Array], float]
    greater_is_better: bool = False
    primary: bool = False
    known_as: tuple[str, ...] = ()
    compares: bool = True

    def __call__(self, truth: Any, outputs: Any, weights: Any = None) -> float:
        """The metric of predictions, every row counted once where no weights are given."""
        truth, outputs = np.asarray(truth), np.asarray(outputs)
        return self.of(truth, outputs, np.ones(len(truth)) if weights is None else np.asarray(weights, np.float64))


def predicted(probabilities: Array) -> NDArray[np.intp]:
    """The likeliest class of every row, of equally likely ones the first."""
    found: NDArray[np.intp] = np.argmax(probabilities, axis=1)
    return found


def confusion(truth: Array, found: Array, classes: int, weights: Array) -> NDArray[np.float64]:
    """The weight of the rows of every true class (down) that were taken for every class (across)."""
    places = np.asarray(truth, np.intp) * classes + np.asarray(found, np.intp)
    counts: NDArray[np.float64] = np.bincount(places, weights, classes * classes).astype(np.float64)
    return counts.reshape(classes, classes)


def share(part: Any, whole: Any) -> Any:
    """part/whole, and NaN where the whole is 0."""
    whole = np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole != 0)


def _matrix(truth: Array, probabilities: Array, weights: Array) -> NDArray[np.float64]:
    return confusion(truth, predicted(probabilities), probabilities.shape[1], weights)


def _accuracy(truth: Array, probabilities: Array, weights: Array) -> float:
    return _mean(predicted(probabilities) == truth, weights)


def _balanced_accuracy(truth: Array, probabilities: Array, weights: Array) -> float:
    matrix = _matrix(truth, probabilities, weights)
    recalls = share(np.diag(matrix), matrix.sum(axis=1))
    return _mean_of_known(recalls)


def _macro_f1(truth: Array, probabilities: Array, weights: Array) -> float:
    matrix = _matrix(truth, probabilities, weights)
    return _mean_of_known(share(2.0 * np.diag(matrix), matrix.sum(axis=0) + matrix.sum(axis=1)))


def _log_loss(truth: Array, probabilities: Array, weights: Array) -> float:
    least = np.finfo(probabilities.dtype).eps if probabilities.dtype.kind == "f" else np.finfo(np.float64).eps
    chosen = np.take_along_axis(probabilities, np.asarray(truth, np.intp)[:, None], axis=1)[:, 0]
    return _mean(-np.log(np.clip(chosen.astype(np.float64), least, 1.0)), weights)


def _brier(truth: Array, probabilities: Array, weights: Array) -> float:
    distances = np.asarray(probabilities, np.float64).copy()
    distances[np.arange(len(truth)), np.asarray(truth, np.intp)] -= 1.0
    return _mean(np.sum(distances**2, axis=1), weights) / (2.0 if distances.shape[1] == 2 else 1.0)


def _auc(truth: Array, probabilities: Array, weights: Array) -> float:
    classes = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    return _mean_of_known([area(truth == k, probabilities[:, k], weights) for k in classes])


def area(positive: Array, scores: Array, weights: Array) -> float:
    """How often a positive row has the higher score than a negative one, ties counted half: the area under the ROC curve.

    Computed from ranks (Mann and Whitney 1947); NaN where all rows are of one kind.
    """
    _, place = np.unique(scores, return_inverse=True)
    with_score = np.bincount(place, weights * positive), np.bincount(place, weights * ~np.asarray(positive, bool))
    own, others = with_score
    below = np.cumsum(others) - others
    return float(share(np.sum(own * (below + 0.5 * others)), own.sum() * others.sum()))


def _mean(values: Any, weights: Array) -> float:
    return float(share(np.sum(weights * values), np.sum(weights)))


def _mean_of_known(values: Any) -> float:
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else float("nan")


def _errors(truth: Array, amounts: Array) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.asarray(amounts, np.float64) - np.asarray(truth, np.float64)
    return found


def weighted_quantiles(values: Array, weights: Array, shares: Any) -> NDArray[np.float64]:
    """The quantiles of weighted rows: linear between the middles of their weights; NumPy's where all weights are equal."""
    values, weights = np.asarray(values, np.float64)[weights > 0], weights[weights > 0]
    if not len(values):
        return np.full(np.shape(shares), np.nan)
    if (weights == weights[0]).all():  # numbers alone are sorted in a twentieth of the time
        values = np.sort(values)
    else:
        order = np.argsort(values, kind="stable")
        values, weights = values[order], weights[order]
    middles = np.cumsum(weights) - 0.5 * weights
    first, last = middles[0], middles[-1]
    found: NDArray[np.float64] = np.interp(first + np.asarray(shares) * (last - first), middles, values)
    return found


def _r2(truth: Array, amounts: Array, weights: Array) -> float:
    truth = np.asarray(truth, np.float64)
    centred = truth - _mean(truth, weights)
    with np.errstate(over="ignore"):
        left, whole = np.sum(weights * _errors(truth, amounts) ** 2), np.sum(weights * centred**2)
    return float(1.0 - share(left, whole))


def _rmse(truth: Array, amounts: Array, weights: Array) -> float:
    with np.errstate(over="ignore"):
        return float(np.sqrt(_mean(_errors(truth, amounts) ** 2, weights)))


accuracy = Metric("accuracy", "accuracy", "classification", _accuracy, True, True)
balanced_accuracy = Metric("balanced_accuracy", "balanced accuracy", "classification", _balanced_accuracy, True)
auc = Metric("auc", "AUC", "classification", _auc, True, known_as=("roc_auc", "roc_auc_ovr"))
macro_f1 = Metric("f1", "F1, mean over classes", "classification", _macro_f1, True, known_as=("f1_macro",))
log_loss = Metric("log_loss", "log-loss", "classification", _log_loss, known_as=("neg_log_loss",))
brier = Metric("brier", "Brier score", "classification", _brier, known_as=("neg_brier_score",))

r2 = Metric("r2", "R²", "regression", _r2, True, True)
mae = Metric(
    "mae",
    "MAE",
    "regression",
    lambda t, y, w: _mean(np.abs(_errors(t, y)), w),
    known_as=("neg_mean_absolute_error", "mean_absolute_error"),
)
rmse = Metric("rmse", "RMSE", "regression", _rmse, known_as=("neg_root_mean_squared_error", "neg_mean_squared_error"))
median_error = Metric(
    "median_absolute_error",
    "median absolute error",
    "regression",
    lambda t, y, w: float(weighted_quantiles(np.abs(_errors(t, y)), w, 0.5)),
    known_as=("neg_median_absolute_error",),
)
mean_error = Metric("mean_error", "mean error", "regression", lambda t, y, w: _mean(_errors(t, y), w), compares=False)

_FOR_CLASSES = (accuracy, balanced_accuracy, auc, macro_f1, log_loss, brier)
_FOR_AMOUNTS = (r2, mae, rmse, median_error, mean_error)

METRICS: Mapping[str, Metric] = {one.name: one for one in (*_FOR_CLASSES, *_FOR_AMOUNTS)}
"""All metrics, by name."""


def metrics_for(task: Task) -> dict[str, Metric]:
    """The metrics of a task, the primary one first."""
    return {name: one for name, one in METRICS.items() if one.task == task}


def metric_for(task: Task, name: str | None = None) -> Metric:
    """A metric of a task by name, its own or scikit-learn's; without one, its primary metric."""
    known = metrics_for(task)
    name = next((one.name for one in known.values() if name in one.known_as), name)
    if name is None:
        return next(one for one in known.values() if one.primary)
    if name not in known:
        raise UnknownNameError.among(f"metric of {task}", name, known)
    return known[name]
