"""One decimal mark for a file, found from all its cells."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import SettingError
from chainrule.tables import spell
from chainrule.tables.preparing.preparation import Preparation
from chainrule.tables.sources.source import as_table
from chainrule.tables.table import Table
from chainrule.tables.text.decimal import decimal_mark
from chainrule.tables.text.reading import from_bytes
from chainrule.tables.text.text_format import TextFormat


@pytest.mark.parametrize(
    ("texts", "separator", "mark"),
    [
        (["1.5", "2"], ";", "."),
        (["1,5", "2"], ";", ","),
        (["1,5", "2"], ",", ","),
        (["1,234", "2"], ",", "."),
        (["1,234", "2"], ";", ","),
        (["1,234", "2.5"], ";", "."),
        (["1.234", "2,5"], ",", ","),
        (["1", "2"], ";", "."),
        (["a", "b"], ";", "."),
        (["0,375", "-0,125"], "\t", ","),  # no group of digits begins with 0
        (["0.375", "-0.125"], "\t", "."),
        (["1.234"], ";", "."),
        (["1,234,567"], ";", "."),
        (["1.234.567"], ",", ","),
        (["1234,567"], ",", ","),
        (["1 234,567", "1"], ",", ","),
        (["1.234,567"], ",", ","),
        (["1,234.567"], ";", "."),
        (["-1.234,5 €", "(3)"], ",", ","),
        (["$1,200.50"], ";", "."),
        (["5,5 %"], ",", ","),
        (["1,5e3"], ",", ","),
        ([",5"], ";", ","),
        ([".5"], ";", "."),
        (["12.05.2020", "Smith, J.", "3,"], ";", "."),
        (["1.2.3", "192.168.100.200", "2.5"], ",", "."),
        (["12:30,5", "1/2,5"], ",", "."),
        ([None, None], ";", "."),
        ([], ";", "."),
    ],
)
def test_the_decimal_mark_is_found(texts, separator, mark):
    assert decimal_mark(pl.DataFrame({"x": pl.Series(texts, dtype=pl.String)}), separator)[0] == mark


def test_the_file_decides_and_not_the_column():
    table = from_bytes(b"einwohner;preis;y\n999;5,5;1\n1.016;6,5;2\n12.500;7,5;3\n", "data.csv")
    assert table.decimal == ","
    assert table.notes == ("numbers have decimal commas, as '5,5'; so '1.016' is 1016",)
    table = from_bytes(b"population;price;y\n999;5.5;1\n1,016;6.5;2\n", "data.csv")
    assert (table.decimal, table.notes) == (".", ("numbers have decimal points, as '5.5'; so '1,016' is 1016",))


def test_plain_numbers_need_no_note():
    assert from_bytes(b"a,b\n1.5,2.125\n3,x\n", "data.csv").notes == ()


def test_columns_that_write_otherwise_are_named():
    table = from_bytes(b"a;b;c\n1,5;1.5;x\n2,5;3;y\n3,5;2.5;z\n", "data.csv")
    assert table.decimal == ","
    assert spell(table.notes[0]) == (
        "numbers have decimal commas, as '1,5'; '1.5' is none then ('b'): if that is wrong, "
        'chainrule.tables.as_table(data, decimal=".")'
    )


def test_what_may_be_either_is_told():
    (note,) = from_bytes(b"a\tb\n1,234\t2\n", "data.csv").notes
    assert spell(note, command_line=True) == "'1,234' is read as 1234; if that is a decimal comma, --decimal ,"
    (note,) = from_bytes(b"a;b\n1,234;2\n", "data.csv").notes
    assert spell(note) == (
        "'1,234' is read with a decimal comma; if it groups digits, chainrule.tables.as_table(data, decimal=\".\")"
    )


def test_a_given_mark_wins():
    data = b"a;b\n1,5;2\n"
    assert from_bytes(data, "data.csv", TextFormat(decimal=".")).decimal == "."
    with pytest.raises(SettingError, match=r"decimal='comma'; it must be '\.' or ','"):
        from_bytes(data, "data.csv", TextFormat(decimal="comma"))


@given(
    st.lists(st.decimals(-1e6, 1e6, places=2), min_size=1, max_size=30),
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30),
    st.sampled_from([".", ","]),
    st.sampled_from(",;\t"),
    st.booleans(),
)
def test_any_file_of_prices_and_counts(prices, counts, mark, separator, grouped):
    """Whatever else stands in the file, numbers with two decimals say what the mark is."""
    marks = str.maketrans({",": "." if mark == "," else ",", ".": mark})
    written = [format(price, ",.2f" if grouped else ".2f").translate(marks) for price in prices]
    whole = [format(count, "," if grouped else "d").translate(marks) for count in counts]
    assert decimal_mark(pl.DataFrame({"x": whole + written}), separator)[0] == mark


def test_a_single_telling_cell_among_very_many():
    counts = [f"{1000 + i:,}" for i in range(100_000)]
    assert decimal_mark(pl.DataFrame({"n": counts}))[0] == "."
    counts[77_777] = "0,5"
    assert decimal_mark(pl.DataFrame({"n": counts}))[0] == ","


def test_wide_frames():
    frame = pl.DataFrame({f"c{i}": ["1,234", "5"] for i in range(2000)})
    assert decimal_mark(frame)[0] == "."
    assert decimal_mark(frame.with_columns(last=pl.Series(["5,5", "x"])))[0] == ","


def _german() -> Preparation:
    rows = "".join(f"{n}.{n}16;{n},5;{'ab'[n % 2]}\n" for n in range(1, 10))
    return Preparation.learn(from_bytes(f"people;price;y\n{rows}".encode(), "old.csv"), "y")


@pytest.mark.parametrize("text", ["people;price\n2.216;6\n7.716;7\n", "people\tprice\n2.216\t6\n7.716\t7\n"])
def test_where_nothing_tells_the_mark_it_is_that_of_training(text, tmp_path):
    preparation, table = _german(), from_bytes(text.encode(), "new.csv")
    expected = preparation.apply(Table(pl.DataFrame({"people": [2216.0, 7716.0], "price": [6.0, 7.0]}))).X
    np.testing.assert_array_equal(preparation.apply(table).X, expected)
    path = tmp_path / "new.csv"
    path.write_text(text)
    read = preparation.read(path)
    assert read.notes == ("'2.216' is read with decimal commas, as in training",)
    np.testing.assert_array_equal(preparation.apply(read).X, expected)


def test_what_a_table_tells_goes_before_training():
    table = from_bytes(b"people,price\n2216.5,6.25\n", "new.csv")
    expected = _german().apply(Table(pl.DataFrame({"people": [2216.5], "price": [6.25]}))).X
    np.testing.assert_array_equal(_german().apply(table).X, expected)


def test_a_guess_of_training_does_not_stay_among_the_notes():
    rows = "".join(f"{n},{n}16;{n}.5;{'ab'[n % 2]}\n" for n in range(1, 10))
    preparation = Preparation.learn(from_bytes(f"people;price;y\n{rows}".encode(), "old.csv"), "y")
    table = from_bytes(b"people;price\n2,216;6\n", "new.csv")
    assert table.decimal == ","
    assert "if it groups digits" in table.notes[0]
    assert preparation.read(table).notes == ("'2,216' is read with decimal points, as in training",)


def test_files_of_which_one_tells_the_mark_have_it_together(tmp_path):
    for name, rows in (("a", "1.016;2"), ("b", "2.500;3,5")):
        (tmp_path / f"{name}.csv").write_text(f"people;price\n{rows}\n")
    table = as_table(tmp_path)
    assert table.decimal == ","
    assert table.guessed is None
