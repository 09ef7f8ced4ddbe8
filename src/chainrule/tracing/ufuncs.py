"""The methods of NumPy's ufuncs on traced values: `reduce`, `accumulate`, `reduceat`, `outer`; and their keywords.

Each is written in calls of the ufunc itself, which come back to the functions and operations that stand for it.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError, UnsupportedError, shortened
from chainrule.ops.functions.function import ArrayFunction, all_axes, array, cast, numbers, one_axis
from chainrule.ops.functions.joining import stack
from chainrule.ops.functions.lines import accumulated
from chainrule.ops.functions.shaping import cut_along, moveaxis, reshape
from chainrule.ops.operation import Namespace, copied

REDUCTIONS = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "logical_or": "any",
    "logical_and": "all",
}
"""The functions that reductions by ufuncs are."""
ASSOCIATIVE = (np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp, np.logaddexp2, np.hypot)
"""Ufuncs whose running results may be joined in any order."""
IGNORED = {"order": ("K", "C", "A", "F"), "subok": (True, False), "casting": ("same_kind", "safe", "unsafe")}
"""Keywords about memory and checks, which say nothing about numbers."""


def without_idle(options: dict[str, Any]) -> dict[str, Any]:
    """The keywords of a ufunc's call that change numbers."""
    return {
        name: value
        for name, value in options.items()
        if not (name in IGNORED and value in IGNORED[name])
        and not (name == "where" and value is True)
        and (value is not None or name in ("where", "axis"))
    }


def in_dtype(m: Namespace, inputs: tuple[Any, ...], dtype: Any) -> tuple[Any, ...]:
    """The operands of a ufunc in the dtype it is to compute in."""
    if np.dtype(dtype).kind != "f":
        raise SettingError(
            f"dtype={shortened(dtype)} was asked of a traced value; give one of floating-point numbers, or use astype on the result."
        )
    return tuple(cast(m, array(x), dtype) for x in inputs)


def _outer(m: Namespace, ufunc: np.ufunc, a: Any, b: Any, /, **options: Any) -> Any:
    """The ufunc of every element of one array with every element of another."""
    a, b = array(a), array(b)
    return ufunc(reshape(m, a, (*a.shape, *(1,) * len(b.shape))), b, **options)


def _pieces(m: Namespace, x: Any, axis: int) -> list[Any]:
    """The slices along an axis."""
    rest = tuple(n for i, n in enumerate(x.shape) if i != axis)
    return [reshape(m, cut_along(m, x, axis, i, i + 1), rest) for i in range(x.shape[axis])]


def _reduce(
    m: Namespace, ufunc: np.ufunc, x: Any, /, axis: Any = 0, dtype: Any = None, keepdims: bool = False, initial: Any = None,
    where: Any = True,
) -> Any:  # fmt: skip
    """All elements along axes joined from the first to the last."""
    if where is not True:
        raise UnsupportedError(
            f"np.{ufunc.__name__}.reduce with where= cannot be traced; put a number that changes nothing in the other places first."
        )
    x = cast(m, array(x), dtype)
    axes = all_axes(axis, len(x.shape))
    if len(axes) > 1 and ufunc.identity is None and not _reorders(ufunc):
        raise ShapeError(f"np.{ufunc.__name__}.reduce depends on the order of elements; name one axis.")
    result = x
    for place in reversed(axes):
        pieces = _pieces(m, result, place)
        if not pieces:
            raise ShapeError(
                f"np.{ufunc.__name__}.reduce was given shape {tuple(x.shape)}, empty along axis {place}; give at least one element."
            )
        result = pieces[0] if len(pieces) > 1 else copied(m, pieces[0])
        for piece in pieces[1:]:
            result = ufunc(result, piece)
    if initial is not None:
        result = ufunc(initial, result)
    return reshape(m, result, tuple(1 if i in axes else n for i, n in enumerate(x.shape))) if keepdims else result


def _reorders(ufunc: np.ufunc) -> bool:
    return ufunc in ASSOCIATIVE


def _accumulate(m: Namespace, ufunc: np.ufunc, x: Any, /, axis: Any = 0, dtype: Any = None) -> Any:
    """For every place along an axis, the elements up to it joined."""
    x = cast(m, array(x), dtype)
    place = one_axis(axis, len(x.shape))
    if ufunc is np.add:
        return m.cumsum(x, axis=place)
    if ufunc in ASSOCIATIVE:
        return accumulated(m, ufunc, x, place)
    pieces = _pieces(m, x, place)
    running = pieces[:1]
    for piece in pieces[1:]:
        running.append(ufunc(running[-1], piece))
    return stack(m, running, place) if running else x


def _reduceat(m: Namespace, ufunc: np.ufunc, x: Any, indices: Any, /, axis: Any = 0, dtype: Any = None) -> Any:
    """Joined elements from each position to before the next; the single one there where positions do not go up."""
    x = cast(m, array(x), dtype)
    place = one_axis(axis, len(x.shape))
    plain = numbers(m, indices, f"np.{ufunc.__name__}.reduceat", "give plain positions")
    n = x.shape[place]
    if plain.ndim != 1 or not plain.size or plain.min() < 0 or plain.max() >= n:
        raise ShapeError(
            f"reduceat was given positions {shortened(indices)} along an axis of length {n}; give some from 0 to {n - 1}."
        )
    bounds = [*plain.tolist(), n]
    parts = [
        ufunc.reduce(cut_along(m, x, place, begin, max(end, begin + 1)), axis=place)
        for begin, end in itertools.pairwise(bounds)
    ]
    return moveaxis(m, stack(m, parts), 0, place)


def of_objects(ufunc: np.ufunc) -> bool:
    """Whether a ufunc is a function of Python's, as `np.frompyfunc` makes them."""
    return bool(ufunc.types) and all(set(t) <= set("O->") for t in ufunc.types) and not hasattr(np, ufunc.__name__)


def _one_by_one(m: Namespace, ufunc: np.ufunc, *given: Any) -> Any:
    """A function of Python's of all elements, one after the other."""
    arrays = [array(x) for x in given]
    lengths = np.broadcast_shapes(*(x.shape for x in arrays))
    flat = [reshape(m, m.broadcast_to(x, shape=lengths), (-1,)) for x in arrays]
    elements = [np.empty(x.shape, object) for x in flat]
    for own, x in zip(elements, flat, strict=True):
        for i in range(x.shape[0]):
            own[i] = m.slice(x, start=(i,), stop=(i + 1,), step=(1,), drop=(0,))
    results = ufunc(*elements)
    several = [reshape(m, stack(m, list(x)), lengths) for x in (results if ufunc.nout > 1 else [results])]
    return tuple(several) if ufunc.nout > 1 else several[0]


ONE_BY_ONE = ArrayFunction("frompyfunc", _one_by_one, (), (), True)
"""Functions of `np.frompyfunc`."""
METHODS = {
    "outer": ArrayFunction("ufunc.outer", _outer, (), (), True),
    "reduce": ArrayFunction("ufunc.reduce", _reduce, (), (), True),
    "accumulate": ArrayFunction("ufunc.accumulate", _accumulate, (), (), True),
    "reduceat": ArrayFunction("ufunc.reduceat", _reduceat, (), (), True),
}
"""What each method does, by its name: functions of the ufunc, its operands and the keywords."""
