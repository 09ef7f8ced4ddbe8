"""Scenes: what a picture consists of, as shapes that every writer can read; what shows a number has its key.

Lengths are in pixels, x to the right and y downwards. A shape inside a group is placed relative to the group's
corner, so that a piece can be made before its place is known.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.explanation.drawing.palette import SHADES

Depths = np.ndarray[Any, np.dtype[np.int8]]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> Point:
        """The point in the middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    def overlaps(self, other: Box, margin: float = 0.0) -> bool:
        """Whether the two share more than their edges, or come nearer each other than `margin`."""
        return (
            self.x < other.x + other.width + margin
            and other.x < self.x + self.width + margin
            and self.y < other.y + other.height + margin
            and other.y < self.y + self.height + margin
        )

    def contains(self, other: Box) -> bool:
        """Whether the other lies inside, up to a thousandth of a pixel."""
        return (
            self.x <= other.x + 1e-3
            and self.y <= other.y + 1e-3
            and other.x + other.width <= self.x + self.width + 1e-3
            and other.y + other.height <= self.y + self.height + 1e-3
        )


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle, with rounded corners where `radius` is positive."""

    box: Box
    fill: str | None = None
    stroke: str | None = None
    thickness: float = 1.0
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Ellipse:
    """The ellipse inside a box."""

    box: Box
    fill: str | None = None
    stroke: str | None = None
    thickness: float = 1.0


@dataclass(frozen=True, slots=True)
class Polygon:
    """A filled polygon, such as the head of an arrow."""

    points: tuple[Point, ...]
    fill: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Cubic Bézier curves one after the other: a start, then two control points and an end for each."""

    points: tuple[Point, ...]
    colour: str
    thickness: float = 1.0
    dashed: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text. `x` is its start, middle or end, `y` the line it stands on."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    anchor: str = "start"
    bold: bool = False
    key: str = ""
    value: float | None = None

    @property
    def width(self) -> float:
        """About how wide it is, in the widest of the fonts it may be shown in."""
        return text_width(self.text, self.size, self.bold)


@dataclass(frozen=True, slots=True)
class Cells:
    """Which numbers the cells of a heat map show: the first row and column of an array that each stands for.

    `key` has "{}" where they are to be put in: once for both, or, of a long row shown as a block of so many `columns`, once.
    """

    key: str
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    width: int | None = None


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A grid of coloured cells, row by row: of each its depth, from −8 to 8 by sign and size, or 127 for NaN."""

    box: Box
    depths: Depths
    cells: Cells | None = None

    @property
    def colours(self) -> tuple[tuple[str, ...], ...]:
        """The colours of the cells."""
        return tuple(tuple(map(SHADES.__getitem__, row)) for row in self.depths.tolist())


@dataclass(frozen=True, slots=True)
class Group:
    """Shapes that belong together, at a place; `tip` is what a reader is told who points at them.

    `unfold` names the layer that is folded in them, and `fold` says that they are one that was unfolded.
    """

    width: float
    height: float
    shapes: tuple[Shape, ...]
    name: str = ""
    tip: str = ""
    x: float = 0.0
    y: float = 0.0
    key: str = ""
    unfold: str = ""
    fold: bool = False

    @property
    def box(self) -> Box:
        """Where it is."""
        return Box(self.x, self.y, self.width, self.height)

    def at(self, x: float, y: float) -> Group:
        """The same group elsewhere."""
        return replace(self, x=x, y=y)


Shape = Rectangle | Ellipse | Polygon | Curve | Text | HeatMap | Group


@dataclass(frozen=True)
class Scene:
    """A whole picture; title and description are for readers who cannot see it."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    title: str
    description: str

    def groups(self) -> Iterator[Group]:
        """All groups, with their places in the picture; outer ones first."""
        waiting = [shape for shape in self.shapes if isinstance(shape, Group)]
        while waiting:
            group = waiting.pop(0)
            yield group
            waiting += [
                inner.at(inner.x + group.x, inner.y + group.y) for inner in group.shapes if isinstance(inner, Group)
            ]

    def texts(self) -> Iterator[Text]:
        """All lines of text, with their places in the picture."""
        for shapes, x, y in [(self.shapes, 0.0, 0.0), *((g.shapes, g.x, g.y) for g in self.groups())]:
            for shape in shapes:
                if isinstance(shape, Text):
                    yield replace(shape, x=shape.x + x, y=shape.y + y)


_WIDTHS = {
    **dict.fromkeys("ijlI.,:;|'!()[]ft /", 0.43),
    **dict.fromkeys("ABCEFJKLPRSTVXYZ", 0.72),
    **dict.fromkeys("DGHNOQU", 0.82),
    **dict.fromkeys("#&<>=+−×÷~^≤≥", 0.86),
    **dict.fromkeys("mwMW@%—…", 1.0),
}
"""Widths of letters in ems, in DejaVu Sans, which is wider than Helvetica and Arial."""

_LETTER, _OTHER = 0.645, 0.88


def text_width(text: str, size: float, bold: bool = False) -> float:
    """An upper estimate of a line's width; which font a viewer has is not known."""
    units = 0.0
    for c in text:
        if unicodedata.east_asian_width(c) in "WF":
            units += 1.1
        elif not unicodedata.combining(c):
            units += _WIDTHS.get(c, _LETTER if c.isascii() or c in "∂αβγδε" else _OTHER)
    return units * size * (1.12 if bold else 1.0)


def shortened(text: str, width: float, size: float, bold: bool = False) -> str:
    """The text, or as much of both its ends as fits into `width` with "…" between: long names differ at either."""
    kept = len(text)
    short = text
    while kept and text_width(short, size, bold) > width:
        kept -= 1
        short = text[: (kept + 1) // 2].rstrip() + "…" + text[len(text) - kept // 2 :].lstrip()
    return short
