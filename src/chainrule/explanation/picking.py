"""One number of an evaluation's arrays as its output, so that derivatives of any value can be told, not only of the loss."""

from __future__ import annotations

import numpy as np

from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.formulas.symbols import Element
from chainrule.explanation.rendering.names import spelled


def with_output(evaluation: Evaluation, element: Element) -> Evaluation:
    """The same evaluation, with an element as the output, by its own name, and the derivatives of that."""
    x = element.variable
    if x.type.size == 1:
        return evaluation.backward(x, np.ones(x.shape))
    name = spelled(evaluation, element, {}).text
    found, picked = evaluation.followed_by(lambda array: array[element.place], x, name)
    return found.backward(picked)
