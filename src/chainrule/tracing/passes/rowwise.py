"""Which axis of every value runs over the rows of the data, and whether rows are kept apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from chainrule.ops.axes import Kept, Links, Mixed, Picked, Put, Regrouped, Scattered, Taken
from chainrule.tracing.program import Atom, Equation, Program, Variable, axes_of, bodies_of


@dataclass(frozen=True)
class Rows:
    """Where a value's rows are: the axis whose places are the data's rows, `None` for a value without such an axis.

    `mixed`: what stands in a row may depend on other rows. `equal` are the axes along which all elements are equal. `pieces` are
    the arrays that lie one after the other in a value of one axis, as in what a loop gives.
    """

    axis: int | None = None
    mixed: bool = False
    equal: frozenset[int] = field(default_factory=frozenset)
    pieces: tuple[Piece, ...] = ()


class Piece(NamedTuple):
    """An array inside another: the places it has there, its shape, and its rows."""

    begin: int
    end: int
    shape: tuple[int, ...]
    rows: Rows


MIXED = Rows(mixed=True)


def rows_of(program: Program, data: Iterable[Variable]) -> Mapping[Variable, Rows]:
    """The rows of every value, for data whose first axis runs over the rows; other inputs are the same for all rows."""
    first = set(data)
    return _followed(program, [Rows(0 if x in first else None) for x in program.inputs])


def _followed(program: Program, given: Iterable[Rows]) -> dict[Variable, Rows]:
    """The rows of every value, from those of the inputs."""
    known = dict(zip(program.inputs, given, strict=True))
    for equation in program.equations:
        rows = [_of_atom(x, known) for x in equation.inputs]
        if bodies_of(equation):
            known[equation.output] = _of_loop(equation, rows)
        else:
            plain = MIXED if any(r.pieces for r in rows) else _of_result(equation, rows)
            known[equation.output] = _of_pieces(equation, rows) if plain.mixed else plain
    return known


def is_rowwise(program: Program, held: int) -> bool:
    """Whether every output has a row for every row of the data, which depends on that row alone.

    The first `held` inputs are the same for all rows; the others are data, whose first axis runs over the rows. The
    Program must have been traced for more than one row. Operations that do not say how axes go on count as mixing rows.
    """
    rows = rows_of(program, program.inputs[held:])
    return all(isinstance(x, Variable) and rows[x].axis == 0 and not rows[x].mixed for x in program.outputs)


def _of_atom(x: Atom, known: Mapping[Variable, Rows]) -> Rows:
    return known[x] if isinstance(x, Variable) else _constant(np.asarray(x.value))


def _constant(value: Any) -> Rows:
    return Rows(equal=frozenset(i for i in range(value.ndim) if _is_equal_along(value, i)))


def _is_equal_along(value: Any, axis: int) -> bool:
    return bool(value.size and (value == np.take(value, [0], axis=axis)).all())


def _of_result(equation: Equation, rows: list[Rows]) -> Rows:
    links = axes_of(equation)
    mixed = any(r.mixed for r in rows)
    with_rows = any(r.axis is not None for r in rows)
    if links is None:
        return Rows(mixed=mixed or with_rows)
    found = set()
    for own, r in zip(links, rows, strict=True):
        target = None if r.axis is None else _place(own, r.axis)
        if target is not None:
            found.add(target)
        elif r.axis is not None:
            mixed = True
    shapes = [x.shape for x in equation.inputs]
    if not found:
        return Rows(None, mixed, _equal_axes(equation, links, shapes, rows))
    if len(found) > 1:
        return Rows(None, mixed=True)
    (axis,) = found
    for own, r, shape in zip(links, rows, shapes, strict=True):
        if r.axis is None and not _is_same_along(own, axis, shape, r):
            mixed = True  # an element of the other input belongs to one row alone, whichever rows there are
    return Rows(axis, mixed)


def _of_loop(equation: Equation, rows: list[Rows]) -> Rows:
    """What lies in the result of a loop: rows that its body leaves apart however often it is carried out."""
    body, length = equation.attributes["body"], equation.attributes["length"]
    p, q = body.states, body.states + body.sequences
    state, others = rows[:p], [*map(_of_step, rows[p:q]), *rows[q:]]
    while True:
        known = _followed(body.program, [*state, *others])
        found = [_of_atom(x, known) for x in body.program.outputs]
        both = list(map(_either, state, found))
        if both == state:
            break
        state = both
    collected = [
        Rows(None if r.axis is None else r.axis + 1, r.mixed, frozenset(i + 1 for i in r.equal)) for r in found[p:]
    ]
    parts = zip(body.parts(length), [*collected, *state], strict=True)
    return Rows(pieces=tuple(Piece(begin, end, kind.shape, own) for (begin, end, kind), own in parts))


def _of_step(rows: Rows) -> Rows:
    """The rows of what one step takes of a sequence; a loop over the data's rows themselves takes them together."""
    if rows.axis == 0 or rows.pieces:
        return MIXED
    return Rows(None if rows.axis is None else rows.axis - 1, rows.mixed, frozenset(i - 1 for i in rows.equal if i))


def _either(one: Rows, other: Rows) -> Rows:
    """The rows of a value that may be the one or the other; what is the same for all rows has any."""
    if one == other:
        return one
    axes = {r.axis for r in (one, other) if r.axis is not None}
    if one.pieces or other.pieces or len(axes) > 1 or not all(r.axis in axes or axes <= r.equal for r in (one, other)):
        return MIXED
    return Rows(next(iter(axes), None), one.mixed or other.mixed, one.equal & other.equal)


def _of_pieces(equation: Equation, rows: list[Rows]) -> Rows:
    """The rows of a value that whole arrays are put together to, one after the other, or that is cut out of such a one."""
    links, size, found = axes_of(equation), equation.output.type.size, list[Piece]()
    if links is None:
        return MIXED
    for x, own, r in zip(equation.inputs, links, rows, strict=True):
        inside = r.pieces or (Piece(0, math.prod(x.shape), x.shape, r),)
        match own:
            case (Picked(source=0, start=begin, step=1),):
                found += [Piece(0, size, *p[2:]) for p in inside if p[:2] == (begin, begin + size)]
            case (Put(source=0, target=0, start=begin, step=1),):
                found += [Piece(begin + p.begin, begin + p.end, *p[2:]) for p in inside]
            case () | (Kept() | Regrouped(),) if math.prod(x.shape) == size:  # all elements, in their order
                found += inside
            case _:
                return MIXED
    if len(found) == 1 and (found[0].end, found[0].shape) == (size, equation.output.shape):
        return found[0].rows
    ends = [0, *(p.end for p in found)]
    whole = len(equation.output.shape) == 1 and [*(p.begin for p in found), size] == ends
    return Rows(pieces=tuple(found)) if whole else MIXED


def _place(links: Links, source: int) -> int | None:
    """The axis of the result that an input's axis has become, place by place."""
    return next((link.target for link in links if isinstance(link, Kept) and link.source == source), None)


def _is_same_along(links: Links, target: int, shape: tuple[int, ...], rows: Rows) -> bool:
    """Whether an input gives the same to every place along an axis of the result, other inputs' choice among it aside."""
    for link in links:
        if isinstance(link, Kept | Picked) and link.target == target:
            return shape[link.source] == 1 or link.source in rows.equal
        if isinstance(link, Put | Mixed | Scattered) and link.target == target:
            return False
        if isinstance(link, Regrouped) and target in link.targets:
            return False
        if isinstance(link, Taken) and target in link.targets:
            return True
    return True


def _equal_axes(
    equation: Equation, links: tuple[Links, ...], shapes: list[tuple[int, ...]], rows: list[Rows]
) -> frozenset[int]:
    """The axes of the result along which all elements are equal."""
    axes = range(len(equation.output.shape))
    inputs = list(zip(links, shapes, rows, strict=True))
    return frozenset(j for j in axes if all(_is_same_along(own, j, shape, r) for own, shape, r in inputs))
