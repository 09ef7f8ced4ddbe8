"""Moving elements: reshaping, transposing, slicing, joining, gathering and scattering."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from chainrule.errors import PositionError, ShapeError
from chainrule.ops.axes import Kept, Link, Links, Put, Scattered, Taken, broadcasting, regrouping, slicing
from chainrule.ops.kinds.elementwise import sum_to
from chainrule.ops.kinds.layout import Layout
from chainrule.ops.notation import ATOM, COMPARISON, SUM, Notation, typed_places, typed_transpose
from chainrule.ops.operation import example, shape_of

Shape = tuple[int, ...]
Bounds = tuple[int | None, ...]


def _reshape_shape(x: Shape, shape: Shape) -> Shape:
    if math.prod(x) != math.prod(shape):
        raise ShapeError(
            f"cannot reshape {x} ({math.prod(x)} elements) to {shape} ({math.prod(shape)} elements); "
            f"give lengths whose product is {math.prod(x)}."
        )
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


def _batched_broadcast(m: Any, size: int, batched: Any, x: Any, shape: Shape) -> Any:
    missing = (1,) * (len(shape) - len(x.shape) + 1)
    return m.broadcast_to(m.reshape(x, shape=(size, *missing, *x.shape[1:])), shape=(size, *shape))


@lru_cache(maxsize=4096)
def slice_key(start: Bounds, stop: Bounds, step: Shape, drop: Shape) -> tuple[slice | int | None, ...]:
    """What NumPy is given to pick these elements."""
    bounds = enumerate(zip(start, stop, step, strict=True))
    return tuple(a if i in drop else slice(a, b, c) for i, (a, b, c) in bounds)


def _slice(x: Any, start: Bounds, stop: Bounds, step: Shape, drop: Shape = ()) -> Any:
    try:
        return np.asarray(x)[slice_key(start, stop, step, drop)]
    except IndexError:
        raise no_places(np.shape(x), start, drop) from None


def no_places(shape: Shape, start: Bounds, drop: Shape) -> PositionError:
    """The error for a slice at places that an array does not have."""
    return PositionError(
        f"an array of shape {shape} has no places {[start[i] for i in drop]} along its axes {list(drop)}; give positions that it has."
    )


def slice_shape(x: Shape, start: Bounds, stop: Bounds, step: Shape, drop: Shape = ()) -> Shape:
    """The shape of a slice."""
    return tuple(
        len(range(*piece.indices(n)))
        for piece, n in zip(slice_key(start, stop, step, drop), x, strict=True)
        if isinstance(piece, slice)
    )


@lru_cache(maxsize=4096)
def bounds_along(ndim: int, axis: int, begin: int, end: int) -> dict[str, Any]:
    """The attributes of a slice from `begin` to before `end` along one axis."""
    before, after = (None,) * axis, (None,) * (ndim - axis - 1)
    return {"start": (*before, begin, *after), "stop": (*before, end, *after), "step": (1,) * ndim}


def batched_bounds(start: Bounds, stop: Bounds, step: Shape, drop: Shape) -> dict[str, Any]:
    """The attributes of the same slice of every member of a batch."""
    further = {"drop": tuple(i + 1 for i in drop)} if drop else {}
    return {"start": (None, *start), "stop": (None, *stop), "step": (1, *step), **further}


def _embed(x: Any, shape: Shape, start: Bounds, stop: Bounds, step: Shape, drop: Shape = ()) -> Any:
    result = np.zeros(shape, getattr(x, "dtype", None) or np.result_type(x))
    result[slice_key(start, stop, step, drop)] = x
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
    begin = builtin_sum([shape_of(x)[axis] for x in xs[:index]])
    return m.slice(g, **bounds_along(len(g.shape), axis, begin, begin + shape_of(xs[index])[axis]))


def _stack(*xs: Any, axis: int) -> Any:
    return np.stack(xs, axis) if axis or np.ndim(xs[0]) else np.array(xs)  # of numbers, a tenth of the time


def _stack_shape(*shapes: Shape, axis: int) -> Shape:
    first = shapes[0]
    if any(shape != first for shape in shapes):
        raise ShapeError(f"stack needs arrays of one shape and was given {', '.join(map(str, shapes))}.")
    return (*first[:axis], len(shapes), *first[axis:])


def _stack_links(*shapes: Shape, axis: int) -> tuple[Links, ...]:
    kept = tuple(Kept(i, i + (i >= axis)) for i in range(len(shapes[0])))
    return tuple((*kept, Put(None, axis, place, 1)) if len(shapes) > 1 else kept for place in range(len(shapes)))


def _stack_adjoint(m: Any, g: Any, index: int, *xs: Any, axis: int) -> Any:
    return m.slice(g, **bounds_along(len(g.shape), axis, index, index + 1), drop=(axis,))


Seen = tuple[tuple[int, int], ...]
"""The axes that positions are along and their lengths, as whoever gave the positions sees them."""


def _take(x: Any, indices: Any, axis: int, seen: Seen = ()) -> Any:
    """Positions count from the front: what NumPy would count from the back lies before the first."""
    if np.minimum.reduce(indices, axis=None, initial=0) < 0:
        raise _not_there(indices, np.shape(x)[axis], axis, seen)
    try:
        return np.take(x, indices, axis=axis)
    except IndexError:
        raise _not_there(indices, np.shape(x)[axis], axis, seen) from None


def _not_there(indices: Any, length: int, axis: int, seen: Seen) -> PositionError:
    """The error for positions that are not there, in the numbers that were given: counted from the back where that was meant."""
    if len(seen) > 1:
        return PositionError(
            f"an index is out of bounds for one of the axes {[i for i, _ in seen]} with sizes {[n for _, n in seen]}; give "
            "positions that are there."
        )
    ((own_axis, own),) = seen or ((axis, length),)
    low, high = int(np.min(indices)), int(np.max(indices))
    return PositionError.of(low - own if low < 0 else high - (length - own), own, own_axis)


def kept_outside(m: Any, places: Any, indices: Any, length: int, total: int) -> Any:
    """The places along an axis of length `total` that indices stand for along one of `length`; one outside is as far outside."""
    inside = m.logical_and(m.greater_equal(indices, 0), m.less(indices, length))
    return m.where(inside, places, m.where(m.less(indices, 0), indices, indices + (total - length)))


def _take_shape(x: Shape, indices: Shape, axis: int, seen: Seen = ()) -> Shape:
    return (*x[:axis], *indices, *x[axis + 1 :])


def _scatter_add(x: Any, indices: Any, axis: int, length: int, seen: Seen = ()) -> Any:
    """`x`'s slices added into zeros at `indices` along `axis`; repeated indices add up."""
    x, indices = np.asarray(x), np.asarray(indices)
    if np.minimum.reduce(indices, axis=None, initial=0) < 0:
        raise _not_there(indices, length, axis, seen)
    before, after = x.shape[:axis], x.shape[axis + indices.ndim :]
    result = np.zeros((length, *before, *after), x.dtype)
    moved = np.moveaxis(x, range(axis, axis + indices.ndim), range(indices.ndim))
    try:
        np.add.at(result, indices, moved)
    except IndexError:
        raise _not_there(indices, length, axis, seen) from None
    return np.moveaxis(result, 0, axis)


def _scatter_shape(x: Shape, indices: Shape, axis: int, length: int, seen: Seen = ()) -> Shape:
    return (*x[:axis], length, *x[axis + len(indices) :])


def _concatenate_links(*shapes: Shape, axis: int) -> tuple[Links, ...]:
    begin, links = 0, []
    for shape in shapes:
        whole = len(shapes) == 1
        links.append(tuple(Kept(i, i) if i != axis or whole else Put(i, i, begin, 1) for i in range(len(shape))))
        begin += shape[axis]
    return tuple(links)


def _take_links(x: Shape, indices: Shape, axis: int, seen: Seen = ()) -> tuple[Links, ...]:
    more = len(indices)
    targets = tuple(range(axis, axis + more))
    source: list[Link] = [Kept(i, i if i < axis else i + more - 1) for i in range(len(x)) if i != axis]
    return (*source, Taken(axis, targets, 1)), tuple(Kept(k, axis + k) for k in range(more))


def _scatter_links(x: Shape, indices: Shape, axis: int, length: int, seen: Seen = ()) -> tuple[Links, ...]:
    more = len(indices)
    sources = tuple(range(axis, axis + more))
    moved: list[Link] = [Kept(i, i if i < axis else i - more + 1) for i in range(len(x)) if i not in sources]
    return (*moved, Scattered(sources, axis, 1)), ()


def _batched_take(m: Any, size: int, batched: Any, x: Any, indices: Any, axis: int, seen: Seen = ()) -> Any:
    """Positions that differ from member to member are numbered through, along one axis of all members' slices."""
    seen = seen or ((axis, x.shape[axis + batched[0]]),)
    if not batched[1]:
        return m.take(x, indices, axis=axis + 1, seen=seen)
    if not batched[0]:
        found = m.take(x, indices, axis=axis, seen=seen)
        return m.transpose(found, axes=(axis, *(i for i in range(len(found.shape)) if i != axis)))
    rest = [i for i in range(1, len(x.shape)) if i != axis + 1]
    length = x.shape[axis + 1]
    slices = m.reshape(m.transpose(x, axes=(0, axis + 1, *rest)), shape=(size * length, *(x.shape[i] for i in rest)))
    more = len(indices.shape) - 1
    found = m.take(slices, _numbered_through(m, indices, size, length), axis=0, seen=seen)
    after = range(1 + more, len(found.shape))
    return m.transpose(found, axes=(0, *after[:axis], *range(1, 1 + more), *after[axis:]))


def _batched_scatter(
    m: Any, size: int, batched: Any, x: Any, indices: Any, axis: int, length: int, seen: Seen = ()
) -> Any:
    """As for `take`: every member's slices go to places of its own."""
    seen = seen or ((axis, length),)
    if not batched[1]:
        return m.scatter_add(x, indices, axis=axis + 1, length=length, seen=seen)
    if not batched[0]:
        x = m.broadcast_to(x, shape=(size, *x.shape))
    more = len(indices.shape) - 1
    before, own = range(1, axis + 1), range(axis + 1, axis + 1 + more)
    order = (0, *own, *before, *range(axis + 1 + more, len(x.shape)))
    places = _numbered_through(m, indices, size, length)
    total = m.scatter_add(m.transpose(x, axes=order), places, axis=0, length=size * length, seen=seen)
    apart = m.reshape(total, shape=(size, length, *total.shape[1:]))
    return m.transpose(apart, axes=(0, *range(2, 2 + axis), 1, *range(2 + axis, len(apart.shape))))


def _numbered_through(m: Any, indices: Any, size: int, length: int) -> Any:
    """Places among the slices of all members, one member's after the other's."""
    begin = np.arange(size, dtype=np.intp).reshape((size,) + (1,) * (len(indices.shape) - 1)) * length
    return kept_outside(m, begin + indices, indices, length, size * length)


builtin_sum = sum

reshape = Layout(
    "reshape",
    value=lambda x, shape: np.reshape(x, shape),
    shape=_reshape_shape,
    links=lambda x, shape: (regrouping(x, shape),),
    batched=lambda m, size, batched, x, shape: m.reshape(x, shape=(size, *shape)),
    adjoint=lambda m, g, i, x, shape: m.reshape(g, shape=x.shape),
    view=True,
    write_back=lambda m, x, view, shape: m.reshape(view, shape=x.shape),
    needs_contiguous=True,
    notation=Notation(operands=(ATOM,), typed_with=lambda shape: "{0}"),  # the same elements in the same order
    examples=(example((2, 6), shape=(3, 4)), example((), shape=(1, 1)), example((0, 3), shape=(3, 0))),
)
transpose = Layout(
    "transpose",
    value=lambda x, axes: np.transpose(x, axes),
    shape=lambda x, axes: tuple(x[i] for i in axes),
    links=lambda x, axes: (tuple(Kept(i, axes.index(i)) for i in range(len(axes))),),
    batched=lambda m, size, batched, x, axes: m.transpose(x, axes=(0, *(i + 1 for i in axes))),
    adjoint=lambda m, g, i, x, axes: m.transpose(g, axes=tuple(axes.index(k) for k in range(len(axes)))),
    latex=r"{{{0}}}^{{\top}}",
    notation=Notation(operands=(ATOM,), typed_with=typed_transpose),
    view=True,
    write_back=lambda m, x, view, axes: m.transpose(view, axes=tuple(axes.index(k) for k in range(len(axes)))),
    examples=(example((2, 3), axes=(1, 0)), example((2, 3, 4), axes=(2, 0, 1))),
)
broadcast_to = Layout(
    "broadcast_to",
    value=_broadcast,
    shape=_broadcast_shape,
    links=lambda x, shape: (broadcasting(x, shape),),
    batched=_batched_broadcast,
    adjoint=lambda m, g, i, x, shape: sum_to(m, g, x.shape, g.dtype),
    view=True,
    examples=(example((3,), shape=(2, 3)), example((2, 1), shape=(4, 2, 3)), example((), shape=(2, 2))),
)
slice_ = Layout(
    "slice",
    value=_slice,
    shape=slice_shape,
    links=lambda x, start, stop, step, drop=(): (slicing(x, start, stop, step, drop),),
    batched=lambda m, size, batched, x, start, stop, step, drop=(): m.slice(
        x, **batched_bounds(start, stop, step, drop)
    ),
    adjoint=lambda m, g, i, x, **bounds: m.embed(g, shape=x.shape, **bounds),
    view=True,
    write_back=lambda m, x, view, **bounds: m.put(x, view, **bounds),
    notation=Notation(operands=(ATOM,), typed_with=lambda **bounds: f"{{0}}{typed_places(**bounds)}"),
    doc="A slice along every axis; along the axes `drop` it has one place, and the result is without them.",
    examples=(
        example((5, 4), start=(1, None), stop=(4, None), step=(1, 2)),
        example((6,), start=(None,), stop=(None,), step=(-1,)),
        example((6, 3), start=(4, 0), stop=(0, 0), step=(-2, 1)),
        example((4,), start=(2,), stop=(3,), step=(1,), drop=(0,)),
        example((3, 4, 2), start=(1, None, 0), stop=(2, None, 1), step=(1, -2, 1), drop=(0, 2)),
    ),
)
embed = Layout(
    "embed",
    notation=Notation(
        strength=COMPARISON,
        operands=(SUM,),
        typed_with=lambda shape, **bounds: f"0 with {typed_places(**bounds)} = {{0}}",
    ),
    value=_embed,
    shape=lambda x, shape, start, stop, step, drop=(): shape,
    links=lambda x, shape, start, stop, step, drop=(): (slicing(shape, start, stop, step, drop, into=True),),
    batched=lambda m, size, batched, x, shape, start, stop, step, drop=(): m.embed(
        x, shape=(size, *shape), **batched_bounds(start, stop, step, drop)
    ),
    adjoint=lambda m, g, i, x, shape, **bounds: m.slice(g, **bounds),
    doc="Zeros of the given shape with the input written into the slice, which is without the axes `drop`.",
    examples=(
        example((3,), shape=(7,), start=(1,), stop=(6,), step=(2,)),
        example((2, 2), shape=(3, 4), start=(1, 3), stop=(None, None), step=(1, -2)),
        example((2,), shape=(4, 2), start=(2, None), stop=(3, None), step=(1, 1), drop=(0,)),
        example((2,), shape=(3, 4, 2), start=(1, None, 0), stop=(2, None, 1), step=(1, -2, 1), drop=(0, 2)),
    ),
)
concatenate = Layout(
    "concatenate",
    value=lambda *xs, axis: np.concatenate(xs, axis=axis),
    shape=_concatenate_shape,
    links=_concatenate_links,
    batched=lambda m, size, batched, *xs, axis: m.concatenate(*xs, axis=axis + 1),
    adjoint=_concatenate_adjoint,
    examples=(example((2, 3), (2, 1), axis=1), example((2,), (3,), (1,), axis=0)),
)
stack = Layout(
    "stack",
    value=_stack,
    shape=_stack_shape,
    links=_stack_links,
    batched=lambda m, size, batched, *xs, axis: m.stack(*xs, axis=axis + 1),
    adjoint=_stack_adjoint,
    examples=(example((2, 3), (2, 3), axis=1), example((2,), (2,), (2,), axis=0), example((2,), axis=0)),
)
take = Layout(
    "take",
    value=_take,
    shape=_take_shape,
    links=_take_links,
    batched=_batched_take,
    adjoint=lambda m, g, i, x, indices, axis, seen=(): m.scatter_add(
        g, indices, axis=axis, length=x.shape[axis], seen=seen
    ),
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
    links=_scatter_links,
    batched=_batched_scatter,
    adjoint=lambda m, g, i, x, indices, axis, length, seen=(): m.take(g, indices, axis=axis, seen=seen),
    linear=1,
    adds=True,
    doc="Zeros of length `length` along `axis`, with the input's slices added at the given positions.",
    examples=(
        example((3, 2), np.array([0, 2, 2]), axis=0, length=4),
        example((3, 2, 2), np.array([[1, 3], [0, 1]]), axis=1, length=5),
    ),
)
