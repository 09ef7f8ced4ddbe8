"""The training loop as one function: gather a batch, carry out the step, write its figures, and again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import ir

from chainrule.engines.llvm import emission
from chainrule.engines.llvm.buffers import Arena, Buffer, long_axes, long_strides
from chainrule.engines.llvm.code import Code, Index, i8, i32, i64, pointer, vector_type
from chainrule.engines.llvm.groups import Grouping, group
from chainrule.engines.llvm.lowering import lower
from chainrule.engines.llvm.machine import Function, vector_bytes
from chainrule.engines.llvm.memory import Memory
from chainrule.engines.llvm.nests import Point
from chainrule.engines.llvm.sharing import work
from chainrule.engines.llvm.team import Team
from chainrule.engines.loop import TrainingLoop
from chainrule.tracing import Program

SHORT = 400
"""Work, in vectors computed, up to which a step is written out without loops and lives in registers."""

LARGE = 2_000_000
"""Numbers computed, about, from which a step is compiled for several threads: it then takes some 50 µs or more."""

# The table's places: addresses of the arena and the order of rows, how far apart the orders of two epochs are, the
# address of the figures, the first step and how many, which thread this is and of how many, then the
# addresses of data and numbers.
ARENA, ORDER, PACE, FIGURES, FIRST, COUNT, THREAD, THREADS, REST = range(9)


@dataclass
class Step:
    """A training step ready to be written: its groups and its memory."""

    program: Program
    grouping: Grouping
    memory: Memory
    rows: int


@dataclass
class Compiled:
    """A compiled training loop, with the layout of its arena."""

    function: Function
    arena_bytes: int
    state: list[Buffer]
    constants: list[tuple[Buffer, Any]]
    steps: list[Step]
    shared: bool


@lru_cache(maxsize=64)
def compile_loop(loop: TrainingLoop, data: int) -> Compiled:
    """Machine code for a training loop over so many data arrays."""
    programs = [lower(p) for p in (loop.step, loop.last) if p is not None]
    widest = _widest(programs[0], loop.state)
    arena = Arena()
    state = []
    for x in programs[0].inputs[: loop.state]:
        state.append(Buffer(x.name, x.shape, x.dtype, widest))
        state[-1].offset = arena.take(state[-1].nbytes)
    groupings = [group(program) for program in programs]
    unrolled = all(_vectors(g, widest) <= SHORT for g in groupings)
    shared = sum(map(work, groupings[0].groups)) >= LARGE
    sizes = [loop.batch_size, loop.rows % loop.batch_size]
    steps = [
        Step(program, grouping, Memory(program, grouping, state, arena, widest), size)
        for program, grouping, size in zip(programs, groupings, sizes, strict=False)
    ]
    filled = arena.size
    for step in steps:
        step.memory.place_values(reuse=not unrolled, shared=shared)
    text = _Writer(loop, data, steps, state, (filled, arena.size), unrolled=unrolled, shared=shared).write()
    constants = [pair for step in steps for pair in step.memory.constant_values]
    return Compiled(Function(text, "run"), arena.size + 4096, state, constants, steps, shared)


def _widest(program: Program, state: int) -> int:
    """Lanes of the widest vectors, set by the real numbers of the state."""
    sizes = [x.dtype.itemsize for x in program.inputs[:state] if x.dtype.kind == "f"]
    return vector_bytes() // max(sizes, default=4)


def _vectors(grouping: Grouping, widest: int) -> int:
    """About how many vectors a step computes."""
    return sum(work(g) // min(widest, max(g.space[-1:], default=1)) for g in grouping.groups)


class _Writer:
    """The function's text."""

    def __init__(
        self,
        loop: TrainingLoop,
        data: int,
        steps: list[Step],
        state: list[Buffer],
        sizes: tuple[int, int],
        *,
        unrolled: bool,
        shared: bool,
    ) -> None:
        self.loop, self.data, self.steps, self.state = loop, data, steps, state
        self.unrolled, self.shared = unrolled, shared
        self.filled, self.size = sizes
        self.figures = len(steps[0].program.outputs) - loop.state
        self.inputs = len(steps[0].program.inputs) - loop.state

    def write(self) -> str:
        module = ir.Module("training")
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer]), "run")
        function.args[0].name = "table"
        function.args[0].add_attribute("noalias")
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        self.builder, self.table = builder, function.args[0]
        arena = self._address(ARENA)
        memory = arena
        begin = function.append_basic_block("begin")
        state_bytes = max(-(-(b.offset + b.nbytes) // 64) * 64 for b in self.state)  # the status and the state
        if self.unrolled:
            local = builder.alloca(ir.ArrayType(i8, self.size + 128))
            local.align = 64
            local.type = pointer  # untyped, so that anything may be stored in it
            memory = local
        order, figures = self._address(ORDER), self._address(FIGURES)
        first, count, pace = self._number(FIRST), self._number(COUNT), self._number(PACE)
        self.sources = [self._address(REST + i) for i in range(self.inputs)]
        team = None
        if self.shared:
            team = Team(builder, arena, self._number(THREAD), self._number(THREADS))
        builder.branch(begin)
        builder.position_at_end(begin)
        code = Code(builder, memory, unrolled=self.unrolled, team=team)
        if self.unrolled:
            self._transfer(arena, memory, self.filled)

        def step(s: Index) -> None:
            here = builder.add(first, s)
            epoch = builder.sdiv(here, i64(self.loop.steps_per_epoch))
            batch = builder.srem(here, i64(self.loop.steps_per_epoch))
            start = builder.add(builder.mul(epoch, pace), builder.mul(batch, i64(self.loop.batch_size)))
            rows = builder.gep(order, [start], source_etype=i32)
            if len(self.steps) == 1:
                self._step(code, self.steps[0], rows, s, figures)
                return
            is_last = builder.icmp_signed("==", batch, i64(self.loop.steps_per_epoch - 1))
            with builder.if_else(is_last) as (last, full):
                with last:
                    self._step(code, self.steps[1], rows, s, figures)
                with full:
                    self._step(code, self.steps[0], rows, s, figures)

        code.loop(count, step)
        if self.unrolled:
            self._transfer(memory, arena, state_bytes)
        builder.ret_void()
        return str(module)

    def _transfer(self, source: Any, target: Any, nbytes: int) -> None:
        """Copy the arena to registers and the state back, a vector at a time."""
        for offset in range(0, nbytes, 4):
            at = [self.builder.gep(base, [i64(offset)], source_etype=i8) for base in (source, target)]
            self.builder.store(self.builder.load(at[0], typ=i32, align=4), at[1], align=4)

    def _address(self, place: int) -> Any:
        return self.builder.inttoptr(self._number(place), pointer)

    def _number(self, place: int) -> Any:
        return self.builder.load(self.builder.gep(self.table, [i64(place)], source_etype=i64), typ=i64)

    def _step(self, code: Code, step: Step, rows: Any, s: Any, figures: Any) -> None:
        """One training step on the rows that `rows` points to."""
        inputs = step.program.inputs[self.loop.state :]
        for i, (x, source) in enumerate(zip(inputs, self.sources, strict=True)):
            buffer = step.memory.buffers[x]
            with code.team.turn([], [buffer], shared=i < self.data):
                if i < self.data:
                    self._gather(code, buffer, source, rows)
                else:
                    self._take_number(code, buffer, source, s)
        emission.emit(code, step.memory, step.grouping)
        figured = step.memory.places(step.program.outputs[self.loop.state :])
        with code.team.turn(figured, [], shared=False):
            self._write_figures(code, step, s, figures)
        for x, buffer in step.memory.commits:
            with code.team.turn(step.memory.places([x]), [buffer], shared=True):
                self._commit(code, step, x, buffer)
        code.team.meet()

    def _take_number(self, code: Code, buffer: Buffer, source: Any, s: Any) -> None:
        kind = vector_type(buffer.dtype, 1)
        value = self.builder.load(self.builder.gep(source, [s], source_etype=kind), typ=kind)
        self.builder.store(value, code.address(buffer, 0))

    def _gather(self, code: Code, buffer: Buffer, source: Any, rows: Any) -> None:
        """Rows of a data array, copied into a buffer whose rows are padded."""
        builder, dtype = self.builder, buffer.dtype
        view, shape = buffer.view(), buffer.shape
        row_size = int(np.prod(shape[1:], dtype=np.int64))
        features = long_axes(shape[1:])
        widest = buffer.widest

        def one(b: Index) -> None:
            position = builder.gep(rows, [i64(b) if isinstance(b, int) else b], source_etype=i32)
            row = builder.sext(builder.load(position, typ=i32), i64)
            begin = builder.gep(source, [builder.mul(row, i64(row_size * dtype.itemsize))], source_etype=i8)

            def line(outer: tuple[Index, ...]) -> None:
                steps = [int(np.prod(features[i + 1 :], dtype=np.int64)) for i in range(len(features))]
                length = features[-1] if features else 1
                whole = length // widest * widest

                def piece(j: Index, width: int) -> None:
                    offset = code.sum(*zip((*outer, j), [k * dtype.itemsize for k in steps] or [0], strict=False))
                    value = builder.load(
                        code.at_byte(begin, offset), typ=vector_type(dtype, width), align=dtype.itemsize
                    )
                    strides = tuple(t for t, n in zip(view.strides[1:], shape[1:], strict=True) if n != 1)
                    point = (*outer, j) if features else ()
                    place = code.sum((b, view.strides[0]), *zip(point, strides, strict=True))
                    builder.store(value, code.address(buffer, place), align=dtype.itemsize)

                code.loop(whole, lambda j: piece(j, widest), step=widest)
                for j in range(whole, length):
                    piece(j, 1)

            code.nest(features[:-1], line)

        code.shared(shape[0], one)

    def _write_figures(self, code: Code, step: Step, s: Any, figures: Any) -> None:
        point = Point(code, step.memory, (), 1, 1)
        for i, x in enumerate(step.program.outputs[self.loop.state :]):
            number = point.of_type(point.value(x, ()), np.dtype(np.float64))
            place = self.builder.add(self.builder.mul(s, i64(self.figures)), i64(i))
            self.builder.store(number.value, self.builder.gep(figures, [place], source_etype=ir.DoubleType()))

    def _commit(self, code: Code, step: Step, x: Any, buffer: Buffer) -> None:
        """A new state copied to where states are kept."""
        space = long_axes(buffer.shape)
        target = buffer.view()
        strides = long_strides(target)

        def one(point: tuple[Index, ...]) -> None:
            here = Point(code, step.memory, point, 1, 1)
            number = here.of_type(here.value(x, buffer.shape), buffer.dtype)
            code.store(target, strides, point, number.value, 1)

        code.shared_nest(space, one)
