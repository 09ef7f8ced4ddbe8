"""`TableClassifier` and `TableRegressor`: tables of any columns, labels of any kind, and what scikit-learn's users do with them."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import chainrule as cr
from chainrule.errors import DataError
from chainrule.sklearn import TableClassifier, TableRegressor
from chainrule.tables import TableError

SMALL: dict[str, Any] = {
    "recipe": cr.Recipe(hidden=(16,), width=0, dropout=0.0, learning_rate=0.02),
    "epochs": 40,
    "folds": 2,
    "search": False,
    "random_state": 0,
}
ROWS = 90
RANDOM = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "size": RANDOM.normal(size=ROWS),
        "town": pd.Categorical(RANDOM.choice(["Rome", "Oslo", "Bern"], ROWS)),
        "open": RANDOM.choice([True, False], ROWS),
        "day": pd.date_range("2024-01-01", periods=ROWS, freq="11D"),
        "gap": np.where(RANDOM.random(ROWS) < 0.2, np.nan, RANDOM.normal(size=ROWS)),
        "price": [f"${x:,.2f}" for x in RANDOM.uniform(100, 9999, ROWS)],
    },
    index=[f"row {i}" for i in range(ROWS)],
)
LABELS = np.where(X["size"] + (X["town"] == "Rome") > 0.3, "yes", "no")
AMOUNTS = 100.0 + 3.0 * X["size"].to_numpy() + 2.0 * (X["town"] == "Oslo").to_numpy()


@pytest.fixture(scope="module")
def classifier() -> Any:
    return TableClassifier(**SMALL).fit(X, LABELS)


@pytest.fixture(scope="module")
def regressor() -> Any:
    return TableRegressor(**SMALL).fit(X, pd.Series(AMOUNTS, name="rent"))


def test_frames_need_no_preparation(classifier: Any, regressor: Any) -> None:
    assert classifier.model_.columns == regressor.model_.columns == tuple(X.columns)
    assert classifier.feature_names_in_.tolist() == list(X.columns)
    assert (classifier.classes_.tolist(), regressor.model_.target) == (["no", "yes"], "rent")
    assert classifier.score(X, LABELS) > 0.95
    assert regressor.score(X, AMOUNTS) > 0.95


@pytest.mark.parametrize(
    "given",
    [pl.DataFrame({name: X[name].to_list() for name in X}), X.to_numpy(object), X.to_numpy(object).tolist()],
    ids=["polars", "objects", "lists"],
)
def test_the_same_table_in_other_forms(given: Any, classifier: Any) -> None:
    said = clone(classifier).fit(given, LABELS).predict_proba(given)
    assert (said.argmax(axis=1) == classifier.predict_proba(X).argmax(axis=1)).mean() > 0.95


def test_predictions_are_those_of_the_model(classifier: Any, regressor: Any) -> None:
    np.testing.assert_allclose(classifier.predict_proba(X), classifier.model_.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(regressor.predict(X), regressor.model_.predict(X), rtol=1e-6)
    np.testing.assert_allclose(np.exp(classifier.predict_log_proba(X)), classifier.predict_proba(X))
    assert {part.column for part in regressor.model_.explain(X.iloc[0].to_dict()).parts} == set(X.columns)


@pytest.mark.parametrize(
    "labels",
    [
        ["NA", "b"], ["", "x"], [" a", "a"], ["1", "2"], ["01", "1"], ["10", "9"], ["a10", "a9"], [False, True],
        ["False", "True"], [9, 10], [-1, 1], [1.0, 2.0], ["?", "x"],
    ],
    ids=str,
)  # fmt: skip
def test_labels_come_back_as_they_were(labels: list[Any], classifier: Any) -> None:
    y = np.array(labels)[(LABELS == "yes").astype(int)]
    own = clone(classifier).fit(X, y)
    assert own.classes_.tolist() == sorted(labels)
    assert own.predict(X).dtype == y.dtype
    assert own.score(X, y) > 0.95
    assert own.out_of_fold_score_ == ((own.classes_[own.out_of_fold_proba_.argmax(axis=1)] == y).mean())


def test_rows_held_out(classifier: Any, regressor: Any) -> None:
    """What is kept of them is what a cross-validation with these folds would say: worse than of rows learned from."""
    assert not np.isnan(classifier.out_of_fold_proba_).any()
    assert 0.6 < classifier.out_of_fold_score_ <= classifier.score(X, LABELS)
    assert 0.5 < regressor.out_of_fold_score_ < regressor.score(X, AMOUNTS)
    dropped = clone(regressor).set_params(missing="drop").fit(X, AMOUNTS)
    np.testing.assert_array_equal(np.isnan(dropped.out_of_fold_prediction_), X["gap"].isna())
    assert np.isfinite(dropped.predict(X)).all()


def test_weights_and_groups(regressor: Any) -> None:
    weights = np.arange(ROWS) % 3
    own = clone(regressor).fit(X, AMOUNTS, weights, groups=[f"group {i // 5}" for i in range(ROWS)])
    np.testing.assert_array_equal(np.isnan(own.out_of_fold_prediction_), weights == 0)
    fold = own.model_.out_of_fold.fold
    assert len(fold) == (weights > 0).sum()
    group = np.flatnonzero(weights)[own.model_.held_rows] // 5
    assert all(len(set(fold[group == g])) == 1 for g in range(18))
    alone = clone(regressor).fit(X[weights > 0], AMOUNTS[weights > 0])
    with_zeros = clone(regressor).fit(X, AMOUNTS, (weights > 0).astype(float))
    np.testing.assert_allclose(with_zeros.predict(X), alone.predict(X), rtol=1e-4)
    for wrong in (-np.ones(ROWS), np.ones(3)):
        with pytest.raises(ValueError, match="sample_weight"):
            clone(regressor).fit(X, AMOUNTS, wrong)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        clone(regressor).fit(X, AMOUNTS, groups=[1, 2])


def test_the_same_random_state_gives_the_same_bits(classifier: Any) -> None:
    again = clone(classifier).set_params(threads=1).fit(X, LABELS)
    assert np.array_equal(again.predict_proba(X), classifier.predict_proba(X))
    other = clone(classifier).set_params(random_state=1).fit(X, LABELS)
    assert not np.array_equal(other.predict_proba(X), classifier.predict_proba(X))


def test_pickles(classifier: Any, regressor: Any) -> None:
    for fitted in (classifier, regressor):
        fitted.predict(X)
        assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), fitted.predict(X))
    assert np.array_equal(pickle.loads(pickle.dumps(classifier.model_)).predict(X), classifier.predict(X))


def test_searches_and_pipelines(classifier: Any, regressor: Any) -> None:
    search = GridSearchCV(classifier, {"recipe__learning_rate": [1e-6, 0.02], "class_weight": ["balanced"]}, cv=2).fit(
        X, LABELS
    )
    assert search.best_params_["recipe__learning_rate"] == 0.02
    pipeline = make_pipeline(FunctionTransformer(lambda frame: frame.drop(columns="price")), clone(regressor))
    assert np.corrcoef(cross_val_predict(pipeline, X, AMOUNTS, cv=2), AMOUNTS)[0, 1] > 0.7
    assert TableClassifier().set_params(recipe__dropout=0.5).recipe == cr.Recipe(dropout=0.5)
    with pytest.raises(ValueError, match="recipe__dropout"):
        TableClassifier().set_params(recipe__drop_out=0.5)


@pytest.mark.parametrize("rows", [2, 3, 5, 10])
def test_few_rows(rows: int, classifier: Any, regressor: Any) -> None:
    labels = ["a", "b", "a", "b", "b"] * 2
    own = clone(classifier).fit(X[:rows], labels[:rows])
    assert set(own.predict(X[:rows])) <= {"a", "b"}
    assert np.isnan(own.out_of_fold_score_)
    amounts = clone(regressor).fit(X[:rows], AMOUNTS[:rows])
    assert np.isfinite(amounts.predict(X)).all()
    assert np.isnan(amounts.out_of_fold_prediction_).all()


def test_what_says_nothing_gives_the_same_answer_always(classifier: Any, regressor: Any) -> None:
    same = np.ones((ROWS, 2))
    with pytest.warns(UserWarning, match="all columns of X hold one value only"):
        own = clone(classifier).fit(same, LABELS)
    np.testing.assert_allclose(own.predict_proba(same[:1])[0], [(LABELS == "no").mean(), (LABELS == "yes").mean()])
    with pytest.warns(UserWarning, match="always predicts the same"):
        assert clone(regressor).fit(same, AMOUNTS).predict(same[:1])[0] == pytest.approx(AMOUNTS.mean())
    with pytest.warns(UserWarning, match="y holds one value only"):
        constant = clone(regressor).fit(X, np.full(ROWS, 3.5))
    assert constant.predict(X).tolist() == [3.5] * ROWS
    assert (constant.model_, constant.score(X, np.full(ROWS, 3.5))) == (None, 1.0)
    with pytest.raises(ValueError, match="1 class in y: 'only'"):
        clone(classifier).fit(X, ["only"] * ROWS)
    with pytest.raises(ValueError, match="n_samples=1"):
        clone(regressor).fit(X, AMOUNTS, np.eye(ROWS)[0])


def test_a_column_that_counts_rows(regressor: Any) -> None:
    """In an array it was put there on purpose; in a frame it is an index unless the user says otherwise, and a warning says so."""
    time = np.arange(ROWS)
    trend = np.stack([time, RANDOM.normal(size=ROWS)], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert clone(regressor).fit(trend, 2.0 * time).score(trend, 2.0 * time) > 0.9
        clone(regressor).fit(X.assign(one=1), AMOUNTS)
    named = X.assign(id=time)
    with pytest.warns(UserWarning, match=r"'id' \(counts the rows\).*columns"):
        assert "id" not in clone(regressor).fit(named, AMOUNTS).model_.columns
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("number", "drop"):
            own = clone(regressor).set_params(columns={"id": kind}).fit(named, AMOUNTS)
            assert ("id" in own.model_.columns) == (kind == "number")
    with pytest.warns(UserWarning, match=r"'tags' \(not single values\)"):
        clone(regressor).fit(X.assign(tags=[[1, 2]] * ROWS), AMOUNTS)


def test_columns_without_names_are_told_by_their_places(regressor: Any) -> None:
    codes = np.stack([AMOUNTS, RANDOM.integers(0, 4, ROWS)], axis=1)
    own = clone(regressor).set_params(columns={1: "category"}).fit(codes, AMOUNTS)
    assert [column.kind for column in own.model_.preparation.used] == ["number", "category"]
    numbered = clone(regressor).fit(pd.DataFrame(codes), AMOUNTS)
    assert numbered.model_.columns == ("x0", "x1")
    np.testing.assert_array_equal(numbered.predict(codes), numbered.predict(pd.DataFrame(codes)))
    named = clone(regressor).fit(X[["size", "gap"]], AMOUNTS)
    with pytest.warns(UserWarning, match="valid feature names"):
        np.testing.assert_array_equal(named.predict(X[["size", "gap"]].to_numpy()), named.predict(X[["size", "gap"]]))


def test_what_is_refused(regressor: Any) -> None:
    with pytest.raises(ValueError, match="feature names"):
        regressor.predict(X[X.columns[::-1]])
    with pytest.raises(ValueError, match="infinity in column 'gap'"):
        regressor.predict(X.assign(gap=np.inf))
    with pytest.raises(TableError, match="missing in column 'gap'"):
        clone(regressor).set_params(missing="error").fit(X, AMOUNTS)
    with pytest.raises(ValueError, match="1d array"):
        clone(regressor).fit(X, np.stack([AMOUNTS, AMOUNTS], axis=1))
    with pytest.raises(DataError, match="X has more than one column 'size'"):
        clone(regressor).fit(X[["size", "gap", "size"]], AMOUNTS)
    for unknown in ([None, *AMOUNTS[1:]], np.array([None, *AMOUNTS[1:]], object)):
        for kind in (TableRegressor, TableClassifier):
            with pytest.raises(DataError, match=f"y holds None in 1 row of {len(AMOUNTS)}"):
                kind(**SMALL).fit(X, unknown)
    for setting in ({"seconds": -1}, {"recipe": "large"}, {"folds": 0}, {"missing": "guess"}):
        with pytest.raises(ValueError, match=f"'{next(iter(setting))}' parameter"):
            TableRegressor(**setting).fit(X, AMOUNTS)


def test_values_that_cannot_be_read_are_told():
    model = TableRegressor(**SMALL).fit(X[["size", "town"]], AMOUNTS)
    new = pd.DataFrame({"size": ["1.5", "large", "small"], "town": ["Rome", "Oslo", "Ulm"]})
    with pytest.warns(UserWarning, match="X: column 'size' holds numbers; 'large', 'small' in 2 rows count as missing"):
        model.predict(new)


@pytest.mark.parametrize("column", [X["size"], pl.Series("size", [1.0, 2.0]), np.ones(3)])
def test_a_single_column_is_no_table(column):
    with pytest.raises(ValueError, match=r"2D array|2-dimensional"):
        TableRegressor(**SMALL).fit(column, np.arange(len(column)))
