"""Groups rooted in a move: elements copied to other places, one by one, and what depends on the order of elements."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir

from chainrule.engines.llvm.buffers import View, lanes, long_axes, long_strides
from chainrule.engines.llvm.code import Code, vector_type
from chainrule.engines.llvm.groups import Group
from chainrule.engines.llvm.mathematics import Vector
from chainrule.engines.llvm.memory import MemoryPlan
from chainrule.engines.llvm.positions import Index
from chainrule.tracing import Equation


def emit(code: Code, memory: MemoryPlan, group: Group) -> None:
    """Write the loops of a group rooted in a move."""
    assert group.root is not None
    move = _Move(code, memory, group.root)
    getattr(move, group.root.op.name)(**group.root.attributes)


class _Move:
    """One move: its result's view, its inputs' views."""

    def __init__(self, code: Code, memory: MemoryPlan, equation: Equation) -> None:
        self.code, self.memory, self.equation = code, memory, equation
        self.output = memory.view(equation.output)
        self.inputs = [memory.view(x) for x in equation.inputs]

    def _copy(self, source: View, target: View) -> None:
        """Every element of `source` to the same place in `target`, whose shape is the same."""

        def one(point: tuple[Index, ...]) -> None:
            self._write(target, point, self._read(source, point))

        self.code.shared_nest(source.shape, one)

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

    def reshape(self, shape: tuple[int, ...]) -> None:
        """Elements in the same order, in rows of another length."""
        (source,) = self.inputs
        steps = [int(np.prod(source.shape[i + 1 :], dtype=np.int64)) for i in range(len(source.shape))]

        def one(point: tuple[Index, ...]) -> None:
            flat = self.code.sum(*zip(point, steps, strict=True))
            places: list[Index] = []
            for i, n in enumerate(shape):
                whole = self.code.divide(flat, int(np.prod(shape[i + 1 :], dtype=np.int64)))
                places.append(self.code.sum((whole, 1), (self.code.divide(whole, n), -n)))
            self._write(self.output, tuple(places), self._read(source, point))

        self.code.shared_nest(source.shape, one)

    def transpose(self, axes: tuple[int, ...]) -> None:
        """Axes in another order, by squares of vectors turned over in registers."""
        view = self.inputs[0].transposed(axes)
        long = [(n, s, t) for n, s, t in zip(view.shape, view.strides, self.output.strides, strict=True) if n != 1]
        rows = next((i for i, (_, s, _) in enumerate(long) if s == 1), None)
        width = self.memory.widest
        whole = rows is not None and rows < len(long) - 1 and all(n % width == 0 for n in (long[rows][0], long[-1][0]))
        if not whole or view.buffer.dtype == np.bool_:
            self._copy(view, self.output)
            return
        assert rows is not None
        others = [axis for i, axis in enumerate(long) if i not in (rows, len(long) - 1)]
        code, dtype = self.code, view.buffer.dtype

        def square(outer: tuple[Index, ...], i: Index, j: Index) -> None:
            begin = code.sum((view.start, 1), *((k, s) for k, (_, s, _) in zip(outer, others, strict=True)), (i, 1))
            end = code.sum(*((k, t) for k, (_, _, t) in zip(outer, others, strict=True)), (j, 1))
            lines = []
            for k in range(width):
                place = code.sum((begin, 1), (code.sum((j, 1), (k, 1)), long[-1][1]))
                kind = vector_type(dtype, width)
                lines.append(code.builder.load(code.address(view.buffer, place), typ=kind, align=dtype.itemsize))
            for k, line in enumerate(_turned(code, lines)):
                place = code.sum((end, 1), (code.sum((i, 1), (k, 1)), long[rows][2]))
                code.builder.store(line, code.address(self.output.buffer, place), align=dtype.itemsize)

        code.shared_nest(
            [*(n for n, _, _ in others), long[rows][0] // width, long[-1][0] // width],
            lambda at: square(at[:-2], code.sum((at[-2], width)), code.sum((at[-1], width))),
        )

    def concatenate(self, axis: int) -> None:
        """The inputs one after another along an axis."""
        begin = 0
        for source in self.inputs:
            n = source.shape[axis]
            part = self.output
            whole: tuple[Any, ...] = (None,) * len(part.shape)
            start, stop = (*whole[:axis], begin, *whole[axis + 1 :]), (*whole[:axis], begin + n, *whole[axis + 1 :])
            self._copy(source, part.sliced(start, stop, (1,) * len(part.shape)))
            begin += n

    def embed(self, shape: tuple[int, ...], start: Any, stop: Any, step: Any) -> None:
        """Zeros with the input written into a slice."""
        self._zeros()
        self._copy(self.inputs[0], self.output.sliced(start, stop, step))

    def take(self, axis: int) -> None:
        """Slices at given positions."""
        source, indices = self.inputs
        before, count = source.shape[:axis], len(indices.shape)

        def one(point: tuple[Index, ...]) -> None:
            chosen = self._position(indices, point[axis : axis + count], source.shape[axis])
            place = (*point[:axis], chosen, *point[axis + count :])
            self._write(self.output, point, self._read(source, place))

        assert len(before) == axis
        self.code.shared_nest(self.output.shape, one)

    def scatter_add(self, axis: int, length: int) -> None:
        """Slices added at given positions."""
        self._zeros()
        source, indices = self.inputs
        count = len(indices.shape)

        def one(point: tuple[Index, ...]) -> None:
            chosen = self._position(indices, point[axis : axis + count], length)
            place = (*point[:axis], chosen, *point[axis + count :])
            total = self._read(self.output, place) + self._read(source, point)
            self._write(self.output, place, total)

        self.code.nest(source.shape, one)

    def _position(self, indices: View, point: tuple[Index, ...], length: int) -> Index:
        """An index that is in bounds; for one that is not, 0, and the arena's status tells the caller."""
        code, builder, i32 = self.code, self.code.builder, ir.IntType(32)
        index = code.mathematics(1).convert(self._read(indices, point), np.dtype(np.int64)).value
        inside = builder.icmp_unsigned("<", index, index.type(length))
        with builder.if_then(builder.not_(inside), likely=False):
            builder.store(i32(1), code.memory, align=4)
        return code.positions.found(builder.select(inside, index, index.type(0)))

    def cumsum(self, axis: int) -> None:
        """Running sums along an axis."""
        (source,) = self.inputs
        builder, dtype = self.code.builder, self.output.buffer.dtype
        kind = vector_type(dtype, 1)
        with builder.goto_entry_block():
            slot = builder.alloca(kind)

        def line(outer: tuple[Index, ...]) -> None:
            builder.store(self.code.constant(0, dtype, 1).value, slot)

            def add(k: Index) -> None:
                point = (*outer[:axis], k, *outer[axis:])
                m = self.code.mathematics(1)
                total = self.code.number(builder.load(slot, typ=kind), dtype, 1) + m.convert(
                    self._read(source, point), dtype
                )
                builder.store(total.value, slot)
                self._write(self.output, point, total)

            self.code.loop(source.shape[axis], add)

        self.code.nest((*source.shape[:axis], *source.shape[axis + 1 :]), line)


def _turned(code: Code, lines: list[Any]) -> list[Any]:
    """A square of vectors with rows and columns exchanged: at each stage blocks twice as large change places."""
    width, stage = len(lines), 1
    while stage < width:
        lower = [lane if not lane & stage else width + lane - stage for lane in range(width)]
        upper = [lane + stage if not lane & stage else width + lane for lane in range(width)]
        masks = [ir.Constant(ir.VectorType(ir.IntType(32), width), mask) for mask in (lower, upper)]
        turned = list(lines)
        for k in range(width):
            if not k & stage:
                for place, mask in zip((k, k + stage), masks, strict=True):
                    turned[place] = code.builder.shuffle_vector(lines[k], lines[k + stage], mask)
        lines, stage = turned, 2 * stage
    return lines
