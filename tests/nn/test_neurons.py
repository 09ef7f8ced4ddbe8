"""Which parameters are neurons' weights and biases: proven, whatever their names and whatever the activation does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.layer import Activated
from chainrule.nn.neurons import Neurons
from making import called, exported, made, with_a_category

X = with_a_category(np.random.default_rng(0).normal(size=(5, 2)))
SGD = cr.SGD(0.5)


@dataclass(frozen=True)
class Swapped(Activated, cr.Layer):
    """Names the wrong way round, and a weight of shape (units, inputs)."""

    activation: Any = "tanh"

    def parameters(self, *shapes: Any) -> Mapping[str, cr.ParameterSpec]:
        return {
            "bias": cr.ParameterSpec((3, shapes[0][-1]), "normal"),
            "weight": cr.ParameterSpec((3,), "normal"),
        }

    def linear(self, parameters: Any, *inputs: Any) -> Any:
        return parameters["weight"] + inputs[0] @ parameters["bias"].T


@dataclass(frozen=True)
class Gated(cr.Layer):
    """What is called weight is none, and what is called bias is a factor."""

    def parameters(self, *shapes: Any) -> Mapping[str, cr.ParameterSpec]:
        n = shapes[0][-1]
        return {name: cr.ParameterSpec((n, n) if name == "weight" else (n,), "normal") for name in ("weight", "bias")}

    def forward(self, parameters: Any, *inputs: Any) -> Any:
        return np.tanh(inputs[0] @ parameters["weight"]) * parameters["bias"]


def network(*layers: Any) -> cr.Network:
    return cr.Network([*layers, cr.Dense(1, name="last")], dtype="float64").build(2)


def step(net: cr.Network) -> Any:
    return net.step_by_step(X, np.zeros((5, 1)), loss="squared_error", optimizer=SGD)


def test_names_decide_nothing() -> None:
    net = network(Swapped(name="s"), Gated(name="g"))
    assert net.model.neurons == {
        "s": Neurons("bias", "weight", 0),
        "g": Neurons(),
        "last": Neurons("weight", "bias", 1),
    }
    own = net.parameters["s"]
    for j, neuron in enumerate(net.forward(X)["s"].neurons):
        np.testing.assert_array_equal(neuron.weights, own["bias"][j])
        assert neuron.bias == own["weight"][j]
        np.testing.assert_allclose(neuron.z, X @ neuron.weights + neuron.bias)
        np.testing.assert_allclose(neuron.a, np.tanh(neuron.z))
    assert all(n.weights is None and n.bias is None for n in net.forward(X)["g"].neurons)
    taken = step(net)
    titles = {table.title.partition("   ")[0]: table.title for table in taken.gather.tables}
    assert titles["s.bias"] == "s.bias   (a row for every unit, columns: inputs)"
    assert titles["g.weight"] == "g.weight"
    assert {"input, unit", "unit, input", "unit"} <= {table.heads[0] for table in taken.update.tables}
    assert "Σ w·x" not in taken.forward.says
    for j, neuron in enumerate(taken.backward["s"].neurons):
        np.testing.assert_allclose(neuron.weights, neuron.delta @ X)
        assert neuron.bias == pytest.approx(neuron.delta.sum())
        np.testing.assert_allclose(neuron.passed_on, np.outer(neuron.delta, own["bias"][j]))


def test_inputs_that_are_joined() -> None:
    a, b = cr.Dense(2, name="a"), cr.Dense(2, name="b")
    net = cr.Network(lambda x, y: b(a(x), y), dtype="float64").build(2, 3)
    assert net.model.neurons["b"] == Neurons("weight", "bias")


@pytest.mark.parametrize("kind", [kind for kind in exported(cr.Layer) if kind is not cr.Parameter])
def test_what_is_proven_of_every_layer_is_what_it_computes(kind: Any) -> None:
    net = cr.Network(called(made(kind, name="layer")), dtype="float64").build(2)
    reading = net.forward(X)["layer"]
    for neuron in reading.neurons:
        if neuron.weights is not None:
            z = neuron.a if neuron.z is None else neuron.z
            np.testing.assert_allclose(z, X @ neuron.weights + (0.0 if neuron.bias is None else neuron.bias))


RESHAPING: dict[str, Any] = {
    "fewer": lambda z: z[:, :3],
    "more": lambda z: np.repeat(z, 2, axis=1),
    "both signs": lambda z: np.concatenate([z, -z], axis=1),
    "largest": lambda z: np.max(z, axis=1, keepdims=True),
    "largest of pairs": lambda z: np.max(np.reshape(z, (-1, 2, 2)), axis=2),
    "product": lambda z: np.prod(z, axis=1, keepdims=True),
    "more axes": lambda z: np.reshape(z, (-1, 2, 2)),
}


@pytest.mark.parametrize("activation", [*RESHAPING, *(name for name in ACTIVATIONS if name != "step")])
def test_every_activation_can_be_read_forwards_and_backwards(activation: str) -> None:
    """Also one that gives more or fewer numbers than there are neurons; tables show all of them. Nothing comes through `step`."""
    act = RESHAPING.get(activation, activation)
    flat = [cr.Flatten()] if activation == "more axes" else []
    net = network(cr.Dense(4, act, weight="normal", bias=1.0, name="d"), cr.Activation("tanh"), *flat)
    reading, taken = net.forward(X), step(net)
    for j, (neuron, gradient) in enumerate(zip(reading["d"].neurons, taken.backward["d"].neurons, strict=True)):
        np.testing.assert_array_equal(neuron.z, reading["d"].z[:, j])
        np.testing.assert_allclose(gradient.delta @ X, taken.gather.gradients["d"]["weight"][:, j], atol=1e-14)
        assert (neuron.a is None) == (gradient.da is None) == (activation in RESHAPING)
    assert len(reading["d"].neurons) == 4
    (table,) = [t for t in taken.forward.tables if t.title.startswith("d ")]
    cells = [x for row in table.rows for x in row[1:] if x]
    shown = {"identity": 1}.get(activation, 2)  # a table of z and a, or of a alone
    width = {1: 5, 2: 3}[shown]
    assert len(cells) == width * (4 * (shown - 1) + int(np.prod(reading["d"].a.shape[1:])))
    assert str(taken)
    assert taken._repr_markdown_()
    net.draw(X, np.zeros((5, 1)))
