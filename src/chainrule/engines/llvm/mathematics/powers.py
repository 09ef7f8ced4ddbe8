"""Powers and roots: a^b as 2^(b·log₂ a) with a logarithm of more than the dtype's precision."""

from __future__ import annotations

import math

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.mathematics import coefficients
from chainrule.engines.llvm.mathematics.instructions import Instructions
from chainrule.engines.llvm.mathematics.numbers import FLOAT32, FLOAT64, Vector
from chainrule.engines.llvm.mathematics.steps import (
    fast_two_sum,
    format_of,
    polynomial,
    power_of_two,
    repeat,
    scale,
    split_exponent,
    two_product,
    two_sum,
)

TWO_LOG2_E = (2.8853900817779268, 4.0710547481862066e-17)
TWO_THIRDS_LOG2_E = (0.9617966939259756, 5.0577616648125907e-17)


def power(m: Instructions, a: Vector, b: Vector) -> Vector:
    """a^b for floats."""
    result = _short_power(m, a, b) if a.dtype == FLOAT32 else _long_power(m, a, b)
    whole = m.rint(b) == b
    half = 0.5 * b
    odd = whole & (m.rint(half) != half)
    result = m.choose(odd, m.copysign(result, a), result)
    undefined = (a < 0.0) & m.logical_not(whole) & (a > -math.inf)
    return m.choose(undefined, m.number(math.nan, a.dtype), result)


def _logarithm_edges(m: Instructions, size: Vector, logarithm: Vector) -> Vector:
    """The logarithm of |a|, also where that is 0, infinite or NaN."""
    return m.choose(size == 0.0, -math.inf, m.choose(size < math.inf, logarithm, size))


def _short_power(m: Instructions, a: Vector, b: Vector) -> Vector:
    """|a|^b of float32, computed in float64 with polynomials that are just long enough."""
    size, exponent = m.convert(m.absolute(a), FLOAT64), m.convert(b, FLOAT64)
    e, y = split_exponent(m, size)
    s = (y - 1.0) / (y + 1.0)
    logarithm = m.fma(s, polynomial(m, s * s, coefficients.LOG_RATIO_SHORT), e)
    logarithm = _logarithm_edges(m, size, logarithm)
    product = m.choose((logarithm == 0.0) | (exponent == 0.0), 0.0, exponent * logarithm)
    product = m.minimum(m.maximum(product, -200.0), 200.0)
    magic = format_of(product).magic
    shifted = product + magic
    k = shifted - magic
    return m.convert(polynomial(m, product - k, coefficients.EXP2_SHORT) * power_of_two(m, k), FLOAT32)


def _long_power(m: Instructions, a: Vector, b: Vector) -> Vector:
    """|a|^b of float64, the logarithm in two numbers."""
    size = m.absolute(a)
    high, low = _log2_in_two(m, size)
    high = _logarithm_edges(m, size, high)
    product = b * high
    lost = m.choose(m.absolute(product) < 1100.0, m.lost(b, high, product) + b * low, 0.0)
    product = m.choose((high == 0.0) | (b == 0.0), 0.0, m.minimum(m.maximum(product, -1100.0), 1100.0))
    magic = format_of(product).magic
    k = (product + magic) - magic
    f = (product - k) + lost
    return scale(m, m.fma(f, polynomial(m, f, coefficients.EXP2), 1.0), k)


def _log2_in_two(m: Instructions, size: Vector) -> tuple[Vector, Vector]:
    """log₂ of a positive float64 as the sum of two, with an error near 2^−65 of it."""
    e, y = split_exponent(m, size)
    f = y - 1.0
    divisor = y + 1.0
    divisor_low = y - (divisor - 1.0)
    inverse = 1.0 / divisor
    s = f * inverse
    s_low = m.fma(-s, divisor_low, m.fma(-s, divisor, f)) * inverse
    z, z_low = two_product(m, s, s)
    z_low = m.fma(s + s, s_low, z_low)
    # s·(c₁ + z·(c₃ + z·P(z))), from the inside out; only the innermost product can do without its low part.
    inner, inner_low = fast_two_sum(
        m.number(TWO_THIRDS_LOG2_E[0], size.dtype), z * polynomial(m, z, coefficients.LOG_RATIO_TAIL)
    )
    inner_low = inner_low + TWO_THIRDS_LOG2_E[1]
    middle, middle_low = two_product(m, z, inner)
    middle_low = middle_low + m.fma(z, inner_low, z_low * inner)
    outer, outer_low = fast_two_sum(m.number(TWO_LOG2_E[0], size.dtype), middle)
    outer_low = outer_low + (middle_low + TWO_LOG2_E[1])
    result, result_low = two_product(m, s, outer)
    result_low = result_low + m.fma(s, outer_low, s_low * outer)
    total, lost = two_sum(e, result)
    return fast_two_sum(total, lost + result_low)


def integer_power(m: Instructions, a: Vector, b: Vector) -> Vector:
    """a^b for integers and b ≥ 0, by squaring."""
    one = m.number(1, a.dtype)

    def square(*values: ir.Value) -> tuple[list[ir.Value], ir.Value]:
        total, base, left = (m.wrap(value, a.dtype) for value in values)
        rest = m.shift_right(left, 1)
        return [m.choose((left & 1) != 0, total * base, total).value, (base * base).value, rest.value], m.any(rest != 0)

    total, *_ = repeat(m.builder, [one.value, a.value, b.value], square)
    return m.wrap(total, a.dtype)


def cbrt(m: Instructions, x: Vector) -> Vector:
    """The cube root: y^(−1/3) by a polynomial and a Newton step, then one correction of y·(y^(−1/3))²."""
    size = m.absolute(x)
    e, y = split_exponent(m, size)
    magic = format_of(x).magic
    third = m.multiply_add(e, 1.0 / 3.0, magic) - magic
    rest = m.multiply_add(third, -3.0, e)  # −1, 0 or 1
    y = m.choose(rest > 0.0, y + y, m.choose(rest < 0.0, 0.5 * y, y))
    root, inverse_root = 2.0 ** (1.0 / 3.0), 2.0 ** (-1.0 / 3.0)
    factor = m.choose(rest > 0.0, inverse_root, m.choose(rest < 0.0, root, m.number(1.0, x.dtype)))
    start = polynomial(m, m.choose(rest > 0.0, 0.5 * y, m.choose(rest < 0.0, y + y, y)), coefficients.CBRT) * factor
    inverse = m.fma(start * (1.0 / 3.0), m.fma(-y * start, start * start, 1.0), start)
    result = y * inverse * inverse
    lost = m.fma(-result * result, result, y)
    result = m.fma(lost * inverse, inverse * (1.0 / 3.0), result) * power_of_two(m, third)
    return m.choose((size > 0.0) & (size < math.inf), m.copysign(result, x), x)


def hypot(m: Instructions, a: Vector, b: Vector) -> Vector:
    """√(a² + b²), scaled so that no square overflows or vanishes."""
    a, b = m.absolute(a), m.absolute(b)
    infinite = (a == math.inf) | (b == math.inf)
    large, little = {FLOAT32: (2.0**60, 2.0**-40), FLOAT64: (2.0**500, 2.0**-400)}[a.dtype]
    greater = m.maximum(a, b)
    one = m.number(1.0, a.dtype)
    down, up = {FLOAT32: (2.0**-70, 2.0**90), FLOAT64: (2.0**-600, 2.0**700)}[a.dtype]
    shrink = m.choose(greater > large, down, m.choose(greater < little, up, one))
    grow = m.choose(greater > large, 1.0 / down, m.choose(greater < little, 1.0 / up, one))
    a, b = a * shrink, b * shrink
    result = m.sqrt(m.multiply_add(a, a, b * b)) * grow
    return m.choose(infinite, math.inf, result)
