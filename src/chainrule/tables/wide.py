"""All columns of a frame at once, also where there are thousands of them or a single row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_SHORT = 10_000
"""Cells that Polars computes in the time that it takes to plan the computation of a column."""


def joined(columns: Sequence[pl.Series]) -> Sequence[pl.Series]:
    """Columns of one type; those that are short one below the other, as one: to compute with them takes less time so."""
    import polars as pl

    if len(columns) < 2 or len(columns[0]) > _SHORT:
        return columns
    return [pl.concat(columns, rechunk=True)]


def each(columns: Sequence[pl.Series], change: Callable[[pl.Series], pl.Series]) -> list[pl.Series]:
    """All columns, which are of one type and length, changed cell by cell.

    Examples
    --------
    >>> import polars as pl
    >>> [column.to_list() for column in each([pl.Series([1, None])] * 2, lambda column: column.fill_null(0))]
    [[1, 0], [1, 0]]
    """
    changed = [change(column) for column in joined(columns)]
    if len(changed) == len(columns):
        return changed
    height = len(columns[0])
    return [changed[0].slice(i * height, height).alias(column.name) for i, column in enumerate(columns)]
