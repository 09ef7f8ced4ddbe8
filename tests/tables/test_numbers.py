"""Cells as people write numbers."""

import numpy as np
import pytest

from chainrule.tables.numbers import decimal_mark, numbers
from chainrule.tables.table import is_missing


def cells(*texts):
    return np.array(texts, dtype=object)


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("1", ".", 1),
        ("-1.5e3", ".", -1500),
        ("+.5", ".", 0.5),
        ("5.", ".", 5),
        ("1 234 567", ".", 1234567),
        ("1\u00a0234,5", ",", 1234.5),
        ("1\u202f234", ".", 1234),
        ("1'234.5", ".", 1234.5),
        ("1,234.5", ".", 1234.5),
        ("1.234,5", ",", 1234.5),
        ("0,25", ",", 0.25),
        ("\u22123", ".", -3),
        ("- 3", ".", -3),
    ],
)
def test_numbers_people_write(text, decimal, value):
    assert numbers(cells(text), np.zeros(1, dtype=bool), decimal).tolist() == [value]


@pytest.mark.parametrize(
    "text", ["abc", "1_000", "inf", "-inf", "1e999", "1.2.3", "12,34", "1 2", "12%", "$5", "-", "."]
)
def test_what_is_no_number(text):
    assert numbers(cells("1", text), np.zeros(2, dtype=bool)).tolist() == [1, np.inf]


def test_missing_cells():
    column = cells("1", "", "NA", "n/a", "NaN", "NULL", "?", "#N/A", "unknown")
    missing = is_missing(column, ["Unknown"])
    assert missing.tolist() == [False] + [True] * 8
    assert np.isnan(numbers(column, missing)).tolist() == missing.tolist()
    assert not is_missing(cells("None", "0", "-", "no")).any()


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
    ],
)
def test_the_decimal_mark_is_found(texts, separator, mark):
    assert decimal_mark(cells(*texts), np.zeros(len(texts), dtype=bool), separator) == mark
