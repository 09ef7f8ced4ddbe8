"""Missing values: which policy applies to them, and which rows it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import SettingError
from chainrule.tables.options import TableError, counted, option
from chainrule.tables.table import Table

Missing = Literal["error", "drop", "mean", "median"]
POLICIES = ("error", "drop", "mean", "median")


def checked_policy(missing: Missing) -> Missing:
    """`missing`, when it is one of the policies."""
    if missing not in POLICIES:
        raise SettingError(f"missing values were to be treated by {missing!r}; known: {', '.join(POLICIES)}.")
    return missing


def complete_rows(
    table: Table,
    masks: Mapping[str, NDArray[np.bool_]],
    policy: Missing,
    target: str | None = None,
    learning: bool = False,
) -> tuple[NDArray[np.intp], list[str]]:
    """The rows that stay under the policy, and notes on those left out.

    Parameters
    ----------
    table : Table
        The rows.
    masks : mapping of column to bool array, (rows,)
        Where each column in use has no value.
    policy : {"error", "drop", "mean", "median"}
        error: none may be missing. drop: rows with a missing value are left out. mean, median: they stay, to be filled.
    target : str, optional
        A column that cannot be filled: rows without it are left out under every policy but error.
    learning : bool
        Whether a model is yet to be trained, so that columns may still be left out.
    """
    gaps = {name: int(mask.sum()) for name, mask in masks.items() if mask.any()}
    if gaps and policy == "error":
        raise missing_error(table, gaps, [name for name in gaps if learning and name != target])
    out = np.zeros(len(table), dtype=bool)
    for name in gaps:
        if policy == "drop" or name == target:
            out |= masks[name]
    notes = []
    if out.any():
        names = [repr(name) for name in gaps if policy == "drop" or name == target]
        notes.append(f"{out.sum():,} of {counted(len(table), 'row')} left out: no value in {' or '.join(names)}")
    return np.flatnonzero(~out), notes


def missing_error(table: Table, gaps: Mapping[str, int], spare: Sequence[str]) -> TableError:
    """The error for columns with missing values that nobody said what to do with; `spare` ones might be left out."""
    most = sorted(gaps, key=lambda name: -gaps[name])
    spare = sorted(spare, key=lambda name: -gaps[name])
    named = ", ".join(f"{name!r} (in {counted(gaps[name], 'row')})" for name in most[:8])
    return TableError(
        f"{table.source} ({counted(len(table), 'row')}) has missing values in {counted(len(gaps), 'column')}: "
        f"{named}{', …' if len(most) > 8 else ''}. Say what to do: "
        f"{option('missing', 'drop')} leaves those rows out; {option('missing', 'median')} (or mean) puts in the "
        "training rows' median, and for text the most frequent value"
        + (f"; {option('drop', spare[0])} leaves a column out." if spare else ".")
    )
