"""A table of one row is read cell by cell where nothing has to be said of it, and to the same bits."""

import itertools
import warnings
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

import chainrule as cr
from chainrule.tables import Preparation, Spelling, TableError, as_table, only_row, row_of

ROWS = 200


def learned():
    """Columns of every kind, with and without gaps."""
    random = np.random.default_rng(0)
    gap = random.random(ROWS) < 0.1
    words = [" ".join(random.choice(["red", "old", "car", "sold", "fast"], 5)) + f" {i}" for i in range(ROWS)]
    columns = {
        "number": random.normal(size=ROWS).round(3),
        "gappy": np.where(gap, np.nan, random.normal(size=ROWS)),
        "city": random.choice(["Rome", "Oslo", "Bath"], ROWS),
        "code": random.choice([3, 4, 5], ROWS).astype(str),
        "many": [f"k{i}" for i in random.integers(0, 40, ROWS)],
        "rare": np.where(np.arange(ROWS) < 2, [f"once {i}" for i in range(ROWS)], random.choice(["a", "b"], ROWS)),
        "flag": random.random(ROWS) < 0.5,
        "moment": np.datetime64("2020-01-01", "us") + random.integers(0, 10**13, ROWS),
        "day": [f"2021-{m:02d}-{d:02d}" for m, d in random.integers(1, 13, (ROWS, 2))],
        "words": words,
        "price": [f"${x:,.2f}" for x in random.uniform(0, 1e5, ROWS)],
        "share": [f"{x:.1f}%" for x in random.uniform(0, 100, ROWS)],
        "clock": [f"{h:02d}:{m:02d}" for h, m in random.integers(1, 24, (ROWS, 2))],
        "stamp": [f"2021-03-{d:02d}T{h:02d}:06:07.25+01:00" for d, h in random.integers(1, 24, (ROWS, 2))],
    }
    y = {"y": random.normal(size=ROWS)}
    return columns, Preparation.learn(as_table({**columns, **y}), "y", columns={"rare": "category", "code": "category"})


COLUMNS, PREPARATION = learned()
FRAME = pl.DataFrame(COLUMNS)
USUAL = FRAME.row(5, named=True)
ODD = [
    *(
        None,
        "",
        " ",
        "NA",
        "n/a",
        "?",
        "Rome ",
        "rome",
        "new",
        "k3",
        "once 1",
        "yes",
        "TRUE",
        "1,5",
        "1.5",
        "03",
        "3.0",
        "$4",
        "5 €",
    ),
    *[
        "-3",
        "+4",
        "1e5",
        ".5",
        "5.",
        "1,234",
        "1.234",
        "1.234,5",
        "$1,234.5",
        "$3",
        "7.5%",
        "(3)",
        "$5K",
        "−3.5",
        "inf",
        "1_000",
    ],
    *[
        "8:05",
        "08:05",
        "24:05",
        "2021-03-04T05:06:07.25+01:00",
        "2021-03-04T05:06:07.250Z",
        "2021-03-04T05:06:07.1234567Z",
    ],
    *(
        "Rome\x1f",
        "\x1cNA",
        "\u2003yes\x85",
        "\x1e1",
    ),  # for Python four marks of old terminals are blanks, for others none
    *("Größe 3,5 cm²", "İs it red", "old \u0915\u093e red", "RED Red, red_car"),
    *(0, 1, 3, -1, 2**60, 2**53, 1.5, 3.0, 1e300, np.nan, np.inf, True, False, np.float32(2.5), np.int64(3)),
    *("2021-03-04", "2021-3-4", "04.03.2021", "2021-03-04 05:06", "20210304", date(2021, 3, 4)),
    *(datetime(2021, 3, 4, 5, 6, 7, 8), datetime(2021, 3, 4, tzinfo=UTC)),
]


def frames_of(row):
    """A row as tables of one."""
    yield [row]
    yield {name: [cell] for name, cell in row.items()}
    with suppress(TypeError, pl.exceptions.PolarsError):
        yield pl.DataFrame([row], infer_schema_length=None)
    yield pd.DataFrame([row])
    with warnings.catch_warnings():  # of pandas before 3, where a number is none that is whole
        warnings.filterwarnings("ignore", "invalid value encountered in cast", RuntimeWarning)
        converted = pd.DataFrame([row]).convert_dtypes()
    yield converted


def test_usual_rows_are_read_cell_by_cell():
    expected = PREPARATION.apply(as_table(FRAME))
    assert not expected.notes
    for i in range(ROWS):
        for frame in (FRAME[i : i + 1], pd.DataFrame([FRAME.row(i, named=True)])):
            np.testing.assert_array_equal(PREPARATION.apply_sure(only_row(frame)), expected.X[i : i + 1])


@pytest.mark.parametrize("column", COLUMNS)
def test_what_is_read_cell_by_cell_is_what_the_table_says(column):
    sure = 0
    for i, odd in enumerate(ODD):
        for frame in itertools.islice(frames_of(USUAL | {column: odd}), i % 2, None, 2):
            found = PREPARATION.apply_sure(only_row(frame))
            if found is None:
                continue
            sure += 1
            try:
                expected = PREPARATION.apply(as_table(frame))
            except TableError as error:
                pytest.fail(f"{odd!r} in {frame} was read, and is refused in a table: {error}")
            assert not expected.notes, (odd, frame)
            np.testing.assert_array_equal(found, expected.X, err_msg=f"{odd!r} in {frame}")
    assert sure


def test_shares_without_their_unit_and_gaps_that_are_refused_are_looked_at_in_the_table():
    shares = {"share": [f"{x} %" for x in range(1, 60)], "y": np.arange(59.0)}
    of_shares = Preparation.learn(as_table(shares), "y")
    assert of_shares.apply_sure({"share": "3 %"}) is not None
    assert of_shares.apply_sure({"share": 3.0}) is of_shares.apply_sure({"share": None}) is None
    strict = Preparation(PREPARATION.columns, PREPARATION.target, "error")
    row = {**USUAL, "gappy": None}
    assert strict.apply_sure(USUAL) is not None
    assert strict.apply_sure(row) is None
    assert PREPARATION.apply_sure(row) is not None
    assert PREPARATION.apply_sure({"number": 1.0}) is None


MARKED = [
    "1,5",
    "1.5",
    "1.234",
    "1,234",
    "1.234,5",
    "1,234.5",
    "1.234.567",
    "1,234,567",
    "0,375",
    "3 €",
    "1,5 €",
    "a. b",
    "1. x",
]


@pytest.mark.parametrize("decimal", [".", ","])
def test_the_decimal_mark_is_that_of_the_table(decimal):
    """Every cell speaks for it, also those that are not numbers of the model."""
    numbers = [f"{x:.1f}".replace(".", decimal) for x in np.arange(60.0) * 1.7]
    known = Preparation.learn(as_table({"a": numbers, "b": [f"{x} €" for x in numbers], "y": np.arange(60.0)}), "y")
    assert known.decimal == decimal
    sure = 0
    for a, b, other in itertools.product(MARKED, MARKED, [None, *MARKED]):
        row = {"a": a, "b": b, "other": other}
        found = known.apply_sure(row)
        if found is not None:
            sure += 1
            expected = known.apply(as_table([row]))
            assert not expected.notes
            np.testing.assert_array_equal(found, expected.X, err_msg=str(row))
    assert sure > 50


def test_letters_of_european_languages_are_the_same_in_words_read_one_by_one():
    letters = [chr(code) for code in range(1, 0x250)]
    cells = [f"red{letter}car {letter} old" for letter in letters] + ["".join(letters), "", " "]
    column = next(column for column in PREPARATION.columns if column.name == "words")
    expected = column.read(pl.Series(cells), Spelling()).values
    np.testing.assert_array_equal([column.read_one(cell, Spelling()) for cell in cells], expected)


@pytest.mark.parametrize(
    "source",
    [{}, [], {"a": [1, 2]}, {"a": 1}, pd.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [1, 2]}), pd.Series([1]), None, np.ones((1, 2)),
     pd.DataFrame({"a": [1]}, index=pd.Index([3], name="b")), pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame([[1, 2]])],
)  # fmt: skip
def test_what_is_no_table_of_one_row_is_looked_at_more_closely(source):
    assert not only_row(source)


PREDICTED = {
    "record": [{"of": {"size": n, "tags": ["a"]}, "of.size": -n} for n in range(40)],
    "list": [{"size": n, "tags": [n]} for n in range(40)],
    "month": [{"month": pd.Period("2020-01", "M") + n} for n in range(40)],
    "stretch": [{"stretch": pd.Interval(n % 3, n % 3 + 1)} for n in range(40)],
}
"""Rows with cells that are no single values, or of another library."""


@pytest.mark.parametrize("kind", PREDICTED)
def test_records_lists_and_objects_are_in_one_row_what_they_are_in_a_table(kind):
    rows, y = PREDICTED[kind], np.arange(40.0)
    of_rows, columns = as_table(rows), {name: [row[name] for row in rows] for name in rows[0]}
    known = Preparation.learn(replace(of_rows, frame=of_rows.frame.with_columns(y=y)), "y")
    model = cr.TableModel(epochs=1, folds=1, search=False, progress=False).fit({**columns, "y": y}, "y")
    expected = known.apply(of_rows).X
    said = model.predict(rows)
    for n in range(0, 40, 7):
        row = row_of(rows[n], model.columns)
        np.testing.assert_array_equal(known.apply_row(row), expected[n : n + 1])
        for given in (rows[n], [rows[n]], pd.DataFrame({**columns, "y": y}).iloc[n]):
            np.testing.assert_allclose(model.predict(given), said[n : n + 1], rtol=1e-4)
        assert model.explain(rows[n]).prediction == pytest.approx(said[n], rel=1e-4)


@pytest.mark.parametrize(
    ("column", "cell"), [("flag", 3), ("moment", 5), ("number", "n.b."), ("number", object()), ("gappy", np.inf)]
)
def test_what_is_no_value_of_its_column_is_refused_in_a_row(column, cell):
    with pytest.raises(TableError, match=f"column '{column}' of the row holds"):
        PREPARATION.apply_row(USUAL | {column: cell})


def test_a_model_predicts_the_same_of_one_row_in_every_form():
    data = {**COLUMNS, "y": np.arange(ROWS) / ROWS}
    model = cr.TableModel(epochs=1, folds=1, search=False, progress=False).fit(data, "y")
    expected = model.predict(FRAME[5:7])[0]
    for frame in frames_of(USUAL):
        np.testing.assert_allclose(model.predict(frame), expected, rtol=1e-5)
    with pytest.warns(UserWarning, match="did not occur"):
        model.predict(pl.DataFrame([USUAL | {"city": "Pisa"}]))
