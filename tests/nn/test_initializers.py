"""Initialisers: the mean and the variance each law promises, orthogonality, and seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, ShapeError, UnknownNameError
from chainrule.nn import INITIALIZERS
from chainrule.nn.named import initializer

FAN_IN, FAN_OUT = 120, 80
LAWS = {  # mean and variance of a weight of shape (120, 80), by the papers
    "uniform": (0.0, 0.1**2 / 12),
    "normal": (0.0, 0.05**2),
    "glorot_uniform": (0.0, 2 / (FAN_IN + FAN_OUT)),
    "glorot_normal": (0.0, 2 / (FAN_IN + FAN_OUT)),
    "he_uniform": (0.0, 2 / FAN_IN),
    "he_normal": (0.0, 2 / FAN_IN),
    "lecun_uniform": (0.0, 1 / FAN_IN),
    "lecun_normal": (0.0, 1 / FAN_IN),
    "zeros": (0.0, 0.0),
    "ones": (1.0, 0.0),
    "orthogonal": (0.0, 1 / FAN_IN),
}


def drawn(name: str, shape: tuple[int, ...] = (FAN_IN, FAN_OUT), seed: int = 0) -> Any:
    return INITIALIZERS[name](shape, np.random.default_rng(seed))


@pytest.mark.parametrize("name", LAWS)
class TestEveryLaw:
    def test_mean_and_variance(self, name: str) -> None:
        mean, variance = LAWS[name]
        values = drawn(name)
        assert values.mean() == pytest.approx(mean, abs=5 * (variance / values.size) ** 0.5 + 1e-12)
        assert values.var() == pytest.approx(variance, rel=0.06, abs=1e-20)

    def test_bounded_if_uniform(self, name: str) -> None:
        if "uniform" in name:
            bound = (3 * LAWS[name][1]) ** 0.5
            assert 0.99 * bound < np.abs(drawn(name)).max() <= bound


@pytest.mark.parametrize("name", INITIALIZERS)
class TestEveryInitializer:
    def test_same_seed_same_values(self, name: str) -> None:
        assert np.array_equal(drawn(name), drawn(name))
        if drawn(name).std() > 0:
            assert not np.array_equal(drawn(name), drawn(name, seed=1))

    @pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 3, 4), (1, 1)])
    def test_any_shape(self, name: str, shape: tuple[int, ...]) -> None:
        values = np.asarray(drawn(name, shape))
        assert values.shape == shape
        assert np.isfinite(values).all()

    def test_known_by_its_name_in_a_layer(self, name: str) -> None:
        network = cr.Network([cr.Dense(4, weight=name, bias=name)], seed=1).build(4)
        weight = network.parameters["dense_0"]["weight"]
        assert weight.dtype == np.float32
        np.testing.assert_array_equal(weight, drawn(name, (4, 4), seed=1).astype(np.float32))


def test_every_law_is_known_and_what_has_none_shows_values_in_its_docstring() -> None:
    assert set(LAWS) <= set(INITIALIZERS)
    for name in set(INITIALIZERS) - set(LAWS):
        assert ">>>" in (INITIALIZERS[name].__doc__ or "")


def test_uniform_and_normal_take_their_settings() -> None:
    random = np.random.default_rng(0)
    values = cr.Uniform(2.0, 5.0)((10000,), random)
    assert values.min() >= 2
    assert values.max() <= 5
    assert values.mean() == pytest.approx(3.5, abs=0.05)
    values = cr.Normal(2.0, mean=-1.0)((10000,), random)
    assert (values.mean(), values.std()) == (pytest.approx(-1, abs=0.1), pytest.approx(2, abs=0.1))


@pytest.mark.parametrize("shape", [(5, 5), (8, 3), (3, 8), (2, 4, 3)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    q = cr.Orthogonal(gain=2.0)(shape, np.random.default_rng(0)).reshape(-1, shape[-1])
    product = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_seed_of_the_network_decides() -> None:
    def weights(seed: int) -> Any:
        return cr.Network([cr.Dense(3), cr.Dense(2)], seed=seed).build(4).parameters

    for layer in ("dense_0", "dense_1"):
        assert np.array_equal(weights(1)[layer]["weight"], weights(1)[layer]["weight"])
        assert not np.array_equal(weights(1)[layer]["weight"], weights(2)[layer]["weight"])


def test_numbers_arrays_and_functions_are_initialisers() -> None:
    layer = cr.Dense(2, weight=[[1, 2], [3, 4]], bias=0.5)
    assert layer == cr.Dense(2, weight=np.array([[1.0, 2.0], [3.0, 4.0]]), bias=0.5)
    parameters = cr.Network([layer]).build(2).parameters["dense_0"]
    assert parameters["weight"].tolist() == [[1, 2], [3, 4]]
    assert parameters["bias"].tolist() == [0.5, 0.5]
    own = cr.Dense(2, weight=lambda shape, random: np.full(shape, 7.0))
    assert (cr.Network([own]).build(3).parameters["dense_0"]["weight"] == 7).all()


def test_errors() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'he_normal'"):
        cr.Dense(2, weight="he_norml")
    with pytest.raises(SettingError, match=r"low=1\.0 above high=0\.0"):
        cr.Uniform(1.0, 0.0)
    with pytest.raises(ShapeError, match=r"\(2,\).*\(3, 2\)"):
        cr.Network([cr.Dense(2, weight=[1.0, 2.0])]).build(3)
    with pytest.raises(UnknownNameError):
        initializer("glorot")
