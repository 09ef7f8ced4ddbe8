"""The forward pass of derivatives: tangents carried from some variables through the equations of an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.explanation.evaluation import Evaluation
from chainrule.explanation.symbols import Element
from chainrule.ops.operation import eager
from chainrule.tracing.program import Variable


def carry_forward(
    evaluation: Evaluation,
    tangents: Mapping[Variable, Any],
    through: Callable[[Variable], bool] = lambda x: True,
) -> tuple[dict[Variable, Any], dict[Variable, Any]]:
    """The tangents of all variables that they reach, in double precision, by the operations' own forward rules.

    They go on from variables that `through` allows; those that arrive at others are given second.
    """
    found: dict[Variable, Any] = dict(tangents)
    stopped: dict[Variable, Any] = {}
    with np.errstate(all="ignore"):
        for equation in evaluation.program.equations:
            given = [found.get(x) if isinstance(x, Variable) else None for x in equation.inputs]
            if not equation.op.differentiable or all(t is None for t in given) or equation.output in tangents:
                continue
            inputs, output = [evaluation.precise(x) for x in equation.inputs], evaluation.precise(equation.output)
            tangent = equation.op.pushforward(eager, given, output, inputs, **equation.attributes)
            if tangent is not None:
                (found if through(equation.output) else stopped)[equation.output] = tangent
    return found, stopped


def unit_tangent(element: Element) -> dict[Variable, Any]:
    """The tangent that is 1 at one element and 0 elsewhere."""
    unit = np.zeros(element.variable.shape)
    unit[element.place] = 1.0
    return {element.variable: unit[()]}
