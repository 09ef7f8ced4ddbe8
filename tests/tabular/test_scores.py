"""Scores beside scikit-learn's and NumPy's, over the registry of metrics, and what they are printed as."""

import json
import warnings

import numpy as np
import pytest
import sklearn.metrics as reference

from chainrule.errors import DataError, SettingError, UnknownNameError
from chainrule.notebooks import FORMS
from chainrule.tabular.scoring.reliability import cut_at, cuts
from chainrule.tabular.scoring.scores import Scores, class_numbers
from chainrule.training.metrics import METRICS, area, metric_for, weighted_quantiles
from scipy import stats


def classes_case(seed, classes=3, rows=60, *, ties=False, absent=False, weighted=False):
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes - absent, rows)
    outputs = random.dirichlet(np.ones(classes), rows) + 0.3 * np.eye(classes)[truth]
    if ties:
        outputs = np.round(outputs, 1) + 0.01
    outputs /= outputs.sum(axis=1, keepdims=True)
    return truth, outputs, random.uniform(0, 2, rows) if weighted else None


def amounts_case(seed, rows=50, weighted=False):
    random = np.random.default_rng(seed)
    truth = random.normal(size=rows) * 100
    return truth, truth + random.normal(size=rows) * 30, random.uniform(0, 2, rows) if weighted else None


def one_against_others(truth, outputs, weights):
    values = [
        reference.roc_auc_score(truth == k, outputs[:, k], sample_weight=weights)
        for k in range(outputs.shape[1])
        if 0 < np.sum(truth == k) < len(truth)
    ]
    return values[1] if outputs.shape[1] == 2 else np.mean(values)


def squared_distance(truth, outputs, weights):
    if outputs.shape[1] == 2:
        return reference.brier_score_loss(truth, outputs[:, 1], sample_weight=weights)
    return np.average(np.sum((outputs - np.eye(outputs.shape[1])[truth]) ** 2, axis=1), weights=weights)


def of_labels(function, **options):
    return lambda t, p, w: function(t, p.argmax(1), sample_weight=w, **options)


REFERENCES = {
    "accuracy": of_labels(reference.accuracy_score),
    "balanced_accuracy": of_labels(reference.balanced_accuracy_score),
    "auc": one_against_others,
    "f1": of_labels(reference.f1_score, average="macro"),
    "log_loss": lambda t, p, w: reference.log_loss(t, p, sample_weight=w, labels=range(p.shape[1])),
    "brier": squared_distance,
    "r2": lambda t, y, w: reference.r2_score(t, y, sample_weight=w),
    "mae": lambda t, y, w: reference.mean_absolute_error(t, y, sample_weight=w),
    "rmse": lambda t, y, w: reference.root_mean_squared_error(t, y, sample_weight=w),
    "median_absolute_error": lambda t, y, w: reference.median_absolute_error(t, y),
    "mean_error": lambda t, y, w: np.average(y - t, weights=w),
}

CASES = [
    (2, False, False, False),
    (2, True, False, True),
    (3, False, False, True),
    (3, True, False, False),
    (5, False, True, False),
]


def test_every_metric_has_a_reference():
    assert set(REFERENCES) == set(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_metrics_are_scikit_learns(name):
    metric = METRICS[name]
    for seed in range(5):
        if metric.task == "classification":
            cases = [classes_case(seed, k, ties=t, absent=a, weighted=w) for k, t, a, w in CASES]
        else:
            cases = [amounts_case(seed, weighted=w) for w in ((False,) if "median" in name else (False, True))]
        for truth, outputs, weights in cases:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of classes that do not occur
                expected = REFERENCES[name](truth, outputs, weights)
            assert metric(truth, outputs, weights) == pytest.approx(expected, rel=1e-10), (seed, truth[:5])


@pytest.mark.parametrize("name", METRICS)
def test_rows_of_weight_0_and_rows_that_come_twice(name):
    metric = METRICS[name]
    truth, outputs, _ = classes_case(1) if metric.task == "classification" else amounts_case(1)
    weights = np.random.default_rng(1).integers(0, 3, len(truth)).astype(float)
    if "median" not in name:
        again = np.repeat(np.arange(len(truth)), weights.astype(int))
        assert metric(truth, outputs, weights) == pytest.approx(metric(truth[again], outputs[again]))
    assert metric(truth, outputs, 3.0 * np.ones(len(truth))) == pytest.approx(metric(truth, outputs))


def test_probabilities_of_float32_are_cut_where_float32_ends():
    truth, outputs = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]], np.float32)
    assert METRICS["log_loss"](truth, outputs) == pytest.approx(reference.log_loss(truth, outputs))


def test_there_is_no_number_where_there_is_none():
    same, outputs = np.zeros(4, int), np.full((4, 2), 0.5)
    assert np.isnan(METRICS["auc"](same, outputs))
    assert np.isnan(METRICS["r2"](np.ones(4), np.ones(4)))
    assert METRICS["f1"](same, outputs) == 1.0
    assert "—" in str(Scores(same, outputs, ("a", "b")))
    assert json.loads(Scores(same, outputs, ("a", "b")).to("json"))["metrics"]["auc"] == "NaN"


def test_quantiles_are_numpys():
    values = np.random.default_rng(0).normal(size=31)
    shares = np.linspace(0, 1, 9)
    assert weighted_quantiles(values, np.full(31, 2.0), shares) == pytest.approx(np.quantile(values, shares))
    scores = Scores(np.zeros(31), values)
    assert scores.error_quantiles[0.5] == pytest.approx(np.median(values))


def test_area_counts_pairs():
    positive, scores = np.array([1, 0, 1, 0, 0], bool), np.array([0.5, 0.5, 0.9, 0.1, 0.7])
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[positive] for b in scores[~positive]]
    assert area(positive, scores, np.ones(5)) == pytest.approx(np.mean(pairs))


def test_confusion_matrix_is_scikit_learns():
    truth, outputs, weights = classes_case(3, 4, absent=True, weighted=True)
    expected = reference.confusion_matrix(truth, outputs.argmax(1), labels=range(4), sample_weight=weights)
    assert Scores(truth, outputs, tuple("abcd"), weights).confusion == pytest.approx(expected)


def test_calibration_by_hand():
    truth = np.array([0, 1, 1, 1])
    outputs = np.array([[0.95, 0.05], [0.25, 0.75], [0.25, 0.75], [0.0, 1.0]])
    found = Scores(truth, outputs, ("no", "yes")).calibration
    assert [(b.low, b.weight, b.share) for b in found.bins] == [(0.0, 1, 0.0), (0.7, 2, 1.0), (0.9, 1, 1.0)]
    assert found.error == pytest.approx((0.05 + 2 * 0.25) / 4)
    assert found.of == "yes"
    many = Scores(np.array([0, 1]), np.array([[0.6, 0.2, 0.2], [0.6, 0.2, 0.2]]), tuple("abc")).calibration
    assert many.error == pytest.approx(0.1)


def test_what_is_met_has_no_calibration_error():
    p = np.repeat([0.2, 0.6], 10)
    truth = np.concatenate([np.repeat([1, 0], [2, 8]), np.repeat([1, 0], [6, 4])])
    assert Scores(truth, np.stack([1 - p, p], 1), ("a", "b")).calibration.error == pytest.approx(0.0, abs=1e-12)


def test_thresholds():
    for seed in range(5):
        truth, outputs, weights = classes_case(seed, 2, ties=True, weighted=seed % 2 == 1)
        scores = Scores(truth, outputs, ("no", "yes"), weights)
        thresholds, found = cuts(truth == 1, outputs[:, 1], scores.counted)
        each = [cut_at(t, truth == 1, outputs[:, 1], scores.counted) for t in thresholds]
        for name, values in found.items():
            assert values == pytest.approx([getattr(c, name) for c in each], nan_ok=True)
        for by in ("f1", "accuracy"):
            assert getattr(scores.best_threshold(by), by) == pytest.approx(np.nanmax(found[by]))
        half = scores.at_threshold(0.5)
        taken = outputs[:, 1] >= 0.5
        assert half.f1 == pytest.approx(reference.f1_score(truth, taken, sample_weight=weights))
        assert half.recall == pytest.approx(reference.recall_score(truth, taken, sample_weight=weights))
        assert half.precision == pytest.approx(reference.precision_score(truth, taken, sample_weight=weights))


def test_spread_over_folds():
    truth, outputs, _ = classes_case(0)
    folds = np.arange(60) % 3
    scores = Scores(truth, outputs, tuple("abc"), folds=folds)
    each = [METRICS["accuracy"](truth[folds == f], outputs[folds == f]) for f in range(3)]
    assert scores.spread["accuracy"] == pytest.approx((np.mean(each), np.std(each, ddof=1)))


def test_the_accuracy_of_few_rows_is_uncertain_even_where_all_are_right():
    for right, rows in ((2, 2), (0, 3), (55, 60), (344, 344)):
        truth = np.zeros(rows, int)
        outputs = np.eye(2)[(np.arange(rows) >= right).astype(int)]
        error = Scores(truth, outputs, ("a", "b")).standard_error
        assert error == pytest.approx(stats.beta(right + 1, rows - right + 1).std())


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_every_form(task):
    truth, outputs, _ = classes_case(0, 2) if task == "classification" else amounts_case(0)
    labels = ("<b>no</b>", "yes") if task == "classification" else ()
    other = np.roll(outputs, 1, axis=0)
    scores = Scores(
        truth, outputs, labels, folds=np.arange(len(truth)) % 4, beside={"a linear model": other}, target="survived"
    )
    text, html, data = (scores.to(form) for form in ("text", "html", "json"))
    assert "survived" in text
    assert "a linear model" in text
    assert all(METRICS[name].title in text for name in json.loads(data)["metrics"])
    assert "<b>no</b>" not in html
    assert {"text/html", "text/plain"} <= set(scores._repr_mimebundle_()) <= set(FORMS)
    assert json.loads(data)["beside"]["a linear model"]["accuracy" if labels else "r2"] == pytest.approx(
        metric_for(task)(truth, other)
    )
    with pytest.raises(UnknownNameError, match="no form named 'pdf'"):
        scores.to("pdf")


def test_many_classes_are_cut():
    truth = np.arange(100) % 40
    scores = Scores(truth, np.eye(40)[truth], tuple(range(40)))
    assert "28 more classes" in str(scores)
    assert scores["accuracy"] == 1.0


def test_what_is_refused():
    with pytest.raises(DataError, match="no rows"):
        Scores(np.array([]), np.array([]))
    with pytest.raises(DataError, match="shape"):
        Scores(np.zeros(3, int), np.zeros((3, 3)), ("a", "b"))
    with pytest.raises(DataError, match="not all finite"):
        Scores(np.zeros(3), np.full(3, np.nan))
    with pytest.raises(DataError, match="weights have shape"):
        Scores(np.zeros(3), np.zeros(3), weights=np.ones(2))
    with pytest.raises(SettingError, match="amounts are predicted"):
        _ = Scores(np.zeros(3), np.zeros(3)).confusion
    with pytest.raises(SettingError, match="between two classes"):
        Scores(np.zeros(3), np.zeros(3)).at_threshold(0.5)
    with pytest.raises(UnknownNameError, match="no metric of classification named 'acuracy'"):
        metric_for("classification", "acuracy")
    with pytest.raises(DataError, match="'01' is none of the 2 classes"):
        class_numbers(["1", "01"], ["1", "2"])


def test_long_names_and_names_in_lines_leave_the_table_in_order():
    told = str(Scores(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]), ("a\nb", "x" * 300), target="t\nu"))
    assert "a b" in told
    assert "t u: 2 classes" in told
    assert max(map(len, told.splitlines())) < 140
