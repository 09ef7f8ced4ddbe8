"""Groups that are loops themselves: the state carried in memory, a row of every sequence at a time, the body's groups inside."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from chainrule.engines.llvm.mathematics import Vector
from chainrule.engines.llvm.planning.buffers import Buffer, View, long_axes, long_strides, storage_type
from chainrule.engines.llvm.planning.groups import Group, Grouping, Inner
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.writing.code import Code
from chainrule.engines.llvm.writing.points import Point
from chainrule.engines.llvm.writing.positions import Index
from chainrule.engines.llvm.writing.subroutines import call, subroutine
from chainrule.tracing.program import Atom

Emit = Callable[[Code, MemoryPlan, Grouping], None]


def emit(code: Code, memory: MemoryPlan, group: Group, emit_groups: Emit) -> None:
    """Write the loop; `emit_groups` writes what is inside."""
    assert group.inner is not None
    (_rounds if group.inner.apart else _steps)(code, memory, group, group.inner, emit_groups)


def _steps(code: Code, memory: MemoryPlan, group: Group, inner: Inner, emit_groups: Emit) -> None:
    """A loop whose steps need the state of the one before; one thread carries it out."""
    assert group.root is not None
    body, length, reverse = (group.root.attributes[name] for name in ("body", "length", "reverse"))
    inside, program = memory.inner[group], inner.program
    own = _alone(code)
    p, q = body.states, body.states + body.sequences
    result = memory.view(group.root.output)
    places = _places(body, length)
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
            _write(own, inside, y, _piece(result.buffer, own.sum((begin, 1), (at, size)), y.shape))
        for new, buffer in inside.commits:
            _write(own, inside, new, buffer.view())

    own.loop(length, step)
    for x, (begin, _) in zip(program.inputs[:p], places[len(body.collected) :], strict=True):
        _write(own, inside, x, _piece(result.buffer, begin, x.shape))


def _rounds(code: Code, memory: MemoryPlan, group: Group, inner: Inner, emit_groups: Emit) -> None:
    """A loop whose rounds need nothing of each other: a function that threads call with memory of their own."""
    assert group.root is not None
    body, length = group.root.attributes["body"], group.root.attributes["length"]
    inside, program, result = memory.inner[group], inner.program, memory.view(group.root.output)
    told, copies = dict[Buffer, Callable[[Index], Any]](), list[tuple[View, View]]()
    for place, (x, outer) in enumerate(zip(program.inputs, group.root.inputs, strict=True)):
        view, own = memory.view(outer), inside.buffers[x]
        at, strides = (view.strides[0], view.strides[1:]) if place < body.sequences else (0, view.strides)
        if own.private:
            source = Buffer(x.name, x.shape, x.dtype, memory.widest)
            copies.append((View(source, 0, strides, x.shape), own.view()))
        elif place < body.sequences:
            source = own
        else:
            continue
        told[source] = partial(_offset, code, view.buffer, view.start, at)
    collected: list[tuple[Atom, View]] = []
    for y, (begin, size) in zip(program.outputs, _places(body, length), strict=True):
        piece = Buffer(result.buffer.name, result.shape, result.buffer.dtype, memory.widest)
        collected.append((y, _piece(piece, 0, y.shape)))
        told[piece] = partial(_offset, code, result.buffer, code.sum((result.start, 1), (begin, 1)), size)

    caller = _alone(code)
    caller.own, caller.workspace = code.workspace, code.at_byte(code.workspace, inside.own_bytes)
    part = subroutine(caller, "round", told)
    for given, taken in copies:
        _copy(part, given, taken)
    emit_groups(part, inside, inner.grouping)
    for y, target in collected:
        _write(part, inside, y, target)
    part.builder.ret_void()
    code.shared(length, lambda i: call(caller, part.builder.function, [offset(i) for offset in told.values()]))


def _alone(code: Code) -> Code:
    """The same for one thread, whatever others do."""
    return Code(
        code.builder,
        code.memory,
        code.target,
        unrolled=code.unrolled,
        workspace=code.workspace,
        own=code.own,
        places=code.places,
    )


def _offset(code: Code, buffer: Buffer, start: Index, stride: int, i: Index) -> Any:
    """How many bytes behind the arena's beginning number `start` + i·`stride` of a buffer lies."""
    size = storage_type(buffer.dtype).itemsize
    return code.value(code.sum((buffer.offset, 1), (start, size), (i, stride * size)))


def _places(body: Any, length: int) -> list[tuple[int, int]]:
    """Of all that lies in the result where it begins, and how many numbers every step adds."""
    parts = enumerate(body.parts(length))
    return [(begin, kind.size // length if i < len(body.collected) else 0) for i, (begin, _, kind) in parts]


def _piece(buffer: Buffer, start: Index, shape: tuple[int, ...]) -> View:
    """An array inside a row of numbers."""
    strides = [int(np.prod(shape[i + 1 :], dtype=np.int64)) for i in range(len(shape))]
    return View(buffer, start, tuple(strides), shape)


def _each(code: Code, view: View, widest: int, body: Callable[[tuple[Index, ...], int], None]) -> None:
    """Every element of a view, as many at a time as lie side by side and fit into a vector; the rest of a row one by one."""
    space, strides = long_axes(view.shape), long_strides(view)
    width = widest if strides[-1:] == (1,) else 1

    def line(outer: tuple[Index, ...]) -> None:
        whole = space[-1] // width * width
        code.loop(whole, lambda j: body((*outer, j), width), step=width)
        code.loop(space[-1] - whole, lambda j: body((*outer, code.sum((j, 1), (whole, 1))), 1))

    if space:
        code.nest(space[:-1], line)
    else:
        body((), 1)


def _copy(code: Code, source: View, target: View) -> None:
    """Every element of one view to the same place in another."""
    length = max(long_axes(source.shape)[-1:], default=1)

    def some(point: tuple[Index, ...], width: int) -> None:
        _store(code, target, point, code.load(source, long_strides(source), point, width, length), width)

    _each(code, target, target.buffer.widest, some)


def _write(code: Code, memory: MemoryPlan, x: Atom, target: View) -> None:
    """Every element of a value to the same place in a view."""
    length = max(long_axes(target.shape)[-1:], default=1)

    def some(point: tuple[Index, ...], width: int) -> None:
        _store(code, target, point, Point(code, memory, point, width, length).value(x, target.shape), width)

    _each(code, target, memory.widest, some)


def _store(code: Code, target: View, point: tuple[Index, ...], number: Vector, width: int) -> None:
    if number.dtype != target.buffer.dtype:
        number = code.mathematics(width).convert(number, target.buffer.dtype)
    code.store(target, long_strides(target), point, number.value, width)
