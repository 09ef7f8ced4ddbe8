"""Logarithms: x = 2^e·(1 + f) with 1 + f near 1, then a polynomial in f, then e times a constant."""

from __future__ import annotations

import math
from typing import Any

from chainrule.engines.llvm.mathematics import coefficients
from chainrule.engines.llvm.mathematics.exponential import LN2_HIGH, LN2_LOW
from chainrule.engines.llvm.mathematics.numbers import FLOAT32, Number
from chainrule.engines.llvm.mathematics.steps import format_of, polynomial, power_of_two, split_exponent, two_sum

Code = Any


def _edges(m: Code, x: Number, result: Number) -> Number:
    """The logarithm where x is no positive finite number."""
    result = m.choose(x < math.inf, result, x)
    return m.choose(x <= 0.0, m.choose(x == 0.0, -math.inf, m.number(math.nan, x.dtype)), result)


def _natural(m: Code, e: Number, f: Number) -> Number:
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


def log(m: Code, x: Number) -> Number:
    """The natural logarithm."""
    e, y = split_exponent(m, x)
    return _edges(m, x, _natural(m, e, y - 1.0))


def log2(m: Code, x: Number) -> Number:
    """The logarithm to base 2."""
    return log(m, x) * (1.0 / math.log(2.0))


def log10(m: Code, x: Number) -> Number:
    """The logarithm to base 10."""
    return log(m, x) * (1.0 / math.log(10.0))


def log1p(m: Code, x: Number) -> Number:
    """log(1 + x), accurate near 0: what rounding 1 + x lost is put back into f."""
    total, lost = two_sum(m.number(1.0, x.dtype), x)
    e, y = split_exponent(m, total)
    limit = float(format_of(x).bias - 1)
    f = (y - 1.0) + lost * power_of_two(m, -m.minimum(e, limit))
    result = _edges(m, total, _natural(m, e, f))
    return m.copysign(m.choose(x < math.inf, result, x), x)
