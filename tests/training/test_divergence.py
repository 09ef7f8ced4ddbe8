"""A loss that leaves the finite numbers: where it is said to have happened, and what is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DivergedError
from making import moons

X, Y = moons(40)
VALUES = X[:, :1] * 3


def finite(network: cr.Network) -> bool:
    return all(np.isfinite(value).all() for own in network.parameters.values() for value in own.values())


def test_learning_rate_too_large() -> None:
    network = cr.Network([cr.Dense(4, name="hidden"), cr.Dense(1, name="out")])
    with pytest.raises(DivergedError, match=r"epoch \d+, batch \d+.*smaller learning rate.*clip_norm") as caught:
        network.fit(X, VALUES, optimizer=cr.SGD(50.0), epochs=300, batch_size=16, progress=False)
    error = caught.value
    assert finite(network)
    assert 0 <= error.batch < 3
    assert network.history is error.history
    assert network.history is not None
    assert network.history.epochs == error.epoch


def test_epoch_batch_and_layer_are_the_right_ones() -> None:
    """Row 25 alone gives 1/0 in the second layer; with 10 rows in a batch it comes in the third."""

    def dangerous(x: Any) -> Any:
        return 1.0 / x

    x = np.ones((40, 1))
    x[25] = 0.0
    network = cr.Network([cr.Activation("identity"), cr.Activation(dangerous, name="dangerous"), cr.Dense(1)])
    with pytest.raises(DivergedError, match=r"epoch 1, batch 3: layer 'dangerous") as caught:
        network.fit(x, x, batch_size=10, shuffle=False, epochs=3, progress=False)
    assert (caught.value.epoch, caught.value.batch) == (0, 2)
    assert "dangerous" in caught.value.place
    assert finite(network)


@pytest.mark.parametrize("seconds", [0.0, 10.0])
def test_the_weights_kept_are_those_before_the_step(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.training.steps.blocks.BLOCK_SECONDS", seconds)
    rate = lambda epoch: np.where(epoch < 5.3, 0.01, np.float64(1e300))  # noqa: E731
    options: dict[str, Any] = {"batch_size": 10, "progress": False}
    network = cr.Network([cr.Dense(3, "tanh"), cr.Dense(1)], dtype="float64")
    with pytest.raises(DivergedError) as caught:
        network.fit(X, VALUES, optimizer=cr.SGD(rate), epochs=100, **options)
    assert caught.value.epoch == 5
    assert finite(network)
    reached: list[Any] = []
    other = cr.Network([cr.Dense(3, "tanh"), cr.Dense(1)], dtype="float64")
    other.fit(X, VALUES, optimizer=cr.SGD(0.01), epochs=5, callbacks=[lambda end: reached.append(end)], **options)
    assert network.history["loss"] == pytest.approx(other.history["loss"], rel=1e-12)  # type: ignore[index]


def test_the_weights_kept_are_the_last_ones_learned() -> None:
    """Not the first ones: those of a run that takes no step from there on. In float32 the step itself overflows."""
    values, trained = VALUES * 100, dict[str, Any]()
    for name, then in (("stops", 0.0), ("diverges", 3e38)):
        rate = lambda epoch, then=then: np.where(epoch < 5.3, 1e-4, then)  # noqa: E731
        trained[name] = cr.Network([cr.Dense(3, "tanh"), cr.Dense(1)])
        options: dict[str, Any] = {"optimizer": cr.SGD(rate), "epochs": 8, "batch_size": 10, "progress": False}
        if name == "diverges":
            with pytest.raises(DivergedError) as caught:
                trained[name].fit(X, values, **options)
            assert (caught.value.epoch, caught.value.batch) == (5, 2)
        else:
            trained[name].fit(X, values, **options)
    first = cr.Network([cr.Dense(3, "tanh"), cr.Dense(1)]).build(2)
    for layer, own in trained["stops"].parameters.items():
        for name, expected in own.items():
            found = trained["diverges"].parameters[layer][name]
            np.testing.assert_allclose(found, expected, rtol=1e-6)
            assert np.abs(found - first.parameters[layer][name]).max() > 1e-4


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
def test_the_weights_kept_are_those_of_the_batches_before(engine: str) -> None:
    """Row 25 gives 1/0: what is left is what the two batches before it taught."""
    x = np.linspace(1.0, 2.0, 40)[:, None]
    bad = np.where(np.arange(40)[:, None] == 25, 0.0, x)
    options: dict[str, Any] = {"batch_size": 10, "shuffle": False, "epochs": 1, "engine": engine, "progress": False}
    make = lambda: cr.Network([cr.Activation(lambda x: 1.0 / x), cr.Dense(1)])  # noqa: E731
    diverging, plain = make(), make()
    with pytest.raises(DivergedError):
        diverging.fit(bad, x, **options)
    plain.fit(x[:20], x[:20], **options)
    for name, expected in plain.parameters["dense_0"].items():
        np.testing.assert_allclose(diverging.parameters["dense_0"][name], expected, rtol=1e-6)


def test_the_loss_itself() -> None:
    network = cr.Network([cr.Dense(1, name="d")])
    with pytest.raises(DivergedError, match="the loss") as caught:
        network.fit(X, VALUES, loss=lambda a, t: np.sum(np.log(a - a), axis=-1), epochs=2, progress=False)
    assert caught.value.place == "the loss"


def test_the_gradient() -> None:
    network = cr.Network([cr.Dense(1, weight=0.0, name="d")])
    with pytest.raises(DivergedError) as caught:  # √0 is 0 and its derivative is not finite
        network.fit(X, VALUES, loss=lambda a, t: np.sum(np.sqrt(np.abs(a)), axis=-1), epochs=2, progress=False)
    assert caught.value.epoch == 0
    assert finite(network)


def test_the_update() -> None:
    network = cr.Network([cr.Dense(1)])
    with pytest.raises(DivergedError) as caught:
        network.fit(X, VALUES * 1e20, optimizer=cr.SGD(1e30), epochs=2, batch_size=None, progress=False)
    assert finite(network)
    assert caught.value.epoch <= 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_by_finite_differences_too(dtype: str) -> None:
    network = cr.Network([cr.Dense(1)], dtype=dtype)
    huge = np.finfo(dtype).max
    rate = lambda epoch: np.where(epoch < 2.5, 0.01, huge)  # noqa: E731
    with pytest.raises(DivergedError) as caught:
        network.fit(X, VALUES, optimizer=cr.SGD(rate), epochs=9, gradients="numerical", progress=False)
    assert caught.value.epoch in (2, 3)
    assert finite(network)


def test_training_can_go_on_afterwards() -> None:
    network = cr.Network([cr.Dense(1)])
    with pytest.raises(DivergedError):
        network.fit(X, VALUES, optimizer=cr.SGD(1e4), epochs=300, progress=False)
    history = network.build(2).fit(X, VALUES, optimizer=cr.SGD(0.01), epochs=2, progress=False)
    assert np.isfinite(history["loss"]).all()


def test_with_early_stopping_and_validation_data() -> None:
    network = cr.Network([cr.Dense(1)])
    with pytest.raises(DivergedError):
        network.fit(
            X, VALUES, optimizer=cr.SGD(5.0), epochs=300, early_stopping=1000, validation_split=0.2, progress=False
        )
    assert finite(network)


def test_what_is_too_large_is_named() -> None:
    x = np.linspace(-1, 1, 20)[:, None]
    for inputs, targets, words in (
        (x, 1e20 * x, r"targets are as large as 1e\+20.*standardise the targets"),
        (1e19 * x, x, r"inputs are as large as 1e\+19.*standardise the inputs"),
    ):
        with pytest.raises(DivergedError, match=words):
            cr.Network([cr.Dense(1)]).fit(inputs, targets, optimizer=cr.SGD(0.1), epochs=5, progress=False)
    with pytest.raises(DivergedError, match="smaller learning rate"):
        cr.Network([cr.Dense(1)]).fit(x, x, optimizer=cr.SGD(1e6), epochs=50, progress=False)


def test_validation_that_is_not_finite_is_warned_of_and_not_counted() -> None:
    x = np.linspace(-1, 1, 20)[:, None]
    far = (np.full((2, 1), 3e19), np.zeros((2, 1)))
    rate = cr.OnPlateau(0.1, patience=1)
    network = cr.Network([cr.Dense(1, weight=[[1.0]])])
    with pytest.warns(RuntimeWarning, match="val_loss is NaN or infinite after 5 of 5 epochs, first after epoch 1"):
        history = network.fit(x, 2 * x, validation_data=far, optimizer=cr.SGD(rate), epochs=5, progress=False)
    assert history["learning_rate"] == [0.1] * 5
    assert rate.scale([2.0, np.inf, np.nan, 1.0]) == 1.0
    assert rate.scale([2.0, np.inf, 3.0]) == pytest.approx(0.1)
