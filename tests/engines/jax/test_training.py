"""Trainings by JAX: what NumPy computes, to rounding; the same bits every time; a state that nothing takes away."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from waiting import LONG

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


def test_the_state_stays_on_the_device_until_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was given of it is never written to, whatever is computed afterwards."""
    jax = pytest.importorskip("jax")
    from chainrule.engines.jax import device_state
    from chainrule.engines.jax.runner import JaxRunner

    fetched: list[Any] = []
    monkeypatch.setattr(device_state, "fetched", lambda x: fetched.append(x) or np.asarray(x)[()])
    monkeypatch.setattr(device_state, "are_in_memory", lambda arrays: False)  # as on a GPU
    monkeypatch.setattr("chainrule.training.steps.blocks.BLOCK_SECONDS", 0.0)  # every step a call
    states: list[Any] = []
    given = JaxRunner.state.fget
    monkeypatch.setattr(JaxRunner, "state", property(lambda self: states.append(given(self)) or states[-1]))
    trained("jax", epochs=3)
    assert len(states) == 15
    arrays = len(states[0])
    assert len(fetched) == 15 + arrays  # whether all is finite, of each; and the last one
    assert all(isinstance(x, jax.Array) for x in fetched)
    first = [np.array(x) for x in states[0]]
    assert not all((a == b).all() for a, b in zip(first, states[-1], strict=True))
    again = trained("jax", epochs=3, callbacks=[lambda end: True])
    assert again.run is not None
    for name, x in again.run.parameters["dense_0"].items():
        one_epoch = {tuple(np.ravel(y)) for y in states[4]}
        assert tuple(np.ravel(x)) in one_epoch, name


def test_a_setting_of_jax_that_is_the_users_stays_as_it_is() -> None:
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    assert cr.jit(lambda x: x + 1.0, engine="jax")(np.ones(2)).dtype == np.float64
    assert jax.config.jax_enable_x64 is before
    assert jax.numpy.ones(2).dtype == (np.float64 if before else np.float32)


def test_settings_that_look_for_faults_in_code_of_the_users_own_are_not_for_programs() -> None:
    jax = pytest.importorskip("jax")
    log, rows = cr.jit(lambda x: np.log(x) @ np.ones((2, 2)) + x[0], engine="jax"), np.array([[-1.0, 2.0]])
    named = {
        "jax_debug_nans": True, "jax_debug_infs": True, "jax_disable_jit": True, "jax_numpy_rank_promotion": "raise",
        "jax_transfer_guard": "disallow",
    }  # fmt: skip
    before = {name: getattr(jax.config, name) for name in named}
    try:
        for name, value in named.items():
            jax.config.update(name, value)
        assert np.isnan(log(rows)).all()
        trained("jax", epochs=1)
        assert {name: getattr(jax.config, name) for name in named} == named
    finally:
        for name, value in before.items():
            jax.config.update(name, value)


def test_a_copy_of_the_process_is_told_at_once_that_jax_cannot_compute_in_it() -> None:
    code = """if 1:
        import os, warnings, numpy as np, chainrule as cr
        warnings.simplefilter("ignore")
        sine = cr.jit(np.sin, engine="jax")
        sine(np.ones(2))
        copy = os.fork()
        if copy:
            os._exit(os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]))
        try:
            sine(np.ones(2))
        except cr.errors.UnsupportedError as error:
            os._exit(7 if "copy of one that has used JAX" in str(error) else 1)
    """
    assert subprocess.run([sys.executable, "-c", code], timeout=LONG, check=False).returncode == 7


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(cr.errors.UnsupportedError, match="JAX has no device 'tpu:7' here"):
        trained(cr.JaxEngine(device="tpu:7"))
    for device in (3, "", "cpu:-1", "cpu:x", ":0"):
        with pytest.raises(cr.errors.SettingError, match="give a text such as 'cpu' or 'cuda:1'"):
            cr.JaxEngine(device=device)  # type: ignore[arg-type]
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


def test_numbers_that_an_integer_cannot_hold_become_what_they_become_in_numpy() -> None:
    """In C this is undefined; NumPy itself is the reference."""
    given = np.array([300.0, -1.0, 3e9, np.nan, np.inf, -200.0, 1e300, 2.0**63, -0.5, 100.9])
    for kind in ("i1", "u1", "i2", "i4", "u4", "i8"):
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            wanted = given.astype(kind)
            for x in (given, given + 0j):
                assert cr.jit(lambda x, kind=kind: x.astype(kind), engine="jax")(x).tolist() == wanted.tolist()


def test_the_sign_of_0_says_on_which_side_of_a_cut_a_number_lies() -> None:
    parts = (-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0)
    given = np.array([complex(a, b) for a in parts for b in (0.0, -0.0, 1.0, -1.0)])
    functions = (np.sqrt, np.log, np.arcsin, np.arccos, np.arctan, np.arcsinh, np.arccosh)
    with np.errstate(all="ignore"):
        computed = cr.jit(lambda z: [g(z) for g in functions], engine="jax")(given)
        for f, found in zip(functions, computed, strict=True):
            fine = np.isfinite(f(given))
            np.testing.assert_allclose(found[fine], f(given)[fine], rtol=1e-9, atol=1e-12, err_msg=f.__name__)
