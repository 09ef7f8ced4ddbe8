"""Remainders and floors of quotients, exact also where the quotient has more digits than the dtype."""

from __future__ import annotations

import math

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.mathematics.instructions import Instructions
from chainrule.engines.llvm.mathematics.numbers import Vector, is_signed
from chainrule.engines.llvm.mathematics.steps import format_of, power_of_two, repeat, scale, split_exponent


def remainder(m: Instructions, a: Vector, b: Vector) -> Vector:
    """The remainder with the sign of b; NaN (for integers 0) where b is 0."""
    if a.dtype.kind != "f":
        return _integer_parts(m, a, b)[1]
    rest, crosses = _signed(m, a, b)
    return m.choose(rest == 0.0, m.copysign(rest, b), m.choose(crosses, rest + b, rest))


def floor_divide(m: Instructions, a: Vector, b: Vector) -> Vector:
    """⌊a/b⌋, for floats from the exact remainder; for integers 0 where b is 0."""
    if a.dtype.kind != "f":
        return _integer_parts(m, a, b)[0]
    rest, crosses = _signed(m, a, b)
    quotient = (a - rest) / b
    quotient = m.choose(crosses, quotient - 1.0, quotient)
    below = m.floor(quotient)
    quotient = m.choose(quotient - below > 0.5, below + 1.0, below)  # rounded as NumPy does it
    direct = a / b
    quotient = m.choose(quotient == 0.0, m.copysign(m.number(0.0, a.dtype), direct), quotient)
    return m.choose(b == 0.0, direct, quotient)


def _signed(m: Instructions, a: Vector, b: Vector) -> tuple[Vector, Vector]:
    """The remainder with the sign of a, and whether it must cross 0 to have the sign of b."""
    rest = m.copysign(_truncated(m, m.absolute(a), m.absolute(b)), a)
    return rest, (rest != 0.0) & ((rest < 0.0) != (b < 0.0))


def _truncated(m: Instructions, a: Vector, b: Vector) -> Vector:
    """The remainder of two numbers that are not negative, in [0, b)."""
    form = format_of(a)
    quotient = m.trunc(a / b)
    if "fma" in m.lacks:  # quotient·b, rounded by itself, may be larger than any number
        half = m.choose(b > 1.0, 0.5, m.number(1.0, a.dtype))
        rest = m.choose(a < b, a, _corrected(m, quotient, a * half, b * half) / half)
    else:
        rest = _corrected(m, quotient, a, b)
    rest = m.choose((b == math.inf) & (a < math.inf), a, rest)
    usable = (b > 0.0) & (b < math.inf) & (a < math.inf)
    long = usable & m.logical_not(quotient < 2.0 ** (form.mantissa - 2))
    return m.otherwise(long, rest, lambda: m.outlined("remainder.far", _long_division, a, b, rare=True))


def _long_division(m: Instructions, a: Vector, b: Vector) -> Vector:
    """Written division on the mantissas, almost a whole mantissa with each step; for finite a > b > 0."""
    form = format_of(a)
    step = float(form.mantissa - 2)
    usable = (a > 0.0) & (b > 0.0) & (b < math.inf) & (a < math.inf)
    one = m.number(1.0, a.dtype)
    exponent_a, rest = split_exponent(m, m.choose(usable, a, one))
    exponent_b, divisor = split_exponent(m, m.choose(usable, b, one))
    # |y_a| < |y_b|·2 may hold only after a first, exact subtraction.
    rest = m.choose((rest >= divisor) & (exponent_a >= exponent_b), rest - divisor, rest)
    left = m.maximum(exponent_a - exponent_b, 0.0)

    def divide(*values: ir.Value) -> tuple[list[ir.Value], ir.Value]:
        now, count = (m.wrap(value, a.dtype) for value in values)
        taken = m.minimum(count, step)
        lifted = now * power_of_two(m, taken)
        remaining = count - taken
        return [_corrected(m, m.trunc(lifted / divisor), lifted, divisor).value, remaining.value], m.any(
            remaining > 0.0
        )

    rest, _ = (m.wrap(value, a.dtype) for value in repeat(m.builder, [rest.value, left.value], divide))
    return scale(m, rest, exponent_b)


def _corrected(m: Instructions, quotient: Vector, a: Vector, b: Vector) -> Vector:
    """a − quotient·b, in [0, b) also where the quotient was rounded to the next whole number, up or down."""
    rest = m.fma(-quotient, b, a)
    rest = m.choose(rest < 0.0, rest + b, rest)
    return m.choose(rest >= b, rest - b, rest)


def _integer_parts(m: Instructions, a: Vector, b: Vector) -> tuple[Vector, Vector]:
    """(quotient, remainder) of integers; dividing by 0, or by −1, which can overflow, would stop the program."""
    dtype = a.dtype
    none = b == 0
    if not is_signed(dtype):
        divisor = m.choose(none, 1, b)
        quotient, rest = m.emit(m.builder.udiv, dtype, a, divisor), m.emit(m.builder.urem, dtype, a, divisor)
        return m.choose(none, 0, quotient), m.choose(none, 0, rest)
    opposite = b == -1
    divisor = m.choose(none | opposite, 1, b)
    quotient, rest = m.emit(m.builder.sdiv, dtype, a, divisor), m.emit(m.builder.srem, dtype, a, divisor)
    crosses = (rest != 0) & ((rest < 0) != (b < 0))
    quotient = m.choose(crosses, quotient - 1, m.choose(opposite, -a, quotient))
    rest = m.choose(crosses, rest + b, rest)
    return m.choose(none, 0, quotient), m.choose(none, 0, rest)
