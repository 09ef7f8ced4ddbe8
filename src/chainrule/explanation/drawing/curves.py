"""Learning curves: a panel for every kind of metric, epochs to the right, what was trained on beside what was not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.explanation.drawing.drawing import Drawing
from chainrule.explanation.drawing.palette import INK, LINE, MUTED, NEGATIVE, POSITIVE, ZERO, number
from chainrule.explanation.drawing.pieces import SMALL_SIZE, assemble, line_sample, straight
from chainrule.explanation.drawing.scene import Box, Curve, Ellipse, Group, Point, Shape, Text, text_width
from chainrule.training import History

WIDTH, HEIGHT = 330.0, 190.0
GAP = 34.0
MOST = 160
"""Parts a line is drawn in; where there are more epochs, a part goes from the least to the greatest of its epochs."""

KINDS = ("loss", "accuracy")
VALIDATION = "val_"


def draw_history(history: History, *, digits: int = 4) -> Drawing:
    """The losses of a training, and the accuracies where there are any, epoch by epoch.

    Parameters
    ----------
    digits : int
        Significant digits of numbers.
    """
    SettingError.unless_count("draw", "digits", digits)
    names = {kind: [x for x in history if x.removeprefix(VALIDATION).split("_")[0] == kind] for kind in KINDS}
    panels = [
        _panel(kind, {name: history.column(name) for name in own}, history.best_epoch, digits)
        for kind, own in names.items()
        if own and history.epochs
    ]
    x = 0.0
    placed: list[Shape] = []
    for panel in panels:
        placed.append(panel.at(x, 0))
        x += panel.width + GAP
    entries = [(line_sample(POSITIVE), "training")]
    if any(name.startswith(VALIDATION) for own in names.values() for name in own):
        entries.append((line_sample(NEGATIVE, dashed=True), "validation"))
    if history.best_epoch is not None:
        entries.append((line_sample(ZERO, 1.0, dashed=True), "best epoch"))
    content = Group(max(0.0, x - GAP), max((panel.height for panel in panels), default=0.0), tuple(placed))
    last = [f"{name} {number(history.column(name)[-1], digits)}" for own in names.values() for name in own if panels]
    counted = f"{history.epochs} epoch{'s' * (history.epochs != 1)}, {history.stopped}"
    return Drawing(assemble(content, counted, entries, [], f"At the end: {', '.join(last)}" if last else "No epochs"))


@dataclass(frozen=True)
class Scale:
    """From numbers between two ends to pixels between two ends."""

    ends: tuple[float, float]
    pixels: tuple[float, float]

    def __call__(self, x: float) -> float:
        """The pixel of a number."""
        (low, high), (start, end) = self.ends, self.pixels
        return start + (end - start) * ((x - low) / (high - low) if high > low else 0.5)


def _panel(kind: str, columns: dict[str, Any], best: int | None, digits: int) -> Group:
    """The curves of one kind between axes with round numbers."""
    finite = np.concatenate([column[np.isfinite(column)] for column in columns.values()])
    epochs = len(next(iter(columns.values())))
    if not len(finite):
        return Group(WIDTH, 30, (Text(0, 12, f"{kind}: no finite number", SMALL_SIZE, MUTED),), kind)
    least, greatest = float(finite.min()), float(finite.max())
    if least == greatest:
        least, greatest = least - 0.5 * abs(least or 1.0), greatest + 0.5 * abs(greatest or 1.0)
    marks = round_numbers(least, greatest)
    left = max(text_width(number(mark, digits), SMALL_SIZE) for mark in marks) + 8
    top, bottom = 22.0, 22.0 + HEIGHT
    across, up = Scale((1, epochs), (left + 4, left + WIDTH - 4)), Scale((least, greatest), (bottom - 4, top + 6))
    shapes: list[Shape] = [Text(left, 12, kind, 12, INK, bold=True)]
    for mark in marks:
        y = up(mark)
        shapes.append(Curve(straight((left, y), (left + WIDTH, y)), LINE, 0.7))
        shapes.append(Text(left - 6, y + 3.5, number(mark, digits), SMALL_SIZE, MUTED, "end"))
    for mark in round_numbers(1, epochs, whole=True):
        shapes.append(Curve(straight((across(mark), bottom), (across(mark), bottom + 4)), MUTED, 0.8))
        shapes.append(Text(across(mark), bottom + 16, number(mark, digits), SMALL_SIZE, MUTED, "middle"))
    shapes.append(Curve(straight((left, bottom), (left + WIDTH, bottom)), MUTED, 0.8))
    shapes.append(Text(left + WIDTH, bottom + 29, "epoch", SMALL_SIZE, MUTED, "end"))
    if best is not None:
        shapes.append(Curve(straight((across(best + 1), top), (across(best + 1), bottom)), ZERO, 1.0, True))
    for name, column in columns.items():
        validation = name.startswith(VALIDATION)
        points = [(across(epoch), up(value)) for epoch, value in _thinned(column)]
        tip = f"{name}: {number(column[0], digits)} in the first epoch, {number(column[-1], digits)} in the last"
        shapes.append(Group(0, 0, line(points, NEGATIVE if validation else POSITIVE, validation), "", tip))
    return Group(left + WIDTH, bottom + 32, tuple(shapes), kind)


def line(points: Sequence[Point], colour: str, dashed: bool = False, width: float = 1.8) -> tuple[Shape, ...]:
    """A line through points, or a dot where there is one."""
    if len(points) == 1:
        ((x, y),) = points
        return (Ellipse(Box(x - 3, y - 3, 6, 6), colour),)
    whole = [points[0]] if points else []
    for start, end in pairwise(points):
        whole += straight(start, end)[1:]
    return (Curve(tuple(whole), colour, width, dashed),) if whole else ()


def _thinned(column: Any) -> list[tuple[float, float]]:
    """Epochs and values, finite ones; of many the least and the greatest of every part."""
    epochs = np.flatnonzero(np.isfinite(column))
    if len(epochs) > 2 * MOST:
        parts = np.array_split(epochs, MOST)
        ends = [sorted({part[np.argmin(column[part])], part[np.argmax(column[part])]}) for part in parts]
        epochs = np.array([epochs[0], *(i for pair in ends for i in pair if i not in epochs[[0, -1]]), epochs[-1]])
    return [(float(i + 1), float(column[i])) for i in epochs]


def round_numbers(least: float, greatest: float, whole: bool = False) -> list[float]:
    """Three to six round numbers between two: multiples of 1, 2 or 5 times a power of ten."""
    raw = (greatest - least) / 5 or 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * (1 - 1e-9))
    if whole:
        step = max(1.0, step)
    first, last = math.ceil(least / step - 1e-9), math.floor(greatest / step + 1e-9)
    return [round(i * step, 12) + 0.0 for i in range(first, last + 1)]
