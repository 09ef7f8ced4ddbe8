"""The order of a table's rows by a column of times or numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns.time import Time
from chainrule.tables.missing import Spelling
from chainrule.tables.numbers import read_numbers
from chainrule.tables.options import TableError, option, quoted
from chainrule.tables.table import Table, texts

if TYPE_CHECKING:
    import polars as pl


def ranks(table: Table, name: str, spelling: Spelling = Spelling()) -> NDArray[np.float64]:  # noqa: B008 (frozen)
    """The place of every row in the order of a column, equal ones alike; rows without a value come first, at 0.

    Text is read as the inputs of a network are, so that whatever is a time there is one here, and what means "no value" is none.
    Categories are text, unless their type says in which order they come.

    Raises
    ------
    UnknownNameError
        When there is no such column.
    TableError
        When it holds text that is neither a number nor a time.

    Examples
    --------
    >>> import polars as pl
    >>> ranks(Table(pl.DataFrame({"day": ["3/31/2024", "2/1/2024", None, "2/1/2024"]})), "day")
    array([2., 1., 0., 1.])
    """
    import polars as pl

    cells, spelling = table.column(name), spelling.in_table(table)
    if cells.dtype == pl.Categorical:
        cells = cells.cast(pl.String)
    if cells.dtype == pl.Enum:
        absent = [text for text in cells.cast(pl.String).drop_nulls().unique() if spelling.is_missing(text)]
        cells = cells.set(cells.cast(pl.String).is_in(absent), None)
    if cells.dtype == pl.String:
        values = _read(cells, table, name, spelling)
        found = np.unique(values[~np.isnan(values)])
        return np.where(np.isnan(values), 0.0, np.searchsorted(found, values) + 1.0)
    if cells.dtype.is_numeric():
        numbers = read_numbers(cells, spelling.decimal, spelling.marks)
        if numbers is not None:
            cells = cells.set(pl.Series(np.isnan(numbers.values)), None)
    ranks = cells.rank("dense").to_numpy().astype(np.float64)
    return np.asarray(np.nan_to_num(ranks, nan=0.0))


def _read(cells: pl.Series, table: Table, name: str, spelling: Spelling) -> NDArray[np.float64]:
    """Numbers, or seconds, that the text of every row means."""
    numbers = read_numbers(cells, spelling.decimal, spelling.marks)
    if numbers is not None and not numbers.strays:
        return numbers.values
    times = Time.learn(name, cells, spelling)
    if times is not None:
        read = times.read(cells, spelling)
        if not read.remarks:
            return read.values
    raise TableError(
        f"column {name!r} of {table.source} is to order the rows, but not all it holds is a number, or a time of one form: "
        f"{quoted([text for text in texts(cells) if not spelling.is_missing(text)][:4])}. Give a column of numbers, or of times as "
        f"2024-05-31; if some of it means that there is no value, {option('missing_mark', '-')}."
    )
