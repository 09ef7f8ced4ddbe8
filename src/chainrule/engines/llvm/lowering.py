"""From a Program to one whose every equation has a meaning in loops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.ops import Contraction, Elementwise, Layout, Reduction
from chainrule.ops.kinds.contraction import parse
from chainrule.ops.operation import REGISTRY, ArrayType
from chainrule.tracing import Equation, Program, RecordedValue, Recorder, Variable, check, simplify
from chainrule.tracing.apply import traced
from chainrule.tracing.program import Atom
from chainrule.tracing.simplify import drop_unused, without_stops

DTYPES = ("bool", "float32", "float64", *(f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64)))
"""Kinds of number with machine code."""

MOVES = ("take", "scatter_add", "embed", "concatenate", "cumsum")
"""Operations carried out by loops of their own."""

PACKED = "packed"
"""The scope of a transpose that is carried out in memory, for a contraction to read rows of vectors."""


def unsupported(program: Program) -> list[str]:
    """The operations of a Program that cannot be compiled, by name."""
    return sorted({e.op.name for e in program.equations if not _compiles(e)})


def _compiles(equation: Equation) -> bool:
    types = [x.type for x in (*equation.inputs, equation.output) if isinstance(x, Variable)]
    if any(t.dtype.name not in DTYPES or t.size == 0 for t in types):
        return False
    return isinstance(equation.op, Elementwise | Reduction | Contraction | Layout) or equation.op.name in (
        *MOVES,
        *_EXPANSIONS,
    )


def lower(program: Program) -> Program:
    """The same computation in elementwise operations, folds, contractions of vectors, views and moves."""
    program = simplify(without_stops(_expand(program)))
    return check(drop_unused(_pack(program)))


def _expand(program: Program) -> Program:
    """Reductions that are no fold (logsumexp, argmax) written out in simpler operations."""
    known: dict[Variable, Atom] = {}
    equations: list[Equation] = []
    with Recorder() as recorder:
        recorder.equations = equations
        for equation in program.equations:
            inputs = tuple(known.get(x, x) if isinstance(x, Variable) else x for x in equation.inputs)
            equation = replace(equation, inputs=inputs)
            op = equation.op
            write_out = _EXPANSIONS.get(op.name) or (op.value if isinstance(op, Reduction) else None)
            if write_out is not None and isinstance(inputs[0], Variable):
                axis = equation.attributes["axis"]
                kept = write_out(traced, RecordedValue(recorder, inputs[0]), axis)
                kept = traced.astype(kept, dtype=equation.output.dtype)
                known[equation.output] = recorder.atom(traced.reshape(kept, shape=equation.output.shape))
            else:
                equations.append(equation)
    outputs = tuple(known.get(x, x) if isinstance(x, Variable) else x for x in program.outputs)
    return replace(program, equations=tuple(equations), outputs=outputs)


def _first_place(m: Any, x: Any, axis: int, extremum: str) -> Any:
    """The first place of an extremum, or of a NaN if there is one, found by two folds."""
    best = getattr(m, extremum)(x, axis=(axis,), keepdims=True)
    chosen = m.equal(x, best)
    if x.dtype.kind == "f":
        chosen = m.logical_or(chosen, m.isnan(x))
    length = x.shape[axis]
    places = np.arange(length, dtype=np.int32).reshape([-1 if i == axis else 1 for i in range(len(x.shape))])
    return m.min(m.where(chosen, places, np.int32(length - 1)), axis=(axis,), keepdims=True)


_EXPANSIONS = {
    "argmax": lambda m, x, axis: _first_place(m, x, axis, "max"),
    "argmin": lambda m, x, axis: _first_place(m, x, axis, "min"),
}


def _pack(program: Program) -> Program:
    """Contractions whose operands can be read as rows of vectors; an operand that cannot is transposed first."""
    equations: list[Equation] = []
    packed: dict[tuple[Variable, tuple[int, ...]], Variable] = {}
    for equation in program.equations:
        if isinstance(equation.op, Contraction):
            equation = _packed(equation, equations, packed)
        equations.append(equation)
    return replace(program, equations=tuple(equations))


def _packed(
    equation: Equation, equations: list[Equation], packed: dict[tuple[Variable, tuple[int, ...]], Variable]
) -> Equation:
    parts = parse(equation.attributes["subscripts"])
    terms, inputs = [parts.left, parts.right], list(equation.inputs)
    lengths = {c: n for term, x in zip(terms, inputs, strict=True) for c, n in zip(term, x.shape, strict=True)}
    result = "".join(c for c in parts.result if lengths[c] != 1)
    if not result:
        return equation
    vector = result[-1]
    side = 1 if vector in terms[1] else 0
    long = [c for c in terms[side] if lengths[c] != 1]
    used_again = any(c not in terms[side] for c in result)
    if long[-1] == vector or (not used_again and _dot(terms, parts.summed, lengths)):
        return equation
    operand = inputs[side]
    if not isinstance(operand, Variable):
        return equation
    order = (*(i for i, c in enumerate(terms[side]) if c != vector), terms[side].index(vector))
    if (operand, order) not in packed:
        kind = ArrayType(tuple(operand.shape[i] for i in order), operand.dtype)
        copy = Variable(f"{operand.name}_packed", kind)
        equations.append(Equation(copy, REGISTRY["transpose"], (operand,), {"axes": order}, PACKED))
        packed[operand, order] = copy
    inputs[side] = packed[operand, order]
    terms[side] = "".join(terms[side][i] for i in order)
    subscripts = f"{terms[0]},{terms[1]}->{parts.result}"
    return replace(equation, inputs=tuple(inputs), attributes={"subscripts": subscripts})


def _dot(terms: list[str], summed: str, lengths: dict[str, int]) -> bool:
    """Whether both operands run along the same summed axis last: products of rows."""
    last = [[c for c in term if lengths[c] != 1][-1:] for term in terms]
    return last[0] == last[1] and bool(last[0]) and last[0][0] in summed
