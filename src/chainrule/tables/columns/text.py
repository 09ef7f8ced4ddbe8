"""Text: how often hashed words and pairs of words occur, standardised."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns.column import Column, Feature, Reading, Words, require
from chainrule.tables.columns.number import clipped
from chainrule.tables.columns.texts import as_texts
from chainrule.tables.missing import Spelling
from chainrule.tables.options import TableError, columns_option

if TYPE_CHECKING:
    import polars as pl

MOST_PLACES = 128

_WORD, _LATIN = re.compile("[^\\W²³¹¼½¾]+"), "\u024f"
"""Words as Polars finds them among Latin letters, and the last of these: Python finds the same there, and the same small letters."""


@dataclass(frozen=True)
class Text(Column):
    """A column of text: signed counts of words and of pairs of words in at most 128 places chosen by a hash (Weinberger and
    others 2009, arXiv 0902.2206), divided by their length, standardised by the training rows, clipped smoothly.

    Attributes
    ----------
    centres, spreads : tuple of float
        The mean and the deviation of every place, in training.
    """

    kind: ClassVar[str] = "text"
    centres: tuple[float, ...]
    spreads: tuple[float, ...]

    def __post_init__(self) -> None:
        require(len(self.centres) == len(self.spreads) > 0, "means without deviations")
        require(min(self.spreads) > 0, "a deviation that is not positive")

    @classmethod
    def learn(cls, name: str, cells: pl.Series, spelling: Spelling, forced: str | None = None, **_: Any) -> Text | None:
        """What the cells teach; None if they are not many different texts of several words each."""
        import polars as pl

        if cells.dtype != pl.String:
            return None
        if not forced:
            present = cells.drop_nulls()
            few = present.head(20).to_list()
            if not few or 2 * sum(" " in text for text in few) < len(few) or _words(present.head(1000)) < 3.0:
                return None
            if 10 * cells.n_unique() < len(cells) or cells.n_unique() < 20:
                return None
        width = 1 << int(np.clip(np.log2(max(1, len(cells) / 10)), 3, np.log2(MOST_PLACES)))
        counts = _hashed(cells, width)
        deviations = counts.std(axis=0)
        if not deviations.any():
            return None
        kept = np.where(deviations > 0, deviations, 1.0)
        why = f"{cells.n_unique():,} different texts, {_words(cells):.3g} words each"
        return cls(name, why, tuple(counts.mean(axis=0).tolist()), tuple(kept.tolist()))

    @cached_property
    def _centres(self) -> NDArray[np.float64]:
        return np.array(self.centres)

    @cached_property
    def _spreads(self) -> NDArray[np.float64]:
        return np.array(self.spreads)

    @property
    def features(self) -> tuple[Feature, ...]:
        """One for every place, taken as it is: curves are worth less here than more places, and cost eight times as much."""
        return tuple(Feature(f"{self.name}: words {i + 1}", self.name, "plain") for i in range(len(self.centres)))

    def read(self, cells: pl.Series, spelling: Spelling) -> Reading:
        """Counts in every place, shape (rows, places)."""
        texts = as_texts(cells)
        if texts is None:
            raise TypeError(f"{cells.dtype} holds no text")
        return Reading(_hashed(texts, len(self.centres)))

    def read_one(self, cell: Any, spelling: Spelling) -> Any:
        """Counts in every place, shape (places,)."""
        if type(cell) is not str or max(small := cell.lower(), default="") > _LATIN:
            return super().read_one(cell, spelling)
        from xxhash import xxh64_intdigest

        words = [xxh64_intdigest(word.encode()) for word in _WORD.findall(small)]
        return _counted(np.array(words, np.uint64), np.zeros(len(words), np.intp), 1, len(self.centres))[0]

    def words(self, spelling: Spelling) -> Words:
        """There is no end of texts."""
        raise TableError(
            f"column {self.name!r} holds longer texts, which cannot be listed. Leave it out: {columns_option([self.name], 'drop')}"
        )

    def is_sure(self, cell: Any, value: Any) -> bool:
        """Any text."""
        return cell is None or type(cell) is str

    def encode(self, values: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
        """Standardised, and clipped smoothly."""
        z = (values - self._centres) / self._spreads
        return clipped(z)

    @property
    def told(self) -> str:
        """How many numbers."""
        return f"{len(self.centres)} numbers: hashed words and pairs of words"


def _words(cells: pl.Series) -> float:
    """How many words a text has in the mean."""
    return float(cast(float, cells.str.count_matches(r"\w+").mean()))


def _hashed(cells: pl.Series, width: int) -> NDArray[np.float64]:
    """Signed counts of words and pairs of words, each row divided by the root of its squares."""
    import polars as pl
    from xxhash import xxh64_intdigest

    lists = cells.fill_null("").str.to_lowercase().str.extract_all(r"\w+")
    rows = np.repeat(np.arange(len(cells)), lists.list.len().to_numpy())
    words = lists.explode().drop_nulls()
    different = words.unique()
    hashes = pl.Series([xxh64_intdigest(word.encode()) for word in different.to_list()], dtype=pl.UInt64)
    single = (
        words.replace_strict(different, hashes, return_dtype=pl.UInt64).to_numpy()
        if len(words)
        else np.empty(0, np.uint64)
    )
    return _counted(single, rows, len(cells), width)


def _counted(single: NDArray[np.uint64], rows: NDArray[np.intp], height: int, width: int) -> NDArray[np.float64]:
    """The same of the words' hashes, one after the other, and the row of each."""
    follows = rows[1:] == rows[:-1]
    pairs = (single[:-1] * np.uint64(0x9E3779B97F4A7C15) + single[1:])[follows]
    every, at = np.concatenate([single, pairs]), np.concatenate([rows, rows[1:][follows]])
    signs = 1.0 - 2.0 * ((every >> np.uint64(40)) & np.uint64(1)).astype(np.float64)
    place = at * width + (every >> np.uint64(20)).astype(np.int64) % width
    counts = np.bincount(place, weights=signs, minlength=height * width).reshape(height, width)
    return np.asarray(counts / np.maximum(1.0, np.sqrt(np.square(counts).sum(axis=1, keepdims=True))))
