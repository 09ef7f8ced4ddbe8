"""Groups of the same code, which is written once, as a function of the places of what they read and write, and of numbers.

What was a loop in Python is in a Program again and again: at other places of the arena, in other buffers or further on in the same
ones, as step by step the rows of an array; and with other constants, as the time of every step.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Any, TypeGuard

import numpy as np

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.buffers import Buffer, View
from chainrule.engines.llvm.code import Code
from chainrule.engines.llvm.groups import Group
from chainrule.engines.llvm.mathematics.numbers import constant
from chainrule.engines.llvm.mathematics.operators import OF_ANY_NUMBERS
from chainrule.engines.llvm.memory import MemoryPlan
from chainrule.engines.llvm.subroutines import call, subroutine
from chainrule.ops.operation import ArrayType
from chainrule.tracing import Equation, Literal, Variable
from chainrule.tracing.identity import is_plain
from chainrule.tracing.program import Atom


class Likeness:
    """What code is written for a group, as a `key`, and what it is told: `places`, where numbers of a buffer begin, and `numbers`.

    Without a key it is like no other.
    """

    def __init__(self, memory: MemoryPlan, group: Group) -> None:
        self.key: Hashable = None
        self.places: dict[tuple[Buffer, int], int] = {}
        self.numbers: list[ir.Value] = []
        self._memory, self._group = memory, group
        self._registers: dict[Variable, int] = {}
        equations = group.equations
        settings = [value for e in equations for value in e.attributes.values()]
        if group.inner is None and all(map(is_plain, settings)):
            kinds = group.space, group.root is None, len(group.pointwise), memory.widest
            operands = tuple(map(self._equation, equations))
            collected = tuple([self._place(memory.parts[e.output], 0) for e in equations if e.output in memory.parts])
            self.key = kinds, operands, collected, tuple([_kind(buffer) for buffer, _ in self.places])

    def _equation(self, equation: Equation) -> Hashable:
        inputs = tuple(
            [self._number(x, equation) if _is_told(x, equation) else self._operand(x) for x in equation.inputs]
        )
        settings = repr(sorted(equation.attributes.items())) if equation.attributes else ""
        return equation.op, settings, inputs, self._operand(equation.output)

    def _number(self, x: Literal, equation: Equation) -> Hashable:
        self.numbers.append(constant(x.value, equation.output.dtype, 1))
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
        return number, x.shape, x.dtype.str, self._view(x) if in_memory else None

    def _view(self, x: Atom) -> Hashable:
        view = self._memory.view(x)
        return self._place(view.buffer, view.start), view.strides, view.shape

    def _place(self, buffer: Buffer, start: int) -> int:
        return self.places.setdefault((buffer, start), len(self.places))

    def function(self, code: Code, emit: Callable[[Code, MemoryPlan, Group], None]) -> ir.Function:
        """The group written as a function that is told them."""
        told = {place: replace(place[0]) for place in self.places}
        numbers: list[Variable] = []

        def number(equation: Equation) -> Variable:
            numbers.append(Variable("number", ArrayType((), equation.output.dtype)))
            return numbers[-1]

        pointwise = [
            e.replace(inputs=tuple([number(e) if _is_told(x, e) else x for x in e.inputs]))
            for e in self._group.pointwise
        ]
        own = subroutine(code, "alike", told.values(), numbers)
        emit(own, _ToldMemory(self._memory, told), replace(self._group, pointwise=pointwise))
        own.builder.ret_void()
        written: ir.Function = own.builder.function
        return written

    def call(self, code: Code, function: ir.Function) -> None:
        """Call the function that was written for a group of this key."""
        call(code, function, [code.offset(*place) for place in self.places], self.numbers)


class _ToldMemory(MemoryPlan):
    """The memory of one group, with a buffer for every place that its code is told."""

    def __init__(self, memory: MemoryPlan, told: Mapping[tuple[Buffer, int], Buffer]) -> None:
        self.widest, self.inner, self.grouping = memory.widest, {}, memory.grouping
        self.parts = {x: told[buffer, 0] for x, buffer in memory.parts.items() if (buffer, 0) in told}
        self._whole, self._told = memory, told

    def view(self, x: Atom) -> View:
        """Where an operand is read."""
        there = self._whole.view(x)
        return View(self._told[there.buffer, there.start], 0, there.strides, there.shape)

    def register(self, x: Variable) -> Variable:
        """The variable whose register holds `x`."""
        return self._whole.register(x)


def _is_told(x: Atom, equation: Equation) -> TypeGuard[Literal]:
    """Whether it is a constant that a function can be told: the equation's code is the same whatever number it is."""
    if not isinstance(x, Literal) or x.shape or equation.op.name not in OF_ANY_NUMBERS:
        return False
    kind = equation.output.dtype
    return kind.kind == "f" and all(
        getattr(y.kind if isinstance(y, Literal) else y, "dtype", kind) == kind for y in equation.inputs
    )


def _kind(buffer: Buffer) -> Any:
    return buffer.shape, buffer.dtype.str
