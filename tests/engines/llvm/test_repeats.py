"""What a loop in Python repeats is compiled once: the same numbers to the bit, and hardly more code for more steps."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.strategies import inputs_of, programs

import chainrule as cr
from chainrule.engines import ENGINES, evaluate
from chainrule.engines.llvm.emission import repeats
from chainrule.engines.llvm.machine import cache
from chainrule.engines.llvm.planning import groups
from chainrule.engines.llvm.runs.kernel import Kernel


def compiled(program: Any, *, several: int = groups.SEVERAL, few: int | None = None) -> Any:
    """A Program as machine code that is written anew, in functions if there are so many groups, told the sizes of more than a few."""
    with (
        patch.object(groups, "SEVERAL", several),
        patch.object(groups, "LARGE", max(several, groups.LARGE)),
        patch.object(groups, "LONG", max(several, groups.LONG) if several else 0),
        patch.object(repeats, "FEW", repeats.FEW if few is None else few),
        patch.object(repeats, "FEW_PRODUCTS", repeats.FEW_PRODUCTS if few is None else few),
        patch.object(cache, "read", lambda _: None),
    ):
        return Kernel(program)


def same_bits(program: Any, *inputs: Any) -> None:
    with np.errstate(all="ignore"):
        expected = compiled(program, several=10**6)(*inputs)
        for few in (None, 0):
            for one, other in zip(compiled(program, several=0, few=few)(*inputs), expected, strict=True):
                np.testing.assert_array_equal(one, other)
                np.testing.assert_array_equal(1 / one, 1 / other)  # zeros have signs


@settings(
    max_examples=int(os.environ.get("CHAINRULE_EXAMPLES", "60")) // 5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(program=programs(most=6), seed=st.integers(0, 1000))
def test_random_programs_one_after_another(program: Any, seed: int) -> None:
    assume(ENGINES["llvm"].refusal(program) is None)
    arrays = [np.asarray(x, v.dtype) for x, v in zip(inputs_of(program, seed), program.inputs, strict=True)]

    def three_times(*xs: Any) -> Any:
        results: list[Any] = []
        link: Any = 0.0
        for _ in range(3):
            found = evaluate(program, *[x + link for x in xs])
            results.append(found)
            link = np.sum((found[0] if isinstance(found, list | tuple) else found) * 0)
        return results

    assume(program.inputs and all(v.dtype.kind == "f" for v in program.inputs))
    with np.errstate(all="ignore"):
        chained = cr.trace(three_times, *arrays)
    same_bits(chained, *arrays)


ONE, TWO = np.arange(5.0), np.linspace(0.3, 0.9, 5)


def squared_or_not(a: Any, b: Any, k: int) -> Any:
    return a * (a if k % 2 else b) + b


STEPS: dict[str, Callable[[Any, Any, int], Any]] = {
    "constants": lambda y, x, k: np.sin(y) * (0.5 + k) / 20.0 + x[0],
    "zeros of both signs": lambda y, x, k: np.abs(y) * (-0.0 if k % 2 else 0.0),
    "integers and numbers": lambda y, x, k: y * (2 if k % 2 else 2.0) / 4 + k,
    "rows of a matrix": lambda y, x, k: np.tanh(y) + x[k % 5] * x[:, k % 5],
    "axes": lambda y, x, k: np.tanh(np.sum(x * y, axis=k % 2)),
    "powers": lambda y, x, k: np.abs(y) ** (0.5 + k % 3 / 9.0) + x[0],
    "numbers and themselves": lambda y, x, k: (
        np.cos(y * 1.0 + (k + 0.1)) - y / (k + 3) + (y - (-0.0 if k % 2 else 0.5))
    ),
    "numbers of their own type": lambda y, x, k: np.cos(y * np.float64(k / 7) + np.float64(1.5)) + x[0],
    "numbers that decide": lambda y, x, k: np.maximum(np.sin(y) ** (2 if k % 2 else 3), k / 20) + (y > k / 20) + x[0],
    "numbers after products": lambda y, x, k: np.tanh(x @ y + k / 3) * (k + 0.5),
    "rows one after another": lambda y, x, k: np.tanh(x[k % 5] @ x + x[(k + 1) % 5] * y) - x[k % 5, 1:2],
    "products": lambda y, x, k: np.tanh((x if k % 2 else x.T) @ y),
    "itself or another": lambda y, x, k: squared_or_not(np.cos(y), np.sin(y), k),
    "itself or another in memory": lambda y, x, k: np.cos(squared_or_not(y, x[0], k)),
    "constant arrays": lambda y, x, k: np.cos(y * ONE + TWO) * (ONE if k % 2 else TWO),
    "positions": lambda y, x, k: y[np.array([k % 5, 1, 2, 3, 0])] + x[0],
    "types": lambda y, x, k: (y.astype(np.float32).astype(float) if k % 2 else y) / 3.0 + x[0],
}


@pytest.mark.parametrize("name", STEPS)
def test_steps_that_are_nearly_alike(name: str) -> None:
    def steps(x: Any) -> Any:
        found, y = [], x[0] + x[1]
        for k in range(12):
            found.append(STEPS[name](y, x, k))
            y = found[-1] - 1e-3 * np.sum(found[-1])  # so that steps are groups of their own
        return found

    x = np.random.default_rng(0).normal(size=(5, 5))
    program = cr.trace(steps, x)
    same_bits(program, x)
    np.testing.assert_allclose(compiled(program, several=0)(x), steps(x), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", [float, np.float32, np.int16, bool])
def test_joins_of_many_arrays(kind: Any) -> None:
    """Of several shapes, some of them constants or read through strides, into places of every alignment."""

    def joined(x: Any) -> Any:
        rows = [x[i % 5] if i % 3 else x[:, i % 5] for i in range(80)]
        return np.concatenate([*(r[: 1 + i % 4] for i, r in enumerate(rows)), ONE[:3], np.stack(rows)[7]]), np.stack(
            rows, 1
        )

    x = (np.random.default_rng(0).normal(size=(5, 5)) * 3).astype(kind)
    for found, expected in zip(compiled(cr.trace(joined, x))(x), joined(x), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_more_steps_are_hardly_more_code() -> None:
    def forward(x: Any, steps: int) -> Any:
        for _ in range(steps):
            x = x / np.sum(np.exp(x)) + np.tanh(x)
        return np.sum(x)

    def lines(steps: int) -> int:
        program = cr.simplify(cr.trace(cr.grad(lambda x: forward(x, steps)), np.ones(3)))
        return str(compiled(program).function.ir).count("\n")

    few, many = lines(100), lines(200)
    equations = 100 * 12
    assert many - few < equations


def test_times_and_rows_of_steps_are_hardly_more_code() -> None:
    def forward(x: Any, rows: Any) -> Any:
        for k, row in enumerate(rows):
            x = np.tanh(row @ rows[:3] * x + (k + 0.3) / 7) / (k + 2.0) - np.sum(x)
        return np.sum(x)

    def lines(steps: int) -> int:
        program = cr.simplify(cr.trace(cr.grad(forward), np.ones(3), np.ones((300, 3))[:steps]))
        return str(compiled(program).function.ir).count("\n")

    few, many = lines(100), lines(200)
    equations = 100 * 12
    assert many - few < equations


def test_long_bodies_of_loops() -> None:
    def total(x: Any) -> Any:
        def step(y: Any, row: Any) -> Any:
            for _ in range(40):
                y = y / np.sum(np.exp(y)) + np.tanh(y * row)
            return y, y

        return np.sum(cr.scan(step, x, np.arange(6.0).reshape(2, 3))[1])

    gradient, x = cr.grad(total), np.array([0.3, -0.2, 0.9])
    np.testing.assert_allclose(cr.jit(gradient, engine="llvm")(x), gradient(x), rtol=1e-9, atol=1e-15)


def lorenz(x: Any, steps: int) -> Any:
    """Numbers without axes, of which several hundred share a group."""
    a, b, c = x, x - 0.5, x + 0.6
    for _ in range(steps):
        a, b, c = a + 1e-3 * 10.0 * (b - a), b + 1e-3 * (a * (28.0 - c) - b), c + 1e-3 * (a * b - 2.7 * c)
    return a + b + c


def collected(x: Any, steps: int) -> Any:
    """As many arrays joined as there are steps."""
    rows = [x]
    for _ in range(steps):
        rows.append(np.sin(rows[-1]) * 1.01)
    return np.sum(np.stack(rows) ** 2)


def unlike(x: Any, steps: int) -> Any:
    """No step like another."""
    for k in range(steps):
        x = (np.sin, np.cos, np.tanh, np.abs)[k * k % 7 % 4](x * (1.0 + k / steps)) + (x[k % 3] if k % 5 else np.sum(x))
    return np.sum(x)


X = np.array([0.3, -0.2, 0.9])
LONG: dict[str, tuple[Callable[[Any, int], Any], Any, int]] = {
    "numbers": (lambda x, steps: cr.grad(lorenz)(x, steps), 0.3, 300),
    "collected": (collected, X, 3200),
    "unlike": (unlike, X, 800),
}


@pytest.mark.usefixtures("own_garbage")
@pytest.mark.parametrize("name", LONG)
def test_four_times_as_many_steps_take_about_four_times_as_long(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time of the processor from the function to machine code; what grows with the square would take sixteen times as long."""
    monkeypatch.setenv(cache.VARIABLE, "off")
    function, example, most = LONG[name]

    def seconds(steps: int) -> float:
        begin = time.process_time()
        cr.jit(lambda x: function(x, steps))(example)
        return time.process_time() - begin

    seconds(10)  # what is loaded first
    few = max(seconds(most // 4) for _ in range(2))
    assert seconds(most) < 8 * few or seconds(most) < 8 * few
