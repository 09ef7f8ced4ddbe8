"""One number of an evaluation's arrays as its output, so that derivatives of any value can be told, not only of the loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.explanation.evaluation import Evaluation
from chainrule.explanation.rendering.names import spelled
from chainrule.explanation.symbols import Element
from chainrule.tracing import trace
from chainrule.tracing.program import Variable


def with_output(evaluation: Evaluation, element: Element) -> Evaluation:
    """The same evaluation, with an element as the output, by its own name, and the derivatives of that."""
    x = element.variable
    if x.type.size == 1:
        return evaluation.backward(x, np.ones(x.shape))
    picking = trace(lambda array: array[element.place], x.type)
    given, picked = picking.inputs[0], picking.outputs[0]
    assert isinstance(picked, Variable)
    equations = [e.replace(inputs=tuple(x if y is given else y for y in e.inputs), scope="") for e in picking.equations]
    values = {**evaluation.values}
    for equation in equations:
        inputs = [values[y] if isinstance(y, Variable) else y.value for y in equation.inputs]
        values[equation.output] = equation.op.evaluate(*inputs, **equation.attributes)
    name = spelled(evaluation, element, {}).text
    program = replace(evaluation.program, equations=(*evaluation.program.equations, *equations))
    changed = replace(
        evaluation, program=program, values=values, names={**evaluation.names, picked: name}, cotangents={}
    )
    return changed.backward(picked)
