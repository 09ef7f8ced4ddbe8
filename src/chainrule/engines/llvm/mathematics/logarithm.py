"""Logarithms: x = 2^e·(1 + f) with 1 + f near 1, then a polynomial in f, then e times a constant."""

from __future__ import annotations

import math
from typing import Any

from chainrule.engines.llvm.mathematics import coefficients
from chainrule.engines.llvm.mathematics.exponential import LN2_HIGH, LN2_LOW, exp
from chainrule.engines.llvm.mathematics.instructions import Instructions
from chainrule.engines.llvm.mathematics.numbers import FLOAT32, FLOAT64, Vector
from chainrule.engines.llvm.mathematics.steps import format_of, polynomial, power_of_two, split_exponent, two_sum

# Logarithms of e and 2 in two parts each: rounded to the dtype, and the rest.
LOG2_E = (1.4426950408889634, 2.0355273740931033e-17)
LOG10_E = (0.4342944819032518, 1.098319650216765e-17)
LOG10_2 = {
    FLOAT32: (0.3010300099849701, -1.432098883924482e-08),
    FLOAT64: (0.3010299956639812, -2.8037281277851704e-18),
}


def _edges(m: Instructions, x: Vector, result: Vector) -> Vector:
    """The logarithm where x is no positive finite number."""
    result = m.choose(x < math.inf, result, x)
    return m.choose(x <= 0.0, m.choose(x == 0.0, -math.inf, m.number(math.nan, x.dtype)), result)


def _natural(m: Instructions, e: Vector, f: Vector) -> Vector:
    """e·ln 2 + log(1 + f)."""
    high, low = LN2_HIGH[f.dtype], LN2_LOW[f.dtype]
    if f.dtype == FLOAT32:
        tail = m.fma(f * f, polynomial(m, f, coefficients.LOG), e * low)
        return m.fma(e, high, f + tail)
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    ratio = z * polynomial(m, z, coefficients.LOG_RATIO)
    tail = half - m.fma(s, half + ratio, e * low)
    return m.fma(e, high, f - tail)


def log(m: Instructions, x: Vector) -> Vector:
    """The natural logarithm."""
    e, y = split_exponent(m, x)
    return _edges(m, x, _natural(m, e, y - 1.0))


def log2(m: Instructions, x: Vector) -> Vector:
    """The logarithm to base 2."""
    return _to_base(m, x, coefficients.LOG2, 1.4375, LOG2_E, (1.0, 0.0))


def log10(m: Instructions, x: Vector) -> Vector:
    """The logarithm to base 10."""
    return _to_base(m, x, coefficients.LOG10, 0.4375, LOG10_E, LOG10_2[x.dtype])


def _to_base(m: Instructions, x: Vector, table: Any, slope: float, inverse: Any, of_two: tuple[float, float]) -> Vector:
    """The logarithm whose values at e and 2 are given in two parts; `slope`·f is exact enough to be added last."""
    e, y = split_exponent(m, x)
    f = y - 1.0
    high, low = of_two
    if x.dtype == FLOAT32:
        rest = m.fma(f, polynomial(m, f, table), e * low)
        return _edges(m, x, m.fma(e, high, m.fma(f, slope, rest)))
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    main = f - half  # log(1 + f) = main + tail
    tail = m.fma(s, half + z * polynomial(m, z, coefficients.LOG_RATIO), (f - main) - half)
    rest = m.fma(e, low, m.fma(main, inverse[1], tail * inverse[0]))
    return _edges(m, x, m.fma(e, high, m.fma(main, inverse[0], rest)))


def log1p(m: Instructions, x: Vector) -> Vector:
    """log(1 + x), accurate near 0: what rounding 1 + x lost is put back into f."""
    total, lost = two_sum(m.number(1.0, x.dtype), x)
    e, y = split_exponent(m, total)
    limit = float(format_of(x).bias - 1)
    f = (y - 1.0) + lost * power_of_two(m, -m.minimum(e, limit))
    result = _edges(m, total, _natural(m, e, f))
    return m.copysign(m.choose(x < math.inf, result, x), x)


def softplus(m: Instructions, x: Vector) -> Vector:
    """log(1 + e^x)."""
    return m.maximum(x, 0.0) + _log1p_exp(m, m.absolute(x))


def logaddexp(m: Instructions, a: Vector, b: Vector) -> Vector:
    """log(e^a + e^b)."""
    return m.maximum(a, b) + _log1p_exp(m, m.absolute(m.choose(a == b, 0.0, a - b)))


def _log1p_exp(m: Instructions, size: Vector) -> Vector:
    """log(1 + e^−size) for sizes that are not negative: 1 + e^−size is at most 2, so its exponent is soon found."""
    e = exp(m, -size)
    upper = e > math.sqrt(2.0) - 1.0
    f = m.choose(upper, 0.5 * e - 0.5, e)
    return _natural(m, m.choose(upper, 1.0, m.number(0.0, e.dtype)), f)
