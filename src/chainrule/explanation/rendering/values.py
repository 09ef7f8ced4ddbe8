"""A value one can look into, as Markdown: what it is called, what it is computed from, its numbers and its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import NoFormulaError
from chainrule.explanation.evaluations.elements import Formulas
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.places import element_of, letters_for
from chainrule.explanation.formulas.letters import Alphabet
from chainrule.explanation.formulas.symbols import Element, Expression, Slope, Symbol
from chainrule.explanation.rendering.names import Spelled, spelled
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.printer import Leaf, Printer
from chainrule.explanation.rendering.styles import LatexStyle, for_markdown
from chainrule.ops.notation import ATOM
from chainrule.tracing.program import Variable

SEPARATOR = r",\qquad "
SHOWN = 6
"""Rows and columns of an array that are written; of more the first ones and the last."""


def value_as_markdown(evaluation: Evaluation, x: Variable, gradient: Any, digits: int = 6) -> str:
    """A formula, the number or the matrix, and the gradient if there is one, as LaTeX between dollar signs."""
    style = LatexStyle()
    name = style.name(Spelled(evaluation.names[x], ())) if x in evaluation.names else ""
    formula = formula_of(evaluation, x, digits)
    said = []
    if formula and np.ndim(evaluation.values[x]):
        said.append(f"{formula[0]} = {formula[1]}" if name else formula[1])
    whole = [name, *(formula[1:] if formula and not said else ()), numbers_in_latex(evaluation.values[x], digits)]
    said.append(" = ".join(part for part in whole if part))
    if gradient is not None:
        said.append(rf"\mathrm{{grad}} = {numbers_in_latex(gradient, digits)}")
    return f"${for_markdown(SEPARATOR.join(said))}$"


def formula_of(evaluation: Evaluation, x: Variable, digits: int) -> tuple[str, str] | None:
    """An element of a value, with letters, and what it is computed from down to values with names; `None` without formula."""
    element = element_of(evaluation, x, tuple(letters_for(evaluation, x)))
    formulas = Formulas(evaluation, evaluation.names.__contains__, Alphabet({own.name for own in element.letters}))
    equation = evaluation.makers.get(x)
    if equation is None or _is_long(evaluation, x):
        return None
    try:
        right = formulas.made_by(equation, element)
    except NoFormulaError:
        return None
    if right == Symbol(element):
        return None
    write = written(evaluation, digits)
    return write(Symbol(element)), write(right)


LONG = 12
"""Operations of the longest formula that is written."""


def _is_long(evaluation: Evaluation, x: Variable) -> bool:
    """Whether it takes many operations to get to a value from those that have names."""
    waiting, count = [x], 0
    while waiting and count <= LONG:
        maker = evaluation.makers.get(waiting.pop())
        count += maker is not None
        inner = () if maker is None else maker.inputs
        waiting += [y for y in inner if isinstance(y, Variable) and y not in evaluation.names]
    return count > LONG


def written(evaluation: Evaluation, digits: int, style: Any = None) -> Callable[[Expression], str]:
    """Writes expressions of an evaluation's elements, by their names, in LaTeX by default."""
    style = style or LatexStyle()

    def leaf(x: Symbol | Slope) -> Leaf:
        element: Element = x.by if isinstance(x, Slope) else x.element
        name = spelled(evaluation, element, {})
        return Leaf(style.name(name), ATOM, name.short)

    return Printer(style, leaf, digits).write


def numbers_in_latex(value: Any, digits: int) -> str:
    """A number, a vector as a row, a matrix; of arrays with more axes the shape."""
    array, style = np.asarray(value), LatexStyle()

    def one(x: Any) -> str:
        return r"\cdots" if x is None else style.number(numeral(float(x), digits))

    if array.ndim > 2 or not array.size:
        return rf"\mathrm{{array\ of\ shape\ }}({', '.join(map(str, array.shape))})"
    if not array.ndim:
        return one(array)
    rows = _folded([_folded(list(row)) for row in np.atleast_2d(array)])
    columns = len(_folded(list(np.atleast_2d(array)[0])))
    lines = r" \\ ".join(" & ".join([r"\vdots"] * columns if row is None else map(one, row)) for row in rows)
    return rf"\begin{{pmatrix}} {lines} \end{{pmatrix}}"


def _folded(items: list[Any]) -> list[Any]:
    """The first ones and the last, with `None` for what is left out between."""
    return items if len(items) <= SHOWN else [*items[: SHOWN - 2], None, items[-1]]
