"""Trainings by JAX: what NumPy computes, to rounding; the same bits every time; a state that nothing takes away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr

random = np.random.default_rng(0)
X = random.normal(size=(45, 6))
LABELS = np.array(["a", "b", "c"])[np.argmax(X[:, :3], axis=1)]


def trained(engine: Any, **options: Any) -> cr.Network:
    network = cr.Network([cr.Dense(9, "relu"), cr.Dropout(0.3), cr.Dense(3)], seed=1, dtype="float64")
    network.fit(X, LABELS, engine=engine, batch_size=10, progress=False, **{"epochs": 6, **options})
    return network


def test_a_training_is_numpys() -> None:
    """With dropout, a smaller last batch, validation measured in the loop, weights, and the best epoch restored."""
    options = {"validation_split": 0.2, "sample_weight": random.random(45), "early_stopping": 2, "epochs": 12}
    first, second, third = (trained(engine, **options) for engine in ("numpy", "jax", "jax"))
    assert first.history is not None
    assert second.history is not None
    assert third.history is not None
    for name in first.history:
        if name != "seconds":
            np.testing.assert_allclose(second.history[name], first.history[name], rtol=1e-9, err_msg=name)
            assert second.history[name] == third.history[name]
    np.testing.assert_allclose(second.predict_proba(X, engine="jax"), first.predict_proba(X), rtol=1e-9)


def test_a_setting_of_jax_that_is_the_users_stays_as_it_is() -> None:
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    assert cr.jit(lambda x: x + 1.0, engine="jax")(np.ones(2)).dtype == np.float64
    assert jax.config.jax_enable_x64 is before
    assert jax.numpy.ones(2).dtype == (np.float64 if before else np.float32)


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(cr.errors.UnsupportedError, match="JAX has no device 'tpu:7' here"):
        trained(cr.JaxEngine(device="tpu:7"))
    with pytest.raises(cr.errors.UnknownNameError, match="no precision named 'half'"):
        cr.JaxEngine(precision="half")
    with pytest.raises(cr.errors.UnsupportedError, match=r"does not compute .* as NumPy does: polynomial_roots"):
        cr.jit(np.roots, engine="jax")(np.ones(3))


def test_what_numpy_refuses_is_refused() -> None:
    """Positions outside, and a singular matrix; numbers that are infinite by right are given."""
    pick = cr.jit(lambda x, i: x[i], engine="jax")
    assert pick(np.arange(3.0), np.array([2, -1])).tolist() == [2.0, 2.0]
    with pytest.raises(cr.errors.PositionError, match="7"):
        pick(np.arange(3.0), np.array([7, 0]))
    with pytest.raises(cr.ChainruleError, match=r"[Ss]ingular"):
        cr.jit(np.linalg.inv, engine="jax")(np.zeros((2, 2)))
