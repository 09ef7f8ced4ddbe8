"""Cells of text read as numbers: decimal marks, groups of digits, money, percentages and other units."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

Decimal = Literal[".", ","]

EXACT = 2.0**53
"""From here on not every whole number is a float64."""

LARGEST = 1e300
"""Larger amounts are taken for this one, so that differences of two stay finite."""

CODED = r"^[+-]?0\d"
"""Digits with zeros before them, as codes are spelled."""

_MONEY = r"[$€£¥₹₽₩₺฿₫₪]|US\$|[A-Z]{2}\$|USD|EUR|GBP|CHF|JPY|CNY|INR|BRL|CAD|AUD|SEK|NOK|DKK|PLN"
_MULTIPLES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9}
_PATTERNS = {
    decimal: re.compile(
        rf"(?P<open>\()?\s*(?P<sign>[+-]?)\s*(?P<money>{_MONEY})?\s*(?P<sign2>[+-]?)"
        rf"(?P<digits>[1-9]\d{{0,2}}(?:[ \u00a0\u202f'’{re.escape(group)}]\d{{3}})+|\d+|(?=\.\d|,\d))"
        rf"(?P<rest>(?:{re.escape(decimal)}\d*)?(?:[eE][+-]?\d+)?)"
        rf"(?:\s*(?P<unit>{_MONEY}|[%‰°]|[°a-zA-Zµ][a-zA-Z²³/]{{0,7}}))?\s*(?P<close>\))?"
    )
    for decimal, group in ((".", ","), (",", "."))
}


_PLAIN, _NOT_IN_NUMBERS = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?"), re.compile(r"[^-+.0-9_a-zA-Z\s]")
"""Numbers that everybody reads alike, and what stands in none that Polars reads."""

_SPAN = re.compile(r"(?:([+-]?\d{1,9}) days?,? \+?)?(\d{1,6}):([0-5]\d):([0-5]\d(?:\.\d+)?)")
_COUNT = r"[+-]?\d{1,12}"
_ISO_SPAN = re.compile(
    rf"(?P<sign>[+-]?)P(?=.)(?:(?P<W>{_COUNT})W)?(?:(?P<D>{_COUNT})D)?"
    rf"(?:T(?=.)(?:(?P<H>{_COUNT})H)?(?:(?P<M>{_COUNT})M)?(?:(?P<S>{_COUNT}(?:\.\d+)?)S)?)?"
)
_SECONDS = {"W": 604800.0, "D": 86400.0, "H": 3600.0, "M": 60.0, "S": 1.0}


class Numbers(NamedTuple):
    """A column read as numbers.

    Attributes
    ----------
    values : float64 array, (rows,)
        NaN where there is none.
    unit : str
        What stands beside the numbers, such as `%` or `$`.
    strays : dict of str to int
        Texts that are no numbers, with how often they occur; their rows are NaN.
    merged : tuple of two ints
        Of whole numbers beyond 2⁵³, which are rounded, how many different ones there are, and how many values they became;
        equal where none fall together.
    """

    values: NDArray[np.float64]
    unit: str = ""
    strays: Mapping[str, int] = MappingProxyType({})
    merged: tuple[int, int] = (0, 0)


def number(text: str, decimal: Decimal = ".") -> tuple[float, str] | None:
    """One text as a number and its unit; None if it is no number.

    Blanks, apostrophes and the other mark may group the digits before the decimal mark by three; no group begins with 0.

    Examples
    --------
    >>> number("$1,234.50"), number("(3)"), number("5 %"), number("1.234,5", ",")
    ((1234.5, '$'), (-3.0, ''), (5.0, '%'), (1234.5, ''))
    >>> number("0 days 00:08:00"), number("-1 days +23:52:00"), number("27:00:05")
    ((480.0, 's'), (-480.0, 's'), (97205.0, 's'))
    >>> number("PT8M"), number("P-1DT23H52M0S")
    ((480.0, 's'), (-480.0, 's'))
    >>> number("0,375") is number("12.03.2024") is number("many") is None
    True
    """
    match = _PATTERNS[decimal].fullmatch(text.replace("\u2212", "-"))
    if match is None:
        return _span(text) if ":" in text else _iso_span(text) if "P" in text[:2] else None
    part = match.groupdict(default="")
    unit, bracketed = part["unit"], bool(part["open"])
    if bracketed != bool(part["close"]) or (part["sign"] and part["sign2"]) or (bracketed and part["sign"]):
        return None
    value = float(re.sub(r"\D", "", part["digits"]) + part["rest"].replace(decimal, "."))
    if math.isinf(value):
        return None
    if part["money"]:
        if unit and unit not in _MULTIPLES:
            return None
        value, unit = value * _MULTIPLES.get(unit, 1.0), part["money"]
    return (-value if bracketed or "-" in part["sign"] + part["sign2"] else value), unit


def _span(text: str) -> tuple[float, str] | None:
    """The seconds of a span of time as others write it: `1 days 00:08:00`, `-1 day, 23:52:00`, `27:00:05`."""
    match = _SPAN.fullmatch(text)
    if match is None:
        return None
    days, hours, minutes, seconds = match.groups()
    return 86400.0 * int(days or 0) + 3600.0 * int(hours) + 60.0 * int(minutes) + float(seconds), "s"


def _iso_span(text: str) -> tuple[float, str] | None:
    """The seconds of a span of time by ISO 8601, as JSON has it: `PT480S`, `P1DT12H`, and pandas' `P-1DT23H52M0S`."""
    match = _ISO_SPAN.fullmatch(text)
    if match is None:
        return None
    seconds = sum(float(match[part] or 0) * unit for part, unit in _SECONDS.items())
    return -seconds if match["sign"] == "-" else seconds, "s"


def read_numbers(
    column: pl.Series, decimal: Decimal = ".", marks: Collection[str] = (), unit: str | None = None
) -> Numbers | None:
    """A column as numbers, NaN where one of the marks stands or its number; None if it is plainly no column of numbers.

    Parameters
    ----------
    column : polars.Series
        Text, numbers, booleans or spans of time (which become seconds); categories only where the unit is known.
    decimal : {".", ","}
        The decimal mark of text.
    marks : collection of str
        Texts in small letters that mean "no value".
    unit : str, optional
        The unit the numbers are known to have; by default the commonest of the column, and None is the answer where
        fewer than half of a sample of the texts are numbers.

    Examples
    --------
    >>> import polars as pl
    >>> read_numbers(pl.Series(["1.5", "$12,000", None, "n.b."]))
    Numbers(values=array([1.5e+00, 1.2e+04,     nan,     nan]), unit='$', strays={'n.b.': 1}, merged=(0, 0))
    >>> read_numbers(pl.Series([3.0, -999.0]), marks=("-999",)).values
    array([ 3., nan])
    """
    read = _read(column, decimal, marks, unit)
    absent = numbers_of(frozenset(marks), decimal)
    if read is None or not absent:
        return read
    values, unit_of_all, strays, together = read
    return Numbers(np.where(np.isin(values, absent), np.nan, values), unit_of_all, strays, together)


@lru_cache
def numbers_of(marks: frozenset[str], decimal: Decimal) -> tuple[float, ...]:
    """The numbers that marks for "no value" stand for, such as −999; of fractions also what float32 makes of them.

    Examples
    --------
    >>> numbers_of(frozenset({"n/a", "-999", "0,5"}), ",")
    (-999.0, 0.5)
    """
    read = [number(mark, ".") or number(mark, decimal) for mark in marks]
    exact = {value for value, unit in filter(None, read) if not unit}
    with np.errstate(over="ignore"):
        return tuple(sorted(exact | set(np.array(list(exact), np.float32).astype(float).tolist())))


def _read(column: pl.Series, decimal: Decimal, marks: Collection[str], unit: str | None) -> Numbers | None:
    """The same but for marks that are numbers."""
    import polars as pl

    kind = column.dtype
    if kind.is_numeric() or kind in (pl.Boolean, pl.Null):
        values = (column if kind == pl.Float64 else column.cast(pl.Float64)).to_numpy()
        if not reach(values, EXACT):  # as nearly always: none is too large, infinite or rounded
            return Numbers(values, unit or "")
        infinite = int(np.isinf(values).sum())
        return Numbers(_bounded(values), unit or "", {"inf": infinite} if infinite else {}, merged(column, values))
    if kind == pl.Duration:
        return Numbers(microseconds(column) / 1e6, "s")
    if unit is not None and kind in (pl.Categorical, pl.Enum):
        return _read(column.cast(pl.String), decimal, marks, unit)
    if kind != pl.String:
        return None
    if unit is None:
        sample = Counter(column.gather_every(max(1, len(column) // 200)).drop_nulls().to_list())
        numeric = (n for text, n in sample.items() if text.lower() in marks or number(text, decimal) is not None)
        if 2 * sum(numeric) < sample.total():
            return None
    cast = cast_texts(column, decimal)
    if cast.null_count() == column.null_count() and not cast.is_infinite().any():
        return Numbers(_bounded(cast.to_numpy()), unit or "", merged=merged(column, cast.to_numpy()))
    failed = (cast.is_null() & column.is_not_null()) | cast.is_infinite().fill_null(False)
    values, texts = _bounded(cast.to_numpy(writable=True)), column.filter(failed).to_list()
    counts = Counter(texts)
    read = {text: number(text, decimal) for text in counts}
    numbers, unit = _of_one_unit(read, counts, bool(np.isfinite(values).any()), unit)
    values[failed.to_numpy()] = [numbers.get(text, np.nan) for text in texts]
    strays = {text: count for text, count in counts.items() if text not in numbers and text.lower() not in marks}
    return Numbers(_bounded(values), unit, strays, merged(column, values))


def microseconds(times: pl.Series) -> NDArray[np.float64]:
    """Spans of time, or moments since 1970; of those in milliseconds not all have a whole number of them in 64 bits."""
    import polars as pl

    if getattr(times.dtype, "time_unit", "") == "ms":
        return times.to_physical().cast(pl.Float64).to_numpy() * 1e3
    whole = times.dt.total_microseconds() if times.dtype == pl.Duration else times.dt.epoch("us")
    return whole.cast(pl.Float64).to_numpy()


def reach(values: NDArray[np.float64], size: float) -> NDArray[np.bool_]:
    """Whether any number along the last axis is at least so large, or so small below 0; found without an array of sizes.

    Examples
    --------
    >>> reach(np.array([[1.0, np.nan], [2.0, -5.0]]), 5.0)
    array([False,  True])
    """
    highest, lowest = (end.reduce(values, axis=-1, initial=0.0) for end in (np.fmax, np.fmin))
    return np.asarray((highest >= size) | (lowest <= -size))


def merged(cells: pl.Series, values: NDArray[np.float64]) -> tuple[int, int]:
    """How many different whole numbers beyond 2⁵³ the cells hold, and how many of the values that were read of them are different.

    Examples
    --------
    >>> import polars as pl
    >>> cells = pl.Series(["9007199254740992", "9007199254740993", "3"])
    >>> merged(cells, cells.cast(float).to_numpy())
    (2, 1)
    """
    import polars as pl

    if not reach(values, EXACT) or not (cells.dtype == pl.String or cells.dtype.is_integer()):
        return 0, 0
    texts = cells.filter(pl.Series(np.abs(values) >= EXACT)).cast(pl.String).unique().to_list()
    whole = {int(text) for text in texts if text.removeprefix("-").isdecimal()}
    return len(whole), len(set(map(float, whole)))


def is_alike(text: str) -> bool:
    """Whether a text is the same number for `number` as for Polars, or none for Polars, so that `number` decides in a column too.

    Examples
    --------
    >>> is_alike("-1.5"), is_alike("1,234"), is_alike("$3"), is_alike("1e5")
    (True, True, True, False)
    """
    return _PLAIN.fullmatch(text) is not None or _NOT_IN_NUMBERS.search(text) is not None


def cast_texts(texts: pl.Series, decimal: Decimal) -> pl.Series:
    """The texts that are numbers without groups and units; null elsewhere."""
    import polars as pl

    if decimal == ".":
        return texts.cast(pl.Float64, strict=False)
    return texts.to_frame().select(cast_expression(texts.name, decimal)).to_series()


def cast_expression(name: str, decimal: Decimal) -> pl.Expr:
    """The same for a column of a frame."""
    import polars as pl

    column = pl.col(name)
    if decimal == ".":
        return column.cast(pl.Float64, strict=False)
    swapped = column.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    return pl.when(~column.str.contains(".", literal=True)).then(swapped).alias(name)


def _bounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers no larger than LARGEST, NaN for infinity, which is none."""
    if not reach(values, LARGEST):
        return values
    return np.where(np.isinf(values), np.nan, np.clip(values, -LARGEST, LARGEST))


def _of_one_unit(
    read: dict[str, tuple[float, str] | None], counts: Counter[str], plain: bool, unit: str | None
) -> tuple[dict[str, float], str]:
    """The numbers that have the column's unit or none; K, M and B beside plain numbers are multiples."""
    units: Counter[str] = Counter()
    for text, found in read.items():
        if found is not None:
            units[found[1]] += counts[text]
    named = [name for name, _ in units.most_common() if name]
    if unit is None:
        multiples = named and set(named) <= set(_MULTIPLES) and (len(named) > 1 or plain or "" in units)
        unit = named[0] if named and not multiples else ""
    amounts = {text: in_unit(found, unit) for text, found in read.items()}
    return {text: amount for text, amount in amounts.items() if amount is not None}, unit


def in_unit(found: tuple[float, str] | None, unit: str) -> float | None:
    """What `number` found as a number of a column with this unit; None if it has another."""
    if found is None or found[1] in ("", unit):
        return None if found is None else found[0]
    return None if unit or found[1] not in _MULTIPLES else found[0] * _MULTIPLES[found[1]]


def has_leading_zeros(cells: pl.Series, values: NDArray[np.float64]) -> bool:
    """Whether whole numbers are spelled `01`, as codes are."""
    import polars as pl

    if cells.dtype != pl.String or not are_whole(values):
        return False
    if len(cells) > 1000:
        return bool(cells.str.contains(CODED).any())
    return any(text is not None and text.startswith("0") and text[1:2].isdigit() for text in cells.to_list())


def are_whole(values: NDArray[np.float64]) -> bool:
    """Whether all numbers that are there are whole."""
    return all(bool((np.isnan(x) | (x == np.rint(x))).all()) for x in (values[:100], values))  # most others show early


def seldom_numbers(strays: Iterable[str]) -> bool:
    """Whether texts among numbers look like signs for "no value", such as `-`, `#DIV/0!` and `n.b.`."""
    return all(
        re.fullmatch(r"\W*|#.*|(?i:n\W?[abcdvk]\W?|none|unknown|missing|k\.? ?a\.?|inf|-inf)", s) for s in strays
    )


def decimal_from_json(given: object) -> Decimal:
    """The decimal mark that a model file names."""
    if given == ".":
        return "."
    if given == ",":
        return ","
    raise ValueError(f"{given!r} as a decimal mark")
