"""What is remarkable in a table: columns that give the target away, columns that are the same, rows that occur twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns import Column
from chainrule.tables.columns.texts import are_single
from chainrule.tables.options import columns_option, counted, named, option, quoted
from chainrule.tables.table import Table
from chainrule.tables.target import Target

SAMPLE = 2000
"""So many rows are looked at first; what is remarkable among them is then looked at in all."""

FEWEST = 20
"""In fewer rows a column gives the target away by chance."""

CORRELATED = 0.999

REPEATED = 0.01
"""The share of the rows that repeat earlier ones from which on a test could be too easy by it."""


def remarks_on(
    table: Table,
    columns: tuple[Column, ...],
    read: Mapping[str, NDArray[np.float64]],
    target: Target,
    y: NDArray[np.float64],
    recognised: bool = True,
) -> list[str]:
    """Remarks on the columns in use: what was read in them, and `y`, the class numbers or amounts, of all rows.

    `recognised` says that nobody has told whether the target holds classes or amounts.
    """
    remarks = _on_classes(target, y, recognised) if target.classes else []
    hashes = table.frame.select([*(c.name for c in columns), target.name]).hash_rows().to_numpy()
    once = np.sort(np.unique(hashes, return_index=True)[1])  # copies agree in all columns, which says nothing of one
    few = once[np.unique(np.linspace(0, len(once) - 1, min(len(once), SAMPLE)).astype(np.intp))]
    suspects = (
        [c for c in columns if _gives_away(c, read[c.name][few], target, y[few])]
        if len(once) >= FEWEST and len(columns) > 1
        else []
    )
    leaks = [c.name for c in suspects if len(few) == len(once) or _gives_away(c, read[c.name][once], target, y[once])]
    if leaks:
        remarks.append(
            f"{named(leaks)} alone {'gives' if len(leaks) == 1 else 'give'} the target {target.name!r}, nearly or exactly; if "
            f"that is not known when predicting, leave it out: {columns_option(leaks[:6], 'drop')}"
        )
    remarks += _same_columns(table, read)
    repeated = len(table) - len(once)
    if repeated and repeated >= REPEATED * len(table):
        remarks.append(
            f"{counted(repeated, 'row')} of {len(table):,} {'repeats' if repeated == 1 else 'repeat'} an earlier one in all "
            "that is learned; where a split parts them, the test is too easy"
        )
    return remarks


def _on_classes(target: Target, y: NDArray[np.float64], recognised: bool) -> list[str]:
    """Whether classes could be amounts as well, and which of them hardly occur."""
    remarks = []
    counts = np.bincount(y.astype(np.intp), minlength=len(target.classes))
    if recognised and len(counts) > 2 and all(type(label) in (int, float) for label in target.classes):
        remarks.append(
            f"the target {target.name!r} holds {len(counts)} different numbers and is taken as classes; to predict an amount: "
            f"{option('task', 'regression')}"
        )
    rare = [str(label) for label, count in zip(target.classes, counts, strict=True) if count == 1]
    if rare:
        remarks.append(
            f"of the target {target.name!r} {quoted(rare)} {'occurs' if len(rare) == 1 else 'occur'} in one row only"
        )
    return remarks


def _gives_away(column: Column, x: NDArray[np.float64], target: Target, y: NDArray[np.float64]) -> bool:
    """Whether a column alone gives the target: by its order, or by its groups of equal values."""
    if x.ndim > 1:
        return False
    known = ~np.isnan(x)
    if 2 * known.sum() < len(x) or known.sum() < FEWEST:
        return False
    x, y = x[known], y[known]
    if column.features[0].kind == "number" and target.task == "regression" and _rank_correlation(x, y) > CORRELATED:
        return True
    return _groups_decide(x, y)


def _groups_decide(x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
    """Whether equal values always have the same target, where most values occur several times and the target varies."""
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    same = x[1:] == x[:-1]
    if 2 * same.sum() < len(x) or y.min() == y.max():
        return False
    return bool((y[1:][same] == y[:-1][same]).all())


def _rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The size of Spearman's correlation; 0 for a column of one value."""
    ranks = [_ranks(values) - (len(values) - 1) / 2 for values in (x, y)]
    size = float(np.sqrt(np.square(ranks[0]).sum() * np.square(ranks[1]).sum()))
    return abs(float(ranks[0] @ ranks[1])) / size if size else 0.0


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places in order, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts + 1) / 2)[inverse])


def _same_columns(table: Table, read: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """Columns that hold the same in every row, looked for among those whose first cells are alike."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for name, cells in zip(table.names, table.frame.get_columns(), strict=True):
        kind = cells.dtype
        if name in read and kind.is_numeric():
            groups.setdefault((kind, read[name][:SAMPLE].tobytes()), []).append(name)
        elif are_single(cells):
            groups.setdefault((kind, *cells.head(SAMPLE).to_list()), []).append(name)
    remarks = []
    for names in groups.values():
        first = table.column(names[0])
        same = [name for name in names[1:] if table.column(name).equals(first)]
        if same:
            verb = "holds" if len(same) == 1 else "hold"
            remarks.append(f"{named(same)} {verb} the same as column {names[0]!r} in every row")
    return remarks[:6]
