"""Numbers: scaled by median and quartiles or to normal scores, clipped smoothly, with a flag where some are missing."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import SettingError
from chainrule.tables.columns.column import Column, Encoder, Feature, Reading, require
from chainrule.tables.columns.left_out import LeftOut, names_rows
from chainrule.tables.missing import Spelling
from chainrule.tables.numbers import (
    EXACT,
    LARGEST,
    Numbers,
    has_leading_zeros,
    in_unit,
    is_alike,
    number,
    read_numbers,
    seldom_numbers,
)
from chainrule.tables.options import counted, option, quoted, unread

if TYPE_CHECKING:
    import polars as pl

Scaling = Literal["robust", "quantile"]
SCALINGS: tuple[Scaling, ...] = ("robust", "quantile")

QUARTILES = 2 * NormalDist().inv_cdf(0.75)
"""How many deviations of a normal distribution lie between its quartiles."""

MOST_QUANTILES = 128
"""More would make the file of a model larger than its networks are, and say no more."""

OUTERMOST = 0.0005
"""The share of the rows beyond which normal scores are clipped, at ±3.29."""

SIGNS = {"%": "%", "‰": "‰", "s": "s|:|P"}
"""Units without which numbers may be others, shares as fractions, spans of time in milliseconds, and what shows them in a text."""

FARTHEST = 1e6
"""Scaled numbers are clipped here before they are squared."""


@dataclass(frozen=True)
class Number(Column):
    """A column of numbers: z = (x − median)/scale, then z/√(1 + (z/3)²) (Holzmüller and others 2024, arXiv 2407.04491).

    The scale is (q₇₅ − q₂₅)/1.349, which of normal numbers is their deviation, or where that is 0 half the range. With
    `scaling="quantile"` numbers become normal scores: their place among the training rows, told by at most 128 of these, as a
    quantile of the normal distribution, at most 3.29. Missing numbers are put at the median, which becomes 0.

    Attributes
    ----------
    median, scale : float
        Of the training rows.
    missing : bool
        Whether some were missing in training, so that a flag says so.
    unit : str
        What stood beside the numbers.
    knots, scores : tuple of float
        Quantiles and their normal scores, where scaled by them.
    """

    kind: ClassVar[str] = "number"
    of_numbers: ClassVar[bool] = True
    median: float
    scale: float
    missing: bool = False
    unit: str = ""
    knots: tuple[float, ...] = ()
    scores: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        require(self.scale > 0, "a scale that is not positive")
        require(len(self.knots) == len(self.scores), "quantiles without scores")
        if self.knots:
            require(all(a < b for a, b in pairwise(self.knots)), "quantiles out of order")

    @classmethod
    def has_form(cls, form: str) -> bool:
        """Whether it is a way to scale numbers."""
        return form in SCALINGS

    @classmethod
    def learn(
        cls,
        name: str,
        cells: pl.Series,
        spelling: Spelling,
        forced: str | None = None,
        scaling: Scaling = "robust",
        **_: Any,
    ) -> Column | None:
        """What the cells teach; None if they are not numbers or say the same in every row. `forced` may be a scaling."""
        read = read_numbers(cells, spelling.decimal, spelling.marks)
        if read is None or not (forced or are_numbers(cells, read)):
            return None
        if not forced and (why := names_rows(name, read)):
            return LeftOut(name, why)
        return cls.of(name, read, next((x for x in SCALINGS if x == forced), scaling))

    @classmethod
    def of(cls, name: str, read: Numbers, scaling: Scaling = "robust") -> Number | None:
        """The column of these numbers; None where all are missing, or all are the same and none is missing."""
        (column,) = cls.of_all([name], read.values[None], scaling)
        if column is None:
            return None
        why = column.why + (f" in {read.unit}" if read.unit else "")
        if read.strays:
            why += f", without {quoted(read.strays, 2)}"
        return replace(column, why=why, unit=read.unit)

    @classmethod
    def of_all(cls, names: Sequence[str], values: NDArray[np.float64], scaling: Scaling) -> list[Number | None]:
        """The columns of plain numbers, a row of `values` each; None as for `of`."""
        if scaling not in SCALINGS:
            raise SettingError(f"numbers were to be scaled by {scaling!r}; known: {', '.join(SCALINGS)}.")
        ordered = np.sort(values, axis=1)  # NaN last
        height = values.shape[1]
        counts = height - np.isnan(values).sum(axis=1)
        least, largest = ordered[:, 0], np.take_along_axis(ordered, np.maximum(counts, 1)[:, None] - 1, axis=1)[:, 0]
        low, medians, high = (_quantiles(ordered, counts, level) for level in (0.25, 0.5, 0.75))
        scales = (high - low) / QUARTILES
        scales = np.where(scales == 0, (largest - least) / 2, scales)
        scales = np.minimum(np.where(scales == 0, 1.0, scales), LARGEST)
        vary = (counts > 0) & ((least != largest) | (counts < height))
        columns = zip(
            names, ordered, *(x.tolist() for x in (counts, least, largest, medians, scales, vary)), strict=True
        )
        return [
            cls(
                name, f"{counted(count, 'number')} from {first:.6g} to {last:.6g}", median, scale, count < height
            ).scaled_by(own[:count], scaling)
            if varies
            else None
            for name, own, count, first, last, median, scale, varies in columns
        ]

    def scaled_by(self, values: NDArray[np.float64], scaling: Scaling) -> Self:
        """The same column, scaled in this way; by quantiles of these numbers."""
        known = np.sort(values[~np.isnan(values)]) if scaling == "quantile" else np.empty(0)
        knots, scores = _normal_scores(known) if len(known) else ((), ())
        return self if (knots, scores) == (self.knots, self.scores) else replace(self, knots=knots, scores=scores)

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The number, and whether it is missing if that was so in training."""
        scaled = Feature(self.name, self.name, "number")
        return (scaled, Feature(f"{self.name} is missing", self.name, "flag")) if self.missing else (scaled,)

    def read(self, cells: pl.Series, spelling: Spelling) -> Reading:
        """The numbers; a text that is none counts as missing, with a remark."""
        read = read_numbers(cells, spelling.decimal, spelling.marks, self.unit)
        if read is None:
            raise TypeError(f"{cells.dtype} holds no numbers")
        remarks = stray_remarks(self.name, read)
        if self.unit in SIGNS and not _has(cells, self.unit):  # is 0.05 then 5 %?
            remarks += (
                f"column {self.name!r} held {self.unit} in training and no unit here; 5 is read as 5 {self.unit}",
            )
        return Reading(read.values, remarks)

    def doubts(self, cells: pl.Series, values: NDArray[np.float64], spelling: Spelling) -> tuple[str, ...]:
        """Whether numbers without a sign are shares as well, and whether one of nines alone means "no value"."""
        said = []
        if self.unit in SIGNS and str(cells.dtype) == "String":
            signed = cells.str.contains(SIGNS[self.unit]).fill_null(True).to_numpy()
            if bare := int((~signed & ~np.isnan(values)).sum()):
                rows = counted(bare, "row")
                said = [f"column {self.name!r} holds {self.unit}, but none in {rows}; 5 is read as 5 {self.unit} there"]
        return (*said, *map(self._maybe_missing, _of_nines(values)))

    def _maybe_missing(self, value: float) -> str:
        mark = option("missing_mark", f"{value:g}")
        return (
            f"column {self.name!r} holds {value:g} far from all other numbers; if it stands for a missing value: {mark}"
        )

    @property
    def told_alone(self) -> str:
        """In which unit."""
        return f"number{f' in {self.unit}' if self.unit else ''}, NaN where missing"

    def read_one(self, cell: Any, spelling: Spelling) -> float:
        """One number."""
        if cell is None:
            return math.nan
        if type(cell) is str:
            amount = in_unit(number(cell, spelling.decimal), self.unit)
            cell = math.nan if amount is None else amount
        if isinstance(cell, int | float):
            if spelling.numbers and cell in spelling.numbers:
                return math.nan
            if -LARGEST <= cell <= LARGEST:
                return float(cell)
            return math.nan if cell != cell or abs(cell) == math.inf else LARGEST if cell > 0 else -LARGEST
        if isinstance(cell, timedelta):
            return cell / timedelta(microseconds=1) / 1e6
        return float(super().read_one(cell, spelling))

    def is_sure(self, cell: Any, value: Any) -> bool:
        """A number as it is, not rounded, or none; a text that is one, with its unit where it could mean another without."""
        bare = self.unit not in SIGNS
        if type(cell) is str:
            return abs(value) < EXACT and is_alike(cell) and (bare or self.unit in cell)
        return bare and (cell is None or (isinstance(cell, int | float) and abs(cell) < EXACT))

    def encode(self, values: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
        """The scaled number, and the flag."""
        return self.encoder((self,))((values,))

    @classmethod
    def encoder(cls, columns: Sequence[Self]) -> Encoder:
        """All columns of numbers at once."""
        medians = np.array([column.median for column in columns])
        scales = np.array([column.scale for column in columns])
        gaps = [place for place, column in enumerate(columns) if column.missing]
        order = np.argsort([*range(len(columns)), *gaps], kind="stable")  # every flag behind its number
        ranked = [
            (place, np.array(column.knots), np.array(column.scores))
            for place, column in enumerate(columns)
            if column.knots
        ]

        def encoded(values: Sequence[NDArray[np.float64]]) -> NDArray[np.floating[Any]]:
            x = np.stack(values).T
            absent = np.isnan(x)
            with np.errstate(over="ignore"):
                z = (np.where(absent, medians, x) - medians) / scales
            z = clipped(np.clip(z, -FARTHEST, FARTHEST))
            for place, knots, scores in ranked:
                z[:, place] = np.where(absent[:, place], 0.0, np.interp(x[:, place], knots, scores))
            return np.concatenate([z, absent[:, gaps]], axis=1)[:, order] if gaps else z

        return encoded

    @property
    def told(self) -> str:
        """How it is scaled."""
        how = (
            f"normal scores by {len(self.knots)} quantiles" if self.knots else scaled_text("x", self.median, self.scale)
        )
        return how + (", a flag where missing" if self.missing else "")


def scaled_text(name: str, middle: float, scale: float) -> str:
    """How a number is scaled, as one writes it: `(x − 3)/2`, `(x + 3)/2` for a middle of −3."""
    return f"({name} {'+' if middle < 0 else '−'} {abs(middle):.4g})/{scale:.4g}"


def clipped(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """z/√(1 + (z/3)²): nearly z where that is small, never beyond ±3."""
    found: NDArray[np.float64] = z / np.sqrt(1.0 + np.square(z / 3.0))
    return found


def _quantiles(ordered: NDArray[np.float64], counts: NDArray[np.intp], level: float) -> NDArray[np.float64]:
    """A quantile of the first numbers of each row, which are ordered: between the two nearest, as NumPy's and scikit-learn's are."""
    places = level * np.maximum(counts - 1, 0)
    below = places.astype(np.intp)
    above = np.minimum(below + 1, np.maximum(counts - 1, 0))
    left, right = (np.take_along_axis(ordered, at[:, None], axis=1)[:, 0] for at in (below, above))
    found: NDArray[np.float64] = left + (right - left) * (places - below)
    return found


def _normal_scores(ordered: NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Some of the different numbers, the least and the largest too, and the normal scores of their mean places among all."""
    rows = len(ordered)
    places = np.linspace(0, rows - 1, min(MOST_QUANTILES, rows)).round().astype(np.intp)
    knots = np.unique(ordered[places])
    around = np.searchsorted(ordered, knots, "left") + np.searchsorted(ordered, knots, "right")
    levels = np.clip(around / (2 * rows), OUTERMOST, 1.0 - OUTERMOST)
    return tuple(knots.tolist()), tuple(round(NormalDist().inv_cdf(level), 6) for level in levels.tolist())


def _of_nines(values: NDArray[np.float64]) -> list[float]:
    """The least and the largest number where they are spelled by nines, occur again, and lie farther off than the rest is wide.

    Examples
    --------
    >>> _of_nines(np.array([-999.0, -999.0, 3.0, 8.0])), _of_nines(np.array([99.0, 99.0, 30.0, 98.0]))
    ([-999.0], [])
    """
    found = []
    for end in {np.fmin.reduce(values, initial=np.inf), np.fmax.reduce(values, initial=-np.inf)}:
        if re.fullmatch("-?99+", f"{end:g}"):
            known = values[~np.isnan(values)]
            rest = known[known != end]
            far = len(rest) and np.abs(rest - end).min() > rest.max() - rest.min()
            found += [float(end)] * bool(far and len(known) - len(rest) > 1)
    return sorted(found)


def are_numbers(cells: pl.Series, read: Numbers) -> bool:
    """Whether a column with these numbers is one of numbers: not codes such as 01, nor text with a few numbers in it."""
    if not read.strays and not read.unit:
        return not has_leading_zeros(cells, read.values)
    present = read.values[~np.isnan(read.values)]
    rows, wrong = len(present), sum(read.strays.values())
    different = len(np.unique(present))
    if read.unit and different < 3:
        return False
    return rows > 9 * wrong or (rows >= wrong and (different > 20 or seldom_numbers(read.strays)))


def _has(cells: pl.Series, unit: str) -> bool:
    """Whether a unit stands beside any of the numbers, or is that of their type; or there are none."""
    if str(cells.dtype) == "String":
        return bool(cells.str.contains(SIGNS[unit]).any()) or cells.null_count() == len(cells)
    return cells.null_count() == len(cells) or str(cells.dtype).startswith("Duration")


def stray_remarks(name: str, read: Numbers) -> tuple[str, ...]:
    """What is said of texts among numbers, and of whole numbers that fall together."""
    remarks = [unread(name, "numbers", read.strays, sum(read.strays.values()))] if read.strays else []
    different, left = read.merged
    if different > left:
        remarks.append(
            f"column {name!r} holds whole numbers beyond 2⁵³ = 9,007,199,254,740,992, which are rounded: {different:,} different "
            f"ones become {left:,}"
        )
    return tuple(remarks)
