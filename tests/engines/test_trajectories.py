"""Every engine does what NumPy does: trajectories over every layer, loss, optimizer and option of training."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import REFERENCE
from chainrule.nn import ACTIVATIONS
from chainrule.training import LOSSES, OPTIMIZERS
from making import called, exported, first_set, made, with_a_category
from trying import ENGINES

random = np.random.default_rng(0)
X = random.normal(size=(45, 6))
LABELS = np.array(["a", "b", "c"])[np.argmax(X[:, :3], axis=1)]
VALUES = np.stack([X[:, 0] * X[:, 1], np.abs(X[:, 2]), np.sin(X[:, 3])], axis=1)


def by_every_engine(layers: Any, X: Any, y: Any, *, dtype: str = "float64", **options: Any) -> list[cr.Network]:
    """The same network trained by every engine, first of all by NumPy."""
    networks = []
    for engine in sorted(ENGINES, key=lambda name: name != REFERENCE.name):
        network = cr.Network(layers, seed=1, dtype=dtype)
        settings = {"epochs": 4, "batch_size": 10, "progress": False, **copy.deepcopy(options)}
        network.fit(X, y, engine=engine, **settings)
        networks.append(network)
    return networks


def assert_equal(networks: list[cr.Network], rtol: float = 1e-8) -> None:
    first, *others = networks
    assert first.history is not None
    assert others
    for second in others:
        assert second.history is not None
        for name in first.history:
            if name != "seconds":
                np.testing.assert_allclose(
                    second.history[name], first.history[name], rtol=rtol, atol=rtol, err_msg=name
                )
        for layer, own in first.parameters.items():
            for name, value in own.items():
                np.testing.assert_allclose(second.parameters[layer][name], value, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"step"}))  # a step has no derivative to train by
def test_every_activation(name: str) -> None:
    assert_equal(by_every_engine([cr.Dense(5, name), cr.Dense(3)], X, VALUES))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss(name: str) -> None:
    loss = LOSSES[name]
    targets = LABELS if loss.task == "classification" else np.abs(VALUES) / np.abs(VALUES).sum(axis=1, keepdims=True)
    assert_equal(by_every_engine([cr.Dense(5, "tanh"), cr.Dense(3)], X, targets, loss=loss))


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer(name: str) -> None:
    assert_equal(by_every_engine([cr.Dense(5, "tanh"), cr.Dense(3)], X, LABELS, optimizer=OPTIMIZERS[name]), rtol=1e-6)


@pytest.mark.parametrize("kind", exported(cr.Layer))
def test_every_layer(kind: Any) -> None:
    layer, flatten, last = called(made(kind)), cr.Flatten(), cr.Dense(3)  # some give several axes
    assert_equal(by_every_engine(lambda x: last(flatten(np.tanh(layer(x)))), with_a_category(X), VALUES))


@pytest.mark.parametrize("kind", exported(cr.Schedule))
def test_every_schedule(kind: Any) -> None:
    assert_equal(by_every_engine([cr.Dense(3)], X, VALUES, optimizer=cr.SGD(first_set(kind, 0.1))))


@pytest.mark.parametrize(
    "options",
    [
        {"l1": 0.01, "l2": 0.1},
        {"clip_value": 0.01},
        {"clip_norm": 0.05},
        {"sample_weight": random.random(45)},
        {"class_weight": "balanced"},
        {"frozen": ["*.bias"]},
        {"batch_size": None},
        {"batch_size": 1},
        {"batch_size": 45},
        {"shuffle": False},
        {"validation_split": 0.2, "early_stopping": 2},
        {"optimizer": cr.SGD(cr.Cosine(0.1, epochs=4), momentum=0.9, nesterov=True)},
        {"optimizer": cr.Adam(cr.OnPlateau(0.1, patience=1))},
        {"callbacks": [lambda end: end.epoch == 2]},
    ],
    ids=lambda options: "-".join(options),
)
def test_every_option(options: dict[str, Any]) -> None:
    assert_equal(by_every_engine([cr.Dense(5, "tanh"), cr.Dense(3)], X, LABELS, **options))


@pytest.mark.parametrize(
    "layers",
    [
        [cr.Dense(1)],
        [cr.Dropout(0.3), cr.Dense(20, "relu"), cr.Dropout(0.5), cr.Dense(1)],
        [cr.Dense(17, "relu", bias=None), cr.Activation("tanh"), cr.Dense(33, "sigmoid"), cr.Dense(1)],
        [cr.Dense(40, "relu"), cr.Dense(40, "relu"), cr.Dense(40, "relu"), cr.Dense(1)],
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_layers_of_all_widths(layers: list[Any], dtype: str) -> None:
    assert_equal(by_every_engine(layers, X, VALUES[:, 0], dtype=dtype), rtol=1e-8 if dtype == "float64" else 2e-4)


def test_images_of_several_axes() -> None:
    images = random.normal(size=(20, 3, 5))
    assert_equal(
        by_every_engine([lambda x: np.tanh(np.swapaxes(x, 1, 2)), cr.Flatten(), cr.Dense(2)], images, VALUES[:20, :2])
    )


def test_any_function() -> None:
    f, g, b = cr.Dense(2, "tanh"), cr.Dense(2), cr.Parameter((2,), name="b")

    def formula(x: Any, y: Any) -> Any:
        together = np.concatenate([f(g(x, y)), np.cumsum(f(x), axis=1)], axis=-1)
        rolled = np.roll(together, 1, axis=1) * np.max(together, axis=1, keepdims=True)
        return (
            rolled[:, :2] + np.exp(f(x)) * b + np.prod(x, axis=1, keepdims=True) + np.stack([x[:, 1], y[:, 0]], axis=1)
        )

    assert_equal(by_every_engine(formula, (X[:, :2], X[:, 2:4]), VALUES[:, :2]))


def test_operations_without_machine_code_are_named() -> None:
    layers = [cr.Dense(4), lambda x: np.sort(x, axis=1), cr.Dense(1)]
    with pytest.raises(cr.ChainruleError, match=r"argsort|sort"):
        cr.Network(layers).fit(X, VALUES[:, 0], engine="llvm", epochs=1, progress=False)
    cr.Network(layers).fit(X, VALUES[:, 0], engine="auto", epochs=1, progress=False)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_seed_gives_the_same_bits(engine: str) -> None:
    first, second = (
        cr.Network([cr.Dense(9, "relu"), cr.Dropout(0.2), cr.Dense(3)]).fit(X, LABELS, engine=engine, progress=False)
        for _ in range(2)
    )
    assert first["loss"] == second["loss"]


def turned(count: int) -> Any:
    """Another order of the rows in every epoch."""
    return np.stack([np.roll(np.arange(len(X)), epoch) for epoch in range(count)])


class Turning:
    """The same, going on from call to call: how many epochs an engine asks for at once depends on its speed."""

    def __init__(self) -> None:
        self.done = 0

    def __str__(self) -> str:
        return "turning"

    def __call__(self, count: int) -> Any:
        self.done += count
        return turned(self.done)[-count:]


@pytest.mark.parametrize("batch_size", [len(X), 15, 20], ids=["all at once", "whole batches", "a smaller last one"])
@pytest.mark.parametrize("shuffle", [True, False, Turning()], ids=str)
def test_rows_in_the_same_order_and_in_changing_ones(batch_size: int, shuffle: Any) -> None:
    layers = [cr.Dense(5, "tanh"), cr.Dropout(0.3), cr.Dense(3)]  # dropout makes a row's place in its batch count
    assert_equal(by_every_engine(layers, X, VALUES, batch_size=batch_size, epochs=9, shuffle=shuffle))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("row", [-1, len(X)])
def test_an_order_with_rows_that_are_not_there(engine: str, row: int) -> None:
    with pytest.raises(cr.errors.ShapeError, match=f"row {row}; it must give numbers of rows, from 0 to 44"):
        cr.Network([cr.Dense(3)]).fit(
            X, VALUES, engine=engine, shuffle=lambda n: np.where(turned(n) == 7, row, turned(n)), progress=False
        )


@dataclass(frozen=True)
class Forgetful(cr.Optimizer):
    """Keeps from each step numbers that depend on nothing."""

    def initial_state(self, parameter: Any) -> Any:
        return {"kept": np.ones_like(parameter), "once": np.zeros((2, 3), parameter.dtype)}

    def update(self, gradient: Any, parameter: Any, state: Any, learning_rate: Any, step: Any) -> Any:
        kept = np.full(parameter.shape, 0.25, parameter.dtype)
        move = gradient * state["kept"] + np.sum(state["once"])
        return parameter - learning_rate * move, {"kept": kept, "once": np.arange(6.0).reshape(2, 3) / 100}


def test_states_may_be_constants() -> None:
    assert_equal(by_every_engine([cr.Dense(5, "tanh"), cr.Dense(3)], X, VALUES, optimizer=Forgetful(0.1)))
