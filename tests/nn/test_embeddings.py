"""Embeddings of a table's columns: their formulas by loops, and what they leave as it is."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChainruleError, DataError, PositionError, SettingError, ShapeError

X = np.random.default_rng(0).normal(size=(5, 3))


class TestPeriodicEmbedding:
    @pytest.mark.parametrize(("activation", "act"), [("identity", lambda v: v), ("relu", lambda v: max(v, 0.0))])
    def test_waves_by_loops(self, activation: str, act: Any) -> None:
        layer = cr.PeriodicEmbedding(2, frequencies=4, columns=2, activation=activation, name="e")
        network = cr.Network([layer], dtype="float64", seed=1).build(3)
        own = network.parameters["e"]
        for row, said in zip(X, network(X), strict=True):
            vectors = [
                act(
                    sum(
                        math.cos(2 * math.pi * (own["frequency"][i, k] * row[i] + own["phase"][i, k]))
                        * own["weight"][i, k, d]
                        for k in range(4)
                    )
                    + own["bias"][i, d]
                )
                for i in range(2)
                for d in range(2)
            ]
            np.testing.assert_allclose(said, [*row, *vectors], rtol=1e-12)

    def test_frequencies_have_the_deviation_asked_for(self) -> None:
        network = cr.Network([cr.PeriodicEmbedding(frequencies=500, deviation=4.0, name="e")]).build(20)
        assert network.parameters["e"]["frequency"].std() == pytest.approx(4.0, rel=0.05)
        assert abs(network.parameters["e"]["phase"]).max() <= 0.5

    def test_all_columns_unless_told(self) -> None:
        assert cr.Network([cr.PeriodicEmbedding(2)]).build(3)(X).shape == (5, 9)
        assert cr.Network([cr.PeriodicEmbedding(2, columns=1)]).build(3)(X).shape == (5, 5)

    def test_it_learns_a_wave_that_a_dense_layer_does_not(self) -> None:
        x = np.linspace(-1.0, 1.0, 200)[:, None]
        y = np.sin(2 * np.pi * 3 * x)
        losses = [
            cr.Network([*first, cr.Dense(1)], seed=0).fit(
                x, y, optimizer=cr.Adam(0.01), epochs=60, batch_size=20, progress=False
            )["loss"][-1]
            for first in ([cr.PeriodicEmbedding(4, deviation=2.0)], [cr.Dense(16, "tanh")])
        ]
        assert losses[0] < 0.01 < 0.2 < losses[1]

    def test_no_activation_is_the_identity(self) -> None:
        assert cr.PeriodicEmbedding(activation=None) == cr.PeriodicEmbedding()

    @pytest.mark.parametrize(
        "settings", [{"width": 0}, {"frequencies": None}, {"deviation": 0.0}, {"columns": 1.5}, {"activation": "wavy"}]
    )
    def test_settings_are_checked(self, settings: Any) -> None:
        with pytest.raises(cr.ChainruleError):
            cr.PeriodicEmbedding(**settings)

    @pytest.mark.parametrize("shape", [2, (3, 4)])
    def test_rows_with_as_many_numbers(self, shape: Any) -> None:
        with pytest.raises(ShapeError, match="embeds 3 columns"):
            cr.Network([cr.PeriodicEmbedding(columns=3)]).build(shape)


def test_piecewise_curves_by_loops() -> None:
    edges = ((-1.0, 0.0, 2.0), (-0.5, 0.5))
    network = cr.Network([cr.PiecewiseEmbedding(edges, 2, name="e")], dtype="float64", seed=1).build(3)
    own = network.parameters["e"]
    for row, said in zip(X, network(X), strict=True):
        vectors = []
        for i, marks in enumerate(edges):
            inside = [min(max((row[i] - a) / (b - a), 0.0), 1.0) for a, b in itertools.pairwise(marks)]
            vectors += [
                max(sum(h * own["weight"][i, b, d] for b, h in enumerate(inside)) + own["bias"][i, d], 0.0)
                for d in range(2)
            ]
        np.testing.assert_allclose(said, [*row, *vectors], rtol=1e-6)


class TestCategoryEmbedding:
    @pytest.mark.parametrize("strange", [-1.0, -0.5, 3.0, 1e10])
    @pytest.mark.parametrize("engine", ["numpy", "llvm"])
    def test_what_is_no_category_is_refused(self, strange: float, engine: str) -> None:
        network = cr.Network([cr.CategoryEmbedding((4, 3), 2), cr.Dense(1)], seed=1).build(3)
        rows = np.array([[0.5, 3.0, 2.0], [0.5, 0.0, strange]])
        with pytest.raises(
            DataError, match=rf"{re.escape(str(strange))} in row 1 as one of 3 categories; give .* 0 to 2"
        ):
            network(rows)
        with pytest.raises(ChainruleError, match=r"out of bounds|of 3 categories"):
            network.predict(rows, engine=engine)
        with pytest.raises(PositionError, match="out of bounds"):
            network.fit(rows, [1.0, 2.0], epochs=1, engine=engine, progress=False)


def test_settings_of_embeddings_are_told_by_the_error() -> None:
    with pytest.raises(SettingError, match="edges"):
        cr.PiecewiseEmbedding(((1.0, 0.0),))
