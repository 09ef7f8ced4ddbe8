"""A table: named columns as Polars holds them, and where they come from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import UnknownNameError, nearest
from chainrule.tables.names import spelled
from chainrule.tables.options import TableError
from chainrule.tables.threads import refuse_in_a_copy

if TYPE_CHECKING:
    import polars as pl

    from chainrule.tables.numbers import Decimal


@dataclass(frozen=True, eq=False)
class Drawn:
    """Which rows of how many were drawn."""

    rows: NDArray[np.intp]
    of: int


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns, each as its source spells it, with what messages say about the source.

    Attributes
    ----------
    frame : polars.DataFrame
        The columns. Those of a text file are text, with the blanks around cells taken off and null where a cell is
        empty, so that a label stays as it is spelled (`01`, `yes`); those of frames and Parquet files have their types.
    source : str
        The file's name, for messages.
    lines : int array, (rows,), optional
        Where each row of a text file began, counted from 1, for messages.
    separator : str
        The character between the cells of a text file.
    decimal : {".", ","}
        The decimal mark of the numbers in a text file, one for the whole file.
    header : bool
        Whether the names stood in the file; if not, they are `column_1, column_2, …`.
    notes : tuple of str
        What was put right or decided while reading.
    repeated : tuple of str
        Names that stood in the file more than once; the second of them is called `name_2` here.
    guessed : str, optional
        Where nothing in the table tells its decimal mark, a number of it, such as `1.016`, or "" where none has a mark.
    drawn : Drawn, optional
        Where there are more rows in the source, which of them these are.
    left_out : tuple of str
        Columns that hold no single values, but lists or binary data.
    """

    frame: pl.DataFrame
    source: str = "the table"
    lines: NDArray[np.int64] | None = None
    separator: str = ","
    decimal: Decimal = "."
    header: bool = True
    notes: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    guessed: str | None = None
    drawn: Drawn | None = None
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.frame.height

    @property
    def names(self) -> tuple[str, ...]:
        """The columns in order, each name once."""
        return tuple(self.frame.columns)

    def column(self, name: str) -> pl.Series:
        """One column."""
        refuse_in_a_copy()
        name = spelled(name)
        found = self._columns.get(name)
        if found is None and name in self.left_out:
            raise TableError(
                f"column {name!r} of {self.source} holds lists or binary data; give one value for every row, or name another column."
            )
        if found is None:
            if self.frame.width <= 30:
                raise UnknownNameError.among("column", name, self.names)
            raise UnknownNameError(
                f"there is no column named {name!r}{nearest(name, self.names)}. Name one of the {self.frame.width} that "
                f"{self.source} has: {', '.join(self.names[:8])}, …."
            )
        return found

    def columns(self) -> Mapping[str, pl.Series]:
        """All columns by name, in order."""
        refuse_in_a_copy()
        return self._columns

    @cached_property
    def _columns(self) -> dict[str, pl.Series]:
        """The columns by name: a frame finds one by going through all."""
        return dict(zip(self.frame.columns, self.frame.get_columns(), strict=True))

    def line(self, row: int) -> str:
        """Where a row stands, for messages: rows are counted from 1, and lines of a text file with its header."""
        place = 1 + (row if self.drawn is None else int(self.drawn.rows[row]))
        return f"row {place:,}" if self.lines is None else f"row {place:,}, line {self.lines[row]:,}"

    def rows(self, chosen: NDArray[np.intp] | slice) -> Table:
        """The table of the chosen rows only."""
        lines = None if self.lines is None else self.lines[chosen]
        drawn = None if self.drawn is None else replace(self.drawn, rows=self.drawn.rows[chosen])
        return replace(self, frame=self.frame[chosen], lines=lines, drawn=drawn)

    def of_mark(self, decimal: Decimal) -> Table:
        """The table read with the decimal mark of training where nothing in it tells its own."""
        if self.guessed is None or self.decimal == decimal:
            return self
        notes = [note for note in self.notes if not note.startswith(f"{self.guessed!r} is read")]
        if self.guessed:
            notes.append(
                f"{self.guessed!r} is read with decimal {'points' if decimal == '.' else 'commas'}, as in training"
            )
        return replace(self, decimal=decimal, notes=tuple(notes))

    def without(self, names: Collection[str]) -> Table:
        """The table without the columns named."""
        for name in names:
            self.column(name)
        return replace(self, frame=self.frame.drop(list(names)))


def texts(column: pl.Series) -> list[Any]:
    """The different values of a column, for messages, in the order they first occur."""
    return list(column.drop_nulls().unique(maintain_order=True).to_list())
