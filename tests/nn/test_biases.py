"""Which parameters the penalty leaves alone: what is only ever added to something that depends on the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.tracing.interpreter import interpret
from making import called, exported, made

X = np.random.default_rng(0).normal(size=(12, 3))
Y = X @ [[1.0], [-2.0], [0.5]] + 3.0


def parameter(shape: tuple[int, ...], name: str = "b", **settings: Any) -> cr.Parameter:
    return cr.Parameter(shape, "normal", name=name, **settings)


FUNCTIONS: list[tuple[str, tuple[int, ...], Any, bool]] = [
    ("added", (3,), lambda x, b: x + b, True),
    ("added on the left", (3,), lambda x, b: b + x, True),
    ("subtracted", (3,), lambda x, b: x - b, True),
    ("subtracted from", (3,), lambda x, b: b - x, True),
    ("one number", (), lambda x, b: x + b, True),
    ("negative", (3,), lambda x, b: x + -b, True),
    ("moved first", (3, 1), lambda x, b: x + np.transpose(b), True),
    ("broadcast first", (), lambda x, b: x + np.broadcast_to(b, (3,)), True),
    ("one element of it", (4,), lambda x, b: x + b[1], True),
    ("with a number", (3,), lambda x, b: np.tanh(x + (b + 1.0)), True),
    ("twice", (3,), lambda x, b: np.tanh(x + b) - b, True),
    ("two axes", (1, 3), lambda x, b: x + b, True),
    ("factor", (3,), lambda x, b: x * b, False),
    ("factor and summand", (3,), lambda x, b: x * b + b, False),
    ("one more than a factor", (3,), lambda x, b: x * (1.0 + b), False),
    ("weight", (3, 3), lambda x, b: x @ b, False),
    ("weight plus something", (3, 3), lambda x, b: x @ (b + np.eye(3)), False),
    ("half of it", (3,), lambda x, b: x + 0.5 * b, False),
    ("exponential of it", (3,), lambda x, b: x + np.exp(b), False),
    ("its mean", (3,), lambda x, b: x + np.mean(b), False),
    ("joined to the data", (3,), lambda x, b: np.concatenate([x, np.broadcast_to(b, x.shape)], axis=1), False),
    ("greater of both", (3,), lambda x, b: np.maximum(x, b), False),
    ("without derivative", (3,), lambda x, b: x + cr.stop_gradient(b), False),
]


@pytest.mark.parametrize(("shape", "use", "expected"), [f[1:] for f in FUNCTIONS], ids=[f[0] for f in FUNCTIONS])
def test_proven_by_its_uses(shape: tuple[int, ...], use: Any, expected: bool) -> None:
    b = parameter(shape)
    network = cr.Network(lambda x: use(x, b)).build(3)
    assert ("b.value" in network.model.biases) is expected


def test_two_weights_that_are_added_are_no_biases() -> None:
    v, w = parameter((3, 2), "v"), parameter((3, 2), "w")
    assert not cr.Network(lambda x: x @ (v + w)).build(3).model.biases
    assert cr.Network(lambda x: x[:, :2] + (v[0] + w[0])).build(3).model.biases == {"v.value", "w.value"}


@pytest.mark.parametrize("said", [True, False])
def test_what_is_said_is_taken(said: bool) -> None:
    for use in (lambda x, b: x + b, lambda x, b: x * b):
        b = parameter((3,), bias=said)
        assert ("b.value" in cr.Network(lambda x, use=use, b=b: use(x, b)).build(3).model.biases) is said
    assert repr(parameter((3,), bias=said)) == f"Parameter(shape=(3,), initializer='normal', bias={said}, name='b')"


@dataclass(frozen=True)
class Named(cr.Layer):
    """A layer whose weight is called bias and whose bias is called weight, and one parameter that says it is one."""

    def parameters(self, *shapes: Any) -> Mapping[str, cr.ParameterSpec]:
        return {
            "bias": cr.ParameterSpec((shapes[0][-1], 1), "normal"),
            "weight": cr.ParameterSpec((1,), "normal"),
            "scale": cr.ParameterSpec((1,), "ones", bias=True),
        }

    def forward(self, parameters: Any, *inputs: Any) -> Any:
        return (inputs[0] @ parameters["bias"]) * parameters["scale"] + parameters["weight"]


def test_a_name_decides_nothing() -> None:
    network = cr.Network([Named(name="n"), cr.Dense(1)]).build(3)
    assert network.model.biases == {"n.weight", "n.scale", "dense_0.bias"}


def test_parameters_in_place_of_a_layers_own() -> None:
    w, b = parameter((3, 1), "w"), parameter((1,), "b")
    assert cr.Network([cr.Dense(1, weight=w, bias=b)]).build(3).model.biases == {"b.value"}


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_penalty_moves_weights_and_no_bias(penalty: str, engine: str) -> None:
    """With a loss of derivative 0 only the penalty moves anything."""
    network = cr.Network([Named(name="n")], dtype="float64").build(3)
    before = {name: value.copy() for name, value in network.parameters["n"].items()}
    network.fit(
        X, Y, loss=lambda a, t: np.sum(0.0 * a, axis=-1), optimizer=cr.SGD(0.1), epochs=1, batch_size=None,
        engine=engine, progress=False, **{penalty: 0.5},
    )  # fmt: skip
    after = network.parameters["n"]
    moved = 0.05 * (np.sign(before["bias"]) if penalty == "l1" else before["bias"])
    np.testing.assert_allclose(after["bias"], before["bias"] - moved, rtol=1e-12)
    for name in ("weight", "scale"):
        np.testing.assert_array_equal(after[name], before[name])


def test_a_parameter_that_is_added_is_free_of_the_penalty() -> None:
    """As the bias of a layer is: the same network written in both ways is trained to the same numbers."""
    b, dense = cr.Parameter((1,), name="b"), cr.Dense(1, bias=None, name="d")
    options: dict[str, Any] = {"epochs": 20, "optimizer": cr.SGD(0.1), "l2": 0.3, "l1": 0.01, "progress": False}
    first, second = cr.Network(lambda x: dense(x) + b, seed=1), cr.Network([cr.Dense(1, name="d")], seed=1)
    first.fit(X, Y, **options)
    second.fit(X, Y, **options)
    np.testing.assert_array_equal(first.parameters["d"]["weight"], second.parameters["d"]["weight"])
    np.testing.assert_array_equal(first.parameters["b"]["value"], second.parameters["d"]["bias"])


def test_saved_and_loaded(tmp_path: Path) -> None:
    free, held = parameter((2,), "free"), parameter((2,), "held", bias=False)
    network = cr.Network([cr.Dense(2, bias=free), cr.Dense(2, bias=held)]).build(3)
    network.save(tmp_path / "model")
    loaded = cr.load(tmp_path / "model")
    assert loaded.model.biases == network.model.biases == {"free.value"}
    assert loaded.layers["held"].bias is False


@pytest.mark.parametrize("kind", [kind for kind in exported(cr.Layer) if kind is not cr.Parameter])
def test_every_layer_says_or_proves_it(kind: Any) -> None:
    """What moving a bias does where it meets the data is the same whatever the data are: it is added to them."""
    network = cr.Network(called(made(kind, name="layer")), dtype="float64").build(4)
    assert all(spec.bias in (True, False) for spec in network.model.specs.get("layer", {}).values())
    samples = np.random.default_rng(1).normal(size=(2, 5, 4))
    for name in network.model.biases:
        layer, _, parameter = name.partition(".")  # a layer of layers has those of its own
        own = network.parameters[layer][parameter]

        def function(bias: Any, x: Any, layer: str = layer, parameter: str = parameter) -> Any:
            given = {**network.parameters, layer: {**network.parameters[layer], parameter: bias}}
            return network.model.apply(given, [x]).outputs

        program = cr.trace(function, own, samples[0])
        first, second = ([interpret(program, dict(zip(program.inputs, (b, x), strict=True))) for b in (own, own + 1.0)]
                         for x in samples)  # fmt: skip
        of_bias, of_data = reached(program, program.inputs[0]), reached(program, program.inputs[1])
        meetings = [e for e in program.equations if e.output in of_data and of_bias.intersection(e.inputs) - of_data]
        assert meetings
        for x in (equation.output for equation in meetings):
            np.testing.assert_allclose(first[1][x] - first[0][x], second[1][x] - second[0][x], rtol=1e-12)


def reached(program: Any, x: Any) -> set[Any]:
    """A variable and all that depends on it."""
    found = {x}
    for equation in program.equations:
        if not found.isdisjoint(equation.inputs):
            found.add(equation.output)
    return found
