"""The picture of the subject, layer by layer or as a graph."""

from __future__ import annotations

from typing import Any

from chainrule.explanation.drawing.data import data_of
from chainrule.viewer.component import Component, command, part
from chainrule.viewer.networks import NetworkSubject
from chainrule.viewer.subject import MOMENT, Subject, unless_known

UNFOLDED = "unfolded"


class Picture(Component):
    """The drawing, and which layer of it is unfolded."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    @part(MOMENT, UNFOLDED)
    def drawing(self) -> dict[str, Any]:
        """The scene, as data."""
        return self.subject.hidden.without(data_of(self.subject.drawn()))  # type: ignore[no-any-return]

    @command
    def unfold(self, layer: str | None) -> None:
        """Unfold one layer, and fold the others."""
        if layer is not None and isinstance(self.subject, NetworkSubject):
            unless_known(layer, self.subject.network.layers, "layer")
        self.subject.unfolded = layer
        self.subject.topics.touch(UNFOLDED)
