"""What writes into an array otherwise than `x[i] = v`, written as that: `np.put`, `np.fill_diagonal`, `np.add.at`, `x.sort()`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from chainrule.errors import InPlaceError, PositionError, shortened
from chainrule.tracing.apply import as_operand, traced
from chainrule.tracing.refusals import full_name, unsupported


def write(target: Any, places: Any, value: Any) -> None:
    """Numbers put at places counted through the whole array; of those named twice the last one counts."""
    target[np.unravel_index(places, target.shape)] = value


def repeated(value: Any, places: Any) -> Any:
    """The elements of a value at these places, counted over and over."""
    flat: Any = np.reshape(as_operand(value), -1)
    return flat[places % flat.size] if flat.size else flat


def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Numbers at places counted through the whole array."""
    places, size = np.ravel(np.asarray(ind)), a.size
    if mode == "raise" and places.size and not (-size <= places.min() and places.max() < size):
        raise PositionError(
            f"np.put was given position {int(places[np.argmax(np.abs(places))])} for an array of {size} elements; give "
            f"positions from {-size} to {size - 1}, or mode='wrap' or 'clip'."
        )
    places = np.clip(places, 0, size - 1) if mode == "clip" else places % size
    write(a, places, repeated(v, np.arange(places.size)))


def putmask(a: Any, mask: Any, values: Any) -> None:
    """Where the mask holds, what stands at the same place of the values, repeated."""
    places = np.flatnonzero(np.asarray(mask))
    write(a, places, repeated(values, places))


def place(arr: Any, mask: Any, vals: Any) -> None:
    """Where the mask holds, one value after the other."""
    places = np.flatnonzero(np.asarray(mask))
    write(arr, places, repeated(vals, np.arange(places.size)))


def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    """For every line along an axis, values at that line's own positions."""
    positions = np.asarray(indices)
    if axis is None:
        write(arr, positions, values)
        return
    grid = list(np.ogrid[tuple(map(slice, positions.shape))])
    grid[axis] = positions
    arr[tuple(grid)] = values


def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """The diagonal, of tall matrices once or over and over."""
    marks = np.zeros(a.shape, bool)
    np.fill_diagonal(marks, True, wrap)  # which checks the shape
    place(a, marks, val)


WRITING: dict[Callable[..., Any], Callable[..., None]] = {
    np.put: put,
    np.putmask: putmask,
    np.place: place,
    np.put_along_axis: put_along_axis,
    np.fill_diagonal: fill_diagonal,
}
"""What stands for NumPy's functions that write."""

SIGNS: dict[Any, float] = {np.add: 1.0, np.subtract: -1.0}
"""Ufuncs whose `at` adds numbers up, with the sign of these."""


def carried_out(function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> None:
    """One of NumPy's functions that write, into a traced value; any other has no derivative here, nor a plain array room for one."""
    if function not in WRITING or not args or isinstance(args[0], np.ndarray):
        raise unsupported(function)
    WRITING[function](*args, **options)


def add_at(ufunc: np.ufunc, method: str, target: Any, *given: Any) -> None:
    """`np.add.at` and `np.subtract.at`: every number added at its place, also where places are named twice."""
    if ufunc not in SIGNS or method != "at" or len(given) != 2 or isinstance(target, np.ndarray):
        raise unsupported(ufunc, f"{full_name(ufunc)}.{method}")
    key, value = given
    places = np.arange(target.size).reshape(target.shape)[key]
    spread: Any = np.broadcast_to(as_operand(value), np.shape(places))
    total = traced.scatter_add(spread.reshape(-1), np.ravel(places), axis=0, length=target.size)
    target[...] = target + SIGNS[ufunc] * total.reshape(target.shape)


# --- methods


def fill(self: Any, value: Any) -> None:
    """One number everywhere."""
    self[...] = value


def sort(self: Any, axis: int = -1, **how: Any) -> None:
    """The elements along an axis in ascending order, in place."""
    self[...] = np.sort(as_operand(self), axis, **how)


def partition(self: Any, kth: Any, axis: int = -1, **how: Any) -> None:
    """Smaller elements before the k-th along an axis, and larger ones behind, in place."""
    self[...] = np.partition(as_operand(self), kth, axis, **how)


def delete(self: Any, key: Any) -> NoReturn:
    """Not possible: arrays keep their length."""
    raise InPlaceError(
        f"an element of a traced value of shape {self.shape} was to be deleted (del x[{shortened(key)}]); arrays keep their length. "
        "Write x = np.delete(x, i)."
    )


METHODS = {"fill": fill, "put": put, "sort": sort, "partition": partition, "__delitem__": delete}
"""Methods of arrays that write into them, by name."""
