"""Why a number's gradient is what it is: the number selected, the derivation of its gradient, and whose error it is."""

from __future__ import annotations

import math
from typing import Any

from chainrule.errors import ChainruleError, SettingError
from chainrule.explanation.derivations.derivation import DEPTHS
from chainrule.explanation.rendering.marked import marked_data
from chainrule.explanation.rendering.numerals import how_many, numeral
from chainrule.viewer.component import Component, command, part
from chainrule.viewer.subject import MOMENT, Subject

SELECTION = "selection"


def written(x: float, digits: int) -> str:
    """A number to be read."""
    return numeral(x, digits).replace("-", "−")


class Reasons(Component):
    """The number that was clicked, and why."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._key: str | None = None
        self._depth, self._checked = "layers", False

    # --- commands

    @command
    def select(self, key: str | None, depth: str | None = None) -> None:
        """Select the number of a key, or of a gradient's key what that is by; `None` for none."""
        if depth is not None:
            self._set_depth(depth)
        self._key = None if key is None else self.subject.key(key)
        self._touch()

    @command
    def depth(self, depth: str) -> None:
        """How far the derivation goes into detail."""
        self._set_depth(depth)
        self._touch()

    @command
    def check(self, on: bool) -> None:
        """Whether finite differences stand beside the gradients."""
        self._checked = bool(on)
        self._touch()

    def _set_depth(self, depth: str) -> None:
        if depth not in DEPTHS:
            raise SettingError(f"depth was given as {depth!r}; use {', '.join(map(repr, DEPTHS))}.")
        self._depth = depth

    @property
    def key(self) -> str | None:
        """The key of what is selected; where its row is not shown, or a function has gone another way, there is nothing by it."""
        return self._key if self._key is not None and self.subject.has(self._key) else None

    def _touch(self) -> None:
        self.subject.topics.touch(SELECTION)

    # --- parts

    @part(MOMENT, SELECTION)
    def selection(self) -> dict[str, Any] | None:
        """The number and its gradient."""
        key = self.key
        if key is None:
            return None
        subject, digits = self.subject, self.subject.digits + 2
        is_known, is_reached = subject.computed(key)
        value, gradient = subject.number(key), subject.gradient(key) if is_reached else None
        shown = {
            "key": key,
            "name": key,
            **({"value": value, "text": written(value, digits)} if is_known else {"text": "—"}),
            "gradient": gradient,
            "gradient_key": subject.slope_key(key),
            "gradient_text": "—" if gradient is None else written(gradient, digits),
            "changeable": subject.changeable(key),
            "depth": self._depth,
            "check": self._checked,
        }
        return subject.hidden.without(shown)  # type: ignore[no-any-return]

    @part(MOMENT, SELECTION)
    def derivation(self) -> dict[str, Any] | None:
        """The chain rule from the output back to it; where there is none, why."""
        key = self.key
        if key is None:
            return None
        try:
            return marked_data(self.subject.explain(key, self._depth, self._checked), self.subject.hidden.hides)
        except ChainruleError as error:
            return {"version": 1, "kind": "none", "says": str(error)}

    @part(MOMENT, SELECTION, slow=True)
    def contributions(self) -> dict[str, Any] | None:
        """Its parts by output, by sample and by path."""
        key = self.key
        if key is None or self.subject.hidden.hides(self.subject.slope_key(key), self.subject.gradient(key)):
            return None
        try:
            found = self.subject.contributions(key)
        except ChainruleError:
            return None
        return None if found is None else _with_texts(found.data(), self.subject.digits + 2)


MOST = 12
"""Parts of a split that are shown one by one."""


def _with_texts(data: dict[str, Any], digits: int) -> dict[str, Any]:
    """The largest parts of every split in writing, and the rest of it together."""
    for split in data["splits"]:
        parts = split["parts"]
        kept = sorted(sorted(range(len(parts)), key=lambda i: -abs(parts[i]["value"]))[: how_many(len(parts), MOST)])
        rest = [x for i, x in enumerate(parts) if i not in set(kept)]
        split["parts"] = [parts[i] for i in kept]
        if rest:
            value, count = math.fsum(x["value"] for x in rest), sum(x["count"] for x in rest)
            split["parts"].append({"name": f"{count:,} others", "value": value, "count": count})
        for one in split["parts"]:
            one["text"] = ("+" if one["value"] > 0 else "") + written(one["value"], digits)
            one["share"] = one["value"] / data["value"] if data["value"] else None
    return data
