"""Numbers changed by hand: what the gradient predicts of the loss, and what it does."""

from __future__ import annotations

import math
from typing import Any

from chainrule.errors import SettingError, shortened
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.viewer.component import Component, command, part
from chainrule.viewer.components.reasons import written
from chainrule.viewer.subject import MOMENT, Subject

CHANGE = "change"


class Changes(Component):
    """One number moved, from where it stood when it was first taken hold of."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._found: dict[str, Any] | None = None
        self._seen: Evaluation | None = None
        self._held = False

    @command
    def set(self, key: str, value: float, final: bool = True) -> None:
        """Set a number; not `final` while it is dragged, so that all of that counts as one change."""
        value = _number(value)
        subject = self.subject
        if key.startswith("∂"):
            raise SettingError(f"{key} is computed from other numbers and cannot be set; set the number that it is by.")
        key = subject.key(key)
        going_on = self._found if self._held and self._is_seen and self._found and self._found["key"] == key else None
        if going_on is None:
            slope = subject.gradient(key) or 0.0
            before, output = subject.number(key), subject.number(subject.output)
        else:
            slope, before, output = (going_on[name] for name in ("slope", "before", "output"))
        held = subject.held
        subject.put(key, value)
        try:
            after, moved_to = subject.number(key), subject.number(subject.output)
        except Exception:  # a layer or a function that does not take this number
            subject.hold(held)
            raise
        self._found = {
            "key": key,
            "before": before,
            "after": after,
            "slope": slope,
            "output": output,
            "predicted": slope * (after - before),
            "true": moved_to - output,
        }
        self._seen, self._held = subject.evaluation, not final
        subject.topics.touch(CHANGE)

    @property
    def _is_seen(self) -> bool:
        """Whether nothing has changed since: another moment, other rows."""
        return self._seen is self.subject.evaluation

    @command
    def reset(self) -> None:
        """Take back all that was changed by hand."""
        self._found, self._seen, self._held = None, None, False
        self.subject.reset()
        self.subject.topics.touch(CHANGE)

    @part(MOMENT, CHANGE)
    def change(self) -> dict[str, Any] | None:
        """g·Δw beside the true change of what the gradient is of."""
        found = self._found
        hidden = self.subject.hidden
        if found is None or not self._is_seen or hidden.hides(self.subject.slope_key(found["key"]), found["slope"]):
            return None
        digits, name = self.subject.digits, self.subject.output
        before, after, slope = (written(found[x], digits) for x in ("before", "after", "slope"))
        moved = written(found["after"] - found["before"], digits)
        predicted, true = (written(found[x], digits) for x in ("predicted", "true"))
        return {
            **{name: found[name] for name in ("key", "before", "after", "predicted", "true")},
            "predicted_text": predicted,
            "true_text": true,
            "sentence": f"{found['key']} went from {before} to {after}. Its gradient {slope} times the change {moved} predicts that "
            f"{name} changes by {predicted}; it changed by {true}.",
        }


def _number(value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise SettingError(f"a number was to be set to {shortened(value)}; give a finite number.")
    return found
