"""The forward-mode trace: every value carries its tangent along."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.ops.operation import Operation, eager
from chainrule.tracing.apply import PLAIN, Trace, apply, as_it_is, traced
from chainrule.tracing.numbers import PYTHON_NUMBERS, Number
from chainrule.tracing.numpy_interface import Wrapped
from chainrule.tracing.views import NO_PAST, note_array


class TangentValue(Wrapped):
    """A value and its tangent, the derivative along one direction of the inputs."""

    __slots__ = ("inner", "tangent")

    def __init__(self, trace: Tangents, value: Any, tangent: Any) -> None:
        self.trace, self.inner, self.tangent = trace, value, tangent
        self.past = NO_PAST

    def __repr__(self) -> str:
        return f"traced({self.inner!r}, tangent={self.tangent!r})"


class TangentNumber(Number, TangentValue):
    """A number of Python's and its tangent."""

    __slots__ = ()


class Tangents(Trace):
    """Operations applied to values and, by the rules of the operations, to their tangents.

    As a tape, it is `plain` while no trace is below it: values and tangents are arrays, and nobody need be asked.
    """

    __slots__ = ("plain",)

    def __init__(self) -> None:
        super().__init__()
        self.plain = True

    def variable(self, value: Any, tangent: Any) -> TangentValue:
        """A value that moves along a tangent."""
        self.plain = self.plain and type(value) in PLAIN and type(tangent) in PLAIN
        if value.dtype.kind == "c":
            self.real = False
        number = type(value) in PYTHON_NUMBERS or getattr(value, "is_number", False)
        if number:
            return TangentNumber(self, np.positive(value), as_it_is(tangent))
        found = TangentValue(self, as_it_is(value), as_it_is(tangent))
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
            if isinstance(x, TangentValue) and x.trace is self:
                values.append(x.inner)
                tangents.append(x.tangent)
            else:
                if type(x) not in PLAIN:
                    self.plain = False
                values.append(x)
                tangents.append(None)
        plain = self.plain
        output = op.evaluate(*values, **attributes) if plain else apply(op, *values, **attributes)
        if not op.differentiable:
            return output
        tangent = op.pushforward(eager if plain else traced, tangents, output, values, **attributes)
        if tangent is None:
            return output
        if type(tangent) not in PLAIN:  # a rule of the user's may have values of other traces in it
            self.plain = False
            tangent = self.outside(tangent)
        return TangentValue(self, output, tangent)
