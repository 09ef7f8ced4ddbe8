"""The backward pass over equations: what every input gets of the cotangent of every equation's output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chainrule.ops.operation import Namespace
from chainrule.tracing.program import Atom, Equation, Variable
from chainrule.tracing.traces.reverse import accumulate
from chainrule.tracing.traces.use import Node


def carry_back(
    m: Namespace,
    equations: Iterable[Equation],
    value_of: Callable[[Atom], Any],
    cotangents: Mapping[Variable, Any],
    wanted: Callable[[Atom], bool],
) -> dict[Variable, Any]:
    """The cotangents of all variables, given those of some; variables that get none are left out.

    With `m = eager` on arrays, with `m = traced` on traced values, whose equations are then recorded.
    """
    nodes: list[Node | None] = [None]
    places: dict[Variable, int] = {}

    def place(x: Atom, node: Node | None = None) -> int:
        if not isinstance(x, Variable):
            return 0
        if x not in places:
            places[x] = len(nodes)
            nodes.append(node)
        return places[x]

    for equation in equations:
        parents = [place(x) if wanted(x) else 0 for x in equation.inputs]
        node = None
        if equation.op.differentiable and any(parents):
            values, output = [value_of(x) for x in equation.inputs], value_of(equation.output)
            node = equation.op, values, equation.attributes, output, parents, equation.scope
        place(equation.output, node)
    for x in cotangents:
        place(x)
    found: list[Any] = [None] * len(nodes)
    for x, cotangent in cotangents.items():
        found[places[x]] = cotangent
    accumulate(m, nodes, found, len(nodes) - 1, kept=range(len(nodes)))
    return {x: found[i] for x, i in places.items() if found[i] is not None}


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
