"""When the loss leaves the finite numbers: where it happened, and the last weights that were finite."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import DivergedError
from chainrule.ops.operation import ArrayType
from chainrule.tracing import Literal, Program, trace, trees
from chainrule.tracing.program import Variable
from chainrule.training.objective import types_of


def diverged(
    training: Any, before: list[Any], order: Any, first: int, count: int, scalars: list[Any], done: int
) -> DivergedError:
    """Repeat a block step by step up to the step that failed, leave the runner before it, and say what happened."""
    runner = training.runner
    runner.load(before)
    failed = first + count - 1
    for i in range(count):
        kept = runner.state
        metrics = runner.run(order, first + i, 1, [s[i : i + 1] for s in scalars])
        if not np.isfinite(metrics).all() or not all(np.isfinite(x).all() for x in runner.state):
            runner.load(kept)
            failed = first + i
            break
    epoch, batch = done + failed // training.steps_per_epoch, failed % training.steps_per_epoch
    rows = order[failed // training.steps_per_epoch, batch * training.batch_size : (batch + 1) * training.batch_size]
    place = _place(training, rows, scalars[2][failed - first])
    return DivergedError(
        f"training left the finite numbers at epoch {epoch + 1}, batch {batch + 1}: {place} first gave NaN or infinity. "
        "The network keeps the last finite weights. Use a smaller learning rate, standardise the inputs, or clip "
        "gradients (clip_norm=1.0).",
        epoch=epoch,
        batch=batch,
        place=place,
        history=training.history,
    )


def _place(training: Any, rows: Any, key: Any) -> str:
    """The first layer, or part of the step, whose values on this batch are not finite."""
    state = trees.unflatten(training.structure, training.runner.state)
    batch = [np.take(x, rows, axis=0) for x in training.data.arrays()]

    def loss_and_gradients(state: Any, batch: list[Any], key: Any) -> Any:
        rate = np.zeros((), training.dtype)
        return training.step(state, training.data.like(batch), rate, rate + 1, key)

    program = trace(loss_and_gradients, types_of(state), types_of(batch), ArrayType((), np.dtype(np.uint32)))
    found = _first_infinite(program, [*trees.flatten(state)[0], *batch, key])
    if found is None:
        return "the update of the weights"
    return f"layer {found!r}" if found.split(" / ")[0] in training.step.objective.model.layers else found


def _first_infinite(program: Program, inputs: list[Any]) -> str | None:
    """The scope of the first equation that makes NaN or infinity out of finite numbers."""
    values: dict[Variable, Any] = dict(zip(program.inputs, inputs, strict=True))
    with np.errstate(all="ignore"):
        for equation in program.equations:
            arguments = [x.value if isinstance(x, Literal) else values[x] for x in equation.inputs]
            value = equation.op.evaluate(*arguments, **equation.attributes)
            values[equation.output] = value
            if equation.output.dtype.kind == "f" and not np.isfinite(value).all() and _all_finite(arguments):
                return equation.scope or "the loss"
    return None


def _all_finite(arguments: list[Any]) -> bool:
    return all(np.isfinite(x).all() for x in arguments)
