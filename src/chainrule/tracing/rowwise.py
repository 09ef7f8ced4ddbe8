"""Whether a Program treats the rows of its data one by one, so that it may be carried out on blocks of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.ops import Contraction, Elementwise, Reduction
from chainrule.ops.kinds.contraction import parse
from chainrule.tracing.program import Atom, Equation, Program, Variable

ALONG_AXIS = ("cumsum", "sort", "argsort")
"""Operations that mix the elements along one axis and keep the shape."""


@dataclass(frozen=True)
class _Rows:
    """Where a value's rows are: the axis that runs over the data's rows, `None` for a value that has no part in them;
    and the axes along which all elements are equal."""

    axis: int | None = None
    equal: frozenset[int] = field(default_factory=frozenset)


class _MixesError(Exception):
    """An operation takes elements of different rows together."""


def is_rowwise(program: Program, held: int) -> bool:
    """Whether every output has a row for every row of the data, which depends on that row alone.

    The first `held` inputs are the same for all rows; the others are data, whose first axis runs over the rows. The
    Program must have been traced for more than one row. Operations that are not known to keep rows apart count as
    mixing them.
    """
    known = {x: _Rows() if i < held else _Rows(0) for i, x in enumerate(program.inputs)}

    def of(x: Atom) -> _Rows:
        return known[x] if isinstance(x, Variable) else _constant(np.asarray(x.value))

    try:
        for equation in program.equations:
            known[equation.output] = _rule(equation)(equation, [of(x) for x in equation.inputs])
    except _MixesError:
        return False
    return all(isinstance(x, Variable) and known[x].axis == 0 for x in program.outputs)


def _constant(value: Any) -> _Rows:
    equal = [i for i, n in enumerate(value.shape) if n and bool((value == np.take(value, [0], axis=i)).all())]
    return _Rows(None, frozenset(equal))


def _rule(equation: Equation) -> Callable[[Equation, list[_Rows]], _Rows]:
    op = equation.op
    if isinstance(op, Elementwise):
        return _elementwise
    if isinstance(op, Reduction) or op.name in ("argmax", "argmin"):
        return _reduction
    if isinstance(op, Contraction):
        return _contraction
    if op.name in ALONG_AXIS:
        return _along_axis
    return _LAYOUTS.get(op.name, _unknown)


def _unknown(equation: Equation, rows: list[_Rows]) -> _Rows:
    if any(r.axis is not None for r in rows):
        raise _MixesError
    return _Rows()


def _aligned(equation: Equation, rows: list[_Rows], places: list[tuple[int | None, ...]]) -> _Rows:
    """The rows of a result whose axis j is axis `places[i][j]` of input i; `None` where the input is repeated."""
    found = {
        j
        for r, place in zip(rows, places, strict=True)
        for j, k in enumerate(place)
        if r.axis is not None and k == r.axis
    }
    if len(found) > 1 or (not found and any(r.axis is not None for r in rows)):
        raise _MixesError

    def repeats(i: int, j: int) -> bool:
        k = places[i][j]
        return k is None or equation.inputs[i].shape[k] == 1 or k in rows[i].equal

    if not found:
        return _Rows(None, frozenset(j for j in range(len(places[0])) if all(repeats(i, j) for i in range(len(rows)))))
    axis = found.pop()
    if not all(r.axis is not None or repeats(i, axis) for i, r in enumerate(rows)):
        raise _MixesError
    return _Rows(axis)


def _elementwise(equation: Equation, rows: list[_Rows]) -> _Rows:
    size = len(equation.output.shape)
    missing = [size - len(x.shape) for x in equation.inputs]
    return _aligned(equation, rows, [tuple(j - m if j >= m else None for j in range(size)) for m in missing])


def _contraction(equation: Equation, rows: list[_Rows]) -> _Rows:
    parts = parse(equation.attributes["subscripts"])
    places = [tuple(term.index(c) if c in term else None for c in parts.result) for term in (parts.left, parts.right)]
    return _aligned(equation, rows, places)


def _moved(equation: Equation, rows: list[_Rows], to: Callable[[int], int | None]) -> _Rows:
    """The rows of a result in which the input's axis i has become axis `to(i)`, `None` if it is gone."""
    axis = None if rows[0].axis is None else to(rows[0].axis)
    if rows[0].axis is not None and axis is None:
        raise _MixesError
    return _Rows(axis, frozenset(j for i in rows[0].equal if (j := to(i)) is not None))


def _reduction(equation: Equation, rows: list[_Rows]) -> _Rows:
    axis = equation.attributes["axis"]
    gone = axis if isinstance(axis, tuple) else (axis,)
    keep = equation.attributes.get("keepdims", False)
    return _moved(equation, rows, lambda i: None if i in gone else i if keep else i - sum(k < i for k in gone))


def _along_axis(equation: Equation, rows: list[_Rows]) -> _Rows:
    return _moved(equation, rows, lambda i: None if i == equation.attributes["axis"] else i)


def _transpose(equation: Equation, rows: list[_Rows]) -> _Rows:
    return _moved(equation, rows, tuple(equation.attributes["axes"]).index)


def _broadcast(equation: Equation, rows: list[_Rows]) -> _Rows:
    return _elementwise(equation, rows)


def _reshape(equation: Equation, rows: list[_Rows]) -> _Rows:
    old, new = equation.inputs[0].shape, equation.output.shape

    def to(i: int) -> int | None:
        before = math.prod(old[:i])
        return next((j for j, n in enumerate(new) if n == old[i] and math.prod(new[:j]) == before), None)

    return _moved(equation, rows, to)


def _slice(equation: Equation, rows: list[_Rows]) -> _Rows:
    axis, attributes = rows[0].axis, equation.attributes
    if axis is not None and (
        equation.output.shape[axis] != equation.inputs[0].shape[axis] or attributes["step"][axis] != 1
    ):
        raise _MixesError
    return rows[0] if equation.op.name == "slice" else _Rows(axis)


def _concatenate(equation: Equation, rows: list[_Rows]) -> _Rows:
    size, axis = len(equation.output.shape), equation.attributes["axis"]
    joined = _aligned(equation, rows, [tuple(range(size))] * len(rows))
    if joined.axis == axis:
        raise _MixesError
    return _Rows(joined.axis, joined.equal - {axis})


def _take(equation: Equation, rows: list[_Rows]) -> _Rows:
    source, indices = rows
    axis, more = equation.attributes["axis"], len(equation.inputs[1].shape)
    if source.axis is not None and indices.axis is None and source.axis != axis:
        return _Rows(source.axis if source.axis < axis else source.axis + more - 1)
    if source.axis is None:
        return _Rows(None if indices.axis is None else axis + indices.axis)
    raise _MixesError


_LAYOUTS = {
    "transpose": _transpose,
    "broadcast_to": _broadcast,
    "reshape": _reshape,
    "slice": _slice,
    "embed": _slice,
    "concatenate": _concatenate,
    "take": _take,
}
