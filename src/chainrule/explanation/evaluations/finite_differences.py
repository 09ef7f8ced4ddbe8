"""Finite differences beside gradients: one value moved, and what depends on it computed again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.explanation.evaluations.evaluation import Evaluation, double
from chainrule.explanation.formulas.symbols import Element
from chainrule.tracing.interpreter import reinterpret

TOLERANCE = 1e-5
"""Relative difference up to which a gradient and its finite difference agree."""


@dataclass(frozen=True)
class Check:
    """A gradient's finite difference, the relative error between the two, and whether they agree."""

    difference: float
    error: float
    agrees: bool


def finite_difference_check(evaluation: Evaluation, element: Element) -> Check:
    """The central difference of the output by one element, in double precision, compared with its gradient."""
    gradient = float(np.asarray(evaluation.cotangents[element.variable])[element.place])
    at = float(np.asarray(evaluation.precise(element.variable))[element.place])
    step = np.finfo(np.float64).eps ** (1 / 3) * max(1.0, abs(at))
    up, down = at + step, at - step
    above, below = _output(evaluation, element, up), _output(evaluation, element, down)
    difference = (above - below) / (up - down)
    size = max(abs(gradient), abs(difference))
    floor = 1e-9 * max(1.0, abs(above))  # what rounding of the output leaves of the difference
    apart = abs(gradient - difference)
    return Check(difference, apart / size if size else 0.0, bool(apart <= TOLERANCE * size + floor))


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
