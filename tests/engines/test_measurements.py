"""What a loop measures of its state at the ends of epochs, by every engine, against the same in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.engines import Measurement, TrainingLoop, make_runner
from chainrule.errors import PositionError
from chainrule.ops.operation import ArrayType
from chainrule.tracing import simplify, trace
from trying import ENGINES

BATCH, MEASURED = 3, 4


def loop_of(numbers: int) -> TrainingLoop:
    """Every step takes a batch's mean off all numbers; measured are numbers at given places, and how many there are."""
    double = np.dtype(np.float64)

    def step(state: Any, rows: Any) -> Any:
        return state - np.mean(rows), np.sum(state[:2])

    def measured(state: Any, places: Any, counted: Any) -> Any:
        there = np.arange(MEASURED) < counted
        return np.sum(np.where(there, np.take(state, places), 0.0)), np.sum(there.astype(double))

    state, rows = ArrayType((numbers,), double), ArrayType((BATCH,), double)
    places = ArrayType((MEASURED,), np.dtype(np.int64))
    program = simplify(trace(measured, state, places, ArrayType((), np.dtype(np.int64))))
    return TrainingLoop(simplify(trace(step, state, rows)), None, 1, BATCH, Measurement(program, 1, MEASURED))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("numbers", [4, 60_000], ids=["in registers", "in memory"])
@pytest.mark.parametrize("count", [1, 4, 6])
def test_after_every_epoch(count: int, numbers: int, engine: str) -> None:
    random = np.random.default_rng(0)
    rows, state = random.normal(size=6), random.normal(size=numbers)
    places = random.integers(0, 4, count)
    runner = make_runner(loop_of(numbers), [rows], engine, held_out=[places])
    runner.load([state])
    order = np.stack([random.permutation(6) for _ in range(3)]).astype(np.int32)
    found = np.concatenate([runner.run(order, first, n, []) for first, n in ((0, 1), (1, 4), (5, 1))])
    for step, row in enumerate(found):
        np.testing.assert_allclose(row[0], state[:2].sum(), rtol=1e-12)
        epoch, batch = divmod(step, 2)
        state = state - rows[order[epoch, batch * BATCH : (batch + 1) * BATCH]].mean()
        expected = [state[places].sum(), count] if batch else [0.0, 0.0]
        np.testing.assert_allclose(row[1:], expected, rtol=1e-12, atol=1e-13)
    # XLA divides by 3 by multiplying with a third, which shows where numbers have become small.
    np.testing.assert_allclose(
        runner.state[0], state, rtol=1e-12, atol=0.0 if ENGINES[engine].preparing < 0.5 else 1e-15
    )


@pytest.mark.parametrize("numbers", [4, 60_000], ids=["in registers", "in memory"])
def test_places_that_are_not_there(numbers: int) -> None:
    runner = make_runner(loop_of(numbers), [np.zeros(6)], "llvm", held_out=[np.array([0, numbers])])
    runner.load([np.zeros(numbers)])
    order = np.arange(6, dtype=np.int32)[None]
    runner.run(order, 0, 1, [])
    with pytest.raises(PositionError, match="out of bounds"):
        runner.run(order, 1, 1, [])
