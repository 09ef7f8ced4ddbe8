"""Rows kept back for a test: a share of every class, whole groups, or the latest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.datasets import split_rows
from chainrule.tables import Spelling, Table, ranks
from chainrule.tables.options import counted
from chainrule.tabular.learning.folds import latest, others

FEW = 5
"""A target with fewer values than this fraction of the rows has the same share of each held out."""


def keep_back(
    table: Table,
    target: str,
    share: float,
    *,
    order: str | None = None,
    group: str | None = None,
    seed: int = 0,
    spelling: Spelling = Spelling(),  # noqa: B008 (frozen)
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
    >>> [part.frame["day"].to_list() for part in keep_back(table, "sold", 0.25, order="day", group="shop")]
    [[3, 2], [4]]
    """
    names = None if group is None else table.column(group).cast(str).fill_null("").to_numpy()
    if order is not None:
        kept = latest(ranks(table, order, spelling), share)[1]
        learned = others(len(table), kept, names)
    elif names is not None:
        groups, group_of = np.unique(names, return_inverse=True)
        kept = np.flatnonzero(np.isin(group_of, split_rows(groups, share, seed, stratify=False)[1]))
        learned = others(len(table), kept)
    else:
        column = table.column(target)
        few = column.n_unique() <= max(2, len(column) // FEW)
        labels = column.cast(str).fill_null("").to_numpy() if few else np.arange(len(column), dtype=float)
        learned, kept = split_rows(labels, share, seed)
    idle = len(table) - len(learned) - len(kept)
    notes = (f"{counted(idle, 'earlier row')} of held-out groups left out",) * bool(idle)
    return (
        replace(table.rows(learned), notes=(*table.notes, *notes)),
        replace(table.rows(kept), source=f"{table.source}, rows held out"),
    )
