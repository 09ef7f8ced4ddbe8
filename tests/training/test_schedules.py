"""Every schedule: values worked out by hand, and that training takes them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError
from chainrule.training.schedules import as_schedule
from making import exported, first_set, made

SCHEDULES = exported(cr.Schedule)
X = np.linspace(-1, 1, 20)[:, None]

BY_HAND = [
    (cr.ConstantRate(0.3), [0, 0.5, 100], [0.3, 0.3, 0.3]),
    (cr.Step(0.8, every=2, factor=0.5), [0, 1.99, 2, 3.5, 4, 6], [0.8, 0.8, 0.4, 0.4, 0.2, 0.1]),
    (cr.Exponential(1.0, factor=0.25), [0, 0.5, 1, 2], [1.0, 0.5, 0.25, 0.0625]),
    (cr.Cosine(0.2, epochs=6), [0, 2, 3, 4, 6, 9], [0.2, 0.15, 0.1, 0.05, 0.0, 0.0]),
    (cr.Cosine(0.2, epochs=6, final=0.1), [0, 3, 6, 7], [0.2, 0.15, 0.1, 0.1]),
    (cr.WarmUp(0.4, epochs=4), [0, 1, 2, 4, 9], [0.0, 0.1, 0.2, 0.4, 0.4]),
    (cr.WarmUp(cr.Step(0.4, every=2), epochs=2), [1, 2, 3.9, 4, 6], [0.2, 0.4, 0.4, 0.2, 0.1]),
    (cr.PiecewiseLinear((0.1, 0.3, 0.0), (1, 2, 5)), [0, 1, 1.5, 2, 4, 5, 9], [0.1, 0.1, 0.2, 0.3, 0.1, 0.0, 0.0]),
    (cr.OnPlateau(0.1), [0, 7], [0.1, 0.1]),
]


@pytest.mark.parametrize(("schedule", "times", "rates"), BY_HAND, ids=lambda x: repr(x))
def test_values(schedule: Any, times: list[float], rates: list[float]) -> None:
    np.testing.assert_allclose(schedule(np.array(times)), rates, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", SCHEDULES)
class TestEverySchedule:
    def test_one_finite_rate_for_every_time(self, kind: Any) -> None:
        rates = made(kind)(np.linspace(0, 20, 50))
        assert rates.shape == (50,)
        assert (np.isfinite(rates) & (rates >= 0)).all()

    def test_training_takes_it(self, kind: Any) -> None:
        network = cr.Network([cr.Dense(1)])
        history = network.fit(X, 2 * X, optimizer=cr.SGD(made(kind)), epochs=4, batch_size=5, progress=False)
        last_steps = np.arange(1, 5) - 1 / 4  # the time of an epoch's last of four batches
        np.testing.assert_allclose(history["learning_rate"], made(kind)(last_steps), rtol=1e-12)

    def test_is_a_value(self, kind: Any) -> None:
        assert made(kind) == made(kind)
        assert hash(cr.Adam(made(kind))) == hash(cr.Adam(made(kind)))

    def test_refuses_a_negative_rate(self, kind: Any) -> None:
        first = next(iter(kind.__dataclass_fields__))
        with pytest.raises(SettingError, match=f"{kind.__name__}.*{first}|-0.5 is no learning rate"):
            first_set(kind, -0.5)


def test_steps_use_the_rate_of_their_time() -> None:
    """With gradient 1 in every step the weight falls by the sum of the rates."""
    network = cr.Network([cr.Dense(1, weight=0.0, bias=None)], dtype="float64")
    network.fit(
        np.ones((4, 1)), np.ones((4, 1)), loss=lambda a, t: np.sum(a, axis=-1), epochs=3, batch_size=2,
        optimizer=cr.SGD(lambda epoch: 1.0 + epoch), progress=False,
    )  # fmt: skip
    expected = sum(1 + t for t in (0, 0.5, 1, 1.5, 2, 2.5))
    assert network.parameters["dense_0"]["weight"][0, 0] == pytest.approx(-expected)


class TestOnPlateau:
    def test_scale_by_hand(self) -> None:
        rule = cr.OnPlateau(0.1, factor=0.5, patience=2)
        assert rule.scale([]) == 1
        assert rule.scale([3, 2, 1]) == 1
        assert rule.scale([3, 2, 2]) == 1
        assert rule.scale([3, 2, 2, 2]) == 0.5
        assert rule.scale([3, 2, 2, 2, 2]) == 0.5
        assert rule.scale([3, 2, 2, 2, 2, 2]) == 0.25
        assert rule.scale([3, 2, 2, 2, 1, 1]) == 0.5

    def test_rate_falls_no_lower_than_its_minimum(self) -> None:
        assert cr.OnPlateau(0.1, factor=0.1, patience=1, minimum=0.05).scale([1] * 9) == pytest.approx(0.5)

    def trained(self, rate: Any, **options: Any) -> list[float]:
        network = cr.Network([cr.Dense(1)])
        loss = options.pop("loss", lambda a, t: np.sum(0.0 * a, axis=-1) + 1.0)  # never improves
        history = network.fit(X, 2 * X, loss=loss, optimizer=cr.SGD(rate), epochs=7, progress=False, **options)
        return history["learning_rate"]

    def test_in_training(self) -> None:
        rates = self.trained(cr.OnPlateau(0.1, factor=0.5, patience=2))
        np.testing.assert_allclose(rates, [0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025])

    def test_watches_validation_data_when_there_are_any(self) -> None:
        rates = self.trained(cr.OnPlateau(0.1, factor=0.5, patience=2), validation_data=(X, 2 * X))
        np.testing.assert_allclose(rates, [0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025])

    def test_after_a_warm_up(self) -> None:
        rates = self.trained(cr.WarmUp(cr.OnPlateau(0.1, factor=0.5, patience=3), epochs=1))
        assert rates[-1] < 0.06

    def test_unknown_figure(self) -> None:
        with pytest.raises(cr.ChainruleError, match=r"los.*Known: "):
            self.trained(cr.OnPlateau(0.1, monitor="los"))


def test_numbers_and_functions_are_schedules() -> None:
    assert as_schedule(0.1) == cr.ConstantRate(0.1)
    assert as_schedule(np.float32(0.5)) == cr.ConstantRate(0.5)
    assert as_schedule(math.sin) is math.sin
    for nonsense in (-1, math.inf, "fast", None, True):
        with pytest.raises(SettingError, match=r"is no learning rate"):
            as_schedule(nonsense)


def test_errors() -> None:
    with pytest.raises(SettingError, match="one finite rate for each"):
        cr.Network([cr.Dense(1)]).fit(X, X, optimizer=cr.SGD(lambda epoch: 0.1), progress=False)
    with pytest.raises(SettingError, match="none of them negative"):
        cr.Network([cr.Dense(1)]).fit(X, X, optimizer=cr.SGD(lambda epoch: 0.1 - epoch), progress=False)
    with pytest.raises(SettingError, match="one finite rate for each"):
        cr.Network([cr.Dense(1)]).fit(X, X, optimizer=cr.SGD(lambda epoch: np.full_like(epoch, np.nan)), progress=False)
    with pytest.raises(SettingError, match=r"Cosine.*epochs"):
        cr.Cosine(0.1, epochs=0)
    with pytest.raises(SettingError, match=r"Step.*every"):
        cr.Step(0.1, every=-1)
    with pytest.raises(SettingError, match=r"WarmUp.*epochs"):
        cr.WarmUp(0.1, epochs=0)
    with pytest.raises(SettingError, match=r"OnPlateau.*patience"):
        cr.OnPlateau(0.1, patience=0)
    with pytest.raises(SettingError, match=r"OnPlateau.*factor"):
        cr.OnPlateau(0.1, factor=1.5)
