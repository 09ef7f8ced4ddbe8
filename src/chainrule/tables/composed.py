"""Accents: what is one letter to a reader is one character here, however it was typed (Unicode's NFC).

`é` may be one character or an `e` and an accent behind it (macOS and some databases write the latter, NFD). They look the same, so
they are the same category, and the same column.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import polars as pl


def composed(text: str) -> str:
    """The text with every letter and its accents as one character, where there is one.

    Examples
    --------
    >>> len("Zu\\u0308rich"), len(composed("Zu\\u0308rich"))
    (7, 6)
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def told(word: str) -> str:
    """What is said of text that was composed."""
    return (
        f"accents that are characters of their own are put together with their letters (Unicode's NFC), as in {word!r}"
    )


class Composed(NamedTuple):
    """A frame with its texts composed, the names its columns have then, of which two may be the same, and notes."""

    frame: pl.DataFrame
    names: list[str]
    notes: list[str]


def composed_frame(frame: pl.DataFrame) -> Composed:
    """The frame with its texts composed, the names of its columns, and a note where some were not."""
    import polars as pl

    changed: dict[str, pl.Series] = {}
    words: list[str] = []
    for name, kind in frame.schema.items():
        if kind in (pl.String, pl.Categorical, pl.Enum):
            column = frame.get_column(name)
            texts = column if kind == pl.String else column.unique().cast(pl.String)
            if texts.str.len_bytes().sum() == texts.str.len_chars().sum():
                continue  # all are ASCII
            other = {
                text: new
                for text in texts.drop_nulls().unique(maintain_order=True).to_list()
                if (new := composed(text)) != text
            }
            if other:
                changed[name] = column.cast(pl.String).replace(other)
                words += other.values()
    if changed:
        frame = frame.with_columns([column.alias(name) for name, column in changed.items()])
    names = [composed(name) for name in frame.columns]
    words += [new for name, new in zip(frame.columns, names, strict=True) if new != name]
    return Composed(frame, names, [told(words[0])] if words else [])
