"""From which sizes on a contraction is taken in blocks."""

from __future__ import annotations

FEW_ROWS = 8
"""Rows up to which columns are not turned over panel by panel: those would not be used often enough."""

OFTEN = 4
"""Times that rows and panels must be used to be copied both, since rows are multiplied nowhere while they are copied."""

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


TALLEST = 16
"""Rows in a tile, at most."""

BROAD_TOLD, TALLEST_TOLD = 2, 8
"""How broad all tiles of many rows are whose code is told the sizes, and how many rows they have at most: one shape for all."""


def tallest(room: int, told: bool) -> int:
    """How many rows may be in one tile that has room for so many."""
    return max(1, min(TALLEST_TOLD if told else TALLEST, room))


def breadth_of(vectors: int) -> int:
    """How many of a row's vectors are in one tile, where there are many rows."""
    if vectors <= WIDEST:
        return vectors
    return 3 if vectors % 3 == 0 and vectors % 2 else 2


def turned_is_worth(rows: int, length: int, columns: int) -> bool:
    """Whether columns that lie across in memory are turned over panel by panel, instead of all of them before or not at all."""
    return rows >= FEW_ROWS and length >= 16 and columns >= 8


def panels_are_worth(
    sizes: tuple[int, int, int], times: tuple[int, int], nbytes: int, cache: int, *, across: bool
) -> bool:
    """Whether copies are used often enough, and the operands so far away, that making panels of columns is worth it.

    `sizes` are rows, terms and columns of `nbytes` each number, `times` how many tiles use a panel and how many panels a tile.
    Columns that take half of a core's cache stay there while they are read where they are; rows that lie across are
    copied too.
    """
    (rows, length, columns), (tiles, panels) = sizes, times
    if across:
        return length >= 64 and min(tiles, panels) >= OFTEN and 2 * length * (rows + columns) * nbytes > cache
    return tiles > 1 and 2 * length * columns * nbytes > cache
