"""Networks layer by layer: neurons and weighted connections where there are few, layers as blocks where there are many.

A network of layers in a row has a column for every layer. Any other network is drawn as the graph of its Program,
folded to one block for every call of a layer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from chainrule.errors import SettingError, UnknownNameError
from chainrule.explanation.drawing.columns import (
    Column,
    block,
    connected,
    loss_column,
    many,
    neurons,
    sources,
    strongest,
)
from chainrule.explanation.drawing.drawing import Drawing
from chainrule.explanation.drawing.folding import LEGIBLE, POSSIBLE
from chainrule.explanation.drawing.graph import draw_evaluation
from chainrule.explanation.drawing.layers import RowLayer, as_row, described
from chainrule.explanation.drawing.palette import (
    BLOCK_FILL,
    BLOCK_STROKE,
    LEAF_FILL,
    LEAF_STROKE,
    NOT_COMPUTED,
    RESULT_FILL,
    RESULT_STROKE,
    VALUE_FILL,
    VALUE_STROKE,
    ZERO,
    colour_of,
    largest_of,
    number,
    thickness_of,
)
from chainrule.explanation.drawing.pieces import SIGNS, arrow, assemble, box_sample
from chainrule.explanation.drawing.scene import Curve, Group, Point, Shape
from chainrule.explanation.drawing.scopes import scoped
from chainrule.explanation.drawing.strongest import Strongest
from chainrule.explanation.drawing.style import Style
from chainrule.explanation.evaluations.networks import NetworkEvaluation
from chainrule.tracing.program import Variable

MOST_INPUTS = 16
"""Connections that one neuron can have with all of them legible, and neurons that can stand above each other."""

PAGE = 1300.0, 1000.0
"""The largest picture that is still legible on a page or in a notebook, where it is drawn smaller; larger ones are folded."""

STRONGEST = 4
"""The level of a layer of which the largest connections are drawn."""

MOST_LAYERS, END = 12, 4
"""Layers that are drawn when nobody says how far; of more than these only so many at either end."""

GAP = 84.0


@np.errstate(all="ignore")
def draw_network(
    found: NetworkEvaluation,
    layers: Mapping[str, Any],
    *,
    title: str | None = None,
    depth: int | None = None,
    focus: str | None = None,
    digits: int = 4,
    steady: bool = False,
    symbols: Mapping[str, str] | None = None,
) -> Drawing:
    """The picture of a network.

    Weights stand on the connections, with their gradients where there is a loss; neurons show z and a, as means over
    the rows of a batch. More than about 200 neurons and connections, and what would not fit a page, are folded into blocks
    with heat maps.

    Parameters
    ----------
    found : NetworkEvaluation
        What was computed; values of variables may be missing.
    layers : mapping
        Layers by name.
    depth : int, optional
        1 for a block for every layer, 2 for every neuron, 3 for every connection; by default as far as the picture
        stays legible. In networks that are no row of layers, the levels of scopes that are unfolded.
    focus : str, optional
        The layer to be unfolded while the others are folded: of a large one the largest connections.
    digits : int
        Significant digits of numbers.
    steady : bool
        Whether the layout is to be the same whatever the numbers are, and those not known have a place.
    symbols : mapping, optional
        What parameters go by in formulas, such as `{"hidden.weight": "u"}`, instead of w and b.
    """
    SettingError.unless_count("draw", "digits", digits)
    if depth is not None:
        SettingError.unless_count("draw", "depth", depth, at_least=0)
    row = as_row(found, layers)
    if row is None:
        subtitles = {call.name: described(layers[call.layer]) for call in found.layers if call.layer in layers}
        return draw_evaluation(
            scoped(found),
            title=title or "network",
            depth=1 if depth is None else depth,
            focus=focus,
            digits=digits,
            subtitles=subtitles,
        )
    if focus is not None and focus not in {layer.name for layer in row}:
        raise UnknownNameError.among("layer", focus, layers)
    first = _levels(row, depth, focus)
    asked = [(first, Style(found.evaluation, digits, steady=steady, symbols=symbols or {}))]
    if depth is None and focus is None:
        asked += [([min(most, level) for level in first], asked[0][1]) for most in (2, 1) if max(first) > most]
        asked.append((asked[-1][0], replace(asked[0][1], side=100.0)))
    name = title or f"{_sizes(row)} network"
    best = math.inf
    for levels_asked, style_asked in asked:  # the first that fits a page, or else what comes nearest to that
        drawn = _content(found, style_asked, row, levels_asked, focus)
        excess = max(1.0, drawn.width / PAGE[0], drawn.height / PAGE[1])
        if excess < best:
            best, levels, content, style = excess, levels_asked, drawn, style_asked
        if excess == 1.0:
            break
    notes = _notes(style, found, row, layers, levels)
    if levels != first:
        notes.append("Folded to fit a page; with depth=3 every connection is drawn.")
    return Drawing(assemble(content, name, _key(style, levels), notes, _description(style, found, row)))


def _content(
    found: NetworkEvaluation, style: Style, row: list[RowLayer], levels: list[int], focus: str | None
) -> Group:
    """The network with its layers unfolded so far."""
    columns = [sources(style, row[0], individually=levels[0] == 3)]
    for level, layers_alike in groupby(zip(levels, row, strict=True), key=itemgetter(0)):
        alike = [layer for _, layer in layers_alike]
        if level == 0:
            columns.append(many(alike))
        else:
            make = {1: block, 2: neurons, 3: connected, STRONGEST: strongest}[level]
            made = [make(style, layer) for layer in alike]
            columns += [
                replace(column, group=replace(column.group, fold=True)) if layer.name == focus else column
                for column, layer in zip(made, alike, strict=True)
            ]
    if found.loss is not None:
        columns.append(loss_column(style, found, row[-1]))
    return _side_by_side(columns, style)


def _sizes(row: list[RowLayer]) -> str:
    """2-3-1, or of many layers the ends: 2-3-3-3-…-3-3-1."""
    sizes = [str(n) for n in (row[0].inputs, *(layer.units for layer in row))]
    if len(row) > MOST_LAYERS:
        sizes[END:-END] = ["…"]
    return "-".join(sizes)


def _description(style: Style, found: NetworkEvaluation, row: list[RowLayer]) -> str:
    """The network in words."""
    first = row[0]
    said = [f"{first.inputs} input{'s' * (first.inputs != 1)}: {style.evaluation.label(first.source)}"]
    shown = row if len(row) <= MOST_LAYERS else [*row[:END], None, *row[-END:]]
    said += [
        f"{len(row) - 2 * END} further layers" if layer is None else f"{layer.name}: {layer.description}"
        for layer in shown
    ]
    if found.loss is not None:
        value = style.value(found.loss)
        loss = NOT_COMPUTED if value is None else number(np.asarray(value).item(), style.digits)
        said.append(f"loss: {style.evaluation.label(found.loss)} = {loss}")
    return f"{'; '.join(said)}."


def _levels(row: list[RowLayer], depth: int | None, focus: str | None) -> list[int]:
    """How far each layer is unfolded: 1 as a block, 2 to neurons, 3 to connections, of which only the largest are drawn where they
    are too many and no depth is asked for; 0 where many are one block."""
    legible = all(layer.inputs <= MOST_INPUTS for layer in row)
    nodes = row[0].inputs + sum(layer.units + layer.connections for layer in row)
    if focus is None and depth is None:
        if len(row) > MOST_LAYERS:
            return [1] * END + [0] * (len(row) - 2 * END) + [1] * END
        return [3 if legible and nodes <= LEGIBLE else 1] * len(row)
    wanted = [depth if focus in (None, layer.name) else 1 for layer in row]
    return [
        _furthest(layer, 3 if level is None else level, level is None) for level, layer in zip(wanted, row, strict=True)
    ]


def _furthest(layer: RowLayer, level: int, legibly: bool) -> int:
    """The level asked for, or the furthest below it to which a layer can be unfolded."""
    most = LEGIBLE if legibly else POSSIBLE
    connections = layer.connections <= most and (max(layer.inputs, layer.units) <= MOST_INPUTS or not legibly)
    if legibly and not connections and layer.weight is not None:
        return STRONGEST
    if layer.units > most:
        return 1
    return min(max(1, level), 3 if connections else 2)


def _side_by_side(columns: list[Column], style: Style) -> Group:
    """Columns centred on one line, and the lines between them."""
    height = max(column.group.height for column in columns)
    x = 0.0
    placed: list[Group] = []
    lines: list[Shape] = []
    before: tuple[Column, Point] | None = None
    for column in columns:
        if before is not None:
            gap = GAP if not (column.folded and before[0].folded) else 0.38 * GAP
            x += gap if column.connections is None else min(240.0, max(GAP, 0.16 * height))
        corner = (x, (height - column.group.height) / 2)
        if before is not None:
            lines += _joined(before[0], before[1], column, corner)
        placed.append(column.group.at(*corner))
        before = column, corner
        x += column.group.width
    return Group(x, height, (*lines, *placed))


def _joined(left: Column, left_corner: Point, right: Column, right_corner: Point) -> list[Shape]:
    """The lines from one column to the next: one for every connection, or one for all."""
    x, y = right_corner
    exits = [(px + left_corner[0], py + left_corner[1]) for px, py in left.exits]
    edge = left_corner[0] + left.group.width
    if right.connections is None:
        entry = (x + right.entry[0], y + right.entry[1])
        if left.folded:
            return list(arrow(_curve(exits[0], edge, entry), ZERO, 3.0))
        return [shape for start in exits for shape in arrow(_curve(start, edge, entry), ZERO, 1.0)]
    if left.folded:
        count = right.sources
        top, bottom = left_corner[1] + 10, left_corner[1] + left.group.height - 10
        exits = [(exits[0][0], top + (bottom - top) * (i + 0.5) / count) for i in range(count)]
    largest = largest_of(*(line.weight for line in right.connections if line.weight is not None))
    return [
        Curve(
            _curve(exits[i], edge, (px + x, py + y)),
            ZERO if weight is None else colour_of(weight),
            1.2 if weight is None else thickness_of(weight, largest, 3.4),
            key=key,
        )
        for i, (px, py), weight, key in right.connections
    ]


def _curve(start: Point, edge: float, end: Point) -> tuple[Point, ...]:
    """Level to the edge of its column, and then an S."""
    (x0, y0), (x1, y1) = start, end
    middle = (edge + x1) / 2
    level = ((x0, y0), (edge, y0), (edge, y0)) if edge > x0 + 0.5 else ()
    return (start, *level, (middle, y0), (middle, y1), end)


def _key(style: Style, levels: list[int]) -> list[tuple[Group, str]]:
    entries = []
    if levels[0] == 3:
        entries.append((box_sample(LEAF_FILL, LEAF_STROKE), "input"))
    if max(levels) > 1:
        entries.append((box_sample(VALUE_FILL, VALUE_STROKE), "neuron"))
    if min(levels) < 2:
        entries.append((box_sample(BLOCK_FILL, BLOCK_STROKE), "layer, folded"))
    if style.evaluation.output is not None:
        entries.append((box_sample(RESULT_FILL, RESULT_STROKE), "loss"))
    words = (
        "thickness of a connection: size of its weight" if max(levels) >= 3 else "depth of a colour: size of the number"
    )
    return [*entries, *SIGNS, (Group(0, 0, ()), words)]


def _notes(
    style: Style, found: NetworkEvaluation, row: list[RowLayer], layers: Mapping[str, Any], levels: list[int]
) -> list[str]:
    notes = []
    if style.rows > 1 and style.evaluation.values.get(row[0].source) is not None:
        folded = "" if min(levels) > 1 else "; heat maps of values have a row for each"
        means = "" if max(levels) == 1 else "; z, a and ∂a/∂z are means over them, Σ are sums"
        notes.append(f"{style.rows} rows{means}{folded}. Gradients are those of the mean loss.")
    if style.differentiated and max(levels) > 1:
        alone = style.rows == 1
        rule = "∂L/∂w = input · ∂L/∂z, and ∂L/∂z = ∂L/∂a · ∂a/∂z"
        notes.append(f"Along a connection ∂z/∂input = w; so {'' if alone else 'in every row '}{rule}.")
    shown = {layer.name for layer in row}
    for layer, level in zip(row, levels, strict=True):
        if level == STRONGEST:
            drawn = Strongest.of(style.value(layer.weight))
            notes.append(
                f"{layer.name}: of {drawn.all:,} connections the {drawn.count} with the largest |w| are drawn, and of "
                f"{layer.units:,} neurons the {len(drawn.inputs)} that they lead to."
            )
    passing = [call.name for call in found.layers if call.name not in shown and call.name in layers]
    if passing:
        notes.append(f"{', '.join(passing)}: changes nothing outside training.")
    return notes


def without_data(found: NetworkEvaluation, parameters: Mapping[str, Any]) -> NetworkEvaluation:
    """The same with the values of parameters alone, for a picture of a network that was given no data."""
    kept: dict[Variable, Any] = {found.known[name]: value for name, value in parameters.items()}
    return replace(found, evaluation=replace(found.evaluation, values=kept))
