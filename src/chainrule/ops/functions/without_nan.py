"""Sums, means and extrema of the elements that are numbers: NaN is left out, and has no derivative."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.ops.functions import lines, statistics
from chainrule.ops.functions.function import all_axes, array, floating, function, ndim, not_into
from chainrule.ops.operation import example

Axis = int | tuple[int, ...] | None
_HOLES = np.array([[1.0, np.nan, 3.0, 0.5], [np.nan, -1.5, 2.0, 7.0]])
_BOTH = (example(_HOLES), example(_HOLES, axis=1), example((3, 4), axis=0, keepdims=True))
_LINE = (example(_HOLES), example(_HOLES, axis=1), example((3, 4), axis=0))


def _filled(m: Any, a: Any, number: Any) -> Any:
    """A number in place of NaN."""
    a = array(a)
    return m.where(m.isnan(a), number, a) if a.dtype.kind in "fc" else a


def _numbers(m: Any, a: Any, where: Any = True) -> Any:
    """Where there are numbers, and the mask that is given names them."""
    there = m.logical_not(m.isnan(a))
    return there if where is True else m.logical_and(there, where)


@function(*_BOTH)
def nansum(
    m: Any, a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """Σ of the elements that are not NaN."""
    return statistics.sum(m, _filled(m, a, 0), axis, dtype, out, keepdims, initial, where)


@function(*_BOTH)
def nanprod(
    m: Any, a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """∏ of the elements that are not NaN."""
    return statistics.prod(m, _filled(m, a, 1), axis, dtype, out, keepdims, initial, where)


@function(*_BOTH)
def nanmean(
    m: Any, a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """The mean of the elements that are not NaN."""
    a = floating(m, a)
    return statistics.mean(m, a, axis, dtype, out, keepdims, _numbers(m, a, where))


@function(*_BOTH, example(_HOLES, axis=1, ddof=1))
def nanvar(
    m: Any, a: Any, axis: Axis = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: bool = False,
    *, where: Any = True, mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    """The variance of the elements that are not NaN."""
    return _spread(m, statistics.var, a, axis, dtype, out, ddof, keepdims, where, mean, correction)


@function(*_BOTH, example(_HOLES, axis=1, ddof=1))
def nanstd(
    m: Any, a: Any, axis: Axis = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: bool = False,
    *, where: Any = True, mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    """The standard deviation of the elements that are not NaN."""
    return _spread(m, statistics.std, a, axis, dtype, out, ddof, keepdims, where, mean, correction)


def _spread(
    m: Any, of: Callable[..., Any], a: Any, axis: Axis, dtype: Any, out: None, ddof: float, keepdims: bool, where: Any,
    mean: Any, correction: float | None,
) -> Any:  # fmt: skip
    """A measure of spread, and NaN where no more than `ddof` numbers are left."""
    a = floating(m, a)
    there = _numbers(m, a, where)
    found = of(m, a, axis, dtype, out, ddof, keepdims, where=there, mean=mean, correction=correction)
    count = m.sum(m.broadcast_to(there, shape=a.shape), axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims))
    return m.where(m.less_equal(count, ddof if correction is None else correction), math.nan, found)


@function(*_BOTH)
def nanmax(
    m: Any, a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """The largest element that is not NaN."""
    return _extremum(m, statistics.max, -math.inf, a, axis, out, keepdims, initial, where)


@function(*_BOTH)
def nanmin(
    m: Any, a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """The smallest element that is not NaN."""
    return _extremum(m, statistics.min, math.inf, a, axis, out, keepdims, initial, where)


def _extremum(
    m: Any,
    of: Callable[..., Any],
    least: float,
    a: Any,
    axis: Axis,
    out: None,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Any:
    """The extremum of the numbers, and NaN where there are none."""
    a = array(a)
    if a.dtype.kind != "f":
        return of(m, a, axis, out, keepdims, initial, where)
    found = of(m, _filled(m, a, least), axis, out, keepdims, initial, where)
    none = m.all(m.isnan(a), axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims))
    return m.where(none, math.nan, found) if initial is None else found


@function(*_LINE)
def nancumsum(m: Any, a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Running sums, NaN counting as 0."""
    return lines.cumsum(m, _filled(m, a, 0), axis, dtype, out)


@function(*_LINE)
def nancumprod(m: Any, a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Running products, NaN counting as 1."""
    return lines.cumprod(m, _filled(m, a, 1), axis, dtype, out)


@function(*_BOTH, differentiable=False)
def nanargmax(m: Any, a: Any, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Any:
    """The position of the largest element that is not NaN."""
    not_into(out, "np.nanargmax")
    return statistics.argmax(m, _filled(m, a, -math.inf), axis, keepdims=keepdims)


@function(*_BOTH, differentiable=False)
def nanargmin(m: Any, a: Any, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Any:
    """The position of the smallest element that is not NaN."""
    not_into(out, "np.nanargmin")
    return statistics.argmin(m, _filled(m, a, math.inf), axis, keepdims=keepdims)


@function(*_BOTH, differentiable=False)
def count_nonzero(m: Any, a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """How many elements are not 0."""
    a = array(a)
    there = m.astype(m.not_equal(a, 0), dtype=np.dtype(np.intp))
    return m.sum(there, axis=all_axes(axis, ndim(a)), keepdims=bool(keepdims))
