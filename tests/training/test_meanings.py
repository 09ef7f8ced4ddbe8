"""What targets, inputs and weights mean by their kinds: by value, never anew in silence, and dates never as numbers."""

from __future__ import annotations

import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import DataError, ShapeError
from chainrule.training import are_labels
from making import moons

X, Y = moons(30)
QUIET: dict[str, Any] = {"epochs": 1, "progress": False}


def fitted(y: Any, width: int = 1, **options: Any) -> cr.Network:
    network = cr.Network([cr.Dense(width)], dtype="float64")
    network.fit(X[: len(y)], y, **{**QUIET, **options})
    return network


# --- labels that have been learned stay


@pytest.mark.parametrize(
    ("before", "after", "width"),
    [
        (["hi", "lo"], ["hi", "aa"], 1),
        (["a", "b", "c"], ["b", "c", "d"], 3),
        ([0, 1], [1, 2], 1),
        ([0, 1, 2], [5, 6, 7], 3),
        ([0, 1], ["0", "1"], 1),
        (["0", "1"], [0, 1], 1),
        ([b"a", b"b"], ["a", "b"], 1),
        ([True, False], ["True", "False"], 1),
        ([0, 1], [0.0, 0.5], 1),
        ([0, 1], [0.0, 2.0], 1),
        (["a", "b"], [0.5, 1.5], 1),
        ([0.5, 1.5], ["a", "b"], 1),
        ([0.5, 1.5], [True, False], 1),
    ],
    ids=str,
)
def test_other_targets_are_refused(before: list[Any], after: list[Any], width: int) -> None:
    network = fitted(before * 3, width)
    known, parameters = network.classes, network.parameters["dense_0"]["weight"].copy()
    with pytest.raises(DataError, match=r"labels|values"):
        network.fit(X[: 3 * len(after)], after * 3, **QUIET)
    assert np.array_equal(network.classes, known) if known is not None else network.classes is None
    np.testing.assert_array_equal(network.parameters["dense_0"]["weight"], parameters)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([0, 1], [0.0, 1.0]),
        ([0, 1], [False, True]),
        ([False, True], [0, 1]),
        ([0.0, 1.0], [0, 1]),
        ([0, 1], np.array([0, 1], object)),
        ([0, 1], np.array([0, 1], np.uint8)),
        (["a", "b"], np.array(["a", "b"], object)),
        (np.array(["a", "b"], object), ["a", "b"]),
        (["a", "b"], pd.Categorical(["a", "b"])),
    ],
    ids=str,
)
def test_labels_of_another_dtype_are_the_same_by_value(before: Any, after: Any) -> None:
    """Learning goes on as if they had come in the first dtype."""
    loss = "binary_cross_entropy"
    first, again = np.asarray(before)[[0, 1] * 4], np.asarray(after)[[0, 1] * 4]
    one, other = fitted(first, loss=loss), fitted(first, loss=loss)
    one.fit(X[:8], again, **QUIET)
    other.fit(X[:8], first, **QUIET)
    np.testing.assert_array_equal(one.parameters["dense_0"]["weight"], other.parameters["dense_0"]["weight"])
    assert one.classes.tolist() == other.classes.tolist()
    assert one.classes.dtype == other.classes.dtype


def test_one_hot_rows_keep_the_labels() -> None:
    network = fitted(["a", "b", "c"] * 4, 3)
    network.fit(X[:3], np.eye(3), loss="cross_entropy", **QUIET)
    assert network.classes.tolist() == ["a", "b", "c"]


def test_what_outputs_mean_can_be_forgotten_or_said_anew() -> None:
    network = fitted(["a", "b"] * 4)
    network.fit(X[:4], [0.5, 1.0, 1.5, 2.0], loss="squared_error", **QUIET)
    assert network.classes is None
    network.meanings = ()
    network.fit(X[:4], ["c", "d"] * 2, **QUIET)
    assert network.classes.tolist() == ["c", "d"]


# --- a label alone


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "hinge"])
@pytest.mark.parametrize("label", [0, 1, -1, True, False, 1.0, 0.0, np.uint8(1), np.float32(-1)], ids=repr)
def test_a_label_alone_means_what_it_says(label: Any, loss: str) -> None:
    """The gradient is that of the same row beside one of the other label with weight 0, and of the formula by hand."""
    high = label == 1
    x = np.array([[0.4, -0.7]])
    network = cr.Network([cr.Dense(1, weight=[[0.3], [-0.2]])], dtype="float64").build(2)
    z = 0.4 * 0.3 + 0.7 * 0.2
    by_z = 1 / (1 + np.exp(-z)) - high if loss == "binary_cross_entropy" else (-1.0 if high else 1.0)
    expected = by_z * x.T
    np.testing.assert_allclose(network.gradients(x, [label], loss=loss)["dense_0"]["weight"], expected, rtol=1e-12)
    step = network.step_by_step(x, [label], loss=loss, optimizer=cr.SGD(1.0))
    np.testing.assert_allclose(step.update.after["dense_0"]["weight"], [[0.3], [-0.2]] - expected, rtol=1e-12)
    network.fit(x, [label], loss=loss, optimizer=cr.SGD(1.0), **QUIET)
    np.testing.assert_allclose(network.parameters["dense_0"]["weight"], [[0.3], [-0.2]] - expected, rtol=1e-12)
    network.fit(np.repeat(x, 8, 0), [label] * 8, loss=loss, optimizer=cr.SGD(1.0), epochs=50, progress=False)
    assert network.predict(x).tolist() == [label]
    assert network.evaluate(x, [label])["accuracy"] == 1.0


@pytest.mark.parametrize("label", ["yes", 5, 0.0 + 7, b"x"], ids=repr)
def test_a_label_alone_that_says_nothing_is_refused(label: Any) -> None:
    with pytest.raises(DataError, match="single label"):
        fitted([label] * 4, loss="binary_cross_entropy")


def test_more_outputs_than_labels_seen() -> None:
    assert fitted([0, 2], 3).classes.tolist() == [0, 1, 2]
    assert fitted([True], 2).classes.tolist() == [False, True]
    assert fitted([2.0, 0.0], 3, loss="cross_entropy").classes.tolist() == [0.0, 1.0, 2.0]


# --- dtypes


@pytest.mark.parametrize(
    ("y", "labels"),
    [
        (np.array([1, 2.5], object), False),
        (np.array([np.float32(1.5), np.float32(2)], object), False),
        (np.array([Decimal("1.5"), Decimal(2)], object), False),
        ([Decimal(1), Decimal(2)], False),
        ([Fraction(1, 3), Fraction(2, 3)], False),
        (np.array([np.int8(1), 2], object), True),
        (np.array([True, False], object), True),
        (pd.Series([1, 2], dtype="Int64"), True),
        (pd.Series([1.5, 2], dtype="Float64"), False),
        (pl.Series([1, 2]), True),
        (pl.Series([1.5, 2.0]), False),
        (np.ma.masked_array([1, 2], [False, False]), True),
        (pd.DataFrame({"y": [1.5, 2]}).values.astype(object), False),
    ],
    ids=str,
)
def test_objects_are_what_they_hold(y: Any, labels: bool) -> None:
    """A list of them would be the same numbers."""
    assert are_labels(y) is labels
    numbers = np.array([float(v) for v in np.asarray(y).ravel()])
    one, other = fitted(y, loss="squared_error"), fitted(numbers, loss="squared_error")
    np.testing.assert_array_equal(one.parameters["dense_0"]["weight"], other.parameters["dense_0"]["weight"])


@pytest.mark.parametrize(
    "y",
    [
        np.ma.masked_array([1.0, 2.0], [True, False]),
        np.ma.masked_array([1, 0], [True, False]),
        np.ma.masked_array(["a", "b"], [True, False]),
        [1.5, None],
        pd.Series([1, None], dtype="Int64"),
    ],
    ids=str,
)
def test_masks_and_missing_values_in_y_are_refused(y: Any) -> None:
    with pytest.raises(DataError, match=r"missing|NaN"):
        fitted(y)


DATES: dict[str, Any] = {
    "datetime64": np.array(["2020-01-01", "2020-01-02"], "datetime64[ns]"),
    "NaT": np.array(["NaT", "2020-01-02"], "datetime64[s]"),
    "timedelta64": np.array([1, 2], "timedelta64[s]"),
    "dates": np.array([datetime.date(2020, 1, 1)] * 2, object),
    "timedeltas": [datetime.timedelta(1), datetime.timedelta(2)],
    "pandas": pd.Series(pd.to_datetime(["2020-01-01", "2020-01-02"])),
    "pandas period": pd.Series(pd.period_range("2020", periods=2, freq="D")),
    "polars": pl.Series([datetime.datetime(2020, 1, 1)] * 2),
    "polars date": pl.Series([datetime.date(2020, 1, 1)] * 2),
    "polars duration": pl.Series([datetime.timedelta(1)] * 2),
    "masked": np.ma.masked_array(np.array([1, 2], "datetime64[s]"), [True, False]),
}


@pytest.mark.parametrize("kind", DATES)
def test_dates_are_no_numbers(kind: str) -> None:
    dates = DATES[kind]
    network = fitted([0.5, 1.5])
    remedy = "dates or times.*days since the first"
    for use in (
        lambda: fitted(dates, loss="squared_error"),
        lambda: network.evaluate(X[:2], dates),
        lambda: network.fit(X[:2], [0.5, 1.5], sample_weight=dates, **QUIET),
        lambda: network.fit(X[:2], [0.5, 1.5], validation_data=(X[:2], dates), **QUIET),
        lambda: cr.Network([cr.Dense(1)]).fit(np.asarray(dates)[:, None], [0.5, 1.5], **QUIET),
        lambda: cr.Perceptron().fit(np.asarray(dates)[:, None], [0, 1]),
    ):
        with pytest.raises(DataError, match=remedy):
            use()


def test_a_mark_of_no_value_among_numbers_is_no_date() -> None:
    with pytest.raises(DataError, match="y has 1 NaN"):
        cr.Network([cr.Dense(1)]).fit(X[:2], np.array([0.5, pd.NaT], object), **QUIET)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("value", [datetime.datetime(2020, 1, 1), datetime.timedelta(1)])
def test_dates_in_frames_are_named_by_their_column(frame: Any, value: Any) -> None:
    given = frame({"a": [1.0, 2.0], "when": [value] * 2})
    for use in (
        lambda: cr.Network([cr.Dense(1)]).fit(given, [0.5, 1.5], **QUIET),
        lambda: fitted([0, 1]).predict(given),
    ):
        with pytest.raises(DataError, match="dates or times in column when"):
            use()


def test_float_labels_and_one_hot_rows() -> None:
    with pytest.raises(ShapeError, match=r"one column of real numbers.*astype\(int\).*cross_entropy"):
        fitted([0.0, 1.0, 2.0], 3)
    network = cr.Network([cr.Dense(3, "softmax")])
    network.fit(X[:3], np.eye(3), **QUIET)
    assert type(network.meanings[0].head.loss).__name__ == "CrossEntropy"
    assert network.predict(X).shape == (30,)
    with pytest.warns(UserWarning, match="loss='cross_entropy'") as caught:
        plain = fitted(np.eye(3), 3)
    assert type(plain.meanings[0].head.loss).__name__ == "SquaredError"
    assert caught[0].filename == __file__


def test_columns_of_yes_and_no_are_labels() -> None:
    several = fitted([[True, False, True], [False, False, True], [True, True, True]], 3)
    assert type(several.meanings[0].head.loss).__name__ == "BinaryCrossEntropy"
    one_each = fitted(np.eye(3) > 0, 3)
    assert type(one_each.meanings[0].head.loss).__name__ == "CrossEntropy"


def test_messages_stay_short() -> None:
    with pytest.raises(DataError, match="of a dict of columns make a frame") as caught:
        cr.Network([cr.Dense(1)]).fit({"a": list(range(100_000))}, [1.0], **QUIET)
    assert len(str(caught.value)) < 400


# --- columns of frames


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_are_matched_by_name(frame: Any, tmp_path: Path) -> None:
    given, turned = frame({"a": X[:, 0], "b": X[:, 1]}), frame({"b": X[:, 1], "a": X[:, 0]})
    network = cr.Network([cr.Dense(4, "tanh"), cr.Dense(2)])
    network.fit(given, Y, **QUIET)
    network.save(tmp_path / "n.safetensors")
    for known in (network, cr.load(tmp_path / "n.safetensors")):
        assert known.columns == {"x": ("a", "b")}
        np.testing.assert_array_equal(known.predict_proba(turned), known.predict_proba(X))
        np.testing.assert_array_equal(known.compiled()(turned), known.compiled()(X))
        assert known.evaluate(turned, Y) == known.evaluate(X, Y)
        np.testing.assert_array_equal(known.forward(turned).outputs, known.forward(given).outputs)
        for wrong, words in (
            (frame({"a": X[:, 0], "c": X[:, 1]}), "lacks 'b' and it has 'c' besides"),
            (frame({"a": X[:, 0]}), "lacks 'b'"),
            (frame({"a": X[:, 0], "b": X[:, 1], "d": X[:, 1]}), "has 'd' besides"),
        ):
            with pytest.raises(DataError, match=words):
                known.predict(wrong)
    one, other = (cr.Network([cr.Dense(2)]) for _ in range(2))
    for net, second in ((one, turned), (other, given)):
        net.fit(given, Y, **QUIET)
        net.fit(second, Y, validation_data=(second, Y), **QUIET)
    np.testing.assert_array_equal(one.parameters["dense_0"]["weight"], other.parameters["dense_0"]["weight"])
