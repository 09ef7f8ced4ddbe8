"""What is remarkable in a table: columns that give the target away, columns that are the same, rows that occur twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns import Column
from chainrule.tables.columns.texts import are_single
from chainrule.tables.options import columns_option, counted, named, option, quoted
from chainrule.tables.preparing.target import Target
from chainrule.tables.table import Table

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 2000
"""So many rows are looked at first; what is remarkable among them is then looked at in all."""

FEWEST = 20
"""In fewer rows a column gives the target away by chance."""

CORRELATED = 0.999

AT_ONCE = 500_000
"""About so many numbers are ranked at once: columns of few rows together, those of many one by one."""

ROWS_AT_ONCE = 1 << 16
"""Rows that are hashed at once."""

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
    used = {target.name, *(column.name for column in columns)}
    once = _first_rows([cells for name, cells in table.columns().items() if name in used])
    few = once[np.unique(np.linspace(0, len(once) - 1, min(len(once), SAMPLE)).astype(np.intp))]
    leaks: tuple[Column, ...] = ()
    if len(once) >= FEWEST and len(columns) > 1:
        leaks = _giving_away(columns, read, few, target, y)
        leaks = leaks if len(few) == len(once) else _giving_away(leaks, read, once, target, y)
    if names := [column.name for column in leaks]:
        remarks.append(
            f"{named(names)} alone {'gives' if len(names) == 1 else 'give'} the target {target.name!r}, nearly or exactly; if "
            f"it is not known at prediction time, leave it out: {columns_option(names[:6], 'drop')}"
        )
    remarks += _same_columns(table, read)
    repeated = len(table) - len(once)
    if repeated and repeated >= REPEATED * len(table):
        remarks.append(
            f"{counted(repeated, 'row')} of {len(table):,} {'repeats' if repeated == 1 else 'repeat'} an earlier one in all "
            "columns used; where a split separates them, the test is too easy"
        )
    return remarks


def _first_rows(cells: Sequence[pl.Series]) -> NDArray[np.intp]:
    """The rows that repeat no earlier one: copies agree in all columns, which says nothing of one.

    Rows are told apart by a hash, of a block at a time, for Polars copies what lies in pieces.
    """
    import polars as pl

    frame = pl.DataFrame(cells)
    blocks = range(0, frame.height, ROWS_AT_ONCE)
    hashes = pl.concat([frame.slice(begin, ROWS_AT_ONCE).hash_rows() for begin in blocks])
    ordered = np.sort(hashes.to_numpy())
    if not (ordered[1:] == ordered[:-1]).any():  # as in most tables: found in a quarter of the time
        return np.arange(frame.height)
    return np.flatnonzero(hashes.is_first_distinct().to_numpy())


def _on_classes(target: Target, y: NDArray[np.float64], recognised: bool) -> list[str]:
    """Whether classes could be amounts as well, and which of them hardly occur."""
    remarks = []
    counts = np.bincount(y.astype(np.intp), minlength=len(target.classes))
    if recognised and len(counts) > 2 and all(type(label) in (int, float) for label in target.classes):
        remarks.append(
            f"the target {target.name!r} holds {len(counts)} different numbers and is taken as classes; to predict an amount: "
            f"{option('task', 'regression')}"
        )
    remarks += _on_capitals(target)
    rare = [str(label) for label, count in zip(target.classes, counts, strict=True) if count == 1]
    if rare:
        remarks.append(
            f"of the target {target.name!r} {quoted(rare)} {'occurs' if len(rare) == 1 else 'occur'} in one row only"
        )
    return remarks


def _on_capitals(target: Target) -> list[str]:
    """Classes whose labels differ only in small and capital letters, or in blanks."""
    alike: dict[str, list[str]] = {}
    for label in target.classes:
        if isinstance(label, str):
            alike.setdefault("".join(label.casefold().split()), []).append(label)
    twins = [label for labels in alike.values() if len(labels) > 1 for label in labels]
    return [
        f"of the target {target.name!r} {quoted(twins)} differ only in capital letters or blanks; if they mean the same, write "
        "them alike"
    ] * bool(twins)


def _giving_away(
    columns: Sequence[Column],
    read: Mapping[str, NDArray[np.float64]],
    rows: NDArray[np.intp],
    target: Target,
    y: NDArray[np.float64],
) -> tuple[Column, ...]:
    """The columns that alone give the target in these rows: by their order, or by their groups of equal values."""
    single, found = [column for column in columns if read[column.name].ndim == 1], set[str]()
    at_once = max(1, AT_ONCE // len(rows))
    for begin in range(0, len(single), at_once):
        own = single[begin : begin + at_once]
        x = np.stack([read[column.name][rows] for column in own])
        known = ~np.isnan(x)
        whole = known.all(axis=1)
        found.update(_of_whole([own[place] for place in np.flatnonzero(whole)], x[whole], target, y[rows]))
        for place in np.flatnonzero(~whole):
            there = known[place]
            if there.sum() >= max(FEWEST, len(rows) / 2):
                found.update(_of_whole([own[place]], x[place : place + 1, there], target, y[rows[there]]))
    return tuple(column for column in columns if column.name in found)


def _of_whole(
    columns: Sequence[Column], values: NDArray[np.float64], target: Target, y: NDArray[np.float64]
) -> list[str]:
    """The names of those that give the target: of columns without gaps, a row of values each."""
    x = np.ascontiguousarray(values.T)
    numbers = np.array([column.features[0].kind == "number" for column in columns], bool)
    ordered = numbers & (target.task == "regression")
    if ordered.any():
        ordered &= _rank_correlations(x, y) > CORRELATED
    grouped = _groups_decide(x, y)
    return [column.name for column, gives in zip(columns, ordered | grouped, strict=True) if gives]


def _groups_decide(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether equal values of a column always have the same target, where most occur several times and the target varies."""
    found = np.zeros(x.shape[1], bool)
    if y.min() == y.max():
        return found
    ordered = np.sort(x, axis=0)
    often = 2 * (ordered[1:] == ordered[:-1]).sum(axis=0) >= len(x)
    for place in np.flatnonzero(often):
        order = np.lexsort((y, x[:, place]))
        own, truth = x[order, place], y[order]
        same = own[1:] == own[:-1]
        found[place] = (truth[1:][same] == truth[:-1][same]).all()
    return found


def _rank_correlations(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sizes of every column's Spearman correlation with y; 0 for a column of one value."""
    middle = (len(y) - 1) / 2
    ranks, own = _ranks(x) - middle, _ranks(y[:, None])[:, 0] - middle
    sizes = np.sqrt(np.square(ranks).sum(axis=0) * np.square(own).sum())
    return np.asarray(np.abs(own @ ranks) / np.where(sizes, sizes, 1.0))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places in order of every column, equal values sharing the mean of theirs."""
    order = np.argsort(values, axis=0)
    ordered, place = np.take_along_axis(values, order, axis=0), np.arange(len(values))[:, None]
    begins, ends = np.ones((2, *values.shape), bool)
    begins[1:] = ends[:-1] = ordered[1:] != ordered[:-1]
    first = np.maximum.accumulate(np.where(begins, place, 0))
    last = np.minimum.accumulate(np.where(ends, place, len(values))[::-1])[::-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2, axis=0)
    return ranks


def _same_columns(table: Table, read: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """Columns that hold the same in every row, looked for among those whose first cells are alike."""
    columns, groups = table.columns(), dict[tuple[Any, ...], list[str]]()
    numeric = [
        name for name, cells in columns.items() if name in read and read[name].ndim == 1 and cells.dtype.is_numeric()
    ]
    told = dict(zip(numeric, _told_apart([read[name][:SAMPLE] for name in numeric]), strict=True))
    for name, cells in columns.items():
        if name in told:
            if not told[name]:
                groups.setdefault((cells.dtype, read[name][:SAMPLE].tobytes()), []).append(name)
        elif are_single(cells):
            groups.setdefault((cells.dtype, *cells.head(SAMPLE).to_list()), []).append(name)
    remarks = []
    for names in groups.values():
        first = columns[names[0]]
        same = [name for name in names[1:] if columns[name].equals(first)]
        if same:
            verb = "holds" if len(same) == 1 else "hold"
            remarks.append(f"{named(same)} {verb} the same as column {names[0]!r} in every row")
    return remarks[:6]


def _told_apart(columns: Sequence[NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Which columns of one length surely differ from all others: by a sum of their bits, the same for those that are the same."""
    if not columns:
        return np.empty(0, bool)
    odd = np.random.default_rng(0).integers(0, 2**63, len(columns[0]), np.uint64) * np.uint64(2) + np.uint64(1)
    sums = np.array([np.dot(np.ascontiguousarray(x).view(np.uint64), odd) for x in columns])
    _, which, times = np.unique(sums, return_inverse=True, return_counts=True)
    return np.asarray(times[which] == 1)
