"""The training loop as one function: gather a batch, carry out the step, write its metrics, and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.inspection import keep_stages
from chainrule.engines.llvm.machine.machine import CompiledFunction, subnormals_flushed
from chainrule.engines.llvm.machine.target import Target
from chainrule.engines.llvm.plan import Plan, plan_loop
from chainrule.engines.llvm.planning.buffers import STATUS_BYTES, Buffer, storage_type
from chainrule.engines.llvm.runs.steps import Feed, Report, StepWriter
from chainrule.engines.llvm.threads import team
from chainrule.engines.llvm.threads.thread_group import ThreadGroup
from chainrule.engines.llvm.writing.code import Code, i1, i8, i32, i64, pointer, vector_type
from chainrule.engines.llvm.writing.positions import Index
from chainrule.engines.loop import TrainingLoop
from chainrule.tracing.identity import identity

# The table's other places: the address of the order of rows, how far apart the orders of two epochs are, the steps of an epoch and
# the rows, the address of the metrics, the first step and how many, then the addresses of data and numbers; of what is measured the
# order of rows, the batches, data and numbers.
ORDER, EPOCH_STRIDE, STEPS, ROWS, METRICS, FIRST, COUNT, FEED = range(team.REST, team.REST + 8)


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
    measured = None if loop.measurement is None else loop.measurement.program
    programs = [identity(program) for program in (loop.step, loop.last, measured) if program is not None]
    if None in programs:
        return None
    layout = plan.local, plan.size, plan.unrolled, plan.shared, plan.workspace, plan.state[0].widest
    return f"training {programs} {loop.state} {loop.batch_size} {data} {layout}"


class _Writer:
    """The function's text."""

    def __init__(self, loop: TrainingLoop, data: int, plan: Plan) -> None:
        self.loop, self.plan, self.steps = loop, plan, plan.steps
        self.given = data, len(plan.steps[0].program.inputs) - loop.state - data

    def write(self) -> str:
        module = ir.Module("training")
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer]), "run")
        function.args[0].rename("table")
        function.args[0].attributes.append("noalias")
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        self.builder, self.table = builder, function.args[0]
        self.arena = memory = self._address(team.ARENA)
        self.workspace = self._address(team.WORKSPACE)
        begin = function.append_basic_block("begin")
        if self.plan.unrolled:
            local = builder.alloca(ir.ArrayType(i8, self.plan.local + 128))
            local.align = 64
            memory = local
        self.order, self.report = self._address(ORDER), self._address(METRICS)
        self.first, self.count, self.epoch_stride = self._number(FIRST), self._number(COUNT), self._number(EPOCH_STRIDE)
        self.steps_per_epoch = self._number(STEPS)
        feed, rest = self._feed(FEED, *self.given, self._number(ROWS))
        threads = None
        if self.plan.shared:
            threads = ThreadGroup(builder, self.arena, self._number(team.THREAD), self._number(team.THREADS))
        measuring = self._measuring(rest, threads)
        builder.branch(begin)
        builder.position_at_end(begin)
        code = Code(
            builder, memory, self.plan.target, unrolled=self.plan.unrolled, threads=threads, workspace=self.workspace
        )
        if self.plan.unrolled:
            self._transfer(self.arena, memory, [*self.plan.state, *(buffer for buffer, _ in self.plan.constants)])
        with subnormals_flushed(builder):
            self._all_steps(code, feed, measuring)
        if self.plan.unrolled:
            self._transfer(memory, self.arena, self.plan.state)
        builder.ret_void()
        return str(module)

    def _feed(self, place: int, data: int, numbers: int, rows: Any) -> tuple[Feed, int]:
        """The addresses of data and numbers in the table, and where it goes on."""
        middle, end = place + data, place + data + numbers
        return Feed(
            [self._address(i) for i in range(place, middle)], [self._address(i) for i in range(middle, end)], rows
        ), end

    def _measuring(self, place: int, threads: ThreadGroup | None) -> Callable[[Any], None] | None:
        """What writes the measuring of the state in the arena, batch by batch, into a row of the report."""
        measured, step = self.loop.measurement, self.plan.measuring
        if measured is None or step is None:
            return None
        order, batches = self._address(place), self._number(place + 1)
        feed, _ = self._feed(place + 2, measured.data, 1, self.builder.mul(batches, i64(measured.batch_size)))
        report = Report(self.report, self.loop.reported, self.loop.metrics, added=True)

        def write(reported: Any) -> None:
            code = Code(
                self.builder, self.arena, self.plan.target, unrolled=False, threads=threads, workspace=self.workspace
            )
            writer = StepWriter(code, self.loop.state, step, feed, report)

            def batch(index: Index) -> None:
                number = code.value(index)
                begin = self.builder.mul(number, i64(measured.batch_size))
                rows = self.builder.gep(order, [begin], source_etype=i32)
                writer.write(rows, rows, i1(True), number, reported)

            code.loop(code.positions.found(batches), batch)

        return write

    def _all_steps(self, code: Code, feed: Feed, measuring: Callable[[Any], None] | None) -> None:
        """The loop over steps, which knows the batch and the epoch it is in, and what comes next."""
        builder, epoch_stride, steps = self.builder, self.epoch_stride, self.steps_per_epoch
        report = Report(self.report, self.loop.reported, 0)
        writers = [StepWriter(code, self.loop.state, step, feed, report) for step in self.steps]

        def rows_of(batch: Any, epoch: Any) -> Any:
            start = builder.add(builder.mul(epoch, epoch_stride), builder.mul(batch, i64(self.loop.batch_size)))
            return builder.gep(self.order, [start], source_etype=i32)

        def step(index: Index, carried: list[Any]) -> list[Any]:
            s, (batch, epoch) = code.value(index), carried
            code.threads.end_if_held_up(s)
            rows = rows_of(batch, epoch)
            ends = builder.icmp_signed("==", batch, builder.sub(steps, i64(1)))
            following = [
                builder.select(ends, i64(0), builder.add(batch, i64(1))),
                builder.select(ends, builder.add(epoch, i64(1)), epoch),
            ]
            if len(writers) == 1:
                gathering = builder.or_(changing, builder.icmp_signed("==", s, i64(0)))
                final = builder.icmp_signed("==", s, builder.sub(self.count, i64(1)))
                writers[0].write(rows, builder.select(final, rows, rows_of(*following)), gathering, s, s)
            else:
                with builder.if_else(ends) as (last, full):
                    with last:
                        writers[1].write(rows, rows, i1(True), s, s)
                    with full:
                        writers[0].write(rows, rows, i1(True), s, s)
            if measuring is not None:
                with builder.if_then(ends):
                    if self.plan.unrolled:
                        self._transfer(code.memory, self.arena, self.plan.state)
                    measuring(s)
                    if self.plan.unrolled:  # the status, which may say by now that an index was out of bounds
                        self._transfer(self.arena, code.memory, [])
            return following

        same_order, one_batch = (builder.icmp_signed("==", x, i64(n)) for x, n in ((epoch_stride, 0), (steps, 1)))
        changing = builder.not_(builder.and_(same_order, one_batch))  # if not, the rows of the step before are there
        begins = [builder.srem(self.first, steps), builder.sdiv(self.first, steps)]
        code.carried_loop(code.positions.found(self.count), begins, step, leave=code.threads.have_parted)

    def _transfer(self, source: Any, target: Any, buffers: list[Buffer]) -> None:
        """Copy the status and these buffers from the arena to registers, or back, number by number, as what they are."""
        places = [(offset, i32, 4) for offset in range(0, STATUS_BYTES, 4)]
        for buffer in buffers:
            stored = storage_type(buffer.dtype)
            size = stored.itemsize
            places += [(buffer.offset + i, vector_type(stored, 1), size) for i in range(0, buffer.nbytes, size)]
        for offset, kind, align in places:
            at = [self.builder.gep(base, [i64(offset)], source_etype=i8) for base in (source, target)]
            self.builder.store(self.builder.load(at[0], typ=kind, align=align), at[1], align=align)

    def _address(self, place: int) -> Any:
        return self.builder.inttoptr(self._number(place), pointer)

    def _number(self, place: int) -> Any:
        return self.builder.load(self.builder.gep(self.table, [i64(place)], source_etype=i64), typ=i64)
