"""Arithmetic, comparisons, logic and rounding: one or a few instructions each, as NumPy defines them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.engines.llvm.mathematics.instructions import Instructions
from chainrule.engines.llvm.mathematics.numbers import (
    BOOL,
    DType,
    Vector,
    bits,
    is_signed,
    kind_of,
    loop_dtypes,
    result_dtype,
)


def _operands(m: Instructions, name: str, *inputs: Any) -> tuple[list[Vector], DType]:
    """The inputs in the dtype of NumPy's loop, and the dtype of its output."""
    *dtypes, result = loop_dtypes(name, tuple(kind_of(x) for x in inputs))
    return [m.number(x, dtype) for x, dtype in zip(inputs, dtypes, strict=True)], result


# ---- arithmetic


def add(m: Instructions, a: Any, b: Any) -> Vector:
    """The sum; of truth values: or."""
    (a, b), dtype = _operands(m, "add", a, b)
    build = {"f": m.builder.fadd, "b": m.builder.or_}.get(dtype.kind, m.builder.add)
    return m.emit(build, dtype, a, b)


def subtract(m: Instructions, a: Any, b: Any) -> Vector:
    """The difference."""
    (a, b), dtype = _operands(m, "subtract", a, b)
    return m.emit(m.builder.fsub if dtype.kind == "f" else m.builder.sub, dtype, a, b)


def multiply(m: Instructions, a: Any, b: Any) -> Vector:
    """The product; of truth values: and."""
    (a, b), dtype = _operands(m, "multiply", a, b)
    build = {"f": m.builder.fmul, "b": m.builder.and_}.get(dtype.kind, m.builder.mul)
    return m.emit(build, dtype, a, b)


def divide(m: Instructions, a: Any, b: Any) -> Vector:
    """The quotient; of integers: in float64."""
    (a, b), dtype = _operands(m, "divide", a, b)
    return m.emit(m.builder.fdiv, dtype, a, b)


OF_ANY_NUMBERS = frozenset(operator.__name__ for operator in (add, subtract, multiply, divide))
"""Operations whose code is the same whatever the numbers are: a constant may as well be told while the code runs."""


def negative(m: Instructions, x: Any) -> Vector:
    """The number with the other sign."""
    (x,), dtype = _operands(m, "negative", x)
    return m.emit(m.builder.fneg if dtype.kind == "f" else m.builder.neg, dtype, x)


def positive(m: Instructions, x: Any) -> Vector:
    """The number itself."""
    return _operands(m, "positive", x)[0][0]


def absolute(m: Instructions, x: Any) -> Vector:
    """The size without the sign."""
    (x,), dtype = _operands(m, "absolute", x)
    if dtype.kind == "f":
        return m.intrinsic("fabs", x)
    return m.choose(x < 0, -x, x) if is_signed(dtype) else x


def sign(m: Instructions, x: Any) -> Vector:
    """−1, 0 or 1; NaN stays NaN."""
    (x,), dtype = _operands(m, "sign", x)
    if dtype.kind != "f":
        above = m.choose(x > 0, 1, m.number(0, dtype))
        return m.choose(x < 0, -1, above) if is_signed(dtype) else above
    one = m.copysign(m.number(1.0, dtype), x)
    return m.choose(x == 0, 0.0, m.choose(x == x, one, x))


def maximum(m: Instructions, a: Any, b: Any) -> Vector:
    """The larger; NaN where either is NaN."""
    return _extreme(m, "maximum", a, b)


def minimum(m: Instructions, a: Any, b: Any) -> Vector:
    """The smaller; NaN where either is NaN."""
    return _extreme(m, "minimum", a, b)


def _extreme(m: Instructions, name: str, a: Any, b: Any) -> Vector:
    if isinstance(a, int | float) and not isinstance(b, int | float):
        a, b = b, a
    bounded = isinstance(b, int | float) and not math.isnan(b)  # a constant that can't be NaN
    (first, second), dtype = _operands(m, name, a, b)
    if dtype.kind == "b":
        return first | second if name == "maximum" else first & second
    beyond = (second > first) if name == "maximum" else (second < first)
    chosen = m.choose(beyond, second, first)  # NaN in the first stays; this form is one instruction on x86
    return chosen if dtype.kind != "f" or bounded else m.choose(second == second, chosen, second)


def where(m: Instructions, condition: Any, a: Any, b: Any) -> Vector:
    """The first value where the condition holds, else the second."""
    dtype = result_dtype((kind_of(a), kind_of(b)))
    first, second = m.number(a, dtype), m.number(b, dtype)
    if isinstance(condition, bool):
        return first if condition else second
    return m.choose(m.truth(condition), first, second)


def indicator(m: Instructions, condition: Any, like: Any) -> Vector:
    """1 where the condition holds and 0 elsewhere, in the dtype of `like`."""
    dtype = result_dtype((kind_of(like),))
    return m.choose(m.truth(condition), m.number(1, dtype), m.number(0, dtype))


# ---- comparisons and logic


def _compare(symbol: str, name: str) -> Any:
    def compare(m: Instructions, a: Any, b: Any) -> Vector:
        kinds = kind_of(a), kind_of(b)
        if any(kind is int for kind in kinds) and not all(isinstance(kind, type) for kind in kinds):
            a, b, beyond = _within(a, b)
            if beyond is not None:  # the integer lies outside the other's dtype: the answer is known
                return m.number(bool(getattr(np, name)(*beyond)), BOOL)
        (a, b), _ = _operands(m, name, a, b)
        if a.dtype.kind == "f":
            build = m.builder.fcmp_unordered if symbol == "!=" else m.builder.fcmp_ordered
            return Vector(build(symbol, a.value, b.value), BOOL, m)
        if a.dtype != b.dtype:  # int64 with uint64
            wide = [m.extend(x, 128) for x in (a, b)]
            return Vector(m.builder.icmp_signed(symbol, *wide), BOOL, m)
        build = m.builder.icmp_signed if is_signed(a.dtype) else m.builder.icmp_unsigned
        return Vector(build(symbol, a.value, b.value), BOOL, m)

    compare.__doc__ = f"Whether a {symbol} b, of NaN as IEEE 754 has it."
    return compare


def _within(a: Any, b: Any) -> tuple[Any, Any, tuple[int, int] | None]:
    """Unchanged, and for a Python integer beyond the other's dtype two numbers that compare as these do."""
    number, x = (a, b) if isinstance(b, int) else (b, a)
    if number.dtype.kind not in "iu":
        return a, b, None
    range_ = np.iinfo(number.dtype)
    if range_.min <= x <= range_.max:
        return a, b, None
    above = 1 if x > range_.max else -1
    return a, b, (0, above) if isinstance(b, int) else (above, 0)


less, less_equal = _compare("<", "less"), _compare("<=", "less_equal")
greater, greater_equal = _compare(">", "greater"), _compare(">=", "greater_equal")
equal, not_equal = _compare("==", "equal"), _compare("!=", "not_equal")


def logical_and(m: Instructions, a: Any, b: Any) -> Vector:
    """Whether both are other than 0."""
    return m.emit(m.builder.and_, BOOL, m.truth(a), m.truth(b))


def logical_or(m: Instructions, a: Any, b: Any) -> Vector:
    """Whether any is other than 0."""
    return m.emit(m.builder.or_, BOOL, m.truth(a), m.truth(b))


def logical_xor(m: Instructions, a: Any, b: Any) -> Vector:
    """Whether exactly one is other than 0."""
    return m.emit(m.builder.xor, BOOL, m.truth(a), m.truth(b))


def logical_not(m: Instructions, x: Any) -> Vector:
    """Whether it is 0."""
    return m.emit(m.builder.xor, BOOL, m.truth(x), m.number(True, BOOL))


# ---- bits


def bitwise_and(m: Instructions, a: Any, b: Any) -> Vector:
    """The bits set in both."""
    (a, b), dtype = _operands(m, "bitwise_and", a, b)
    return m.emit(m.builder.and_, dtype, a, b)


def bitwise_or(m: Instructions, a: Any, b: Any) -> Vector:
    """The bits set in any."""
    (a, b), dtype = _operands(m, "bitwise_or", a, b)
    return m.emit(m.builder.or_, dtype, a, b)


def bitwise_xor(m: Instructions, a: Any, b: Any) -> Vector:
    """The bits set in exactly one."""
    (a, b), dtype = _operands(m, "bitwise_xor", a, b)
    return m.emit(m.builder.xor, dtype, a, b)


def invert(m: Instructions, x: Any) -> Vector:
    """Every bit turned over."""
    (x,), dtype = _operands(m, "invert", x)
    return m.emit(m.builder.xor, dtype, x, m.number(-1 if is_signed(dtype) else 2 ** bits(dtype) - 1, dtype))


def left_shift(m: Instructions, a: Any, b: Any) -> Vector:
    """a·2^b in the dtype's bits; 0 where b is not within them."""
    (a, b), dtype = _operands(m, "left_shift", a, b)
    inside = _is_shift(m, b)
    return m.choose(inside, m.emit(m.builder.shl, dtype, a, m.choose(inside, b, 0)), 0)


def right_shift(m: Instructions, a: Any, b: Any) -> Vector:
    """⌊a/2^b⌋; 0 or −1 where b is not within the dtype's bits."""
    (a, b), dtype = _operands(m, "right_shift", a, b)
    build = m.builder.ashr if is_signed(dtype) else m.builder.lshr
    inside = _is_shift(m, b)
    if is_signed(dtype):
        return m.emit(build, dtype, a, m.choose(inside, b, bits(dtype) - 1))
    return m.choose(inside, m.emit(build, dtype, a, m.choose(inside, b, 0)), 0)


def _is_shift(m: Instructions, b: Vector) -> Vector:
    limit = m.number(bits(b.dtype), b.dtype)
    return Vector(m.builder.icmp_unsigned("<", b.value, limit.value), BOOL, m)


# ---- rounding and conversion


def _rounding(name: str) -> Any:
    def rounding(m: Instructions, x: Any) -> Vector:
        (x,), dtype = _operands(m, name, x)
        return m.rounded(name, x) if dtype.kind == "f" else x

    rounding.__doc__ = f"NumPy's `{name}`."
    return rounding


floor, ceil, trunc, rint = (_rounding(name) for name in ("floor", "ceil", "trunc", "rint"))


def astype(m: Instructions, x: Any, dtype: Any) -> Vector:
    """The same number in another dtype."""
    return m.convert(m.number(x), np.dtype(dtype))


def copysign(m: Instructions, a: Any, b: Any) -> Vector:
    """The size of a with the sign of b."""
    (a, b), _ = _operands(m, "copysign", a, b)
    return m.intrinsic("copysign", a, b)


def sqrt(m: Instructions, x: Any) -> Vector:
    """The square root, correctly rounded."""
    (x,), _ = _operands(m, "sqrt", x)
    return m.intrinsic("sqrt", x)


def shift_right(m: Instructions, x: Vector, count: int) -> Vector:
    """The bits of an integer moved down, zeros moved in, by a constant number of places."""
    return m.emit(m.builder.lshr, x.dtype, x, m.number(count, x.dtype))
