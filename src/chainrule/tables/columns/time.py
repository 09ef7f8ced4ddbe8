"""Dates and times: elapsed time as a number, and the parts that come round again as sine and cosine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.columns.column import Column, Feature, Reading, require
from chainrule.tables.columns.number import Number
from chainrule.tables.columns.texts import as_texts
from chainrule.tables.columns.time_forms import OF_DAY, form_of, has_day, iso_forms, other_order, parsed, spelled
from chainrule.tables.missing import Spelling
from chainrule.tables.numbers import Numbers, microseconds
from chainrule.tables.options import columns_option, unread

if TYPE_CHECKING:
    import polars as pl

DAY = 86400.0
DAYS_OF_A_YEAR = 365.2425
DAYS_BEFORE_1970 = 719527.0
"""Since the beginning of the year 0."""
PARTS = ("elapsed", "year", "season", "weekday", "hour")


@dataclass(frozen=True)
class Time(Column):
    """A column of dates or times: time elapsed, the year, and sine and cosine of the season, the weekday and the hour.

    Only parts that vary in training are given. Numbers are scaled as a `Number` of seconds is, and a missing time has the
    median's numbers, sines and cosines of 0, and a flag if some were missing in training.

    Attributes
    ----------
    form : str
        How text spells it, as `strftime` would; empty for columns that are dates already.
    parts : tuple of str
        Which of "elapsed", "year", "season", "weekday", "hour" vary.
    median, scale : float
        Of the seconds since 1970.
    missing : bool
        Whether some were missing in training.
    zone : str
        By whose clock moments of known zones are taken, such as `Europe/Berlin`; empty where those of training had none.
    """

    kind: ClassVar[str] = "time"
    form: str
    parts: tuple[str, ...]
    median: float
    scale: float
    missing: bool = False
    zone: str = ""

    def __post_init__(self) -> None:
        require(not self.zone or _is_zone(self.zone), "a zone that nobody knows")
        require(self.scale > 0, "a scale that is not positive")
        require(set(self.parts) <= set(PARTS), "parts that no time has")

    @classmethod
    def has_form(cls, form: str) -> bool:
        """Whether it is a pattern that times are written in."""
        return "%" in form

    @classmethod
    def learn(cls, name: str, cells: pl.Series, spelling: Spelling, forced: str | None = None, **_: Any) -> Time | None:
        """What the cells teach; None if they are no times, or all the same. `forced` may be a form such as `%d.%m.%y`."""
        form = OF_DAY if str(cells.dtype) == "Time" else ""
        if not cells.dtype.is_temporal():
            texts = _as_text(cells)
            found = form_of(texts, spelling, forced) if texts is not None else None
            if found is None:
                return None
            form = found
        elif str(cells.dtype).startswith("Duration"):
            return None
        zone = _zone_of(cells, form)
        seconds, _strays = _seconds(cells, form, zone, spelling)
        like = Number.of(name, Numbers(seconds))
        present = seconds[~np.isnan(seconds)]
        if like is None or not len(present) or present.min() == present.max():
            return None
        told = _time_of_day if _without_day(cells, form) else _date
        first, last = (told(x) for x in (present.min(), present.max()))
        spelling_told = f", spelled {form}" if form and not cells.dtype.is_temporal() else ""
        why = f"times from {first} to {last}{spelling_told}"
        if zone not in ("", "UTC"):
            why += f", by the clock of {zone}"
        return cls(name, why, form, _varying(present), like.median, like.scale, like.missing, zone)

    def doubts(self, cells: pl.Series, values: NDArray[np.float64], spelling: Spelling) -> tuple[str, ...]:
        """Whether the day could be the month."""
        texts = None if cells.dtype.is_temporal() else _as_text(cells)
        other = "" if texts is None else other_order(texts, spelling, self.form)
        if not other:
            return ()
        wanted = columns_option([self.name], f"time:{other}")
        return (f"times in column {self.name!r} are read as {self.form}; {other} would serve as well: {wanted}",)

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """Numbers: elapsed time, the year, sines and cosines; a flag where missing."""
        names = {"elapsed": (self.name,), "year": (f"{self.name}: year",)}
        waves = {part: tuple(f"{self.name}: {f} of {part}" for f in ("sine", "cosine")) for part in PARTS[2:]}
        numbers = [Feature(n, self.name, "number") for part in self.parts for n in (names | waves)[part]]
        flags = [Feature(f"{self.name} is missing", self.name, "flag")] * self.missing
        return (*numbers, *flags)

    def read(self, cells: pl.Series, spelling: Spelling) -> Reading:
        """Seconds since 1970; a text that is no time counts as missing, with a remark."""
        seconds, strays = _seconds(cells, self.form, self.zone, spelling)
        remarks: tuple[str, ...] = ()
        if str(cells.dtype).startswith("Datetime") and bool(_zone_of(cells, "")) != bool(self.zone):
            told = f"no zone; the clock of {self.zone} is meant" if self.zone else "a zone, which training's had not"
            remarks = (f"column {self.name!r} holds times of {told}",)
        if not strays:
            return Reading(seconds, remarks)
        like = f" like {self.form}" if self.form else ""
        return Reading(seconds, (*remarks, unread(self.name, f"times{like}", dict.fromkeys(strays), len(strays))))

    @property
    def told_alone(self) -> str:
        """Since when, and by which clock."""
        return (
            f"time: seconds since 1970-01-01{f' by the clock of {self.zone}' if self.zone else ''}, NaN where missing"
        )

    def read_one(self, cell: Any, spelling: Spelling) -> float:
        """Seconds since 1970 of one moment or text."""
        if type(cell) is str and self.form:
            cell = spelled(cell, self.form) or cell
        if type(cell) is date:
            return DAY * (cell - date(1970, 1, 1)).days
        if isinstance(cell, datetime):
            if cell.tzinfo is not None and self.zone:
                cell = cell.astimezone(ZoneInfo(self.zone))
            return float((cell.replace(tzinfo=None) - datetime(1970, 1, 1)) / timedelta(microseconds=1)) / 1e6
        return float(super().read_one(cell, spelling))

    def is_sure(self, cell: Any, value: Any) -> bool:
        """A moment with a zone where training's had one and without where not; a text that is spelled as the form spells it."""
        if isinstance(cell, datetime):
            return (cell.tzinfo is not None) == bool(self.zone) and not getattr(cell, "nanosecond", 0)
        if type(cell) is not str:
            return cell is None or type(cell) is date
        return bool(self.form) and spelled(cell, self.form) is not None

    def encode(self, values: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
        """The parts, and the flag."""
        absent = np.isnan(values)
        seconds = np.where(absent, self.median, values)
        scaled = Number.encoder((Number(self.name, "", self.median, self.scale),))
        years = _year_starts(seconds)
        days = np.floor(seconds / DAY)
        phases = {
            "season": (seconds - years[0]) / (years[1] - years[0]),
            "weekday": (days + 3) % 7 / 7,
            "hour": seconds / DAY - days,
        }
        parts = []
        for part in self.parts:
            if part in phases:
                angle = 2 * np.pi * phases[part]
                parts += [np.where(absent, 0.0, np.sin(angle)), np.where(absent, 0.0, np.cos(angle))]
            else:
                parts.append(scaled((seconds if part == "elapsed" else years[0],))[:, 0])
        return np.stack([*parts, *[absent] * self.missing], axis=1)

    @property
    def told(self) -> str:
        """Which parts."""
        return ", ".join(self.parts) + (", a flag where missing" if self.missing else "")


def _without_day(cells: pl.Series, form: str) -> bool:
    """Whether they are times of day alone."""
    return str(cells.dtype) == "Time" or (bool(form) and not has_day(form))


def _date(seconds: float) -> str:
    """A moment without what goes without saying, the time at midnight."""
    return str(np.datetime64(int(seconds), "s")).removesuffix("T00:00:00")


def _time_of_day(seconds: float) -> str:
    """A time of day, to the minute where it is whole."""
    return str(np.datetime64(int(seconds), "s")).partition("T")[2].removesuffix(":00")


def _year_starts(seconds: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """When the year of every moment begins, and when it ends; plain arithmetic, which can be traced as well."""
    days = np.floor(np.clip(seconds, -6e10, 2.5e11) / DAY) + DAYS_BEFORE_1970
    year = np.floor(days / DAYS_OF_A_YEAR)  # or the one after, where days are short of that
    year = year + (_days_before(year + 1.0) <= days) - (_days_before(year) > days)
    return tuple((_days_before(x) - DAYS_BEFORE_1970) * DAY for x in (year, year + 1.0))  # type: ignore[return-value]


def _days_before(year: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many days lie between the beginnings of the years 0 and this, by the Gregorian calendar."""
    last = year - 1.0
    found: NDArray[np.float64] = 365.0 * year + np.floor(last / 4.0) - np.floor(last / 100.0) + np.floor(last / 400.0)
    return found


def _varying(seconds: NDArray[np.float64]) -> tuple[str, ...]:
    """The parts that say something."""
    moments = np.floor(seconds).astype("datetime64[s]")
    days = moments.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    years = months.astype("datetime64[Y]")
    whole_months = bool((days == months).all())
    varies = {
        "elapsed": bool((days != days[0]).any()),
        "year": bool((years != years[0]).any()),
        "season": bool(((months - years).astype(int) != (months[0] - years[0]).astype(int)).any()),
        "weekday": not whole_months and bool((days.astype(int) % 7 != days[0].astype(int) % 7).any()),
        "hour": bool((seconds % DAY != seconds[0] % DAY).any()),
    }
    return tuple(part for part in PARTS if varies[part])


def _as_text(cells: pl.Series) -> pl.Series | None:
    """Cells that could be dates as text: text, and whole numbers such as 20240131."""
    import polars as pl

    kind = cells.dtype
    if kind.is_numeric():
        low, high = cells.min(), cells.max()
        if not (
            isinstance(low, int | float) and isinstance(high, int | float) and low >= 19000101 and high <= 21001231
        ):
            return None
        whole = cells.cast(pl.Int64, strict=False)
        return whole.cast(pl.String) if bool((whole == cells).all()) else None
    return cells.cast(pl.String) if kind in (pl.String, pl.Categorical, pl.Enum) else None


def are_times(cells: pl.Series, spelling: Spelling) -> bool:
    """Whether cells hold moments, as such or as text."""
    return cells.dtype.is_temporal() or Time.learn(cells.name, cells, spelling) is not None


def _zone_of(cells: pl.Series, form: str) -> str:
    """The zone by whose clock these cells are taken: their own, UTC for text that tells how far it is from that."""
    if cells.dtype.is_temporal():
        return getattr(cells.dtype, "time_zone", None) or ""
    return "UTC" if form.endswith(("%z", "Z", "UTC")) else ""


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (KeyError, ValueError, OSError):
        return False


def _seconds(cells: pl.Series, form: str, zone: str, spelling: Spelling) -> tuple[NDArray[np.float64], list[str]]:
    """Cells as seconds since 1970 by the clock of the zone, or their own where it is empty, and the texts that are none."""
    import polars as pl

    if cells.dtype == pl.Duration:
        raise TypeError("spans of time are no moments")
    if cells.dtype.is_temporal():
        return _since_1970(cells, zone), []
    texts = as_texts(cells)
    if texts is None:
        raise TypeError(f"{cells.dtype} holds no times")
    seconds = np.full(len(texts), np.nan)
    failed = texts.is_not_null().to_numpy()
    left = texts.drop_nulls()
    for forms in ([form] if form else [], None):
        for each in iso_forms(left, form) if forms is None else forms:
            moments = parsed(left, each)
            if each.endswith(("Z", "UTC")):
                moments = moments.dt.replace_time_zone("UTC")
            seconds[failed] = _since_1970(moments, zone)
            failed[failed] = moments.is_null().to_numpy()
            left = left.filter(moments.is_null())
    return seconds, [text for text in left.to_list() if not spelling.is_missing(text)]


def _since_1970(moments: pl.Series, zone: str) -> NDArray[np.float64]:
    """Seconds, by the clock of the zone where moments have one."""
    import polars as pl

    if moments.dtype == pl.Time:
        return moments.cast(pl.Int64).cast(pl.Float64).to_numpy() / 1e9
    if moments.dtype == pl.Date:
        return moments.cast(pl.Int32).cast(pl.Float64).to_numpy() * DAY
    if zone and _zone_of(moments, ""):
        moments = moments.dt.convert_time_zone(zone)
    return microseconds(moments.dt.replace_time_zone(None)) / 1e6
