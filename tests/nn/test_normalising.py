"""Layers that bring what is between to one size: what they compute, and that it does not depend on where and how large."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ShapeError


class TestLayerNorm:
    X = np.random.default_rng(0).normal(3.0, 5.0, size=(6, 4))

    def test_every_sample_has_mean_0_and_deviation_1(self) -> None:
        y = cr.Network([cr.LayerNorm(epsilon=0.0)], dtype="float64").build(4)(self.X)
        np.testing.assert_allclose(y.mean(axis=1), 0.0, atol=1e-12)
        np.testing.assert_allclose(y.std(axis=1), 1.0, rtol=1e-12)

    def test_size_and_place_of_a_sample_do_not_count(self) -> None:
        network = cr.Network([cr.LayerNorm(epsilon=0.0)], dtype="float64").build(4)
        np.testing.assert_allclose(network(7.0 * self.X - 2.0), network(self.X), rtol=1e-9)

    def test_by_hand(self) -> None:
        """Mean 2, variance 1: (±1/√(1 + 3)) · (2, 3) + (10, 20)."""
        network = cr.Network([cr.LayerNorm(3.0, scale=[2.0, 3.0], shift=[10.0, 20.0])], dtype="float64").build(2)
        np.testing.assert_allclose(network(np.array([[1.0, 3.0]])), [[9.0, 21.5]], rtol=1e-12)

    def test_features_are_the_last_axis_of_sequences(self) -> None:
        network = cr.Network([cr.LayerNorm()], dtype="float64").build((5, 4))
        X = np.random.default_rng(1).normal(size=(2, 5, 4))
        rows = cr.Network([cr.LayerNorm()], dtype="float64").build(4)
        np.testing.assert_allclose(network(X), rows(X.reshape(10, 4)).reshape(2, 5, 4), rtol=1e-12)

    @pytest.mark.parametrize("part", ["scale", "shift"])
    def test_without_a_part_it_has_no_such_parameter(self, part: str) -> None:
        network = cr.Network([cr.LayerNorm(**{part: None}, name="norm")]).build(3)
        assert set(network.parameters["norm"]) == {"scale", "shift"} - {part}

    def test_a_feature_that_never_changes_is_0(self) -> None:
        assert (cr.Network([cr.LayerNorm()]).build(1)(np.ones((3, 1))) == 0).all()

    def test_penalties_leave_the_shift_alone(self) -> None:
        network = cr.Network([cr.LayerNorm(name="norm"), cr.Dense(1)]).build(3)
        assert network.model.biases == {"norm.shift", "dense_0.bias"}

    @pytest.mark.parametrize(
        "settings", [{"epsilon": -1.0}, {"epsilon": "small"}, {"scale": "many"}, {"shift": [np.nan]}]
    )
    def test_settings_are_checked(self, settings: Any) -> None:
        with pytest.raises(cr.ChainruleError, match=r"epsilon|many|finite"):
            cr.LayerNorm(**settings)

    def test_a_sample_without_features_has_none_to_normalise(self) -> None:
        with pytest.raises(ShapeError, match="features"):
            cr.Network([cr.LayerNorm()]).build(())
