"""From a table to the arrays of a training and a test part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.datasets import split_rows
from chainrule.tables.missing import Missing, checked_policy, complete_rows
from chainrule.tables.numbers import numbers
from chainrule.tables.options import TableError, counted, option, quoted
from chainrule.tables.preparation import Preparation
from chainrule.tables.table import Table, is_missing
from chainrule.tables.target import Target, Task, learn_target


@dataclass(frozen=True, eq=False)
class Prepared:
    """Arrays to train and test on, and how they were made.

    Attributes
    ----------
    X_train, X_test : float32 array, (rows, features)
        Inputs: numbers standardised with the training rows' mean and deviation, one input per category of text.
    y_train, y_test : array, (rows,)
        The target in the units of the file: labels (int64 or text) or amounts (float64).
    preparation : Preparation
        What was learned on the training rows.
    notes : tuple of str
        What was left out, replaced or found remarkable; `spell` spells the options in them.
    """

    X_train: NDArray[np.float32]
    y_train: NDArray[Any]
    X_test: NDArray[np.float32]
    y_test: NDArray[Any]
    preparation: Preparation
    notes: tuple[str, ...]


def prepare(
    table: Table,
    target: str,
    *,
    task: Task | None = None,
    missing: Missing = "error",
    drop: Sequence[str] = (),
    categorical: Sequence[str] = (),
    missing_mark: Sequence[str] = (),
    test: float = 0.2,
    seed: int = 0,
) -> Prepared:
    """`table` as arrays, with a share of the rows kept back for the test.

    Parameters
    ----------
    table : Table
        What `read` gave.
    target : str
        The column to predict.
    task : {"classification", "regression"}, optional
        Recognised from the target when not given.
    missing : {"error", "drop", "mean", "median"}
        What is done about missing values: refused; rows with one left out; replaced by the training rows' mean or
        median, for text by the most frequent value. Rows without a target are left out unless refused.
    drop : sequence of str
        Columns to leave out.
    categorical : sequence of str
        Columns of numbers to take as categories.
    missing_mark : sequence of str
        Texts that mean "no value", besides empty, NA, n/a, nan, null and ?.
    test : float
        The share of rows kept back, from 0 to below 1; classes keep their shares in both parts.
    seed : int
        The same seed keeps back the same rows.

    Returns
    -------
    Prepared
        Arrays, the preparation, and notes.

    Raises
    ------
    UnknownNameError
        When a column does not exist.
    TableError
        When the table cannot be learned from.

    Examples
    --------
    >>> import numpy as np
    >>> cells = np.array([[str(i), "ab"[i % 2]] for i in range(10)], dtype=object)
    >>> data = prepare(Table(("height", "kind"), cells, np.arange(2, 12)), target="kind", test=0.2)
    >>> data.X_train.shape, data.y_test.tolist(), data.preparation.target.task
    ((8, 1), ['a', 'b'], 'classification')
    """
    checked_policy(missing)
    marks = tuple(missing_mark)
    notes = list(table.notes)
    unnamed = () if table.header else table.names
    _check_target(table, target, drop)
    table = table.without(drop)
    masks = {name: is_missing(table.column(name), marks) for name in table.names}
    blank = [name for name, mask in masks.items() if mask.all() and name != target]
    if blank:
        notes.append(f"{_columns(blank)} left out: no values")
        table = table.without(blank)
        masks = {name: mask for name, mask in masks.items() if name not in blank}
    learned = learn_target(table, target, task, marks)
    rows, remarks = complete_rows(table, masks, missing, target, learning=True)
    notes += remarks
    if len(rows) < 2:
        raise TableError(
            f"{table.source} has {counted(len(rows), 'row')} to learn from; at least 2 are needed. "
            f"{option('missing', 'median')} keeps rows with missing values."
        )
    table = table.rows(rows)
    y = learned.values(table, marks)
    train, kept = (np.arange(len(y)), np.arange(0)) if test == 0 else split_rows(y, test, seed)
    training = table.rows(train)
    learned = _of_training(learned, training, marks)
    preparation = Preparation.learn(training, learned, missing, tuple(categorical), marks)
    preparation = replace(preparation, unnamed=unnamed)
    used = {column.name for column in preparation.columns}
    constant = [name for name in table.names if name not in used and name != target]
    if constant:
        notes.append(f"{_columns(constant)} left out: the same value in every training row")
    notes += [
        f"column {name!r} counts the rows; if it says nothing about them, leave it out: {option('drop', name)}"
        for name in sorted(used)
        if _counts_rows(table, name)
    ]
    inputs = preparation.apply(table)
    X = inputs.X
    return Prepared(X[train], y[train], X[kept], y[kept], preparation, (*notes, *inputs.notes))


def _of_training(target: Target, training: Table, marks: tuple[str, ...]) -> Target:
    """The target with the mean and deviation of the training rows; the classes stay those of all rows."""
    if target.task == "classification":
        return target
    return learn_target(training, target.name, "regression", marks)


def _check_target(table: Table, target: str, drop: Sequence[str]) -> None:
    """Raise when the target cannot be told."""
    if target not in table.names:
        if table.header and _looks_like_data(table.names):
            raise TableError(
                f"{table.source} has no column named {target!r}, and its first row looks like values, not names: "
                f"{quoted(list(table.names))}. If it has no row of names, say so: {option('header', 'no')}; its "
                f"columns are then called column_1 to column_{len(table.names)}."
            )
        table.column(target)
    if target in drop:
        raise TableError(f"{target!r} is the target and among the columns to leave out; leave it out of `drop`.")
    if target in table.repeated:
        raise TableError(
            f"{table.source} has more than one column {target!r}, so the target is not clear; rename one in the file."
        )


def _looks_like_data(names: tuple[str, ...]) -> bool:
    cells = np.array(names, dtype=object)
    values = numbers(cells, is_missing(cells))
    return bool(np.isfinite(values).sum() >= len(names) / 2)


def _counts_rows(table: Table, name: str) -> bool:
    """Whether a column goes up by one from row to row, as an index does."""
    cells = table.column(name)
    if len(cells) < 10 or len(set(cells)) < len(cells) or not all(cell.isdecimal() for cell in cells):
        return False
    return bool((np.diff(cells.astype(np.int64)) == 1).all())


def _columns(names: list[str]) -> str:
    return ("column " if len(names) == 1 else "columns ") + ", ".join(map(repr, names))
