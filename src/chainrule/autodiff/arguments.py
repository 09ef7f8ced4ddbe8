"""Arguments of derivatives: which ones, taken apart into arrays, with numbers that have a derivative."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import index
from typing import Any

import numpy as np

from chainrule.errors import DifferentiationError, SettingError, shortened
from chainrule.tracing import trees
from chainrule.tracing.apply import PLAIN, Traced, held_by, separate
from chainrule.tracing.containers import hint
from chainrule.tracing.numbers import PythonComplex, PythonNumber
from chainrule.tracing.plain import array_of, refuse

Argnums = int | Sequence[int]


def numbers_of(x: Any, name: str) -> Any:
    """A leaf that derivatives can be taken by: a traced value or an array of real or complex numbers."""
    if type(x) is float:
        return PythonNumber(x)
    x = given = held_by(x)
    if type(x) is complex:
        return PythonComplex(x)
    if not isinstance(x, Traced | np.generic) and type(x) is not np.ndarray:
        x = array_of(x)
    kind = x.dtype.kind
    if kind in "fc":
        return x
    if kind in "iub":
        raise DifferentiationError(
            f"{name} has integers (dtype {x.dtype}), which have no derivative. Pass real numbers: 3.0 instead of 3, "
            "or array.astype(float)."
        )
    raise DifferentiationError(
        f"{name} has dtype {x.dtype}, which is no real number, nor a complex one. Pass arrays of floats.{hint(given)}"
    )


def as_argnums(argnums: Argnums) -> int | tuple[int, ...]:
    """What was given as `argnums`: an integer, or a tuple of integers."""
    try:
        return tuple(map(index, argnums)) if isinstance(argnums, Iterable) else index(argnums)
    except TypeError:
        raise SettingError(
            f"argnums was given as {shortened(argnums)}; give the place of an argument, such as 0, or a tuple of places."
        ) from None


@cache
def positions_of(count: int, argnums: int | tuple[int, ...]) -> tuple[int, ...]:
    """The positions that `argnums` names among so many arguments, no two of them the same."""
    given = (argnums,) if isinstance(argnums, int) else argnums
    for i in given:
        if not -count <= i < count:
            raise SettingError(
                f"argnums={argnums} names argument {i}, but the function was called with {count} positional "
                "arguments. Arguments to differentiate by must be positional."
            )
    positions = tuple(i % count for i in given)
    for i in positions:
        if positions.count(i) > 1:
            raise SettingError(
                f"argnums={argnums} names argument {i} of {count} more than once, and its gradient is one. Name every "
                "argument once; for the gradient of the sum over several uses, once is enough."
            )
    return positions


def leaves_of(args: tuple[Any, ...], positions: tuple[int, ...]) -> tuple[list[Any], trees.Structure]:
    """The arrays in the chosen arguments, checked, and how they are put together."""
    leaves: list[Any] = [args[i] for i in positions]
    for i, leaf in enumerate(leaves):
        if type(leaf) is float:
            leaves[i] = PythonNumber(leaf)
        elif type(leaf) is not np.ndarray or leaf.dtype.kind != "f":
            break
    else:
        return leaves, trees.row(len(leaves))
    leaves, structure = trees.flatten(tuple(leaves))
    names = [f"argument {path}" for i in positions for path in trees.paths(trees.flatten(args[i])[1], str(i))]
    return [numbers_of(leaf, name) for leaf, name in zip(leaves, names, strict=True)], structure


def call_with(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    positions: tuple[int, ...],
    new: Sequence[Any],
) -> Any:
    """The function called with some arguments replaced."""
    changed = list(args)
    for k, i in enumerate(positions):
        changed[i] = new[k]
    return function(*changed, **kwargs)


def as_given(structure: trees.Structure, leaves: list[Any], argnums: int | tuple[int, ...]) -> Any:
    """Results in the form of the arguments: one for an integer `argnums`, a tuple otherwise."""
    nested = trees.unflatten(structure, leaves)
    return nested if type(argnums) is tuple else nested[0]


def owned(results: list[Any], lent: Sequence[Any] = ()) -> list[Any]:
    """The same arrays, with no memory in common with each other or with those `lent`, so that the caller may change them."""
    if len(results) > 1 or lent:
        owners = [x if type(x) is np.ndarray and x.base is None else _owner(x) for x in [*lent, *results]]
        if len(set(map(id, owners))) < len(owners):
            for i, x in enumerate(results, len(lent)):
                if any(owners[i] is owner for owner in owners[:i]):
                    results[i - len(lent)] = separate(x)
    return results


def _owner(x: Any) -> Any:
    """What its memory belongs to, of a traced value what it is a view of."""
    if isinstance(x, Traced):
        while x.source is not None:
            x = x.source[0]
        return x
    base = x.base if type(x) is np.ndarray else None
    while base is not None:
        x, base = base, getattr(base, "base", None)
    return x


def zeros(x: Any) -> Any:
    """Zeros of the shape and dtype of `x`."""
    return np.zeros(x.shape, x.dtype)[()]


def as_leaf(x: Any) -> Any:
    """An output as an array: traced values and arrays as they are, Python numbers as 0-d arrays."""
    x = held_by(x)
    if isinstance(x, Traced) or (type(x) in PLAIN and hasattr(x, "dtype")):
        return x
    array = array_of(x)
    return array if array.dtype.kind != "O" else refuse(array, f"a result of class {type(x).__name__}", hint(x))
