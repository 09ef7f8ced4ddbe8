"""Groups that are loops themselves: the state carried in memory, a row of every sequence at a time, the body's groups inside."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.engines.llvm.buffers import View, long_axes, long_strides
from chainrule.engines.llvm.code import Code
from chainrule.engines.llvm.groups import Group, Grouping
from chainrule.engines.llvm.mathematics import Vector
from chainrule.engines.llvm.memory import MemoryPlan
from chainrule.engines.llvm.points import Point
from chainrule.engines.llvm.positions import Index
from chainrule.tracing.program import Atom

Emit = Callable[[Code, MemoryPlan, Grouping], None]


def emit(code: Code, memory: MemoryPlan, group: Group, emit_groups: Emit) -> None:
    """Write the loop; `emit_groups` writes what is inside."""
    assert group.root is not None
    assert group.inner is not None
    body, length, reverse = (group.root.attributes[name] for name in ("body", "length", "reverse"))
    inner, inside, program = group.inner, memory.inner[group], group.inner.program
    own = Code(
        code.builder, code.memory, code.target, unrolled=code.unrolled, workspace=code.workspace
    )  # one thread carries it out
    p, q = body.states, body.states + body.sequences
    result = memory.view(group.root.output)
    places = [
        (a, kind.size // length if i < len(body.collected) else 0) for i, (a, _, kind) in enumerate(body.parts(length))
    ]
    outer = [memory.view(x) for x in group.root.inputs]
    for x, view in zip(program.inputs, outer, strict=True):
        if inside.buffers[x] is not view.buffer and x not in program.inputs[p:q]:
            _copy(own, view, inside.buffers[x].view())

    def step(i: Index) -> None:
        at = own.sum((length - 1, 1), (i, -1)) if reverse else i
        for x, view in zip(program.inputs[p:q], outer[p:q], strict=True):
            row = View(view.buffer, own.sum((view.start, 1), (at, view.strides[0])), view.strides[1:], view.shape[1:])
            _copy(own, row, inside.buffers[x].view())
        emit_groups(own, inside, inner.grouping)
        for y, (begin, size) in zip(program.outputs[p:], places, strict=False):
            _write(own, inside, y, _piece(result, own.sum((begin, 1), (at, size)), y.shape))
        for new, buffer in inside.commits:
            _write(own, inside, new, buffer.view())

    own.loop(length, step)
    for x, (begin, _) in zip(program.inputs[:p], places[len(body.collected) :], strict=True):
        _write(own, inside, x, _piece(result, begin, x.shape))


def _piece(result: View, start: Index, shape: tuple[int, ...]) -> View:
    """An array inside a row of numbers."""
    strides = [int(np.prod(shape[i + 1 :], dtype=np.int64)) for i in range(len(shape))]
    return View(result.buffer, start, tuple(strides), shape)


def _copy(code: Code, source: View, target: View) -> None:
    """Every element of one view to the same place in another."""

    def one(point: tuple[Index, ...]) -> None:
        number = code.load_scalar(source.buffer, code.place(source, long_strides(source), point))
        value = code.number(number, source.buffer.dtype, 1)
        _store(code, target, point, value)

    code.nest(long_axes(source.shape), one)


def _write(code: Code, memory: MemoryPlan, x: Atom, target: View) -> None:
    """Every element of a value to the same place in a view."""

    def one(point: tuple[Index, ...]) -> None:
        _store(code, target, point, Point(code, memory, point, 1, 1).value(x, target.shape))

    code.nest(long_axes(target.shape), one)


def _store(code: Code, target: View, point: tuple[Index, ...], number: Vector) -> None:
    if number.dtype != target.buffer.dtype:
        number = code.mathematics(1).convert(number, target.buffer.dtype)
    code.store(target, long_strides(target), point, number.value, 1)
