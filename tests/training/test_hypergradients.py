"""Derivatives by the settings of a training, against trainings with the settings nudged."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DivergedError, SettingError
from making import exported

RANDOM = np.random.default_rng(0)
X, XV = RANDOM.normal(size=(50, 3)), RANDOM.normal(size=(20, 3))
Y, YV = (np.sin(x[:, 0]) * x[:, 1] for x in (X, XV))
LABELS, LABELS_V = Y > 0, YV > 0


def network(
    width: int = 6, activation: str = "tanh", outputs: int = 1, seed: int = 2, dropout: bool = False
) -> cr.Network:
    layers = [cr.Dense(width, activation), *([cr.Dropout(0.2)] if dropout else []), cr.Dense(outputs)]
    return cr.Network(layers, dtype="float64", seed=seed)


def validation_loss(net: cr.Network, optimizer: Any, targets: Any = (Y, YV), **options: Any) -> float:
    net.fit(X, targets[0], optimizer=optimizer, engine="numpy", progress=False, **options)
    return float(net.evaluate(XV, targets[1], engine="numpy")["loss"])


SGD = lambda rate=0.05, momentum=0.9: cr.SGD(rate, momentum=momentum, nesterov=True)  # noqa: E731
ADAM = lambda rate=0.01, beta1=0.9, beta2=0.99: cr.Adam(rate, beta1=beta1, beta2=beta2)  # noqa: E731
RMS = lambda rate=0.01, rho=0.9: cr.RMSprop(rate, rho=rho)  # noqa: E731
ADAMW = lambda rate=0.01, weight_decay=0.1: cr.AdamW(rate, weight_decay=weight_decay)  # noqa: E731
CASES: dict[str, tuple[Any, dict[str, str], dict[str, Any], dict[str, Any]]] = {
    "SGD": (SGD, {"learning_rate": "rate", "momentum": "momentum"}, {}, {}),
    "Adam": (ADAM, {"learning_rate": "rate", "beta1": "beta1", "beta2": "beta2"}, {"activation": "sigmoid"}, {}),
    "RMSprop": (RMS, {"learning_rate": "rate", "rho": "rho"}, {"width": 3}, {"batch_size": None}),
    "AdamW": (ADAMW, {"learning_rate": "rate", "weight_decay": "weight_decay"}, {}, {"seed": 5}),
    "dropout": (SGD, {"learning_rate": "rate"}, {"dropout": True}, {"batch_size": 7}),
    "penalties": (SGD, {"learning_rate": "rate", "momentum": "momentum"}, {}, {"l1": 0.01, "l2": 0.02}),
}


@pytest.mark.parametrize("name", CASES)
def test_they_are_what_nudged_trainings_show(name: str) -> None:
    make, named, shape, options = CASES[name]
    options = {"epochs": 4, "batch_size": 16, "loss": "squared_error", **options}
    found = cr.hypergradient(network(**shape), (X, Y), (XV, YV), optimizer=make(), **options)
    assert found.value == pytest.approx(validation_loss(network(**shape), make(), **options), rel=1e-10)
    for setting, argument in named.items():
        default = make.__defaults__[make.__code__.co_varnames.index(argument)]
        step = 1e-6 * max(default, 0.01)
        up, down = (
            validation_loss(network(**shape), make(**{argument: default + d}), **options) for d in (step, -step)
        )
        assert found[setting] == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-8), setting
    for setting in ("l1", "l2"):
        if setting in options:
            up, down = (
                validation_loss(network(**shape), make(), **{**options, setting: options[setting] + d})
                for d in (1e-6, -1e-6)
            )
            assert found[setting] == pytest.approx((up - down) / 2e-6, rel=1e-5), setting


def test_the_rates_of_every_epoch() -> None:
    options = {"epochs": 3, "batch_size": 16, "loss": "squared_error"}
    found = cr.hypergradient(
        network(), (X, Y), (XV, YV), optimizer=SGD(), by=["learning_rate", "learning_rates", "l2"], **options
    )
    assert found["learning_rates"].shape == (3,)
    assert found["learning_rates"].sum() == pytest.approx(found["learning_rate"])
    for epoch in range(3):
        sides = []
        for change in (1e-7, -1e-7):
            rates = [0.05 + (change if e == epoch else 0.0) for e in range(3)]
            sides.append(validation_loss(network(), SGD(own(rates)), **options))
        assert found["learning_rates"][epoch] == pytest.approx((sides[0] - sides[1]) / 2e-7, rel=1e-5)
    up, down = (validation_loss(network(), SGD(), l2=l2, **options) for l2 in (2e-6, 0.0))
    assert found["l2"] == pytest.approx((up - down) / 2e-6, rel=1e-4)


def own(rates: Any) -> Any:
    """A schedule with a rate for every epoch."""
    return lambda epoch: np.asarray(rates)[np.minimum(np.floor(epoch), len(rates) - 1).astype(int)]


def test_classes_and_several_outputs() -> None:
    options = {"epochs": 4, "batch_size": 16}
    for outputs, loss in ((1, "binary_cross_entropy"), (2, "cross_entropy")):
        given = {**options, "loss": loss}
        found = cr.hypergradient(network(outputs=outputs), (X, LABELS), (XV, LABELS_V), optimizer=SGD(), **given)
        up, down = (
            validation_loss(network(outputs=outputs), SGD(0.05 + d), (LABELS, LABELS_V), **given) for d in (1e-6, -1e-6)
        )
        assert found["learning_rate"] == pytest.approx((up - down) / 2e-6, rel=1e-5)


def test_the_network_is_left_as_it_is() -> None:
    net = network().build(3)
    before = {layer: {n: x.copy() for n, x in arrays.items()} for layer, arrays in net.parameters.items()}
    found = cr.hypergradient(net, (X, Y), (XV, YV), epochs=2)
    for layer, arrays in before.items():
        for name, x in arrays.items():
            assert (net.parameters[layer][name] == x).all()
            assert (found.parameters[layer][name] != x).any()
    assert net.history is None or not len(net.history["loss"])


def test_what_is_refused() -> None:
    with pytest.raises(SettingError, match=r"by='momentun'.*this training has .*momentum"):
        cr.hypergradient(network(), (X, Y), (XV, YV), optimizer=SGD(), by=["momentun"])
    with pytest.raises(SettingError, match=r"validation as a pair"):
        cr.hypergradient(network(), (X, Y), XV)
    with pytest.raises(DivergedError, match="smaller learning rate"):
        cr.hypergradient(network(activation="relu"), (1e3 * X, Y), (XV, YV), optimizer=cr.SGD(1e6), epochs=20)


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
@pytest.mark.parametrize("kind", exported(cr.Optimizer), ids=lambda kind: kind.__name__)
def test_gradients_that_are_always_0_count_for_nothing(kind: Any, engine: str) -> None:
    """Those of columns of zeros and of dead units: √v has no derivative where all squared gradients in v are 0, and needs none."""
    data, rate = X * [1.0, 0.0, 1.0], 0.02
    data[:10, 2] = 0.0
    options: dict[str, Any] = {"epochs": 2, "batch_size": 8, "loss": "squared_error"}
    own = cr.Network([cr.Dense(6, "relu"), cr.Dropout(0.4), cr.Dense(1)], dtype="float64", seed=3)

    def loss(rate: float) -> float:
        net = copy.deepcopy(own)
        net.fit(data, Y, optimizer=kind(rate), engine="numpy", progress=False, **options)
        return float(net.evaluate(XV, YV, engine="numpy")["loss"])

    numerical = (loss(rate + 1e-7) - loss(rate - 1e-7)) / 2e-7
    for mode in ("forward", "reverse"):
        found = cr.hypergradient(
            own, (data, Y), (XV, YV), optimizer=kind(rate), by="learning_rate", mode=mode, engine=engine, **options
        )
        assert found["learning_rate"] == pytest.approx(numerical, rel=1e-5)
