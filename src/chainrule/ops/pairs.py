"""Complex numbers as pairs of real ones: both parts of what operations give, for engines that know real numbers only.

A rule takes the namespace and a pair (a, b), that is a + i·b, for every input, and gives a pair, or a real number alone.
"""

from __future__ import annotations

import math
from typing import Any

Pair = tuple[Any, Any]


def is_absent(part: Any) -> bool:
    """Whether this stands for the other part of a real value: Python's number 0, and none of NumPy's, though some are floats."""
    return type(part) is float


def add(m: Any, x: Pair, y: Pair) -> Pair:
    """Part by part."""
    return x[0] + y[0], x[1] + y[1]


def subtract(m: Any, x: Pair, y: Pair) -> Pair:
    """Part by part."""
    return x[0] - y[0], x[1] - y[1]


def negative(m: Any, x: Pair) -> Pair:
    """Part by part."""
    return -x[0], -x[1]


def conjugate(m: Any, x: Pair) -> Pair:
    """a − i·b."""
    return x[0], -x[1]


def multiply(m: Any, x: Pair, y: Pair) -> Pair:
    """(a + i·b)(c + i·d)."""
    return x[0] * y[0] - x[1] * y[1], x[0] * y[1] + x[1] * y[0]


def square(m: Any, x: Pair) -> Pair:
    """The product with itself."""
    return multiply(m, x, x)


def divide(m: Any, x: Pair, y: Pair) -> Pair:
    """By the larger part of the divisor first, which does not overflow: R. L. Smith, "Algorithm 116", 1962."""
    swap = m.absolute(y[0]) < m.absolute(y[1])
    large, small = m.where(swap, y[1], y[0]), m.where(swap, y[0], y[1])
    zero = large == 0
    ratio = small / m.where(zero, 1.0, large)
    scale = 1.0 / (large + small * ratio)
    real = m.where(swap, x[0] * ratio + x[1], x[0] + x[1] * ratio) * scale
    imaginary = m.where(swap, x[1] * ratio - x[0], x[1] - x[0] * ratio) * scale
    unsigned = m.absolute(large)
    return m.where(zero, x[0] / unsigned, real), m.where(zero, x[1] / unsigned, imaginary)


def reciprocal(m: Any, x: Pair) -> Pair:
    """1/z."""
    return divide(m, (1.0, 0.0), x)


def absolute(m: Any, x: Pair) -> Any:
    """|z|."""
    return m.hypot(x[0], x[1])


def angle(m: Any, x: Pair) -> Any:
    """arg z."""
    return m.arctan2(x[1], x[0])


LARGE, PART = 84.0, 80.0
"""From `LARGE` on cosh a and sinh |a| are eᵃ/2, and eᵃ is taken as exp(a − PART)·exp(PART), so that factors can be
put in between before it overflows."""


def _growing(m: Any, a: Any, x: Any, y: Any) -> Pair:
    """eᵃ·x and eᵃ·y, where x or y may be small, or 0."""
    far = a > LARGE
    size, factor = m.exp(a - m.where(far, PART, 0.0)), m.where(far, math.exp(PART), 1.0)
    return m.where(x == 0, x, size * (factor * x)), m.where(y == 0, y, size * (factor * y))


def _hyperbolic(m: Any, a: Any, x: Any, y: Any) -> Pair:
    """cosh(a)·x and sinh(a)·y."""
    size = m.absolute(a)
    far = size > LARGE
    near = m.where(far, 0.0, a)
    even, odd = _growing(m, m.where(far, size, 0.0), 0.5 * x, m.where(a < 0, -0.5, 0.5) * y)
    return m.where(far, even, m.cosh(near) * x), m.where(far, odd, m.sinh(near) * y)


def exp(m: Any, x: Pair) -> Pair:
    """eᵃ(cos b + i·sin b)."""
    return _growing(m, x[0], m.cos(x[1]), m.where(x[1] == 0, x[1], m.sin(x[1])))


def _scaled(m: Any, x: Pair, factor: Any) -> Any:
    """|z| times a factor that makes it a number in the middle of the range."""
    return m.hypot(x[0] * factor, x[1] * factor)


def log(m: Any, x: Pair) -> Pair:
    """ln|z| + i·arg z; where |z| is about 1, by what a² + b² is above 1."""
    a, b = m.absolute(x[0]), m.absolute(x[1])
    large, small = m.maximum(a, b), m.minimum(a, b)
    about_one = (large > 0.5) & (large < 2.0)
    power = m.where(large > 2.0**100, -54.0, m.where(large < 2.0**-100, 54.0, 0.0))
    size = m.log(_scaled(m, x, m.where(power < 0, 2.0**-54, m.where(power > 0, 2.0**54, 1.0)))) - power * math.log(2)
    near = m.where(about_one, large, 1.0)
    precise = m.log1p((near - 1.0) * (near + 1.0) + m.where(about_one, small * small, 0.0)) / 2.0
    return m.where(about_one, precise, size), angle(m, x)


def scaled_log(base: float) -> Any:
    """The logarithm to a base."""

    def rule(m: Any, x: Pair) -> Pair:
        real, imaginary = log(m, x)
        return real / math.log(base), imaginary / math.log(base)

    return rule


def exp2(m: Any, x: Pair) -> Pair:
    """2ᶻ."""
    return exp(m, (x[0] * math.log(2), x[1] * math.log(2)))


def sqrt(m: Any, x: Pair) -> Pair:
    """The root with a real part that is not negative; on the cut the sign of b decides, that of a zero too."""
    a, b = x
    small = m.maximum(m.absolute(a), m.absolute(b)) < 1.0
    factor, root = m.where(small, 2.0**54, 2.0**-4), m.where(small, 2.0**-27, 4.0)
    size = m.sqrt((m.absolute(a) * factor + _scaled(m, x, factor)) / 2.0) * root
    zero = size == 0
    endless = m.isinf(b)
    other = m.where(endless, m.absolute(b), m.absolute(b) / (2.0 * m.where(zero | endless, 1.0, size)))
    below = m.arctan2(b, -1.0) < 0
    real, imaginary = m.where(a >= 0, size, other), m.where(a >= 0, other, size)
    return real, m.where(zero, b, m.where(below, -imaginary, imaginary))


def power(m: Any, x: Pair, y: Pair) -> Pair:
    """zⁿ by squaring for small whole numbers n, else e to the w·ln z; 0 to any such power is 0."""
    n = y[0]
    if isinstance(n, int | float) and y[1] == 0 and n == int(n) and abs(n) < 100:
        result, base = None, x
        for k in range(int(abs(n)).bit_length()):
            if int(abs(n)) >> k & 1:
                result = base if result is None else multiply(m, result, base)
            base = square(m, base)
        return (1.0, 0.0) if result is None else result if n > 0 else reciprocal(m, result)
    zero = (x[0] == 0) & (x[1] == 0)
    real, imaginary = log(m, (m.where(zero, 1.0, x[0]), x[1]))
    real, imaginary = exp(m, multiply(m, (real, imaginary), y))
    nothing = (y[0] == 0) & (y[1] == 0)
    return m.where(zero, m.where(nothing, 1.0, 0.0), real), m.where(zero, 0.0, imaginary)


def sin(m: Any, x: Pair) -> Pair:
    """sin a·cosh b + i·cos a·sinh b."""
    return _hyperbolic(m, x[1], m.sin(x[0]), m.cos(x[0]))


def cos(m: Any, x: Pair) -> Pair:
    """cos a·cosh b − i·sin a·sinh b."""
    return _hyperbolic(m, x[1], m.cos(x[0]), -m.sin(x[0]))


def sinh(m: Any, x: Pair) -> Pair:
    """sinh a·cos b + i·cosh a·sin b."""
    imaginary, real = _hyperbolic(m, x[0], m.sin(x[1]), m.cos(x[1]))
    return real, imaginary


def cosh(m: Any, x: Pair) -> Pair:
    """cosh a·cos b + i·sinh a·sin b."""
    return _hyperbolic(m, x[0], m.cos(x[1]), m.sin(x[1]))


FLAT = 20.0
"""From here on tanh a is 1 to the last digit."""


def tanh(m: Any, x: Pair) -> Pair:
    """W. Kahan, "Branch cuts for complex elementary functions", 1987."""
    a, b = x
    flat = m.absolute(a) > FLAT
    middle = m.where(flat, 0.0, a)
    t, s = m.tan(b), m.sinh(middle)
    slope = 1.0 + t * t
    whole = 1.0 + slope * s * s
    real, imaginary = slope * m.sqrt(1.0 + s * s) * s / whole, t / whole
    far = 4.0 * m.sin(b) * m.cos(b) * m.exp(-2.0 * m.absolute(a))
    return m.where(flat, m.sign(a), real), m.where(flat, far, imaginary)


def tan(m: Any, x: Pair) -> Pair:
    """−i·tanh(i·z)."""
    real, imaginary = tanh(m, (-x[1], x[0]))
    return imaginary, -real


def equal(m: Any, x: Pair, y: Pair) -> Any:
    """Both parts are."""
    return (x[0] == y[0]) & (x[1] == y[1])


def not_equal(m: Any, x: Pair, y: Pair) -> Any:
    """One of the parts is."""
    return (x[0] != y[0]) | (x[1] != y[1])


def where(m: Any, condition: Pair, x: Pair, y: Pair) -> Pair:
    """Both parts of the one or of the other."""
    return m.where(condition[0], x[0], y[0]), m.where(condition[0], x[1], y[1])


def indicator(m: Any, condition: Pair, like: Pair) -> Pair:
    """1 or 0."""
    return m.indicator(condition[0], like[0]), m.indicator(condition[0], like[0]) * 0.0


def isnan(m: Any, x: Pair) -> Any:
    """One of the parts is."""
    return m.isnan(x[0]) | m.isnan(x[1])


def isinf(m: Any, x: Pair) -> Any:
    """One of the parts is."""
    return m.isinf(x[0]) | m.isinf(x[1])


def isfinite(m: Any, x: Pair) -> Any:
    """Both parts are."""
    return m.isfinite(x[0]) & m.isfinite(x[1])


def real(m: Any, x: Pair) -> Any:
    """a."""
    return x[0]


def imag(m: Any, x: Pair) -> Any:
    """b."""
    return x[1]


def unchanged(m: Any, x: Pair, **attributes: Any) -> Pair:
    """The same number."""
    return x


def contract(m: Any, x: Pair, y: Pair, subscripts: str) -> Pair:
    """Products of parts, added up; a real operand, whose other part is the number 0, has half of them."""

    def product(a: Any, b: Any) -> Any:
        return 0.0 if is_absent(a) or is_absent(b) else m.einsum(a, b, subscripts=subscripts)

    return product(x[0], y[0]) - product(x[1], y[1]), product(x[0], y[1]) + product(x[1], y[0])


def expm1(m: Any, x: Pair) -> Pair:
    """eᵃ·cos b − 1 = (eᵃ − 1)·cos b − 2·sin²(b/2)."""
    half, far = m.sin(x[1] / 2.0), x[0] > LARGE
    real, imaginary = exp(m, x)
    return m.where(far, real, m.expm1(m.where(far, 0.0, x[0])) * m.cos(x[1]) - 2.0 * half * half), imaginary


def log1p(m: Any, x: Pair) -> Pair:
    """|1 + z|² = 1 + a·(2 + a) + b²."""
    a, b = x
    near = (m.absolute(a) < 0.5) & (m.absolute(b) < 0.5)
    inner, other = m.where(near, a, 0.0), m.where(near, b, 0.0)
    real, imaginary = log(m, (1.0 + a, b))
    return m.where(near, m.log1p(inner * (2.0 + inner) + other * other) / 2.0, real), imaginary
