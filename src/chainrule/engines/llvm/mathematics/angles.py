"""Inverse sine, cosine and tangent: an odd polynomial near 0, and identities that lead there."""

from __future__ import annotations

import math
from typing import Any

from chainrule.engines.llvm.mathematics import coefficients
from chainrule.engines.llvm.mathematics.circular import HALF_PI
from chainrule.engines.llvm.mathematics.instructions import Instructions
from chainrule.engines.llvm.mathematics.numbers import FLOAT32, FLOAT64, Vector
from chainrule.engines.llvm.mathematics.steps import polynomial

TANGENT_OF_EIGHTH = math.sqrt(2.0) - 1.0


def _odd(m: Instructions, x: Vector, square: Vector, table: Any) -> Vector:
    """x·(square·P(square)), what the function has beyond x."""
    return x * square * polynomial(m, square, table)


def arcsin(m: Instructions, x: Vector) -> Vector:
    """The angle in [−π/2, π/2]; beyond ½ as π/2 − 2·arcsin √((1 − x)/2)."""
    size = m.absolute(x)
    outer = size > 0.5
    square = m.choose(outer, 0.5 * (1.0 - size), size * size)
    root = m.choose(outer, m.sqrt(square), size)
    rest = _odd(m, root, square, coefficients.ARCSIN)
    high, low, _ = HALF_PI[x.dtype]
    far = high - ((root + root) - (low - (rest + rest)))
    return m.copysign(m.choose(outer, far, root + rest), x)


def arccos(m: Instructions, x: Vector) -> Vector:
    """The angle in [0, π]."""
    size = m.absolute(x)
    outer = size > 0.5
    square = m.choose(outer, 0.5 * (1.0 - size), size * size)
    root = m.choose(outer, m.sqrt(square), x)
    rest = _odd(m, root, square, coefficients.ARCSIN)
    high, low, _ = HALF_PI[x.dtype]
    inner = high - (root - (low - rest))
    double = (root + root) + (rest + rest)
    opposite = 2.0 * high - ((root + root) - (2.0 * low - (rest + rest)))
    return m.choose(outer, m.choose(x < 0.0, opposite, double), inner)


def arctan(m: Instructions, x: Vector) -> Vector:
    """The angle in [−π/2, π/2] with this tangent."""
    size = m.absolute(x)
    return m.copysign(_angle(m, size, m.number(1.0, x.dtype)), x)


def arctan2(m: Instructions, a: Vector, b: Vector) -> Vector:
    """The angle in [−π, π] of the point (b, a)."""
    up, across = m.absolute(a), m.absolute(b)
    both = (up == math.inf) & (across == math.inf)
    up, across = m.choose(both, 1.0, up), m.choose(both, 1.0, across)
    huge = m.maximum(up, across) > {FLOAT32: 2.0**126, FLOAT64: 2.0**1022}[a.dtype]
    factor = m.choose(huge, 0.25, m.number(1.0, a.dtype))
    angle = _angle(m, up * factor, across * factor)
    high, low, _ = HALF_PI[a.dtype]
    left = m.as_bits(b) < 0
    return m.copysign(m.choose(left, 2.0 * high - (angle - 2.0 * low), angle), a)


def _angle(m: Instructions, up: Vector, across: Vector) -> Vector:
    """The angle in [0, π/2] of a point with coordinates that are not negative; one division."""
    steep = up > across
    little, large = m.choose(steep, across, up), m.choose(steep, up, across)
    diagonal = little > TANGENT_OF_EIGHTH * large
    numerator = m.choose(diagonal, little - large, little)
    denominator = m.choose(diagonal, little + large, large)
    nothing = large == 0.0
    t = numerator / m.choose(nothing, 1.0, denominator)
    # From the outside in: π/2 − (π/4 + arctan t), so that the parts are π/2, π/4 and 0, and the sign of t turns.
    t = m.choose(steep, -t, t)
    high, low, _ = HALF_PI[up.dtype]
    zero = m.number(0.0, up.dtype)
    base = m.choose(diagonal, 0.5 * high, m.choose(steep, high, zero))
    base_low = m.choose(diagonal, 0.5 * low, m.choose(steep, low, zero))
    square = t * t
    return base + (t + (_odd(m, t, square, coefficients.ARCTAN) + base_low))
