"""Ways in which scikit-learn's users use an estimator."""

import pickle
import warnings
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn.neural_network as theirs
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits, load_iris, make_classification, make_regression
from sklearn.ensemble import AdaBoostClassifier, BaggingRegressor, StackingClassifier, VotingClassifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_predict, cross_val_score
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from chainrule.sklearn import MLPClassifier, MLPRegressor

quietly = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def iris() -> Any:
    return load_iris(return_X_y=True)


def both(use: Any, kind: str = "MLPClassifier", **given: Any) -> tuple[Any, Any]:
    """What a use gives with scikit-learn's estimator, and with ours."""
    from chainrule import sklearn as ours

    return use(getattr(theirs, kind)(**given)), use(getattr(ours, kind)(**given))


@quietly
def test_a_pipeline_and_its_grid_search(iris: Any) -> None:
    def use(estimator: Any) -> Any:
        pipeline = make_pipeline(StandardScaler(), estimator)
        step = type(estimator).__name__.lower()
        grid = {f"{step}__alpha": [1e-4, 1.0], f"{step}__hidden_layer_sizes": [(8,), (4, 4)]}
        return GridSearchCV(pipeline, grid, cv=3).fit(*iris).cv_results_["mean_test_score"]

    one, other = both(use, max_iter=60, random_state=0)
    np.testing.assert_array_equal(one, other)


@quietly
def test_a_random_search_in_processes(iris: Any) -> None:
    def use(estimator: Any) -> Any:
        grid = {"learning_rate_init": [1e-3, 1e-2, 1e-1], "activation": ["tanh", "relu"]}
        search = RandomizedSearchCV(estimator, grid, n_iter=3, cv=2, n_jobs=2, random_state=0)
        return search.fit(*iris).cv_results_["mean_test_score"]

    one, other = both(use, max_iter=20, random_state=0)
    np.testing.assert_allclose(one, other, atol=1e-12)


@quietly
def test_ensembles(iris: Any) -> None:
    def use(estimator: Any) -> Any:
        boosted = AdaBoostClassifier(estimator, n_estimators=3, random_state=0).fit(*iris).score(*iris)
        vote = VotingClassifier([("m", estimator), ("l", LogisticRegression(max_iter=500))], voting="soft")
        stack = StackingClassifier([("m", estimator)], cv=2)
        calibrated = CalibratedClassifierCV(estimator, cv=2)
        return [boosted, *(model.fit(*iris).score(*iris) for model in (vote, stack, calibrated))]

    one, other = both(use, max_iter=40, random_state=0, learning_rate_init=0.01)
    np.testing.assert_allclose(one, other, atol=0.02)


@quietly
def test_regression_helpers() -> None:
    X, y = make_regression(120, 4, noise=1.0, random_state=0)

    def use(estimator: Any) -> Any:
        scaled = TransformedTargetRegressor(estimator, transformer=StandardScaler())
        bag = BaggingRegressor(estimator, n_estimators=2, random_state=0)
        importance = permutation_importance(scaled.fit(X, y), X, y, n_repeats=2, random_state=0).importances_mean
        return [scaled.score(X, y), bag.fit(X, y).score(X, y), *importance]

    one, other = both(use, "MLPRegressor", max_iter=200, random_state=0, learning_rate_init=0.01)
    np.testing.assert_allclose(one, other, rtol=1e-6)


@quietly
def test_several_outputs_by_others_means() -> None:
    X, y = make_classification(80, 6, random_state=0)
    Y = np.stack([y, X[:, 0] > 0], axis=1).astype(int)

    def use(estimator: Any) -> Any:
        chain = ClassifierChain(estimator, random_state=0).fit(X, Y).predict(X)
        return [chain, MultiOutputClassifier(estimator).fit(X, Y).predict(X)]

    one, other = both(use, max_iter=30, random_state=0)
    np.testing.assert_array_equal(one, other)


@quietly
def test_sparse_text() -> None:
    texts = ["the cat sat", "a dog ran far", "cats and cats", "dogs bark", "the dog ran", "one cat"] * 5
    y = np.array(["cat", "dog", "cat", "dog", "dog", "cat"] * 5)

    def use(estimator: Any) -> Any:
        return make_pipeline(TfidfVectorizer(), estimator).fit(texts, y).predict_proba(texts)

    one, other = both(use, max_iter=50, random_state=0)
    np.testing.assert_allclose(one, other, atol=1e-8)


@quietly
@pytest.mark.parametrize("form", [scipy.sparse.csr_matrix, scipy.sparse.csc_array])
def test_sparse_rows_are_as_dense_ones(form: Any, iris: Any) -> None:
    X, y = iris
    dense, sparse = MLPClassifier(max_iter=9, random_state=0), MLPClassifier(max_iter=9, random_state=0)
    dense.fit(X, y)
    sparse.fit(form(X), y)
    np.testing.assert_allclose(sparse.predict_proba(form(X)), dense.predict_proba(X), rtol=1e-12)
    np.testing.assert_allclose(sparse.input_gradient(form(X), y), dense.input_gradient(X, y), rtol=1e-9, atol=1e-12)


@quietly
def test_a_stream() -> None:
    X, y = load_digits(return_X_y=True)

    def use(estimator: Any) -> Any:
        for begin in range(0, 1500, 100):
            estimator.partial_fit(X[begin : begin + 100] / 16, y[begin : begin + 100], classes=range(10))
        return estimator.score(X[1500:] / 16, y[1500:]), len(estimator.loss_curve_)

    one, other = both(use, random_state=0, learning_rate_init=0.01)
    assert one == other


@quietly
def test_frames_are_known_by_their_columns(iris: Any) -> None:
    X = pd.DataFrame(iris[0], columns=["a", "b", "c", "d"])
    model = MLPClassifier(max_iter=5, random_state=0).fit(X, pd.Series(iris[1]).map({0: "x", 1: "y", 2: "z"}))
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert set(model.predict(X)) <= {"x", "y", "z"}
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X[["b", "a", "c", "d"]])
    with pytest.warns(UserWarning, match="valid feature names"):
        model.predict(X.to_numpy())


@quietly
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_pickles_clones_and_copies(kind: Any, iris: Any, tmp_path: Any) -> None:
    X, y = iris
    model = kind(max_iter=6, random_state=1, optimizer=None, dropout=0.1).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    for copied in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model.joblib")):
        np.testing.assert_array_equal(copied.predict(X), model.predict(X))
        copied.partial_fit(X, y)
        assert copied.t_ == model.t_ + len(X)
    assert not hasattr(clone(model), "coefs_")
    assert clone(model).get_params() == model.get_params()


def test_weights_set_by_hand_are_used(iris: Any) -> None:
    X, y = iris
    with pytest.warns(ConvergenceWarning):
        model = MLPClassifier((6,), max_iter=8, random_state=0).fit(X, y)
    model.coefs_[0] = np.zeros_like(model.coefs_[0])
    model.intercepts_[-1] += 1.0  # in place
    expected = np.maximum(model.intercepts_[0], 0) @ model.coefs_[1] + model.intercepts_[1]
    probabilities = np.exp(expected) / np.exp(expected).sum()
    np.testing.assert_allclose(model.predict_proba(X[:2]), [probabilities] * 2, rtol=1e-10)


@quietly
def test_predictions_across_folds_in_processes(iris: Any) -> None:
    def use(estimator: Any) -> Any:
        return cross_val_predict(estimator, *iris, cv=3, method="predict_proba"), cross_val_score(
            make_pipeline(MinMaxScaler(), estimator), *iris, n_jobs=2
        )

    for a, b in zip(*both(use, max_iter=15, random_state=0), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-8)


@quietly
def test_a_random_state_goes_on_as_with_scikit_learn(iris: Any) -> None:
    """What others draw from a generator after a fit does not depend on who fitted."""

    def use(estimator: Any) -> Any:
        random = np.random.RandomState(5)
        estimator.set_params(random_state=random).fit(*iris)
        return random.uniform()

    one, other = both(use, max_iter=30, batch_size=50, tol=0.05)
    assert one == other


MESSAGES = [
    ({"alpha": -1}, "The 'alpha' parameter of MLPClassifier"),
    ({"solver": "newton"}, "The 'solver' parameter of MLPClassifier"),
    ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must be > 0"),
    ({"hidden_layer_sizes": (2, 2), "activation": ["tanh"]}, "2 hidden layers"),
    ({"early_stopping": True, "validation_fraction": 0.005}, "validation set is too small"),
    ({"solver": "lbfgs", "dropout": 0.5}, "dropout is for"),
    ({"engine": "steam"}, "The 'engine' parameter"),
]


@quietly
@pytest.mark.parametrize(("given", "message"), MESSAGES, ids=lambda x: str(x)[:40])
def test_what_is_refused(given: dict[str, Any], message: str, iris: Any) -> None:
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**given).fit(*iris)


def test_refusals_in_use(iris: Any) -> None:
    X, y = iris
    with pytest.raises(NotFittedError):
        MLPClassifier().predict(X)
    with pytest.raises(AttributeError, match="partial_fit"):
        MLPClassifier(solver="lbfgs").partial_fit(X, y)
    with pytest.raises(ValueError, match="classes must be passed"):
        MLPClassifier().partial_fit(X, y)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
        MLPClassifier(early_stopping=True).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="has classes not in"):
        MLPClassifier().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="non-finite"):
        MLPRegressor(solver="sgd", learning_rate_init=1e6, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="y >= 0"):
        MLPRegressor("poisson").fit(X, y - 1)
    model = MLPClassifier(warm_start=True, max_iter=2, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="warm_start can only be used"):
        model.fit(X[:100], y[:100])


def test_warnings(iris: Any) -> None:
    X, y = iris
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(3\) reached"):
        MLPClassifier(max_iter=3).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge"):
        MLPClassifier(solver="lbfgs", max_iter=2).fit(X, y)
    with pytest.warns(UserWarning, match="It is going to be clipped"):
        MLPClassifier(batch_size=1000, tol=10.0, n_iter_no_change=1).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MLPClassifier(tol=10.0, n_iter_no_change=1).fit(X, y)
        MLPClassifier().partial_fit(X, y, classes=[0, 1, 2])


def test_what_is_printed(capsys: Any, iris: Any) -> None:
    def use(estimator: Any) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator.fit(*iris)
        return str(capsys.readouterr().out)

    for given in ({}, {"early_stopping": True}, {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0}):
        one, other = both(use, random_state=0, max_iter=20, verbose=True, n_iter_no_change=3, **given)
        assert one == other
        assert "Iteration 3, loss = " in one
