"""Arrays known in advance made inputs of their Program, so that formulas can speak of their elements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.explanation.evaluation import Evaluation
from chainrule.ops.operation import ArrayType
from chainrule.tracing import trees
from chainrule.tracing.program import Atom, Variable


def with_constants_as_inputs(evaluation: Evaluation) -> Evaluation:
    """The same evaluation with variables in place of arrays of real numbers that were constants.

    Arrays of whole numbers stay: they are places (`arange`), labels or masks, which formulas name by what they are.
    """
    program = evaluation.program
    lifted: dict[int, Variable] = {}
    values = {}

    def lift(x: Atom) -> Atom:
        if isinstance(x, Variable) or not x.shape or x.value.dtype.kind != "f":
            return x
        if id(x.value) not in lifted:
            name = f"constant_{len(lifted)}"
            lifted[id(x.value)] = Variable(name, ArrayType(x.shape, np.dtype(x.value.dtype)))
            values[lifted[id(x.value)]] = x.value
        return lifted[id(x.value)]

    equations = tuple(e.replace(inputs=tuple(map(lift, e.inputs))) for e in program.equations)
    if not lifted:
        return evaluation
    new = tuple(lifted.values())
    inputs = (*new, *program.inputs)
    structure = trees.row(len(inputs))
    return replace(
        evaluation,
        program=replace(program, inputs=inputs, equations=equations, inputs_structure=structure),
        values={**values, **evaluation.values},
        names={**evaluation.names, **{x: x.name for x in new}},
        constants=frozenset(new),
    )
