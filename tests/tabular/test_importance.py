"""What columns are worth: beside formulas, beside scikit-learn, for columns that say the same, within a budget."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import permutation_importance
from stand_ins import model

from chainrule.errors import DataError, SettingError, UnknownNameError
from chainrule.notebooks import FORMS
from chainrule.tables.columns import Feature
from chainrule.tabular.explaining.association import associations, groups_of, named
from chainrule.tabular.explaining.importance import ColumnImportance, importance
from chainrule.tabular.explaining.predictors import Predictor
from chainrule.training.metrics import METRICS


def numbers(*names):
    return [Feature(name, name, "number") for name in names]


WEIGHTS = np.array([3.0, 1.0, 0.0])


def linear(rows=2000, seed=0):
    X = np.random.default_rng(seed).normal(size=(rows, 3))
    return X, X @ WEIGHTS


def of_linear(X, y, **options):
    return importance(
        [Predictor(lambda x: x @ WEIGHTS, np.arange(len(X)))], X, y, numbers("a", "b", "c"), "regression", **options
    )


def test_of_a_linear_model_it_is_twice_the_share_of_the_variance():
    X, y = linear()
    found = of_linear(X, y, repeats=8)
    for name, weight in zip("abc", WEIGHTS, strict=True):
        assert found[name].fall == pytest.approx(2 * weight**2 / 10, abs=0.05)
    assert found["c"].fall == found["c"].deviation == 0.0
    assert [one.columns for one in found] == [("a",), ("b",), ("c",)]
    assert (found.score, found.rows, found.repeats, found.groups) == (1.0, 2000, 8, ())


def test_it_is_scikit_learns():
    class Linear(RegressorMixin, BaseEstimator):
        def fit(self, X, y):
            return self

        def predict(self, X):
            return X @ WEIGHTS

    X, y = linear(500)
    for name, scoring in (("r2", "r2"), ("mae", "neg_mean_absolute_error"), ("rmse", "neg_root_mean_squared_error")):
        expected = permutation_importance(Linear(), X, y, scoring=scoring, n_repeats=20, random_state=0)
        found = of_linear(X, y, metric=name, repeats=20)
        assert [found[x].fall for x in "abc"] == pytest.approx(expected.importances_mean, rel=0.05)


def test_rows_count_by_their_weights_as_in_scikit_learn():
    class Linear(RegressorMixin, BaseEstimator):
        def fit(self, X, y):
            return self

        def predict(self, X):
            return X @ WEIGHTS

    X, y = linear(500)
    y = y + np.where(X[:, 2] > 0, X[:, 1], 0.0)
    counted = np.where(X[:, 2] > 0, 0.1, 3.0)
    expected = permutation_importance(Linear(), X, y, scoring="r2", n_repeats=20, random_state=0, sample_weight=counted)
    plain, found = of_linear(X, y, repeats=20), of_linear(X, y, repeats=20, weights=counted)
    assert [found[x].fall for x in "abc"] == pytest.approx(expected.importances_mean, rel=0.05)
    assert found.score > plain.score + 0.02
    assert of_linear(X, y, weights=np.full(500, 2.0))["a"].fall == pytest.approx(of_linear(X, y)["a"].fall)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_falls(name):
    task = METRICS[name].task
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 2))
    truth = (X[:, 0] > 0).astype(int) if task == "classification" else X[:, 0] * 2.0

    def raw(x):
        amount = x @ np.array([2.0, 0.0]) + (5.0 if name == "mean_error" else 0.0)
        p = 1 / (1 + np.exp(-amount))
        return np.stack([1 - p, p], 1) if task == "classification" else amount

    found = importance([Predictor(raw, np.arange(300))], X, truth, numbers("a", "b"), task, metric=name, repeats=2)
    assert found["b"].fall == 0.0
    assert found["a"].fall > 0.1 or name == "mean_error"


def test_each_member_predicts_its_own_rows_only():
    X, y = linear(90)
    seen = []

    def predictor(rows):
        def raw(x):
            seen.append(len(x))
            assert set(np.round(x[:, 0], 12)) <= set(np.round(X[rows, 0], 12))
            return x @ WEIGHTS

        return Predictor(raw, rows)

    predictors = [predictor(np.arange(90)[np.arange(90) % 3 == k]) for k in range(3)]
    found = importance(predictors, X, y, numbers("a", "b", "c"), "regression")
    assert found.rows == 90
    assert found["a"].fall > found["b"].fall > found["c"].fall == 0.0


def test_columns_that_say_the_same_are_shuffled_together():
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 500))
    X = np.stack([a, 10 * a + 0.01 * random.normal(size=500), b], axis=1)
    y = 2 * a + b
    found = importance(
        [Predictor(lambda x: x[:, 0] + 0.1 * x[:, 1] + x[:, 2], np.arange(500))],
        X,
        y,
        numbers("m", "mm", "b"),
        "regression",
    )
    (group,) = found.groups
    assert set(group.columns) == {"m", "mm"}
    assert group.fall > found["m"].fall + found["mm"].fall
    assert "stand in for the other" in str(found)


def test_associations():
    random = np.random.default_rng(1)
    x, y = random.normal(size=(2, 200))
    y = y + x
    codes = random.integers(0, 5, 200)
    table = np.stack([x, np.exp(x), y, -y, codes == 0, codes != 0, codes, (codes * 7) % 5], axis=1)
    features = [
        *numbers(*"abcd"),
        Feature("e", "e", "flag"),
        Feature("f", "f", "flag"),
        Feature("g", "g", "code", 5),
        Feature("h", "h", "code", 5),
    ]
    found = associations(table, features, "abcdefgh")
    assert found[0, 1] == pytest.approx(1.0)
    assert found[0, 2] == pytest.approx(spearmanr(x, y).statistic)
    assert [found[2, 3], found[4, 5], found[6, 7], found[4, 6]] == pytest.approx([1.0] * 4)
    assert found[0, 6] < 0.4
    assert np.allclose(found, found.T)
    assert groups_of("abcdefgh", found) == [("a", "b"), ("c", "d"), ("e", "f", "g", "h")]
    assert associations(np.ones((5, 2)), numbers("a", "b"), "ab")[0, 1] == 0.0
    assert named("abcdef") == "a, b, c and 3 more"


def test_many_columns_within_a_budget():
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 3000))
    names = [f"c{i}" for i in range(3000)]
    raw = lambda x: 5.0 * x[:, 1234]  # noqa: E731
    found = importance([Predictor(raw, np.arange(60))], X, raw(X), numbers(*names), "regression", seconds=0.01)
    assert found.columns[0].columns == ("c1234",)
    assert 0 < len(found) < 3000
    assert "not tried" in str(found)


def test_of_a_network():
    task = "classification"
    trained, given = model(task, rows=300, epochs=15)
    inputs, truth = trained.preparation.apply_with_target(given)
    found = importance(
        [Predictor(trained.raw, np.arange(300))], inputs.X, truth, trained.preparation.features, task, repeats=2
    )
    assert {x.columns[0] for x in found} == {"age", "months", "income", "sex", "town", "noise"}
    assert found["town"].fall > found["noise"].fall
    assert any(set(x.columns) == {"age", "months"} for x in found.groups)
    data = json.loads(found.to("json"))
    assert data["columns"][0]["fall"] == found.columns[0].fall
    assert {"text/html", "text/plain"} <= set(found._repr_mimebundle_()) <= set(FORMS)
    assert "<svg" in found.draw().svg


@pytest.mark.parametrize(("columns", "shown"), [(20, 20), (21, 21), (22, 20)])
def test_of_many_columns_the_first_twenty_are_shown_and_never_one_left_out(columns, shown):
    own = tuple(ColumnImportance((f"c{i}_",), 1.0 - i / 100, 0.01) for i in range(columns))
    both = ColumnImportance(("c1_", "c2_"), 0.5, 0.01)
    found = replace(of_linear(*linear(10)), columns=own, groups=(both,))
    for picture in (str(found), found.draw().svg):
        assert [f"c{i}_" for i in range(columns) if f"c{i}_" in picture] == [f"c{i}_" for i in range(shown)]
        assert both.name in picture


def test_what_is_refused():
    X, y = linear(10)
    with pytest.raises(DataError, match="fewer than two rows"):
        importance([Predictor(lambda x: x, np.arange(1))], X, y, numbers("a", "b", "c"), "regression")
    with pytest.raises(UnknownNameError, match="metric"):
        of_linear(X, y, metric="accuracy")
    with pytest.raises(SettingError, match="repeats=0"):
        of_linear(X, y, repeats=0)
    with pytest.raises(UnknownNameError, match="no column named 'd'"):
        of_linear(X, y)["d"]
