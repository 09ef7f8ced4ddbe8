"""Writing into an array: the array with other numbers in a slice of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.ops.kinds.custom import Custom
from chainrule.ops.kinds.elementwise import sum_to
from chainrule.ops.layouts import Bounds, batched_bounds, no_places, slice_key, slice_shape
from chainrule.ops.notation import COMPARISON, EXACT, SUM, Notation, typed_places
from chainrule.ops.operation import ArrayType, Namespace, dtype_of, example, shape_of

Shape = tuple[int, ...]


def _put(x: Any, value: Any, start: Bounds, stop: Bounds, step: Shape, drop: Shape = ()) -> Any:
    result = np.array(x)
    try:
        result[slice_key(start, stop, step, drop)] = value
    except IndexError:
        raise no_places(result.shape, start, drop) from None
    return result


def _forward(m: Namespace, tangents: Sequence[Any], y: Any, x: Any, value: Any, **bounds: Any) -> Any:
    tangent, inserted = tangents
    kept = np.zeros(x.shape, x.dtype) if tangent is None else tangent
    return m.put(kept, x.dtype.type(0) if inserted is None else inserted, **bounds)


def _reverse(m: Namespace, cotangent: Any, y: Any, x: Any, value: Any, **bounds: Any) -> list[Any]:
    inserted = None
    if hasattr(value, "dtype"):
        inserted = sum_to(m, m.slice(cotangent, **bounds), tuple(value.shape), value.dtype)
    return [m.put(cotangent, cotangent.dtype.type(0), **bounds), inserted]


def _batched(m: Namespace, size: int, batched: Sequence[bool], x: Any, value: Any, **bounds: Any) -> Any:
    whole, inserted = batched
    if not whole:
        x = m.broadcast_to(x, shape=(size, *x.shape))
    if inserted:
        places = slice_shape(tuple(x.shape[1:]), **bounds)
        missing = (1,) * (len(places) - (len(value.shape) - 1))
        value = m.reshape(value, shape=(size, *missing, *value.shape[1:]))
    return m.put(x, value, **batched_bounds(**{"drop": (), **bounds}))


def _simpler(m: Namespace, x: Any, value: Any, **bounds: Any) -> Any:
    shape = tuple(x.shape)
    places = slice_shape(shape, **bounds)
    inserted = m.embed(m.broadcast_to(m.astype(value, dtype=x.dtype), shape=places), shape=shape, **bounds)
    return m.where(_put(np.zeros(shape, bool), True, **bounds), inserted, x)


put = Custom(
    "put",
    value=_put,
    type=lambda x, value, **bounds: ArrayType(shape_of(x), dtype_of(x)),
    forward=_forward,
    reverse=_reverse,
    batched=_batched,
    simpler=_simpler,
    latex=r"\operatorname{{put}}\left({0}, {1}\right)",
    notation=Notation(
        strength=COMPARISON,
        operands=(SUM, SUM),
        typed_with=lambda **bounds: f"{{0}} with {typed_places(**bounds)} = {{1}}",
        rule="",
        cost="free",
    ),
    differential=r"\operatorname{{put}}\left(d{0}, d{1}\right)",
    complex=True,
    part_by_part=True,
    accuracy=EXACT,
    examples=(
        example((4,), (2,), start=(1,), stop=(3,), step=(1,)),
        example((4, 3), (2, 3), start=(1, None), stop=(3, None), step=(1, 1)),
        example((4, 3), (4,), start=(None, 1), stop=(None, 2), step=(1, 1), drop=(1,)),
        example((4, 3), (), start=(3, None), stop=(None, None), step=(-2, 1)),
    ),
    doc="The first input with the second one, broadcast, in a slice along every axis; `drop` as in `slice`.",
)
