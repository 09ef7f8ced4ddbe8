"""Whatever holds a table, made a `Table`: files of many kinds, one or several, standard input, frames of other libraries."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import SettingError
from chainrule.tables.options import TableError, quoted
from chainrule.tables.sources.files import File, Kind, files_of, kind_of
from chainrule.tables.sources.frames import frame_of, row_of
from chainrule.tables.sources.records import records
from chainrule.tables.table import Table
from chainrule.tables.text.decimal import Mark, decimal_mark, respelled
from chainrule.tables.text.encoding import utf8
from chainrule.tables.text.reading import from_bytes
from chainrule.tables.text.text_format import TextFormat
from chainrule.tables.threads import refuse_in_a_copy

if TYPE_CHECKING:
    from chainrule.tables.numbers import Decimal


def as_table(
    source: Any,
    separator: str | None = None,
    header: bool = True,
    decimal: Decimal | None = None,
    encoding: str | None = None,
) -> Table:
    """The table that `source` holds.

    Parameters
    ----------
    source : str, Path, or table
        A path; "-" for standard input; several files, as `part-*.csv`, a folder or a list of paths, whose columns go
        together by name; a data frame of pandas or Polars, an Arrow table, a dict of columns, a list of dicts, a
        structured or 2-D array; a Table.

        Files may be text (CSV and its relatives, also compressed), Parquet, Arrow (IPC, Feather), JSON or JSON lines.
    separator, header, decimal, encoding
        How text files are written; see `read`.

    Returns
    -------
    Table
        The columns of text files as text; those of others have their types, without numbers that are none (NaN).

    Raises
    ------
    TableError
        When there is no table in it, or files have different columns.
    SettingError
        When the decimal mark or the encoding is none.
    OSError
        When a file cannot be opened.

    Examples
    --------
    >>> table = as_table({"name": ["Ada", "Alan"], "age": [36, None]})
    >>> table.names, len(table), table.line(1)
    (('name', 'age'), 2, 'row 2')
    """
    refuse_in_a_copy()
    form = TextFormat(separator, header, decimal, encoding)
    if isinstance(source, Table):
        return source
    if isinstance(source, str) and source == "-":
        return _of_bytes(sys.stdin.buffer.read(), "standard input", form)
    files = files_of(source)
    if files is not None:
        tables = [of_file(file, form) for file in files]
        return tables[0] if len(tables) == 1 else _together(tables, str(source), decimal)
    return typed(source, "the table", decimal)


def cells_of_row(row: Any, columns: Sequence[str]) -> Mapping[str, Any]:
    """The cells by column of one row: a dict of single values, a row of a pandas frame, or a table of one row.

    Raises
    ------
    SettingError
        When the table has another number of rows.
    """
    cells = row_of(row, columns)
    if cells is None:
        table = as_table(row)
        if len(table) != 1:
            raise SettingError(f"explain was given {len(table)} rows; give one.")
        cells = table.frame.row(0, named=True)
    return cells


def of_file(file: File, form: TextFormat) -> Table:
    """The table of one file."""
    path = file.path
    with path.open("rb") as opened:
        if kind_of(opened.peek(4), path.name) == "parquet":  # Polars reads it piece by piece
            table = _columnar("parquet", path, path.name, form.decimal)
        else:
            table = _of_bytes(opened.read(), path.name, form)
    return with_parts(table, file.parts)


def with_parts(table: Table, parts: Mapping[str, str]) -> Table:
    """The table with columns that hold one value each."""
    import polars as pl

    columns = [pl.lit(value).alias(name) for name, value in parts.items()]
    return replace(table, frame=table.frame.with_columns(columns)) if columns else table


def _of_bytes(data: bytes, source: str, form: TextFormat) -> Table:
    """The table that the content of a file holds."""
    kind = kind_of(data, source)
    if kind == "text":
        return from_bytes(data, source, form)
    if kind == "json":
        text, notes, _ = utf8(data, source, form.encoding)
        held, remarks = records(text, source)
        table = typed(held, source, form.decimal)
        return replace(table, notes=(*notes, *remarks, *table.notes))
    return _columnar(kind, io.BytesIO(data), source, form.decimal)


def _columnar(kind: Kind, file: Path | io.BytesIO, source: str, decimal: Decimal | None) -> Table:
    import polars as pl

    try:
        frame = pl.read_parquet(file) if kind == "parquet" else pl.read_ipc(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise TableError(f"{source} is a damaged {kind} file ({error}); write it again.") from error
    return typed(frame, source, decimal)


def typed(holder: Any, source: str, decimal: Decimal | None) -> Table:
    """The table of what has columns with types; numbers may be written in those of text all the same."""
    frame, notes, repeated, left_out = frame_of(holder)
    if not frame.width or not frame.height:
        raise TableError(f"{source} holds no values; rows of values are needed.")
    mark = Mark(decimal) if decimal else decimal_mark(frame)
    notes += [mark.note] if mark.note else []
    return Table(
        frame, source, decimal=mark.decimal, notes=tuple(notes), repeated=repeated, guessed=mark.guessed,
        left_out=left_out,
    )  # fmt: skip


def one_mark(table: Table, decimal: Decimal) -> Table:
    """The table with this decimal mark, as files have that go together: its numbers are written so, or read so if nothing tells."""
    if table.guessed is not None:
        return table.of_mark(decimal)
    return replace(table, frame=respelled(table.frame, table.decimal, decimal), decimal=decimal)


def _together(tables: Sequence[Table], source: str, decimal: Decimal | None) -> Table:
    """The rows of several tables with the same columns, in any order."""
    import polars as pl

    first = tables[0]
    for table in tables[1:]:
        missing = [name for name in first.names if name not in table.frame.schema]
        more = [name for name in table.names if name not in first.frame.schema]
        if missing or more:
            lacks = f"lacks {quoted(missing)}" if missing else f"has {quoted(more)} besides"
            raise TableError(
                f"the files of {source} are to have the same columns, but {table.source} {lacks}; {first.source} has "
                f"{quoted(list(first.names), 8)}. Leave it out, or give it the same columns."
            )
    own = {table.decimal for table in tables if table.guessed is None}
    if decimal is None and len(own) > 1:
        tables, decimal = [one_mark(table, ".") for table in tables], "."
    frames = [table.frame.select(first.names) for table in tables]
    frame = pl.concat(frames, how="vertical_relaxed")
    mark = Mark(decimal or first.decimal, None, first.guessed)
    if decimal is None and any((table.decimal, table.guessed) != (mark.decimal, mark.guessed) for table in tables):
        mark = decimal_mark(frame, first.separator)
        tables = [table.of_mark(mark.decimal) for table in tables]
    notes = [f"{table.source}: {note}" for table in tables for note in table.notes]
    if mark.note and not any(note.endswith(mark.note) for note in notes):
        notes.append(mark.note)
    return Table(
        frame, source, None, first.separator, mark.decimal, first.header, tuple(notes), first.repeated, mark.guessed
    )
