"""Pieces that pictures are put together from: boxes of values, operations, tags on edges, heat maps, the key."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.explanation.drawing.palette import (
    BLOCK_FILL,
    BLOCK_STROKE,
    INK,
    LINE,
    MUTED,
    NEGATIVE,
    NOT_COMPUTED,
    OPERATION_FILL,
    OPERATION_STROKE,
    PAPER,
    POSITIVE,
    VALUE_FILL,
    VALUE_STROKE,
    depths,
    is_dark,
    largest_of,
    number,
    shade,
    sign_of,
    signed,
    text_colour_of,
)
from chainrule.explanation.drawing.scene import (
    Box,
    Cells,
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
    shortened,
    text_width,
)
from chainrule.explanation.evaluations.keys import NO_KEYS, Keys, KeysOfTwo

NAME_SIZE, NUMBER_SIZE, SMALL_SIZE = 12.0, 12.0, 10.0
ROW, PADDING = 15.0, 8.0
WRITTEN = 12
"""Arrays up to this size show their numbers; larger ones colours alone."""

MARGIN = 18.0


def value_box(
    name: str,
    data: Any,
    gradient: Any,
    digits: int,
    fill: str = VALUE_FILL,
    stroke: str = VALUE_STROKE,
    rows: Sequence[str] = ("data", "grad"),
    radius: float = 5.0,
    keys: KeysOfTwo = NO_KEYS,
) -> Group:
    """A value: its name, its data and its gradient ("—" where it was not computed)."""
    key = keys[0].at(*[0] * np.ndim(data)) if np.size(data) == 1 else ""
    name = shortened(name, 190, NAME_SIZE, bold=True)
    body = two_grids(data, gradient, digits, rows, least=text_width(name, NAME_SIZE, bold=True), keys=keys)
    width = max(body.width, text_width(name, NAME_SIZE, bold=True)) + 2 * PADDING
    height = body.height + ROW + 9
    title = Text(PADDING, 16, name, NAME_SIZE, INK, bold=True)
    frame = Rectangle(Box(0, 0, width, height), fill, stroke, 1.2, radius)
    return Group(width, height, (frame, title, body.at(PADDING, ROW + 5)), name, key=key)


def words_box(name: str, lines: Sequence[str], fill: str, stroke: str) -> Group:
    """A box with a name and lines of text, where there are no numbers to show."""
    name = shortened(name, 190, NAME_SIZE, bold=True)
    width = max(text_width(name, NAME_SIZE, bold=True), *(text_width(line, SMALL_SIZE) for line in lines)) + 2 * PADDING
    height = ROW * (1 + len(lines)) + 10
    frame = Rectangle(Box(0, 0, width, height), fill, stroke, 1.2, 5)
    texts = [Text(PADDING, 17 + ROW * (i + 1), line, SMALL_SIZE, MUTED) for i, line in enumerate(lines)]
    return Group(width, height, (frame, Text(PADDING, 16, name, NAME_SIZE, INK, bold=True), *texts), name)


def block_box(title: str, subtitle: str, bodies: Sequence[tuple[str, Group]]) -> Group:
    """A folded part: its title, and what is shown of its insides, one below the other."""
    title = shortened(title, 240, NAME_SIZE, bold=True)
    subtitle = shortened(subtitle, 240, SMALL_SIZE)
    width = max(text_width(title, NAME_SIZE, bold=True), text_width(subtitle, SMALL_SIZE))
    shapes: list[Shape] = [Text(PADDING, 17, title, NAME_SIZE, INK, bold=True)]
    shapes.append(Text(PADDING, 31, subtitle, SMALL_SIZE, MUTED))
    y = 38.0
    for name, body in bodies:
        name = shortened(name, 240, SMALL_SIZE, bold=True)
        shapes += [Text(PADDING, y + 11, name, SMALL_SIZE, INK, bold=True), body.at(PADDING, y + 16)]
        width = max(width, body.width, text_width(name, SMALL_SIZE, bold=True))
        y += body.height + 24
    frame = Rectangle(Box(0, 0, width + 2 * PADDING, y + 2), BLOCK_FILL, BLOCK_STROKE, 1.4, 9)
    return Group(width + 2 * PADDING, y + 2, (frame, *shapes), title)


def value_of(x: Any) -> float | None:
    """A number in full, as far as it is known."""
    return None if x is None else float(np.asarray(x).item())


def written(value: Any, digits: int) -> str:
    """A number, or an array of one, in writing."""
    return number(np.asarray(value).item(), digits)


def gradient_text(value: Any, digits: int) -> tuple[str, str]:
    """A gradient in writing with its sign, and its colour; "—" where it was not computed."""
    if value is None:
        return NOT_COMPUTED, MUTED
    x = np.asarray(value).item()
    return signed(x, digits), text_colour_of(x)


def two_rows(
    data: Any, gradient: Any, digits: int, rows: Sequence[str], least: float = 0.0, keys: KeysOfTwo = NO_KEYS
) -> Group:
    """Data above its gradient, at least so wide."""
    own, slopes = (k.at(*[0] * np.ndim(data)) for k in keys)
    text, (slope, colour) = written(data, digits), gradient_text(gradient, digits)
    labels = max(text_width(row, SMALL_SIZE) for row in rows)
    width = max(least, labels + 10 + max(text_width(text, NUMBER_SIZE), text_width(slope, NUMBER_SIZE)))
    shapes = (
        Text(0, 12, rows[0], SMALL_SIZE, MUTED),
        Text(width, 12, text, NUMBER_SIZE, INK, "end", key=own, value=value_of(data)),
        Text(0, 12 + ROW, rows[1], SMALL_SIZE, MUTED),
        Text(width, 12 + ROW, slope, NUMBER_SIZE, colour, "end", key=slopes, value=value_of(gradient)),
    )
    return Group(width, 2 * ROW + 2, shapes)


def two_grids(
    data: Any,
    gradient: Any,
    digits: int,
    rows: Sequence[str] = ("data", "grad"),
    cells: int = 32,
    side: float = 120.0,
    least: float = 0.0,
    keys: KeysOfTwo = NO_KEYS,
) -> Group:
    """Data and gradient, side by side or, where that is too wide, one above the other; one number in two rows."""
    if np.size(data) == 1:
        return two_rows(data, gradient, digits, rows, least, keys)
    first = captioned(f"{rows[0]} {shape_text(data)}", data, digits, cells, side, keys[0])
    second = captioned(rows[1], gradient, digits, cells, side, keys[1])
    if first.width + second.width > 170 and first.height < 0.6 * first.width:
        width, below = max(first.width, second.width), first.height + 4
        return Group(width, below + second.height, (first, second.at(0, below)))
    beside = first.width + 14
    return Group(beside + second.width, max(first.height, second.height), (first, second.at(beside, 0)))


def shape_text(value: Any) -> str:
    """The shape of an array: "3 × 4", "5 numbers"."""
    shape = np.shape(value)
    if len(shape) == 0:
        return "1 number"
    return f"{shape[0]} numbers" if len(shape) == 1 else " × ".join(map(str, shape))


def captioned(
    caption: str, array: Any, digits: int, cells: int = 32, side: float = 120.0, keys: Keys = NO_KEYS[0]
) -> Group:
    """An array under a caption: numbers on colour where there are few, colours and the range where there are many."""
    heading = Text(0, 10, caption, SMALL_SIZE, MUTED)
    width = text_width(caption, SMALL_SIZE)
    if array is None:
        return Group(max(width, 16), 30, (heading, Text(0, 26, NOT_COMPUTED, NUMBER_SIZE, MUTED)))
    grid = number_grid(array, digits, keys) if _can_be_written(array) else heat_map(array, cells, side, keys=keys)
    shapes: list[Shape] = [heading, grid.at(0, 15)]
    height = 15 + grid.height
    if not _can_be_written(array):
        span = range_text(array, 3)
        shapes.append(Text(0, height + 12, span, SMALL_SIZE, MUTED))
        width, height = max(width, text_width(span, SMALL_SIZE)), height + 15
    return Group(max(width, grid.width), height, tuple(shapes))


def range_text(array: Any, digits: int) -> str:
    """From the least to the greatest number, and how many are not finite."""
    numbers = np.asarray(array)
    if not numbers.size:
        return "empty"
    finite = numbers[np.isfinite(numbers)]
    rest = f", {numbers.size - finite.size} not finite" if finite.size < numbers.size else ""
    if not finite.size:
        return f"{numbers.size} not finite"
    least, greatest = number(finite.min(), digits), number(finite.max(), digits)
    return (f"all {least}" if least == greatest else f"{least} … {greatest}") + rest


def _can_be_written(array: Any) -> bool:
    shape = np.shape(array)
    return 0 < np.size(array) <= WRITTEN and len(shape) <= 2 and (not shape or shape[-1] <= 4)


def _as_matrix(array: Any) -> np.ndarray[Any, Any]:
    numbers = np.asarray(array, np.float64)
    if numbers.ndim < 2:
        return numbers.reshape(1, -1)
    return numbers.reshape(math.prod(numbers.shape[:-1]), numbers.shape[-1])


def number_grid(array: Any, digits: int, keys: Keys = NO_KEYS[0]) -> Group:
    """The numbers of a small array, each on the colour of its sign and size."""
    matrix, largest = _as_matrix(array), largest_of(array)
    whole = np.asarray(array).dtype.kind in "biu"
    texts = [[number(int(x) if whole else x, digits) for x in row] for row in matrix]
    width = max(text_width(text, SMALL_SIZE) for row in texts for text in row) + 8
    shapes: list[Shape] = []
    for i, row in enumerate(texts):
        for j, text in enumerate(row):
            colour = shade(float(matrix[i, j]), largest)
            ink = PAPER if is_dark(colour) else INK
            shapes.append(Rectangle(Box(j * width, i * ROW, width, ROW), colour, LINE, 0.6))
            key = keys.at(*[i, j][2 - np.ndim(array) :])
            shapes.append(
                Text((j + 1) * width - 4, i * ROW + 11, text, SMALL_SIZE, ink, "end", False, key, float(matrix[i, j]))
            )
    return Group(width * matrix.shape[1], ROW * matrix.shape[0], tuple(shapes))


def heat_map(array: Any, cells: int, side: float, largest: float | None = None, keys: Keys = NO_KEYS[0]) -> Group:
    """An array as colours, at most `cells` × `cells` of them; a cell shows the number of largest size in its part."""
    matrix = _as_matrix(array)
    if not matrix.size:
        return Group(20, 20, (Rectangle(Box(0, 0, 20, 20), None, LINE),))
    is_row = matrix.shape[0] == 1
    if is_row and matrix.shape[1] > cells:
        matrix = _wrapped(matrix[0])
    largest = largest_of(matrix) if largest is None else largest
    rows, columns = (tuple(_bounds(n, cells)[:-1].tolist()) for n in matrix.shape)
    axes = np.ndim(array)
    key = "" if axes not in (1, 2) else keys.at(*[0] * (axes - 1), "{}") if is_row else keys.at("{}", "{}")
    which = Cells(key, rows, columns, matrix.shape[1] if is_row else None) if key else None
    matrix = pooled(matrix, cells)
    cell = min(14.0, side / max(matrix.shape))
    box = Box(0, 0, max(6.0, cell * matrix.shape[1]), max(6.0, cell * matrix.shape[0]))
    frame = Rectangle(box, None, LINE, 0.8)
    return Group(box.width, box.height, (HeatMap(box, depths(matrix, largest), which), frame))


def _wrapped(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A long row as a block of rows, about square, with no row left short if possible; else filled up with zeros."""
    side = math.isqrt(len(numbers))
    columns = next((n for n in range(side, side // 2, -1) if len(numbers) % n == 0), 0)
    columns = len(numbers) // columns if columns else side + 1
    rows = math.ceil(len(numbers) / columns)
    return np.concatenate([numbers, np.zeros(rows * columns - len(numbers))]).reshape(rows, columns)


def pooled(matrix: np.ndarray[Any, Any], cells: int) -> np.ndarray[Any, Any]:
    """At most so many rows and columns, each number the one of largest magnitude out of a part of the matrix."""
    if max(matrix.shape) <= cells:
        return matrix
    rows, columns = (_bounds(n, cells)[:-1] for n in matrix.shape)
    most = np.maximum.reduceat(np.maximum.reduceat(matrix, rows, axis=0), columns, axis=1)
    least = np.minimum.reduceat(np.minimum.reduceat(matrix, rows, axis=0), columns, axis=1)
    return np.where(-least > most, least, most)


def _bounds(count: int, parts: int) -> Any:
    """Where the parts of so many things begin, and the last ends: one thing each where there are few."""
    return np.linspace(0, count, min(count, parts) + 1).astype(int)


def operation(label: str, tip: str) -> Group:
    """An operation: its sign in a circle, or its name in an ellipse."""
    label = shortened(label, 220, 14, bold=True)
    width = max(28.0, text_width(label, 14, bold=True) + 14)
    box = Box(0, 0, width, 28)
    text = Text(width / 2, 19, label, 14, INK, "middle", bold=True)
    return Group(width, 28, (Ellipse(box, OPERATION_FILL, OPERATION_STROKE, 1.2), text), "", tip)


TAG_HEIGHT = 17.0


def tag_width(text: str) -> float:
    """How wide a tag with this text is."""
    return text_width(text, SMALL_SIZE) + 10


def tag(text: str, slope: float | None, width: float, tip: str = "", key: str = "") -> Group:
    """A number on an edge, on a ground of the colour of its sign."""
    ground = PAPER if slope is None else ("#f2f4f6", "#e3f0f9", "#fdebdd")[sign_of(slope)]
    border = LINE if slope is None else ("#c3cad2", "#9cc8e6", "#f2bd94")[sign_of(slope)]
    colour = MUTED if slope is None else text_colour_of(slope)
    box = Box(0, 0, width, TAG_HEIGHT - 2)
    shapes = (
        Rectangle(box, ground, border, 0.8, 3),
        Text(width / 2, 11, text, SMALL_SIZE, colour, "middle", False, key, slope),
    )
    return Group(width, TAG_HEIGHT - 2, shapes, "", tip, key=key)


def arrow(points: tuple[Point, ...], colour: str, thickness: float = 1.2, dashed: bool = False) -> tuple[Shape, ...]:
    """A curve that arrives level from the left, with a head."""
    x, y = points[-1]
    half = 2.6 + thickness * 0.7
    tip = Polygon(((x, y), (x - 2 * half, y - half), (x - 2 * half, y + half)), colour)
    return Curve((*points[:-1], (x - 1.5 * half, y)), colour, thickness, dashed), tip


def straight(start: Point, end: Point) -> tuple[Point, ...]:
    """A straight line as a Bézier curve."""
    (x0, y0), (x1, y1) = start, end
    third = ((x1 - x0) / 3, (y1 - y0) / 3)
    return start, (x0 + third[0], y0 + third[1]), (x1 - third[0], y1 - third[1]), end


def key(entries: Sequence[tuple[Group, str]], width: float) -> Group:
    """What shapes and colours mean: samples with words, in as many lines as the width asks for."""
    shapes: list[Shape] = []
    x = y = reach = 0.0
    for sample, words in entries:
        size = sample.width + 6 + text_width(words, SMALL_SIZE) + 18
        if x and x + size > width:
            x, y = 0.0, y + 20
        shapes.append(sample.at(x, y + (14 - sample.height) / 2))
        shapes.append(Text(x + sample.width + 6, y + 11, words, SMALL_SIZE, MUTED))
        x += size
        reach = max(reach, x)
    return Group(reach, y + 16, tuple(shapes))


def line_sample(colour: str, thickness: float = 2.5, dashed: bool = False) -> Group:
    """A short stroke for the key."""
    return Group(22, 8, (Curve(straight((0, 4), (22, 4)), colour, thickness, dashed),))


def box_sample(fill: str, stroke: str, round_: bool = False) -> Group:
    """A small box, or an ellipse, for the key."""
    box = Box(0, 0, 18, 12)
    shape: Shape = Ellipse(box, fill, stroke) if round_ else Rectangle(box, fill, stroke, 1, 3)
    return Group(18, 12, (shape,))


SIGNS = ((line_sample(POSITIVE), "+ positive"), (line_sample(NEGATIVE), "− negative"))


def how_many_of(n: int, noun: str) -> str:
    """A number of things: "3 steps"."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def listed(names: Sequence[str], most: int = 12) -> str:
    """The names, or the first of many and how many more there are; never one more, which could as well be named."""
    shown = names if len(names) <= most + 1 else names[:most]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(shown) < len(names) else "")


def assemble(
    content: Group, title: str, entries: Sequence[tuple[Group, str]], notes: Sequence[str], description: str
) -> Scene:
    """A scene of a content with its title above and its key and notes below; `description` is for who cannot see it."""
    width = max(content.width, 330.0, text_width(title, 14, bold=True), *(text_width(n, SMALL_SIZE) for n in notes))
    legend = key(entries, width)
    width = max(width, legend.width)
    y = MARGIN
    shapes: list[Shape] = [Text(MARGIN, y + 12, title, 14, INK, bold=True)]
    y += 30
    shapes.append(content.at(MARGIN, y))
    y += content.height + 16
    shapes.append(legend.at(MARGIN, y))
    y += legend.height
    for note in notes:
        shapes.append(Text(MARGIN, y + 12, note, SMALL_SIZE, MUTED))
        y += 15
    return Scene(width + 2 * MARGIN, y + MARGIN - 2, tuple(shapes), title, " ".join([description, *notes]))
