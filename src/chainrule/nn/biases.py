"""Which parameters are biases: those that a network only ever adds to something made from its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chainrule.ops import Elementwise, Layout
from chainrule.tracing.program import Equation, Variable


def added_only(equations: Sequence[Equation], inputs: Iterable[Variable], outputs: Iterable[Variable]) -> set[Variable]:
    """The variables that depend on no input, are used, and in every use are added to what does depend on one.

    Adding is what an elementwise operation does to an input by which its declared derivative is 1 or −1. Moving the
    elements, and adding to what depends on no input, leave the question to the uses of the result: in `x @ (V + W)`
    neither is a bias.
    """
    depending = set(inputs)
    for equation in equations:
        if not depending.isdisjoint(equation.inputs):
            depending.add(equation.output)
    used: set[Variable] = set(outputs)
    otherwise: set[Variable] = set(outputs)
    for equation in reversed(equations):  # the uses of a result come after it
        result = equation.output
        passed_on = result not in depending and result in used - otherwise
        for place, x in enumerate(equation.inputs):
            if isinstance(x, Variable) and x not in depending:
                used.add(x)
                if not (
                    (passed_on and _moves(equation)) or (_adds(equation, place) and (passed_on or result in depending))
                ):
                    otherwise.add(x)
    return used - otherwise


def _adds(equation: Equation, place: int) -> bool:
    op = equation.op
    return isinstance(op, Elementwise) and op.partials[place] in (1, -1)


def _moves(equation: Equation) -> bool:
    return isinstance(equation.op, Layout)
