"""The operations' own declarations evaluated with values of an ONNX graph: each kind in its own way, no operation by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.onnx.contractions import contracted
from chainrule.onnx.functions import FUNCTIONS, OWN
from chainrule.onnx.graph import Graph
from chainrule.onnx.lengths import NotWrittenError, Rows, common, count
from chainrule.onnx.moves import moved
from chainrule.onnx.pairs import Both, equations, number_of
from chainrule.onnx.scans import Pieces, scanned
from chainrule.onnx.values import Value, as_value, result_type
from chainrule.ops.kinds import Contraction, Custom, Elementwise, Layout, Reduction
from chainrule.ops.kinds.elementwise import NUMBERS
from chainrule.ops.operation import REGISTRY
from chainrule.tracing.loops.loop import Loop
from chainrule.tracing.passes.writing_out import written_out
from chainrule.tracing.program import Atom, Program, Variable

FOLDS = {"add": "ReduceSum", "maximum": "ReduceMax", "minimum": "ReduceMin", "multiply": "ReduceProd"}
"""The nodes that combine elements, by the operation that joins two of them."""

OF_TRUTH = {"logical_or": "ReduceMax", "logical_and": "ReduceMin"}
"""Those that combine truth values, as 0 and 1."""


class Evaluation:
    """The namespace `m` of values of a graph, and Programs evaluated over it; `rows` are the numbers that these were traced for."""

    def __init__(self, graph: Graph, rows: tuple[int, int]) -> None:
        self._graph, self._rows = graph, rows
        self._composing: set[str] = set()
        self.refused: dict[str, str] = {}

    def outputs(self, one: Program, other: Program, inputs: Sequence[Value]) -> list[Value]:
        """What a function gives, of which there are two Programs. Operations that cannot be written are added to `refused`."""
        one, other = written_out(one), written_out(other)
        known: dict[Variable, Any] = dict(zip(one.inputs, inputs, strict=True))
        for both in equations(one, other, self._rows):
            output = both.one.output
            try:
                with self._graph.within(both.one.scope):
                    known[output] = self._applied(both, known)
            except NotWrittenError as error:
                self.refused.setdefault(both.one.op.spoken, str(error))
                known[output] = Value(self._graph, "", output.type.dtype, (1,) * output.type.ndim)
        return [self._whole(a, b, known) for a, b in zip(one.outputs, other.outputs, strict=True)]

    def _applied(self, both: Both, known: Mapping[Variable, Any]) -> Any:
        """What an operation gives, as its kind says."""
        op, kind = both.one.op, both.one.output.type
        pairs = list(zip(both.one.inputs, both.other.inputs, strict=True))
        if isinstance(op, Loop):
            inputs = [self._whole(a, b, known) for a, b in pairs]
            return scanned(both, inputs, self.outputs)
        first = known.get(both.one.inputs[0]) if isinstance(both.one.inputs[0], Variable) else None
        if isinstance(first, Pieces):
            return first.cut(both)
        if isinstance(op, Elementwise):
            found = self._elementwise(op, [self._value(a, b, known) for a, b in pairs], both.attributes)
            return as_value(self._graph, found, kind.dtype)
        values = [self._whole(a, b, known) for a, b in pairs]
        if isinstance(op, Contraction):
            inside = np.dtype(np.int32) if kind.dtype.kind == "b" else kind.dtype
            left, right = (x.astype(inside) for x in values)
            product = contracted(left, right, **both.attributes)
            return product > 0 if inside != kind.dtype else product
        if isinstance(op, Layout):
            linear = len(values) if op.linear is None else op.linear
            values[:linear] = [x.astype(kind.dtype) for x in values[:linear]]
            return moved(both.links, values, both.shape)
        if isinstance(op, Reduction) and op.combine is not None:
            return self._folded(op, values[0], kind.dtype, **both.attributes)
        if isinstance(op, Custom) and op.accumulate == "add":
            x, axis = values[0].astype(kind.dtype), self._graph.constant(np.int64(both.attributes["axis"]))
            return x.named(self._graph.node("CumSum", x.name, axis), x.shape)
        raise NotWrittenError("")

    def __getattr__(self, name: str) -> Any:
        op = REGISTRY.get(name)
        if not isinstance(op, Elementwise):
            raise AttributeError(f"there is no operation on numbers named {name!r}")
        return lambda *inputs, **attributes: self._elementwise(op, inputs, attributes)

    def _elementwise(self, op: Elementwise, inputs: Sequence[Any], attributes: Mapping[str, Any]) -> Any:
        """By nodes that ONNX has for it; else as it declares its value, in which numbers take the dtype of arrays beside them."""
        if op.ufunc in FUNCTIONS:
            return op.ufunc(*inputs)
        if len(inputs) > 1 and not NUMBERS.isdisjoint(map(type, inputs)):
            kind = result_type(*inputs).type
            inputs = [kind(x) if type(x) in NUMBERS else x for x in inputs]
        if op.name in PRIMITIVES:
            return PRIMITIVES[op.name](self._graph, *inputs, **attributes)
        own = OWN.get((op.name, inputs[0].dtype.name)) if isinstance(inputs[0], Value) else None
        if own is not None:
            return own(*inputs)
        if op.passes:
            return inputs[0]
        if op.name in self._composing or not op.loops:
            raise NotWrittenError("")
        self._composing.add(op.name)
        try:
            return op.value(self, *inputs, **attributes)
        finally:
            self._composing.discard(op.name)

    def _folded(self, op: Reduction, x: Value, dtype: Any, axis: tuple[int, ...], keepdims: bool = False) -> Value:
        """Elements along axes combined by one node, and what is done to the result."""
        truth = OF_TRUTH.get(op.combine or "")
        kind = truth or FOLDS.get(op.combine or "")
        if kind is None:
            raise NotWrittenError("")
        x = x.astype(bool).astype(np.int32) if truth else x.astype(dtype)
        total, counted = x, count(tuple(x.shape[i] for i in axis))
        if axis:
            lengths = [1 if i in axis else n for i, n in enumerate(x.shape) if keepdims or i not in axis]
            axes = self._graph.constant(np.array(axis, np.int64))
            total = x.named(self._graph.node(kind, x.name, axes, keepdims=int(keepdims)), tuple(lengths))
        if op.finish is None:
            return total.astype(dtype)
        number: Any = counted if isinstance(counted, int) else self._number(counted).astype(dtype)
        found: Value = op.finish(total, number)
        return found.astype(dtype)

    def _number(self, length: Rows) -> Value:
        """A length as a number to compute with."""
        return Value(self._graph, self._graph.length(length), np.int64, (1,)).reshaped(())

    def _value(self, one: Atom, other: Atom, known: Mapping[Variable, Any]) -> Any:
        """What an input is: a value, which may have to be repeated, or what is known of it."""
        if isinstance(one, Variable):
            if isinstance(known[one], Pieces):
                raise NotWrittenError("")
            return known[one]
        return number_of(one, other)

    def _whole(self, one: Atom, other: Atom, known: Mapping[Variable, Any]) -> Value:
        """What an input is, as long as it is along every axis."""
        found = self._value(one, other, known)
        dtype = found.dtype if hasattr(found, "dtype") else np.asarray(found).dtype
        return as_value(self._graph, found, dtype).expanded(common(one.shape, other.shape, self._rows))


def _astype(graph: Graph, x: Any, dtype: Any) -> Any:
    return as_value(graph, x, dtype)


def _indicator(graph: Graph, condition: Any, like: Any) -> Any:
    return as_value(graph, as_value(graph, condition, bool), result_type(like))


def _where(graph: Graph, condition: Any, a: Any, b: Any) -> Any:
    return as_value(graph, condition, bool).choose(a, b)


PRIMITIVES: dict[str, Callable[..., Any]] = {"astype": _astype, "indicator": _indicator, "where": _where}
"""What declarations take for given of the namespace `m`, beside NumPy's functions of numbers."""
