"""Numbers hidden from what is shown, for learners who are to tell them first."""

from __future__ import annotations

from typing import Any

from chainrule.explanation.rendering.writer import UNKNOWN


def hidden_in(content: Any, keys: frozenset[str]) -> Any:
    """A part's content with a question mark in place of the numbers of these keys."""
    if not keys:
        return content
    if isinstance(content, list):
        return [hidden_in(x, keys) for x in content]
    if not isinstance(content, dict):
        return content
    found = {name: hidden_in(x, keys) for name, x in content.items()}
    if found.get("key") in keys:
        found.pop("value", None)
        found.pop("tip", None)
        found |= {"text": UNKNOWN} if "text" in found else {}
    if found.get("gradient_key") in keys:
        found |= {"gradient": None, "gradient_text": UNKNOWN}
    return found
