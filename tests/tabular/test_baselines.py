"""Simpler models beside scikit-learn's, over the registry of them."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler

from chainrule.errors import UnknownNameError
from chainrule.tabular.scoring.baselines import BASELINES, UNUSED, Prepared, baselines_for, on_new_rows, out_of_fold
from chainrule.training.metrics import METRICS, metric_for

LIGHT = [name for name in BASELINES if name != "gradient boosting"]


def rows(task, count=240, classes=2, seed=0, columns=6):
    random = np.random.default_rng(seed)
    X = random.normal(size=(count, columns)).astype(np.float32)
    codes = random.integers(0, 4, count)
    line = X @ random.normal(size=(columns, classes)) + random.normal(size=(4, classes))[codes]
    line += random.normal(size=line.shape)
    whole = np.column_stack([X, codes]).astype(np.float32)
    y = line.argmax(1) if task == "classification" else 100 + 20 * line[:, 0]
    return Prepared(whole, y, (4,), classes if task == "classification" else 0)


@pytest.mark.parametrize("name", BASELINES)
def test_each_gives_one_answer_a_row_and_beats_what_is_constant(name):
    for task in BASELINES[name].tasks:
        known = rows(task)
        found = out_of_fold(known, np.arange(len(known.y)) % 2, [name])[name]
        assert found.shape == ((240, 2) if known.classes else (240,))
        if known.classes:
            assert found.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
        score = metric_for(task)(known.y, found)
        assert score > 0.6 or len(BASELINES[name].tasks) == 1


def test_the_linear_model_is_scikit_learns_logistic_regression():
    known = rows("classification", classes=3)
    spread = StandardScaler().fit_transform(known.spread(known.X))
    expected = LogisticRegression(max_iter=2000).fit(spread, known.y).predict_proba(spread)
    found = on_new_rows(known, known.X, ["linear model"])["linear model"]
    assert np.abs(found - expected).max() < 0.03
    assert METRICS["log_loss"](known.y, found) == pytest.approx(METRICS["log_loss"](known.y, expected), abs=2e-3)


def test_the_linear_model_is_scikit_learns_ridge_regression():
    known = rows("regression")
    spread = StandardScaler().fit_transform(known.spread(known.X)).astype(float)
    largest = np.linalg.eigvalsh(spread.T @ spread).max()
    expected = RidgeCV(alphas=largest * 10.0 ** np.arange(-6, 4)).fit(spread, known.y)
    found = on_new_rows(known, known.X, ["linear model"])["linear model"]
    assert found == pytest.approx(expected.predict(spread), rel=1e-3)


def test_more_columns_than_rows():
    """As scikit-learn's, for rows learned from and others; also where all are the same."""
    random = np.random.default_rng(0)
    X, others = random.normal(size=(40, 300)).astype(np.float32), random.normal(size=(30, 300)).astype(np.float32)
    scaler = StandardScaler().fit(X)
    spread = [scaler.transform(x).astype(float) for x in (X, others)]
    y = X[:, 0] * 3.0 + X[:, 1]
    largest = np.linalg.eigvalsh(spread[0] @ spread[0].T).max()
    ridge = RidgeCV(alphas=largest * 10.0 ** np.arange(-6, 4)).fit(spread[0], y)
    classes = np.digitize(y, [-1.0, 1.0])
    logistic = LogisticRegression(max_iter=2000).fit(spread[0], classes)
    for asked, own in zip((X, others), spread, strict=True):
        found = on_new_rows(Prepared(X, y), asked, ["linear model"])["linear model"]
        assert found == pytest.approx(ridge.predict(own), rel=1e-3, abs=1e-3)
        found = on_new_rows(Prepared(X, classes, classes=3), asked, ["linear model"])["linear model"]
        assert np.abs(found - logistic.predict_proba(own)).max() < 0.03
    same = np.ones((12, 20), np.float32)
    assert on_new_rows(Prepared(same, np.arange(12) % 2, classes=2), same)["linear model"] == pytest.approx(
        0.5, abs=1e-3
    )


@pytest.mark.parametrize("name", BASELINES)
def test_classes_and_columns_that_are_missing_or_constant(name):
    X = np.ones((12, 2), np.float32)
    if "classification" in BASELINES[name].tasks:
        found = on_new_rows(Prepared(X, np.full(12, 1), classes=3), X, [name])[name]
        assert found == pytest.approx(np.tile([0.0, 1.0, 0.0], (12, 1)), abs=1e-6)
    if "regression" in BASELINES[name].tasks:
        assert on_new_rows(Prepared(X, np.full(12, 5.0)), X, [name])[name] == pytest.approx(np.full(12, 5.0))


def test_constants_by_hand():
    known = Prepared(np.zeros((4, 1), np.float32), np.array([1.0, 2.0, 3.0, 10.0]))
    found = on_new_rows(known, known.X[:1], ["mean", "median"])
    assert (found["mean"], found["median"]) == ([4.0], [2.5])


@pytest.mark.parametrize("name", BASELINES)
def test_rows_count_by_their_weights(name):
    """Rows of weight 0 are none, and only ratios of weights count."""
    for task in BASELINES[name].tasks:
        known = rows(task)
        few, threes = np.arange(240) % 3 > 0, np.full(240, 3.0)
        found = [
            on_new_rows(one, known.X, [name])[name]
            for one in (known.rows(few), replace(known, weights=2.0 * few), known, replace(known, weights=threes))
        ]
        assert found[1] == pytest.approx(found[0], rel=1e-5)
        assert found[3] == pytest.approx(found[2], rel=1e-5)
        twice, repeated = replace(known, weights=1.0 + few), known.rows(np.repeat(np.arange(240), 1 + few))
        if name in ("majority class", "mean"):  # others know how many rows there are
            weighted, of_more = (on_new_rows(one, known.X, [name])[name] for one in (twice, repeated))
            assert weighted == pytest.approx(of_more)


def test_the_weighted_linear_models_are_scikit_learns():
    weights = np.random.default_rng(1).exponential(size=240)
    scaler = StandardScaler()
    known = replace(rows("regression"), weights=weights)
    spread = scaler.fit_transform(known.spread(known.X).astype(float), sample_weight=weights)
    weights /= weights.mean()
    largest = np.linalg.eigvalsh(spread.T @ (spread * weights[:, None])).max()
    found = on_new_rows(known, known.X, ["linear model"])["linear model"]
    ridges = [Ridge(largest * 10.0**power).fit(spread, known.y, weights).predict(spread) for power in range(-6, 4)]
    assert min(np.abs(found - expected).max() for expected in ridges) < 1e-3 * np.std(found)
    assert np.abs(found - RidgeCV(alphas=[1.0]).fit(spread, known.y, weights).predict(spread)).mean() < 0.05 * np.std(
        found
    )
    known = replace(rows("classification", classes=3), weights=weights)
    spread = scaler.fit_transform(known.spread(known.X).astype(float), sample_weight=weights)
    logistic = LogisticRegression(max_iter=2000).fit(spread, known.y, weights)
    found = on_new_rows(known, known.X, ["linear model"])["linear model"]
    assert np.abs(found - logistic.predict_proba(spread)).max() < 0.03


def test_names():
    assert [one.name for one in baselines_for("regression", LIGHT)] == ["mean", "median", "linear model"]
    with pytest.raises(UnknownNameError, match="no simpler model named 'linear'"):
        baselines_for("regression", ["linear"])


def test_rows_that_are_in_no_fold_are_learned_from_only():
    known = Prepared(np.zeros((4, 1), np.float32), np.array([1.0, 2.0, 3.0, 10.0]))
    found = out_of_fold(known, np.array([-1, 0, -1, 0]), ["mean"])
    assert found["mean"].tolist() == [2.0, 2.0]
    without = out_of_fold(known, np.array([-1, 0, UNUSED, 0]), ["mean"])
    assert without["mean"].tolist() == [1.0, 1.0]
