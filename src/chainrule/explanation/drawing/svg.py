"""Scenes as SVG: well-formed, small, with no font, script or style sheet from elsewhere.

Everything is set by attributes, since a style sheet inside an SVG would act on the whole page of a notebook; for
the same reason nothing has an id. The picture stands on its own white ground, so that it reads the same on light
and on dark pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from chainrule.explanation.drawing.palette import INK, LINE, PAPER
from chainrule.explanation.drawing.scene import Curve, Ellipse, Group, HeatMap, Polygon, Rectangle, Scene, Shape, Text

FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"


def to_svg(scene: Scene) -> str:
    """The picture as the text of an SVG file."""
    width, height = _number(scene.width), _number(scene.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" font-family="{FONTS}" font-size="12" fill="{INK}">',
        f"<title>{escape(scene.title)}</title>",
        f"<desc>{escape(scene.description)}</desc>",
        f'<rect x=".5" y=".5" width="{_number(scene.width - 1)}" height="{_number(scene.height - 1)}" rx="8" '
        f'fill="{PAPER}" stroke="{LINE}"/>',
    ]
    for shape in scene.shapes:
        lines += _lines(shape)
    return "\n".join([*lines, "</svg>"])


def _lines(shape: Shape) -> Iterator[str]:
    match shape:
        case Group():
            move = f' transform="translate({_number(shape.x)} {_number(shape.y)})"' if shape.x or shape.y else ""
            yield f"<g{move}>" + (f"<title>{escape(shape.tip)}</title>" if shape.tip else "")
            for inner in shape.shapes:
                yield from _lines(inner)
            yield "</g>"
        case Rectangle(box):
            corner = f' rx="{_number(shape.radius)}"' if shape.radius else ""
            yield (
                f'<rect x="{_number(box.x)}" y="{_number(box.y)}" width="{_number(box.width)}" '
                f'height="{_number(box.height)}"{corner}{_paint(shape)}/>'
            )
        case Ellipse(box):
            (x, y), rx, ry = box.middle, box.width / 2, box.height / 2
            yield f'<ellipse cx="{_number(x)}" cy="{_number(y)}" rx="{_number(rx)}" ry="{_number(ry)}"{_paint(shape)}/>'
        case Polygon(points, fill):
            yield f'<path d="M{_points(points)}z" fill="{fill}"/>'
        case Curve(points):
            dashes = ' stroke-dasharray="4 3"' if shape.dashed else ""
            yield (
                f'<path d="M{_points(points[:1])}C{_points(points[1:])}" fill="none" stroke="{shape.colour}" '
                f'stroke-width="{_number(shape.thickness)}"{dashes}/>'
            )
        case Text():
            anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
            size = "" if shape.size == 12 else f' font-size="{_number(shape.size)}"'
            colour = "" if shape.colour == INK else f' fill="{shape.colour}"'
            weight = ' font-weight="bold"' if shape.bold else ""
            place = f'x="{_number(shape.x)}" y="{_number(shape.y)}"'
            yield f"<text {place}{anchor}{size}{colour}{weight}>{escape(shape.text)}</text>"
        case HeatMap():
            yield from _heat_map(shape)


def _heat_map(heat: HeatMap) -> Iterator[str]:
    """One path for every colour, cells side by side in a row drawn as one; unit cells, scaled to the box."""
    colours = heat.colours
    rows, columns = len(colours), len(colours[0])
    paths: dict[str, list[str]] = {}
    for y, row in enumerate(colours):
        x = 0
        while x < columns:
            end = x
            while end < columns and row[end] == row[x]:
                end += 1
            paths.setdefault(row[x], []).append(f"M{x} {y}h{end - x}v1h-{end - x}z")
            x = end
    box = heat.box
    scale = f"{box.width / columns:.5g} {box.height / rows:.5g}"
    yield (
        f'<g transform="translate({_number(box.x)} {_number(box.y)}) scale({scale})" shape-rendering="crispEdges">'
        + "".join(f'<path fill="{colour}" d="{"".join(cells)}"/>' for colour, cells in paths.items())
        + "</g>"
    )


def _paint(shape: Rectangle | Ellipse) -> str:
    width = "" if shape.thickness == 1 or not shape.stroke else f' stroke-width="{_number(shape.thickness)}"'
    return f' fill="{shape.fill or "none"}"' + (f' stroke="{shape.stroke}"{width}' if shape.stroke else "")


def _points(points: tuple[tuple[float, float], ...]) -> str:
    return " ".join(f"{_number(x)} {_number(y)}" for x, y in points)


def _number(x: float) -> str:
    """To a tenth of a pixel, in as few characters as there can be."""
    text = f"{x:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    """The text as it may stand in XML; characters that XML has not, or would change, become "�"."""
    text = _NOT_XML.sub("�", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
