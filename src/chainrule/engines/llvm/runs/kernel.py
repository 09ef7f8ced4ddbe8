"""A single Program as machine code: arrays in, arrays out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from chainrule.engines import cores
from chainrule.engines.engine import Executable, Workspace, Workspaces
from chainrule.engines.llvm import ir
from chainrule.engines.llvm.contractions.blocking import workspace_bytes
from chainrule.engines.llvm.emission import emission
from chainrule.engines.llvm.inspection import groups_text, keep_stages, memory_text
from chainrule.engines.llvm.machine.machine import CompiledFunction, target
from chainrule.engines.llvm.machine.target import Target
from chainrule.engines.llvm.plan import SLACK, computed_bytes
from chainrule.engines.llvm.planning import pages
from chainrule.engines.llvm.planning.buffers import Arena, status, storage_type
from chainrule.engines.llvm.planning.groups import Grouping, group
from chainrule.engines.llvm.planning.lowering import kinds, lower
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.threads.team import ARENA, THREAD, THREADS, WORKSPACE, Team
from chainrule.engines.llvm.threads.thread_choice import ThreadChoice, callers
from chainrule.engines.llvm.threads.thread_group import ThreadGroup
from chainrule.engines.llvm.writing.code import Code, i64, pointer
from chainrule.errors import PositionError
from chainrule.tracing import Literal, Program, Variable
from chainrule.tracing.identity import identity

LARGE = 80_000_000
"""Bytes of numbers computed, about, from which a call is shared out among threads: it takes some 200 µs then, and waking them 50."""


class Kernel(Executable):
    """A compiled Program. Each call has memory of its own."""

    def __init__(self, program: Program) -> None:
        whole = lower(program)
        lowered = whole.program
        sizes = [kind.itemsize for kind in kinds(lowered) if kind.kind == "f"]
        arena = Arena()
        self.target = target()
        self.program, self.grouping = lowered, group(whole)
        self.memory = MemoryPlan(lowered, self.grouping, [], arena, self.target.lanes(max(sizes, default=4)))
        self.shared = computed_bytes(self.grouping, self.target, self.memory.widest) >= LARGE
        self.memory.place_values(reuse=True, shared=self.shared)
        self.arena_bytes = arena.size
        self.workspace_bytes = workspace_bytes(self.memory, self.grouping, self.target)
        known = identity(program)
        write = partial(_text, self.memory, self.grouping, self.target, self.shared)
        self.function = CompiledFunction(
            write,
            "run",
            self.target,
            None if known is None else f"kernel {self.workspace_bytes} {self.shared} {known}",
        )
        keep_stages(program, lowered, self.grouping, self.memory, self.function)
        self._workspaces = Workspaces()

    def __call__(self, *inputs: Any) -> tuple[Any, ...]:
        """The outputs for these inputs, whose shapes and dtypes must be the Program's."""
        workspace = self._workspaces.take(self.workspace)
        for place, value in zip(workspace.inputs, inputs, strict=True):
            place[...] = value
        outputs = tuple([x.copy() if x.shape else x[()] for x in workspace.run()])
        self._workspaces.append(workspace)
        return outputs

    def workspace(self) -> Workspace:
        """Memory of its own."""
        return KernelWorkspace(self)

    @property
    def stages(self) -> Mapping[str, Callable[[], str]]:
        """The loops it was grouped into, the plan of its memory, LLVM's code and the machine's."""
        return {
            "loops": lambda: groups_text(self.grouping),
            "memory": lambda: memory_text(self.memory),
            "llvm": lambda: str(self.function.ir),
            "assembly": lambda: str(self.function.assembly),
        }


class KernelWorkspace(Workspace):
    """Memory for one call of a kernel at a time, with its inputs and outputs as arrays that lie in it."""

    def __init__(self, kernel: Kernel) -> None:
        arena = pages.zeros(kernel.arena_bytes + SLACK)
        plan, program = kernel.memory, kernel.program
        for buffer, value in plan.constant_values:
            view_of(plan, Literal(value), arena, buffer.view())[...] = value
        self.inputs = [view_of(plan, x, arena) for x in program.inputs]
        self._outputs = [_output(plan, x, arena) for x in program.outputs]
        own = kernel.workspace_bytes
        self._team = Team(kernel.function, arena, own + SLACK if own else 0)
        self._table, self._status = self._team.table(0, 1, []), status(arena)
        self._run, self._address, self._name = kernel.function.at, self._table.ctypes.data, program.name
        self._choice = ThreadChoice(cores.most()) if kernel.shared else None

    def run(self) -> Sequence[Any]:
        """The outputs for the inputs as they are, where they lie."""
        self._status[0] = 0
        if self._choice is None:
            self._run(self._address)
        else:
            self._share_out(self._choice)
        if self._status[0]:
            raise PositionError(
                f"an index in {self._name} is out of bounds for the array it picks from; "
                "give positions that are there, counted from 0."
            )
        return self._outputs

    def _share_out(self, choice: ThreadChoice) -> None:
        """Run in as many threads as were fastest lately, the time it takes to wake them counted."""
        with callers() as calls:
            for wanted, _ in choice.parts(1):
                threads = min(wanted, max(1, cores.usable() // calls))
                started = time.perf_counter()
                carried = self._team.carry_out(threads, [], self, choice.patience)
                choice.note(threads, 1, time.perf_counter() - started, held_up=carried.held_up)


def _text(memory: MemoryPlan, grouping: Grouping, target: Target, shared: bool) -> str:
    """The function's text.

    It is no method, which would hold the kernel that holds it: machine code is freed as soon as its kernel is given up.
    """
    module = ir.Module("kernel")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer]), "run")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    arena, workspace = (builder.inttoptr(_told(builder, place), pointer) for place in (ARENA, WORKSPACE))
    threads = ThreadGroup(builder, arena, _told(builder, THREAD), _told(builder, THREADS)) if shared else None
    begin = function.append_basic_block("begin")
    builder.branch(begin)
    builder.position_at_end(begin)
    code = Code(builder, arena, target, unrolled=False, threads=threads, workspace=workspace)
    emission.emit(code, memory, grouping)
    builder.ret_void()
    return str(module)


def _told(builder: Any, place: int) -> Any:
    """A number of the table."""
    return builder.load(builder.gep(builder.function.args[0], [i64(place)], source_etype=i64), typ=i64)


def _output(memory: MemoryPlan, x: Any, arena: Any) -> Any:
    if isinstance(x, Variable):
        found = view_of(memory, x, arena)
        return found.view(np.bool_) if x.dtype == np.bool_ else found
    return np.asarray(x.value)


def view_of(memory: MemoryPlan, x: Any, arena: Any, view: Any = None) -> Any:
    """The numbers of a variable in an arena, as an array that shares its memory."""
    view = memory.view(x) if view is None else view
    kind = storage_type(view.buffer.dtype)
    whole = arena[view.buffer.offset :].view(np.uint8)[: view.buffer.nbytes].view(kind)[view.start :]
    strides = tuple(s * kind.itemsize for s in view.strides)
    return np.lib.stride_tricks.as_strided(whole, view.shape, strides)
