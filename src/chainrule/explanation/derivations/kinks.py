"""Kinks met on the way: values where an operation has no derivative, and what is taken there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.forward import carry_forward, unit_tangent
from chainrule.explanation.evaluations.labels import told
from chainrule.explanation.formulas.symbols import Element
from chainrule.explanation.rendering.names import in_signs
from chainrule.explanation.rendering.numerals import numeral
from chainrule.ops import Elementwise
from chainrule.ops.operation import Operation, eager
from chainrule.tracing.program import Equation, Variable

STEP = 1e-9
"""How far to both sides is looked, as a share of the values."""
BENT = 1e-2
"""How much the slopes on both sides differ at a kink, as a share of them."""


def kinks_met(evaluation: Evaluation, element: Element) -> Iterator[str]:
    """What to tell of every equation between an element and the output that has no derivative where it is.

    Only operations whose declarations have kinks are looked at: whether the slopes on both sides are the same, along the
    way in which their inputs change with the element.
    """
    with np.errstate(all="ignore"):
        tangents, _ = carry_forward(evaluation, unit_tangent(element))
        for equation in evaluation.program.equations:
            if equation.output not in evaluation.cotangents:
                continue
            moves = [_move(tangents.get(x)) if isinstance(x, Variable) else None for x in equation.inputs]
            if any(move is not None and move.any() for move in moves):
                if _may_bend(equation.op):
                    yield from _kink(evaluation, equation, moves)
                if all(np.isfinite(x).all() for x in moves if x is not None) and not _is_finite(tangents, equation):
                    what = in_signs(told(equation, evaluation.labels).text)
                    yield f"{what} is not differentiable here: its derivative is infinite."


def _move(tangent: Any) -> Any:
    """The direction in which a value is looked at: its tangent, and of a number that stands still for now, as x² at 0, upwards."""
    if tangent is None:
        return None
    move = np.asarray(tangent, np.float64)
    return np.ones(move.shape) if move.size == 1 and not move.any() else move


def _is_finite(tangents: Mapping[Variable, Any], equation: Equation) -> bool:
    """Whether an equation's output has a finite tangent, where it has one and a finite value."""
    return bool(np.isfinite(tangents.get(equation.output, 0.0)).all())


def _may_bend(op: Operation) -> bool:
    """Whether an operation has kinks."""
    return bool(op.kinks) or (isinstance(op, Elementwise) and any(domain.kinks for domain in op.domain))


def _kink(evaluation: Evaluation, equation: Equation, moves: list[Any]) -> Iterator[str]:
    """What is told of an equation, if it bends along these tangents."""
    op = equation.op
    inputs = [np.asarray(evaluation.precise(x)) for x in equation.inputs]
    tangents = [np.zeros(x.shape) if move is None else np.asarray(move) for x, move in zip(inputs, moves, strict=True)]
    bent = bends(op, inputs, tangents, equation.attributes)
    bent &= np.asarray(evaluation.cotangents[equation.output]) != 0.0
    if not bent.any():
        return
    what = in_signs(told(equation, evaluation.labels).text)
    many = f" at {bent.sum()} of its {bent.size} numbers" if bent.size > 1 else " here"
    yield f"{what} is not differentiable{many}; {_taken(evaluation, equation, tangents, bent)}."


def bends(op: Operation, inputs: Sequence[Any], tangents: Sequence[Any], attributes: Mapping[str, Any]) -> Any:
    """At which numbers of its result an operation has other slopes to one side than to the other, along these tangents."""
    step = _step(op, inputs, tangents)

    def moved(sign: float) -> Any:
        shifted = (x + sign * step * t if t.any() else x for x, t in zip(inputs, tangents, strict=True))
        return np.asarray(op.evaluate(*(x[()] for x in shifted), **attributes))

    right, here, left = map(moved, (1.0, 0.0, -1.0))
    slopes = (right - here) / step, (here - left) / step
    size = np.abs(slopes[0]) + np.abs(slopes[1])
    noise = 8 * np.finfo(np.float64).eps * np.abs(here) / step
    return np.isfinite(here) & ~(np.abs(slopes[0] - slopes[1]) <= BENT * size + noise)


def kinks_declared(op: Operation, known: Sequence[float | None]) -> Iterator[str]:
    """Where an operation has no derivative, by its declaration, with {0}, {1} for its inputs, of which some are known numbers."""
    for place in op.kinks:
        sides = place.where.format(*known).split(" = ")
        if len({float(x) for x in sides if _is_number(x)}) < 2:  # 1 = 0 is nowhere
            yield place.where
    if op.kinks or not isinstance(op, Elementwise):
        return
    for i, domain in enumerate(op.domain):
        move = [np.asarray(float(k == i)) for k in range(len(op.domain))]
        for point in domain.kinks if known[i] is None else ():
            inputs = [np.asarray(point if k == i else 1.0 if x is None else x) for k, x in enumerate(known)]
            with np.errstate(all="ignore"):
                if bends(op, inputs, move, {}).any():
                    yield f"{{{i}}} = {point:g}" + (f" + {domain.period:g}·k for whole k" if domain.period else "")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _step(op: Operation, inputs: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """How far inputs are moved along their tangents: one step for each number of what works element by element."""
    sizes, speeds = ([np.abs(x) for x in side] for side in (inputs, tangents))
    if not isinstance(op, Elementwise):
        size, speed = (max(float(x.max(initial=0.0)) for x in side) for side in (sizes, speeds))
        return STEP * (size or 1.0) / speed
    size = np.max(np.broadcast_arrays(*sizes), axis=0)
    speed = np.max(np.broadcast_arrays(*speeds), axis=0)
    return STEP * np.where(size == 0.0, 1.0, size) / np.where(speed == 0.0, 1.0, speed)


def _taken(evaluation: Evaluation, equation: Equation, tangents: list[Any], bent: Any) -> str:
    """The derivative that is taken at kinks, by the one input that moves, if it is one number."""
    moving = [i for i, t in enumerate(tangents) if t.any()]
    inputs = [evaluation.precise(x) for x in equation.inputs]
    if len(moving) == 1 and (isinstance(equation.op, Elementwise) or np.count_nonzero(tangents[moving[0]]) == 1):
        unit = [np.asarray(t != 0.0, np.float64)[()] if i in moving else None for i, t in enumerate(tangents)]
        output = evaluation.precise(equation.output)
        found = equation.op.pushforward(eager, unit, output, inputs, **equation.attributes)
        values = np.unique(np.broadcast_to(np.asarray(0.0 if found is None else found), bent.shape)[bent])
        if len(values) == 1:
            return f"this library takes {numeral(float(values[0]), 6)} as its derivative"
    return "this library takes the derivative shown"
