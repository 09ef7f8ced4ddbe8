"""What is added to a value that has no second derivative at some places, so that nobody takes the 0 of its convention for one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.ops.axes import broadcasting
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.operation import ArrayType, dtype_of, example, shape_of


def _type(x: Any, order: int = 0) -> ArrayType:
    return ArrayType(shape_of(x), np.dtype(dtype_of(x)))


def _slope(m: Any, x: Any, order: int) -> Any:
    """What it is multiplied with does not matter: 0 · nan is nan."""
    return m.kink(x, order=1) if order == 0 else m.where(x == 0, math.nan, m.kink(x, order=1))


kink = Custom(
    "kink",
    value=lambda x, order=0: np.full(np.shape(x), -0.0, np.result_type(x))[()],
    type=_type,
    forward=lambda m, tangents, y, x, order=0: _slope(m, x, order),
    reverse=lambda m, g, y, x, order=0: [_slope(m, x, order)],
    links=lambda x, order=0: (broadcasting(shape_of(x), shape_of(x)),),
    batched=lambda m, size, batched, x, order=0: m.kink(x, order=order),
    simpler=lambda m, x, order=0: m.broadcast_to(np.full((), -0.0, x.dtype)[()], shape=tuple(x.shape)),
    latex=r"0",
    differential=r"0",
    doc="0 everywhere (−0, which changes no number it is added to), whose second derivative where x is 0 is nan: there is none.",
    examples=(example(np.array([0.5, -2.0, 1.5])),),
)
