"""The splits of a number as text and as HTML: of every part its name, its value, its share, and a bar."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import NamedTuple

from chainrule.explanation.rendering.names import wrapped
from chainrule.explanation.rendering.numerals import how_many, numeral

WIDTH = 46
"""Characters of a name on one line of text; longer ones go on below."""
MOST = 10
"""Parts of a split that are listed."""
BAR = 16
"""Characters of the longest bar."""
COLOURS = {1: "#0072b2", 0: "#586473", -1: "#d55e00"}


class Piece(NamedTuple):
    """A part: what it is called, what it adds, and how many are put together in it."""

    name: str
    value: float
    number: int = 1


class Row(NamedTuple):
    """A part in writing."""

    name: str
    value: str
    share: str
    bar: str
    sign: int


Splits = Mapping[str, Sequence[Piece]]
"""The parts, by what the number is split."""
Tables = Mapping[str, Sequence[Row]]
Writes = Callable[[str, Tables], str]


def render_splits(title: str, total: float, splits: Splits, digits: int, write: Writes) -> str:
    """The splits of a number, as one of the functions below writes them."""
    tables = {heading: _rows(pieces, total, digits) for heading, pieces in splits.items()}
    return write(f"{title} = {_number(total, digits)}", tables)


def as_text(title: str, tables: Tables) -> str:
    """Lines with bars."""
    out = [title]
    for heading, rows in tables.items():
        names = [wrapped(row.name, WIDTH) for row in rows]
        width = max(len(line) for name in names for line in name)
        room, share = max(len(row.value) for row in rows), max(len(row.share) for row in rows)
        out += ["", f"by {heading}"]
        for row, (first, *further) in zip(rows, names, strict=True):
            line = f"  {first.ljust(width)}  {row.value.rjust(room)}  {row.share.rjust(share)}  {row.bar}"
            out += [line.rstrip(), *(f"    {line}" for line in further)]
    return "\n".join(out)


def as_html(title: str, tables: Tables) -> str:
    """Tables with bars."""
    left, right = (f'style="text-align:{side};padding:.15em .8em"' for side in ("left", "right"))
    out = []
    for heading, rows in tables.items():
        out.append(f'<tr><th colspan="4" {left}>by {escape(heading)}</th></tr>')
        for row in rows:
            bar = f'<span style="color:{COLOURS[row.sign]}">{row.bar}</span>'
            name = escape(row.name) if row.bar or row.share else f"<b>{escape(row.name)}</b>"
            cells = (
                f"<td {left}>{name}</td><td {right}>{row.value}</td><td {right}>{row.share}</td><td {left}>{bar}</td>"
            )
            out.append(f"<tr>{cells}</tr>")
    return f'<div class="chainrule-contributions"><p><b>{escape(title)}</b></p><table>{"".join(out)}</table></div>'


def _rows(pieces: Sequence[Piece], total: float, digits: int) -> list[Row]:
    """The parts in writing, and what they are together."""
    listed = _folded(pieces)
    largest = max((abs(piece.value) for piece in listed), default=0.0) or 1.0

    def row(name: str, value: float, share: str, bar: str) -> Row:
        return Row(name, ("+" if value > 0 else "") + _number(value, digits), share, bar, (value > 0) - (value < 0))

    found = [row(x.name, x.value, _share(x.value, total), "█" * round(BAR * abs(x.value) / largest)) for x in listed]
    return [*found, row("together", total, "", "")]


def _folded(pieces: Sequence[Piece]) -> list[Piece]:
    """The parts, or where there are many the largest first and the others together."""
    if how_many(len(pieces), MOST - 1) == len(pieces):
        return list(pieces)
    single = [i for i, piece in enumerate(pieces) if piece.number == 1]
    largest = sorted(single, key=lambda i: -abs(pieces[i].value))[: MOST - 1]
    others = [piece for i, piece in enumerate(pieces) if i not in largest]
    number = sum(piece.number for piece in others)
    kept = [pieces[i] for i in largest]
    return [*kept, Piece(f"{number:,} others", math.fsum(piece.value for piece in others), number)]


def _number(x: float, digits: int) -> str:
    return numeral(x, digits).replace("-", "−")


def _share(x: float, total: float) -> str:
    return f"{round(100 * x / total, 1) + 0.0:.1f} %".replace("-", "−") if total else ""
