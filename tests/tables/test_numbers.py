"""Cells as people write numbers."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.tables.missing import Spelling
from chainrule.tables.numbers import LARGEST, number, read_numbers
from chainrule.tables.table import Table
from chainrule.tables.typed import typed

WRITTEN = [
    ("1", ".", 1, ""),
    ("-1.5e3", ".", -1500, ""),
    ("+.5", ".", 0.5, ""),
    ("5.", ".", 5, ""),
    ("1 234 567", ".", 1234567, ""),
    ("1\u00a0234,5", ",", 1234.5, ""),
    ("1\u202f234", ".", 1234, ""),
    ("1'234.5", ".", 1234.5, ""),
    ("1,234.5", ".", 1234.5, ""),
    ("1.234,5", ",", 1234.5, ""),
    ("0,25", ",", 0.25, ""),
    ("\u22123", ".", -3, ""),
    ("- 3", ".", -3, ""),
    ("(3)", ".", -3, ""),
    ("$100,490.00", ".", 100490, "$"),
    ("-$5", ".", -5, "$"),
    ("(€1.200,50)", ",", -1200.5, "€"),
    ("12 EUR", ".", 12, "EUR"),
    ("€110.5M", ".", 110.5e6, "€"),
    ("5%", ".", 5, "%"),
    ("5,5 %", ",", 5.5, "%"),
    ("12kg", ".", 12, "kg"),
    ("20 °C", ".", 20, "°C"),
    ("PT600S", ".", 600, "s"),
    ("-PT7M", ".", -420, "s"),
    ("P1W2DT3H4M5.5S", ".", 788645.5, "s"),
    ("P-1DT20H0M0S", ".", -14400, "s"),
]
NONE = [
    "abc", "1_000", "inf", "-inf", "nan", "1e999", "1.2.3", "12,34", "1 2", "-", ".", "", "$", "0,375", "01,234", "(3", "3)",
    "--3", "(-3)", "#DIV/0!", "n.b.", "12.03.2024", "2024-01-02", "1:30",
]  # fmt: skip


@pytest.mark.parametrize(("text", "decimal", "value", "unit"), WRITTEN)
def test_numbers_people_write(text, decimal, value, unit):
    assert number(text, decimal) == (value, unit)
    read = read_numbers(pl.Series([text, text, None]), decimal)
    np.testing.assert_array_equal(read.values, [value, value, np.nan])
    assert (read.unit, dict(read.strays)) == (unit, {})


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_number(text):
    assert number(text) is None
    read = read_numbers(pl.Series(["1", "2", "3", text]), marks={"nan"})
    np.testing.assert_array_equal(read.values, [1, 2, 3, np.nan])
    assert dict(read.strays) == ({} if text == "nan" else {text: 1})


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-LARGEST, max_value=LARGEST), st.sampled_from(".,"))
def test_every_number_is_read_as_it_is_written(x, decimal):
    text = repr(x).replace(".", decimal)
    assert number(text, decimal) == (x, "")
    assert read_numbers(pl.Series([text]), decimal).values[0] == x


@given(st.integers(-(10**15), 10**15), st.sampled_from([(".", ","), (",", "."), (".", " "), (".", "'")]))
def test_groups_of_digits(x, marks):
    decimal, group = marks
    assert number(f"{x:,}".replace(",", group), decimal) == (float(x), "")


def test_a_number_of_another_unit_is_a_stray():
    read = read_numbers(pl.Series(["$3", "$4", "€5", "6"]))
    np.testing.assert_array_equal(read.values, [3, 4, np.nan, 6])
    assert (read.unit, dict(read.strays)) == ("$", {"€5": 1})


def test_thousands_and_millions_beside_plain_numbers():
    np.testing.assert_array_equal(read_numbers(pl.Series(["1.5M", "20K", "300"])).values, [1.5e6, 2e4, 300])


def test_columns_of_text_are_no_numbers():
    assert read_numbers(pl.Series(["a", "b", "1"])) is None
    assert read_numbers(pl.Series([[1], [2]])) is None


def test_types_of_frames_are_numbers():
    import datetime

    for cells in ([1, None, 3], [1.0, None, 3.0], [True, None, True]):
        assert math.isnan(read_numbers(pl.Series(cells)).values[1])
    assert read_numbers(pl.Series([datetime.timedelta(days=1)])).values.tolist() == [86400.0]
    longest = 2**63 - 1  # milliseconds, of which there are a thousand times as many microseconds
    assert read_numbers(pl.Series([longest], dtype=pl.Duration("ms"))).values.tolist() == [longest / 1000]
    assert read_numbers(pl.Series([2**60 + 1])).values[0] == float(2**60)
    read = read_numbers(pl.Series([1e308, -math.inf, 1.0]))
    np.testing.assert_array_equal(read.values, [LARGEST, np.nan, 1])
    assert read.strays == {"inf": 1}


def test_only_plain_numbers_are_typed_beforehand():
    frame = pl.DataFrame(
        {
            "a": ["1", "NA", None],
            "code": ["01", "2", "3"],
            "text": ["x", "1", "2"],
            "money": ["$1", "2", "3"],
            "b": [1, 2, 3],
            "large": ["9007199254740992", "9007199254740993", "1"],
            "infinite": ["1e400", "1", "2"],
            "nothing": pl.Series([None] * 3, dtype=pl.String),
            "whole": ["0", "-0.5", "10"],
        }
    )
    kinds = ["Float64", "String", "String", "String", "Int64", "String", "String", "String", "Float64"]
    for rows in (1, 5000):  # short and long tables are read in two ways
        table = Table(pl.concat([frame] * rows))
        read = typed(table, Spelling(), table.names)
        assert [str(kind) for kind in read.frame.dtypes] == kinds
        assert read.frame["whole"].to_list() == [0.0, -0.5, 10.0] * rows
        assert read.frame["a"].to_list() == [1.0, None, None] * rows
    comma = Table(pl.DataFrame({"a": ["1,5", "2"], "b": ["1.000,5", "2"]}), decimal=",")
    read = typed(comma, Spelling(","), comma.names)
    assert read.frame["a"].to_list() == [1.5, 2.0]
    assert read.frame["b"].dtype == pl.String  # groups are read with care, later


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["1.5", "7 %", "n.b."])])
def test_categories_are_numbers_where_numbers_are_known_to_be(kind):
    cells = pl.Series(["1.5", None, "7 %", "n.b."], dtype=kind)
    assert read_numbers(cells) is None
    read = read_numbers(cells, unit="%")
    np.testing.assert_array_equal(read.values, [1.5, np.nan, 7.0, np.nan])
    assert read.strays == {"n.b.": 1}
