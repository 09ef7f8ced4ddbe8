"""`Scores`: how good predictions are, in every metric of their task, beside simpler models on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError, SettingError, UnknownNameError
from chainrule.explanation.rendering.json_form import VERSION, exact, written
from chainrule.explanation.rendering.numerals import how_many, readable
from chainrule.explanation.rendering.tables import Table
from chainrule.explanation.rendering.written import Written
from chainrule.tabular.amounts import amount
from chainrule.tabular.scoring.reliability import Calibration, Cut, best_cut, calibration, cut_at
from chainrule.training.metrics import (
    Array,
    Metric,
    Task,
    confusion,
    metric_for,
    metrics_for,
    predicted,
    share,
    weighted_quantiles,
)

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
DIGITS = 4
CLASSES = 12
"""So many classes are written in a confusion matrix."""


@dataclass(frozen=True, repr=False, eq=False)
class Scores(Written):
    """How good predictions are. Printed as tables, shown in notebooks; `to("json")` has every number.

    Attributes
    ----------
    truth : array of shape (rows,)
        Class numbers, or amounts.
    outputs : array
        Probabilities of shape (rows, classes), or amounts of shape (rows,).
    classes : tuple
        The labels in their order; none for amounts.
    weights : array of shape (rows,)
        How much each row counts.
    folds : int array of shape (rows,), optional
        The fold in which each row was predicted; then metrics have a spread over the folds.
    beside : mapping
        What simpler models say of the same rows, by their names.
    target, of : str
        What is predicted, and which rows these are, such as "rows held out".

    Raises
    ------
    DataError
        When lengths differ, there are no rows, or outputs are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.tabular.scoring.scores import Scores
    >>> scores = Scores(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), ("no", "yes"))
    >>> round(scores["accuracy"], 3), scores["auc"], scores.confusion.tolist()
    (0.667, 1.0, [[1.0, 0.0], [1.0, 1.0]])
    """

    truth: Array
    outputs: Array
    classes: tuple[Any, ...] = ()
    weights: Array | None = None
    folds: Array | None = None
    beside: Mapping[str, Array] = field(default_factory=dict)
    target: str = ""
    of: str = ""

    def __post_init__(self) -> None:
        checked = {"truth": np.asarray(self.truth), "outputs": np.asarray(self.outputs)}
        for name, array in checked.items():
            object.__setattr__(self, name, array)
        rows = len(self.truth)
        if not rows:
            raise DataError("scores were asked for of no rows; give at least one.")
        whole = (rows, len(self.classes)) if self.classes else (rows,)
        for name, outputs in {"the model": self.outputs, **self.beside}.items():
            if np.shape(outputs) != whole:
                raise DataError(
                    f"the outputs of {name} have shape {np.shape(outputs)} for a truth of {rows} rows; "
                    f"give {'probabilities' if self.classes else 'amounts'} of shape {whole}."
                )
            if not np.all(np.isfinite(outputs)):
                raise DataError(f"the outputs of {name} are not all finite; scores need finite numbers.")
        for name, one in {"weights": self.weights, "folds": self.folds}.items():
            if one is not None and np.shape(one) != (rows,):
                raise DataError(f"{name} have shape {np.shape(one)} for {rows} rows; give one for each.")

    # --- numbers

    @property
    def task(self) -> Task:
        """Whether classes or amounts are predicted."""
        return "classification" if self.classes else "regression"

    @property
    def known(self) -> Mapping[str, Metric]:
        """The metrics of this task, by name."""
        return metrics_for(self.task)

    @cached_property
    def counted(self) -> Array:
        """The weight of every row."""
        return np.ones(len(self.truth)) if self.weights is None else np.asarray(self.weights, np.float64)

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Every metric of the task."""
        return {name: metric(self.truth, self.outputs, self.counted) for name, metric in self.known.items()}

    def __getitem__(self, name: str) -> float:
        if name not in self.metrics:
            raise UnknownNameError.among("metric", name, self.metrics)
        return self.metrics[name]

    @cached_property
    def standard_error(self) -> float | None:
        """Of the accuracy: √(p·(1 − p)/(n + 3)), p = (right + 1)/(n + 2), n the rows, or for weighted ones (Σw)²/Σw².

        This is how uncertain the share of right answers is to who knew nothing of it before (Laplace 1774): of two rows that
        are both right it is 0.19, and never 0.
        """
        if not self.classes:
            return None
        n = self.counted.sum() ** 2 / np.sum(self.counted**2)
        p = (self["accuracy"] * n + 1.0) / (n + 2.0)
        return float(np.sqrt(p * (1.0 - p) / (n + 3.0)))

    @cached_property
    def by_fold(self) -> dict[str, list[float]]:
        """Every metric in each fold, where there are folds."""
        if self.folds is None:
            return {}
        parts = [self.folds == fold for fold in np.unique(self.folds)]
        return {
            name: [metric(self.truth[x], self.outputs[x], self.counted[x]) for x in parts]
            for name, metric in self.known.items()
        }

    @cached_property
    def spread(self) -> dict[str, tuple[float, float]]:
        """Mean and deviation of every metric over the folds that have it."""
        found = {}
        several = self.folds is not None and (self.folds != self.folds[0]).any()
        for name, values in self.by_fold.items() if several else ():
            known = [x for x in values if not np.isnan(x)]
            if len(known) > 1:
                found[name] = (float(np.mean(known)), float(np.std(known, ddof=1)))
        return found

    @cached_property
    def others(self) -> dict[str, dict[str, float]]:
        """The metrics of simpler models on the same rows."""
        return {
            name: {key: metric(self.truth, outputs, self.counted) for key, metric in self.known.items()}
            for name, outputs in self.beside.items()
        }

    def metric(self, name: str | None = None) -> float:
        """A metric by name; without one the accuracy, or R²."""
        return self.metrics[metric_for(self.task, name).name]

    # --- classes

    @cached_property
    def confusion(self) -> NDArray[np.float64]:
        """The weight of the rows of every true class (down) that were taken for every class (across)."""
        self._need_classes("the confusion matrix")
        return confusion(self.truth, predicted(self.outputs), len(self.classes), self.counted)

    @cached_property
    def calibration(self) -> Calibration:
        """How far the probabilities are met."""
        self._need_classes("calibration")
        return calibration(self.truth, self.outputs, self.counted, self.classes)

    def at_threshold(self, threshold: float) -> Cut:
        """What comes of calling a row the second class where its probability is at least `threshold`.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule.tabular.scoring.scores import Scores
        >>> scores = Scores(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), ("no", "yes"))
        >>> scores.at_threshold(0.3).recall
        1.0
        """
        SettingError.unless_number("at_threshold", "threshold", threshold, at_least=0.0, at_most=1.0)
        return cut_at(threshold, *self._two())

    def best_threshold(self, by: str = "f1") -> Cut:
        """The threshold with the greatest "f1" or "accuracy" on these rows; of equal ones that nearest to 0.5."""
        SettingError.unless_one_of("best_threshold", "by", by, ("f1", "accuracy"))
        return best_cut(by, *self._two())

    def _two(self) -> tuple[Array, Array, Array]:
        if len(self.classes) != 2:
            raise SettingError(
                f"a threshold cuts between two classes, and here there are {len(self.classes) or 'none'}; "
                "use predict, which takes the likeliest class."
            )
        return self.truth == 1, self.outputs[:, 1], self.counted

    def _need_classes(self, what: str) -> None:
        if not self.classes:
            raise SettingError(f"{what} was asked for, but amounts are predicted here; read `error_quantiles` instead.")

    # --- amounts

    @cached_property
    def error_quantiles(self) -> dict[float, float]:
        """Quantiles of prediction − truth, by their shares of the rows."""
        if self.classes:
            raise SettingError(
                "quantiles of errors were asked for, but classes are predicted here; read `confusion` instead."
            )
        errors = np.asarray(self.outputs, np.float64) - np.asarray(self.truth, np.float64)
        return dict(zip(QUANTILES, weighted_quantiles(errors, self.counted, QUANTILES).tolist(), strict=True))

    # --- in writing

    def with_beside(self, beside: Mapping[str, Array]) -> Scores:
        """The same beside these simpler models."""
        return replace(self, beside={**self.beside, **beside})

    def tables(self) -> tuple[Table, ...]:
        """All that is shown, as tables."""
        notes = ["± of the accuracy: its standard error"] * bool(self.classes)
        notes += ["over folds: the mean of the folds ± their standard deviation"] * bool(self.spread)
        lines = tuple(map(self._line, self.known.values()))
        first = Table(self._title(), ("metric", *self._heads()), lines, "; ".join(notes))
        if not self.classes:
            return first, self._quantile_table()
        return (first, self.confusion_table(), *([self._threshold_table()] if len(self.classes) == 2 else []))

    def _title(self) -> str:
        what = f"{len(self.classes)} classes" if self.classes else "regression"
        return f"{self.target or 'Scores'}: {what}, {len(self.truth):,} {self.of or 'rows'}"

    def _heads(self) -> list[str]:
        return ["the model", *(["± over folds"] if self.spread else []), *self.beside]

    def _line(self, metric: Metric) -> tuple[str, ...]:
        own = amount(_known(self.metrics[metric.name]), DIGITS)
        if metric.name == "accuracy":
            own += f" ± {readable(self.standard_error, 2)}"
        spread = self.spread.get(metric.name)
        folds = ["—" if spread is None else f"{amount(spread[0], DIGITS)} ± {amount(spread[1], 2)}"]
        others = [amount(_known(found[metric.name]), DIGITS) for found in self.others.values()]
        return (metric.title, own, *(folds if self.spread else []), *others)

    def confusion_table(self) -> Table:
        """The confusion matrix with labels, recall and precision; of many classes those with most rows."""
        counts = self.confusion
        order = np.argsort(-counts.sum(axis=1), kind="stable")[: how_many(len(self.classes), CLASSES)]
        shown = np.sort(order)
        recall, precision = share(np.diag(counts), counts.sum(axis=1)), share(np.diag(counts), counts.sum(axis=0))
        rows = [
            (
                str(self.classes[i]),
                *(amount(counts[i, j], 6) for j in shown),
                *(readable(_known(x[i]), 3) for x in (recall, precision)),
            )
            for i in shown
        ]
        left = len(self.classes) - len(shown)
        note = f"… and {left} more classes, with fewer rows" if left else ""
        heads = ("truth ↓  predicted →", *(str(self.classes[j]) for j in shown), "recall", "precision")
        return Table("Confusion matrix", heads, tuple(rows), note)

    def _threshold_table(self) -> Table:
        named = {
            "0.5": self.at_threshold(0.5),
            "best F1": self.best_threshold("f1"),
            "best accuracy": self.best_threshold("accuracy"),
        }
        rows = [
            (name, *(readable(_known(x), 3) for x in (c.threshold, c.accuracy, c.precision, c.recall, c.f1)))
            for name, c in named.items()
        ]
        note = f"Calibration error {readable(self.calibration.error, 3)}: how far probabilities are from the observed frequencies."
        heads = ("threshold", "probability", "accuracy", "precision", "recall", "F1")
        return Table(f"Where {self.classes[1]} begins", heads, tuple(rows), note)

    def _quantile_table(self) -> Table:
        heads = ("share of rows", *(f"{q:.0%}" for q in self.error_quantiles))
        row = ("error at most", *(amount(x, DIGITS) for x in self.error_quantiles.values()))
        return Table("Errors, prediction − truth", heads, (row,))

    def forms(self) -> Mapping[str, Callable[[Scores], str]]:
        """What writes them as text, HTML and JSON."""
        return {
            "text": lambda own: "\n\n".join(map(str, own.tables())),
            "html": lambda own: "".join(table._repr_html_() for table in own.tables()),
            "json": lambda own: written(own.data()),
        }

    def data(self) -> dict[str, Any]:
        """Every number, as nested dicts and lists."""
        found: dict[str, Any] = {
            "version": VERSION,
            "kind": "scores",
            "task": self.task,
            "target": self.target,
            "rows": len(self.truth),
            "of": self.of,
            "metrics": _exact(self.metrics),
            "by_fold": {name: [exact(x) for x in values] for name, values in self.by_fold.items()},
            "beside": {name: _exact(metrics) for name, metrics in self.others.items()},
        }
        if not self.classes:
            return found | {"error_quantiles": {str(q): exact(x) for q, x in self.error_quantiles.items()}}
        reliability = {
            "of": self.calibration.of,
            "error": exact(self.calibration.error),
            "bins": [_exact(vars(b)) for b in self.calibration.bins],
        }
        found |= {
            "standard_error": exact(self.standard_error),
            "classes": [_label(x) for x in self.classes],
            "confusion": self.confusion.tolist(),
            "calibration": reliability,
        }
        if len(self.classes) == 2:
            found["thresholds"] = {by: _exact(vars(self.best_threshold(by))) for by in ("f1", "accuracy")}
        return found

    def _repr_html_(self) -> str:
        return self.to("html")


def _known(x: float) -> float | None:
    return None if np.isnan(x) else float(x)


def _exact(numbers: Mapping[str, float]) -> dict[str, Any]:
    return {name: exact(x) for name, x in numbers.items()}


def _label(label: Any) -> Any:
    """A label as JSON has it."""
    own = label.item() if isinstance(label, np.generic) else label
    return own if isinstance(own, str | bool | int | float) else str(own)


def class_numbers(labels: Sequence[Any], classes: Sequence[Any]) -> NDArray[np.intp]:
    """The place of every label among the classes.

    Raises
    ------
    DataError
        For a label that is none of them.
    """
    places = {label: i for i, label in enumerate(classes)}
    try:
        return np.array([places[label] for label in labels], np.intp)
    except KeyError as error:
        raise DataError(
            f"the label {error.args[0]!r} is none of the {len(classes)} classes that were learned: "
            f"{', '.join(map(repr, list(classes)[:8]))}{', …' if len(classes) > 8 else ''}."
        ) from None
