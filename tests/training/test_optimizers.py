"""Every optimizer: the published algorithm step by step, a valley it must descend, and the arrays it keeps."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, ShapeError, UnknownNameError
from chainrule.training import OPTIMIZERS, as_optimizer
from making import exported

# The algorithms as their papers have them: from a parameter and the gradients of successive steps to the parameter
# after each step, in float64, one number at a time where that is how the paper has it.


def sgd(w: Any, gradients: Any, rate: float) -> Any:
    for g in gradients:
        w = w - rate * g
        yield w


def momentum(w: Any, gradients: Any, rate: float) -> Any:
    v = 0 * w
    for g in gradients:
        v = 0.9 * v - rate * g
        w = w + v
        yield w


def adagrad(w: Any, gradients: Any, rate: float) -> Any:
    seen: list[Any] = []
    for g in gradients:
        seen.append(g)
        w = w - rate / (np.sqrt(sum(g * g for g in seen)) + 1e-8) * g
        yield w


def adadelta(w: Any, gradients: Any, rate: float) -> Any:
    g2, d2 = 0 * w, 0 * w
    for g in gradients:
        g2 = 0.95 * g2 + 0.05 * g**2
        move = -np.sqrt(d2 + 1e-6) / np.sqrt(g2 + 1e-6) * g
        d2 = 0.95 * d2 + 0.05 * move**2
        w = w + rate * move
        yield w


def rmsprop(w: Any, gradients: Any, rate: float) -> Any:
    v = 0 * w
    for g in gradients:
        v = 0.9 * v + 0.1 * g**2
        w = w - rate * g / (np.sqrt(v) + 1e-8)
        yield w


def adam(w: Any, gradients: Any, rate: float, decay: float = 0.0) -> Any:
    m, v = 0 * w, 0 * w
    for t, g in enumerate(gradients, 1):
        w = w - rate * decay * w
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        w = w - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        yield w


def adamw(w: Any, gradients: Any, rate: float) -> Any:
    return adam(w, gradients, rate, decay=0.01)


def nadam(w: Any, gradients: Any, rate: float) -> Any:
    m, v = 0 * w, 0 * w
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        ahead = 0.9 * m / (1 - 0.9 ** (t + 1)) + 0.1 * g / (1 - 0.9**t)
        w = w - rate * ahead / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        yield w


def rprop(w: Any, gradients: Any, rate: float) -> Any:
    w, size, before = w.copy(), np.full(w.shape, rate), np.zeros(w.shape)
    for given in gradients:
        g = given.copy()
        for i in np.ndindex(w.shape):
            if g[i] * before[i] > 0:
                size[i] = min(1.2 * size[i], 50.0 * rate)
            elif g[i] * before[i] < 0:
                size[i] = max(0.5 * size[i], 1e-6 * rate)
                g[i] = 0.0
            w[i] -= math.copysign(size[i], g[i]) if g[i] else 0.0
        before = g
        yield w.copy()


PUBLISHED: dict[str, Any] = {
    "sgd": sgd,
    "adagrad": adagrad,
    "adadelta": adadelta,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
    "nadam": nadam,
    "rprop": rprop,
}
CASES = [(OPTIMIZERS[name], PUBLISHED[name]) for name in PUBLISHED] + [(cr.SGD(momentum=0.9), momentum)]
VARIANTS = [*OPTIMIZERS.values(), cr.SGD(momentum=0.9), cr.SGD(momentum=0.9, nesterov=True), cr.Adam(beta1=0.0)]


def steps(optimizer: Any, w: Any, gradients: Any, rate: float) -> Any:
    state = optimizer.initial_state(w)
    for t, g in enumerate(gradients, 1):
        w, state = optimizer.update(g, w, state, rate, float(t))
        yield w


@pytest.mark.parametrize(
    ("optimizer", "algorithm"), CASES, ids=lambda x: repr(x) if isinstance(x, cr.Optimizer) else ""
)
def test_first_steps_are_the_published_ones(optimizer: Any, algorithm: Any) -> None:
    random = np.random.default_rng(0)
    w, gradients = random.normal(size=(3, 2)), random.normal(size=(12, 3, 2))
    gradients[3:6] = np.abs(gradients[3:6])  # some that keep their sign
    gradients[7, 0, 0] = 0.0
    for ours, theirs in zip(steps(optimizer, w, gradients, 0.1), algorithm(w, gradients, 0.1), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_nesterov_is_the_gradient_ahead() -> None:
    """Sutskever's form takes the gradient at θ + μv; the parameter kept here is that point itself."""
    curvature = np.array([1.0, 10.0])
    theta, velocity = np.array([1.0, -2.0]), np.zeros(2)
    w, optimizer = theta.copy(), cr.SGD(0.05, momentum=0.8, nesterov=True)
    state = optimizer.initial_state(w)
    for t in range(1, 20):
        velocity = 0.8 * velocity - 0.05 * curvature * (theta + 0.8 * velocity)
        theta = theta + velocity
        w, state = optimizer.update(curvature * w, w, state, 0.05, t)
        np.testing.assert_allclose(w, theta + 0.8 * velocity, rtol=1e-10)


@pytest.mark.parametrize("optimizer", VARIANTS, ids=repr)
class TestEveryOptimizer:
    def test_descends_a_quadratic(self, optimizer: Any) -> None:
        curvature, w = np.array([1.0, 5.0, 0.2]), np.array([1.0, -1.0, 2.0])
        start = 0.5 * float(np.sum(curvature * w**2))
        rate, state = max(optimizer.learning_rate, 0.02), optimizer.initial_state(w)
        for t in range(1, 4001):
            w, state = optimizer.update(curvature * w, w, state, rate, float(t))
        assert 0.5 * float(np.sum(curvature * w**2)) < 0.01 * start

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
    def test_shapes_and_dtypes_stay(self, optimizer: Any, shape: tuple[int, ...], dtype: str) -> None:
        w = np.ones(shape, dtype)
        state = optimizer.initial_state(w)
        new, after = optimizer.update(0.1 * w, w, state, np.dtype(dtype).type(0.1), np.dtype(dtype).type(1))
        assert (np.shape(new), new.dtype) == (shape, dtype)
        assert set(after) == set(state)
        for key, value in after.items():
            assert (np.shape(value), value.dtype) == (shape, dtype)
            assert np.shape(state[key]) == shape

    def test_first_parameters_are_not_written_to(self, optimizer: Any) -> None:
        w = np.ones(3)
        list(steps(optimizer, w, np.ones((3, 3)), 0.1))
        assert (w == 1).all()

    def test_zero_gradient_keeps_finite(self, optimizer: Any) -> None:
        *_, last = steps(optimizer, np.ones(3), np.zeros((5, 3)), 0.1)
        assert np.isfinite(last).all()

    def test_network_learns_and_matches_the_update_by_hand(self, optimizer: Any) -> None:
        random = np.random.default_rng(0)
        X = random.normal(size=(20, 3))
        y = X @ [[1.0], [-2.0], [0.5]]
        network = cr.Network([cr.Dense(1, bias=None)], dtype="float64").build(3)
        w = network.parameters["dense_0"]["weight"]
        state, rate = optimizer.initial_state(w), np.float64(optimizer.learning_rate)
        for t in range(1, 9):
            w, state = optimizer.update(2 * X.T @ (X @ w - y) / 20, w, state, rate, float(t))
        network.fit(X, y, optimizer=optimizer, epochs=8, batch_size=None, progress=False)
        np.testing.assert_allclose(network.parameters["dense_0"]["weight"], w, rtol=1e-9)

    def test_is_a_value(self, optimizer: Any) -> None:
        assert replace(optimizer) == optimizer
        assert hash(replace(optimizer)) == hash(optimizer)


def test_every_exported_optimizer_is_known_by_name() -> None:
    assert set(exported(cr.Optimizer)) == {type(optimizer) for optimizer in OPTIMIZERS.values()}
    assert set(PUBLISHED) <= set(OPTIMIZERS)
    for name in set(OPTIMIZERS) - set(PUBLISHED):  # what has no algorithm here shows a step in its docstring
        assert ">>>" in (OPTIMIZERS[name].__doc__ or "")


def test_adams_first_step_is_the_learning_rate_in_float32() -> None:
    """The corrections 1 − βᵗ are small differences at first: in float32 they must not lose their digits."""
    w = np.zeros(2, np.float32)
    rate, one = np.float32(0.001), np.float32(1)
    new, _ = cr.Adam().update(np.array([1e-3, 100.0], np.float32), w, cr.Adam().initial_state(w), rate, one)
    np.testing.assert_allclose(new, [-0.001, -0.001], rtol=2e-5)


def test_unknown_and_nonsense() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'adam'"):
        as_optimizer("adan")
    with pytest.raises(SettingError, match="is no optimizer"):
        as_optimizer(0.1)
    with pytest.raises(SettingError, match=r"momentum=1\.5.*less than 1"):
        cr.SGD(momentum=1.5)
    with pytest.raises(SettingError, match=r"beta2=-0\.1"):
        cr.Adam(beta2=-0.1)
    with pytest.raises(SettingError, match=r"-0\.1 is no learning rate"):
        cr.SGD(-0.1)
    with pytest.raises(SettingError, match="nan is no learning rate"):
        cr.Adam(math.nan)
    with pytest.raises(SettingError, match="write one"):
        cr.Optimizer().update(1, 1, {}, 1, 1)
    with pytest.raises(SettingError, match=r"nesterov.*momentum"):
        cr.SGD(nesterov=True)
    with pytest.raises(SettingError, match="epsilon"):
        cr.Adam(epsilon=-1.0)
    assert as_optimizer("Adam") == as_optimizer(cr.Adam) == cr.Adam()


@pytest.mark.parametrize("start", [0.0, 0.1])
@pytest.mark.parametrize("under_root", [False, True])
def test_where_adagrad_starts_and_epsilon_stands(start: float, under_root: bool) -> None:
    """By hand; with 0.1 and ε under the root it is Keras's, with 0 and ε beside it PyTorch's."""
    ada = cr.AdaGrad(0.5, 1e-3, initial_accumulator_value=start, epsilon_under_root=under_root)
    rms = cr.RMSprop(0.5, 0.9, 1e-3, epsilon_under_root=under_root)
    w = v = np.array([1.0, -2.0])
    total, mean = np.full(2, start), np.zeros(2)
    state, kept = ada.initial_state(w), rms.initial_state(v)
    for step, g in enumerate((np.array([0.0, 3.0]), np.array([-0.02, 1.0])), 1):
        total, mean = total + g * g, 0.9 * mean + 0.1 * g * g
        expected = [
            x - 0.5 * g / (np.sqrt(s + 1e-3) if under_root else np.sqrt(s) + 1e-3) for x, s in ((w, total), (v, mean))
        ]
        w, state = ada.update(g, w, state, 0.5, step)
        v, kept = rms.update(g, v, kept, 0.5, step)
        np.testing.assert_allclose([w, v], expected, rtol=1e-14)
    with pytest.raises(SettingError, match="initial_accumulator_value"):
        cr.AdaGrad(initial_accumulator_value=-1.0)


@dataclass(frozen=True)
class Remembering(cr.Optimizer):
    """Keeps what was: the parameter before, turned around, and the state before that."""

    def initial_state(self, parameter: Any) -> Any:
        return {"before": 0 * parameter, "again": 0 * parameter, "turned": parameter + 1}

    def update(self, gradient: Any, parameter: Any, state: Any, learning_rate: Any, step: Any) -> Any:
        moved = parameter - learning_rate * gradient + 0.01 * state["again"][::-1] + 0.01 * state["turned"]
        return moved, {"before": parameter, "again": state["before"], "turned": state["turned"][::-1]}


@pytest.mark.parametrize("width", [3, 150])
def test_new_states_may_be_old_ones_and_views_of_them(width: int) -> None:
    """Machine code writes new states where the old ones are."""
    x = np.random.default_rng(0).normal(size=(40, 5))

    def trained(engine: str) -> Any:
        network = cr.Network([cr.Dense(width), cr.Dense(2)], seed=0)
        network.fit(x, x[:, :2], epochs=3, batch_size=20, optimizer=Remembering(), progress=False, engine=engine)
        return network.parameters

    for layer, own in trained("llvm").items():
        for name, found in own.items():
            np.testing.assert_allclose(found, trained("numpy")[layer][name], atol=1e-5)


@dataclass(frozen=True)
class Widening(cr.Optimizer):
    """Gives its results in another kind of number, or shape."""

    to: str = "float64"

    def update(self, gradient: Any, parameter: Any, state: Any, learning_rate: Any, step: Any) -> Any:
        moved = parameter - learning_rate * gradient
        return {"float64": moved * np.ones(1), "shape": np.stack([moved, moved])}[self.to], state


@pytest.mark.parametrize("engine", ["llvm", "numpy"])
def test_new_parameters_have_the_type_of_the_old(engine: str) -> None:
    x = np.ones((20, 4))
    network = cr.Network([cr.Dense(3), cr.Dense(1)], seed=0)
    history = network.fit(x, x[:, :1], epochs=3, optimizer=Widening(), progress=False, engine=engine)
    assert {p.dtype.name for own in network.parameters.values() for p in own.values()} == {"float32"}
    assert history["loss"][-1] < history["loss"][0]
    with pytest.raises(ShapeError, match=r"Widening.update gave the parameter as float32\[2, 4, 3\]"):
        network.fit(x, x[:, :1], epochs=2, optimizer=Widening(to="shape"), progress=False, engine=engine)
