"""What notebooks show of objects that stand below explanations: a training's history, a Program."""

from __future__ import annotations

import numpy as np

from chainrule.explanation.drawing.curves import draw_history
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.tables import Table
from chainrule.tracing.program import Program, Variable
from chainrule.training import History

LINES = 40
"""Equations of a Program that are written; of more the first and the last ones."""


def history_as_html(history: History, digits: int = 4) -> str:
    """The curves, and below them every metric at the beginning, at its least and greatest, and at the end."""

    def written(x: float) -> str:
        return numeral(float(x), digits).replace("-", "−")

    rows = []
    for name in history:
        if history.epochs and np.isfinite(column := history.column(name)).any():
            numbers = column[0], np.nanmin(column), np.nanmax(column), column[-1]
            rows.append((name, *map(written, numbers)))
    table = Table("", HEADS, tuple(rows))._repr_html_() if rows else ""
    return f"{draw_history(history)._repr_html_()}{table}"


HEADS = ("metric", "first epoch", "least", "greatest", "last epoch")


def program_as_html(program: Program) -> str:
    """Its equations as a table."""
    rows = [(x.output.name, str(x.output.type), str(x).partition(" = ")[2], x.scope) for x in program.equations]
    if len(rows) > LINES + 1:
        middle = ("…", "", f"{len(rows) - LINES:,} further equations", "")
        rows = [*rows[: LINES // 2], middle, *rows[-LINES // 2 :]]
    outputs = ", ".join(x.name if isinstance(x, Variable) else repr(x) for x in program.outputs)
    columns = 4 if any(scope for *_, scope in rows) else 3
    title = f"{program.name}({', '.join(map(repr, program.inputs))})"
    heads, cells = ("variable", "type", "is", "in")[:columns], tuple(row[:columns] for row in rows)
    return Table(title, heads, cells, f"gives {outputs}", texts=columns)._repr_html_()
