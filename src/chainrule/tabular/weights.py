"""How much rows count: as they are weighted, and so that rare classes count as much as common ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError, SettingError
from chainrule.tables import Spelling, Table, TableError, Target
from chainrule.tables.numbers import read_numbers
from chainrule.tables.options import quoted
from chainrule.tables.table import texts
from chainrule.training.weights import to_unit, weights_of_rows


def weights_of_table(given: Any, table: Table, spelling: Spelling) -> NDArray[np.float64]:
    """Weights of rows: those of a column, or as they were given, one for every row that the table was drawn from.

    Those whose sum is no number come by a power of two with which the largest is near 1: only their ratios count.

    Raises
    ------
    TableError, UnknownNameError
        When there is no such column, or it holds other things than numbers.
    DataError
        When they are no weights: others than one for every row, negative ones, missing ones, or only zeros.
    """
    if isinstance(given, str):
        weights = _numbers(given, table, spelling)
    else:
        of = len(table) if table.drawn is None else table.drawn.of
        weights = weights_of_rows(given, of, "weights")
        weights = weights if table.drawn is None else weights[table.drawn.rows]
    if len(weights) and not weights.any():
        raise DataError("weights are 0 in every row, so nothing is learned or counted; give some that are positive.")
    with np.errstate(over="ignore"):
        whole = weights.sum()
    return np.asarray(weights if np.isfinite(whole) else weights * to_unit(weights))


def _numbers(name: str, table: Table, spelling: Spelling) -> NDArray[np.float64]:
    """A column of numbers."""
    cells = table.column(name)
    read = read_numbers(cells, spelling.decimal, spelling.marks)
    if read is None or read.strays:
        raise TableError(
            f"column {name!r} of {table.source} is to weigh the rows, but not all it holds are numbers: {quoted(texts(cells)[:4])}."
        )
    wrong = np.flatnonzero(~(np.isfinite(read.values) & (read.values >= 0)))
    if len(wrong):
        first = read.values[wrong[0]]
        what = f"{first:g} as weight" if np.isfinite(first) else "no weight"
        raise TableError(
            f"{table.source} has {what} in {table.line(int(wrong[0]))}, column {name!r}; give every row one that is not negative."
        )
    return read.values


def balanced_weights(y: NDArray[Any], target: Target, weights: NDArray[Any] | None) -> NDArray[np.float64]:
    """Weights with which every class counts the same."""
    if not target.classes:
        raise SettingError(
            f"{target.name!r} holds amounts, of which none are rare; balance classes only, and leave it out here."
        )
    given = np.ones(len(y)) if weights is None else np.asarray(weights, np.float64)
    of_class = np.bincount(y, given, len(target.classes))
    return np.asarray(given * (given.sum() / (np.count_nonzero(of_class) * of_class[y])))
