"""Every optimizer, loss and kind of network can be viewed, gone through and asked."""

import json
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.training import LOSSES, OPTIMIZERS

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(6, 3))


def gone_through(view: cr.View, key: str) -> None:
    view.do("train", epochs=2, wait=True)
    view.do("select", key=key)
    seen = json.dumps(dict(view.parts), allow_nan=False)
    for grain in ("stage", "step"):
        view.do("move", grain=grain, by=-1)
        view.do("move", grain=grain, by=1)
    for name in view.session.panel_names:
        view.do("panel", name=name, open=True)
    json.dumps(dict(view.parts), allow_nan=False)
    for name in view.session.panel_names:
        view.do("panel", name=name, open=False)
    view.do("jump", to="end")
    assert json.dumps({**view.parts, "position": 0}) == json.dumps({**json.loads(seen), "position": 0})


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name: str) -> None:
    network = cr.Network([cr.Dense(2, "tanh", name="h"), cr.Dense(1, name="o")])
    gone_through(cr.view(network, X, X[:, :1], loss="mse", optimizer=name, batch_size=4), "h.weight[1, 1]")


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str) -> None:
    classes = np.arange(6) % 2
    labelled = {"cross_entropy": (2, classes), "binary_cross_entropy": (1, classes), "hinge": (1, classes)}
    shares = {"kl_divergence": (2, np.abs(X[:, :2]) / np.abs(X[:, :2]).sum(axis=1, keepdims=True))}
    width, y = {**labelled, **shares}.get(name, (1, np.abs(X[:, :1])))
    network = cr.Network([cr.Dense(2, "tanh", name="h"), cr.Dense(width, name="o")])
    gone_through(cr.view(network, X, y, loss=name, optimizer=cr.SGD(0.01)), "h.weight[0, 1]")


def two_inputs() -> Any:
    f, g, h = cr.Dense(3, "tanh", name="f"), cr.Dense(3, "sigmoid", name="g"), cr.Dense(1, name="h")

    def network(a: Any, b: Any) -> Any:
        return h(f(a) * g(b) + f(a))

    return cr.view(cr.Network(network), {"a": X, "b": X[:, :2]}, X[:, :1], loss="mse"), "f.weight[1, 1]"


def two_outputs() -> Any:
    f, u, v = cr.Dense(3, "relu", name="f"), cr.Dense(2, name="u"), cr.Dense(3, name="v")

    def network(x: Any) -> Any:
        return {"u": u(f(x)), "v": v(f(x))}

    targets = {"u": X[:, :2], "v": np.array(list("abcabc"))}
    return cr.view(cr.Network(network), X, targets, loss={"u": "mse", "v": "cross_entropy"}), "f.bias[0]"


def images() -> Any:
    network = cr.Network([cr.Flatten(), cr.Dense(40, "relu", name="h"), cr.Dropout(0.5), cr.Dense(10, name="o")])
    return cr.view(network, RANDOM.normal(size=(20, 12, 12)), np.arange(20) % 10), "h.weight[100, 3]"


@pytest.mark.parametrize("make", [two_inputs, two_outputs, images])
def test_networks(make: Any) -> None:
    gone_through(*make())
