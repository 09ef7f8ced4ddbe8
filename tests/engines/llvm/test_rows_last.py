"""Small steps with the rows of the data along the vectors: the same numbers, where they are fewer vectors, whatever the layers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines import REFERENCE
from chainrule.engines.llvm import plan
from chainrule.engines.llvm.machine import cache
from chainrule.engines.llvm.planning import rows_last
from chainrule.engines.llvm.runs import training
from chainrule.engines.loop import TrainingLoop
from chainrule.nn import ACTIVATIONS
from chainrule.ops import ArrayType
from chainrule.tracing import Program, Variable, simplify, trace
from chainrule.tracing.passes.rowwise import rows_of
from chainrule.training import LOSSES
from making import called, exported, made, with_a_category
from trying import examples

random = np.random.default_rng(2)
X = random.normal(size=(11, 3))
VALUES = np.stack([X[:, 0] * X[:, 1], np.abs(X[:, 2])], axis=1)
LABELS = np.array(["a", "b"])[np.argmax(X[:, :2], axis=1)]


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bool], None]]:
    """Rows along the vectors always, or never."""

    def always(program: Program, data: Sequence[Variable], widest: int) -> Program:
        return rows_last.with_axes_moved(program, rows_of(program, data))

    def chosen(turned: bool) -> None:
        monkeypatch.setattr(plan, "with_rows_last", always if turned else lambda program, data, widest: None)
        training.compile_loop.cache_clear()

    monkeypatch.setenv(cache.VARIABLE, "off")
    yield chosen
    training.compile_loop.cache_clear()


def trained(layers: Any, X: Any, y: Any, **options: Any) -> list[Any]:
    network = cr.Network(layers, seed=1, dtype=options.pop("dtype", "float64"))
    history = network.fit(X, y, **{"epochs": 3, "batch_size": 4, "progress": False, "engine": "llvm", **options})
    return [history["loss"], *(x for own in network.parameters.values() for x in own.values())]


def compare(choose: Callable[[bool], None], layers: Any, X: Any, y: Any, rtol: float = 1e-9, **options: Any) -> None:
    found = []
    for turned in (True, False):
        choose(turned)
        found.append(trained(layers, X, y, **options))
    for ours, usual in zip(*found, strict=True):
        np.testing.assert_allclose(ours, usual, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"step"}))  # a step has no derivative to train by
def test_every_activation(name: str, choose: Any) -> None:
    compare(choose, [cr.Dense(5, name), cr.Dense(2)], X, VALUES)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss(name: str, choose: Any) -> None:
    loss = LOSSES[name]
    targets = LABELS if loss.task == "classification" else np.abs(VALUES) / np.abs(VALUES).sum(axis=1, keepdims=True)
    compare(choose, [cr.Dense(5, "tanh"), cr.Dense(2)], X, targets, loss=loss)


@pytest.mark.parametrize("kind", exported(cr.Layer))
def test_every_layer(kind: Any, choose: Any) -> None:
    layer, flatten, last = called(made(kind)), cr.Flatten(), cr.Dense(2)
    images = with_a_category(random.normal(size=(11, 6)))
    compare(choose, lambda x: last(flatten(np.tanh(layer(x)))), images, VALUES)


def test_several_axes(choose: Any) -> None:
    images = random.normal(size=(11, 3, 5))
    swapped = [lambda x: np.tanh(np.swapaxes(x, 1, 2)), cr.Flatten(), cr.Dense(2)]
    compare(choose, swapped, images, VALUES)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("rows", "batch"), [(4, None), (11, 4), (9, 3), (40, 17)])
def test_batches(rows: int, batch: int | None, dtype: str, choose: Any) -> None:
    X = random.normal(size=(rows, 3))
    y = np.tanh(X[:, :1] * X[:, 1:2])
    rtol = 1e-9 if dtype == "float64" else 1e-4
    compare(choose, [cr.Dense(4, "sigmoid"), cr.Dense(1)], X, y, rtol, batch_size=batch, dtype=dtype)


def test_rows_that_meet_each_other(choose: Any) -> None:
    dense = cr.Dense(2)

    def formula(x: Any) -> Any:
        return dense(x - np.mean(x, axis=0)) + np.tanh(x @ x.T) @ x[:, :2] + np.cumsum(x, axis=0)[:, 1:]

    compare(choose, formula, X, VALUES)


def loop_of(sizes: Sequence[int], rows: int, report: int = 1) -> TrainingLoop:
    """A network of sigmoids trained on a batch, with so many numbers reported."""

    def step(*given: Any) -> Any:
        *state, x, t = given

        def loss(state: Any) -> Any:
            y = x
            for w, b in zip(state[::2], state[1::2], strict=True):
                y = cr.sigmoid(y @ w + b)
            return np.mean((y - t) ** 2)

        value, gradient = cr.value_and_grad(loss)(state)
        new = [w - 0.1 * g for w, g in zip(state, gradient, strict=True)]
        return (*new, *[value * (i + 1.0) for i in range(report)])

    kinds = [shape for a, b in itertools.pairwise(sizes) for shape in ((a, b), (b,))]
    types = [ArrayType(shape, np.dtype(np.float32)) for shape in (*kinds, (rows, sizes[0]), (rows, sizes[-1]))]
    return TrainingLoop(simplify(trace(step, *types)), None, len(kinds), rows)


def is_turned(loop: TrainingLoop, widest: int = 16) -> bool:
    data = loop.step.inputs[loop.state :]
    return rows_last.with_rows_last(loop.step, data, widest) is not None


@pytest.mark.parametrize(
    ("sizes", "rows", "turned"),
    [
        ((2, 2, 1), 4, True),
        ((3, 4, 1), 8, True),
        ((2, 1), 4, True),
        ((2, 2, 1), 1, False),  # one row fills no vector
        ((2, 16, 16, 1), 10, False),  # units do, and weights have many sums across lanes
        ((64, 32, 10), 32, False),
    ],
)
def test_rows_lie_along_the_vectors_where_that_takes_fewer(sizes: Any, rows: int, turned: bool) -> None:
    assert is_turned(loop_of(sizes, rows)) == turned


def test_what_is_reported_decides_nothing() -> None:
    for sizes, rows in (((2, 2, 1), 4), ((2, 16, 16, 1), 10)):
        assert len({is_turned(loop_of(sizes, rows, report)) for report in (1, 5, 300)}) == 1


@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    rows=st.integers(2, 9),
    seed=st.integers(0, 1000),
)
@examples(30)
def test_the_moved_program_is_the_same_computation(sizes: list[int], rows: int, seed: int) -> None:
    loop, random = loop_of(sizes, rows), np.random.default_rng(seed)
    data = loop.step.inputs[loop.state :]
    moved = rows_last.with_axes_moved(loop.step, rows_of(loop.step, data))
    values = [random.normal(size=x.shape).astype(x.dtype) for x in loop.step.inputs]
    given = [*values[: loop.state], *(np.moveaxis(x, 0, -1) for x in values[loop.state :])]
    usual, ours = (REFERENCE.executable(program)(*x) for program, x in ((loop.step, values), (moved, given)))
    for a, b in zip(ours, usual, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert all(x.shape[-1] == rows for x in moved.inputs[loop.state :])
