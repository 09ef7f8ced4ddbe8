"""Backward passes that go wrong on purpose: the gradients that come out when one thing is done otherwise than it should."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from chainrule.explanation.evaluations.backward import carry_back, parts_of
from chainrule.explanation.evaluations.evaluation import Evaluation, double, has_derivative
from chainrule.explanation.stations import Station
from chainrule.ops import Elementwise, Layout
from chainrule.ops.operation import eager
from chainrule.tracing.interpreter import evaluated, interpret
from chainrule.tracing.program import Atom, Equation, Variable

Cotangents = Mapping[Variable, Any]
"""∂L by every variable that a gradient arrives at."""


def carried(evaluation: Evaluation, seeds: Cotangents) -> dict[Variable, Any]:
    """What arrives everywhere of gradients that begin at some variables."""
    return carry_back(eager, evaluation.program.equations, evaluation.precise, seeds, has_derivative)


def in_double_precision(evaluation: Evaluation) -> dict[Variable, Any]:
    """The gradients of a pass that is carried out in double precision from the beginning."""
    assert evaluation.output is not None
    program = evaluation.program
    inputs = {x: double(evaluation.values[x]) for x in program.inputs}
    values = interpret(program, inputs, lambda e, given: double(evaluated(e, given)), constant=double)

    def value(x: Atom) -> Any:
        return values[x] if isinstance(x, Variable) else double(x.value)

    return carry_back(eager, program.equations, value, {evaluation.output: np.ones(())}, has_derivative)


def added(first: Cotangents, second: Cotangents, factor: float = 1.0) -> dict[Variable, Any]:
    """first + factor·second, for every variable that either arrives at."""
    return {x: first[x] if x not in second else first.get(x, 0.0) + factor * second[x] for x in {**first, **second}}


# --- another act′


Slope = Callable[[Station], Any]
"""What is put in the place of act′(z)."""


def as_one(station: Station) -> Any:
    """1: act′ was forgotten."""
    return np.ones(station.z.shape)


def twice(station: Station) -> Any:
    """act′(z)²: it was multiplied by once too often."""
    return np.square(station.slopes)


def at_a(station: Station) -> Any:
    """act′(a): the derivative was taken at the activation."""
    return station.slopes_at(station.evaluation.precise(station.a))


def of_z_as_a(station: Station) -> Any:
    """The derivative in terms of a, such as a(1 − a), with z put in for a; `None` where it is not in terms of a."""
    maker = station.evaluation.makers[station.a]
    if station.between != [maker] or not isinstance(maker.op, Elementwise) or not callable(maker.op.partials[0]):
        return None
    z = station.evaluation.precise(station.z)
    inputs = [z if x is station.z else station.evaluation.precise(x) for x in maker.inputs]
    return maker.op.partials[0](eager, z, *inputs, **maker.attributes)


def with_slopes(evaluation: Evaluation, stations: Iterable[Station], slope: Slope) -> dict[Variable, Any] | None:
    """The gradients when these stations have another act′; `None` where there is no such thing."""
    changes = {}
    for station in stations:
        put = slope(station) if station.slopes is not None else None
        if put is None:
            return None
        changes[station.z] = _change(station, put)
    found = _passed_back(evaluation, lambda e, g: parts_of(eager, e, evaluation.precise, g, has_derivative), changes)
    return found if all(np.isfinite(found.get(z, 0.0)).all() for z in changes) else None


def _change(station: Station, put: Any) -> Callable[[Cotangents], Any]:
    """∂L/∂z with another act′. Where the loss takes z, it is ∂L/∂a · act′ already."""

    def changed(found: Cotangents) -> Any:
        if station.a in found:
            return found[station.z] + (put - station.slopes) * found[station.a]
        return put / station.slopes * found[station.z]

    return changed


# --- other weights


def with_updated_weights(evaluation: Evaluation, parameters: Iterable[Variable], rate: float) -> dict[Variable, Any]:
    """The gradients when every weight is updated as soon as its own is known, and carries the others back with its new value."""
    own = _moved_only(evaluation.program.equations, parameters)

    def parts(equation: Equation, cotangent: Any) -> list[Any]:
        found = parts_of(eager, equation, evaluation.precise, cotangent, has_derivative)
        pairs = list(zip(equation.inputs, found, strict=True))
        new = {x: evaluation.precise(x) - rate * part for x, part in pairs if x in own and part is not None}
        if not 0 < len(new) < len(found):
            return found

        def value(x: Atom) -> Any:
            return new[x] if x in new else evaluation.precise(x)

        others = parts_of(eager, equation, value, cotangent, has_derivative)
        return [part if x in new else other for (x, part), other in zip(pairs, others, strict=True)]

    return _passed_back(evaluation, parts, {})


def _passed_back(
    evaluation: Evaluation,
    parts: Callable[[Equation, Any], list[Any]],
    changes: Mapping[Variable, Callable[[Cotangents], Any]],
) -> dict[Variable, Any]:
    """A backward pass in which equations pass on other parts, and some cotangents are changed once they are known."""
    assert evaluation.output is not None
    found: dict[Variable, Any] = {evaluation.output: np.ones(())}
    for equation in reversed(evaluation.program.equations):
        y = equation.output
        if y not in found:
            continue
        if y in changes:
            found[y] = changes[y](found)
        if equation.op.differentiable:
            for x, part in zip(equation.inputs, parts(equation, found[y]), strict=True):
                if isinstance(x, Variable) and part is not None:
                    found[x] = found[x] + part if x in found else part
    return found


def _moved_only(equations: Iterable[Equation], parameters: Iterable[Variable]) -> set[Atom]:
    """Parameters, and what is these with their elements moved."""
    own: set[Atom] = set(parameters)
    for e in equations:
        if isinstance(e.op, Layout) and all(x in own for x in e.inputs):
            own.add(e.output)
    return own


# --- parts of the gradient


def through_unit(evaluation: Evaluation, x: Variable, unit: int) -> dict[Variable, Any]:
    """What arrives by way of one unit of a variable, along its last axis."""
    cotangent = np.zeros(x.shape)
    cotangent[..., unit] = np.asarray(evaluation.cotangents[x])[..., unit]
    return carried(evaluation, {x: cotangent})


def through_sample(evaluation: Evaluation, frontier: Cotangents, sample: int) -> dict[Variable, Any]:
    """What arrives by way of one sample, whose rows are those of the variables at the frontier."""
    seeds = {}
    for x, cotangent in frontier.items():
        seeds[x] = np.zeros(x.shape)
        seeds[x][sample] = np.asarray(cotangent)[sample]
    return carried(evaluation, seeds)


def frontier_of(evaluation: Evaluation, samples: frozenset[Variable]) -> dict[Variable, Any]:
    """What the values of samples get from what is no sample's: the loss's derivative by the samples, each by itself."""
    found: dict[Variable, Any] = {}
    for equation in evaluation.program.equations:
        cotangent = evaluation.cotangent(equation.output)
        if cotangent is None or equation.output in samples or not equation.op.differentiable:
            continue
        parts = parts_of(eager, equation, evaluation.precise, cotangent, has_derivative)
        for x, part in zip(equation.inputs, parts, strict=True):
            if x in samples and isinstance(x, Variable) and part is not None:
                found[x] = found.get(x, 0.0) + part
    return found


def uses_of(evaluation: Evaluation, x: Variable) -> list[tuple[Equation, Any]]:
    """The uses of a variable by which some of its gradient comes, each with what comes."""
    found = []
    for equation, position in evaluation.uses.get(x, ()):
        cotangent = evaluation.cotangent(equation.output)
        if cotangent is not None and equation.op.differentiable:
            part = parts_of(eager, equation, evaluation.precise, cotangent, has_derivative)[position]
            if part is not None and np.any(part):
                found.append((equation, part))
    return found
