"""Arrays of numbers as tables: a row for every neuron or input, a column for every sample or neuron."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain, islice
from shutil import get_terminal_size
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.explanation.rendering.numerals import how_many, numeral
from chainrule.notebooks import Shown

ROWS, COLUMNS = 12, 6
"""More rows and columns than these are folded."""
INDENT = 4
LONGEST = 60
"""More characters of a word than these are cut off, since all cells of its column are as wide."""


@dataclass(frozen=True, repr=False)
class Table(Shown):
    """A title, the columns' heads, rows, and a note; the first `texts` columns are words, the others numbers."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    texts: int = 1

    @classmethod
    def of_metrics(cls, title: str, metrics: Mapping[str, float], digits: int) -> Table:
        """A row for every metric."""
        return cls(title, ("metric", "value"), tuple((name, _text(x, digits)) for name, x in metrics.items()))

    def __str__(self) -> str:
        note = [f"    {self.note}"] if self.note else []
        title = [f"  {_in_a_line(self.title, 2 * LONGEST)}"] if self.title else []
        cells = [[_in_a_line(cell, LONGEST) for cell in row] for row in (self.heads, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        blocks = [list(map(self._line(columns, widths), cells)) for columns in self._side_by_side(widths)]
        return "\n".join([*title, *chain.from_iterable(blocks), *note])

    def _side_by_side(self, widths: Sequence[int]) -> list[list[int]]:
        """The columns that stand side by side at a terminal of this width; others go below, with the words of their rows again."""
        room = max(60, get_terminal_size((88, 24)).columns)
        words = list(range(self.texts))
        blocks = [[*words]]
        for i in range(self.texts, len(widths)):
            if len(blocks[-1]) > len(words) and INDENT + sum(widths[k] + 2 for k in (*blocks[-1], i)) - 2 > room:
                blocks.append([*words])
            blocks[-1].append(i)
        return blocks

    def _line(self, columns: Sequence[int], widths: Sequence[int]) -> Callable[[Sequence[str]], str]:
        """A row as text: words on the left of their columns, numbers on the right."""

        def line(cells: Sequence[str]) -> str:
            put = [cells[i].ljust(widths[i]) if i < self.texts else cells[i].rjust(widths[i]) for i in columns]
            return " " * INDENT + "  ".join(put).rstrip()

        return line

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *rows = (self._row(row, kind) for row, kind in [(self.heads, "th"), *((row, "td") for row in self.rows)])
        note = f"<p><small>{'<br/>'.join(map(escape, self.note.splitlines()))}</small></p>" if self.note else ""
        title = f"<p><b>{escape(self.title)}</b></p>" if self.title else ""
        return f"{title}<table>{head}{''.join(rows)}</table>{note}"

    def _row(self, cells: Sequence[str], kind: str) -> str:
        """A row whose words stand on the left and whose numbers on the right."""
        inner = ""
        for i, x in enumerate(cells):
            side = "left" if i < self.texts else "right"
            inner += f'<{kind} style="text-align:{side};padding:.15em .7em">{escape(x)}</{kind}>'
        return f"<tr>{inner}</tr>"


def table_of(title: str, arrays: Mapping[str, Any], digits: int, *, axes: tuple[str, str] | None = None) -> Table:
    """Arrays side by side: a row for every place along one axis, for every array a column for every place along the others.

    Values of a batch have shape (batch, units): a row for every unit, columns for samples. Of a parameter the first axis
    gives the rows; `axes` says what its first and its second axis count. Arrays may be of different lengths.
    """
    given = {name: np.asarray(x) for name, x in arrays.items() if x is not None}
    if not given:
        return Table(title, ("",), ())
    matrices = {name: _matrix(x, axes is None) for name, x in given.items()}
    rows, columns = (max(m.shape[i] for m in matrices.values()) for i in (0, 1))
    shown_rows, shown_columns = how_many(rows, ROWS), how_many(columns, max(1, COLUMNS // len(matrices)))
    down, across = axes or ("units", "samples")
    many = columns > 1
    heads = ["" if rows == 1 and axes else down.removesuffix("s")]
    body = [[str(i) if heads[0] else ""] for i in range(shown_rows)]
    for name, matrix in matrices.items():
        for j in range(min(shown_columns, matrix.shape[1])):
            heads.append(f"{name}[{j}]" if many else name)
            for i, row in enumerate(body):
                row.append(_text(matrix[i, j], digits) if i < len(matrix) else "")
    left = [_more(rows - shown_rows, "rows")] * (rows > shown_rows)
    left += [_more(columns - shown_columns, across)] * (columns > shown_columns)
    said = f"{title}   (a row for every {heads[0]}, columns: {across})" if many and down != "rows" else title
    return Table(said, tuple(heads), tuple(map(tuple, body)), f"… and {', '.join(left)}" if left else "")


def table_by_element(
    title: str,
    arrays: Mapping[str, Any],
    digits: int,
    *,
    axes: tuple[str, str],
    precise: Mapping[str, int] = MappingProxyType({}),
) -> Table:
    """A row for every number of a parameter, a column for every array of its shape; `precise` has digits of some arrays' own."""
    given = {name: np.asarray(x) for name, x in arrays.items() if x is not None}
    shape = next(x.shape for x in given.values())
    columns = {name: x for name, x in given.items() if x.shape in (shape, ())}
    count = math.prod(shape)
    rows = [
        (
            ", ".join(map(str, place)),
            *(_text(x[place] if x.ndim else x, precise.get(name, digits)) for name, x in columns.items()),
        )
        for place in islice(np.ndindex(shape), how_many(count, ROWS))
    ]
    head = ", ".join(axis.removesuffix("s") for axis in axes[: len(shape)])
    left = count - len(rows)
    return Table(title, (head, *columns), tuple(rows), f"… and {_more(left, 'rows')}" if left else "")


def _in_a_line(text: str, longest: int) -> str:
    """Words as they stand in a cell: names of a user's may be long, or be in several lines."""
    text = " ".join(text.splitlines())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _more(count: int, things: str) -> str:
    return f"{count} more {things if count > 1 else things.removesuffix('s')}"


def _matrix(x: Any, transposed: bool) -> Any:
    """Two axes: rows to be printed, and columns; of a batch the first axis gives the columns."""
    flat = x.reshape(x.shape[0], -1) if x.ndim else x.reshape(1, 1)
    return flat.T if transposed else flat


def _text(x: Any, digits: int) -> str:
    return numeral(float(x) + 0.0, digits).replace("-", "−")
