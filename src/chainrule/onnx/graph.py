"""A graph of ONNX that grows node by node. Nothing else here knows the package onnx."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import MissingExtraError
from chainrule.onnx.lengths import Length, Rows, Shape

OPSET, ML_OPSET, FORMAT = 18, 3, 8
"""Versions of ONNX's operators, of those for tables, and of its file format: of 2022, which all runtimes in use read."""

ROWS = "rows"
"""What the number of rows is called."""


class Described(NamedTuple):
    """What is known of an input or an output."""

    name: str
    dtype: Any
    shape: Shape
    told: str = ""


class Graph:
    """Nodes in the order in which they are carried out, and constants, each of which is there once.

    Raises
    ------
    MissingExtraError
        When the package onnx is not installed.
    """

    def __init__(self) -> None:
        try:
            from onnx import helper, numpy_helper
        except ImportError:
            raise MissingExtraError.of("onnx", "onnx", "a model for other runtimes") from None
        self._make: Any = helper
        self._tensor: Any = numpy_helper.from_array
        self._levels: list[list[Any]] = [[]]
        self._constants: dict[Any, Any] = {}
        self._inputs: list[Described] = []
        self._outputs: list[Described] = []
        self._used: set[str] = set()
        self._counted: dict[int, str] = {}
        self._scope = ""

    def name(self, wanted: str) -> str:
        """A name like this one that nothing has as yet."""
        number, found = 1, wanted
        while found in self._used:
            found, number = f"{wanted}_{number}", number + 1
        self._used.add(found)
        return found

    @contextmanager
    def within(self, scope: str) -> Iterator[None]:
        """Names of nodes begin with a scope, such as `hidden / activation`."""
        before, self._scope = self._scope, f"{scope.replace(' / ', '.')}." if scope else ""
        try:
            yield
        finally:
            self._scope = before

    # --- what it has

    def input(self, name: str, dtype: Any, shape: Shape, told: str = "") -> str:
        """The name of a further input, and what is told of it to whoever reads the file."""
        own = self.name(name)
        self._inputs.append(Described(own, dtype, shape, told))
        return own

    def output(self, name: str, found: str, dtype: Any, shape: Shape) -> None:
        """A further output, under a name of its own."""
        own = self.name(name)
        self._levels[0].append(self._make.make_node("Identity", [found], [own], name=own))
        self._outputs.append(Described(own, dtype, shape))

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """The name of what a further node gives."""
        return self.nodes(kind, *inputs, outputs=1, domain=domain, **attributes)[0]

    def nodes(self, kind: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any) -> list[str]:
        """The names of what a further node with several outputs gives."""
        names = [self.name(f"{self._scope}{kind.lower()}") for _ in range(outputs)]
        self._levels[-1].append(self._make.make_node(kind, inputs, names, name=names[0], domain=domain, **attributes))
        return names

    def cast(self, found: str, dtype: Any) -> str:
        """The same numbers in another dtype."""
        return self.node("Cast", found, to=self._kind(dtype))

    def constant(self, array: Any, wanted: str = "constant") -> str:
        """The name of these numbers, or texts."""
        array = np.asarray(array)
        given = array.astype(object) if array.dtype.kind == "U" else array
        key = wanted, given.dtype.str, given.shape, tuple(given.flat) if given.dtype.kind == "O" else given.tobytes()
        if key not in self._constants:
            self._constants[key] = self._tensor(given, self.name(wanted))
        return str(self._constants[key].name)

    # --- shapes

    def lengths(self, shape: Shape) -> str:
        """A shape as numbers, for nodes that take one."""
        if not any(isinstance(n, Rows) for n in shape):
            return self.constant(np.array(shape, np.int64))
        return self.node("Concat", *(self.length(n) for n in shape), axis=0)

    def length(self, length: Length) -> str:
        """One length, as an array of one number."""
        if not isinstance(length, Rows):
            return self.constant(np.array([length], np.int64))
        if length.times not in self._counted:
            inner = self._levels[1:]  # outside of all loops, before them
            del self._levels[1:]
            name, axis = next((x.name, x.shape.index(Rows())) for x in self._inputs if Rows() in x.shape)
            found = self.node("Shape", name, start=axis, end=axis + 1)
            if length.times != 1:
                found = self.node("Mul", found, self.constant(np.array([length.times], np.int64)))
            self._levels += inner
            self._counted[length.times] = found
        return self._counted[length.times]

    def reshaped(self, found: str, shape: Shape) -> str:
        """The same elements in another shape."""
        many = sum(isinstance(n, Rows) for n in shape)
        if many > 1 or (many and 0 in shape):  # more than one length, or none, could stand for −1
            return self.node("Reshape", found, self.lengths(shape), allowzero=int(0 in shape))
        numbers = [-1 if isinstance(n, Rows) else n for n in shape]
        return self.node("Reshape", found, self.constant(np.array(numbers, np.int64)), allowzero=int(0 in numbers))

    # --- loops, and the whole

    @contextmanager
    def inside(self) -> Iterator[list[Any]]:
        """Nodes go into the body of a loop, which is given."""
        self._levels.append([])
        try:
            yield self._levels[-1]
        finally:
            self._levels.pop()

    def body(self, nodes: Sequence[Any], inputs: Sequence[Described], outputs: Sequence[Described]) -> Any:
        """The body of a loop, of these nodes."""
        ends = [[self._told(*x) for x in part] for part in (inputs, outputs)]
        return self._make.make_graph(nodes, self.name("body"), *ends)

    def model(self, name: str, told: str) -> bytes:
        """The whole as a file, checked."""
        from onnx import checker

        kept: list[Any] = []
        needed = {x.name for x in self._outputs}
        for node in reversed(self._levels[0]):
            if not needed.isdisjoint(node.output):
                kept.append(node)
                needed |= set(_read_by(node))
        used = [x for x in self._constants.values() if x.name in needed]
        ends = [[self._told(*x) for x in part] for part in (self._inputs, self._outputs)]
        graph = self._make.make_graph(kept[::-1], name, *ends, used)
        opsets = [self._make.make_opsetid("", OPSET)]
        if any(node.domain for node in kept):
            opsets.append(self._make.make_opsetid("ai.onnx.ml", ML_OPSET))
        model = self._make.make_model(graph, opset_imports=opsets, ir_version=FORMAT, producer_name="chainrule")
        model.doc_string = told
        content = bytes(model.SerializeToString())
        checker.check_model(content, full_check=True)
        return content

    def _told(self, name: str, dtype: Any, shape: Shape, told: str) -> Any:
        """An input or an output as ONNX is told of it."""
        lengths = [(ROWS if n.times == 1 else f"{n.times}*{ROWS}") if isinstance(n, Rows) else n for n in shape]
        return self._make.make_tensor_value_info(name, self._kind(dtype), lengths, told)

    def _kind(self, dtype: Any) -> int:
        """What ONNX calls a kind of number, or texts."""
        kind = np.dtype(dtype)
        return int(self._make.np_dtype_to_tensor_dtype(np.dtype(object) if kind.kind == "U" else kind))


def _read_by(node: Any) -> Iterator[str]:
    """What a node reads, inside its body too."""
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from _read_by(inner)
