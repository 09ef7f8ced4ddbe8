"""Where an element goes along the links of an operation's axes, and where it comes from, with letters in its index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.explanation.formulas.indices import (
    Entry,
    Index,
    Shifted,
    bounds,
    combined,
    joined,
    letters_in,
    regrouped,
)
from chainrule.explanation.formulas.symbolic import Formula, as_expression
from chainrule.explanation.formulas.symbols import Element, Expression, Symbol, counted, where_holds
from chainrule.ops.axes import Kept, Link, Mixed, Picked, Put, Regrouped, Taken
from chainrule.tracing.program import Equation, Literal, axes_of

MOST_PLACES = 12
"""Places of a known index that a letter is compared with one by one."""

Fresh = Callable[[int], Entry]
"""A place for an axis of the result along which an element is repeated: a new letter."""


@dataclass(frozen=True)
class Route:
    """Places along some axes, and what has to hold of the letters for an element to get there."""

    places: Mapping[int, Entry]
    conditions: tuple[Expression, ...] = ()


def reached(equation: Equation, position: int, index: Index, fresh: Fresh, loose: bool) -> list[Route] | None:
    """Where an input's element goes: places along all axes of the result. `None` if the links do not say.

    `loose`: also by conditions on new letters, where places are no multiples of letters.
    """
    links, shape = axes_of(equation), equation.output.shape
    routes = [Route({})]
    for link in () if links is None else links[position]:
        further = _along(link, equation, position, index, fresh, loose)
        if further is None:
            return None
        routes = [Route({**a.places, **b.places}, a.conditions + b.conditions) for a in routes for b in further]
    if links is None:
        return None
    return [
        Route({i: r.places[i] if i in r.places else fresh(i) for i in range(len(shape))}, r.conditions) for r in routes
    ]


def _along(
    link: Link, equation: Equation, position: int, index: Index, fresh: Fresh, loose: bool
) -> list[Route] | None:
    """Where an element goes along one link."""
    shape = equation.output.shape
    if isinstance(link, Kept):
        return [Route({link.target: index[link.source]})]
    if isinstance(link, Mixed) and (link.target is None or shape[link.target] == 1):
        return [Route({} if link.target is None else {link.target: 0})]
    if isinstance(link, Put):
        place = combined([(link.step, 0 if link.source is None else index[link.source])], link.start)
        return [Route({link.target: place})]
    if isinstance(link, Picked):
        found = _solved(index[link.source], link.start, link.step, 1 if link.target is None else shape[link.target])
        return found and [Route({} if link.target is None else {link.target: r.places[0]}, r.conditions) for r in found]
    if isinstance(link, Regrouped):
        sizes, wanted = [equation.inputs[position].shape[i] for i in link.sources], [shape[i] for i in link.targets]
        moved = regrouped([index[i] for i in link.sources], sizes, wanted)
        if moved is not None:
            return [Route(dict(zip(link.targets, moved, strict=True)))]
        if not loose:
            return None
        new = {i: fresh(i) for i in link.targets}
        source = joined([index[i] for i in link.sources], sizes)
        return [Route(new, (_equal(counted(joined(list(new.values()), wanted)), source),))]
    if isinstance(link, Taken):
        return _taken(link, equation, index[link.source], fresh, loose)
    return None


def _taken(link: Taken, equation: Equation, place: Entry, fresh: Fresh, loose: bool) -> list[Route] | None:
    """The places at which an index has the number of a place."""
    source = equation.inputs[link.index]
    if isinstance(source, Literal):
        numbers = np.asarray(source.value)
        if not letters_in([place]):
            every = np.argwhere(numbers == place)
            return [Route(dict(zip(link.targets, map(int, at), strict=True))) for at in every]
        if not loose or numbers.size > MOST_PLACES:
            return None
        return [
            Route(dict(zip(link.targets, map(int, at), strict=True)), (_equal(counted(place), int(numbers[at])),))
            for at in np.ndindex(numbers.shape)
        ]
    if not loose:
        return None
    new = {axis: fresh(axis) for axis in link.targets}
    return [Route(new, (_equal(Symbol(Element(source, tuple(new.values()))), place),))]


def origin(equation: Equation, position: int, index: Index) -> Route | None:
    """The element of an input that goes to a place of the result; `None` if the links do not say.

    Where no element goes there, a condition is 0.
    """
    x, links = equation.inputs[position], axes_of(equation)
    if links is None:
        return None
    places: dict[int, Entry] = dict.fromkeys(range(len(x.shape)), 0)
    conditions: tuple[Expression, ...] = ()
    for link in links[position]:
        if isinstance(link, Kept):
            places[link.source] = index[link.target]
        elif isinstance(link, Picked):
            places[link.source] = combined([(link.step, 0 if link.target is None else index[link.target])], link.start)
        elif isinstance(link, Put):
            size = 1 if link.source is None else x.shape[link.source]
            found = _solved(index[link.target], link.start, link.step, size)
            conditions += found[0].conditions if found else (as_expression(0.0),)
            if found and link.source is not None:
                places[link.source] = found[0].places[0]
        elif isinstance(link, Regrouped):
            wanted, sizes = [x.shape[i] for i in link.sources], [equation.output.shape[i] for i in link.targets]
            moved = regrouped([index[i] for i in link.targets], sizes, wanted)
            if moved is None:
                return None
            places |= dict(zip(link.sources, moved, strict=True))
        elif isinstance(link, Taken) and isinstance(source := equation.inputs[link.index], Literal):
            at = [index[i] for i in link.targets]
            if letters_in(at):
                return None
            places[link.source] = int(np.asarray(source.value)[tuple(at)])  # type: ignore[arg-type]
        else:
            return None
    return Route(places, conditions)


def _solved(place: Entry, start: int, step: int, size: int) -> list[Route]:
    """The p of 0 … size − 1 with start + step·p = place, along axis 0, and what has to hold for there to be one."""
    found = combined([(1, place), (-1, start)])
    found = combined([(Fraction(1, step), found)])
    if not letters_in([found]):
        return [Route({0: found})] if isinstance(found, int) and 0 <= found < size else []
    first, last = sorted((start, start + step * (size - 1)))
    low, high = bounds(place)
    if high < first or low > last or not size:
        return []
    if first == last:
        return [Route({0: 0}, (_equal(counted(place), first),))]
    written: Any = Formula(counted(place))
    conditions = []
    if low < first:
        conditions.append(where_holds(as_expression(written >= Formula(counted(first)))))
    if high > last:
        conditions.append(where_holds(as_expression(written < Formula(counted(last + 1)))))
    if isinstance(found, Shifted) and not _always_whole(found):
        conditions.append(_equal(as_expression(written % Formula(counted(abs(step)))), start % abs(step)))
    return [Route({0: found}, tuple(conditions))]


def _always_whole(entry: Shifted) -> bool:
    return entry.number.denominator == 1 and all(step.denominator == 1 for _, step in entry.multiples)


def _equal(left: Expression, right: Entry) -> Expression:
    return where_holds(as_expression(Formula(left) == Formula(counted(right))))
