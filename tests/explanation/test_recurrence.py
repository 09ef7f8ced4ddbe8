"""Loops in explanations: their steps are told as one, and every formula with a letter t holds after every step."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from tests.nn.test_recurrent import Recurrent

import chainrule as cr
from chainrule.explanation.derived import Derived
from chainrule.explanation.formulas.symbols import Slope, number_of


def network_and_data(units: int, steps: int, rows: int, features: int = 2) -> Any:
    random = np.random.default_rng(units + steps + rows)
    x = random.normal(size=(rows, steps, features)).astype(np.float32)
    network = cr.Network([Recurrent(units), cr.Dense(1)], seed=0).build((steps, features))
    return network, x, np.sin(x.sum(axis=(1, 2)))[:, None]


def by_hand(network: Any, x: Any, t: Any) -> tuple[Any, Any, Any]:
    """∂L/∂h after every step, ∂L/∂W and ∂L/∂U by backpropagation through time, with L the mean squared error."""
    p = {name: {key: np.asarray(a, np.float64) for key, a in own.items()} for name, own in network.parameters.items()}
    w, u = p["recurrent_0"]["W"], p["recurrent_0"]["U"]
    h = [np.zeros((len(x), len(w)))]
    for i in range(x.shape[1]):
        h.append(np.tanh(h[-1] @ w + x[:, i] @ u))
    y = h[-1] @ p["dense_0"]["weight"] + p["dense_0"]["bias"]
    slopes = [2 * (y - t) / len(x) @ p["dense_0"]["weight"].T]
    dw, du = np.zeros_like(w), np.zeros_like(u)
    for i in reversed(range(x.shape[1])):
        delta = slopes[0] * (1 - h[i + 1] ** 2)
        dw, du = dw + h[i].T @ delta, du + x[:, i].T @ delta
        slopes.insert(0, delta @ w.T)
    return np.stack(slopes[1:], axis=1), dw, du


def holds_everywhere(derivation: Derived, tolerance: float) -> None:
    """Every line's formula gives the gradient at every place of its letters."""
    for line in derivation.lines:
        letters = line.element.letters
        grid = np.meshgrid(*(np.arange(letter.size) for letter in letters), indexing="ij")
        places = dict(zip(letters, grid, strict=True))
        found = number_of(line.formula, derivation.value_of, places)
        expected = derivation.value_of(Slope(derivation.output, line.element), places)
        np.testing.assert_allclose(np.broadcast_to(found, np.shape(expected)), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("where", ["W[0, 1]", "U[1, 2]"])
def test_backpropagation_through_time(rows: int, where: str) -> None:
    network, x, t = network_and_data(3, 6, rows)
    slopes, dw, du = by_hand(network, x, t)
    derivation = network.explain(x, t, f"recurrent_0.{where}", loss="mse", check=True)
    assert derivation.value == pytest.approx((dw[0, 1] if where[0] == "W" else du[1, 2]), rel=1e-5)
    holds_everywhere(derivation, 1e-12)
    told = [line for line in derivation.lines if line.element.variable.name == "recurrent_0.h"]
    assert any("t" in str(i) for line in told for i in line.element.index)
    for line in told:
        for instance in line.instances:
            place = instance.element.place
            assert instance.value == pytest.approx(slopes[place], rel=1e-5, abs=1e-7)
            assert sum(p.value for p in instance.parts) + instance.rest == pytest.approx(instance.value, rel=1e-9)
    assert "Σ_t" in str(derivation).splitlines()[0]
    assert len(derivation.lines) < 10


@pytest.mark.usefixtures("own_garbage")
def test_forty_units_and_seven_steps_are_explained_at_once() -> None:
    network, x, t = network_and_data(40, 7, 8, 5)
    _, dw, _ = by_hand(network, x, t)
    began = time.thread_time()
    derivation = network.explain(x, t, "recurrent_0.W[0, 1]", loss="mse", most=7)
    text = str(derivation)
    assert time.thread_time() - began < 5.0
    assert derivation.value == pytest.approx(dw[0, 1], rel=1e-4)
    assert len(text.splitlines()) < 250
    for form in ("latex", "html", "markdown", "json", "mathml"):
        assert "h" in derivation.to(form)


def test_letters_for_all_weights() -> None:
    network, x, t = network_and_data(3, 5, 2)
    formula = str(network.explain(x, t, "recurrent_0.W", loss="mse", depth="layers"))
    assert "Σ_t" in formula


@pytest.mark.parametrize("reverse", [False, True])
def test_numbers_carried_along(reverse: bool) -> None:
    rates = np.linspace(0.01, 0.07, 7)
    end = lambda r, x: cr.scan(lambda s, x: (s * (r + x), None), 2.0, x, reverse=reverse)[0]  # noqa: E731
    grown = cr.explain(end)(0.5, rates)
    product = 2.0 * np.prod(0.5 + rates)
    assert grown.value == pytest.approx(np.sum(product / (0.5 + rates)))
    holds_everywhere(grown, 1e-12)
    assert "∂f/∂s[t" in str(grown) or "∂f/∂s_t" in str(grown)


def test_loops_of_one_name_are_told_apart() -> None:
    def twice(w: Any) -> Any:
        first = cr.loop(lambda s, i: np.tanh(w * s), 1.0, 4)
        return cr.loop(lambda s, i: np.sin(w * s + first), first, 4)

    found = cr.explain(twice)(0.7)
    assert found.value == pytest.approx(cr.grad(twice)(0.7))
    holds_everywhere(found, 1e-12)
    assert "s#2" in str(found)


def test_few_steps_are_told_one_by_one() -> None:
    text = str(cr.explain(lambda w: cr.loop(lambda s, i: s * w, 3.0, 2))(2.0))
    assert "Σ_t" not in text
    assert "12" in text


def test_steps_that_differ_are_told_by_themselves() -> None:
    """What a step takes from a table that goes nowhere evenly stands in the way of one formula."""
    order = np.array([3, 0, 2, 1])
    jumping = lambda x: cr.scan(lambda s, i: (np.sin(s) * x[i], None), 1.0, order)[0]  # noqa: E731
    x = np.array([0.5, 1.5, 0.8, 1.1])
    found = cr.explain(jumping, index=[2])(x)
    assert found.value == pytest.approx(cr.grad(jumping)(x)[2])
    holds_everywhere(found, 1e-12)


def test_numbers_that_count_the_steps() -> None:
    powers = lambda x: cr.loop(lambda s, i: s * x + (i + 2), x, 6)  # noqa: E731
    found = cr.explain(lambda x: cr.loop(lambda s, i: np.sin(s * x) * (i + 2), x, 6))(0.3)
    holds_everywhere(found, 1e-12)
    assert "(t + 2)" in str(found)
    holds_everywhere(cr.explain(powers)(0.3), 1e-12)


def test_contributions_of_a_recurrent_network() -> None:
    network, x, t = network_and_data(3, 4, 2)
    _, dw, _ = by_hand(network, x, t)
    found = network.contributions(x, t, "recurrent_0.W[0, 1]", loss="mse")
    for parts in (found.by_output, found.by_sample, found.by_path):
        assert sum(part.value for part in parts) == pytest.approx(dw[0, 1], rel=1e-5)
    assert len(found.by_sample) == 2


@dataclass(frozen=True)
class Memory(cr.Layer):
    """Long short-term memory (Hochreiter and Schmidhuber 1997): c = f·c + i·g, h = o·tanh(c)."""

    units: int

    def parameters(self, shape: Any) -> Any:
        matrix = cr.ParameterSpec((shape[-1] + self.units, self.units), "glorot_uniform")
        return dict.fromkeys(("Wi", "Wf", "Wo", "Wg"), matrix)

    def forward(self, p: Any, x: Any) -> Any:
        first = np.zeros((x.shape[0], self.units), x.dtype)

        def step(state: Any, row: Any) -> Any:
            h, c = state
            z = np.concatenate([row, h], axis=1)
            i, f, o = (1.0 / (1.0 + np.exp(-(z @ p[name]))) for name in ("Wi", "Wf", "Wo"))
            c = f * c + i * np.tanh(z @ p["Wg"])
            return (o * np.tanh(c), c), None

        return cr.scan(step, (first, first), np.swapaxes(x, 0, 1))[0][0]


@pytest.mark.parametrize(("units", "steps"), [(3, 5), (40, 7)])
def test_networks_with_memory_are_told_as_textbooks_do(units: int, steps: int) -> None:
    x = np.random.default_rng(0).normal(size=(4, steps, 3))
    t = np.sin(x.sum(axis=(1, 2)))[:, None]
    network = cr.Network([Memory(units), cr.Dense(1)], seed=0, dtype="float64").build((steps, 3))
    found = network.explain(x, t, "memory_0.Wf[3, 1]", loss="mse")

    def loss(change: float) -> float:
        p = {name: dict(own) for name, own in network.parameters.items()}
        gates = {name: np.array(w) for name, w in p["memory_0"].items()}
        gates["Wf"][3, 1] += change
        h = c = np.zeros((4, units))
        for n in range(steps):
            z = np.concatenate([x[:, n], h], axis=1)
            i, f, o = (1.0 / (1.0 + np.exp(-z @ gates[name])) for name in ("Wi", "Wf", "Wo"))
            c = f * c + i * np.tanh(z @ gates["Wg"])
            h = o * np.tanh(c)
        return float(np.mean((h @ p["dense_0"]["weight"] + p["dense_0"]["bias"] - t) ** 2))

    assert found.value == pytest.approx((loss(1e-5) - loss(-1e-5)) / 2e-5, rel=1e-6)
    holds_everywhere(found, 1e-10)
    for line in found.lines:
        for instance in line.instances:
            assert sum(p.value for p in instance.parts) + instance.rest == pytest.approx(instance.value, abs=1e-12)
    text = str(found)
    assert not re.search(r"′|constant_|take\(|·\[", text)
    assert "lstm" not in text
    assert len(text) < 25_000
    assert found.further == 0
    told = [str(line.element) for line in found.lines]
    assert len(told) == len(set(told))


def test_letters_begin_anew_in_every_line() -> None:
    network, x, t = network_and_data(3, 6, 3)
    text = str(network.explain(x, t, "recurrent_0.W[0, 1]", loss="mse"))
    assert "′" not in text
    assert "∂L/∂recurrent_0.h[n, 5, k] = ∂L/∂dense_0.z[n, 0] · dense_0.weight[k, 0]" in text
    assert "constant" not in text.replace("constant factor", "")  # the first state is 0, and adds nothing
    assert "h[n, 5, 1] =" not in text  # it is among those of all k
