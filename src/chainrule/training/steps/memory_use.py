"""How much memory a training takes in machine code: its plan, read before anything is compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.engines import TrainingLoop
from chainrule.engines.choice import ENGINES, why_not
from chainrule.errors import UnsupportedError
from chainrule.nn.model import Model
from chainrule.nn.parameters import Parameters
from chainrule.tracing import trees
from chainrule.training.objective import Batch, Head, Objective
from chainrule.training.optimizer import Optimizer
from chainrule.training.steps.loops import loop_of
from chainrule.training.steps.step import Clipping, TrainingStep


@dataclass(frozen=True)
class MemoryUse:
    """Bytes that one training holds, the data aside: nothing more is allocated from step to step.

    `activations` are one batch, the values that its step needs at one time, and what pads rows to whole vectors.
    """

    parameters: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.parameters + self.optimizer + self.activations


def memory_plan(
    model: Model, heads: tuple[Head, ...], parameters: Parameters, optimizer: Optimizer, rows: int
) -> MemoryUse:
    """The memory of a training in batches of so many rows.

    Raises
    ------
    UnsupportedError
        When no engine that can carry out this training plans its memory: NumPy takes memory as it goes.
    """
    step = TrainingStep(Objective(model, heads), optimizer, Clipping())
    state = step.initial_state(parameters, {})
    dtype = next(iter(next(iter(parameters.values())).values())).dtype
    data = _any_batch(model, heads, rows, dtype)
    loop = loop_of(step, state, data, rows, dtype)
    of_state, total = _planned(loop, data)
    names = trees.paths(trees.flatten(state)[1])
    of_parameters = sum(size for name, size in zip(names, of_state, strict=True) if not name.startswith("optimizer."))
    return MemoryUse(of_parameters, sum(of_state) - of_parameters, total - sum(of_state))


def _planned(loop: TrainingLoop, data: Batch) -> tuple[list[int], int]:
    """The plan of the first engine that makes one."""
    reasons = []
    for engine in ENGINES.values():
        reason = why_not(engine, loop.step, data.arrays())
        plan = engine.memory(loop) if reason is None else None
        if plan is not None:
            return plan
        reasons.append(
            f"the engine {engine.name!r} {'takes memory as it goes' if reason is None else f'cannot: {reason}'}"
        )
    raise UnsupportedError(
        f"no engine plans the memory of this training: {'; '.join(reasons)}. Use layers and a loss that machine code has, or leave "
        "batch_size out."
    )


def _any_batch(model: Model, heads: tuple[Head, ...], rows: int, dtype: Any) -> Batch:
    """Data of the right shapes."""
    class_indices = np.zeros(rows, np.int32)
    targets: list[Any] = []
    for head in heads:
        values = np.zeros((rows, head.width), dtype)
        if head.loss.task == "classification":
            encoded = np.asarray(head.loss.encode(class_indices, max(head.width, 2), head.width))
            values = encoded if encoded.dtype == np.int32 else encoded.astype(dtype)
        targets.append(values)
    known = tuple(class_indices if head.classifies else None for head in heads)
    return Batch(tuple(np.zeros((rows, *shape), dtype) for shape in model.inputs), tuple(targets), known)
