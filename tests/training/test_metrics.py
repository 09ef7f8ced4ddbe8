"""Further metrics of a network, by name and of the user's: in the history, for early stopping, in evaluate, and after a resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, UnknownNameError
from chainrule.training.between_epochs.watching import direction
from chainrule.training.metrics import METRICS
from sklearn import metrics as scikit

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(120, 4)).astype(np.float32)
LABELS = np.array(["low", "middle", "high"])[np.digitize(X[:, 0] + 0.5 * X[:, 1], [-0.5, 0.5])]
VALUES = X[:, 0] ** 2 + X[:, 1]


def share(truth: Any, found: Any) -> float:
    """Right answers."""
    return float(np.mean(truth == found))


def network(width: int = 1) -> cr.Network:
    return cr.Network([cr.Dense(8, "tanh"), cr.Dense(width)], seed=2)


def test_they_are_scikit_learns_after_every_epoch() -> None:
    held, seen = (X[:40], LABELS[:40]), []

    def compare(end: cr.EpochEnd) -> None:
        shares, found = model.predict_proba(held[0]), model.predict(held[0])
        classes = sorted(set(LABELS))
        places = np.searchsorted(classes, held[1])
        seen.append(
            {
                "auc": scikit.roc_auc_score(
                    places, shares.astype(float) / shares.sum(1, keepdims=True), multi_class="ovr"
                ),
                "f1": scikit.f1_score(held[1], found, average="macro"),
                "balanced_accuracy": scikit.balanced_accuracy_score(held[1], found),
                "share": scikit.accuracy_score(held[1], found),
            }
        )

    model = network(3)
    asked = ["AUC", "f1", "balanced_accuracy", share]
    history = model.fit(
        X[40:], LABELS[40:], validation_data=held, metrics=asked, epochs=4, callbacks=[compare], progress=False
    )
    for name in seen[0]:
        np.testing.assert_allclose(history[f"val_{name}"], [one[name] for one in seen], rtol=1e-6)
    np.testing.assert_allclose(history["val_share"], history["val_accuracy"], rtol=1e-6)


@pytest.mark.parametrize("engine", ["llvm", "numpy"])
def test_without_validation_data_they_are_of_the_rows_learned_from(engine: str) -> None:
    model = network()
    asked = ["mae", "r2", "rmse", scikit.mean_absolute_error]
    history = model.fit(X, VALUES, metrics=asked, epochs=3, engine=engine, progress=False)
    found = model.predict(X)
    assert history["mae"][-1] == pytest.approx(scikit.mean_absolute_error(VALUES, found), rel=1e-5)
    assert history["mean_absolute_error"] == pytest.approx(history["mae"], rel=1e-5)
    assert history["r2"][-1] == pytest.approx(scikit.r2_score(VALUES, found), rel=1e-5)


def test_what_is_learned_does_not_change() -> None:
    plain, measured = network(), network()
    a = plain.fit(X, VALUES, validation_split=0.25, epochs=4, progress=False)
    b = measured.fit(X, VALUES, validation_split=0.25, epochs=4, metrics="mae", progress=False)
    assert a["loss"] == b["loss"]
    assert a["val_loss"] == pytest.approx(b["val_loss"], rel=1e-6)
    np.testing.assert_array_equal(plain.parameters["dense_0"]["weight"], measured.parameters["dense_0"]["weight"])


def test_early_stopping_keeps_the_epoch_that_has_most() -> None:
    model = network(3)
    rule = cr.EarlyStopping(2, monitor="val_f1")
    history = model.fit(
        X[60:],
        LABELS[60:],
        validation_data=(X[:60], LABELS[:60]),
        metrics=["f1"],
        early_stopping=rule,
        epochs=60,
        progress=False,
    )
    assert history.stopped == "early stopping"
    assert history.best_epoch == int(np.argmax(history["val_f1"]))
    assert model.evaluate(X[:60], LABELS[:60], metrics=["f1"])["f1"] == pytest.approx(max(history["val_f1"]), rel=1e-6)


def test_of_functions_it_has_to_be_said_whether_more_is_better() -> None:
    with pytest.raises(SettingError, match="greater_is_better=True"):
        network(3).fit(X, LABELS, metrics=[share], early_stopping=cr.EarlyStopping(monitor="share"), progress=False)
    rule = cr.EarlyStopping(3, monitor="share", greater_is_better=True)
    model = network(3)
    history = model.fit(X, LABELS, metrics=[share], early_stopping=rule, epochs=8, progress=False)
    assert share(LABELS, model.predict(X)) == pytest.approx(max(history["share"]))


def test_directions_are_the_registrys() -> None:
    for name, metric in METRICS.items():
        if metric.compares:
            assert direction(f"val_{name}") == direction(f"{name}_left") == (-1 if metric.greater_is_better else 1)
    assert direction("val_loss") == direction("loss") == 1
    assert direction("accuracy_left") == -1


def test_evaluate_with_weights() -> None:
    model, weights = network(3), RANDOM.integers(1, 4, len(X))
    model.fit(X, LABELS, epochs=2, progress=False)
    told = model.evaluate(X, LABELS, weights, metrics=["f1", "log_loss"])
    assert told["f1"] == pytest.approx(
        scikit.f1_score(LABELS, model.predict(X), average="macro", sample_weight=weights), rel=1e-6
    )
    assert told["log_loss"] == pytest.approx(told["loss"], rel=1e-5)


def test_several_columns_and_several_outputs() -> None:
    many = network(3)
    truths = X[:, :3] > 0
    told = many.fit(X, truths, loss="binary_cross_entropy", epochs=2, metrics=["auc", share], progress=False)
    assert told["auc"][-1] == pytest.approx(scikit.roc_auc_score(truths, many.predict_proba(X)), rel=1e-6)
    assert told["share"][-1] == pytest.approx(share(truths, many.predict(X)))

    hidden, label, value = cr.Dense(8, "tanh"), cr.Dense(3), cr.Dense(1)

    def function(x: Any) -> Any:
        return {"label": label(hidden(x)), "value": value(hidden(x))}

    both = cr.Network(function)
    history = both.fit(X, {"label": LABELS, "value": VALUES}, epochs=2, metrics=["auc", "mae"], progress=False)
    assert {"auc_label", "mae_value"} <= set(history)
    assert not {"auc_value", "mae_label"} & set(history)
    assert history["mae_value"][-1] == pytest.approx(np.abs(both.predict(X)["value"] - VALUES).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        (["aucc"], UnknownNameError, "auc"),
        (["mae"], UnknownNameError, "metric of classification"),
        ([3], SettingError, "give names"),
        ([cr.Dense], SettingError, "class Dense"),
        (3, SettingError, "list of names"),
        ([share, share], SettingError, "two metrics are called 'share'"),
    ],
)
def test_what_is_no_metric(asked: Any, error: Any, told: str) -> None:
    with pytest.raises(error, match=told):
        network(3).fit(X, LABELS, metrics=asked, epochs=1, progress=False)


def test_labels_without_probabilities_have_functions() -> None:
    with pytest.raises(SettingError, match="one of probabilities"):
        network(3).fit(X, LABELS, loss="hinge", metrics=["auc"], epochs=1, progress=False)
    model = network(3)
    history = model.fit(X, LABELS, loss="hinge", metrics=[share], epochs=2, progress=False)
    assert history["share"][-1] == share(LABELS, model.predict(X))


def test_rows_that_are_read_in_parts_are_measured_after_every_epoch() -> None:
    """Those learned from, where none are held out; also such as can only be read from the beginning on."""

    def batches() -> Any:
        for begin in range(0, 120, 30):
            yield X[begin : begin + 30], VALUES[begin : begin + 30]

    for data in (cr.ArrayDataset(X, VALUES, megabytes=0.001), cr.BatchDataset(batches, 120, megabytes=0.001)):
        model = network()
        history = model.fit(data, metrics=["mae"], epochs=3, batch_size=4, progress=False)
        assert len(history["mae"]) == 3
        assert history["mae"][-1] == pytest.approx(model.evaluate(X, VALUES, metrics=["mae"])["mae"])


def test_a_training_that_is_gone_on_with_has_them_too(tmp_path: Path) -> None:
    def halted(end: cr.EpochEnd) -> None:
        if end.epoch == 2 and not again:
            raise KeyboardInterrupt

    again: list[bool] = []
    path, settings = tmp_path / "run.ckpt", {"epochs": 6, "metrics": ["mae", scikit.r2_score], "progress": False}
    network().fit(X, VALUES, checkpoint=path, every=1, callbacks=[halted], **settings)
    again.append(True)
    with pytest.raises(SettingError, match="'r2_score' among its metrics"):
        cr.resume(path, X, VALUES, callbacks=[halted], progress=False)
    with pytest.raises(SettingError, match="give the same"):
        cr.resume(path, X, VALUES, callbacks=[halted], metrics=["mae"], progress=False)
    resumed = cr.resume(path, X, VALUES, callbacks=[halted], metrics=settings["metrics"], progress=False)
    whole = network().fit(X, VALUES, **settings)
    assert resumed.history is not None
    assert resumed.history["mae"] == whole["mae"]
    assert resumed.history["r2_score"] == whole["r2_score"]


def test_of_a_dataset_they_are_those_of_its_rows_together() -> None:
    """Of one that is read in parts, with weights, in evaluation and on the way; not means of parts."""
    weights = RANDOM.uniform(0.0, 2.0, 120)
    whole, parts = cr.ArrayDataset(X, LABELS, weights), cr.ArrayDataset(X, LABELS, weights, megabytes=0.001)
    model = network(3)
    history = model.fit(parts, validation_data=parts, metrics=["auc", share], epochs=2, batch_size=4, progress=False)
    classes = sorted(set(LABELS))
    auc = scikit.roc_auc_score(LABELS, model.predict_proba(X), multi_class="ovr", labels=classes, sample_weight=None)
    plain = cr.ArrayDataset(X, LABELS, megabytes=0.001)
    assert model.evaluate(plain, metrics="auc")["auc"] == pytest.approx(auc)
    expected = model.evaluate(X, LABELS, sample_weight=weights, metrics=["auc", share])
    for data in (whole, parts):
        assert model.evaluate(data, metrics=["auc", share]) == pytest.approx(expected)
    assert history["val_auc"][-1] == pytest.approx(expected["auc"])
    assert history["val_share"][-1] == pytest.approx(share(LABELS, model.predict(X)))


@pytest.mark.filterwarnings("error")
def test_epochs_in_which_a_metric_was_not_asked_for_are_no_reason_to_warn() -> None:
    model = network()
    more: dict[str, Any] = {"validation_split": 0.2, "progress": False}
    model.fit(X, VALUES, metrics=["mae"], epochs=2, **more)
    assert model.run is not None
    history = model.fit(X, VALUES, metrics=["r2"], epochs=40, continue_from=model.run, **more)
    assert np.isnan(history["val_r2"][:2]).all()
    assert np.isfinite(history["val_r2"][2:]).all()
    assert np.isnan(history["val_mae"][2:]).all()
    broken: list[float] = [1.0] * 5 + [np.nan] * 100

    def sometimes(truth: Any, found: Any) -> float:
        return broken.pop(0)

    assert model.run is not None
    with pytest.warns(
        RuntimeWarning, match="val_sometimes is NaN or infinite after 5 of 10 epochs, first after epoch 46"
    ):
        model.fit(X, VALUES, metrics=[sometimes], epochs=50, continue_from=model.run, **more)
