"""The memory a training takes: what is planned, what is said, and what would be needed in any case."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import make_runner
from chainrule.engines.cores import most
from chainrule.engines.llvm.machine.machine import target
from chainrule.engines.llvm.plan import plan_loop
from chainrule.tracing import Program, Variable, trees
from chainrule.training import as_optimizer, heads_of
from chainrule.training.objective import Objective
from chainrule.training.steps.loops import loop_of
from chainrule.training.steps.memory_use import _any_batch, memory_plan
from chainrule.training.steps.step import Clipping, TrainingStep

NETWORKS: dict[str, tuple[tuple[int, ...], str, str, str, int]] = {
    "digits": ((64, 32, 10), "relu", "cross_entropy", "adam", 32),
    "nielsen": ((784, 30, 10), "sigmoid", "squared_error", "sgd", 10),
    "tab": ((30, 128, 64, 1), "relu", "binary_cross_entropy", "adam", 64),
    "mnist": ((784, 512, 512, 10), "relu", "cross_entropy", "adam", 128),
    "wide": ((1024, 2048, 2048, 1024), "relu", "squared_error", "adam", 512),
    "deep": ((64, *[256] * 8, 10), "tanh", "cross_entropy", "sgd", 256),
    "many rows": ((4, 32, 16, 4), "tanh", "squared_error", "adam", 10_000),
    "gelu": ((64, 256, 256, 10), "gelu", "cross_entropy", "adamw", 256),
}


def nbytes(x: Any) -> int:
    return int(np.prod(x.shape, dtype=np.int64)) * x.dtype.itemsize


def live_bytes(program: Program, state: int) -> int:
    """The most that is alive at one time, the state aside, when equations are evaluated one after another."""
    last = {x: i for i, e in enumerate(program.equations) for x in e.inputs if isinstance(x, Variable)}
    kept = set(program.outputs)
    alive = set(program.inputs[state:])
    most = 0
    for i, equation in enumerate(program.equations):
        alive.add(equation.output)
        most = max(most, sum(map(nbytes, alive)))
        alive = {x for x in alive if last.get(x, -1) > i or x in kept}
    return most


def made(name: str) -> tuple[Any, ...]:
    sizes, activation, loss, optimizer, rows = NETWORKS[name]
    layers = [cr.Dense(n, activation) for n in sizes[1:-1]]
    network = cr.Network([*layers, cr.Dense(sizes[-1])]).build(sizes[0])
    heads = tuple(heads_of(network.model, loss))
    step = TrainingStep(Objective(network.model, heads), as_optimizer(optimizer), Clipping())
    state = step.initial_state(network.parameters, {})
    data = _any_batch(network.model, heads, rows, np.float32)
    return network, heads, step, state, data, loop_of(step, state, data, rows, np.float32)


@pytest.mark.parametrize("name", NETWORKS)
def test_close_to_what_is_needed_in_any_case(name: str) -> None:
    network, heads, step, state, _, loop = made(name)
    plan = memory_plan(network.model, heads, network.parameters, step.optimizer, NETWORKS[name][-1])
    needed = sum(map(nbytes, trees.flatten(state)[0])) + live_bytes(loop.step, loop.state)
    own = plan_loop(loop, target())
    assert plan.total - (most() if own.shared else 1) * own.workspace_bytes <= 1.3 * needed
    parameters = sum(map(nbytes, trees.flatten(network.parameters)[0]))
    assert parameters <= plan.parameters <= 1.7 * parameters  # rows are padded to whole vectors
    assert plan.optimizer == plan.parameters * (sum(map(nbytes, trees.flatten(state["optimizer"])[0])) // parameters)


@pytest.mark.parametrize("name", ["digits", "many rows", "mnist"])
def test_what_is_planned_is_what_is_taken(name: str) -> None:
    network, heads, step, _, data, loop = made(name)
    plan = memory_plan(network.model, heads, network.parameters, step.optimizer, NETWORKS[name][-1])
    runner: Any = make_runner(loop, data.arrays(), "llvm")
    order = np.zeros((1, NETWORKS[name][-1]), np.int32)
    runner.run(order, 0, 1, [np.zeros(1, x.dtype) for x in loop.step.inputs[loop.state + len(data.arrays()) :]])
    assert runner._arena.nbytes + sum(x.nbytes for x in runner._team.workspaces) == plan.total


def test_summary_says_it() -> None:
    network = cr.Network([cr.Dense(512, "relu"), cr.Dense(10)]).build(784)
    assert "training" not in network.summary()
    text = network.summary(batch_size=128, optimizer="sgd", loss="cross_entropy")
    assert "training in batches of 128: " in text
    assert "optimizer 0 bytes" in text
    assert max(map(len, text.splitlines())) <= 80
    for setting in (0, -1, "many"):
        with pytest.raises(cr.ChainruleError, match="batch_size"):
            network.summary(batch_size=setting)  # type: ignore[arg-type]


def test_no_plan_without_machine_code() -> None:
    network = cr.Network([cr.Dense(4), lambda x: np.sort(x, axis=1)]).build(3)
    with pytest.raises(cr.ChainruleError, match="sort"):
        network.summary(batch_size=8)
