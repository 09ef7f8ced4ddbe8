"""The reverse-mode trace: values are computed and kept first, then cotangents are carried back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.ops.operation import Operation, eager
from chainrule.tracing.apply import PLAIN, Trace, apply, traced
from chainrule.tracing.numpy_interface import Wrapped
from chainrule.tracing.scope import current_scope, scope


class TapeValue(Wrapped):
    """A value on a tape: what it is, and where the tape has it."""

    __slots__ = ("index",)
    trace: Tape

    def __init__(self, trace: Tape, value: Any, index: int) -> None:
        self.trace, self.value, self.index = trace, value, index

    def __repr__(self) -> str:
        return f"traced({self.value!r})"


class Tape(Trace):
    """Operations in the order they were carried out, with their values.

    A list, so that going backwards is a loop: the depth of a computation is limited by memory alone. While a tape
    is `plain`, no trace is below it: values are arrays, and operations are evaluated without further ado.
    """

    __slots__ = ("cut", "nodes", "plain")

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[tuple[Any, ...] | None] = [None]  # place 0 is nobody's, so that a parent 0 means: no parent
        self.plain = True
        self.cut: set[str] = set()

    def variable(self, value: Any) -> TapeValue:
        """A value that derivatives are wanted for."""
        self.plain = self.plain and type(value) in PLAIN
        self.nodes.append(None)
        return TapeValue(self, value, len(self.nodes) - 1)

    def process(self, op: Operation, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        """Compute the value one level below, and note how it came about."""
        values = []
        parents = []
        for x in inputs:
            if type(x) is TapeValue and x.trace is self:
                parents.append(x.index)
                values.append(x.value)
            else:
                parents.append(0)
                values.append(x)
                if type(x) not in PLAIN:
                    self.plain = False
        output = op.evaluate(*values, **attributes) if self.plain else apply(op, *values, **attributes)
        if not op.differentiable:
            self.cut.add(op.name)
            return output
        self.nodes.append((op, values, attributes, output, parents, None if self.plain else current_scope()))
        return TapeValue(self, output, len(self.nodes) - 1)

    def pull(self, outputs: Sequence[TapeValue], cotangents: Sequence[Any], wanted: Sequence[TapeValue]) -> list[Any]:
        """The cotangents of `wanted`, given those of `outputs`; `None` where there is no dependence."""
        found: list[Any] = [None] * len(self.nodes)
        for output, cotangent in zip(outputs, cotangents, strict=True):
            found[output.index] = _sum(found[output.index], cotangent)
        m = eager if self.plain and all(type(c) in PLAIN for c in cotangents) else traced
        nodes = self.nodes
        for index in range(max((output.index for output in outputs), default=-1), -1, -1):
            cotangent, node = found[index], nodes[index]
            if cotangent is None or node is None:
                continue
            found[index] = None
            if node[-1] is None:
                _carry(m, node, cotangent, found)
            else:
                with scope(node[-1], backward=True):
                    _carry(m, node, cotangent, found)
        return [found[value.index] for value in wanted]


def _carry(m: Any, node: tuple[Any, ...], cotangent: Any, found: list[Any]) -> None:
    """Add what an operation's inputs get of its output's cotangent to what was found for them before."""
    op, values, attributes, output, parents, _ = node
    contributions = op.pullback(m, cotangent, output, values, parents, **attributes)
    for parent, contribution in zip(parents, contributions, strict=True):
        if contribution is not None and parent:
            previous = found[parent]
            found[parent] = contribution if previous is None else previous + contribution


def _sum(a: Any, b: Any) -> Any:
    return b if a is None else a + b
