"""One training step as plain NumPy code, and the loop an engine repeats it in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.autodiff import value_and_grad
from chainrule.engines import Runner, TrainingLoop, prepare
from chainrule.errors import DifferentiationError, SettingError
from chainrule.nn.parameters import Parameters, flat_names
from chainrule.ops.operation import ArrayType
from chainrule.tracing import simplify, trace, trees
from chainrule.training.nudging import NudgingRunner
from chainrule.training.objective import Batch, Objective, merged, types_of
from chainrule.training.optimizers import Optimizer


@dataclass(frozen=True)
class Clipping:
    """Gradients kept in bounds: every number within ±value, or all of them together shorter than norm."""

    value: float | None = None
    norm: float | None = None

    def __post_init__(self) -> None:
        for name in ("value", "norm"):
            bound = getattr(self, name)
            if bound is not None:
                SettingError.unless_number("fit", f"clip_{name}", bound, above=0)

    def __call__(self, gradients: Parameters) -> Parameters:
        """The gradients, clipped."""
        value, norm = self.value, self.norm
        if value is not None:
            gradients = trees.map_leaves(lambda g: np.clip(g, -value, value), gradients)
        if norm is not None:
            length = np.sqrt(sum(np.sum(np.square(g)) for g in trees.flatten(gradients)[0]))
            factor = norm / np.maximum(length, norm)
            gradients = trees.map_leaves(lambda g: g * factor, gradients)
        return gradients


@dataclass(frozen=True)
class Step:
    """Forward pass, loss, backward pass, clipping and update, on one batch.

    The state is a dict of `learned` parameters, `frozen` ones, and the optimizer's `slots`.
    """

    objective: Objective
    optimizer: Optimizer
    clipping: Clipping

    def initial_state(self, learned: Parameters, frozen: Parameters) -> dict[str, Any]:
        """The state before the first step."""
        slots = trees.map_leaves(lambda p: dict(self.optimizer.slots(p)), learned)
        return {"learned": learned, "frozen": frozen, "slots": slots}

    def loss(self, learned: Parameters, frozen: Parameters, batch: Batch, key: Any) -> tuple[Any, list[Any]]:
        """The objective on one batch, and its figures."""
        return self.objective(merged(frozen, learned), batch, key)

    def update(self, state: Any, gradients: Parameters, rate: Any, count: Any) -> dict[str, Any]:
        """The state after a step along these gradients."""
        clipped = self.clipping(gradients)
        learned: Parameters = {}
        slots: dict[str, dict[str, Any]] = {}
        for layer, own in state["learned"].items():
            learned[layer], slots[layer] = {}, {}
            for name, parameter in own.items():
                new, kept = self.optimizer.update(
                    clipped[layer][name], parameter, state["slots"][layer][name], rate, count
                )
                learned[layer][name], slots[layer][name] = new, {key: kept[key] for key in state["slots"][layer][name]}
        return {"learned": learned, "frozen": state["frozen"], "slots": slots}

    def __call__(self, state: Any, batch: Batch, rate: Any, count: Any, key: Any) -> tuple[Any, list[Any]]:
        """The new state, and the figures of this batch before the update."""
        objective = value_and_grad(lambda p: self.loss(p, state["frozen"], batch, key), has_aux=True)
        (value, figures), gradients = objective(state["learned"])
        return self.update(state, gradients, rate, count), [value, *figures]


def prepare_runner(
    step: Step, state: Any, data: Batch, batch_size: int, engine: str, gradients: str, dtype: Any
) -> tuple[Runner, trees.Structure]:
    """A runner of the loop over these data with its first state, and how its state is put together."""
    leaves, structure = trees.flatten(state)
    arrays = data.arrays()
    rows = len(arrays[0])
    check_differentiable(step, state, data)
    if gradients == "numerical":
        runner: Runner = NudgingRunner(step, state, data, batch_size)
    else:
        last = rows % batch_size
        loop = TrainingLoop(
            _program(step, state, data, batch_size, dtype),
            _program(step, state, data, last, dtype) if last and last != batch_size else None,
            len(leaves),
            rows,
            batch_size,
        )
        runner = prepare(loop, arrays, engine)
    runner.load(leaves)
    return runner, structure


def scalar_types(dtype: Any) -> list[ArrayType]:
    """The types of a step's scalars: learning rate, count from 1, key of the random numbers."""
    return [ArrayType((), np.dtype(dtype)), ArrayType((), np.dtype(dtype)), ArrayType((), np.dtype(np.uint32))]


def _program(step: Step, state: Any, data: Batch, rows: int, dtype: Any) -> Any:
    def training_step(state: Any, batch: list[Any], rate: Any, count: Any, key: Any) -> Any:
        return step(state, data.like(batch), rate, count, key)

    return simplify(trace(training_step, types_of(state), types_of(data.arrays(), rows), *scalar_types(dtype)))


def check_differentiable(step: Step, state: Any, data: Batch) -> None:
    """Refuse a loss that no parameter can lower, naming the operations that stop its derivative."""
    from chainrule.tracing.recorder import Recorder
    from chainrule.tracing.tape import Tape, TapeValue

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


def parameter_count(parameters: Parameters) -> int:
    """Number of numbers."""
    return sum(int(np.size(value)) for value in flat_names(parameters).values())


def figures_of(values: Sequence[Any], names: Sequence[str]) -> dict[str, float]:
    """Figures by name."""
    return dict(zip(names, map(float, values), strict=True))
