"""Text files as people have them, read into a `Table`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import MissingFileError
from chainrule.tables.names import unique_names
from chainrule.tables.options import TableError, counted
from chainrule.tables.table import Table
from chainrule.tables.text.cells import regular_cells
from chainrule.tables.text.decimal import Mark, decimal_mark
from chainrule.tables.text.dialect import Dialect, look
from chainrule.tables.text.encoding import utf8
from chainrule.tables.text.mending import mended, refuse_open_header
from chainrule.tables.text.text_format import TextFormat
from chainrule.tables.threads import refuse_in_a_copy

if TYPE_CHECKING:
    import polars as pl

    from chainrule.tables.numbers import Decimal


def read(
    path: str | Path,
    separator: str | None = None,
    header: bool = True,
    decimal: Decimal | None = None,
    encoding: str | None = None,
) -> Table:
    """The cells of a text file, such as CSV.

    Understood without being told: comma, semicolon, tab, bar and blanks between the cells, decimal points and commas,
    quotes, a byte order mark, UTF-8, UTF-16, UTF-32 and Windows-1252 text, gzip, bzip2, xz and Zstandard, blanks around cells,
    empty lines, comments (#) and titles before the table, names that occur twice, a first column without a name.

    Parameters
    ----------
    path : str or Path
        The file.
    separator : str, optional
        The character between cells; found by looking when not given. "comma", "semicolon", "tab", "bar" and "space"
        are known.
    header : bool
        Whether the first row holds the names of the columns; if not, they are `column_1`, `column_2`, ….
    decimal : {".", ","}, optional
        The decimal mark of all numbers in the file; found by looking when not given.
    encoding : str, optional
        What its bytes mean, as Python names it: "latin-1", "cp850", …; found by looking when not given.

    Returns
    -------
    Table
        All cells as text.

    Raises
    ------
    TableError
        When the file is empty or no text, or its rows have different lengths.
    SettingError
        When the decimal mark or the encoding is none.
    OSError
        When the file cannot be opened.

    Examples
    --------
    >>> from pathlib import Path
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "people.csv"
    >>> _ = path.write_text("name; size\\nAda; 1,63\\nAlan; 1,79\\n")
    >>> table = read(path)
    >>> table.names, table.column("size").to_list(), table.separator, table.decimal
    (('name', 'size'), ['1,63', '1,79'], ';', ',')
    """
    path = Path(path)
    MissingFileError.unless_there(path)
    return from_bytes(path.read_bytes(), path.name, TextFormat(separator, header, decimal, encoding))


def from_bytes(data: bytes, source: str, form: TextFormat = TextFormat()) -> Table:  # noqa: B008 (frozen)
    """The table that the bytes of a text file hold; `source` is its name in messages."""
    refuse_in_a_copy()
    data, notes, _ = utf8(data, source, form.encoding)
    dialect = look(data, source, form.separator, form.header)
    table = of_text(data, dialect, source, form.decimal)
    return replace(table, header=form.header, notes=(*notes, *dialect.notes, *table.notes))


def of_text(data: bytes, dialect: Dialect, source: str, decimal: Decimal | None = None) -> Table:
    """The table that UTF-8 text holds in this dialect."""
    frame, lines, notes = _cells(data, dialect, source)
    frame, lines, remarks = _without_empty_rows(frame, lines)
    notes += remarks
    if not frame.height:
        raise TableError(f"{source} holds no values; rows of values are needed.")
    frame, repeated, remarks = _named(frame, dialect.names)
    notes += remarks
    mark = Mark(decimal) if decimal else decimal_mark(frame, dialect.separator)
    notes += [mark.note] if mark.note else []
    return Table(
        frame,
        source,
        lines,
        dialect.separator,
        mark.decimal,
        notes=tuple(notes),
        repeated=repeated,
        guessed=mark.guessed,
    )


def _cells(data: bytes, dialect: Dialect, source: str) -> tuple[pl.DataFrame, NDArray[np.int64], list[str]]:
    """All cells of the rows of values, the line each row began at, and notes."""
    width = len(dialect.names)
    end = len(data)
    while data[end - 1 : end] in (b"\r", b"\n"):
        end -= 1
    end = len(data) if end + 1 == len(data) else end  # one line feed may stay: what is all of the data needs no copy
    body = data[dialect.start : end]
    if not body or body.isspace():
        refuse_open_header(data, dialect, source)
        raise TableError(f"{source} holds column names and nothing else; rows of values are needed.")
    read = regular_cells(body, dialect.separator, width)
    if read is not None:
        return read[0], read[1] + dialect.line, []
    anew = mended(data, dialect, source)
    if not len(anew.lines):
        raise TableError(f"{source} holds no values; rows of values are needed.")
    read = regular_cells(anew.data, ",", width)
    if read is None:
        raise TableError(f"{source} cannot be read; write it as CSV with commas between the cells.")
    notes = [f"{counted(len(anew.blank), 'blank line')} left out ({places(anew.blank)})"] if anew.blank else []
    return read[0], anew.lines, notes


def places(lines: list[int], most: int = 5) -> str:
    """Some lines for a message: `lines 3, 5, 8, …`."""
    shown = ", ".join(map(str, lines[:most])) + (", …" if len(lines) > most else "")
    return f"line {shown}" if len(lines) == 1 else f"lines {shown}"


def _without_empty_rows(
    frame: pl.DataFrame, lines: NDArray[np.int64]
) -> tuple[pl.DataFrame, NDArray[np.int64], list[str]]:
    """The rows up to the last one with a value; rows without any before it stay, so that the others keep their numbers."""
    empty = np.ones(frame.height, dtype=bool)
    for column in frame.get_columns():
        if not empty.any():
            return frame, lines, []
        empty &= column.is_null().to_numpy() if column.null_count() else False
    if not empty.any():
        return frame, lines, []
    end = frame.height - int(np.argmin(empty[::-1])) if not empty.all() else 0
    between = np.flatnonzero(empty[:end])
    notes = []
    if end < frame.height:
        notes.append(f"{counted(frame.height - end, 'row')} without any value at the end left out")
    if len(between):
        where = places([int(line) for line in lines[between]])
        notes.append(
            f"{counted(len(between), 'row')} without any value ({where}) kept, so that rows keep their numbers"
        )
    return frame[:end], lines[:end], notes


def _named(frame: pl.DataFrame, given: tuple[str, ...]) -> tuple[pl.DataFrame, tuple[str, ...], list[str]]:
    """The frame with every column named once and columns of nothing left out, names given twice, and notes."""
    empty = {i for i, name in enumerate(given) if not name and frame.to_series(i).null_count() == frame.height}
    names, repeated, notes = unique_names(given, empty)
    frame.columns = names
    if empty:
        frame = frame.select(name for i, name in enumerate(names) if i not in empty)
    return frame, repeated, notes
