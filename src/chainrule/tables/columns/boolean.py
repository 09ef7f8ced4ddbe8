"""Booleans: yes and no, as one flag."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns.column import Column, Feature, Reading, Words
from chainrule.tables.columns.texts import SINGLE, as_text, mapped, trimmed
from chainrule.tables.missing import Spelling, without_blanks
from chainrule.tables.numbers import number
from chainrule.tables.options import quoted, unread

if TYPE_CHECKING:
    import polars as pl

PAIRS = (
    ("false", "true"), ("no", "yes"), ("f", "t"), ("n", "y"), ("off", "on"), ("0", "1"), ("nein", "ja"),
    ("non", "oui"), ("falsch", "wahr"), ("faux", "vrai"), ("falso", "vero"), ("falso", "verdadero"), ("absent", "present"),
)  # fmt: skip
_ZEROS_AND_ONES: dict[tuple[float, str] | None, float] = {(0.0, ""): 0.0, (1.0, ""): 1.0}
"""Files write them as 0.0 and 1.0 too, which were numbers by the time they were recognised."""

_TRUTH = {text: float(place) for pair in PAIRS for place, text in enumerate(pair)}


MOST_SPELLINGS = 12


@dataclass(frozen=True)
class Boolean(Column):
    """A column of yes and no, in any of their usual spellings: one flag, and one where missing.

    Attributes
    ----------
    common : float
        The commoner of 0 and 1 in training, put where one is missing and none was in training.
    missing : bool
        Whether some were missing in training; they are 0 and have a flag.
    """

    kind: ClassVar[str] = "boolean"
    common: float
    missing: bool = False

    @classmethod
    def learn(
        cls, name: str, cells: pl.Series, spelling: Spelling, forced: str | None = None, **_: Any
    ) -> Boolean | None:
        """What the cells teach; None if they are not one pair of words for yes and no, both of which occur."""
        import polars as pl

        kind = cells.dtype
        possible = (
            _zeros_and_ones(cells) if kind.is_numeric() else kind in (pl.Boolean, pl.String, pl.Categorical, pl.Enum)
        )
        if not possible:
            return None
        if cells.head(100).n_unique() > MOST_SPELLINGS or (few := cells.unique()).len() > MOST_SPELLINGS:
            return None
        texts = trimmed(few)
        found = (
            {x.lower() for x in texts if x is not None and not spelling.is_missing(x)} if texts is not None else set()
        )
        if not any(found == set(pair) for pair in PAIRS):
            return None
        column = cls(name, f"{quoted(sorted(found))} only", 0.0)
        values = column.read(cells, spelling).values
        return cls(name, column.why, float(np.nanmean(values) > 0.5), bool(np.isnan(values).any()))

    @property
    def features(self) -> tuple[Feature, ...]:
        """One flag, and one where missing."""
        names = [self.name] + [f"{self.name} is missing"] * self.missing
        return tuple(Feature(name, self.name, "flag") for name in names)

    def read(self, cells: pl.Series, spelling: Spelling) -> Reading:
        """0 and 1; a text that is neither counts as missing, with a remark."""
        texts = trimmed(cells)
        if texts is None:
            raise TypeError(f"{cells.dtype} holds no yes and no")
        values, found = mapped(texts, lambda text: self.read_one(text, spelling))
        wrong = [text for text, v in found.items() if v != v and text is not None and not spelling.is_missing(text)]
        if not wrong:
            return Reading(values)
        return Reading(values, (unread(self.name, "yes and no", wrong, int(texts.is_in(wrong).sum())),))

    def words(self, spelling: Spelling) -> Words:
        """Yes and no in their usual spellings."""
        cases = str.lower, str.upper, str.capitalize
        return Words({case(text): value for text, value in _TRUTH.items() for case in cases} | {"0.0": 0.0, "1.0": 1.0})

    def read_one(self, cell: Any, spelling: Spelling) -> float:
        """0 or 1."""
        if cell is None:
            return math.nan
        text = without_blanks(as_text(cell))
        value = _TRUTH.get(text.lower())
        return _ZEROS_AND_ONES.get(number(text, spelling.decimal), math.nan) if value is None else value

    def is_sure(self, cell: Any, value: Any) -> bool:
        """Yes, no or nothing."""
        return cell is None or (isinstance(cell, SINGLE) and not math.isnan(value))

    def encode(self, values: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
        """The flags."""
        absent = np.isnan(values)
        filled = np.where(absent, 0.0 if self.missing else self.common, values)
        return np.stack([filled, absent] if self.missing else [filled], axis=1).astype(np.float32)

    @property
    def told(self) -> str:
        """One flag or two."""
        return "1 flag" + (", a flag where missing" if self.missing else "")


def _zeros_and_ones(cells: pl.Series) -> bool:
    """Whether numbers are 0 and 1 alone."""
    (first,) = cells[:1].to_list() or [None]
    if first not in (0, 1, None) and first == first:  # as in most columns: no need to look at all cells
        return False
    if cells.min() != 0 or cells.max() != 1:
        return False
    return bool(((cells == 0) | (cells == 1) | cells.is_null() | (cells != cells)).all())
