"""Contributions as signed bars: what every part adds to a sum or takes from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from chainrule.errors import SettingError
from chainrule.explanation.drawing.drawing import Drawing
from chainrule.explanation.drawing.palette import (
    INK,
    LINE,
    MUTED,
    RESULT_STROKE,
    colour_of,
    largest_of,
    signed,
    text_colour_of,
)
from chainrule.explanation.drawing.pieces import SIGNS, assemble, straight
from chainrule.explanation.drawing.scene import Box, Curve, Group, Rectangle, Shape, Text, shortened, text_width
from chainrule.explanation.rendering.names import wrapped
from chainrule.explanation.rendering.numerals import how_many

SHOWN = 24
"""Bars of one split; the smallest of more are drawn as one."""

REACH, HEIGHT, THICK, LONGEST = 170.0, 22.0, 14.0, 380.0
LINE_HEIGHT = 14.0
"""Of the further lines of a long name."""

Bars = Sequence[tuple[str, float]]


def draw_bars(
    total: float, splits: Mapping[str, Bars], *, title: str, notes: Sequence[str] = (), digits: int = 4
) -> Drawing:
    """Splits of a number, such as a gradient by output and by path, each as a group of bars and their sum.

    Parameters
    ----------
    total : float
        The number that every split adds up to.
    splits : mapping
        Heading → pairs (name, number).
    title : str
        What the number is.
    notes : sequence of str
        Lines below the picture.
    digits : int
        Significant digits of numbers.

    Examples
    --------
    >>> from chainrule.explanation.drawing import draw_bars
    >>> draw_bars(0.5, {"by output": [("y[0]", 1.5), ("y[1]", -1.0)]}, title="∂L/∂w")
    Drawing(∂L/∂w; ... pixels; .save('picture.svg') writes it)
    """
    SettingError.unless_count("draw", "digits", digits)
    shown = {heading: _largest(bars) for heading, bars in splits.items()}
    scale = largest_of(total, *(number for bars in shown.values() for _, number in bars))
    names = [line for bars in shown.values() for name, _ in bars for line in _lines(name)] + ["sum"]
    numbers = [total, *(number for bars in shown.values() for _, number in bars)]
    beside = max(text_width(signed(number, digits), 12, bold=True) for number in numbers) + 8
    middle = max(text_width(name, 12) for name in names) + 14 + (REACH + beside if min(numbers) < 0 else 0.0)
    width = middle + beside + (REACH if max(numbers) > 0 else 0.0)
    y = 0.0
    groups: list[Shape] = []
    for heading, bars in shown.items():
        group = _split(heading, bars, total, scale, middle, width, digits)
        groups.append(group.at(0, y))
        y += group.height + 18
    return Drawing(
        assemble(Group(width, max(0.0, y - 18), tuple(groups)), title, SIGNS, notes, _in_words(total, shown, digits))
    )


def _in_words(total: float, splits: Mapping[str, Bars], digits: int) -> str:
    """All bars, for who cannot see them."""
    said = [f"{heading}: {', '.join(f'{x} {signed(n, digits)}' for x, n in bars)}" for heading, bars in splits.items()]
    return f"{'; '.join(said)}; each adds up to {signed(total, digits)}."


def _largest(bars: Bars) -> list[tuple[str, float]]:
    """The bars in their order; of too many the largest, and the rest as one, last."""
    bars = [(name, float(number)) for name, number in bars]
    if how_many(len(bars), SHOWN - 1) == len(bars):
        return bars
    order = sorted(range(len(bars)), key=lambda i: -abs(bars[i][1]))
    kept = set(order[: SHOWN - 1])
    rest = math.fsum(bars[i][1] for i in order[SHOWN - 1 :])
    return [bar for i, bar in enumerate(bars) if i in kept] + [(f"{len(bars) - len(kept):,} others together", rest)]


def _split(heading: str, bars: Bars, total: float, scale: float, middle: float, width: float, digits: int) -> Group:
    """A heading, its bars, and their sum below a rule."""
    shapes: list[Shape] = [Text(0, 12, heading, 12, INK, bold=True)]
    y = 20.0
    for name, number in bars:
        shapes += _bar(name, number, scale, middle, y, digits)
        y += HEIGHT + LINE_HEIGHT * (len(_lines(name)) - 1)
    shapes.append(Curve(straight((0, y + 3), (width, y + 3)), LINE))
    shapes += _bar("sum", total, scale, middle, y + 6, digits, outline=RESULT_STROKE)
    axis = Curve(straight((middle, 18), (middle, y + 6 + HEIGHT)), MUTED)
    return Group(width, y + 6 + HEIGHT, (*shapes, axis), heading)


def _lines(name: str) -> list[str]:
    """A name as it stands beside its bar: a path on several lines, so that none reads like another."""
    lines = wrapped(name, LONGEST - 12, lambda line: text_width(line, 12))
    return [shortened(line, LONGEST, 12) for line in lines]


def _bar(
    name: str, number: float, scale: float, middle: float, y: float, digits: int, outline: str | None = None
) -> list[Shape]:
    """A name, a bar from the axis to the side of its sign, and the number at its end."""
    finite = math.isfinite(number) and scale > 0
    length = REACH * abs(number) / scale if finite else 0.0
    left = middle - length if number < 0 else middle
    text = signed(number, digits)
    beside = (left - 5, "end") if number < 0 else (left + length + 5, "start")
    tip = f"{name}: {number!r}"
    bar = Rectangle(Box(left, y + (HEIGHT - THICK) / 2, length, THICK), colour_of(number), outline, 2)
    ink = INK if outline is None else RESULT_STROKE
    words = [
        Text(0.0 if i == 0 else 12.0, y + 15 + LINE_HEIGHT * i, line, 12, ink, bold=bool(outline))
        for i, line in enumerate(_lines(name))
    ]
    return [
        *words,
        Group(0, 0, (bar,), "", tip),
        Text(beside[0], y + 15, text, 12, text_colour_of(number), beside[1], bold=bool(outline)),
    ]
