"""The columns of a network's picture: inputs, layers at three levels of detail, and the loss."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from chainrule.explanation.drawing.layers import RowLayer
from chainrule.explanation.drawing.neurons import Line, Neuron, boxes_of, header
from chainrule.explanation.drawing.palette import (
    INK,
    LEAF_FILL,
    LEAF_STROKE,
    LINE,
    MUTED,
    NOT_COMPUTED,
    PAPER,
    RESULT_FILL,
    RESULT_STROKE,
    VALUE_FILL,
    VALUE_STROKE,
    colour_of,
    largest_of,
    number,
    signed,
    text_colour_of,
    thickness_of,
)
from chainrule.explanation.drawing.pieces import (
    NUMBER_SIZE,
    SMALL_SIZE,
    TAG_HEIGHT,
    block_box,
    captioned,
    heat_map,
    shape_text,
    tag,
    tag_width,
    two_grids,
    value_of,
)
from chainrule.explanation.drawing.scene import Box, Curve, Group, Point, Rectangle, Shape, Text, text_width
from chainrule.explanation.drawing.strongest import Strongest
from chainrule.explanation.drawing.style import Style
from chainrule.explanation.evaluations.keys import keys_of
from chainrule.explanation.evaluations.networks import NetworkEvaluation
from chainrule.tracing.program import Variable

HEADER = 40.0
SPACE = 14.0
"""Between neurons that stand above each other."""


class Connection(NamedTuple):
    """Where a connection arrives, from which input, and its weight."""

    source: int
    point: Point
    weight: float | None
    key: str = ""


@dataclass(frozen=True)
class Column:
    """A column: where its neurons are left, and where lines from the column before arrive.

    `connections` are there in a column drawn to its connections, which come from so many `sources`; elsewhere all lines arrive at
    `entry`.
    """

    group: Group
    exits: tuple[Point, ...]
    entry: Point
    connections: tuple[Connection, ...] | None = None
    sources: int = 0

    @property
    def folded(self) -> bool:
        """Whether its neurons cannot be told apart."""
        return len(self.exits) == 1 and self.connections is None


def sources(style: Style, first: RowLayer, individually: bool) -> Column:
    """The inputs, one by one or as a block."""
    x = first.source
    name = style.evaluation.label(x)
    title = f"{first.inputs} input" + ("" if first.inputs == 1 else "s")
    if not individually:
        return _folded(name, title, _bodies(style, [(name, x)]))
    value = style.mean(x)
    boxes = []
    for i in range(first.inputs):
        lines, keys = [], style.keys_of_unit(x, i)
        if value is not None:
            word = "x" if style.rows == 1 else "mean"
            lines.append(Line(word, number(value[i], style.digits), INK, keys[0], float(value[i])))
        if style.sloped(x):
            lines.append(_slope_line(style, "x", style.total(x), i, keys[1]))
        boxes.append(Neuron(f"{name}[{i}]", lines, key=keys[0], room=style.room))
    return in_grid(name, title, boxes_of(boxes, LEAF_FILL, LEAF_STROKE, 5), 1)


def block(style: Style, layer: RowLayer) -> Column:
    """A layer as one box, with heat maps of its parameters and of what it gives."""
    shown = [("weight", layer.weight), ("bias", layer.bias), ("a", layer.a)]
    column = _folded(layer.name, layer.description, _bodies(style, shown))
    return replace(column, group=replace(column.group, unfold=layer.name))


def many(layers: list[RowLayer]) -> Column:
    """Many layers as one box."""
    neurons = sum(layer.units for layer in layers)
    return _folded(f"… {len(layers)} layers", f"{layers[0].name} to {layers[-1].name}, {neurons:,} neurons", [])


def _bodies(style: Style, shown: list[tuple[str, Variable | None]]) -> list[tuple[str, Group]]:
    bodies = []
    for name, x in shown:
        value = style.value(x)
        if value is not None and np.size(value):
            rows = ("values", f"∂{_loss(style)}/∂{name}")
            bodies.append((name, _with_gradient(style, x, rows)))
    return bodies


def _with_gradient(style: Style, x: Variable | None, rows: tuple[str, str]) -> Group:
    value, keys = style.value(x), keys_of(style.evaluation, x)
    if style.differentiated:
        return two_grids(value, style.gradient(x), style.digits, rows, cells=64, side=style.side, keys=keys)
    return captioned(shape_text(value), value, style.digits, cells=64, side=style.side, keys=keys[0])


def _folded(title: str, subtitle: str, bodies: list[tuple[str, Group]]) -> Column:
    group = block_box(title, subtitle, bodies)
    middle = group.height / 2
    return Column(group, ((group.width, middle),), (0.0, middle))


def neurons(style: Style, layer: RowLayer) -> Column:
    """A layer neuron by neuron, the weights of each as a heat map."""
    weight, slopes = style.value(layer.weight), style.gradient(layer.weight)
    bias = style.value(layer.bias)
    boxes = []
    for j, said in enumerate(_states(style, layer)):
        columns = [replace(keys, places=(None, j)) for keys in keys_of(style.evaluation, layer.weight)]
        maps = [
            heat_map(array[:, j], 16, 64, largest_of(array), keys)
            for array, keys in zip((weight, slopes), columns, strict=True)
            if array is not None
        ]
        lines = []
        if bias is not None:
            b, name = float(bias[j]), style.letter(layer.bias, "b")
            lines.append(
                Line(
                    name, signed(b, style.digits), text_colour_of(b), keys_of(style.evaluation, layer.bias)[0].at(j), b
                )
            )
        key = style.keys_of_unit(layer.a, j)[0]
        boxes.append(Neuron(f"{layer.name}[{j}]", lines + said, _in_a_row(maps), key, style.room))
    across = max(1, round(1.2 * math.sqrt(layer.units)))
    return in_grid(layer.name, layer.description, boxes_of(boxes, VALUE_FILL, VALUE_STROKE, 10), across)


def _in_a_row(maps: list[Group]) -> Group:
    """Pictures side by side: weights, and their gradients."""
    placed, x = [], 0.0
    for one in maps:
        placed.append(one.at(x, 0))
        x += one.width + 8
    return Group(max(0.0, x - 8), max((one.height for one in maps), default=0.0), tuple(placed))


def strongest(style: Style, layer: RowLayer) -> Column:
    """A layer to the largest of its connections, with the neurons that they lead to and what gradients go by there."""
    return connected(style, layer, Strongest.of(style.value(layer.weight)))


def connected(style: Style, layer: RowLayer, picked: Strongest | None = None) -> Column:
    """A layer to its connections, or those that were picked: before every neuron a row for each of its weights, and for its bias."""
    rows = _Rows(style, layer, picked)
    units = range(layer.units) if picked is None else list(picked.inputs)
    texts = [
        Neuron(f"{layer.name}[{j}]", said, key=style.keys_of_unit(layer.a, j)[0], room=style.room)
        for j, said in zip(units, _states(style, layer, units), strict=True)
    ]
    bodies = boxes_of(texts, VALUE_FILL, VALUE_STROKE, 14)
    width = rows.end + bodies[0].width
    shapes: list[Shape] = list(header(layer.name, layer.description if picked is None else picked.says, width))
    shapes += rows.heads()
    y = HEADER + 4
    connections: list[Connection] = []
    exits = []
    for j, body in zip(units, bodies, strict=True):
        own = rows.of(j)
        height = max(body.height, max(1, len(own)) * TAG_HEIGHT)
        middle, top = y + height / 2, y + (height - len(own) * TAG_HEIGHT) / 2
        if not own:
            connections.append(Connection(j, (0.0, middle), None))
        for row, i in enumerate(own):
            drawn, connection = rows.drawn(j, i, top + (row + 0.5) * TAG_HEIGHT, middle)
            shapes += drawn
            connections += [] if connection is None else [connection]
        exits.append((width, middle))
        shapes.append(body.at(rows.end, middle - body.height / 2))
        y += height + SPACE
    group = Group(width, y - SPACE, tuple(shapes))
    return Column(group, tuple(exits), (0.0, group.height / 2), tuple(connections), layer.inputs)


class _Rows:
    """The rows before the neurons of a layer: a letter, a weight or bias, its gradient, and the line to the neuron at `end`."""

    def __init__(self, style: Style, layer: RowLayer, picked: Strongest | None) -> None:
        self._style, self._layer, self._picked = style, layer, picked
        self._weight, self._bias = style.value(layer.weight), style.value(layer.bias)
        self._slopes, self._slope = style.gradient(layer.weight), style.gradient(layer.bias)
        self._w_name, self._b_name = style.letter(layer.weight, "w"), style.letter(layer.bias, "b")
        self._names = {} if picked is None else {i: f"[{i}]" for own in picked.inputs.values() for i in own}
        self._largest = largest_of(self._weight)
        there = self._weight is not None
        labels = [*self._names.values(), *([self._b_name] if there and self._bias is not None else [])]
        self._letter = max((text_width(name, SMALL_SIZE) + 6 for name in labels), default=0.0)
        self._first = self._room(self._weight, self._bias) if there else 0.0
        sloped = there and style.differentiated and style.has_data
        self._second = self._room(self._slopes, self._slope) if sloped else 0.0
        self._reach = self._letter + self._first + (self._second + 4 if self._second else 0.0)
        self.end = self._reach + (26.0 if there else 0.0)

    def _room(self, array: Any, also: Any) -> float:
        """How wide the tags of these numbers are."""
        style = self._style
        room = style.room * SMALL_SIZE / NUMBER_SIZE + 10 if style.steady else 0.0
        numbers = [*np.ravel([] if array is None else array), *np.ravel([] if also is None else also)]
        return max(room, max((tag_width(signed(x, style.digits)) for x in numbers), default=tag_width(NOT_COMPUTED)))

    def heads(self) -> list[Shape]:
        """What stands above them."""
        if self._weight is None:
            return []
        texts = [(self._letter + self._first / 2, self._w_name)]
        if self._second:
            text = f"∂{_loss(self._style)}/∂{self._w_name}"
            texts.append((self._letter + self._first + 4 + self._second / 2, text))
        return [Text(x, HEADER - 3, text, SMALL_SIZE, MUTED, "middle") for x, text in texts]

    def of(self, j: int) -> list[int]:
        """The rows of a neuron, by the inputs of its weights; its bias is one more."""
        if self._weight is None:
            return []
        inputs = list(range(self._layer.inputs) if self._picked is None else self._picked.inputs[j])
        return [*inputs, *([] if self._bias is None else [self._layer.inputs])]

    def drawn(self, j: int, i: int, level: float, middle: float) -> tuple[list[Shape], Connection | None]:
        """One row at a level, the neuron's middle being at another; and how its input reaches it, if it is no bias."""
        style, layer, is_bias = self._style, self._layer, i == self._layer.inputs
        w = float(self._bias[j] if is_bias else self._weight[i, j])
        slopes, place = (self._slope, (j,)) if is_bias else (self._slopes, (i, j))
        g = None if slopes is None else slopes[place]
        name = f"{layer.name}.{f'bias[{j}]' if is_bias else f'weight[{i}, {j}]'}"
        own, slopes_of = keys_of(style.evaluation, layer.bias if is_bias else layer.weight)
        key, tip = own.at(*place), f"{name} = {w!r}" + ("" if g is None else f", gradient {float(g)!r}")
        turn, last = (self._reach + self.end) / 2, middle + (level - middle) * 0.2
        points: tuple[Point, ...] = ((self._reach, level), (turn, level), (turn, last), (self.end, last))
        thick = 1.0 if is_bias else thickness_of(w, self._largest, 3.4)
        shapes: list[Shape] = [Curve(points, colour_of(w), thick, key=key)]
        top = level - TAG_HEIGHT / 2 + 1
        shapes.append(tag(signed(w, style.digits), w, self._first, tip, key).at(self._letter, top))
        if self._second:
            text = NOT_COMPUTED if g is None else signed(g, style.digits)
            slope = _gradient_tag(text, g, self._second, tip, slopes_of.at(*place))
            shapes.append(slope.at(self._letter + self._first + 4, top))
        label = self._b_name if is_bias else self._names.get(i, "")
        if label:
            shapes.append(Text(self._letter - 3, level + 3.5, label, SMALL_SIZE, MUTED, "end"))
        if is_bias:
            return shapes, None
        start = self._letter - (text_width(label, SMALL_SIZE) + 6 if label else 0.0)
        return shapes, Connection(i, (start, level), w, key)


def _gradient_tag(text: str, slope: Any, width: float, tip: str, key: str) -> Group:
    """A gradient beside its weight: the sign's colour in the letters alone."""
    box = Box(0, 0, width, TAG_HEIGHT - 2)
    colour, value = text_colour_of(0.0 if slope is None else float(slope)), value_of(slope)
    letters = Text(width / 2, 11, text, SMALL_SIZE, colour, "middle", False, key, value)
    return Group(width, TAG_HEIGHT - 2, (Rectangle(box, PAPER, LINE, 0.8, 3), letters), "", tip, key=key)


def loss_column(style: Style, found: NetworkEvaluation, last: RowLayer) -> Column:
    """The loss of the batch, and the targets where it has one row."""
    assert found.loss is not None
    loss = style.value(found.loss)
    key = keys_of(style.evaluation, found.loss)[0].at()
    text = NOT_COMPUTED if loss is None else number(np.asarray(loss).item(), style.digits)
    lines = [Line("loss", text, INK, key, value_of(loss))]
    target = next((x for x in found.evaluation.program.inputs if style.evaluation.label(x) == "target"), None)
    values = style.value(target)
    if values is not None and style.rows == 1 and np.size(values) <= 8:
        keys = [keys_of(style.evaluation, target)[0].at(*place) for place in np.ndindex(np.shape(values))]
        lines += [
            Line(f"target[{i}]", number(x, style.digits), INK, keys[i], float(x))
            for i, x in enumerate(np.ravel(values))
        ]
    (box,) = boxes_of(
        [Neuron(style.evaluation.label(found.loss), lines, key=key, room=style.room)], RESULT_FILL, RESULT_STROKE, 5
    )
    return Column(box, ((box.width, box.height / 2),), (0.0, box.height / 2))


def _loss(style: Style) -> str:
    output = style.evaluation.output
    return "L" if output is None else style.evaluation.label(output)


def _slope_line(style: Style, name: str, slopes: Any, j: int, key: str) -> Line:
    word = f"{'' if style.rows == 1 else 'Σ '}∂{_loss(style)}/∂{name}"
    if slopes is None:
        return Line(word, NOT_COMPUTED, MUTED, key)
    x = float(slopes[j])
    return Line(word, signed(x, style.digits), text_colour_of(x), key, x)


def _states(style: Style, layer: RowLayer, units: Iterable[int] | None = None) -> list[list[Line]]:
    """What every neuron, or each of these, says of one pass: z and a, how a changes with z, and how the loss with both."""
    local = style.local(layer)
    chosen = range(layer.units) if units is None else units
    return [_state(style, layer, j, None if local is None else local[j]) for j in chosen]


def _state(style: Style, layer: RowLayer, j: int, local: Any) -> list[Line]:
    if not style.has_data:
        return []
    lines = []
    mean = "" if style.rows == 1 else "mean "
    ways = [("a = z", layer.z)] if layer.a is layer.z else [("z", layer.z), ("a", layer.a)]
    for name, x in ways:
        values, key = style.mean(x), style.keys_of_unit(x, j)[0]
        if values is None:
            lines.append(Line(mean + name, NOT_COMPUTED, MUTED, key))
        else:
            lines.append(Line(mean + name, number(values[j], style.digits), INK, key, float(values[j])))
    if local is not None:
        lines.append(Line(f"{mean}∂a/∂z", signed(local, style.digits), text_colour_of(float(local)), "", float(local)))
    elif style.differentiated and style.value(layer.a) is None and layer.a is not layer.z:
        lines.append(Line(f"{mean}∂a/∂z", NOT_COMPUTED, MUTED))
    for name, x in (("a", layer.a), ("z", layer.z)):
        if style.sloped(x) and not (name == "a" and layer.a is layer.z):
            lines.append(_slope_line(style, name, style.total(x), j, style.keys_of_unit(x, j)[1]))
    return lines


def in_grid(title: str, subtitle: str, boxes: list[Group], across: int) -> Column:
    """Boxes row by row under a header; they are left one by one only where they stand in one column."""
    wide, high = max(box.width for box in boxes), max(box.height for box in boxes)
    inner = across * (wide + SPACE) - SPACE
    width = max(inner, text_width(title, 12, bold=True), text_width(subtitle, SMALL_SIZE))
    shapes: list[Shape] = list(header(title, subtitle, width))
    exits = []
    y = HEADER
    for j, box in enumerate(boxes):
        x = (width - inner) / 2 + (j % across) * (wide + SPACE)
        y = HEADER + (j // across) * (high + SPACE)
        shapes.append(box.at(x, y))
        exits.append((x + box.width, y + box.height / 2))
    group = Group(width, y + high, tuple(shapes))
    if across > 1:
        frame = Rectangle(Box(-8, -8, width + 16, group.height + 16), None, LINE, 1, 8)
        group = Group(width, group.height, (frame, *shapes))
        return Column(group, ((width + 8, group.height / 2),), (-8.0, group.height / 2))
    return Column(group, tuple(exits), (0.0, HEADER + (group.height - HEADER) / 2))
