"""The forms a derivation can be had in."""

from __future__ import annotations

import json
from typing import Any

from chainrule.errors import UnknownNameError
from chainrule.explanation.derived import Derived, Instance, Line
from chainrule.explanation.finite_differences import Check
from chainrule.explanation.rendering.latex import as_latex, as_markdown
from chainrule.explanation.rendering.mathml import as_html, as_mathml
from chainrule.explanation.rendering.story import Writer
from chainrule.explanation.rendering.styles import TextStyle
from chainrule.explanation.rendering.text import as_text


def render_derivation(derivation: Derived, form: str) -> str:
    """The derivation as "text", "markdown", "latex", "html", "mathml" or "json"."""
    if form not in FORMS:
        raise UnknownNameError.among("form", form, FORMS)
    return FORMS[form](derivation)


def as_data(derivation: Derived) -> dict[str, Any]:
    """Everything as numbers and texts."""
    writer = Writer(derivation, TextStyle())
    return {
        "gradient": writer.slope(derivation.element),
        "of": writer.spelled(derivation.output).text,
        "by": writer.spelled(derivation.element).text,
        "value": derivation.value,
        "formula": writer.symbolic.write(derivation.formula),
        "factors": [part.value for part in derivation.factors],
        "check": _check_data(derivation.check),
        "lines": [_line_data(writer, line) for line in derivation.lines],
        "further": derivation.further,
    }


def _line_data(writer: Writer, line: Line) -> dict[str, Any]:
    return {
        "gradient": writer.slope(line.element),
        "formula": writer.symbolic.write(line.formula),
        "rules": list(line.rules),
        "instances": [_instance_data(writer, instance) for instance in line.instances],
        "more": line.more,
    }


def _instance_data(writer: Writer, instance: Instance) -> dict[str, Any]:
    return {
        "places": {letter.name: place for letter, place in instance.places.items()},
        "terms": [{"formula": writer.symbolic.write(p.expression), "value": p.value} for p in instance.parts],
        "further": {"terms": instance.more, "value": instance.rest},
        "value": instance.value,
        "check": _check_data(instance.check),
    }


def _check_data(check: Check | None) -> Any:
    return None if check is None else {"nudged": check.difference, "error": check.error, "agrees": check.agrees}


def as_json(derivation: Derived) -> str:
    """Everything as JSON; numbers unrounded."""
    return json.dumps(as_data(derivation), ensure_ascii=False, indent=1)


FORMS = {
    "text": as_text,
    "markdown": as_markdown,
    "latex": as_latex,
    "html": as_html,
    "mathml": as_mathml,
    "json": as_json,
}
"""Ways to write a derivation, by name."""
