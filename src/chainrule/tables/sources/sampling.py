"""Tables larger than what is worth reading: rows drawn at random, in one pass and in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.sources.files import files_of, kind_of
from chainrule.tables.sources.source import as_table, one_mark
from chainrule.tables.sources.streaming import stream
from chainrule.tables.table import Drawn, Table
from chainrule.tables.threads import refuse_in_a_copy

if TYPE_CHECKING:
    import polars as pl

    from chainrule.tables.numbers import Decimal

    Keyed = tuple[pl.DataFrame, NDArray[np.float64], NDArray[np.intp]]
    """Rows, a number of each, of which those with the smallest stay, and their places in the files."""

MOST_CELLS = 6_000_000
"""Cells that are learned from at most: a training of some seconds does not come round to more, and 600 MB are enough for them."""

BYTES_OF_A_CELL = 8
"""About what a cell takes in a text file."""


def sample(
    source: Any,
    separator: str | None = None,
    header: bool = True,
    decimal: Decimal | None = None,
    seed: int = 0,
    encoding: str | None = None,
) -> Table:
    """The table that `source` holds; of files with more than 6 million cells, as many rows drawn at random as have so many.

    Every row is as likely as any other. Arguments are those of `as_table`; the same seed draws the same rows.

    Examples
    --------
    >>> len(sample({"x": [1, 2, 3]}))
    3
    """
    refuse_in_a_copy()
    standard_input = isinstance(source, str) and source == "-"  # a frame compares all its cells
    files = None if source is None or standard_input else files_of(source)
    if files is None or sum(_cells(file.path) for file in files) <= MOST_CELLS:
        return as_table(source, separator, header, decimal, encoding)
    random, rows, most = np.random.default_rng(seed), 0, 1
    kept: list[Keyed] = []
    first: Table | None = None
    notes: list[str] = []
    for part in stream(source, None, 2**16, separator, header, decimal, encoding):
        first = first or part
        part = part if decimal else one_mark(part, first.decimal)
        notes += part.notes
        most, places = max(1, MOST_CELLS // part.frame.width), np.arange(rows, rows + len(part))
        rows += len(part)
        kept.append((part.frame.select(first.names), random.random(len(part)), places))
        if sum(len(own) for own, _, _ in kept) > 1.25 * most:
            kept = [_least(kept, most)]
    assert first is not None  # files that hold something have parts
    frame, _, places = _least(kept, most)
    drawn = Drawn(places, rows) if len(frame) < rows else None
    if drawn is not None:
        notes.append(f"{rows:,} rows are in the files; {len(frame):,} of them, drawn at random, are used for training")
    return replace(first, frame=frame, source=str(source), lines=None, notes=tuple(dict.fromkeys(notes)), drawn=drawn)


def _least(kept: Sequence[Keyed], most: int) -> Keyed:
    """The rows with the smallest keys, in the order they were read in, with these and their places."""
    import polars as pl

    frames, keys, places = zip(*kept, strict=True)
    frame, key, place = pl.concat(frames, how="vertical_relaxed"), np.concatenate(keys), np.concatenate(places)
    if len(frame) <= most:
        return frame, key, place
    chosen = key <= np.partition(key, most - 1)[most - 1]
    return frame.filter(pl.Series(chosen)), key[chosen], place[chosen]


def _cells(path: Path) -> int:
    """About how many cells a file has."""
    import polars as pl

    with path.open("rb") as file:
        kind = kind_of(file.read(6), path.name)
    if kind in ("parquet", "arrow"):
        lazy = pl.scan_parquet(path) if kind == "parquet" else pl.scan_ipc(path)
        return int(lazy.select(pl.len()).collect().item()) * len(lazy.collect_schema())
    return path.stat().st_size // BYTES_OF_A_CELL
