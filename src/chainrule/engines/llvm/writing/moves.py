"""Groups rooted in a move: elements copied to other places, one by one, and what depends on the order of elements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.mathematics import Vector
from chainrule.engines.llvm.planning.buffers import View, lanes, long_axes, long_strides, storage_type
from chainrule.engines.llvm.planning.groups import Group
from chainrule.engines.llvm.planning.layouts import adds_up, goes_from_inputs, leaves_zeros, links_of
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.writing.code import Code, vector_type
from chainrule.engines.llvm.writing.folds import neutral
from chainrule.engines.llvm.writing.positions import Index
from chainrule.engines.llvm.writing.sizes import decided
from chainrule.engines.llvm.writing.squares import turn
from chainrule.engines.llvm.writing.subroutines import call, subroutine
from chainrule.ops import Custom, Layout
from chainrule.ops.axes import Kept, Links, Picked, Regrouped, Scattered, Taken
from chainrule.tracing import Equation

MANY = 64
"""Arrays joined from which on they are copied by functions: LLVM's time grows with the square of how much is in one."""

FEW_LANES = 4
"""Lanes of squares that are turned over where whole vectors do not fill an array: LLVM takes long to choose how lanes are moved."""


def emit(code: Code, memory: MemoryPlan, group: Group) -> None:
    """Write the loops of a group rooted in a move."""
    assert group.root is not None
    move, copies = _Move(code, memory, group.root), memory.copies(group.root)
    if isinstance(group.root.op, Custom):
        move.accumulate(**group.root.attributes)
    elif copies is not None:
        move.copy(copies, put=goes_from_inputs(group.root), zeros=leaves_zeros(group.root))
    elif adds_up(group.root):
        move.add()
    else:
        move.take()


class _Move:
    """One move: its result's view, its inputs' views, and how its axes go on."""

    def __init__(self, code: Code, memory: MemoryPlan, equation: Equation) -> None:
        self.code, self.memory, self.equation = code, memory, equation
        self.output = memory.view(equation.output)
        self.inputs = [memory.view(x) for x in equation.inputs]

    def _copy(self, source: View, target: View) -> None:
        """Every element of `source` to the same place in `target`, whose shape is the same: by vectors where it can be."""
        code, space, dtype = self.code, long_axes(source.shape), source.buffer.dtype
        strides = long_strides(source), long_strides(target)
        sides = [x[-1:] == (1,) for x in strides]
        if code.unrolled or not all(sides) or dtype != target.buffer.dtype or dtype == np.bool_:

            def one(point: tuple[Index, ...]) -> None:
                self._write(target, point, self._read(source, point))

            code.shared_nest(source.shape, one)
            return
        length, widest = space[-1], self.memory.widest

        def some(outer: tuple[Index, ...], j: Index, width: int) -> None:
            point = (*outer, j)
            code.store(target, strides[1], point, code.load(source, strides[0], point, width, length).value, width)

        def line(outer: tuple[Index, ...], loop: Any) -> None:
            whole = length // widest * widest
            loop(whole, lambda j: some(outer, j, widest), step=widest)
            loop(length - whole, lambda j: some(outer, code.sum((whole, 1), (j, 1)), 1))

        if len(space) > 1:
            code.shared_nest(space[:-1], lambda outer: line(outer, code.loop))
        else:
            line((), code.shared)

    def _read(self, view: View, point: tuple[Index, ...]) -> Vector:
        place = self.code.place(view, view.strides, point)
        return self.code.number(self.code.load_scalar(view.buffer, place), view.buffer.dtype, 1)

    def _write(self, view: View, point: tuple[Index, ...], number: Vector) -> None:
        if number.dtype != view.buffer.dtype:
            number = self.code.mathematics(1).convert(number, view.buffer.dtype)
        self.code.store(view, view.strides, point, number.value, 1)

    def _zeros(self) -> None:
        space, view = long_axes(self.output.shape), self.output
        width = lanes(space[-1], self.memory.widest) if space else 1
        strides = long_strides(view)
        zero = self.code.constant(0, view.buffer.dtype, width)

        def row(outer: tuple[Index, ...]) -> None:
            if not space:
                self.code.store(view, (), (), zero.value, 1)
                return
            self.code.loop(
                space[-1], lambda j: self.code.store(view, strides, (*outer, j), zero.value, width), step=width
            )

        self.code.nest(space[:-1], row)

    # --- copies

    def copy(self, copies: list[tuple[View, View]], *, put: bool, zeros: bool) -> None:
        """Elements to their places, into zeros where places are left over; or, where nothing is `put`, a view as it is read."""
        if not put:
            self._transposed(*copies[0])
            return
        if zeros:
            self._zeros()
        if len(copies) > MANY and not (self.code.places or self.code.unrolled):
            self._join(copies)
            return
        for source, target in copies:
            self._copy(source, target)

    def _transposed(self, view: View, output: View) -> None:
        """A view copied, by squares turned over in registers where its rows lie across: of whole vectors, or of so few lanes that the
        code for one is short. The last squares of other lengths reach back over those before them.
        """
        long = [(n, s, t) for n, s, t in zip(view.shape, view.strides, output.strides, strict=True) if n != 1]
        rows = next((i for i, (_, s, _) in enumerate(long) if s == 1), None)
        if rows is None or rows == len(long) - 1 or view.buffer.dtype == np.bool_:
            self._copy(view, output)
            return
        code, dtype, widest = self.code, view.buffer.dtype, self.memory.widest
        (high, _, below), (wide, across, _) = long[rows], long[-1]
        size = decided(_side, high, wide, widest)
        if not size:
            self._copy(view, output)
            return
        others = [axis for i, axis in enumerate(long) if i not in (rows, len(long) - 1)]
        itemsize = dtype.itemsize

        def square(at: tuple[Index, ...]) -> None:
            *outer, i, j = at
            i, j = (code.smaller(code.sum((k, size)), n - size) for k, n in ((i, high), (j, wide)))
            begin = code.sum((view.start, 1), *((k, s) for k, (_, s, _) in zip(outer, others, strict=True)), (i, 1))
            end = code.sum(*((k, t) for k, (_, _, t) in zip(outer, others, strict=True)), (j, 1))
            source = code.address(view.buffer, code.sum((begin, 1), (j, across)))
            target = code.address(output.buffer, code.sum((end, 1), (i, below)))
            turn(code, size, dtype, (source, across * itemsize), (target, below * itemsize))

        code.shared_nest([*(n for n, _, _ in others), -(-high // size), -(-wide // size)], square)

    # --- the result says where its elements come from

    def take(self) -> None:
        """Every place of the result gets the element that belongs there."""
        (source, *_), (links, *_) = self.inputs, links_of(self.equation)

        def one(point: tuple[Index, ...]) -> None:
            self._write(self.output, point, self._read(source, self._source(links, source.shape, point)))

        self.code.shared_nest(self.output.shape, one)

    def _source(self, links: Links, shape: tuple[int, ...], point: tuple[Index, ...]) -> tuple[Index, ...]:
        """Where the element at a point of the result stands in the input."""
        code = self.code
        found: list[Index] = [0] * len(shape)
        for link in links:
            if isinstance(link, Kept):
                found[link.source] = point[link.target]
            elif isinstance(link, Picked):
                place = 0 if link.target is None else point[link.target]
                found[link.source] = code.sum((place, link.step), (link.start, 1))
            elif isinstance(link, Taken):
                positions = self.inputs[link.index]
                found[link.source] = self._position(positions, [point[i] for i in link.targets], shape[link.source])
            elif isinstance(link, Regrouped):
                self._regroup(found, shape, link, point)
        return tuple(found)

    def _regroup(self, found: list[Index], shape: tuple[int, ...], link: Regrouped, point: tuple[Index, ...]) -> None:
        """Places along joined or split axes, by the number of the element in row-major order."""
        code, targets = self.code, [self.output.shape[i] for i in link.targets]
        flat = code.sum(*((point[i], math.prod(targets[k + 1 :])) for k, i in enumerate(link.targets)))
        for k, i in enumerate(link.sources):
            whole = code.divide(flat, math.prod(shape[j] for j in link.sources[k + 1 :]))
            found[i] = code.sum((whole, 1), (code.divide(whole, shape[i]), -shape[i])) if k else whole

    # --- the inputs say where their elements go

    def add(self) -> None:
        """Every element of the inputs is added where it goes to, into zeros."""
        self._zeros()
        for source, links in zip(self.inputs[: _linear(self.equation)], links_of(self.equation), strict=False):
            scattered = next(link for link in links if isinstance(link, Scattered))
            self._add(source, links, scattered)

    def _join(self, pieces: list[tuple[View, View]]) -> None:
        """Each source to its target, by a function for all whose shapes and strides are alike, called in functions of their own."""
        written: dict[Any, ir.Function] = {}
        for begin in range(0, len(pieces), MANY):
            part = subroutine(self.code, "join")
            for source, target in pieces[begin : begin + MANY]:
                ends = _beginning(source), _beginning(target)
                kinds = tuple([(x.buffer.dtype, x.strides, x.shape) for x in ends])
                if kinds not in written:
                    own = subroutine(part, "copy", [x.buffer for x in ends])
                    _Move(own, self.memory, self.equation)._copy(*ends)
                    own.builder.ret_void()
                    written[kinds] = own.builder.function
                call(part, written[kinds], [part.offset(x.buffer) for x in ends])
            part.builder.ret_void()
            call(self.code, part.builder.function)

    def _add(self, source: View, links: Links, scattered: Scattered) -> None:
        """Slices added at given positions, one after another."""

        def one(point: tuple[Index, ...]) -> None:
            places: list[Index] = [0] * len(self.output.shape)
            for link in links:
                if isinstance(link, Kept):
                    places[link.target] = point[link.source]
            positions, length = self.inputs[scattered.index], self.output.shape[scattered.target]
            places[scattered.target] = self._position(positions, [point[i] for i in scattered.sources], length)
            total = self._read(self.output, tuple(places)) + self._read(source, point)
            self._write(self.output, tuple(places), total)

        self.code.nest(source.shape, one)

    def _position(self, indices: View, point: Sequence[Index], length: int) -> Index:
        """An index that is in bounds; for one that is not, 0, and the arena's status tells the caller."""
        code, builder, i32 = self.code, self.code.builder, ir.IntType(32)
        index = code.mathematics(1).convert(self._read(indices, tuple(point)), np.dtype(np.int64)).value
        inside = builder.icmp_unsigned("<", index, index.type(length))
        with builder.if_then(builder.not_(inside), likely=False):
            builder.store(i32(1), code.memory, align=4)
        return code.positions.found(builder.select(inside, index, index.type(0)))

    # --- elements in their order

    def accumulate(self, axis: int) -> None:
        """Along an axis, every element joined to those before it."""
        (source,) = self.inputs
        assert isinstance(self.equation.op, Custom)
        combine = self.equation.op.accumulate or ""
        builder, dtype = self.code.builder, self.output.buffer.dtype
        kind = vector_type(dtype, 1)
        with builder.goto_entry_block():
            slot = builder.alloca(kind)

        def line(outer: tuple[Index, ...]) -> None:
            builder.store(neutral(self.code, combine, dtype, 1).value, slot)

            def add(k: Index) -> None:
                point = (*outer[:axis], k, *outer[axis:])
                m = self.code.mathematics(1)
                before, own = self.code.number(builder.load(slot, typ=kind), dtype, 1), self._read(source, point)
                total = getattr(m, combine)(before, m.convert(own, dtype))
                builder.store(total.value, slot)
                self._write(self.output, point, total)

            self.code.loop(source.shape[axis], add)

        self.code.nest((*source.shape[:axis], *source.shape[axis + 1 :]), line)


def _side(high: int, wide: int, widest: int) -> int:
    """Lanes of the squares that an array is turned over by, if any fits into it."""
    size = widest if high % widest == wide % widest == 0 else min(widest, FEW_LANES)
    return size if min(high, wide) >= size else 0


def _beginning(view: View) -> View:
    """The same numbers, as those of a buffer that begins with the first of them."""
    whole = view.buffer
    start = whole.offset + view.start * storage_type(whole.dtype).itemsize
    return View(replace(whole, offset=start), 0, view.strides, view.shape)


def _linear(equation: Equation) -> int | None:
    """How many of the inputs are moved; those after them are positions."""
    assert isinstance(equation.op, Layout)
    return equation.op.linear
