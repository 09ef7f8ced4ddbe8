"""Data as people have them: labels of any kind, tables, lists, files on disk; and what is refused, with a reason."""

from __future__ import annotations

import datetime
import enum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import DataError, SettingError, ShapeError
from chainrule.training import are_labels
from making import moons

X, CLASS_INDICES = moons(30)
THREE = np.random.default_rng(1).permutation(np.arange(30) % 3)


def network(width: int = 3, **options: Any) -> cr.Network:
    return cr.Network([cr.Dense(8, "tanh"), cr.Dense(width)], **options)


def fitted(y: Any, width: int = 3, **options: Any) -> cr.Network:
    made = network(width)
    made.fit(X, y, **{"epochs": 3, "progress": False, **options})
    return made


LABELS: dict[str, Any] = {
    "integers with gaps": np.array([7, -2, 100])[THREE],
    "integers from 1": THREE + 1,
    "unsigned": THREE.astype(np.uint8),
    "list of integers": THREE.tolist(),
    "text": np.array(["ox", "ass", "bee"])[THREE],
    "list of text": [["ox", "ass", "bee"][i] for i in THREE],
    "objects": np.array(["ox", "ass", "bee"], object)[THREE],
    "bytes": np.array([b"ox", b"ass", b"bee"])[THREE],
    "one column of text": np.array(["ox", "ass", "bee"])[THREE][:, None],
    "categorical": pd.Categorical.from_codes(THREE, ["ox", "ass", "bee"]),
    "categorical series": pd.Series(pd.Categorical.from_codes(THREE, ["ox", "ass", "bee"])),
    "pandas text": pd.Series(np.array(["ox", "ass", "bee"])[THREE]),
    "pandas frame": pd.DataFrame({"kind": np.array(["ox", "ass", "bee"])[THREE]}),
    "pandas integers": pd.Series(THREE * 5, index=np.arange(30)[::-1]),
    "polars text": pl.Series(["ox", "ass", "bee"]).gather(THREE.tolist()),
    "polars frame": pl.DataFrame({"kind": [["ox", "ass", "bee"][i] for i in THREE]}),
    "polars categorical": pl.Series([["ox", "ass", "bee"][i] for i in THREE], dtype=pl.Categorical),
    "variable text": np.array(["ox", "ass", "bee"], np.dtypes.StringDType())[THREE],
}


@pytest.mark.parametrize("kind", LABELS)
class TestLabels:
    def test_learned_and_given_back(self, kind: str) -> None:
        y = LABELS[kind]
        made = fitted(y, epochs=200, optimizer=cr.Adam(0.05))
        expected = np.asarray(y).reshape(30)
        assert made.history is not None
        assert "accuracy" in made.history
        predicted = made.predict(X)
        assert predicted.shape == (30,)
        assert set(predicted.tolist()) <= set(expected.tolist())
        agreement = float(np.mean([a == b for a, b in zip(predicted.tolist(), expected.tolist(), strict=True)]))
        assert made.evaluate(X, y)["accuracy"] == pytest.approx(agreement, abs=1e-6)
        assert agreement > 0.6

    def test_probabilities_in_the_order_of_classes(self, kind: str) -> None:
        made = fitted(LABELS[kind])
        proba = made.predict_proba(X)
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
        assert (made.classes[proba.argmax(axis=1)] == made.predict(X)).all()

    def test_saved_and_loaded(self, kind: str, tmp_path: Path) -> None:
        made = fitted(LABELS[kind])
        made.save(tmp_path / "m.safetensors")
        loaded = cr.load(tmp_path / "m.safetensors")
        assert (loaded.predict(X) == made.predict(X)).all()
        assert loaded.evaluate(X, LABELS[kind]) == made.evaluate(X, LABELS[kind])


def test_labels_of_mixed_kinds_become_text() -> None:
    made = fitted([[1, "a", 2.5][i] for i in THREE])
    assert made.classes.tolist() == ["1", "2.5", "a"]


def test_objects_of_different_kinds_stay_the_labels_they_are() -> None:
    made = fitted(np.array(["1", 1, 2.5], object)[THREE])
    assert made.classes.tolist() == [1, "1", 2.5]
    assert [type(v) for v in made.classes] == [int, str, float]
    assert made.meanings[0].classes is not None
    rows = made.predict_proba(X).argmax(axis=1)
    assert made.predict(X).tolist() == [made.classes[i] for i in rows]


def test_labels_that_cannot_be_saved_are_said(tmp_path: Path) -> None:
    made = fitted([datetime.date(2020, 1, 1 + i) for i in THREE])
    assert set(made.predict(X)) <= {datetime.date(2020, 1, 1 + i) for i in range(3)}
    with pytest.raises(SettingError, match="labels are date objects"):
        made.save(tmp_path / "m.safetensors")


TWO: dict[str, Any] = {
    "integers": CLASS_INDICES,
    "booleans": CLASS_INDICES == 1,
    "list of booleans": (CLASS_INDICES == 1).tolist(),
    "text": np.where(CLASS_INDICES == 1, "yes", "no"),
    "plus and minus one": 2 * CLASS_INDICES - 1,
    "pandas booleans": pd.Series(CLASS_INDICES == 1),
    "one column": CLASS_INDICES[:, None],
}


@pytest.mark.parametrize("kind", TWO)
@pytest.mark.parametrize("loss", [None, "binary_cross_entropy", "hinge"])
def test_two_labels_with_one_output(kind: str, loss: str | None) -> None:
    y = TWO[kind]
    made = fitted(y, width=1, loss=loss, epochs=300, optimizer=cr.Adam(0.05))
    expected = np.asarray(y).reshape(30)
    assert (made.predict(X) == expected).mean() > 0.9
    assert made.predict(X).dtype == expected.dtype
    assert made.evaluate(X, y)["accuracy"] == pytest.approx((made.predict(X) == expected).mean(), abs=1e-6)
    if loss != "hinge":
        proba = made.predict_proba(X)
        assert proba.shape == (30, 2)
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_allclose(proba[:, 1], 1 / (1 + np.exp(-made(X)[:, 0])), rtol=1e-5)
        assert ((proba[:, 1] > 0.5) == (made(X)[:, 0] > 0)).all()


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "hinge", "squared_error", "kl_divergence"])
def test_labels_and_one_hot_rows_learn_the_same(loss: str) -> None:
    by_label, by_row = network(dtype="float64"), network(dtype="float64")
    options: dict[str, Any] = {"loss": loss, "epochs": 5, "progress": False}
    a = by_label.fit(X, THREE, **options)
    b = by_row.fit(X, np.eye(3)[THREE], **options)
    np.testing.assert_allclose(a["loss"], b["loss"], rtol=1e-12)
    for layer, own in by_label.parameters.items():
        for name, value in own.items():
            np.testing.assert_allclose(value, by_row.parameters[layer][name], rtol=1e-10, atol=1e-13)


def test_several_yes_or_no_labels_at_once() -> None:
    y = np.c_[X[:, 0] > 0, X[:, 1] > 0, X.sum(axis=1) > 0].astype(int)
    made = fitted(y, loss="binary_cross_entropy", epochs=300, optimizer=cr.Adam(0.05))
    assert made.predict(X).shape == (30, 3)
    assert (made.predict(X) == y).mean() > 0.95
    assert made.predict_proba(X).shape == (30, 3)


def test_shares_as_targets() -> None:
    shares = np.random.default_rng(0).dirichlet([1, 1, 1], 30)
    for loss in ("cross_entropy", "kl_divergence"):
        made = fitted(shares, loss=loss, epochs=200, optimizer=cr.Adam(0.05))
        np.testing.assert_allclose(made.predict_proba(X).sum(axis=1), 1, rtol=1e-5)
    soft = fitted(np.linspace(0.1, 0.9, 30), width=1, loss="binary_cross_entropy")
    assert np.isfinite(soft.history["loss"]).all()  # type: ignore[index]


def test_counts_are_predicted_as_rates() -> None:
    x = np.random.default_rng(0).normal(size=(2000, 1))
    counts = np.random.default_rng(1).poisson(np.exp(0.5 * x + 1))
    made = cr.Network([cr.Dense(1)], dtype="float64")
    made.fit(x, counts, loss="poisson", epochs=60, optimizer=cr.Adam(0.03), progress=False)
    assert float(made.parameters["dense_0"]["weight"][0, 0]) == pytest.approx(0.5, abs=0.06)
    np.testing.assert_allclose(made.predict(x), np.exp(made(x)), rtol=1e-9)


def test_values_come_back_in_the_shape_they_were_given() -> None:
    assert fitted(X[:, 0], width=1).predict(X).shape == (30,)
    assert fitted(X[:, :1], width=1).predict(X).shape == (30, 1)
    assert fitted(np.c_[X, X[:, :1]]).predict(X).shape == (30, 3)


def test_which_targets_are_labels() -> None:
    for y in (
        CLASS_INDICES,
        CLASS_INDICES == 1,
        ["a", "b"],
        np.array([[1], [2]]),
        pd.Series(["a"]),
        np.array(["a", "b"], object),
    ):
        assert are_labels(y)
    for y in ([0.5, 1.5], np.ones((3, 2)), np.array([1.0, 2.0], object), np.array([[1, 0], [0, 1]])):
        assert not are_labels(y)


class TestInputs:
    expected = network().build(2)

    @pytest.mark.parametrize(
        "given",
        [
            X,
            X.tolist(),
            X.astype(np.float32),
            np.asfortranarray(X),
            X[:, ::-1][:, ::-1],
            pd.DataFrame(X, columns=["a", "b"]),
            pd.DataFrame({"a": X[:, 0], "b": X[:, 1]}, index=list("xyz") * 10),
            pl.DataFrame(X, schema=["a", "b"]),
            {"x": X},
        ],
        ids=lambda x: type(x).__name__,
    )
    def test_all_the_same(self, given: Any) -> None:
        np.testing.assert_allclose(self.expected.predict(given), self.expected(X), rtol=1e-6)
        learned = network()
        learned.fit(given, THREE, epochs=1, progress=False)
        assert learned.predict(given).shape == (30,)

    def test_integers_and_booleans(self) -> None:
        for given in (np.ones((4, 2), int), np.ones((4, 2), bool), np.ones((4, 2), np.uint8)):
            np.testing.assert_allclose(self.expected(given), self.expected(np.ones((4, 2))))

    @pytest.mark.parametrize("kind", ["float32", "float64", "int16", "uint8"])
    def test_files_on_disk(self, kind: str, tmp_path: Path) -> None:
        whole = np.random.default_rng(0).integers(0, 100, (30, 2)).astype(kind)
        on_disk = np.memmap(tmp_path / "x.bin", kind, "w+", shape=(30, 2))
        on_disk[:] = whole
        learned, expected = network(), network()
        options: dict[str, Any] = {"epochs": 3, "progress": False, "validation_split": 0.2}
        a, b = learned.fit(on_disk, THREE, **options), expected.fit(whole, THREE, **options)
        assert a["loss"] == b["loss"]
        assert a["val_loss"] == b["val_loss"]
        assert np.array_equal(learned(on_disk), expected(whole))
        assert learned.parameters["dense_0"]["weight"].dtype == np.float32
        assert learned.evaluate(on_disk, THREE) == expected.evaluate(whole, THREE)

    def test_images(self) -> None:
        images = np.random.default_rng(0).normal(size=(12, 4, 3))
        made = cr.Network([cr.Flatten(), cr.Dense(2)])
        made.fit(images, [0, 1] * 6, epochs=2, progress=False)
        assert made.predict(images).shape == (12,)
        with pytest.raises(ShapeError, match=r"\(12, 12\).*\(4, 3\)"):
            made.predict(images.reshape(12, 12))

    def test_one_row(self) -> None:
        assert self.expected.predict(X[:1]).shape == (1, 3)


class TestRefusals:
    """Each message says what was given, what was expected, and what to do."""

    @pytest.mark.parametrize(
        ("given", "error", "words"),
        [
            (X[:, 0], ShapeError, r"\(30,\).*\(rows, features\).*X\[:, None\]"),
            (np.float64(3.0), ShapeError, r"\(rows, features\)"),
            (X[:0], DataError, r"empty.*\(0, 2\)"),
            (np.empty((30, 0)), DataError, r"empty.*\(30, 0\)"),
            (np.where(X > 1, np.nan, X), DataError, r"NaN or infinite.*first \(nan\) in row \d+, column \d.*Remove"),
            (np.where(X[3] == X, np.inf, X), DataError, r"2 NaN or infinite values.*row 3, column 0"),
            (X * 1e300, DataError, r"too large for float32.*dtype='float64'"),
            (X + 1j, DataError, "complex"),
            ([["a", "b"]] * 30, DataError, r"no numbers.*columns 0, 1.*cr.TableModel"),
            ([[1, 2], [3]], ShapeError, "rows of different lengths"),
            (pd.DataFrame({"age": X[:, 0], "city": ["Rome"] * 30}), DataError, r"no numbers.*column city"),
            (pd.DataFrame({"age": [None, *X[1:, 0]], "b": 1.0}), DataError, r"row 0, column age"),
            (pl.DataFrame({"age": [None, *X[1:, 0].tolist()], "b": 1.0}), DataError, r"row 0, column age"),
            ([[None, 1.0]] * 30, DataError, "NaN"),
            (pd.DataFrame({"age": pd.array([1, None] * 15, dtype="Int64"), "b": 1.0}), DataError, r"row 1, column age"),
            (np.ma.masked_array(X, X > 1), DataError, "NaN or infinite"),
            (None, DataError, "X"),
            ("data.csv", DataError, "X"),
        ],
        ids=lambda x: str(x)[:20] if isinstance(x, str) else "",
    )
    def test_inputs(self, given: Any, error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words):
            network().fit(given, THREE, progress=False)

    @pytest.mark.parametrize(
        ("y", "width", "options", "error", "words"),
        [
            (THREE[:29], 3, {}, DataError, "29 rows and X has 30"),
            (3, 3, {}, DataError, "no rows"),
            ([], 3, {}, DataError, "0 rows and X has 30"),
            (THREE, 2, {}, DataError, r"3 classes.*2 outputs.*Dense\(3\)"),
            (THREE, 1, {}, ShapeError, r"3 classes.*one output.*Dense\(3\)"),
            (np.arange(30), 1, {}, ShapeError, r"30 classes.*loss='squared_error'"),
            (CLASS_INDICES * 5, 3, {}, DataError, r"2 classes.*3 outputs"),
            ([None] * 30, 3, {}, DataError, "missing labels"),
            ([{"a": 1}] * 30, 3, {}, DataError, "{'a': 1} among its labels"),
            ([*["a", None, float("nan")] * 10], 3, {}, DataError, "missing labels"),
            (np.full(30, np.nan), 1, {}, DataError, "NaN"),
            (np.full(30, np.nan), 1, {"loss": "binary_cross_entropy"}, DataError, "NaN"),
            (["a"] * 30, 1, {"loss": "squared_error"}, DataError, "needs numbers"),
            (X, 3, {}, ShapeError, r"2 columns.*3 outputs.*Dense\(2\)"),
            (np.ones((30, 3, 3)), 3, {}, ShapeError, r"\(30, 3, 3\).*one row of 3 values"),
            (pd.Series([1, None] * 15, dtype="Int64"), 2, {"loss": "cross_entropy"}, DataError, "NaN|missing"),
            (pd.Series(["a", None] * 15), 2, {}, DataError, "missing labels"),
            (pd.Categorical(["a", None] * 15), 2, {}, DataError, "missing labels"),
            (X, 2, {"loss": "cross_entropy"}, DataError, r"outside 0 … 1"),
            (np.ones((30, 2)), 2, {"loss": "cross_entropy"}, DataError, r"rows.*sum to 1.*binary_cross_entropy"),
            (np.ones((30, 2)), 2, {"loss": "kl_divergence"}, DataError, "sum to 1"),
            (np.tile([-1.0, 2.0], (30, 1)), 2, {"loss": "kl_divergence"}, DataError, r"outside 0 … 1; KLDivergence"),
            (np.tile([0.5, 1.0], 15), 1, {"loss": "hinge"}, DataError, r"y has 0\.5; Hinge needs −1 and 1"),
            (np.tile([1.0, 1.0, 0.0], (30, 1)), 3, {"loss": "hinge"}, DataError, "not a single column is positive"),
            (np.zeros((30, 3)), 3, {"loss": "hinge"}, DataError, "not a single column is positive"),
            (-np.ones((30, 1)), 1, {"loss": "poisson"}, DataError, "negative.*Poisson"),
            (CLASS_INDICES, 1, {"loss": "cross_entropy"}, SettingError, "binary_cross_entropy"),
        ],
        ids=lambda x: x[:25] if isinstance(x, str) else "",
    )
    def test_targets(self, y: Any, width: int, options: Any, error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words):
            network(width).fit(X, y, progress=False, **options)

    def test_a_refused_fit_leaves_the_network_as_it_was(self) -> None:
        made = fitted(THREE)
        before, labels = made(X), made.predict(X)
        with pytest.raises(DataError):
            made.fit(X, THREE[:5], progress=False)
        assert np.array_equal(made(X), before)
        assert np.array_equal(made.predict(X), labels)

    def test_labels_keep_their_places_when_training_goes_on(self) -> None:
        made = fitted(np.array(["a", "b", "c"])[THREE])
        made.fit(X[:4], ["c", "b", "c", "b"], epochs=1, progress=False)
        assert made.classes.tolist() == ["a", "b", "c"]
        one = fitted(CLASS_INDICES, width=1)
        one.fit(X[:4], [1, 1, 1, 1], epochs=200, optimizer=cr.Adam(0.1), progress=False)
        assert one.predict(X[:4]).tolist() == [1, 1, 1, 1]
        with pytest.raises(DataError, match=r"not learned: \['no', 'yes'\].*It knows only \[0, 1\].*new network"):
            one.fit(X, np.where(CLASS_INDICES, "yes", "no"), epochs=1, progress=False)
        assert one.classes.tolist() == [0, 1]

    def test_labels_without_an_order_are_ordered_as_text(self) -> None:
        kinds = list(enum.Enum("Kind", ["C", "B", "A"]))
        made = fitted(np.array(kinds, object)[THREE])
        assert made.classes.tolist() == kinds[::-1]
        assert set(made.predict(X).tolist()) <= set(kinds)

    def test_evaluation_refuses_unknown_labels(self) -> None:
        with pytest.raises(DataError, match=r"has not learned: \[9\].*It knows"):
            fitted(THREE).evaluate(X, np.full(30, 9))
