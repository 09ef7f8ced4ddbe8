"""An evaluation without the equations that a reader skips: x − 0, 1·x, a case that is decided beforehand.

What a library's function guards against is decided by the numbers at hand: of `where(z is inside, …, …)` the case that holds. What
it computes of the same twice is one value, and what has no derivative (the largest of several, to subtract it) a number. Where no
numbers are known, the case is taken that is not a constant.
"""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.explanation.evaluations.backward import dependents
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.labels import is_uniform
from chainrule.explanation.formulas.symbolic import call
from chainrule.explanation.formulas.symbols import Call, Element, Expression, Numeral, Product, Symbol, by_algebra
from chainrule.ops import Elementwise, Reduction
from chainrule.ops.kinds.reduction import Uniform
from chainrule.tracing.program import Atom, Equation, Literal, Variable
from chainrule.tracing.scope import in_library


def without_idle_equations(evaluation: Evaluation, kept: Container[Variable]) -> Evaluation:
    """The same evaluation with x in place of what is x again; variables that are `kept` and those with names stay.

    Where the output is a value without name again, that is called the output.
    """
    stands_for: dict[Variable, Atom] = {}
    output, names, cotangents = evaluation.output, dict(evaluation.names), dict(evaluation.cotangents)
    seen: dict[Any, Variable] = {}
    moving = dependents(evaluation.program.equations, evaluation.program.inputs)
    equations = []
    for equation in evaluation.program.equations:
        inputs = tuple(stands_for.get(x, x) if isinstance(x, Variable) else x for x in equation.inputs)
        own = equation if inputs == equation.inputs else equation.replace(inputs=inputs)
        x = equation.output
        named = x in evaluation.names
        same = None if x in kept or (named and x is not output) else _same(evaluation, own)
        if same is None and in_library(own.scope) and not named and x not in moving and evaluation.cotangents:
            same = Literal(evaluation.values[x])
        if same is None and in_library(own.scope) and not named and x not in kept:
            same = _once(own, seen)
            if same is not None and x in cotangents:
                cotangents[same] = cotangents[same] + cotangents[x] if same in cotangents else cotangents[x]
        if x is output and named and (same in names or same not in evaluation.cotangents):
            same = None
        if x is output and isinstance(same, Variable):
            output = same
            names |= {same: names[x]} if named else {}
        if same is None:
            equations.append(_as_written(own))
        else:
            stands_for[x] = same
    if all(new is old for new, old in zip(equations, evaluation.program.equations, strict=False)) and not stands_for:
        return evaluation
    return replace(
        evaluation,
        program=replace(evaluation.program, equations=tuple(equations)),
        values={x: value for x, value in evaluation.values.items() if x not in stands_for},
        names={x: name for x, name in names.items() if x not in stands_for},
        output=output,
        cotangents={x: value for x, value in cotangents.items() if x not in stands_for},
    )


def _same(evaluation: Evaluation, equation: Equation) -> Atom | None:
    """The input that an equation gives again, or the constant that it is; `None` where it computes something."""
    op, inputs, output = equation.op, equation.inputs, equation.output
    if all(isinstance(x, Literal) for x in inputs):
        value = op.evaluate(*(x.value for x in inputs if isinstance(x, Literal)), **equation.attributes)
        return Literal(np.asarray(value, output.dtype)[()])
    if isinstance(op, Reduction) and isinstance(op.partial, Uniform) and op.partial.of_count(1) == 1.0:
        return inputs[0] if inputs[0].shape == output.shape and math.prod(output.shape) == 1 else None
    if not isinstance(op, Elementwise) or not op.differentiable:
        return None
    found: Atom
    if op.notation.form == "cases" and (isinstance(inputs[0], Literal) or in_library(equation.scope)):
        decided = set(np.ravel(evaluation.value(inputs[0])).tolist())
        if decided == {None}:  # no numbers are known
            flat = [_is_flat(evaluation, x) for x in inputs[1:]]
            decided = {flat == [False, True]} if flat[0] != flat[1] else set()
        found = inputs[1] if decided == {True} else inputs[2] if decided == {False} else output
    elif op.passes:
        found = inputs[0]
    elif equation.attributes:
        return None
    else:
        symbols = [_symbol(x) for x in inputs]
        if None in symbols:
            return None
        formula = call(op, *(x for x in symbols if x is not None))
        found = inputs[symbols.index(formula)] if isinstance(formula, Symbol) else output
    kind = found.dtype if isinstance(found, Variable) else np.asarray(found.value).dtype
    return found if found is not output and (found.shape, kind) == (output.shape, output.dtype) else None


def _as_written(equation: Equation) -> Equation:
    """What formulas write of an equation: x² of x·x, 2·x of x + x, so that the rules are those of what is read."""
    symbols = [_symbol(x) for x in equation.inputs]
    if (
        not isinstance(equation.op, Elementwise)
        or equation.attributes
        or None in symbols
        or len(symbols) < 2
        or len({*symbols}) > 1
    ):
        return equation
    formula = call(equation.op, *(x for x in symbols if x is not None))
    x = equation.inputs[0]
    if isinstance(formula, Call) and formula.arguments == (symbols[0],):
        return equation.replace(op=formula.op, inputs=(x,))
    if isinstance(formula, Product) and len(formula.factors) == 2 and formula.factors[1] == symbols[0]:
        number = formula.factors[0]
        assert isinstance(number, Numeral)
        return equation.replace(op=by_algebra()["product"], inputs=(Literal(np.float64(number.value)), x))
    return equation


def _is_flat(evaluation: Evaluation, x: Atom) -> bool:
    """Whether a value is a constant in every case."""
    maker = evaluation.makers.get(x) if isinstance(x, Variable) else None
    if maker is None:
        return isinstance(x, Literal)
    return maker.op.notation.form == "cases" and all(_is_flat(evaluation, y) for y in maker.inputs[1:])


def _once(equation: Equation, seen: dict[Any, Variable]) -> Variable | None:
    """The output of an equation met before that computes the same of the same."""
    inputs = [
        x if isinstance(x, Variable) else repr(x.value) if np.size(x.value) == 1 else id(x) for x in equation.inputs
    ]
    first = seen.setdefault((equation.op, *inputs, repr(equation.attributes), equation.output.step), equation.output)
    return None if first is equation.output else first


def _symbol(x: Atom) -> Expression | None:
    """An input by its name, one number by itself; `None` for constants of several numbers."""
    if isinstance(x, Variable):
        return Symbol(Element(x))
    return Numeral(float(np.ravel(x.value)[0])) if is_uniform(x.value) else None
