"""Pictures of predictions: bars, curves and points over axes, and counts on colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.explanation.drawing.curves import round_numbers
from chainrule.explanation.drawing.drawing import Drawing
from chainrule.explanation.drawing.palette import (
    INK,
    LINE,
    MUTED,
    NEGATIVE,
    PAPER,
    POSITIVE,
    ZERO,
    is_dark,
    number,
    shade,
    signed,
    text_colour_of,
)
from chainrule.explanation.drawing.pieces import SMALL_SIZE, assemble, line_sample, straight
from chainrule.explanation.drawing.scene import (
    Box,
    Curve,
    Ellipse,
    Group,
    Rectangle,
    Shape,
    Text,
    shortened,
    text_width,
)
from chainrule.tabular.amounts import amount

if TYPE_CHECKING:
    from chainrule.tabular.scoring.reliability import Calibration

COLOURS = (POSITIVE, NEGATIVE, "#009e73", "#cc79a7", "#7b63a5")
"""Of several curves in one picture (Okabe and Ito's palette)."""
WIDTH, HEIGHT = 300.0, 190.0
LABEL = 150.0
BAR, THICK, ROW = 220.0, 13.0, 21.0
CELL, LARGEST_MATRIX = 46.0, 12
MOST_POINTS = 400


@dataclass(frozen=True)
class Panel:
    """Axes from the least to the greatest of what is drawn over them; ticks at round numbers, or where they are given.

    Attributes
    ----------
    across, up : (float, float)
        The ends of both axes.
    names : (str, str)
        What they count.
    ticks : sequence of (float, str), optional
        Places along the first axis with words, in place of round numbers.
    """

    across: tuple[float, float]
    up: tuple[float, float]
    names: tuple[str, str]
    ticks: Sequence[tuple[float, str]] | None = None
    width: float = WIDTH

    @property
    def left(self) -> float:
        """Where the axes begin, right of the numbers along them."""
        return max(text_width(amount(mark, 6), SMALL_SIZE) for mark in round_numbers(*self.up)) + 8

    @property
    def bottom(self) -> float:
        """The line the axes stand on."""
        return 22.0 + HEIGHT

    def x(self, value: float) -> float:
        """Pixels to the right."""
        return self.left + 6 + (self.width - 12) * _share(value, self.across)

    def y(self, value: float) -> float:
        """Pixels down."""
        return self.bottom - 6 - (HEIGHT - 12) * _share(value, self.up)

    def line(
        self, points: Sequence[tuple[float, float]], colour: str, thickness: float = 1.8, dashed: bool = False
    ) -> Shape:
        """A line from point to point."""
        placed = [(self.x(x), self.y(y)) for x, y in points]
        whole = [placed[0]]
        for start, end in pairwise(placed):
            whole += straight(start, end)[1:]
        return Curve(tuple(whole), colour, thickness, dashed)

    def point(self, x: float, y: float, colour: str, radius: float = 2.5, tip: str = "") -> Shape:
        """A dot."""
        dot = Ellipse(Box(self.x(x) - radius, self.y(y) - radius, 2 * radius, 2 * radius), colour)
        return Group(0, 0, (dot,), "", tip) if tip else dot

    def around(self, shapes: Sequence[Shape]) -> Group:
        """The axes, with what is drawn over them."""
        left, bottom, right = self.left, self.bottom, self.left + self.width
        out: list[Shape] = [Text(0, 12, shortened(self.names[1], right, 12, True), 12, INK, bold=True)]
        for mark in round_numbers(*self.up):
            out.append(Curve(straight((left, self.y(mark)), (right, self.y(mark))), LINE, 0.7))
            out.append(Text(left - 6, self.y(mark) + 3.5, amount(mark, 6), SMALL_SIZE, MUTED, "end"))
        ticks = [(mark, amount(mark, 6)) for mark in round_numbers(*self.across)] if self.ticks is None else self.ticks
        slanted = sum(text_width(words, SMALL_SIZE) + 8 for _, words in ticks) > self.width
        below = 0.0
        for place, (mark, words) in enumerate(ticks):
            lower = 12.0 * (place % 2) if slanted else 0.0
            below = max(below, lower)
            room = 1.9 * self.width / max(1, len(ticks)) if slanted else self.width
            out.append(Curve(straight((self.x(mark), bottom), (self.x(mark), bottom + 4 + lower)), MUTED, 0.8))
            words = shortened(words, room, SMALL_SIZE)
            out.append(Text(self.x(mark), bottom + 16 + lower, words, SMALL_SIZE, MUTED, "middle"))
        out.append(Curve(straight((left, bottom), (right, bottom)), MUTED, 0.8))
        name = shortened(self.names[0], right, SMALL_SIZE)
        out.append(Text(right, bottom + 30 + below, name, SMALL_SIZE, MUTED, "end"))
        return Group(right + 12, bottom + 34 + below, (*out, *shapes))


def _share(value: float, ends: tuple[float, float]) -> float:
    low, high = ends
    return (value - low) / (high - low) if high > low else 0.5


def range_of(*values: Any) -> tuple[float, float]:
    """From the least to the greatest of some numbers, a little apart where they are equal."""
    joined = np.concatenate([np.asarray(x, np.float64).ravel() for x in values])
    least, greatest = float(joined.min()), float(joined.max())
    if least == greatest:
        return least - 0.5 * abs(least or 1.0), greatest + 0.5 * abs(greatest or 1.0)
    return least, greatest


def draw_falls(bars: Sequence[tuple[str, float, float | None]], *, title: str, digits: int = 3) -> Drawing:
    """Bars with their deviations, one below the other: what each column is worth.

    Parameters
    ----------
    bars : sequence of (name, number, deviation)
        From the top; a deviation that is not known is None.
    title : str
        What the numbers are.
    digits : int
        Significant digits of numbers.

    Examples
    --------
    >>> draw_falls([("age", 0.3, 0.02), ("town", 0.1, None)], title="R² gets worse by")
    Drawing(R² gets worse by; ... pixels; .save('picture.svg') writes it)
    """
    SettingError.unless_count("draw", "digits", digits)
    names = [shortened(name, LABEL * 1.6, 12) for name, *_ in bars]
    label = max((text_width(name, 12) for name in names), default=0.0) + 12
    largest = max((abs(fall) + (deviation or 0.0) for _, fall, deviation in bars), default=0.0) or 1.0
    least = min((min(0.0, fall) - (deviation or 0.0) for _, fall, deviation in bars), default=0.0)
    before = BAR * min(1.0, max(0.0, -least) / largest)
    middle = label + before
    numbers = max((text_width(signed(fall, digits), 12) for _, fall, _ in bars), default=0.0)
    shapes: list[Shape] = []
    for i, (name, (_, fall, deviation)) in enumerate(zip(names, bars, strict=True)):
        y, length = ROW * i, BAR * abs(fall) / largest
        start = middle - length if fall < 0 else middle
        spread = BAR * (deviation or 0.0) / largest
        tip = f"{bars[i][0]}: {fall!r}" + ("" if deviation is None else f" ± {deviation!r}")
        shapes.append(Text(0, y + 15, name, 12, INK))
        colour = POSITIVE if fall > 0 else ZERO
        shapes.append(Group(0, 0, (Rectangle(Box(start, y + (ROW - THICK) / 2, length, THICK), colour),), "", tip))
        end = start if fall < 0 else start + length
        if spread >= 1:
            shapes.append(Curve(straight((end - spread, y + ROW / 2), (end + spread, y + ROW / 2)), INK, 1.2))
        shapes.append(Text(middle + BAR + 10 + numbers, y + 15, number(fall, digits), 12, text_colour_of(fall), "end"))
    height = ROW * len(bars)
    shapes.append(Curve(straight((middle, 0), (middle, height)), MUTED))
    said = ", ".join(f"{name} {number(fall, digits)}" for name, fall, _ in bars)
    content = Group(middle + BAR + 12 + numbers, height, tuple(shapes))
    return Drawing(assemble(content, title, [], ["lines: ± one standard deviation over the shuffles"], said))


def draw_counts(counts: Any, labels: Sequence[Any], *, title: str = "Confusion matrix") -> Drawing:
    """A confusion matrix: rows are the truth, columns what was predicted, colour a row's share.

    Parameters
    ----------
    counts : array of shape (classes, classes)
        The weight of the rows of every true class (down) that were taken for every class (across).
    labels : sequence
        The classes; of more than twelve those with most rows are drawn.

    Examples
    --------
    >>> draw_counts([[8, 2], [1, 9]], ["no", "yes"])
    Drawing(Confusion matrix; ... pixels; .save('picture.svg') writes it)
    """
    whole = np.asarray(counts, np.float64)
    kept = np.sort(np.argsort(-whole.sum(axis=1), kind="stable")[:LARGEST_MATRIX])
    names = [shortened(str(labels[i]), LABEL, 12) for i in kept]
    left = max(text_width(name, 12) for name in names) + 12
    heads = [shortened(name, CELL - 4, SMALL_SIZE) for name in names]
    shapes: list[Shape] = [Text(left, 10, "predicted →", SMALL_SIZE, MUTED), Text(0, 28, "truth ↓", SMALL_SIZE, MUTED)]
    for j, head in enumerate(heads):
        shapes.append(Text(left + CELL * (j + 0.5), 28, head, SMALL_SIZE, INK, "middle"))
    for row, i in enumerate(kept):
        y = 34 + ROW * 1.5 * row
        shapes.append(Text(left - 8, y + 20, names[row], 12, INK, "end"))
        total = whole[i].sum()
        for column, j in enumerate(kept):
            part = whole[i, j] / total if total else 0.0
            fill = shade(part if i == j else -part, 1.0)
            box = Box(left + CELL * column + 1, y + 1, CELL - 2, ROW * 1.5 - 2)
            ink = PAPER if is_dark(fill) else INK
            words = Text(box.middle[0], y + 20, amount(round(whole[i, j], 3), 6), 12, ink, "middle")
            tip = f"{labels[i]}, taken for {labels[j]}: {amount(whole[i, j], 6)} of {amount(total, 6)} ({part:.1%})"
            shapes.append(Group(0, 0, (Rectangle(box, fill, LINE), words), "", tip))
    notes = ["colour: share of the row, blue where right, vermilion where wrong"]
    if len(kept) < len(labels):
        notes.append(f"the {len(kept)} of {len(labels)} classes with most rows")
    right = sum(whole[i, i] for i in range(len(whole)))
    content = Group(left + CELL * len(kept), 34 + ROW * 1.5 * len(kept), tuple(shapes))
    return Drawing(
        assemble(content, title, [], notes, f"{amount(right, 6)} of {amount(whole.sum(), 6)} rows are right")
    )


def draw_calibration(found: Calibration) -> Drawing:
    """A reliability diagram: what came true beside what was said, dots as large as their rows are many."""
    panel = Panel((0.0, 1.0), (0.0, 1.0), (f"probability of {found.of}", "observed frequency"))
    most = max(b.weight for b in found.bins)
    shapes = [
        panel.line([(0, 0), (1, 1)], ZERO, 1.0, True),
        panel.line([(b.probability, b.share) for b in found.bins], POSITIVE),
    ]
    shapes += [
        panel.point(
            b.probability,
            b.share,
            POSITIVE,
            2.5 + 4.5 * math.sqrt(b.weight / most),
            f"{amount(b.weight, 6)} rows from {b.low:.0%} to {b.high:.0%}: predicted {b.probability:.1%}, observed {b.share:.1%}",
        )
        for b in found.bins
    ]
    error = f"expected calibration error {number(found.error, 3)}"
    return Drawing(
        assemble(
            panel.around(shapes), "Calibration", [(line_sample(ZERO, 1.0, True), "perfect calibration")], [error], error
        )
    )


def draw_amounts(truth: Any, amounts: Any, name: str, seed: int = 0) -> Drawing:
    """Predicted amounts beside the true ones; of many rows some are drawn at random."""
    truth, amounts = np.asarray(truth, np.float64), np.asarray(amounts, np.float64)
    chosen = np.arange(len(truth))
    if len(chosen) > MOST_POINTS:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, MOST_POINTS, replace=False))
    ends = range_of(truth[chosen], amounts[chosen])
    panel = Panel(ends, ends, ("truth", f"predicted {name}"))
    shapes = [panel.line([(ends[0], ends[0]), (ends[1], ends[1])], ZERO, 1.0, True)]
    shapes += [
        panel.point(
            truth[i], amounts[i], POSITIVE, 2.0, f"truth {amount(truth[i], 6)}, predicted {amount(amounts[i], 6)}"
        )
        for i in chosen
    ]
    notes = [f"{len(chosen):,} of {len(truth):,} rows"] if len(chosen) < len(truth) else []
    key = [(line_sample(ZERO, 1.0, True), "predicted exactly")]
    return Drawing(assemble(panel.around(shapes), "Predicted and true", key, notes, f"{len(truth):,} rows"))
