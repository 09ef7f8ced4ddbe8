"""One step of a loop: a batch of rows gathered, the groups carried out, metrics reported, new states put where states are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.emission import emission
from chainrule.engines.llvm.plan import PlannedStep
from chainrule.engines.llvm.planning.buffers import PAGE, Buffer, View, long_axes, long_strides
from chainrule.engines.llvm.writing.code import Code, i32, i64, vector_type
from chainrule.engines.llvm.writing.nests import ROWS_WRITTEN_OUT
from chainrule.engines.llvm.writing.points import Point
from chainrule.engines.llvm.writing.positions import Index

FAR = 2**17
"""Bytes of data from which on the next batch's rows are fetched ahead."""

LINE = 64
"""Bytes that come from memory at a time."""


@dataclass(frozen=True)
class Feed:
    """What a step is given besides the state, as addresses of data arrays and then of numbers; the data have so many rows."""

    data: list[Any]
    numbers: list[Any]
    rows: Any


@dataclass(frozen=True)
class Report:
    """Where metrics go: to a table with a row of so many numbers for every step, from one place of the row on.

    Those that are `added` up come to what is there already.
    """

    table: Any
    width: int
    place: int
    added: bool = False


@dataclass(frozen=True)
class StepWriter:
    """Writes a step, whose Program has so many states among its inputs, as often as it is asked to."""

    code: Code
    states: int
    step: PlannedStep
    feed: Feed
    report: Report

    @property
    def _builder(self) -> Any:
        return self.code.builder

    def write(self, rows: Any, following: Any, gathering: Any, number: Any, reported: Any) -> None:
        """The step on the rows that `rows` points to; `following` points to those of the one after it.

        The rows are gathered where `gathering` is true; `number` says which of the numbers are this step's, and `reported`
        which row of the report is.
        """
        code, step = self.code, self.step
        inputs = step.program.inputs[self.states :]
        for x, source in zip(inputs, self.feed.data, strict=False):
            view = step.batch(x)
            with code.threads.section([], [view.buffer], shared=True), self._builder.if_then(gathering):
                self._gather(view, source, rows)
                if row_bytes(view) <= PAGE:
                    self._fetch(view, source, following)
        for x, source in zip(inputs[len(self.feed.data) :], self.feed.numbers, strict=True):
            buffer = step.memory.buffers[x]
            with code.threads.section([], [buffer], shared=False):
                self._take_number(buffer, source, number)
        emission.emit(code, step.memory, step.grouping)
        place = self.report.place
        for metric in step.program.outputs[self.states :]:
            with code.threads.section(step.memory.places([metric]), [], shared=bool(metric.shape)):
                self._tell(metric, reported, place)
            place += math.prod(metric.shape)
        for x, buffer in step.memory.commits:
            with code.threads.section(step.memory.places([x]), [buffer], shared=True):
                self._commit(x, buffer)
        code.threads.barrier()

    def _take_number(self, buffer: Buffer, source: Any, number: Any) -> None:
        kind = vector_type(buffer.dtype, 1)
        value = self._builder.load(self._builder.gep(source, [number], source_etype=kind), typ=kind)
        self._builder.store(value, self.code.address(buffer, 0))

    def _fetch(self, batch: View, source: Any, rows: Any) -> None:
        """Ask for the rows of the next batch, which lie anywhere in large data, while this one is computed with."""
        code, row = self.code, row_bytes(batch)

        def one(b: Index) -> None:
            begin = self._row(rows, b)
            code.loop(-(-row // LINE), lambda k: code.prefetch(code.at_byte(source, code.sum((begin, row), (k, LINE)))))

        size = self._builder.mul(self.feed.rows, i64(row))
        with self._builder.if_then(self._builder.icmp_signed(">=", size, i64(FAR))):
            code.shared(batch.shape[0], one)

    def _row(self, rows: Any, b: Index) -> Index:
        """The number of a batch's row in the data."""
        position = self._builder.gep(rows, [self.code.value(b)], source_etype=i32)
        return self.code.positions.found(self._builder.sext(self._builder.load(position, typ=i32), i64))

    def _gather(self, batch: View, source: Any, rows: Any) -> None:
        """Rows of a data array, copied to where the batch's are, number by number if they lie across."""
        code, builder, buffer, shape = self.code, self._builder, batch.buffer, batch.shape
        dtype, strides = buffer.dtype, long_strides(replace(batch, strides=batch.strides[1:], shape=shape[1:]))
        features = long_axes(shape[1:])
        widest = buffer.widest if strides[-1:] == (1,) else 1

        def one(b: Index) -> None:
            row = self._row(rows, b)

            def line(outer: tuple[Index, ...]) -> None:
                steps = [int(np.prod(features[i + 1 :], dtype=np.int64)) for i in range(len(features))]
                length = features[-1] if features else 1
                whole = length // widest * widest

                def piece(j: Index, width: int) -> None:
                    offset = zip((*outer, j), [k * dtype.itemsize for k in steps] or [0], strict=False)
                    here = code.at_byte(source, code.sum((row, row_bytes(batch)), *offset))  # anywhere in a file
                    value = builder.load(here, typ=vector_type(dtype, width), align=1)
                    point = (*outer, j) if features else ()
                    place = code.sum((b, batch.strides[0]), *zip(point, strides, strict=True))
                    builder.store(value, code.address(buffer, place), align=dtype.itemsize)

                code.loop(whole, lambda j: piece(j, widest), step=widest, unroll=whole // widest <= ROWS_WRITTEN_OUT)
                for j in range(whole, length):
                    piece(j, 1)

            code.nest(features[:-1], line)

        code.shared(shape[0], one)

    def _tell(self, x: Any, reported: Any, place: int) -> None:
        """A metric, number or array, written to its place in a row of the report."""
        code, builder, space, double = self.code, self._builder, long_axes(x.shape), ir.DoubleType()
        strides = [math.prod(space[i + 1 :]) for i in range(len(space))]
        begin = builder.add(builder.mul(reported, i64(self.report.width)), i64(place))

        def one(point: tuple[Index, ...]) -> None:
            here = Point(code, self.step.memory, point, 1, 1)
            number = here.of_type(here.value(x, x.shape), np.dtype(np.float64)).value
            at = builder.add(begin, code.value(code.sum(*zip(point, strides, strict=True)))) if point else begin
            target = builder.gep(self.report.table, [at], source_etype=double)
            if self.report.added:
                number = builder.fadd(builder.load(target, typ=double), number)
            builder.store(number, target)

        code.shared_nest(space, one)

    def _commit(self, x: Any, buffer: Buffer) -> None:
        """A new state copied to where states are kept."""
        code, space = self.code, long_axes(buffer.shape)
        target = buffer.view()
        strides = long_strides(target)

        def one(point: tuple[Index, ...]) -> None:
            here = Point(code, self.step.memory, point, 1, 1)
            number = here.of_type(here.value(x, buffer.shape), buffer.dtype)
            code.store(target, strides, point, number.value, 1)

        code.shared_nest(space, one)


def row_bytes(batch: View) -> int:
    """Bytes in a row of the data a batch is gathered from."""
    return int(np.prod(batch.shape[1:], dtype=np.int64)) * batch.buffer.dtype.itemsize
