"""Single rows into the network's inputs, cell by cell: a table of one row takes ten times as long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns import Column
from chainrule.tables.columns.texts import as_text, plain
from chainrule.tables.missing import Spelling
from chainrule.tables.options import TableError, quoted
from chainrule.tables.preparing.blocks import Block, joined
from chainrule.tables.text.decimal import speaks_against


def read_row(blocks: Sequence[Block], spelling: Spelling, row: Mapping[str, Any]) -> NDArray[np.float32]:
    """The inputs for a row by column names, shape (1, features).

    Raises
    ------
    KeyError
        When a column is absent.
    TableError
        When a cell is no value of its column: of a row nobody sees remarks.
    """
    read = [
        [_value(column, cell, spelling) for column, cell in zip(block.columns, given, strict=True)]
        for block, given in zip(blocks, _cells(blocks, row), strict=True)
    ]
    return joined(blocks, read, 1)


def read_surely(
    blocks: Sequence[Block], spelling: Spelling, row: Mapping[str, Any], filled: bool
) -> NDArray[np.float32] | None:
    """The same of a table with this row alone, where nothing would have to be said of it.

    None where there may be, where a column is absent, a value is missing and not `filled`, or the table's decimal mark is not
    that of the spelling for sure.
    """
    if any(isinstance(cell, str) and speaks_against(cell, spelling.decimal) for cell in row.values()):
        return None
    read: list[list[NDArray[np.float64]]] = []
    try:
        for block, given in zip(blocks, _cells(blocks, row), strict=True):
            read.append([])
            for column, raw in zip(block.columns, given, strict=True):
                cell = plain(raw)
                value = np.asarray(column.read_one(cell, spelling))
                if _is_infinite(raw) or not column.is_sure(cell, value) or (not filled and np.isnan(value).any()):
                    return None
                read[-1].append(value[None])
    except (KeyError, TypeError):
        return None
    return joined(blocks, read, 1)


def _cells(blocks: Sequence[Block], row: Mapping[str, Any]) -> list[list[Any]]:
    """The cells that are used, block by block."""
    return [[row[column.name] for column in block.columns] for block in blocks]


def _is_infinite(cell: Any) -> bool:
    """Whether it is an infinity, which counts as missing with a remark."""
    return isinstance(cell, float | np.floating) and bool(np.isinf(cell))


def _value(column: Column, raw: Any, spelling: Spelling) -> NDArray[np.float64]:
    """One cell, shape (1,) or (1, parts)."""
    cell = raw if column.of_numbers and _is_infinite(raw) else plain(raw)
    try:
        value = np.asarray(column.read_one(cell, spelling))
    except TypeError:
        value = None
    if value is None or (cell is not None and np.isnan(value).any() and not spelling.is_missing(as_text(cell))):
        raise TableError(
            f"column {column.name!r} of the row holds {quoted([cell])}; the model learned a {column.kind} there. Give one, or "
            "None where it is missing."
        )
    return value[None]
