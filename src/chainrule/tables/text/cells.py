"""The cells of a regular text file: read by Polars, all as text, and checked to have been as many in every row."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.wide import each

if TYPE_CHECKING:
    import polars as pl

_BLOCK = 1 << 20


def regular_cells(data: bytes, separator: str, width: int) -> tuple[pl.DataFrame, NDArray[np.int64]] | None:
    """The cells, stripped, null where empty, and in which line after the first each row begins; None where irregular.

    Regular is what has `width` cells in every row, one character between them, and quotation marks only around whole
    cells, doubled within them (RFC 4180). What is not regular, Polars would read as something else, in silence.

    Examples
    --------
    >>> frame, lines = regular_cells(b'1, x\\n2,"y\\nz"\\n3,', ",", 2)
    >>> frame.rows(), lines.tolist()
    ([('1', 'x'), ('2', 'y\\nz'), ('3', None)], [0, 1, 3])
    >>> regular_cells(b"1,2\\n3", ",", 2) is None
    True
    """
    import polars as pl

    if not data or not separator.isascii() or not _regular_quotes(data, separator):
        return None
    if separator == " " and (b"  " in data or b"\n " in data or b" \n" in data or b" \r" in data or data[:1] == b" "):
        return None
    try:
        frame = pl.read_csv(
            data,
            has_header=False,
            separator=separator,
            schema=dict.fromkeys([str(i) for i in range(width)], pl.String),
        )
    except pl.exceptions.PolarsError:  # a row with more cells than columns
        return None
    quotes = b'"' in data
    if width > 1 and frame.get_column(frame.columns[-1]).null_count():  # rows with fewer cells end in nulls
        within = _total(frame, separator) if quotes else 0
        if data.count(separator.encode()) - within != frame.height * (width - 1):
            return None
    lines = np.arange(frame.height)
    broken = quotes and data.count(b"\n") - data.endswith(b"\n") != frame.height - 1
    if broken:
        lines[1:] += np.cumsum(_line_feeds(frame))[:-1]
    blank = broken or _blanks_around_cells(data, separator)
    if blank:
        frame = pl.DataFrame(each(frame.get_columns(), lambda column: column.str.strip_chars()))
    if blank or (quotes and b'""' in data):
        frame = pl.DataFrame(each(frame.get_columns(), lambda column: column.replace("", None)))
    return frame, lines


def _regular_quotes(data: bytes, separator: str) -> bool:
    """Whether every quotation mark opens a cell, closes it, or is one of a pair within it."""
    if b'"' not in data:
        return True
    around = np.zeros(256, dtype=bool)
    around[[*separator.encode(), *b"\r\n"]] = True
    opening, last = True, -2
    for text in _blocks(data):
        places = np.flatnonzero(text[1:-1] == ord('"'))
        if not len(places):
            last = -2
            continue
        before, after = around[text[places]], around[text[places + 2]]
        opens = np.arange(len(places)) % 2 == (0 if opening else 1)
        pair_before = np.diff(places, prepend=last) == 1
        pair_after = text[places + 2] == ord('"')
        if not np.where(opens, before | pair_before, after | pair_after).all():
            return False
        opening ^= bool(len(places) % 2)
        last = int(places[-1]) - _BLOCK
    return opening


def _blanks_around_cells(data: bytes, separator: str) -> bool:
    """Whether a cell may begin or end with a blank."""
    if not data.isascii():  # blanks have many forms there
        return True
    blanks = [blank for blank in b" \t\v\f" if blank != ord(separator) and blank in data]
    if not blanks:
        return False
    edge = np.zeros(256, dtype=bool)
    edge[[ord(separator), *b'"\r\n']] = True
    for text in _blocks(data):
        places = np.flatnonzero(reduce(np.logical_or, [text[1:-1] == blank for blank in blanks]))
        if edge[text[places]].any() or edge[text[places + 2]].any():
            return True
    return False


def _blocks(data: bytes) -> Iterator[NDArray[np.uint8]]:
    """The text in blocks, each with one character of what lies before and behind it, a line end at both ends of all."""
    for begin in range(0, len(data), _BLOCK):
        before, behind = data[begin - 1 : begin] or b"\n", data[begin + _BLOCK : begin + _BLOCK + 1] or b"\n"
        yield np.frombuffer(before + data[begin : begin + _BLOCK] + behind, dtype=np.uint8)


def _total(frame: pl.DataFrame, text: str) -> int:
    """How often a text occurs in all cells."""
    return sum(int(column.str.count_matches(text, literal=True).sum()) for column in frame.get_columns())


def _line_feeds(frame: pl.DataFrame) -> NDArray[np.int64]:
    """How many line feeds the cells of each row hold."""
    total = np.zeros(frame.height, dtype=np.int64)
    for column in frame.get_columns():
        if column.str.contains("\n", literal=True).any():
            total += column.str.count_matches("\n", literal=True).fill_null(0).to_numpy()
    return total
