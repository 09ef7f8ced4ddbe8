"""The reverse-mode trace: values are computed and kept first, then cotangents are carried back."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from chainrule.ops.operation import Operation, eager
from chainrule.tracing import allocation  # noqa: F401
from chainrule.tracing.apply import PLAIN, Trace, alike, apply, as_it_is, traced
from chainrule.tracing.corners.alike import Alike, Made
from chainrule.tracing.keeping import SMALL, Keeper
from chainrule.tracing.numbers import PYTHON_NUMBERS, Number
from chainrule.tracing.numpy_interface import Wrapped
from chainrule.tracing.scope import current_scope
from chainrule.tracing.traces.reverse import accumulate
from chainrule.tracing.traces.use import Node
from chainrule.tracing.views import NO_PAST, note_array


class TapeValue(Wrapped):
    """A value on a tape: what it is, and where the tape has it."""

    __slots__ = ("index", "inner")
    trace: Tape

    def __init__(self, trace: Tape, value: Any, index: int) -> None:
        self.trace, self.inner, self.index = trace, value, index
        self.past = NO_PAST

    def __repr__(self) -> str:
        return f"traced({self.inner!r})"


class TapeNumber(Number, TapeValue):
    """A number of Python's that derivatives are wanted for, or what was computed of such."""

    __slots__ = ()


class Tape(Trace):
    """Operations in the order they were carried out, with their values.

    A list, so that going backwards is a loop: the depth of a computation is limited by memory alone. While a tape
    is `plain`, no trace is below it: values are arrays, and operations are evaluated without further ado.
    """

    __slots__ = ("cut", "keeper", "nodes", "numbering", "plain")

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[Node | None] = [None]  # place 0 is nobody's, so that a parent 0 means: no parent
        self.plain = True
        self.cut: set[str] = set()
        self.keeper: Keeper | None = None
        self.numbering: Alike | None = None

    def variable(self, value: Any) -> TapeValue:
        """A value that derivatives are wanted for."""
        index = len(self.nodes)
        self.nodes.append(None)
        if value.dtype.kind == "c":
            self.real = False
        if type(value) is ndarray:
            array = TapeValue(self, value, index)
            return array if value.shape else note_array(array)
        self.plain = self.plain and type(value) in PLAIN
        number = type(value) in PYTHON_NUMBERS or getattr(value, "is_number", False)
        kind, inside = (TapeNumber, np.positive(value)) if number else (TapeValue, as_it_is(value))
        found = kind(self, inside, index)
        return note_array(found) if getattr(value, "is_array", False) else found

    def lifted(self, array: Any) -> TapeValue:
        """A variable whose derivative nobody asks for."""
        return self.variable(array.copy())

    def keep(self, array: Any, reader: str) -> Any:
        """A plain array, to be read later as it is now; `reader` is what it was read by."""
        if array.nbytes <= SMALL:
            return array.copy("K")
        if self.keeper is None:
            self.keeper = Keeper()
        return self.keeper.keep(array, reader)

    def process(self, op: Operation, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        """Compute the value one level below, and note how it came about."""
        values = []
        parents = []
        for x in inputs:
            kind = type(x)
            if (kind is TapeValue or kind is TapeNumber) and x.trace is self:
                parents.append(x.index)
                x = x.inner
            else:
                parents.append(0)
                if kind is ndarray:
                    if op.remembers or not (self.plain or x.nbytes > SMALL):
                        x = self.keep(x, op.name)
                elif kind not in PLAIN:
                    self.plain = False
                    x = as_it_is(x)
            values.append(x)
        output = op.evaluate(*values, **attributes) if self.plain else apply(op, *values, **attributes)
        if not op.differentiable:
            self.cut.add(op.name)
            return output
        node = (op, values, attributes, output, parents, None if self.plain else current_scope())
        nodes = self.nodes
        index = len(nodes)
        nodes.append(node)
        while nodes[index] is not node:  # another thread of the same function put one down just now
            index += 1
        return TapeValue(self, output, index)

    def alike(self, value: Any) -> Hashable:
        """The number of the operation, the same for those that are carried out on the same numbers."""
        if self.numbering is None:
            self.numbering = Alike()
        place: int = value.index
        numbers = self.numbering.numbers
        self.numbering.follow(self._made(node, numbers) for node in self.nodes[len(numbers) :])
        return numbers[place]

    def _made(self, node: Node | None, numbers: Sequence[int]) -> Made:
        if node is None:
            return None
        op, values, attributes, _, parents, _ = node
        inputs: list[Hashable] = []
        for x, parent in zip(values, parents, strict=True):
            changes = type(x) is ndarray and not op.remembers and x.nbytes > SMALL  # it was not copied
            inputs.append(numbers[parent] if parent else object() if changes else alike(x))
        return op, inputs, attributes

    def push(self, places: Sequence[int], tangents: Sequence[Any], outputs: Sequence[TapeValue]) -> list[Any]:
        """The tangents of `outputs`, given those of variables at some places; `None` where there is no dependence."""
        if self.keeper is not None:
            self.keeper.check()
        found: list[Any] = [None] * len(self.nodes)
        for place, tangent in zip(places, tangents, strict=True):
            found[place] = tangent
        m = eager if self.plain and PLAIN.issuperset(map(type, tangents)) else traced
        for place, node in enumerate(self.nodes):
            if node is not None:
                op, values, attributes, output, parents, _ = node
                own = [found[parent] if parent else None for parent in parents]
                if any(tangent is not None for tangent in own):
                    found[place] = op.pushforward(m, own, output, values, **attributes)
        return [found[x.index] for x in outputs]

    def pull(self, outputs: Sequence[TapeValue], cotangents: Sequence[Any], wanted: Sequence[int]) -> list[Any]:
        """The cotangents of the places `wanted`, given those of `outputs`; `None` where there is no dependence.

        Places of variables may be wanted, and of any values in between.
        """
        if self.keeper is not None:
            self.keeper.check()
        found: list[Any] = [None] * len(self.nodes)
        m, last = eager if self.plain else traced, 0
        for i, output in enumerate(outputs):
            place, cotangent = output.index, cotangents[i]
            previous = found[place]
            found[place] = cotangent if previous is None else previous + cotangent
            if place > last:
                last = place
            if type(cotangent) not in PLAIN:
                m = traced
        accumulate(m, self.nodes, found, last, kept=set(wanted))
        return [x if type(x) is ndarray else self.outside(x) for x in map(found.__getitem__, wanted)]
