"""Training loops: a step traced into Programs, once for every kind of network, and made ready to run."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from typing import Any

import numpy as np

from chainrule.engines import Runner, TrainingLoop, prepare
from chainrule.errors import DifferentiationError
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.model import Row
from chainrule.ops.operation import ArrayType
from chainrule.tracing import simplify, trace, trees
from chainrule.tracing.recorder import Recorder
from chainrule.tracing.tape import Tape, TapeValue
from chainrule.training.nudging import NudgingRunner
from chainrule.training.objective import Batch, types_of
from chainrule.training.optimizers import Optimizer
from chainrule.training.step import Step

REMEMBERED = 64
"""Training loops kept, so that a network like an earlier one is neither traced nor compiled again."""

_loops: OrderedDict[Any, TrainingLoop] = OrderedDict()


def prepare_runner(
    step: Step, state: Any, data: Batch, batch_size: int, engine: str, gradients: str, dtype: Any
) -> tuple[Runner, trees.Structure]:
    """A runner of the loop over these data with its first state, and how its state is put together."""
    leaves, structure = trees.flatten(state)
    if gradients == "numerical":
        check_differentiable(step, state, data)
        runner: Runner = NudgingRunner(step, state, data, batch_size)
    else:
        runner = prepare(_loop(step, state, data, batch_size, dtype), data.arrays(), engine)
    runner.load(leaves)
    return runner, structure


def _loop(step: Step, state: Any, data: Batch, batch_size: int, dtype: Any) -> TrainingLoop:
    """The loop of this step, remembered from an earlier training of the same kind if there was one."""
    arrays = data.arrays()
    rows = len(arrays[0])
    key = _key(step, state, data, batch_size, np.dtype(dtype))
    if key is not None and key in _loops:
        _loops.move_to_end(key)
        return _loops[key]
    check_differentiable(step, state, data)
    last = rows % batch_size
    loop = TrainingLoop(
        _program(step, state, data, batch_size, dtype),
        _program(step, state, data, last, dtype) if last else None,
        trees.flatten(state)[1].leaves,
        rows,
        batch_size,
    )
    if key is not None:
        _loops[key] = loop
        if len(_loops) > REMEMBERED:
            _loops.popitem(last=False)
    return loop


def _key(step: Step, state: Any, data: Batch, batch_size: int, dtype: Any) -> Any:
    """What a loop depends on; `None` for code of the user's, which may do something else the next time.

    Learning rates and strengths of penalties are no part of a loop: it is given them as numbers.
    """
    function, objective = step.objective.model.function, step.objective
    if not isinstance(function, Row) or not is_settled(step):
        return None
    pieces = (function.layers, objective.heads, objective.penalty.shared, _without_rate(step.optimizer), step.clipping)
    shared = tuple(next(i for i, other in enumerate(function.layers) if other is layer) for layer in function.layers)
    leaves, structure = trees.flatten(types_of(state))
    kinds = tuple((k.shape, k.dtype) for k in [*leaves, *types_of(data.arrays())])
    given = (data.weights is None, tuple(c is None for c in data.codes))
    return repr(pieces), pieces, shared, structure, kinds, given, batch_size, dtype


def is_settled(step: Step) -> bool:
    """Whether a step is a row of the library's own layers, loss and optimizer, whose doing is known."""
    function, heads = step.objective.model.function, step.objective.heads
    return isinstance(function, Row) and _settled(
        (function.layers, heads, _without_rate(step.optimizer), step.clipping)
    )


def _without_rate(optimizer: Optimizer) -> Optimizer:
    return dataclasses.replace(optimizer, learning_rate=0.0)


def _settled(x: Any) -> bool:
    """Whether a setting can never change: numbers, names, and frozen dataclasses and tuples of them."""
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        library = type(x).__module__.startswith("chainrule.")
        return library and all(_settled(getattr(x, field.name)) for field in dataclasses.fields(x))
    if isinstance(x, tuple):
        return all(map(_settled, x))
    return x is None or isinstance(x, str | bool | int | float) or any(x is f for f in ACTIVATIONS.values())


def scalar_types(dtype: Any) -> list[ArrayType]:
    """The types of a step's scalars: learning rate, count from 1, key of the random numbers."""
    return [ArrayType((), np.dtype(dtype)), ArrayType((), np.dtype(dtype)), ArrayType((), np.dtype(np.uint32))]


def _program(step: Step, state: Any, data: Batch, rows: int, dtype: Any) -> Any:
    def training_step(state: Any, batch: list[Any], rate: Any, count: Any, key: Any) -> Any:
        return step(state, data.like(batch), rate, count, key)

    return simplify(trace(training_step, types_of(state), types_of(data.arrays(), rows), *scalar_types(dtype)))


def check_differentiable(step: Step, state: Any, data: Batch) -> None:
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
