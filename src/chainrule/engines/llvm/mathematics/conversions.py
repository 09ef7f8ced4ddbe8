"""A number in another dtype, with NumPy's results on x86 where the number does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.engines.llvm.mathematics.numbers import BOOL, INT32, INT64, DType, Vector, bits, is_signed, vector_type

if TYPE_CHECKING:
    from chainrule.engines.llvm.mathematics.mathematics import Mathematics as Code


def convert(m: Code, x: Vector, dtype: DType) -> Vector:
    """The same number in another dtype; float to integer drops the fraction."""
    if x.dtype == dtype:
        return x
    if dtype == BOOL:
        return x != 0
    if dtype.kind == "f":
        return _to_float(m, x, dtype)
    if x.dtype.kind == "f":
        return _to_integer(m, x, dtype)
    return _between_integers(m, x, dtype)


def _to_float(m: Code, x: Vector, dtype: DType) -> Vector:
    if x.dtype == BOOL:
        return m.choose(x, m.number(1.0, dtype), m.number(0.0, dtype))
    build = m.builder.sitofp if is_signed(x.dtype) else m.builder.uitofp
    if x.dtype.kind == "f":
        build = m.builder.fpext if bits(dtype) > bits(x.dtype) else m.builder.fptrunc
    return Vector(build(x.value, vector_type(dtype, m.width)), dtype, m)


def _to_integer(m: Code, x: Vector, dtype: DType) -> Vector:
    """Through int32 or int64, whose least number stands for what does not fit: there LLVM itself promises nothing."""
    if dtype == np.dtype(np.uint64) or (bits(dtype) == 64 and not is_signed(dtype)):
        half = 2.0**63
        above = x >= half
        low = _to_integer(m, m.choose(above, x - half, x), INT64)
        return _between_integers(m, low, dtype) ^ m.choose(above, m.number(1 << 63, dtype), 0)
    through = INT64 if bits(dtype) == 64 or (bits(dtype) == 32 and not is_signed(dtype)) else INT32
    least = -(2.0 ** (bits(through) - 1))
    fits = (x >= least) & (x < -least)
    inside = m.choose(fits, x, 0.0)
    whole = Vector(m.builder.fptosi(inside.value, vector_type(through, m.width)), through, m)
    return _between_integers(m, m.choose(fits, whole, int(least)), dtype)


def _between_integers(m: Code, x: Vector, dtype: DType) -> Vector:
    kind = vector_type(dtype, m.width)
    if bits(dtype) < bits(x.dtype):
        value = m.builder.trunc(x.value, kind)
    elif bits(dtype) > bits(x.dtype):
        value = m.builder.sext(x.value, kind) if is_signed(x.dtype) else m.builder.zext(x.value, kind)
    else:
        value = x.value
    return Vector(value, dtype, m)
