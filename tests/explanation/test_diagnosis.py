"""The doctor: every declared illness is found in a network that has it and not in one that has not, with numbers that are right."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, UnknownNameError
from chainrule.explanation.diagnosis import ILLNESSES, Diagnosis
from chainrule.nn import ACTIVATIONS
from chainrule.training import LOSSES

RANDOM = np.random.default_rng(0)
X, y = RANDOM.normal(size=(40, 6)), np.arange(40) % 2
AMOUNT = X[:, :1] + 0.1 * RANDOM.normal(size=(40, 1))


def classes(*layers: Any, x: Any = X, **settings: Any) -> Diagnosis:
    return cr.Network([*layers, cr.Dense(2, name="output")]).diagnose(x, y, loss="cross_entropy", **settings)


def amounts(*layers: Any, x: Any = X, t: Any = AMOUNT, **settings: Any) -> Diagnosis:
    return cr.Network(list(layers), dtype="float64").diagnose(x, t, loss="squared_error", **settings)


def deep(activation: str, weight: Any = "auto") -> list[cr.Dense]:
    return [cr.Dense(20, activation, weight, name=f"hidden_{i}") for i in range(1, 6)]


def logarithm(x: Any) -> Any:
    return np.log(np.abs(x))


def root(x: Any) -> Any:
    return np.sqrt(x * x * x * x + 0.0)


LINEAR = np.linalg.lstsq(np.c_[X, np.ones(40)], AMOUNT, rcond=None)[0]

Made = Callable[[], Diagnosis]
HEAD = cr.Dense(1)
ROW = np.arange(40)[:, None]

ILL: dict[str, list[tuple[Made, Any]]] = {
    "not_finite": [
        (lambda: amounts(cr.Dense(3, logarithm, name="log"), HEAD, x=np.where(ROW == 7, 0.0, X)), "sample 7"),
        (lambda: classes(cr.Dense(3, "exp", 90.0, name="h")), "exp(h.z)"),
        (lambda: amounts(lambda x: np.sqrt(np.abs(x)), cr.Dense(1, weight=0.5), x=np.where(X > 2, 0.0, X)), None),
        (lambda: amounts(cr.Dense(3, root, name="root"), HEAD, x=np.where(ROW == 7, 0.0, X)), "a derivative that is"),
        (lambda: classes(cr.Dense(3, weight=1e30), x=1e10 * X), "as large as 1e30"),
        (lambda: classes(cr.Dense(3), x=1e16 * X, optimizer=cr.SGD(1e30)), "learning_rate"),
    ],
    "kink": [
        (lambda: amounts(cr.Dense(3, "relu"), HEAD, x=np.where(ROW < 3, 0.0, X)), "relu"),
        (lambda: amounts(cr.Dense(3), lambda x: np.maximum(x, x * 1.0), HEAD), "maximum"),
        (lambda: amounts(cr.Dense(3), lambda x: np.max(np.concatenate([x, x], 1), axis=1, keepdims=True), HEAD), "max"),
    ],
    "vanishing_gradient": [
        (lambda: classes(*deep("sigmoid")), "σ′"),
        (lambda: classes(*deep("tanh", cr.Normal(0.05))), "the weights"),
    ],
    "exploding_gradient": [
        (lambda: classes(*deep("tanh", cr.Normal(2.0)), x=0.001 * X), "×"),
        (lambda: classes(*deep("identity", cr.Normal(1.0))), "×"),
    ],
    "no_gradient": [
        (lambda: amounts(cr.Dense(3, "tanh"), cr.Dense(1, weight=0.0, name="top")), "weights of top"),
        (lambda: amounts(cr.Dense(3, "step"), HEAD), "step′"),
        (lambda: amounts(cr.Dense(3, "tanh"), np.round, HEAD), "does not depend"),
        (lambda: amounts(cr.Dense(3, "relu", bias=-50.0), HEAD), "relu′"),
        (lambda: amounts(cr.Dense(3, "tanh", bias=None, name="first"), HEAD, x=0 * X), "0 for every sample"),
    ],
    "at_minimum": [
        (lambda: amounts(cr.Dense(1, weight=LINEAR[:-1], bias=LINEAR[-1])), "cancel"),
        (lambda: amounts(cr.Dense(1, weight=0.5), t=0.5 * X.sum(axis=1)), "nearer"),
    ],
    "dead_units": [(lambda: classes(cr.Dense(5, "relu", bias=[0, -60, 0, 0, -60], name="h")), ("h[1]", "h[4]"))],
    "saturated_units": [
        (lambda: classes(cr.Dense(4, "sigmoid", bias=[0, 40, 0, 0], name="h")), ("h[1]",)),
        (lambda: classes(cr.Dense(4, bias=[0, 40, 0, -40], name="h"), cr.Activation("tanh")), ("h[1]", "h[3]")),
    ],
    "equal_units": [
        (lambda: amounts(cr.Dense(3, "tanh", weight=0.3, name="h"), cr.Dense(1, weight=0.2)), ("h[0]", "h[1]", "h[2]"))
    ],
    "large_update": [(lambda: classes(cr.Dense(5, "tanh"), optimizer=cr.SGD(30.0)), "learning_rate")],
    "small_update": [(lambda: classes(cr.Dense(5, "tanh"), optimizer=cr.SGD(1e-7)), "1e-07")],
    "uneven_features": [(lambda: classes(cr.Dense(5, "tanh"), x=X * [1, 1, 5000, 1, 1, 1]), ("x[2]",))],
}
"""Networks that have an illness, and what its finding must say, or the names that it must have."""

WELL: list[Made] = [
    lambda: classes(cr.Dense(20, "relu", bias=0.5)),
    lambda: classes(*deep("tanh")),
    lambda: amounts(cr.Dense(20, "tanh"), cr.Dense(1)),
    lambda: amounts(cr.Dense(8, "relu", bias=0.1), cr.Dense(1), x=X[:1], t=AMOUNT[:1]),
]
"""Networks that have none but what may be by chance."""


def found(diagnosis: Diagnosis) -> set[str]:
    return {finding.illness for finding in diagnosis.findings}


@pytest.mark.parametrize("name", ILLNESSES)
def test_every_illness_is_found_where_it_is_and_nowhere_else(name: str) -> None:
    for made, said in ILL[name]:
        diagnosis = made()
        assert diagnosis[name], diagnosis
        finding = diagnosis[name][0]
        if isinstance(said, tuple):
            assert set(said) <= set(finding.names)
        elif said is not None:
            assert said in f"{finding.says} {finding.remedy}"
        assert finding.evidence
        assert finding.remedy
        assert finding.mild == ILLNESSES[name].mild
        assert len(finding.says) < 500
    for made in WELL:
        assert not made()[name]


def test_the_tables_have_every_illness() -> None:
    assert set(ILL) == set(ILLNESSES)
    for made in WELL:
        assert made().healthy


@pytest.mark.parametrize("name", sorted(ILLNESSES))
def test_every_form_can_be_had(name: str) -> None:
    diagnosis = ILL[name][0][0]()
    data = json.loads(diagnosis.to("json"))
    json.dumps(data, allow_nan=False)
    assert (data["version"], data["kind"]) == (1, "diagnosis")
    assert [x["says"] for x in data["findings"]] == [x.says for x in diagnosis.findings]
    assert max(map(len, diagnosis.to("text").splitlines())) <= 80
    for finding in diagnosis.findings:
        assert finding.says.split()[0] in diagnosis.to("html")
    assert diagnosis.to("markdown").count("$") % 2 == 0
    assert str(diagnosis) == repr(diagnosis) == diagnosis.to("text")


def test_nothing_found_says_what_was_looked_for() -> None:
    text = " ".join(str(WELL[0]()).split())
    assert "No problems found" in text
    for illness in ILLNESSES.values():
        assert illness.looks_for in text


def test_bends_at_numbers_of_the_data_are_no_kinks_of_a_step() -> None:
    """Curves of a table bend at its own numbers, which no step moves; what is learned may stand at a kink behind them."""
    edges = tuple(tuple(np.unique(X[:, i]).tolist()) for i in range(X.shape[1]))
    kinks = amounts(cr.PiecewiseEmbedding(edges, 2), cr.Dense(3, "tanh"), HEAD)["kink"]
    assert {finding.evidence["operation"] for finding in kinks} == {
        "maximum"
    }  # where all curves begin, before a bias is learned
    assert "kink" not in found(amounts(lambda x: np.abs(x), HEAD, x=np.where(ROW < 3, 0.0, X)))
    assert "kink" in found(amounts(lambda x: np.abs(x), cr.Dense(3, "relu", weight=0.0), HEAD))


def test_a_few_dead_units_are_mild() -> None:
    few, many = (classes(cr.Dense(8, "relu", bias=[-60.0] * n + [0.5] * (8 - n))) for n in (1, 2))
    assert [x.mild for x in few["dead_units"]] == [True]
    assert few.healthy
    assert not many.healthy


def test_names_that_are_not_there_are_told() -> None:
    diagnosis = WELL[0]()
    with pytest.raises(UnknownNameError, match="dead_units"):
        diagnosis["dead"]
    with pytest.raises(UnknownNameError, match="markdown"):
        diagnosis.to("latex")
    with pytest.raises(SettingError, match="digits"):
        classes(cr.Dense(2), digits=0)


# --- the numbers, by hand


def by_hand(W: list[Any], b: list[Any], x: Any, t: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """∂L/∂z and σ′ of every layer of sigmoids under the mean of ½Σ(a − t)², and the gradients by the weights, from the formulas."""
    a, kept = x, []
    for w, c in zip(W, b, strict=True):
        z = a @ w + c
        s = 1 / (1 + np.exp(-z))
        kept.append((a, s * (1 - s)))
        a = s
    dz, found, slopes = (a - t) * kept[-1][1] / len(x), [], []
    for i in reversed(range(len(W))):
        found.insert(0, (dz, kept[i][0].T @ dz))
        if i:
            dz = (dz @ W[i].T) * kept[i - 1][1]
    slopes = [slope for _, slope in kept]
    return [d for d, _ in found], slopes, [g for _, g in found]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 12])
def test_measures_are_those_of_the_formulas(dtype: str, rows: int) -> None:
    r = np.random.default_rng(3)
    widths = [4, 5, 3, 2]
    W = [r.normal(size=(m, n)).astype(dtype) for m, n in pairwise(widths)]
    b = [r.normal(size=n).astype(dtype) for n in widths[1:]]
    x, t = r.normal(size=(rows, 4)).astype(dtype), r.uniform(size=(rows, 2)).astype(dtype)
    layers = [
        cr.Dense(n, "sigmoid", w, c, name=f"l{i}") for i, (n, w, c) in enumerate(zip(widths[1:], W, b, strict=True))
    ]
    found = cr.Network(layers, dtype=dtype).diagnose(x, t, loss="l2_norm", optimizer=cr.SGD(0.3), engine="numpy")
    deltas, slopes, gradients = by_hand(*([np.float64(p) for p in q] for q in (W, b)), np.float64(x), np.float64(t))  # type: ignore[arg-type]
    close = {"rel": 1e-5 if dtype == "float32" else 1e-11}
    for i, (flow, own) in enumerate(zip(found.layers, found.parameters[::2], strict=True)):
        size = np.linalg.norm(W[i])
        assert flow.dz == pytest.approx(np.linalg.norm(deltas[i]), **close)
        assert flow.mean_slope == pytest.approx(slopes[i].mean(), **close)
        assert own.gradient_ratio == pytest.approx(np.linalg.norm(gradients[i]) / size, **close)
        assert own.update_ratio == pytest.approx(0.3 * np.linalg.norm(gradients[i]) / size, rel=1e-4)
        if i < 2:
            assert flow.above == (f"l{i + 1}",)
            assert flow.factor == pytest.approx(np.linalg.norm(deltas[i]) / np.linalg.norm(deltas[i + 1]), **close)
            assert flow.factor == pytest.approx(flow.slopes * flow.weights, rel=1e-12)
            assert flow.weights == pytest.approx(
                np.linalg.norm(deltas[i + 1] @ W[i + 1].T) / np.linalg.norm(deltas[i + 1]), **close
            )
        else:
            assert flow.above == ()
            assert flow.factor is None


def test_a_suggested_learning_rate_is_a_remedy() -> None:
    for name in ("large_update", "small_update"):
        rate = ILL[name][0][0]()[name][0].evidence["suggested_learning_rate"]
        assert not classes(cr.Dense(5, "tanh"), optimizer=cr.SGD(rate))[name]


def test_updates_are_those_of_fit() -> None:
    network = cr.Network([cr.Dense(4, "tanh"), cr.Dense(2)])
    options: dict[str, Any] = {
        "loss": "cross_entropy",
        "optimizer": cr.Adam(0.01),
        "l2": 0.1,
        "clip_norm": 0.1,
        "frozen": ["*.bias"],
    }
    found = network.diagnose(X, y, **options)
    before = {
        name: np.array(x)
        for layer, own in network.parameters.items()
        for name, x in {f"{layer}.{k}": v for k, v in own.items()}.items()
    }
    network.fit(X, y, epochs=1, batch_size=len(X), progress=False, **options)
    for own in found.parameters:
        layer, name = own.name.split(".")
        assert own.update == pytest.approx(
            np.linalg.norm(network.parameters[layer][name] - before[own.name].astype(float)), rel=1e-6
        )
        assert own.learned == (name == "weight")


# --- any network


def test_a_layer_called_twice_has_two_calls() -> None:
    f, g = cr.Dense(4, "tanh", name="f"), cr.Dense(4, "tanh", name="g")
    head = cr.Dense(1, name="head")
    found = cr.Network(lambda x: head(g(g(f(x))) + f(x)), dtype="float64").diagnose(X, AMOUNT, loss="squared_error")
    assert [flow.name for flow in found.layers] == ["f", "g", "g#2", "head"]  # f of the same x is one value
    assert set(found.layers[0].above) == {"g", "head"}
    assert found.layers[1].above == ("g#2",)


def test_steps_of_a_loop_are_stations() -> None:
    cell, out = cr.Dense(3, "tanh", name="cell"), cr.Dense(1, name="out")

    def recurrent(x: Any) -> Any:
        def step(h: Any, row: Any) -> tuple[Any, Any]:
            new = cell(np.concatenate([h, row], axis=-1))
            return new, new

        h, _ = cr.scan(step, 0.0 * x[:, 0, :1] + np.zeros(3), np.swapaxes(x, 0, 1))
        return out(h)

    found = cr.Network(recurrent, dtype="float64").diagnose(
        RANDOM.normal(size=(5, 9, 2)), np.zeros(5), loss="squared_error"
    )
    states = [flow for flow in found.layers if flow.name.startswith("h[")]
    assert [flow.above for flow in states[:-1]] == [(f"h[{i}]",) for i in range(1, 9)]
    assert all(flow.factor == pytest.approx(flow.slopes * flow.weights) for flow in states[:-1])


def test_places_of_images_are_units_of_channels() -> None:
    kernel = cr.Dense(3, "relu", bias=[0, -90, 0], name="patch")
    network = cr.Network(
        [lambda x: np.stack([x[:, i : i + 3] for i in range(4)], axis=1), kernel, cr.Flatten(), cr.Dense(2)]
    )
    found = network.diagnose(X, y, loss="cross_entropy")["dead_units"]
    assert [finding.names for finding in found] == [("patch[1]",)]


def test_the_network_stays_as_it_is() -> None:
    network = cr.Network([cr.Dense(3, "tanh"), cr.Dense(2)]).build(6)
    before = [np.array(x) for own in network.parameters.values() for x in own.values()]
    network.diagnose(X, y, loss="cross_entropy")
    assert network.history is None
    assert all(
        np.array_equal(a, b)
        for a, b in zip(before, (x for own in network.parameters.values() for x in own.values()), strict=True)
    )


KINDS = [(act, "squared_error") for act in ACTIVATIONS] + [("tanh", loss) for loss in LOSSES]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_activations_and_losses_are_diagnosed_and_compared(dtype: str) -> None:
    for act, loss in KINDS:
        network = cr.Network([cr.Dense(5, act), cr.Dense(4, act), cr.Dense(3)], dtype=dtype)
        labels = LOSSES[loss].task == "classification"
        t = np.arange(7) % 3 if labels else np.full((7, 3), 1 / 3)
        diagnosis = network.diagnose(X[:7], t, loss=loss, engine="numpy")
        assert max(map(len, str(diagnosis).splitlines())) <= 80
        json.dumps(json.loads(diagnosis.to("json")), allow_nan=False)
        seen = network.evaluation(X[:7], t, loss=loss)
        slopes = {
            n: np.asarray(seen.evaluation.cotangent(seen.variable(n)), dtype)
            for n in ("dense_2.weight", "dense_2.bias")
        }
        assert network.compare(X[:7], t, slopes, loss=loss).is_right
        assert network.compare(X[:7], t, {n: -g for n, g in slopes.items()}, loss=loss).kinds == ("factor",)


# --- published


def nielsen(hidden: int, seed: int, inputs: Any, labels: Any) -> tuple[list[float], Diagnosis]:
    """‖∂C/∂b‖ of the hidden layers in Nielsen's setting (2015, chapter 5): weights N(0, 1)/√inputs, biases N(0, 1), cross-entropy."""
    width = inputs.shape[1]
    layers = [
        cr.Dense(
            30 if i < hidden else 10,
            "sigmoid",
            cr.Normal(1 / math.sqrt(width if i == 0 else 30)),
            cr.Normal(1.0),
            name=f"l{i + 1}",
        )
        for i in range(hidden + 1)
    ]
    network = cr.Network(layers, seed=seed, dtype="float64")
    loss = cr.BinaryCrossEntropy(over="sum")
    found = network.diagnose(inputs, np.eye(10)[labels], loss=loss, engine="numpy")
    return [p.gradient for p in found.parameters if p.name.endswith("bias")][:-1], found


@pytest.mark.parametrize(
    ("hidden", "published"), [(2, [0.07, 0.31]), (3, [0.012, 0.060, 0.283]), (4, [0.003, 0.017, 0.070, 0.285])]
)
def test_nielsens_vanishing_gradients(hidden: int, published: list[float]) -> None:
    """Norms of one draw that he printed lie among those of ours, on digits with fewer pixels than his."""
    _, inputs, labels = cr.datasets.digits()
    runs = [nielsen(hidden, seed, inputs[:300], labels[:300]) for seed in range(8)]
    norms = np.log([norms for norms, _ in runs])
    assert np.all(np.abs(norms.mean(axis=0) - np.log(published)) < 3.0 * norms.std(axis=0))
    factors = [flow.factor for _, found in runs for flow in found.layers[: hidden - 1]]
    slopes = [flow.mean_slope for _, found in runs for flow in found.layers]
    assert 0.15 < np.median(factors) < 0.35
    assert 0.15 < np.median(slopes) < 0.25
    if hidden == 4:
        said = [found["vanishing_gradient"][0] for _, found in runs]
        assert all(finding.evidence["of"] == "l4" and "σ′" in finding.says for finding in said)
