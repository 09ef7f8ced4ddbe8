"""Kinks: where the operations declare a value and no derivative, and a gradient passes all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.explanation.diagnosis.illness import Finding, Illness
from chainrule.explanation.diagnosis.measures import Measures
from chainrule.explanation.diagnosis.spots import layer_of, name_of, number_at, where_of
from chainrule.explanation.evaluations.evaluation import Evaluation, has_derivative
from chainrule.explanation.sentences import told
from chainrule.nn.parameters import flat_names
from chainrule.ops import Elementwise, Reduction
from chainrule.tracing.program import Atom, Equation


@dataclass(frozen=True)
class Kink(Illness):
    """Values exactly where an operation declares that it has a value and no derivative, and a gradient passes to what is learned.

    What is computed of the data alone has no part in a step: curves that bend at numbers of the table are not told.
    """

    looks_for: ClassVar[str] = "places where the loss is not differentiable"
    mild: ClassVar[bool] = True

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One for every operation that stands at a kink."""
        evaluation = seen.network.evaluation
        learned = _of_parameters(seen)
        for equation in evaluation.program.equations:
            cotangent = evaluation.cotangent(equation.output)
            if cotangent is None or not np.any(cotangent) or not equation.op.differentiable:
                continue
            for i, x in enumerate(equation.inputs):
                where, bent = _bent(evaluation, equation, i) if x in learned and has_derivative(x) else ("", None)
                if bent is None:
                    continue
                places = np.argwhere(bent & (_spread(cotangent, equation, bent) != 0))
                if not len(places):
                    continue
                place = tuple(map(int, places[0]))
                sample, element = where_of(evaluation, x, _own(x, place))
                value = number_at(evaluation.value(x), place)
                local = evaluation.local(equation, i)
                taken = "" if local is None else f"; {told(float(np.asarray(local)[place]))} is taken there"
                count = f"{len(places):,} of {bent.size:,} values, the first " if bent.size > 1 else ""
                verb, layer = "is" if len(places) == 1 else "are", layer_of(evaluation, equation)
                says = (
                    f"the loss is not differentiable here: {equation.op.spoken} in {layer} has a kink ({where}), and there {verb} "
                    f"{count}{element}{taken}."
                )
                evidence = {
                    "operation": equation.op.name,
                    "layer": layer.removeprefix("layer "),
                    "element": element,
                    "sample": sample,
                    "value": value,
                    "places": places.tolist(),
                    "taken": None if local is None else float(np.asarray(local)[place]),
                }
                remedy = "other initial biases, bias=0.01, or a smooth activation, if many values are there; a few do no harm"
                yield self.found(says, [element], remedy, evidence)
                break


def _of_parameters(seen: Measures) -> set[Atom]:
    """What depends on parameters that are learned."""
    found: set[Atom] = {seen.network.known[name] for name in flat_names(seen.before) if name not in seen.frozen}
    for equation in seen.network.evaluation.program.equations:
        if not found.isdisjoint(equation.inputs):
            found.add(equation.output)
    return found


def _bent(evaluation: Evaluation, equation: Equation, position: int) -> tuple[str, Any]:
    """A declared kink at which an input stands, in words, and where it does; `None` where nothing of the kind is declared."""
    op, values = equation.op, [np.asarray(evaluation.value(x)) for x in equation.inputs]
    names = [name_of(evaluation, x) for x in equation.inputs]
    if isinstance(op, Reduction) and op.selects:
        return op.kinks[0].where.format(*names), _tied(evaluation, equation)
    if not isinstance(op, Elementwise):
        return "", None
    found = [(place.where.format(*names), _equal(place.where, values, position)) for place in op.kinks]
    own, shape = op.domain[position], equation.output.shape
    for kink in own.kinks:
        distance = values[position] - kink
        at = distance == 0 if own.period is None else np.remainder(distance, own.period) == 0
        found.append((f"{names[position]} = {kink:g}", np.broadcast_to(at, shape)))
    given = [(words, at) for words, at in found if at is not None]
    return next(((words, at) for words, at in given if at.any()), given[0] if given else ("", None))


def _equal(where: str, values: list[Any], position: int) -> Any:
    """Where a chain of equations holds that is declared in words, `{0} = {1}` or `{0} = {1} = 0`; `None` for other words."""
    sides = where.split(" = ")
    if len(sides) < 2 or f"{{{position}}}" not in sides:
        return None
    numbers = []
    for side in sides:
        if not re.fullmatch(r"\{\d\}|-?\d+(\.\d+)?", side):
            return None
        numbers.append(values[int(side[1])] if side.startswith("{") else float(side))
    return np.logical_and.reduce([np.equal(numbers[0], x) for x in numbers[1:]])


def _tied(evaluation: Evaluation, equation: Equation) -> Any:
    """Where elements of which one is selected are equal to it, and there are several."""
    (x,) = equation.inputs
    value = np.asarray(evaluation.value(x))
    axes = equation.attributes["axis"]
    chosen = np.reshape(evaluation.value(equation.output), [1 if i in axes else n for i, n in enumerate(value.shape)])
    at = value == chosen
    return at & (at.sum(axis=tuple(axes), keepdims=True) > 1)


def _spread(cotangent: Any, equation: Equation, like: Any) -> Any:
    """A result's cotangent at every place of `like`: that of a reduction stands along the axes that are gone."""
    axes = equation.attributes["axis"] if isinstance(equation.op, Reduction) else ()
    kept = [1 if i in axes else n for i, n in enumerate(np.shape(like))]
    return np.broadcast_to(np.reshape(cotangent, kept), np.shape(like))


def _own(x: Atom, place: tuple[int, ...]) -> tuple[int, ...]:
    """The place of an input from that of the result, where arrays are broadcast."""
    return tuple(0 if n == 1 else i for i, n in zip(place[len(place) - len(x.shape) :], x.shape, strict=True))
