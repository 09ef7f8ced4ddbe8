"""What each column is worth to a model: how far its score falls when the column's values are shuffled among rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError, SettingError, UnknownNameError
from chainrule.explanation.rendering.contributions import BAR
from chainrule.explanation.rendering.json_form import VERSION, exact, written
from chainrule.explanation.rendering.numerals import how_many, readable
from chainrule.explanation.rendering.tables import Table
from chainrule.explanation.rendering.written import Written
from chainrule.tables.columns import Feature
from chainrule.tabular.explaining.association import (
    MOST_COLUMNS,
    associations,
    groups_of,
    named,
    places_of,
    with_the_outputs,
)
from chainrule.tabular.explaining.predictors import Predictor
from chainrule.training.metrics import Array, Metric, Task, metric_for

if TYPE_CHECKING:
    from chainrule.explanation.drawing import Drawing

ROWS_AT_ONCE = 16_384
NUMBERS_AT_ONCE = 8_000_000
MOST_SHOWN = 20


@dataclass(frozen=True)
class ColumnImportance:
    """By how much the score falls when these columns are shuffled together: the mean over shuffles, and their deviation.

    There is no deviation of a single shuffle.
    """

    columns: tuple[str, ...]
    fall: float
    deviation: float | None

    @property
    def name(self) -> str:
        """The columns in a word."""
        return named(self.columns)


@dataclass(frozen=True, repr=False)
class Importance(Written):
    """Permutation importance of columns. Printed as a table with bars, shown in notebooks; `draw()` is a picture.

    Attributes
    ----------
    metric : Metric
        What falls; falls are in its units, and positive where the score gets worse.
    score : float
        Of the rows as they are.
    columns : tuple of ColumnImportance
        The greatest fall first.
    groups : tuple of ColumnImportance
        Columns that go closely together, shuffled together.
    remarks : tuple of str
        What has to be known to read it.
    rows, repeats : int
        How many rows were predicted, and how often each column was shuffled.
    """

    metric: Metric
    score: float
    columns: tuple[ColumnImportance, ...]
    groups: tuple[ColumnImportance, ...]
    remarks: tuple[str, ...]
    rows: int
    repeats: int

    def __getitem__(self, column: str) -> ColumnImportance:
        for one in self.columns:
            if one.columns == (column,):
                return one
        raise UnknownNameError.among("column", column, [one.columns[0] for one in self.columns])

    def with_remarks(self, remarks: Sequence[str]) -> Importance:
        """The same with these remarks besides."""
        return replace(self, remarks=(*self.remarks, *remarks))

    def __iter__(self) -> Iterator[ColumnImportance]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def title(self) -> str:
        """What was measured."""
        return f"{self.metric.title} is {readable(self.score, 4)} on {self.rows:,} rows; with a column shuffled it is worse by"

    def table(self) -> Table:
        """The columns with bars, groups below them, and remarks."""
        shown = [*self.columns[: how_many(len(self.columns), MOST_SHOWN)], *self.groups]
        largest = max((one.fall for one in shown), default=0.0) or 1.0
        rows = [
            (
                one.name,
                "█" * round(BAR * max(0.0, one.fall) / largest) if largest > 0 else "",
                readable(one.fall, 3),
                "" if one.deviation is None else f"± {readable(one.deviation, 2)}",
            )
            for one in shown
        ]
        left = len(self.columns) - len(shown) + len(self.groups)
        notes = ([f"… and {left:,} columns that matter less still"] if left else []) + list(self.remarks)
        return Table(
            self.title,
            ("column", "", "worse by", f"over {self.repeats} shuffle{'s' * (self.repeats != 1)}"),
            tuple(rows),
            "\n    ".join(notes),
            2,
        )

    def forms(self) -> Mapping[str, Callable[[Importance], str]]:
        """What writes it as text, HTML and JSON."""
        return {
            "text": lambda own: str(own.table()),
            "html": lambda own: own.table()._repr_html_(),
            "json": lambda own: written(own.data()),
        }

    def data(self) -> dict[str, Any]:
        """Every number, as nested dicts and lists."""

        def each(found: Sequence[ColumnImportance]) -> list[dict[str, Any]]:
            return [{"columns": list(x.columns), "fall": exact(x.fall), "deviation": exact(x.deviation)} for x in found]

        return {
            "version": VERSION,
            "kind": "importance",
            "metric": self.metric.name,
            "score": exact(self.score),
            "rows": self.rows,
            "repeats": self.repeats,
            "columns": each(self.columns),
            "groups": each(self.groups),
            "remarks": list(self.remarks),
        }

    def _repr_html_(self) -> str:
        return self.to("html")

    def draw(self, *, digits: int = 3) -> Drawing:
        """The falls as bars with their deviations.

        Parameters
        ----------
        digits : int
            Significant digits of numbers.
        """
        from chainrule.tabular.charts import draw_falls

        shown = [*self.columns[: how_many(len(self.columns), MOST_SHOWN)], *self.groups]
        bars = [(one.name, one.fall, one.deviation) for one in shown]
        return draw_falls(
            bars, title=f"How much worse the {self.metric.title} is with a column shuffled", digits=digits
        )


def importance(
    predictors: Sequence[Predictor],
    X: Array,
    truth: Array,
    features: Sequence[Feature],
    task: Task,
    *,
    metric: str | None = None,
    repeats: int = 5,
    rows: int = 2000,
    seconds: float = 10.0,
    seed: int = 0,
    weights: Array | None = None,
) -> Importance:
    """Permutation importance by column (Breiman 2001; Fisher, Rudin and Dominici 2019).

    The features of a column are shuffled together, which is to shuffle the column of the table. Rows are shuffled among those
    that the same predictor predicts. Columns that go closely together are shuffled together as well, since one can stand in for
    the other.

    Parameters
    ----------
    predictors : sequence of Predictor
        The networks of the folds, each with the rows it has not seen; or one, with rows that it has not seen.
    X, truth : arrays
        All rows, prepared, and their class numbers or amounts.
    features : sequence of Feature
        The columns of X.
    task : {"classification", "regression"}
        What is predicted.
    metric : str, optional
        What falls; by default accuracy or R².
    repeats : int
        How often each column is shuffled.
    rows : int
        The most rows that are predicted, drawn at random from more.
    seconds : float
        About how long it may take: columns that the outputs hardly go with come last, and are left out, or shuffled less often.
    seed : int
        Decides what is drawn.
    weights : array of shape (rows,), optional
        How much each row counts in the score.

    Raises
    ------
    DataError
        When there are fewer than two rows.
    """
    SettingError.unless_count("importance", "repeats", repeats)
    SettingError.unless_count("importance", "rows", rows, at_least=2)
    SettingError.unless_number("importance", "seconds", seconds, above=0.0)
    chosen, random = metric_for(task, metric), np.random.default_rng(seed)
    parts = _thinned(predictors, rows, random)
    if sum(len(part.rows) for part in parts) < 2:
        raise DataError(
            "importance was asked for of fewer than two rows, among which nothing can be shuffled; give more."
        )
    shuffling = _Shuffling(parts, X, truth, chosen, weights)
    places = places_of(features)
    score, outputs = shuffling.as_it_is()
    known = X[shuffling.order]
    strengths = with_the_outputs(known, features, outputs)
    order = sorted(places, key=lambda name: -strengths[name])
    alike = order[:MOST_COLUMNS]
    together = groups_of(alike, associations(known, features, alike))
    units = [*together, *((name,) for name in order)]
    end = perf_counter() + seconds
    falls: dict[tuple[str, ...], list[float]] = {unit: [] for unit in units}
    for batch in (batch for _ in range(repeats) for batch in shuffling.batches(units)):
        if falls[units[0]] and perf_counter() > end:
            break
        columns = [np.concatenate([places[name] for name in unit]) for unit in batch]
        for unit, fall in zip(batch, shuffling.falls(columns, score, random), strict=True):
            falls[unit].append(fall)
    found = [
        ColumnImportance(unit, float(np.mean(x)), float(np.std(x, ddof=1)) if len(x) > 1 else None)
        for unit, x in falls.items()
        if x
    ]
    single = sorted((x for x in found if len(x.columns) == 1), key=lambda x: -x.fall)
    groups = [x for x in found if len(x.columns) > 1]
    remarks = [_of_group(group, {x.columns[0]: x for x in single}) for group in groups]
    if len(single) < len(order):
        remarks.append(
            f"{len(order) - len(single):,} columns that predictions depend on least were not tried within {seconds:g} s"
        )
    return Importance(
        chosen,
        score,
        tuple(single),
        tuple(groups),
        tuple(remarks),
        len(np.unique(shuffling.order)),
        max(map(len, falls.values())),
    )


def _of_group(group: ColumnImportance, single: dict[str, ColumnImportance]) -> str:
    alone = [f"{name} {readable(single[name].fall, 3)}" for name in group.columns[:4] if name in single]
    return (
        f"{group.name} are closely related, so one can stand in for the other: alone {', '.join(alone)}; "
        f"together {readable(group.fall, 3)}"
    )


def _thinned(predictors: Sequence[Predictor], most: int, random: np.random.Generator) -> list[Predictor]:
    """The predictors, with as many rows left as are to be predicted; none without rows."""
    whole = sum(len(predictor.rows) for predictor in predictors)
    if whole <= most:
        return [predictor for predictor in predictors if len(predictor.rows)]
    counts = [max(2, round(most * len(predictor.rows) / whole)) for predictor in predictors]
    kept = [
        Predictor(predictor.raw, np.sort(random.choice(predictor.rows, min(count, len(predictor.rows)), replace=False)))
        for predictor, count in zip(predictors, counts, strict=True)
    ]
    return [predictor for predictor in kept if len(predictor.rows)]


class _Shuffling:
    """Scores of rows some of whose columns are shuffled, several choices of columns predicted at once."""

    def __init__(
        self, predictors: Sequence[Predictor], X: Array, truth: Array, metric: Metric, weights: Array | None = None
    ) -> None:
        self.predictors, self.X, self.metric = predictors, X, metric
        self.order: NDArray[np.intp] = np.concatenate([predictor.rows for predictor in predictors])
        self.truth = truth[self.order]
        self.weights = None if weights is None else weights[self.order]

    def as_it_is(self) -> tuple[float, Array]:
        """The score of the rows as they are, and their outputs."""
        outputs = np.concatenate([np.asarray(predictor.raw(self.X[predictor.rows])) for predictor in self.predictors])
        return self.metric(self.truth, outputs, self.weights), outputs

    def batches(self, units: Sequence[tuple[str, ...]]) -> Iterator[Sequence[tuple[str, ...]]]:
        """As many choices of columns together as are predicted at once."""
        rows = max(len(predictor.rows) for predictor in self.predictors)
        size = max(1, min(ROWS_AT_ONCE // rows, NUMBERS_AT_ONCE // (rows * self.X.shape[1])))
        for first in range(0, len(units), size):
            yield units[first : first + size]

    def falls(self, columns: Sequence[NDArray[np.intp]], score: float, random: np.random.Generator) -> list[float]:
        """By how much the score gets worse, for each choice of columns."""
        parts = []
        for predictor in self.predictors:
            known = self.X[predictor.rows]
            stacked = np.repeat(known[None], len(columns), axis=0)
            for one, places in zip(stacked, columns, strict=True):
                one[:, places] = known[random.permutation(len(known))][:, places]
            outputs = np.asarray(predictor.raw(stacked.reshape(-1, known.shape[1])))
            parts.append(outputs.reshape(len(columns), len(known), *outputs.shape[1:]))
        scores = [self.metric(self.truth, outputs, self.weights) for outputs in np.concatenate(parts, axis=1)]
        sign = 1.0 if self.metric.greater_is_better else -1.0
        return [sign * (score - x) for x in scores]
