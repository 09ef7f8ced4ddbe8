"""Groups of elementwise equations and folds, as nests of loops over vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial, reduce
from typing import Any

from chainrule.engines.llvm.buffers import lanes
from chainrule.engines.llvm.code import Code
from chainrule.engines.llvm.folds import Fold, across, fold_of
from chainrule.engines.llvm.groups import Group
from chainrule.engines.llvm.memory import MemoryPlan
from chainrule.engines.llvm.points import Point
from chainrule.engines.llvm.positions import Index
from chainrule.engines.llvm.sharing import BLOCKS, Partition, partition_of

ROWS_WRITTEN_OUT = 4
"""Vectors along a row up to which the loop over them is written out."""


IN_REGISTERS = 4
"""Vectors collected across rows up to which they are carried in registers from one row to the next."""

RowBody = Callable[[tuple[Index, ...], list[Any]], list[Any]]
"""One row, at these positions of the outer axes, with vectors carried from the row before to the one after."""


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
        """All rows, shared out among threads by the partition chosen."""
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
