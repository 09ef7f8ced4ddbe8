"""`NetworkClassifier` and `NetworkRegressor`: one epoch more, labels that stay, and Ctrl-C in a search."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score

import chainrule as cr
from chainrule.sklearn import MLPClassifier, NetworkClassifier, NetworkRegressor

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
LABELS = np.array(["ox", "ass", "bee"])[np.argmax(X, axis=1)]
VALUES = X @ [1.0, -2.0, 0.5]


def interrupt(end: cr.EpochEnd) -> None:
    if end.epoch == 1:
        raise KeyboardInterrupt


@pytest.mark.parametrize(("kind", "y"), [(NetworkClassifier, LABELS), (NetworkRegressor, VALUES)])
class TestInterrupts:
    def test_a_search_ends(self, kind: Any, y: Any) -> None:
        estimator = kind(callbacks=[interrupt], max_iter=5)
        with pytest.raises(KeyboardInterrupt):
            GridSearchCV(estimator, {"l2": [0.0, 0.1]}, cv=2).fit(X, y)
        with pytest.raises(KeyboardInterrupt):
            cross_val_score(estimator, X, y, cv=2)

    def test_what_was_learned_is_kept(self, kind: Any, y: Any) -> None:
        estimator = kind(callbacks=[interrupt], max_iter=5)
        with pytest.raises(KeyboardInterrupt, match="after 2 of 5 epochs"):
            estimator.fit(X, y)
        assert estimator.history_.stopped == "interrupted"
        assert estimator.predict(X).shape == y.shape


@pytest.mark.parametrize(("kind", "y"), [(NetworkClassifier, LABELS), (NetworkRegressor, VALUES)])
def test_epochs_one_by_one_are_epochs_at_once(kind: Any, y: Any) -> None:
    """Without shuffling, and with the optimizer's state kept, so many partial fits are a fit."""
    options: dict[str, Any] = {"random_state": 0, "shuffle": False, "batch_size": 20, "optimizer": cr.Adam(0.01)}
    whole, parts = kind(max_iter=5, **options).fit(X, y), kind(**options)
    first = {"classes": np.unique(LABELS)} if kind is NetworkClassifier else {}
    parts.partial_fit(X, y, **first)
    for _ in range(4):
        parts.partial_fit(X, y)
    np.testing.assert_allclose(parts.loss_curve_, whole.loss_curve_, rtol=1e-12)
    np.testing.assert_allclose(parts.network_(X), whole.network_(X), rtol=1e-10)
    assert parts.n_iter_ == 5


def test_orders_differ_from_call_to_call() -> None:
    def learned(shuffle: bool) -> Any:
        regressor = NetworkRegressor(random_state=0, batch_size=20, shuffle=shuffle)
        return [regressor.partial_fit(X, VALUES).network_.run.streams["order"] for _ in range(2)]

    first, second = learned(True)
    assert first != second


def test_batches_may_lack_labels() -> None:
    for labels in (["ass", "bee", "ox"], ["no", "yes"]):
        classifier = NetworkClassifier(random_state=0, optimizer=cr.Adam(0.05))
        y = np.array(labels)[np.argmax(X[:, : len(labels)], axis=1)]
        for _ in range(60):
            for label in labels:
                classifier.partial_fit(X[y == label], y[y == label], classes=labels)
        assert classifier.classes_.tolist() == labels
        assert classifier.score(X, y) > 0.7


def test_other_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="first call"):
        NetworkClassifier().partial_fit(X, LABELS)
    classifier = NetworkClassifier(max_iter=1).partial_fit(X, LABELS, classes=np.unique(LABELS))
    with pytest.raises(ValueError, match="cat"):
        classifier.partial_fit(X, np.where(LABELS == "ox", "cat", LABELS))
    warm = NetworkClassifier(max_iter=1, warm_start=True).fit(X, LABELS)
    assert warm.fit(X, LABELS).classes_.tolist() == ["ass", "bee", "ox"]
    with pytest.raises(ValueError, match="other labels"):
        warm.fit(X, np.where(LABELS == "ass", "pig", LABELS))
    fitted = cr.Network([cr.Dense(3)])
    fitted.fit(X, LABELS, epochs=1, progress=False)
    assert NetworkClassifier(fitted, max_iter=1).fit(X, LABELS).score(X, LABELS) > 0
    with pytest.raises(ValueError, match="has learned the labels"):
        NetworkClassifier(fitted, max_iter=1).fit(X, np.where(LABELS == "ass", "pig", LABELS))


def test_metrics_are_scikit_learns_and_early_stopping_watches_them() -> None:
    two = np.where(LABELS == "ox", "yes", "no")
    stopping = cr.EarlyStopping(monitor="val_auc", patience=5)
    classifier = NetworkClassifier(
        max_iter=40, batch_size=20, metrics=["auc", "f1"], early_stopping=stopping, random_state=0
    )
    classifier.fit(X[:40], two[:40], validation_data=(X[40:], two[40:]))
    measured = classifier.history_["val_auc"]
    assert measured[classifier.history_.best_epoch] == max(measured)
    yes = classifier.predict_proba(X[40:])[:, 1]
    assert roc_auc_score(two[40:] == "yes", yes) == pytest.approx(max(measured))
    regressor = NetworkRegressor(max_iter=3, metrics="mae", random_state=0)
    regressor.fit(X[:40], VALUES[:40], validation_data=(X[40:], VALUES[40:]))
    assert np.abs(regressor.predict(X[40:]) - VALUES[40:]).mean() == pytest.approx(regressor.history_["val_mae"][-1])


def test_a_label_alone_is_what_is_predicted() -> None:
    classifier = NetworkClassifier(max_iter=1).fit(X, ["only"] * 60)
    assert set(classifier.predict(X)) == {"only"}


@pytest.mark.parametrize("kind", [NetworkClassifier, MLPClassifier])
def test_an_engine_with_settings_of_its_own(kind: Any) -> None:
    pytest.importorskip("jax")
    given = {"max_iter": 3, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        by_name = kind(engine="jax", **given).fit(X, LABELS)
        by_itself = GridSearchCV(kind(engine=cr.JaxEngine(), **given), {"engine": [cr.JaxEngine()]}, cv=2).fit(
            X, LABELS
        )
    np.testing.assert_array_equal(by_itself.predict_proba(X), by_name.predict_proba(X))
