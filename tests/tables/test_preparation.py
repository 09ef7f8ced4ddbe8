"""Tables become arrays the same way in training, testing and prediction."""

import json
import time
from datetime import date, datetime, timedelta
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from chainrule.errors import ModelFileError, SettingError, UnknownNameError
from chainrule.tables import Preparation, Spelling, Table, TableError, as_table, lightened, row_of, spell
from chainrule.tables.preparing.learning import NAMES

ROWS = 40
RANDOM = np.random.default_rng(0)


def table(decimal=".", source="data.csv", **columns):
    return Table(pl.DataFrame(columns, strict=False), source, decimal=decimal)


def labels(count=ROWS):
    return ["yes" if i * 7 % 41 > 20 else "no" for i in range(count)]


def amounts(count=ROWS):
    return RANDOM.normal(size=count).tolist()


# --- properties ----------------------------------------------------------------------------------------------------------

CELLS = {
    "floats": st.floats(),
    "small": st.floats(-100, 100).map(lambda x: f"{x:.2f}"),
    "whole": st.integers(-3, 3).map(str),
    "money": st.integers(0, 10**7).map(lambda x: f"${x:,}"),
    "words": st.sampled_from(["a", "b", "c", "01", "1", "NA", "-"]),
    "many": st.integers(0, 30).map(lambda x: f"c{x}"),
    "dates": st.dates(),
    "moments": st.datetimes().map(str),
    "bool": st.booleans(),
    "yes": st.sampled_from(["yes", "no", "?"]),
    "text": st.text(max_size=30),
    "spans": st.timedeltas(),
}


@st.composite
def tables(draw):
    """A table of some columns of each sort with gaps, and a target."""
    rows = draw(st.integers(4, 30))
    names = draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=5))
    columns = {
        f"{name} {place}": draw(st.lists(st.none() | CELLS[name], min_size=rows, max_size=rows))
        for place, name in enumerate(names)
    }
    target = [("p", "q")[i % 2] for i in range(rows)] if draw(st.booleans()) else [i * 1.5 for i in range(rows)]
    return Table(pl.DataFrame(columns | {"y": target}, strict=False))


@given(tables(), st.sampled_from(["robust", "quantile"]), st.data())
@settings(max_examples=60, deadline=None)
def test_any_table_is_learned_stored_and_applied(given_table, scaling, data):
    try:
        preparation, inputs, y = Preparation.learn_and_apply(given_table, "y", scaling=scaling)
    except TableError:
        with pytest.raises(TableError, match="no column is left"):
            Preparation.learn(given_table, "y")
        return
    assert np.isfinite(inputs.X).all()
    assert inputs.X.shape == (len(given_table), len(preparation.features))
    kinds = [feature.kind for feature in preparation.features]
    assert kinds == sorted(kinds, key=("number", "flag", "code").index)
    stored = Preparation.from_json(json.loads(json.dumps(preparation.to_json(), allow_nan=False)))
    assert stored == preparation
    again, truth = stored.apply_with_truth(given_table)
    np.testing.assert_array_equal(again.X, inputs.X)
    np.testing.assert_array_equal(truth, y)
    order = data.draw(st.permutations(given_table.names))
    np.testing.assert_array_equal(stored.apply(Table(given_table.frame.select(order))).X, inputs.X)
    for row in (0, len(given_table) - 1):
        if "as missing" in " ".join(preparation.apply(given_table.rows(slice(row, row + 1))).notes):
            with pytest.raises(TableError, match="the model learned a"):
                stored.apply_row(given_table.frame.row(row, named=True))
        else:
            one = stored.apply_row(given_table.frame.row(row, named=True))
            np.testing.assert_array_equal(one, inputs.X[row : row + 1])
    nothing = Table(pl.DataFrame({name: [None, None] for name in given_table.names}))
    assert np.isfinite(stored.apply(nothing).X).all()
    assert preparation.report()


def test_many_rows_are_read_as_few_are():
    frame = pl.DataFrame(
        {
            "a": [f"{x:.3f}" for x in RANDOM.normal(size=12_000)],
            "b": RANDOM.choice(["u", "v", "w", None], 12_000).tolist(),
            "c": [f"${i % 90}" for i in range(12_000)],
            "d": [f"2024-{i % 12 + 1:02d}-{i % 28 + 1:02d}" for i in range(12_000)],
            "y": ["pq"[i % 2] for i in range(12_000)],
        }
    )
    preparation, inputs, _ = Preparation.learn_and_apply(Table(frame), "y")
    for start in (0, 9_000):
        np.testing.assert_array_equal(
            preparation.apply(Table(frame[start : start + 50])).X, inputs.X[start : start + 50]
        )


def test_columns_are_found_by_name():
    preparation = Preparation.learn(table(a=amounts(), b=["u", "v"] * 20, y=labels()), "y")
    with pytest.raises(TableError, match="lacks 1 column the model was trained with: 'b'"):
        preparation.apply(table(a=[1.0]))
    with pytest.raises(TableError, match="the row lacks 1 column"):
        preparation.apply_row({"a": 1.0})
    with pytest.raises(TableError, match="holds List"):
        preparation.apply(table(a=[[1.0]], b=["u"]))


def test_a_row_is_read_as_its_file_was():
    training = table(",", price=["5,5", "1.006,5", "7", "8"] * 10, b=["u", "v"] * 20, y=labels())
    preparation = Preparation.from_json(Preparation.learn(training, "y").to_json())
    np.testing.assert_array_equal(
        preparation.apply_row({"price": "1.006,5", "b": "u"}), preparation.apply_row({"price": 1006.5, "b": "u"})
    )
    assert np.isfinite(preparation.apply_row({"price": "NA", "b": None})).all()
    with pytest.raises(TableError, match="'price' of the row holds 'many'; the model learned a number there"):
        preparation.apply_row({"price": "many", "b": "u"})


def test_rows_of_pandas_are_read_as_its_frames():
    pandas = pytest.importorskip("pandas")
    times = pandas.date_range("2024-01-01", periods=ROWS, freq="13h")
    frame = pandas.DataFrame(
        {
            "i": RANDOM.integers(0, 100, ROWS),
            "f": [np.nan, *amounts(ROWS - 1)],
            "b": RANDOM.choice([True, False], ROWS),
            "c": pandas.Categorical(RANDOM.choice(["u", "v", "w"], ROWS)),
            "t": [pandas.NaT, *times[1:]],
            "zone": times.tz_localize("Asia/Tokyo"),
            "whole": pandas.array([1, 2, 3, None] * 10, dtype="Int64"),
            "maybe": pandas.array([True, False, None, None] * 10, dtype="boolean"),
            "span": pandas.to_timedelta(RANDOM.integers(0, 1000, ROWS), unit="min"),
            "y": labels(),
        }
    )
    preparation, inputs, _ = Preparation.learn_and_apply(as_table(frame), "y")
    assert len(preparation.used) == 9
    for k in range(5):
        for row in (frame.iloc[k], frame.to_dict("records")[k]):
            np.testing.assert_array_equal(preparation.apply_row(row), inputs.X[k : k + 1])
    with pytest.raises(TableError, match="'i' of the row holds '\\[1\\]'"):
        preparation.apply_row(frame.iloc[0].to_dict() | {"i": [1]})


def test_no_rows_and_cells_that_are_no_single_values():
    odd = {
        "o": pl.Series([object()] * ROWS, dtype=pl.Object),
        "b": pl.Series([b"x"] * ROWS),
        "s": pl.Series([{"u": 1}] * ROWS),
    }
    preparation = Preparation.learn(table(a=amounts(), c=["u", "v"] * 20, **odd, y=labels()), "y")
    assert [column.kind for column in preparation.columns] == ["number", "category", *["left out"] * 3]
    assert preparation.apply(table(a=[], c=[])).X.shape == (0, 3)


def test_files_without_names_are_told_by_their_order():
    names = ("column_1", "column_2", "column_3")
    columns = (amounts(), labels(), ["u", "v"] * 20)
    training = Table(pl.DataFrame(dict(zip(names, columns, strict=True))), header=False)
    preparation, inputs, _ = Preparation.learn_and_apply(training, "column_2")
    later = Table(pl.DataFrame({"column_1": columns[0], "column_2": columns[2]}), header=False)
    np.testing.assert_array_equal(preparation.apply(later).X, inputs.X)
    with pytest.raises(TableError, match="lacks"):
        preparation.apply(Table(pl.DataFrame({"column_1": columns[0]}), header=False))


# --- what is decided on all rows ------------------------------------------------------------------------------------------


def test_the_decimal_mark_is_the_files():
    """999, 1.016, 12.500 beside 5,5 are 999, 1016, 12500."""
    preparation = Preparation.learn(
        table(",", people=["999", "1.016", "12.500", "7"] * 10, price=["5,5", "6,5", "7", "8"] * 10, y=labels()), "y"
    )
    assert preparation.columns[0].why == "40 numbers from 7 to 12500"
    assert preparation.columns[1].why == "40 numbers from 5.5 to 8"
    pointed = preparation.apply(table(".", people=["1016", "1,016"], price=["5.5", "5.50"]))
    np.testing.assert_array_equal(pointed.X, preparation.apply(table(",", people=["1016"] * 2, price=["5,5"] * 2)).X)


@pytest.mark.parametrize("stray", ["-", "#DIV/0!", "n.b.", "XL"])
def test_a_stray_text_does_not_make_a_column_of_categories(stray):
    rooms = [str(i % 8 + 1) for i in range(ROWS)]
    rooms[17] = stray
    preparation = Preparation.learn(table(rooms=rooms, y=labels()), "y")
    assert [feature.name for feature in preparation.features] == ["rooms", "rooms is missing"]
    (remark,) = (remark for remark in preparation.remarks if "rooms" in remark)
    assert f"{stray!r} in 1 row counts as missing" in remark
    assert 'columns={"rooms": "category"}' in spell(remark)
    forced = Preparation.learn(table(rooms=rooms, y=labels()), "y", columns={"rooms": "category"})
    assert len(forced.features) == 9


def test_dates_of_eight_digits_are_no_amounts():
    days = [f"2024{i % 12 + 1:02d}{i % 28 + 1:02d}" for i in range(ROWS)]
    assert Preparation.learn(table(day=days, y=labels()), "y").columns[0].kind == "time"
    days[7] = "20241399"
    assert Preparation.learn(table(day=days, y=labels()), "y").columns[0].kind == "number"


def test_every_column_may_be_said_otherwise():
    frame = table(n=[str(i % 5) for i in range(ROWS)], id=[f"X{i}" for i in range(ROWS)], y=labels())
    for kind in ("number", "category"):
        assert Preparation.learn(frame, "y", columns={"n": kind}).columns[0].kind == kind
    assert Preparation.learn(frame, "y", columns={"n": "drop"} | {"id": "category"}).used[0].name == "id"
    with pytest.raises(SettingError, match="use drop, boolean, time"):
        Preparation.learn(frame, "y", columns={"n": "integer"})
    with pytest.raises(UnknownNameError, match="no column"):
        Preparation.learn(frame, "y", columns={"m": "drop"})
    with pytest.raises(TableError, match="is the target"):
        Preparation.learn(frame, "y", columns={"y": "drop"})
    assert set(NAMES) == {"drop", "boolean", "time", "number", "text", "category"}


@pytest.mark.parametrize("scaling", ["robust", "quantile"])
def test_numbers_are_scaled_column_by_column_as_asked(scaling):
    """Where nothing is said as the others; of 40 different numbers normal scores are the quantiles at (i + ½)/40."""
    other = {"robust": "quantile", "quantile": "robust"}[scaling]
    x, normal = np.exp(np.linspace(-2.0, 2.0, ROWS)), NormalDist()
    frame = table(a=x, b=x, y=labels())
    preparation = Preparation.learn(frame, "y", scaling=scaling, columns={"b": f"number:{other}"})
    said = dict(zip("ab", preparation.apply(frame).X.T, strict=True))
    ranked = said["ab"[scaling == "robust"]]
    np.testing.assert_allclose(ranked, [normal.inv_cdf((i + 0.5) / ROWS) for i in range(ROWS)], atol=1e-6)
    z = (x - np.median(x)) / (np.subtract(*np.quantile(x, [0.75, 0.25])) / (2 * normal.inv_cdf(0.75)))
    np.testing.assert_allclose(said["ab"[scaling == "quantile"]], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-5, atol=1e-6)
    again = Preparation.from_json(json.loads(json.dumps(preparation.to_json())))
    np.testing.assert_array_equal(again.apply(frame).X, preparation.apply(frame).X)
    assert "normal scores by 40 quantiles" in preparation.report()


@pytest.mark.parametrize("wanted", ["number:log", "number:%d", "time:robust", "category:quantile"])
def test_forms_that_a_kind_does_not_have_are_refused(wanted):
    frame = table(a=amounts(), y=labels())
    with pytest.raises(SettingError, match=r"'a' was to be taken as .*number:quantile"):
        Preparation.learn(frame, "y", columns={"a": wanted})


def test_all_problems_are_told_at_once_with_what_mends_them():
    frame = table(a=[None, "2"] * 20, w=["u", "v"] * 20, when=["u", "v"] * 20, y=labels())
    with pytest.raises(TableError) as caught:
        Preparation.learn(frame, "y", missing="error", columns={"w": "number", "when": "time"})
    message = str(caught.value)
    assert "1. column 'w'" in message
    assert "2. column 'when'" in message
    assert "3. values are missing in column 'a'" in message
    assert message.endswith('mended by: columns={"w": "drop", "when": "drop"}, missing="fill"')
    assert spell(caught.value.message, command_line=True).endswith("--drop w --drop when --missing fill")
    Preparation.learn(frame, "y", missing="fill", columns={"w": "drop", "when": "drop"})


def test_problems_of_the_target_and_of_inputs_are_told_together():
    frame = table(w=["u", "v"] * 20, n=[f"n{i}" for i in range(ROWS)])
    with pytest.raises(
        TableError, match=r"(?s)1\. the target 'n' has 40 different labels.*2\. column 'w' was to be taken"
    ):
        Preparation.learn(frame, "n", columns={"w": "number"})
    with pytest.raises(TableError, match=r"^data.csv: the target 'n' has 40 different labels.*another column\.$"):
        Preparation.learn(frame, "n")


def test_a_counter_is_kept_where_it_is_all_there_is():
    preparation = Preparation.learn(table(x=list(range(ROWS)), y=[i * i / 3 for i in range(ROWS)]), "y")
    assert [feature.name for feature in preparation.features] == ["x"]


def test_nothing_to_learn_from():
    with pytest.raises(TableError, match="no column is left"):
        Preparation.learn(table(x=["a"] * ROWS, y=labels()), "y")


# --- missing values -------------------------------------------------------------------------------------------------------


def test_why_nothing_is_left_to_learn_from(tmp_path):
    for text, told in (
        ("k,y\n" + "".join(f"1,{i % 2}\n" for i in range(30)), r"'k': the same value in every row: '1'\.$"),
        ("y\n" + "".join(f"{i % 2}\n" for i in range(30)), 'separator="semicolon"'),
    ):
        (tmp_path / "table.csv").write_text(text)
        with pytest.raises(TableError, match=told):
            Preparation.learn(as_table(tmp_path / "table.csv"), "y")


SPANS = [f"{day} days 0{hour}:08:00" for day in range(5) for hour in range(8)]


@pytest.mark.parametrize("learned", ["text", "span"])
def test_spans_of_time_are_the_same_as_text_and_as_such(learned):
    spans = pl.Series([timedelta(days=int(s[0]), hours=int(s[8]), minutes=8) for s in SPANS])
    forms = {
        name: Table(pl.DataFrame({"t": cells, "y": labels()})) for name, cells in (("text", SPANS), ("span", spans))
    }
    preparation = Preparation.learn(forms[learned], "y")
    assert preparation.columns[0].kind == "number"
    text, span = (preparation.apply(forms[form]) for form in ("text", "span"))
    np.testing.assert_array_equal(text.X, span.X)
    assert len(np.unique(text.X)) == ROWS
    assert text.unread == ()


TYPED = {
    "span": [timedelta(minutes=i) for i in range(ROWS)],
    "day": [date(2020, 1, 1) + timedelta(days=i) for i in range(ROWS)],
    "clock": [datetime(2020, 1, 1, i % 24, i).time() for i in range(ROWS)],
    "moment": [datetime(2020, 1, 1) + timedelta(hours=i) for i in range(ROWS)],
    "number": [i**1.5 for i in range(ROWS)],
    "word": [f"k{i % 3}" for i in range(ROWS)],
    "sentence": [f"this is the text of {i} words" for i in range(ROWS)],
    "truth": [i % 3 == 0 for i in range(ROWS)],
}


@pytest.mark.parametrize("learned", TYPED)
@pytest.mark.parametrize("given_one", TYPED)
def test_a_column_of_another_type_is_read_or_named(learned, given_one):
    preparation = Preparation.learn(Table(pl.DataFrame({"a": amounts(), "x": TYPED[learned], "y": labels()})), "y")
    other = Table(pl.DataFrame({"a": amounts(), "x": TYPED[given_one]}))
    told = ""
    try:
        assert np.isfinite(preparation.apply(other).X).all()
    except TableError as error:
        told = str(error)
    assert not told or "column 'x' of the table holds" in told


def test_policies_for_missing_values():
    a = amounts()
    a[3] = None
    frame = table(a=a, b=["u", "v"] * 20, y=labels())
    filled = Preparation.learn(frame, "y")
    assert filled.apply(frame).X.shape == (ROWS, 4)
    dropped, inputs, y = Preparation.learn_and_apply(frame, "y", missing="drop")
    assert inputs.rows.tolist() == [i for i in range(ROWS) if i != 3]
    assert len(y) == ROWS - 1
    assert inputs.notes == ("1 row left out: no value in 'a'",)
    np.testing.assert_array_equal(dropped.apply(frame).rows, inputs.rows)
    with pytest.raises(TableError, match=r"missing values in 'a' \(1 row\)"):
        filled.apply(frame, missing="error")
    with pytest.raises(SettingError, match="known: fill, drop, error"):
        filled.apply(frame, missing="mean")


def test_marks_of_missing_values():
    land = ["NA", "DE", "FR", "unknown"] * 10
    usual = Preparation.learn(table(land=land, y=labels()), "y")
    assert [feature.name for feature in usual.features] == ["land=DE", "land=FR", "land=unknown", "land is missing"]
    other = Preparation.learn(table(land=land, y=labels()), "y", missing_mark=["unknown"], value_mark=["NA"])
    assert [feature.name for feature in other.features] == ["land=DE", "land=FR", "land=NA", "land is missing"]


@pytest.mark.parametrize(
    ("marks", "spelled"),
    [
        (-999, float),
        (["-999"], float),
        ("-999.0", int),
        ((-999.0,), lambda x: str(x).replace("-999.0", "-999")),
        ("-999", str),
        (["n.b.", "-999"], lambda x: f"${x}"),
    ],
)
def test_a_number_that_means_no_value_means_it_however_it_is_spelled(marks, spelled):
    numbers = [float(i % 20) for i in range(ROWS)]
    gaps = [-999.0 if i % 8 == 3 else x for i, x in enumerate(numbers)]
    coded = table(x=[spelled(x) for x in gaps], y=labels())
    empty = table(x=[None if x == -999.0 else spelled(x) for x in gaps], y=labels())
    one, other = Preparation.learn(coded, "y", missing_mark=marks), Preparation.learn(empty, "y")
    assert [feature.name for feature in one.features] == ["x", "x is missing"]
    np.testing.assert_array_equal(one.apply(coded).X, other.apply(empty).X)
    rows = [one.apply_row(row)[0] for row in coded.frame.rows(named=True)]
    np.testing.assert_array_equal(rows, other.apply(empty).X)
    again = Preparation.from_json(json.loads(json.dumps(one.to_json())))
    np.testing.assert_array_equal(again.apply(coded).X, other.apply(empty).X)


def test_numbers_that_mean_no_value_in_targets_codes_and_columns_of_float32():
    sold = [-1.0 if i == 7 else float(i) for i in range(ROWS)]
    answers = [9 if i % 10 == 0 else i % 2 for i in range(ROWS)]
    price = np.array([-99.9 if i % 8 == 3 else i for i in range(ROWS)], np.float32)
    given = table(sold=sold, answer=answers, price=price)
    assert Preparation.learn_and_apply(given, "sold", missing_mark=-1)[1].rows.tolist() == [
        i for i in range(ROWS) if i != 7
    ]
    assert Preparation.learn(given, "answer", missing_mark=9).target.classes == (0, 1)
    codes = Preparation.learn(given, "sold", missing_mark="9.0", columns={"answer": "category"}).features
    assert [x.name for x in codes if x.column == "answer"] == ["answer=0", "answer=1", "answer is missing"]
    assert "price is missing" in [x.name for x in Preparation.learn(given, "sold", missing_mark=-99.9).features]


def test_marks_that_are_none():
    with pytest.raises(SettingError, match="give texts or numbers"):
        Preparation.learn(table(x=amounts(), y=labels()), "y", missing_mark=[None])


def test_rows_without_a_target_are_left_out():
    y = labels()
    y[5] = None
    preparation, inputs, _ = Preparation.learn_and_apply(table(a=amounts(), y=y), "y")
    assert 5 not in inputs.rows
    assert len(inputs.rows) == ROWS - 1
    assert "1 row left out: no value in the target 'y'" in preparation.remarks
    y = [*range(ROWS - 3), "inf", "n.b.", "NA"]
    (said,) = Preparation.learn(table(a=amounts(), y=[str(x) for x in y]), "y", task="regression").remarks
    assert said == "3 rows left out: no value in the target 'y', where 'inf', 'n.b.' count as none"


def test_a_long_table_made_lighter_teaches_the_same():
    count = 12_000
    random = np.random.default_rng(1)
    cells = {
        "plain": [f"{x:.3f}" for x in random.normal(size=count)],
        "gaps": ["NA" if x > 1.5 else f"{x:.2f}" for x in random.normal(size=count)],
        "code": [f"{x:02}" for x in random.integers(0, 20, count)],
        "size": [f"{x}.0" for x in random.integers(0, 9, count)],
        "zip": [f"{x}.0" for x in random.integers(0, 9, count)],
        "flag": random.choice(["0", "1"], count).tolist(),
        "price": [f"${x}" for x in random.integers(1, 999, count)],
        "town": random.choice(["Rome", "Oslo"], count).tolist(),
        "footer": ["none" if place == 7 else "3" if place % 2 else "4" for place in range(count)],
        "y": [None if place == 7 else f"{x:.3f}" for place, x in enumerate(random.normal(size=count))],
    }
    kinds = {"zip": "category"}
    given = table(**cells)
    own = lightened(Table(given.frame.clone(), "data.csv"), "y", kinds, Spelling())
    assert [name for name in own.names if own.column(name).dtype == pl.Float64] == ["plain", "gaps", "size", "flag"]
    assert set(given.frame.dtypes) == {pl.String}
    (first, X, y), (other, Z, z) = (Preparation.learn_and_apply(x, "y", columns=kinds) for x in (given, own))
    assert first == other
    assert X.X.tobytes() == Z.X.tobytes()
    assert y.tobytes() == z.tobytes()


# --- remarks -------------------------------------------------------------------------------------------------------------


def remarks(task=None, **columns):
    return " ".join(Preparation.learn(table(**columns), "y", task=task).remarks)


def test_what_gives_the_target_away_is_told():
    y = [float(x) for x in RANDOM.lognormal(size=ROWS)]
    assert "'leak' alone gives the target" in remarks(a=amounts(), leak=[np.log(x) for x in y], y=y)
    assert "'code' alone gives the target" in remarks(a=amounts(), code=[f"k{x}" for x in labels()], y=labels())
    assert "alone" not in remarks(a=amounts(), b=[x + e / 5 for x, e in zip(y, amounts(), strict=True)], y=y)
    assert "alone" not in remarks(a=amounts(), b=["u", "v"] * 20, y=labels())
    x, c = amounts(), amounts()
    y = ["high" if a + b > 0 else "low" for a, b in zip(x, c, strict=True)]
    assert "alone" not in remarks(x=x * 3, c=c * 3, y=y * 3)  # copies agree in every column


def test_dates_whose_order_is_not_sure_are_told_with_the_option():
    days = [f"{i % 12 + 1}/{i % 11 + 1}/2021" for i in range(ROWS)]
    told = "times in column 'd' are read as %m/%d/%Y; %d/%m/%Y would serve as well: ‹columns=d=time:%d/%m/%Y›"
    assert told in Preparation.learn(table(d=days, y=labels()), "y").remarks
    said = {"d": "time:%d/%m/%Y"}
    assert not any("serve" in x for x in Preparation.learn(table(d=days, y=labels()), "y", columns=said).remarks)
    assert "serve" not in remarks(d=[*days[1:], "13/1/2021"], y=labels())


def test_numbers_that_may_mean_something_else_are_told():
    shares = [f"{i}%" if i % 3 else str(i / 100) for i in range(1, ROWS + 1)]
    assert f"column 'p' holds %, but none in {ROWS // 3} rows" in remarks(p=shares, y=labels())
    gaps = [-999.0 if i % 8 == 0 else x for i, x in enumerate(amounts())]
    told = "column 'x' holds -999 far from all other numbers; if it stands for a missing value: ‹missing_mark=-999›"
    assert told in remarks(x=gaps, y=labels())
    assert "far from" not in remarks(x=[-999.0, *amounts()[1:]], y=labels())  # of a single one nobody knows
    assert "far from" not in remarks(x=[99.0 if i % 8 == 0 else float(i) for i in range(60, 60 + ROWS)], y=labels())


def test_labels_that_differ_in_capitals_alone_are_told():
    assert "'Male', 'male' differ only in capital letters or blanks" in remarks(
        a=amounts(), y=["male", "Male", "female", "male"] * (ROWS // 4)
    )
    assert "capital" not in remarks(a=amounts(), y=["male", "female"] * (ROWS // 2))


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_columns_looked_at_together_give_the_target_away_as_each_alone_does(data):
    count = data.draw(st.integers(20, 60))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    y = random.normal(size=count)
    columns = {}
    for place, kind in enumerate(
        data.draw(st.lists(st.sampled_from(["amt", "near", "far", "tied"]), min_size=2, max_size=9))
    ):
        x = {
            "amt": random.normal(size=count),
            "near": np.exp(y) + 1e-9 * random.normal(size=count),
            "far": y + random.choice([0.01, 0.03, 0.1]) * random.normal(size=count),
            "tied": np.round(y + random.choice([0.0, 0.02]) * random.normal(size=count), 1),
        }[kind]
        x = np.where(random.random(count) < random.choice([0.0, 0.1]), np.nan, x)
        columns[f"{kind}{place}"] = [None if np.isnan(v) else float(v) for v in x]
    told = " ".join(Preparation.learn(table(**columns, y=y.tolist()), "y", task="regression").remarks)
    leaking = told.partition(" alone give")[0] if " alone give" in told else ""
    leaks = []
    for name, cells in columns.items():
        known = [place for place, v in enumerate(cells) if v is not None]
        correlation = spearmanr([cells[place] for place in known], y[known]).statistic
        assert abs(abs(correlation) - 0.999) > 1e-12
        if len(known) >= 20 and abs(correlation) > 0.999:
            leaks.append(name)
    assert [name for name in columns if f"'{name}'" in leaking] == leaks[:6]


def test_repeated_rows_and_columns_are_told():
    a = amounts()
    told = remarks(a=a, b=amounts(), again=a, y=labels())
    assert "column 'again' holds the same as column 'a' in every row" in told
    assert "repeat" not in told
    many = {f"x{place}": np.round(np.random.default_rng(place).normal(size=40), 1).tolist() for place in range(50)}
    assert remarks(**many, twin=many["x7"], y=labels()).count("the same as column") == 1
    assert "column 'twin' holds the same as column 'x7' in every row" in remarks(**many, twin=many["x7"], y=labels())
    assert "20 rows of 40 repeat an earlier one" in remarks(
        a=a[:20] * 2, b=["u"] * 10 + ["v"] * 10 + ["u"] * 10 + ["v"] * 10, y=labels(20) * 2
    )
    once = {"a": a, "y": labels()}
    assert "1 row of 41 repeats" in remarks(**{name: [*values, values[0]] for name, values in once.items()})
    many = {"a": [float(i) ** 1.5 for i in range(300)], "y": [i % 7 % 2 for i in range(300)]}
    assert "repeats" not in remarks(**{name: [*values, values[0]] for name, values in many.items()})


def test_rows_that_differ_in_what_is_left_out_alone_repeat():
    told = remarks(id=[f"n{i}" for i in range(ROWS)], a=amounts()[: ROWS // 2] * 2, y=labels(ROWS // 2) * 2)
    assert f"{ROWS // 2} rows of {ROWS} repeat an earlier one" in told


@pytest.mark.parametrize("as_spelled", [int, str])
def test_whole_numbers_that_fall_together_are_told(as_spelled):
    keys = [as_spelled(2**53 + i % 4) for i in range(ROWS)]
    table = Table(pl.DataFrame({"key": keys, "a": amounts(), "y": labels()}))
    (told,) = [remark for remark in Preparation.learn(table, "y").remarks if "2⁵³" in remark]
    assert "4 different ones become 3 (to take all as categories: ‹columns=key=category›)" in told
    known = Preparation.learn(table, "y", columns={"key": "category"})
    assert [f.name for f in known.features if f.column == "key"] == [f"key={2**53 + i}" for i in range(4)]
    even = Table(pl.DataFrame({"key": [as_spelled(2**53 + 2 * i) for i in range(ROWS)], "a": amounts(), "y": labels()}))
    assert not any("2⁵³" in remark for remark in Preparation.learn(even, "y").remarks)


def test_a_row_of_accents_typed_in_two_ways():
    towns = ["Zürich", "Rom"] * (ROWS // 2)
    preparation = Preparation.learn(Table(pl.DataFrame({"Zü": towns, "a": amounts(), "y": labels()})), "y")
    names = {"Zu\u0308": "Zu\u0308rich", "a": 0.5}
    row = row_of(names, ("Zü", "a"))
    assert row is not None
    np.testing.assert_array_equal(preparation.apply_row(row), preparation.apply_row({"Zü": "Zürich", "a": 0.5}))


def test_classes_that_could_be_amounts_are_told():
    told = remarks(a=amounts(), y=[i % 4 for i in range(ROWS)])
    assert "4 different numbers and is taken as classes; to predict an amount: ‹task=regression›" in told
    assert "taken as classes" not in remarks(a=amounts(), y=[i % 4 for i in range(ROWS)], task="classification")
    assert "of the target 'y' 'odd' occurs in one row only" in remarks(a=amounts(), y=["odd", *labels(ROWS - 1)])


@pytest.mark.usefixtures("own_garbage")
def test_work_grows_with_the_columns_not_their_square():
    def seconds(columns):
        wide = table(**{f"c{i}": ["1.5", "2.5", "4.5", "3.5"] for i in range(columns)}, y=["u", "v"] * 2)
        start = time.process_time()
        Preparation.learn_and_apply(wide, "y")
        return time.process_time() - start

    seconds(10)
    assert seconds(4000) < 12 * min(seconds(1000), seconds(1000))  # 16 times if it were the square


def test_the_report_names_every_column():
    preparation = Preparation.learn(
        table(a=amounts(), b=["u", "v"] * 20, id=[f"X{i}" for i in range(ROWS)], y=labels()), "y"
    )
    lines = preparation.report().splitlines()
    assert [line.split()[0] for line in lines[2:6]] == ["a", "b", "id", "y"]
    wide = Preparation.learn(table(**{f"c{i}": amounts() for i in range(100)}, y=labels()), "y").report()
    assert "… 70 more" in wide
    assert len(wide.splitlines()) < 40


# --- stored --------------------------------------------------------------------------------------------------------------


def test_what_is_no_preparation_is_refused():
    data = Preparation.learn(table(a=amounts(), b=["u", "v"] * 20, y=labels()), "y").to_json()
    for field in data:
        for wrong in (None, 3, "x", [3], {"a": 1}):
            if wrong != data[field]:
                with pytest.raises(ModelFileError, match="do not describe the table"):
                    Preparation.from_json(data | {field: wrong})
    for field in data["target"]:
        with pytest.raises(ModelFileError):
            Preparation.from_json(data | {"target": {k: v for k, v in data["target"].items() if k != field}})


SPELLINGS = {
    "zeros and ones": ["0", "1", "1"],
    "as decimals": ["0.0", "1.0", "1.0"],
    "with a gap": ["0.00", None, "1.00"],
    "yes and no": [" yes", "no ", "yes"],
    "truth values": [True, False, None],
    "numbers": [0.0, 1.0, np.nan],
    "blanks around": ["WD ", " New", "WD "],
    "numbers as categories": ["1.0", "2.00", "1"],
    "codes": ["01", "1", "2"],
    "money": ["$1,200.50", "(3)", "$7"],
    "shares": ["5 %", "7%", "-"],
    "days": ["2024-05-31", "n/a", "2024-06-02"],
    "infinite": [0.5, np.inf, 2.5],
}


@pytest.mark.parametrize("kind", SPELLINGS)
@pytest.mark.parametrize("wanted", [{}, {"columns": {"x": "category"}}])
def test_what_was_learned_from_a_table_reads_it_alike(kind, wanted):
    """In frames and in text of either decimal mark, as a whole and row by row."""
    cells = pl.Series("x", SPELLINGS[kind] * 20, strict=False)
    text = cells.cast(pl.String)
    comma = text.str.replace(r"^(\d+)\.(\d+)$", "${1},${2}")
    for x, decimal in ((cells, "."), (text, "."), (comma, ",")):
        learned_from = table(decimal, x=x, other=list(range(60)), y=amounts(60))
        preparation, inputs, _ = Preparation.learn_and_apply(learned_from, "y", **wanted)
        again = preparation.apply(learned_from)
        assert np.array_equal(again.X, inputs.X)
        assert all("as missing" in note and kind in ("shares", "infinite") for note in again.notes)
        for row in range(3):
            one = learned_from.frame.row(row, named=True)
            if one["x"] not in ("-", "inf") and (wanted or one["x"] != np.inf):  # refused in a single row
                assert np.allclose(preparation.apply_row(one), inputs.X[[row]], atol=1e-6)
