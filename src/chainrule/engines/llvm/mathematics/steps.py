"""The steps that the functions are made of: polynomials, exact sums and products, and arithmetic on exponents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.mathematics.instructions import Instructions
from chainrule.engines.llvm.mathematics.numbers import FLOAT32, FLOAT64, DType, Vector


@dataclass(frozen=True)
class Format:
    """What the functions need to know of a floating-point format."""

    mantissa: int
    """Bits of the fraction that are stored."""
    bias: int
    """What is added to exponents."""
    least_exponent: int
    """The logarithm of the smallest subnormal number, rounded down to an even number."""

    @property
    def magic(self) -> float:
        """Adding this rounds a small number to an integer, which then stands in the lowest bits."""
        return 1.5 * 2.0**self.mantissa

    @property
    def tiny(self) -> float:
        """The smallest normal number."""
        return 2.0 ** (1 - self.bias)


FORMATS = {FLOAT32: Format(23, 127, -150), FLOAT64: Format(52, 1023, -1076)}


def format_of(x: Vector) -> Format:
    """The format of a float."""
    return FORMATS[x.dtype]


def polynomial(m: Instructions, x: Vector, table: dict[DType, tuple[float, ...]]) -> Vector:
    """Horner's scheme over the coefficients for the number's dtype."""
    coefficients = table[x.dtype]
    total: Any = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = m.multiply_add(total, x, coefficient)
    result: Vector = total
    return result


def polynomial_in_pairs(m: Instructions, x: Vector, table: dict[DType, tuple[float, ...]], below: Vector) -> Vector:
    """below + x²·P(x) by Estrin's scheme: twice as many terms take one step more after the others, and half a step more work."""
    coefficients = table[x.dtype]
    terms: list[Any] = [below]
    for low, high in zip_longest(coefficients[::2], coefficients[1::2]):
        terms.append(m.number(low, x.dtype) if high is None else m.multiply_add(x, high, low))
    while len(terms) > 1:
        x = x * x
        pairs = zip_longest(terms[::2], terms[1::2])
        terms = [low if high is None else m.multiply_add(high, x, low) for low, high in pairs]
    result: Vector = terms[0]
    return result


def two_sum(a: Vector, b: Vector) -> tuple[Vector, Vector]:
    """a + b rounded, and what rounding lost."""
    total = a + b
    share = total - a
    return total, (a - (total - share)) + (b - share)


def fast_two_sum(a: Vector, b: Vector) -> tuple[Vector, Vector]:
    """The same where |a| ≥ |b|."""
    total = a + b
    return total, b - (total - a)


def two_product(m: Instructions, a: Any, b: Any) -> tuple[Vector, Vector]:
    """a·b rounded, and what rounding lost."""
    product = a * b
    return product, m.lost(a, b, product)


def power_of_two(m: Instructions, k: Vector) -> Vector:
    """2^k for a whole number k given as a float, within the normal range."""
    form = format_of(k)
    return scale_from_bits(m, k + (form.magic + form.bias))


def repeat(builder: ir.IRBuilder, starts: list[ir.Value], body: Callable[..., tuple[list[ir.Value], ir.Value]]) -> Any:
    """Values that `body` changes again and again: it returns the next ones, and whether to go on after them."""
    before = builder.block
    loop, after = builder.append_basic_block("repeat"), builder.append_basic_block("repeated")
    builder.branch(loop)
    builder.position_at_end(loop)
    phis = [builder.phi(start.type) for start in starts]
    following, again = body(*phis)
    for phi, start, value in zip(phis, starts, following, strict=True):
        phi.add_incoming(start, before)
        phi.add_incoming(value, builder.block)
    builder.cbranch(again, loop, after)
    builder.position_at_end(after)
    return following


def scale_from_bits(m: Instructions, shifted: Vector) -> Vector:
    """2^k from k + magic + bias, whose lowest bits are then the exponent."""
    return m.from_bits(m.as_bits(shifted) << format_of(shifted).mantissa, shifted.dtype)


def inverse_scale_from_bits(m: Instructions, shifted: Vector) -> Vector:
    """2^−k from k + magic."""
    form, lowest = format_of(shifted), m.as_bits(shifted)
    return m.from_bits((form.bias << form.mantissa) - (lowest << form.mantissa), shifted.dtype)


def scale(m: Instructions, x: Vector, k: Vector) -> Vector:
    """x·2^k rounded once, also where 2^k itself is too large or too small for the dtype."""
    if m.scales(x):
        return m.scaled(x, k)
    form = format_of(x)
    offset = form.magic + form.bias
    half = m.multiply_add(k, 0.5, offset)  # rounded to a whole number in its lowest bits
    rest = (k - (half - offset)) + offset
    return x * scale_from_bits(m, half) * scale_from_bits(m, rest)


def split_exponent(m: Instructions, x: Vector) -> tuple[Vector, Vector]:
    """(e, y) with x = 2^e·y and √½ ≤ y < √2, for positive numbers, subnormal ones too."""
    form = format_of(x)
    root_half = {FLOAT32: 0x3F3504F3, FLOAT64: 0x3FE6A09E667F3BCC}[x.dtype]  # √½ rounded down
    small = x < form.tiny
    shift = 2.0 ** (form.mantissa + 1)
    normal = m.choose(small, x * shift, x)
    lifted = m.as_bits(normal) + ((form.bias << form.mantissa) - root_half)
    # The exponent becomes a float without a conversion, which AVX2 lacks for 64 bits: as the lowest bits of 2^mantissa.
    carrier = m.as_bits(m.number(2.0**form.mantissa, x.dtype))
    exponent = m.from_bits(m.shift_right(lifted, form.mantissa) | carrier, x.dtype)
    offset = 2.0**form.mantissa + form.bias
    e = exponent - m.choose(small, offset + form.mantissa + 1, m.number(offset, x.dtype))
    y = m.from_bits((lifted & ((1 << form.mantissa) - 1)) + root_half, x.dtype)
    return e, y
