"""From which sizes on a contraction is taken in blocks."""

from __future__ import annotations

FEW_ROWS = 64
"""Rows up to which a panel is not used often enough to be worth its making, if its columns can be read where they are."""

NEAR = 2**16
"""Bytes of an operand up to which it is read where it is: so small, it stays in the cache of one core."""

FAR = 2**19
"""Bytes of both operands from which on rows that lie across are copied: up to there, they are read where they are."""


def turned_is_worth(rows: int, length: int, columns: int) -> bool:
    """Whether columns that lie across in memory are turned over panel by panel, instead of all of them before or not at all."""
    return rows >= 8 and length >= 16 and columns >= 16


def panels_are_worth(rows: int, length: int, columns: int, itemsize: int, *, rows_across: bool) -> bool:
    """Whether panels are used often enough to be worth their making; rows that lie across are slow to read where they are."""
    if rows_across:
        return min(length, columns) >= 64 and length * (rows + columns) * itemsize > FAR
    return rows > FEW_ROWS and length * columns * itemsize > NEAR
