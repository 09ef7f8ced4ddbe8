"""The decimal mark of a file: one for all its columns, as their cells together show it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from chainrule.tables.options import option, quoted
from chainrule.tables.wide import joined

if TYPE_CHECKING:
    import polars as pl

    from chainrule.tables.numbers import Decimal

_BEFORE = r"^[-+\u2212(]?\s?[$€£¥₹]?\s?[-+\u2212]?"
_BEHIND = r"(?:[eE][-+]?\d+)?\s?(?:[%‰]|[^\d\s.,;:/()-]{1,4})?\)?$"
_SAMPLE = 50_000
_ENOUGH = 20


def _number(mark: str, group: str) -> str:
    """The cells that are numbers with this decimal mark in them; no group of digits begins with 0."""
    whole = rf"(?:[1-9]\d{{0,2}}(?:[\u00a0\u202f '{group}]\d{{3}})+|\d+)"
    return rf"{_BEFORE}{whole}?[{mark}]\d+{_BEHIND}"


def _groups(mark: str, least: int = 1) -> str:
    """The cells that are whole numbers if this mark groups their digits."""
    return rf"{_BEFORE}[1-9]\d{{0,2}}(?:[{mark}]\d{{3}}){{{least},}}{_BEHIND}"


@dataclass(frozen=True)
class _Seen:
    """The numbers with one mark: how many are so with a decimal mark only, and examples of each way to read it."""

    decimals: int = 0
    decimal: str | None = None
    grouped: str | None = None
    groups: bool = False

    @classmethod
    def of(cls, cells: pl.Series, mark: str, other: str) -> _Seen:
        grouped = cells.str.contains(_groups(mark))
        decimals = cells.filter(~grouped).str.contains(_number(mark, other))
        first = cells.filter(~grouped).filter(decimals).head(1).to_list()
        either = cells.filter(grouped).head(1).to_list()
        several = bool(cells.filter(grouped).str.contains(_groups(mark, 2)).any())
        return cls(int(decimals.sum()), first[0] if first else None, either[0] if either else None, several)


class Mark(NamedTuple):
    """The decimal mark of a file, what is said of it, and a number that may be read otherwise as well.

    Attributes
    ----------
    decimal : {".", ","}
    note : str, optional
        Where it is not the plain point.
    guessed : str, optional
        Where nothing in the file tells the mark, a number of it, such as `1.016`, or "" where no number has a mark.
    """

    decimal: Decimal
    note: str | None = None
    guessed: str | None = None


def decimal_mark(frame: pl.DataFrame, separator: str = ",") -> Mark:
    """The decimal mark of a frame of text, with a note where it is not the plain point.

    `5,5`, `0,375` and `1.234,567` can only have decimal commas, `5.5` and `1,234.5` only decimal points; there are more of the
    one or of the other in the file. `1,234` may be either: where nothing else says what it is, its comma groups
    digits, but for files with semicolons between the cells.

    Examples
    --------
    >>> import polars as pl
    >>> decimal_mark(pl.DataFrame({"people": ["999", "1.016"], "price": ["5,5", "6,5"]}), ";")
    Mark(decimal=',', note="numbers have decimal commas, as '5,5'; so '1.016' is 1016", guessed=None)
    """
    import polars as pl

    text = [column for column in frame.get_columns() if column.dtype == pl.String]
    if not text:
        return Mark(".", None, "")
    cells = joined(text)
    step = max(1, frame.height * len(text) // _SAMPLE)
    if step > 1:
        point, comma = _seen([column.gather_every(step) for column in cells])
        least, most = sorted((point.decimals, comma.decimals))
        if not least and most >= _ENOUGH:
            return _decided(text, point, comma, separator)
    point, comma = _seen(cells)
    return _decided(text, point, comma, separator)


def respelled(frame: pl.DataFrame, decimal: Decimal, wanted: Decimal) -> pl.DataFrame:
    """The same with its numbers of text written with another decimal mark, and no marks between groups of digits.

    Examples
    --------
    >>> import polars as pl
    >>> respelled(pl.DataFrame({"price": ["1.234,5", "5,5 €", "31.12.2024"]}), ",", ".")["price"].to_list()
    ['1234.5', '5.5 €', '31.12.2024']
    """
    import polars as pl

    if decimal == wanted:
        return frame
    cell = pl.col(pl.String)
    number = cell.str.contains(_number(decimal, wanted)) | cell.str.contains(_groups(wanted))
    plain = cell.str.replace_all(wanted, "", literal=True).str.replace_all(decimal, wanted, literal=True)
    return frame.with_columns(pl.when(number).then(plain).otherwise(cell))


def speaks_against(text: str, decimal: Decimal) -> bool:
    """Whether a cell may be why its table is read with the other decimal mark; where none does, this one stays if it is training's.

    Examples
    --------
    >>> [speaks_against(text, ".") for text in ("1,5", "1.234,5", "1,234", "1.5", "Rome, Italy")]
    [True, True, False, False, False]
    """
    if not ("," in text or "." in text):
        return False
    number, groups, several = _AGAINST[decimal]
    return bool(several.match(text)) or bool(number.match(text) and not groups.match(text))


_AGAINST = {
    mark: tuple(map(re.compile, (_number(other, mark), _groups(other), _groups(mark, 2))))
    for mark, other in ((".", ","), (",", "."))
}
"""For each mark: what has a number with the other one, what may group its digits by it, and what can only be grouped by the first."""


def _seen(columns: Sequence[pl.Series]) -> tuple[_Seen, _Seen]:
    """The numbers with points and with commas in all cells."""
    import polars as pl

    marked = [column.filter(column.str.contains(r"[.,]")) for column in columns]
    numbers = [column.filter(column.str.contains(r"\d")).alias("") for column in marked if len(column)]
    if not numbers:
        return _Seen(), _Seen()
    cells = pl.concat(numbers)
    with_comma = cells.filter(cells.str.contains(",", literal=True))
    return _Seen.of(cells, ".", ","), _Seen.of(with_comma, ",", ".")


def _decided(columns: list[pl.Series], point: _Seen, comma: _Seen, separator: str) -> Mark:
    """The decision, and how it is told."""
    german = separator == ";"
    if point.decimals or comma.decimals:
        commas = comma.decimals >= point.decimals if german else comma.decimals > point.decimals
        mark, chosen, other = (",", comma, point) if commas else (".", point, comma)
        note = f"numbers have decimal {'commas' if commas else 'points'}, as {chosen.decimal!r}"
        if other.grouped:
            note += f"; so {other.grouped!r} is {_joined(other.grouped)}"
        if other.decimals:
            names = quoted([c.name for c in columns if c.str.contains(_number("." if commas else ",", mark)).any()])
            note += f"; {other.decimal!r} is none then ({names}): if that is wrong, {option('decimal', '.' if commas else ',')}"
        return Mark(",", note) if commas else Mark(".", note if other.grouped or other.decimals else None)
    if not comma.grouped and not point.groups:
        return Mark(".", None, point.grouped or "")
    guessed = comma.grouped if comma.groups == point.groups else None
    if comma.grouped and not comma.groups and (german or point.groups):
        note = f"{comma.grouped!r} is read with a decimal comma; if it groups digits, {option('decimal', '.')}"
        return Mark(",", note, guessed)
    if point.groups and not comma.grouped:
        return Mark(",", f"{point.grouped!r} is read as {_joined(str(point.grouped))}")
    note = f"{comma.grouped!r} is read as {_joined(str(comma.grouped))}; if that is a decimal comma, {option('decimal', ',')}"
    return Mark(".", note, guessed)


def _joined(text: str) -> str:
    """A number without the marks between its groups of digits."""
    return text.replace(".", "").replace(",", "")
