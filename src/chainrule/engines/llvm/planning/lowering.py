"""From a Program to one whose every equation has a meaning in loops."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from chainrule.engines.llvm.planning.block_choice import turned_is_worth
from chainrule.engines.llvm.planning.factors import with_joined_factors
from chainrule.engines.llvm.planning.layouts import is_strided
from chainrule.engines.whole_numbers import is_partial, of_numbers
from chainrule.ops import Contraction, arithmetic, layouts
from chainrule.ops.kinds.contraction import Subscripts, parse
from chainrule.ops.operation import ArrayType
from chainrule.tracing import Equation, Program, Variable, check, simplify
from chainrule.tracing.passes.real_parts import has_complex, in_parts, without_parts
from chainrule.tracing.passes.simplify import drop_unused, without_stops
from chainrule.tracing.passes.writing_out import written_out
from chainrule.tracing.program import Atom, Literal, bodies_of

COMPLEX = ("complex64", "complex128")

DTYPES = ("bool", "float32", "float64", *(f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64)))
"""Kinds of number with machine code."""


@dataclass(frozen=True)
class Lowered:
    """A Program whose every equation has a meaning in loops; `copied` are the values that have memory of their own although
    another's could be read through strides."""

    program: Program
    copied: frozenset[Variable]


def unsupported(program: Program, *, repeated: bool = False) -> list[str]:
    """The operations of a Program that cannot be compiled, by name; `repeated` if it is the body of a loop."""
    if has_complex(program):
        return sorted(without_parts(program) or unsupported(in_parts(program), repeated=repeated))
    # Of numbers that are known before a call it is made sure that they have a result; in a loop they are others with every step.
    numbers = {} if repeated else dict.fromkeys(of_numbers(program), 1)
    inside = {name for body in bodies(program) for name in unsupported(body, repeated=True)}
    return sorted({e.op.name for e in program.equations if not _compiles(e, numbers)} | inside)


def bodies(program: Program) -> list[Program]:
    """The Programs that a Program's loops hold."""
    return [body for e in program.equations for body in bodies_of(e)]


def constants(program: Program) -> list[Any]:
    """The arrays and NumPy's numbers that a Program holds."""
    atoms = [x for e in program.equations for x in e.inputs] + list(program.outputs)
    inside = [x for body in bodies(program) for x in constants(body)]
    return [x.value for x in atoms if isinstance(x, Literal) and hasattr(x.value, "dtype")] + inside


def kinds(program: Program) -> set[np.dtype[Any]]:
    """The kinds of number that a Program and its loops compute with."""
    own = {x.dtype for x in (*program.inputs, *(e.output for e in program.equations))}
    return own.union(*map(kinds, bodies(program)))


def _compiles(equation: Equation, numbers: Mapping[Variable, int]) -> bool:
    types = [x.type for x in (*equation.inputs, equation.output) if isinstance(x, Variable)]
    if any(not _is_known(t.dtype) or t.size == 0 for t in types):
        return False
    return not is_partial(equation, numbers) and equation.op.has_loops(len(equation.inputs))


@cache
def _is_known(dtype: np.dtype[Any]) -> bool:
    """Whether there is machine code for this kind of number; names of dtypes take long to be made."""
    return dtype.name in DTYPES


def lower(program: Program, states: int = 0, *, across: bool = False) -> Lowered:
    """The same computation in elementwise operations, folds, contractions of vectors, views and moves.

    So many of the outputs are new `states`, which are written over the inputs, the old ones. Those that only are old ones, or
    views of them, are copied before: the old one may be written over by then. Where both operands of a product run along what is
    summed, as where rows lie along the vectors, it is added up `across` lanes instead of copying one of them.
    """
    real = in_parts(program) if has_complex(program) else program
    program, copied = _pack(with_joined_factors(simplify(without_stops(written_out(real)))), across)
    program = drop_unused(program)
    sources = {e.output: e.inputs[0] for e in program.equations if is_strided(e) and e.output not in copied}

    def is_old(i: int, x: Atom) -> bool:
        root = x
        while isinstance(root, Variable) and root in sources:
            root = sources[root]
        return i < states and x is not program.inputs[i] and root in program.inputs[:states]

    return Lowered(check(_with_copies(program, is_old)), copied)


def lower_body(program: Program, states: int) -> Lowered:
    """The body of a loop, whose results are all computed in it: what is given back as it came gets a place of its own."""
    lowered = lower(program, states)
    outputs, computed = lowered.program.outputs, {e.output for e in lowered.program.equations}

    def is_given(i: int, x: Atom) -> bool:
        same = i < len(program.inputs) and x is program.inputs[i]
        return not same and (x not in computed or x in outputs[:i])

    return replace(lowered, program=_with_copies(lowered.program, is_given))


def _with_copies(program: Program, copied: Callable[[int, Atom], bool]) -> Program:
    """The same, where some outputs, told by their number and what they are, are copies of what they were."""
    equations, outputs = list(program.equations), list(program.outputs)
    for i, x in enumerate(program.outputs):
        if copied(i, x):
            kind = x.type if isinstance(x, Variable) else ArrayType(x.shape, np.asarray(x.value).dtype)
            outputs[i] = own = Variable(f"result_{i}", kind)
            equations.append(Equation(own, arithmetic.astype, (x,), {"dtype": kind.dtype}))
    return replace(program, equations=tuple(equations), outputs=tuple(outputs))


def _pack(program: Program, across: bool) -> tuple[Program, frozenset[Variable]]:
    """Contractions whose operands can be read as rows of vectors; an operand that cannot is transposed first."""
    equations: list[Equation] = []
    packed: dict[tuple[Variable, tuple[int, ...]], Variable] = {}
    for equation in program.equations:
        if isinstance(equation.op, Contraction):
            equation = _packed(equation, equations, packed, across)
        equations.append(equation)
    return replace(program, equations=tuple(equations)), frozenset(packed.values())


def _packed(
    equation: Equation,
    equations: list[Equation],
    packed: dict[tuple[Variable, tuple[int, ...]], Variable],
    across: bool,
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
    used_again = not across and any(c not in terms[side] for c in result)
    if long[-1] == vector or (not used_again and _dot(terms, parts.summed, lengths)):
        return equation
    operand = inputs[side]
    if not isinstance(operand, Variable) or _turned_in_blocks(terms[side], parts, lengths, equation):
        return equation
    order = (*(i for i, c in enumerate(terms[side]) if c != vector), terms[side].index(vector))
    if (operand, order) not in packed:
        kind = ArrayType(tuple(operand.shape[i] for i in order), operand.dtype)
        copy = Variable(f"{operand.name}_packed", kind)
        equations.append(Equation(copy, layouts.transpose, (operand,), {"axes": order}, equation.scope))
        packed[operand, order] = copy
    inputs[side] = packed[operand, order]
    terms[side] = "".join(terms[side][i] for i in order)
    subscripts = f"{terms[0]},{terms[1]}->{parts.result}"
    return equation.replace(inputs=tuple(inputs), attributes={"subscripts": subscripts})


def _turned_in_blocks(term: str, parts: Subscripts, lengths: dict[str, int], equation: Equation) -> bool:
    """Whether columns that run along what is summed are turned over by the contraction itself, a panel at a time."""
    summed = [c for c in parts.summed if lengths[c] != 1]
    *before, vector = [c for c in parts.result if lengths[c] != 1]
    rows = math.prod(lengths[c] for c in before if c not in term)
    same = all(_dtype(x) == equation.output.dtype for x in equation.inputs)
    alone = len(summed) == 1 and [c for c in term if lengths[c] != 1][-1] == summed[0]
    return same and alone and turned_is_worth(rows, lengths[summed[0]], lengths[vector])


def _dtype(x: Atom) -> np.dtype[Any]:
    return x.dtype if isinstance(x, Variable) else np.asarray(x.value).dtype


def _dot(terms: list[str], summed: str, lengths: dict[str, int]) -> bool:
    """Whether both operands run along the same summed axis last: products of rows."""
    last = [[c for c in term if lengths[c] != 1][-1:] for term in terms]
    return last[0] == last[1] and bool(last[0]) and last[0][0] in summed
