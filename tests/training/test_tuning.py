"""Settings found by descent: better than where it began, what `fit` finds with them, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DivergedError, SettingError
from chainrule.network.hyperparameters.trials import Trial
from chainrule.training.hypergradients import repeated

RANDOM = np.random.default_rng(0)
X, V = RANDOM.normal(size=(60, 4)), RANDOM.normal(size=(80, 4))
DATA, VALIDATION = (X, X[:, 0] + RANDOM.normal(size=60)), (V, V[:, 0] + RANDOM.normal(size=80))
OPTIONS: dict[str, Any] = {"epochs": 10, "batch_size": 20, "engine": "numpy"}


def network() -> cr.Network:
    return cr.Network([cr.Dense(5, "tanh"), cr.Dense(1)], dtype="float64", seed=1)


def test_it_finds_a_smaller_loss_and_what_it_says_is_what_fit_does() -> None:
    given = network().build(4)
    first = {name: x.copy() for name, x in given.parameters["dense_0"].items()}
    found = cr.tune(given, DATA, VALIDATION, optimizer=cr.SGD(0.003, momentum=0.3), l2=0.01, trainings=9, **OPTIONS)
    assert sorted(found.settings) == ["l2", "learning_rate", "momentum"]
    assert (len(found.losses), len(found.tried)) == (9, 9)
    assert found.tried[0] == pytest.approx({"learning_rate": 0.003, "momentum": 0.3, "l2": 0.01})
    assert found.loss == found.losses.min() < found.losses[0] - 0.1
    assert found.arguments["optimizer"] == cr.SGD(found.settings["learning_rate"], momentum=found.settings["momentum"])
    assert found.network.evaluate(*VALIDATION)["loss"] == pytest.approx(found.loss, rel=1e-9)
    assert found.network.history is not None
    assert found.network.history["val_loss"][-1] == pytest.approx(found.loss, rel=1e-9)
    assert all((given.parameters["dense_0"][name] == x).all() for name, x in first.items())
    given.fit(*DATA, progress=False, **found.arguments)
    assert given.evaluate(*VALIDATION)["loss"] == pytest.approx(found.loss, rel=1e-9)
    assert str(found).splitlines()[0].split() == ["val_loss", *found.settings]
    assert len(str(found).splitlines()) == 10


def test_betas_stay_below_1_and_positive_settings_positive() -> None:
    own = cr.Adam(0.5, beta1=0.99, beta2=0.5)
    found = cr.tune(
        network(), DATA, VALIDATION, optimizer=own, by=["learning_rate", "beta1", "beta2"], trainings=12, **OPTIONS
    )
    assert all(0 < row["beta1"] < 1 and 0 < row["beta2"] < 1 and row["learning_rate"] > 0 for row in found.tried)


def test_knots_and_weights_of_rows() -> None:
    """Rows whose targets are turned round come to count less than the others."""
    wrong = np.arange(60) < 12
    data = DATA[0], np.where(wrong, -3 * X[:, 0], X[:, 0])
    knots = cr.PiecewiseLinear((0.02, 0.02), (0.0, 10.0))
    found = cr.tune(
        network(), data, (V, V[:, 0]), optimizer=cr.SGD(knots, momentum=0.5), by=["learning_rate.rates", "sample_weight"],
        trainings=8, **OPTIONS,
    )  # fmt: skip
    assert found.settings["sample_weight"][wrong].mean() < 0.5 * found.settings["sample_weight"][~wrong].mean()
    assert found.arguments["optimizer"].learning_rate.rates == tuple(found.settings["learning_rate.rates"])
    assert found.network.evaluate(V, V[:, 0])["loss"] == pytest.approx(found.loss, rel=1e-9)
    assert (found.losses[-1], found.loss) < (found.losses[0], 0.5 * found.losses[0])


def test_it_comes_back_from_trainings_that_diverge() -> None:
    data = 10 * X, DATA[1]
    found = cr.tune(
        cr.Network([cr.Dense(8, "relu"), cr.Dense(1)], dtype="float64"), data, (10 * V, VALIDATION[1]),
        optimizer=cr.SGD(1e-4), descent=cr.SGD(50.0), trainings=6, epochs=40, engine="numpy",
    )  # fmt: skip
    assert np.isinf(found.losses).any()
    assert found.loss <= found.losses[0]
    with pytest.raises(DivergedError):
        cr.tune(network(), data, VALIDATION, optimizer=cr.SGD(1e200), trainings=2, **OPTIONS)


def test_ctrl_c_keeps_what_was_found_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"optimizer": cr.SGD(0.003, momentum=0.3), **OPTIONS}
    whole, gradient, calls = cr.tune(network(), DATA, VALIDATION, trainings=3, **given), Trial.gradient, []

    def interrupted(self: Trial, *args: Any) -> Any:
        if len(calls) == last:
            raise KeyboardInterrupt
        calls.append(args)
        return gradient(self, *args)

    monkeypatch.setattr(Trial, "gradient", interrupted)
    last = 3
    found = cr.tune(network(), DATA, VALIDATION, trainings=8, **given)
    assert (found.settings, found.tried, found.loss) == (whole.settings, whole.tried, whole.loss)
    np.testing.assert_array_equal(found.losses, whole.losses)
    assert found.network.evaluate(*VALIDATION) == whole.network.evaluate(*VALIDATION)
    calls, last = [], 0
    with pytest.raises(KeyboardInterrupt):
        cr.tune(network(), DATA, VALIDATION, trainings=8, **given)


def test_ctrl_c_is_heard_between_the_steps_of_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many steps one call of an engine takes, they give the same, and a call takes about 30 ms at most."""
    of, given = (network(), DATA, VALIDATION), {"optimizer": "adam", "epochs": 7, "batch_size": 20}
    found = [cr.hypergradient(*of, mode=mode, **given) for mode in ("forward", "reverse")]
    monkeypatch.setattr(repeated, "BLOCK_SECONDS", 0.0)  # a step at a time
    for one in found:
        again = cr.hypergradient(*of, mode=one.mode, **given)
        assert again.value == one.value
        assert again.gradients == one.gradients


def test_no_training_is_carried_out_twice() -> None:
    """Rprop takes no step where a slope turns round."""
    random = np.random.default_rng(0)
    X, V = random.normal(size=(50, 3)), random.normal(size=(20, 3))
    data, validation = ((x, np.sin(x[:, 0]) * x[:, 1]) for x in (X, V))
    net = cr.Network([cr.Dense(6, "tanh"), cr.Dense(1)], dtype="float64", seed=2)
    options = {**OPTIONS, "epochs": 3, "batch_size": 16}
    found = cr.tune(net, data, validation, optimizer=cr.SGD(0.05, momentum=0.5), trainings=6, **options)
    assert len({tuple(row.values()) for row in found.tried}) == 6


def test_settings_stay_where_trainings_can_be() -> None:
    with np.errstate(all="raise"):
        found = cr.tune(
            network(),
            DATA,
            VALIDATION,
            optimizer=cr.SGD(0.01, momentum=0.5),
            descent=cr.SGD(1e9),
            trainings=4,
            **OPTIONS,
        )
    assert all(np.isfinite(list(row.values())).all() and row["momentum"] < 1 for row in found.tried)
    own = cr.SGD(1e-6, momentum=1 - 1e-12)  # beyond where others may come to
    assert (
        cr.tune(network(), DATA, VALIDATION, optimizer=own, trainings=1, **OPTIONS).settings["momentum"] == own.momentum
    )


def test_losses_that_are_not_finite_are_errors() -> None:
    for run in (cr.tune, cr.hypergradient):
        with pytest.raises(DivergedError, match="validation data, inf"):
            run(network(), DATA, (V, 1e200 * VALIDATION[1]), optimizer=cr.SGD(0.01), **OPTIONS)
        with pytest.raises(SettingError, match="was given None; give a network"):
            run(None, DATA, VALIDATION)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"optimizer": cr.SGD(lambda epoch: 0.1 / (1 + epoch))}, "nothing to tune"),
        ({"by": "momentun"}, "by='momentun'; this training has"),
        ({"by": "learning_rates"}, "no setting of `fit`.*PiecewiseLinear"),
        ({"by": "initial_parameters"}, "no setting of `fit`"),
        ({"by": "learning_rate", "optimizer": cr.SGD(cr.Cosine(0.1, epochs=3))}, "no setting of `fit`"),
        ({"by": "l2"}, "l2=0, and multiples of 0 are 0"),
        (
            {"by": "learning_rate.times", "optimizer": cr.SGD(cr.PiecewiseLinear((0.1, 0.2), (0.0, 1.0)))},
            "times that could overtake each other",
        ),
        ({"trainings": 0}, "trainings=0"),
        ({"optimizer": cr.SGD(cr.OnPlateau(0.1))}, "decided by jumps"),
    ],
)
def test_what_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        cr.tune(network(), DATA, VALIDATION, **{"optimizer": cr.SGD(0.1), **OPTIONS, **given})


def test_it_ends_where_nothing_moves() -> None:
    weightless = cr.SGD(0.0, momentum=0.5)  # the momentum of no steps
    found = cr.tune(network(), DATA, VALIDATION, optimizer=weightless, by="momentum", trainings=7, **OPTIONS)
    assert (found.tried, found.settings) == (({"momentum": 0.5},), {"momentum": 0.5})
