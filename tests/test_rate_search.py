"""The search for a learning rate: its steps are those of a training, its curve is that of textbooks, the network stays as it is."""

import json

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, UnknownNameError
from chainrule.network.rate_search import RateSearch, local_lines

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
t = X @ np.array([1.0, -2.0, 0.5])


def test_steps_are_those_of_gradient_descent_with_growing_rates():
    """Full batches of a linear model, by hand: w ← w − ηₖ·2/n·Xᵀ(Xw − t), ηₖ = lowest·(highest/lowest)^(k/(steps − 1))."""
    network = cr.Network([cr.Dense(1, weight="zeros")], dtype="float64")
    found = network.find_learning_rate(X, t, optimizer="sgd", batch_size=None, lowest=1e-4, highest=0.5, steps=30)
    w, bias, losses = np.zeros(3), 0.0, []
    rates = 1e-4 * 5e3 ** (np.arange(30) / 29)
    for rate in rates:
        errors = X @ w + bias - t
        losses.append(np.mean(errors**2))
        w, bias = w - rate * 2 * X.T @ errors / 60, bias - rate * 2 * errors.mean()
    np.testing.assert_allclose(found.losses, losses, rtol=1e-9)
    np.testing.assert_allclose(found.rates, rates, rtol=1e-12)
    assert 1e-3 < found.learning_rate < found.at_least <= 0.5
    assert not network.is_built


@pytest.mark.parametrize("optimizer", ["sgd", "adam", cr.AdamW(0.5, weight_decay=0.1)])
@pytest.mark.parametrize("batch_size", [7, 32, None])
def test_a_rate_that_is_found_learns(optimizer, batch_size):
    network = cr.Network([cr.Dense(16, "tanh"), cr.Dense(1)])
    network.fit(X, t, epochs=1, progress=False)
    before = network.parameters["dense_0"]["weight"].copy()
    found = network.find_learning_rate(X, t, optimizer=optimizer, batch_size=batch_size, highest=100.0)
    assert len(found.rates) == len(found.losses) <= 200
    np.testing.assert_array_equal(network.parameters["dense_0"]["weight"], before)
    assert network.history.epochs == 1
    assert 1e-5 < found.learning_rate < found.at_least < 10.0


def test_it_ends_where_the_loss_is_no_number():
    found = cr.Network([cr.Dense(1)]).find_learning_rate(
        X, t, optimizer="sgd", highest=1e30, steps=100, batch_size=None
    )
    assert 20 < len(found.losses) < 100
    assert np.isfinite(found.losses).all()
    assert found.looked_at < len(found.losses)


def test_a_dataset_and_epochs_of_many_more_steps_than_are_asked_for():
    """The rates are the same, whatever the rows of an epoch; the steps after the last are not taken."""
    rows = np.tile(X, (3000, 1))
    network = cr.Network([cr.Dense(1, weight="zeros")])
    found = network.find_learning_rate(cr.ArrayDataset(rows, np.tile(t, 3000)), batch_size=2, steps=40)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-6, 10.0, 40))
    assert len(found.losses) == 40
    arrays = network.find_learning_rate(X, t, batch_size=None, steps=40, optimizer="sgd")
    same = network.find_learning_rate(cr.ArrayDataset(X, t), batch_size=None, steps=40, optimizer="sgd")
    np.testing.assert_allclose(arrays.losses, same.losses, rtol=1e-4)


def test_nothing_falls():
    found = RateSearch(np.geomspace(1e-3, 1.0, 40), np.linspace(1.0, 2.0, 40))
    assert found.learning_rate is None
    assert "falls nowhere" in str(found)
    assert found.draw().svg


def test_noise_at_the_beginning_is_no_fall():
    """A curve of −tanh at 0.01 with noise of a third of its height, in a hundred draws."""
    rates = np.geomspace(1e-6, 1.0, 200)
    clean = 1.0 - np.tanh(2.0 * np.log10(rates / 0.01))
    said = [RateSearch(rates, clean + RANDOM.normal(0.0, 0.3, 200)).learning_rate for _ in range(100)]
    assert 0.8 < np.exp(np.mean(np.log(said))) / 0.01 < 1.25
    assert max(abs(np.log10(x / 0.01)) for x in said) < 0.7


def test_local_lines_are_weighted_least_squares():
    values = RANDOM.normal(size=30)
    level, slope = local_lines(values, 5)
    for place in (0, 3, 15, 29):
        near = np.arange(max(0, place - 5), min(30, place + 6))
        weights = (1 - (np.abs(near - place) / 6) ** 3) ** 3
        expected = np.polyfit(near - place, values[near], 1, w=np.sqrt(weights))
        np.testing.assert_allclose([slope[place], level[place]], expected, rtol=1e-9)


def test_forms():
    found = cr.Network([cr.Dense(1)]).find_learning_rate(X, t, steps=40)
    data = json.loads(found.to("json"))
    assert (data["kind"], data["rates"], data["learning_rate"]) == (
        "rate_search",
        found.rates.tolist(),
        found.learning_rate,
    )
    assert "←" in str(found)
    assert f"learning rate {found.learning_rate:.2g}"[:20].split()[-1][:3] in found.draw(digits=3).svg.replace("−", "-")
    with pytest.raises(UnknownNameError, match="form"):
        found.to("latex")


@pytest.mark.parametrize("wrong", [{"lowest": 0.0}, {"lowest": 1.0, "highest": 0.5}, {"steps": 3}, {"highest": np.nan}])
def test_ranges_that_are_none(wrong):
    with pytest.raises(SettingError, match=f"find_learning_rate.*{[*wrong][-1]}"):
        cr.Network([cr.Dense(1)]).find_learning_rate(X, t, **wrong)
