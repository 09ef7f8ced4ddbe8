"""Arrays of numbers as tables: a row for every neuron or input, a column for every sample or neuron."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from chainrule.explanation.rendering.numerals import numeral

ROWS, COLUMNS = 12, 6
"""More rows and columns than these are folded."""


@dataclass(frozen=True, repr=False)
class Table:
    """A title, the columns' heads, rows of texts, and a note of what was left out."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    @classmethod
    def of_metrics(cls, title: str, metrics: Mapping[str, float], digits: int) -> Table:
        """A row for every metric."""
        return cls(title, ("metric", "value"), tuple((name, _text(x, digits)) for name, x in metrics.items()))

    def __str__(self) -> str:
        widths = [max(len(row[i]) for row in (self.heads, *self.rows)) for i in range(len(self.heads))]

        def line(cells: Sequence[str]) -> str:
            first = cells[0].ljust(widths[0])
            return "  ".join(
                [f"    {first}", *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))]
            ).rstrip()

        note = [f"    {self.note}"] if self.note else []
        return "\n".join([f"  {self.title}", line(self.heads), *map(line, self.rows), *note])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        cell = 'style="text-align:right;padding:.15em .7em"'
        head = "".join(f"<th {cell}>{escape(x)}</th>" for x in self.heads)
        rows = "".join(f"<tr>{''.join(f'<td {cell}>{escape(x)}</td>' for x in row)}</tr>" for row in self.rows)
        note = f"<p><small>{escape(self.note)}</small></p>" if self.note else ""
        return f"<p><b>{escape(self.title)}</b></p><table><tr>{head}</tr>{rows}</table>{note}"


def table_of(title: str, arrays: Mapping[str, Any], digits: int, *, parameter: bool = False) -> Table:
    """Arrays of one shape side by side.

    Values of a batch have shape (batch, units): a row for every unit, for every array a column for every sample. Of a
    parameter the first axis gives the rows.
    """
    given = {name: np.asarray(x) for name, x in arrays.items() if x is not None}
    if not given:
        return Table(title, ("",), ())
    matrices = {name: _matrix(x, parameter) for name, x in given.items()}
    rows, columns = next(iter(matrices.values())).shape
    fitting = max(1, COLUMNS // len(matrices))
    shown_rows, shown_columns = min(rows, ROWS), min(columns, fitting)
    across, down = ("units", "inputs") if parameter and columns > 1 else ("samples", "units")
    many = columns > 1
    heads = [down.removesuffix("s") if rows > 1 or not parameter else ""]
    for name in matrices:
        heads += [f"{name}[{j}]" if many else name for j in range(shown_columns)]
    body = [
        (str(i) if heads[0] else "", *(_text(m[i, j], digits) for m in matrices.values() for j in range(shown_columns)))
        for i in range(shown_rows)
    ]
    left = [_more(rows - shown_rows, "rows")] * (rows > shown_rows)
    left += [_more(columns - shown_columns, across)] * (columns > shown_columns)
    said = f"{title}   (a row for every {heads[0]}, columns: {across})" if many else title
    return Table(said, tuple(heads), tuple(body), f"… and {', '.join(left)}" if left else "")


def _more(count: int, things: str) -> str:
    return f"{count} more {things if count > 1 else things.removesuffix('s')}"


def _matrix(x: Any, parameter: bool) -> Any:
    """Two axes: rows to be printed, and columns."""
    if x.ndim == 0:
        return x.reshape(1, 1)
    if parameter:
        return x.reshape(x.shape[0], -1)
    return x.reshape(x.shape[0], -1).T


def _text(x: Any, digits: int) -> str:
    return numeral(float(x) + 0.0, digits).replace("-", "−")
