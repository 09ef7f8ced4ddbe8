"""A training loop planned: its steps in groups, with a place in one arena for every value that must be in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from chainrule.engines.llvm.contractions.blocking import workspace_bytes
from chainrule.engines.llvm.machine.target import Target
from chainrule.engines.llvm.planning.buffers import Arena, Buffer, View
from chainrule.engines.llvm.planning.groups import Grouping, group
from chainrule.engines.llvm.planning.lowering import Lowered, lower
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.planning.row_blocks import in_blocks
from chainrule.engines.llvm.planning.rows_last import with_rows_last
from chainrule.engines.llvm.planning.sharing import work
from chainrule.engines.loop import TrainingLoop
from chainrule.tracing import Program, Variable, trees

SHORT = 400
"""Work, in vectors computed, up to which a step is written out without loops and lives in registers."""

LARGE = 8_000_000
"""Bytes of numbers computed, about, from which a step is compiled for several threads: it then takes some 20 µs or more."""

SLACK = 4096
"""Bytes after the arena's end that a last vector may read."""


@dataclass
class PlannedStep:
    """A training step ready to be written: its groups, its memory, and whether the rows of its data are their last axis."""

    program: Program
    grouping: Grouping
    memory: MemoryPlan
    rows_last: bool = False

    def batch(self, x: Variable) -> View:
        """Where a batch of the data is, its rows first."""
        whole = self.memory.buffers[x].view()
        if not self.rows_last:
            return whole
        (*strides, row), (*shape, rows) = whole.strides, whole.shape
        return View(whole.buffer, whole.start, (row, *strides), (rows, *shape))


@dataclass
class Plan:
    """What is decided before code is written.

    The arena of `size` bytes begins with a status, the state and the constants; the steps need `local` bytes of it, and the rest
    what measures. `unrolled` steps are written out without loops; `shared` ones may be
    carried out by several threads, each of which has a `workspace` of so many bytes of its own. All of it is for one `target`.
    """

    target: Target
    state: list[Buffer]
    steps: list[PlannedStep]
    measuring: PlannedStep | None
    local: int
    size: int
    unrolled: bool
    shared: bool
    workspace: int

    @property
    def constants(self) -> list[tuple[Buffer, Any]]:
        """All constants, with where they are."""
        planned = [*self.steps, *([] if self.measuring is None else [self.measuring])]
        return [pair for step in planned for pair in step.memory.constant_values]

    @property
    def arena_bytes(self) -> int:
        """The memory a runner needs."""
        return self.size + SLACK

    @property
    def workspace_bytes(self) -> int:
        """The memory each of its threads needs."""
        return self.workspace + SLACK if self.workspace else 0


def plan_loop(loop: TrainingLoop, target: Target) -> Plan:
    """The plan of a training loop."""
    widest = _widest(loop.step, loop.state, target)
    chosen = [_rows_chosen(p, loop.state, widest) for p in (loop.step, loop.last) if p is not None]
    lowered = [_lowered(p, loop.state, target, rows_last=last) for p, last in chosen]
    programs = [x.program for x in lowered]
    arena = Arena()
    state = []
    for x in programs[0].inputs[: loop.state]:
        state.append(Buffer(x.name, x.shape, x.dtype, widest))
        state[-1].offset = arena.take(state[-1].nbytes)
    groupings = [group(x) for x in lowered]
    unrolled = all(_vectors(g, widest) <= SHORT for g in groupings)
    shared = not unrolled and computed_bytes(groupings[0], target, widest) >= LARGE
    steps = [
        PlannedStep(program, grouping, MemoryPlan(program, grouping, state, arena, widest), last)
        for program, grouping, (_, last) in zip(programs, groupings, chosen, strict=True)
    ]
    measuring = None if loop.measurement is None else _measuring(loop.measurement.program, state, arena, widest)
    for step in steps:
        step.memory.place_values(reuse=not unrolled, shared=shared)
    local = arena.size
    if measuring is not None:
        measuring.memory.place_values(reuse=True, shared=shared)
    every = steps if measuring is None else [*steps, measuring]
    workspace = max(workspace_bytes(step.memory, step.grouping, target) for step in every)
    return Plan(target, state, steps, measuring, local, arena.size, unrolled, shared, workspace)


def _rows_chosen(program: Program, states: int, widest: int) -> tuple[Program, bool]:
    """A step with the rows of its data along the vectors, or as it is, and which of these."""
    data = [x for x in program.inputs[states:] if x.shape]
    turned = with_rows_last(program, data, widest)
    return (program, False) if turned is None else (turned, True)


def _lowered(program: Program, state: int, target: Target, *, rows_last: bool) -> Lowered:
    """A step in loops: added up across lanes where rows lie along the vectors, in blocks where they are many."""
    lowered = lower(program, state, across=rows_last)
    return lowered if rows_last else in_blocks(lowered, lowered.program.inputs[state:], target)


def computed_bytes(grouping: Grouping, target: Target, widest: int) -> int:
    """About how many bytes of numbers are computed."""
    return int(sum(map(work, grouping.groups))) * (target.vector_bytes // widest)


def _measuring(program: Program, state: list[Buffer], arena: Arena, widest: int) -> PlannedStep:
    """What is measured of a state as a step that leaves it as it is."""
    kept = (*program.inputs[: len(state)], *program.outputs)
    step = replace(program, outputs=kept, outputs_structure=trees.row(len(kept)))
    lowered = lower(step, len(state))
    grouping = group(lowered)
    return PlannedStep(lowered.program, grouping, MemoryPlan(lowered.program, grouping, state, arena, widest))


def _widest(program: Program, state: int, target: Target) -> int:
    """Lanes of the widest vectors, set by the real numbers of the state."""
    sizes = [x.dtype.itemsize for x in program.inputs[:state] if x.dtype.kind == "f"]
    return target.lanes(max(sizes, default=4))


def _vectors(grouping: Grouping, widest: int) -> int:
    """About how many vectors a step computes."""
    return sum(int(work(g)) // min(widest, max(g.space[-1:], default=1)) for g in grouping.groups)
