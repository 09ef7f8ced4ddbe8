"""The backward pass over equations: what every input gets of the cotangent of every equation's output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from chainrule.ops.operation import Namespace
from chainrule.tracing.program import Atom, Equation, Variable
from chainrule.tracing.scope import scope


def carry_back(
    m: Namespace,
    equations: Sequence[Equation],
    value_of: Callable[[Atom], Any],
    cotangents: Mapping[Variable, Any],
    wanted: Callable[[Atom], bool],
) -> dict[Variable, Any]:
    """The cotangents of all variables, given those of some; variables that get none are left out.

    The operations' own reverse rules, one equation after the other from the last to the first, as a `Tape` applies
    them: with `m = eager` on arrays, with `m = traced` on traced values, whose equations are then recorded.
    """
    found = dict(cotangents)
    for equation in reversed(equations):
        cotangent = found.get(equation.output)
        if cotangent is None or not equation.op.differentiable:
            continue
        with scope(equation.scope, backward=True):
            parts = parts_of(m, equation, value_of, cotangent, wanted)
        for x, part in zip(equation.inputs, parts, strict=True):
            if part is not None and isinstance(x, Variable):
                previous = found.get(x)
                found[x] = part if previous is None else previous + part
    return found


def parts_of(
    m: Namespace,
    equation: Equation,
    value_of: Callable[[Atom], Any],
    cotangent: Any,
    wanted: Callable[[Atom], bool],
) -> list[Any]:
    """What each input of one equation gets of its output's cotangent; `None` where there is no dependence."""
    values = [value_of(x) for x in equation.inputs]
    flags = [wanted(x) for x in equation.inputs]
    if not any(flags):
        return [None] * len(flags)
    parts = equation.op.pullback(m, cotangent, value_of(equation.output), values, flags, **equation.attributes)
    return [part if flag else None for part, flag in zip(parts, flags, strict=True)]


def dependents(equations: Iterable[Equation], sources: Iterable[Variable]) -> set[Variable]:
    """The variables that a derivative by some of the sources can reach, the sources included."""
    reached = set(sources)
    for equation in equations:
        if equation.op.differentiable and any(x in reached for x in equation.inputs if isinstance(x, Variable)):
            reached.add(equation.output)
    return reached
