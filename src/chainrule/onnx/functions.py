"""NumPy's functions of numbers in the nodes of ONNX: one node, or several where it has none of that meaning.

Inputs are values of one graph, in the dtypes that NumPy computes in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Function = Callable[..., Any]


def _node(kind: str, dtype: Any = None) -> Function:
    return lambda x, *others: x.by(kind, *others, dtype=dtype)


def _for_truth(kind: str, logical: str) -> Function:
    """A node, and another one for truth values."""
    return lambda a, b: a.by(logical if a.dtype.kind == "b" else kind, b)


def _comparison(kind: str) -> Function:
    """A node that compares numbers; truth values as 0 and 1."""

    def compared(a: Any, b: Any) -> Any:
        if a.dtype.kind == "b":
            a, b = a.astype(np.int32), b.astype(np.int32)
        return a.by(kind, b, dtype=bool)

    return compared


def _unless_whole(kind: str) -> Function:
    """A node that rounds; whole numbers stay."""
    return lambda x: x.by(kind) if x.dtype.kind == "f" else x


def _log1p(x: Any) -> Any:
    """Of 1 + x as it is rounded, and put right by what was lost (Kahan)."""
    whole = 1.0 + x
    grown = whole - 1.0
    return (grown == 0.0).choose(x, np.log(whole) * (grown == x).choose(1.0, x / grown))


def _expm1(x: Any) -> Any:
    """Of eˣ as it is rounded, and put right by what was lost (Kahan)."""
    power = np.exp(x)
    grown = power - 1.0
    near = (grown == 0.0).choose(x, grown * x / np.log(power))
    return (np.abs(x) < 1.0).choose(near, grown)


def _cos(x: Any) -> Any:
    """Of doubles as a sine, for runtimes of 2024 have no cosine of them."""
    return np.sin(x + 0.5 * math.pi) if x.dtype == np.float64 else x.by("Cos")


def _arctan2(y: Any, x: Any) -> Any:
    """The angle of the half of the point (x, y) to the right, turned for the left."""
    angle = np.arctan(y / x)
    half = _has_sign(y).choose(-math.pi, math.pi)
    angle = (x < 0.0).choose(angle + half, angle)
    straight = (y == 0.0).choose(_has_sign(x).choose(half, y), 0.5 * half)
    return (x == 0.0).choose(straight, angle)


def _has_sign(x: Any) -> Any:
    """Whether a number is below 0, or is −0."""
    return (x < 0.0) | ((x == 0.0) & (x.by("Reciprocal") < 0.0))


def _hypot(a: Any, b: Any) -> Any:
    """√(a² + b²) without overflow."""
    a, b = np.abs(a), np.abs(b)
    large, small = np.maximum(a, b), np.minimum(a, b)
    share = (large == 0.0).choose(0.0, small / large)
    return (large == math.inf).choose(large, large * np.sqrt(1.0 + share * share))


def _remainder(a: Any, b: Any) -> Any:
    """Of the sign of b."""
    if a.dtype.kind != "f":
        return a.by("Mod", b)
    rest = a.by("Mod", b, fmod=1)
    return ((rest != 0.0) & ((rest < 0.0) != (b < 0.0))).choose(rest + b, rest)


def _floor_divide(a: Any, b: Any) -> Any:
    rest = _remainder(a, b)
    if a.dtype.kind != "f":
        return (a - rest).by("Div", b)
    return ((a - rest) / b).by("Round")


def _cbrt(x: Any) -> Any:
    return np.sign(x) * np.abs(x) ** (1.0 / 3.0)


def _logaddexp(a: Any, b: Any) -> Any:
    """The larger, and what the other adds; infinities stay."""
    gap = (a == b).choose(0.0, np.abs(a - b))
    return np.maximum(a, b) + np.log1p(np.exp(-gap))


def _copysign(a: Any, b: Any) -> Any:
    size = np.abs(a)
    return _has_sign(b).choose(-size, size)


FUNCTIONS: dict[np.ufunc, Function] = {
    np.absolute: _node("Abs"),
    np.add: _for_truth("Add", "Or"),
    np.arccos: _node("Acos"),
    np.arccosh: _node("Acosh"),
    np.arcsin: _node("Asin"),
    np.arcsinh: _node("Asinh"),
    np.arctan: _node("Atan"),
    np.arctan2: _arctan2,
    np.arctanh: _node("Atanh"),
    np.bitwise_and: _for_truth("BitwiseAnd", "And"),
    np.bitwise_or: _for_truth("BitwiseOr", "Or"),
    np.bitwise_xor: _for_truth("BitwiseXor", "Xor"),
    np.cbrt: _cbrt,
    np.ceil: _unless_whole("Ceil"),
    np.copysign: _copysign,
    np.cos: _cos,
    np.cosh: _node("Cosh"),
    np.divide: _node("Div"),
    np.equal: _comparison("Equal"),
    np.exp: _node("Exp"),
    np.exp2: lambda x: np.exp(x * math.log(2.0)),
    np.expm1: _expm1,
    np.floor: _unless_whole("Floor"),
    np.floor_divide: _floor_divide,
    np.greater: _comparison("Greater"),
    np.greater_equal: _comparison("GreaterOrEqual"),
    np.hypot: _hypot,
    np.isinf: _node("IsInf", bool),
    np.isnan: _node("IsNaN", bool),
    np.left_shift: lambda a, b: a.by("BitShift", b, direction="LEFT"),
    np.less: _comparison("Less"),
    np.less_equal: _comparison("LessOrEqual"),
    np.log: _node("Log"),
    np.log10: lambda x: np.log(x) * (1.0 / math.log(10.0)),
    np.log1p: _log1p,
    np.log2: lambda x: np.log(x) * (1.0 / math.log(2.0)),
    np.logaddexp: _logaddexp,
    np.logical_and: _node("And"),
    np.logical_not: _node("Not"),
    np.logical_or: _node("Or"),
    np.logical_xor: _node("Xor"),
    np.maximum: _for_truth("Max", "Or"),
    np.minimum: _for_truth("Min", "And"),
    np.multiply: _for_truth("Mul", "And"),
    np.negative: _node("Neg"),
    np.not_equal: lambda a, b: np.logical_not(a == b),
    np.positive: lambda x: x,
    np.power: _node("Pow"),
    np.reciprocal: _node("Reciprocal"),
    np.remainder: _remainder,
    np.right_shift: lambda a, b: a.by("BitShift", b, direction="RIGHT"),
    np.rint: _unless_whole("Round"),
    np.sign: _node("Sign"),
    np.sin: _node("Sin"),
    np.sinh: _node("Sinh"),
    np.sqrt: _node("Sqrt"),
    np.square: lambda x: x * x,
    np.subtract: _node("Sub"),
    np.tan: _node("Tan"),
    np.tanh: _node("Tanh"),
    np.trunc: lambda x: (x < 0).choose(np.ceil(x), np.floor(x)),
}
"""What writes the nodes of each function."""

OWN: dict[tuple[str, str], Function] = {
    ("erf", "float32"): _node("Erf"),  # in doubles runtimes have none
    ("relu", "float32"): _node("Relu"),
    ("relu", "float64"): _node("Relu"),
    ("sigmoid", "float32"): _node("Sigmoid"),
    ("sigmoid", "float64"): _node("Sigmoid"),
}
"""Operations beyond NumPy's functions that ONNX has nodes of, by their names and the dtype."""
