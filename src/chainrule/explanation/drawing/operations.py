"""What is written on an operation in a graph."""

from __future__ import annotations

from chainrule.explanation.drawing.palette import number
from chainrule.ops import Reduction
from chainrule.tracing.program import Equation, Literal


def sign_on(equation: Equation, digits: int) -> str:
    """What is written on an operation: "+", "^ 2" and "max(·, 0)" with numbers among the inputs, "Σ axis 1"."""
    own, notation = equation.op.notation.symbol, equation.op.notation
    symbol = own or (notation.form in ("function", "root") and notation.sign) or equation.op.name
    if isinstance(equation.op, Reduction) and 0 < len(equation.attributes["axis"]) < len(equation.inputs[0].shape):
        return f"{symbol} axis {', '.join(map(str, equation.attributes['axis']))}"
    if not any(isinstance(x, Literal) for x in equation.inputs):
        return symbol
    inputs = [_constant(x, digits) if isinstance(x, Literal) else "·" for x in equation.inputs]
    if own and len(inputs) == 2:
        left, right = ("" if text == "·" else f"({text})" if text.startswith("−") else text for text in inputs)
        return f"{left} {symbol} {right}".strip()
    return f"{symbol}({', '.join(inputs)})"


def _constant(x: Literal, digits: int) -> str:
    if x.shape:
        return "[" + "×".join(map(str, x.shape)) + "]"
    return number(x.value, digits)
