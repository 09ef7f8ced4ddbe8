"""The forms a derivation can be had in, all written from its story."""

from __future__ import annotations

from collections.abc import Callable

from chainrule.explanation.rendering.data import as_json
from chainrule.explanation.rendering.latex import as_latex, as_markdown
from chainrule.explanation.rendering.mathml import as_html, as_mathml
from chainrule.explanation.rendering.story import Story
from chainrule.explanation.rendering.text import as_text

FORMS: dict[str, Callable[[Story], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "latex": as_latex,
    "html": as_html,
    "mathml": as_mathml,
    "json": as_json,
}
"""Ways to write what is told, by name."""
