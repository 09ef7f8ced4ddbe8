"""Two traces of one function, for different numbers of rows, gone through side by side: what differs is the number of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from chainrule.onnx.lengths import NotWrittenError, Shape, common
from chainrule.ops.axes import Links
from chainrule.tracing.program import Atom, Equation, Literal, Program, Variable, axes_of

OTHERWISE = "computes something else for another number of rows"


class Both(NamedTuple):
    """An equation as it is in one Program and in the other."""

    one: Equation
    other: Equation
    rows: tuple[int, int]

    @property
    def shape(self) -> Shape:
        """The shape of the output."""
        return common(self.one.output.shape, self.other.output.shape, self.rows)

    @property
    def shapes(self) -> list[Shape]:
        """The shapes of the inputs."""
        pairs = zip(self.one.inputs, self.other.inputs, strict=True)
        return [common(a.shape, b.shape, self.rows) for a, b in pairs]

    @property
    def attributes(self) -> dict[str, Any]:
        """The static arguments, which have to be the same in both."""
        if not _are_same(self.one.attributes, self.other.attributes):
            raise NotWrittenError(OTHERWISE)
        return dict(self.one.attributes)

    @property
    def links(self) -> tuple[Links, ...]:
        """How axes go on, which has to be the same in both."""
        links = axes_of(self.one)
        if links is None or links != axes_of(self.other):
            raise NotWrittenError(OTHERWISE)
        return links


def equations(one: Program, other: Program, rows: tuple[int, int]) -> Iterator[Both]:
    """The equations of both, each with its counterpart.

    Raises
    ------
    NotWrittenError
        Where they have none.
    """
    names = [[e.op for e in program.equations] for program in (one, other)]
    if names[0] != names[1] or len(one.outputs) != len(other.outputs):
        raise NotWrittenError(f"the network {OTHERWISE}")
    counterpart = dict(zip(other.inputs, one.inputs, strict=True))
    for a, b in zip(one.equations, other.equations, strict=True):
        yield Both(a, b, rows)
        if any(isinstance(x, Variable) and counterpart[x] is not y for x, y in zip(b.inputs, a.inputs, strict=True)):
            raise NotWrittenError(f"{a.op.spoken} {OTHERWISE}")
        counterpart[b.output] = a.output


def number_of(one: Literal, other: Atom) -> Any:
    """A constant of both: a number of Python's, or an array, of length 1 along axes that go with the rows."""
    if not isinstance(other, Literal):
        raise NotWrittenError(OTHERWISE)
    if not hasattr(one.value, "dtype") and one.value == other.value:
        return one.value
    a, b = np.asarray(one.value), np.asarray(other.value)
    for axis, (n, m) in enumerate(zip(a.shape, b.shape, strict=True)):
        if n != m:
            first, second = a.take([0], axis), b.take([0], axis)
            if not (_is_equal(np.broadcast_to(first, a.shape), a) and _is_equal(np.broadcast_to(second, b.shape), b)):
                raise NotWrittenError(OTHERWISE)
            a, b = first, second
    if not _is_equal(a, b):
        raise NotWrittenError(OTHERWISE)
    return a


def _is_equal(a: Any, b: Any) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def _are_same(one: Any, other: Any) -> bool:
    return one.keys() == other.keys() and all(bool(np.all(one[name] == other[name])) for name in one)
