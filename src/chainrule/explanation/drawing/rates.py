"""Losses by learning rate: what each step lost, and a curve through them, on a scale of logarithms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.explanation.drawing.curves import HEIGHT, WIDTH, Scale, line, round_numbers
from chainrule.explanation.drawing.drawing import Drawing
from chainrule.explanation.drawing.palette import INK, LINE, MUTED, POSITIVE, ZERO, number
from chainrule.explanation.drawing.pieces import SMALL_SIZE, assemble, line_sample, straight
from chainrule.explanation.drawing.scene import Curve, Group, Shape, Text, text_width


def draw_rates(rates: Any, losses: Any, smoothed: Any, found: float | None, summary: str, digits: int) -> Drawing:
    """The losses of steps by their learning rates, from the least of them to what the curve is at most."""
    SettingError.unless_count("draw", "digits", digits)
    least, greatest = float(losses.min()), float(max(smoothed.max(), np.quantile(losses, 0.95)))
    if least == greatest:
        least, greatest = least - 0.5 * abs(least or 1.0), greatest + 0.5 * abs(greatest or 1.0)
    powers = np.log10(rates)
    marks = round_numbers(least, greatest)
    left = max(text_width(number(mark, digits), SMALL_SIZE) for mark in marks) + 8
    top, bottom = 22.0, 22.0 + HEIGHT
    across = Scale((float(powers[0]), float(powers[-1])), (left + 4, left + WIDTH - 4))
    up = Scale((least, greatest), (bottom - 4, top + 6))
    shapes: list[Shape] = [Text(left, 12, "loss", 12, INK, bold=True)]
    for mark in marks:
        shapes.append(Curve(straight((left, up(mark)), (left + WIDTH, up(mark))), LINE, 0.7))
        shapes.append(Text(left - 6, up(mark) + 3.5, number(mark, digits), SMALL_SIZE, MUTED, "end"))
    first, last = math.ceil(powers[0] - 1e-9), math.floor(powers[-1] + 1e-9)
    for power in range(first, last + 1, max(1, (last - first) // 6)):
        x = across(power)
        shapes.append(Curve(straight((x, bottom), (x, bottom + 4)), MUTED, 0.8))
        shapes.append(Text(x, bottom + 16, number(10.0**power, digits), SMALL_SIZE, MUTED, "middle"))
    shapes.append(Curve(straight((left, bottom), (left + WIDTH, bottom)), MUTED, 0.8))
    shapes.append(Text(left + WIDTH, bottom + 29, "learning rate", SMALL_SIZE, MUTED, "end"))
    if found is not None:
        x = across(math.log10(found))
        tip = f"learning rate {number(found, digits)}"
        shapes.append(Group(0, 0, (Curve(straight((x, top), (x, bottom)), ZERO, 1.0, True),), "", tip))
    for values, colour, width in ((losses, MUTED, 0.7), (smoothed, POSITIVE, 1.8)):
        points = [(across(a), up(min(max(float(b), least), greatest))) for a, b in zip(powers, values, strict=True)]
        shapes += line(points, colour, width=width)
    entries = [(line_sample(MUTED, 0.7), "each step"), (line_sample(POSITIVE), "smoothed")]
    if found is not None:
        entries.append((line_sample(ZERO, 1.0, dashed=True), "falls fastest"))
    content = Group(left + WIDTH, bottom + 32, tuple(shapes))
    told = f"{len(rates)} steps at learning rates from {number(float(rates[0]), digits)} to {number(float(rates[-1]), digits)}"
    return Drawing(assemble(content, told, entries, [], f"{summary[:1].upper()}{summary[1:]}."))
