"""A diagnosis in writing: for terminals, as Markdown and as HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from chainrule.explanation.diagnosis.diagnosed import Diagnosed
from chainrule.explanation.diagnosis.measures import Flow, ParameterMeasures
from chainrule.explanation.plain import plain
from chainrule.explanation.rendering.commands import sentence
from chainrule.explanation.rendering.json_form import VERSION, written
from chainrule.explanation.rendering.numerals import how_many, numeral
from chainrule.explanation.rendering.tables import Table
from chainrule.explanation.rendering.written import filled

SIZES = ("parameter", "‖∂L/∂W‖", "‖∂L/∂W‖/‖W‖", "‖ΔW‖/‖W‖")
ROWS = 24
"""Rows of the longest table; of more the first ones and the last."""


def as_text(told: Diagnosed) -> str:
    """Sentences, then tables, in lines of at most 80 characters where names are not longer."""
    out = [_title(told), ""]
    for number, finding in enumerate(told.findings, 1):
        out += filled(finding.says, f"{number}. ")
        out += [*filled(f"Try {finding.remedy}.", " " * (len(str(number)) + 2)), ""]
    if not told.findings:
        out += [*filled(_nothing(told), ""), ""]
    return "\n".join(out + [f"{table}\n" for table in _tables(told)]).rstrip()


def as_markdown(told: Diagnosed) -> str:
    """Sentences as a list, with tables below that are HTML."""
    out = [f"**{sentence(_title(told))}**"]
    found = [f"{i}. {sentence(x.says)} *Try* {sentence(x.remedy)}." for i, x in enumerate(told.findings, 1)]
    out.append("\n".join(found) if found else sentence(_nothing(told)))
    return "\n\n".join([*out, *(table._repr_html_() for table in _tables(told))])


def as_html(told: Diagnosed) -> str:
    """The same as a piece of a page."""
    out = [f"<p><b>{escape(_title(told))}</b></p>"]
    out += [f"<p>{i}. {escape(x.says)} <em>Try</em> {escape(x.remedy)}.</p>" for i, x in enumerate(told.findings, 1)]
    if not told.findings:
        out.append(f"<p>{escape(_nothing(told))}</p>")
    return f'<div class="chainrule-diagnosis">{"".join(out)}{"".join(table._repr_html_() for table in _tables(told))}</div>'


def as_data(told: Diagnosed) -> dict[str, Any]:
    """Everything as nested dicts of numbers and texts."""
    data = {
        "version": VERSION,
        "kind": "diagnosis",
        "loss": told.loss,
        "rows": told.rows,
        "optimizer": told.optimizer,
        "learning_rate": told.learning_rate,
        "healthy": told.healthy,
        "findings": [asdict(finding) for finding in told.findings],
        "looked_for": told.looked_for,
        "layers": [_flow_data(flow) for flow in told.layers],
        "parameters": [_parameter_data(p) for p in told.parameters],
    }
    return plain(data)  # type: ignore[no-any-return]


def as_json(told: Diagnosed) -> str:
    """The same as JSON, numbers unrounded."""
    return written(as_data(told))


FORMS: dict[str, Callable[[Diagnosed], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "html": as_html,
    "json": as_json,
}
"""Ways to write a diagnosis, by name."""


def _title(told: Diagnosed) -> str:
    rows = "1 sample" if told.rows == 1 else f"{told.rows:,} samples"
    loss = numeral(told.loss, max(told.digits, 4)).replace("-", "−")
    return f"One step of {told.optimizer} at η = {told.learning_rate:g} on {rows}, L = {loss}"


def _nothing(told: Diagnosed) -> str:
    return f"No problems found. Looked for: {'; '.join(told.looked_for)}."


def _tables(told: Diagnosed) -> list[Table]:
    number = _Numbers(told.digits)
    flows = [(f.name, _from(f), *map(number, (f.dz, f.factor, f.slopes, f.weights, f.mean_slope))) for f in told.layers]
    heads = ("layer", "from", "‖∂L/∂z‖", "factor", "= act′", "· weights", "mean |act′|")
    slopes = [
        (p.name, *map(number, (p.gradient, p.gradient_ratio, p.update_ratio if p.learned else None)))
        for p in told.parameters
    ]
    return [
        Table(
            "The gradient on its way back, and what multiplies it from layer to layer",
            heads,
            *_cut(flows),
            texts=2,
        ),
        Table("Gradients and steps relative to the size of the parameters", SIZES, *_cut(slopes)),
    ]


def _from(flow: Flow) -> str:
    """Where the gradient of a station comes from."""
    return ", ".join(flow.above) or ("nowhere" if flow.dz is None else "the loss")


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


def _flow_data(flow: Flow) -> dict[str, Any]:
    return {
        "name": flow.name,
        "layer": flow.station.layer,
        "units": flow.station.units,
        "above": list(flow.above),
        "dz": flow.dz,
        "da": flow.da,
        "mean_slope": flow.mean_slope,
        "factor": flow.factor,
        "slopes": flow.slopes,
        "weights": flow.weights,
    }


def _parameter_data(p: ParameterMeasures) -> dict[str, Any]:
    return {
        "name": p.name,
        "learned": p.learned,
        "size": p.size,
        "gradient": p.gradient,
        "gradient_ratio": p.gradient_ratio,
        "update": p.update,
        "update_ratio": p.update_ratio,
    }
