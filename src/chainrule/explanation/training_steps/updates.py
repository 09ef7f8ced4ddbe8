"""How an optimizer changes a parameter, as formulas read off its own code: w′ = w − η · g."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import NoFormulaError
from chainrule.explanation.evaluations.elements import Formulas
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.formulas.indices import Index, Letter
from chainrule.explanation.formulas.letters import Alphabet
from chainrule.explanation.formulas.symbolic import rewritten
from chainrule.explanation.formulas.symbols import Element, Expression, Numeral, Slope, Symbol, symbols_in
from chainrule.explanation.rendering.names import Spelled
from chainrule.explanation.rendering.printer import Leaf, Printer
from chainrule.explanation.rendering.styles import LatexStyle, TextStyle
from chainrule.ops.notation import ATOM
from chainrule.ops.operation import ArrayType
from chainrule.tracing import simplify, trace, trees
from chainrule.tracing.program import Variable
from chainrule.training import Optimizer

PARAMETER, GRADIENT, RATE, STEP = "w", "g", "η", "t"
NEW = "′"


@dataclass(frozen=True)
class Update:
    """The formula of one array after a step, as text and as the two sides of an equation in LaTeX."""

    text: str
    latex: tuple[str, str]


def formulas_of_update(optimizer: Optimizer, shape: tuple[int, ...]) -> dict[str, Update]:
    """What a step makes of each array kept for a parameter of a shape, by its name, and at last of the parameter `w` itself.

    `g` is the gradient, `η` the learning rate, `t` the number of the step, from 1; `w′` is w after the step. What no formula
    says is left out.
    """
    dtype = np.dtype(np.float64)
    number, array = ArrayType((), dtype), ArrayType(shape, dtype)
    kept = {name: ArrayType(np.shape(x), dtype) for name, x in optimizer.initial_state(np.zeros(shape)).items()}

    def update(parameter: Any, gradient: Any, state: Any, rate: Any, step: Any) -> tuple[Any, Any]:
        new, state = optimizer.update(gradient, parameter, state, rate, step)
        return {name: state[name] for name in kept}, new

    program = simplify(trace(update, array, array, kept, number, number))
    names: dict[Variable, str] = dict(zip(program.inputs, (PARAMETER, GRADIENT, *kept, RATE, STEP), strict=True))
    state, new = trees.unflatten(program.outputs_structure, list(program.outputs))
    made: Mapping[str, Any] = {**state, PARAMETER: new}
    for name, x in made.items():
        if isinstance(x, Variable):
            names.setdefault(x, name + NEW)
    evaluation = Evaluation(program, dict.fromkeys([*program.inputs, *(e.output for e in program.equations)]), names)
    found = {}
    for name, x in made.items():
        formula = _formula(evaluation, x) if isinstance(x, Variable) else None
        if formula is not None:
            sides = [[style.name(Spelled(name + NEW, ())), _written(style, formula, evaluation)] for style in _STYLES]
            (left, right), latex = sides
            found[name] = Update(f"{left} = {right}", (latex[0], f"= {latex[1]}"))
    return found


_STYLES = TextStyle(), LatexStyle()


def _formula(evaluation: Evaluation, x: Variable) -> Expression | None:
    element = Element(x, _places(x.shape))
    formulas = Formulas(evaluation, evaluation.names.__contains__, Alphabet({own.name for own in element.letters}))
    maker = evaluation.makers.get(x)
    try:
        found = Symbol(element) if maker is None else rewritten(formulas.made_by(maker, element), _rounded)
    except NoFormulaError:
        return None
    named = all(s.element.variable in evaluation.names for s in symbols_in(found) if isinstance(s, Symbol))
    return found if named and (maker is None or found != Symbol(element)) else None


def _places(shape: tuple[int, ...]) -> Index:
    """Letters for the place that is computed."""
    return tuple(Letter(letter, size) if size > 1 else 0 for letter, size in zip("ijabcdef", shape, strict=False))


def _rounded(x: Expression) -> Expression | None:
    """A number without what rounding left of 1 − 0.9."""
    return Numeral(float(f"{float(x.value):.12g}")) if isinstance(x, Numeral) else None


def _written(style: Any, formula: Expression, evaluation: Evaluation) -> str:
    """A formula in which names have no places where these are the same as those of what is computed."""

    def leaf(x: Symbol | Slope) -> Leaf:
        element = x.by if isinstance(x, Slope) else x.element
        index = () if element.index == _places(element.variable.shape) else tuple(map(str, element.index))
        name = Spelled(evaluation.names[element.variable], index)
        return Leaf(style.name(name), ATOM, name.short)

    return Printer(style, leaf).write(formula)
