"""BLAS has its own number of threads again after short answers, whoever asks at the same time."""

from __future__ import annotations

import threading

import numpy as np
import pytest

pytest.importorskip("sklearn")

from chainrule.sklearn import MLPClassifier, fitted


def blas_threads() -> list[int]:
    """Of the libraries that are kept to one thread; one that another package loads later is not among them."""
    with fitted._one_thread:
        known = fitted._one_thread._blas
    return [pool["num_threads"] for pool in known.info()]


def test_many_callers_leave_blas_as_it_was() -> None:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(600, 20)), random.integers(0, 3, 600)
    model = MLPClassifier((40,), max_iter=30, tol=100.0, random_state=0).fit(X, y)
    before, expected = blas_threads(), model.predict(X)
    found: list[np.ndarray] = []
    callers = [threading.Thread(target=lambda: found.extend(model.predict(X) for _ in range(20))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 80
    assert all(np.array_equal(x, expected) for x in found)
    assert blas_threads() == before
