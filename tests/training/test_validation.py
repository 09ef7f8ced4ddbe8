"""Validation in a training's own loop: after every epoch what `evaluate` says of the parameters then, and nothing else changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.training.evaluation import BATCH, QUANTUM
from trying import ENGINES

RANDOM = np.random.default_rng(0)
X, LABELS = RANDOM.normal(size=(310, 6)), RANDOM.integers(0, 3, 310)
VALUES = np.tanh(X[:, :2]) + 0.1 * RANDOM.normal(size=(310, 2))
WEIGHTS = np.where(RANDOM.uniform(size=310) < 0.2, 0.0, RANDOM.uniform(0.5, 2.0, 310))


def two_outputs(x: Any) -> Any:
    hidden = BELOW(x)
    return {"label": LABEL(hidden), "value": VALUE(hidden)}


BELOW = cr.Dense(9, "tanh", name="below")
LABEL, VALUE = cr.Dense(3, name="label"), cr.Dense(2, name="value")

NETWORKS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "labels": (lambda: [cr.Dense(8, "tanh"), cr.Dropout(0.3), cr.Dense(3)], LABELS, {"batch_size": 32}),
    "in registers": (lambda: [cr.Dense(2, "tanh"), cr.Dense(2)], VALUES, {"batch_size": 4}),
    "in memory": (lambda: [cr.Dense(300, "relu"), cr.Dense(2)], VALUES, {"batch_size": 100}),
    "all rows": (lambda: [cr.Dense(5, "relu"), cr.Dense(2)], VALUES, {"batch_size": None}),
    "running means": (lambda: [cr.Dense(5), cr.BatchNorm(), cr.Dense(3)], LABELS, {"batch_size": 64}),
    "sum": (lambda: [cr.Dense(4), cr.Dense(2)], VALUES, {"loss": cr.SquaredError(reduction="sum"), "l2": 0.1}),
    "two outputs": (
        lambda: two_outputs,
        {"label": LABELS, "value": VALUES},
        {"loss": {"label": "cross_entropy", "value": "huber"}, "batch_size": 50},
    ),
    "rows that are no samples": (lambda: centred, VALUES, {"batch_size": 50}),
}


def centred(x: Any) -> Any:
    """Every output depends on all rows."""
    return CENTRED(x - np.mean(x, axis=0))


CENTRED = cr.Dense(2, name="centred")


def rows_of(y: Any, rows: Any) -> Any:
    return {name: own[rows] for name, own in y.items()} if isinstance(y, dict) else y[rows]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_epoch_is_what_evaluate_says_then(name: str, engine: str) -> None:
    layers, y, options = NETWORKS[name]
    options = {"loss": "cross_entropy" if y is LABELS else "squared_error", "epochs": 5, "seed": 3, **options}
    if options["loss"] == "squared_error" and options.get("batch_size") == 4:
        options["optimizer"] = cr.SGD(0.05)
    for rows in (1, QUANTUM + 1, BATCH, BATCH + 1, 310):
        weights = () if rows % 2 else (WEIGHTS[:rows],)
        held = (X[:rows], rows_of(y, slice(rows)), *weights)
        scored, evaluations = cr.Network(layers(), dtype="float64", seed=1), []

        def score(
            end: Any, held: Any = held, network: Any = scored, evaluations: Any = evaluations, weights: Any = weights
        ) -> None:
            weighted = {"sample_weight": weights[0]} if weights else {}
            evaluations.append(network.evaluate(held[0], held[1], **weighted))

        plain = scored.fit(X, y, callbacks=[score], engine=engine, progress=False, **options)
        together = cr.Network(layers(), dtype="float64", seed=1)
        history = together.fit(X, y, validation_data=held, engine=engine, progress=False, **options)
        assert history["loss"] == plain["loss"]
        for metric in evaluations[0]:
            expected = [found[metric] for found in evaluations]
            np.testing.assert_allclose(history[f"val_{metric}"], expected, rtol=1e-12, err_msg=f"{rows} rows")
        one_by_one = cr.Network(layers(), dtype="float64", seed=1).fit(
            X, y, validation_data=held, engine=engine, progress=False, callbacks=[lambda end: None], **options
        )
        assert all(one_by_one[metric] == history[metric] for metric in history if metric != "seconds")


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_on_disk(engine: str, tmp_path: Any) -> None:
    path = tmp_path / "rows"
    np.ascontiguousarray(X, np.float32).tofile(path)
    rows = np.memmap(path, np.float32, "r", shape=X.shape)

    def fitted(held: Any) -> Any:
        network = cr.Network([cr.Dense(8, "tanh"), cr.Dense(3)], seed=1)
        options: dict[str, Any] = {"epochs": 3, "validation_data": (held, LABELS), "engine": engine}
        return network.fit(np.float32(X), LABELS, progress=False, **options)["val_loss"]

    assert fitted(rows) == fitted(np.float32(X))


def test_what_is_infinite_counts_only_where_it_has_weight() -> None:
    far = VALUES[:20].copy()
    far[3] = 1e200
    network = cr.Network([cr.Dense(2)], dtype="float64")
    with pytest.warns(RuntimeWarning, match="val_loss is NaN or infinite"):
        history = network.fit(X, VALUES, epochs=2, validation_data=(X[:20], far), progress=False)
    assert np.isinf(history["val_loss"]).all()
    weights = np.ones(20)
    weights[3] = 0.0
    spared = network.fit(X, VALUES, epochs=2, validation_data=(X[:20], far, weights), progress=False)
    assert np.isfinite(spared["val_loss"]).all()
