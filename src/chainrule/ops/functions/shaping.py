"""Functions that change an array's shape or the order of its elements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.errors import ShapeError, shortened
from chainrule.ops.functions.function import all_axes, function, ndim, one_axis, shape, whole, wholes
from chainrule.ops.layouts import bounds_along
from chainrule.ops.operation import copied, example


@function(example((2, 6), [3, -1]), example((4,), [2, 2]))
def reshape(
    m: Any, a: Any, /, shape: Any = None, order: str = "C", *, newshape: Any = None, copy: bool | None = None
) -> Any:
    """The same elements in another shape; one length may be −1."""
    wanted = newshape if shape is None else shape
    lengths = wanted if type(wanted) is tuple else wholes(wanted, "shape")
    if order == "F":  # the first axis runs fastest: row-major, with all axes the other way round
        return transpose(m, reshape(m, transpose(m, a), lengths[::-1]))
    if order not in ("C", "A"):
        raise ShapeError(f"reshape was given order={shortened(order)}; the orders 'C' and 'F' can be traced.")
    lengths = tuple(n if type(n) is int else whole(n, "a length") for n in lengths)
    if -1 in lengths:
        known = math.prod(n for n in lengths if n != -1)
        size = math.prod(a.shape)
        if lengths.count(-1) > 1 or known == 0 or size % known:
            raise ShapeError(
                f"cannot reshape {a.shape} ({size} elements) to {lengths}; "
                f"give lengths whose product is {size}, at most one of them -1."
            )
        lengths = tuple(size // known if n == -1 else n for n in lengths)
    return a if lengths == a.shape else m.reshape(a, shape=lengths)


@function(example((2, 3)))
def ravel(m: Any, a: Any, order: str = "C") -> Any:
    """All elements along one axis."""
    return reshape(m, a, (math.prod(a.shape),), order)


@function(example((2, 3)), example((2, 3, 4), axes=(1, 2, 0)))
def transpose(m: Any, a: Any, axes: Sequence[int] | None = None) -> Any:
    """Axes in another order, by default reversed."""
    n = ndim(a)
    order = tuple(range(n))[::-1] if axes is None else tuple(one_axis(i, n) for i in wholes(axes, "axes"))
    if sorted(order) != list(range(n)):
        raise ShapeError(f"transpose was given axes {axes} for an array with {n} axes; each axis must be named once.")
    return a if order == tuple(range(n)) else m.transpose(a, axes=order)


@function(example((2, 3, 4), 0, 2))
def swapaxes(m: Any, a: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    order = list(range(ndim(a)))
    i, k = one_axis(axis1, ndim(a)), one_axis(axis2, ndim(a))
    order[i], order[k] = order[k], order[i]
    return transpose(m, a, order)


@function(example((2, 3, 4), 0, -1), example((2, 3, 4), [0, 1], [2, 0]))
def moveaxis(m: Any, a: Any, source: Any, destination: Any) -> Any:
    """Axes moved to new places, the others staying in order."""
    sources = [one_axis(i, ndim(a)) for i in wholes(source, "source")]
    places = [one_axis(i, ndim(a)) for i in wholes(destination, "destination")]
    if len({*sources}) != len(sources) or len({*places}) != len(places) or len(places) != len(sources):
        raise ShapeError(
            f"moveaxis was given source {source} and destination {destination}; name as many axes in both, each once."
        )
    order = [i for i in range(ndim(a)) if i not in sources]
    for place, origin in sorted(zip(places, sources, strict=True)):
        order.insert(place, origin)
    return transpose(m, a, order)


@function(example((2, 3), 1), example((3,), axis=(0, 2)))
def expand_dims(m: Any, a: Any, axis: Any) -> Any:
    """New axes of length 1."""
    count = len(wholes(axis, "axis"))
    new = all_axes(axis, ndim(a) + count)
    lengths = iter(a.shape)
    return m.reshape(a, shape=tuple(1 if i in new else next(lengths) for i in range(ndim(a) + count)))


@function(example((2, 1, 3, 1)), example((2, 1, 3, 1), 1))
def squeeze(m: Any, a: Any, axis: Any = None) -> Any:
    """Axes of length 1 removed."""
    drop = tuple(i for i, n in enumerate(a.shape) if n == 1) if axis is None else all_axes(axis, ndim(a))
    if any(a.shape[i] != 1 for i in drop):
        raise ShapeError(f"cannot squeeze axis {axis} of shape {a.shape}: its length is not 1. Name axes of length 1.")
    return reshape(m, a, tuple(n for i, n in enumerate(a.shape) if i not in drop))


@function(example((3,), shape=(2, 3)))
def broadcast_to(m: Any, array: Any, shape: Any) -> Any:
    """The array repeated along new or single axes until it has `shape`."""
    return m.broadcast_to(array, shape=wholes(shape, "shape"))


@function(example((3, 2)), example((3, 2), 1))
def flip(m: Any, x: Any, axis: Any = None) -> Any:
    """The order of elements reversed along axes."""
    axes, whole = all_axes(axis, ndim(x)), (None,) * ndim(x)
    return m.slice(x, start=whole, stop=whole, step=tuple(-1 if i in axes else 1 for i in range(ndim(x))))


@function(example((5,), 2), example((3, 4), -1, axis=1), example((3, 4), 5))
def roll(m: Any, a: Any, shift: Any, axis: Any = None) -> Any:
    """Elements shifted along axes; what leaves at one end enters at the other."""
    if axis is None:
        return reshape(m, roll(m, ravel(m, a), shift, 0), a.shape)
    for by, along in np.broadcast(wholes(shift, "shift"), wholes(axis, "axis")):
        place = one_axis(along, ndim(a))
        n = a.shape[place]
        cut = int(n - by) % n if n else 0
        if cut:
            a = m.concatenate(cut_along(m, a, place, cut, n), cut_along(m, a, place, 0, cut), axis=place)
    return a


def cut_along(m: Any, x: Any, axis: int, begin: int, end: int) -> Any:
    """The elements from `begin` to before `end` along one axis."""
    return m.slice(x, **bounds_along(ndim(x), axis, begin, end))


@function(example((2, 3), 2), example((2,), [2, 1, 2]))
def tile(m: Any, A: Any, reps: Any) -> Any:
    """The whole array repeated side by side."""
    times = wholes(reps, "reps")
    if min(times, default=0) < 0:
        raise ShapeError(f"tile was given reps={shortened(reps)}; give counts from 0 on.")
    lengths = (1,) * (len(times) - ndim(A)) + tuple(A.shape)
    times = (1,) * (len(lengths) - len(times)) + times
    pairs = tuple(k for n in lengths for k in (1, n))
    repeated = tuple(k for n, t in zip(lengths, times, strict=True) for k in (t, n))
    spread = m.broadcast_to(m.reshape(A, shape=pairs), shape=repeated)
    return copied(m, m.reshape(spread, shape=tuple(n * t for n, t in zip(lengths, times, strict=True))))


@function(example((3,), 2), example((2, 3), np.array([1, 0, 2]), axis=1))
def repeat(m: Any, a: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element repeated; `repeats` is one count or one for every element along `axis`."""
    if axis is None:
        a, axis = ravel(m, a), 0
    place = one_axis(axis, ndim(a))
    return m.take(a, np.repeat(np.arange(a.shape[place]), repeats), axis=place)


@function(
    example((4,)),
    example((2,), k=1),
    example((2,), k=-2),
    example((3, 4), k=1),
    example((4, 3), k=-1),
    numpys_is_a_view=True,
)
def diag(m: Any, v: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, or a matrix with a given diagonal."""
    if ndim(v) == 2:
        return diagonal(m, v, k)
    if ndim(v) != 1:
        raise ShapeError(f"diag expects 1 or 2 axes and was given shape {v.shape}.")
    k = whole(k, "k")
    n = v.shape[0] + abs(k)
    begin = k if k >= 0 else -k * n
    flat = m.embed(v, shape=(n * n,), start=(begin,), stop=(begin + v.shape[0] * (n + 1),), step=(n + 1,))
    return m.reshape(flat, shape=(n, n))


@function(example((3, 4)), example((3, 4, 2), 1), example((2, 3, 4), 0, 1, 2), numpys_is_a_view=True)
def diagonal(m: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal along two axes, put last."""
    i, k = one_axis(axis1, ndim(a)), one_axis(axis2, ndim(a))
    if i == k:
        raise ShapeError(f"diagonal was given axis1={axis1} and axis2={axis2}, which are the same axis; name two.")
    offset = whole(offset, "offset")
    rest = [axis for axis in range(ndim(a)) if axis not in (i, k)]
    moved = transpose(m, a, [i, k, *rest])
    rows, columns, *others = moved.shape
    begin = offset if offset >= 0 else -offset * columns
    count = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    flat = m.reshape(moved, shape=(rows * columns, *others))
    picked = m.take(flat, begin + np.arange(count) * (columns + 1), axis=0)
    return moveaxis(m, picked, 0, -1)


@function(example((3, 3)), example((2, 3, 4), k=1))
def triu(m: Any, m_: Any, k: int = 0) -> Any:
    """The upper triangle; zeros below diagonal `k`."""
    return m.where(_triangle(m_, k - 1), m_.dtype.type(0), m_)


@function(example((3, 3)), example((2, 3, 4), k=-1))
def tril(m: Any, m_: Any, k: int = 0) -> Any:
    """The lower triangle; zeros above diagonal `k`."""
    return m.where(_triangle(m_, k), m_, m_.dtype.type(0))


def _triangle(x: Any, k: int) -> Any:
    """Where a matrix is below its diagonal `k`, or on it; a vector is every row of a square one."""
    if not x.shape:
        raise ShapeError("a triangle needs an array with axes, and was given a number; give a matrix.")
    rows, columns = x.shape[-2:] if ndim(x) > 1 else x.shape * 2
    return np.tri(rows, columns, whole(k, "k"), bool)


@function(example((2, 2), [[1, 0], [0, 2]]), example((4,), 1, mode="reflect"), example((2, 2), 1, constant_values=3.0))
def pad(m: Any, array: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Any:
    """Elements added at the ends of every axis: a constant, or copies in one of NumPy's modes."""
    widths = np.broadcast_to(np.asarray(pad_width), (ndim(array), 2)).tolist()
    if any(type(n) is not int or n < 0 for pair in widths for n in pair):
        raise ShapeError(f"pad was given pad_width={shortened(pad_width)}; give integers from 0 on.")
    if mode == "constant":
        lengths = tuple(n + before + after for n, (before, after) in zip(array.shape, widths, strict=True))
        start = tuple(before for before, _ in widths)
        stop = tuple(before + n for n, (before, _) in zip(array.shape, widths, strict=True))
        placed = m.embed(array, shape=lengths, start=start, stop=stop, step=(1,) * ndim(array))
        if type(constant_values) in (int, float) and constant_values == 0:
            return placed
        outside = np.pad(np.zeros(array.shape, bool), widths, constant_values=True)
        return m.where(
            outside, np.pad(np.zeros(array.shape, array.dtype), widths, constant_values=constant_values), placed
        )
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ShapeError(
            f"pad was given mode={shortened(mode)}; 'constant', 'edge', 'reflect', 'symmetric' and 'wrap' can be traced."
        )
    for axis, (before, after) in enumerate(widths):
        if before or after:
            places = np.pad(np.arange(array.shape[axis]), (before, after), mode=mode)  # type: ignore[call-overload]
            array = m.take(array, places, axis=axis)
    return array


@function(example((2, 3)), differentiable=False, name="shape")
def shape_function(m: Any, a: Any) -> tuple[int, ...]:
    """The shape, which is always known."""
    return shape(a)


@function(example((2, 3)), differentiable=False, name="ndim")
def ndim_function(m: Any, a: Any) -> int:
    """The number of axes."""
    return ndim(a)


@function(example((2, 3)), differentiable=False)
def size(m: Any, a: Any, axis: int | None = None) -> int:
    """The number of elements."""
    return math.prod(shape(a)[i] for i in all_axes(axis, ndim(a)))


@function(example((2, 3)), differentiable=False)
def zeros_like(m: Any, a: Any, dtype: Any = None, shape: Any = None) -> Any:
    """Zeros of the same shape."""
    return np.zeros(a.shape if shape is None else shape, dtype or a.dtype)


@function(example((2, 3)), differentiable=False)
def ones_like(m: Any, a: Any, dtype: Any = None, shape: Any = None) -> Any:
    """Ones of the same shape."""
    return np.ones(a.shape if shape is None else shape, dtype or a.dtype)


@function(example((2, 3)), numpy=(np.copy,))
def copy(m: Any, a: Any, order: str = "K", subok: bool = False) -> Any:
    """The same numbers in memory of their own."""
    return copied(m, a)
