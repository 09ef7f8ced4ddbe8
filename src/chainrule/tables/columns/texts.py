"""Cells as texts: how each is spelled, how often it occurs, and a number for each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.composed import composed

if TYPE_CHECKING:
    import polars as pl

FEW = 2000
"""Up to so many cells Python's own dictionaries are quicker than a columnar reader's."""


SINGLE = str, int, float, bool, type(None)
"""Types of cells that are spelled alike one by one and in a column."""


def as_text(cell: Any) -> str:
    """One cell's text: 1.0 as 1, True as true."""
    if type(cell) is str:
        return cell
    if isinstance(cell, bool | np.bool_):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def of_numpy(cell: Any) -> Any:
    """What a number or a moment of NumPy's, or its array without axes, is in Python; anything else as it is."""
    if isinstance(cell, np.ndarray) and cell.ndim == 0:
        cell = cell[()]
    if isinstance(cell, np.datetime64 | np.timedelta64):  # of nanoseconds Python has whole numbers
        return cell.astype(f"{cell.dtype.kind}8[us]").item()
    return cell.item() if isinstance(cell, np.generic) else cell


def plain(cell: Any) -> Any:
    """One cell as Python has it: what NumPy's and pandas' scalars stand for, None for what they call missing or infinite."""
    cell = of_numpy(cell)
    if isinstance(cell, bytes):
        with suppress(UnicodeDecodeError):  # other bytes are refused as any other object is
            cell = cell.decode()
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if isinstance(cell, str):
        return composed(cell)
    return None if type(cell).__name__ in ("NAType", "NaTType") else cell


def as_texts(cells: pl.Series) -> pl.Series | None:
    """The cells' texts, null where there is none; None for lists and other things that are no single value."""
    import polars as pl

    kind = cells.dtype
    if kind == pl.String:
        return cells
    if not are_single(cells):
        return None
    if kind.is_integer() or kind in (pl.Categorical, pl.Enum, pl.Boolean):
        return cells.cast(pl.String)
    if kind.is_float():  # infinity is no number, as in columns of numbers
        cells = cells.set(~cells.is_finite(), None)
    found = cells.to_list()
    if kind == pl.Float32:  # of whose 0.1 float64 makes 0.10000000149011612
        found = [None if cell is None else float(str(np.float32(cell))) for cell in found]
    texts = [None if cell is None else as_text(cell) for cell in found]
    return pl.Series(cells.name, texts, dtype=pl.String)


def trimmed(cells: pl.Series) -> pl.Series | None:
    """The cells' texts without blanks around them, as files are read: a frame's `WD ` and a file's `WD` are the same."""
    texts = as_texts(cells)
    return texts if texts is None or cells.dtype.is_numeric() else texts.str.strip_chars().replace("", None)


def are_single(cells: pl.Series) -> bool:
    """Whether cells are single values, not lists, structures, bytes or objects of Python."""
    import polars as pl

    return not (cells.dtype.is_nested() or cells.dtype in (pl.Binary, pl.Object))


def occurrences(texts: pl.Series) -> dict[str | None, int]:
    """How often each text occurs, the commonest first, then by spelling."""
    if len(texts) <= FEW:
        counts: dict[str | None, int] = Counter(texts.to_list())
    else:
        values, numbers = texts.value_counts().get_columns()
        counts = dict(zip(values.to_list(), numbers.to_list(), strict=True))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0] is None, item[0] or "")))


def mapped(
    texts: pl.Series, number: Callable[[str | None], float]
) -> tuple[NDArray[np.float64], dict[str | None, float]]:
    """A number for every text, shape (rows,), and the number of each different text."""
    import polars as pl

    if len(texts) <= FEW:
        cells = texts.to_list()
        found = {text: number(text) for text in dict.fromkeys(cells)}
        return np.fromiter(map(found.__getitem__, cells), np.float64, len(cells)), found
    found = {text: number(text) for text in texts.unique(maintain_order=True).to_list()}
    known = [text for text in found if text is not None]
    numbers = pl.Series([found[text] for text in known], dtype=pl.Float64)
    values = texts.replace_strict(pl.Series(known, dtype=pl.String), numbers, default=None, return_dtype=pl.Float64)
    return values.fill_null(found.get(None, np.nan)).to_numpy(writable=True), found
