"""Tables larger than memory, in parts of some rows."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from chainrule.tables.names import unique_names
from chainrule.tables.sources.files import File, files_of, kind_of
from chainrule.tables.sources.source import as_table, of_file, typed, with_parts
from chainrule.tables.table import Table
from chainrule.tables.text.dialect import Dialect, look
from chainrule.tables.text.encoding import UTF8, in_blocks, utf8, wide
from chainrule.tables.text.reading import of_text
from chainrule.tables.text.text_format import TextFormat
from chainrule.tables.threads import refuse_in_a_copy

if TYPE_CHECKING:
    from chainrule.tables.numbers import Decimal

_BLOCK = 1 << 24
_ROWS = 1 << 18
"""Rows of a Parquet file that are decoded at once."""

_HEAD = 1 << 10
"""Bytes that tell the encoding."""

_SOMETHING = re.compile(rb"\S")

_ZSTANDARD = b"\x28\xb5\x2f\xfd"
"""How files begin that are unpacked as a whole."""

_OPENED: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}


def stream(
    source: Any,
    columns: Sequence[str] | None = None,
    rows: int = 65536,
    separator: str | None = None,
    header: bool = True,
    decimal: Decimal | None = None,
    encoding: str | None = None,
) -> Iterator[Table]:
    """The table that `source` holds, in parts of at most `rows` rows, without it ever being in memory as a whole.

    Parquet, Arrow and text files are read in parts, also where they are several; anything else is read and cut. The
    separator, the decimal mark, the encoding and the names of a text file are those its beginning shows.

    Parameters
    ----------
    source, separator, header, decimal, encoding
        As for `as_table`.
    columns : sequence of str, optional
        The columns to be read; all when not given.
    rows : int
        How many rows a part has at most.

    Examples
    --------
    >>> [len(part) for part in stream({"x": [1, 2, 3, 4, 5], "y": [0, 1, 0, 1, 0]}, ["x"], rows=2)]
    [2, 2, 1]
    """
    refuse_in_a_copy()
    form = TextFormat(separator, header, decimal, encoding)
    files = files_of(source) if source is not None and not _is_stdin(source) else None
    if files is None:
        yield from _cut([as_table(source, separator, header, decimal, encoding)], columns, rows)
        return
    for file in files:
        path = file.path
        with path.open("rb") as opened:
            kind = kind_of(first := opened.read(6), path.name)
        parts: Iterable[Table]
        if kind in ("parquet", "arrow"):
            parts = _typed_parts(path, kind, columns, max(rows, _ROWS), decimal)
        elif kind == "json" or first.startswith(_ZSTANDARD) or not in_blocks(form.encoding or _wide(path, first)):
            parts = [of_file(File(path), form)]
        else:
            parts = _text_parts(path, _OPENED.get(first[:2], open), form)
        yield from _cut((with_parts(part, file.parts) for part in parts), columns, rows)


def _wide(path: Path, first: bytes) -> str | None:
    """UTF-16 and UTF-32, which cannot be cut where a byte is that of a line feed."""
    with _OPENED.get(first[:2], open)(path, "rb") as file:
        return wide(file.read(_HEAD))


def _is_stdin(source: Any) -> bool:
    return isinstance(source, str) and source == "-"


def _typed_parts(
    path: Path, kind: str, columns: Sequence[str] | None, rows: int, decimal: Decimal | None
) -> Iterator[Table]:
    """The parts of a file whose columns have types; of the columns asked for, those that are in it are read."""
    import polars as pl

    lazy = pl.scan_parquet(path, low_memory=True) if kind == "parquet" else pl.scan_ipc(path)
    height = lazy.select(pl.len()).collect().item()
    if columns is not None:
        lazy = lazy.select([name for name in columns if name in lazy.collect_schema()])
    for begin in range(0, height, rows):
        part = typed(lazy.slice(begin, rows).collect(), path.name, decimal)
        decimal = part.decimal
        yield part


def _text_parts(path: Path, opened: Callable[..., Any], form: TextFormat) -> Iterator[Table]:
    """The parts of a text file, each as many whole rows as a block holds."""
    dialect: Dialect | None = None
    encoding, decimal = form.encoding, form.decimal
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    with opened(path, "rb") as file:
        for block in _blocks(file):
            data, remarks, found = utf8(block, path.name, encoding, 1 if dialect is None else dialect.line)
            encoding = encoding or (None if found == UTF8 else found)  # of a UTF-8 file a block may not be
            if dialect is None:
                dialect = look(data, path.name, form.separator, form.header)
                notes = (*remarks, *dialect.notes)
            else:
                notes = (*notes, *remarks)
                dialect = replace(dialect, start=0)
            if _SOMETHING.search(data, dialect.start):
                part = of_text(data, dialect, path.name, decimal)
                part = replace(part, header=form.header, notes=(*notes, *part.notes))
                names = names or part.names
                yield replace(part, frame=part.frame.select(names))
                dialect = replace(dialect, names=tuple(unique_names(dialect.names)[0]), separator=part.separator)
                decimal, notes = part.decimal, ()
            dialect = replace(dialect, line=dialect.line + data.count(b"\n", dialect.start))


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes in blocks that end where a row does: at a line feed outside quotation marks.

    All are read into one place, and what is given is the only copy of it: fresh memory costs more than what is written there.
    """
    place, held = bytearray(_BLOCK), 0
    while count := _read_into(file, place, held):
        held += count
        end = place.rfind(b"\n", 0, held) + 1
        within = b'"' in place and place.count(b'"', 0, end) % 2  # to count takes as long as to read
        while within:  # the line feed belongs to a cell that goes on in the next block, or to one before it
            begin = place.rfind(b"\n", 0, end - 1) + 1
            within ^= place.count(b'"', begin, end) % 2
            end = begin
        if end:
            yield bytes(memoryview(place)[:end])
            place[: held - end] = place[end:held]
            held -= end
        if held == len(place):  # a row that is longer
            place.extend(bytes(_BLOCK))
    if held:
        yield bytes(memoryview(place)[:held])


def _read_into(file: IO[bytes], place: bytearray, begin: int) -> int:
    """How many bytes could be read to a place from `begin` on, where there is room for more."""
    with memoryview(place) as whole, whole[begin:] as free:
        return int(file.readinto(free))  # type: ignore[attr-defined]


def _cut(parts: Iterable[Table], columns: Sequence[str] | None, rows: int) -> Iterator[Table]:
    for part in parts:
        for name in columns or ():
            part.column(name)
        chosen = part if columns is None else replace(part, frame=part.frame.select(columns))
        for begin in range(0, len(chosen), rows):
            yield chosen.rows(slice(begin, begin + rows))
