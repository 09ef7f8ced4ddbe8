"""Numbers changed by hand: what the gradient predicts of the loss, and what it does."""

from __future__ import annotations

import math
from typing import Any

from chainrule.errors import SettingError, shortened
from chainrule.viewer.component import Component, command, part
from chainrule.viewer.components.reasons import written
from chainrule.viewer.subject import MOMENT, Subject

CHANGE = "change"


class Changes(Component):
    """One number moved, from where it stood when it was first taken hold of."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._of: str | None = None
        self._before = self._output = self._slope = self._after = 0.0
        self._held = False

    @command
    def set(self, key: str, value: float, final: bool = True) -> None:
        """Set a number; not `final` while it is dragged, so that all of that counts as one change."""
        value = _number(value)
        subject = self.subject
        key = subject.key(key)
        if self._of != key or not self._held:
            slope = subject.gradient(key)
            before, output = subject.number(key), subject.number(subject.output)
            subject.put(key, value)
            self._of, self._before, self._output, self._slope = key, before, output, slope or 0.0
        else:
            subject.put(key, value)
        self._after, self._held = subject.number(key), not final
        subject.topics.touch(CHANGE)

    @command
    def reset(self) -> None:
        """Take back all that was changed by hand."""
        self._of, self._held = None, False
        self.subject.reset()
        self.subject.topics.touch(CHANGE)

    @part(MOMENT, CHANGE)
    def change(self) -> dict[str, Any] | None:
        """g·Δw beside the true change of what the gradient is of."""
        if self._of is None:
            return None
        subject, digits = self.subject, self.subject.digits
        moved = self._after - self._before
        predicted, true = self._slope * moved, subject.number(subject.output) - self._output
        name = subject.output
        texts = [written(x, digits) for x in (self._before, self._after, moved, predicted, true)]
        return {
            "key": self._of,
            "before": self._before,
            "after": self._after,
            "predicted": predicted,
            "true": true,
            "predicted_text": texts[3],
            "true_text": texts[4],
            "sentence": f"{self._of} went from {texts[0]} to {texts[1]}. Its gradient {written(self._slope, digits)} times the "
            f"change {texts[2]} predicts that {name} changes by {texts[3]}; it changed by {texts[4]}.",
        }


def _number(value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise SettingError(f"a number was to be set to {shortened(value)}; give a finite number.")
    return found
