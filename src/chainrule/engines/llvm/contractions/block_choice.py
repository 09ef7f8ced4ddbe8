"""From which sizes on a contraction is taken in blocks."""

from __future__ import annotations

FEW_ROWS = 8
"""Rows up to which a panel is not used often enough to be worth its making."""


WIDEST = 5
"""Vectors up to which all columns are in one tile, so that the rows are read once."""

FEW_TERMS = 512
"""Terms of a sum up to which it is taken at once, and writing many results takes a part of the time."""


FAR = 2**16
"""Numbers in a result from which on it is not expected in the cache, nor what belongs to it."""


def rows_first(terms: int, results: int) -> bool:
    """Whether tiles side by side come before those below each other: results are then written in the order of memory.

    Else those below each other do, which multiply the same columns.
    """
    return terms <= FEW_TERMS and results >= FAR


def breadth_of(vectors: int) -> int:
    """How many of a row's vectors are in one tile, where there are many rows."""
    if vectors <= WIDEST:
        return vectors
    return 3 if vectors % 3 == 0 and vectors % 2 else 2


def turned_is_worth(rows: int, length: int, columns: int) -> bool:
    """Whether columns that lie across in memory are turned over panel by panel, instead of all of them before or not at all."""
    return rows >= FEW_ROWS and length >= 16 and columns >= 8


def panels_are_worth(rows: int, length: int, columns: int, itemsize: int, cache: int, *, rows_across: bool) -> bool:
    """Whether panels are used often enough, and the operands so far away, that copying them is worth it.

    Columns that take half of the cache of a core stay there while they are read where they are; rows that lie across are slower
    to read.
    """
    if rows_across:
        return min(length, 2 * columns) >= 64 and 4 * length * (rows + columns) * itemsize > cache
    return rows > FEW_ROWS and 2 * length * columns * itemsize > cache
