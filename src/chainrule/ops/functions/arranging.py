"""Functions that turn arrays over, join them in further ways, and put elements in and take them out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.errors import ShapeError, shortened
from chainrule.ops.functions.function import (
    array,
    cast,
    function,
    is_known,
    ndim,
    numbers,
    one_axis,
    shape,
    together,
    whole,
    wholes,
)
from chainrule.ops.functions.joining import Together, concatenate, split
from chainrule.ops.functions.shaping import cut_along, flip, moveaxis, ravel, reshape, swapaxes, transpose
from chainrule.ops.operation import copied, example


@function(example((2, 3)))
def flipud(m: Any, m_: Any) -> Any:
    """The rows in reverse order."""
    return flip(m, array(m_), 0)


@function(example((2, 3)))
def fliplr(m: Any, m_: Any) -> Any:
    """The columns in reverse order."""
    if ndim(m_) < 2:
        raise ShapeError(f"fliplr was given shape {shape(m_)}; give an array with at least 2 axes.")
    return flip(m, array(m_), 1)


@function(example((2, 3)), example((2, 3), 2), example((2, 3, 4), -1, axes=(1, 2)))
def rot90(m: Any, m_: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """The array turned by so many quarters of a circle in the plane of two axes."""
    turned = array(m_)
    pair = [one_axis(i, ndim(turned), "axes") for i in wholes(axes, "axes")]
    if len(pair) != 2 or pair[0] == pair[1]:
        raise ShapeError(f"rot90 was given axes={shortened(axes)}; name two different axes.")
    quarters = whole(k, "k") % 4
    if quarters == 2:
        return flip(m, turned, tuple(pair))
    if quarters == 1:
        return swapaxes(m, flip(m, turned, pair[1]), *pair)
    return flip(m, swapaxes(m, turned, *pair), pair[1]) if quarters else turned


@function(example((2, 3, 4), 2), example((2, 3, 4), 0, 2))
def rollaxis(m: Any, a: Any, axis: int, start: int = 0) -> Any:
    """An axis moved to before another one."""
    n = ndim(a)
    place, before = one_axis(axis, n), one_axis(start, n + 1, "start") if start >= 0 else one_axis(start, n, "start")
    order = [i for i in range(n) if i != place]
    order.insert(before - 1 if place < before else before, place)
    return transpose(m, a, order)


@function(example((2, 3, 4)))
def matrix_transpose(m: Any, x: Any, /) -> Any:
    """The last two axes exchanged."""
    if ndim(x) < 2:
        raise ShapeError(f"matrix_transpose was given shape {shape(x)}; give an array with at least 2 axes.")
    return swapaxes(m, x, -1, -2)


@function(example((2, 3)), example((2, 3), axis=1))
def unstack(m: Any, x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The slices along an axis, one by one."""
    place = one_axis(axis, ndim(x))
    rest = tuple(n for i, n in enumerate(x.shape) if i != place)
    return tuple(reshape(m, cut_along(m, x, place, i, i + 1), rest) for i in range(x.shape[place]))


@function(example(()), example((3,), 2.0), example((2, 3)))
def atleast_1d(m: Any, *arys: Any) -> Any:
    """Arrays with at least one axis."""
    return _at_least(m, arys, lambda s: s or (1,))


@function(example(()), example((3,), (2, 3)), example((2, 3, 4)))
def atleast_2d(m: Any, *arys: Any) -> Any:
    """Arrays with at least two axes, new ones in front."""
    return _at_least(m, arys, lambda s: (1,) * (2 - len(s)) + s)


@function(example(()), example((3,), (2, 3)), example((2, 3, 4)))
def atleast_3d(m: Any, *arys: Any) -> Any:
    """Arrays with at least three axes; those of vectors and matrices come first."""
    return _at_least(m, arys, lambda s: (1, *s, 1) if len(s) < 2 and s else (*s, *(1,) * (3 - len(s))))


def _at_least(m: Any, arys: Sequence[Any], lengths: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Any:
    results = tuple(reshape(m, array(a), lengths(shape(a))) for a in arys)
    return results[0] if len(results) == 1 else results


@function(
    example(Together([(3,), (3,)])), example(Together([(2, 3), (2, 3)])), example(Together([(2, 3, 1), (2, 3, 2)]))
)
def dstack(m: Any, tup: Sequence[Any]) -> Any:
    """Arrays joined along the third axis."""
    return concatenate(m, together(m, *(atleast_3d(m, a) for a in tup)), 2)


@function(example((2, 4), 2), example((4,), [1, 3]))
def hsplit(m: Any, ary: Any, indices_or_sections: Any) -> list[Any]:
    """An array cut along its columns; a vector along its elements."""
    return split(m, ary, indices_or_sections, 0 if ndim(ary) == 1 else 1)


@function(example((4, 2), 2), example((4, 3), [1, 3]))
def vsplit(m: Any, ary: Any, indices_or_sections: Any) -> list[Any]:
    """An array cut along its rows."""
    if ndim(ary) < 2:
        raise ShapeError(f"vsplit was given shape {shape(ary)}; give an array with at least 2 axes.")
    return split(m, ary, indices_or_sections, 0)


@function(example((2, 1, 4), 2))
def dsplit(m: Any, ary: Any, indices_or_sections: Any) -> list[Any]:
    """An array cut along its third axis."""
    if ndim(ary) < 3:
        raise ShapeError(f"dsplit was given shape {shape(ary)}; give an array with at least 3 axes.")
    return split(m, ary, indices_or_sections, 2)


@function(example([[np.ones((2, 1)), np.zeros((2, 2))], [np.array([[1.5]]), np.array([[2.0, 3.0]])]]))
def block(m: Any, arrays: Any) -> Any:
    """An array put together from nested lists of blocks, the innermost along the last axis."""
    depth, leaves = _depth(arrays), list(_leaves(arrays))
    least = max([depth, *(ndim(x) for x in leaves)])

    def join(part: Any, axis: int) -> Any:
        if not isinstance(part, list):
            return reshape(m, array(part), (1,) * (least - ndim(part)) + shape(part))
        return concatenate(m, together(m, *(join(x, axis + 1) for x in part)), axis)

    return join(arrays, least - depth)


def _depth(part: Any) -> int:
    if not isinstance(part, list):
        return 0
    depths = {_depth(x) for x in part}
    if len(depths) != 1:
        raise ShapeError(
            "block was given lists that are not nested equally deep, or an empty one; give blocks of one depth."
        )
    return 1 + depths.pop()


def _leaves(part: Any) -> Any:
    return itertools.chain.from_iterable(map(_leaves, part)) if isinstance(part, list) else iter([part])


@function(example((3,), (2, 1)), example((2, 3)))
def broadcast_arrays(m: Any, *args: Any, subok: bool = False) -> tuple[Any, ...]:
    """Arrays repeated along axes until all have one shape."""
    lengths = _common(args)
    return tuple(m.broadcast_to(array(x), shape=lengths) for x in args)


def _common(arrays: Sequence[Any]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*map(shape, arrays))
    except ValueError:
        raise ShapeError(
            f"shapes {', '.join(str(shape(x)) for x in arrays)} do not broadcast together; axes, counted from the last, must be "
            "equal or 1."
        ) from None


@function(example((3,), (2,)), example((3,), (2,), indexing="ij"), example((3,), (2,), sparse=True))
def meshgrid(m: Any, *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """The coordinates of the points of a grid."""
    if indexing not in ("xy", "ij"):
        raise ShapeError(f"meshgrid was given indexing={shortened(indexing)}; give 'xy' or 'ij'.")
    n = len(xi)
    places = [*range(n)]
    if indexing == "xy" and n > 1:
        places[:2] = [1, 0]
    lengths = [math.prod(shape(x)) for x in xi]
    grids = [
        reshape(m, array(x), [length if i == place else 1 for i in range(n)])
        for x, place, length in zip(xi, places, lengths, strict=True)
    ]
    if not sparse:
        grids = [m.broadcast_to(x, shape=tuple(lengths[places.index(i)] for i in range(n))) for x in grids]
    return tuple(copied(m, x) for x in grids) if copy else tuple(grids)


@function(example((3,), (2,)), example((2, 3), np.array([[1.0, 2.0, 3.0]]), axis=0))
def append(m: Any, arr: Any, values: Any, axis: int | None = None) -> Any:
    """Values put behind an array along an axis, or behind all its elements."""
    return concatenate(m, [array(arr), array(values)], axis)


def rearranged(m: Any, numbering: Any, *arrays: Any) -> Any:
    """The elements of arrays at the places of a numbering, which counts through them from 0."""
    flat = [reshape(m, array(x), (math.prod(shape(x)),)) for x in arrays]
    return m.take(m.concatenate(*flat, axis=0) if len(flat) > 1 else flat[0], np.asarray(numbering, np.intp), axis=0)


def _numbered(*arrays: Any) -> list[Any]:
    """Arrays of the same shapes that number the elements."""
    sizes = [math.prod(shape(x)) for x in arrays]
    begins = itertools.accumulate(sizes, initial=0)
    return [np.arange(n).reshape(shape(x)) + b for x, n, b in zip(arrays, sizes, begins, strict=False)]


@function(
    example((4,), 1, 2.5),
    example((2, 3), [0, 2], (2, 2), axis=1),
    example((4,), np.array([1, 3]), (2,)),
)
def insert(m: Any, arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """Values put in before the given positions."""
    arr = array(arr)
    values = cast(m, array(values), arr.dtype)
    own, new = _numbered(arr, values)
    return rearranged(m, np.insert(own, _places(m, obj, "np.insert"), new, axis=axis), arr, values)


@function(example((4,), 1), example((2, 3), [0, 2], axis=1), example((5,), slice(1, 4, 2)))
def delete(m: Any, arr: Any, obj: Any, axis: int | None = None) -> Any:
    """What is left without the elements at the given positions."""
    arr = array(arr)
    (own,) = _numbered(arr)
    places: Any = np.delete
    return rearranged(m, places(own, _places(m, obj, "np.delete"), axis=axis), arr)


def _places(m: Any, obj: Any, called: str) -> Any:
    """Positions as plain numbers."""
    if isinstance(obj, int | slice | list | tuple) or is_known(obj):
        return obj
    return numbers(m, obj, called, "give plain positions")


@function(example((2, 3), [3, 4]), example((5,), 3))
def resize(m: Any, a: Any, new_shape: Any) -> Any:
    """The elements in another shape, repeated from the beginning as often as it takes."""
    a = array(a)
    lengths = wholes(new_shape, "new_shape")
    if any(n < 0 for n in lengths):
        raise ShapeError(f"resize was given new_shape={shortened(new_shape)}; give lengths from 0 on.")
    size = math.prod(shape(a))
    if not size:
        return np.zeros(lengths, a.dtype)
    return rearranged(m, np.arange(math.prod(lengths)).reshape(lengths) % size, a)


@function(example((4,)), example((2, 2), k=1))
def diagflat(m: Any, v: Any, k: int = 0) -> Any:
    """A matrix with all elements on a diagonal."""
    flat = ravel(m, array(v))
    places = np.diagflat(np.arange(1, math.prod(shape(v)) + 1), whole(k, "k"))
    return rearranged(m, places, np.zeros(1, flat.dtype), flat)


@function(example((4,)), example((3,), "f"), by_numbers=True)
def trim_zeros(m: Any, filt: Any, trim: Any = "fb", axis: Any = None) -> Any:
    """An array without the zeros at its ends."""
    filt = array(filt)
    plain = numbers(m, filt, "np.trim_zeros", "slice by plain bounds")
    options = {} if axis is None else {"axis": axis}
    kept = np.trim_zeros(np.where(plain != 0, np.arange(1, plain.size + 1).reshape(plain.shape), 0), trim, **options)
    begin = [np.argwhere(plain)[:, i].min() if plain.any() else 0 for i in range(plain.ndim)]
    if plain.ndim == 1 and kept.size:
        first = int(begin[0]) if "f" in trim.lower() else 0
        return cut_along(m, filt, 0, first, first + kept.shape[0])
    if plain.ndim != 1:
        raise ShapeError(f"trim_zeros was given shape {plain.shape}; of arrays with several axes give one by slices.")
    return cut_along(m, filt, 0, 0, 0)


@function(example((2, 3), (2, 2)), example((3,), (2,)), example((), (2,)), example((2, 3), (2,)))
def kron(m: Any, a: Any, b: Any) -> Any:
    """Every element of the first array times the whole second one, put together as blocks."""
    a, b = array(a), array(b)
    n = max(ndim(a), ndim(b))
    first, second = ((1,) * (n - ndim(x)) + shape(x) for x in (a, b))
    left = reshape(m, a, tuple(k for length in first for k in (length, 1)))
    right = reshape(m, b, tuple(k for length in second for k in (1, length)))
    return reshape(m, left * right, tuple(p * q for p, q in zip(first, second, strict=True)))


@function(
    example((5,), 2), example((3, 4), [2, 3]), example((3, 4), 2, axis=0), example((4, 3), [2, 2], axis=(0, 0)),
    name="lib.stride_tricks.sliding_window_view",
    numpy=(np.lib.stride_tricks.sliding_window_view,),
    numpys_is_a_view=True,
)  # fmt: skip
def sliding_window_view(
    m: Any, x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """All windows of a shape, one for every place where it fits; the axes within a window are the last ones."""
    lengths = wholes(window_shape, "window_shape")
    axes = tuple(range(ndim(x))) if axis is None else tuple(one_axis(i, ndim(x)) for i in wholes(axis, "axis"))
    if len(lengths) != len(axes):
        raise ShapeError(
            f"sliding_window_view was given window_shape={shortened(window_shape)} for {len(axes)} axes; give a length for each."
        )
    for place, length in zip(axes, lengths, strict=True):
        if not 0 <= length <= x.shape[place]:
            raise ShapeError(
                f"sliding_window_view was given a window of length {length} for axis {place} of shape {tuple(x.shape)}; "
                f"give a length from 0 to {x.shape[place]}."
            )
        places = np.arange(x.shape[place] - length + 1)[:, None] + np.arange(length)
        x = moveaxis(m, m.take(x, places, axis=place), place + 1, -1)
    return x
