"""Passes from Program to Program that leave its value as it is and its equations fewer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.ops import Elementwise, Layout, Reduction
from chainrule.ops.axes import Links, changes_nothing, only_repeats
from chainrule.tracing.passes.leaving_out import leave_out_zeros
from chainrule.tracing.program import Atom, Equation, Literal, Program, Variable, as_program, axes_of, check

FOLDED_SIZE = 4096
"""Constants are computed in advance up to this many elements; larger ones would only fill memory."""


def simplify(program: Program) -> Program:
    """The same Program in fewer equations.

    Constants are folded, equal equations shared, operations that change nothing removed, broadcasts that
    broadcasting does by itself left out, slices taken before what they leave out is computed, and unused equations dropped.
    """
    program = as_program("simplify", program)
    for step in (fold_constants, remove_identities, leave_out_zeros, share_equal, drop_unused):
        program = step(program)
    return check(program)


def _rewrite(program: Program, rule: Callable[[Equation], Equation | Atom]) -> Program:
    """Every equation replaced by what `rule` makes of it: an equation, or an atom in place of its output."""
    known: dict[Variable, Atom] = {}
    equations = []

    def current(x: Atom) -> Atom:
        return known.get(x, x) if isinstance(x, Variable) else x

    for equation in program.equations:
        if not known.keys().isdisjoint(equation.inputs):
            equation = equation.replace(inputs=tuple(map(current, equation.inputs)))
        result = rule(equation)
        if isinstance(result, Equation):
            equations.append(result)
        else:
            known[equation.output] = result
    return replace(program, equations=tuple(equations), outputs=tuple(map(current, program.outputs)))


def fold_constants(program: Program) -> Program:
    """Equations whose inputs are all constants become constants, broadcasts aside: those may turn out needless."""

    def rule(equation: Equation) -> Equation | Atom:
        size = equation.output.type.size
        if size > FOLDED_SIZE or (_repeats(equation) and size > math.prod(equation.inputs[0].shape)):
            return equation
        if not all(isinstance(x, Literal) for x in equation.inputs):
            return equation
        with np.errstate(all="ignore"):
            value = equation.op.evaluate(
                *(x.value for x in equation.inputs if isinstance(x, Literal)), **equation.attributes
            )
        return Literal(np.asarray(value, equation.output.dtype)[()])

    return _rewrite(program, rule)


def remove_identities(program: Program) -> Program:
    """x + (−0), x − 0, x · 1, x / 1, +x, and layouts and reductions that change nothing become x; needless broadcasts go."""
    spread: dict[Variable, Atom] = {}

    def rule(equation: Equation) -> Equation | Atom:
        op, inputs, output = equation.op, equation.inputs, equation.output
        if isinstance(op, Elementwise):
            if op.passes and op.differentiable:
                return _kept(inputs[0], equation)
            for place, number in enumerate(op.neutral):
                if number is not None and _is(inputs[place], number, output.type.dtype):
                    return _kept(inputs[1 - place], equation)
            if any(x in spread for x in inputs if isinstance(x, Variable)):
                return _without_broadcasts(equation, spread)
        elif _repeats(equation):
            if inputs[0].shape == output.shape:
                return _kept(inputs[0], equation)
            if isinstance(inputs[0], Variable) or hasattr(inputs[0].value, "dtype"):
                spread[output] = inputs[0]
        elif isinstance(op, Layout) and len(inputs) == 1 and _stays(equation):
            return _kept(inputs[0], equation)
        elif isinstance(op, Reduction) and op.differentiable and not equation.attributes["axis"] and op.keeps_one:
            return _kept(inputs[0], equation)  # every element combined with no other
        return equation

    return _rewrite(program, rule)


def without_stops(program: Program) -> Program:
    """The same values without `stop_gradient`; derivatives of the result would be others, so it is for computing only."""
    return _rewrite(program, lambda e: _kept(e.inputs[0], e) if isinstance(e.op, Elementwise) and e.op.passes else e)


def _repeats(equation: Equation) -> bool:
    """Whether this only repeats an array as broadcasting does by itself."""
    links = _links(equation)
    return links is not None and only_repeats(links, equation.inputs[0].shape, equation.output.shape)


def _stays(equation: Equation) -> bool:
    """Whether every element of one array stays in its place."""
    links = _links(equation)
    return links is not None and changes_nothing(links, equation.inputs[0].shape, equation.output.shape)


def _links(equation: Equation) -> Links | None:
    """How the axes of a layout's one input go on."""
    if not isinstance(equation.op, Layout) or len(equation.inputs) != 1:
        return None
    links = axes_of(equation)
    return None if links is None else links[0]


def _kept(x: Atom, equation: Equation) -> Equation | Atom:
    """`x` in place of the output, if it is the same array and not a number that would change the dtype."""
    return x if isinstance(x, Variable) and x.type == equation.output.type else equation


def _is(x: Atom, number: float, dtype: np.dtype[Any]) -> bool:
    """Whether a constant is this number; among floats 0.0 is not −0.0, for −0.0 + 0.0 is 0.0."""
    if dtype.kind == "c" or not isinstance(x, Literal) or x.shape != () or x.value != number:
        return False  # of complex numbers both parts would have to be the same to the bit
    return dtype.kind != "f" or bool(np.signbit(x.value) == np.signbit(number))


def _without_broadcasts(equation: Equation, spread: dict[Variable, Atom]) -> Equation:
    """The equation on the unbroadcast inputs, if the others still give the output its shape."""
    inputs = list(equation.inputs)
    for i, x in enumerate(inputs):
        if isinstance(x, Variable) and x in spread:
            trial = [*inputs[:i], spread[x], *inputs[i + 1 :]]
            if np.broadcast_shapes(*(other.shape for other in trial)) == equation.output.shape and any(
                isinstance(other, Variable) for other in trial
            ):
                inputs = trial
    return equation.replace(inputs=tuple(inputs))


def share_equal(program: Program) -> Program:
    """Equations that compute the same thing are computed once."""
    seen: dict[Any, Variable] = {}

    def key(x: Atom) -> Any:
        if isinstance(x, Variable):
            return x
        if x.shape != ():
            return id(x.value)
        number = np.asarray(x.value)
        return type(x.value), number.dtype, number.tobytes()  # bytes: 0.0 is not −0.0

    def rule(equation: Equation) -> Equation | Atom:
        try:
            identity = (equation.op, tuple(map(key, equation.inputs)), tuple(equation.attributes.items()))
            first = seen.setdefault(identity, equation.output)
        except TypeError:  # an attribute that cannot be compared
            return equation
        return equation if first is equation.output else first

    return _rewrite(program, rule)


def drop_unused(program: Program) -> Program:
    """Equations that no output needs are removed."""
    needed = {x for x in program.outputs if isinstance(x, Variable)}
    kept = []
    for equation in reversed(program.equations):
        if equation.output in needed:
            kept.append(equation)
            needed.update(x for x in equation.inputs if isinstance(x, Variable))
    return replace(program, equations=tuple(reversed(kept)))
