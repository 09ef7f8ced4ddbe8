"""Scopes given to a network's Program for its picture: what belongs to the loss, and sums of many terms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.networks import LayerVariables, NetworkEvaluation
from chainrule.tracing import trees
from chainrule.tracing.passes.simplify import drop_unused
from chainrule.tracing.program import Equation, Program, Variable

LOSS, SUM = "loss", "sum"

TERMS = 4
"""Additions outside layers that together have so many terms are folded into one sum."""


def scoped(found: NetworkEvaluation) -> Evaluation:
    """The evaluation of outputs and loss alone, with scopes for the loss and for long sums."""
    evaluation = found.evaluation
    outputs = found.outputs if found.loss is None else (found.loss, *found.outputs)
    before = {equation.output for equation in _ending_in(evaluation.program, found.outputs).equations}
    program = _ending_in(evaluation.program, outputs)
    scopes = _of_calls(found, program)
    equations = tuple(
        equation.replace(scope=scopes.get(equation.output, equation.scope))
        if equation.output in before or equation.scope
        else equation.replace(scope=LOSS)
        for equation in program.equations
    )
    return replace(evaluation, program=with_sums(replace(program, equations=equations)))


def _of_calls(found: NetworkEvaluation, program: Program) -> dict[Variable, str]:
    """The scopes of all calls of a layer but the first, named like these: `g#2 / linear`."""
    calls: dict[str, list[LayerVariables]] = {}
    for layer in found.layers:
        calls.setdefault(layer.layer, []).append(layer)
    ends = {layer.a: layer.name for own in calls.values() for layer in own[1:]}
    next_after = {layer.a: own[i + 1] for own in calls.values() for i, layer in enumerate(own[:-1])}
    now: dict[str, str] = {}
    scopes = {}
    for equation in program.equations:
        first, slash, rest = equation.scope.partition(" / ")
        if first in calls:
            name = ends.get(equation.output, now.get(first, first))
            scopes[equation.output] = f"{name}{slash}{rest}"
        if (following := next_after.get(equation.output)) is not None:
            now[following.layer] = following.name
    return scopes


def _ending_in(program: Program, outputs: tuple[Any, ...]) -> Program:
    return drop_unused(replace(program, outputs=outputs, outputs_structure=trees.row(len(outputs))))


def with_sums(program: Program) -> Program:
    """The Program with every long sum in the scope `sum` and its additions next to each other.

    Partial sums that are used elsewhere, or are results, are ends of their own.
    """
    uses: dict[Variable, int] = {x: 1 for x in program.outputs if isinstance(x, Variable)}
    for equation in program.equations:
        for x in equation.inputs:
            if isinstance(x, Variable):
                uses[x] = uses.get(x, 0) + 1
    sums: dict[Variable, list[Equation]] = {}
    for equation in program.equations:
        if equation.op.notation.algebra == "sum" and not equation.scope:
            parts = [
                part
                for x in equation.inputs
                if isinstance(x, Variable) and uses[x] == 1 and x.shape == equation.output.shape
                for part in sums.pop(x, [])
            ]
            sums[equation.output] = [*parts, equation]
    long = {end: own for end, own in sums.items() if len(own) >= TERMS - 1}
    inside = {equation.output for own in long.values() for equation in own}
    equations: list[Equation] = []
    for equation in program.equations:
        if equation.output in long:
            equations += [own.replace(scope=SUM) for own in long[equation.output]]
        elif equation.output not in inside:
            equations.append(equation)
    return replace(program, equations=tuple(equations))
