"""How predictions go with one column: the mean prediction when the column has one value in all rows, for several values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError, SettingError, UnknownNameError
from chainrule.explanation.rendering.json_form import VERSION, exact, written
from chainrule.explanation.rendering.numerals import readable
from chainrule.explanation.rendering.tables import Table as Shape
from chainrule.explanation.rendering.written import Written
from chainrule.tables.columns import Column
from chainrule.tables.preparing.preparation import Preparation
from chainrule.tables.table import Table
from chainrule.tabular.amounts import amount
from chainrule.tabular.explaining.association import places_of
from chainrule.tabular.explaining.levels import Level, Levels
from chainrule.training.metrics import Array

if TYPE_CHECKING:
    from chainrule.explanation.drawing import Drawing

MISSING = "missing"
MOST_CATEGORIES = 12


@dataclass(frozen=True, repr=False)
class Dependence(Levels, Written):
    """Partial dependence of predictions on a column. Printed as a table, shown in notebooks; `draw()` is a picture.

    The attributes are those of `Levels`.
    """

    def table(self) -> Shape:
        """All values with their means."""
        every = [*self.levels, *([self.missing] if self.missing else [])]
        rows = tuple((x.text, *(amount(mean) for mean in x.means), f"{x.share:.1%}") for x in every)
        note = f"means over {self.rows:,} rows, all with this value in the column"
        return Shape(f"{self.target} by {self.column}", (self.column, *self.curves, "rows"), rows, note)

    def forms(self) -> Mapping[str, Callable[[Dependence], str]]:
        """What writes it as text, HTML and JSON."""
        return {
            "text": lambda own: str(own.table()),
            "html": lambda own: own.table()._repr_html_() + own.draw()._repr_html_(),
            "json": lambda own: written(own.data()),
        }

    def data(self) -> dict[str, Any]:
        """Every number, as nested dicts and lists."""

        def one(x: Level) -> dict[str, Any]:
            return {"place": exact(x.place), "text": x.text, "share": x.share, "means": list(map(exact, x.means))}

        return {
            "version": VERSION,
            "kind": "dependence",
            "column": self.column,
            "target": self.target,
            "curves": list(self.curves),
            "rows": self.rows,
            "average": list(map(exact, self.average)),
            "levels": list(map(one, self.levels)),
            "missing": None if self.missing is None else one(self.missing),
        }

    def _repr_html_(self) -> str:
        return self.to("html")

    def draw(self, between: tuple[float, float] | None = None) -> Drawing:
        """Curves over an axis, or a dot for each category.

        Parameters
        ----------
        between : (float, float), optional
            The ends of the predictions' axis, so that pictures of several columns can be compared; by default those of the means.
        """
        from chainrule.tabular.explaining.dependence_charts import draw_categories, draw_curves

        ends = between or self.ends
        return draw_curves(self, ends) if self.ordered else draw_categories(self, ends)


def dependence(
    raw: Callable[[Array], Array],
    preparation: Preparation,
    table: Table,
    column: str,
    *,
    labels: Sequence[Any] | None = None,
    rows: int = 500,
    points: int = 24,
    seed: int = 0,
) -> Dependence:
    """Partial dependence (Friedman 2001): x ↦ mean over rows of the prediction with the column's value replaced by x.

    Values are such as occur: of numbers and times quantiles from 1 % to 99 %, each standing for the rows to which it is nearest, of
    categories the twelve that occur most.

    Parameters
    ----------
    raw : callable
        From prepared rows to amounts or probabilities.
    preparation : Preparation
        Of the table.
    table : Table
        Rows to take values and means from.
    column : str
        The column.
    labels : sequence, optional
        The classes to look at; by default the second of two, or the up to four that are likeliest on the whole.
    rows : int
        The most rows that means are taken over, drawn at random from more.
    points : int
        The most values of numbers and times.
    seed : int
        Decides which rows are drawn.

    Raises
    ------
    UnknownNameError
        For a column or a label that the model does not have.
    DataError
        When no row has a value there.
    """
    SettingError.unless_count("dependence", "rows", rows)
    SettingError.unless_count("dependence", "points", points, at_least=2)
    places, target = places_of(preparation.features), preparation.target
    if column not in places:
        raise UnknownNameError.among("column in use", column, places)
    own = next(one for one in preparation.used if one.name == column)
    inputs = preparation.apply(table)
    kept = table.rows(inputs.rows)
    levels, missing, ordered = _levels(own, preparation, kept, points)
    if not levels:
        raise DataError(f"no row has a value in {column!r}, so nothing depends on it; give rows that have.")
    random = np.random.default_rng(seed)
    sample = inputs.X
    if len(sample) > rows:
        sample = sample[np.sort(random.choice(len(sample), rows, replace=False))]
    average = np.asarray(raw(sample), np.float64).reshape(len(sample), -1).mean(axis=0)
    curves = _curves(target.classes, labels, average)
    shown = [*levels, *([missing] if missing else [])]
    means = []
    for _, _, _, row in shown:
        changed = sample.copy()
        changed[:, places[column]] = inputs.X[row, places[column]]
        means.append(np.asarray(raw(changed), np.float64).reshape(len(sample), -1).mean(axis=0)[curves])
    made = [
        Level(place, text, share, tuple(mean.tolist()))
        for (place, text, share, _), mean in zip(shown, means, strict=True)
    ]
    return Dependence(
        column,
        target.name,
        tuple(str(target.classes[k]) for k in curves) if target.classes else (target.name,),
        tuple(made[: len(levels)]),
        ordered,
        made[-1] if missing else None,
        tuple(average[curves].tolist()),
        len(sample),
    )


_Found = tuple[float | None, str, float, int]
"""A value's place, text and share, and a row that has it."""


def _levels(
    column: Column, preparation: Preparation, table: Table, points: int
) -> tuple[list[_Found], _Found | None, bool]:
    """The values to try, the missing one, and whether they lie along an axis."""
    cells = table.column(column.name)
    values = column.read(cells, preparation.spelling(table)).values
    absent = np.isnan(values).reshape(len(values), -1).all(axis=1)
    rows = np.flatnonzero(~absent)
    missing = None
    if len(rows) < len(values):
        missing = (None, MISSING, float(absent.mean()), int(np.flatnonzero(absent)[0]))
    if values.ndim == 1 and column.kind in ("number", "time"):
        order = rows[np.argsort(values[rows], kind="stable")]
        quantiles = np.linspace(0.01, 0.99, points)
        chosen = order[np.unique(np.round(quantiles * (len(order) - 1)).astype(np.intp))] if len(order) else order
        places, first = np.unique(values[chosen], return_index=True)
        nearest = np.searchsorted((places[1:] + places[:-1]) / 2, values[rows])
        shares = np.bincount(nearest, minlength=len(places)) / len(values)
        found = zip(places.tolist(), shares.tolist(), chosen[first].tolist(), strict=True)
        return [(place, _text(cells[i]), share, i) for place, share, i in found], missing, True
    texts = np.array([_text(cells[int(i)]) for i in rows])
    known, first, counts = np.unique(texts, return_index=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]
    return [(None, str(known[i]), float(counts[i] / len(values)), int(rows[first[i]])) for i in order], missing, False


def _text(cell: Any) -> str:
    return readable(cell, 6) if isinstance(cell, float) else str(cell)


def _curves(classes: Sequence[Any], labels: Sequence[Any] | None, average: NDArray[np.float64]) -> list[int]:
    """Which outputs are looked at."""
    if not classes:
        return [0]
    if labels is None:
        return [1] if len(classes) == 2 else np.sort(np.argsort(-average, kind="stable")[:4]).tolist()
    for label in labels:
        if label not in classes:
            raise UnknownNameError.among("class", label, [str(x) for x in classes])
    return [list(classes).index(label) for label in labels]
