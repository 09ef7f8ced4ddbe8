"""Functions that make arrays of a size and a range that are given, some of them like another array."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError, shortened
from chainrule.ops.functions.function import array, cast, floating, function, ndim, one_axis, together, whole, wholes
from chainrule.ops.functions.function import shape as shape_of
from chainrule.ops.functions.shaping import moveaxis
from chainrule.ops.operation import copied, example


@function(example((2, 3), ()), example((2, 3), (3,), dtype=np.float64))
def full_like(
    m: Any, a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    """A number everywhere, in an array like another one."""
    lengths = shape_of(a) if shape is None else wholes(shape, "shape")
    kind = array(a).dtype if dtype is None else np.dtype(dtype)
    filled = m.broadcast_to(cast(m, array(fill_value), kind), shape=lengths)
    return copied(m, filled)  # in memory of its own


@function(example((2, 0)), differentiable=False)
def empty_like(
    m: Any, prototype: Any, /, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    """A plain array like another one, of which nothing is said."""
    lengths = shape_of(prototype) if shape is None else wholes(shape, "shape")
    return np.empty(lengths, array(prototype).dtype if dtype is None else dtype)


@function(example((), 2.0, 5), example((3,), (3,), 4, axis=1), example(1.0, (2,), 3, endpoint=False, retstep=True))
def linspace(
    m: Any, start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    """Numbers at equal distances from a start to an end."""
    start, stop = (floating(m, x) for x in together(m, start, stop))
    points, step = _even(m, start, stop, num, endpoint)
    points = cast(m, _along(m, points, axis), dtype)
    return (points, step) if retstep else points


def _even(m: Any, start: Any, stop: Any, num: int, endpoint: bool) -> tuple[Any, Any]:
    """Numbers at equal distances along a first axis, and the distance."""
    count = whole(num, "num")
    if count < 0:
        raise ShapeError(f"a range of num={count} numbers was asked for; give a count from 0 on.")
    width = stop - start
    parts = count - 1 if endpoint else count
    step = width / parts if parts > 0 else np.nan
    kind = width.dtype
    place = np.arange(count, dtype=kind).reshape((-1, *(1,) * ndim(width)))
    points = start + place * (step if parts > 0 else width)
    if endpoint and count > 1:
        points = m.where(place == count - 1, stop, points)
    return points, step


def _along(m: Any, points: Any, axis: int) -> Any:
    place = one_axis(axis, ndim(points))
    return points if place == 0 else moveaxis(m, points, 0, place)


@function(example((), 2.0, 5), example((3,), (3,), 4, base=2.0, axis=1))
def logspace(
    m: Any,
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Powers of a base whose exponents are at equal distances."""
    if ndim(base):
        raise SettingError(
            f"logspace was given base={shortened(base)}; give one number, or write base ** np.linspace(…)."
        )
    start, stop = (floating(m, x) for x in together(m, start, stop))
    points, _ = _even(m, start, stop, num, endpoint)
    return cast(m, _along(m, m.power(base, points), axis), dtype)


@function(example(np.array(1.5), 20.0, 5), example(np.array([1.0, 2.0]), np.array([8.0, 3.0]), 4, axis=1))
def geomspace(
    m: Any, start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """Numbers at equal ratios from a start to an end, both positive or both negative; complex ones along a spiral."""
    kind = np.result_type(*(array(x).dtype for x in (start, stop)), np.float64, *([] if dtype is None else [dtype]))
    start, stop = (cast(m, x, kind) for x in together(m, start, stop))  # as NumPy has it, also for float32
    sign = start / m.absolute(start) if kind.kind == "c" else m.sign(start)
    low, high = start / sign, stop / sign
    points, _ = _even(m, m.log10(low), m.log10(high), num, endpoint)
    points = m.power(10.0, points)
    count, n = whole(num, "num"), ndim(points) - 1
    place = np.arange(count).reshape((-1, *(1,) * n))
    points = m.where(place == 0, low, points) if count else points
    if endpoint and count > 1:
        points = m.where(place == count - 1, high, points)
    return cast(m, _along(m, points * sign, axis), dtype)


@function(example((2, 3), np.float32), example((3,), np.float64))
def astype(m: Any, x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """The same numbers in another dtype; integers have no derivative."""
    return cast(m, array(x), dtype)


@function(example((4,)))
def real_if_close(m: Any, a: Any, tol: float = 100) -> Any:
    """The real part where the imaginary one is next to nothing: the numbers themselves, which are real."""
    return array(a)


@function(example((3, 3)), differentiable=False)
def diag_indices_from(m: Any, arr: Any) -> tuple[Any, ...]:
    """The positions on the diagonal, one array for every axis."""
    return np.diag_indices_from(np.broadcast_to(0, shape_of(arr)))


@function(example((3, 4)), example((3, 3), k=1), differentiable=False)
def tril_indices_from(m: Any, arr: Any, k: int = 0) -> tuple[Any, ...]:
    """The positions of the lower triangle of a matrix."""
    return np.tril_indices_from(np.broadcast_to(0, shape_of(arr)), k)


@function(example((3, 4)), example((3, 3), k=1), differentiable=False)
def triu_indices_from(m: Any, arr: Any, k: int = 0) -> tuple[Any, ...]:
    """The positions of the upper triangle of a matrix."""
    return np.triu_indices_from(np.broadcast_to(0, shape_of(arr)), k)
