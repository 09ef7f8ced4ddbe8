"""The memory plan: a place in one arena for every value that must be in memory, used again when the value is done with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from chainrule.engines.llvm.planning.buffers import Arena, Buffer, View, long_axes
from chainrule.engines.llvm.planning.groups import Group, Grouping, Inner
from chainrule.engines.llvm.planning.layouts import adds_up, goes_from_inputs, is_strided, keeps_places, links_of
from chainrule.engines.llvm.planning.sharing import BLOCKS, collected_by_blocks
from chainrule.ops import Elementwise, Layout
from chainrule.tracing import Equation, Literal, Program, Variable
from chainrule.tracing.program import Atom


class Reading:
    """What a group reads, asked for every value that ends there and every one that begins.

    `order` is that of the pointwise results; `begun_with` is the one of them that may be written before all others, as the sum that
    it is added to; `at_points` has for every value in memory which of these read it, and as what; `before_writing` are those that
    its folds and its root read.
    """

    def __init__(self, memory: MemoryPlan, group: Group) -> None:
        self.order = {e.output: i for i, e in enumerate(group.pointwise)}
        self.begun_with = None if group.addition is None else group.addition[1]
        self.at_points: dict[Atom, list[tuple[Variable, Variable]]] = {}
        for e in group.pointwise:
            for x in e.inputs:
                if isinstance(x, Variable):
                    self.at_points.setdefault(memory.root(x), []).append((x, e.output))
        others = [*group.folds, *([] if group.root is None else [group.root])]
        self.before_writing = {memory.root(x) for e in others for x in e.inputs if isinstance(x, Variable)}

    def is_read_before(self, old: Atom, new: Variable) -> bool:
        """Whether a value is in a register, or read by nobody any more, when another is written.

        Who reads it first leaves it in a register for those after; but what a sum begins with may be read apart from all others.
        """
        readers = [reader for _, reader in self.at_points.get(old, [])]
        if new is self.begun_with:
            return all(reader is new for reader in readers)
        apart = [reader for reader in readers if reader is self.begun_with]
        first = [reader for reader in readers if reader is not self.begun_with][:1]
        return all(self.order[reader] <= self.order[new] for reader in (*first, *apart))


class MemoryPlan:
    """Buffers of one step: the state at the beginning of the arena, then constants, then everything else.

    `commits` are the new states that could not be written in place of the old ones, with where they belong; `parts`
    the sums that blocks of rows collect where threads share them out. What the body of a loop computes whose rounds are done in
    any order lies in `own_bytes` of the thread that does a round.
    """

    def __init__(self, program: Program, grouping: Grouping, state: list[Buffer], arena: Arena, widest: int) -> None:
        self.program, self.grouping, self.widest = program, grouping, widest
        self.buffers: dict[Variable, Buffer] = dict(zip(program.inputs, state, strict=False))
        self.parts: dict[Variable, Buffer] = {}
        self.constants: dict[int, Buffer] = {}
        self.constant_values: list[tuple[Buffer, Any]] = []
        self.commits: list[tuple[Variable, Buffer]] = []
        self.own_bytes = 0
        self._state, self._arena = state, arena
        self._last = self._last_uses()
        self._reading: dict[int, Reading] = {}
        self._place_constants()
        self.inner = {g: self._of_body(g.inner) for g in grouping.groups if g.inner is not None}

    def place_values(self, *, reuse: bool, shared: bool = False) -> None:
        """Give every value its place, after the constants of all steps have theirs: those are written only once."""
        self._place_outputs()
        self._place_rest(reuse, shared)

    def _of_body(self, inner: Inner) -> MemoryPlan:
        """The plan of a loop's body, of which only the constants have their places now."""
        state = [Buffer(x.name, x.shape, x.dtype, self.widest) for x in inner.program.inputs[: inner.states]]
        plan = MemoryPlan(inner.program, inner.grouping, state, self._arena, self.widest)
        self.constant_values += plan.constant_values
        return plan

    # --- reading the plan

    def view(self, x: Atom) -> View:
        """Where an operand is read."""
        if isinstance(x, Literal):
            return self.constants[id(x.value)].view()
        if x not in self.grouping.views:
            return self.buffers[x].view()
        equation = self.grouping.views[x]
        return self.view(equation.inputs[0]).through(links_of(equation)[0], equation.output.shape)

    def register(self, x: Variable) -> Variable:
        """The variable whose register holds `x`, seen through views that only add or drop axes of length 1."""
        while x in self.grouping.views and keeps_places(self.grouping.views[x]):
            source = self.grouping.views[x].inputs[0]
            if not isinstance(source, Variable):
                break
            x = source
        return x

    def root(self, x: Variable) -> Atom:
        """The variable or constant whose memory `x` reads."""
        current: Atom = x
        while isinstance(current, Variable) and current in self.grouping.views:
            current = self.grouping.views[current].inputs[0]
        return current

    def places(self, values: Iterable[Atom]) -> list[Buffer]:
        """The memory these values are read from, constants left out: nobody writes those."""
        roots = (self.root(x) for x in values if isinstance(x, Variable))
        return [self.buffers[x] for x in roots if isinstance(x, Variable) and x in self.buffers]

    def read_by(self, group: Group) -> list[Buffer]:
        """The memory a group reads."""
        return self.places(x for e in group.equations for x in e.inputs)

    def written_by(self, group: Group) -> list[Buffer]:
        """The memory a group writes."""
        parts = [self.parts[e.output] for e in group.equations if e.output in self.parts]
        inside = self.inner[group].everything() if group in self.inner else []
        return parts + inside + [self.buffers[x] for x in self._results(group)]

    def everything(self) -> list[Buffer]:
        """All memory of the plan in the arena, constants left out."""
        inside = [buffer for plan in self.inner.values() for buffer in plan.everything()]
        return [x for x in (*self.buffers.values(), *inside) if not x.private]

    def copies(self, equation: Equation) -> list[tuple[View, View]] | None:
        """What a move copies where, element by element, if that is all it does but for zeros in between."""
        if not isinstance(equation.op, Layout) or adds_up(equation):
            return None
        links, strided = links_of(equation), is_strided(equation)
        if not (strided or goes_from_inputs(equation)):
            return None
        output = self.view(equation.output)
        if strided:
            return [(self.view(equation.inputs[0]).through(links[0], equation.output.shape), output)]
        moved = zip(equation.inputs[: equation.op.linear], links, strict=False)
        return [(self.view(x), output.part(own, x.shape)) for x, own in moved]

    # --- making the plan

    def _last_uses(self) -> dict[Variable, int]:
        last: dict[Variable, int] = {}
        for place, group in enumerate(self.grouping.groups):
            for equation in group.equations:
                for x in equation.inputs:
                    source = self.root(x) if isinstance(x, Variable) else x
                    if isinstance(source, Variable):
                        last[source] = place
        for x in self.program.outputs:
            source = self.root(x) if isinstance(x, Variable) else x
            if isinstance(source, Variable):
                last[source] = len(self.grouping.groups)
        return last

    def _new(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Buffer:
        buffer = Buffer(name, shape, dtype, self.widest, private=self._arena.private)
        buffer.offset = self._arena.take(buffer.nbytes)
        return buffer

    def _place_constants(self) -> None:
        grouped = (e for g in self.grouping.groups for e in g.equations)
        for equation in (*grouped, *self.grouping.views.values()):
            for x in equation.inputs:
                if x.shape or not isinstance(equation.op, Elementwise):  # single numbers are written into the code
                    self._place_constant(x)
        for x in self.program.outputs:
            if x.shape:
                self._place_constant(x)

    def _place_constant(self, x: Atom) -> None:
        if isinstance(x, Literal) and id(x.value) not in self.constants:
            value = np.asarray(x.value)
            self.constants[id(x.value)] = self._new("constant", value.shape, value.dtype)
            self.constant_values.append((self.constants[id(x.value)], value))

    def _place_outputs(self) -> None:
        """New states go where the old ones are, unless the old ones are still to be read."""
        taken: set[Variable] = set()
        homes = {e.output: i for i, group in enumerate(self.grouping.groups) for e in group.equations}
        for x, buffer, old in zip(self.program.outputs, self._state, self.program.inputs, strict=False):
            if x is old:
                continue
            if isinstance(x, Variable) and x not in taken and x not in self.buffers and x not in self.grouping.views:
                taken.add(x)
                if self._replaces(old, x, homes[x]):
                    self.buffers[x] = buffer
                    continue
            self.commits.append((x, buffer))  # type: ignore[arg-type]

    def _replaces(self, old: Variable, new: Variable, home: int) -> bool:
        """Whether a value computed by group `home` may overwrite `old`: nobody reads it afterwards or elsewhere."""
        last = self._last.get(old, -1)
        if last != home:
            return last < home
        if home not in self._reading:
            self._reading[home] = Reading(self, self.grouping.groups[home])
        reading = self._reading[home]
        if new not in reading.order or old in reading.before_writing:
            return False  # a fold, a product or a move writes its result before it has read everything
        if not reading.is_read_before(old, new):
            return False
        reads = reading.at_points.get(old, [])
        return all(self.register(x) is old and x.type.size == result.type.size for x, result in reads)

    def _place_rest(self, reuse: bool, shared: bool) -> None:
        for x in self.program.inputs[len(self._state) :]:
            if x not in self.buffers:
                self.buffers[x] = self._new(x.name, x.shape, x.dtype)
        held: dict[Variable, Buffer] = {}
        ending: dict[int, list[Variable]] = {}  # those that are read for the last time by a group
        for place, group in enumerate(self.grouping.groups):
            for x in self._results(group):
                if x in self.buffers:
                    continue
                old = next(
                    (v for v in ending.get(place, []) if reuse and v in held and self._gives_way(v, x, place)), None
                )
                if old is None:
                    self.buffers[x] = self._new(x.name, x.shape, x.dtype)
                else:
                    given = held.pop(old)
                    self.buffers[x] = Buffer(x.name, x.shape, x.dtype, self.widest, given.offset, given.private)
                held[x] = self.buffers[x]
                ending.setdefault(self._last.get(x, place), []).append(x)
            for x in collected_by_blocks(group) if shared else []:
                self.parts[x] = self._new(f"{x.name}_parts", (BLOCKS, *x.shape), x.dtype)
            inside = self._place_body(group, reuse) if group in self.inner else []
            if reuse:
                done = [self.parts[e.output] for e in group.equations if e.output in self.parts] + inside
                done += [held.pop(x) for x in ending.get(place, []) if x in held]
                for buffer in done:
                    self._arena.give_back(buffer.offset, buffer.nbytes)
        if reuse:
            for buffer in held.values():
                self._arena.give_back(buffer.offset, buffer.nbytes)

    def _place_body(self, group: Group, reuse: bool) -> list[Buffer]:
        """Places for what the body of a loop computes; gives those that are needed until the loop has ended.

        What is the same in every step is read where it lies already, unless only a view of it does.
        """
        assert group.root is not None
        assert group.inner is not None
        plan, body = self.inner[group], group.root.attributes["body"]
        plan._arena = Arena(private=True) if group.inner.apart else self._arena
        for buffer in plan._state:
            buffer.offset, buffer.private = self._arena.take(buffer.nbytes), self._arena.private
        first = body.states + body.sequences
        for x, outer in zip(plan.program.inputs[first:], group.root.inputs[first:], strict=True):
            whole = self.constants[id(outer.value)] if isinstance(outer, Literal) else self.buffers.get(outer)
            if whole is not None and whole.dtype == x.dtype:
                plan.buffers[x] = whole
        if group.inner.apart:
            self._borrow_rows(group.root, plan)
            plan.place_values(reuse=reuse)
            plan.own_bytes = plan._arena.size
            return []
        borrowed = set(plan.buffers.values()) - set(plan._state)
        plan.place_values(reuse=reuse)
        return [plan.buffers[x] for x in plan.program.inputs if plan.buffers[x] not in borrowed]

    def _borrow_rows(self, loop: Equation, plan: MemoryPlan) -> None:
        """A round's rows are read where they lie, if they lie there as they would in memory of their own."""
        for x, outer in zip(plan.program.inputs, loop.inputs[: loop.attributes["body"].sequences], strict=False):
            row = Buffer(x.name, x.shape, x.dtype, self.widest)
            if row.view().strides == self.view(outer).strides[1:]:
                plan.buffers[x] = row

    def _gives_way(self, old: Variable, new: Variable, place: int) -> bool:
        """Whether group `place` reads `old` for the last time, and writes `new` point by point where it was."""
        if self._last.get(old, -1) != place or old.dtype != new.dtype or long_axes(old.shape) != long_axes(new.shape):
            return False
        return self._replaces(old, new, place)

    def _results(self, group: Group) -> list[Variable]:
        """What a group writes to memory."""
        found = [e.output for e in group.equations if e.output in group.stored]
        return found + [e.output for e in group.folds if e.output not in group.stored]
