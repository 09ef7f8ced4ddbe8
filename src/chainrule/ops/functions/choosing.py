"""Functions that choose elements by conditions, and those that count and find places, which have no derivative."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.errors import PositionError, SettingError, ShapeError, shortened
from chainrule.ops.functions.function import (
    array,
    cast,
    function,
    is_known,
    ndim,
    not_into,
    numbers,
    one_axis,
    seen,
    shape,
    together,
    whole,
)
from chainrule.ops.functions.joining import Together, take
from chainrule.ops.functions.lines import places_in
from chainrule.ops.functions.shaping import ravel
from chainrule.ops.operation import copied, example

_FALSE_TRUE = np.array([False, True, True])
_KEEP_SHAPE = "write np.where(condition, a, b), which keeps the shape"


@function(
    example([np.array([True, False, False]), _FALSE_TRUE], Together([(3,), (3,)]), 7.0),
    example([_FALSE_TRUE], Together([(2, 3)])),
)
def select(m: Any, condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """Elements of the first array whose condition holds, and a default where none does."""
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ShapeError(f"select was given {len(condlist)} conditions for {len(choicelist)} choices; give as many.")
    *choices, result = together(m, *choicelist, default)
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        if array(condition).dtype != bool:
            raise ShapeError(f"select was given a condition of dtype {array(condition).dtype}; give truth values.")
        result = m.where(condition, choice, result)
    return result


@function(
    example(np.array([0, 1, 1]), Together([(3,), (3,)])),
    example(np.array([0, 3, -1]), Together([(3,), ()]), mode="clip"),
    example(np.array([0, 3, -1]), Together([(3,), (3,)]), mode="wrap"),
)
def choose(m: Any, a: Any, choices: Any, out: None = None, mode: str = "raise") -> Any:
    """For every place the element of the array whose number stands there."""
    not_into(out, "np.choose")
    a, n = array(a), len(choices)
    if a.dtype.kind not in "iub" or n == 0:
        raise ShapeError(
            f"choose was given numbers of dtype {a.dtype} and {n} choices; give integers, and arrays to choose from."
        )
    if mode == "wrap":
        a = m.remainder(a, n)
    elif mode == "clip":
        a = m.clip(a, 0, n - 1)
    elif mode != "raise":
        raise SettingError(f"choose was given mode={shortened(mode)}; give 'raise', 'wrap' or 'clip'.")
    if is_known(a) and a.size and (int(a.min()) < 0 or int(a.max()) >= n):
        raise PositionError(f"choose was given a number outside 0 to {n - 1}; there are {n} choices.")
    options = together(m, *(choices[i] for i in range(n)))
    result = options[-1]
    for i in range(n - 2, -1, -1):
        result = m.where(m.equal(a, i), options[i], result)
    return copied(m, m.broadcast_to(result, shape=np.broadcast_shapes(shape(a), *map(shape, options))))


@function(
    example(
        np.array([-1.5, -0.5, 0.5]), [np.array([True, True, False]), np.array([False, False, True])], [np.sin, 2.0]
    ),
    example(np.array([-1.5, -0.5, 0.5]), [np.array([True, True, False])], [np.square, np.exp]),
)
def piecewise(m: Any, x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """Functions, each of the elements whose condition holds; the last one holding decides. In a Program each of all elements."""
    x = array(x)
    conditions = _conditions(m, condlist, x)
    if len(funclist) == len(conditions) + 1:
        held = conditions[0]
        for condition in conditions[1:]:
            held = m.logical_or(held, condition)
        conditions.append(m.logical_not(held))
    if len(funclist) != len(conditions):
        raise ShapeError(
            f"piecewise was given {len(funclist)} functions for {len(conditions)} conditions; give as many."
        )
    result: Any = np.zeros(x.shape, x.dtype)
    for condition, function_ in zip(conditions, funclist, strict=True):
        if not callable(function_):
            piece = function_
        elif not is_known(condition):
            piece = function_(x, *args, **kw)
        else:
            flat = np.flatnonzero(condition)
            if not flat.size:
                continue
            own = function_(take(m, x, flat), *args, **kw)
            places = np.zeros(x.shape, np.intp)
            places[condition] = np.arange(flat.size)
            piece = m.take(m.broadcast_to(array(own), shape=(flat.size,)), places, axis=0)
        result = m.where(condition, cast(m, array(piece), x.dtype), result)
    return result


def _conditions(m: Any, condlist: Any, x: Any) -> list[Any]:
    """Conditions, one for each function: a list of them, or only one."""
    plain: Any = (
        [condlist] if isinstance(condlist, bool | np.bool_) or not isinstance(condlist, list | tuple) else condlist
    )
    if len(plain) == 1 and ndim(plain[0]) == ndim(x) + 1:
        plain = [plain[0][i] for i in range(shape(plain[0])[0])]
    if plain and all(isinstance(c, bool | np.bool_) for c in plain) and ndim(x) == 1:
        plain = [np.asarray(plain)]
    return [m.broadcast_to(m.not_equal(array(c), 0), shape=tuple(x.shape)) for c in plain]


@function(example(np.array([True, False, True]), (3, 2), axis=0), example([True, False, True], (2, 2)))
def compress(m: Any, condition: Any, a: Any, axis: int | None = None, out: None = None) -> Any:
    """The slices along an axis for which a condition holds."""
    not_into(out, "np.compress")
    chosen = np.flatnonzero(numbers(m, condition, "np.compress", _KEEP_SHAPE))
    return take(m, array(a), chosen, axis)


@function(example(np.array([[True, False, True]]), (1, 3)))
def extract(m: Any, condition: Any, arr: Any) -> Any:
    """The elements for which a condition holds, one after the other."""
    return take(m, array(arr), np.flatnonzero(numbers(m, condition, "np.extract", _KEEP_SHAPE)))


_ZEROS = np.array([[0.0, 1.5], [2.0, 0.0]])


@function(example(_ZEROS), differentiable=False, by_numbers=True)
def nonzero(m: Any, a: Any) -> Any:
    """The positions of the elements that are not 0, one array for every axis."""
    return numbers(m, a, "np.nonzero", _KEEP_SHAPE).nonzero()


@function(example(_ZEROS), differentiable=False, by_numbers=True)
def flatnonzero(m: Any, a: Any) -> Any:
    """The positions of the elements that are not 0 in the flattened array."""
    return np.flatnonzero(numbers(m, a, "np.flatnonzero", _KEEP_SHAPE))


@function(example(_ZEROS), differentiable=False, by_numbers=True)
def argwhere(m: Any, a: Any) -> Any:
    """The positions of the elements that are not 0, one row for each."""
    return np.argwhere(numbers(m, a, "np.argwhere", _KEEP_SHAPE))


@function(
    example(np.array([0.0, 1.0, 2.5]), (4,)),
    example(np.array([0.5, -1.0, 2.0]), 0.6, "right", [1, 0, 2]),
    differentiable=False,
)
def searchsorted(m: Any, a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """Where values belong among sorted numbers."""
    if side not in ("left", "right"):
        raise SettingError(f"searchsorted was given side={shortened(side)}; give 'left' or 'right'.")
    a = array(a)
    if ndim(a) != 1:
        raise ShapeError(f"searchsorted was given sorted numbers of shape {shape(a)}; give a vector.")
    return places_in(m, a if sorter is None else take(m, a, sorter), v, side)


@function(
    example((4,), [0.0, 1.0, 2.5]),
    example((4,), [2.5, 1.0, 0.0], True),
    example(np.array([0.0, 1.0, 2.0, 2.5]), [2.5, 1.0, 0.0]),
    example(np.array([0.0, 1.0, 2.0, 2.5]), [2.5, 1.0, 0.0], True),
    differentiable=False,
)
def digitize(m: Any, x: Any, bins: Any, right: bool = False) -> Any:
    """The number of the bin that each element falls into; the edges run up, or down."""
    edges = numbers(m, bins, "np.digitize", "give plain edges")
    if edges.ndim != 1 or not (np.all(np.diff(edges) >= 0) or np.all(np.diff(edges) <= 0)):
        raise ShapeError(f"digitize was given edges of shape {edges.shape}; give a vector that runs up or down.")
    side = "left" if right else "right"
    if len(edges) > 1 and edges[0] > edges[-1]:
        return len(edges) - places_in(m, edges[::-1], x, side)
    return places_in(m, edges, x, side)


@function(example(np.array([0, 2, 2]), (3,)), example(np.array([0, 2, 2]), (3,), minlength=5))
def bincount(m: Any, x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """How often each whole number occurs, or the sum of the weights given where it does."""
    places = numbers(m, x, "np.bincount", "give plain whole numbers")
    if weights is None:
        return np.bincount(places, minlength=minlength)
    if places.ndim != 1 or shape(weights) != places.shape or places.dtype.kind not in "iub" or np.any(places < 0):
        raise ShapeError(
            f"bincount was given numbers of shape {places.shape} and dtype {places.dtype}, and weights of shape {shape(weights)}; "
            "give vectors as long as each other, the first of whole numbers from 0 on."
        )
    length = max(int(places.max(initial=-1)) + 1, whole(minlength, "minlength"))
    weights = cast(m, array(weights), np.dtype(float))
    return m.scatter_add(weights, places.astype(np.intp), axis=0, length=length)


_EDGES = [-3.0, -1.0, 0.5, 3.0]


@function(example([-2.0, 0.0, 0.25, 3.0], _EDGES, None, None, (4,)))
def histogram(
    m: Any, a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> Any:
    """How many elements fall into each bin, or the sum of their weights, which have a derivative; and the bins' edges."""
    if ndim(bins) == 0 and range is None:
        if not is_known(array(a)):
            raise SettingError(
                f"histogram was given bins={shortened(bins)} and a traced array, on which the edges would depend. Give range=(low, "
                "high), or the edges as a plain array."
            )
        edges = np.histogram_bin_edges(a, bins)
    elif ndim(bins) == 0:
        if isinstance(bins, str):
            raise SettingError(
                f"histogram was given bins={shortened(bins)}; give how many, or the edges as a plain array."
            )
        edges = np.histogram_bin_edges(np.zeros(0), whole(bins, "bins"), (float(range[0]), float(range[1])))
    else:
        edges = numbers(m, bins, "np.histogram", "give plain edges")
        if edges.ndim != 1 or np.any(np.diff(edges) < 0):
            raise ShapeError(f"histogram was given edges of shape {edges.shape}; give a vector that runs up.")
    values, count = ravel(m, array(a)), len(edges) - 1
    plain = numbers(m, values, "np.histogram", "count with np.sum of comparisons")
    inside = np.flatnonzero((plain >= edges[0]) & (plain <= edges[-1]))
    places = np.minimum(np.searchsorted(edges, plain[inside], side="right") - 1, count - 1)
    if weights is None:
        totals: Any = np.bincount(places, minlength=count).astype(np.intp)
    else:
        if shape(weights) != shape(a):
            raise ShapeError(
                f"histogram was given weights of shape {shape(weights)} for shape {shape(a)}; give one for each element."
            )
        own = take(m, ravel(m, array(weights)), inside)
        totals = m.scatter_add(own, places.astype(np.intp), axis=0, length=count)
    if density:
        totals = totals / np.diff(edges) / m.sum(totals, axis=(0,), keepdims=False)
    return totals, edges


@function(example((4,)), example((2, 2), axis=0), by_numbers=True)
def unique(
    m: Any, ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, *, equal_nan: bool = True, sorted: bool = True,
) -> Any:  # fmt: skip
    """The different elements in order, each with the derivative of its first occurrence."""
    ar = array(ar)
    plain = numbers(m, ar, "np.unique", "find what is different beforehand")
    _, index, inverse, counts = np.unique(plain, True, True, True, axis, equal_nan=equal_nan)
    found = take(m, ar, index, axis)
    more = [x for x, wanted in ((index, return_index), (inverse, return_inverse), (counts, return_counts)) if wanted]
    return (found, *more) if more else found


@function(example((4,), [0.25, 7.0]), differentiable=False, by_numbers=True)
def isin(
    m: Any, element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Any:
    """Whether each element is among others."""
    advice = "write np.any(x[..., None] == others, axis=-1)"
    return np.isin(numbers(m, element, "np.isin", advice), numbers(m, test_elements, "np.isin", advice), invert=invert)


@function(example((2, 4)), differentiable=False, by_numbers=True)
def lexsort(m: Any, keys: Any, axis: int = -1) -> Any:
    """The positions that sort by several keys, the last of which counts first."""
    arrays = [array(keys[i]) for i in range(len(keys))]
    place = one_axis(axis, ndim(arrays[0]))
    if not all(is_known(seen(m, k)) for k in arrays):
        numbers(m, next(k for k in arrays if not is_known(seen(m, k))), "np.lexsort", "use np.argsort of one key")
    return np.lexsort([np.asarray(seen(m, k)) for k in arrays], axis=place)
