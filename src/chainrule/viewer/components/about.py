"""What a view says of itself, and what it has to tell."""

from __future__ import annotations

from typing import Any

from chainrule.explanation.drawing import palette
from chainrule.viewer.component import Component, part
from chainrule.viewer.subject import Subject
from chainrule.viewer.topics import NOTICE

VERSION = 1
"""Of the protocol."""


class About(Component):
    """The first things that a front end wants to know."""

    def __init__(self, subject: Subject, commands: list[str], panels: list[str]) -> None:
        self.subject, self.commands_known, self.panels_known = subject, commands, panels

    @part()
    def meta(self) -> dict[str, Any]:
        """Kind, title, what can be asked for, and the colours of drawings."""
        names = [name for name in vars(palette) if name.isupper() and not name.startswith("_")]
        colours = {name: getattr(palette, name) for name in names}
        return {
            "version": VERSION,
            "kind": self.subject.kind,
            "title": self.subject.title,
            "commands": self.commands_known,
            "panels": self.panels_known,
            "palette": {
                x: name.lower().replace("_", "-")
                for name, x in colours.items()
                if isinstance(x, str) and x.startswith("#")
            },
            "shades": {str(depth): colour for depth, colour in palette.SHADES.items()},
            "saved": False,
        }

    @part(NOTICE)
    def notice(self) -> dict[str, Any] | None:
        """What was told last."""
        return self.subject.topics.notice
