"""Functions of single numbers that NumPy has and that are written in operations: remainders, signs, angles, special ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.ops.functions.function import array, cast, floating, function, not_into, numbers, together
from chainrule.ops.operation import example

_LN2 = math.log(2.0)
_SIGNED = np.array([-2.5, -0.75, 0.5, 3.25])


@function(example((4,)), numpy=(np.deg2rad, np.radians))
def deg2rad(m: Any, x: Any, /) -> Any:
    """Degrees as radians."""
    return floating(m, x) * (math.pi / 180.0)


@function(example((4,)), numpy=(np.rad2deg, np.degrees))
def rad2deg(m: Any, x: Any, /) -> Any:
    """Radians as degrees."""
    return floating(m, x) * (180.0 / math.pi)


@function(example((4,)))
def fabs(m: Any, x: Any, /) -> Any:
    """The absolute value as a floating-point number; its derivative at 0 is taken as 0."""
    return m.absolute(floating(m, x))


@function(example((4,)), differentiable=False)
def fix(m: Any, x: Any, /) -> Any:
    """The integer part, towards 0."""
    return m.trunc(array(x))


@function(example(_SIGNED), differentiable=False)
def signbit(m: Any, x: Any, /) -> Any:
    """Whether the sign is minus, of −0 as well."""
    x = array(x)
    if x.dtype.kind in "bu":
        return np.zeros(x.shape, bool)[()]
    return m.less(m.arctan2(x, -1.0), 0) if x.dtype.kind == "f" else m.less(x, 0)


@function(example(_SIGNED, (4,)), example((4,), -1.0))
def copysign(m: Any, x1: Any, x2: Any, /) -> Any:
    """The absolute value of the first with the sign of the second."""
    x1, x2 = together(m, x1, x2)
    size = m.absolute(floating(m, x1))
    return m.where(signbit(m, x2), -size, size)


@function(example([-1.0, 0.0, 2.0], (3,)))
def heaviside(m: Any, x1: Any, x2: Any, /) -> Any:
    """0 below 0, 1 above, and the second number at 0, which alone has a derivative there."""
    x1, x2 = together(m, x1, x2)
    x1, x2 = (cast(m, x, np.result_type(x.dtype, np.float16)) for x in (x1, x2))
    step = m.where(m.isnan(x1), x1, m.astype(m.greater(x1, 0), dtype=x1.dtype))
    return m.where(m.equal(x1, 0), x2, step)


@function(example(_SIGNED, np.array([2.0, 1.0, -0.3, 1.5])), example((4,), 3.0))
def fmod(m: Any, x1: Any, x2: Any, /) -> Any:
    """What is left of the first after whole multiples of the second, with the sign of the first."""
    x1, x2 = array(x1) if not isinstance(x1, float | int) else x1, x2 if isinstance(x2, float | int) else array(x2)
    left = m.remainder(_without_sign(m, x1), _without_sign(m, x2))
    return m.where(m.less(x1, 0), -left, left)


def _without_sign(m: Any, x: Any) -> Any:
    """|x| with derivative 1 at 0, where remainders go on without a kink."""
    return m.where(m.less(x, 0), -x, x) if hasattr(x, "shape") else abs(x)


@function(example((4,), np.array([0.3, -0.4, 0.9, 2.0])), example((4,), 0.1))
def fmax(m: Any, x1: Any, x2: Any, /) -> Any:
    """The larger of two numbers, and the other one beside a NaN."""
    return _beside_nan(m, m.maximum, x1, x2)


@function(example((4,), np.array([0.3, -0.4, 0.9, 2.0])), example((4,), 0.1))
def fmin(m: Any, x1: Any, x2: Any, /) -> Any:
    """The smaller of two numbers, and the other one beside a NaN."""
    return _beside_nan(m, m.minimum, x1, x2)


def _beside_nan(m: Any, join: Any, x1: Any, x2: Any) -> Any:
    first = m.where(m.isnan(x1), x2, x1)
    second = m.where(m.isnan(x2), x1, x2)
    return join(first, second)


@function(example((4,), (4,)), example((4,), 1.5))
def logaddexp2(m: Any, x1: Any, x2: Any, /) -> Any:
    """log₂(2ˣ + 2ʸ), which overflows for no finite x and y."""
    largest = m.stop_gradient(m.maximum(x1, x2))
    shift = m.where(m.isfinite(largest), largest, 0.0)
    return m.log2(m.exp2(x1 - shift) + m.exp2(x2 - shift)) + shift


@function(example(np.array([0.5, 1.5, 2.0]), (3,)), example(np.array([0.5, 1.5, 2.0]), 2))
def float_power(m: Any, x1: Any, x2: Any, /) -> Any:
    """The power, in double precision whatever is given."""
    x1, x2 = array(x1), array(x2)
    double = np.result_type(x1.dtype, x2.dtype, np.float64)
    return m.power(cast(m, x1, double), cast(m, x2, double))


@function(example((3,), np.array([1, -2, 3])), example((3,), 2))
def ldexp(m: Any, x1: Any, x2: Any, /) -> Any:
    """x·2ⁿ for integers n."""
    x1, x2 = floating(m, x1), array(x2)
    if x2.dtype.kind not in "iub":
        raise SettingError(f"ldexp was given exponents of dtype {x2.dtype}; give integers, or write x * 2.0**n.")
    return x1 * m.exp2(m.astype(x2, dtype=x1.dtype))


@function(example(np.array([0.3, 0.8, -3.0, 5.0])), by_numbers=True)
def frexp(m: Any, x: Any, /) -> Any:
    """The mantissa, from 1/2 to 1, and the integer power of 2 that it is multiplied by."""
    x = floating(m, x)
    _, exponent = np.frexp(numbers(m, x, "np.frexp", "divide by a power of 2 of your own"))
    return m.where(m.isfinite(x), x * np.ldexp(np.ones((), x.dtype), -exponent), x), exponent


@function(example(_SIGNED))
def modf(m: Any, x: Any, /) -> Any:
    """The part behind the point, and the integer part, both with the sign of x."""
    x = floating(m, x)
    integer = m.trunc(x)
    fraction = m.where(m.isinf(x), 0.0, m.where(m.isinf(x), 0.0, x) - m.where(m.isinf(x), 0.0, integer))
    return fraction, integer


@function(example(np.array([5.3, 7.7]), np.array([2.0, 3.0])), example(np.array([5.3, 7.7]), 2.0))
def divmod(m: Any, x1: Any, x2: Any, /) -> Any:
    """The quotient rounded down, and what is left."""
    return m.floor_divide(x1, x2), m.remainder(x1, x2)


@function(example((4,)), example(np.array([1.0, np.nan, np.inf, -np.inf]), posinf=5.0, neginf=-3.0, nan=0.5))
def nan_to_num(m: Any, x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Numbers in place of NaN and of infinities, which have no derivative; finite numbers stay."""
    x = array(x)
    if not copy:
        raise SettingError("nan_to_num was to change its argument (copy=False); leave copy out and use the result.")
    if x.dtype.kind == "c":
        raise SettingError("nan_to_num was given complex numbers; write it of np.real and np.imag, each by itself.")
    if x.dtype.kind != "f":
        return m.positive(x)
    most, lengths = np.finfo(x.dtype).max, x.shape
    x = m.where(m.isnan(x), nan, x)
    x = m.where(m.equal(x, math.inf), most if posinf is None else posinf, x)
    x = m.where(m.equal(x, -math.inf), -most if neginf is None else neginf, x)
    if x.shape != lengths:
        raise ShapeError(
            f"nan_to_num was given numbers that make shape {x.shape} of {lengths}; give single ones, or arrays that fit into it."
        )
    return x


_SERIES = 13


@function(example((4,)), example(np.array([0.0, 1e-4, -0.1, 0.2])))
def sinc(m: Any, x: Any, /) -> Any:
    """sin(πx)/(πx), and 1 at 0; near 0 by its series, which has all derivatives."""
    x = floating(m, x)
    angle = math.pi * x
    near = m.less(m.absolute(angle), 0.5)
    square = m.square(m.where(near, angle, 0.0))
    series = 1.0 / math.factorial(2 * _SERIES + 1) * (-1.0) ** _SERIES
    value: Any = series
    for k in range(_SERIES - 1, -1, -1):
        value = value * square + (-1.0) ** k / math.factorial(2 * k + 1)
    far = m.where(near, 1.0, angle)
    return m.where(near, value, m.sin(far) / far)


_FAR = (
    -7.233180487874754e-18, -4.830504485944182e-18, 4.46562142029676e-17, 3.461222867697461e-17,
    -2.8276239805165836e-16, -3.425485619677219e-16, 1.7725601330565263e-15, 3.8116806693526224e-15,
    -9.554846698828307e-15, -4.150569347287222e-14, 1.54008621752141e-14, 3.8527783827421426e-13,
    7.180124451383666e-13, -1.7941785315068062e-12, -1.3215811840447713e-11, -3.1499165279632416e-11,
    1.1889147107846439e-11, 4.94060238822497e-10, 3.3962320257083865e-09, 2.266668990498178e-08,
    2.0489185894690638e-07, 2.8913705208347567e-06, 6.889758346916825e-05, 0.0033691164782556943,
    0.8044904110141088,
)  # fmt: skip
"""Chebyshev's series of e⁻ˣ √x I₀(x) in 32/x − 2 for x > 8, the highest order first (Clenshaw 1962, as in Cephes)."""


@function(example((4,)), example(np.array([0.0, 3.0, -9.0, 20.0])))
def i0(m: Any, x: Any, /) -> Any:
    """Bessel's modified function of the first kind and order 0: its power series up to 8, Chebyshev's beyond."""
    x = floating(m, x)
    if x.dtype.kind == "c":
        raise SettingError("i0 was given complex numbers; give real ones, as NumPy asks for.")
    far = m.greater(m.absolute(x), 8.0)
    quarter = m.square(m.where(far, 1.0, x)) * 0.25
    value: Any = 1.0
    for k in range(38, 0, -1):  # 1 + z/1²·(1 + z/2²·(1 + …)), all terms positive
        value = 1.0 + quarter * value * (1.0 / (k * k))
    size = m.absolute(m.where(far, x, 9.0))
    argument = 32.0 / size - 2.0
    last: Any = _FAR[0]
    before: Any = 0.0
    earlier: Any = 0.0
    for coefficient in _FAR[1:]:
        earlier, before = before, last
        last = argument * before - earlier + coefficient
    return m.where(far, m.exp(size) * (0.5 * (last - earlier)) / m.sqrt(size), value)


@function(example((4,)), differentiable=False)
def isneginf(m: Any, x: Any, /, out: None = None) -> Any:
    """Whether it is −∞."""
    not_into(out, "np.isneginf")
    return m.equal(x, -math.inf)


@function(example((4,)), differentiable=False)
def isposinf(m: Any, x: Any, /, out: None = None) -> Any:
    """Whether it is +∞."""
    not_into(out, "np.isposinf")
    return m.equal(x, math.inf)
