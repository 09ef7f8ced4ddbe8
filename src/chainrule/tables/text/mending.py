"""Text files whose rows are uneven, blank or quoted in another way: written anew as regular ones, or refused by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.options import TableError, counted, option, quoted
from chainrule.tables.text.dialect import NAMES, Dialect, cells_of_any_length, reader


@dataclass(frozen=True)
class Mended:
    """A text written anew with commas between the cells, where its rows began, and which lines were left out.

    Attributes
    ----------
    data : bytes
        The rows of values.
    lines : int array, (rows,)
        Where each row began in the file, counted from 1.
    blank : list of int
        The lines left out because nothing stands in them.
    """

    data: bytes
    lines: NDArray[np.int64]
    blank: list[int]


def mended(data: bytes, dialect: Dialect, source: str) -> Mended:
    """The rows of values as RFC 4180 writes them, each as long as there are columns.

    Empty cells too many at the end of a row are cut off.

    Raises
    ------
    TableError
        When rows are of other lengths, or a quotation mark is left open; the lines are named.

    Examples
    --------
    >>> from chainrule.tables.text.dialect import look
    >>> text = b'x;y\\n1;2;\\n\\n 3 ; "4"\\n'
    >>> again = mended(text, look(text, "data.csv"), "data.csv")
    >>> again.data, again.lines.tolist(), again.blank
    (b'1,2\\n3,4\\n', [2, 4], [3])
    """
    width = len(dialect.names)
    text = data[dialect.start :]
    out = io.BytesIO()
    written = io.TextIOWrapper(out, "utf-8", newline="")
    write = csv.writer(written, lineterminator="\n").writerow
    lines: list[int] = []
    blank: list[int] = []
    wrong: list[tuple[int, int]] = []
    begin = previous = 0
    with cells_of_any_length():
        escape = "\\" if _has_escapes(text, dialect.separator) else None
        reading = reader(_lines(text), dialect.separator, escape)
        for row in reading:
            line = begin + dialect.line
            if width > 1 and (not row or (len(row) == 1 and not row[0].strip())):
                blank.append(line)
            else:
                cells = [cell.strip() for cell in row] or [""]
                if len(cells) > width and not any(cells[width:]):
                    cells = cells[:width]
                if len(cells) != width:
                    wrong.append((line, len(cells)))
                write(cells)
                lines.append(line)
            previous, begin = begin, reading.line_num
    if begin - previous > 1:  # the last row spans lines: a quotation mark may never have been closed
        _refuse_open_quotes(text, previous, dialect, source, escape)
    if wrong:
        raise uneven(wrong, dialect, source)
    written.flush()
    between = [line for line in blank if line < lines[-1]] if lines else []
    return Mended(out.getvalue(), np.array(lines, dtype=np.int64), between)


def refuse_open_header(data: bytes, dialect: Dialect, source: str) -> None:
    """Raise when a quotation mark that the names of the columns open is never closed."""
    begin = previous = 0
    with cells_of_any_length():
        reading = reader(_lines(data), dialect.separator)
        for _ in reading:
            previous, begin = begin, reading.line_num
    if begin - previous > 1:
        _refuse_open_quotes(data, previous, replace(dialect, line=1), source)


def _refuse_open_quotes(text: bytes, row: int, dialect: Dialect, source: str, escape: str | None = None) -> None:
    """Raise when the last row, which begins `row` lines after the first one, leaves a quotation mark open."""
    with cells_of_any_length():
        try:
            list(reader(islice(_lines(text), row, None), dialect.separator, escape, strict=True))
        except csv.Error as error:
            raise TableError(
                f"{source} ends inside quotation marks opened at line {row + dialect.line}; close them, or remove the mark."
            ) from error


def _has_escapes(text: bytes, separator: str) -> bool:
    """Whether quotation marks within cells have a backslash before them (MySQL, Spark): only then are all well formed."""
    if b'\\"' not in text:
        return False
    for escape, formed in ((None, False), ("\\", True)):
        try:
            for _ in reader(_lines(text), separator, escape, strict=True):
                pass
        except csv.Error:
            if formed:
                return False
        else:
            if not formed:
                return False
    return True


def _lines(text: bytes) -> Iterator[str]:
    """The lines of UTF-8 text with their ends, not all decoded at once."""
    yield from io.TextIOWrapper(io.BytesIO(text), "utf-8", newline="")


def uneven(wrong: Sequence[tuple[int, int]], dialect: Dialect, source: str) -> TableError:
    """The error for rows, given by line and number of cells, that are not as long as there are columns."""
    places = ", ".join(f"line {line} has {count}" for line, count in wrong[:3])
    known = NAMES.get(dialect.separator, repr(dialect.separator))
    return TableError(
        f"{source} has {counted(len(dialect.names), 'column')} ({quoted(list(dialect.names))}), but "
        f"{counted(len(wrong), 'row')} {'has' if len(wrong) == 1 else 'have'} another number of cells: "
        f"{places}{', …' if len(wrong) > 3 else ''}. Correct the rows (a cell with a {known} in it needs quotation marks "
        f"around it), or say what stands between cells: {option('separator', 'semicolon')}."
    )
