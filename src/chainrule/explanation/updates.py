"""How an optimizer changes a parameter, as formulas read off its own code: w′ = w − η · g."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.errors import NoFormulaError
from chainrule.explanation.elements import Alphabet, Formulas
from chainrule.explanation.evaluation import Evaluation
from chainrule.explanation.indices import Index, Letter
from chainrule.explanation.rendering.names import Spelled
from chainrule.explanation.rendering.printer import Leaf, Printer
from chainrule.explanation.rendering.styles import TextStyle
from chainrule.explanation.symbolic import rewritten
from chainrule.explanation.symbols import Element, Expression, Numeral, Slope, Symbol, symbols_in
from chainrule.ops.notation import ATOM
from chainrule.ops.operation import ArrayType
from chainrule.tracing import simplify, trace, trees
from chainrule.tracing.program import Variable
from chainrule.training import Optimizer

PARAMETER, GRADIENT, RATE, STEP = "w", "g", "η", "t"
NEW = "′"


def formulas_of_update(optimizer: Optimizer, shape: tuple[int, ...]) -> dict[str, str]:
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
            found[name] = f"{name}{NEW} = {formula}"
    return found


def _formula(evaluation: Evaluation, x: Variable) -> str | None:
    places = tuple(Letter(letter, size) if size > 1 else 0 for letter, size in zip("ijabcdef", x.shape, strict=False))
    element = Element(x, places)
    formulas = Formulas(evaluation, evaluation.names.__contains__, Alphabet({own.name for own in element.letters}))
    maker = evaluation.makers.get(x)
    if maker is None:
        return evaluation.names[x]
    try:
        written = rewritten(formulas.made_by(maker, element), _rounded)
    except NoFormulaError:
        return None
    if written == Symbol(element) or not _is_told(evaluation, written):
        return None
    return Printer(TextStyle(), lambda symbol: _leaf(evaluation, symbol, places)).write(written)


def _rounded(x: Expression) -> Expression | None:
    """A number without what rounding left of 1 − 0.9."""
    return Numeral(float(f"{x.value:.12g}")) if isinstance(x, Numeral) else None


def _is_told(evaluation: Evaluation, written: Expression) -> bool:
    """Whether a formula speaks of named values alone."""
    symbols = [x for x in symbols_in(written) if isinstance(x, Symbol)]
    return all(x.element.variable in evaluation.names for x in symbols)


def _leaf(evaluation: Evaluation, x: Symbol | Slope, places: Index) -> Leaf:
    """A name, without the places where they are the same as those of what is computed."""
    element = x.by if isinstance(x, Slope) else x.element
    index = () if element.index == places else tuple(map(str, element.index))
    name = Spelled(evaluation.names[element.variable], index)
    return Leaf(name.text, ATOM, name.short)
