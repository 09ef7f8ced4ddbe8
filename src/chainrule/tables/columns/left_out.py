"""Columns that the network does not get: names of rows, constants, columns without values, those the user leaves out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns.column import Column, Feature, Reading
from chainrule.tables.columns.texts import are_single, as_texts
from chainrule.tables.missing import Spelling
from chainrule.tables.numbers import Numbers, are_whole
from chainrule.tables.options import columns_option

if TYPE_CHECKING:
    import polars as pl

_ID = re.compile(
    r"(?i:(.*[\W_])?(id|ids|uuid|guid|index|idx|rownames|row|key)|unnamed: ?\d+|)|.*[a-z](Id|ID|Index)|column_0"
)


@dataclass(frozen=True)
class LeftOut(Column):
    """A column that is not an input; `why` says why."""

    kind: ClassVar[str] = "left out"

    @classmethod
    def learn(
        cls, name: str, cells: pl.Series, spelling: Spelling, forced: str | None = None, **_: Any
    ) -> LeftOut | None:
        """Left out where the cells have no value or only one, or no value but a name of its row."""
        if forced:
            return cls(name, "left out as asked")
        if not are_single(cells) or (texts := as_texts(cells.unique())) is None:
            return cls(name, f"holds {cells.dtype}, not single values")
        found = texts.to_list()
        values = {text for text in found if text is not None and not spelling.is_missing(text)}
        if not values:
            return cls(name, "no values")
        if len(values) == 1 and len(found) == 1:
            return cls(name, f"the same value in every row: {next(iter(values))[:30]!r}")
        said = f"{len(values):,} different values in {len(cells):,} rows"
        if 2 * len(values) > len(cells):
            return cls(name, f"{said}: it identifies the rows")
        wanted = columns_option([name], "category")
        return cls(name, f"{said}, most in too few rows to learn from (to use it anyway: {wanted})")

    @property
    def features(self) -> tuple[Feature, ...]:
        """None."""
        return ()

    def read(self, cells: pl.Series, spelling: Spelling) -> Reading:
        """Nothing is read."""
        return Reading(np.zeros(len(cells)))

    def read_one(self, cell: Any, spelling: Spelling) -> float:
        """Nothing is read."""
        return 0.0

    def encode(self, values: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
        """No features."""
        return np.empty((len(values), 0))

    @property
    def told(self) -> str:
        """Nothing."""
        return "nothing"


def names_rows(name: str, read: Numbers) -> str:
    """Why a column of numbers only names its rows; an empty text where it does not.

    It does if it counts them from 0 or 1, or if its name is that of an index and its whole numbers are all different.
    """
    values = read.values
    if len(values) < 10 or not are_whole(values) or np.isnan(values).any():
        return ""
    steps = np.diff(values)
    if (steps == 1).all() and values[0] in (0, 1):
        return "counts the rows"
    if _ID.fullmatch(name) and ((steps > 0).all() or len(np.unique(values)) == len(values)):
        return "an index: whole numbers, all different"
    return ""
