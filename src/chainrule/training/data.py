"""Rows of data as people have them, turned into the arrays a network learns from, and shared out to learn and to validate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.errors import DataError, SettingError, ShapeError
from chainrule.nn.numbers import as_array, columns_of
from chainrule.training.objective import Batch
from chainrule.training.stored.arrays import StoredArray

Columns = Mapping[str, tuple[str, ...]]
"""For inputs that came as frames the names of their columns, in order."""


class ChosenRows:
    """Rows of an array by their numbers, taken when a training begins: so it has the one copy of them that there is.

    Examples
    --------
    >>> chosen = ChosenRows(np.arange(6.0).reshape(3, 2), np.array([2, 0]))
    >>> chosen.shape, chosen[:1]
    ((2, 2), array([[4., 5.]]))
    """

    def __init__(self, array: Any, rows: Any) -> None:
        self.array, self.rows = array, rows
        self.shape, self.dtype = (len(rows), *array.shape[1:]), array.dtype
        self.ndim, self.nbytes = array.ndim, len(rows) * array[:1].nbytes

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, part: Any) -> Any:
        return self.array[self.rows[part]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self[:], dtype)


def as_inputs(
    X: Any,
    dtype: Any,
    names: Sequence[str],
    expected: Sequence[tuple[int, ...]] | None,
    columns: Columns | None = None,
) -> list[Any]:
    """The arrays of all inputs, each (rows, *features), checked against each other and against the network.

    One input may be given as it is; several as a tuple in order, or as a dict by the names of the function's
    arguments. Frames are put into the order of `columns` where these are known.
    """
    arrays = []
    for i, (part, name) in enumerate(zip(parts_of(X, names), names, strict=True)):
        what = "X" if len(names) == 1 else f"input {name}"
        if isinstance(part, ChosenRows):
            array = ChosenRows(as_array(part.array, dtype, what), part.rows)
        else:
            array = as_array(_in_order(part, (columns or {}).get(name), what), dtype, what)
        if array.ndim == 1:
            hint = "X[None] for one row, X[:, None] for one column" if len(names) == 1 else "add an axis"
            raise ShapeError(f"{what} has shape {array.shape}; a network takes (rows, features): {hint}.")
        if expected is not None and array.shape[1:] != expected[i]:
            raise ShapeError(
                f"{what} has shape {array.shape}, rows of shape {array.shape[1:]}; this network was built for rows of shape "
                f"{expected[i]}. Give as many features."
            )
        arrays.append(array)
    if len({len(a) for a in arrays}) > 1:
        raise ShapeError(
            f"the inputs have different numbers of rows: {', '.join(str(len(a)) for a in arrays)}. Give every input a row for "
            "every sample."
        )
    return arrays


def parts_of(X: Any, names: Sequence[str]) -> list[Any]:
    """What was given for every input."""
    if len(names) == 1:
        return [next(iter(X.values())) if isinstance(X, dict) and list(X) == list(names) else X]
    if isinstance(X, Mapping) and set(X) == set(names):
        return [X[name] for name in names]
    if isinstance(X, tuple | list) and len(X) == len(names):
        return list(X)
    raise ShapeError(
        f"this network has the inputs {', '.join(names)}; give a tuple of {len(names)} arrays, or a dict with these names."
    )


def columns_in(X: Any, names: Sequence[str]) -> Columns:
    """The names of the columns of those inputs that are frames with names, no two of them the same."""
    found = {}
    for part, name in zip(parts_of(X, names), names, strict=True):
        given = columns_of(part)
        if given and len(set(given)) == len(given) and all(isinstance(c, str) for c in part.columns):
            found[name] = tuple(given)
    return found


def _in_order(part: Any, known: tuple[str, ...] | None, what: str) -> Any:
    """A frame with its columns as they were learned; what has no names is taken by position."""
    given = columns_of(part)
    if known is None or given is None or tuple(given) == known or not all(isinstance(c, str) for c in part.columns):
        return part
    missing, new = [c for c in known if c not in given], [c for c in given if c not in known]
    if missing or new or len(given) != len(known):
        said = [f"it lacks {_listed(missing)}"] * bool(missing) + [f"it has {_listed(new)} besides"] * bool(new)
        raise DataError(
            f"{what} is a frame with other columns than the network learned: {' and '.join(said) or 'some come twice'}. "
            f"It was fitted with {_listed(known)}; give these, in any order, or an array to be taken by position."
        )
    return part[list(known)]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:10])) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def split_off(data: Batch, share: float, seed: int) -> tuple[Batch | None, Batch]:
    """A random share of the rows as validation data, and the others; both in their old order."""
    SettingError.unless_number("fit", "validation_split", share, at_least=0, below=1)
    if not share:
        return None, data
    rows = len(data.inputs[0])
    order = np.random.default_rng([seed, 2]).permutation(rows)
    count = max(1, round(rows * share))
    if count >= rows:
        raise SettingError(f"validation_split={share} of {rows} rows leaves none to learn from; give a smaller share.")
    held, kept = np.sort(order[:count]), np.sort(order[count:])
    validation, learned = (
        replace(data.like([_taken(x, part) for x in data.arrays()]), own=True) for part in (held, kept)
    )
    if validation.weights is not None and not validation.weights.any():
        raise DataError(
            f"the {count} rows held out by validation_split={share} all have weight 0, so nothing can be measured on them. "
            "Use another seed, a larger share, or give validation_data."
        )
    return validation, learned


def _taken(x: Any, rows: Any) -> Any:
    """Some rows, in memory: what is mapped from disk may have its bytes in another order than this CPU."""
    return x[rows].astype(x.dtype.newbyteorder("="), copy=False)


FILLED_BYTES = 2**28
"""Data up to this size are copied so that their last batch can be filled up."""


def owned(data: Batch) -> Batch:
    """The data in arrays that nobody can change while a training reads them; what is on disk stays there, and can be changed."""
    if data.own:
        return data
    return replace(data.like([_copied(x) if is_in_memory(x) else x for x in data.arrays()]), own=True)


def _copied(x: Any) -> Any:
    return x[:] if isinstance(x, ChosenRows) else np.array(x)


def is_in_memory(x: Any) -> bool:
    """Whether an array is in memory as a whole."""
    return not isinstance(x, np.memmap | StoredArray)


def filled_up(data: Batch, batch_size: int) -> Batch:
    """The data with rows that count 0 behind them that make the last batch as large as the others.

    Then one compiled step serves all batches. Data are left as they are where this would add more than a tenth to them, for
    that costs more in some epochs than compiling another step does once; where they lie on disk; and where they are very large.
    """
    arrays = data.arrays()
    rows = len(arrays[0])
    missing = -rows % batch_size
    large = sum(x.nbytes for x in arrays) > FILLED_BYTES
    if not missing or 10 * missing > rows or large or not all(map(is_in_memory, arrays)):
        return data
    counts = np.ones(rows, data.inputs[0].dtype) if data.counts is None else data.counts
    data = replace(data, counts=counts)
    filled = np.concatenate([np.arange(rows), np.arange(missing)])
    more = [x[filled] for x in data.arrays()]
    more[-1][rows:] = 0
    return replace(data.like(more), own=True)
