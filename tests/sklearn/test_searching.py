"""Searches in threads have scikit-learn's numbers, to the bit, and none of their fits waits for another."""

import threading
from typing import ClassVar

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from chainrule.engines.cores import most
from chainrule.engines.llvm.threads import thread_choice
from chainrule.sklearn import GridSearchCV, MLPClassifier, NetworkClassifier, RandomizedSearchCV, shared_orders
from chainrule.sklearn.solvers import Orders
from sklearn import model_selection
from waiting import LONG

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
NETWORK = MLPClassifier((6,), max_iter=6, random_state=3)
SETTINGS = {"alpha": [1e-4, 1.0], "learning_rate_init": [0.001, 0.02]}
SEARCHES = {
    "a grid": (GridSearchCV, model_selection.GridSearchCV, NETWORK, SETTINGS, {}),
    "several scores": (
        GridSearchCV, model_selection.GridSearchCV, NETWORK, {"alpha": [0.1, 1.0]},
        {"scoring": ["accuracy", "neg_log_loss"], "refit": "accuracy", "return_train_score": True},
    ),
    "not refitted": (GridSearchCV, model_selection.GridSearchCV, NETWORK, {"alpha": [0.1, 1.0]}, {"refit": False}),
    "in batches": (
        GridSearchCV, model_selection.GridSearchCV,
        MLPClassifier((6,), max_iter=30, batch_size=16, random_state=3, dropout=0.1), SETTINGS, {},
    ),
    "in batches, with random numbers of its own": (
        GridSearchCV, model_selection.GridSearchCV,
        MLPClassifier((6,), max_iter=6, batch_size=16, random_state=np.random.RandomState(3)), SETTINGS, {},
    ),
    "any network": (
        GridSearchCV, model_selection.GridSearchCV, NetworkClassifier(max_iter=3, random_state=0),
        {"optimizer__learning_rate": [0.1, 0.001]}, {},
    ),
    "a pipeline": (
        GridSearchCV, model_selection.GridSearchCV, make_pipeline(StandardScaler(), NETWORK),
        {"mlpclassifier__learning_rate_init": [0.1, 0.001]}, {},
    ),
    "at random": (
        RandomizedSearchCV, model_selection.RandomizedSearchCV, NETWORK, SETTINGS, {"n_iter": 3, "random_state": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("search", SEARCHES)
def test_scikit_learns_numbers_to_the_bit(search):
    ours, theirs, estimator, settings, more = SEARCHES[search]
    one, other = (kind(clone(estimator), settings, cv=3, **more).fit(X, y) for kind in (ours, theirs))
    names = {name for name in other.cv_results_ if not name.endswith("_time")}
    assert set(one.cv_results_) == set(other.cv_results_)
    for name in names:
        assert np.array_equal(np.asarray(one.cv_results_[name]), np.asarray(other.cv_results_[name])), name
    assert one.best_params_ == other.best_params_
    if more.get("refit", True):
        assert np.array_equal(one.predict_proba(X), other.predict_proba(X))
        assert one.score(X, y) == other.score(X, y)


@pytest.mark.parametrize(("most", "least"), [(2**20, 10), (700, 90)])
def test_fits_that_shuffle_alike_draw_orders_once(most, least, monkeypatch):
    """Of 100 rows 700 numbers are the orders of 7 epochs; fits of more draw the rest themselves."""
    drawn, draw = [], Orders.__call__
    monkeypatch.setattr(Orders, "__call__", lambda self, epochs: (drawn.append(epochs), draw(self, epochs))[1])
    monkeypatch.setattr(shared_orders, "MOST", most)
    network = MLPClassifier((6,), max_iter=10, batch_size=16, random_state=3, n_iter_no_change=100)
    found = GridSearchCV(network, {"alpha": [0.1, 1.0, 2.0]}, cv=3, refit=False).fit(X, y)
    assert least <= sum(drawn) <= (10 if least == 10 else 7 + 9 * 10)
    drawn.clear()
    alone = model_selection.GridSearchCV(network, {"alpha": [0.1, 1.0, 2.0]}, cv=3, refit=False).fit(X, y)
    assert sum(drawn) == 90
    assert np.array_equal(found.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])


class Noted(Ridge):
    """Notes in which threads it is fitted, which wait for each other as long as there are to be several."""

    threads: ClassVar[set[int]] = set()
    meeting = threading.Barrier(1)

    def fit(self, X, y):
        self.threads.add(threading.get_ident())
        self.meeting.wait(LONG)
        return super().fit(X, y)


@pytest.mark.parametrize(("asked", "count"), [(None, most()), (2, 2), (1, 1)])
def test_fits_are_shared_out_to_threads(asked, count):
    Noted.threads, Noted.meeting = set(), threading.Barrier(count)
    GridSearchCV(Noted(), {"alpha": [0.1, 1.0] * count}, cv=2, n_jobs=asked, refit=False).fit(X, y)
    assert len(Noted.threads) == count
    assert (threading.get_ident() in Noted.threads) == (count == 1)


def test_a_backend_that_was_chosen_is_kept():
    Noted.threads, Noted.meeting = set(), threading.Barrier(1)
    with joblib.parallel_config("sequential"):
        GridSearchCV(Noted(), {"alpha": [0.1, 1.0]}, cv=2).fit(X, y)
    assert Noted.threads == {threading.get_ident()}
    with joblib.parallel_config("loky", n_jobs=1):
        GridSearchCV(Noted(), {"alpha": [0.1, 1.0]}, cv=2).fit(X, y)
    assert Noted.threads == {threading.get_ident()}


def test_trainings_side_by_side_take_a_core_each(monkeypatch):
    found = []
    note = thread_choice.ThreadChoice.note
    monkeypatch.setattr(
        thread_choice.ThreadChoice,
        "note",
        lambda self, threads, *told, **also: (found.append(threads), note(self, threads, *told, **also)),
    )
    rows = np.random.default_rng(0).normal(size=(600, 64)).astype(np.float32)
    network = MLPClassifier((100,), max_iter=10, random_state=0)
    GridSearchCV(network, {"alpha": [0.1, 1.0, 2.0, 3.0]}, cv=2, refit=False).fit(rows, rows[:, 0] > 0)
    assert set(found) == {1}


@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks_pass_as_those_of_its_own_class():
    ours, theirs = (
        check_estimator(kind(Ridge(), {"alpha": [0.1]}, cv=2, n_jobs=1), on_fail=None)
        for kind in (GridSearchCV, model_selection.GridSearchCV)
    )
    assert [(c["check_name"], c["status"]) for c in ours] == [(c["check_name"], c["status"]) for c in theirs]
    assert sum(check["status"] == "passed" for check in ours) > 30
