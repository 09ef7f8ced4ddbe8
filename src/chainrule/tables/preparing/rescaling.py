"""A preparation whose numbers are scaled otherwise."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from chainrule.tables.columns import Number
from chainrule.tables.columns.number import Scaling
from chainrule.tables.preparing.preparation import Preparation
from chainrule.tables.table import Table
from chainrule.tables.typed import typed


def rescaled(preparation: Preparation, table: Table, scaling: Scaling, kept: Collection[str] = ()) -> Preparation:
    """The same preparation with its columns of numbers scaled in this way, as the rows of a table teach.

    Parameters
    ----------
    preparation : Preparation
    table : Table
        The training rows that are learned from.
    scaling : {"robust", "quantile"}
    kept : collection of str
        Columns that stay as they are.

    Examples
    --------
    >>> import polars as pl
    >>> table = Table(pl.DataFrame({"x": [1.0, 2.0, 4.0, 800.0], "y": [1.5, 2.5, 3.0, 4.0]}))
    >>> preparation = Preparation.learn(table, "y")
    >>> rescaled(preparation, table, "quantile").apply(table).X[:, 0].round(2)
    array([-1.15, -0.32,  0.32,  1.15], dtype=float32)
    """
    spelling = preparation.spelling(table)
    wanted = {c.name for c in preparation.columns if isinstance(c, Number) and c.name not in kept}
    table = typed(table, spelling, sorted(wanted))
    columns = tuple(
        column.scaled_by(column.read(table.column(column.name), spelling).values, scaling)
        if isinstance(column, Number) and column.name in wanted
        else column
        for column in preparation.columns
    )
    return replace(preparation, columns=columns)
