"""Functions that join arrays, split them, and pick elements by position."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from chainrule.errors import PositionError, SettingError, ShapeError, shortened
from chainrule.ops.functions.function import array, cast, function, ndim, one_axis, shape, whole, wholes
from chainrule.ops.functions.shaping import cut_along, ravel, reshape, transpose
from chainrule.ops.layouts import kept_outside
from chainrule.ops.operation import example


class Together(list[Any]):
    """Shapes of an example that go into the call as one list of arrays."""


@function(
    example(Together([(2, 3), (1, 3)])),
    example(Together([(2, 3), (2, 2)]), axis=1),
    example(Together([(2, 3), (2,)]), axis=None),
)
def concatenate(
    m: Any, arrays: Sequence[Any], axis: int | None = 0, *, dtype: Any = None, casting: str = "same_kind"
) -> Any:
    """Arrays joined along an existing axis."""
    if not len(arrays):
        raise ShapeError("concatenate was given no arrays; give at least one.")
    if axis is None:
        arrays, axis = [reshape(m, array(a), -1) for a in arrays], 0
    if any(ndim(a) == 0 for a in arrays):
        raise ShapeError("concatenate was given a number without axes; write np.stack to join numbers.")
    parts = [array(a) if dtype is None else cast(m, array(a), dtype) for a in arrays]
    place = one_axis(axis, ndim(arrays[0]))
    return m.concatenate(*_with_elements(parts, place), axis=place)


def _with_elements(parts: list[Any], axis: int) -> list[Any]:
    """Those of the parts that have elements, where the others add nothing: an array without any has no machine code."""
    some = [part for part in parts if 0 not in shape(part)]
    if not some or len(some) == len(parts):
        return parts
    others = {(*shape(part)[:axis], *shape(part)[axis + 1 :]) for part in parts}
    same = len(others) == 1 and np.result_type(*(x.dtype for x in some)) == np.result_type(*(x.dtype for x in parts))
    return some if same else parts


@function(example(Together([(2, 3), (2, 3)])), example(Together([(3,), (3,)]), axis=-1), example(Together([(), ()])))
def stack(m: Any, arrays: Sequence[Any], axis: int = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Arrays of one shape joined along a new axis."""
    if len({shape(a) for a in arrays}) != 1:
        raise ShapeError(f"stack needs arrays of one shape and was given {[shape(a) for a in arrays]}.")
    place = one_axis(axis, ndim(arrays[0]) + 1)
    return m.stack(*(array(a) if dtype is None else cast(m, array(a), dtype) for a in arrays), axis=place)


@function(example(Together([(3,), (3,)])), example(Together([(2, 3), (1, 3)])))
def vstack(m: Any, tup: Sequence[Any]) -> Any:
    """Arrays put below each other."""
    return concatenate(m, [reshape(m, array(a), (1, -1)) if ndim(a) < 2 else a for a in tup], 0)


@function(example(Together([(3,), (2,)])), example(Together([(2, 3), (2, 1)])))
def hstack(m: Any, tup: Sequence[Any]) -> Any:
    """Arrays put beside each other."""
    flat = [reshape(m, array(a), (-1,)) if ndim(a) < 1 else a for a in tup]
    return concatenate(m, flat, 0 if ndim(flat[0]) == 1 else 1)


@function(example(Together([(3,), (3,)])), example(Together([(3,), (3, 2)])))
def column_stack(m: Any, tup: Sequence[Any]) -> Any:
    """Vectors and matrices put beside each other as columns."""
    return concatenate(m, [reshape(m, array(a), (-1, 1)) if ndim(a) < 2 else a for a in tup], 1)


@function(example((6, 2), 3), example((5,), [1, 3]), example((2, 4), 2, axis=1))
def split(m: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """An array cut into pieces of equal length, or at given positions."""
    place = one_axis(axis, ndim(ary))
    n = ary.shape[place]
    if ndim(indices_or_sections) == 0:
        indices_or_sections = whole(indices_or_sections, "the number of sections")
        if indices_or_sections < 1 or n % indices_or_sections:
            raise ShapeError(
                f"cannot split an axis of length {n} into {indices_or_sections} equal parts; "
                "write np.array_split for parts whose lengths differ."
            )
        bounds = [i * (n // indices_or_sections) for i in range(indices_or_sections + 1)]
    else:
        bounds = [0, *(min(i, n) for i in wholes(indices_or_sections, "a position")), n]
    return [cut_along(m, ary, place, begin, end) for begin, end in itertools.pairwise(bounds)]


@function(example((7, 2), 3), example((5,), [1, 3]), example((2, 3), 2, axis=1))
def array_split(m: Any, ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """An array cut into pieces whose lengths differ by at most 1, or at given positions."""
    if ndim(indices_or_sections) > 0:
        return split(m, ary, indices_or_sections, axis)
    indices_or_sections = whole(indices_or_sections, "the number of sections")
    if indices_or_sections < 1:
        raise ShapeError(f"array_split was given {indices_or_sections} sections; give at least 1.")
    axis = one_axis(axis, ndim(ary))
    length, longer = divmod(shape(ary)[axis], indices_or_sections)
    bounds = [i * length + min(i, longer) for i in range(1, indices_or_sections)]
    return split(m, ary, bounds, axis)


@function(example((5, 3), [0, 4, 4]), example((3, 4), np.array([[1, 0]]), axis=1), public=True)
def take(m: Any, a: Any, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Any:
    """Slices at the given positions along an axis; of the flattened array without one."""
    a = array(a)
    if axis is None:
        a, axis = ravel(m, a), 0
    place = one_axis(axis, ndim(a))
    length = a.shape[place]
    if mode in ("wrap", "clip") and length:
        indices = array(indices)
        indices = m.remainder(indices, length) if mode == "wrap" else m.clip(indices, 0, length - 1)
    elif mode != "raise":
        raise SettingError(
            f"take was given mode={shortened(mode)} along an axis of length {length}; use 'raise', 'wrap' or 'clip'."
        )
    return m.take(a, positions(m, indices, a.shape[place], place), axis=place)


@function(
    example((3, 4), np.array([[1], [0], [3]]), axis=1),
    example((3, 2), np.array([[2, 0], [1, 1]]), axis=0),
    example((2, 3), np.array([5, 0]), axis=None),
)
def take_along_axis(m: Any, arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """For every line along `axis`, the elements at that line's own positions."""
    if axis is None:
        arr, axis = ravel(m, arr), 0
    place = one_axis(axis, ndim(arr))
    if ndim(indices) != ndim(arr):
        raise ShapeError(
            f"take_along_axis needs as many axes in indices as in the array: {shape(indices)} and {arr.shape}."
        )
    strides = [math.prod(arr.shape[i + 1 :]) for i in range(ndim(arr))]
    lines = [n if i != place else 1 for i, n in enumerate(arr.shape)]
    offsets = np.zeros(lines, np.intp)
    for i, n in enumerate(lines):
        offsets = offsets + (np.arange(n) * strides[i]).reshape([-1 if k == i else 1 for k in range(ndim(arr))])
    own = positions(m, indices, arr.shape[place], place)
    flat = own * strides[place] + offsets
    if not known(own):
        flat = kept_outside(m, flat, own, arr.shape[place], math.prod(arr.shape))
    return m.take(ravel(m, arr), flat, axis=0, seen=((place, arr.shape[place]),))


def positions(m: Any, indices: Any, length: int, axis: int) -> Any:
    """Integer positions counted from the front; known ones are checked against the length."""
    if not hasattr(indices, "dtype"):
        indices = np.asarray(indices, np.intp if np.size(indices) == 0 else None)
    if indices.dtype.kind not in "iu":
        raise ShapeError(f"positions must be integers; these have dtype {indices.dtype}.")
    if not known(indices):
        indices = m.astype(indices, dtype=np.dtype(np.intp))
        return m.where(indices < 0, indices + length, indices)
    if indices.size:
        one_position(int(indices.min()), length, axis)
        one_position(int(indices.max()), length, axis)
    indices = indices.astype(np.intp)
    return np.where(indices < 0, indices + length, indices)


def one_position(place: int, length: int, axis: int) -> int:
    """A position counted from the front."""
    if not -length <= place < length:
        raise PositionError.of(place, length, axis)
    return place % length


def index(m: Any, x: Any, key: Any) -> Any:
    """`x[key]` with everything NumPy allows: integers, slices, `...`, `None`, integer arrays and masks."""
    items: Sequence[Any] = key if isinstance(key, tuple) else (key,)
    if type(key) is np.ndarray and key.ndim and key.dtype.kind in "iu" and x.shape:
        return m.take(
            x, positions(m, key, x.shape[0], 0), axis=0
        )  # the usual case, without the questions of the others
    if not BASIC.issuperset(map(type, items)):
        items = expanded(tuple(x.shape), items)
        if any(hasattr(item, "dtype") and (ndim(item) > 0 or not known(item)) for item in items):
            return _advanced(m, x, items)
    plain = items if PLACES.issuperset(map(type, items)) else tuple(map(plain_item, items))
    attributes, lengths = basic(tuple(x.shape), plain)
    if attributes is not None:
        x = m.slice(x, **attributes)
    return x if lengths is None else m.reshape(x, shape=lengths)


PLACES = frozenset({int, type(None), type(Ellipsis)})
"""Types of what stands for itself in an index that is compared with others."""
BASIC = PLACES | {slice}
"""Types of what picks elements without looking at arrays of positions."""


def plain_item(item: Any) -> Any:
    """An item of a basic index as something that can be compared with others of its kind: slices as their bounds."""
    if isinstance(item, slice):
        return tuple(
            n if n is None or type(n) is int else whole(n, "a bound of a slice")
            for n in (item.start, item.stop, item.step)
        )
    return item if type(item) is int or item is None or item is Ellipsis else whole(item, "an index")


@lru_cache(maxsize=4096)
def basic(shape: tuple[int, ...], items: tuple[Any, ...]) -> tuple[dict[str, Any] | None, tuple[int, ...] | None]:
    """The attributes of the slice that a basic index of an array is, and the lengths of the result if it has new axes."""
    start: list[int | None] = []
    stop: list[int | None] = []
    step: list[int] = []
    drop: list[int] = []
    lengths: list[int] = []
    for item in expanded(shape, tuple(slice(*item) if isinstance(item, tuple) else item for item in items)):
        if item is None:
            lengths.append(1)
            continue
        n = shape[len(start)]
        if isinstance(item, slice):
            if item.step == 0:
                raise ShapeError(
                    "a slice was given step 0; give a step of at least 1, or a negative one to go backwards."
                )
            piece = range(*item.indices(n)) or range(0)
            start.append(piece.start if piece.start >= 0 else None)
            stop.append(piece.stop if piece.stop >= 0 else None)
            step.append(piece.step)
            lengths.append(len(piece))
        else:
            drop.append(len(start))
            place = one_position(item, n, len(start))
            start.append(place)
            stop.append(place + 1)
            step.append(1)
    whole = all((a, b, c) in ((None, None, 1), (0, n, 1)) for a, b, c, n in zip(start, stop, step, shape, strict=True))
    attributes: dict[str, Any] = {"start": tuple(start), "stop": tuple(stop), "step": tuple(step)}
    if drop:
        attributes["drop"] = tuple(drop)
    return (None if whole and not drop else attributes), (tuple(lengths) if None in items else None)


def _advanced(m: Any, x: Any, items: Sequence[Any]) -> Any:
    """An index with arrays of positions: what is basic in it first, then the elements at the positions."""
    slices: list[Any] = []
    arrays: dict[int, Any] = {}
    axis = 0
    for item in items:
        if item is None or isinstance(item, slice):
            slices.append(plain_item(item))
        else:
            arrays[len(slices)] = positions(m, item, x.shape[axis], axis)
            slices.append((None, None, None))
        axis += item is not None
    return _gather(m, index(m, x, tuple(slice(*i) if isinstance(i, tuple) else i for i in slices)), arrays)


def _gather(m: Any, x: Any, arrays: dict[int, Any]) -> Any:
    """Elements of `x` at index arrays for some of its axes, in NumPy's order of the result's axes."""
    axes = list(arrays)
    if len(axes) == 1:
        return m.take(x, arrays[axes[0]], axis=axes[0])
    together = axes == list(range(axes[0], axes[0] + len(axes)))
    place = axes[0] if together else 0
    rest = [i for i in range(ndim(x)) if i not in arrays]
    moved = transpose(m, x, [*rest[:place], *axes, *rest[place:]])
    lengths = [x.shape[i] for i in axes]
    flat = reshape(m, moved, (*moved.shape[:place], math.prod(lengths), *moved.shape[place + len(axes) :]))
    combined: Any = 0
    for n, axis in zip(lengths, axes, strict=True):
        combined = combined * n + arrays[axis]
    for n, axis in zip(lengths, axes, strict=True):
        if not known(arrays[axis]):
            combined = kept_outside(m, combined, arrays[axis], n, math.prod(lengths))
    return m.take(flat, combined, axis=place, seen=tuple(zip(axes, lengths, strict=True)))


def expanded(shape: tuple[int, ...], key: Sequence[Any]) -> list[Any]:
    """The key with one item for every axis: ellipsis filled in, masks and lists turned into integer arrays."""
    items = [_item(item) for item in key]
    used = sum(_axes_used(item) for item in items)
    if used > len(shape):
        raise ShapeError(
            f"{used} indices were given for an array with {len(shape)} axes; give at most one for each axis."
        )
    ellipses = sum(1 for item in items if item is Ellipsis)
    if ellipses > 1:
        raise ShapeError("an index can have `...` only once.")
    filled: list[Any] = []
    axis = 0
    for item in items if ellipses else [*items, Ellipsis]:
        if item is Ellipsis:
            filled.extend([slice(None)] * (len(shape) - used))
            axis += len(shape) - used
        elif _is_mask(item):
            if item.shape != shape[axis : axis + item.ndim]:
                raise ShapeError(f"a mask of shape {item.shape} does not fit an array of shape {shape}.")
            filled.extend(item.nonzero())
        else:
            filled.append(item)
        axis += _axes_used(item)
    return filled


def _item(item: Any) -> Any:
    """One item of an index, checked; lists as arrays."""
    if isinstance(item, list | tuple | range):
        item = np.asarray(item, np.intp if len(item) == 0 else None)
    if isinstance(item, bool | np.bool_) or (_is_mask(item) and ndim(item) == 0):
        raise ShapeError("a single True or False is no index for a traced value; use np.where.")
    if _is_mask(item) and not known(item):
        raise ShapeError(
            "a mask that depends on traced values selects an unknown number of elements. "
            "Keep the shape and use np.where(mask, x, 0.0) instead of x[mask]."
        )
    if (
        item is None
        or item is Ellipsis
        or isinstance(item, slice)
        or hasattr(item, "dtype")
        or hasattr(item, "__index__")
    ):
        return item
    raise ShapeError(f"{item!r} is no index; use integers, slices, `...`, None, integer arrays or masks.")


def _is_mask(item: Any) -> bool:
    return getattr(item, "dtype", None) == np.dtype(bool)


def _axes_used(item: Any) -> int:
    """How many axes of the array an item of its index is for."""
    return 0 if item is None or item is Ellipsis else ndim(item) if _is_mask(item) else 1


def known(x: Any) -> bool:
    """Whether an array's numbers are there to look at."""
    return isinstance(x, np.ndarray | np.generic)
