"""Parts of complex numbers, and the complex conjugate: maps that are linear in the real and the imaginary part.

A cotangent g of a complex number z is the map dz ↦ Re(g·dz), unconjugated; so that of Im z = Re(−i·z) is −i·g, and that of the
conjugate z̄ is ḡ, for Re(g·dz̄) = Re(ḡ·dz).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.ops import pairs
from chainrule.ops.axes import broadcasting
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.notation import EXACT
from chainrule.ops.operation import ArrayType, at, cast, dtype_of, example, exemplar, shape_of


def _one_by_one(
    name: str, value: Callable[..., Any], forward: Callable[..., Any], reverse: Callable[..., Any], **declared: Any
) -> Custom:
    """An operation on every number; `forward(m, t, y, x)` and `reverse(m, g, y, x)` give its tangent and cotangent."""
    return Custom(
        name,
        value=value,
        type=lambda x: ArrayType(shape_of(x), np.asarray(value(exemplar(dtype_of(x)))).dtype),
        forward=lambda m, tangents, y, x: cast(m, forward(m, tangents[0], y, x), y.dtype),
        reverse=lambda m, g, y, x: [cast(m, reverse(m, g, y, x), x.dtype)],
        links=lambda x: (broadcasting(shape_of(x), shape_of(x)),),
        batched=lambda m, size, batched, x: getattr(m, name)(x),
        examples=(example(()), example((3,)), example((2, 3))),
        complex=True,
        **declared,
    )


conjugate = _one_by_one(
    "conjugate",
    lambda x: np.conjugate(x),
    lambda m, t, y, x: m.conjugate(t),
    lambda m, g, y, x: m.conjugate(g),
    latex=r"\overline{{{0}}}",
    parts=pairs.conjugate,
    differential=r"\overline{{d{0}}}",
    doc="a − i·b, of a + i·b.",
)
real = _one_by_one(
    "real",
    lambda x: np.real(x)[()],
    lambda m, t, y, x: t,
    lambda m, g, y, x: g,
    latex=r"\operatorname{{Re}} {0}",
    differential=r"\operatorname{{Re}} d{0}",
    view=True,
    write_back=lambda m, x, part: m.add(part, m.multiply(m.imag(x), 1j)),
    parts=pairs.real,
    accuracy=EXACT,
    doc="The real part a of a + i·b.",
)
imag = _one_by_one(
    "imag",
    lambda x: np.imag(x)[()],
    lambda m, t, y, x: t * -1j,
    lambda m, g, y, x: g * -1j,
    latex=r"\operatorname{{Im}} {0}",
    differential=r"\operatorname{{Im}} d{0}",
    view=True,
    write_back=lambda m, x, part: m.add(m.real(x), m.multiply(part, 1j)),
    parts=pairs.imag,
    accuracy=EXACT,
    doc="The imaginary part b of a + i·b.",
)
angle = _one_by_one(
    "angle",
    np.angle,
    lambda m, t, y, x: t * _turn(m, x),
    lambda m, g, y, x: g * _turn(m, x),
    latex=r"\arg {0}",
    parts=pairs.angle,
    differential=r"\operatorname{{Im}} \frac{{d{0}}}{{{0}}}",
    kinks=(at("{0} ≤ 0", np.complex128(-1.0)), at("{0} ≤ 0", np.complex128(0.0))),
    doc="The angle of a + i·b, from −π to π; its derivative at 0, where there is none, is taken as 0.",
)


def _turn(m: Any, x: Any) -> Any:
    """d arg x = Im(dx/x) = Re(−i·dx/x)."""
    return m.where(x == 0, 0.0, -1j / m.where(x == 0, 1.0, x))
