"""Learning a table's columns: which kind each is, what the user says otherwise, and all that stands in the way, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import SettingError
from chainrule.tables.columns import KINDS, Column, LeftOut
from chainrule.tables.columns.column import Reading
from chainrule.tables.columns.number import Scaling
from chainrule.tables.columns.together import learned_together
from chainrule.tables.missing import Missing, Spelling
from chainrule.tables.names import spelled
from chainrule.tables.numbers import number
from chainrule.tables.options import TableError, columns_option, counted, named, option, quoted
from chainrule.tables.preparing.problems import Problems
from chainrule.tables.preparing.remarks import remarks_on
from chainrule.tables.preparing.scales import ScaleKind
from chainrule.tables.preparing.target import Target, Task, learned_and_known
from chainrule.tables.side_by_side import side_by_side
from chainrule.tables.table import Table
from chainrule.tables.typed import LONG, typed, typed_within

if TYPE_CHECKING:
    import polars as pl

NAMES = {"drop": LeftOut} | {kind.kind: kind for kind in KINDS if kind is not LeftOut}
"""Kinds as users call them in `columns={…}`."""


MOST_LOOKED_AT = 1000
"""In tables of more columns nobody reads what each could mean as well, and to look takes long."""

MOST_REASONS = 6
"""Columns of which it is said why nothing is learned from them."""


class Learned(NamedTuple):
    """What `learn_columns` gives.

    Attributes
    ----------
    columns : tuple of Column
        In the table's order.
    target : Target
        The column to predict.
    remarks : tuple of str
        What is remarkable.
    rows : int array
        The rows with a target.
    y : float64 array
        Their class numbers or amounts.
    read : dict of str to float64 array
        What was read in these rows of each column that has features.
    """

    columns: tuple[Column, ...]
    target: Target
    remarks: tuple[str, ...]
    rows: NDArray[np.intp]
    y: NDArray[np.float64]
    read: dict[str, NDArray[np.float64]]


def learn_columns(
    table: Table,
    target: str,
    task: Task | None,
    kinds: Mapping[str, str],
    missing: Missing,
    spelling: Spelling,
    scaling: Scaling,
    target_scale: ScaleKind | None,
) -> Learned:
    """What all rows of `table` teach; arguments and errors are those of `Preparation.learn`."""
    target, kinds = spelled(target), {spelled(name): kind for name, kind in kinds.items()}
    _check_names(table, target, kinds)
    problems = Problems(table.source)
    try:
        learned, y = learned_and_known(table, target, task, spelling, target_scale)
    except TableError as error:
        problems.add(error.message)
        _learn_inputs(table, target, kinds, missing, spelling, scaling, problems)  # what else stands in the way
        problems.raise_if_any()
        raise
    remarks = list(table.notes)
    rows = np.flatnonzero(~np.isnan(y))
    if len(rows) < len(y):
        remarks.append(learned.without_value(table.column(target), np.isnan(y), spelling))
        table, y = table.rows(rows), y[rows]
    table, columns, readings = _learn_inputs(table, target, kinds, missing, spelling, scaling, problems)
    problems.raise_if_any()
    remarks += [
        f"{remark} (to take all as categories: {columns_option([name], 'category')})"
        for name, reading in readings.items()
        for remark in reading.remarks
    ]
    read = {name: reading.values for name, reading in readings.items()}
    used = tuple(column for column in columns if column.features)
    looked_at = used if len(used) <= MOST_LOOKED_AT else ()
    asked = {name for name, kind in kinds.items() if ":" in kind}
    remarks += [
        x
        for column in looked_at
        if column.name not in asked
        for x in column.doubts(table.column(column.name), read[column.name], spelling)
    ]
    remarks += remarks_on(table, used, read, learned, y, recognised=task is None)
    return Learned(columns, learned, tuple(remarks), rows, y, read)


def lightened(table: Table, target: str, kinds: Mapping[str, str], spelling: Spelling) -> Table:
    """The same table for `learn_columns`, with text that is plain numbers read, which takes twice their room.

    Where it is long that is done within its frame, which nobody else may have.
    """
    target, kinds = spelled(target), {spelled(name): kind for name, kind in kinds.items()}
    _check_names(replace(table), target, kinds)  # what looks at columns keeps them
    return typed_within(table, spelling, _maybe_plain(table, target, kinds))


def _maybe_plain(table: Table, target: str, kinds: Mapping[str, str]) -> list[str]:
    """The columns that may be read as numbers."""
    return [n for n in table.names if n != target and (n not in kinds or NAMES[kinds[n].partition(":")[0]].of_numbers)]


def _learn_inputs(
    table: Table,
    target: str,
    kinds: Mapping[str, str],
    missing: Missing,
    spelling: Spelling,
    scaling: Scaling,
    problems: Problems,
) -> tuple[Table, tuple[Column, ...], dict[str, Reading]]:
    """The table with plain numbers read, its columns besides the target, and what was read of those in use."""
    table = typed(table, spelling, _maybe_plain(table, target, kinds))
    inputs = {name: cells for name, cells in table.columns().items() if name != target}
    free = {name: cells for name, cells in inputs.items() if name not in kinds}
    together, long = learned_together(free, spelling, scaling), len(table) >= LONG
    others = [name for name in inputs if name not in together]
    learned = side_by_side(lambda x: _learned(x, inputs[x], spelling, scaling, kinds.get(x)), others, long)
    found = {name: known.column for name, known in together.items()} | dict(zip(others, learned, strict=True))
    columns = {name: column for name in inputs if (column := found[name]) is not None}
    for name in [name for name in inputs if name not in columns]:
        problems.add(*_other_than_asked(name, inputs[name], kinds[name]))
    if not any(column.features for column in columns.values()):
        for name in columns.keys() - kinds.keys():  # a counter is the one thing there is to learn from
            if counter := NAMES["number"].learn(name, inputs[name], spelling, "number", scaling=scaling):
                columns[name] = counter
    used = [column for column in columns.values() if column.features]
    if not used and not problems.told:
        problems.add(*_nothing_left(table, target, list(columns.values())))
    unread = [column for column in used if column.name not in together]
    read = side_by_side(lambda column: column.read(inputs[column.name], spelling), unread, long)
    readings = {column.name: reading for column, reading in zip(unread, read, strict=True)}
    readings = {x.name: readings.get(x.name) or Reading(together[x.name].values) for x in used}
    gaps = [name for name, reading in readings.items() if np.isnan(reading.values).any()] if missing == "error" else []
    if gaps:
        problems.add(f"values are missing in {named(gaps)}", option("missing", "fill"))
    return table, tuple(columns.values()), readings


def _learned(name: str, cells: pl.Series, spelling: Spelling, scaling: Scaling, wanted: str | None) -> Column | None:
    """One column: of the kind wanted, where it can be that, or of the first that it can be."""
    if wanted is None:
        return next(found for kind in KINDS if (found := kind.learn(name, cells, spelling, scaling=scaling)))
    kind, _, form = wanted.partition(":")
    return NAMES[kind].learn(name, cells, spelling, form or kind, scaling=scaling)


def _nothing_left(table: Table, target: str, columns: Sequence[Column]) -> tuple[str, str]:
    """What is said where no column is one to learn from, and the remedy."""
    alone = table.lines is not None and len(table.names) == 1
    reasons = [f"{column.name!r}: {column.why}" for column in columns[:MOST_REASONS]]
    said = (
        f"no column is left to learn {target!r} from: it has {counted(len(table.names), 'column')} ({quoted(table.names)})"
        + (f"; {'; '.join(reasons)}" if reasons else "")
        + (f"; and {len(columns) - MOST_REASONS:,} more" if len(columns) > MOST_REASONS else "")
        + ("; give a table that has others beside the target" if table.names == (target,) and not alone else "")
        + ("; if the columns were not told apart, name what stands between them" if alone else "")
    )
    return said, option("separator", "semicolon") if alone else ""


def _other_than_asked(name: str, cells: pl.Series, wanted: str) -> tuple[str, str]:
    """What is said of a column that cannot be of the kind wanted, and the remedy."""
    few = list(dict.fromkeys(map(str, cells.drop_nulls().head(100).to_list())))
    said = f"column {name!r} was to be taken as {wanted!r}, but holds {quoted(few, 3)}"
    return said + (" in every row" if len(few) == 1 else ""), columns_option([name], "drop")


def _check_names(table: Table, target: str, kinds: Mapping[str, str]) -> None:
    """Raise when the target or a column named cannot be told, or a kind is not known."""
    if target not in table.names:
        if table.lines is not None and table.header and _like_values(table.names):
            raise TableError(
                f"{table.source} has no column named {target!r}, and its first row looks like values, not names: "
                f"{quoted(table.names)}. If it has no row of names, say so: {option('header', 'no')}; its columns are then "
                f"called column_1 to column_{len(table.names)}."
            )
        table.column(target)
    if target in table.repeated:
        raise TableError(
            f"{table.source} has more than one column {target!r}, so the target is not clear; rename one in the file."
        )
    for name, wanted in kinds.items():
        table.column(name)
        kind, _, form = wanted.partition(":")
        if kind not in NAMES or (form and not NAMES[kind].has_form(form)):
            raise SettingError(
                f"column {name!r} was to be taken as {wanted!r}; use {', '.join(NAMES)}, a form of times such as time:%d.%m.%Y, or a "
                "scaling of numbers such as number:quantile."
            )
        if name == target:
            raise TableError(
                f"{target!r} is the target, which inputs are to predict; leave out {columns_option([target], wanted)}, or choose "
                "another target."
            )


def _like_values(names: tuple[str, ...]) -> bool:
    return 2 * sum(number(name) is not None for name in names) >= len(names)
