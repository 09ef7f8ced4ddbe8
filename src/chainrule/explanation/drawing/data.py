"""Scenes as data: what JSON holds of a picture, and what every front end draws it from."""

from __future__ import annotations

import base64
from typing import Any

from chainrule.explanation.drawing.scene import (
    Box,
    Cells,
    Curve,
    Ellipse,
    Group,
    HeatMap,
    Polygon,
    Rectangle,
    Scene,
    Shape,
    Text,
)
from chainrule.explanation.rendering.json_form import VERSION, exact


def data_of(scene: Scene) -> dict[str, Any]:
    """A picture as nested dicts and lists; what is empty is left out."""
    return {
        "version": VERSION,
        "kind": "drawing",
        "width": rounded(scene.width),
        "height": rounded(scene.height),
        "title": scene.title,
        "description": scene.description,
        "shapes": list(map(_shape, scene.shapes)),
    }


def rounded(x: float) -> float:
    """A length to a hundredth of a pixel."""
    return round(float(x), 2)


def _shape(shape: Shape) -> dict[str, Any]:
    match shape:
        case Group():
            own = {
                "x": rounded(shape.x),
                "y": rounded(shape.y),
                "width": rounded(shape.width),
                "height": rounded(shape.height),
            }
            names = _some(name=shape.name, tip=shape.tip, key=shape.key, unfold=shape.unfold, fold=shape.fold)
            return {"shape": "group", **own, **names, "shapes": list(map(_shape, shape.shapes))}
        case Rectangle() | Ellipse():
            paint = _some(fill=shape.fill, stroke=shape.stroke, radius=getattr(shape, "radius", 0.0))
            kind = "rectangle" if isinstance(shape, Rectangle) else "ellipse"
            return {"shape": kind, "box": _box(shape.box), "thickness": rounded(shape.thickness), **paint}
        case Polygon(points, fill):
            return {"shape": "polygon", "points": _points(points), "fill": fill}
        case Curve(points, colour):
            how = _some(dashed=shape.dashed, key=shape.key)
            return {
                "shape": "curve",
                "points": _points(points),
                "colour": colour,
                "thickness": rounded(shape.thickness),
                **how,
            }
        case Text():
            place = {"x": rounded(shape.x), "y": rounded(shape.y), "text": shape.text, "size": shape.size}
            value = {} if shape.value is None else {"value": exact(shape.value)}
            how = _some(colour=shape.colour, anchor=shape.anchor, bold=shape.bold, key=shape.key)
            return {"shape": "text", **place, **how, **value}
        case HeatMap():
            rows, columns = shape.depths.shape
            depths = base64.b64encode(shape.depths.tobytes()).decode("ascii")
            heat = {"shape": "heatmap", "box": _box(shape.box), "rows": rows, "columns": columns, "depths": depths}
            return {**heat, **_some(cells=shape.cells and _cells(shape.cells))}


def _cells(cells: Cells) -> dict[str, Any]:
    return {"key": cells.key, "rows": list(cells.rows), "columns": list(cells.columns), "width": cells.width}


def _some(**fields: Any) -> dict[str, Any]:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value}


def _box(box: Box) -> list[float]:
    return list(map(rounded, (box.x, box.y, box.width, box.height)))


def _points(points: tuple[tuple[float, float], ...]) -> list[list[float]]:
    return [[rounded(x), rounded(y)] for x, y in points]
