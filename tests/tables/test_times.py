"""Times are known by how they are written, and every way gives the moments that Python's own library reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest

from chainrule.tables.preparation import Preparation
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
