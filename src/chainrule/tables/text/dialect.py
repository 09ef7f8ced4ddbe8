"""How a text file writes its table: found by looking at its first rows."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from chainrule.errors import SettingError
from chainrule.tables.options import TableError, counted, quoted

SEPARATORS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}

_LOOKED_AT = 1 << 16
_LINES = 4000
_ASKED = 200
"""Rows of which every cell is looked at."""

_NUMBER = re.compile(r"[-+]?[\d.,]*\d[\d.,]*(e[-+]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How a file writes its table.

    Attributes
    ----------
    separator : str
        The character between cells.
    names : tuple of str
        The columns as the file names them, "" for one without a name.
    start : int
        The byte at which the rows of values begin.
    line : int
        The line at which they begin, counted from 1.
    comments : int
        How many lines of comment stand before the table.
    titles : tuple of str
        What stands above the names of the columns, as in sheets that begin with a title.
    row_names : bool
        Whether rows begin with a cell that no column name stands above, as R writes them.
    """

    separator: str
    names: tuple[str, ...]
    start: int
    line: int
    comments: int
    titles: tuple[str, ...] = ()
    row_names: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What stands above the table and is no part of it, and where its names stand."""
        comments = f"{counted(self.comments, 'line')} of comment before the table left out"
        titles = f"{counted(len(self.titles), 'title')} above the table left out: {quoted(self.titles)}"
        shifted = "rows have one cell more than there are column names; the first cells are taken as row names, as R writes them"
        return (comments,) * bool(self.comments) + (titles,) * bool(self.titles) + (shifted,) * self.row_names


def look(data: bytes, source: str, separator: str | None = None, header: bool = True) -> Dialect:
    """How the text `data` writes its table.

    Examples
    --------
    >>> look(b"# made by hand\\nname; age\\nAda; 36\\n", "data.csv")
    Dialect(separator=';', names=('name', 'age'), start=25, line=3, comments=1, titles=(), row_names=False)
    """
    separator = checked_separator(separator)
    lines, whole = _head(data)
    begin = 0
    first = lines[0].strip() if lines else ""
    if first.lower().startswith("sep=") and len(first) <= 5:  # Excel writes and reads this line
        separator = separator or lines[0].rstrip("\r\n")[4:5] or None
        begin = 1
    titles: tuple[str, ...] = ()
    if header:
        titles, begin = _titles(lines, begin, separator)
    after = begin
    while after < len(lines) and (lines[after].startswith("#") or not lines[after].strip()):
        after += 1
    if after == len(lines):  # nothing but comments: a table whose first column begins with #
        after = begin
    separator = separator or _sniffed(lines[after:])
    table, commented = _without_comments(lines, begin, after, separator, header)
    comments = sum(line.startswith("#") for line in lines[begin:table])
    rows = _rows([lines[table].lstrip("# "), *lines[table + 1 :]] if commented else lines[table:], separator, whole)
    if not rows:
        raise TableError(f"{source} is empty; a table needs a row of column names and rows of values.")
    cells, used = rows[0]
    names, row_names = [f"column_{i + 1}" for i in range(len(cells))], False
    if header:
        names = cells
        others = [row for row, _ in rows[1:]]
        wider = bool(others) and all(len(row) == len(names) + 1 for row in others)
        row_names = wider and any(row[-1] for row in others)
        names = ["", *names] if row_names else names
        table += used
    start = sum(len(line.encode()) for line in lines[:table])
    return Dialect(separator, tuple(names), start, table + 1, comments, titles, row_names)


def checked_separator(given: str | None) -> str | None:
    """The separator asked for, by name or itself."""
    if given is None:
        return None
    by_name = {name: character for character, name in NAMES.items()} | {"\\t": "\t"}
    character = by_name.get(given, given)
    if len(character) != 1 or character in '"\r\n':
        raise SettingError(
            f"read was given separator={given!r}; it must be a single character, or one of {', '.join(NAMES.values())}."
        )
    return character


def reader(lines: Any, separator: str, escape: str | None = None, strict: bool = False) -> Any:
    """The rows of these lines, as Python's `csv` module reads them; `escape` takes the meaning of what follows it."""
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, escapechar=escape, strict=strict)


@contextmanager
def cells_of_any_length() -> Iterator[None]:
    """Python's `csv` module refuses cells of over 131,072 characters unless told otherwise, for the whole process."""
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _head(data: bytes) -> tuple[list[str], bool]:
    """The first lines, at least four however long they are, and whether these are all."""
    end = 0
    for _ in range(4):
        end = data.find(b"\n", end) + 1 or len(data)
    if end < _LOOKED_AT < len(data):
        end = data.rfind(b"\n", 0, _LOOKED_AT) + 1
    end = len(data) if len(data) <= _LOOKED_AT else end
    lines = io.StringIO(data[:end].decode(), newline="").readlines()
    return lines[:_LINES], end == len(data) and len(lines) <= _LINES


def _rows(lines: Sequence[str], separator: str, whole: bool = True) -> list[tuple[list[str], int]]:
    """The rows that are not blank, stripped, each with the number of the lines up to its end."""
    rows: list[tuple[list[str], int]] = []
    with cells_of_any_length():
        reading = reader(iter(lines), separator)
        for row in reading:
            if any(cell.strip() for cell in row) or len(row) > 1:
                rows.append(([cell.strip() for cell in row], reading.line_num))
    return rows if whole or len(rows) < 3 else rows[:-1]  # the last one may go on in the lines not looked at


def _sniffed(lines: Sequence[str]) -> str:
    """The separator under which the first rows have most evenly more than one cell."""

    def fit(separator: str) -> tuple[bool, float, bool, int]:
        rows = [row for row, _ in _rows(lines, separator)]
        widths = [len(row) for row in rows]
        if not widths or max(widths) == 1:
            return (False, 0.0, False, 0)
        (width, times), *_ = Counter(widths).most_common(1)
        numbers = sum(bool(_NUMBER.fullmatch(cell)) for row in rows[:_ASKED] for cell in row)
        return (
            widths[0] > 1 and width > 1,
            times / len(widths),
            numbers > 0.9 * sum(widths[:_ASKED]),  # so are the cells of 1,5;2,5 between semicolons, not between commas
            width,
        )

    fits = {separator: fit(separator) for separator in SEPARATORS}
    best = max(fits, key=fits.__getitem__)
    if fits[best][0]:
        return best
    if fit(" ")[0]:
        return " "
    amounts = [bool(_NUMBER.fullmatch(line.strip())) for line in lines[1:] if line.strip()]
    return ";" if amounts and all(amounts) else best  # one column, whose commas are decimal marks


def _titles(lines: Sequence[str], begin: int, separator: str | None) -> tuple[tuple[str, ...], int]:
    """Titles above a table, and the line after them: rows of one cell, below them names of three columns or more.

    With two columns it would be no title but the one name that R writes above a table of one column and row names; and where
    rows differ in length, they are sentences with commas. Where a separator parts the first line as it parts all others, that
    holds names, in how many cells ever decimal commas would part the others.
    """
    candidates = (separator,) if separator else SEPARATORS
    for candidate in candidates:
        if any(sum(map(bool, cells)) > 1 for cells, _ in _rows(lines[begin : begin + 1], candidate)):
            continue  # names, which may be many, stand in the first line
        rows = _rows(lines[begin : begin + _ASKED], candidate)
        filled = [[cell for cell in cells if cell] for cells, _ in rows]
        above = next((i for i, cells in enumerate(filled) if len(cells) > 1), 0)
        names = filled[above] if rows else []
        if (
            above
            and len(names) > 2
            and not any(_NUMBER.fullmatch(cell) for cell in names)
            and not any(cells and cells[0].startswith("#") for cells in filled[:above])
            and {len(cells) for cells, _ in rows[above:-1] or rows[above:]} == {len(rows[above][0])}
            and not any(_are_even(_rows(lines[begin : begin + _ASKED], other)) for other in candidates)
        ):
            return tuple(cell for cells in filled[:above] for cell in cells), begin + rows[above - 1][1]
    return (), begin


def _are_even(rows: Sequence[tuple[list[str], int]]) -> bool:
    """Whether rows have several cells each and equally many, but for the last, which may go on."""
    whole = [cells for cells, _ in (rows[:-1] if len(rows) > 2 else rows)]
    return len(whole) > 0 and sum(map(bool, whole[0])) > 1 and len({len(cells) for cells in whole}) == 1


def _without_comments(lines: Sequence[str], begin: int, after: int, separator: str, header: bool) -> tuple[int, bool]:
    """The line at which the table begins, and whether that is a comment with the names of the columns (NumPy's way).

    It is among the lines from `begin` on, of which those before `after` begin with # (and so may rows of values).
    """

    def cells(line: str) -> list[str]:
        return next((row for row, _ in _rows([line], separator)), [])

    def numeric(row: Sequence[str]) -> list[bool]:
        return [bool(_NUMBER.fullmatch(cell)) for cell in row]

    following = [row for row, _ in _rows(lines[after : after + 50], separator)]
    if not following:
        return after, False
    while after > begin and any(kinds := numeric(following[0])) and numeric(cells(lines[after - 1])) == kinds:
        after -= 1
    if not header or after == begin:
        return after, False
    names = cells(lines[after - 1].lstrip("# "))
    if not len(names) == len(following[0]) > 1:
        return after, False
    if any(numeric(following[0])):
        return after - 1, True
    others = [numeric(row) for row in following[1:] if len(row) == len(names)]
    named = any(all(column) for column in zip(*others, strict=True))  # what has no numbers above those that do is names
    sentence = names[0] and any(" " in name for name in names)
    return (after, False) if named or sentence else (after - 1, True)
