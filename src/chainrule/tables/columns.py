"""Input columns: what is learned about each from the training rows, and how its cells become numbers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.numbers import Decimal, decimal_from_json, decimal_mark, numbers
from chainrule.tables.options import TableError, counted, option, quoted
from chainrule.tables.table import Cells, Table, is_missing

Fill = Literal["mean", "median"]

MOST_CATEGORIES = 1000
_DATE = re.compile(r"\d{1,4}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{1,4}([ T].*)?")


@dataclass(frozen=True)
class Numeric:
    """A column of numbers, given to the network as (value − mean) / deviation of the training rows."""

    name: str
    mean: float
    deviation: float
    median: float
    decimal: Decimal = "."

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the network's inputs this column gives."""
        return (self.name,)

    def encode(self, table: Table, missing: NDArray[np.bool_], fill: Fill) -> tuple[NDArray[np.float64], list[str]]:
        """The column's inputs for every row, shape (rows, 1), and notes on what was replaced."""
        values = self.values(table, missing)
        values[missing] = self.mean if fill == "mean" else self.median
        notes = []
        if missing.any():
            put = self.mean if fill == "mean" else self.median
            notes.append(
                f"column {self.name!r}: {counted(int(missing.sum()), 'missing value')} replaced by the training {fill}"
                f" {put:.4g}"
            )
        return ((values - self.mean) / self.deviation)[:, None], notes

    def values(self, table: Table, missing: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The column's numbers, NaN where missing."""
        cells = table.column(self.name)
        values = numbers(cells, missing, self.decimal)
        if np.isinf(values).any():  # another program may have written this file, with the other decimal mark
            values = numbers(cells, missing, decimal_mark(cells, missing, table.separator))
        if np.isinf(values).any():
            raise not_numbers(table, self.name, np.isinf(values), learning=False)
        return values


@dataclass(frozen=True)
class Category:
    """A column of text, given to the network as one input per category: 1 for the row's own, 0 for the others."""

    name: str
    categories: tuple[str, ...]
    most_frequent: str

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the network's inputs this column gives."""
        return tuple(f"{self.name}={category}" for category in self.categories)

    def encode(self, table: Table, missing: NDArray[np.bool_], fill: Fill) -> tuple[NDArray[np.float64], list[str]]:
        """The column's inputs for every row, shape (rows, categories), and notes on what was replaced or is new."""
        cells = table.column(self.name).copy()
        notes = []
        if missing.any():
            cells[missing] = self.most_frequent
            notes.append(
                f"column {self.name!r}: {counted(int(missing.sum()), 'missing value')} replaced by the most frequent"
                f" value in training, {self.most_frequent!r}"
            )
        place = {category: index for index, category in enumerate(self.categories)}
        indices = np.array([place.get(cell, -1) for cell in cells], dtype=np.intp)
        new = indices < 0
        if new.any():
            values = sorted(set(cells[new]))
            notes.append(
                f"column {self.name!r}: {quoted(values)} in {counted(int(new.sum()), 'row')} did not occur in training;"
                " all inputs of the column are 0 there"
            )
        return (indices[:, None] == np.arange(len(self.categories))).astype(np.float64), notes


Column = Numeric | Category


def learn_column(table: Table, name: str, marks: tuple[str, ...] = (), categorical: bool = False) -> Column | None:
    """What a column of the training rows teaches; None where it holds the same value throughout.

    A column is one of numbers when all its values are, and `categorical` is false.
    """
    cells = table.column(name)
    missing = is_missing(cells, marks)
    if missing.all():
        return None
    if not categorical:
        decimal = decimal_mark(cells, missing, table.separator)
        values = numbers(cells, missing, decimal)
        wrong = np.isinf(values)
        if not wrong.any():
            return _number(table, name, values[~missing], decimal)
        if _mostly_numbers(values[~missing & ~wrong], wrong):
            raise not_numbers(table, name, wrong)
    return _category(table, name, cells[~missing], categorical)


def _number(table: Table, name: str, values: NDArray[np.float64], decimal: Decimal) -> Numeric | None:
    if values.min() == values.max():
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation, median = float(values.mean()), float(values.std()), float(np.median(values))
    if not (np.isfinite(mean) and np.isfinite(deviation) and deviation > 0):
        raise TableError(
            f"column {name!r} of {table.source} ranges from {values.min():g} to {values.max():g}, beyond what can be "
            f"standardised; scale it in the file, or leave it out: {option('drop', name)}."
        )
    return Numeric(name, mean, deviation, median, decimal)


def _category(table: Table, name: str, values: Cells, wanted: bool) -> Category | None:
    counts = Counter(values)
    if len(counts) == 1:
        return None
    if not wanted and is_identifier(len(counts), len(values)):
        dates = sum(bool(_DATE.fullmatch(value)) for value in values) > len(values) / 2
        advice = "; give year, month and day, or days since a date, columns of numbers of their own" if dates else ""
        kind = "dates" if dates else "text"
        raise TableError(
            f"column {name!r} of {table.source} holds {kind} with {len(counts):,} different values in "
            f"{counted(len(values), 'row')} ({quoted(list(counts), 3)}), so it names the rows more than it describes "
            f"them{advice}. Leave it out: {option('drop', name)}, or take every value as a category all the same: "
            f"{option('categorical', name)}."
        )
    return Category(name, tuple(sorted(counts)), min(counts, key=lambda value: (-counts[value], value)))


def is_identifier(different: int, rows: int) -> bool:
    """Whether so many different values in so many rows name the rows rather than group them."""
    return different > MOST_CATEGORIES or different > max(10, rows / 2)


def _mostly_numbers(values: NDArray[np.float64], wrong: NDArray[np.bool_]) -> bool:
    """Whether a column with some text in it is one of numbers written badly, not one of codes."""
    return len(values) > wrong.sum() and len(np.unique(values)) > 20


def not_numbers(table: Table, name: str, wrong: NDArray[np.bool_], learning: bool = True) -> TableError:
    """The error for a column of numbers in which some cells are none."""
    cells, lines = table.column(name)[wrong], table.lines[wrong]
    verb = "is none" if len(cells) == 1 else "are none"
    examples = [f"{text} in line {line}" for text, line in zip(map(repr, cells[:3]), lines[:3], strict=True)]
    advice = (
        f"Correct them, take that text for a missing value: {option('missing_mark', str(cells[0]))}, "
        f"or leave the column out: {option('drop', name)}."
        if learning
        else "Correct them; the model learned numbers there."
    )
    return TableError(
        f"column {name!r} of {table.source} holds numbers, but {counted(len(cells), 'cell')} "
        f"{verb}: {', '.join(examples)}{', …' if len(cells) > 3 else ''}. {advice}"
    )


def column_to_json(column: Column) -> dict[str, Any]:
    """The column as JSON can hold it."""
    fields = {key: list(value) if isinstance(value, tuple) else value for key, value in vars(column).items()}
    return {"kind": "number" if isinstance(column, Numeric) else "category", **fields}


def column_from_json(data: dict[str, Any]) -> Column:
    """The column that `column_to_json` described."""
    if data["kind"] == "category":
        return Category(str(data["name"]), tuple(map(str, data["categories"])), str(data["most_frequent"]))
    return Numeric(
        name=str(data["name"]),
        mean=float(data["mean"]),
        deviation=float(data["deviation"]),
        median=float(data["median"]),
        decimal=decimal_from_json(data["decimal"]),
    )
