"""What is added to a value that has no second derivative at some places, so that nobody takes the 0 of its convention for one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.ops.axes import broadcasting
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.operation import ArrayType, dtype_of, example, shape_of


def _slope(m: Any, x: Any, counts: Any, order: int) -> Any:
    """What it is multiplied with does not matter: 0 · nan is nan."""
    flat = m.kink(x, counts, order=min(order + 1, 1))
    return flat if order < 1 else m.where(m.logical_and(x == 0, counts), math.nan, flat)


def _batch(m: Any, size: int, batched: Any, x: Any, counts: Any, order: int = 0) -> Any:
    x = x if batched[0] else m.broadcast_to(x, shape=(size, *shape_of(x)))
    return m.kink(x, counts, order=order)


kink = Custom(
    "kink",
    value=lambda x, counts, order=0: np.full(np.shape(x), -0.0, np.result_type(x))[()],
    type=lambda x, counts, order=0: ArrayType(shape_of(x), np.dtype(dtype_of(x))),
    forward=lambda m, tangents, y, x, counts, order=0: None if tangents[0] is None else _slope(m, x, counts, order),
    reverse=lambda m, g, y, x, counts, order=0: [_slope(m, x, counts, order), None],
    links=lambda x, counts, order=0: tuple(broadcasting(shape_of(given), shape_of(x)) for given in (x, counts)),
    batched=_batch,
    simpler=lambda m, x, counts, order=0: m.broadcast_to(np.full((), -0.0, x.dtype)[()], shape=tuple(x.shape)),
    latex=r"0",
    differential=r"-0 \cdot d{0}",
    doc="0 everywhere (−0, which changes no number it is added to); where x is 0 and counts, its "
    "second derivative is nan, or that of the order 2 − `order`.",
    examples=(example(np.array([0.5, -2.0, 1.5]), np.array([True, False, True])),),
)
