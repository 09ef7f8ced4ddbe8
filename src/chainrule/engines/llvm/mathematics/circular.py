"""Sine, cosine and tangent: x = k·π/2 + r, polynomials in r, and the quadrant k mod 4."""

from __future__ import annotations

import math
from typing import Any

from chainrule.engines.llvm.mathematics import coefficients
from chainrule.engines.llvm.mathematics.instructions import Instructions
from chainrule.engines.llvm.mathematics.numbers import FLOAT32, FLOAT64, Vector, bits
from chainrule.engines.llvm.mathematics.reduction import reduce_large
from chainrule.engines.llvm.mathematics.steps import format_of, polynomial, two_product, two_sum

# π/2 in three parts, each rounded to the dtype.
HALF_PI = {
    FLOAT32: (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
    FLOAT64: (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
}
FAR = {FLOAT32: 2.0**16, FLOAT64: 2.0**32}
"""Up to here k·(the first part) leaves an exact difference to x, and k itself is right."""


def _reduce(m: Instructions, x: Vector) -> tuple[Vector, Vector, Vector]:
    """(k, r, s) with x = k·π/2 + r + s: k an integer with two right bits, r of full precision, s what r lost."""
    magic = format_of(x).magic
    shifted = m.multiply_add(x, 2.0 / math.pi, magic)
    k = shifted - magic
    first, second, third = HALF_PI[x.dtype]
    product, product_low = two_product(m, k, m.number(-second, x.dtype))
    r, lost = two_sum(m.fma(k, -first, x), product)
    return m.as_bits(shifted), r, lost + m.fma(k, -third, product_low)


def _sine(m: Instructions, r: Vector, s: Vector) -> Vector:
    square = r * r
    return r + m.fma(r * square, polynomial(m, square, coefficients.SIN), s)


def _cosine(m: Instructions, r: Vector, s: Vector) -> Vector:
    square = r * r
    return 1.0 + m.fma(square, polynomial(m, square, coefficients.COS), -(r * s))


def _wave(m: Instructions, quadrant: Vector, r: Vector, s: Vector) -> Vector:
    """The sine of quadrant·π/2 + r + s."""
    value = m.choose((quadrant & 1) == 0, _sine(m, r, s), _cosine(m, r, s))
    sign = (quadrant & 2) << (bits(quadrant.dtype) - 2)
    return m.from_bits(m.as_bits(value) ^ sign, value.dtype)


def _slope(m: Instructions, quadrant: Vector, r: Vector, s: Vector) -> Vector:
    """The tangent of quadrant·π/2 + r + s."""
    odd = (quadrant & 1) != 0
    sine, cosine = _sine(m, r, s), _cosine(m, r, s)
    return m.choose(odd, -cosine, sine) / m.choose(odd, sine, cosine)


def _circular(m: Instructions, name: str, x: Vector, finish: Any) -> Vector:
    """By the short reduction; in lanes where the angle is too large for that, by the long one, out of line."""

    def rare(m: Instructions, x: Vector) -> Vector:
        far = (m.absolute(x) > FAR[x.dtype]) & (m.absolute(x) < math.inf)
        result: Vector = finish(m, *reduce_large(m, m.choose(far, x, FAR[x.dtype])))
        return result

    usual = finish(m, *_reduce(m, x))  # NaN for infinite x
    size = m.absolute(x)
    far = (size > FAR[x.dtype]) & (size < math.inf)
    return m.otherwise(far, usual, lambda: m.outlined(f"{name}.far", rare, x, rare=True))


def sin(m: Instructions, x: Vector) -> Vector:
    """The sine."""
    return m.choose(m.absolute(x) < 2.0**-30, x, _circular(m, "sin", x, _wave))


def cos(m: Instructions, x: Vector) -> Vector:
    """The cosine."""
    return _circular(m, "cos", x, lambda m, quadrant, r, s: _wave(m, quadrant + 1, r, s))


def tan(m: Instructions, x: Vector) -> Vector:
    """The tangent."""
    return m.choose(m.absolute(x) < 2.0**-30, x, _circular(m, "tan", x, _slope))
