"""Groups of the same code, which is written once, as a function of the places of what they read and write.

What was a loop in Python is in a Program again and again, each time at other places of the arena.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from chainrule.engines.llvm.buffers import Buffer, View
from chainrule.engines.llvm.groups import Group
from chainrule.engines.llvm.memory import MemoryPlan
from chainrule.tracing import Equation, Literal, Variable
from chainrule.tracing.identity import is_plain
from chainrule.tracing.program import Atom


class Likeness:
    """What code is written for a group, as a `key`, and the `buffers` whose places it takes. Without a key it is like no other."""

    def __init__(self, memory: MemoryPlan, group: Group) -> None:
        self.key: Hashable = None
        self.buffers: dict[Buffer, int] = {}
        self._memory = memory
        self._numbers: dict[Variable, int] = {}
        equations = group.equations
        settings = [value for e in equations for value in e.attributes.values()]
        if group.inner is None and all(map(is_plain, settings)):
            kinds = group.space, group.root is None, len(group.pointwise), memory.widest
            operands = tuple(map(self._equation, equations))
            collected = tuple([self._buffer(memory.parts[e.output]) for e in equations if e.output in memory.parts])
            self.key = kinds, operands, collected, tuple(map(_kind, self.buffers))

    def _equation(self, equation: Equation) -> Hashable:
        inputs = tuple(map(self._operand, equation.inputs))
        settings = repr(sorted(equation.attributes.items())) if equation.attributes else ""
        return equation.op, settings, inputs, self._operand(equation.output)

    def _operand(self, x: Atom) -> Hashable:
        """All that is asked of an operand: its type, the register it may be in, and where it is read or written."""
        if isinstance(x, Literal):
            if not x.shape:  # single numbers are written into the code
                value = np.asarray(x.value)
                written = type(x.value), value.dtype.str, value.tobytes()
                return written, self._view(x) if id(x.value) in self._memory.constants else None
            return self._view(x)
        register = self._memory.register(x)
        number = self._numbers.setdefault(register, len(self._numbers))
        root = self._memory.root(x)
        in_memory = isinstance(root, Literal) or root in self._memory.buffers
        return number, x.shape, x.dtype.str, self._view(x) if in_memory else None

    def _view(self, x: Atom) -> Hashable:
        view: View = self._memory.view(x)
        return self._buffer(view.buffer), view.start, view.strides, view.shape

    def _buffer(self, buffer: Buffer) -> int:
        return self.buffers.setdefault(buffer, len(self.buffers))


def _kind(buffer: Buffer) -> Any:
    return buffer.shape, buffer.dtype.str
