"""Networks with a loop in a layer: trained in machine code, asked row by row, explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import chainrule as cr


@dataclass(frozen=True)
class Recurrent(cr.Layer):
    """h = tanh(W·h + U·x) over the second axis of the input; the last h."""

    units: int = 40

    def parameters(self, shape: Any) -> Any:
        return {
            "W": cr.ParameterSpec((self.units, self.units), "glorot_uniform"),
            "U": cr.ParameterSpec((shape[-1], self.units), "glorot_uniform"),
        }

    def forward(self, p: Any, x: Any) -> Any:
        first = np.zeros((x.shape[0], self.units), x.dtype)
        return cr.scan(lambda h, row: (np.tanh(h @ p["W"] + row @ p["U"]), None), first, np.swapaxes(x, 0, 1))[0]


def test_a_loop_in_a_layer_is_trained_in_machine_code_by_any_number_of_threads() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 7, 5)).astype(np.float32)
    t = np.sin(x.sum(axis=(1, 2)))[:, None]

    def trained(**options: Any) -> Any:
        network = cr.Network([Recurrent(), cr.Dense(300), cr.Dense(1)], seed=0)
        network.fit(x, t, epochs=2, batch_size=200, optimizer="adam", progress=False, **options)
        return np.concatenate([p.ravel() for layer in network.parameters.values() for p in layer.values()])

    one = trained(engine="llvm", threads=1)
    np.testing.assert_array_equal(trained(engine="llvm", threads=2), one)
    np.testing.assert_allclose(trained(engine="numpy"), one, atol=2e-5)


def test_rows_of_a_recurrent_network_are_asked_one_by_one() -> None:
    x = np.random.default_rng(0).normal(size=(300, 7, 5)).astype(np.float32)
    network = cr.Network([Recurrent(), cr.Dense(3, "softmax")], seed=0).build((7, 5))
    expected = network(x)
    np.testing.assert_allclose(network.predict(x, engine="llvm"), network.predict(x, engine="numpy"), atol=1e-6)
    np.testing.assert_allclose(network.compiled()(x[:5]), expected[:5], atol=1e-6)
    np.testing.assert_allclose([network(row[None])[0] for row in x[:5]], expected[:5], atol=1e-6)


def test_a_loop_in_a_layer_is_explained() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 2)).astype(np.float32)
    t = np.sin(x.sum(axis=(1, 2)))[:, None]
    network = cr.Network([Recurrent(units=3), cr.Dense(1)], seed=0).build((3, 2))
    explained = network.explain(x[:1], t[:1], "recurrent_0.W[0, 1]", loss="mse", check=True)
    gradient = network.gradients(x[:1], t[:1], loss="mse")["recurrent_0"]["W"][0, 1]
    assert explained.value == pytest.approx(gradient, rel=1e-3)


def test_layers_called_in_the_body_of_a_loop() -> None:
    cell, W, out = cr.Dense(3, "tanh", name="cell"), cr.Parameter((3, 3), name="W"), cr.Dense(1, name="out")

    def recurrent(x: Any) -> Any:
        def step(h: Any, row: Any) -> Any:
            return np.tanh(cell(row) + h @ W), None

        return out(cr.scan(step, np.zeros((x.shape[0], 3), x.dtype), np.swapaxes(x, 0, 1))[0])

    x = np.random.default_rng(0).normal(size=(20, 4, 2))
    t = x[:, :, 0].sum(axis=1, keepdims=True)
    trained = []
    for engine in ("numpy", "llvm"):
        network = cr.Network(recurrent, dtype="float64", seed=1)
        history = network.fit(x, t, epochs=5, progress=False, engine=engine)
        assert history.metrics["loss"][-1] < history.metrics["loss"][0]
        trained.append(network.predict(x))
    np.testing.assert_allclose(*trained, rtol=1e-10)
    parameters = network.parameters

    def by_hand(x: Any) -> Any:
        h = np.zeros((len(x), 3))
        for k in range(x.shape[1]):
            row = x[:, k] @ parameters["cell"]["weight"] + parameters["cell"]["bias"]
            h = np.tanh(np.tanh(row) + h @ parameters["W"]["value"])
        return h @ parameters["out"]["weight"] + parameters["out"]["bias"]

    np.testing.assert_allclose(network.predict(x), by_hand(x), rtol=1e-12)
    gradients = network.gradients(x[:2], t[:2], loss="mse")
    for where, gradient in (
        ("W.value[0, 1]", gradients["W"]["value"]),
        ("cell.weight[0, 1]", gradients["cell"]["weight"]),
    ):
        explained = network.explain(x[:2], t[:2], where, loss="mse", check=True)
        assert explained.value == pytest.approx(gradient[0, 1], rel=1e-10)
        assert network.contributions(x[:2], t[:2], where, loss="mse").gradient == pytest.approx(gradient[0, 1])
    assert [reading.name for reading in network.forward(x)] == ["out"]  # those in a step of the loop have no one value
    assert "cell.weight" in str(network.step_by_step(x[:2], t[:2]))
