"""Functions along a line of samples: running sums and products, differences, slopes, areas, interpolation, convolution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError, shortened
from chainrule.ops.functions.elementwise import conjugate
from chainrule.ops.functions.function import (
    adding,
    array,
    cast,
    floating,
    function,
    is_known,
    ndim,
    not_into,
    one_axis,
    seen,
    shape,
    together,
    whole,
)
from chainrule.ops.functions.joining import concatenate
from chainrule.ops.functions.shaping import cut_along, flip, ravel, reshape
from chainrule.ops.operation import example


@function(example((5,)), example((3, 4), axis=1), example((3, 4), axis=0, dtype=np.float64))
def cumsum(m: Any, a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Running sums along an axis."""
    not_into(out, "np.cumsum")
    a, place = _line(m, adding(m, a, dtype), axis)
    return cast(m, m.cumsum(a, axis=place), dtype)


@function(example((5,)), example((3, 4), axis=1), example(np.array([2.0, 0.0, 3.0, 0.5, -1.0])))
def cumprod(m: Any, a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """Running products along an axis; derivatives are right at zeros too."""
    not_into(out, "np.cumprod")
    a, place = _line(m, adding(m, a, dtype), axis)
    wide = cast(m, a, np.cumprod(np.ones(1, a.dtype)).dtype)
    return cast(m, accumulated(m, m.multiply, wide, place), dtype)


@function(example((5,)), example((3, 4), axis=1, include_initial=True))
def cumulative_sum(
    m: Any, x: Any, /, *, axis: int | None = None, dtype: Any = None, out: None = None, include_initial: bool = False
) -> Any:
    """Running sums along an axis, from 0 on if that is asked for."""
    return _cumulative(m, cumsum, 0, x, axis, dtype, out, include_initial)


@function(example((5,)), example((3, 4), axis=1, include_initial=True))
def cumulative_prod(
    m: Any, x: Any, /, *, axis: int | None = None, dtype: Any = None, out: None = None, include_initial: bool = False
) -> Any:
    """Running products along an axis, from 1 on if that is asked for."""
    return _cumulative(m, cumprod, 1, x, axis, dtype, out, include_initial)


def _cumulative(
    m: Any, running: Callable[..., Any], first: int, x: Any, axis: int | None, dtype: Any, out: None, initial: bool
) -> Any:
    x = array(x)
    if axis is None and ndim(x) != 1:
        raise ShapeError(f"a cumulative sum or product of shape {shape(x)} needs axis=; name the axis it runs along.")
    place = one_axis(0 if axis is None else axis, ndim(x))
    result = running(m, x, place, dtype, out)
    if not initial:
        return result
    start = np.full([1 if i == place else n for i, n in enumerate(result.shape)], first, result.dtype)
    return m.concatenate(start, result, axis=place)


def _line(m: Any, a: Any, axis: int | None) -> tuple[Any, int]:
    """An array and the axis to run along; without one, all elements in a row."""
    return (ravel(m, a), 0) if axis is None else (a, one_axis(axis, ndim(a)))


def accumulated(m: Any, join: Callable[[Any, Any], Any], x: Any, axis: int) -> Any:
    """For every place along an axis the elements up to it joined, by doubling distances; `join` is associative."""
    distance, n = 1, x.shape[axis]
    if n < 2 and x.dtype != bool:
        return m.positive(x)
    while distance < n:
        joined = join(cut_along(m, x, axis, 0, n - distance), cut_along(m, x, axis, distance, n))
        x = m.concatenate(cut_along(m, x, axis, 0, distance), joined, axis=axis)
        distance *= 2
    return x


@function(
    example((5,)),
    example((3, 4), 2, axis=0),
    example((3, 4), 2, prepend=0.5, append=np.array([[1.0], [2.0], [3.0]])),
)
def diff(m: Any, a: Any, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue) -> Any:
    """Differences of neighbours along an axis, `n` times, after values put before and behind."""
    a = array(a)
    place = one_axis(axis, ndim(a))
    if whole(n, "n") < 0:
        raise SettingError(f"diff was given n={n}; give how often to take differences, from 0 on.")
    if n == 0:
        return a
    ends = [_end(m, x, a, place) for x in (prepend, append)]
    parts = [x for x in (ends[0], a, ends[1]) if x is not None]
    if len(parts) > 1:
        a = concatenate(m, together(m, *parts), place)
    for _ in range(n):
        length = a.shape[place]
        later, earlier = cut_along(m, a, place, 1, length), cut_along(m, a, place, 0, length - 1)
        a = m.logical_xor(later, earlier) if a.dtype == bool else later - earlier
    return a


def _end(m: Any, x: Any, a: Any, axis: int) -> Any:
    """What is put at an end of an axis: an array, or a number for every line."""
    if x is np._NoValue:
        return None
    x = array(x)
    if ndim(x):
        return x
    return m.broadcast_to(x, shape=tuple(1 if i == axis else n for i, n in enumerate(a.shape)))


@function(example((5,)), example((2, 3), to_end=np.array([1.0, 2.0]), to_begin=0.5))
def ediff1d(m: Any, ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of neighbours in the flattened array, with numbers put at the ends."""
    ary = ravel(m, array(ary))
    between = diff(m, ary)
    ends = [None if x is None else ravel(m, cast(m, array(x), ary.dtype)) for x in (to_begin, to_end)]
    return concatenate(m, [x for x in (ends[0], between, ends[1]) if x is not None])


@function(
    example((5,)),
    example((3, 4), 0.5, axis=1, edge_order=2),
    example((4,), np.array([0.0, 0.5, 2.0, 3.0]), edge_order=2),
    example((4,), np.array([0.0, 0.5, 2.0, 3.0])),
    example((3, 4)),
)
def gradient(m: Any, f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Slopes along axes: central differences inside, one-sided ones of first or second order at the ends."""
    f = floating(m, f)
    axes = tuple(range(ndim(f))) if axis is None else tuple(one_axis(i, ndim(f)) for i in np.atleast_1d(axis).tolist())
    if edge_order not in (1, 2):
        raise SettingError(f"gradient was given edge_order={shortened(edge_order)}; give 1 or 2.")
    if len(varargs) not in (0, 1, len(axes)):
        raise ShapeError(f"gradient was given {len(varargs)} spacings for {len(axes)} axes; give one, or one for each.")
    spacings = [1.0] * len(axes) if not varargs else list(varargs) * (len(axes) if len(varargs) == 1 else 1)
    found = [_slopes(m, f, place, h, edge_order) for place, h in zip(axes, spacings, strict=True)]
    return found[0] if len(axes) == 1 else tuple(found)


def _slopes(m: Any, f: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    """The slope along one axis, for samples at equal distances or at given places."""
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ShapeError(
            f"gradient needs at least {edge_order + 1} elements along axis {axis} and was given shape {tuple(f.shape)}."
        )

    def at(begin: int, end: int) -> Any:
        return cut_along(m, f, axis, begin, end)

    spacing = spacing if isinstance(spacing, int | float) else array(spacing)
    if ndim(spacing) == 0:
        inside = (at(2, n) - at(0, n - 2)) / (2.0 * spacing)
        if edge_order == 1:
            ends = (at(1, 2) - at(0, 1)) / spacing, (at(n - 1, n) - at(n - 2, n - 1)) / spacing
        else:
            ends = (
                (-1.5 * at(0, 1) + 2.0 * at(1, 2) - 0.5 * at(2, 3)) / spacing,
                (1.5 * at(n - 1, n) - 2.0 * at(n - 2, n - 1) + 0.5 * at(n - 3, n - 2)) / spacing,
            )
        return cast(m, m.concatenate(*together(m, ends[0], inside, ends[1]), axis=axis), f.dtype)
    if shape(spacing) != (n,):
        raise ShapeError(f"gradient was given places of shape {shape(spacing)} for {n} samples; give as many.")
    steps = reshape(m, diff(m, floating(m, spacing)), [-1 if i == axis else 1 for i in range(ndim(f))])

    def step(begin: int, end: int) -> Any:
        return cut_along(m, steps, axis, begin, end)

    h, k = step(0, n - 2), step(1, n - 1)
    inside = -k / (h * (h + k)) * at(0, n - 2) + (k - h) / (h * k) * at(1, n - 1) + h / (k * (h + k)) * at(2, n)
    if edge_order == 1:
        ends = (at(1, 2) - at(0, 1)) / step(0, 1), (at(n - 1, n) - at(n - 2, n - 1)) / step(n - 2, n - 1)
    else:
        h, k, p, q = step(0, 1), step(1, 2), step(n - 3, n - 2), step(n - 2, n - 1)
        ends = (
            -(2.0 * h + k) / (h * (h + k)) * at(0, 1) + (h + k) / (h * k) * at(1, 2) - h / (k * (h + k)) * at(2, 3),
            q / (p * (p + q)) * at(n - 3, n - 2)
            - (q + p) / (p * q) * at(n - 2, n - 1)
            + (2.0 * q + p) / (q * (p + q)) * at(n - 1, n),
        )
    return cast(m, m.concatenate(*together(m, ends[0], inside, ends[1]), axis=axis), f.dtype)


@function(
    example((4,)),
    example((3, 4), dx=0.5, axis=0),
    example((3, 4), np.array([0.0, 1.0, 1.5, 3.0])),
    example((2, 3), (2, 3)),
    numpy=tuple(getattr(np, name) for name in ("trapezoid", "trapz") if hasattr(np, name)),  # as older versions call it
)
def trapezoid(m: Any, y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The area under samples by trapezia."""
    y = array(y)
    place = one_axis(axis, ndim(y))
    width = dx
    if x is not None:
        x = array(x)
        width = diff(m, x, 1, 0 if ndim(x) == 1 else axis)
        if ndim(x) == 1:
            width = reshape(m, width, [-1 if i == place else 1 for i in range(ndim(y))])
    n = y.shape[place]
    pieces = width * (cut_along(m, y, place, 1, n) + cut_along(m, y, place, 0, n - 1)) / 2.0
    return m.sum(pieces, axis=(one_axis(axis, ndim(pieces)),), keepdims=False)


@function(example((5,)), example(np.array([0.0, 3.0, 6.5, 2.0, -4.0])), example((3, 4), axis=0, period=1.0))
def unwrap(m: Any, p: Any, discont: float | None = None, axis: int = -1, *, period: float = 6.283185307179586) -> Any:
    """Angles without jumps of more than half a period: multiples of the period are added, which have no derivative."""
    p = floating(m, p)
    place = one_axis(axis, ndim(p))
    jumps = seen(m, diff(m, p, 1, place))
    low = -period / 2.0
    least = m.remainder(jumps - low, period) + low
    least = m.where(m.logical_and(least == low, jumps > 0), -low, least)
    added = m.where(m.absolute(jumps) < (period / 2.0 if discont is None else discont), 0.0, least - jumps)
    first = np.zeros([1 if i == place else n for i, n in enumerate(p.shape)], p.dtype)
    return p + m.concatenate(first, m.cumsum(added, axis=place), axis=place)


def places_in(m: Any, sorted_: Any, values: Any, side: str = "left") -> Any:
    """Where values belong among sorted numbers; counted by comparisons where the numbers are not known."""
    sorted_, values = seen(m, sorted_), seen(m, values)
    if is_known(sorted_) and is_known(values):
        return np.searchsorted(sorted_, values, side=side)  # type: ignore[call-overload]
    compare = m.less if side == "left" else m.less_equal
    column = m.reshape(values, shape=(*values.shape, 1))
    smaller = compare(sorted_, column)
    if values.dtype.kind == "f":  # NaN belongs behind all numbers
        last = m.isnan(column)
        if side == "left" and sorted_.dtype.kind == "f":
            last = m.logical_and(last, m.logical_not(m.isnan(sorted_)))
        smaller = m.logical_or(smaller, last)
    before = m.astype(smaller, dtype=np.dtype(np.intp))
    return m.sum(before, axis=(len(values.shape),), keepdims=False)


@function(
    example(np.array([0.3, 1.7, -1.0, 9.0]), np.array([0.0, 1.0, 2.5, 4.0]), (4,)),
    example(np.array([[0.3, 2.0], [1.7, -1.0]]), np.array([0.0, 1.0, 2.5]), (3,), 5.0, 7.0),
    example(np.array([-190.3, 45.0, 400.0]), np.array([190.0, -190.0, 350.0, -350.0]), (4,), period=360.0),
)
def interp(m: Any, x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None) -> Any:
    """Linear interpolation between samples, with the first and the last one outside, or `left` and `right`."""
    double = np.dtype(float)
    x, xp = (cast(m, array(v), double) for v in (x, xp))
    fp = cast(m, array(fp), np.result_type(array(fp).dtype, double))
    if ndim(xp) != 1 or shape(xp) != shape(fp) or not shape(xp)[0]:
        raise ShapeError(
            f"interp was given places of shape {shape(xp)} and values of shape {shape(fp)}; give as many, at least one."
        )
    if period is not None:
        if period == 0:
            raise SettingError("interp was given period=0; give the length after which values repeat.")
        size = abs(period)
        x, xp = m.remainder(x, size), m.remainder(xp, size)
        order = m.argsort(xp, axis=0)
        xp, fp = m.take(xp, order, axis=0), m.take(fp, order, axis=0)
        n = shape(xp)[0]
        xp = m.concatenate(cut_along(m, xp, 0, n - 1, n) - size, xp, cut_along(m, xp, 0, 0, 1) + size, axis=0)
        fp = m.concatenate(cut_along(m, fp, 0, n - 1, n), fp, cut_along(m, fp, 0, 0, 1), axis=0)
        left = right = None
    elif is_known(places := seen(m, xp)) and np.any(np.diff(places) < 0):
        raise SettingError(
            "interp was given places that do not ascend; give them in order, and the values with them (np.argsort)."
        )
    n = shape(xp)[0]
    first, last = (cut_along(m, fp, 0, i, i + 1) for i in (0, n - 1))
    low = m.reshape(first, shape=()) if left is None else left
    high = m.reshape(last, shape=()) if right is None else right
    start, end = (m.reshape(cut_along(m, xp, 0, i, i + 1), shape=()) for i in (0, n - 1))
    if n == 1:
        inside = m.broadcast_to(m.reshape(first, shape=()), shape=shape(x))
    else:
        place = m.clip(places_in(m, xp, x, "right") - 1, 0, n - 2)
        x0, x1 = m.take(xp, place, axis=0), m.take(xp, place + 1, axis=0)
        y0, y1 = m.take(fp, place, axis=0), m.take(fp, place + 1, axis=0)
        within = m.logical_and(x >= start, x <= end)
        inside = y0 + (y1 - y0) * (m.where(within, x, x0) - x0) / (x1 - x0)
    inside = m.where(x < start, low, m.where(x == end, m.reshape(last, shape=()), inside))
    return m.where(x > end, high, inside)


@function(
    example((5,), (3,)), example((3,), (5,), "same"), example((5,), (2,), "valid"), example((2,), (2,), mode="same")
)
def convolve(m: Any, a: Any, v: Any, mode: str = "full") -> Any:
    """Σₖ a[k]·v[i − k], of all places, as many as the longer has, or those where both overlap wholly."""
    a, v = together(m, array(a), array(v))
    a, v = (x if ndim(x) else m.reshape(x, shape=(1,)) for x in (a, v))
    if ndim(a) != 1 or ndim(v) != 1 or not a.shape[0] or not v.shape[0]:
        raise ShapeError(f"convolve was given shapes {shape(a)} and {shape(v)}; give two vectors with elements.")
    if mode not in ("full", "same", "valid"):
        raise SettingError(f"mode={shortened(mode)} is none of 'full', 'same' and 'valid'; give one of them.")
    long, short = (v, a) if v.shape[0] > a.shape[0] else (a, v)
    if mode != "same":
        return m.convolution(long, short, mode=mode)
    n, begin = long.shape[0], (short.shape[0] - 1) // 2
    return cut_along(m, m.convolution(long, short, mode="full"), 0, begin, begin + n)


@function(example((5,), (3,)), example((3,), (5,), "same"), example((5,), (2,), "full"), example((3,), (4,), "full"))
def correlate(m: Any, a: Any, v: Any, mode: str = "valid") -> Any:
    """Σₖ a[k + i]·v̄[k]: convolution with the second vector reversed, and of complex numbers conjugated."""
    a, v = array(a), conjugate(m, array(v))
    if ndim(a) == ndim(v) == 1 and v.shape[0] > a.shape[0]:  # the shorter one is moved, and the result reversed
        return flip(m, convolve(m, v, flip(m, a), mode))
    return convolve(m, a, flip(m, v) if ndim(v) else v, mode)
