"""The forward-mode trace: every value carries its tangent along."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.ops.operation import Operation
from chainrule.tracing.apply import Trace, apply, traced
from chainrule.tracing.numbers import PYTHON_NUMBERS, Number
from chainrule.tracing.numpy_interface import Wrapped
from chainrule.tracing.views import note_array


class TangentValue(Wrapped):
    """A value and its tangent, the derivative along one direction of the inputs."""

    __slots__ = ("tangent",)

    def __init__(self, trace: Tangents, value: Any, tangent: Any) -> None:
        self.trace, self.value, self.tangent = trace, value, tangent

    def __repr__(self) -> str:
        return f"traced({self.value!r}, tangent={self.tangent!r})"


class TangentNumber(Number, TangentValue):
    """A number of Python's and its tangent."""

    __slots__ = ()


class Tangents(Trace):
    """Operations applied to values and, by the rules of the operations, to their tangents."""

    __slots__ = ()

    def variable(self, value: Any, tangent: Any) -> TangentValue:
        """A value that moves along a tangent."""
        if value.dtype.kind == "c":
            self.real = False
        number = type(value) in PYTHON_NUMBERS or getattr(value, "is_number", False)
        if number:
            return TangentNumber(self, np.positive(value), tangent)
        found = TangentValue(self, value, tangent)
        array = type(value) is np.ndarray or getattr(value, "is_array", False)
        return note_array(found) if array else found

    def lifted(self, array: Any) -> TangentValue:
        """A value that does not move."""
        return TangentValue(self, array.copy(), np.zeros(array.shape, array.dtype))

    def process(self, op: Operation, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        """The value one level below, and its tangent by the operation's forward rule."""
        values: list[Any] = []
        tangents: list[Any] = []
        for x in inputs:
            mine = isinstance(x, TangentValue) and x.trace is self
            values.append(x.value if mine else x)
            tangents.append(x.tangent if mine else None)
        output = apply(op, *values, **attributes)
        if not op.differentiable:
            return output
        tangent = op.pushforward(traced, tangents, output, values, **attributes)
        return output if tangent is None else TangentValue(self, output, self.outside(tangent))
