"""Whether rows are computed each by itself, the same way however many there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.tracing.passes.rowwise import is_rowwise
from chainrule.tracing.program import Atom, Program, Variable, bodies_of


def keeps_apart(trace: Callable[[int], Program], held: int, rows: int) -> bool:
    """Whether what `trace` gives for so many rows leaves them apart, and is the same for another number; see `is_rowwise`."""
    program, other = trace(rows), 3 * rows + 5
    return is_rowwise(program, held) and are_alike(program, trace(other), (rows, other))


def are_alike(one: Program, other: Program, rows: tuple[int, int]) -> bool:
    """Whether two Programs, traced for so many rows each, differ in nothing but that.

    Lengths of arrays go with the number of rows; numbers that are computed with, and how often something is done, do not.
    """
    programs = one, other
    if len({(len(p.inputs), len(p.equations), len(p.outputs)) for p in programs}) > 1:
        return False
    counterpart = dict(zip(one.inputs, other.inputs, strict=True))

    def same(a: Atom, b: Atom) -> bool:
        if isinstance(a, Variable) or isinstance(b, Variable):
            return isinstance(a, Variable) and counterpart.get(a) is b
        return _is_same_value(np.asarray(a.value), np.asarray(b.value))

    for a, b in zip(one.equations, other.equations, strict=True):
        if a.op is not b.op or len(a.inputs) != len(b.inputs) or not all(map(same, a.inputs, b.inputs)):
            return False
        if a.attributes.keys() != b.attributes.keys():
            return False
        inside = [bodies_of(a), bodies_of(b)]
        if len(inside[0]) != len(inside[1]) or not all(are_alike(p, q, rows) for p, q in zip(*inside, strict=True)):
            return False
        pairs = ((a.attributes[key], b.attributes[key]) for key in a.attributes)
        if not all(hasattr(x, "program") or _is_same_attribute(x, y, rows) for x, y in pairs):
            return False
        counterpart[a.output] = b.output
    return all(map(same, one.outputs, other.outputs))


def _is_same_value(a: Any, b: Any) -> bool:
    """Whether constants are equal, or repeat the same more often."""
    if a.dtype != b.dtype or a.ndim != b.ndim:
        return False
    for axis, (n, m) in enumerate(zip(a.shape, b.shape, strict=True)):
        if n != m:
            first, second = a.take([0], axis) if n else a, b.take([0], axis) if m else b
            if not (n and m and _is_equal(np.broadcast_to(first, a.shape), a)) or not _is_equal(
                np.broadcast_to(second, b.shape), b
            ):
                return False
            a, b = first, second
    return _is_equal(a, b)


def _is_equal(a: Any, b: Any) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def _is_same_attribute(x: Any, y: Any, rows: tuple[int, int], inside: bool = False) -> bool:
    """Whether static arguments are equal, but for lengths and places in tuples that go with the number of rows."""
    if isinstance(x, tuple) and isinstance(y, tuple):
        return len(x) == len(y) and all(_is_same_attribute(a, b, rows, True) for a, b in zip(x, y, strict=True))
    if inside and type(x) is int and type(y) is int and x * rows[1] == y * rows[0]:
        return True
    return bool(np.all(x == y)) if np.shape(x) == np.shape(y) else False
