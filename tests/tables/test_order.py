"""Rows in the order of a column: numbers and times in every spelling that inputs may have."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from chainrule.tables import Spelling, Table, TableError, as_table, ranks

DAYS = [date(2023, 11, 3) + timedelta(days=37 * k % 401) for k in range(40)]


def table(values, decimal="."):
    return Table(pl.DataFrame({"t": values}), "data.csv", decimal=decimal)


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d %b %Y", "%Y%m%d", "%Y-%m-%d %H:%M"]
)
def test_days_are_ordered_however_they_are_spelled(form):
    place = {day: k + 1.0 for k, day in enumerate(sorted(set(DAYS)))}
    assert ranks(table([day.strftime(form) for day in DAYS]), "t").tolist() == [place[day] for day in DAYS]
    assert ranks(table(DAYS), "t").tolist() == [place[day] for day in DAYS]


@pytest.mark.parametrize(
    ("values", "decimal", "expected"),
    [
        (["10", "9", "2", "10"], ".", [3, 2, 1, 3]),
        (["1.234,5", "2,5", "3,5"], ",", [3, 1, 2]),
        (["$1,200", "$999", "NA", None], ".", [2, 1, 0, 0]),
        ([2.5, None, -1.0], ".", [2, 0, 1]),
        (["7", "7", "7"], ".", [1, 1, 1]),
    ],
)
def test_numbers_are_ordered_and_rows_without_one_come_first(values, decimal, expected):
    assert ranks(table(values, decimal), "t").tolist() == expected


def test_what_means_no_value_comes_first():
    spelling = Spelling.of(("-", -999), ("NA",))
    assert ranks(table(["2024-01-05", "-", "2023-02-05"]), "t", spelling).tolist() == [2, 0, 1]
    assert ranks(table(["5", "-999.0", "3"]), "t", spelling).tolist() == [2, 0, 1]
    assert ranks(table([5, -999, 3]), "t", spelling).tolist() == [2, 0, 1]
    assert ranks(table([5.0, float("nan"), 3.0]), "t").tolist() == [2, 0, 1]
    with pytest.raises(TableError, match="NA"):
        ranks(table(["5", "NA", "3"]), "t", spelling)


@pytest.mark.parametrize("values", [["a", "b", "c"], ["1", "2", "soon"], ["2024-01-05", "2024-02-05", "later"]])
def test_text_that_has_no_order_is_refused(values):
    with pytest.raises(TableError, match=r"column 't' of data\.csv is to order the rows.*Give a column of numbers"):
        ranks(table(values), "t")


def test_categories_have_the_order_of_their_type_or_that_of_what_they_spell():
    labels, levels = ["mid", "low", None, "high", "NA"], ["low", "mid", "high", "NA"]
    assert ranks(table(pl.Series(labels, dtype=pl.Enum(levels))), "t").tolist() == [2, 1, 0, 3, 0]
    ordered = pd.DataFrame({"t": pd.Categorical(labels, levels, ordered=True)})
    assert ranks(as_table(ordered), "t").tolist() == [2, 1, 0, 3, 0]
    days = [day.strftime("%d.%m.%Y") for day in DAYS]
    for categories in (pl.Series(days, dtype=pl.Categorical), days):
        assert ranks(table(categories), "t").tolist() == ranks(table(DAYS), "t").tolist()
    with pytest.raises(TableError, match="to order the rows"):
        ranks(as_table(pd.DataFrame({"t": pd.Categorical(labels, levels)})), "t")


def test_many_rows():
    values = np.random.default_rng(0).permutation(3000)
    assert ranks(table([str(x) for x in values]), "t").tolist() == (values + 1.0).tolist()
