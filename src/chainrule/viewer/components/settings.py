"""What can be set beside single numbers: the rows shown, and how the next training goes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from chainrule.errors import SettingError, UnknownNameError
from chainrule.training import OPTIMIZERS
from chainrule.viewer.component import Component, command, part
from chainrule.viewer.components.time import TIME, Time
from chainrule.viewer.subject import MOMENT

SETTINGS = "settings"
LISTED = 64
"""Rows whose numbers are listed."""
NAMES = ("optimizer", "epochs", "batch_size", "seed", "l1", "l2", "engine")
"""What can be set of the plan, the optimizer's learning rate aside."""


class Settings(Component):
    """Rows, learning rate, penalty, epochs and the like."""

    def __init__(self, time: Time) -> None:
        self.time, self.subject = time, time.subject

    @command
    def rows(self, rows: Any) -> None:
        """Which rows are shown: their numbers, "batch" for those of each step, or "all"."""
        if rows == "batch":
            if (batch := self.time.batch()) is not None:
                self.subject.show_rows(batch.rows)
        else:
            self.subject.show_rows(range(self.subject.row_count) if rows == "all" else rows)
        self.time.follows_batch = rows == "batch"
        self.subject.topics.touch(SETTINGS, TIME)

    @command
    def setting(self, name: str, value: Any) -> None:
        """How the next training, or the next branch, goes."""
        if name == "learning_rate":
            name, value = "optimizer", replace(self.time.plan.optimizer, learning_rate=_positive(name, value))
        if name not in NAMES:
            raise UnknownNameError.among("setting", name, ["learning_rate", *NAMES])
        if isinstance(value, float) and name in ("epochs", "batch_size", "seed") and value.is_integer():
            value = int(value)  # JavaScript has one kind of numbers
        self.time.plans(replace(self.time.plan, **{name: value}))
        self.subject.topics.touch(SETTINGS)

    @part(SETTINGS, TIME, MOMENT)
    def settings(self) -> dict[str, Any]:
        """All of them."""
        plan, subject = self.time.plan, self.subject
        rate = plan.optimizer.learning_rate
        timeline, batch = self.time.timeline, self.time.batch()
        coming = timeline is not None and timeline.step < timeline.steps and batch is not None
        listed = [
            _setting(
                "learning_rate",
                "learning rate η",
                float(rate) if isinstance(rate, int | float) else None,
                1e-5,
                10.0,
                "log",
            ),
            _setting("l2", "L2 penalty", plan.l2, 0.0, 1.0, "linear"),
            _setting("epochs", "epochs", plan.epochs, 1, 10_000, "log"),
            _setting(
                "batch_size", "batch size", plan.batch_size or subject.row_count, 1, max(1, subject.row_count), "log"
            ),
        ]
        return {
            "settings": [x for x in listed if x["value"] is not None],
            "optimizer": repr(plan.optimizer),
            "optimizers": list(OPTIMIZERS),
            "optimizer_name": next((name for name, x in OPTIMIZERS.items() if type(x) is type(plan.optimizer)), None),
            "loss": ", ".join(repr(head.loss) for head in subject.objective.heads),
            "rows": subject.rows[:LISTED].tolist(),
            "row_count": subject.row_count,
            "batch": batch.rows[:LISTED].tolist() if batch is not None and coming else [],
            "follows_batch": self.time.follows_batch and batch is not None,
        }


def _setting(name: str, label: str, value: Any, minimum: float, maximum: float, scale: str) -> dict[str, Any]:
    return {"name": name, "label": label, "value": value, "minimum": minimum, "maximum": maximum, "scale": scale}


def _positive(name: str, value: Any) -> float:
    found = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not math.isfinite(found) or found <= 0:
        raise SettingError(f"{name} was given as {value!r}; give a positive number.")
    return found
