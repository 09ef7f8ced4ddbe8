"""Functions of sorted elements: quantiles, medians, spreads, and averages with weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError, shortened
from chainrule.ops.functions.function import (
    all_axes,
    array,
    cast,
    function,
    is_known,
    ndim,
    not_into,
    one_axis,
    seen,
    shape,
)
from chainrule.ops.functions.joining import take_along_axis
from chainrule.ops.functions.shaping import cut_along, moveaxis, ravel, reshape
from chainrule.ops.operation import example

Axis = int | tuple[int, ...] | None


def lines(m: Any, a: Any, axis: Axis) -> tuple[Any, tuple[int, ...]]:
    """An array with the axes that are taken together in one, the last; and these axes."""
    axes = all_axes(axis, ndim(a))
    rest = tuple(i for i in range(ndim(a)) if i not in axes)
    moved = moveaxis(m, a, axes, tuple(range(len(rest), ndim(a)))) if axes else a
    kept = tuple(a.shape[i] for i in rest)
    return reshape(m, moved, (*kept, math.prod(a.shape[i] for i in axes))), axes


@function(
    example((5,), 0.3),
    example((3, 4), np.array([0.1, 0.5]), axis=1),
    example((2, 3, 2), 0.6, axis=(0, 2), keepdims=True),
    example((4,), [0.3, 0.61], method="median_unbiased"),
    example((4,), 0.4, method="lower"),
)
def quantile(
    m: Any, a: Any, q: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    """The number below which a part `q` of the elements lies, between the two that are next to it in order."""
    return _quantile(m, array(a), q, axis, out, method, keepdims, weights)


@function(
    example((5,), 30.0),
    example((3, 4), np.array([10.0, 50.0]), axis=1),
    example((4,), 40.0, method="midpoint"),
)
def percentile(
    m: Any, a: Any, q: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    """The number below which `q` of a hundred elements lie."""
    return _quantile(m, array(a), _hundredths(q), axis, out, method, keepdims, weights)


@function(example((5,)), example((3, 4), axis=1, keepdims=True), example((2, 3, 2), axis=(0, 1)))
def median(
    m: Any, a: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    """The element in the middle, or halfway between the two there."""
    return _quantile(m, array(a), 0.5, axis, out, "linear", keepdims, None)


def _quantile(
    m: Any, a: Any, q: Any, axis: Axis, out: None, method: str, keepdims: bool, weights: Any, holes: bool = False
) -> Any:
    """Quantiles of lines of elements; with `holes`, of those that are numbers."""
    not_into(out, "a quantile")
    if weights is not None:
        raise SettingError(
            "a quantile with weights= cannot be traced. Leave them out: with whole numbers, by np.repeat of the elements."
        )
    alone = type(q) in (int, float) or method in _CHOOSING or (method == "linear" and array(q).dtype.kind in "iu")
    if a.dtype.kind in "biu":
        a = cast(m, a, np.result_type(a.dtype, array(q).dtype, np.float16))
    kept = ndim(a)
    kind = a.dtype if alone else np.result_type(a.dtype, array(q).dtype, np.float16)
    q = array(q)
    line, axes = lines(m, a, axis)
    last, n = ndim(line) - 1, line.shape[-1]
    if n == 0:
        raise ShapeError(
            f"a quantile of no elements was asked for: shape {tuple(a.shape)} along axis {axis}; give at least one."
        )
    _check_parts(m, q)
    ordered = m.sort(line, axis=last)
    if holes:
        values = _between_numbers(m, ordered, q, method)
    else:
        values = _between(m, ordered, _positions(m, q, n, method))
        top = cut_along(m, ordered, last, n - 1, n)
        bad = m.isnan(reshape(m, top, (*top.shape[:-1], *(1,) * ndim(q))))
        values = m.where(bad, math.nan, values)
    values = moveaxis(m, values, tuple(range(last, last + ndim(q))), tuple(range(ndim(q)))) if ndim(q) else values
    values = cast(m, values, kind)
    if not keepdims:
        return values
    others = iter(values.shape[ndim(q) :])
    return reshape(m, values, (*shape(q), *(1 if i in axes else next(others) for i in range(kept))))


def _hundredths(q: Any) -> Any:
    """Percentages as parts; a number of Python's stays one, which adapts to arrays."""
    return (q if isinstance(q, int | float) else array(q)) / 100.0


def _check_parts(m: Any, q: Any) -> None:
    plain = seen(m, q)
    if is_known(plain) and not (np.all(plain >= 0) and np.all(plain <= 1)):
        raise SettingError(
            "a quantile outside 0 to 1 was asked for, or a percentile outside 0 to 100; give parts of a whole."
        )


_METHODS = (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
)  # fmt: skip


_CHOOSING = ("inverted_cdf", "closest_observation", "lower", "higher", "nearest")
"""Those that give an element, in its dtype; others compute with q's."""


def _positions(m: Any, q: Any, n: int, method: str) -> Any:
    """Where in a line of `n` sorted elements a quantile is; NumPy's methods say so of the line 0, 1, 2, …"""
    if method not in _METHODS:
        raise SettingError(f"method={shortened(method)} is no way to a quantile; give one of {', '.join(_METHODS)}.")
    if method == "linear":
        return q * (n - 1)
    if not is_known(q):
        raise SettingError(f"method={shortened(method)} has no derivative by q; use method='linear'.")
    return np.quantile(np.arange(float(n)), q, method=method)  # type: ignore[call-overload]


def _between(m: Any, ordered: Any, position: Any) -> Any:
    """Between the elements next to a position along the last axis, the same for every line."""
    last, n = ndim(ordered) - 1, ordered.shape[-1]
    low = m.clip(m.floor(seen(m, position)), 0, max(n - 2, 0))
    part = position - low
    place = m.astype(low, dtype=np.dtype(np.intp))
    below, above = m.take(ordered, place, axis=last), m.take(ordered, m.minimum(place + 1, n - 1), axis=last)
    return _part_way(m, below, above, part)


def _part_way(m: Any, below: Any, above: Any, part: Any) -> Any:
    """From one number part of the way to another, of which an infinite one counts only where it is reached."""
    gap = m.where(m.equal(above, below), 0.0, above - below)
    return m.where(m.equal(part, 0), below, m.where(m.equal(part, 1), above, below + part * gap))


def _between_numbers(m: Any, ordered: Any, q: Any, method: str) -> Any:
    """The same where every line has a count of its own, NaN being last in order."""
    if method != "linear":
        raise SettingError(f"method={shortened(method)} beside NaN cannot be traced; use method='linear'.")
    last, more = ndim(ordered) - 1, ndim(q)
    count = m.sum(m.astype(m.logical_not(m.isnan(ordered)), dtype=np.dtype(np.intp)), axis=(last,), keepdims=True)
    flat_q = reshape(m, q, (math.prod(shape(q)),))
    position = flat_q * m.maximum(count - 1, 0)
    low = m.clip(m.floor(seen(m, position)), 0, m.maximum(count - 2, 0))
    place = m.astype(low, dtype=np.dtype(np.intp))
    below = take_along_axis(m, ordered, place, last)
    above = take_along_axis(m, ordered, m.minimum(place + 1, m.maximum(count - 1, 0)), last)
    found = _part_way(m, below, above, position - low)
    return reshape(m, found, (*found.shape[:-1], *shape(q))) if more != 1 else found


_HOLES = np.array([[1.0, np.nan, 3.0, 0.5], [np.nan, np.nan, 2.0, 7.0]])


@function(example(_HOLES, 0.3), example(_HOLES, [0.1, 0.6], axis=1), example((4,), 0.7))
def nanquantile(
    m: Any, a: Any, q: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    """The quantile of the elements that are not NaN."""
    return _quantile(m, array(a), q, axis, out, method, keepdims, weights, holes=True)


@function(example(_HOLES, 30.0), example(_HOLES, [10.0, 60.0], axis=1))
def nanpercentile(
    m: Any, a: Any, q: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    """The percentile of the elements that are not NaN."""
    return _quantile(m, array(a), _hundredths(q), axis, out, method, keepdims, weights, holes=True)


@function(example(_HOLES), example(_HOLES, axis=1, keepdims=True), example((4,)))
def nanmedian(
    m: Any, a: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    """The median of the elements that are not NaN."""
    return _quantile(m, array(a), 0.5, axis, out, "linear", keepdims, None, holes=True)


@function(example((5,)), example((3, 4), axis=1), example((3, 4), axis=(0, 1), keepdims=True))
def ptp(m: Any, a: Any, axis: Axis = None, out: None = None, keepdims: bool = False) -> Any:
    """The largest element less the smallest."""
    not_into(out, "np.ptp")
    a = array(a)
    axes = all_axes(axis, ndim(a))
    return m.max(a, axis=axes, keepdims=bool(keepdims)) - m.min(a, axis=axes, keepdims=bool(keepdims))


@function(
    example((4,), weights=np.array([1.0, 2.0, 3.0, 0.5])),
    example((3, 4), axis=1, weights=np.array([1.0, 2.0, 3.0, 0.5]), keepdims=True),
    example((3, 4), axis=0),
    example((3, 4), axis=1, weights=np.array([1.0, 2.0, 3.0, 0.5]), returned=True),
)
def average(
    m: Any, a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """The mean with weights, Σ w·a / Σ w; with `returned`, the sum of the weights too."""
    a = array(a)
    axes, keep = all_axes(axis, ndim(a)), bool(keepdims)
    if weights is None:
        result = m.mean(a, axis=axes, keepdims=keep)
        total = np.full(shape(result), math.prod(a.shape[i] for i in axes), result.dtype)[()]
        return (result, total) if returned else result
    w = array(weights)
    kind = np.result_type(a.dtype, w.dtype, np.float64) if a.dtype.kind != "f" else np.result_type(a.dtype, w.dtype)
    if shape(w) != shape(a):
        named = (one_axis(axis, ndim(a)),) if isinstance(axis, int | np.integer) else axis
        if named is None or shape(w) != tuple(a.shape[one_axis(i, ndim(a))] for i in named):
            raise ShapeError(
                f"average was given weights of shape {shape(w)} for shape {tuple(a.shape)} and axis {axis}; give one for every "
                "element, or as many as there are along the axes, which are named."
            )
        order = [one_axis(i, ndim(a)) for i in named]
        w = m.transpose(w, axes=tuple(sorted(range(len(order)), key=lambda i: order[i])))
        w = reshape(m, w, tuple(n if i in order else 1 for i, n in enumerate(a.shape)))
        w = m.broadcast_to(w, shape=tuple(a.shape))
    total = m.sum(cast(m, w, kind), axis=axes, keepdims=keep)
    plain = seen(m, total)
    if is_known(plain) and np.any(plain == 0):
        raise SettingError("average was given weights that sum to 0, by which nothing can be divided; give others.")
    result = m.sum(cast(m, a, kind) * w, axis=axes, keepdims=keep) / total
    return (result, total) if returned else result


@function(example((5,), 2), example((3, 4), 1, axis=0), example((2, 3), [0, 2]))
def partition(m: Any, a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> Any:
    """Smaller elements before the k-th and larger ones behind: the whole line sorted, which is that too."""
    a, place, _ = _parted(m, a, kth, axis)
    return m.sort(a, axis=place)


@function(example((5,), 2), example((3, 4), 1, axis=0), differentiable=False)
def argpartition(m: Any, a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> Any:
    """The positions that make a partition: those that sort."""
    a, place, _ = _parted(m, a, kth, axis)
    return m.argsort(a, axis=place)


def _parted(m: Any, a: Any, kth: Any, axis: int | None) -> tuple[Any, int, Any]:
    a, place = (ravel(m, array(a)), 0) if axis is None else (array(a), one_axis(axis, ndim(array(a))))
    for k in np.atleast_1d(kth).tolist():
        one_axis(k, a.shape[place], "kth")
    return a, place, kth
