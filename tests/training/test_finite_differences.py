"""Exclusive or by nudging and by the chain rule (SPEC D1 and D2): the same start, the same way, at different cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.training.steps.finite_differences import EPSILON, NUMBERS
from trying import ENGINES

X, Y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[0.0], [1.0], [1.0], [0.0]])


def xor(hidden: int = 2, **options: Any) -> cr.Network:
    uniform = cr.Uniform(0.0, 1.0)
    layers = [
        cr.Dense(hidden, "sigmoid", weight=uniform, bias=uniform),
        cr.Dense(1, "sigmoid", weight=uniform, bias=uniform),
    ]
    return cr.Network(layers, **{"seed": 4, "dtype": "float64", **options})


def flat(parameters: Any) -> Any:
    return np.concatenate([np.ravel(value) for own in parameters.values() for value in own.values()])


def trajectory(gradients: str, epochs: int, **options: Any) -> tuple[Any, cr.History]:
    places: list[Any] = []
    network = xor()
    history = network.fit(
        X, Y, **{"loss": "squared_error", "optimizer": cr.SGD(1.0), "batch_size": None, **options},
        epochs=epochs, gradients=gradients, callbacks=[lambda end: places.append(flat(end.parameters))], progress=False,
    )  # fmt: skip
    return np.array(places), history


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("hidden", [2, 50, 1100], ids=["all at once", "batch by batch", "one after the other"])
def test_one_step_of_finite_differences_by_hand(hidden: int, engine: str) -> None:
    """4·h + 1 parameters, which the step nudges all at once where they are few, and in a loop where they are many."""
    assert min(NUMBERS // (4 * h + 1) for h in (2, 50)) > 1 > NUMBERS // (4 * 1100 + 1)
    network = xor(hidden).build(2)
    start = [value.copy() for own in network.parameters.values() for value in own.values()]

    def loss(values: list[Any]) -> float:
        W, b, V, c = values
        sigmoid = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
        return float(np.mean((sigmoid(sigmoid(X @ W + b) @ V + c) - Y) ** 2))

    before, expected = loss(start), []
    for i, value in enumerate(start):
        new = value.copy()
        for place in np.ndindex(value.shape):
            numerical = [v.copy() for v in start]
            numerical[i][place] += 1e-4
            new[place] += 0.5 * (before - loss(numerical)) / 1e-4
        expected.append(new)
    assert EPSILON == 1e-4
    history = network.fit(
        X, Y, loss="squared_error", optimizer=cr.SGD(0.5), batch_size=None, epochs=1, gradients="numerical",
        progress=False, engine=engine,
    )  # fmt: skip
    np.testing.assert_allclose(
        flat(network.parameters), np.concatenate([e.ravel() for e in expected]), rtol=1e-11, atol=1e-11
    )
    assert history["loss"][0] == pytest.approx(before, rel=1e-12)


def test_both_trajectories_agree_to_the_accuracy_of_finite_differences() -> None:
    exact, by_chain_rule = trajectory("chain rule", 300)
    numerical, by_differences = trajectory("numerical", 300)
    moved = np.abs(exact[-1] - flat(xor().build(2).parameters)).max()
    assert moved > 0.1
    assert np.abs(exact - numerical).max() < 300 * EPSILON * 0.05
    np.testing.assert_allclose(by_differences["loss"], by_chain_rule["loss"], atol=1e-4)


def test_passes_are_counted() -> None:
    _, by_chain_rule = trajectory("chain rule", 20)
    _, by_differences = trajectory("numerical", 20)
    assert by_chain_rule.passes == {"forward": 20, "backward": 20}
    assert by_differences.passes == {"forward": 20 * (1 + 9), "backward": 0}  # 9 parameters, each nudged in turn


@pytest.mark.parametrize("optimizer", [cr.SGD(0.3, momentum=0.9), cr.Adam(0.01), cr.AdaGrad(0.1)], ids=repr)
def test_with_mini_batches_and_any_optimizer(optimizer: Any) -> None:
    exact, _ = trajectory("chain rule", 15, optimizer=optimizer, batch_size=3)
    numerical, _ = trajectory("numerical", 15, optimizer=optimizer, batch_size=3)
    np.testing.assert_allclose(exact, numerical, atol=5e-3)


def test_with_dropout_penalties_clipping_and_frozen_parameters() -> None:
    def trained(gradients: str) -> cr.Network:
        layers = [cr.Dense(6, "tanh", name="a"), cr.Dropout(0.4), cr.Dense(1, name="b")]
        network = cr.Network(layers, dtype="float64", frozen=["a.bias"])
        network.fit(
            X,
            Y,
            optimizer=cr.SGD(0.1),
            epochs=20,
            l2=0.01,
            l1=0.001,
            clip_norm=0.5,
            gradients=gradients,
            progress=False,
        )
        return network

    exact, numerical = trained("chain rule"), trained("numerical")
    np.testing.assert_allclose(flat(exact.parameters), flat(numerical.parameters), atol=2e-3)
    assert (numerical.parameters["a"]["bias"] == 0).all()


@pytest.mark.parametrize("batch_size", [1, 3, 4])
@pytest.mark.parametrize("hidden", [2, 30])
def test_batches_are_those_of_the_chain_rule(batch_size: int, hidden: int) -> None:
    def trained(gradients: Any) -> tuple[Any, Any]:
        network = xor(hidden)
        options: Any = {"optimizer": cr.SGD(0.5), "epochs": 3, "progress": False, "gradients": gradients}
        history = network.fit(X, Y, loss="squared_error", batch_size=batch_size, **options)
        return flat(network.parameters), history["loss"]

    for exact, numerical in zip(trained("chain rule"), trained("numerical"), strict=True):
        np.testing.assert_allclose(numerical, exact, rtol=1e-3)


def test_float32_networks_are_differenced_in_float64() -> None:
    single = xor(dtype="float32")
    history = single.fit(
        X, Y, loss="squared_error", optimizer=cr.SGD(1.0), batch_size=None, epochs=50, gradients="numerical",
        progress=False,
    )  # fmt: skip
    _, expected = trajectory("numerical", 50)
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-5)
    assert flat(single.parameters).dtype == np.float32


def test_unknown_way() -> None:
    with pytest.raises(cr.ChainruleError, match="'chain rule' or 'numerical'"):
        xor().fit(X, Y, gradients="autodiff")
