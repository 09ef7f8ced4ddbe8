"""The forward pass of derivatives: tangents carried from some variables through the equations of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.formulas.symbols import Element
from chainrule.ops.operation import Namespace, eager
from chainrule.tracing.interpreter import Rule, interpret
from chainrule.tracing.program import Atom, Equation, Program, Variable


def carry_forward(
    evaluation: Evaluation,
    tangents: Mapping[Variable, Any],
    through: Callable[[Variable], bool] = lambda x: True,
) -> tuple[dict[Variable, Any], dict[Variable, Any]]:
    """The tangents of all variables that they reach, in double precision, by the operations' own forward rules.

    They go on from variables that `through` allows; those that arrive at others are given second.
    """
    stopped: dict[Variable, Any] = {}
    onwards = tangent_rule(eager, evaluation.precise)

    def tangent(equation: Equation, given: list[Any]) -> Any:
        arrived = onwards(equation, given)
        if arrived is None or through(equation.output):
            return arrived
        stopped[equation.output] = arrived
        return None

    with np.errstate(all="ignore"):
        found = tangents_of(evaluation.program, tangents, tangent)
    return found, stopped


def tangents_of(program: Program, tangents: Mapping[Variable, Any], rule: Rule) -> dict[Variable, Any]:
    """The tangents of all variables, given those of some; variables that get none are left out."""
    none = dict.fromkeys(program.inputs)
    found = interpret(program, {**none, **tangents}, rule, constant=lambda _: None)
    return {x: tangent for x, tangent in found.items() if tangent is not None}


def tangent_rule(m: Namespace, value_of: Callable[[Atom], Any]) -> Rule:
    """The operations' own forward rules, at the values given: with `m = eager` on arrays, with `m = traced` on traced ones."""

    def tangent(equation: Equation, given: list[Any]) -> Any:
        if not equation.op.differentiable or all(t is None for t in given):
            return None
        inputs, output = [value_of(x) for x in equation.inputs], value_of(equation.output)
        return equation.op.pushforward(m, given, output, inputs, **equation.attributes)

    return tangent


def unit_tangent(element: Element) -> dict[Variable, Any]:
    """The tangent that is 1 at one element and 0 elsewhere."""
    unit = np.zeros(element.variable.shape)
    unit[element.place] = 1.0
    return {element.variable: unit[()]}


def shares(evaluation: Evaluation, element: Element, among: Callable[[Variable], bool]) -> dict[Variable, Any]:
    """How much of the element's gradient passes through every number of the variables: ∂output/∂u · ∂u/∂element."""
    tangents, _ = carry_forward(evaluation, unit_tangent(element), among)
    cotangents = evaluation.cotangents
    return {x: tangent * cotangents[x] for x, tangent in tangents.items() if x in cotangents}


def most_that_passes(evaluation: Evaluation, element: Element) -> float:
    """The most of an element's gradient that passes at one value, whatever its sign: of what cancels, rounding is left."""
    passing = shares(evaluation, element, evaluation.cotangents.__contains__)
    return max(filter(math.isfinite, (float(np.sum(np.abs(share))) for share in passing.values())), default=0.0)
