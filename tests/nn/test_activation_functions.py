"""Activations by name: their values, their limits, and that a network can be trained through each."""

from __future__ import annotations

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import UnknownNameError
from chainrule.nn import ACTIVATIONS

FORMULAS = {  # of one number, written from the definitions
    "identity": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": lambda x: (math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x)),
    "relu": lambda x: max(x, 0.0),
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "selu": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (math.exp(x) - 1)),
    "gelu": lambda x: x * 0.5 * (1 + math.erf(x / math.sqrt(2))),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "hard_tanh": lambda x: max(-1.0, min(1.0, x)),
    "step": lambda x: float(x > 0),
    "exp": math.exp,
    "softmax": None,
    "log_softmax": None,
}
POINTS = np.array([[-3.0, -1.5, -0.3], [0.2, 0.9, 2.5]])


@pytest.mark.parametrize("name", FORMULAS)
def test_values(name: str) -> None:
    values = ACTIVATIONS[name](POINTS)
    if name in ("softmax", "log_softmax"):
        exponents = np.exp(POINTS)
        expected = exponents / exponents.sum(axis=1, keepdims=True)
        expected = np.log(expected) if name == "log_softmax" else expected
    else:
        expected = np.vectorize(FORMULAS[name])(POINTS)
    np.testing.assert_allclose(values, expected, rtol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
class TestEveryActivation:
    def test_finite_and_silent_far_out(self, name: str) -> None:
        if name == "exp":
            return  # its value at 1000 is beyond every float
        far = np.array([[-1000.0, 1000.0, 0.0]])
        for dtype in ("float32", "float64"):
            values = ACTIVATIONS[name](far.astype(dtype))
            assert np.isfinite(values).all()
            assert values.dtype == dtype
        gradient = cr.grad(lambda x: np.sum(ACTIVATIONS[name](x) * np.array([1.0, 2.0, 3.0])))
        if name != "step":
            assert np.isfinite(gradient(far)).all()

    def test_a_network_learns_through_it(self, name: str) -> None:
        random = np.random.default_rng(0)
        X = random.normal(size=(40, 3))
        y = X @ [[1.0], [-1.0], [0.5]]
        network = cr.Network([cr.Dense(5, name), cr.Dense(1)])
        history = network.fit(X, y, epochs=40, optimizer=cr.Adam(0.03), progress=False)
        assert history["loss"][-1] < 0.8 * history["loss"][0]


def test_own_function_is_an_activation() -> None:
    network = cr.Network([cr.Dense(2, lambda x: x**2 + 1, name="d")], dtype="float64").build(3)
    X = np.ones((1, 3))
    z = X @ network.parameters["d"]["weight"]
    np.testing.assert_allclose(network(X), z**2 + 1)


def test_unknown_name() -> None:
    with pytest.raises(UnknownNameError, match=r"no activation named 'rleu' \(did you mean 'relu'\?\)"):
        cr.Dense(3, "rleu")
    with pytest.raises(UnknownNameError):
        cr.Activation("swush")


def test_every_formula_is_of_an_activation() -> None:
    assert set(FORMULAS) <= set(ACTIVATIONS)
