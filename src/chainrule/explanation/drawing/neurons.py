"""Boxes of neurons: a name, a picture, and numbers with the words for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from chainrule.explanation.drawing.palette import INK, MUTED
from chainrule.explanation.drawing.pieces import NUMBER_SIZE, PADDING, ROW, SMALL_SIZE
from chainrule.explanation.drawing.scene import Box, Group, Rectangle, Shape, Text, shortened, text_width


class Line(NamedTuple):
    """A word, a number in a colour, its key, and the number itself."""

    word: str
    text: str
    colour: str
    key: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Neuron:
    """What a neuron shows: its name, a picture, and rows of a word and a number in a colour."""

    name: str
    lines: list[Line]
    picture: Group = field(default_factory=lambda: Group(0, 0, ()))
    key: str = ""
    room: float = 0.0

    @property
    def title(self) -> str:
        """The name, or as much of it as there is room for."""
        return shortened(self.name, 150, SMALL_SIZE, bold=True)

    @property
    def width(self) -> float:
        """The room it needs between its sides."""
        words = max((text_width(line.word, SMALL_SIZE) for line in self.lines), default=0.0)
        numbers = max((text_width(line.text, NUMBER_SIZE) for line in self.lines), default=0.0)
        numbers = max(numbers, self.room)
        title = text_width(self.title, SMALL_SIZE, bold=True)
        return max(title, words + 8 + numbers if self.lines else 0.0, self.picture.width)

    def drawn(self, width: float, fill: str, stroke: str, radius: float) -> Group:
        """The box, so wide between its sides."""
        shapes: list[Shape] = [Text(PADDING, 15, self.title, SMALL_SIZE, INK, bold=True), self.picture.at(PADDING, 22)]
        y = 15.0 + (self.picture.height + 8 if self.picture.height else 0.0)
        for word, text, colour, key, value in self.lines:
            y += ROW
            shapes.append(Text(PADDING, y, word, SMALL_SIZE, MUTED))
            shapes.append(Text(PADDING + width, y, text, NUMBER_SIZE, colour, "end", False, key, value))
        box = Box(0, 0, width + 2 * PADDING, y + 8)
        frame = Rectangle(box, fill, stroke, 1.2, radius)
        return Group(box.width, box.height, (frame, *shapes), self.title, key=self.key)


def boxes_of(neurons: list[Neuron], fill: str, stroke: str, radius: float) -> list[Group]:
    """The boxes of a column, all as wide as the widest."""
    width = max(neuron.width for neuron in neurons)
    return [neuron.drawn(width, fill, stroke, radius) for neuron in neurons]


def header(title: str, subtitle: str, width: float) -> list[Shape]:
    """The title of a column and a line below it."""
    return [
        Text(width / 2, 12, shortened(title, 220, 12, bold=True), 12, INK, "middle", bold=True),
        Text(width / 2, 25, shortened(subtitle, 220, SMALL_SIZE), SMALL_SIZE, MUTED, "middle"),
    ]
