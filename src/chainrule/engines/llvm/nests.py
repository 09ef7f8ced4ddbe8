"""Groups of elementwise equations and folds, as nests of loops over vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import Any

import numpy as np

from chainrule.engines.llvm.buffers import View, lanes
from chainrule.engines.llvm.code import Code
from chainrule.engines.llvm.folds import Fold, across, fold_of
from chainrule.engines.llvm.groups import Group
from chainrule.engines.llvm.mathematics import Vector
from chainrule.engines.llvm.memory import MemoryPlan
from chainrule.engines.llvm.positions import Index
from chainrule.engines.llvm.sharing import BLOCKS, Partition, partition_of
from chainrule.tracing import Literal, Variable
from chainrule.tracing.program import Atom

ROWS_WRITTEN_OUT = 4
"""Vectors along a row up to which the loop over them is written out."""


IN_REGISTERS = 4
"""Vectors collected across rows up to which they are carried in registers from one row to the next."""

RowBody = Callable[[tuple[Index, ...], list[Any]], list[Any]]
"""One row, at these positions of the outer axes, with vectors carried from the row before to the one after."""


class Point:
    """The values at one point of a group's space, in registers: `width` of them side by side."""

    def __init__(self, code: Code, memory: MemoryPlan, point: Sequence[Index], width: int, length: int) -> None:
        self.code, self.memory, self.point, self.width, self.length = code, memory, tuple(point), width, length
        self.m = code.mathematics(width)
        self.values: dict[Any, Vector] = {}

    def compute(self, group: Group) -> None:
        """The group's elementwise equations, and stores of what others need."""
        for equation in group.pointwise:
            shape = equation.output.shape
            inputs = [self.value(x, shape) for x in equation.inputs]
            value = getattr(self.m, equation.op.name)(*inputs, **equation.attributes)
            self.keep(equation.output, self.of_type(value, equation.output.dtype), group)

    def keep(self, x: Variable, number: Vector, group: Group) -> None:
        """A value computed here; stored if another group needs it."""
        self.values[x] = number
        if x in group.stored:
            view = self.memory.view(x)
            self.code.store(view, _strides(view, x.shape), self.point, number.value, self.width)

    def value(self, x: Atom, shape: tuple[int, ...]) -> Any:
        """An operand of an equation whose result has `shape`: from a register, from memory, or a constant."""
        if isinstance(x, Literal) and not hasattr(x.value, "dtype"):
            return x.value
        if isinstance(x, Literal) and x.shape == ():
            return self.code.constant(x.value, np.asarray(x.value).dtype, self.width)
        if isinstance(x, Variable):
            source = self.memory.register(x)
            if source in self.values:
                return self.values[source]
        view = self.memory.view(x)
        strides = _strides(view, shape)
        key = (view.buffer, view.start, strides)
        if key not in self.values:
            self.values[key] = self.code.load(view, strides, self.point, self.width, self.length)
        return self.values[key]

    def of_type(self, value: Any, dtype: np.dtype[Any]) -> Vector:
        """A value as a number of this dtype; Python numbers become constants."""
        if not isinstance(value, Vector):
            return self.code.constant(value, dtype, self.width)
        return value if value.dtype == dtype else self.m.convert(value, dtype)


def _strides(view: View, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides along the long axes of a shape the view broadcasts to."""
    return tuple(s for s, n in zip(view.along(shape), shape, strict=True) if n != 1)


def emit(code: Code, memory: MemoryPlan, group: Group) -> None:
    """Write the loops of a group without root."""
    folds = [fold_of(memory, equation) for equation in group.folds]
    if not group.space:
        point = Point(code, memory, (), 1, 1)
        point.compute(group)
        for fold in folds:
            point.keep(fold.equation.output, fold.finished(point.m, fold.source(point)), group)
        return
    chosen = partition_of(group) if code.threads.dividing else Partition.ALONE
    if chosen is Partition.BLOCKS:
        _Nest(code, memory, group, folds).by_blocks()
    else:
        _Nest(code, memory, group, folds).emit(chosen)


class _Nest:
    """The loops over a group's space, and the folds collected in them."""

    def __init__(self, code: Code, memory: MemoryPlan, group: Group, folds: list[Fold]) -> None:
        self.code, self.memory, self.group, self.folds = code, memory, group, folds
        self.length, self.width = group.space[-1], lanes(group.space[-1], memory.widest)
        self.vectors = -(-self.length // self.width)
        self.work = self.vectors * (len(group.pointwise) + len(group.folds))

    def emit(self, chosen: Partition) -> None:
        """All rows, shared out among threads in the way chosen."""
        code, outer_axes = self.code, self.group.space[:-1]
        along = code.shared if chosen is Partition.COLUMNS or not outer_axes else code.loop
        if along == code.loop and chosen is Partition.ALONE:
            self._collected(lambda totals, row: code.carried_nest(outer_axes, totals, row, self.work))
            return
        across_rows = [f for f in self.folds if f.across_rows]
        for fold in across_rows:
            fold.over(code, self.memory.widest, along, fold.neutral)
        if chosen is Partition.ROWS and across_rows:
            code.shared(
                outer_axes[0], lambda i: code.nest(outer_axes[1:], lambda rest: self._row((i, *rest), code.loop))
            )
        elif chosen is Partition.ROWS and outer_axes:
            code.shared_nest(outer_axes, lambda outer: self._row(outer, code.loop))
        else:
            code.nest(outer_axes, lambda outer: self._row(outer, along))
        self._finish(across_rows, along)

    def by_blocks(self) -> None:
        """Blocks of rows shared out among threads: each collects sums of its own, which are joined in order."""
        code, (rows, *inner) = self.code, self.group.space[:-1]
        finals = [fold for fold in self.folds if fold.across_rows]

        def block(b: Index) -> None:
            begin, end = code.part(rows, b, BLOCKS)
            parts = [replace(f, view=self.memory.parts[f.equation.output].view(), block=(b,)) for f in finals]
            nest = _Nest(code, self.memory, self.group, [*(f for f in self.folds if f not in finals), *parts])

            def run(totals: list[Any], row: RowBody) -> list[Any]:
                def line(i: Index, totals: list[Any]) -> list[Any]:
                    place = code.sum((i, 1), (begin, 1))
                    return code.carried_nest(inner, totals, lambda rest, x: row((place, *rest), x))

                return code.carried_loop(code.sum((end, 1), (begin, -1)), totals, line)

            nest._collected(run)

        code.shared(BLOCKS, block)
        code.threads.barrier()
        for fold in finals:
            part = replace(fold, view=self.memory.parts[fold.equation.output].view())
            fold.over(code, self.memory.widest, code.shared, partial(fold.joined, part))

    def _collected(self, run: Callable[[list[Any], RowBody], list[Any]]) -> None:
        """The rows that `run` gives, by one thread; what few vectors collect across them stays in registers."""
        code, kept = self.code, [f for f in self.folds if f.across_rows]
        if all(all(f.reduced[:-1]) for f in kept) and 0 < self.vectors * len(kept) <= IN_REGISTERS:
            starts = [fold.start(code, self.width).value for fold in kept for _ in range(self.vectors)]
            totals = iter(run(starts, partial(self._carrying_row, kept)))
            for fold in kept:
                self._store(fold, [next(totals) for _ in range(self.vectors)])
            return
        for fold in kept:
            fold.over(code, self.memory.widest, code.loop, fold.neutral)

        def row(outer: tuple[Index, ...], totals: list[Any]) -> list[Any]:
            self._row(outer, code.loop)
            return totals

        run([], row)
        self._finish([f for f in kept if not f.block], code.loop)

    def _finish(self, across_rows: list[Fold], along: Any) -> None:
        for fold in across_rows:
            if fold.op.finish is not None:
                fold.over(self.code, self.memory.widest, along, fold.total)

    def _carrying_row(self, kept: list[Fold], outer: tuple[Index, ...], totals: list[Any]) -> list[Any]:
        """One row, with what is collected across rows in `totals`: for every such fold as many as the row has vectors."""
        code, width, results = self.code, self.width, list(totals)
        slots = {id(f): f.slot(code, width) for f in self.folds if f not in kept and f.along_row}
        for v in range(self.vectors):
            point = Point(code, self.memory, (*outer, v * width), width, self.length)
            point.compute(self.group)
            for fold in self.folds:
                if fold not in kept:
                    fold.collect(code, point, slots.get(id(fold)), v * width, self.length)
            for place, fold in enumerate(kept):
                value, at = fold.source(point), place * self.vectors + v
                if fold.along_row:
                    value = fold.in_row(code, value, v * width, self.length, width)
                before = code.number(totals[at], value.dtype, width)
                results[at] = fold.join(point.m, before, value).value
        for fold in self.folds:
            if id(fold) in slots:
                fold.end_of_row(code, slots[id(fold)], outer, width)
        return results

    def _store(self, fold: Fold, totals: list[Any]) -> None:
        """What was collected across rows, to where it belongs; a block's share is not finished."""
        code, width, dtype = self.code, self.width, fold.equation.output.dtype
        numbers = [code.number(x, dtype, width) for x in totals]
        if fold.along_row:
            vector = reduce(partial(fold.join, numbers[0].mathematics), numbers)
            numbers, width = [across(code, vector, width, fold.join)], 1
        for v, number in enumerate(numbers):
            place = fold.block if fold.along_row else (*fold.block, v * width)
            whole = number if fold.block else fold.finished(code.mathematics(width), number)
            code.store(fold.view, fold.result_strides, place, whole.value, width)

    def _row(self, outer: tuple[Index, ...], loop: Any) -> None:
        """One row of vectors."""
        code, width = self.code, self.width
        totals = {id(f): f.slot(code, width) for f in self.folds if f.along_row}

        def piece(j: Index) -> None:
            point = Point(code, self.memory, (*outer, j), width, self.length)
            point.compute(self.group)
            for fold in self.folds:
                fold.collect(code, point, totals.get(id(fold)), j, self.length)

        loop(self.length, piece, step=width, unroll=self.vectors <= ROWS_WRITTEN_OUT)
        for fold in self.folds:
            if fold.along_row:
                fold.end_of_row(code, totals[id(fold)], outer, width)
