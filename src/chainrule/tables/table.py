"""A table of text cells: what a CSV file holds before anything is read as a number."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import UnknownNameError, nearest

Cells = NDArray[np.object_]

MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "-nan", "null"})


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of text, with the line of the file each row began at.

    Attributes
    ----------
    names : tuple of str
        The columns in order, each name once.
    cells : array of str objects, (rows, columns)
        The text without the blanks around it.
    lines : int array, (rows,)
        Where each row began, counted from 1, for messages.
    source : str
        The file's name, for messages.
    separator : str
        The character between cells.
    header : bool
        Whether the names stood in the file; if not, they are `column_1, column_2, …`.
    notes : tuple of str
        What was put right while reading.
    repeated : tuple of str
        Names that stood in the file more than once; the second of them is called `name_2` here.
    """

    names: tuple[str, ...]
    cells: Cells
    lines: NDArray[np.int64]
    source: str = "the table"
    separator: str = ","
    header: bool = True
    notes: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.cells)

    def column(self, name: str) -> Cells:
        """The cells of one column, shape (rows,)."""
        if name not in self.names:
            if len(self.names) <= 30:
                raise UnknownNameError.among("column", name, self.names)
            raise UnknownNameError(
                f"there is no column named {name!r}{nearest(name, self.names)}. Name one of the {len(self.names)} that "
                f"{self.source} has: {', '.join(self.names[:8])}, …."
            )
        return self.cells[:, self.names.index(name)]

    def rows(self, chosen: NDArray[np.intp]) -> Table:
        """The table of the chosen rows only."""
        return replace(self, cells=self.cells[chosen], lines=self.lines[chosen])

    def without(self, names: Collection[str]) -> Table:
        """The table without the columns named."""
        for name in names:
            self.column(name)
        keep = [index for index, name in enumerate(self.names) if name not in names]
        return replace(self, names=tuple(self.names[index] for index in keep), cells=self.cells[:, keep])


def is_missing(cells: Cells, marks: Iterable[str] = ()) -> NDArray[np.bool_]:
    """Which cells hold no value: empty, NA, n/a, nan, null or ? in any case, or one of the `marks`."""
    known = MISSING.union(mark.strip().lower() for mark in marks)
    found = {cell for cell in set(cells) if cell.lower() in known}
    if not found:
        return np.zeros(len(cells), dtype=bool)
    return np.fromiter((cell in found for cell in cells), dtype=bool, count=len(cells))
