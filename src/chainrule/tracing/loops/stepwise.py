"""Loops carried out step by step, every operation by itself, for traces in which they are to be seen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from chainrule.ops.functions.joining import stack
from chainrule.tracing.apply import Traced, traced, traces_of
from chainrule.tracing.interpreter import applied, interpret, results
from chainrule.tracing.loops.body import Body
from chainrule.tracing.program import Variable
from chainrule.tracing.scope import Step, current_scope, in_library


def is_stepwise(x: Any) -> bool:
    """Whether a value belongs, at whatever depth, to a trace in which every step is to be seen."""
    return any(trace.stepwise for trace in traces_of(x))


_loops = count()
"""Every loop that is carried out step by step has a number of its own."""


def step_by_step(body: Body, inputs: Sequence[Any], length: int, reverse: bool) -> tuple[list[Any], list[Any]]:
    """The same results, every operation of every step by itself."""
    p, q = body.states, body.states + body.sequences
    state, steps = list(inputs[:p]), []
    order = list(reversed(range(length)) if reverse else range(length))
    loop, where = next(_loops), [part for part in current_scope().split(" / ") if part and not in_library(part)]
    inside = " / ".join(where) + "." * bool(where)
    names = [
        (y, f"{inside}{x.name}", True) for x, y in zip(body.program.inputs, body.program.outputs[:p], strict=False)
    ]
    names += [(e.output, f"{inside}{e.output.name}", False) for e in body.program.equations]
    for i in order:
        own = [*state, *(traced.slice(x, **_at(i, x)) for x in inputs[p:q]), *inputs[q:]]
        values = interpret(body.program, dict(zip(body.program.inputs, own, strict=True)), applied)
        for x, name, is_state in names:
            value = values.get(x) if isinstance(x, Variable) else None
            if isinstance(value, Traced) and x not in body.program.inputs:
                value.trace.note_step(value, Step(loop, name, i, is_state))
        found = results(body.program, values)
        state = found[:p]
        steps.append((i, found[p:]))
    by_place = [own for _, own in sorted(steps, key=lambda step: step[0])]
    collected = [
        stack(traced, [own[k] for own in by_place]) if by_place else np.zeros((0, *kind.shape), kind.dtype)
        for k, kind in enumerate(body.collected)
    ]
    return collected, state


def _at(i: int, x: Any) -> dict[str, Any]:
    """The settings of a slice that takes row `i`."""
    whole = (None,) * (len(x.shape) - 1)
    return {"start": (i, *whole), "stop": (i + 1, *whole), "step": (1, *(1 for _ in whole)), "drop": (0,)}
