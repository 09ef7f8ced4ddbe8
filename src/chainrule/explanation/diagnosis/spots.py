"""Where in a network something stands, in words: a layer, an element with its sample, a formula; and the number there."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.labels import Label, labels_of
from chainrule.ops.notation import ATOM
from chainrule.tracing.program import Atom, Equation, Variable

LONGEST = 40
"""Characters of a formula that stands for a name."""


def formula_of(evaluation: Evaluation, x: Variable) -> str:
    """What makes a variable, in the names of others."""
    return _formula(evaluation, x).text


def _formula(evaluation: Evaluation, x: Variable) -> Label:
    return labels_of(evaluation.program, {y: name for y, name in evaluation.names.items() if y is not x})[x]


def name_of(evaluation: Evaluation, x: Atom) -> str:
    """What a value goes by: a name, or a formula in parentheses where it needs some, of which long ones are cut."""
    if not isinstance(x, Variable):
        return evaluation.label(x)
    label = evaluation.labels[x]
    text, strength, _ = label if label.tells else _formula(evaluation, x)
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return short if strength == ATOM else f"({short})"


def where_of(evaluation: Evaluation, x: Atom, place: tuple[int, ...]) -> tuple[int | None, str]:
    """The sample that an element belongs to, if it belongs to one, and the element in writing."""
    sample = int(place[0]) if isinstance(x, Variable) and x in evaluation.samples and place else None
    label = name_of(evaluation, x)
    return sample, f"{label}[{', '.join(map(str, place))}]" if place else label


def layer_of(evaluation: Evaluation, equation: Equation) -> str:
    """Where in the network an equation stands: a layer, a function of the user's, or the loss."""
    name = equation.scope.split(" / ")[0]
    is_layer = any(known.startswith(f"{name}.") for known in evaluation.names.values())
    return f"layer {name}" if is_layer else f"the function {name}" if name else "the loss"


def number_at(value: Any, place: tuple[int, ...]) -> float | None:
    """The number of an array that stands at a place of the result, where arrays are broadcast."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu" or array.ndim > len(place):
        return None
    own = place[len(place) - array.ndim :]
    if any(i >= n and n != 1 for i, n in zip(own, array.shape, strict=True)):
        return None
    return float(array[tuple(0 if n == 1 else i for i, n in zip(own, array.shape, strict=True))])
