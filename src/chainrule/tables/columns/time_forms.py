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


def form_of(texts: pl.Series, spelling: Spelling, forced: str | None) -> tuple[str, str] | None:
    """The form that most texts have, and another that would serve as well."""
    if forced and "%" in forced:
        return forced, ""
    present = texts.drop_nulls()
    first = present.head(10).to_list()
    if not all(map(spelling.is_missing, first)) and not any(map(_like_time, first)):
        return None
    different = present.unique(maintain_order=True)
    different = different.filter(~different.str.to_lowercase().is_in(list(spelling.marks)))
    few = [text for text in different.head(5).to_list() if _like_time(text)]
    sample = different.gather_every(max(1, len(different) // SAMPLE))
    good = {}
    for form in dict.fromkeys(form for text in few for form in _forms(text)):
        found = _share(sample, form)
        if found == 1.0 or (found >= 0.9 and form != "%Y%m%d"):  # 8 digits that are no date could mean something else
            good[form] = found
    forms = sorted(good, key=lambda form: -good[form])
    if spelling.decimal == ",":  # who writes 1,5 writes the day before the month
        forms.sort(key=lambda form: (-good[form], form.startswith("%m")))
    if not forms:
        return None
    twins = [form for form in forms[1:] if sorted(form) == sorted(forms[0])][:1]  # the same parts in another order
    if not twins:
        return forms[0], ""
    shares = [_share(different, form) for form in (forms[0], twins[0])]  # one day after the 12th decides
    if shares[0] == shares[1]:
        return forms[0], twins[0]
    return (forms[0] if shares[0] > shares[1] else twins[0]), ""


def _share(texts: pl.Series, form: str) -> float:
    """How many of the texts have a form."""
    return 1.0 - parsed(texts, form).null_count() / max(1, len(texts))


def _like_time(text: str) -> bool:
    if number(text) is not None and len(text) != 8:
        return False
    date = _TIME.sub("", text)
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
    """The forms of ISO 8601 among texts; none where times of day are learned, or the day stands before the month."""
    if not len(texts) or "%Y-%d" in form or (form and not re.search("%[Yy]", form)):
        return []
    dates = texts.filter(texts.str.contains(r"^\d{4}-\d{2}-\d{2}")).unique(maintain_order=True)
    sample = dates.gather_every(max(1, len(dates) // SAMPLE)).to_list()
    return list(dict.fromkeys(form for text in sample for form in _forms(text) if form.startswith("%Y-%m-%d")))
