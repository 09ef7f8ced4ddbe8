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
