"""Constant factors joined: a·(b·x) as (a·b)·x where that is the same number: a square's derivative has a 2, a mean's a 1/n."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.ops import arithmetic
from chainrule.tracing import Equation, Literal, Program, Variable
from chainrule.tracing.program import Atom


def with_joined_factors(program: Program) -> Program:
    """The same Program with fewer multiplications by constants.

    A multiplication by a power of two does not round, so it may be carried out at any time; only where a number in between is
    beyond the dtype's range, and the result is not, is the result another, and better.
    """
    scaled: dict[Variable, tuple[float, Atom]] = {}
    equations = []
    for equation in program.equations:
        found = _factor(equation)
        if found is not None:
            factor, x = found
            inner = scaled.get(x) if isinstance(x, Variable) else None
            if inner is not None and _is_exact(factor, inner[0], equation.output.dtype):
                factor, x = factor * inner[0], inner[1]
            scaled[equation.output] = factor, x
            equation = equation.replace(inputs=(Literal(equation.output.dtype.type(factor)), x))
        equations.append(equation)
    return replace(program, equations=tuple(equations))


def _factor(equation: Equation) -> tuple[float, Atom] | None:
    """The number that a value is multiplied by, if it is one number for all elements and gives the result neither shape nor dtype."""
    if equation.op is not arithmetic.multiply or equation.output.dtype.kind != "f":
        return None
    for constant, x in (equation.inputs, equation.inputs[::-1]):
        if isinstance(constant, Literal) and isinstance(x, Variable) and x.type == equation.output.type:
            value = np.asarray(constant.value, equation.output.dtype)
            if value.size and (value == value.flat[0]).all() and value.flat[0] != 0:
                return float(value.flat[0]), x
    return None


def _is_exact(a: float, b: float, dtype: np.dtype[Any]) -> bool:
    """Whether the product of two factors is no rounded number, and one of them a power of two."""
    limits = np.finfo(dtype)
    powers = any(abs(math.frexp(x)[0]) == 0.5 for x in (a, b) if math.isfinite(x))
    return powers and float(limits.tiny) <= abs(a * b) <= float(limits.max)
