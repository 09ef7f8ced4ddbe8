"""What JSON holds, as whatever `frame_of` takes: records, one record a line, columns, rows by their labels."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from chainrule.tables.names import unique_names
from chainrule.tables.options import TableError, quoted


def records(data: bytes, source: str) -> tuple[Any, list[str]]:
    """The table that JSON in UTF-8 holds, and notes.

    Examples
    --------
    >>> records(b'[{"age": 36}, {"age": 41}]', "people.json")[0].rows()
    [(36,), (41,)]
    >>> records(b'{"Ada": {"age": 36, "town": "Rome"}, "Alan": {"age": 41, "town": "Bath"}}', "people.json")[0]
    [{'age': 36, 'town': 'Rome'}, {'age': 41, 'town': 'Bath'}]
    """
    import polars as pl

    first, _, others = data.strip().partition(b"\n")
    lines = bool(others) and _is_json(first)
    try:
        if lines:
            return pl.read_ndjson(io.BytesIO(data), infer_schema_length=None), []
        if first.startswith(b"["):
            return pl.read_json(io.BytesIO(data), infer_schema_length=None), []
    except pl.exceptions.PolarsError:  # values of several kinds in a column
        pass
    try:
        read = [json.loads(line) for line in data.splitlines() if line.strip()] if lines else json.loads(data)
    except ValueError as error:
        raise TableError(f"{source} is not JSON ({error}); write it again.") from error
    return _of_mapping(read) if isinstance(read, dict) else (read, [])


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def _of_mapping(read: dict[str, Any]) -> tuple[Any, list[str]]:
    """The table of an object, in one of the forms that pandas writes, or records beside other things."""
    if {"columns", "data"} <= set(read) and _are_lists(read["columns"], read["data"]):  # pandas' orient="split"
        names, _, notes = unique_names(
            ["_".join(map(str, x)) if isinstance(x, list) else str(x) for x in read["columns"]]
        )
        return [dict(zip(names, row, strict=False)) for row in read["data"]], notes
    if {"schema", "data"} <= set(read) and _is_records(
        read["data"]
    ):  # orient="table"; an index without a name counts the rows
        about = read["schema"] if isinstance(read["schema"], dict) else {}
        index = {"index"}.intersection(about.get("primaryKey", ()))
        return [{name: cell for name, cell in row.items() if name not in index} for row in read["data"]], []
    if read and all(isinstance(values, dict) and values for values in read.values()):
        return _of_mappings(read)
    if all(isinstance(values, list) for values in read.values()) and not _of_records(read):
        return read, []
    tables = [name for name, values in read.items() if _is_records(values)]
    if len(tables) == 1:
        beside = [name for name in read if name != tables[0]]
        return read[tables[0]], [f"the table is {tables[0]!r}; {quoted(beside)} beside it left out"] if beside else []
    return [read], []


def _of_records(read: Mapping[str, Any]) -> bool:
    return len(read) == 1 and all(map(_is_records, read.values()))


def _are_lists(names: Any, rows: Any) -> bool:
    return isinstance(names, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows)


def _is_records(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(row, dict) for row in values)


def _of_mappings(read: dict[str, dict[str, Any]]) -> tuple[Any, list[str]]:
    """Columns of cells by the rows' labels, or rows of cells by the columns' names, by which of both counts, or else varies.

    pandas writes the first as orient="columns" and the second as orient="index". The labels of rows count them in most tables;
    where none do, the cells of a column are of one kind, and those of a row seldom.
    """
    inner = dict.fromkeys(name for values in read.values() for name in values)
    notes: list[str] = []
    if _count(read) != _count(inner):
        by_row = _count(read)
    else:
        across = sum(_is_mixed(values.values()) for values in read.values()) / len(read)
        along = sum(_is_mixed(values.get(name) for values in read.values()) for name in inner) / len(inner)
        by_row = along < across
        what = "a row by its columns" if by_row else "a column by its rows"
        notes.append(f"each of {quoted(read)} is taken for {what}; records, [{{…}}, {{…}}], leave no doubt")
    if by_row:
        return list(read.values()), notes
    return {name: [values.get(label) for label in inner] for name, values in read.items()}, notes


def _count(labels: Iterable[str]) -> bool:
    return all(label.removeprefix("-").isdecimal() for label in labels)


def _is_mixed(cells: Iterable[Any]) -> bool:
    """Whether there are both numbers and others among cells."""
    return (
        len({isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in cells if cell is not None}) > 1
    )
