"""What a `Value` remembers of how it came about, and all that one was computed from as an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np

from chainrule.errors import DataError, DifferentiationError, InPlaceError, shortened
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.labels import names_of_states
from chainrule.ops.operation import ArrayType, Operation, dtype_of
from chainrule.tracing import trees
from chainrule.tracing.apply import Traced
from chainrule.tracing.plain import array_of
from chainrule.tracing.program import Atom, Equation, Literal, Program, Variable
from chainrule.tracing.scope import Step, current_scope

_order = count()


class Node:
    """A number or array, the operation and inputs it was computed from, and its place in the order of computation.

    `seed` is the derivative by it that backward was given, if one was.
    """

    __slots__ = ("attributes", "grad", "inputs", "name", "op", "order", "read", "scope", "seed", "step", "value")

    def __init__(
        self, value: Any, op: Operation | None = None, inputs: tuple[Any, ...] = (), attributes: Any = None
    ) -> None:
        self.value, self.op, self.inputs, self.attributes = value, op, inputs, attributes or {}
        self.scope, self.order = current_scope(), next(_order)
        self.name: str | None = None
        self.step: Step | None = None
        self.grad: Any = None
        self.seed: Any = None
        self.read: Any = None

    def numbers(self) -> Any:
        """The numbers to compute with. Those of an array that users can write to are kept as they are when first read."""
        if type(self.value) is np.ndarray:
            if self.read is None:
                self.read = self.value.copy()
            elif not np.array_equal(self.read, self.value, equal_nan=True):
                raise InPlaceError(
                    f"the data of {self.name or 'a value'} of shape {self.value.shape} was changed in place after something had been "
                    "computed from it. Set it as a whole, v.data = new, which makes it another value from then on."
                )
        return self.value


def evaluation_of(root: Node) -> tuple[Evaluation, Mapping[Variable, Node]]:
    """The nodes below `root` as an evaluation, in the order they were computed."""
    if np.asarray(root.value).dtype.kind != "f":
        raise DifferentiationError(
            f"this value is {shortened(root.value)}, which is no real number and has no derivative. "
            "Call backward on a floating-point value."
        )
    found: dict[int, Node] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.order not in found:
            found[node.order] = node
            waiting.extend(x for x in node.inputs if isinstance(x, Node))
    variables: dict[Node, Variable] = {}
    inputs, equations = [], []
    for order in sorted(found):
        node = found[order]
        kind = ArrayType(np.shape(node.value), np.dtype(dtype_of(node.value)))
        own = variables[node] = Variable(node.name or f"v{len(variables)}", kind, node.step)
        if node.op is None:
            inputs.append(own)
        else:
            atoms: tuple[Atom, ...] = tuple(variables[x] if isinstance(x, Node) else Literal(x) for x in node.inputs)
            equations.append(Equation(own, node.op, atoms, node.attributes, node.scope))
    program = Program(
        tuple(inputs), tuple(equations), (variables[root],), trees.row(len(inputs)), trees.LEAF, root.name or "value"
    )
    nodes = {variable: node for node, variable in variables.items()}
    names = {x: name for x, name in names_of_states(program).items() if x is not variables[root]}
    names |= {variable: node.name for variable, node in nodes.items() if node.name}
    values = {x: node.value if node.read is None else node.read for x, node in nodes.items()}
    return Evaluation(program, values, names), nodes


def real_numbers(data: Any) -> Any:
    """What a value is given, as real numbers of its own."""
    if isinstance(data, Traced):
        raise DataError(f"Value was given {data!r}, which is traced already; give a number or an array.")
    array = np.array(array_of(data))
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise DataError(f"Value was given {data!r} (dtype {array.dtype}); give real numbers.")
    return array[()]
