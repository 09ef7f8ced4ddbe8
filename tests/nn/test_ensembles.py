"""Members that share a weight: each is a dense network of its own, trained by its own loss, and the mean is what is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, ShapeError

MEMBERS = 3
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(12, 4)), RANDOM.integers(0, 3, 12)


def network_of(outputs: int = 3, of: str = "probabilities", dropout: float = 0.0, **settings: Any) -> cr.Network:
    """Three members with two layers before the last, drawn anew so that all their vectors count."""
    layers = [cr.BatchEnsemble(5, "tanh", MEMBERS, name="first"), cr.BatchEnsemble(6, "relu", MEMBERS, name="second")]
    last = cr.MemberMean(outputs, MEMBERS, of, name="last")  # type: ignore[arg-type]
    network = cr.Network(
        [*layers, *[cr.Dropout(dropout)] * bool(dropout), last], dtype="float64", seed=1, **settings
    ).build(4)
    random = np.random.default_rng(2)
    network.parameters = {
        layer: {name: random.normal(size=value.shape) for name, value in own.items()}
        for layer, own in network.parameters.items()
    }
    return network


def member(network: cr.Network, k: int) -> cr.Network:
    """One of them as a network of plain dense layers: diag(r) · W · diag(s)."""
    plain = cr.Network([cr.Dense(5, "tanh", name="first"), cr.Dense(6, "relu", name="second"), cr.Dense(len(
        network.parameters["last"]["bias"][0]), name="last")], dtype="float64").build(4)  # fmt: skip
    for name in ("first", "second"):
        own = network.parameters[name]
        weight = own["input_scale"][k][:, None] * own["weight"] * own["output_scale"][k]
        plain.parameters = {name: {"weight": weight, "bias": own["bias"][k]}}
    plain.parameters = {"last": {name: value[k] for name, value in network.parameters["last"].items()}}
    return plain


def softmax(z: Any) -> Any:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_the_mean_of_probabilities_of_plain_networks() -> None:
    network = network_of()
    expected = np.mean([softmax(member(network, k)(X)) for k in range(MEMBERS)], axis=0)
    np.testing.assert_allclose(softmax(network(X)), expected, rtol=1e-10)


def test_the_mean_of_outputs_of_plain_networks() -> None:
    network = network_of(2, "outputs")
    np.testing.assert_allclose(network(X), np.mean([member(network, k)(X) for k in range(MEMBERS)], axis=0), rtol=1e-10)


def test_members_that_are_given_the_same() -> None:
    network = cr.Network([cr.MemberMean(2, MEMBERS)], dtype="float64").build(4)
    own = network.parameters["membermean_0"]
    np.testing.assert_allclose(network(X), X @ own["weight"].mean(axis=0) + own["bias"].mean(axis=0), rtol=1e-10)


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
@pytest.mark.parametrize("weights", [None, np.arange(12.0)])
@pytest.mark.parametrize(("of", "loss"), [("probabilities", "cross_entropy"), ("outputs", "squared_error")])
def test_training_lowers_the_mean_of_the_members_own_losses(engine: str, weights: Any, of: Any, loss: str) -> None:
    """One step of plain gradient descent, beside the gradient of Σ_k L_k/K by plain networks; validation sees the mean."""
    outputs, y = (3, Y) if of == "probabilities" else (1, X[:, :1] * X[:, 1:2])
    network = network_of(outputs, of)
    scale = np.ones(12) if weights is None else weights / weights.mean()

    def lost(scores: Any) -> Any:
        if of == "outputs":
            return np.square(scores - y)[:, 0]
        return -np.log(softmax(scores)[np.arange(12), Y])

    members = [member(network, k) for k in range(MEMBERS)]
    expected = np.mean([np.mean(scale * lost(one(X))) for one in members])

    def own(parameters: Any) -> Any:
        total = 0.0
        for k in range(MEMBERS):
            h = X
            for name, act in (("first", np.tanh), ("second", lambda z: np.maximum(z, 0.0))):
                p = parameters[name]
                h = act(((h * p["input_scale"][k]) @ p["weight"]) * p["output_scale"][k] + p["bias"][k])
            scores = h @ parameters["last"]["weight"][k] + parameters["last"]["bias"][k]
            if of == "outputs":
                each = np.square(scores - y)[:, 0]
            else:
                each = np.log(np.sum(np.exp(scores), axis=1)) - np.sum(scores * np.eye(3)[Y], axis=1)
            total = total + np.mean(scale * each) / MEMBERS
        return total

    before = {layer: dict(values) for layer, values in network.parameters.items()}
    gradients = cr.grad(own)(before)
    said = network(X)
    history = network.fit(
        X,
        y,
        loss=loss,
        optimizer=cr.SGD(0.1),
        epochs=1,
        batch_size=None,
        sample_weight=weights,
        engine=engine,
        progress=False,
    )
    assert history["loss"][0] == pytest.approx(expected, rel=1e-9)
    for layer, values in gradients.items():
        for name, gradient in values.items():
            np.testing.assert_allclose(
                network.parameters[layer][name], before[layer][name] - 0.1 * gradient, rtol=1e-8, atol=1e-12
            )
    network.parameters = before
    assert network.evaluate(X, y)["loss"] == pytest.approx(np.mean(lost(said)), rel=1e-9)


def test_a_loss_of_ones_own_that_is_one_number() -> None:
    network = network_of(1, "outputs")
    apart = np.stack([member(network, k)(X) for k in range(MEMBERS)])
    history = network.fit(
        X,
        X[:, :1],
        loss=lambda outputs, targets: np.mean((outputs - targets) ** 4),
        epochs=1,
        batch_size=None,
        progress=False,
    )
    assert history["loss"][0] == pytest.approx(np.mean((apart - X[:, :1]) ** 4), rel=1e-9)


def test_a_last_batch_that_is_filled_up_counts_its_rows_alone() -> None:
    """12 rows in batches of 5: with dropout's masks the same, one batch of the last two rows gives the same step."""
    networks = [network_of(dropout=0.2), network_of(dropout=0.2)]
    for network, engine in zip(networks, ("numpy", "llvm"), strict=True):
        network.fit(X, Y, epochs=3, batch_size=5, engine=engine, progress=False)
    for layer, own in networks[0].parameters.items():
        for name, value in own.items():
            np.testing.assert_allclose(networks[1].parameters[layer][name], value, rtol=1e-8, atol=1e-10)


def test_members_begin_different_and_stay_so() -> None:
    layers = [cr.BatchEnsemble(8, "relu", MEMBERS, name="first"), cr.BatchEnsemble(8, "relu", MEMBERS, name="second")]
    network = cr.Network([*layers, cr.MemberMean(1, MEMBERS)], seed=0).build(4)
    own = network.parameters
    assert own["first"]["input_scale"].std() > 0.5
    assert (own["second"]["input_scale"] == 1).all()
    assert (own["first"]["output_scale"] == 1).all()


def test_saved_and_loaded(tmp_path: Any) -> None:
    network = network_of()
    network.save(tmp_path / "members.safetensors")
    np.testing.assert_array_equal(cr.load(tmp_path / "members.safetensors")(X), network(X))


@pytest.mark.parametrize("kind", [cr.BatchEnsemble, cr.MemberMean])
def test_as_many_members_as_there_are(kind: Any) -> None:
    with pytest.raises(ShapeError, match="3 members was given an input of shape"):
        cr.Network([cr.BatchEnsemble(2, members=4), kind(2, members=3)]).build(4)
    with pytest.raises(SettingError, match="members=0"):
        kind(2, members=0)


def test_a_mean_of_outputs_or_probabilities() -> None:
    with pytest.raises(SettingError, match="of="):
        cr.MemberMean(2, of="votes")  # type: ignore[arg-type]
