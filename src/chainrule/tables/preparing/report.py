"""What became of every column, as a table in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chainrule.tables.columns import Column
from chainrule.tables.columns.number import scaled_text
from chainrule.tables.options import spell
from chainrule.tables.preparing.target import Target

MOST_LINES = 40
WIDEST = {"column": 24, "kind": 10, "why": 72, "gives": 60}


class Line(NamedTuple):
    """One column: its name, its kind, why it is of this kind, and what the network gets."""

    column: str
    kind: str
    why: str
    gives: str


def lines(columns: Sequence[Column], target: Target) -> list[Line]:
    """One line for every column, and the target's last."""
    found = [Line(column.name, column.kind, spell(column.why), column.told) for column in columns]
    if target.task == "classification":
        gives = f"{len(target.classes):,} classes"
    else:
        scale = target.in_use
        gives = scaled_text("ln y" if scale.kind == "log" else "y", scale.mean, scale.deviation)
    return [*found, Line(target.name, "target", f"{target.task}: {target.why}", gives)]


def report(columns: Sequence[Column], target: Target, remarks: Sequence[str]) -> str:
    """The table, long runs of columns shortened, and the remarks below it."""
    every = lines(columns, target)
    shown = every
    if len(every) > MOST_LINES:
        counts: dict[str, int] = {}
        for line in every[MOST_LINES - 10 : -1]:
            counts[line.kind] = counts.get(line.kind, 0) + 1
        more = [Line(f"… {count:,} more", kind, "", "") for kind, count in counts.items()]
        shown = [*every[: MOST_LINES - 10], *more, every[-1]]
    rows = [Line("column", "kind", "why", "what the network gets"), *shown]
    cut = [[_cut(cell, most) for cell, most in zip(row, WIDEST.values(), strict=True)] for row in rows]
    widths = [max(len(row[i]) for row in cut) for i in range(len(WIDEST))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cut]
    text.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join([*text, *(f"• {spell(remark)}" for remark in remarks)])


def _cut(text: str, width: int) -> str:
    text = " ".join(text.splitlines())
    return text if len(text) <= width else text[: width - 1] + "…"
