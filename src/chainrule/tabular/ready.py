"""A table made ready to be learned from: its rows prepared, and how much each counts, beside which others, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.choice import COMPILER, ENGINES
from chainrule.engines.threads import Threads
from chainrule.tables import Preparation, Spelling, Table, TableError, give_back, lightened, ranks, rescaled, sample
from chainrule.tables.names import spelled
from chainrule.tables.table import Drawn
from chainrule.tabular.learning.search import Rescaled
from chainrule.tabular.weights import weights_of_table

MOST_RESCALED = 50_000
"""Of more rows other scales are not tried: there is no time for it, and so many tell their own places."""

LARGE = 1 << 20
"""Cells of a table that leave so much memory free, once they are read, that it counts beside the network's."""


@dataclass(frozen=True, eq=False)
class Ready:
    """What is known of the rows that are learned from.

    Attributes
    ----------
    preparation : Preparation
    X : float32 array, (rows, features)
    rows : int array, (rows,)
        Which rows of the data they are.
    y : array, (rows,)
        Class numbers, or scaled amounts.
    amounts : float64 array, (rows,), optional
        The amounts as they stand in the data.
    weights : float array, (rows,), optional
        How much each counts.
    groups, order : array, (rows,), optional
        Which rows belong together; which come later.
    others : tuple of Rescaled
        The same rows with other scales.
    """

    preparation: Preparation
    X: NDArray[np.float32]
    rows: NDArray[np.intp]
    y: NDArray[Any]
    amounts: NDArray[np.float64] | None
    weights: NDArray[np.float64] | None
    groups: NDArray[Any] | None
    order: NDArray[Any] | None
    others: tuple[Rescaled, ...]


def made_ready(
    data: Any,
    target: str,
    preparing: Mapping[str, Any],
    learning: Mapping[str, Any],
    weights: Any,
    groups: str | None,
    order: str | None,
) -> Ready:
    """The data made ready; arguments are those of `TableModel` and its `fit`. Scales that are not asked for are tried with others.

    Raises
    ------
    TableError, UnknownNameError
        When the table cannot be learned from.
    """
    groups, order = (None if name is None else spelled(name) for name in (groups, order))
    table = sample(data, seed=learning["seed"])
    cells = len(table) * len(table.names)
    del data
    for name in (groups, order, weights):
        if isinstance(name, str) and name in table.repeated:
            raise TableError(
                f"{table.source} has more than one column {name!r}; rename one, so that it is clear which is meant."
            )
    drawn = table.drawn or Drawn(np.arange(len(table)), len(table))
    spelling = Spelling.of(preparing["missing_mark"], preparing["value_mark"]).in_table(table)
    by_weight = None if weights is None else weights_of_table(weights, table, spelling)
    by_group = None if groups is None else table.column(groups).cast(str).fill_null("").to_numpy()
    by_time = None if order is None else ranks(table, order, spelling)
    kinds = dict(preparing["columns"] or {})
    if groups is not None and groups == spelled(target):
        raise TableError(
            f"{target!r} is the target, and was given as the column of groups too: its rows of one value would all be held out "
            "together. Name another column."
        )
    for apart in (groups, weights):
        if isinstance(apart, str):
            kinds = {apart: "drop", **kinds}
    scaling = preparing["scaling"]
    options: Any = {**preparing, "columns": kinds, "scaling": scaling or "robust"}
    table = replace(table, frame=table.frame.clone())
    table = lightened(table, target, kinds, spelling)
    preparation, inputs, truth = Preparation.learn_and_apply(table, target, **options)
    y = preparation.target.scaled(truth)
    if len(y) < 2:
        raise TableError(f"{table.source} has {len(y)} row{'s' * (len(y) != 1)} to learn from; at least 2 are needed.")
    if cells >= LARGE:
        give_back()
    _load_compiler()
    rows, others = inputs.rows, tuple[Rescaled, ...]()
    if learning["search"] and learning["folds"] > 1 and scaling is None and len(y) <= MOST_RESCALED:
        others = _with_normal_scores(preparation, table.rows(rows), kinds)
    return Ready(
        preparation,
        inputs.X,
        drawn.rows[rows],
        y,
        None if preparation.target.classes else truth,
        None if by_weight is None else by_weight[rows],
        None if by_group is None else by_group[rows],
        None if by_time is None else by_time[rows],
        others,
    )


def _load_compiler() -> None:
    """Begin to load what makes machine code, beside what else is done before the training: before now there was less room for it."""
    beside = Threads(1)
    beside.submit(ENGINES[COMPILER].load)
    beside.shutdown(wait=False)


def _with_normal_scores(preparation: Preparation, table: Table, kinds: Mapping[str, str]) -> tuple[Rescaled, ...]:
    """The rows with their numbers as normal scores, where no scaling was asked for; none where that leaves all as it is."""
    other = rescaled(preparation, table, "quantile", kept={name for name, kind in kinds.items() if ":" in kind})
    if other.columns == preparation.columns:
        return ()
    return (Rescaled("normal scores", other, other.apply(table, "fill").X),)
