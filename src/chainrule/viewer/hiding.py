"""Numbers hidden from what is shown, for learners who are to tell them first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from chainrule.explanation.rendering.writer import UNKNOWN

ALIKE = 1e-9
"""Relative difference up to which two gradients are the same number."""


class Hidden:
    """Keys whose numbers are hidden, and these gradients wherever they are, of either sign: that of a bias is ∂L/∂z as well.

    >>> hidden = Hidden({"∂L/∂h.z[0, 0]": -0.25})
    >>> hidden.hides("∂L/∂h.bias[0]", -0.25), hidden.hides("h.a[0, 0]", 0.5)
    (True, False)
    """

    def __init__(self, numbers: Mapping[str, float] | None = None) -> None:
        self.keys = frozenset(numbers or {})
        self.gradients = [abs(x) for key, x in (numbers or {}).items() if key.startswith("∂") and x]

    def __bool__(self) -> bool:
        return bool(self.keys)

    def hides(self, key: str, value: Any) -> bool:
        """Whether the number of a key, which has this value, is not to be seen."""
        number = abs(value) if isinstance(value, float) else math.nan
        return key in self.keys or any(math.isclose(number, x, rel_tol=ALIKE) for x in self.gradients)

    def tells(self, text: str) -> bool:
        """Whether a text names a number that is hidden."""
        return any(key in text for key in self.keys) or any(repr(x) in text for x in self.gradients)

    def without(self, content: Any) -> Any:
        """A part's content with question marks in place of these numbers."""
        if not self:
            return content
        if isinstance(content, list):
            return [self.without(x) for x in content]
        if not isinstance(content, dict):
            return content
        found = {name: self.without(x) for name, x in content.items()}
        if self.hides(found.get("key", ""), found.get("value")):
            found.pop("value", None)
            found |= {"text": UNKNOWN} if "text" in found else {}
            if found.get("shape") == "text":
                found.pop("colour", None)  # which is that of its sign
        if self.tells(found.get("tip", "")):
            found.pop("tip")
        if self.hides(found.get("gradient_key", ""), found.get("gradient")):
            found |= {"gradient": None, "gradient_text": UNKNOWN}
        return found
