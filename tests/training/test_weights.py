"""Weights on one scale for all rows, sums in place of means, and gradients and metrics of given weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, SettingError, ShapeError
from trying import ENGINES

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(30, 2))
T = RANDOM.normal(size=(30, 1))
W = RANDOM.uniform(0.1, 3.0, 30)
QUIET: dict[str, Any] = {"epochs": 1, "progress": False, "shuffle": False}


def line() -> cr.Network:
    return cr.Network([cr.Dense(1, weight=[[0.5], [-0.3]])], dtype="float64").build(2)


def by_hand(batch_size: int, weights: Any, rate: float = 0.1) -> tuple[Any, float, float]:
    """One epoch of gradient descent on squared error: the weights and bias after it, and the weighted loss met on the way."""
    w, b, total = np.array([[0.5], [-0.3]]), 0.0, 0.0
    scale = weights / weights.mean()
    for begin in range(0, 30, batch_size):
        part = slice(begin, begin + batch_size)
        x, t, s = X[part], T[part], scale[part, None]
        error = x @ w + b - t
        total += float(np.sum(weights[part, None] * error**2))
        w, b = w - rate * 2 * np.mean(s * error * x, axis=0)[:, None], b - rate * 2 * float(np.mean(s * error))
    return w, b, total / float(weights.sum())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("batch_size", [1, 4, 7, 28, 30])
@pytest.mark.parametrize("zeros", [0, 12])
def test_weights_have_one_scale(engine: str, batch_size: int, zeros: int) -> None:
    weights = W * (np.arange(30) >= zeros)
    network = line()
    history = network.fit(
        X, T, sample_weight=weights, batch_size=batch_size, optimizer=cr.SGD(0.1), engine=engine, **QUIET
    )
    w, b, loss = by_hand(batch_size, weights)
    np.testing.assert_allclose(network.parameters["dense_0"]["weight"], w, rtol=1e-12)
    np.testing.assert_allclose(network.parameters["dense_0"]["bias"], [b], rtol=1e-10)
    assert history["loss"][0] == pytest.approx(loss, rel=1e-12)


def test_a_history_says_what_evaluate_says() -> None:
    """With a rate of 0 the weights stay, so the epoch's mean is that of all rows, however they are batched."""
    for batch_size in (1, 4, 30):
        network, y = line(), (T[:, 0] > 0).astype(int)
        history = network.fit(X, y, sample_weight=W * (W > 1.5), batch_size=batch_size, optimizer=cr.SGD(0.0), **QUIET)
        found = network.evaluate(X, y, sample_weight=W * (W > 1.5))
        assert history["loss"][0] == pytest.approx(found["loss"], rel=1e-12)
        assert history["accuracy"][0] == pytest.approx(found["accuracy"], rel=1e-12)
        right = network.predict(X) == y
        assert found["accuracy"] == pytest.approx(np.average(right, weights=W * (W > 1.5)))


def test_a_class_weight_counts_with_single_rows() -> None:
    y = np.array([0, 0, 0, 1] * 4)
    light, heavy = line(), line()
    for network, weight in ((light, 1.0), (heavy, 100.0)):
        network.fit(X[:16], y, class_weight={0: 1.0, 1: weight}, batch_size=1, optimizer=cr.SGD(0.1), **QUIET)
    assert heavy(X[:16]).mean() > light(X[:16]).mean() + 0.1


def test_validation_rows_may_have_weights() -> None:
    network = line()
    history = network.fit(X, T, validation_data=(X[:9], T[:9], W[:9]), **QUIET)
    error = (network(X[:9]) - T[:9])[:, 0] ** 2
    assert history["val_loss"][0] == pytest.approx(np.average(error, weights=W[:9]))
    with pytest.raises(SettingError, match="sample_weight"):
        line().fit(X, T, validation_data=(X, T, W, W), **QUIET)


def test_rows_without_weight_are_not_all_there_is() -> None:
    only = np.zeros(30)
    only[np.random.default_rng([0, 2]).permutation(30)[-1]] = 1
    with pytest.raises(DataError, match=r"held out.*weight 0"):
        line().fit(X, T, sample_weight=only, validation_split=0.1, **QUIET)
    with pytest.raises(DataError, match="to learn from have weight 0"):
        line().fit(X[:2], T[:2], sample_weight=[0, 1], validation_split=0.5, seed=_seed_holding_out(1), **QUIET)


def _seed_holding_out(row: int) -> int:
    """A seed by which this one of two rows is validated on."""
    return next(seed for seed in range(99) if np.random.default_rng([seed, 2]).permutation(2)[0] == row)


def test_one_number_for_a_batch_cannot_be_weighed() -> None:
    def whole(outputs: Any, targets: Any) -> Any:
        return np.mean((outputs - targets) ** 2)

    line().fit(X, T, loss=whole, **QUIET)
    with pytest.raises(ShapeError, match=r"one number for the whole batch.*weighed"):
        line().fit(X, T, loss=whole, sample_weight=W, **QUIET)


def test_one_number_for_a_batch_of_one_row_is_that_row_s_own() -> None:
    trained = [line(), line()]
    for network, axis in zip(trained, (None, -1), strict=True):
        network.fit(
            X, T, loss=lambda a, t, axis=axis: np.mean((a - t) ** 2, axis=axis), sample_weight=W, batch_size=1, **QUIET
        )
    np.testing.assert_array_equal(*(network.parameters["dense_0"]["weight"] for network in trained))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("weights", [None, W])
def test_sums_in_place_of_means(engine: str, weights: Any) -> None:
    """A step along the sum is one along the mean with a rate as many times larger as the batch has rows."""
    total, mean = line(), line()
    options: dict[str, Any] = {**QUIET, "batch_size": 10, "engine": engine, "sample_weight": weights}
    a = total.fit(X, T, loss=cr.SquaredError(reduction="sum"), optimizer=cr.SGD(0.01), **options)
    b = mean.fit(X, T, loss=cr.SquaredError(), optimizer=cr.SGD(0.1), **options)
    for name in ("weight", "bias"):
        np.testing.assert_allclose(total.parameters["dense_0"][name], mean.parameters["dense_0"][name], rtol=1e-12)
    assert a["loss"][0] == pytest.approx(10 * b["loss"][0])
    assert total.evaluate(X, T, engine=engine)["loss"] == pytest.approx(float(np.sum((total(X) - T) ** 2)))
    with pytest.raises(SettingError, match="reduction='max'"):
        cr.CrossEntropy(reduction="max")  # type: ignore[arg-type]


def test_rows_of_little_weight_count_as_little_wherever_they_stand() -> None:
    """Rows are evaluated some thousands at once: a block that weighs less than one row is a mean of its rows all the same."""
    X, weights = RANDOM.normal(size=(5000, 2)), np.where(np.arange(5000) < 4500, 1e-8, 1.0)
    y, network = X[:, :1] ** 2, line()
    for loss in (cr.SquaredError(reduction="sum"), "squared_error"):
        options: Any = {"loss": loss, "engine": "numpy"}
        found = network.evaluate(X, y, sample_weight=weights, **options)["loss"]
        turned = network.evaluate(X[::-1], y[::-1], sample_weight=weights[::-1], **options)["loss"]
        assert found == pytest.approx(turned, rel=1e-12)


def test_gradients_and_metrics_of_given_weights() -> None:
    network = line()
    error = X @ np.array([[0.5], [-0.3]]) - T
    found = network.gradients(X, T, loss="squared_error")["dense_0"]
    np.testing.assert_allclose(found["weight"], 2 * X.T @ error / 30, rtol=1e-12)
    np.testing.assert_allclose(found["bias"], [2 * error.mean()], rtol=1e-12)
    weighted = network.gradients(X, T, loss="squared_error", sample_weight=W, l2=0.5)["dense_0"]["weight"]
    expected = 2 * X.T @ (W[:, None] * error) / W.sum() + 0.5 * np.array([[0.5], [-0.3]])
    np.testing.assert_allclose(weighted, expected, rtol=1e-12)
    assert network.evaluate(X, T, loss="absolute_error") == {"loss": pytest.approx(np.abs(error).mean())}
    assert network.evaluate(X, T, W, loss="mse")["loss"] == pytest.approx(np.average(error[:, 0] ** 2, weights=W))
    y = (T[:, 0] > 0).astype(int)
    judged = network.evaluate(X, y, loss="binary_cross_entropy")
    assert judged["accuracy"] == pytest.approx(np.mean((X @ [0.5, -0.3] > 0) == y))
    assert not network.meanings


@pytest.mark.parametrize(
    "loss", ["squared_error", "l2_norm", "absolute_error", "hinge", "binary_cross_entropy", "huber"]
)
def test_targets_in_one_axis_are_never_broadcast(loss: str) -> None:
    from chainrule.training import as_loss

    outputs, targets = RANDOM.normal(size=(5, 1)), np.array([1.0, -1, 1, 1, -1])
    function = as_loss(loss)
    np.testing.assert_array_equal(function(outputs, targets), function(outputs, targets[:, None]))
    assert function(outputs, targets).shape == (5,)
    with pytest.raises(ShapeError, match=r"\(5, 1\).*\(4,\)"):
        function(outputs, targets[:4])
    with pytest.raises(ShapeError, match=r"\(5, 3\).*\(5,\)"):
        function(RANDOM.normal(size=(5, 3)), targets)


@pytest.mark.parametrize("size", [2.0**140, 2.0**1000, 2.0**-170])
def test_weights_that_float32_does_not_hold_are_ratios_as_any_others(size: float) -> None:
    """Of arrays and datasets, in training, validation and evaluation: to the bit what the same by a power of two give."""

    def learned(weights: Any) -> tuple[Any, ...]:
        network = cr.Network([cr.Dense(1, weight=[[0.5], [-0.3]])])
        other = cr.Network([cr.Dense(1, weight=[[0.5], [-0.3]])])
        first = network.fit(X, T, sample_weight=weights, validation_data=(X, T, weights), epochs=2, progress=False)
        data = cr.ArrayDataset(X, T, weights)
        second = other.fit(data, validation_data=data, epochs=2, progress=False)
        measured = network.evaluate(X, T, sample_weight=weights)
        return *first["loss"], *first["val_loss"], *second["loss"], *second["val_loss"], measured["loss"]

    assert learned(W * size) == learned(W)


def test_weights_of_a_dataset_that_cannot_be_held_are_refused_where_it_is_read_once() -> None:
    small = cr.Network([cr.Dense(1)])
    small.fit(X, T, **QUIET)
    with pytest.raises(
        DataError,
        match=r"sample_weight reaches 1e\+39, more than float32 holds\. Give all of them divided by the largest",
    ):
        small.evaluate(cr.ArrayDataset(X, T, np.full(30, 1e39)))


@pytest.mark.parametrize(
    ("wrong", "said"), [(-1.0, "is -1 in row 4"), (np.inf, r"\(inf\) in row 4"), (np.nan, "row 4")]
)
def test_a_wrong_weight_is_named(wrong: float, said: str) -> None:
    weights = W.copy()
    weights[4] = wrong
    with pytest.raises(DataError, match=said):
        line().fit(X, T, sample_weight=weights, **QUIET)
    with pytest.raises(
        DataError, match=r"in the rows 4 to 5 of ArrayDataset, counted from 0: sample_weight .* in row 0"
    ):
        line().fit(cr.ArrayDataset(X, T, weights), **QUIET)
