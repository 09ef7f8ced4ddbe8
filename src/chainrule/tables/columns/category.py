"""Categories: a flag for each of a few, a code for an embedding of many; rare, missing and new ones of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns.column import Column, Feature, Reading, Words, require
from chainrule.tables.columns.places import Places, in_order
from chainrule.tables.columns.texts import SINGLE, as_text, mapped, occurrences, trimmed
from chainrule.tables.missing import Spelling, without_blanks
from chainrule.tables.options import counted, quoted

if TYPE_CHECKING:
    import polars as pl

MOST_FLAGS = 12
MOST_CODES = 10_000
RARE, NEW = -1.0, -2.0

FEW_ROWS = 10
"""Of fewer rows most may be rare by chance."""


@dataclass(frozen=True)
class Category(Column):
    """A column of categories, each with its exact spelling.

    Up to 12 become a flag each; of more, one whole number: 1, 2, … for the categories, 0 for all others, for an embedding.
    Values that occur too seldom to be learned from are one category together: in tables from 150 rows on those that occur
    fewer than 3 times, in large ones fewer than 10. So are values that are new at prediction, if there were rare ones. A
    missing value has a flag of its own if some were missing in training.

    Attributes
    ----------
    categories : tuple of str
        In order.
    rare : int
        How many values were too rare.
    missing : bool
        Whether some were missing in training.
    """

    kind: ClassVar[str] = "category"
    categories: tuple[str, ...]
    rare: int = 0
    missing: bool = False

    def __post_init__(self) -> None:
        require(0 < len(self.categories) == len(set(self.categories)), "categories that are not all different")

    @classmethod
    def learn(
        cls, name: str, cells: pl.Series, spelling: Spelling, forced: str | None = None, **_: Any
    ) -> Category | None:
        """What the cells teach; None if they hold one value only, or almost no value occurs twice."""
        texts = trimmed(cells) if forced or not cells.dtype.is_numeric() else None
        if texts is None:
            return None
        found = occurrences(texts)
        counts = {text: count for text, count in found.items() if text is not None and not spelling.is_missing(text)}
        total = sum(counts.values())
        gaps = total < len(texts)
        if not counts or (len(counts) == 1 and not gaps):
            return None
        fewest = min(10, max(len(texts) // 1000, min(3, len(texts) // 50)))
        frequent = [text for text, count in counts.items() if count >= fewest]
        if len(counts) - len(frequent) == 1 or not frequent:
            frequent = list(counts) if forced or frequent else list(counts)[:MOST_FLAGS]
        frequent = frequent[:MOST_CODES]
        repeated = sum(counts[text] for text in frequent if counts[text] > 1)
        if not forced and len(counts) > 10 and 2 * repeated < total:
            return None
        rare = len(counts) - len(frequent)
        why = f"{len(counts):,} different values: {quoted(list(counts)[:4], 3)}"
        return cls(name, why, tuple(in_order(frequent)), rare, gaps)

    @property
    def coded(self) -> bool:
        """Whether there are so many that the network gets a code."""
        return len(self.categories) > MOST_FLAGS

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The code, or the flags; then the flag of missing values."""
        flags = [] if self.coded else [f"{self.name}={category}" for category in self.categories]
        if self.rare and not self.coded:
            flags.append(f"{self.name} is rare")
        if self.missing:
            flags.append(f"{self.name} is missing")
        code = (Feature(self.name, self.name, "code", len(self.categories) + 1),) if self.coded else ()
        return code + tuple(Feature(flag, self.name, "flag") for flag in flags)

    @cached_property
    def places(self) -> Places:
        """Where every category stands."""
        return Places(self.categories)

    def read(self, cells: pl.Series, spelling: Spelling) -> Reading:
        """Every row's category as its place, −1 for the rest, NaN for a missing value; with a remark on new ones."""
        texts = trimmed(cells)
        if texts is None:
            raise TypeError(f"{cells.dtype} holds no categories")
        values, found = mapped(texts, lambda text: self.place(text, spelling))
        new = [str(text) for text, place in found.items() if place == NEW]
        rows = int((values == NEW).sum())
        if not new or (self.rare and (rows < FEW_ROWS or 2 * rows <= len(texts) - texts.null_count())):
            return Reading(values)
        where = f"column {self.name!r}: {quoted(new)} in {counted(rows, 'row')}"
        if self.rare:  # some may be those that were: only the others' names are kept
            said = f"{where} of {len(texts):,} did not occur in training, or seldom; they count as rare. Are they spelled as there?"
        else:
            said = f"{where} did not occur in training; {'counted as unknown' if self.coded else 'all its flags are 0 there'}"
        return Reading(values, new=(said,))

    def place(self, text: str | None, spelling: Spelling) -> float:
        """One category's place."""
        place = None if text is None else self.places.get(text)
        if place is not None:
            return place
        return math.nan if text is None or spelling.is_missing(text) else self.places.of_number(text, NEW)

    def words(self, spelling: Spelling) -> Words:
        """The categories, also as numbers are written otherwise, and the marks of missing values."""
        numbers = {str(x): place for x, place in self.places.numbers.items()}
        return Words(dict.fromkeys(spelling.written_marks, math.nan) | numbers | self.places, NEW)

    def read_one(self, cell: Any, spelling: Spelling) -> float:
        """One category's place."""
        return self.place(None if cell is None else without_blanks(as_text(cell)) or None, spelling)

    def is_sure(self, cell: Any, value: Any) -> bool:
        """A category of training's, or one for which there is a flag of rare ones."""
        return isinstance(cell, SINGLE) and (value != NEW or bool(self.rare))

    def encode(self, values: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
        """Flags, or the code."""
        absent = np.isnan(values)
        if self.coded:
            parts = [np.where(absent | (values < 0), 0.0, values + 1.0)[:, None]]
        else:
            chosen = np.where(values == NEW, RARE, values) if self.rare else values
            places = np.arange(len(self.categories) + bool(self.rare), dtype=np.float64)
            if self.rare:
                places[-1] = RARE
            parts = [chosen[:, None] == places]
        if self.missing:
            parts.append(absent[:, None])
        return np.concatenate([part.astype(np.float32) for part in parts], axis=1)

    @property
    def told(self) -> str:
        """How many flags or codes."""
        rare = f", {self.rare:,} rare values as one" if self.rare else ""
        shape = f"a code of {len(self.categories) + 1:,}" if self.coded else counted(len(self.categories), "flag")
        return shape + rare + (", a flag where missing" if self.missing else "")
