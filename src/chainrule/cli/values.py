"""Values and gradients of a small computation as text: a table in the order of computing, or a tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.explanation import Evaluation, Value
from chainrule.explanation.labels import labels_of
from chainrule.explanation.rendering.names import in_signs
from chainrule.explanation.rendering.numerals import numeral
from chainrule.tracing.program import Variable


def number(x: Any, digits: int = 6) -> str:
    """A number to read, with the minus sign of mathematics; a dash for what is not known.

    Examples
    --------
    >>> number(-2.5), number(1 / 3, 3), number(None)
    ('−2.5', '0.333', '—')
    """
    return "—" if x is None else numeral(float(np.asarray(x)), digits).replace("-", "−")


def table_of(result: Value, digits: int = 6) -> str:
    """Every value that `result` was computed from, in the order of computing, with its gradient.

    Examples
    --------
    >>> import chainrule as cr
    >>> a, b = cr.values(a=2.0, b=-3.0)
    >>> L = (a * b + b).named("L")
    >>> L.backward()
    >>> print(table_of(L))
      value        data  ∂L/∂value
      a               2         −3
      b              −3          3
      a·b            −6          1
      L = a·b + b    −9          1
    """
    evaluation, nodes = result.graph()
    rows = [["value", "data", f"∂{result.name or 'result'}/∂value"]]
    for x in evaluation.values:
        formula = _formula(evaluation, x)
        label = in_signs(evaluation.label(x))
        name = f"{label} = {formula}" if formula not in ("", label) else label
        rows.append([name, number(nodes[x].value, digits), number(nodes[x].grad, digits)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"  {name.ljust(widths[0])}  {data.rjust(widths[1])}  {gradient.rjust(widths[2])}"
        for name, data, gradient in rows
    )


def tree_of(result: Value, digits: int = 6) -> str:
    """What `result` was computed from, as a tree: each value's formula, its data, its gradient.

    Examples
    --------
    >>> import chainrule as cr
    >>> a, b = cr.values(a=2.0, b=-3.0)
    >>> L = ((a * b).named("e") + b).named("L")
    >>> L.backward()
    >>> print(tree_of(L))
      L = e + b     data −9   gradient  1
      ├─ e = a·b    data −6   gradient  1
      │  ├─ a       data  2   gradient −3
      │  └─ b       data −3   gradient  3
      └─ b          (as above)
    """
    evaluation, nodes = result.graph()
    (root,) = evaluation.program.outputs
    assert isinstance(root, Variable)
    lines = list(_branches(evaluation, root, "", "", set()))
    width = max(len(text) for text, _ in lines) + 4
    data = {x: number(node.value, digits) for x, node in nodes.items()}
    gradients = {x: number(node.grad, digits) for x, node in nodes.items()}
    most = [max(map(len, column.values())) for column in (data, gradients)]
    return "\n".join(
        f"  {text.ljust(width)}"
        + ("(as above)" if x is None else f"data {data[x].rjust(most[0])}   gradient {gradients[x].rjust(most[1])}")
        for text, x in lines
    )


def _branches(
    evaluation: Evaluation, x: Variable, stem: str, below: str, seen: set[Variable]
) -> Iterator[tuple[str, Variable | None]]:
    """The lines of a tree: their text, and the variable whose numbers follow it unless they were shown before."""
    formula = _formula(evaluation, x)
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


def _formula(evaluation: Evaluation, x: Variable) -> str:
    """How a named value was computed, in the names of the others; nothing for what was given."""
    if x not in evaluation.makers:
        return ""
    others = {other: name for other, name in evaluation.names.items() if other is not x}
    return in_signs(labels_of(evaluation.program, others)[x].text)
