"""Every kind of column: what it learns, what the network gets, and that it survives storage."""

import datetime
import json
import math
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from chainrule.tables.columns import KINDS, Boolean, Category, LeftOut, Number, Text, Time
from chainrule.tables.columns.column import FEATURE_KINDS
from chainrule.tables.columns.number import clipped
from chainrule.tables.columns.texts import plain
from chainrule.tables.columns.together import learned_together
from chainrule.tables.missing import Spelling
from chainrule.tables.numbers import LARGEST

SPELLING = Spelling()
TOKYO = ZoneInfo("Asia/Tokyo")
RANDOM = np.random.default_rng(0)
ROWS = 60


def cells(values):
    series = pl.Series((list(values) * ROWS)[:ROWS], strict=False)
    zoned = isinstance(values, list) and isinstance(getattr(values[0], "tzinfo", None), ZoneInfo)
    return series.dt.convert_time_zone("Asia/Tokyo") if zoned else series


def learned(values, name="x", **settings):
    """The column as it is recognised."""
    series = cells(values)
    return next(found for kind in KINDS if (found := kind.learn(name, series, SPELLING, **settings)))


def features(column, values):
    return column.encode(column.read(pl.Series(values, strict=False), SPELLING).values)


WORDS = ["the", "a", "good", "bad", "film", "movie", "was", "very", "not", "really", "great", "awful", "plot", "actor"]
SPECIMENS = {
    Boolean: [["yes", "no"], ["TRUE", "False", None], [True, False, None], [0, 1, 1], ["0", "1", "NA"], ["Ja", "nein"]],
    Time: [
        ["2024-01-02", "2023-12-31", "2022-07-05"],
        ["2024-01-02T10:30:00Z", "2023-12-31T23:15:01+02:00", ""],
        ["31.12.1999", "01.02.2003", None],
        ["12/31/1999 11:30 PM", "2/3/2003 1:05 AM", "2/4/2003 1:05 AM"],
        ["Jan 5, 2024", "Feb 15, 2023", "Mar 5, 2022"],
        ["2024-01", "2023-12", "2022-07"],
        ["10:30", "23:15", "0:05"],
        [20240102, 20231231, 20220705],
        [20240102.0, 20231231.0, 20220705.0],
        ["20240102", "20231231", "20220705"],
        [datetime.date(2024, 1, 2), datetime.date(1931, 5, 6), None],
        [datetime.datetime(2024, 1, 2, 3, 4, 5, 678), datetime.datetime(2024, 1, 2), datetime.datetime(2025, 1, 2)],
        [datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC), datetime.datetime(2024, 7, 2, 5, tzinfo=datetime.UTC)],
        [
            datetime.datetime(2024, 1, 2, 3, tzinfo=TOKYO),
            datetime.datetime(2024, 7, 2, tzinfo=TOKYO),
        ],
        [datetime.time(10, 30), datetime.time(23, 15), None],
    ],
    Number: [
        RANDOM.normal(size=ROWS),
        [1, 2, 3, None],
        [str(x) for x in RANDOM.normal(size=ROWS)],
        ["$1,234.50", "$2,000", "$7", "NA"],
        ["(3)", "4", "5.5"],
        [str(i % 8 + 1) for i in range(ROWS - 1)] + ["-"],
        [*range(1, 9), math.inf, math.nan],
        [1e300, -1e300, 1e-300],
        [2**60 + 10**6 * i for i in range(7)],
        [datetime.timedelta(hours=i * i) for i in range(9)],
    ],
    Text: [[" ".join(RANDOM.choice(WORDS, 8)) for _ in range(ROWS)]],
    Category: [
        ["Rome", "Oslo", "Lima"],
        ["Rome", "Oslo", None, "n/a"],
        ["01", "02", "10"],
        [f"c{i}" for i in range(20)],
        pl.Series(["u", "v", "w"] * 20, dtype=pl.Categorical),
        ["1st", "2nd", "3rd"],
        ["36", "38", "40", "XL"],
    ],
    LeftOut: [["a"], [None], [7], range(ROWS), [f"X{i * 7919}" for i in range(ROWS)], [[1, 2]]],
}
EVERY = [(kind, values) for kind, several in SPECIMENS.items() for values in several]


def test_every_kind_has_specimens():
    assert set(SPECIMENS) == set(KINDS)


@pytest.mark.parametrize(("kind", "values"), EVERY, ids=lambda x: x.kind if isinstance(x, type) else str(list(x)[:2]))
def test_recognised_encoded_stored(kind, values):
    column = learned(values)
    assert type(column) is kind, column
    series = cells(values)
    X = features(column, series)
    assert X.shape == (ROWS, len(column.features))
    assert np.isfinite(X).all()
    assert np.abs(X).max(initial=0) <= (3 if not column.features or column.features[0].kind != "code" else 30)
    ranks = [FEATURE_KINDS.index(feature.kind) for feature in column.features]
    assert ranks == sorted(ranks) or kind is Category
    for feature, x in zip(column.features, X.T, strict=True):
        assert feature.column == "x"
        if feature.kind == "flag":
            assert set(x) <= {0, 1}
        if feature.kind == "code":
            assert (x % 1 == 0).all()
            assert x.max() < feature.size
    stored = kind.from_json(json.loads(json.dumps(column.to_json(), allow_nan=False)))
    assert stored == column
    np.testing.assert_array_equal(features(stored, series), X)
    assert column.told
    assert column.why or kind is LeftOut
    for row in (0, 1, ROWS - 1):  # one cell is read as many are
        read = column.read(series, SPELLING).values[row]
        np.testing.assert_array_equal(column.read_one(series[row], SPELLING), read)


@pytest.mark.parametrize(("kind", "values"), EVERY[::2], ids=lambda x: x.kind if isinstance(x, type) else "")
def test_missing_and_new_values_are_never_fatal(kind, values):
    column = learned(values)
    series = cells(values)
    gaps = pl.Series([None] * 3, dtype=series.dtype)
    assert np.isfinite(features(column, gaps)).all()
    if series.dtype == pl.String:
        odd = pl.Series(["", "?", "ZZZ", "-", "1e999", "99", "\u2603 " * 50])
        assert np.isfinite(features(column, odd)).all()


def test_a_damaged_description_is_refused():
    for values in [several[0] for several in SPECIMENS.values()]:
        column = learned(values)
        data = column.to_json()
        for field in data.keys() - {"kind"}:
            for wrong in (None, {}, "x" if not isinstance(data[field], str) else 3, [{}], math.nan):
                with pytest.raises((TypeError, ValueError, KeyError)):
                    type(column).from_json(data | {field: wrong})
            with pytest.raises(KeyError):
                type(column).from_json({k: v for k, v in data.items() if k != field})


# --- numbers -------------------------------------------------------------------------------------------------------------


def test_scaled_as_scikit_learn_scales():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    x = np.random.default_rng(1).lognormal(size=501)
    column = Number.learn("x", pl.Series(x), SPELLING)
    z = preprocessing.RobustScaler(unit_variance=True).fit_transform(x[:, None])
    np.testing.assert_allclose(column.encode(x), clipped(z), rtol=1e-9, atol=1e-12)


def test_normal_scores_as_scikit_learn_has_them():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    x = np.random.default_rng(1).lognormal(size=4000)
    column = Number.learn("x", pl.Series(x), SPELLING, scaling="quantile")
    z = preprocessing.QuantileTransformer(n_quantiles=1000, output_distribution="normal").fit_transform(x[:, None])
    inner = np.abs(z) < 2
    np.testing.assert_allclose(column.encode(x)[inner], z[inner], atol=0.03)
    assert (np.diff(column.encode(np.sort(x))[:, 0]) >= 0).all()
    assert column.encode(np.array([np.nan, -1e300, 1e300])).tolist()[0] == [0.0]


def test_where_the_quartiles_are_equal_the_range_scales():
    column = learned([5] * 50 + [0, 10] * 5)
    assert (column.median, column.scale) == (5, 5)


def test_a_smooth_clip_is_three_at_most():
    column = learned(RANDOM.normal(size=ROWS))
    np.testing.assert_allclose(column.encode(np.array([LARGEST, -LARGEST, np.nan]))[:, 0], [3, -3, 0], atol=1e-6)


# --- categories ----------------------------------------------------------------------------------------------------------


def test_one_hot_as_pandas_has_it():
    pandas = pytest.importorskip("pandas")
    values = RANDOM.choice(["b", "a", "c"], ROWS)
    np.testing.assert_array_equal(features(learned(values), values), pandas.get_dummies(values).to_numpy())


def test_exact_spelling_is_kept():
    column = learned(["01", "1", "1.0"])
    assert column.categories == ("01", "1", "1.0")
    np.testing.assert_array_equal(features(column, ["1", "1.0", "01"]).argmax(axis=1), [1, 2, 0])


def test_numbers_taken_as_categories_are_found_however_they_are_spelled():
    column = Category.learn("x", cells(["1", "2", "10"]), SPELLING, "category")
    assert column.categories == ("1", "2", "10")
    for spelled in (["1.0", "2.00", "1e1"], [1, 2, 10], [1.0, 2.0, 10.0]):
        np.testing.assert_array_equal(features(column, spelled), np.eye(3))


def test_fractions_taken_as_categories_are_found_in_half_the_precision_too():
    fractions, other = pl.Series([0.1, 0.3, 1.5] * 10), Spelling()
    for learned in (fractions, fractions.cast(pl.Float32), fractions.cast(pl.String)):
        column = Category.learn("x", learned, other, "category")
        assert column.categories == ("0.1", "0.3", "1.5")
        for given in (fractions, fractions.cast(pl.Float32), fractions.cast(pl.String)):
            assert column.read(given, other).values[:3].tolist() == [0.0, 1.0, 2.0]
        assert [column.read_one(plain(np.float32(x)), other) for x in (0.1, 0.3, 1.5)] == [0.0, 1.0, 2.0]
    whole = Category.learn("x", pl.Series([2**24 + 1, 5] * 10), other, "category")
    assert whole.read(pl.Series([2**24, 5]), other).values.tolist() == [-2.0, 0.0]


def test_rare_missing_and_new_categories():
    values = ["a"] * 80 + ["b"] * 80 + ["r", "s"] + [None] * 3
    column = Category.learn("x", pl.Series(values), SPELLING)
    assert [feature.name for feature in column.features] == ["x=a", "x=b", "x is rare", "x is missing"]
    given = ["a", "b", "r", "new", None, "NA"]
    np.testing.assert_array_equal(features(column, given).argmax(axis=1), [0, 1, 2, 2, 3, 3])
    many = Category.learn("x", pl.Series([f"c{i % 40}" for i in range(400)] + ["r", "s", ""]), SPELLING)
    code, flag = many.features
    assert (code.kind, code.size, flag.kind) == ("code", 41, "flag")
    np.testing.assert_array_equal(features(many, ["c0", "r", "new", None])[:, 0], [1, 0, 0, 0])


def test_a_few_values_among_many_gaps_are_categories():
    column = Category.learn("x", pl.Series(["a", "b", "b"] + [None] * 300), SPELLING)
    assert [feature.name for feature in column.features] == ["x=a", "x=b", "x is missing"]


def test_what_is_new_is_said():
    new = learned(["a", "b"]).read(pl.Series(["a", "z", "z"]), SPELLING).new
    assert new == ("column 'x': 'z' in 2 rows did not occur in training; all its flags are 0 there",)


def test_categories_that_are_spelled_otherwise_are_no_rare_ones_without_a_word():
    column = Category.learn("x", pl.Series(["red", "green"] * 80 + ["r", "s"]), SPELLING)
    (said,) = column.read(pl.Series(["Red", "Green", "red"] * 8), SPELLING).new
    assert said.startswith("column 'x': 'Red', 'Green' in 16 rows of 24 did not occur in training, or seldom")
    assert column.read(pl.Series(["Red", "red"] * 15), SPELLING).new == ()  # as many as may be rare by their nature
    assert column.read(pl.Series(["Red"]), SPELLING).new == ()


# --- times ---------------------------------------------------------------------------------------------------------------


def test_parts_of_a_time_are_those_of_the_calendar():
    days = [datetime.date(2019, 1, 1) + datetime.timedelta(days=9 * i) for i in range(ROWS)]
    column = learned(days)
    assert column.parts == ("elapsed", "year", "season", "weekday")
    X = dict(zip([feature.name for feature in column.features], features(column, days).T, strict=True))
    lengths = [366 if day.year % 4 == 0 else 365 for day in days]
    season = 2 * np.pi * (np.array([day.timetuple().tm_yday for day in days]) - 1) / lengths
    weekday = 2 * np.pi * np.array([day.weekday() for day in days]) / 7
    for part, angle in (("season", season), ("weekday", weekday)):
        np.testing.assert_allclose(X[f"x: sine of {part}"], np.sin(angle), atol=1e-9)
        np.testing.assert_allclose(X[f"x: cosine of {part}"], np.cos(angle), atol=1e-9)


@pytest.mark.parametrize(
    ("form", "decimal", "first"),
    [
        ("%d/%m/%Y", ",", 2),
        ("%m/%d/%Y", ".", 1),
        ("%d.%m.%y", ".", 2),
        ("%Y-%m-%d %H:%M:%S", ".", 2),
        ("%d %B %Y", ".", 2),
    ],
)
def test_the_form_is_decided_on_all_rows(form, decimal, first):
    moments = [datetime.datetime(2024, 1 + i % 9, 2 + i % 5, i % 24) for i in range(ROWS)]
    texts = pl.Series([moment.strftime(form) for moment in moments])
    column = Time.learn("x", texts, Spelling(decimal))
    assert column.form == form
    read = column.read(texts, Spelling(decimal)).values
    wanted = [(m if "%H" in form else m.replace(hour=0)) - datetime.datetime(1970, 1, 1) for m in moments]
    np.testing.assert_array_equal(read, [span.total_seconds() for span in wanted])


@pytest.mark.parametrize("gap", [None, "NA", ""])
def test_times_and_texts_after_many_gaps(gap):
    assert type(Time.learn("x", pl.Series([gap] * 300 + ["2024-05-06", "2024-05-07"]), SPELLING)) is Time
    texts = SPECIMENS[Text][0]
    assert type(Text.learn("x", pl.Series([None] * 300 + texts), SPELLING)) is Text


def test_one_day_after_the_twelfth_decides_the_order():
    assert learned(["1/2/2024", "3/4/2024", "13/4/2024"]).form == "%d/%m/%Y"
    either = cells(["1/2/2024", "3/4/2024"])
    (doubt,) = learned(["1/2/2024", "3/4/2024"]).doubts(either, np.empty(0), SPELLING)
    assert "as %m/%d/%Y; %d/%m/%Y would serve as well" in doubt
    assert (
        learned(["2024-02-01", "2024-04-03"]).doubts(cells(["2024-02-01", "2024-04-03"]), np.empty(0), SPELLING) == ()
    )
    many = pl.Series([f"{i % 12 + 1}/{i // 12 % 12 + 1}/{1900 + i // 144}" for i in range(10_000)] + ["13/1/2024"])
    assert Time.learn("x", many, SPELLING).form == "%d/%m/%Y"


def test_dates_of_iso_8601_among_others_are_read_too():
    column = learned([f"{i % 28 + 1}/{i % 12 + 1}/2021" if i % 2 else f"2021-{i % 12 + 1:02}-07" for i in range(ROWS)])
    assert column.form == "%d/%m/%Y"
    read = column.read(pl.Series(["14/2/2021", "2021-02-14"]), SPELLING)
    np.testing.assert_array_equal(read.values, [datetime.datetime(2021, 2, 14, tzinfo=datetime.UTC).timestamp()] * 2)


def test_spans_of_more_than_a_day_are_seconds_and_no_times_of_day():
    texts = [f"{hours}:{hours % 60:02}:10" for hours in range(ROWS)]
    column = learned(texts)
    assert (type(column), column.unit) == (Number, "s")
    seconds = [datetime.timedelta(hours=hours, minutes=hours % 60, seconds=10).total_seconds() for hours in range(ROWS)]
    np.testing.assert_array_equal(column.read(pl.Series(texts), SPELLING).values, seconds)
    assert column.read_one("30:00:01", SPELLING) == 108_001.0
    assert type(learned([f"{hours % 24}:{hours % 60:02}:10" for hours in range(ROWS)])) is Time


def test_a_form_may_be_said():
    assert Time.learn("x", cells(["01-02-03", "04-05-06"]), SPELLING, "%y-%m-%d").form == "%y-%m-%d"


# --- text ----------------------------------------------------------------------------------------------------------------


def test_text_with_the_same_words_is_alike():
    texts = SPECIMENS[Text][0]
    column = learned(texts)
    X = features(column, [texts[0], texts[0].upper(), "other words altogether here", ""])
    np.testing.assert_array_equal(X[0], X[1])
    assert np.abs(X[0] - X[2]).max() > 0.1


def test_the_hash_of_words_never_changes():
    from chainrule.tables.columns.text import _hashed

    counts = _hashed(pl.Series(["good film", "good", ""]), 8)
    assert counts.argmax(axis=1).tolist() == [5, 6, 0]  # a stored model would mean other words by its places
    assert not counts[2].any()


# --- left out ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("n", range(ROWS)),
        ("n", [str(i + 1) for i in range(ROWS)]),
        ("", [i + i // 7 for i in range(ROWS)]),
        ("Unnamed: 0", [i + i // 7 for i in range(ROWS)]),
        ("customer_id", [str(i * 7919 % 10007) for i in range(ROWS)]),
        ("PassengerId", [i + i // 7 for i in range(ROWS)]),
        ("name", [f"person{i}" for i in range(ROWS)]),
    ],
)
def test_what_names_rows_is_left_out(name, values):
    assert type(learned(values, name)) is LeftOut


@pytest.mark.parametrize(
    ("name", "values"),
    [("year", range(1950, 2010)), ("x", [i * 2 for i in range(ROWS)]), ("id_number", [i % 7 for i in range(ROWS)])],
)
def test_what_is_no_index_is_kept(name, values):
    assert type(learned(values, name)) is Number


def test_booleans_may_be_written_as_numbers_with_a_point():
    column = Boolean.learn("b", pl.Series(["0", "1"] * 10), Spelling())
    read = column.read(pl.Series(["1.0", "0.0", "1", "2.0"]), Spelling())
    np.testing.assert_array_equal(read.values, [1.0, 0.0, 1.0, np.nan])
    assert "'2.0' in 1 row" in read.remarks[0]


def test_spans_of_time_are_told_from_numbers():
    hours = [datetime.timedelta(hours=n * n) for n in range(30)]
    column, known = Number.learn("p", pl.Series(hours), Spelling()), Spelling()
    for given in (["PT9H", None], ["9:00:00", "NA"], ["0 days 09:00:00"], ["P0DT9H0M0S"], [hours[3]], [None]):
        read = column.read(pl.Series(given), known)
        assert (read.values[0] == 9 * 3600.0 or given == [None], read.remarks) == (True, ())
    for bare in (pl.Series([32_400_000]), pl.Series(["32400000"])):
        (remark,) = column.read(bare, known).remarks
        assert remark == "column 'p' held s in training and no unit here; 5 is read as 5 s"


def test_percentages_without_their_sign_are_told():
    column = Number.learn("p", pl.Series([f"{n * n}%" for n in range(30)]), Spelling())
    assert column.read(pl.Series(["5%", "6"]), Spelling()).remarks == ()
    for bare in (pl.Series(["0.05"]), pl.Series([0.05])):
        assert "held % in training" in column.read(bare, Spelling()).remarks[0]


@pytest.mark.parametrize("scaling", ["robust", "quantile"])
@pytest.mark.parametrize("marks", [(), ("-999", "0.5")])
def test_numbers_learned_together_are_those_learned_alone(scaling, marks):
    values = RANDOM.normal(size=(40, ROWS)).round(2)
    values[:, 0] += 0.001  # none is whole throughout
    values[1, 3:9] = np.nan
    values[2, 5:] = 0.5
    values[3, :] = 0.5
    values[4, 1:] = np.nan
    values[5, 7] = -999.0
    others = {
        "truths": [0.0, 1.0], "whole": [3.0, 1.0, None], "counter": range(ROWS), "days": [20240131.0, 20240201.0],
        "huge": [2.0**60, 0.5], "infinite": [math.inf, 0.5], "nothing": [math.nan, None], "integers": [5, 6, 7], "text": ["a", "1.5"],
    }  # fmt: skip
    columns = {f"x{place}": pl.Series(row) for place, row in enumerate(values)}
    columns |= {"single": pl.Series(values[6], dtype=pl.Float32)} | {name: cells(x) for name, x in others.items()}
    spelling = Spelling.of(marks)
    together = learned_together(columns, spelling, scaling)
    constant = {"x3"}
    assert set(columns) - set(together) == set(others) | constant
    for name, known in together.items():
        alone = next(found for kind in KINDS if (found := kind.learn(name, columns[name], spelling, scaling=scaling)))
        assert known.column == alone
        np.testing.assert_array_equal(known.values, alone.read(columns[name], spelling).values)


def test_medians_and_quartiles_of_many_columns_are_those_of_numpy():
    values = RANDOM.normal(size=(30, 41))
    values[RANDOM.random(values.shape) < 0.2] = np.nan
    found = Number.of_all([str(place) for place in range(30)], values, "robust")
    low, median, high = np.nanquantile(values, [0.25, 0.5, 0.75], axis=1)
    np.testing.assert_allclose([column.median for column in found], median, rtol=1e-12)
    np.testing.assert_allclose([column.scale for column in found], (high - low) / 1.3489795003921634, rtol=1e-12)


# --- what is left out ----------------------------------------------------------------------------------------------------


def test_values_of_a_few_rows_each_name_no_rows():
    seldom = [f"u{i // 3}" for i in range(15_000)]
    told = next(x for kind in KINDS if (x := kind.learn("user", pl.Series(seldom), SPELLING))).why
    assert told.startswith("5,000 different values in 15,000 rows, most in too few rows to learn from")
    assert "columns=user=category" in told
    assert learned([f"u{i}" for i in range(ROWS)]).why.endswith("it identifies the rows")
