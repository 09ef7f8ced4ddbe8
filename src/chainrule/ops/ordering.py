"""Operations along one axis that depend on the order of elements: running sums, sorting, arguments of extrema."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.ops.axes import Links, mixing, reducing
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.notation import EXACT
from chainrule.ops.operation import ArrayType, at, dtype_of, example, shape_of

TIES = "equal elements"
_EXAMPLES = (example((6,), axis=0), example((3, 4), axis=1), example((2, 3, 2), axis=1))


def _same_type(x: Any, axis: int) -> ArrayType:
    return ArrayType(shape_of(x), np.dtype(dtype_of(x)))


def _sum_type(x: Any, axis: int) -> ArrayType:
    return ArrayType(shape_of(x), np.cumsum(np.zeros(1, dtype_of(x))).dtype)


def _index_type(x: Any, axis: int, stable: bool = True) -> ArrayType:
    return ArrayType(shape_of(x), np.dtype(np.intp))


def _argument_type(x: Any, axis: int) -> ArrayType:
    shape = shape_of(x)
    return ArrayType((*shape[:axis], *shape[axis + 1 :]), np.dtype(np.intp))


def _along_links(x: Any, axis: int, stable: bool = True) -> tuple[Links, ...]:
    return (mixing(len(shape_of(x)), axis),)


def _argument_links(x: Any, axis: int) -> tuple[Links, ...]:
    return (reducing(len(shape_of(x)), (axis,), False),)


def _first_place(m: Any, x: Any, axis: int, extremum: str) -> Any:
    """The first place of an extremum, or of a NaN if there is one, found by two folds."""
    best = getattr(m, extremum)(x, axis=(axis,), keepdims=True)
    chosen = m.equal(x, best)
    if x.dtype.kind == "f":
        chosen = m.logical_or(chosen, m.isnan(x))
    length = x.shape[axis]
    places = np.arange(length, dtype=np.int32).reshape([-1 if i == axis else 1 for i in range(len(x.shape))])
    return m.min(m.where(chosen, places, np.int32(length - 1)), axis=(axis,), keepdims=False)


def _reversed(m: Any, x: Any, axis: int) -> Any:
    whole = (None,) * len(x.shape)
    return m.slice(x, start=whole, stop=whole, step=tuple(-1 if i == axis else 1 for i in range(len(x.shape))))


def _positions(m: Any, x: Any, axis: int) -> Any:
    """Where each sorted element stood in the flattened input."""
    n = len(x.shape)
    grid = np.arange(int(np.prod(x.shape)), dtype=np.intp).reshape(x.shape)
    stride = int(np.prod(x.shape[axis + 1 :], dtype=np.int64))
    base = grid - np.arange(x.shape[axis]).reshape((-1,) + (1,) * (n - axis - 1)) * stride
    return base + m.argsort(x, axis=axis, stable=False) * stride


def _sort_forward(m: Any, tangents: Any, y: Any, x: Any, axis: int) -> Any:
    return m.take(m.reshape(tangents[0], shape=(int(np.prod(x.shape)),)), _positions(m, x, axis), axis=0)


def _sort_reverse(m: Any, g: Any, y: Any, x: Any, axis: int) -> list[Any]:
    size = int(np.prod(x.shape))
    flat = m.reshape(_positions(m, x, axis), shape=(size,))
    return [m.reshape(m.scatter_add(m.reshape(g, shape=(size,)), flat, axis=0, length=size), shape=x.shape)]


cumsum = Custom(
    "cumsum",
    value=lambda x, axis: np.cumsum(x, axis=axis),
    type=_sum_type,
    forward=lambda m, tangents, y, x, axis: m.cumsum(tangents[0], axis=axis),
    reverse=lambda m, g, y, x, axis: [_reversed(m, m.cumsum(_reversed(m, g, axis), axis=axis), axis)],
    links=_along_links,
    batched=lambda m, size, batched, x, axis: m.cumsum(x, axis=axis + 1),
    accumulate="add",
    latex=r"\operatorname{{cumsum}} {0}",
    differential=r"\operatorname{{cumsum}} \, d{0}",
    examples=_EXAMPLES,
    complex=True,
    part_by_part=True,
)
sort = Custom(
    "sort",
    value=lambda x, axis: np.sort(x, axis=axis),
    type=_same_type,
    forward=_sort_forward,
    reverse=_sort_reverse,
    links=_along_links,
    batched=lambda m, size, batched, x, axis: m.sort(x, axis=axis + 1),
    latex=r"\operatorname{{sort}} {0}",
    differential=r"\left(d{0}\right)_{{\operatorname{{argsort}} {0}}}",
    kinks=(at(TIES, np.zeros(2), axis=0),),
    examples=_EXAMPLES,
)
argsort = Custom(
    "argsort",
    value=lambda x, axis, stable=True: np.argsort(x, axis=axis, kind="stable" if stable else None),
    type=_index_type,
    links=_along_links,
    batched=lambda m, size, batched, x, axis, stable=True: m.argsort(x, axis=axis + 1, stable=stable),
    latex=r"\operatorname{{argsort}} {0}",
    kinks=(at(TIES, np.zeros(2), axis=0),),
    examples=(*_EXAMPLES, example((3, 4), axis=1, stable=False)),
    doc="Where sorted elements stood; equal ones in their order, unless `stable` is false, which is several times as fast.",
)
argmax = Custom(
    "argmax",
    value=lambda x, axis: np.argmax(x, axis=axis),
    type=_argument_type,
    links=_argument_links,
    batched=lambda m, size, batched, x, axis: m.argmax(x, axis=axis + 1),
    simpler=lambda m, x, axis: _first_place(m, x, axis, "max"),
    latex=r"\operatorname{{argmax}} {0}",
    accuracy=EXACT,
    kinks=(at(TIES, np.zeros(2), axis=0),),
    examples=_EXAMPLES,
)
argmin = Custom(
    "argmin",
    value=lambda x, axis: np.argmin(x, axis=axis),
    type=_argument_type,
    links=_argument_links,
    batched=lambda m, size, batched, x, axis: m.argmin(x, axis=axis + 1),
    simpler=lambda m, x, axis: _first_place(m, x, axis, "min"),
    latex=r"\operatorname{{argmin}} {0}",
    accuracy=EXACT,
    kinks=(at(TIES, np.zeros(2), axis=0),),
    examples=_EXAMPLES,
)
