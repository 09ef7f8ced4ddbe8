"""Pictures of partial dependence: curves over numbers and times, a dot for each category."""

from __future__ import annotations

import numpy as np

from chainrule.explanation.drawing.curves import round_numbers
from chainrule.explanation.drawing.drawing import Drawing
from chainrule.explanation.drawing.palette import INK, LINE, MUTED, ZERO
from chainrule.explanation.drawing.pieces import SMALL_SIZE, assemble, line_sample, straight
from chainrule.explanation.drawing.scene import Box, Curve, Ellipse, Group, Shape, Text, shortened, text_width
from chainrule.tabular.amounts import amount
from chainrule.tabular.charts import COLOURS, LABEL, ROW, WIDTH, Panel, range_of
from chainrule.tabular.explaining.levels import Level, Levels

TICKS = 4


def draw_curves(found: Levels, ends: tuple[float, float]) -> Drawing:
    """Mean predictions over the values of a column; strokes below mark the values, which lie where rows do."""
    levels = [x for x in found.levels if x.place is not None]
    places = [x.place for x in levels if x.place is not None]
    means = np.array([x.means for x in levels])
    ticks = texts_along(levels) if not _are_numbers(levels) else None
    panel = Panel(range_of(places), range_of(ends), (found.column, _what(found)), ticks)
    shapes: list[Shape] = []
    for i, average in enumerate(found.average):
        colour = COLOURS[i % len(COLOURS)]
        shapes.append(panel.line([(places[0], average), (places[-1], average)], ZERO, 0.9, True))
        if len(levels) > 1:
            shapes.append(panel.line(list(zip(places, means[:, i].tolist(), strict=True)), colour))
        for level, place in zip(levels, places, strict=True):
            tip = f"{found.column} = {level.text}: {found.curves[i]} {amount(level.means[i])}"
            shapes.append(panel.point(place, level.means[i], colour, 2.2, tip))
    bottom = panel.bottom
    shapes += [Curve(straight((panel.x(x), bottom - 5), (panel.x(x), bottom)), MUTED, 0.8) for x in places]
    return Drawing(assemble(panel.around(shapes), _title(found), _key(found), _notes(found), _said(found)))


def draw_categories(found: Levels, ends: tuple[float, float]) -> Drawing:
    """A dot for each category; where there is one for each, on a line from the mean prediction of the rows as they are."""
    levels = sorted(found.levels, key=lambda x: -x.means[0])
    ends = range_of(ends)
    names = [shortened(x.text, LABEL, 12) for x in levels]
    left = max(text_width(name, 12) for name in names) + 12
    numbers = max(text_width(amount(x), 12) for level in levels for x in level.means) + 8
    height = ROW * len(levels)

    def across(value: float) -> float:
        return left + 6 + (WIDTH - left) * (value - ends[0]) / (ends[1] - ends[0])

    shapes: list[Shape] = []
    for i, average in enumerate(found.average):
        shapes.append(Curve(straight((across(average), 0), (across(average), height)), ZERO, 0.9, True))
        for row, level in enumerate(levels):
            y, colour = ROW * (row + 0.5), COLOURS[i % len(COLOURS)]
            x = across(level.means[i])
            if len(found.curves) == 1:  # lines of several would cover each other
                shapes.append(Curve(straight((across(average), y), (x, y)), colour, 2.0))
            tip = f"{found.column} = {level.text}: {found.curves[i]} {amount(level.means[i])}, {level.share:.1%} of the rows"
            shapes.append(Group(0, 0, (Ellipse(Box(x - 4, y - 4, 8, 8), colour),), "", tip))
    for row, (name, level) in enumerate(zip(names, levels, strict=True)):
        y = ROW * (row + 0.5)
        shapes.append(Text(0, y + 4, name, 12, INK))
        shapes.append(Curve(straight((left, y + ROW / 2), (WIDTH + 12, y + ROW / 2)), LINE, 0.5))
        if len(found.curves) == 1:
            shapes.append(Text(WIDTH + 14 + numbers, y + 4, amount(level.means[0], 4), SMALL_SIZE, MUTED, "end"))
    below = 0.0
    if len(found.curves) > 1:  # there is no room for the numbers of all dots
        below = 20.0
        for mark in round_numbers(*ends):
            shapes.append(Curve(straight((across(mark), height), (across(mark), height + 4)), MUTED, 0.8))
            shapes.append(Text(across(mark), height + 16, amount(mark, 6), SMALL_SIZE, MUTED, "middle"))
    content = Group(WIDTH + 16 + numbers, height + below, tuple(shapes))
    return Drawing(assemble(content, _title(found), _key(found), _notes(found), _said(found)))


def _title(found: Levels) -> str:
    return f"{_what(found)} by {found.column}"


def _what(found: Levels) -> str:
    if found.curves == (found.target,):
        return found.target
    return f"p({found.target} = {found.curves[0]})" if len(found.curves) == 1 else f"p of {found.target}"


def _key(found: Levels) -> list[tuple[Group, str]]:
    several = len(found.curves) > 1
    curves = [(line_sample(COLOURS[i % len(COLOURS)]), name) for i, name in enumerate(found.curves)] if several else []
    return [*curves, (line_sample(ZERO, 0.9, True), "mean prediction for the rows as they are")]


def _notes(found: Levels) -> list[str]:
    if found.missing is None:
        return []
    means = ", ".join(amount(x, 4) for x in found.missing.means)
    return [f"missing in {found.missing.share:.1%} of the rows: {means}"]


def _said(found: Levels) -> str:
    return "mean predictions: " + ", ".join(
        f"{x.text}: {' '.join(amount(mean, 3) for mean in x.means)}" for x in found.levels
    )


def _are_numbers(levels: list[Level]) -> bool:
    """Whether the texts are the numbers of their places, so that round numbers may stand along the axis."""
    try:
        return all(
            abs(float(x.text.replace("−", "-")) - (x.place or 0.0)) <= 1e-4 * abs(x.place or 1.0) for x in levels
        )
    except ValueError:
        return False


def texts_along(levels: list[Level]) -> list[tuple[float, str]]:
    """A few values as they are spelled, evenly spread along the axis as far as there are values and room for their texts."""
    places = np.array([x.place for x in levels], np.float64)
    wanted = np.linspace(places[0], places[-1], TICKS)
    across = np.linspace(0.0, WIDTH, TICKS) if len(levels) == 1 else WIDTH * (places - places[0]) / np.ptp(places)
    chosen: list[int] = []
    for i in (0, len(levels) - 1, *(int(np.argmin(np.abs(places - x))) for x in wanted)):  # the ends first
        if all(_apart(levels[i].text, levels[j].text) < abs(across[i] - across[j]) for j in chosen):
            chosen.append(i)
    return [(float(places[i]), levels[i].text) for i in sorted(chosen)]


def _apart(one: str, other: str) -> float:
    """How far apart the middles of two texts must be."""
    return (text_width(one, SMALL_SIZE) + text_width(other, SMALL_SIZE)) / 2 + 8
