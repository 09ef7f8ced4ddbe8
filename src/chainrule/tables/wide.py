"""All columns of a frame at once, also where there are thousands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MANY = 100
"""Columns beyond which they are joined to one for a computation: Polars takes longer to plan a column than a cell."""


def one_column(columns: Sequence[pl.Series]) -> pl.Series:
    """All columns, which are of one type, one below the other."""
    import polars as pl

    return pl.concat([column.alias("") for column in columns], rechunk=True)


def each(columns: Sequence[pl.Series], change: Callable[[pl.Series], pl.Series]) -> list[pl.Series]:
    """All columns, which are of one type and length, changed cell by cell.

    Examples
    --------
    >>> import polars as pl
    >>> [column.to_list() for column in each([pl.Series([1, None])] * 2, lambda column: column.fill_null(0))]
    [[1, 0], [1, 0]]
    """
    if len(columns) <= MANY:
        return [change(column) for column in columns]
    height, cells = len(columns[0]), change(one_column(columns))
    return [cells.slice(i * height, height).alias(column.name) for i, column in enumerate(columns)]
