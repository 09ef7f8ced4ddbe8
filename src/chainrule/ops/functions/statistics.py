"""Functions that sum up arrays along axes: sums, means, extrema, softmax, sorting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.ops.arithmetic import square_of_size
from chainrule.ops.functions.function import (
    adding,
    all_axes,
    array,
    cast,
    floating,
    function,
    is_known,
    ndim,
    not_into,
    one_axis,
)
from chainrule.ops.functions.shaping import ravel
from chainrule.ops.kinds.reduction import HALF, SINGLE
from chainrule.ops.operation import example

Axis = int | tuple[int, ...] | None


_MASK = np.array([[True, False, True, True], [False, True, True, False], [True, True, False, True]])


@function(
    example((3, 4)),
    example((3, 4), axis=0),
    example((2, 3, 2), axis=(0, -1), keepdims=True),
    example((3, 4), axis=1, where=_MASK, initial=2.0),
)
def sum(
    m: Any, a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """Σ of the elements."""
    total = _folded(m, m.sum, 0, a, axis, dtype, out, keepdims, where)
    return total if initial is None else total + _initial(m, initial, total.dtype)


@function(example((3, 4)), example((3, 4), axis=1), example((3, 4), axis=0, where=_MASK))
def mean(
    m: Any, a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False, where: Any = True
) -> Any:
    """The arithmetic mean."""
    not_into(out, "np.mean")
    if dtype is not None:
        a = adding(m, a, dtype, floats=True)
    if where is True:
        return m.mean(a, axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims))
    total, count = sum(m, a, axis, None, None, keepdims, where=where), _count(m, a, axis, keepdims, where)
    return cast(m, total / count, array(a).dtype if dtype is None and array(a).dtype.kind == "f" else dtype)


@function(example((3, 4)), example((3, 4), axis=1), example((3, 4), axis=1, where=_MASK, initial=2.0))
def prod(
    m: Any, a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """∏ of the elements."""
    product = _folded(m, m.prod, 1, a, axis, dtype, out, keepdims, where)
    return product if initial is None else product * _initial(m, initial, product.dtype)


@function(
    example((3, 4)),
    example((3, 4), axis=1),
    example((3, 4), axis=1, where=_MASK, initial=-9.0),
    numpy=(np.max, np.amax),
)
def max(
    m: Any, a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """The largest element."""
    return _extremum(m, m.max, m.maximum, a, axis, out, keepdims, initial, where)


@function(
    example((3, 4)), example((3, 4), axis=1), example((3, 4), axis=1, where=_MASK, initial=9.0), numpy=(np.min, np.amin)
)
def min(
    m: Any, a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """The smallest element."""
    return _extremum(m, m.min, m.minimum, a, axis, out, keepdims, initial, where)


@function(example((3, 4)), example((3, 4), axis=1, where=_MASK), differentiable=False)
def any(m: Any, a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = True) -> Any:
    """Whether some element is true."""
    return _folded(m, m.any, False, array(a), axis, None, out, keepdims, where)


@function(example((3, 4)), example((3, 4), axis=1, where=_MASK), differentiable=False)
def all(m: Any, a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = True) -> Any:
    """Whether every element is true."""
    return _folded(m, m.all, True, array(a), axis, None, out, keepdims, where)


def _folded(
    m: Any, fold: Any, neutral: Any, a: Any, axis: Axis, dtype: Any, out: None, keepdims: bool, where: Any
) -> Any:
    """A fold of the elements that a mask names, the others being replaced by a number that changes nothing."""
    if out is not None or dtype is not None or where is not True:
        not_into(out, "a reduction")
        a = adding(m, a, dtype)
        if where is not True:
            a = m.where(_mask(where, a), a, neutral)
    return cast(m, fold(a, axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims)), dtype)


def _extremum(
    m: Any, fold: Any, join: Any, a: Any, axis: Axis, out: None, keepdims: bool, initial: Any, where: Any
) -> Any:
    """The extremum of the elements that a mask names, and of `initial`."""
    if where is not True and initial is None:
        raise SettingError(
            "an extremum with where= needs initial=, the result where the mask names no element; give a number, as NumPy asks for."
        )
    if initial is not None:
        initial = _initial(m, initial, array(a).dtype)
    if initial is not None and 0 in (array(a).shape[i] for i in all_axes(axis, ndim(a))):
        empty = m.sum(a, axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims))
        return cast(m, empty, array(a).dtype) + initial
    found = _folded(m, fold, initial, a, axis, None, out, keepdims, where)
    return found if initial is None else join(found, initial)


def _initial(m: Any, initial: Any, dtype: Any) -> Any:
    """What a fold begins with, in the dtype of its result."""
    if dtype.kind in "iu" and is_known(initial) and not np.isfinite(initial):
        raise SettingError(
            f"a reduction of {dtype} was given initial={initial}, which is no integer; give one, or floats to reduce."
        )
    return cast(m, array(initial), dtype)


def _mask(where: Any, a: Any) -> Any:
    """A mask of the elements that take part."""
    where = array(where)
    try:
        fits = np.broadcast_shapes(where.shape, a.shape) == tuple(a.shape)
    except ValueError:
        fits = False
    if where.dtype != bool or not fits:
        raise ShapeError(
            f"where= was given shape {where.shape} and dtype {where.dtype} for an array of shape {tuple(a.shape)}; give truth "
            "values, one for every element."
        )
    return where


def _count(m: Any, a: Any, axis: Axis, keepdims: bool, where: Any) -> Any:
    """How many elements take part, along axes."""
    kind = np.dtype(np.intp)
    mask = m.broadcast_to(_mask(where, array(a)), shape=tuple(array(a).shape))
    return m.sum(m.astype(mask, dtype=kind), axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims))


@function(
    example((3, 4)),
    example((5, 2), axis=0, ddof=1),
    example((3, 4), axis=1, where=_MASK, keepdims=True),
)
def var(
    m: Any, a: Any, axis: Axis = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: bool = False,
    *, where: Any = True, mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    """Mean squared distance from the mean; the divisor is the count less `ddof`."""
    not_into(out, "np.var")
    a, axes = floating(m, adding(m, a, dtype, floats=True)), all_axes(axis, ndim(a))
    if correction is not None:
        if ddof:
            raise SettingError(f"var was given ddof={ddof} and correction={correction}, which mean the same; give one.")
        ddof = correction
    wide = _wide(m, a)
    if where is not True:
        count = _count(m, a, axis, True, where)
        middle = sum(m, wide, axes, None, None, True, where=where) / count if mean is None else mean
        distance = m.where(_mask(where, a), wide - middle, 0)
        divisor = m.maximum(_count(m, a, axis, bool(keepdims), where) - ddof, 0)
        kind = np.empty(0, a.dtype).real.dtype
        return cast(m, m.sum(square_of_size(m, distance), axis=axes, keepdims=bool(keepdims)) / divisor, kind)
    number = math.prod(a.shape[i] for i in axes)
    if number - ddof <= 0:
        raise ShapeError(f"var needs more than ddof={ddof} elements along axis {axis} and was given shape {a.shape}.")
    distance = wide - (m.mean(wide, axis=axes, keepdims=True) if mean is None else mean)
    if distance.shape != a.shape:
        raise ShapeError(
            f"var was given a mean of shape {np.shape(mean)} for an array of shape {a.shape}; compute it with keepdims=True."
        )
    return _as(m, a, m.sum(square_of_size(m, distance), axis=axes, keepdims=bool(keepdims)) / (number - ddof))


def _wide(m: Any, a: Any) -> Any:
    """Half precision as single, as NumPy has it where numbers are added up."""
    return m.astype(a, dtype=SINGLE) if a.dtype == HALF else a


def _as(m: Any, a: Any, result: Any) -> Any:
    """A result of `_wide` numbers in the dtype that was given."""
    return m.astype(result, dtype=HALF) if a.dtype == HALF else result


@function(example((3, 4)), example((5, 2), axis=0, ddof=1), example((3, 4), axis=1, where=_MASK))
def std(
    m: Any, a: Any, axis: Axis = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: bool = False,
    *, where: Any = True, mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    """The square root of the variance; where that is 0 its derivatives are taken as 0, and those of its square are the variance's."""
    return m.root(var(m, a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction))


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
