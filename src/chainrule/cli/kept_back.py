"""Rows kept back for a test: a share of every class, whole groups, or the latest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.datasets import split_rows
from chainrule.tables import Table, ranks
from chainrule.tabular.folds import latest

FEW = 5
"""A target with fewer values than a so-manieth of the rows has the same share of each kept back."""


def keep_back(
    table: Table, target: str, share: float, *, order: str | None = None, group: str | None = None, seed: int = 0
) -> tuple[Table, Table]:
    """The rows to learn from, and those kept back.

    Examples
    --------
    >>> import polars as pl
    >>> table = Table(pl.DataFrame({"day": [3, 1, 2, 4], "shop": ["a", "b", "a", "b"], "sold": [5, 7, 5, 6]}))
    >>> [part.frame["day"].to_list() for part in keep_back(table, "sold", 0.25, order="day")]
    [[3, 1, 2], [4]]
    >>> [part.frame["shop"].to_list() for part in keep_back(table, "sold", 0.5, group="shop")]
    [['b', 'b'], ['a', 'a']]
    """
    if order is not None:
        learned, kept = latest(ranks(table, order), share)
    elif group is not None:
        names = table.column(group).cast(str).fill_null("").to_numpy()
        groups, group_of = np.unique(names, return_inverse=True)
        chosen = np.isin(group_of, split_rows(groups, share, seed, stratify=False)[1])
        learned, kept = np.flatnonzero(~chosen), np.flatnonzero(chosen)
    else:
        column = table.column(target)
        few = column.n_unique() <= max(2, len(column) // FEW)
        labels = column.cast(str).fill_null("").to_numpy() if few else np.arange(len(column), dtype=float)
        learned, kept = split_rows(labels, share, seed)
    return table.rows(learned), replace(table.rows(kept), source=f"{table.source}, rows kept back")
