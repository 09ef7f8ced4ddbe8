"""A number in the code being written: an LLVM value of fixed vector width, with Python's operators and NumPy's types."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np

from chainrule.engines.llvm import ir

DType = np.dtype[Any]
PythonNumber = bool | int | float

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
INT32, INT64, BOOL = np.dtype(np.int32), np.dtype(np.int64), np.dtype(np.bool_)
NATIVE = "?bhilqBHILQfd"
"""NumPy's letters for the dtypes that machine code can hold: no float16, no complex numbers, no objects."""


def _operator(name: str) -> Callable[[Vector, Any], Vector]:
    def operator(self: Vector, other: Any) -> Vector:
        if not isinstance(other, Vector | bool | int | float | np.generic):
            return NotImplemented  # type: ignore[no-any-return]
        return self.mathematics.call(name, self, other)

    return operator


def _reflected(name: str) -> Callable[[Vector, Any], Vector]:
    def operator(self: Vector, other: Any) -> Vector:
        if not isinstance(other, Vector | bool | int | float | np.generic):
            return NotImplemented  # type: ignore[no-any-return]
        return self.mathematics.call(name, other, self)

    return operator


def _unary(name: str) -> Callable[[Vector], Vector]:
    def operator(self: Vector) -> Vector:
        return self.mathematics.call(name, self)

    return operator


class Namespace(Protocol):
    """What a vector asks of the namespace that made it, which is itself written in vectors (`instructions.py`)."""

    width: int

    def call(self, name: str, *inputs: Any) -> Vector:
        """The operation of this name."""

    def wrap(self, value: ir.Value, dtype: DType) -> Vector:
        """An LLVM value as a number."""

    def choose(self, condition: Vector, a: Any, b: Any) -> Vector:
        """`a` where the condition holds, else `b`."""

    def intrinsic(self, name: str, *inputs: Vector) -> Vector:
        """A call of an LLVM intrinsic."""


@dataclass(frozen=True, eq=False)
class Vector:
    """One number per lane of a vector (or a plain scalar, at width 1), and the namespace that computes with it."""

    value: ir.Value
    dtype: DType
    mathematics: Namespace

    __array_ufunc__ = None  # NumPy scalars on the left must hand over to the reflected operators

    __add__, __radd__ = _operator("add"), _reflected("add")
    __sub__, __rsub__ = _operator("subtract"), _reflected("subtract")
    __mul__, __rmul__ = _operator("multiply"), _reflected("multiply")
    __truediv__, __rtruediv__ = _operator("divide"), _reflected("divide")
    __floordiv__, __rfloordiv__ = _operator("floor_divide"), _reflected("floor_divide")
    __mod__, __rmod__ = _operator("remainder"), _reflected("remainder")
    __pow__, __rpow__ = _operator("power"), _reflected("power")
    __and__, __rand__ = _operator("bitwise_and"), _reflected("bitwise_and")
    __or__, __ror__ = _operator("bitwise_or"), _reflected("bitwise_or")
    __xor__, __rxor__ = _operator("bitwise_xor"), _reflected("bitwise_xor")
    __lshift__, __rlshift__ = _operator("left_shift"), _reflected("left_shift")
    __rshift__, __rrshift__ = _operator("right_shift"), _reflected("right_shift")
    __lt__, __le__ = _operator("less"), _operator("less_equal")
    __gt__, __ge__ = _operator("greater"), _operator("greater_equal")
    __eq__ = _operator("equal")  # type: ignore[assignment]
    __ne__ = _operator("not_equal")  # type: ignore[assignment]
    __neg__, __pos__, __abs__ = _unary("negative"), _unary("positive"), _unary("absolute")
    __invert__ = _unary("invert")
    __hash__ = None  # type: ignore[assignment]  # comparisons give numbers, so none can be looked up

    def __bool__(self) -> bool:
        raise TypeError("a number in machine code is not known yet and can't decide an `if`; write `where` instead")


def is_signed(dtype: DType) -> bool:
    """Whether integers of this dtype can be negative."""
    return dtype.kind == "i"


def bits(dtype: DType) -> int:
    """The number of bits of a number of this dtype (1 for bool)."""
    return 1 if dtype.kind == "b" else 8 * dtype.itemsize


@cache
def scalar_type(dtype: DType) -> ir.Type:
    """The LLVM type of a single number of this dtype."""
    if dtype.char not in NATIVE:
        raise TypeError(
            f"machine code can't compute with {dtype.name}; convert to float32 or float64 with astype first"
        )
    if dtype.kind == "f":
        return ir.FloatType() if dtype == FLOAT32 else ir.DoubleType()
    return ir.IntType(bits(dtype))


@cache
def vector_type(dtype: DType, width: int) -> ir.Type:
    """The LLVM type of `width` numbers: a vector, or the scalar type where the width is 1."""
    scalar = scalar_type(dtype)
    return scalar if width == 1 else ir.VectorType(scalar, width)


def constant(x: PythonNumber | np.generic, dtype: DType, width: int) -> ir.Value:
    """The same number in every lane, written `splat (…)` so that the text stays short."""
    text = _literal(x, dtype)
    if width > 1:
        text = "zeroinitializer" if text == "0" else f"splat ({scalar_type(dtype)} {text})"
    return ir.Value(vector_type(dtype, width), text)


def _literal(x: PythonNumber | np.generic, dtype: DType) -> str:
    if dtype.kind == "f":
        rounded = float(dtype.type(x)) if math.isinf(x) or math.isnan(x) else float(_rounded(float(x), dtype))
        return f"0x{struct.unpack('>Q', struct.pack('>d', rounded))[0]:016x}"
    if dtype.kind == "b":
        return "1" if x else "0"
    return str(int(dtype.type(x)))  # raises OverflowError where the integer does not fit, as NumPy does


def _rounded(x: float, dtype: DType) -> Any:
    with np.errstate(over="ignore", under="ignore"):
        return dtype.type(x)


def kind_of(x: Any) -> Any:
    """What NumPy's promotion looks at: the dtype, or the Python type of a number that adapts to its partners."""
    if isinstance(x, bool):
        return BOOL
    if isinstance(x, int | float) and not isinstance(x, np.generic):
        return int if isinstance(x, int) else float
    return x.dtype


@cache
def loop_dtypes(name: str, kinds: tuple[Any, ...]) -> tuple[DType, ...]:
    """The dtypes in which NumPy computes a ufunc: one for each input and one for the output."""
    ufunc = getattr(np, name)
    dtypes: tuple[DType, ...] = ufunc.resolve_dtypes((*kinds, *(None,) * ufunc.nout))
    return dtypes


@cache
def result_dtype(kinds: tuple[Any, ...]) -> DType:
    """The dtype that holds all of these, as `np.result_type` has it."""
    return np.result_type(*(kind(1) if isinstance(kind, type) else kind for kind in kinds))
