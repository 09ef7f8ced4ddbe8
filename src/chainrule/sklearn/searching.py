"""scikit-learn's searches with their fits side by side in threads, one thread each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from joblib import effective_n_jobs, parallel_config
from joblib.parallel import BACKENDS, DEFAULT_BACKEND, get_active_backend

from chainrule.engines.cores import most
from chainrule.engines.llvm.threads import thread_choice
from chainrule.engines.threads import possible
from chainrule.sklearn.shared_orders import shared
from sklearn import model_selection

HELPERS = 3
"""Threads that joblib has besides those that work."""


@contextmanager
def side_by_side(n_jobs: int | None) -> Iterator[None]:
    """Where joblib takes threads, as many as there are cores unless it is told how many; whoever has chosen a backend keeps it.

    Machine code runs without Python's lock, so threads are as fast as processes, and share data and code. Each training is
    carried out by its own thread alone, as far as there are no more cores than trainings, and waits for nobody. Where the system has
    no more threads there is this one.
    """
    backend, chosen = get_active_backend()
    if chosen is not None or type(backend) is not BACKENDS[DEFAULT_BACKEND]:
        yield
        return
    jobs = most() if n_jobs is None else n_jobs
    count = effective_n_jobs(jobs)
    if count > 1 and possible(count + HELPERS) < count + HELPERS:
        jobs = count = 1
    with parallel_config(backend="threading", n_jobs=jobs), thread_choice.side_by_side(count):
        yield


class GridSearchCV(model_selection.GridSearchCV):
    """Every combination of settings, each on every fold: `sklearn.model_selection.GridSearchCV`, with its fits in threads.

    All parameters, attributes and results are those of scikit-learn's class, and so are the numbers, to the bit. What differs is
    how fits are shared out: by default to as many threads as there are cores, each fit in one of them from beginning to end.
    Under joblib's `parallel_config(backend=…)` it goes by that.

    Parameters
    ----------
    estimator : estimator object
        `MLPClassifier` and its relatives here, or any other, alone or in a pipeline.
    param_grid : dict or list of dicts
        Lists of settings by name.
    n_jobs : int, default=None
        How many fits at the same time; None means as many as there are cores.
    scoring, refit, cv, verbose, pre_dispatch, error_score, return_train_score
        As for `sklearn.model_selection.GridSearchCV`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from chainrule.sklearn import GridSearchCV, NetworkClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = NetworkClassifier(max_iter=5, random_state=0)
    >>> search = GridSearchCV(network, {"optimizer__learning_rate": [0.03, 1e-5]}, cv=3).fit(X, y)
    >>> search.best_params_
    {'optimizer__learning_rate': 0.03}
    """

    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit all, and the best settings once more on all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets.
        **params : dict
            Passed to the estimator's `fit`, to the scorer and to the splitter.

        Returns
        -------
        self : object
            The search, with its results.
        """
        with side_by_side(self.n_jobs), shared():
            return super().fit(X, y, **params)


class RandomizedSearchCV(model_selection.RandomizedSearchCV):
    """Settings drawn at random, each on every fold: `sklearn.model_selection.RandomizedSearchCV`, with its fits in threads.

    All parameters, attributes and results are those of scikit-learn's class, and so are the numbers, to the bit; fits are shared
    out as those of `GridSearchCV` here are.

    Parameters
    ----------
    estimator : estimator object
        `MLPClassifier` and its relatives here, or any other, alone or in a pipeline.
    param_distributions : dict or list of dicts
        Lists of settings, or laws to draw them from, by name.
    n_iter : int, default=10
        How many settings are drawn.
    n_jobs : int, default=None
        How many fits at the same time; None means as many as there are cores.
    scoring, refit, cv, verbose, pre_dispatch, random_state, error_score, return_train_score
        As for `sklearn.model_selection.RandomizedSearchCV`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from chainrule.sklearn import NetworkClassifier, RandomizedSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> network = NetworkClassifier(max_iter=5, random_state=0)
    >>> search = RandomizedSearchCV(network, {"l2": [1e-4, 1e-2, 1.0]}, n_iter=2, cv=3, random_state=0).fit(X, y)
    >>> len(search.cv_results_["params"])
    2
    """

    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit all, and the best settings once more on all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets.
        **params : dict
            Passed to the estimator's `fit`, to the scorer and to the splitter.

        Returns
        -------
        self : object
            The search, with its results.
        """
        with side_by_side(self.n_jobs), shared():
            return super().fit(X, y, **params)
