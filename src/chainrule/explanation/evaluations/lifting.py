"""Arrays known in advance made inputs of their Program, so that formulas can speak of their elements."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TypeGuard

import numpy as np

from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.labels import is_uniform
from chainrule.ops.operation import ArrayType
from chainrule.tracing import trees
from chainrule.tracing.program import Atom, Literal, Variable


def with_constants_as_inputs(evaluation: Evaluation) -> Evaluation:
    """The same evaluation with variables in place of arrays of real numbers that were constants: `c`, or `c1`, `c2`, ….

    Arrays of whole numbers stay: they are places (`arange`), labels or masks, which formulas name by what they are. So do those of
    a single number all over, which formulas write as that.
    """
    program = evaluation.program
    lifted: dict[int, Variable] = {}
    several = len({id(x.value) for e in program.equations for x in e.inputs if _is_lifted(x)}) > 1
    taken = {*evaluation.names.values(), *(x.name for x in program.inputs)}
    free = (f"c{i}" if i or several else "c" for i in count(int(several)))
    names = (name for name in free if name not in taken)
    values = {}

    def lift(x: Atom) -> Atom:
        if not _is_lifted(x):
            return x
        if id(x.value) not in lifted:
            lifted[id(x.value)] = Variable(next(names), ArrayType(x.shape, np.dtype(x.value.dtype)))
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


def _is_lifted(x: Atom) -> TypeGuard[Literal]:
    return isinstance(x, Literal) and bool(x.shape) and x.value.dtype.kind == "f" and not is_uniform(x.value)
