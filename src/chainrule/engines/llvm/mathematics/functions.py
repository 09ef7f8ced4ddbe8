"""The functions that are algorithms, by name, and the dtypes they compute in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.engines.llvm.mathematics import (
    angles,
    circular,
    error_function,
    exponential,
    hyperbolic,
    logarithm,
    powers,
    remainders,
)
from chainrule.engines.llvm.mathematics.instructions import Instructions
from chainrule.engines.llvm.mathematics.numbers import Vector, kind_of, loop_dtypes

Algorithm = Callable[..., Vector]

_MODULES: dict[Any, tuple[str, ...]] = {
    exponential: ("exp", "exp2", "expm1"),
    logarithm: ("log", "log2", "log10", "log1p", "softplus", "logaddexp"),
    powers: ("power", "integer_power", "cbrt", "hypot"),
    circular: ("sin", "cos", "tan"),
    angles: ("arcsin", "arccos", "arctan", "arctan2"),
    hyperbolic: ("sigmoid", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
    error_function: ("erf",),
    remainders: ("remainder", "floor_divide"),
}
FUNCTIONS: dict[str, Algorithm] = {name: getattr(module, name) for module, names in _MODULES.items() for name in names}


def resolved_call(m: Instructions, name: str, inputs: tuple[Any, ...]) -> tuple[str | Vector, list[Vector]]:
    """The function to call and its inputs in the dtype of the computation; or the result, where none is needed."""
    if name == "power" and isinstance(inputs[0], Vector) and (simple := _simple_power(m, *inputs)) is not None:
        return simple, []
    rule = name if isinstance(getattr(np, name, None), np.ufunc) else "exp"
    *dtypes, _ = loop_dtypes(rule, tuple(kind_of(x) for x in inputs))
    if name == "power" and dtypes[0].kind != "f":
        name = "integer_power"
    return name, [m.number(x, dtype) for x, dtype in zip(inputs, dtypes, strict=True)]


def _simple_power(m: Instructions, a: Vector, b: Any) -> Vector | None:
    """a^b by a few multiplications, where b is known and small and a is a float."""
    if not isinstance(b, int | float) or isinstance(b, bool | np.generic) or a.dtype.kind != "f":
        return None
    if b == 2:
        return a * a
    if b == 3:
        return a * a * a
    simple = {1: lambda: +a, 0.5: lambda: m.sqrt(a), 0: lambda: m.number(1.0, a.dtype), -1: lambda: 1.0 / a}
    return simple[b]() if b in simple else None
