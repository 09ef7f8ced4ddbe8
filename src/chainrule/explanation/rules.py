"""The names of the rules of differentiation, as school has them."""

from __future__ import annotations

import math
from collections.abc import Container

from chainrule.ops import Contraction, Elementwise, Reduction
from chainrule.tracing.program import Atom, Equation, Literal

SUM, PRODUCT, QUOTIENT, POWER, CHAIN = "sum rule", "product rule", "quotient rule", "power rule", "chain rule"
CONSTANT, IDENTITY, FACTOR = "constant rule", "identity rule", "constant factor"
PATHS = "sum over paths"

_RULES = {
    "add": SUM, "subtract": SUM, "sum": SUM, "divide": QUOTIENT, "reciprocal": QUOTIENT,
    "power": POWER, "square": POWER, "sqrt": POWER, "cbrt": POWER, "negative": FACTOR,
    "where": "case by case", "max": "derivative of max", "min": "derivative of min",
}  # fmt: skip


def rule_of(equation: Equation, position: int = 0, samples: Container[Atom] = ()) -> str:
    """The rule that gives an equation's derivative by one of its inputs; empty where numbers only move.

    `samples` are the variables whose first axis counts the samples of a batch.
    """
    op, name = equation.op, equation.op.name
    if isinstance(op, Reduction) and math.prod(equation.inputs[0].shape) == math.prod(equation.output.shape):
        return ""  # over a single number
    others = [x for i, x in enumerate(equation.inputs) if i != position]
    if name == "multiply" or (name == "divide" and position == 0):
        constant = all(isinstance(x, Literal) for x in others)
        return FACTOR if constant else PRODUCT if name == "multiply" else QUOTIENT
    if name == "mean":
        over_batch = equation.inputs[0] in samples and 0 in equation.attributes["axis"]
        return "mean over the batch" if over_batch else "mean"
    if name in _RULES:
        return _RULES[name]
    if isinstance(op, Contraction):
        return PRODUCT
    return f"derivative of {name}" if isinstance(op, Elementwise | Reduction) and name != "astype" else ""
