"""The training loop as one function: gather a batch, carry out the step, write its metrics, and again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import ir

from chainrule.engines.llvm import emission
from chainrule.engines.llvm.buffers import PAGE, Buffer, long_axes, long_strides
from chainrule.engines.llvm.code import Code, i1, i8, i32, i64, pointer, vector_type
from chainrule.engines.llvm.inspection import keep_stages
from chainrule.engines.llvm.machine import CompiledFunction, subnormals_flushed
from chainrule.engines.llvm.nests import ROWS_WRITTEN_OUT
from chainrule.engines.llvm.plan import Plan, PlannedStep, plan_loop
from chainrule.engines.llvm.points import Point
from chainrule.engines.llvm.positions import Index
from chainrule.engines.llvm.target import Target
from chainrule.engines.llvm.thread_group import ThreadGroup
from chainrule.engines.loop import TrainingLoop
from chainrule.tracing.identity import identity

# The table's places: addresses of the arena and the order of rows, how far apart the orders of two epochs are, the steps
# of an epoch and the rows, the address of the metrics, the first step and how many, which thread this is and of how
# many, the address of the thread's own memory, then those of data and numbers.
ARENA, ORDER, EPOCH_STRIDE, STEPS, ROWS, METRICS, FIRST, COUNT, THREAD, THREADS, WORKSPACE, REST = range(12)

FAR = 2**17
"""Bytes of data from which on the next batch's rows are fetched ahead."""

LINE = 64
"""Bytes that come from memory at a time."""


@dataclass
class Compiled:
    """A compiled training loop, with the layout of its arena."""

    function: CompiledFunction
    plan: Plan


@lru_cache(maxsize=64)
def compile_loop(loop: TrainingLoop, data: int, target: Target) -> Compiled:
    """Machine code for a training loop over so many data arrays."""
    plan = plan_loop(loop, target)
    function = CompiledFunction(lambda: _Writer(loop, data, plan).write(), "run", target, _identity(loop, data, plan))
    first = plan.steps[0]
    keep_stages(loop.step, first.program, first.grouping, first.memory, function)
    return Compiled(function, plan)


def _identity(loop: TrainingLoop, data: int, plan: Plan) -> str | None:
    """What a loop computes and where, as a text."""
    programs = [identity(program) for program in (loop.step, loop.last) if program is not None]
    if None in programs:
        return None
    layout = plan.filled, plan.size, plan.unrolled, plan.shared, plan.workspace, plan.state[0].widest
    return f"training {programs} {loop.state} {loop.batch_size} {data} {layout}"


def _row_bytes(buffer: Buffer) -> int:
    """Bytes in a row of the data a batch is gathered from."""
    return int(np.prod(buffer.shape[1:], dtype=np.int64)) * buffer.dtype.itemsize


class _Writer:
    """The function's text."""

    def __init__(self, loop: TrainingLoop, data: int, plan: Plan) -> None:
        self.loop, self.data, self.plan, self.steps = loop, data, plan, plan.steps
        self.metrics = loop.reported
        self.inputs = len(plan.steps[0].program.inputs) - loop.state

    def write(self) -> str:
        module = ir.Module("training")
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer]), "run")
        function.args[0].name = "table"
        function.args[0].add_attribute("noalias")
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        self.builder, self.table = builder, function.args[0]
        arena = self._address(ARENA)
        memory = arena
        workspace = self._address(WORKSPACE)
        begin = function.append_basic_block("begin")
        state_bytes = max(-(-(b.offset + b.nbytes) // 64) * 64 for b in self.plan.state)  # the status and the state
        if self.plan.unrolled:
            local = builder.alloca(ir.ArrayType(i8, self.plan.size + 128))
            local.align = 64
            local.type = pointer  # untyped, so that anything may be stored in it
            memory = local
        self.order, self.report = self._address(ORDER), self._address(METRICS)
        self.first, self.count, self.epoch_stride = self._number(FIRST), self._number(COUNT), self._number(EPOCH_STRIDE)
        self.steps_per_epoch, self.rows, self.gathering = self._number(STEPS), self._number(ROWS), i1(True)
        self.sources = [self._address(REST + i) for i in range(self.inputs)]
        threads = None
        if self.plan.shared:
            threads = ThreadGroup(builder, arena, self._number(THREAD), self._number(THREADS))
        builder.branch(begin)
        builder.position_at_end(begin)
        code = Code(
            builder, memory, self.plan.target, unrolled=self.plan.unrolled, threads=threads, workspace=workspace
        )
        if self.plan.unrolled:
            self._transfer(arena, memory, self.plan.filled)
        with subnormals_flushed(builder):
            self._all_steps(code)
        if self.plan.unrolled:
            self._transfer(memory, arena, state_bytes)
        builder.ret_void()
        return str(module)

    def _all_steps(self, code: Code) -> None:
        """The loop over steps, which knows the batch and the epoch it is in, and what comes next."""
        builder, epoch_stride, steps = self.builder, self.epoch_stride, self.steps_per_epoch

        def rows_of(batch: Any, epoch: Any) -> Any:
            start = builder.add(builder.mul(epoch, epoch_stride), builder.mul(batch, i64(self.loop.batch_size)))
            return builder.gep(self.order, [start], source_etype=i32)

        def step(index: Index, carried: list[Any]) -> list[Any]:
            s, (batch, epoch) = code.value(index), carried
            rows = rows_of(batch, epoch)
            ends = builder.icmp_signed("==", batch, builder.sub(steps, i64(1)))
            following = [
                builder.select(ends, i64(0), builder.add(batch, i64(1))),
                builder.select(ends, builder.add(epoch, i64(1)), epoch),
            ]
            if len(self.steps) == 1:
                self.gathering = builder.or_(changing, builder.icmp_signed("==", s, i64(0)))
                final = builder.icmp_signed("==", s, builder.sub(self.count, i64(1)))
                self._step(code, self.steps[0], rows, builder.select(final, rows, rows_of(*following)), s)
                return following
            with builder.if_else(ends) as (last, full):
                with last:
                    self._step(code, self.steps[1], rows, rows, s)
                with full:
                    self._step(code, self.steps[0], rows, rows, s)
            return following

        same_order, one_batch = (builder.icmp_signed("==", x, i64(n)) for x, n in ((epoch_stride, 0), (steps, 1)))
        changing = builder.not_(builder.and_(same_order, one_batch))  # if not, the rows of the step before are there
        begins = [builder.srem(self.first, steps), builder.sdiv(self.first, steps)]
        code.carried_loop(code.positions.found(self.count), begins, step)

    def _transfer(self, source: Any, target: Any, nbytes: int) -> None:
        """Copy the arena to registers and the state back, a vector at a time."""
        for offset in range(0, nbytes, 4):
            at = [self.builder.gep(base, [i64(offset)], source_etype=i8) for base in (source, target)]
            self.builder.store(self.builder.load(at[0], typ=i32, align=4), at[1], align=4)

    def _address(self, place: int) -> Any:
        return self.builder.inttoptr(self._number(place), pointer)

    def _number(self, place: int) -> Any:
        return self.builder.load(self.builder.gep(self.table, [i64(place)], source_etype=i64), typ=i64)

    def _step(self, code: Code, step: PlannedStep, rows: Any, following: Any, s: Any) -> None:
        """One training step on the rows that `rows` points to; `following` points to those of the step after it."""
        inputs = step.program.inputs[self.loop.state :]
        for i, (x, source) in enumerate(zip(inputs, self.sources, strict=True)):
            buffer = step.memory.buffers[x]
            with code.threads.section([], [buffer], shared=i < self.data):
                if i < self.data:
                    with self.builder.if_then(self.gathering):
                        self._gather(code, buffer, source, rows)
                        if _row_bytes(buffer) <= PAGE:
                            self._fetch(code, buffer, source, following)
                else:
                    self._take_number(code, buffer, source, s)
        emission.emit(code, step.memory, step.grouping)
        place = 0
        for metric in step.program.outputs[self.loop.state :]:
            with code.threads.section(step.memory.places([metric]), [], shared=bool(metric.shape)):
                self._report(code, step, metric, s, place)
            place += math.prod(metric.shape)
        for x, buffer in step.memory.commits:
            with code.threads.section(step.memory.places([x]), [buffer], shared=True):
                self._commit(code, step, x, buffer)
        code.threads.barrier()

    def _take_number(self, code: Code, buffer: Buffer, source: Any, s: Any) -> None:
        kind = vector_type(buffer.dtype, 1)
        value = self.builder.load(self.builder.gep(source, [s], source_etype=kind), typ=kind)
        self.builder.store(value, code.address(buffer, 0))

    def _fetch(self, code: Code, buffer: Buffer, source: Any, rows: Any) -> None:
        """Ask for the rows of the next batch, which lie anywhere in large data, while this one is computed with."""
        row = _row_bytes(buffer)

        def one(b: Index) -> None:
            begin = self._row(code, rows, b)
            code.loop(-(-row // LINE), lambda k: code.prefetch(code.at_byte(source, code.sum((begin, row), (k, LINE)))))

        size = self.builder.mul(self.rows, i64(row))
        with self.builder.if_then(self.builder.icmp_signed(">=", size, i64(FAR))):
            code.shared(buffer.shape[0], one)

    def _row(self, code: Code, rows: Any, b: Index) -> Index:
        """The number of a batch's row in the data."""
        position = self.builder.gep(rows, [code.value(b)], source_etype=i32)
        return code.positions.found(self.builder.sext(self.builder.load(position, typ=i32), i64))

    def _gather(self, code: Code, buffer: Buffer, source: Any, rows: Any) -> None:
        """Rows of a data array, copied into a buffer whose rows are padded."""
        builder, dtype = self.builder, buffer.dtype
        view, shape = buffer.view(), buffer.shape
        features = long_axes(shape[1:])
        widest = buffer.widest

        def one(b: Index) -> None:
            row = self._row(code, rows, b)

            def line(outer: tuple[Index, ...]) -> None:
                steps = [int(np.prod(features[i + 1 :], dtype=np.int64)) for i in range(len(features))]
                length = features[-1] if features else 1
                whole = length // widest * widest

                def piece(j: Index, width: int) -> None:
                    offset = zip((*outer, j), [k * dtype.itemsize for k in steps] or [0], strict=False)
                    here = code.at_byte(source, code.sum((row, _row_bytes(buffer)), *offset))  # anywhere in a file
                    value = builder.load(here, typ=vector_type(dtype, width), align=1)
                    strides = tuple(t for t, n in zip(view.strides[1:], shape[1:], strict=True) if n != 1)
                    point = (*outer, j) if features else ()
                    place = code.sum((b, view.strides[0]), *zip(point, strides, strict=True))
                    builder.store(value, code.address(buffer, place), align=dtype.itemsize)

                code.loop(whole, lambda j: piece(j, widest), step=widest, unroll=whole // widest <= ROWS_WRITTEN_OUT)
                for j in range(whole, length):
                    piece(j, 1)

            code.nest(features[:-1], line)

        code.shared(shape[0], one)

    def _report(self, code: Code, step: PlannedStep, x: Any, s: Any, place: int) -> None:
        """A metric, number or array, written to its place among those of this step."""
        space = long_axes(x.shape)
        strides = [math.prod(space[i + 1 :]) for i in range(len(space))]
        begin = self.builder.add(self.builder.mul(s, i64(self.metrics)), i64(place))

        def one(point: tuple[Index, ...]) -> None:
            here = Point(code, step.memory, point, 1, 1)
            number = here.of_type(here.value(x, x.shape), np.dtype(np.float64))
            at = self.builder.add(begin, code.value(code.sum(*zip(point, strides, strict=True)))) if point else begin
            self.builder.store(number.value, self.builder.gep(self.report, [at], source_etype=ir.DoubleType()))

        code.shared_nest(space, one)

    def _commit(self, code: Code, step: PlannedStep, x: Any, buffer: Buffer) -> None:
        """A new state copied to where states are kept."""
        space = long_axes(buffer.shape)
        target = buffer.view()
        strides = long_strides(target)

        def one(point: tuple[Index, ...]) -> None:
            here = Point(code, step.memory, point, 1, 1)
            number = here.of_type(here.value(x, buffer.shape), buffer.dtype)
            code.store(target, strides, point, number.value, 1)

        code.shared_nest(space, one)
