"""The values at one point of a group's space: read from memory, computed in registers, stored for other groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.engines.llvm.mathematics import Vector
from chainrule.engines.llvm.planning.buffers import View
from chainrule.engines.llvm.planning.groups import Group
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.writing.code import Code
from chainrule.engines.llvm.writing.positions import Index
from chainrule.engines.llvm.writing.sizes import known
from chainrule.tracing import Literal, Variable
from chainrule.tracing.program import Atom

INLINE, INLINE_ALL = 48, 1024
"""Instructions of a group, about, up to which its functions are written where they are used: then their constants stay in registers
from one vector to the next. In more code the constants of all find no room, and LLVM takes twice as long. And of all groups together:
beyond, a program is long, and sooner done without that.
"""


class Point:
    """The values at one point of a group's space, in registers: `width` of them side by side."""

    def __init__(self, code: Code, memory: MemoryPlan, point: Sequence[Index], width: int, length: int) -> None:
        self.code, self.memory, self.point, self.width, self.length = code, memory, tuple(point), width, length
        self.m = code.mathematics(width)
        self.values: dict[Any, Vector] = {}

    def compute(self, group: Group) -> None:
        """The group's elementwise equations, those that are known already left out, and stores of what others need."""
        short = group.instructions <= INLINE and self.memory.grouping.instructions <= INLINE_ALL
        m = self.code.mathematics(self.width, inline=short)
        for equation in group.pointwise:
            if equation.output in self.values:
                continue
            shape = equation.output.shape
            inputs = [self.value(x, shape) for x in equation.inputs]
            value = getattr(m, equation.op.name)(*inputs, **equation.attributes)
            self.keep(equation.output, self.of_type(value, equation.output.dtype), group)

    def keep(self, x: Variable, number: Vector, group: Group) -> None:
        """A value computed here; stored if another group needs it."""
        self.values[x] = number
        if x in group.stored:
            view = self.memory.view(x)
            self.code.store(view, strides_over(view, x.shape), self.point, number.value, self.width)

    def value(self, x: Atom, shape: tuple[int, ...]) -> Any:
        """An operand of an equation whose result has `shape`: from a register, from memory, or a constant."""
        if isinstance(x, Literal) and not hasattr(x.value, "dtype"):
            return x.value
        if isinstance(x, Literal) and x.shape == ():
            return self.code.constant(x.value, np.asarray(x.value).dtype, self.width)
        if isinstance(x, Variable):
            source = self.memory.register(x)
            if source in self.values:
                return self.values[source]
            if x in self.code.numbers:
                self.values[x] = self.code.splat(self.code.numbers[x], x.dtype, self.width)
                return self.values[x]
        view = self.memory.view(x)
        strides = strides_over(view, shape)
        key = (view.buffer, view.start, *map(known, strides))
        if key not in self.values:
            self.values[key] = self.read(view, strides)
        return self.values[key]

    def read(self, view: View, strides: tuple[int, ...]) -> Vector:
        """The numbers of a view at the point."""
        return self.code.load(view, strides, self.point, self.width, self.length)

    def of_type(self, value: Any, dtype: np.dtype[Any]) -> Vector:
        """A value as a number of this dtype; Python numbers become constants."""
        if not isinstance(value, Vector):
            return self.code.constant(value, dtype, self.width)
        return value if value.dtype == dtype else self.m.convert(value, dtype)


def strides_over(view: View, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides along the long axes of a shape the view broadcasts to."""
    return tuple(s for s, n in zip(view.along(shape), shape, strict=True) if n != 1)
