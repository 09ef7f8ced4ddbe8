"""How texts spell dates and times: which form they have, as `strftime` writes it, and what a text of a form says."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from chainrule.tables.missing import Spelling
from chainrule.tables.numbers import number

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 60

OF_DAY = "%H:%M:%S"
"""How ISO 8601 spells times of day."""

_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%m/%d/%y",
    "%d/%m/%y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y",
    "%a, %d %b %Y", "%Y%m%d", "%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%B %Y", "%b-%Y", "%b-%y",
)  # fmt: skip
_TIME = re.compile(
    r"(?P<gap>[T ]?)(?P<hour>\d{1,2}):\d{2}(?P<second>:\d{2}(?P<fraction>\.\d+)?)?(?P<half> ?[AaPp][Mm])?"
    r"(?P<zone> ?(?:Z|UTC|[+-]\d{2}:?\d{2}))?$"
)
_DATE = re.compile(r"[A-Za-z]{0,9},? ?\d{1,4}[-/. ]?(\d{1,2}|[A-Za-z]{3,9})?[-/., ]{0,2}\d{0,4}")


def form_of(texts: pl.Series, spelling: Spelling, forced: str | None) -> str | None:
    """The form that most texts have; those of ISO 8601 are read beside any other."""
    if forced and "%" in forced:
        return forced
    first = texts.drop_nulls().head(10).to_list()
    if not all(map(spelling.is_missing, first)) and not any(map(_like_time, first)):
        return None
    different = _different(texts, spelling)
    sample = different.gather_every(max(1, len(different) // SAMPLE))
    few = [text for text in (*different.head(5), *sample.gather_every(SAMPLE // 5)) if _like_time(text)]
    iso, good = _are_iso(sample), {}
    for form in dict.fromkeys(form for text in few for form in _forms(text)):
        read = parsed(sample, form).is_not_null()
        found = (read | iso if has_day(form) else read).sum() / len(sample) if read.any() else 0.0
        if found == 1.0 or (found >= 0.9 and form != "%Y%m%d"):  # 8 digits that are no date could mean something else
            good[form] = found
    forms = sorted(good, key=lambda form: -good[form])
    if spelling.decimal == ",":  # who writes 1,5 writes the day before the month
        forms.sort(key=lambda form: (-good[form], form.startswith("%m")))
    if not forms or _are_spans(different, forms[0]):
        return None
    other = _turned(forms[0])  # of two orders one day after the 12th decides
    return other if other in good and _share(different, other) > _share(different, forms[0]) else forms[0]


def other_order(texts: pl.Series, spelling: Spelling, form: str) -> str:
    """The form with day and month the other way round, where as many texts have it; an empty text where not."""
    other = _turned(form)
    if not other:
        return ""
    different = _different(texts, spelling)
    return other if _share(different, other) == _share(different, form) else ""


def _turned(form: str) -> str:
    """A form with day and month the other way round, if anybody writes so."""
    other = form.translate(str.maketrans("dm", "md"))
    return other if other != form and any(other.startswith(date) for date in _DATES if "%d" in date) else ""


def _different(texts: pl.Series, spelling: Spelling) -> pl.Series:
    """The different texts, without those that mean "no value"."""
    different = texts.drop_nulls().unique(maintain_order=True)
    return different.filter(~different.str.to_lowercase().is_in(list(spelling.marks)))


def _are_spans(texts: pl.Series, form: str) -> bool:
    """Whether hours, minutes and seconds are no times of day: there are some beyond a day."""
    if has_day(form):
        return False
    later = texts.filter(parsed(texts, form).is_null())
    return any(number(text) is not None for text in later.to_list())


def has_day(form: str) -> bool:
    """Whether a form tells days, or months or years, and not times of day alone."""
    return re.search("%[YymdbBaAj]", form) is not None


def _are_iso(texts: pl.Series) -> pl.Series:
    """Which of the texts are dates of ISO 8601."""
    found = texts.is_null()
    for form in iso_forms(texts, ""):
        found |= parsed(texts, form).is_not_null()
    return found


def _share(texts: pl.Series, form: str) -> float:
    """How many of the texts have a form."""
    return 1.0 - parsed(texts, form).null_count() / max(1, len(texts))


def _like_time(text: str) -> bool:
    date = _TIME.sub("", text)
    if date and number(text) is not None and len(text) != 8:
        return False
    return len(text) <= 40 and sum(map(str.isdigit, text)) >= 3 and (not date or _DATE.fullmatch(date) is not None)


def _forms(text: str) -> list[str]:
    """The forms that a text may have, the commonest first."""
    time = _TIME.search(text)
    suffix = ""
    if time is not None:
        suffix = time["gap"] + ("%I:%M" if time["half"] else "%H:%M") + (":%S" if time["second"] else "")
        suffix += "%.f" if time["fraction"] else ""
        suffix += ((" " if time["half"].startswith(" ") else "") + "%p") if time["half"] else ""
        if zone := time["zone"]:
            suffix += zone if zone.strip() in ("Z", "UTC") else " %z".removeprefix("" if zone[0] == " " else " ")
        if not time.start():
            return [suffix]
    century = re.search(r"\d{4}", text) is not None
    compact = text[:8].isdigit()
    return [date + suffix for date in _DATES if ("%Y" in date) == century and (date == "%Y%m%d") == compact]


def parsed(texts: pl.Series, form: str) -> pl.Series:
    """Texts as moments, null where they have another form; in universal time where the form has a zone."""
    import polars as pl

    column = pl.col("t")
    if form.endswith("%z"):
        column = column.str.replace(r"(Z|UTC)$", "+00:00")
    if not re.search("%[Yy]", form):
        column, form = pl.lit("1970-01-01 ") + column, "%Y-%m-%d " + form
    elif "%d" not in form:
        column, form = pl.lit("01 ") + column, "%d " + form
    date_only = not re.search("%[HI]", form)
    moments = (
        column.str.to_date(form, strict=False)
        if date_only
        else column.str.to_datetime(form, strict=False, time_unit="us")
    )
    return texts.alias("t").to_frame().select(moments).to_series()


_PADDED = re.compile(r"(?<!\d)0(?=\d)")


@lru_cache(maxsize=64)
def spelled(text: str, form: str) -> datetime | None:
    """What `parsed` makes of one text that is spelled as `strftime` would, but for zeros before days and hours; None of others.

    Examples
    --------
    >>> spelled("31.1.2020", "%d.%m.%Y"), spelled("08:05", "%H:%M"), spelled("31.13.2020", "%d.%m.%Y")
    (datetime.datetime(2020, 1, 31, 0, 0), datetime.datetime(1970, 1, 1, 8, 5), None)
    """
    if form.endswith("%z"):
        text = re.sub(r"(Z|UTC)$", "+00:00", text)
        text = re.sub(r"([+-]\d\d):(\d\d)$", r"\1\2", text)
    if "%.f" in form:
        fraction = re.search(r"(?<=:\d\d)\.(\d{1,6})(?!\d)", text)
        if fraction is None:
            return None
        text, form = text.replace(fraction[0], f".{fraction[1]:0<6}", 1), form.replace("%.f", ".%f")
    if not re.search("%[Yy]", form):
        text, form = f"1970-01-01 {text}", f"%Y-%m-%d {form}"
    elif "%d" not in form:
        text, form = f"01 {text}", f"%d {form}"
    try:
        moment = datetime.strptime(text, form)
    except ValueError:
        return None
    alike = _PADDED.sub("", moment.strftime(form)) == _PADDED.sub("", text)
    return moment if alike and ("%y" not in form or moment.year != 1969) else None  # which Polars takes for 2069


def iso_forms(texts: pl.Series, form: str) -> list[str]:
    """The forms of ISO 8601 among texts, of times of day where these are learned; none where the day stands before the month."""
    of_day = bool(form) and not has_day(form)
    if not len(texts) or "%Y-%d" in form or (form and not of_day and not re.search("%[Yy]", form)):
        return []
    begin, pattern = ("%H:%M", r"^\d{2}:\d{2}") if of_day else ("%Y-%m-%d", r"^\d{4}-\d{2}-\d{2}")
    found = texts.filter(texts.str.contains(pattern)).unique(maintain_order=True)
    sample = found.gather_every(max(1, len(found) // SAMPLE)).to_list()
    return list(dict.fromkeys(form for text in sample for form in _forms(text) if form.startswith(begin)))
