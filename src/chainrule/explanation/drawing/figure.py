"""Scenes as matplotlib figures, for PNG and PDF: the same shapes the SVG writer reads."""

from __future__ import annotations

from typing import Any

from chainrule.errors import MissingExtraError
from chainrule.explanation.drawing.palette import LINE, PAPER
from chainrule.explanation.drawing.scene import (
    Box,
    Curve,
    Ellipse,
    Group,
    HeatMap,
    Point,
    Polygon,
    Rectangle,
    Scene,
    Shape,
    Text,
)

PIXELS_PER_INCH, POINTS_PER_INCH = 96, 72
_POINTS = POINTS_PER_INCH / PIXELS_PER_INCH


def to_figure(scene: Scene) -> Any:
    """A `matplotlib.figure.Figure` of the size the SVG has at 96 pixels an inch."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError.of("matplotlib", "plot", "a drawing as PNG or PDF") from None
    figure = Figure(figsize=(scene.width / PIXELS_PER_INCH, scene.height / PIXELS_PER_INCH), facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    canvas = _Canvas(axes)
    canvas.draw(Rectangle(Box(0.5, 0.5, scene.width - 1, scene.height - 1), PAPER, LINE, radius=8), 0, 0)
    for shape in scene.shapes:
        canvas.draw(shape, 0, 0)
    axes.set(xlim=(0, scene.width), ylim=(scene.height, 0), aspect="auto")
    return figure


class _Canvas:
    """Axes that shapes are drawn on one after the other, each above those before."""

    def __init__(self, axes: Any) -> None:
        self.axes, self.height = axes, 0

    def draw(self, shape: Shape, x: float, y: float) -> None:
        """Draw a shape whose group stands at (x, y)."""
        from matplotlib import patches

        self.height += 1
        match shape:
            case Group():
                for inner in shape.shapes:
                    self.draw(inner, x + shape.x, y + shape.y)
            case Rectangle(box):
                corner = (box.x + x, box.y + y)
                if shape.radius:
                    style = patches.BoxStyle.Round(pad=0, rounding_size=min(shape.radius, box.height / 2))
                    self._add(patches.FancyBboxPatch(corner, box.width, box.height, boxstyle=style), shape)
                else:
                    self._add(patches.Rectangle(corner, box.width, box.height), shape)
            case Ellipse(box):
                middle = (box.middle[0] + x, box.middle[1] + y)
                self._add(patches.Ellipse(middle, box.width, box.height), shape)
            case Polygon(points, fill):
                self.axes.add_patch(patches.Polygon(_moved(points, x, y), facecolor=fill, lw=0, zorder=self.height))
            case Curve():
                self._curve(shape, x, y)
            case Text():
                self.axes.text(
                    shape.x + x,
                    shape.y + y,
                    shape.text,
                    fontsize=shape.size * _POINTS,
                    color=shape.colour,
                    ha={"start": "left", "middle": "center", "end": "right"}[shape.anchor],
                    va="baseline",
                    weight="bold" if shape.bold else "normal",
                    parse_math=False,
                    zorder=self.height,
                )
            case HeatMap(box):
                from matplotlib.colors import to_rgb

                self.axes.imshow(
                    [[to_rgb(colour) for colour in row] for row in shape.colours],
                    extent=(box.x + x, box.x + x + box.width, box.y + y + box.height, box.y + y),
                    interpolation="nearest",
                    zorder=self.height,
                )

    def _add(self, patch: Any, shape: Rectangle | Ellipse) -> None:
        patch.set(
            facecolor=shape.fill or "none",
            edgecolor=shape.stroke or "none",
            linewidth=shape.thickness * _POINTS,
            zorder=self.height,
        )
        self.axes.add_patch(patch)

    def _curve(self, shape: Curve, x: float, y: float) -> None:
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        codes = [Path.MOVETO] + [Path.CURVE4] * (len(shape.points) - 1)
        self.axes.add_patch(
            PathPatch(
                Path(_moved(shape.points, x, y), codes),
                facecolor="none",
                edgecolor=shape.colour,
                linewidth=shape.thickness * _POINTS,
                linestyle=(0, (4, 3)) if shape.dashed else "-",
                capstyle="butt",
                zorder=self.height,
            )
        )


def _moved(points: tuple[Point, ...], x: float, y: float) -> list[Point]:
    return [(px + x, py + y) for px, py in points]
