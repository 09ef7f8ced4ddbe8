"""Hyperbolic functions and the sigmoid through e^x, and the inverses through log(1 + x)."""

from __future__ import annotations

import math

from chainrule.engines.llvm.mathematics import coefficients
from chainrule.engines.llvm.mathematics.exponential import (
    HIGHEST,
    LOWEST,
    exp_parts,
    expm1_parts,
    exponential_rest,
    remainder_of,
    shifted_multiple,
)
from chainrule.engines.llvm.mathematics.instructions import Instructions
from chainrule.engines.llvm.mathematics.numbers import FLOAT32, FLOAT64, Vector
from chainrule.engines.llvm.mathematics.steps import (
    format_of,
    inverse_scale_from_bits,
    polynomial,
    power_of_two,
    scale,
    scale_from_bits,
)

HUGE = {FLOAT32: 2.0**30, FLOAT64: 2.0**60}
"""Beyond this 1 + x is x, and x² is still finite."""


def tanh(m: Instructions, x: Vector) -> Vector:
    """The hyperbolic tangent: an odd polynomial near 0, and beyond 1 − 2/(e^2|x| + 1), where e^2|x| = 2^k·(1 + f·P(f)).

    An error of e^2|x| does at most 3/8 of itself to that, and less and less the larger |x|: a polynomial of 2^f that is as exact as
    that asks for is enough, and 2/ln 2 in one part.
    """
    size = m.absolute(x)
    square = size * size
    near = m.fma(size * square, polynomial(m, square, coefficients.TANH), size)
    bounded = m.minimum(size, {FLOAT32: 10.0, FLOAT64: 20.0}[x.dtype])  # from here on it is 1
    form, per_octave = format_of(x), 2.0 / math.log(2.0)
    shifted = m.multiply_add(bounded, per_octave, form.magic + form.bias)
    f = m.fma(bounded, per_octave, (form.magic + form.bias) - shifted)
    factor = scale_from_bits(m, shifted)
    rest = polynomial(m, f, coefficients.TANH_EXP2)
    beyond = 1.0 - 2.0 / m.multiply_add(f * factor, rest, factor + 1.0)
    return m.copysign(m.choose(size >= 0.55, beyond, near), x)


def sigmoid(m: Instructions, x: Vector) -> Vector:
    """1/(1 + e^−x) as n/(n + y), where e^−x = y/n and n is a power of two; beyond some bounds 0 and 1.

    The sum n + y is rounded once: to 1 + n, which is exact, or of a small n to 1, what y is beyond 1 is added, with that n.
    """
    lowest, highest = LOWEST[x.dtype], {FLOAT32: 30.0, FLOAT64: 60.0}[x.dtype]
    form, none = format_of(x), m.number(0.0, x.dtype)
    shifted = shifted_multiple(m, -x)
    near = m.minimum(
        shifted, form.magic + 100.0
    )  # beyond, n is nothing beside y, and may be too small for a power by its bits
    n = inverse_scale_from_bits(m, near)
    r = remainder_of(m, -x, shifted - form.magic)
    small = x < {FLOAT32: -14.0, FLOAT64: -34.0}[x.dtype]
    beyond = exponential_rest(m, r, r + m.choose(small, n, none))
    rest_of_n = scale_from_bits(m, (near - shifted) + (form.magic + form.bias))
    quotient = n * rest_of_n / (beyond + (1.0 + m.choose(small, none, n)))
    above = x > highest
    return m.choose(above | (x < lowest), m.choose(above, 1.0, none), quotient)


def sinh(m: Instructions, x: Vector) -> Vector:
    """The hyperbolic sine: with h = ½·(e^|x| − 1), h + h/(2h + 1)."""
    size = m.absolute(x)
    p, k = expm1_parts(m, m.minimum(size, HIGHEST[x.dtype] + 0.5))
    factor = power_of_two(m, k - 2.0)  # of h/2, which is finite where h is not
    half = m.fma(factor, p, factor - 0.25)
    result = 2.0 * (half + half / (4.0 * half + 1.0))
    return m.copysign(m.choose(size < 2.0**-30, size, m.choose(size < math.inf, result, size)), x)


def cosh(m: Instructions, x: Vector) -> Vector:
    """The hyperbolic cosine: with h = ½·e^|x|, h + 1/(4h)."""
    y, k = exp_parts(m, m.absolute(x), 1.0)
    half = scale(m, y, k - 1.0)
    return half + 0.25 / half


def arcsinh(m: Instructions, x: Vector) -> Vector:
    """The inverse of sinh: log(x + √(x² + 1)), as log(1 + …)."""
    size = m.absolute(x)
    huge = size > HUGE[x.dtype]
    bounded = m.minimum(size, HUGE[x.dtype])
    square = bounded * bounded
    argument = bounded + square / (1.0 + m.sqrt(square + 1.0))
    result = m.log1p(m.choose(huge, size, argument))
    return m.copysign(m.choose(huge, result + math.log(2.0), result), x)


def arccosh(m: Instructions, x: Vector) -> Vector:
    """The inverse of cosh: log(x + √(x² − 1)), as log(1 + …)."""
    huge = x > HUGE[x.dtype]
    above = m.minimum(x, HUGE[x.dtype]) - 1.0
    argument = above + m.sqrt(above * (above + 2.0))
    result = m.log1p(m.choose(huge, x, m.choose(x < 1.0, m.number(math.nan, x.dtype), argument)))
    return m.choose(huge, result + math.log(2.0), result)


def arctanh(m: Instructions, x: Vector) -> Vector:
    """The inverse of tanh: ½·log(1 + 2x/(1 − x))."""
    size = m.absolute(x)
    return m.copysign(0.5 * m.log1p((size + size) / (1.0 - size)), x)
