"""Operations as SymPy formulas, and these formulas' values with many digits: references for values and derivatives."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import mpmath
import sympy as sp

from chainrule.ops import Elementwise, operation


def constant_steps(name: str) -> Any:
    """A SymPy function that is constant between its steps."""
    return type(name, (sp.Function,), {"fdiff": lambda self, argindex=1: sp.Integer(0)})


FLOOR, RINT, TRUNC = (constant_steps(name) for name in ("FLOOR", "RINT", "TRUNC"))
STEPS = {"FLOOR": mpmath.floor, "RINT": mpmath.nint, "TRUNC": lambda x: mpmath.sign(x) * mpmath.floor(abs(x))}


def piecewise(condition: Any, a: Any, b: Any) -> Any:
    return sp.Piecewise((a, condition), (b, True))


class SymPyNamespace:
    """The operations as SymPy expressions: the primitives as SymPy has them, those written in others as they are declared."""

    primitive: dict[str, Any] = {  # noqa: RUF012
        **{
            name: getattr(sp, name)
            for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "sqrt", "erf")
        },
        **{f"arc{name}": getattr(sp, f"a{name}") for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
        "arctan2": sp.atan2,
        "exp2": lambda x: 2**x,
        "expm1": lambda x: sp.exp(x) - 1,
        "log2": lambda x: sp.log(x) / sp.log(2),
        "log10": lambda x: sp.log(x) / sp.log(10),
        "log1p": lambda x: sp.log(1 + x),
        "hypot": lambda a, b: sp.sqrt(a * a + b * b),
        "cbrt": lambda x: piecewise(x >= 0, sp.Abs(x) ** sp.Rational(1, 3), -((-x) ** sp.Rational(1, 3))),
        "power": lambda a, b: a**b,
        "absolute": lambda x: piecewise(x >= 0, x, -x),
        "sign": lambda x: sp.Piecewise((1, x > 0), (-1, x < 0), (0, True)),
        "floor": FLOOR,
        "ceil": lambda x: -FLOOR(-x),
        "rint": RINT,
        "trunc": TRUNC,
        "maximum": lambda a, b: piecewise(a >= b, a, b),
        "minimum": lambda a, b: piecewise(a <= b, a, b),
        "where": piecewise,
        "indicator": lambda condition, like: piecewise(condition, 1, 0),
        "logical_and": sp.And,
        "logical_or": sp.Or,
        "logical_xor": sp.Xor,
        "logical_not": sp.Not,
        "remainder": lambda a, b: a - FLOOR(a / b) * b,
    }

    def __getattr__(self, name: str) -> Any:
        if name in self.primitive:
            return self.primitive[name]
        op = operation(name)
        assert isinstance(op, Elementwise)
        if op.passes:
            return lambda x, **attributes: x
        return lambda *inputs, **attributes: op.value(self, *inputs, **attributes)


def expression(op: Elementwise, truths: tuple[bool, ...] = ()) -> tuple[Any, list[Any]]:
    """The value over symbols, truth values put in for inputs that are conditions."""
    symbols, choices, truth = [], [], iter(truths)
    for i, domain in enumerate(op.domain):
        symbols.append(sp.Symbol(f"x{i}", real=True))
        choices.append(sp.true if next(truth) else sp.false) if domain.dtype == "bool" else choices.append(symbols[-1])
    return op.value(SymPyNamespace(), *choices, **attributes_of(op)), symbols


def attributes_of(op: Elementwise) -> dict[str, Any]:
    return dict(op.examples[0].attributes) if op.examples else {}


def at(formula: Any, symbols: list[Any], numbers: list[Any], digits: int = 30) -> float:
    """A formula's value with so many digits, as a float."""
    with mpmath.workdps(digits):
        return float(_function(formula, *symbols)(*map(mpmath.mpf, numbers)))


@lru_cache(maxsize=64)  # a formula is asked at many points, and making a function of it takes longer than any of them
def _function(formula: Any, *symbols: Any) -> Any:
    return sp.lambdify(symbols, formula, [STEPS, "mpmath"])
