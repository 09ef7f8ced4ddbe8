"""`x[key] = value` as a new array: with everything that NumPy allows for a key."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.errors import InPlaceError, ShapeError
from chainrule.ops.functions.function import ndim
from chainrule.ops.functions.joining import BASIC, basic, expanded, index, known, plain_item, positions
from chainrule.ops.functions.shaping import reshape


def written(m: Any, x: Any, key: Any, value: Any) -> Any:
    """The array with `value`, broadcast, where `key` says, in the dtype it has."""
    shape = tuple(x.shape)
    value = _of_dtype(m, value, x.dtype)
    items: Sequence[Any] = key if isinstance(key, tuple) else (key,)
    if not BASIC.issuperset(map(type, items)):
        if len(items) == 1 and _is_unknown_mask(items[0]) and tuple(items[0].shape) == shape:
            return m.where(items[0], _broadcast(m, value, shape), x)
        items = expanded(shape, items)
        unknown = [item for item in items if hasattr(item, "dtype") and not known(item)]
        if unknown:
            return _at_unknown(m, x, items, value)
        if any(ndim(item) > 0 for item in items if hasattr(item, "dtype")):
            return _at_positions(m, x, key, value)
    bounds, lengths = basic(shape, tuple(map(plain_item, items)))
    whole = (None,) * len(shape)
    bounds = bounds or {"start": whole, "stop": whole, "step": (1,) * len(shape)}
    if lengths is not None:  # new axes are for the value alone
        value = reshape(m, _broadcast(m, value, lengths), tuple(n for n in _places(shape, bounds)))
    else:
        value = _fitting(m, value, _places(shape, bounds))
    return m.put(x, value, **bounds)


def _places(shape: tuple[int, ...], bounds: Any) -> tuple[int, ...]:
    drop = bounds.get("drop", ())
    ranges = zip(bounds["start"], bounds["stop"], bounds["step"], shape, strict=True)
    return tuple(len(range(*slice(a, b, c).indices(n))) for i, (a, b, c, n) in enumerate(ranges) if i not in drop)


def _of_dtype(m: Any, value: Any, dtype: Any) -> Any:
    """The value as the array's kind of number; what would lose its derivative there is refused."""
    if not hasattr(value, "dtype"):
        value = np.asarray(value)
    if not np.can_cast(value.dtype, dtype, "same_kind"):
        raise InPlaceError(
            f"x[…] = y would turn y of {value.dtype} into {dtype}, the array's dtype, and lose part of it. Make the array with dtype "
            f"{value.dtype}."
        )
    if known(value):
        return value.astype(dtype, copy=False)
    return value if value.dtype == dtype else m.astype(value, dtype=dtype)


def _fitting(m: Any, value: Any, places: tuple[int, ...]) -> Any:
    """A value that broadcasts to the places; leading axes of length 1 too many are left out, as in NumPy."""
    shape = tuple(value.shape)
    extra = len(shape) - len(places)
    if extra > 0 and all(n == 1 for n in shape[:extra]):
        value = reshape(m, value, shape[extra:])
        shape = shape[extra:]
    if len(shape) > len(places) or any(n not in (1, k) for n, k in zip(shape[::-1], places[::-1], strict=False)):
        raise ShapeError(
            f"x[…] = y was given y of shape {tuple(value.shape)} for places of shape {places}; give it a shape that broadcasts to it."
        )
    return value


def _broadcast(m: Any, value: Any, shape: tuple[int, ...]) -> Any:
    value = _fitting(m, value, shape)
    return value if tuple(value.shape) == shape else m.broadcast_to(value, shape=shape)


def _is_unknown_mask(item: Any) -> bool:
    return getattr(item, "dtype", None) == np.dtype(bool) and not known(item)


def _at_positions(m: Any, x: Any, key: Any, value: Any) -> Any:
    """Where arrays of positions or masks pick elements; of those named twice the last one counts."""
    size = math.prod(x.shape)
    places = np.arange(size).reshape(x.shape)[key]
    spread = m.reshape(_broadcast(m, value, places.shape), shape=(places.size,))
    flat, last = np.unique(places.ravel()[::-1], return_index=True)
    if last.size != places.size or (np.diff(places.ravel()) <= 0).any():
        spread = m.take(spread, places.size - 1 - last, axis=0)
    mask = np.zeros(size, bool)
    mask[flat] = True
    inserted = m.scatter_add(spread, flat, axis=0, length=size)
    return m.where(mask.reshape(x.shape), m.reshape(inserted, shape=tuple(x.shape)), x)


def _at_unknown(m: Any, x: Any, items: Sequence[Any], value: Any) -> Any:
    """Where single positions depend on traced values: every place along their axes is asked whether it is the one."""
    if any(hasattr(item, "dtype") and ndim(item) > 0 for item in items) or any(item is None for item in items):
        raise ShapeError(
            "x[i] = y with an array i that depends on traced values writes to an unknown number of places. Write to one place at a "
            "time, or use np.where(mask, y, x)."
        )
    here: Any = np.bool_(True)
    part = index(
        m, x, tuple(item if isinstance(item, slice) or not hasattr(item, "dtype") else slice(None) for item in items)
    )
    kept = [i for i, item in enumerate(items) if isinstance(item, slice) or hasattr(item, "dtype")]
    for axis, i in enumerate(kept):
        if hasattr(items[i], "dtype"):
            place = positions(m, items[i], x.shape[i], i)
            along = np.arange(x.shape[i]).reshape((-1,) + (1,) * (len(kept) - axis - 1))
            here = m.logical_and(here, m.equal(along, place))
    value = _broadcast(m, value, tuple(part.shape[axis] for axis, i in enumerate(kept) if isinstance(items[i], slice)))
    spread = tuple(part.shape[axis] if isinstance(items[i], slice) else 1 for axis, i in enumerate(kept))
    key = tuple(slice(None) if hasattr(item, "dtype") else item for item in items)
    return written(m, x, key, m.where(here, m.reshape(value, shape=spread), part))
