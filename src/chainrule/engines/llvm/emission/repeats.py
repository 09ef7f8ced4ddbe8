"""Groups of the same code, which is written once, as a function of the places of what they read and write, and of numbers.

What was a loop in Python is in a Program again and again: at other places of the arena, in other buffers or further on in the same
ones, as step by step the rows of an array; and with other constants, as the time of every step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeGuard

import numpy as np

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.mathematics.operators import OF_ANY_NUMBERS
from chainrule.engines.llvm.planning.buffers import Buffer, View
from chainrule.engines.llvm.planning.groups import Group
from chainrule.engines.llvm.planning.layouts import goes_from_inputs, leaves_zeros
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.writing.code import Code
from chainrule.engines.llvm.writing.sizes import Size, Sizes
from chainrule.engines.llvm.writing.subroutines import recorded, word_of
from chainrule.ops import Contraction
from chainrule.ops.operation import ArrayType
from chainrule.tracing import Equation, Literal, Variable
from chainrule.tracing.identity import is_plain
from chainrule.tracing.program import Atom

FEW_PRODUCTS, FEW = 2, 16
"""Different sizes of groups that are else alike up to which each has a function of its own: of products, which are ten times as much
code as others, and of these, for which knowing sizes is worth most."""

Emit = Callable[[Code, MemoryPlan, Group], None]
"""Writes the loops of a group."""

LENGTH = -1
"""What lengths are sizes of, where strides are those of a place."""


class Likeness:
    """What code is written for a group, as a `key`, and what it is told: `places`, where numbers of a buffer begin, and `numbers`.

    The key leaves open how long axes are, and rows apart: these are the `sizes`. Without a key it is like no other.
    """

    def __init__(self, code: Code, memory: MemoryPlan, group: Group) -> None:
        self.key: Hashable = None
        self.places: dict[tuple[Buffer, int], int] = {}
        self.numbers: list[int] = []
        self.sizes: dict[tuple[int, int], int] = {}
        self._code, self._memory, self._group = code, memory, group
        self._registers: dict[Variable, int] = {}
        equations = group.equations
        copies = None if group.root is None or isinstance(group.root.op, Contraction) else memory.copies(group.root)
        settings = [value for e in equations for value in e.attributes.values()] if copies is None else []
        if group.inner is None and all(map(is_plain, settings)):
            kinds = self._lengths(group.space), group.root is None, len(group.pointwise), memory.widest
            operands = tuple(map(self._equation, equations)) if copies is None else self._copies(group, copies)
            collected = tuple([self._place(memory.parts[e.output], 0) for e in equations if e.output in memory.parts])
            lying = tuple([(buffer.dtype.str, code.base(buffer)[0]) for buffer, _ in self.places])
            self.key = kinds, operands, collected, lying

    @property
    def values(self) -> tuple[int, ...]:
        """What the sizes are."""
        return tuple([value for _, value in self.sizes])

    @property
    def is_product(self) -> bool:
        """Whether the group is rooted in a contraction."""
        return self._group.root is not None and isinstance(self._group.root.op, Contraction)

    @property
    def may_be_told(self) -> bool:
        """Whether its code can be told the sizes: others than copies have them in settings, parts of sums in buffers."""
        root, memory = self._group.root, self._memory
        told = root is None or self.is_product or memory.copies(root) is not None
        return told and not any(e.output in memory.parts for e in self._group.equations)

    def _copies(self, group: Group, copies: Sequence[tuple[View, View]]) -> Hashable:
        """What is copied where, and how."""
        assert group.root is not None
        ends = tuple([(self._lying(source), self._lying(target)) for source, target in copies])
        output = self._lying(self._memory.view(group.root.output))
        return goes_from_inputs(group.root), leaves_zeros(group.root), ends, output

    def _equation(self, equation: Equation) -> Hashable:
        inputs = tuple(
            [self._number(x, equation) if _is_told(x, equation) else self._operand(x) for x in equation.inputs]
        )
        settings = repr(sorted(equation.attributes.items())) if equation.attributes else ""
        return equation.op, settings, inputs, self._operand(equation.output)

    def _number(self, x: Literal, equation: Equation) -> Hashable:
        self.numbers.append(word_of(x.value, equation.output.dtype))
        return "number"

    def _operand(self, x: Atom) -> Hashable:
        """All that is asked of an operand: its type, the register it may be in, and where it is read or written."""
        if isinstance(x, Literal):
            if not x.shape:  # single numbers are written into the code
                value = np.asarray(x.value)
                written = type(x.value), value.dtype.str, value.tobytes()
                return written, self._view(x) if id(x.value) in self._memory.constants else None
            return self._view(x)
        register = self._memory.register(x)
        number = self._registers.setdefault(register, len(self._registers))
        root = self._memory.root(x)
        in_memory = isinstance(root, Literal) or root in self._memory.buffers
        return number, self._lengths(x.shape), x.dtype.str, self._view(x) if in_memory else None

    def _view(self, x: Atom) -> Hashable:
        return self._lying(self._memory.view(x))

    def _lying(self, view: View) -> Hashable:
        place = self._place(view.buffer, view.start)
        return place, tuple([self._size(place, s) for s in view.strides]), self._lengths(view.shape)

    def _place(self, buffer: Buffer, start: int) -> int:
        return self.places.setdefault((buffer, start), len(self.places))

    def _lengths(self, shape: tuple[int, ...]) -> tuple[Hashable, ...]:
        return tuple([self._size(LENGTH, n) for n in shape])

    def _size(self, of: int, value: int) -> Hashable:
        """A length, or the stride of a place: which of the sizes it is; 0 and 1 have meanings of their own."""
        return str(value) if value in (0, 1) else self.sizes.setdefault((of, value), len(self.sizes))

    def function(self, shared: bool, emit: Emit, sizes: Sequence[int | Size]) -> ir.Function:
        """The group written as a function that is told them, for these sizes."""
        found = dict(zip(self.sizes, sizes, strict=True))
        memory = _ToldMemory(self._memory, self.places, found)
        numbers: list[Variable] = []

        def number(equation: Equation) -> Variable:
            numbers.append(Variable("number", ArrayType((), equation.output.dtype)))
            return numbers[-1]

        def told(e: Equation) -> Equation:
            inputs = tuple([number(e) if _is_told(x, e) else memory.operand(x) for x in e.inputs])
            return e.replace(output=memory.operand(e.output), inputs=inputs)

        group = self._group
        copies = group.root is not None and memory.copies(group.root) is not None
        whole = replace(
            group,
            space=memory.lengths(group.space),
            root=group.root if copies or group.root is None else told(group.root),
            pointwise=[*map(told, group.pointwise)],
            folds=[*map(told, group.folds)],
            values={memory.operand(x) for x in group.values},
            stored={memory.operand(x) for x in group.stored},
        )
        sized = any(isinstance(x, Size) for x in sizes)
        buffers = {told: buffer for (buffer, _), told in memory.told.items()}
        own = recorded(self._code, "alike", buffers, numbers, sized=sized)
        return _written(own, memory, whole, shared or sized, emit)

    @property
    def record(self) -> list[int]:
        """What such a function is told, but for the sizes."""
        return [*(self._code.base(*place)[1] for place in self.places), *self.numbers]


class Alike:
    """The groups of a Program by what is written for them, and the functions that are written already."""

    def __init__(self, code: Code, memory: MemoryPlan, groups: Sequence[Group]) -> None:
        self._code, self._memory = code, memory
        self._likenesses = {group: Likeness(code, memory, group) for group in groups}
        self._values: dict[Hashable, Counter[tuple[int, ...]]] = {}
        self._known: dict[Hashable, ir.Function] = {}
        self._told: dict[Hashable, list[tuple[Sizes, ir.Function]]] = {}
        for alike in self._likenesses.values():
            self._values.setdefault(alike.key, Counter())[alike.values] += 1

    def has_others(self, group: Group) -> bool:
        """Whether other groups have the same code."""
        alike = self._likenesses[group]
        return alike.key is not None and (self._is_told(alike) or self._values[alike.key][alike.values] > 1)

    def _is_told(self, alike: Likeness) -> bool:
        """Whether its code is told sizes, since there are many."""
        if not (self._memory.grouping.is_long and alike.values and alike.may_be_told):
            return False
        return len(self._values[alike.key]) > (FEW_PRODUCTS if alike.is_product else FEW)

    def written(self, group: Group, shared: bool, emit: Emit) -> tuple[ir.Function, Sequence[int]]:
        """A function that carries out a group that has others, whose loops threads share out or not, and what it is to be told."""
        alike = self._likenesses[group]
        values = alike.values
        if self._is_told(alike):
            return self._told_sizes(alike, shared, emit)
        if (alike.key, values) not in self._known:
            self._known[alike.key, values] = alike.function(shared, emit, values)
        return self._known[alike.key, values], alike.record

    def _told_sizes(self, alike: Likeness, shared: bool, emit: Emit) -> tuple[ir.Function, Sequence[int]]:
        """A function that is told the sizes, of which there is one for all that answer alike what was asked of them."""
        written, values = self._told.setdefault(alike.key, []), alike.values
        for sizes, function in written:
            numbers = sizes.numbers(values)
            if numbers is not None:
                return function, [*alike.record, *numbers]
        sizes = Sizes(values)
        function = alike.function(shared, emit, sizes.all)
        written.append((sizes, function))
        return function, [*alike.record, *(sizes.numbers(values) or ())]


def _written(own: Code, memory: MemoryPlan, group: Group, shared: bool, emit: Emit) -> ir.Function:
    """The function that carries out a group, with its end."""
    own.threads = own.threads.sharing(shared)
    emit(own, memory, group)
    own.builder.ret_void()
    written: ir.Function = own.builder.function
    return written


class _ToldMemory(MemoryPlan):
    """The memory of one group, with a buffer for every place that its code is told, and these sizes of what lies there."""

    def __init__(
        self, memory: MemoryPlan, places: Mapping[tuple[Buffer, int], int], sizes: Mapping[tuple[int, int], int | Size]
    ) -> None:
        self.widest, self.inner, self.grouping = memory.widest, {}, memory.grouping
        self.told = {place: replace(place[0]) for place in places}
        self._whole, self._places, self._sizes = memory, places, sizes
        self._operands: dict[Atom, Variable] = {}
        self._known: dict[Variable, Atom] = {}
        self.parts = {
            self.operand(x): self.told[buffer, 0] for x, buffer in memory.parts.items() if (buffer, 0) in self.told
        }

    def lengths(self, shape: tuple[int, ...]) -> Any:
        """A shape of the group, as its code is to know it."""
        return tuple([self._sizes.get((LENGTH, n), n) for n in shape])

    def operand(self, x: Any) -> Any:
        """An operand of the group, with such a shape; single numbers that are known stay."""
        if isinstance(x, Literal) and not x.shape:
            return x
        if x not in self._operands:
            kind = x.type if isinstance(x, Variable) else x.kind
            name = x.name if isinstance(x, Variable) else "constant"
            self._operands[x] = Variable(name, ArrayType(self.lengths(kind.shape), kind.dtype))
            self._known[self._operands[x]] = x
        return self._operands[x]

    def view(self, x: Atom) -> View:
        """Where an operand is read."""
        return self._told(self._whole.view(self._known.get(x, x) if isinstance(x, Variable) else x))

    def copies(self, equation: Equation) -> list[tuple[View, View]] | None:
        """What a move copies where."""
        whole = None if isinstance(equation.op, Contraction) else self._whole.copies(equation)
        return whole and [(self._told(source), self._told(target)) for source, target in whole]

    def _told(self, there: View) -> View:
        place = there.buffer, there.start
        strides: list[Any] = [self._sizes.get((self._places[place], s), s) for s in there.strides]
        return View(self.told[place], 0, tuple(strides), self.lengths(there.shape))

    def register(self, x: Variable) -> Variable:
        """The variable whose register holds `x`."""
        known = self._known.get(x)
        return self.operand(self._whole.register(known)) if isinstance(known, Variable) else x


def _is_told(x: Atom, equation: Equation) -> TypeGuard[Literal]:
    """Whether it is a constant that a function can be told: the equation's code is the same whatever number it is."""
    if not isinstance(x, Literal) or x.shape or equation.op.name not in OF_ANY_NUMBERS:
        return False
    kind = equation.output.dtype
    return kind.kind == "f" and all(
        getattr(y.kind if isinstance(y, Literal) else y, "dtype", kind) == kind for y in equation.inputs
    )
