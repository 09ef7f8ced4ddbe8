"""Exponentials: x = k·ln 2 + r, then a polynomial in r, then the exponent k."""

from __future__ import annotations

import math

from chainrule.engines.llvm.mathematics import coefficients
from chainrule.engines.llvm.mathematics.instructions import Instructions
from chainrule.engines.llvm.mathematics.numbers import FLOAT32, FLOAT64, Vector
from chainrule.engines.llvm.mathematics.steps import (
    format_of,
    polynomial,
    polynomial_in_pairs,
    power_of_two,
    scale,
)

# ln 2 in two parts: rounded to the dtype, and the rest.
LN2_HIGH = {FLOAT32: 0.6931471824645996, FLOAT64: 0.6931471805599453}
LN2_LOW = {FLOAT32: -1.9046542121259336e-09, FLOAT64: 2.3190468138462996e-17}

# Beyond these e^x is 0 or infinite.
LOWEST = {FLOAT32: -104.0, FLOAT64: -746.0}
HIGHEST = {FLOAT32: 89.0, FLOAT64: 710.0}


def shifted_multiple(m: Instructions, x: Vector) -> Vector:
    """k + magic of the whole number k next to x/ln 2, which stands in its lowest bits."""
    return m.multiply_add(x, 1.0 / math.log(2.0), format_of(x).magic)


def remainder_of(m: Instructions, x: Vector, k: Vector) -> Vector:
    """r with x = k·ln 2 + r; the share of k that falls to the lower part of ln 2 is as good by x/ln 2, which is there before k is."""
    return m.fma(k, -LN2_HIGH[x.dtype], x) + x * (-LN2_LOW[x.dtype] / math.log(2.0))


def reduce(m: Instructions, x: Vector) -> tuple[Vector, Vector]:
    """(k, r) with x = k·ln 2 + r, k a whole number and |r| ≤ ½·ln 2."""
    k = shifted_multiple(m, x) - format_of(x).magic
    return k, remainder_of(m, x, k)


def exponential_rest(m: Instructions, r: Vector, linear: Vector) -> Vector:
    """`linear` + (e^r − 1 − r) for |r| ≤ ½·ln 2, with an error that is small beside 1."""
    return polynomial_in_pairs(m, r, coefficients.EXP, linear)


def exponential(m: Instructions, r: Vector) -> Vector:
    """e^r for |r| ≤ ½·ln 2."""
    return exponential_rest(m, r, r) + 1.0


def exp_parts(m: Instructions, x: Vector, above: float = 0.0) -> tuple[Vector, Vector]:
    """(y, k) with e^x = y·2^k, for x up to the logarithm of the largest number and `above` more."""
    k, r = reduce(m, m.minimum(m.maximum(x, LOWEST[x.dtype]), HIGHEST[x.dtype] + above))
    return exponential(m, r), k


def exp(m: Instructions, x: Vector) -> Vector:
    """e^x."""
    return scale(m, *exp_parts(m, x))


def exp2(m: Instructions, x: Vector) -> Vector:
    """2^x."""
    form = format_of(x)
    x = m.minimum(m.maximum(x, float(form.least_exponent)), form.bias + 1.0)
    k = (x + form.magic) - form.magic
    f = x - k
    return scale(m, m.fma(f, polynomial(m, f, coefficients.EXP2), 1.0), k)


def expm1_parts(m: Instructions, x: Vector) -> tuple[Vector, Vector]:
    """(p, k) with e^x = (1 + p)·2^k; p is accurate also where it is near 0."""
    k, r = reduce(m, x)
    return m.fma(r * r, polynomial(m, r, coefficients.EXPM1), r), k


def expm1(m: Instructions, x: Vector) -> Vector:
    """e^x − 1, accurate near 0."""
    lowest = -float(format_of(x).mantissa + 4)  # there the result is −1
    bounded = m.minimum(m.maximum(x, lowest), HIGHEST[x.dtype])
    p, k = expm1_parts(m, bounded)
    last = k > float(format_of(x).bias)  # 2^k is infinite, though the result need not be
    factor = power_of_two(m, m.choose(last, k - 1.0, k))
    result = m.fma(factor, p, factor - 1.0)
    return m.copysign(m.choose(last, result * 2.0, result), x)
