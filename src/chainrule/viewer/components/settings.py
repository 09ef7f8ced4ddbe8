"""What can be set beside single numbers: the rows shown, and how the next training goes."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from chainrule.errors import SettingError, UnknownNameError
from chainrule.training import as_optimizer
from chainrule.viewer.component import Component, command, part
from chainrule.viewer.components.time import TIME, Time
from chainrule.viewer.subject import MOMENT

SETTINGS = "settings"
LISTED = 64
"""Rows whose numbers are listed."""


class Settings(Component):
    """Rows, learning rate, penalty, epochs and the like."""

    def __init__(self, time: Time) -> None:
        self.time, self.subject, self.plan = time, time.subject, time.plan

    @command
    def rows(self, rows: Any) -> None:
        """Which rows are shown: their numbers, "batch" for those of each step, or "all"."""
        self.time.follows_batch = rows == "batch"
        if rows == "batch":
            timeline = self.time.timeline
            if timeline is not None:
                self.subject.show_rows(timeline.batch(min(timeline.step, timeline.steps - 1)).rows)
        else:
            self.subject.show_rows(range(self.subject.row_count) if rows == "all" else rows)
        self.subject.topics.touch(SETTINGS, TIME)

    @command
    def setting(self, name: str, value: Any) -> None:
        """How the next training, or the next branch, goes."""
        if name == "optimizer":
            self.plan.optimizer = as_optimizer(value)
        elif name == "learning_rate":
            rule = self.plan.rule
            self.plan.optimizer = replace(rule, learning_rate=_positive(name, value))
        elif name in {x.name for x in fields(self.plan)}:
            kind = type(getattr(self.plan, name))
            setattr(self.plan, name, kind(value) if kind in (int, float) else value)
        else:
            raise UnknownNameError.among("setting", name, ["learning_rate", *(x.name for x in fields(self.plan))])
        self.subject.topics.touch(SETTINGS)

    @part(SETTINGS, TIME, MOMENT)
    def settings(self) -> dict[str, Any]:
        """All of them."""
        plan, subject = self.plan, self.subject
        rate = plan.rule.learning_rate
        timeline = self.time.timeline
        within = timeline is not None and timeline.step < timeline.steps
        batch = timeline.batch(timeline.step).rows.tolist() if timeline is not None and within else []
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
            "optimizer": repr(plan.rule),
            "loss": ", ".join(repr(head.loss) for head in subject.objective.heads),
            "rows": subject.rows.tolist()[:LISTED],
            "row_count": subject.row_count,
            "batch": batch[:LISTED],
            "follows_batch": self.time.follows_batch and timeline is not None,
        }


def _setting(name: str, label: str, value: Any, minimum: float, maximum: float, scale: str) -> dict[str, Any]:
    return {"name": name, "label": label, "value": value, "minimum": minimum, "maximum": maximum, "scale": scale}


def _positive(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value) or value <= 0:
        raise SettingError(f"{name} was given as {value!r}; give a positive number.")
    return float(value)
