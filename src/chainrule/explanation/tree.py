"""`tree`: what a value was computed from as a tree of text, with data and gradient of every value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.errors import SettingError, shortened
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.labels import FEW, labels_of
from chainrule.explanation.rendering.names import in_signs
from chainrule.explanation.rendering.numerals import readable
from chainrule.explanation.values import Value
from chainrule.tracing.program import Variable


def tree(value: Value, digits: int = 6) -> str:
    """What a value was computed from, as a tree: each value's formula, its data, its gradient.

    Gradients are those of the last `backward`, "—" where there was none.

    Parameters
    ----------
    value : Value
        What others led to.
    digits : int
        Significant digits of numbers.

    Raises
    ------
    SettingError
        When it is given something else.

    Examples
    --------
    >>> import chainrule as cr
    >>> a, b = cr.values(a=2.0, b=-3.0)
    >>> L = ((a * b).named("e") + b).named("L")
    >>> L.backward()
    >>> print(cr.tree(L))
      L = e + b     data −9   gradient  1
      ├─ e = a·b    data −6   gradient  1
      │  ├─ a       data  2   gradient −3
      │  └─ b       data −3   gradient  3
      └─ b          (as above)
    """
    if not isinstance(value, Value):
        raise SettingError(f"tree was given {shortened(value)}; give a cr.Value, such as a result of cr.values(a=2.0).")
    SettingError.unless_count("tree", "digits", digits)
    evaluation, nodes = value.graph()
    (root,) = evaluation.program.outputs
    assert isinstance(root, Variable)
    lines = list(_branches(evaluation, root, "", "", set()))
    width = max(len(text) for text, _ in lines) + 4
    data = {x: _shown(node.value, digits) for x, node in nodes.items()}
    gradients = {x: _shown(node.grad, digits) for x, node in nodes.items()}
    most = [max(map(len, column.values())) for column in (data, gradients)]
    return "\n".join(
        f"  {text.ljust(width)}"
        + ("(as above)" if x is None else f"data {data[x].rjust(most[0])}   gradient {gradients[x].rjust(most[1])}")
        for text, x in lines
    )


def _shown(x: Any, digits: int) -> str:
    """A number; of an array its numbers where they are few."""
    if x is None or np.size(x) == 1:
        return readable(x if x is None else np.ravel(x)[0], digits)
    flat = [readable(number, digits) for number in np.ravel(x)[:FEW]]
    return f"[{', '.join(flat)}{', …' * (np.size(x) > FEW)}]" + f" {np.shape(x)}" * (np.ndim(x) > 1)


def _branches(
    evaluation: Evaluation, x: Variable, stem: str, below: str, seen: set[Variable]
) -> Iterator[tuple[str, Variable | None]]:
    """The lines of a tree: their text, and the variable whose numbers follow it unless they were shown before."""
    formula = formula_of(evaluation, x)
    label = in_signs(evaluation.label(x))
    known = x in seen
    yield stem + (label if known or formula in ("", label) else f"{label} = {formula}"), None if known else x
    seen.add(x)
    maker = evaluation.makers.get(x)
    if maker is None or known:
        return
    inputs = [inner for inner in maker.inputs if isinstance(inner, Variable)]
    for i, inner in enumerate(inputs):
        last = i == len(inputs) - 1
        yield from _branches(
            evaluation, inner, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "), seen
        )


def formula_of(evaluation: Evaluation, x: Variable) -> str:
    """How a named value was computed, in the names of the others; nothing for what was given."""
    if x not in evaluation.makers:
        return ""
    others = {other: name for other, name in evaluation.names.items() if other is not x}
    return in_signs(labels_of(evaluation.program, others)[x].text)
