"""Values and gradients of a small computation as a table, in the order of computing."""

from __future__ import annotations

from chainrule.explanation.rendering.names import in_signs
from chainrule.explanation.rendering.numerals import readable
from chainrule.explanation.tree import formula_of
from chainrule.explanation.values import Value


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
    rows = [["value", "data", f"{evaluation.d}{result.name or 'result'}/{evaluation.d}value"]]
    for x in evaluation.values:
        formula = formula_of(evaluation, x)
        label = in_signs(evaluation.label(x))
        name = f"{label} = {formula}" if formula not in ("", label) else label
        rows.append([name, readable(nodes[x].value, digits), readable(nodes[x].grad, digits)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"  {name.ljust(widths[0])}  {data.rjust(widths[1])}  {gradient.rjust(widths[2])}"
        for name, data, gradient in rows
    )
