"""Columns of numbers learned many at a time: one by one, thousands of them would take most of the time of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns.number import Number, Scaling
from chainrule.tables.missing import Spelling
from chainrule.tables.numbers import EXACT, are_whole, reach
from chainrule.tables.side_by_side import side_by_side

if TYPE_CHECKING:
    import polars as pl

AT_ONCE = 1 << 16
"""About so many numbers are looked at together: columns of few rows by the hundred, those of many one by one."""


SHOWN = 100
"""Rows in which most columns of broken numbers show that they are."""


class Known(NamedTuple):
    """A column that was learned, and what was read in it."""

    column: Number
    values: NDArray[np.float64]


def learned_together(columns: Mapping[str, pl.Series], spelling: Spelling, scaling: Scaling) -> dict[str, Known]:
    """Those of the columns, by name, that no kind but `Number` can be: broken numbers, of which none is too large to be one.

    Each is what `Number.learn` and `read` make of it. Any other is to be tried as every kind in turn: whole numbers may be truths,
    days or names of rows.

    Examples
    --------
    >>> import polars as pl
    >>> columns = {"size": pl.Series([1.5, None]), "count": pl.Series([1.0, 2.0])}
    >>> learned_together(columns, Spelling(), "robust")["size"].column.why
    '1 number from 1.5 to 1.5'
    """
    floats = [(name, cells) for name, cells in columns.items() if cells.dtype.is_float()]
    if not floats:
        return {}
    size = max(1, AT_ONCE // max(1, len(floats[0][1])))
    parts = [floats[begin : begin + size] for begin in range(0, len(floats), size)]
    found = side_by_side(lambda part: _learned(part, spelling, scaling), parts)
    return {known.column.name: known for part in found for known in part}


def _learned(columns: Sequence[tuple[str, pl.Series]], spelling: Spelling, scaling: Scaling) -> list[Known]:
    """Those of a few columns."""
    read = [np.asarray(cells.to_numpy(), np.float64) for _, cells in columns]
    values = np.stack(read) if len(read) > 1 else read[0][None]
    head = values[:, :SHOWN]
    sure = (~np.isnan(head) & (head != np.rint(head))).any(axis=1)
    for place in np.flatnonzero(~sure):
        sure[place] = not are_whole(values[place])
    sure &= ~reach(values, EXACT)
    if spelling.numbers:
        values = np.where(np.isin(values, spelling.numbers), np.nan, values)
        read = list(values)
    if not sure.all():
        values, chosen = values[sure], np.flatnonzero(sure).tolist()
        columns, read = [columns[place] for place in chosen], [read[place] for place in chosen]
    learned = Number.of_all([name for name, _ in columns], values, scaling)
    return [Known(column, x) for column, x in zip(learned, read, strict=True) if column is not None]
