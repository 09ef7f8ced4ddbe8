"""The body of a loop: what it does in one step, as a Program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from chainrule.ops.operation import ArrayType
from chainrule.tracing.passes.real_parts import in_parts, is_complex
from chainrule.tracing.passes.simplify import simplify
from chainrule.tracing.program import Atom, Program, Variable
from chainrule.tracing.trees import row


@dataclass(frozen=True, eq=False)
class Body:
    """What a loop does in one step, as a Program.

    Its inputs are the state, then a row of each of the `sequences`, then what is the same in every step; its outputs the new
    state, then what is collected. `kept`: what is collected first is the state before the step, which derivatives need.
    """

    program: Program
    states: int
    sequences: int
    kept: bool = False

    @cached_property
    def state(self) -> list[ArrayType]:
        """The types of the state."""
        return [x.type for x in self.program.inputs[: self.states]]

    @cached_property
    def collected(self) -> list[ArrayType]:
        """The types of what every step adds to the result."""
        return [_type_of(x) for x in self.program.outputs[self.states :]]

    @cached_property
    def keeping(self) -> Body:
        """The same, which keeps the states."""
        if self.kept:
            return self
        outputs, given = self.program.outputs, self.program.inputs[: self.states]
        outputs = (*outputs[: self.states], *given, *outputs[self.states :])
        program = replace(self.program, outputs=outputs, outputs_structure=row(len(outputs)))
        return replace(self, program=program, kept=True)

    @cached_property
    def real(self) -> Body:
        """The same with real numbers: of complex ones both parts, one after the other."""
        given = self.program.inputs
        states, rows = given[: self.states], given[self.states : self.states + self.sequences]
        counts = [len(own) + sum(map(is_complex, own)) for own in (states, rows)]
        return replace(self, program=simplify(in_parts(self.program)), states=counts[0], sequences=counts[1])

    def parts(self, length: int) -> list[tuple[int, int, ArrayType]]:
        """What lies in the result, one after the other: all that is collected, then the last state.

        Of each where it begins and ends, and its type.
        """
        types = [ArrayType((length, *t.shape), t.dtype) for t in self.collected] + self.state
        ends = np.cumsum([0, *(t.size for t in types)]).tolist()
        return list(zip(ends, ends[1:], types, strict=False))

    def __repr__(self) -> str:
        kept = ", all kept" if self.kept else ""
        return f"<{self.program.name}: {self.states} carried{kept}, {self.sequences} row by row>"


def _type_of(x: Atom) -> ArrayType:
    return x.type if isinstance(x, Variable) else ArrayType(np.shape(x.value), np.asarray(x.value).dtype)
