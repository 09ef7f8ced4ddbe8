"""Numbers that have no derivative, or are none: NaN and infinity with the place where they began, and kinks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.explanation.diagnosis.illness import Finding, Illness
from chainrule.explanation.diagnosis.measures import Measures
from chainrule.explanation.evaluation import Evaluation, has_derivative
from chainrule.explanation.labels import labels_of
from chainrule.explanation.sentences import told
from chainrule.ops import Elementwise, Reduction
from chainrule.tracing.program import Atom, Equation, Variable

LONGEST = 40
"""Characters of a formula that stands for a name."""
BEYOND = 30.0
"""What an operation is given is large from here on: e³⁰ is 10¹³."""
LARGE = 1e4
"""Inputs from which on they themselves may be what leaves the finite numbers."""


def formula_of(evaluation: Evaluation, x: Variable) -> str:
    """What makes a variable, in the names of others."""
    return labels_of(evaluation.program, {y: name for y, name in evaluation.names.items() if y is not x})[x].text


def name_of(evaluation: Evaluation, x: Atom) -> str:
    """What a value goes by: a name, or a formula, of which long ones are cut."""
    if isinstance(x, Variable) and not evaluation.labels[x].tells:
        formula = formula_of(evaluation, x)
        return formula if len(formula) <= LONGEST else f"{formula[:LONGEST]}…"
    return evaluation.label(x)


def where_of(evaluation: Evaluation, x: Atom, place: tuple[int, ...]) -> tuple[int | None, str]:
    """The sample that an element belongs to, if it belongs to one, and the element in writing."""
    label = name_of(evaluation, x)
    sample = int(place[0]) if isinstance(x, Variable) and x in evaluation.samples and place else None
    return sample, f"{label}[{', '.join(map(str, place))}]" if place else label


def layer_of(equation: Equation) -> str:
    """Where in the network an equation stands."""
    return f"layer {equation.scope.split(' / ')[0]}" if equation.scope else "the loss"


@dataclass(frozen=True)
class NotFinite(Illness):
    """NaN or infinity: told of the first operation that makes one out of finite numbers, forwards, backwards or in the update."""

    looks_for: ClassVar[str] = "NaN and infinity, with the first operation that gives one"

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One, of where it began."""
        evaluation = seen.network.evaluation
        found = _forwards(evaluation) or _backwards(evaluation)
        if found is not None:
            equation, x, numbers, way = found
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(numbers))[0])
            value = float(np.asarray(numbers)[place])
            sample, element = where_of(evaluation, x, place)
            formula = formula_of(evaluation, equation.output)
            given = {evaluation.label(y): _at(evaluation.value(y), place) for y in equation.inputs}
            at = "" if sample is None else f", at sample {sample}"
            what = "is" if way == "forward" else "has a derivative that is"
            layer = layer_of(equation)
            says = f"{element} {what} {told(value)}{at}: it begins in {layer}, with {formula}{_told_inputs(given)}."
            evidence = {
                "operation": equation.op.name,
                "layer": layer.removeprefix("layer "),
                "formula": formula,
                "pass": way,
                "element": element,
                "sample": sample,
                "value": value,
                "given": given,
            }
            yield self.found(says, [element], _remedy(evaluation, given), **evidence)
            return
        lost = [p.name for p in seen.parameters if not math.isfinite(p.update)]
        if lost:
            says = f"the step leaves the finite numbers of {evaluation.variable(lost[0]).dtype} in {lost[0]}."
            yield self.found(says, lost, f"learning_rate={seen.rate / 10:g}, or clip_norm=1.0", learning_rate=seen.rate)


def _forwards(evaluation: Evaluation) -> tuple[Equation, Variable, Any, str] | None:
    for equation in evaluation.program.equations:
        value = evaluation.value(equation.output)
        began = equation.output.dtype.kind == "f" and not np.isfinite(value).all()
        if began and all(np.isfinite(evaluation.value(x)).all() for x in equation.inputs):
            return equation, equation.output, value, "forward"
    return None


def _backwards(evaluation: Evaluation) -> tuple[Equation, Any, Any, str] | None:
    for edge in reversed(list(evaluation.edges())):
        if edge.part is not None and not np.isfinite(edge.part).all():
            above = evaluation.cotangent(edge.target)
            if above is not None and np.isfinite(above).all():
                return edge.equation, edge.source, edge.part, "backward"
    return None


def _spread(cotangent: Any, equation: Equation, like: Any) -> Any:
    """A result's cotangent at every place of `like`: that of a reduction stands along the axes that are gone."""
    axes = equation.attributes["axis"] if isinstance(equation.op, Reduction) else ()
    kept = [1 if i in axes else n for i, n in enumerate(np.shape(like))]
    return np.broadcast_to(np.reshape(cotangent, kept), np.shape(like))


def _own(x: Atom, place: tuple[int, ...]) -> tuple[int, ...]:
    """The place of an input from that of the result, where arrays are broadcast."""
    return tuple(0 if n == 1 else i for i, n in zip(place[len(place) - len(x.shape) :], x.shape, strict=True))


def _at(value: Any, place: tuple[int, ...]) -> float | None:
    """The number of an array that stands at a place of the result, where arrays are broadcast."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu" or array.ndim > len(place):
        return None
    own = place[len(place) - array.ndim :]
    if any(i >= n and n != 1 for i, n in zip(own, array.shape, strict=True)):
        return None
    return float(array[tuple(0 if n == 1 else i for i, n in zip(own, array.shape, strict=True))])


def _told_inputs(given: dict[str, Any]) -> str:
    known = [f"{name} = {told(x)}" for name, x in given.items() if x is not None and not name[:1].isdigit()]
    return f" of {' and '.join(known)}" if known else ""


def _remedy(evaluation: Evaluation, given: dict[str, float | None]) -> str:
    """What is large: the data, or what the operation was given; else another formula."""
    for x in evaluation.program.inputs:
        size = float(np.abs(evaluation.precise(x)).max(initial=0.0)) if x.dtype.kind == "f" else 0.0
        if size > LARGE:
            return f"smaller numbers in {evaluation.label(x)}, which reach {told(size)}: (v − mean)/std for data"
    large = [name for name, x in given.items() if x is not None and abs(x) > BEYOND]
    if large:
        return f"a smaller {large[0]}: smaller first weights, standardised inputs, or a smaller learning rate"
    return (
        "a formula that is finite there too, such as cr.log_softmax for log of softmax, or numbers kept off the place"
    )


@dataclass(frozen=True)
class Kink(Illness):
    """Values exactly where an operation declares that it has a value and no derivative, and a gradient passes."""

    looks_for: ClassVar[str] = "places where the loss is not differentiable"
    mild: ClassVar[bool] = True

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One for every operation that stands at a kink."""
        evaluation = seen.network.evaluation
        for equation in evaluation.program.equations:
            cotangent = evaluation.cotangent(equation.output)
            if cotangent is None or not np.any(cotangent) or not equation.op.differentiable:
                continue
            for i, x in enumerate(equation.inputs):
                where, bent = _bent(evaluation, equation, i) if has_derivative(x) else ("", None)
                if bent is None:
                    continue
                places = np.argwhere(bent & (_spread(cotangent, equation, bent) != 0))
                if not len(places):
                    continue
                place = tuple(map(int, places[0]))
                sample, element = where_of(evaluation, x, _own(x, place))
                value = _at(evaluation.value(x), place)
                local = evaluation.local(equation, i)
                taken = "" if local is None else f"; {told(float(np.asarray(local)[place]))} is taken there"
                count = f"{len(places):,} of {bent.size:,} values, the first " if bent.size > 1 else ""
                says = (
                    f"the loss is not differentiable here: {equation.op.spoken} in {layer_of(equation)} has a kink ({where}), and "
                    f"there {'is' if len(places) == 1 else 'are'} {count}{element}{taken}."
                )
                evidence = {
                    "operation": equation.op.name,
                    "layer": layer_of(equation).removeprefix("layer "),
                    "element": element,
                    "sample": sample,
                    "value": value,
                    "places": places.tolist(),
                    "taken": None if local is None else float(np.asarray(local)[place]),
                }
                remedy = "nothing, unless many values stand there; then other first biases, bias=0.01, or a smooth activation"
                yield self.found(says, [element], remedy, **evidence)
                break


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
