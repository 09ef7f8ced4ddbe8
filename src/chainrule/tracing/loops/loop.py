"""Loops as single equations: an operation that holds the Program of its body, and carries it out again and again.

The derivatives of a loop are loops: the one of the tangents runs beside it, the one of the cotangents from its end to its
beginning. So every order costs one body more, however often the body is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.ops.operation import ArrayType, Namespace, Operation, cast, dtype_of, shape_of
from chainrule.ops.pairs import Pair, is_absent
from chainrule.tracing.apply import apply, leaving, separate, traced, traces_of
from chainrule.tracing.interpreter import applied, interpret, results
from chainrule.tracing.loops.body import Body
from chainrule.tracing.loops.stepwise import is_stepwise, step_by_step
from chainrule.tracing.passes.real_parts import is_complex, part_of
from chainrule.tracing.passes.simplify import simplify
from chainrule.tracing.passes.straight_line import compile_program
from chainrule.tracing.traces.batch import Batch, BatchValue
from chainrule.tracing.traces.recorder import trace
from chainrule.tracing.traces.tangents import Tangents, TangentValue
from chainrule.tracing.traces.tape import Tape, TapeValue
from chainrule.tracing.trees import row

StepFunction = Callable[[list[Any], list[Any], list[Any]], tuple[list[Any], list[Any]]]
"""`step(state, rows, shared)` gives the new state and what is collected."""


class Loop(Operation):
    """A body that is carried out `length` times, from the last rows to the first where it is `reverse`.

    The inputs are those of the body, with all rows of each sequence. The result is one array, whose parts `Body.parts` tells.
    """

    def evaluate(self, *inputs: Any, body: Body, length: int, reverse: bool) -> Any:
        """Step by step."""
        p, q = body.states, body.states + body.sequences
        result = np.empty(_size(body, length), _dtype(body))
        places = [result[a:b].reshape(t.shape) for a, b, t in body.parts(length)]
        step, state = compile_program(body.program), inputs[:p]
        for i in reversed(range(length)) if reverse else range(length):
            found = step(*state, *(x[i] for x in inputs[p:q]), *inputs[q:])
            state = found[:p]
            for place, value in zip(places, found[p:], strict=False):
                place[i] = value
        for place, value in zip(places[len(places) - p :], state, strict=True):
            place[...] = value
        return result

    def infer(self, *inputs: Any, body: Body, length: int, reverse: bool) -> ArrayType:
        """One array for everything."""
        return ArrayType((_size(body, length),), _dtype(body))

    def pushforward(
        self, m: Namespace, tangents: Sequence[Any], output: Any, inputs: Sequence[Any], **attributes: Any
    ) -> Any:
        """The loop of the tangents, which goes along with the states of this one: so none of them is kept."""
        body, length, reverse = attributes["body"], attributes["length"], attributes["reverse"]
        p, q = body.states, body.states + body.sequences
        if all(t is None for t in tangents):
            return None
        moving = [i for i, t in enumerate(tangents) if t is not None and i >= p]
        states, types = _moving(body.state), [*body.state, *body.collected]

        def step(state: list[Any], rows: list[Any], shared: list[Any]) -> tuple[list[Any], list[Any]]:
            own = [*state[:p], *rows[: q - p], *shared[: len(inputs) - q]]
            along = [*state[p:], *rows[q - p :], *shared[len(inputs) - q :]]
            with Tangents() as moved:
                for i, t in zip([*states, *moving], along, strict=True):
                    own[i] = moved.variable(own[i], t)
                found = _step(body, own)
                mine = [x if isinstance(x, TangentValue) and x.trace is moved else None for x in found]
            new = [x if t is None else t.inner for x, t in zip(found[:p], mine, strict=False)]
            filled = [_filled(None if x is None else x.tangent, t) for x, t in zip(mine, types, strict=True)]
            return [*new, *(filled[i] for i in states)], [filled[p + i] for i in _moving(body.collected)]

        rows = [*inputs[p:q], *(tangents[i] for i in moving if i < q)]
        shared = [*inputs[q:], *(tangents[i] for i in moving if i >= q)]
        start = [*inputs[:p], *(_filled(tangents[i], body.state[i]) for i in states)]
        collected, last = carry_out(step, start, rows, shared, length, reverse, name=f"tangents of {body.program.name}")
        found = dict(zip([p + i for i in _moving(body.collected)], collected, strict=True)) | dict(
            zip(states, last[p:], strict=True)
        )
        order = [*range(p, len(types)), *range(p)]
        return _joined([found.get(i) for i in order], body, length, _dtype(body))

    def pullback(
        self,
        m: Namespace,
        cotangent: Any,
        output: Any,
        inputs: Sequence[Any],
        wanted: Sequence[Any],
        **attributes: Any,
    ) -> list[Any]:
        """The loop of the cotangents, from the last step to the first; what is the same in every step collects a sum."""
        body, length, reverse = attributes["body"], attributes["length"], attributes["reverse"]
        p, q = body.states, body.states + body.sequences
        states = _moving(body.state)
        asked = [i for i in _moving([_kind(x) for x in inputs]) if i >= p and wanted[i]]
        collecting = [i for i in asked if i >= q]
        parts = [_part(cotangent, *part) for part in body.parts(length)]
        given = [p + i for i in _moving(body.collected)]

        def step(state: list[Any], rows: list[Any], shared: list[Any]) -> tuple[list[Any], list[Any]]:
            own = [*rows[:q], *shared]
            with Tape() as tape:
                for i in (*states, *asked):
                    own[i] = tape.variable(own[i])
                places = [own[i].index for i in (*states, *asked)]
                found = _step(body, own)
                ends = [
                    (found[i], cast(traced, g, found[i].dtype))
                    for i, g in zip([*states, *given], [*state[: len(states)], *rows[q:]], strict=True)
                    if isinstance(found[i], TapeValue) and found[i].trace is tape
                ]
                back = tape.pull([x for x, _ in ends], [g for _, g in ends], places) if ends else [None] * len(places)
            filled = {i: _filled(x, body.program.inputs[i].type) for i, x in zip([*states, *asked], back, strict=True)}
            sums = [total + filled[i] for total, i in zip(state[len(states) :], collecting, strict=True)]
            return [*(filled[i] for i in states), *sums], [filled[i] for i in asked if i < q]

        before = self._states_before(output, inputs, **attributes)
        last = parts[len(body.collected) :]
        start = [*(last[i] for i in states), *(_filled(None, _kind(inputs[i])) for i in collecting)]
        rows = [*before, *inputs[p:q], *(parts[i - p] for i in given)]
        collected, first = carry_out(
            step, start, rows, list(inputs[q:]), length, not reverse, name=f"cotangents of {body.program.name}"
        )
        found = dict(zip([*states, *collecting], first, strict=True)) | dict(
            zip([i for i in asked if i < q], collected, strict=True)
        )
        return [found.get(i) for i in range(len(inputs))]

    def batch(self, m: Namespace, size: int, batched: Sequence[bool], inputs: Sequence[Any], **attributes: Any) -> Any:
        """The loop of the batch, in whose every step all members take one."""
        body, length, reverse = attributes["body"], attributes["length"], attributes["reverse"]
        if not size:
            return super().batch(m, size, batched, inputs, **attributes)
        p, q = body.states, body.states + body.sequences

        def step(state: list[Any], rows: list[Any], shared: list[Any]) -> tuple[list[Any], list[Any]]:
            with Batch(size) as members:
                own = [
                    members.member(x) if mine or i < p else x
                    for i, (x, mine) in enumerate(zip([*state, *rows, *shared], batched, strict=True))
                ]
                found = [
                    x.inner
                    if isinstance(x, BatchValue) and x.trace is members
                    else traced.broadcast_to(x, shape=(size, *shape_of(x)))
                    for x in _step(body, own)
                ]
            return found[:p], found[p:]

        start = [
            x if mine else traced.broadcast_to(x, shape=(size, *shape_of(x)))
            for x, mine in zip(inputs[:p], batched, strict=False)
        ]
        rows = [_swapped(x) if mine else x for x, mine in zip(inputs[p:q], batched[p:q], strict=True)]
        collected, last = carry_out(
            step, start, rows, list(inputs[q:]), length, reverse, name=f"{body.program.name} of {size} members"
        )
        kind = _dtype(body)
        flat = [
            traced.astype(traced.reshape(x, shape=(size, t.size)), dtype=kind)
            for x, (_, _, t) in zip([*map(_swapped, collected), *last], body.parts(length), strict=True)
        ]
        return traced.concatenate(*flat, axis=1)

    def _states_before(self, output: Any, inputs: Sequence[Any], **attributes: Any) -> list[Any]:
        """The states before every step, found by another run where they were not kept."""
        body, length = attributes["body"], attributes["length"]
        if not body.kept:
            output = apply(self, *inputs, **{**attributes, "body": body.keeping})
        return [_part(output, *part) for part in body.keeping.parts(length)[: body.states]]


def _in_parts(m: Namespace, *pairs: Pair, body: Body, length: int, reverse: bool) -> Any:
    """The loop of both parts of everything, and its results laid out as those of the loop are."""
    given: list[Any] = []
    for x, (real, other) in zip(body.program.inputs, pairs, strict=True):
        given.append(real)
        if is_complex(x):
            given.append(np.zeros(real.shape, real.dtype) if is_absent(other) else other)
    found = iter([x for own in run(body.real, given, length, reverse) for x in own])
    both = [(next(found), next(found) if t.dtype.kind == "c" else None) for t in (*body.collected, *body.state)]
    kind = part_of(ArrayType((), _dtype(body))).dtype
    real, other = (_joined(part, body, length, kind) for part in zip(*both, strict=True))
    return (real, other) if _dtype(body).kind == "c" else real


LOOP = Loop(
    "loop", doc="A body carried out again and again.", complex=True, to_complex=True, parts=_in_parts, listed=False
)


def carry_out(
    step: StepFunction,
    state: Sequence[Any],
    sequences: Sequence[Any],
    shared: Sequence[Any],
    length: int,
    reverse: bool,
    *,
    name: str,
) -> tuple[list[Any], list[Any]]:
    """The loop of a function of flat lists: what was collected, and the last state, whose types are those of the first."""
    counts = len(state), len(state) + len(sequences)
    given = [*state, *sequences, *shared]
    kinds = [_kind(x) for x in given]
    examples = [
        kind if not getattr(x, "is_number", False) else kind.dtype.type(1).item()
        for x, kind in zip(given, kinds, strict=True)
    ]
    for i in range(*counts):
        examples[i] = ArrayType(kinds[i].shape[1:], kinds[i].dtype)

    def flat(*own: Any) -> tuple[Any, ...]:
        new, collected = step(list(own[: counts[0]]), list(own[counts[0] : counts[1]]), list(own[counts[1] :]))
        return (*(cast(traced, x, k.dtype) for x, k in zip(new, kinds, strict=False)), *collected)

    program = simplify(trace(flat, *examples, name=name))
    used = {x for e in program.equations for x in e.inputs} | set(program.outputs)
    needed = [i for i, x in enumerate(program.inputs) if i < counts[0] or x in used]
    program = replace(program, inputs=tuple(program.inputs[i] for i in needed), inputs_structure=row(len(needed)))
    body = Body(program, counts[0], sum(counts[0] <= i < counts[1] for i in needed))
    return run(body, [given[i] for i in needed], length, reverse)


def run(body: Body, inputs: Sequence[Any], length: int, reverse: bool) -> tuple[list[Any], list[Any]]:
    """What a loop collects, and its last state; where cotangents will come back, with the states kept in memory."""
    if not body.program.outputs:
        return [], []
    if not length:
        none = [np.zeros((0, *t.shape), t.dtype) for t in body.collected]
        return none, [separate(x) for x in inputs[: body.states]]
    if any(map(is_stepwise, inputs)):
        return step_by_step(body, inputs, length, reverse)
    carried = body.keeping if any(isinstance(trace, Tape) for x in inputs for trace in traces_of(x)) else body
    result = apply(LOOP, *inputs, body=carried, length=length, reverse=reverse)
    parts = [_part(result, *part) for part in carried.parts(length)]
    end = len(carried.collected)
    return parts[end - len(body.collected) : end], parts[end:]


def _step(body: Body, inputs: list[Any]) -> list[Any]:
    """One step with traced values."""
    values = interpret(body.program, dict(zip(body.program.inputs, inputs, strict=True)), applied)
    return list(map(leaving, results(body.program, values)))


def _kind(x: Any) -> ArrayType:
    return ArrayType(tuple(shape_of(x)), np.dtype(dtype_of(x)).newbyteorder("="))


def _size(body: Body, length: int) -> int:
    return body.parts(length)[-1][1]


def _dtype(body: Body) -> np.dtype[Any]:
    return np.result_type(*(t.dtype for t in (*body.collected, *body.state)))


def _moving(types: Sequence[ArrayType]) -> list[int]:
    """Which of them are real or complex numbers, that derivatives can be taken by."""
    return [i for i, t in enumerate(types) if t.dtype.kind in "fc"]


def _filled(x: Any, kind: ArrayType) -> Any:
    """A derivative in the type of what it belongs to; zeros for none."""
    return np.zeros(kind.shape, kind.dtype)[()] if x is None else cast(traced, x, kind.dtype)


def _part(result: Any, begin: int, end: int, kind: ArrayType) -> Any:
    """What lies between two places of a result."""
    if not kind.shape:
        return cast(traced, traced.slice(result, start=(begin,), stop=(end,), step=(1,), drop=(0,)), kind.dtype)
    piece = traced.slice(result, start=(begin,), stop=(end,), step=(1,), drop=())
    return cast(traced, traced.reshape(piece, shape=kind.shape), kind.dtype)


def _joined(pieces: Sequence[Any], body: Body, length: int, kind: np.dtype[Any]) -> Any:
    """Parts put together as in a result, zeros where there is none."""
    flat = [
        np.zeros(t.size, kind) if x is None else traced.astype(traced.reshape(x, shape=(t.size,)), dtype=kind)
        for x, (_, _, t) in zip(pieces, body.parts(length), strict=True)
    ]
    return traced.concatenate(*flat, axis=0)


def _swapped(x: Any) -> Any:
    """The first two axes in the other order."""
    return traced.transpose(x, axes=(1, 0, *range(2, len(x.shape))))
