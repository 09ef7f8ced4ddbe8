"""Tables become arrays the same way in training, testing and prediction."""

import json

import numpy as np
import pytest

from chainrule.errors import ModelFileError, SettingError, UnknownNameError
from chainrule.tables import Preparation, Table, TableError, Target, prepare, read, spell


def table(text, separator=","):
    """The table of some lines of text."""
    names, *rows = [[cell.strip() for cell in line.split(separator)] for line in text.strip().splitlines()]
    return Table(tuple(names), np.array(rows, dtype=object), np.arange(2, len(rows) + 2), "data.csv", separator)


def made(rows=40, **columns):
    """A table with the columns given as functions of the row."""
    cells = np.array([[str(value(i)) for value in columns.values()] for i in range(rows)], dtype=object)
    return Table(tuple(columns), cells, np.arange(2, rows + 2), "data.csv")


def age(i):
    return 20 + i * 7 % 41


def city(i):
    return ["Rome", "Oslo", "Lima"][i % 3]


def kind(i):
    return "yes" if i * 7 % 41 > 20 else "no"


def income(i):
    return 1000.5 + 13.25 * i


# --- the usual case ---------------------------------------------------------------------------------------------


def test_numbers_are_standardised_and_text_is_one_hot_by_the_training_rows():
    data = prepare(made(age=age, city=city, kind=kind), "kind", test=0.25)
    assert data.preparation.features == ("age", "city=Lima", "city=Oslo", "city=Rome")
    assert data.X_train.shape == (30, 4)
    assert data.X_test.shape == (10, 4)
    assert data.X_train.dtype == np.float32
    np.testing.assert_allclose(data.X_train[:, 0].mean(), 0, atol=1e-6)
    np.testing.assert_allclose(data.X_train[:, 0].std(), 1, atol=1e-6)
    assert (data.X_train[:, 1:].sum(axis=1) == 1).all()
    number = data.preparation.columns[0]
    ages = np.array([age(i) for i in range(40)])
    assert number.mean != ages.mean()  # of the training rows, not of all
    assert data.y_train.tolist().count("yes") + data.y_test.tolist().count("yes") == (ages - 20 > 20).sum()
    assert data.notes == ()


def test_the_preparation_survives_json():
    data = prepare(made(age=age, city=city, income=income), "income", missing="median", missing_mark=["-"])
    stored = json.loads(json.dumps(data.preparation.to_json()))
    again = Preparation.from_json(stored)
    assert again == data.preparation
    rows = made(age=age, city=city)
    np.testing.assert_array_equal(again.apply(rows).X, data.preparation.apply(rows).X)


@pytest.mark.parametrize("damage", [{}, {"columns": 3}, {"missing": "often"}, {"target": {"name": "y"}}])
def test_foreign_notes_are_refused(damage):
    stored = prepare(made(age=age, kind=kind), "kind").preparation.to_json()
    with pytest.raises(ModelFileError, match="do not describe the table"):
        Preparation.from_json({**stored, **damage} if damage else {})


def test_columns_may_come_in_any_order_with_others_between():
    preparation = prepare(made(age=age, city=city, kind=kind), "kind").preparation
    straight = preparation.apply(made(age=age, city=city))
    mixed = preparation.apply(made(note=str, city=city, kind=kind, age=age))
    np.testing.assert_array_equal(straight.X, mixed.X)


def test_without_a_test_part():
    data = prepare(made(age=age, kind=kind), "kind", test=0)
    assert data.X_train.shape == (40, 1)
    assert data.X_test.shape == (0, 1)


def test_chosen_columns():
    data = prepare(
        made(age=age, digit=lambda i: i % 4, city=city, kind=kind), "kind", drop=["age"], categorical=["digit"]
    )
    assert data.preparation.features[:4] == ("digit=0", "digit=1", "digit=2", "digit=3")
    assert "age" not in data.preparation.features


# --- the target -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "task", "classes"),
    [
        (kind, "classification", ("no", "yes")),
        (lambda i: i % 2 == 0, "classification", ("False", "True")),
        (lambda i: i % 2, "classification", (0, 1)),
        (lambda i: float(i % 2), "classification", (0, 1)),
        (lambda i: -1 if i % 2 else 1, "classification", (-1, 1)),
        (lambda i: i % 3 + 8, "classification", (8, 9, 10)),
        (lambda i: i % 20, "regression", ()),
        (lambda i: i, "regression", ()),
        (income, "regression", ()),
        (lambda i: i % 2 + 0.5, "regression", ()),
    ],
    ids=[
        "text",
        "bool",
        "zero-one",
        "float-whole",
        "minus-one",
        "few-integers",
        "many-integers",
        "integers",
        "real",
        "real-few",
    ],
)
def test_the_task_is_recognised(value, task, classes):
    target = prepare(made(age=age, y=value), "y").preparation.target
    assert target.task == task
    assert target.classes == classes


def test_the_task_can_be_said():
    assert prepare(made(age=age, y=lambda i: i % 3), "y", task="regression").preparation.target.task == "regression"
    data = prepare(made(age=age, y=lambda i: i % 2 + 0.5), "y", task="classification")
    assert data.preparation.target.classes == ("0.5", "1.5")
    with pytest.raises(SettingError, match="'guess'; it must be one of classification, regression"):
        prepare(made(age=age, y=kind), "y", task="guess")
    with pytest.raises(TableError, match=r"holds text \('no', 'yes'\); regression predicts numbers"):
        prepare(made(age=age, y=kind), "y", task="regression")


def test_integer_labels_stay_integers_however_they_are_written():
    data = prepare(made(age=age, y=lambda i: ["1", "1.0", "2", " 2"][i % 4].strip()), "y")
    assert data.preparation.target.classes == (1, 2)
    assert data.y_train.dtype == np.int64


def test_amounts_go_and_come_back():
    data = prepare(made(age=age, y=income), "y")
    target = data.preparation.target
    learned = target.standardised(data.y_train)
    assert learned.dtype == np.float32
    np.testing.assert_allclose([learned.mean(), learned.std()], [0, 1], atol=1e-6)
    np.testing.assert_allclose(target.restored(learned[:, None]), data.y_train, rtol=1e-6)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda i: "same", "'same' in every row; there is nothing to learn"),
        (lambda i: 2.5, "2.5 in every row; there is nothing to learn"),
        (lambda i: f"{i + 1}e300", "beyond what can be standardised"),
        (lambda i: "", "has no values; choose another column"),
        (lambda i: f"person {i}", "40 different labels in 40 rows .* too many to learn classes from"),
        (
            lambda i: "n.b." if i == 7 else i * 1.5,
            r"holds numbers, but 1 cell is none: 'n\.b\.' in line 9\. .*missing_mark",
        ),
    ],
)
def test_a_target_that_cannot_be_learned_says_why(value, message):
    with pytest.raises(TableError, match=message):
        prepare(made(age=age, y=value), "y")


def test_an_unknown_target():
    with pytest.raises(UnknownNameError, match=r"no column named 'Kind' .did you mean 'kind'"):
        prepare(made(age=age, kind=kind), "Kind")
    with pytest.raises(UnknownNameError, match=r"no column named 'Age' .did you mean 'age'"):
        prepare(made(age=age, kind=kind), "kind", drop=["Age"])
    with pytest.raises(UnknownNameError, match="no column named 'ages'"):
        prepare(made(age=age, kind=kind), "kind", categorical=["ages"])
    with pytest.raises(TableError, match="'kind' is the target and among the columns to leave out"):
        prepare(made(age=age, kind=kind), "kind", drop=["kind"])


def test_a_file_without_header_is_recognised(tmp_path):
    path = tmp_path / "iris.data"
    path.write_text("".join(f"{5 + i % 3}.1,{i % 7}.5,{'ab'[i % 2]}\n" for i in range(20)))
    with pytest.raises(TableError, match=r"first row looks like values, not names: '5\.1'.*header=False"):
        prepare(read(path), "species")
    data = prepare(read(path, header=False), "column_3")
    assert data.preparation.unnamed == ("column_1", "column_2", "column_3")
    # for prediction the target may be there or not
    without = tmp_path / "new.data"
    without.write_text("5.1,3.5\n6.1,2.5\n")
    assert data.preparation.apply(data.preparation.read(without)).X.shape == (2, 2)
    assert data.preparation.apply(data.preparation.read(path)).X.shape == (20, 2)
    without.write_text("5.1\n6.1\n")
    with pytest.raises(TableError, match=r"has 1 column; .* with 3 columns \(2 without 'column_3'\)"):
        data.preparation.read(without)


def test_a_target_that_occurs_twice(tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("a,y,y\n1,2,3\n4,5,6\n")
    with pytest.raises(TableError, match="more than one column 'y', so the target is not clear"):
        prepare(read(path), "y")


# --- missing values ---------------------------------------------------------------------------------------------


def gaps(i):
    return "" if i % 10 == 3 else age(i)


def holes(i):
    return "?" if i % 20 == 5 else city(i)


def test_missing_values_are_refused_by_default():
    with pytest.raises(TableError) as caught:
        prepare(made(age=gaps, city=holes, kind=kind), "kind")
    message = str(caught.value)
    assert "data.csv (40 rows) has missing values in 2 columns: 'age' (in 4 rows), 'city' (in 2 rows)." in message
    assert 'missing="drop" leaves those rows out; missing="median" (or mean)' in message
    typed = spell(caught.value.message, command_line=True)
    assert "--missing drop leaves those rows out; --missing median (or mean)" in typed
    assert "--drop age leaves a column out" in typed


def test_drop_leaves_rows_out():
    data = prepare(made(age=gaps, city=holes, kind=kind), "kind", missing="drop", test=0.5)
    assert len(data.X_train) + len(data.X_test) == 34
    assert data.notes == ("6 of 40 rows left out: no value in 'age' or 'city'",)


@pytest.mark.parametrize("policy", ["mean", "median"])
def test_filling_uses_the_training_rows(policy):
    data = prepare(made(age=gaps, city=holes, kind=kind), "kind", missing=policy)
    number, category = data.preparation.columns
    put = number.mean if policy == "mean" else number.median
    inputs = data.preparation.apply(table("age,city\n,Rome\n40,\n"))
    np.testing.assert_allclose(inputs.X[0, 0], (put - number.mean) / number.deviation, rtol=1e-6, atol=1e-7)
    assert category.categories[int(inputs.X[1, 1:].argmax())] == category.most_frequent
    assert f"replaced by the training {policy}" in inputs.notes[0]
    assert "replaced by the most frequent value in training" in inputs.notes[1]
    assert len(data.X_train) + len(data.X_test) == 40


def test_rows_without_a_target_are_left_out():
    data = prepare(made(age=gaps, y=lambda i: "" if i < 4 else kind(i)), "y", missing="mean", test=0)
    assert len(data.X_train) == 36
    assert "4 of 40 rows left out: no value in 'y'" in data.notes


def test_missing_values_at_prediction():
    preparation = prepare(made(age=age, city=city, kind=kind), "kind").preparation
    rows = table("age,city\n30,Rome\n,Rome\n40,Oslo\n")
    with pytest.raises(TableError, match=r"missing values in 1 column: 'age' \(in 1 row\)"):
        preparation.apply(rows)
    dropped = preparation.apply(rows, missing="drop")
    assert dropped.rows.tolist() == [0, 2]
    assert len(dropped.X) == 2
    assert preparation.apply(rows, missing="mean").X[1, 0] == 0


def test_marks_for_missing_values():
    rows = made(age=lambda i: -200 if i == 3 else age(i), city=city, kind=kind)
    data = prepare(rows, "kind", missing="drop", missing_mark=["-200"])
    assert len(data.X_train) + len(data.X_test) == 39
    with pytest.raises(SettingError, match="'often'; known: error, drop, mean, median"):
        prepare(rows, "kind", missing="often")


def test_nothing_left_after_dropping():
    with pytest.raises(TableError, match="0 rows to learn from"):
        prepare(
            made(age=lambda i: i if i % 2 else "", size=lambda i: "" if i % 2 else i, kind=kind), "kind", missing="drop"
        )


# --- columns that teach nothing, or too much --------------------------------------------------------------------


def test_constant_and_empty_columns_are_left_out():
    data = prepare(made(age=age, one=lambda i: 1, word=lambda i: "x", none=lambda i: "", kind=kind), "kind")
    assert data.preparation.features == ("age",)
    assert "column 'none' left out: no values" in data.notes
    assert "columns 'one', 'word' left out: the same value in every training row" in data.notes


def test_no_column_left():
    with pytest.raises(TableError, match="leaves no column to learn 'kind' from"):
        prepare(made(one=lambda i: 1, kind=kind), "kind")


def test_text_that_names_rows_is_refused():
    rows = made(passenger=lambda i: f"Mr {i}", age=age, kind=kind)
    with pytest.raises(TableError, match=r"40 different values|32 different values") as caught:
        prepare(rows, "kind")
    assert 'drop=["passenger"]' in str(caught.value)
    assert 'categorical=["passenger"]' in str(caught.value)
    assert len(prepare(rows, "kind", categorical=["passenger"]).preparation.features) == 33


@pytest.mark.parametrize("form", ["2024-{:02}-{:02}", "{}/{}/2024", "2024.{}.{} 12:30", "{1}-Sep-2{0:02}"])
def test_dates_get_advice(form):
    with pytest.raises(TableError, match=r"holds dates .* give year, month and day"):
        prepare(made(day=lambda i: form.format(i % 12 + 1, i % 28 + 1), age=age, kind=kind), "kind")


def test_row_counters_are_pointed_out():
    data = prepare(made(Id=lambda i: i + 1, age=age, kind=kind), "kind")
    assert spell(data.notes[0]) == (
        "column 'Id' counts the rows; if it says nothing about them, leave it out: drop=[\"Id\"]"
    )


def test_numbers_with_some_text_among_them():
    with pytest.raises(
        TableError, match=r"column 'age' of data.csv holds numbers, but 1 cell is none: 'old' in line 9"
    ):
        prepare(made(age=lambda i: "old" if i == 7 else 3 * i, kind=kind), "kind", test=0)


def test_codes_of_digits_and_letters_are_categories():
    data = prepare(made(size=lambda i: ["1", "2", "3", "XL"][i % 4], age=age, kind=kind), "kind")
    assert data.preparation.features[:4] == ("size=1", "size=2", "size=3", "size=XL")


def test_numbers_too_large_to_standardise():
    with pytest.raises(TableError, match="beyond what can be standardised"):
        prepare(made(age=lambda i: f"{i + 1}e300", kind=kind), "kind")


# --- prediction -------------------------------------------------------------------------------------------------


def test_unseen_categories_are_all_zero_with_a_note():
    preparation = prepare(made(city=city, kind=kind), "kind").preparation
    inputs = preparation.apply(table("city\nRome\nParis\n"))
    assert inputs.X.tolist() == [[0, 0, 1], [0, 0, 0]]
    assert inputs.notes == (
        "column 'city': 'Paris' in 1 row did not occur in training; all inputs of the column are 0 there",
    )


def test_absent_columns_and_bad_numbers_at_prediction():
    preparation = prepare(made(age=age, city=city, kind=kind), "kind").preparation
    with pytest.raises(
        TableError, match=r"lacks 1 column the model was trained with: 'city'. It has 'age', 'City' .did"
    ):
        preparation.apply(table("age,City\n30,Rome\n"))
    with pytest.raises(
        TableError, match=r"column 'age' of data\.csv holds numbers, but 1 cell is none: 'thirty' in line 2"
    ):
        preparation.apply(table("age,city\nthirty,Rome\n"))


def test_the_other_decimal_mark_at_prediction():
    preparation = prepare(made(age=lambda i: i + 0.5, kind=kind), "kind", test=0).preparation
    np.testing.assert_array_equal(
        preparation.apply(table("age\n3,5\n17,25\n", ";")).X, preparation.apply(table("age\n3.5\n17.25\n")).X
    )


def test_labels_unknown_to_the_model():
    target = Target("kind", "classification", ("no", "yes"))
    assert target.known(table("kind\nyes\nno")).tolist() == ["yes", "no"]
    with pytest.raises(TableError, match=r"holds 'maybe' in 2 rows, .* the classes are 'no', 'yes'"):
        target.known(table("kind\nmaybe\nno\nmaybe"))
    with pytest.raises(TableError, match=r"holds '2.5' in 1 row|holds '1', '2\.5'"):
        Target("kind", "classification", (1, 2)).known(table("kind\n1\n2.5"))
