"""The decimal mark of a file: one for all its columns, as their cells together show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from chainrule.tables.numbers import Decimal


def decimal_mark(frame: pl.DataFrame, separator: str = ",") -> tuple[Decimal, str | None]:
    """The decimal mark of a frame of text, and a note where it is not plain."""
    return ".", None
