"""CSV files as people have them, read into a `Table`."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.tables.options import TableError, counted, option, quoted
from chainrule.tables.table import Table

SEPARATORS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}
_SAMPLE = 1 << 16


def read(path: str | Path, separator: str | None = None, header: bool = True) -> Table:
    """The cells of a CSV file.

    Understood without being told: comma, semicolon, tab, bar and blanks between the cells, quotes, a byte order mark,
    UTF-8, UTF-16 and Windows-1252 text, `.gz`, blanks around cells, empty lines, comments (#) before the table, names
    that occur twice, a first column without a name.

    Parameters
    ----------
    path : str or Path
        The file.
    separator : str, optional
        The character between cells; found by looking when not given. "comma", "semicolon", "tab", "bar" and "space"
        are known.
    header : bool
        Whether the first row holds the names of the columns; if not, they are `column_1`, `column_2`, ….

    Returns
    -------
    Table
        All cells as text.

    Raises
    ------
    TableError
        When the file is empty or no text, or its rows have different lengths.
    OSError
        When the file cannot be opened.

    Examples
    --------
    >>> from pathlib import Path
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "people.csv"
    >>> _ = path.write_text("name; age\\nAda; 36\\nAlan; 41\\n")
    >>> table = read(path)
    >>> table.names, table.column("age").tolist(), table.separator
    (('name', 'age'), ['36', '41'], ';')
    """
    path = Path(path)
    text, notes = _text(path)
    separator = _separator(separator)
    first, _, rest = text.partition("\n")
    skipped = 0
    if first.strip().lower().startswith("sep=") and len(first.strip()) <= 5:  # Excel writes and reads this line
        separator = separator or first.rstrip("\r\n")[4:5] or None
        text, skipped = rest, 1
    text, comments = _without_comments(text)
    separator = separator or _sniffed(text)
    text, dropped = _with_commented_header(text, comments, separator) if header else (text, len(comments))
    if dropped:
        notes.append(f"{counted(dropped, 'line')} of comment before the table left out")
    skipped += dropped
    rows, lines = _rows(text, separator, path.name, skipped)
    if not rows:
        raise TableError(f"{path.name} is empty; a table needs a row of column names and rows of values.")
    names = [name.strip() for name in rows[0]] if header else [f"column_{i + 1}" for i in range(len(rows[0]))]
    if header:
        rows, lines = rows[1:], lines[1:]
        if rows and all(len(row) == len(names) + 1 for row in rows):
            names.insert(0, "")  # R leaves the name of the row names out
    if not rows:
        raise TableError(f"{path.name} holds column names and nothing else; rows of values are needed.")
    rows = _even(rows, lines, names, path.name, separator)
    cells = np.array(rows, dtype=object).reshape(len(rows), len(names))
    filled = [bool(row) for row in (cells != "").any(axis=1)]
    if not all(filled):
        notes.append(f"{counted(len(rows) - sum(filled), 'row')} without any value left out")
        cells = cells[filled]
        lines = [line for line, keep in zip(lines, filled, strict=True) if keep]
    if not len(cells):
        raise TableError(f"{path.name} holds no values; rows of values are needed.")
    return _named(names, cells, lines, path.name, separator, header, notes)


def _separator(given: str | None) -> str | None:
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


def _text(path: Path) -> tuple[str, list[str]]:
    """The file's text, whatever its encoding."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise TableError(f"{path.name} is a damaged gzip file ({error}); make it again, or unpack it.") from error
    if data[:4] == b"PK\x03\x04":
        raise TableError(f"{path.name} is a spreadsheet or ZIP file, not CSV text; save the sheet as CSV first.")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace"), []
    if b"\0" in data[:_SAMPLE]:
        raise TableError(f"{path.name} is not text; a CSV file is expected (spreadsheets and databases can write one).")
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), ["the file is not UTF-8; read as Windows-1252 text"]


def _reader(text: str, separator: str, strict: bool = False) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=strict)


def _sniffed(text: str) -> str:
    """The separator under which the first rows have most evenly more than one cell."""
    sample = text[:_SAMPLE]
    if len(text) > _SAMPLE:
        sample = sample[: sample.rfind("\n") + 1] or sample

    def fit(separator: str) -> tuple[bool, float, int]:
        try:
            widths = [len(row) for row in _reader(sample, separator) if row]
        except csv.Error:
            return (False, 0.0, 0)
        if not widths or max(widths) == 1:
            return (False, 0.0, 0)
        (width, times), *_ = Counter(widths).most_common(1)
        return (widths[0] > 1 and width > 1, times / len(widths), width)

    best = max(SEPARATORS, key=fit)
    return " " if not fit(best)[0] and fit(" ")[0] else best


def _without_comments(text: str) -> tuple[str, list[str]]:
    """The text, and the lines beginning with # that stood before it."""
    comments = []
    while text.startswith("#"):
        first, _, text = text.partition("\n")
        comments.append(first)
    return text, comments


def _with_commented_header(text: str, comments: list[str], separator: str) -> tuple[str, int]:
    """The text, with the last comment as its header where that fits the first row; how many comments were left out."""
    if comments:
        header = comments[-1].lstrip("# ")
        rows = list(_reader(header + "\n" + text.lstrip().partition("\n")[0], separator))
        if len(rows) == 2 and len(rows[0]) == len(rows[1]) > 1:  # NumPy writes names so
            return header + "\n" + text, len(comments) - 1
    return text, len(comments)


def _rows(text: str, separator: str, source: str, skipped: int) -> tuple[list[list[str]], list[int]]:
    """All rows that are not blank, stripped, and the line each began at."""
    rows: list[list[str]] = []
    lines: list[int] = []
    reader = _reader(text, separator)
    begin = 0
    try:
        for row in reader:
            if row and (len(row) > 1 or row[0].strip()):
                rows.append([cell.strip() for cell in row])
                lines.append(begin + 1 + skipped)
            previous, begin = begin, reader.line_num
    except csv.Error as error:
        raise TableError(
            f"{source} cannot be read from line {begin + 1 + skipped} on ({error}); is a quotation mark open there?"
        ) from error
    if rows and begin - previous > 1:  # the last row spans lines: a quotation mark may never have been closed
        tail = "".join(io.StringIO(text, newline="").readlines()[previous:])
        try:
            list(_reader(tail, separator, strict=True))
        except csv.Error as error:
            raise TableError(
                f"{source} ends inside quotation marks opened at line {lines[-1]}; close them, or remove the mark."
            ) from error
    return rows, lines


def _even(rows: list[list[str]], lines: list[int], names: list[str], source: str, separator: str) -> list[list[str]]:
    """The rows, each as long as the names; empty cells too many at the end are cut off."""
    width = len(names)
    even = [row[:width] if len(row) > width and not any(row[width:]) else row for row in rows]
    wrong = [index for index, row in enumerate(even) if len(row) != width]
    if not wrong:
        return even
    places = ", ".join(f"line {lines[index]} has {len(even[index])}" for index in wrong[:3])
    more = ", …" if len(wrong) > 3 else ""
    known = NAMES.get(separator, repr(separator))
    raise TableError(
        f"{source} has {counted(width, 'column')} ({quoted(names)}), but {counted(len(wrong), 'row')} "
        f"{'has' if len(wrong) == 1 else 'have'} another number of cells: {places}{more}. Correct the rows (a cell "
        f"with a {known} in it needs quotation marks around it), or say what stands between cells: "
        f"{option('separator', 'semicolon')}."
    )


def _named(
    names: list[str], cells: np.ndarray, lines: list[int], source: str, separator: str, header: bool, notes: list[str]
) -> Table:
    """The table, with every column named once and columns of nothing left out."""
    unnamed = [index for index, name in enumerate(names) if not name]
    empty = [index for index in unnamed if not (cells[:, index] != "").any()]
    for index in unnamed:
        names[index] = f"column_{index + 1}"
        if index not in empty:
            notes.append(f"column {index + 1} has no name; called {names[index]!r} here")
    taken: set[str] = set(names)
    repeated: list[str] = []
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            number = next(n for n in range(2, len(names) + 2) if f"{name}_{n}" not in taken)
            names[index] = f"{name}_{number}"
            taken.add(names[index])
            repeated.append(name)
            notes.append(f"column {index + 1} is another {name!r}; called {names[index]!r} here")
        seen.add(names[index])
    keep = [index for index in range(len(names)) if index not in empty]
    return Table(
        names=tuple(names[index] for index in keep),
        cells=cells[:, keep],
        lines=np.array(lines, dtype=np.int64),
        source=source,
        separator=separator,
        header=header,
        notes=tuple(notes),
        repeated=tuple(repeated),
    )
