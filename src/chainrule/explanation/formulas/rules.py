"""The names of the rules of differentiation, as school has them; operations declare which is theirs."""

from __future__ import annotations

import math
from collections.abc import Container

from chainrule.ops import Contraction, Custom, Elementwise, Layout, Reduction
from chainrule.ops.kinds.reduction import Uniform
from chainrule.ops.operation import Operation
from chainrule.tracing.program import Atom, Equation, Literal, Variable

SUM, PRODUCT, QUOTIENT, CHAIN = "sum rule", "product rule", "quotient rule", "chain rule"
CONSTANT, IDENTITY, FACTOR = "constant rule", "identity rule", "constant factor"
MEAN, PATHS = "mean", "sum over paths"


def only_moves(equation: Equation) -> bool:
    """Whether an equation's numbers are others in other places, so that nothing is differentiated."""
    return isinstance(equation.op, Layout) or equation.op.notation.rule == ""


def has_number(equation: Equation, position: int, constants: Container[Atom] = ()) -> bool:
    """Whether the derivative by an input is a number whatever the values are, as that of a sum or of a constant's multiple."""
    op, notation = equation.op, equation.op.notation
    others = [x for i, x in enumerate(equation.inputs) if i != position]
    return (
        only_moves(equation)
        or notation.algebra in ("sum", "difference", "negation", "identity")
        or (isinstance(op, Reduction) and isinstance(op.partial, Uniform))
        or (
            (isinstance(op, Contraction) or position in notation.linear)
            and all(isinstance(x, Literal) or x in constants for x in others)
        )
    )


def rule_of(equation: Equation, position: int, moving: Container[Atom], samples: Container[Atom] = frozenset()) -> str:
    """The rule that gives an equation's derivative by one of its inputs; empty where numbers only move.

    `moving` are the values that depend on what the derivative is by; others are held still, so that a factor among
    them is a constant one. `samples` are the variables whose first axis counts the samples of a batch.
    """
    op, notation = equation.op, equation.op.notation
    if isinstance(op, Reduction) and math.prod(equation.inputs[0].shape) == math.prod(equation.output.shape):
        return ""  # over a single number
    if isinstance(op, Contraction) or position in notation.linear:
        others = [x for i, x in enumerate(equation.inputs) if i != position]
        if not any(isinstance(x, Variable) and x in moving for x in others):
            return FACTOR
    rule = notation.rule_by(position)
    if rule is None:
        return f"derivative of {_said(op)}" if isinstance(op, Elementwise | Reduction | Custom) else ""
    if rule == MEAN and equation.inputs[0] in samples and 0 in equation.attributes["axis"]:
        return f"{MEAN} over the batch"
    return rule


def _said(op: Operation) -> str:
    """An operation by the name it has in formulas, `ln`, where that is a word."""
    sign = op.notation.sign
    return sign if op.notation.form == "function" and sign.isascii() and sign.isidentifier() else op.spoken
