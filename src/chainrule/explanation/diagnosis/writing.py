"""A diagnosis in writing: for terminals, as Markdown and as HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape
from typing import Protocol

from chainrule.explanation.diagnosis.illness import Finding
from chainrule.explanation.diagnosis.measures import Flow, ParameterMeasures
from chainrule.explanation.rendering.commands import sentence
from chainrule.explanation.rendering.numerals import how_many, numeral
from chainrule.explanation.rendering.tables import Table

WIDTH = 80
"""Characters of a line of text."""
ROWS = 24
"""Rows of the longest table; of more the first ones and the last."""


class Told(Protocol):
    """What is written."""

    @property
    def findings(self) -> tuple[Finding, ...]: ...
    @property
    def layers(self) -> tuple[Flow, ...]: ...
    @property
    def parameters(self) -> tuple[ParameterMeasures, ...]: ...
    @property
    def looked_for(self) -> tuple[str, ...]: ...
    @property
    def loss(self) -> float: ...
    @property
    def rows(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def optimizer(self) -> str: ...
    @property
    def digits(self) -> int: ...


def as_text(told: Told) -> str:
    """Sentences, then tables, in lines of at most 80 characters where names are not longer."""
    out = [_title(told), ""]
    for number, finding in enumerate(told.findings, 1):
        out += _wrapped(finding.says, f"{number}. ")
        out += [*_wrapped(f"Try {finding.remedy}.", " " * (len(str(number)) + 2)), ""]
    if not told.findings:
        out += [*_wrapped(_nothing(told), ""), ""]
    return "\n".join(out + [f"{table}\n" for table in _tables(told)]).rstrip()


def as_markdown(told: Told) -> str:
    """Sentences as a list, with tables below that are HTML."""
    out = [f"**{sentence(_title(told))}**"]
    found = [f"{i}. {sentence(x.says)} *Try* {sentence(x.remedy)}." for i, x in enumerate(told.findings, 1)]
    out.append("\n".join(found) if found else sentence(_nothing(told)))
    return "\n\n".join([*out, *(table._repr_html_() for table in _tables(told))])


def as_html(told: Told) -> str:
    """The same as a piece of a page."""
    out = [f"<p><b>{escape(_title(told))}</b></p>"]
    out += [f"<p>{i}. {escape(x.says)} <em>Try</em> {escape(x.remedy)}.</p>" for i, x in enumerate(told.findings, 1)]
    if not told.findings:
        out.append(f"<p>{escape(_nothing(told))}</p>")
    return f'<div class="chainrule-diagnosis">{"".join(out)}{"".join(table._repr_html_() for table in _tables(told))}</div>'


def _title(told: Told) -> str:
    rows = "1 sample" if told.rows == 1 else f"{told.rows:,} samples"
    loss = numeral(told.loss, max(told.digits, 4)).replace("-", "−")
    return f"One step of {told.optimizer} at η = {told.learning_rate:g} on {rows}, L = {loss}"


def _nothing(told: Told) -> str:
    return f"Nothing was found. Looked for: {'; '.join(told.looked_for)}."


def _wrapped(text: str, begin: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=begin, subsequent_indent=" " * len(begin), break_long_words=False)


def _tables(told: Told) -> list[Table]:
    number = _Numbers(told.digits)
    flows = [
        (f.name, ", ".join(f.above) or "the loss", *map(number, (f.dz, f.factor, f.slopes, f.weights, f.mean_slope)))
        for f in told.layers
    ]
    heads = ("layer", "from", "‖∂L/∂z‖", "factor", "= act′", "· weights", "mean |act′|")
    slopes = [
        (p.name, *map(number, (p.gradient, p.gradient_ratio, p.update_ratio if p.learned else None))) for p in told.parameters
    ]
    return [
        Table("What is left of the gradient on its way back, and the factors that made it so", heads, *_cut(flows), texts=2),
        Table("Gradients and steps beside the parameters' own size", ("parameter", "‖∂L/∂W‖", "‖∂L/∂W‖/‖W‖", "‖ΔW‖/‖W‖"), *_cut(slopes)),
    ]  # fmt: skip


def _cut(rows: Sequence[tuple[str, ...]]) -> tuple[tuple[tuple[str, ...], ...], str]:
    """The rows of a table, and what is said of those left out."""
    shown = how_many(len(rows), ROWS)
    if shown == len(rows):
        return tuple(rows), ""
    return (*rows[: shown - 2], *rows[-2:]), f"… {len(rows) - shown} rows before the last two are left out"


class _Numbers:
    """Writes numbers; a dash where there is none."""

    def __init__(self, digits: int) -> None:
        self.digits = digits

    def __call__(self, x: float | None) -> str:
        return "—" if x is None else numeral(x, self.digits).replace("-", "−")
