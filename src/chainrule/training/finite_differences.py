"""Training without derivatives: every parameter is nudged in turn and the change of the loss is seen.

The gradient of a parameter is (loss after the nudge − loss before) / ε with ε = 0.0001; the nudge is taken back
before the next. One step costs one forward pass for every parameter and one more, where the chain rule costs
one forward and one backward pass. The passes run in float64, in which the nudge is far above rounding: all of them at once,
as a step that engines compile; where that would take much memory, one after the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.autodiff import vmap
from chainrule.engines import compile_program
from chainrule.nn.parameters import Parameters
from chainrule.ops.operation import ArrayType
from chainrule.tracing import simplify, trace, trees
from chainrule.training.objective import Batch, types_of
from chainrule.training.step import TrainingStep

EPSILON = 1e-4

AT_ONCE = 1000
"""The most parameters that are nudged all at once; the memory grows with the square."""


@dataclass(frozen=True)
class StepMeasured:
    """What a step measured: the new state, the metrics of its batch before the update, and of every parameter the loss at its nudge.

    `gradients` are the quotients (loss at the nudge − loss before) / ε, and `clipped` as used.
    """

    state: dict[str, Any]
    metrics: list[Any]
    nudged: Parameters
    gradients: Parameters
    clipped: Parameters


def measure(step: TrainingStep, state: Any, batch: Batch, rate: Any, count: Any, key: Any) -> StepMeasured:
    """A step whose gradients are measured, and all that there is to be seen of it."""
    wide_state, batch = wide(state, batch)
    learned, structure = trees.flatten(wide_state["learned"])

    def loss(*values: Any) -> Any:
        return step.loss(trees.unflatten(structure, values), wide_state["frozen"], batch, key, wide_state["penalty"])

    before, metrics = loss(*learned)
    sizes = [math.prod(x.shape) for x in learned]
    ends = np.cumsum([0, *sizes])
    nudges = EPSILON * np.eye(ends[-1])
    moved = [x + nudges[:, a:b].reshape(-1, *x.shape) for x, a, b in zip(learned, ends[:-1], ends[1:], strict=True)]
    nudged = vmap(lambda *values: loss(*values)[0])(*moved)

    def by_parameter(numbers: Any) -> Parameters:
        shaped = [numbers[a:b].reshape(x.shape) for x, a, b in zip(learned, ends[:-1], ends[1:], strict=True)]
        return trees.unflatten(structure, shaped)  # type: ignore[no-any-return]

    gradients = by_parameter((nudged - before) / EPSILON)
    clipped = step.clipping(gradients)
    new = step.update(wide_state, clipped, _wide(rate), _wide(count))
    new = trees.map_leaves(lambda x, old: x.astype(old.dtype, copy=False), new, state)
    return StepMeasured(new, [before, *metrics], by_parameter(nudged), gradients, clipped)


def step_by_differences(
    step: TrainingStep, state: Any, batch: Batch, rate: Any, count: Any, key: Any
) -> tuple[dict[str, Any], list[Any]]:
    """A step whose gradients are measured: the new state, and the metrics of this batch before the update."""
    taken = measure(step, state, batch, rate, count, key)
    return taken.state, taken.metrics


def wide(state: Any, batch: Batch) -> tuple[Any, Batch]:
    """A state and a batch in float64."""
    return trees.map_leaves(_wide, state), batch.like([_wide(x) for x in batch.arrays()])


def _wide(x: Any) -> Any:
    return x.astype(np.float64, copy=False) if x.dtype.kind == "f" else x


class FiniteDifferenceRunner:
    """A training loop whose gradients are measured."""

    def __init__(self, step: Any, state: Any, data: Batch, batch_size: int) -> None:
        self._step, self._data, self._batch_size = step, data, batch_size
        self._arrays = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in data.arrays()]
        leaves, self._structure = trees.flatten(state)
        self._dtypes = [leaf.dtype for leaf in leaves]
        self._learned, self._frozen = (trees.flatten(state[part])[1].leaves for part in ("learned", "frozen"))
        self._loss: dict[int, Any] = {}
        self._state: list[Any] = []
        wide = [leaf.astype(np.float64) for leaf in leaves]
        scalars = [ArrayType((), np.dtype(np.float64))] * 2
        nested = trees.unflatten(self._structure, wide)

        def update(state: Any, gradients: Any, rate: Any, count: Any) -> Any:
            return step.update(state, step.clipping(gradients), rate, count)

        types = types_of(nested), types_of(nested["learned"])
        self._update = compile_program(simplify(trace(update, *types, *scalars)))

    @property
    def state(self) -> list[Any]:
        """The state after the last finished step."""
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, which the caller sees
            return [x.astype(dtype) for x, dtype in zip(self._state, self._dtypes, strict=True)]

    def load(self, state: list[Any]) -> None:
        """Go on from another state."""
        self._state = [np.array(x, np.float64) for x in state]

    def run(self, order: Any, first: int, count: int, scalars: list[Any]) -> Any:
        """Carry out steps; see `Runner`."""
        per_epoch = -(-len(self._arrays[0]) // self._batch_size)
        metrics = []
        with np.errstate(all="ignore"):
            for i in range(count):
                epoch, batch = divmod(first + i, per_epoch)
                rows = order[epoch, batch * self._batch_size : (batch + 1) * self._batch_size]
                values = [np.take(x, rows, axis=0) for x in self._arrays]
                before, gradients = self._measure(values, scalars[2][i])
                rate, step = np.float64(scalars[0][i]), np.float64(scalars[1][i])
                self._state = self._rounded(self._update(*self._state, *gradients, rate, step))
                metrics.append(before)
        return np.array(metrics, np.float64)

    def _rounded(self, state: Any) -> list[Any]:
        """A new state as the network's dtype holds it, so that it is all there is to go on from."""
        return [x.astype(dtype).astype(np.float64) for x, dtype in zip(state, self._dtypes, strict=True)]

    def _measure(self, batch: list[Any], key: Any) -> tuple[list[float], list[Any]]:
        """The metrics, and every parameter's gradient by nudging it."""
        loss = self._program(len(batch[0]))
        learned = [x.copy() for x in self._state[: self._learned]]
        frozen = self._state[self._learned : self._learned + self._frozen]
        before = loss(*learned, *frozen, *batch, key)
        gradients = []
        for parameter in learned:
            gradient = np.empty_like(parameter)
            for place in np.ndindex(parameter.shape):
                kept = parameter[place]
                parameter[place] = kept + EPSILON
                gradient[place] = (loss(*learned, *frozen, *batch, key)[0] - before[0]) / EPSILON
                parameter[place] = kept
            gradients.append(gradient)
        return [float(x) for x in before], gradients

    def _program(self, rows: int) -> Any:
        """The loss for batches of so many rows."""
        if rows not in self._loss:
            nested = trees.unflatten(self._structure, self._state)

            def loss(learned: Any, frozen: Any, batch: list[Any], key: Any) -> Any:
                value, metrics = self._step.loss(learned, frozen, self._data.like(batch), key)
                return [value, *metrics]

            program = trace(
                loss,
                types_of(nested["learned"]),
                types_of(nested["frozen"]),
                types_of(self._arrays, rows),
                ArrayType((), np.dtype(np.uint32)),
            )
            self._loss[rows] = compile_program(simplify(program))
        return self._loss[rows]
