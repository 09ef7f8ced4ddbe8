"""How much memory a training takes in machine code: its plan, read before anything is compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.engines import why_not_compiled
from chainrule.errors import UnsupportedError
from chainrule.nn.model import Model
from chainrule.nn.parameters import Parameters
from chainrule.tracing import trees
from chainrule.training.loops import loop_of
from chainrule.training.objective import Batch, Head, Objective
from chainrule.training.optimizer import Optimizer
from chainrule.training.step import Clipping, TrainingStep


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
        When this training has no machine code, and so no plan: NumPy takes memory as it goes.
    """
    step = TrainingStep(Objective(model, heads), optimizer, Clipping())
    state = step.initial_state(parameters, {})
    dtype = next(iter(next(iter(parameters.values())).values())).dtype
    data = _any_batch(model, heads, rows, dtype)
    loop = loop_of(step, state, data, rows, dtype)
    reason = why_not_compiled(loop, data.arrays())
    if reason is not None:
        raise UnsupportedError(
            f"a training with NumPy has no plan of its memory, and this one has no machine code: {reason}."
        )
    from chainrule.engines.llvm.plan import plan_loop

    plan = plan_loop(loop)
    sizes = dict(zip(trees.paths(trees.flatten(state)[1]), (buffer.nbytes for buffer in plan.state), strict=True))
    of_parameters = sum(size for name, size in sizes.items() if not name.startswith("optimizer."))
    return MemoryUse(of_parameters, sum(sizes.values()) - of_parameters, plan.arena_bytes - sum(sizes.values()))


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
