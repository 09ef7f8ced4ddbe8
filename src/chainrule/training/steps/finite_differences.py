"""Training without derivatives: every parameter is nudged in turn and the change of the loss is seen.

The gradient of a parameter is (loss after the nudge − loss before) / ε with ε = 0.0001; the nudge is taken back
before the next. One step costs one forward pass for every parameter and one more, where the chain rule costs
one forward and one backward pass. The passes run in float64, in which the nudge is far above rounding. They are a step
as any other, which engines compile: a batch of passes, and a loop over such batches where there are many parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.autodiff import scan, vmap
from chainrule.nn.parameters import Parameters
from chainrule.tracing import trees
from chainrule.training.objective import Batch, merged
from chainrule.training.steps.step import TrainingStep

EPSILON = 1e-4

NUMBERS = 4096
"""About how many numbers the nudged parameters of one batch of passes are: few enough to stay in a core's nearest memory."""


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
    moved, others = step.parted(wide_state)
    learned, structure = trees.flatten(moved)

    def observed(*values: Any) -> Any:
        parameters = merged(others, trees.unflatten(structure, values))
        return step.objective.observed(parameters, batch, key, wide_state["penalty"])

    before, metrics, outcome = observed(*learned)
    sizes = [math.prod(x.shape) for x in learned]
    ends = np.cumsum([0, *sizes])

    def at(places: Any) -> Any:
        """The losses with one parameter nudged, for each of these places among all of them; beyond the last with none."""
        nudges = np.where(places[:, None] == np.arange(ends[-1]), EPSILON, 0.0)
        moved = [x + nudges[:, a:b].reshape(-1, *x.shape) for x, a, b in zip(learned, ends[:-1], ends[1:], strict=True)]
        return vmap(lambda *values: observed(*values)[0])(*moved)

    nudged = _in_batches(at, int(ends[-1])) if learned else np.zeros(0)

    def by_parameter(numbers: Any) -> Parameters:
        shaped = [numbers[a:b].reshape(x.shape) for x, a, b in zip(learned, ends[:-1], ends[1:], strict=True)]
        return trees.unflatten(structure, shaped)  # type: ignore[no-any-return]

    gradients = by_parameter((nudged - before) / EPSILON)
    clipped = step.clipping(gradients)
    new = step.update(wide_state, clipped, _wide(rate), _wide(count), outcome.running)
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


def _in_batches(function: Callable[[Any], Any], count: int) -> Any:
    """A function of places for all of them from 0 on: at once where there are few, else by a loop over batches of them."""
    batches = -(-count // max(1, NUMBERS // count))
    together = -(-count // batches)
    places = np.arange(batches * together).reshape(batches, together)
    if batches == 1:
        return function(places[0])
    return scan(lambda _, own: (None, function(own)), None, places)[1].reshape(-1)[:count]
