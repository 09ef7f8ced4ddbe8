"""Searches in other processes, joblib's own and those of clusters, give the bits of a search in this one."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score

import chainrule as cr
from chainrule.engines.cores import most, usable
from chainrule.sklearn import MLPClassifier, NetworkClassifier, NetworkRegressor, TableClassifier

pytestmark = pytest.mark.filterwarnings("ignore")

WORKERS = 2


@contextmanager
def loky() -> Iterator[None]:
    with joblib.parallel_config("loky", n_jobs=WORKERS):
        yield


@contextmanager
def dask() -> Iterator[None]:
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, distributed.Client(cluster), joblib.parallel_config("dask"):
        yield


@contextmanager
def ray() -> Iterator[None]:
    ray = pytest.importorskip("ray")
    paths = {"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}  # where workers find this module
    ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, runtime_env=paths)
    pytest.importorskip("ray.util.joblib").register_ray()
    try:
        with joblib.parallel_config("ray", n_jobs=WORKERS):
            yield
    finally:
        ray.shutdown()


@pytest.fixture(scope="module")
def cluster(request: Any) -> Iterator[str]:
    """The name of the backend that is in force."""
    with request.param():
        yield request.param.__name__


def under(*clusters: Any) -> Any:
    """A test's `cluster` is each of these."""
    return pytest.mark.parametrize("cluster", clusters, indirect=True, scope="module", ids=lambda one: one.__name__)


def elsewhere(*calls: Any) -> list[Any]:
    """What delayed calls give in other processes."""
    return list(joblib.Parallel(batch_size=1)(calls))


class StopsEarly:
    """A callback of the user's, with a number."""

    def __init__(self, last: int) -> None:
        self.last = last

    def __call__(self, end: Any) -> bool:
        return bool(end.epoch >= self.last)


NETWORK = cr.Network([cr.Dense(8, "tanh"), cr.Dropout(0.1), cr.Dense(3)])
X, Y = load_iris(return_X_y=True)
LARGE = np.random.default_rng(0).normal(size=(3000, 60))  # more than a megabyte, which joblib puts into a file


def search(estimator: Any, grid: dict[str, Any]) -> list[Any]:
    found = GridSearchCV(estimator, grid, cv=2).fit(X, Y)
    return [*(found.cv_results_[f"split{k}_test_score"] for k in range(2)), found.predict_proba(X)]


def of_perceptrons() -> list[Any]:
    return search(MLPClassifier((6,), max_iter=9, random_state=0), {"alpha": [1e-4, 1.0], "solver": ["adam", "lbfgs"]})


def of_networks() -> list[Any]:
    estimator = NetworkClassifier(NETWORK, max_iter=9, callbacks=[StopsEarly(5)], random_state=0)
    return search(estimator, {"optimizer": [cr.Adam(0.01), cr.SGD(cr.Cosine(0.1, epochs=9), momentum=0.9)]})


def of_tables() -> list[Any]:
    estimator = TableClassifier(epochs=4, folds=2, search=False, seconds=None, random_state=0)
    return [cross_val_score(estimator, X, Y, cv=2, scoring="neg_log_loss")]


def of_large_data() -> list[Any]:
    estimator = NetworkRegressor(cr.Network([cr.Dense(3, "tanh"), cr.Dense(1)]), max_iter=2, random_state=0)
    return [cross_val_score(estimator, LARGE, LARGE[:, 0] - LARGE[:, 1], cv=2)]


SEARCHES: list[Callable[[], list[Any]]] = [of_perceptrons, of_networks, of_tables, of_large_data]


@under(loky, dask, ray)
def test_searches_elsewhere_give_the_same_bits(cluster: str) -> None:
    with joblib.parallel_config("sequential"):
        here = [one() for one in SEARCHES]
    for one, other in zip(here, [one() for one in SEARCHES], strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


@under(loky, dask, ray)
def test_what_has_learned_answers_elsewhere_and_what_learned_there_answers_here(cluster: str) -> None:
    bent = cr.Network([cr.Dense(4, lambda z: np.tanh(z) * z), cr.Dense(3)])  # code of the user's, sent as it is
    learners = [
        MLPClassifier((6,), max_iter=3, random_state=0),
        NetworkClassifier(bent, max_iter=3, random_state=0),
        TableClassifier(epochs=2, folds=2, search=False, random_state=0),
    ]
    learned = [clone(one).fit(X, Y) for one in learners]
    expected = [one.predict_proba(X) for one in learned]
    for said in (
        elsewhere(*(joblib.delayed(one.predict_proba)(X) for one in learned)),
        [one.predict_proba(X) for one in elsewhere(*(joblib.delayed(one.fit)(X, Y) for one in map(clone, learners)))],
    ):
        for a, b in zip(expected, said, strict=True):
            np.testing.assert_array_equal(a, b)


@under(loky, dask, ray)
def test_workers_do_not_take_more_threads_than_there_are_cores(cluster: str) -> None:
    threads = elsewhere(*[joblib.delayed(most)()] * 2 * WORKERS)
    assert WORKERS * max(threads) <= max(WORKERS, usable())


def counted(folder: str) -> tuple[int, int]:
    """How much machine code a training elsewhere finds in a folder, and how much it makes."""
    from chainrule.engines.llvm.machine import cache
    from chainrule.engines.llvm.runs import training

    found: list[bool] = []
    read, os.environ[cache.VARIABLE] = cache.read, folder
    cache.read = lambda name: (code := read(name), found.append(code is not None))[0]
    training.compile_loop.cache_clear()
    try:
        deepcopy(NETWORK).fit(X, Y, epochs=1, progress=False, engine="llvm")
    finally:
        cache.read = read
        del os.environ[cache.VARIABLE]
    return sum(found), len(found) - sum(found)


@under(loky, dask, ray)
def test_machine_code_is_made_once_a_worker_at_the_most(cluster: str, tmp_path: Any) -> None:
    os.chmod(tmp_path, 0o700)
    first = elsewhere(*[joblib.delayed(counted)(str(tmp_path))] * 8)
    kinds = {sum(one) for one in first}
    made = sum(made for _, made in first)
    assert len(kinds) == 1  # all ask for as many
    assert kinds.pop() <= made <= WORKERS * sum(first[0])
    assert all(made == 0 for _, made in elsewhere(*[joblib.delayed(counted)(str(tmp_path))] * 4))


class DiesOnce:
    """A callback that kills its own process, the first time it is called anywhere."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __call__(self, end: Any) -> bool:
        try:
            os.close(os.open(self.mark, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        os.kill(os.getpid(), signal.SIGKILL)
        return True


@under(dask, ray)  # joblib's own say so too, and take long to begin again
def test_a_worker_that_is_killed_is_told_or_replaced(cluster: str, tmp_path: Any) -> None:
    estimator = NetworkClassifier(NETWORK, max_iter=3, random_state=0, callbacks=[DiesOnce(str(tmp_path / "died"))])
    calls = [joblib.delayed(cross_val_score)(clone(estimator), X, Y, cv=2, n_jobs=1) for _ in range(4)]
    if cluster != "dask":  # which carries out anew what was lost
        with pytest.raises(Exception, match="died"):
            elsewhere(*calls)
    assert len({tuple(one) for one in elsewhere(*calls)}) == 1
    assert (tmp_path / "died").exists()
