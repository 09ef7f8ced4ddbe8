"""Columns of text that are plain numbers throughout, as numbers: read once, in parallel where they are long."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from chainrule.tables.missing import Spelling
from chainrule.tables.numbers import CODED, EXACT, cast_expression, cast_texts, has_leading_zeros, merged
from chainrule.tables.table import Table

if TYPE_CHECKING:
    import polars as pl

LONG = 10_000
"""From so many rows on it pays to read columns in parallel."""

TOGETHER = 2
"""Columns that are read at once where room is short: two keep two cores busy, and more would be there as text and as numbers."""


def typed(table: Table, spelling: Spelling, names: Collection[str]) -> Table:
    """The table with those of the columns named that are plain numbers, or mean "no value", as Float64.

    Columns with other texts, with units, and with numbers spelled `01` stay text, since their spelling matters.

    Examples
    --------
    >>> import polars as pl
    >>> table = Table(pl.DataFrame({"age": ["3", "NA"], "zip": ["01", "20"], "price": ["$3", "$4"]}))
    >>> typed(table, Spelling(), table.names).frame.dtypes
    [Float64, String, String]
    """
    import polars as pl

    wanted = set(names)
    texts = {name: x for name, x in table.columns().items() if name in wanted and x.dtype == pl.String}
    read = _of_short(texts, spelling) if len(table) < LONG else _of_long(table, texts, spelling)
    columns = {name: read.get(name, cells) for name, cells in table.columns().items()}
    return replace(table, frame=pl.DataFrame(list(columns.values()), schema=list(columns))) if read else table


def typed_within(table: Table, spelling: Spelling, names: Collection[str]) -> Table:
    """The same where nobody else has the frame: where it is long, the text of some columns is gone before the next are read."""
    import polars as pl

    if len(table) < LONG:
        return typed(table, spelling, names)
    frame, wanted = table.frame, set(names)
    texts = [place for place, (name, kind) in enumerate(frame.schema.items()) if name in wanted and kind == pl.String]
    for begin in range(0, len(texts), TOGETHER):
        own = {frame.columns[place]: place for place in texts[begin : begin + TOGETHER]}
        read = _of_long(table, {name: frame.to_series(place) for name, place in own.items()}, spelling)
        for name in tuple(read):
            frame.replace_column(own[name], read.pop(name))
    return replace(table)  # which knows no columns of before


def _of_short(texts: Mapping[str, pl.Series], spelling: Spelling) -> dict[str, pl.Series]:
    """The columns that are plain numbers, by names: all are read as one, and looked at one by one only where a doubt is left."""
    import polars as pl

    if not texts:
        return {}
    below = pl.concat(list(texts.values()), rechunk=True)
    cast = cast_texts(below, spelling.decimal)
    values = cast.to_numpy().reshape(len(texts), -1)
    failed = (cast.is_null() & below.is_not_null()).to_numpy().reshape(values.shape).any(axis=1)
    absent = np.isnan(values)
    size = np.abs(values).max(axis=1, initial=0.0, where=~absent)
    sure = ~failed & (size < EXACT) & ~absent.all(axis=1)
    if (absent | (values == np.rint(values))).all(axis=1).any():
        sure &= ~below.str.contains(CODED).fill_null(False).to_numpy().reshape(values.shape).any(axis=1)
    height = values.shape[1]
    read = {name: cast.slice(place * height, height) for place, name in enumerate(texts)}
    doubtful = [name for name, plain in zip(texts, sure, strict=True) if not plain]
    for name in doubtful:
        if not _plain(texts[name], read[name], spelling):
            del read[name]
    return read


def _of_long(table: Table, texts: Mapping[str, pl.Series], spelling: Spelling) -> dict[str, pl.Series]:
    """The columns that are plain numbers, by names: those that may be are read, in parallel."""
    likely = [name for name, cells in texts.items() if _maybe_numbers(cells, spelling)]
    frame = table.frame.select(cast_expression(name, spelling.decimal) for name in likely)
    cast = frame.rechunk().get_columns()  # NumPy shares what is in one piece
    del frame
    return {name: x for name, x in zip(likely, cast, strict=True) if _plain(texts[name], x, spelling)}


def _maybe_numbers(texts: pl.Series, spelling: Spelling) -> bool:
    """Whether the first texts are numbers or mean "no value"."""
    few = texts.head(20)
    cast = cast_texts(few, spelling.decimal)
    if cast.null_count() == few.null_count():
        return True
    return all(x is not None or t is None or spelling.is_missing(t) for x, t in zip(cast, few, strict=True))


def _plain(texts: pl.Series, cast: pl.Series, spelling: Spelling) -> bool:
    """Whether all that is not null was read, and nothing is lost by it."""
    if cast.null_count() > texts.null_count():
        failed = texts.filter(cast.is_null() & texts.is_not_null()).unique().to_list()
        if not all(map(spelling.is_missing, failed)):
            return False
    values = cast.to_numpy()
    if cast.null_count() == len(cast) or np.isinf(values).any():
        return False
    different, left = merged(texts, values)
    return different == left and not has_leading_zeros(texts, values)
