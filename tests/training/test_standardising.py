"""`Standardise`: means and deviations of the rows learned from, kept with the network; and the warning where there is none."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import chainrule as cr
from chainrule.errors import SettingError

RANDOM = np.random.default_rng(0)
X = np.stack([RANDOM.normal(4000.0, 800.0, 60), RANDOM.normal(size=60), np.full(60, 7.0)], axis=1)
Y = (X[:, 0] - 4000.0) / 800.0 + X[:, 1]


def fitted(**options: Any) -> cr.Network:
    network = cr.Network(options.pop("layers", [cr.Dense(8, "tanh"), cr.Dense(1)]))
    network.fit(X, Y, **{"epochs": 3, "progress": False, "standardise": True, **options})
    return network


def test_it_holds_what_the_rows_learned_from_have() -> None:
    network = fitted()
    own = network.parameters["standardise_0"]
    np.testing.assert_allclose(own["mean"], X.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(own["deviation"], [X[:, 0].std(), X[:, 1].std(), 1.0], rtol=1e-5)
    assert list(network.layers) == ["standardise_0", "dense_0", "dense_1"]
    assert "standardise_0" in str(network.summary())
    by_hand = cr.Network([cr.Dense(8, "tanh"), cr.Dense(1)])
    by_hand.fit((X - own["mean"]) / own["deviation"], Y, epochs=3, progress=False)
    np.testing.assert_allclose(network.predict(X), by_hand.predict((X - own["mean"]) / own["deviation"]), atol=1e-4)


def test_a_step_that_is_shown_begins_as_fit_does() -> None:
    network = cr.Network([cr.Standardise(), cr.Dense(8, "tanh", name="hidden"), cr.Dense(1)])
    network.build(3)
    shown = network.step_by_step(X, Y, optimizer=cr.SGD(0.1), engine="numpy").update.after
    diagnosed = network.diagnose(X, Y)
    assert (network.parameters["standardise_0"]["mean"] == 0).all()
    assert not any("saturated" in finding.illness for finding in diagnosed.findings), diagnosed
    network.fit(X, Y, optimizer=cr.SGD(0.1), epochs=1, batch_size=len(X), progress=False, engine="numpy")
    for layer, own in network.parameters.items():
        for name, value in own.items():
            np.testing.assert_array_equal(shown[layer][name], value)


@pytest.mark.parametrize("number", [0.1, 1 / 3, 123456.789])
@pytest.mark.parametrize("given", [lambda X, y: (X, y), lambda X, y: (cr.ArrayDataset(X, y, megabytes=0.01),)])
def test_a_column_that_never_changes_is_only_shifted(number: float, given: Any) -> None:
    """The mean of many equal numbers is another by a rounding, which was taken for their deviation."""
    rows = np.stack([np.full(1000, number), np.arange(1000.0)], axis=1)
    network = cr.Network([cr.Standardise(), cr.Dense(1)], dtype="float64")
    network.fit(*given(rows, np.arange(1000.0)), epochs=1, progress=False)
    own = network.parameters["standardise_0"]
    assert own["mean"][0] == number
    np.testing.assert_allclose(own["deviation"], [1.0, np.arange(1000.0).std()], rtol=1e-12)


def test_rows_held_out_are_not_looked_at() -> None:
    network = fitted(validation_split=0.5)
    assert not np.allclose(network.parameters["standardise_0"]["mean"], X.mean(axis=0), rtol=1e-6)
    outside = fitted(validation_data=(1e3 * X, Y))
    np.testing.assert_array_equal(
        outside.parameters["standardise_0"]["mean"], fitted().parameters["standardise_0"]["mean"]
    )


def test_what_is_known_stays(tmp_path: Any) -> None:
    """Of a second fit, of a run that is gone on from, and of a network from a file."""
    network = fitted()
    before = {name: value.copy() for name, value in network.parameters["standardise_0"].items()}
    network.save(tmp_path / "n.safetensors")
    loaded = cr.load(tmp_path / "n.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), network.predict(X))
    for again in (network, loaded):
        again.fit(3.0 * X, Y, epochs=1, standardise=True, progress=False)
        assert list(again.layers) == ["standardise_0", "dense_0", "dense_1"]
        for name, value in before.items():
            np.testing.assert_array_equal(again.parameters["standardise_0"][name], value)
    whole, half = fitted(epochs=4), fitted(epochs=2)
    half.fit(X, Y, epochs=4, standardise=True, progress=False, continue_from=half.run)
    np.testing.assert_array_equal(half.predict(X), whole.predict(X))


def test_layers_keep_the_parameters_they_had() -> None:
    network = cr.Network([cr.Dense(8, "tanh"), cr.Dense(1)], seed=3).build(3)
    weight = network.parameters["dense_0"]["weight"].copy()
    network.fit(X, Y, epochs=1, optimizer=cr.SGD(0.0), standardise=True, progress=False)
    np.testing.assert_array_equal(network.parameters["dense_0"]["weight"], weight)


def test_penalties_leave_it_alone() -> None:
    plain, penalised = (fitted(l2=l2, epochs=1, optimizer=cr.SGD(0.0)).history for l2 in (0.0, 1.0))
    assert penalised["loss"][0] - plain["loss"][0] < 20.0  # the squares of means and deviations are 16 million


def test_every_engine_agrees() -> None:
    np.testing.assert_allclose(
        fitted(engine="llvm").predict(X), fitted(engine="numpy").predict(X), rtol=1e-4, atol=1e-5
    )


def test_networks_that_are_functions_say_so_themselves() -> None:
    first, last = cr.Standardise(), cr.Dense(1)
    with pytest.raises(SettingError, match=r"cr.Standardise\(\)"):
        cr.Network(lambda x: last(x)).fit(X, Y, standardise=True)
    network = cr.Network(lambda x: last(first(x))).build(3)
    network.parameters = {"standardise_0.mean": X.mean(axis=0), "standardise_0.deviation": [800.0, 1.0, 1.0]}
    network.fit(X, Y, epochs=1, progress=False)
    np.testing.assert_allclose(network.parameters["standardise_0"]["mean"], X.mean(axis=0), rtol=1e-6)


class TestWarning:
    @pytest.mark.parametrize(
        ("given", "named"), [(X, "0"), (pd.DataFrame(X, columns=["mass", "depth", "one"]), "'mass'")]
    )
    def test_columns_of_very_different_sizes(self, given: Any, named: str) -> None:
        network = cr.Network([cr.Dense(1)])
        with pytest.warns(UserWarning, match=f"in column {named} .*standardise=True") as found:
            network.fit(given, Y, epochs=1, progress=False)
        assert found[0].filename == __file__

    @pytest.mark.parametrize(
        ("rows", "layers"),
        [
            (X[:10], [cr.Dense(1)]),
            (X, [cr.Standardise(), cr.Dense(1)]),
            (X[:, 1:], [cr.Dense(1)]),
            (X[:, :1], [cr.Dense(1)]),
            (np.zeros((60, 2)), [cr.Dense(1)]),
            (RANDOM.uniform(0.0, 255.0, (60, 20)) * np.repeat([0.001, 1.0], [3, 17]), [cr.Dense(1)]),
            (RANDOM.normal(size=(60, 4, 2)), [cr.Dense(1), cr.Flatten(), cr.Dense(1)]),
            (np.stack([X[:, 1], np.arange(60) % 3 + 1000], axis=1), [cr.CategoryEmbedding((2000,)), cr.Dense(1)]),
        ],
        ids=["few rows", "standardised", "alike", "one", "nothing", "a few small ones", "several axes", "codes"],
    )
    def test_others_give_none(self, rows: Any, layers: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            cr.Network(layers).fit(rows, Y[: len(rows)], epochs=1, progress=False)
