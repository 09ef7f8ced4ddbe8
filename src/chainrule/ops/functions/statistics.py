"""Functions that sum up arrays along axes: sums, means, extrema, softmax, sorting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.ops.arithmetic import square_of_size
from chainrule.ops.functions.function import all_axes, array, function, ndim, one_axis, whole
from chainrule.ops.functions.shaping import cut_along, ravel
from chainrule.ops.kinds.reduction import HALF, SINGLE
from chainrule.ops.operation import example

Axis = int | tuple[int, ...] | None


@function(example((3, 4)), example((3, 4), axis=0), example((2, 3, 2), axis=(0, -1), keepdims=True))
def sum(m: Any, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Σ of the elements."""
    return m.sum(a, axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims))


@function(example((3, 4)), example((3, 4), axis=1))
def mean(m: Any, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The arithmetic mean."""
    return m.mean(a, axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims))


@function(example((3, 4)), example((3, 4), axis=1))
def prod(m: Any, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """∏ of the elements."""
    return m.prod(a, axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims))


@function(example((3, 4)), example((3, 4), axis=1), numpy=(np.max, np.amax))
def max(m: Any, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The largest element."""
    return m.max(a, axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims))


@function(example((3, 4)), example((3, 4), axis=1), numpy=(np.min, np.amin))
def min(m: Any, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """The smallest element."""
    return m.min(a, axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims))


@function(example((3, 4)), differentiable=False)
def any(m: Any, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Whether some element is true."""
    return m.any(a, axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims))


@function(example((3, 4)), differentiable=False)
def all(m: Any, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Whether every element is true."""
    return m.all(a, axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims))


@function(example((3, 4)), example((5, 2), axis=0, ddof=1))
def var(m: Any, a: Any, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """Mean squared distance from the mean; the divisor is the count less `ddof`."""
    axes = all_axes(axis, ndim(a))
    count = math.prod(a.shape[i] for i in axes)
    if count - ddof <= 0:
        raise ShapeError(f"var needs more than ddof={ddof} elements along axis {axis} and was given shape {a.shape}.")
    wide = _wide(m, a)
    distance = wide - m.mean(wide, axis=axes, keepdims=True)
    return _as(m, a, m.sum(square_of_size(m, distance), axis=axes, keepdims=bool(keepdims)) / (count - ddof))


def _wide(m: Any, a: Any) -> Any:
    """Half precision as single, as NumPy has it where numbers are added up."""
    return m.astype(a, dtype=SINGLE) if a.dtype == HALF else a


def _as(m: Any, a: Any, result: Any) -> Any:
    """A result of `_wide` numbers in the dtype that was given."""
    return m.astype(result, dtype=HALF) if a.dtype == HALF else result


@function(example((3, 4)), example((5, 2), axis=0, ddof=1))
def std(m: Any, a: Any, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """The square root of the variance; where that is 0 its derivatives are taken as 0, and those of its square are the variance's."""
    return m.root(var(m, a, axis, ddof=ddof, keepdims=keepdims))


@function(example((3, 4)), example((3, 4), axis=1, keepdims=True), numpy=())
def logsumexp(m: Any, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """ln Σ eˣ, which overflows for no finite x."""
    a, axes = array(a), all_axes(axis, ndim(a))
    if not axes and a.dtype.kind == "f":
        return m.positive(a)
    return _as(m, a, m.logsumexp(_wide(m, a), axis=axes, keepdims=bool(keepdims)))


@function(example((3, 4)), example((3, 4), axis=0), numpy=(), activation="plain")
def softmax(m: Any, x: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """eˣ / Σ eˣ: positive numbers that sum to 1 along `axis`."""
    axes, wide = all_axes(axis, ndim(x)), _wide(m, x)
    powers = m.exp(wide - m.stop_gradient(m.max(wide, axis=axes, keepdims=True)))
    return _as(m, x, powers / m.sum(powers, axis=axes, keepdims=True))


@function(example((3, 4)), example((3, 4), axis=0), numpy=(), activation="plain")
def log_softmax(m: Any, x: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """x − ln Σ eˣ, the logarithm of `softmax`."""
    axes, wide = all_axes(axis, ndim(x)), _wide(m, x)
    return _as(m, x, wide - m.logsumexp(wide, axis=axes, keepdims=True))


@function(example((5,)), example((3, 4), axis=1))
def cumsum(m: Any, a: Any, axis: int | None = None) -> Any:
    """Running sums along an axis."""
    if axis is None:
        a, axis = ravel(m, a), 0
    return m.cumsum(a, axis=one_axis(axis, ndim(a)))


@function(example((5,)), example((3, 4), 2, axis=0))
def diff(m: Any, a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours along an axis, `n` times."""
    place = one_axis(axis, ndim(a))
    if whole(n, "n") < 0:
        raise SettingError(f"diff was given n={n}; give how often to take differences, from 0 on.")
    for _ in range(n):
        length = a.shape[place]
        a = cut_along(m, a, place, 1, length) - cut_along(m, a, place, 0, length - 1)
    return a


@function(example((6,)), example((3, 4), axis=0), example((2, 3), axis=None))
def sort(m: Any, a: Any, axis: int | None = -1, kind: str | None = None, *, stable: bool | None = None) -> Any:
    """Elements in ascending order along an axis."""
    if axis is None:
        a, axis = ravel(m, a), 0
    return m.sort(a, axis=one_axis(axis, ndim(a)))


@function(example((3, 4)), example((2, 3), axis=None), differentiable=False)
def argsort(m: Any, a: Any, axis: int | None = -1, kind: str | None = None, *, stable: bool | None = None) -> Any:
    """The positions that sort an axis."""
    if axis is None:
        a, axis = ravel(m, a), 0
    return m.argsort(a, axis=one_axis(axis, ndim(a)))


@function(example((3, 4)), example((3, 4), axis=1), example((3, 4), axis=0, keepdims=True), differentiable=False)
def argmax(m: Any, a: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """The position of the largest element."""
    return _argument(m, m.argmax, a, axis, keepdims)


@function(example((3, 4)), example((3, 4), axis=1), example((3, 4), keepdims=True), differentiable=False)
def argmin(m: Any, a: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """The position of the smallest element."""
    return _argument(m, m.argmin, a, axis, keepdims)


def _argument(m: Any, find: Any, a: Any, axis: int | None, keepdims: bool) -> Any:
    flat, place = (ravel(m, a), 0) if axis is None else (a, one_axis(axis, ndim(a)))
    if flat.shape[place] == 0:
        raise ShapeError(
            f"there is no largest or smallest element of shape {a.shape} along axis {axis}; give at least one element."
        )
    found = find(flat, axis=place)
    if not keepdims:
        return found
    return m.reshape(found, shape=tuple(1 if axis is None or i == place else n for i, n in enumerate(a.shape)))
