"""The same seed gives scikit-learn's own numbers: losses, stopping, weights, scores."""

from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits, make_classification, make_multilabel_classification, make_regression

import chainrule.sklearn as ours
import sklearn
from trying import examples
from versions import before

pytestmark = pytest.mark.filterwarnings("ignore")  # of both: that so few iterations do not converge

SETTINGS = st.fixed_dictionaries(
    {
        "hidden_layer_sizes": st.sampled_from([(), (5,), (7, 3)]),
        "activation": st.sampled_from(["identity", "logistic", "tanh", "relu"]),
        "solver": st.sampled_from(["sgd", "adam"]),
        "alpha": st.sampled_from([0.0, 1e-4, 0.3]),
        "batch_size": st.sampled_from(["auto", 7, 16, 1000]),
        "learning_rate": st.sampled_from(["constant", "invscaling", "adaptive"]),
        "learning_rate_init": st.sampled_from([1e-3, 0.02]),
        "power_t": st.sampled_from([0.2, 0.5]),
        "max_iter": st.integers(3, 40),
        "shuffle": st.booleans(),
        "random_state": st.integers(0, 1000),
        "tol": st.sampled_from([1e-4, 0.01, 0.1]),
        "momentum": st.sampled_from([0.0, 0.9]),
        "nesterovs_momentum": st.booleans(),
        "beta_1": st.sampled_from([0.0, 0.9]),
        "n_iter_no_change": st.sampled_from([2, 5, 10]),
        "early_stopping": st.booleans(),
        "warm_start": st.booleans(),
    }
)


def data(kind: str, rows: int = 90) -> tuple[str, Any, Any]:
    """The estimator's name, rows and targets."""
    if kind == "two classes":
        X, y = make_classification(rows, 6, random_state=1)
        return "MLPClassifier", X, np.array(["no", "yes"])[y]
    if kind == "four classes":
        return "MLPClassifier", *make_classification(rows, 8, n_informative=5, n_classes=4, random_state=2)
    if kind == "several labels":
        X, y = make_multilabel_classification(rows, 6, n_classes=3, random_state=3)
        return "MLPClassifier", X / 10, y
    if kind == "counts":
        random = np.random.default_rng(4)
        return "MLPRegressor", random.normal(size=(rows, 4)), random.poisson(2.0, rows)
    X, y = make_regression(rows, 5, n_targets=2 if kind == "two values" else 1, random_state=5)
    return "MLPRegressor", X, y / 50


KINDS = ["two classes", "four classes", "several labels", "a value", "two values", "counts"]


def assert_same(one: Any, other: Any, within: float = 1e-6) -> None:
    for name in ("n_iter_", "t_", "n_outputs_", "n_layers_", "out_activation_", "n_features_in_"):
        assert getattr(one, name) == getattr(other, name), name
    for name in ("loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None), name
        if a is not None:
            np.testing.assert_allclose(b, a, rtol=within, atol=within, err_msg=name)
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-4)
        assert a.dtype == b.dtype


def fitted_twice(model: Any, X: Any, y: Any, weights: Any) -> bool:
    """Whether it was fitted, the second time from where the first one ended if it is to start warm; not where it diverged."""
    try:
        for _ in range(2):
            model.fit(X, y, sample_weight=weights)
    except ValueError as error:
        if "finite" not in str(error):
            raise
        return False
    return True


@given(given=SETTINGS, kind=st.sampled_from(KINDS), weighted=st.booleans())
@examples(50)
def test_fit_gives_the_same_numbers(given: dict[str, Any], kind: str, weighted: bool) -> None:
    name, X, y = data(kind)
    weights = np.random.default_rng(0).uniform(0.2, 2.0, len(X)) if weighted else None
    given = given | ({"loss": "poisson"} if kind == "counts" else {})
    if y.dtype.kind == "U" and given["early_stopping"] and before(sklearn, 1, 9):
        y = np.unique(y, return_inverse=True)[1]  # theirs stopped early at numbers only
    models = [getattr(theirs, name)(**given), getattr(ours, name)(**given, engine="numpy")]
    ends = [fitted_twice(model, X, y, weights) for model in models]
    assert ends[0] == ends[1]
    if not ends[0]:
        return
    assert_same(*models)
    np.testing.assert_array_equal(models[0].classes_, models[1].classes_) if name == "MLPClassifier" else None


@given(given=SETTINGS, kind=st.sampled_from(KINDS))
@examples(30)
def test_partial_fit_gives_the_same_numbers(given: dict[str, Any], kind: str) -> None:
    name, X, y = data(kind)
    given = given | {"early_stopping": False} | ({"loss": "poisson"} if kind == "counts" else {})
    models = [getattr(theirs, name)(**given), getattr(ours, name)(**given, engine="numpy")]
    for model in models:
        first = {"classes": np.unique(y)} if name == "MLPClassifier" else {}
        if kind == "several labels":
            first = {"classes": np.arange(3)}
        for begin in (0, 30, 10, 45):
            model.partial_fit(X[begin : begin + 45], y[begin : begin + 45], **first)
            first = {}
    assert_same(*models)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_machine_code_gives_the_same_numbers(kind: str, dtype: str) -> None:
    name, X, y = data(kind)
    given = {"hidden_layer_sizes": 9, "max_iter": 25, "batch_size": 40, "random_state": 0}
    given |= {"loss": "poisson"} if kind == "counts" else {}
    models = [kind_of(**given).fit(X.astype(dtype), y) for kind_of in (getattr(theirs, name), getattr(ours, name))]
    assert_same(*models, within=1e-8 if dtype == "float64" else 1e-4)
    found = [model.predict(X.astype(dtype)) for model in models]
    assert found[0].shape == found[1].shape
    if name == "MLPRegressor":
        np.testing.assert_allclose(found[1], found[0], rtol=1e-3, atol=1e-3)
        assert found[0].dtype == found[1].dtype
    else:
        assert (found[0] == found[1]).all()
        for method in ("predict_proba", "predict_log_proba"):
            a, b = (getattr(model, method)(X.astype(dtype)) for model in models)
            np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-3)
            assert a.dtype == b.dtype


@pytest.mark.parametrize("kind", KINDS)
def test_lbfgs_comes_to_the_same_minimum(kind: str) -> None:
    name, X, y = data(kind)
    given = {"hidden_layer_sizes": 4, "solver": "lbfgs", "alpha": 1.0, "max_iter": 300, "random_state": 0}
    given |= {"loss": "poisson"} if kind == "counts" else {}
    weights = np.random.default_rng(0).uniform(0.2, 2.0, len(X))
    one, other = (
        kind_of(**given).fit(X, y, sample_weight=weights) for kind_of in (getattr(theirs, name), getattr(ours, name))
    )
    np.testing.assert_allclose(other.loss_, one.loss_, rtol=0.02)
    assert abs(other.score(X, y) - one.score(X, y)) < 0.05


def test_digits_by_default() -> None:
    X, y = load_digits(return_X_y=True)
    one = theirs.MLPClassifier(random_state=3, max_iter=12).fit(X, y)
    other = ours.MLPClassifier(random_state=3, max_iter=12).fit(X, y)
    assert_same(one, other, within=1e-10)


def test_what_a_saturated_network_reports() -> None:
    """Cross-entropies are shown as scikit-learn shows them, bounded, and followed as they are."""
    X, y = make_classification(60, 4, random_state=0)
    one = theirs.MLPClassifier(random_state=0, max_iter=5).fit(1e4 * X, y)
    other = ours.MLPClassifier(random_state=0, max_iter=5).fit(1e4 * X, y)
    np.testing.assert_allclose(other.loss_curve_, one.loss_curve_, rtol=1e-2)
    np.testing.assert_allclose(other.coefs_[0], one.coefs_[0], rtol=1e-9)
