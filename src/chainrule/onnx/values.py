"""Values of an ONNX graph in NumPy's dress: NumPy's functions of numbers on them write nodes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from chainrule.onnx.functions import FUNCTIONS
from chainrule.onnx.graph import Graph
from chainrule.onnx.lengths import NotWrittenError, Shape, together

PYTHON = (int, float)
"""Types of Python's numbers, which adapt to the arrays they meet; a truth value does not."""


class Value(np.lib.mixins.NDArrayOperatorsMixin):
    """What has a name in a graph. Axes along which its elements are equal may have length 1, or lack at the front."""

    __slots__ = ("dtype", "graph", "name", "shape")

    def __init__(self, graph: Graph, name: str, dtype: Any, shape: Shape) -> None:
        self.graph, self.name, self.dtype, self.shape = graph, name, np.dtype(dtype), shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        *kinds, result = _loop(ufunc, tuple(map(_kind, inputs)))
        if ufunc not in FUNCTIONS or "O" in [kind.kind for kind in kinds]:
            raise NotWrittenError(f"ONNX graphs have no {ufunc.__name__} of {', '.join(map(str, kinds))}")
        given = [as_value(self.graph, x, kind) for x, kind in zip(inputs, kinds, strict=True)]
        found: Value = FUNCTIONS[ufunc](*given)
        return found.astype(result)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a value of an ONNX graph was to become an array of NumPy")

    def by(self, kind: str, *others: Any, dtype: Any = None, **attributes: Any) -> Value:
        """What an elementwise node gives of this value and others of its dtype."""
        given = (self, *(as_value(self.graph, x, self.dtype) for x in others))
        name = self.graph.node(kind, *(x.name for x in given), **attributes)
        return Value(self.graph, name, self.dtype if dtype is None else dtype, together(*(x.shape for x in given)))

    def choose(self, a: Any, b: Any) -> Value:
        """The one where this holds and the other where not, in the dtype of both together."""
        kind = result_type(a, b)
        if kind.kind == "b":  # which runtimes do not choose between
            return self.choose(*(as_value(self.graph, x, bool).astype(np.uint8) for x in (a, b))).astype(bool)
        one, other = (as_value(self.graph, x, kind) for x in (a, b))
        name = self.graph.node("Where", self.name, one.name, other.name)
        return Value(self.graph, name, kind, together(self.shape, one.shape, other.shape))

    def astype(self, dtype: Any) -> Value:
        """The same numbers in another dtype."""
        kind = np.dtype(dtype)
        if kind == self.dtype:
            return self
        return Value(self.graph, self.graph.cast(self.name, kind), kind, self.shape)

    def reshaped(self, shape: Shape) -> Value:
        """The same elements in another shape."""
        return self if shape == self.shape else self.named(self.graph.reshaped(self.name, shape), shape)

    def expanded(self, shape: Shape) -> Value:
        """Repeated to this shape, which it broadcasts to."""
        if shape == self.shape:
            return self
        return self.named(self.graph.node("Expand", self.name, self.graph.lengths(shape)), shape)

    def transposed(self, order: tuple[int, ...]) -> Value:
        """The axes in another order."""
        if order == tuple(range(self.ndim)):
            return self
        name = self.graph.node("Transpose", self.name, perm=order)
        return self.named(name, tuple([self.shape[i] for i in order]))

    def named(self, name: str, shape: Shape) -> Value:
        """Another value of this dtype."""
        return Value(self.graph, name, self.dtype, shape)


def given(graph: Graph, name: str, dtype: Any, shape: Shape, told: str = "") -> Value:
    """A further input of a graph, and what is told of it to whoever reads the file."""
    return Value(graph, graph.input(name, dtype, shape, told), dtype, shape)


def known(graph: Graph, array: Any, name: str = "constant") -> Value:
    """Numbers or texts that are known, by a name of their own."""
    return Value(graph, graph.constant(array, name), array.dtype, array.shape)


def as_value(graph: Graph, x: Any, dtype: Any) -> Value:
    """A value, number or array in this dtype as a value."""
    if isinstance(x, Value):
        return x.astype(dtype)
    return known(graph, np.asarray(x, dtype))


def result_type(*inputs: Any) -> np.dtype[Any]:
    """The dtype of values and numbers together."""
    return np.result_type(*[np.zeros((), x.dtype) if isinstance(x, Value) else x for x in inputs])


def _kind(x: Any) -> Any:
    """The dtype of an array, or the type of a number of Python's, as NumPy is told of it."""
    if type(x) in PYTHON:
        return type(x)
    return x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype


@cache
def _loop(ufunc: np.ufunc, kinds: tuple[Any, ...]) -> tuple[np.dtype[Any], ...]:
    """The dtypes that NumPy computes in."""
    return ufunc.resolve_dtypes((*kinds, None))
