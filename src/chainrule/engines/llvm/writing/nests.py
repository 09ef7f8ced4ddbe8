"""Groups of elementwise equations and folds, as nests of loops over vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial, reduce
from math import prod
from types import MappingProxyType
from typing import Any

from chainrule.engines.llvm.planning.buffers import lanes
from chainrule.engines.llvm.planning.groups import Group
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.planning.sharing import BLOCKS, Partition, partition_of
from chainrule.engines.llvm.writing.code import Code
from chainrule.engines.llvm.writing.folds import Fold, across, fold_of
from chainrule.engines.llvm.writing.long_sums import BLOCK, PIECE
from chainrule.engines.llvm.writing.points import Point
from chainrule.engines.llvm.writing.positions import Index

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
            point.keep(fold.equation.output, fold.alone(code, point.m, fold.source(point)), group)
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
        self.work = self.vectors * (group.instructions + len(group.folds))

    def emit(self, chosen: Partition) -> None:
        """All rows, shared out among threads by the partition chosen."""
        code, outer_axes = self.code, self.group.space[:-1]
        along = code.shared if chosen is Partition.COLUMNS or not outer_axes else code.loop
        if along == code.loop and chosen is Partition.ALONE:
            self._collected(0, outer_axes[0])
            return
        in_memory = [f for f in self.folds if f.across_rows and not self._in_registers(f)]

        def collected(outer: tuple[Index, ...], along: Any, collect: Callable[[], None]) -> None:
            for fold in in_memory:
                fold.over(code, self.memory.widest, along, fold.neutral, outer)
            collect()
            self._finish(in_memory, along, outer)

        if chosen is Partition.ROWS and any(f.across_rows for f in self.folds):
            # Nothing is summed along the first axis: what belongs to a place on it is one thread's alone, from beginning to end.
            code.shared(outer_axes[0], lambda i: collected((i,), code.loop, lambda: self._inside((i,), {})))
        elif chosen is Partition.ROWS and outer_axes:
            code.shared_nest(outer_axes, lambda outer: self._row(outer, code.loop))
        else:
            collected((), along, lambda: code.nest(outer_axes, lambda outer: self._row(outer, along)))

    def by_blocks(self) -> None:
        """Blocks of rows shared out among threads: each collects sums of its own, which are joined in order."""
        code, rows = self.code, self.group.space[0]
        finals = [fold for fold in self.folds if fold.across_rows]

        def block(b: Index) -> None:
            begin, end = code.part(rows, b, BLOCKS)
            parts = [replace(f, view=self.memory.parts[f.equation.output].view(), block=(b,)) for f in finals]
            nest = _Nest(code, self.memory, self.group, [*(f for f in self.folds if f not in finals), *parts])
            nest._collected(begin, code.sum((end, 1), (begin, -1)))

        code.shared(BLOCKS, block)
        code.threads.barrier()
        for fold in finals:
            part = replace(fold, view=self.memory.parts[fold.equation.output].view())
            fold.over(code, self.memory.widest, code.shared, partial(fold.joined, part))

    def _rows(
        self, begin: Index, count: Index, totals: list[Any], row: RowBody, outer: tuple[Index, ...] = ()
    ) -> list[Any]:
        """So many positions of the first axis inside `outer`, from one on, with what is carried from row to row."""
        code, inner = self.code, self.group.space[len(outer) + 1 : -1]

        def placed(place: tuple[Index, ...], carried: list[Any]) -> list[Any]:
            return row((*outer, code.sum((begin, 1), (place[0], 1)), *place[1:]), carried)

        if isinstance(count, int):
            return code.carried_nest((count, *inner), totals, placed, self.work)
        return code.carried_loop(
            count, totals, lambda i, x: code.carried_nest(inner, x, lambda rest, y: placed((i, *rest), y))
        )

    def _rows_in_pieces(
        self, kept: list[Fold], begin: Index, count: Index, totals: list[Any], outer: tuple[Index, ...], rows: int
    ) -> list[Any]:
        """The same, a piece of them at a time: what each collects is joined to totals of `rows`, which costs more than adding."""
        code, width, inner = self.code, self.width, self.group.space[len(outer) + 1 : -1]
        if prod(inner) > PIECE:  # pieces are of an axis further in

            def within(i: Index, totals: list[Any]) -> list[Any]:
                place = (*outer, code.sum((begin, 1), (i, 1)))
                return self._rows_in_pieces(kept, 0, inner[0], totals, place, rows)

            return code.carried_loop(count, totals, within)
        folds = [f for f in kept for _ in range(self.vectors)]
        piece = max(1, PIECE // prod(inner))

        def one(first: Index, size: Index, totals: list[Any]) -> list[Any]:
            starts = [f.start(code, width).value for f in folds]
            place, row = code.sum((begin, 1), (first, 1)), partial(self._carrying_row, kept, 1)
            found = self._rows(place, size, starts, row, outer)
            before, parts = iter(totals), zip(folds, found, strict=True)
            joined = [
                f.joined_to(code, self._next(f, before, rows), code.number(x, f.equation.output.dtype, width))
                for f, x in parts
            ]
            return [x for total in joined for x in total]

        if not isinstance(count, int):
            return code.carried_loop(
                count, totals, lambda i, x: one(i, code.smaller(code.sum((count, 1), (i, -1)), piece), x), step=piece
            )
        whole = count // piece * piece
        totals = code.carried_loop(whole, totals, lambda i, x: one(i, piece, x), step=piece)
        return one(whole, count - whole, totals) if whole < count else totals

    def _collected(self, begin: Index, count: Index) -> None:
        """So many rows, by one thread; what few vectors collect across them stays in registers."""
        code, kept = self.code, [f for f in self.folds if f.across_rows]
        if all(all(f.reduced[:-1]) for f in kept) and self._few(kept):
            self._carried(kept, begin, count)
            return
        in_memory = [f for f in kept if not self._in_registers(f)]
        for fold in kept:
            if fold in in_memory or (fold.block and not fold.reduced[0]):  # of which a block writes a part only
                fold.over(code, self.memory.widest, code.loop, fold.neutral)
        self._inside((), {}, begin, count)
        self._finish([f for f in in_memory if not f.block], code.loop)

    def _few(self, kept: list[Fold]) -> bool:
        """Whether what these collect is few enough vectors to be carried from row to row."""
        return 0 < self.vectors * len(kept) <= IN_REGISTERS

    def _carried(self, kept: list[Fold], begin: Index, count: Index, outer: tuple[Index, ...] = ()) -> None:
        """So many positions of the first axis inside `outer`, with what these collect there in registers."""
        code, rows = self.code, prod(self.group.space[len(outer) : -1])
        starts = [x for f in kept for _ in range(self.vectors) for x in f.starts(code, self.width, rows)]
        if len(starts) > self.vectors * len(kept):
            totals = iter(self._rows_in_pieces(kept, begin, count, starts, outer, rows))
        else:
            totals = iter(self._rows(begin, count, starts, partial(self._carrying_row, kept, rows), outer))
        for fold in kept:
            self._store(fold, [self._next(fold, totals, rows) for _ in range(self.vectors)], outer)

    def _in_registers(self, fold: Fold) -> bool:
        """Whether it is a long sum over all axes from one on, whose total is kept in registers while loops over these run."""
        if not fold.across_rows:
            return False
        kept = fold.reduced.index(True)
        return all(fold.reduced[kept:]) and fold.numbers(prod(self.group.space[kept:-1]) * self.vectors) > 1

    def _inside(
        self, outer: tuple[Index, ...], totals: dict[int, list[Any]], begin: Index = 0, count: Index | None = None
    ) -> None:
        """All rows inside these positions of the first axes; or so many of the next axis, from one on."""
        code, axes = self.code, self.group.space[len(outer) : -1]
        count = count if count is not None or not axes else axes[0]
        held = [f for f in self.folds if self._in_registers(f)]
        here = [f for f in held if f.reduced.index(True) == len(outer)]
        if count is not None and self._few(here) and here == [f for f in self.folds if f.across_rows]:
            self._carried(here, begin, count, outer)
            return
        for f in here:
            totals = {**totals, id(f): f.slots(code, self.width, prod(axes) * self.vectors, self.vectors)}
        if count is None:
            self._row(outer, code.loop, totals)
        elif len(totals) < len(held):
            code.loop(count, lambda i: self._inside((*outer, code.sum((begin, 1), (i, 1))), totals))
        else:

            def row(place: tuple[Index, ...], carried: list[Any]) -> list[Any]:
                self._row(place, code.loop, totals)
                return carried

            self._rows(begin, count, [], row, outer)
        for f in here:
            self._store(f, [f.loaded(code, totals[id(f)], self.width)], outer)

    def _next(self, fold: Fold, totals: Iterator[Any], rows: int) -> list[Any]:
        """The numbers that make up one running total of so many rows, from all that are carried."""
        return [next(totals) for _ in range(fold.numbers(rows))]

    def _finish(self, across_rows: list[Fold], along: Any, outer: tuple[Index, ...] = ()) -> None:
        for fold in across_rows:
            if fold.op.finish is not None:
                fold.over(self.code, self.memory.widest, along, fold.total, outer)

    def _carrying_row(self, kept: list[Fold], rows: int, outer: tuple[Index, ...], totals: list[Any]) -> list[Any]:
        """One of some rows, with what is collected across them in `totals`: for every such fold as many as it has vectors."""
        code, width, carried = self.code, self.width, iter(totals)
        before = {(id(f), v): self._next(f, carried, rows) for f in kept for v in range(self.vectors)}
        slots = {id(f): f.slots(code, width, self.vectors) for f in self.folds if f not in kept and f.along_row}
        for v in range(self.vectors):
            point = Point(code, self.memory, (*outer, v * width), width, self.length)
            point.compute(self.group)
            for fold in self.folds:
                if fold not in kept:
                    fold.collect(code, point, slots.get(id(fold), []), v * width, self.length)
            for fold in kept:
                value = fold.source(point)
                if fold.along_row:
                    value = fold.in_row(code, value, v * width, self.length, width)
                before[id(fold), v] = fold.joined_to(code, before[id(fold), v], value)
        for fold in self.folds:
            if id(fold) in slots:
                fold.end_of_row(code, slots[id(fold)], outer, width)
        return [x for total in before.values() for x in total]

    def _store(self, fold: Fold, totals: list[list[Any]], outer: tuple[Index, ...] = ()) -> None:
        """What was collected across rows inside `outer`, to where it belongs; a block's partial total is not finished."""
        code, width = self.code, self.width
        numbers = [fold.settled(code, x, width) for x in totals]
        if fold.along_row:
            vector = reduce(partial(fold.join, numbers[0].mathematics), numbers)
            numbers, width = [across(code, vector, width, fold.join)], 1
        for v, number in enumerate(numbers):
            place = (*fold.block, *outer) if fold.along_row else (*fold.block, v * width)
            whole = number if fold.block else fold.finished(code.mathematics(width), number)
            code.store(fold.view, fold.result_strides, place, whole.value, width)

    def _row(self, outer: tuple[Index, ...], loop: Any, whole: Mapping[int, list[Any]] = MappingProxyType({})) -> None:
        """One row of vectors; what some folds sum over everything is in the registers of `whole`."""
        code, width, along = self.code, self.width, [f for f in self.folds if f.along_row]
        totals = {id(f): f.slots(code, width, self.vectors, BLOCK) for f in along}

        def piece(j: Index, totals: Mapping[int, list[Any]] = totals) -> None:
            point = Point(code, self.memory, (*outer, j), width, self.length)
            point.compute(self.group)
            for fold in self.folds:
                fold.collect(code, point, totals.get(id(fold), []), j, self.length)

        def block(begin: Index) -> None:
            """Some vectors, collected by themselves before they are joined to the totals."""
            parts = {id(f): f.slots(code, width) for f in along}
            count = code.smaller(code.sum((self.length, 1), (begin, -1)), BLOCK * width)
            code.loop(count, lambda j: piece(code.sum((begin, 1), (j, 1)), parts), step=width)
            for fold in along:
                fold.join_slots(code, totals[id(fold)], fold.of_slots(code, parts[id(fold)], width))

        if any(fold.numbers(self.vectors, BLOCK) > 1 for fold in along):
            loop(self.length, block, step=BLOCK * width)
        else:
            loop(self.length, piece, step=width, unroll=self.vectors <= ROWS_WRITTEN_OUT)
        for fold in along:
            if id(fold) in whole:
                fold.join_slots(code, whole[id(fold)], fold.of_slots(code, totals[id(fold)], width))
            else:
                fold.end_of_row(code, totals[id(fold)], outer, width)
