"""The column to predict: classes as they are spelled, amounts scaled and restored."""

import json
from datetime import date

import numpy as np
import polars as pl
import pytest

from chainrule.errors import SettingError
from chainrule.tables import Table, TableError
from chainrule.tables.columns.texts import as_text, as_texts
from chainrule.tables.preparing.target import Target, learn_target

RANDOM = np.random.default_rng(0)
DAYS = [date(2024, 5, day) for day in (13, 14, 15, 16)] * 5


def learned(values, **settings):
    return learn_target(Table(pl.DataFrame({"y": pl.Series(values, strict=False)}), "data.csv"), "y", **settings)


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["yes", "no"], ("no", "yes")),
        (["01", "02", "1"], ("01", "02", "1")),
        (["1.0", "2.0"], ("1.0", "2.0")),
        (["2", "10", "0"], (0, 2, 10)),
        (["-1", "1"], (-1, 1)),
        ([3, 1, 2], (1, 2, 3)),
        ([0.0, 1.0], (0, 1)),
        ([True, False], (False, True)),
        (["true", "false"], ("false", "true")),
        ([1.5, 0.5], (0.5, 1.5)),
        (pl.Series(["b", "a"], dtype=pl.Categorical), ("a", "b")),
        ([2**60, 2**60 + 1], (2**60, 2**60 + 1)),
    ],
)
def test_classes_keep_their_spelling(values, classes):
    series = pl.Series(list(values) * 10, dtype=getattr(values, "dtype", None))
    target = learned(series, task="classification")
    assert (target.task, target.classes) == ("classification", classes)
    codes = target.encode(series)
    assert codes.dtype == np.int64
    texts = as_texts(series).to_list()
    assert [as_text(label.item()) for label in target.restored(codes)] == texts
    stored = Target.from_json(json.loads(json.dumps(target.to_json())))
    assert stored == target


def test_class_numbers_of_a_new_file():
    target = learned(["0", "1"] * 10)
    np.testing.assert_array_equal(target.encode(pl.Series(["1.0", "0", None])), [1, 0, -1])
    np.testing.assert_array_equal(target.encode(pl.Series([1.0, 0.0])), [1, 0])
    with pytest.raises(TableError, match="'2' in 1 row, which did not occur in training; the classes are '0', '1'"):
        target.encode(pl.Series(["1", "2"]))
    with pytest.raises(TableError, match="'1'"):
        learned(["01", "02"] * 10).encode(pl.Series(["1"]))


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([f"{x:.3f}" for x in RANDOM.normal(size=50)], "regression"),
        ([f"${x:,.2f}" for x in RANDOM.uniform(1e4, 1e6, 50)], "regression"),
        ([f"{i % 17}%" for i in range(50)], "regression"),
        (list(range(50)), "regression"),
        ([i % 20 for i in range(100)], "classification"),
        ([1, 2, 3] * 40 + [7], "classification"),
        ([0] * 90 + [1] * 20 + [2, 2, 3, 5, 9], "regression"),  # counts of what is rare
        ([i % 20 for i in range(99)], "regression"),
        ([0, 1], "classification"),
        ([0.5, 1.5], "regression"),
        (["a", "b", "c"] * 3, "classification"),
        (["1.5", "2.5", "n.b.", "3.5", "4.5"] * 9, "regression"),
    ],
)
def test_the_task_is_recognised(values, task):
    assert learned(values).task == task


def test_amounts_are_scaled_and_restored():
    y = RANDOM.lognormal(10, 2, 500)
    target = learned([f"${x:,.2f}" for x in y])
    assert [scale.kind for scale in target.scales] == ["plain", "log"]
    assert target.unit == "$"
    texts = pl.Series([f"${x:,.2f}" for x in y])
    for scale in ("plain", "log"):
        chosen = target.with_scale(scale)
        z = chosen.encode(texts)
        assert z.dtype == np.float32
        np.testing.assert_allclose([z.mean(), z.std()], [0, 1], atol=1e-4)
        np.testing.assert_allclose(chosen.restored(z[:, None]), y.round(2), rtol=1e-3, atol=0.5)
        assert np.isfinite(chosen.restored(np.array([1e6, -1e6]))).all()
        assert Target.from_json(json.loads(json.dumps(chosen.to_json()))) == chosen
    log = (np.log(y) - np.log(y).mean()) / np.log(y).std()
    np.testing.assert_allclose(target.with_scale("log").encode(texts), log, atol=1e-3)
    with pytest.raises(SettingError, match="'plain'"):
        learned(RANDOM.normal(size=50)).with_scale("log")


def test_amounts_with_zeros_have_logarithms_too():
    counts = RANDOM.poisson(RANDOM.lognormal(1, 1.5, 300))
    target = learned(counts.tolist(), task="regression", scale="log")
    np.testing.assert_allclose(target.restored(target.encode(pl.Series(counts))), counts, atol=1e-3 * counts.max())


def test_a_missing_amount_stays_missing():
    assert np.isnan(learned(["1.5", "2.5", "NA", "4"] * 5).encode(pl.Series(["NA", None, "-"]))).all()


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        ([None, ""], {}, "has no values"),
        (["a", "a"], {}, "is 'a' in every row"),
        ([f"n{i}" for i in range(50)], {}, "50 different labels in 50 rows"),
        (list(range(60)), {"task": "classification"}, 'predict it as a number: task="regression"'),
        (["a", "b"], {"task": "regression"}, "holds text"),
        ([[1], [2]], {}, "not single values"),
        *[(days, {}, "holds times, such as 2024-05-1") for days in (DAYS, list(map(str, DAYS)))],
        (DAYS, {"task": "regression"}, "holds times"),
    ],
)
def test_what_cannot_be_predicted(values, settings, message):
    with pytest.raises(TableError, match=message):
        learned(values, **settings)


def test_infinity_is_no_class():
    target = learned([0.5, 1.0, np.inf, np.nan] * 10, task="classification")
    assert target.encode(pl.Series([1.0, np.inf, 0.5, -np.inf])).tolist() == [1, -1, 0, -1]


def test_times_are_classes_where_that_is_asked_for():
    for days in (DAYS, list(map(str, DAYS))):
        target = learned(days, task="classification")
        assert target.classes == ("2024-05-13", "2024-05-14", "2024-05-15", "2024-05-16")
        assert target.encode(pl.Series(days[:3])).tolist() == [0, 1, 2]


def test_an_unknown_task():
    with pytest.raises(SettingError, match="classification, regression"):
        learned([1, 2], task="ranking")


@pytest.mark.parametrize("learned", [[True, False], [1, 0], ["1", "0"], ["True", "False"], ["TRUE", "FALSE"]])
@pytest.mark.parametrize("asked", [[True, False], ["True", "False"], ["true", "FALSE"], [1, 0], ["1", "0"], [1.0, 0.0]])
def test_truth_values_are_the_same_labels_in_frames_and_files(learned, asked):
    target = learn_target(Table(pl.DataFrame({"y": learned * 10})), "y")
    if str(learned[0]).isalpha() and isinstance(learned[0], str) and asked[0] in (1, "1") and asked[0] is not True:
        with pytest.raises(TableError, match="did not occur in training"):  # texts are no numbers
            target.encode(pl.Series(asked))
    else:
        assert target.encode(pl.Series(asked)).tolist() == [1, 0]


def test_many_amounts_are_learned_like_few():
    """More amounts than there may be classes are not counted one by one, and are the same amounts."""
    amounts = np.round(np.random.default_rng(0).lognormal(8.0, 1.0, 2500), 2)
    for spelled in ([f"${x}" for x in amounts], amounts.tolist(), [str(x) for x in amounts]):
        found = learn_target(Table(pl.DataFrame({"price": [*spelled, None]})), "price")
        assert (found.task, found.classes, found.unit) == ("regression", (), "$" * str(spelled[0]).startswith("$"))
        plain, log = found.scales
        assert plain.mean == pytest.approx(amounts.mean())
        assert log.deviation == pytest.approx(np.log(amounts).std())
        assert f"{len(np.unique(amounts)):,} different numbers" in found.why
    with pytest.raises(TableError, match="too many to learn classes"):
        learn_target(Table(pl.DataFrame({"price": amounts})), "price", "classification")
