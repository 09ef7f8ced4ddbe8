"""NaN and infinity, with the operation that made the first one, and the sample where."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.explanation.diagnosis.illness import Finding, Illness
from chainrule.explanation.diagnosis.measures import Measures
from chainrule.explanation.diagnosis.spots import formula_of, layer_of, number_at, where_of
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.sentences import told
from chainrule.ops import Elementwise
from chainrule.tracing.program import Equation, Variable

BEYOND = 30.0
"""What an operation is given is large from here on: e³⁰ is 10¹³."""
LARGE = 1e4
"""Inputs from which on they themselves may be what leaves the finite numbers."""


@dataclass(frozen=True)
class NotFinite(Illness):
    """NaN or infinity: told of the first operation that makes one out of finite numbers, forwards, backwards or in the update."""

    looks_for: ClassVar[str] = "NaN and infinity, with the first operation that gives one"

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One, of where it began."""
        evaluation = seen.network.evaluation
        began = beginning(evaluation)
        if began is not None:
            layer = layer_of(evaluation, began.equation)
            says = f"{began.what}: it begins in {layer}, with {began.formula}."
            evidence = {**began.evidence, "layer": layer.removeprefix("layer ")}
            yield self.found(says, [began.element], began.remedy, evidence)
            return
        lost = [p.name for p in seen.parameters if not math.isfinite(p.update)]
        if lost:
            says = f"the step leaves the finite numbers of {evaluation.variable(lost[0]).dtype} in {lost[0]}."
            yield self.found(
                says, lost, f"learning_rate={seen.rate / 10:g}, or clip_norm=1.0", {"learning_rate": seen.rate}
            )


@dataclass(frozen=True)
class Beginning:
    """The first operation that makes NaN or infinity out of finite numbers: what comes of them, by what formula, what to try."""

    equation: Equation
    element: str
    what: str
    formula: str
    remedy: str
    evidence: dict[str, Any]


def beginning(evaluation: Evaluation) -> Beginning | None:
    """Where numbers that are not finite begin, forwards, or else backwards."""
    found = _forwards(evaluation) or _backwards(evaluation)
    if found is None:
        return None
    equation, x, numbers, way = found
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(numbers))[0])
    value = float(np.asarray(numbers)[place])
    sample, element = where_of(evaluation, x, place)
    formula = formula_of(evaluation, equation.output)
    given, as_large = _given(evaluation, equation, place)
    at = "" if sample is None else f", at sample {sample}"
    what = "is" if way == "forward" else "has a derivative that is"
    evidence = {
        "operation": equation.op.name,
        "formula": formula,
        "pass": way,
        "element": element,
        "sample": sample,
        "value": value,
        "given": given,
    }
    return Beginning(
        equation,
        element,
        f"{element} {what} {told(value)}{at}",
        f"{formula}{_told_inputs(given, as_large)}",
        _remedy(evaluation, given),
        evidence,
    )


def _forwards(evaluation: Evaluation) -> tuple[Equation, Variable, Any, str] | None:
    for equation in evaluation.program.equations:
        value = evaluation.value(equation.output)
        began = equation.output.dtype.kind == "f" and not np.isfinite(value).all()
        if began and all(np.isfinite(evaluation.value(x)).all() for x in equation.inputs):
            return equation, equation.output, value, "forward"
    return None


def _backwards(evaluation: Evaluation) -> tuple[Equation, Any, Any, str] | None:
    if all(np.isfinite(cotangent).all() for cotangent in evaluation.cotangents.values()):
        return None
    for edge in reversed(list(evaluation.edges())):
        if edge.part is not None and not np.isfinite(edge.part).all():
            above = evaluation.cotangent(edge.target)
            if above is not None and np.isfinite(above).all():
                return edge.equation, edge.source, edge.part, "backward"
    return None


def _given(evaluation: Evaluation, equation: Equation, place: tuple[int, ...]) -> tuple[dict[str, float | None], bool]:
    """What an operation was given there; of one that combines elements the largest number of each input, and that it is that."""
    values = {evaluation.label(x): np.asarray(evaluation.value(x)) for x in equation.inputs}
    if isinstance(equation.op, Elementwise):
        return {name: number_at(x, place) for name, x in values.items()}, False
    real = {name: x for name, x in values.items() if x.dtype.kind == "f" and x.size}
    return {name: float(np.abs(x).max()) for name, x in real.items()}, True


def _told_inputs(given: dict[str, float | None], as_large: bool) -> str:
    known = [(name, told(x)) for name, x in given.items() if x is not None and not name[:1].isdigit()]
    said = [f"{name} as large as {x}" if as_large else f"{name} = {x}" for name, x in known]
    return f" of {' and '.join(said)}" if said else ""


def _remedy(evaluation: Evaluation, given: dict[str, float | None]) -> str:
    """What is large: the data, or what the operation was given; else another formula."""
    for x in evaluation.program.inputs:
        size = float(np.abs(evaluation.precise(x)).max(initial=0.0)) if x.dtype.kind == "f" else 0.0
        if size > LARGE:
            how = "standardised, (x − mean)/std" if x in evaluation.samples else "smaller at the start"
            return f"{evaluation.label(x)}, which reaches {told(size)}, {how}"
    large = [name for name, x in given.items() if x is not None and abs(x) > BEYOND]
    if large:
        return f"a smaller {large[0]}: smaller initial weights, standardised inputs, or a smaller learning rate"
    return (
        "a formula that stays finite, such as cr.log_softmax for log of softmax, or numbers that are kept off the place "
        "before the operation, as in np.sqrt(np.where(x > 0, x, 1.0))"
    )
