"""Times are known by how they are written, and every way gives the moments that Python's own library reads."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone

import numpy as np
import polars as pl
import pytest

from chainrule.tables.columns.time import Time
from chainrule.tables.missing import Spelling
from chainrule.tables.preparing.preparation import Preparation
from chainrule.tables.table import Table

WRITTEN = {
    "%Y-%m-%d": "%Y-%m-%d",
    "%Y-%m-%d %H:%M": "%Y-%m-%d %H:%M",
    "%m/%d/%Y %H:%M:%S": "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p": "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y %H:%M": "%d.%m.%Y %H:%M",
    "%Y-%m-%dT%H:%M:%SZ": "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.%f": "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%z": "%Y-%m-%d %H:%M:%S%z",
    "%Y-%m-%d %H:%M %z": "%Y-%m-%d %H:%M %z",
}
"""How Python writes a moment, and how the column says it is written."""


@pytest.mark.parametrize("form", WRITTEN)
def test_times_of_every_form_are_the_moments_that_were_written(form):
    start = datetime(2020, 1, 1, 10, 7, 30, tzinfo=timezone(timedelta(hours=2)))
    texts = [(start + timedelta(days=n, minutes=7 * n)).strftime(form) for n in range(100)]
    table = Table(pl.DataFrame({"t": texts, "y": [float(n) for n in range(100)]}))
    preparation = Preparation.learn(table, "y")
    (column,) = preparation.columns
    assert column.form == WRITTEN[form]
    read = [datetime.strptime(text, form) for text in texts]
    seconds = np.array([(each if each.tzinfo else each.replace(tzinfo=UTC)).timestamp() for each in read])
    assert column.median == pytest.approx(np.median(seconds), abs=1e-3)
    elapsed = preparation.apply(table).X[:, 0]
    assert np.corrcoef(elapsed, seconds)[0, 1] > 0.99


def _zoned(zone: str) -> tuple[Preparation, pl.Series]:
    moments = pl.Series([datetime(2024, 3, 25, tzinfo=UTC) + timedelta(hours=7 * n) for n in range(60)])
    moments = moments.dt.convert_time_zone(zone)
    return Preparation.learn(Table(pl.DataFrame({"t": moments, "y": [float(n % 7) for n in range(60)]})), "y"), moments


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "Asia/Kathmandu"])
def test_one_moment_is_one_moment_however_its_zone_is_written(zone):
    preparation, moments = _zoned(zone)
    X = preparation.apply(Table(moments.to_frame("t"))).X
    others = [moments.dt.convert_time_zone(other) for other in ("UTC", "America/New_York")]
    others += [moments.dt.to_string("%Y-%m-%dT%H:%M:%S%:z"), others[0].dt.to_string("%Y-%m-%d %H:%M:%SZ")]
    for other in others:
        again = preparation.apply(Table(other.alias("t").to_frame()))
        assert again.notes == ()
        np.testing.assert_array_equal(again.X, X)
        np.testing.assert_allclose(preparation.apply_row({"t": other[9]}), X[9:10], rtol=1e-6)


def test_text_with_zones_teaches_what_frames_may_be_asked_about():
    moments = _zoned("Europe/Berlin")[1]
    table = Table(pl.DataFrame({"t": moments.dt.to_string("%Y-%m-%d %H:%M:%S%:z"), "y": np.arange(60.0)}))
    preparation = Preparation.learn(table, "y")
    np.testing.assert_array_equal(preparation.apply(Table(moments.to_frame("t"))).X, preparation.apply(table).X)


@pytest.mark.parametrize("learned", ["frame", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y"])
def test_iso_times_are_understood_whatever_form_was_learned(learned):
    days = pl.Series("t", [datetime(2023, 1, 5) + timedelta(days=5 * n) for n in range(60)])
    given = days if learned == "frame" else days.dt.to_string(learned)
    preparation = Preparation.learn(Table(pl.DataFrame({"t": given, "y": np.arange(60.0)})), "y")
    X = preparation.apply(Table(given.to_frame("t"))).X
    mixed = [days[n].strftime(("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M")[n % 3]) for n in range(60)]
    again = preparation.apply(Table(pl.DataFrame({"t": mixed})))
    assert again.notes == ()
    np.testing.assert_array_equal(again.X, X)


@pytest.mark.parametrize("learned", ["frame", "%H:%M:%S", "%I:%M:%S %p"])
def test_iso_times_of_day_are_understood_whatever_form_was_learned(learned):
    moments = [datetime(2023, 1, 5) + timedelta(minutes=23 * n) for n in range(60)]
    given = pl.Series(
        "t", [m.time() for m in moments] if learned == "frame" else [m.strftime(learned) for m in moments]
    )
    preparation = Preparation.learn(Table(pl.DataFrame({"t": given, "y": np.arange(60.0)})), "y")
    X = preparation.apply(Table(given.to_frame("t"))).X
    mixed = [m.strftime(("%H:%M", "%H:%M:%S", "%H:%M:%S.000")[n % 3]) for n, m in enumerate(moments)]
    again = preparation.apply(Table(pl.DataFrame({"t": mixed})))
    assert again.notes == ()
    np.testing.assert_array_equal(again.X, X)
    np.testing.assert_array_equal(np.concatenate([preparation.apply_row({"t": text}) for text in mixed]), X)
    assert preparation.apply(Table(pl.DataFrame({"t": ["2023-01-05"]}))).notes  # which is no time of day


def test_a_zone_that_was_not_learned_is_told():
    preparation, moments = _zoned("Europe/Berlin")
    assert (
        "the clock of Europe/Berlin"
        in preparation.apply(Table(moments.dt.replace_time_zone(None).to_frame("t"))).notes[0]
    )


def test_numbers_that_are_no_times_are_told_as_they_are():
    column = Time.learn("t", pl.Series([datetime(2023, 1, day) for day in range(1, 20)]), Spelling())
    (remark,) = column.read(pl.Series([1.5, 2.0]), Spelling()).remarks
    assert remark == "column 't' holds times; '1.5', '2' in 2 rows count as missing"


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["00:00", "08:15", "23:55"], "times from 00:00 to 23:55, spelled %H:%M"),
        (["12:00:30 AM", "8:15:00 PM"], "times from 00:00:30 to 20:15, spelled %I:%M:%S %p"),
        ([time(0, 0), time(8, 15)], "times from 00:00 to 08:15"),
        (["1970-01-01 00:00", "1970-01-01 08:15"], "times from 1970-01-01 to 1970-01-01T08:15:00"),
        (["1.1.1970", "5.1.1970"], "times from 1970-01-01 to 1970-01-05"),
    ],
)
def test_times_of_day_are_told_without_a_day_and_dates_with_theirs(cells, told):
    assert Time.learn("t", pl.Series(cells), Spelling()).why.startswith(told)
