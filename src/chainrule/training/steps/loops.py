"""Training loops: a step traced into Programs, once for every kind of network, and made ready to run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from chainrule.engines import Engine, Runner, TrainingLoop, make_runner, measures
from chainrule.errors import DifferentiationError
from chainrule.ops.operation import ArrayType
from chainrule.tracing import simplify, trace, trees
from chainrule.tracing.traces.recorder import Recorder
from chainrule.tracing.traces.tape import Tape, TapeValue
from chainrule.training.cache import Cache, are_settled, key_of
from chainrule.training.evaluation import measurement_of, samples_are_apart, size_of
from chainrule.training.objective import Batch, types_of
from chainrule.training.optimizer import Optimizer
from chainrule.training.settings import NUMERICAL
from chainrule.training.steps.finite_differences import step_by_differences
from chainrule.training.steps.step import TrainingStep
from chainrule.training.stored.arrays import store_of
from chainrule.training.stored.windows import WindowedRunner
from chainrule.training.weights import counted

_loops = Cache()


def prepare_runners(
    step: TrainingStep,
    state: Any,
    data: Batch,
    batch_size: int,
    engine: str | Engine,
    gradients: str,
    dtype: Any,
    threads: int | None = None,
    held_out: Batch | None = None,
) -> tuple[Callable[[], Runner], trees.Structure, bool]:
    """What makes runners of the loop over these data, how the state is put together that they load, and whether they measure.

    On rows held out they measure after every epoch, where each of these samples is judged by itself and the engine can do so.
    """
    if held_out is not None and (store_of(held_out) is not None or not samples_are_apart(step.objective, held_out)):
        held_out = None
    numerical, arrays = gradients == NUMERICAL, [] if held_out is None else counted(held_out).arrays()
    loop = loop_of(step, state, data, batch_size, dtype, numerical, held_out)
    if not measures(loop, data.arrays(), engine, arrays):
        loop, arrays = loop.unmeasured, []

    def make(given: list[Any]) -> Runner:
        return make_runner(loop, given, engine, threads, [_unwritten(x) for x in arrays])

    store = store_of(data)
    given = [_unwritten(x) for x in data.arrays()] if store is None else []
    runners = partial(make, given) if store is None else partial(WindowedRunner, loop, store, make)
    return runners, trees.flatten(state)[1], loop.measurement is not None


def _unwritten(x: Any) -> Any:
    """The array as one that nobody writes into: a training has its data to itself, and engines may keep what never changes."""
    view = x.view()
    view.flags.writeable = False
    return view


def loop_of(
    step: TrainingStep,
    state: Any,
    data: Batch,
    batch_size: int,
    dtype: Any,
    numerical: bool = False,
    held_out: Batch | None = None,
) -> TrainingLoop:
    """The loop of this step, remembered from an earlier training of the same kind if there was one."""
    rows, objective = len(data.inputs[0]), step.objective

    def make() -> TrainingLoop:
        check_differentiable(step, state, data)
        last = rows % batch_size
        return TrainingLoop(
            _program(step, state, data, batch_size, dtype, numerical),
            _program(step, state, data, last, dtype, numerical) if last else None,
            trees.flatten(state)[1].leaves,
            batch_size,
            None if held_out is None else measurement_of(objective, held_out, state),
        )

    # Learning rates and strengths of penalties are no part of a loop: it is given them as numbers.
    settings = (objective.heads, objective.penalty.shared, _without_rate(step.optimizer), step.clipping, numerical)
    types = types_of(state), _kinds(data, batch_size), None if held_out is None else _kinds(held_out, size_of(held_out))
    key = key_of(objective.model.function, settings, types, rows % batch_size, np.dtype(dtype))
    loop: TrainingLoop = _loops.find(key, make)
    return loop


def _kinds(data: Batch, rows: int) -> Any:
    """The types of so many rows, each where it belongs."""
    return types_of((data.inputs, data.targets, data.class_indices, data.weights, data.counts), rows)


def is_settled(step: TrainingStep) -> bool:
    """Whether a step is a row of the library's own layers, loss and optimizer, whose doing is known."""
    settings = (step.objective.heads, _without_rate(step.optimizer), step.clipping)
    return are_settled(step.objective.model.function, settings)


def _without_rate(optimizer: Optimizer) -> Optimizer:
    return dataclasses.replace(optimizer, learning_rate=0.0)


def scalar_types(dtype: Any) -> list[ArrayType]:
    """The types of a step's scalars: learning rate, count from 1, key of the random numbers."""
    return [ArrayType((), np.dtype(dtype)), ArrayType((), np.dtype(dtype)), ArrayType((), np.dtype(np.uint32))]


def _program(step: TrainingStep, state: Any, data: Batch, rows: int, dtype: Any, numerical: bool) -> Any:
    taken = partial(step_by_differences, step) if numerical else step

    def training_step(state: Any, batch: list[Any], rate: Any, count: Any, key: Any) -> Any:
        return taken(state, data.like(batch), rate, count, key)

    return simplify(trace(training_step, types_of(state), types_of(data.arrays(), rows), *scalar_types(dtype)))


def check_differentiable(step: TrainingStep, state: Any, data: Batch) -> None:
    """Refuse a loss that no parameter can lower, naming the operations that stop its derivative."""
    with Recorder() as recorder:
        given = trees.map_leaves(lambda kind: recorder.input("x", kind), types_of(state))
        batch = [recorder.input("batch", kind) for kind in types_of(data.arrays(), 1)]
        with Tape() as tape:
            learned = trees.map_leaves(tape.variable, given["learned"])
            value, _ = step.loss(learned, given["frozen"], data.like(batch), None)
    if not isinstance(value, TapeValue) or value.trace is not tape:
        cut = f" (they end at {', '.join(sorted(tape.cut))})" if tape.cut else ""
        raise DifferentiationError(
            f"the loss cannot be lowered by backpropagation: no derivative reaches any parameter{cut}. "
            "A step function or argmax has derivative 0 everywhere; use sigmoid or softmax, or cr.Perceptron for a step."
        )
