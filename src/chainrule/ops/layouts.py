"""Moving elements: reshaping, transposing, slicing, joining, gathering and scattering."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.errors import ShapeError
from chainrule.ops.kinds.elementwise import sum_to
from chainrule.ops.kinds.layout import Layout
from chainrule.ops.operation import example, shape_of

Shape = tuple[int, ...]
Bounds = tuple[int | None, ...]


def _reshape_shape(x: Shape, shape: Shape) -> Shape:
    if math.prod(x) != math.prod(shape):
        raise ShapeError(f"cannot reshape {x} ({math.prod(x)} elements) to {shape} ({math.prod(shape)} elements).")
    return shape


def _broadcast_shape(x: Shape, shape: Shape) -> Shape:
    if len(x) > len(shape) or any(n not in (1, k) for n, k in zip(x[::-1], shape[::-1], strict=False)):
        raise ShapeError(f"cannot broadcast shape {x} to {shape}: each axis must be 1 or equal, counted from the last.")
    return shape


def _broadcast(x: Any, shape: Shape) -> Any:
    result = np.empty(
        shape, getattr(x, "dtype", None) or np.result_type(x)
    )  # a writable array, and sooner made than a broadcast view
    result[...] = x
    return result


def _slices(start: Bounds, stop: Bounds, step: Shape) -> tuple[slice, ...]:
    return tuple(slice(a, b, c) for a, b, c in zip(start, stop, step, strict=True))


def _slice_shape(x: Shape, start: Bounds, stop: Bounds, step: Shape) -> Shape:
    return tuple(len(range(*piece.indices(n))) for piece, n in zip(_slices(start, stop, step), x, strict=True))


def _embed(x: Any, shape: Shape, start: Bounds, stop: Bounds, step: Shape) -> Any:
    result = np.zeros(shape, np.result_type(x))
    result[_slices(start, stop, step)] = x
    return result


def _concatenate_shape(*shapes: Shape, axis: int) -> Shape:
    first = shapes[0]
    for shape in shapes[1:]:
        if len(shape) != len(first) or any(
            a != b for i, (a, b) in enumerate(zip(shape, first, strict=True)) if i != axis
        ):
            raise ShapeError(
                f"cannot join shapes {', '.join(map(str, shapes))} along axis {axis}: the other axes must be equal."
            )
    return (*first[:axis], builtin_sum(shape[axis] for shape in shapes), *first[axis + 1 :])


def _concatenate_adjoint(m: Any, g: Any, index: int, *xs: Any, axis: int) -> Any:
    begin = builtin_sum(shape_of(x)[axis] for x in xs[:index])
    end = begin + shape_of(xs[index])[axis]
    others = (None,) * axis, (None,) * (len(g.shape) - axis - 1)
    return m.slice(
        g,
        start=(*others[0], begin, *others[1]),
        stop=(*others[0], end, *others[1]),
        step=(1,) * len(g.shape),
    )


def _take(x: Any, indices: Any, axis: int) -> Any:
    """Positions count from the front: what NumPy would count from the back lies before the first."""
    if np.min(indices, initial=0) < 0:
        raise IndexError(f"index {np.min(indices)} is out of bounds for axis {axis} with size {np.shape(x)[axis]}")
    return np.take(x, indices, axis=axis)


def _take_shape(x: Shape, indices: Shape, axis: int) -> Shape:
    return (*x[:axis], *indices, *x[axis + 1 :])


def _scatter_add(x: Any, indices: Any, axis: int, length: int) -> Any:
    """`x`'s slices added into zeros at `indices` along `axis`; repeated indices add up."""
    x, indices = np.asarray(x), np.asarray(indices)
    before, after = x.shape[:axis], x.shape[axis + indices.ndim :]
    result = np.zeros((length, *before, *after), x.dtype)
    moved = np.moveaxis(x, range(axis, axis + indices.ndim), range(indices.ndim))
    np.add.at(result, indices, moved)
    return np.moveaxis(result, 0, axis)


def _scatter_shape(x: Shape, indices: Shape, axis: int, length: int) -> Shape:
    return (*x[:axis], length, *x[axis + len(indices) :])


builtin_sum = sum

reshape = Layout(
    "reshape",
    value=lambda x, shape: np.reshape(x, shape),
    shape=_reshape_shape,
    adjoint=lambda m, g, i, x, shape: m.reshape(g, shape=x.shape),
    examples=(example((2, 6), shape=(3, 4)), example((), shape=(1, 1)), example((0, 3), shape=(3, 0))),
)
transpose = Layout(
    "transpose",
    value=lambda x, axes: np.transpose(x, axes),
    shape=lambda x, axes: tuple(x[i] for i in axes),
    adjoint=lambda m, g, i, x, axes: m.transpose(g, axes=tuple(axes.index(k) for k in range(len(axes)))),
    latex=r"{{{0}}}^{{\top}}",
    examples=(example((2, 3), axes=(1, 0)), example((2, 3, 4), axes=(2, 0, 1))),
)
broadcast_to = Layout(
    "broadcast_to",
    value=_broadcast,
    shape=_broadcast_shape,
    adjoint=lambda m, g, i, x, shape: sum_to(m, g, x.shape, g.dtype),
    examples=(example((3,), shape=(2, 3)), example((2, 1), shape=(4, 2, 3)), example((), shape=(2, 2))),
)
slice_ = Layout(
    "slice",
    value=lambda x, start, stop, step: np.asarray(x)[_slices(start, stop, step)],
    shape=_slice_shape,
    adjoint=lambda m, g, i, x, start, stop, step: m.embed(g, shape=x.shape, start=start, stop=stop, step=step),
    examples=(
        example((5, 4), start=(1, None), stop=(4, None), step=(1, 2)),
        example((6,), start=(None,), stop=(None,), step=(-1,)),
        example((6, 3), start=(4, 0), stop=(0, 0), step=(-2, 1)),
    ),
)
embed = Layout(
    "embed",
    value=_embed,
    shape=lambda x, shape, start, stop, step: shape,
    adjoint=lambda m, g, i, x, shape, start, stop, step: m.slice(g, start=start, stop=stop, step=step),
    doc="Zeros of the given shape with the input written into the slice.",
    examples=(
        example((3,), shape=(7,), start=(1,), stop=(6,), step=(2,)),
        example((2, 2), shape=(3, 4), start=(1, 3), stop=(None, None), step=(1, -2)),
    ),
)
concatenate = Layout(
    "concatenate",
    value=lambda *xs, axis: np.concatenate(xs, axis=axis),
    shape=_concatenate_shape,
    adjoint=_concatenate_adjoint,
    examples=(example((2, 3), (2, 1), axis=1), example((2,), (3,), (1,), axis=0)),
)
take = Layout(
    "take",
    value=_take,
    shape=_take_shape,
    adjoint=lambda m, g, i, x, indices, axis: m.scatter_add(g, indices, axis=axis, length=x.shape[axis]),
    linear=1,
    doc="Slices of the first input at the positions the second one gives, along `axis`.",
    examples=(
        example((5, 3), np.array([0, 2, 2]), axis=0),
        example((3, 4), np.array([[1, 3], [0, 1]]), axis=1),
        example((4,), np.array(2), axis=0),
    ),
)
scatter_add = Layout(
    "scatter_add",
    value=_scatter_add,
    shape=_scatter_shape,
    adjoint=lambda m, g, i, x, indices, axis, length: m.take(g, indices, axis=axis),
    linear=1,
    doc="Zeros of length `length` along `axis`, with the input's slices added at the given positions.",
    examples=(
        example((3, 2), np.array([0, 2, 2]), axis=0, length=4),
        example((3, 2, 2), np.array([[1, 3], [0, 1]]), axis=1, length=5),
    ),
)
