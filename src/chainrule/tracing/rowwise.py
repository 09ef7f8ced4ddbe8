"""Which axis of every value runs over the rows of the data, and whether rows are kept apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.ops.axes import Kept, Links, Mixed, Picked, Put, Regrouped, Scattered, Taken
from chainrule.tracing.program import Equation, Program, Variable, axes_of


@dataclass(frozen=True)
class Rows:
    """Where a value's rows are: the axis whose places are the data's rows, `None` for a value without such an axis.

    `mixed`: what stands in a row may depend on other rows. `equal` are the axes along which all elements are equal.
    """

    axis: int | None = None
    mixed: bool = False
    equal: frozenset[int] = field(default_factory=frozenset)


def rows_of(program: Program, data: Iterable[Variable]) -> Mapping[Variable, Rows]:
    """The rows of every value, for data whose first axis runs over the rows; other inputs are the same for all rows."""
    first = set(data)
    known = {x: Rows(0 if x in first else None) for x in program.inputs}
    for equation in program.equations:
        known[equation.output] = _of_result(
            equation, [known[x] if isinstance(x, Variable) else _constant(np.asarray(x.value)) for x in equation.inputs]
        )
    return known


def is_rowwise(program: Program, held: int) -> bool:
    """Whether every output has a row for every row of the data, which depends on that row alone.

    The first `held` inputs are the same for all rows; the others are data, whose first axis runs over the rows. The
    Program must have been traced for more than one row. Operations that do not say how axes go on count as mixing rows.
    """
    rows = rows_of(program, program.inputs[held:])
    return all(isinstance(x, Variable) and rows[x].axis == 0 and not rows[x].mixed for x in program.outputs)


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
    return frozenset(
        j
        for j in axes
        if not any(isinstance(link, Taken) and j in link.targets for own in links for link in own)
        and all(_is_same_along(own, j, shape, r) for own, shape, r in inputs)
    )
