"""Finite differences beside gradients: one value moved, and what depends on it computed again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from chainrule.explanation.evaluations.evaluation import Evaluation, double
from chainrule.explanation.evaluations.forward import most_that_passes
from chainrule.explanation.formulas.symbols import Element
from chainrule.tracing.interpreter import reinterpret

TOLERANCE = 1e-5
"""Relative difference up to which a gradient and its finite difference agree."""
FLOOR = 1e-9
"""What rounding of an output near 1 leaves of a difference over the widest step."""
NARROWER = (1.0, 2.0**-5, 2.0**-10)
"""Steps, in widest ones: where a function bends within the widest, as a root does near 0, narrower ones tell."""


@dataclass(frozen=True)
class Check:
    """A gradient's finite difference, the relative error between the two, and whether they agree."""

    difference: float
    error: float
    agrees: bool


def finite_difference_check(evaluation: Evaluation, element: Element) -> Check:
    """The central difference of the output by one element, in double precision, compared with its gradient."""
    at = float(np.asarray(evaluation.precise(element.variable))[element.place])
    gradient = float(np.asarray(evaluation.cotangents[element.variable])[element.place])
    widest = np.finfo(np.float64).eps ** (1 / 3) * max(1.0, abs(at))
    first: Check | None = None
    for part in NARROWER:
        up, down = at + part * widest, at - part * widest
        above, below = _output(evaluation, element, up), _output(evaluation, element, down)
        difference = (above - below) / (up - down)
        size, apart = max(abs(gradient), abs(difference)), abs(gradient - difference)
        rounding = FLOOR * max(1.0, abs(above)) / part
        if first and not rounding <= 1e-3 * size:  # a step that tells nothing
            break
        check = Check(difference, apart / size if size else 0.0, bool(apart <= TOLERANCE * size + rounding))
        if check.agrees:
            return check
        first = first or check
    assert first is not None
    if abs(gradient - first.difference) <= _rounding(evaluation, element):
        return replace(first, agrees=True)
    return first


def _rounding(evaluation: Evaluation, element: Element) -> float:
    """What rounding of the values in the pass may leave of a gradient whose summands are larger than it is."""
    assert evaluation.output is not None
    return 8.0 * float(np.finfo(evaluation.output.dtype).eps) * most_that_passes(evaluation, element)


def _output(evaluation: Evaluation, element: Element, number: float) -> float:
    """The output, with one element set to a number and everything after it computed again."""
    assert evaluation.output is not None
    nudged = np.array(evaluation.precise(element.variable), np.float64)
    nudged[element.place] = number
    with np.errstate(all="ignore"):
        values = reinterpret(
            evaluation.program, evaluation.precise_values, {element.variable: nudged[()]}, constant=double
        )
    return float(np.asarray(values[evaluation.output]).ravel()[0])
