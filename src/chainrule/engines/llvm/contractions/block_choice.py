"""From which sizes on a contraction is taken in blocks."""

from __future__ import annotations

FEW_ROWS = 8
"""Rows up to which a panel is not used often enough to be worth its making."""


def turned_is_worth(rows: int, length: int, columns: int) -> bool:
    """Whether columns that lie across in memory are turned over panel by panel, instead of all of them before or not at all."""
    return rows >= FEW_ROWS and length >= 16 and columns >= 8


def panels_are_worth(rows: int, length: int, columns: int, itemsize: int, cache: int, *, rows_across: bool) -> bool:
    """Whether panels are used often enough, and the operands so far away, that copying them is worth it.

    Columns that take half of the cache of a core stay there while they are read where they are; rows that lie across are slower
    to read.
    """
    if rows_across:
        return min(length, columns) >= 64 and 4 * length * (rows + columns) * itemsize > cache
    return rows > FEW_ROWS and 2 * length * columns * itemsize > cache
