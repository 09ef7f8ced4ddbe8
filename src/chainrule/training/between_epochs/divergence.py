"""When the loss leaves the finite numbers: where it happened, and the last weights that were finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.engines import Runner
from chainrule.errors import DivergedError
from chainrule.ops.operation import ArrayType
from chainrule.tracing import Program, trace, trees
from chainrule.tracing.interpreter import walk
from chainrule.training.history import History
from chainrule.training.objective import Batch, types_of
from chainrule.training.steps.step import TrainingStep


def diverged(
    runner: Runner,
    before: Sequence[Any],
    order: Any,
    first: int,
    scalars: list[Any],
    *,
    step: TrainingStep,
    structure: trees.Structure,
    data: Batch,
    batch_size: int,
    done: int,
    history: History,
) -> DivergedError:
    """Repeat a block step by step up to the step that failed, leave the runner before it, and say what happened."""
    failed = _repeat(runner, before, order, first, scalars, len(step.objective.metrics))
    steps_per_epoch = -(-order.shape[1] // batch_size)
    epoch, number = divmod(failed, steps_per_epoch)
    rows = order[epoch, number * batch_size : (number + 1) * batch_size]
    batch = data.like([np.take(x, rows, axis=0) for x in data.arrays()])
    place = _place(step, trees.unflatten(structure, runner.state), batch, [s[failed - first] for s in scalars])
    epoch += done
    return DivergedError(
        f"training left the finite numbers at epoch {epoch + 1}, batch {number + 1}: {place} first gave NaN or infinity. "
        f"The network keeps the last finite weights. {_remedy(data)}",
        epoch=epoch,
        batch=number,
        place=place,
        history=history,
    )


LARGE = 1e6
"""Values from which on data themselves, squared and summed, may be what leaves the finite numbers."""


def _remedy(data: Batch) -> str:
    """What to do: scale what is large in the data, or else take smaller steps."""
    for name, part in (("targets", data.targets), ("inputs", data.inputs)):
        largest = max((float(np.abs(x).max()) for x in part if x.size), default=0.0)
        if largest > LARGE:
            return (
                f"The {name} are as large as {largest:.2g}, and {data.inputs[0].dtype} does not go far beyond their squares: "
                f"standardise the {name} ((v - v.mean()) / v.std())."
            )
    return "Use a smaller learning rate, standardise the inputs, or clip gradients (clip_norm=1.0)."


def _repeat(runner: Runner, before: Sequence[Any], order: Any, first: int, scalars: list[Any], own: int) -> int:
    """The number of the step that failed; the runner is left before it."""
    runner.load(before)
    count = len(scalars[0])
    for i in range(count):
        kept = runner.state
        metrics = runner.run(order, first + i, 1, [s[i : i + 1] for s in scalars])[:, :own]
        if not np.isfinite(metrics).all() or not runner.state.is_finite:
            runner.load(kept)
            return first + i
    return first + count - 1


def _place(step: TrainingStep, state: Any, batch: Batch, scalars: list[Any]) -> str:
    """The first layer, or part of the step, whose values on this batch are not finite."""
    rate, _, key = scalars

    def loss_and_gradients(state: Any, arrays: list[Any], key: Any) -> Any:
        none = np.zeros_like(rate)
        return step(state, batch.like(arrays), none, none + 1, key)

    arrays = batch.arrays()
    program = trace(loss_and_gradients, types_of(state), types_of(arrays), ArrayType((), np.dtype(np.uint32)))
    found = _first_infinite(program, [*trees.flatten(state)[0], *arrays, key])
    if found is None:
        return "the update of the weights"
    return f"layer {found!r}" if found.split(" / ")[0] in step.objective.model.layers else found


def _first_infinite(program: Program, inputs: list[Any]) -> str | None:
    """The scope of the first equation that makes NaN or infinity out of finite numbers."""
    with np.errstate(all="ignore"):
        for equation, given, value in walk(program, dict(zip(program.inputs, inputs, strict=True))):
            if equation.output.dtype.kind == "f" and not _all_finite([value]) and _all_finite(given):
                return equation.scope or "the loss"
    return None


def _all_finite(values: list[Any]) -> bool:
    return all(np.isfinite(x).all() for x in values)
