"""Which elements of a result an element of an input reaches, letter by letter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import NoFormulaError
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.formulas.indices import Letter, letters_in
from chainrule.explanation.formulas.letters import Alphabet, letters_of
from chainrule.explanation.formulas.linking import reached
from chainrule.explanation.formulas.symbols import Element, Expression
from chainrule.ops import Elementwise
from chainrule.ops.operation import eager
from chainrule.tracing.program import Equation


@dataclass(frozen=True)
class Use:
    """One way an element enters an equation: the elements of the output it reaches, all places of `letters` of them.

    Where letters say that it does so at some places only, `conditions` are factors that are 1 there and 0 elsewhere.
    """

    equation: Equation
    position: int
    source: Element
    target: Element
    letters: tuple[Letter, ...]
    conditions: tuple[Expression, ...] = ()


def uses_of(evaluation: Evaluation, element: Element, alphabet: Alphabet, loose: bool) -> Iterator[Use]:
    """All ways a derivative passes from an element into equations; `loose`: also those that conditions on letters say."""
    for equation, position in evaluation.uses[element.variable]:
        if not equation.op.differentiable or equation.output.dtype.kind != "f":
            continue
        if isinstance(equation.op, Elementwise) and equation.op.partials[position] is None:
            continue
        yield from _reach(evaluation, equation, position, element, alphabet, loose)


def _reach(
    evaluation: Evaluation, equation: Equation, position: int, element: Element, alphabet: Alphabet, loose: bool
) -> Iterator[Use]:
    output = equation.output
    has_samples = output in evaluation.samples

    def fresh(axis: int) -> Letter | int:
        size = output.shape[axis]
        return 0 if size == 1 else alphabet.letter(size, axis == 0 and has_samples)

    routes = reached(equation, position, element.index, fresh, loose)
    loose |= output is evaluation.output  # ∂y[1]/∂y[k] is [k = 1]
    if routes is not None and (loose or not any(route.conditions for route in routes)):
        for route in routes:
            index = tuple(route.places[axis] for axis in range(len(output.shape)))
            new = (*letters_in(index), *(x for c in route.conditions for x in letters_of(c)))
            own = dict.fromkeys(x for x in new if x not in element.letters)
            yield Use(equation, position, element, Element(output, index), tuple(own), route.conditions)
    elif element.letters:
        raise no_formula(evaluation, equation, element)
    else:
        for place in np.argwhere(unit_tangent_of(evaluation, equation, position, element)):
            yield Use(equation, position, element, Element(output, tuple(map(int, place))), ())


def no_formula(evaluation: Evaluation, equation: Equation, element: Element) -> NoFormulaError:
    """The error for an operation that letters cannot follow."""
    letters = ", ".join(dict.fromkeys(letter.name for letter in element.letters))
    return NoFormulaError(
        f"there is no one formula for all places {letters}: how {equation.op.name} takes single elements of "
        f"{evaluation.label(element.variable)}, of shape {element.variable.shape}, further is known for numbers only. "
        "Give whole numbers as places instead of letters, such as [0, 0]."
    )


def unit_tangent_of(evaluation: Evaluation, equation: Equation, position: int, element: Element) -> Any:
    """∂output/∂element for every number of the output, by the operation's forward rule."""
    unit = np.zeros(element.variable.shape)
    unit[element.place] = 1.0
    tangents = [unit[()] if i == position else None for i in range(len(equation.inputs))]
    inputs = [evaluation.precise(x) for x in equation.inputs]
    return equation.op.pushforward(eager, tangents, evaluation.precise(equation.output), inputs, **equation.attributes)
