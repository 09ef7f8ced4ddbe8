"""The paths from an element to the output, one by one: how many there are, and the largest of them first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.explanation.derivations.chain import Chain, Link
from chainrule.explanation.formulas.indices import Letter, number_at
from chainrule.explanation.formulas.symbols import Element, number_of
from chainrule.tracing.program import Variable

LARGEST = 40_000_000
"""Numbers that the local derivatives of one step may be; more need fewer rows."""


@dataclass(frozen=True)
class Path:
    """The elements from the start to the output, and the product of the derivatives from each to the next."""

    elements: tuple[Element, ...]
    value: float


class Paths:
    """All paths by way of a chain's stations."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.output = chain, chain.output
        self.links: dict[Variable, list[Link]] = {}
        for link in chain.links:
            self.links.setdefault(link.element.variable, []).append(link)
        self._factors: dict[tuple[Element, int], Any] = {}

    @property
    def count(self) -> int:
        """How many paths there are."""
        counts, _ = self._totals
        return int(counts[self.chain.element.variable][self.chain.element.place])

    @cached_property
    def _totals(self) -> tuple[dict[Variable, Any], dict[Variable, Any]]:
        """For every element of every station: how many paths lead on, and the size of the largest of them."""
        counts: dict[Variable, Any] = {self.output.variable: np.ones(self.output.variable.shape)}
        sizes: dict[Variable, Any] = {self.output.variable: np.ones(self.output.variable.shape)}
        for link in self.chain.links:  # those nearest to the output first
            element, variable = link.element, link.element.variable
            own = _mesh(element.letters)
            number: Any = np.zeros([letter.size for letter in element.letters])
            size: Any = np.zeros(number.shape)
            for i, term in enumerate(link.terms):
                places = _places(term.target, _mesh((*element.letters, *term.letters)))
                factors = self._factors_of(link, i)
                axes = tuple(range(len(element.letters), factors.ndim))
                inner = np.broadcast_to(counts[term.target.variable][places], factors.shape)
                number = number + inner.sum(axis=axes)
                ways = np.abs(factors) * sizes[term.target.variable][places]
                size = np.maximum(size, ways.max(axis=axes, initial=0.0))
            at = _places(element, own)
            first = counts.setdefault(variable, np.zeros(variable.shape))[at] == 0  # of several families that hold it
            for totals, found in ((counts, number), (sizes, size)):
                whole = totals.setdefault(variable, np.zeros(variable.shape))
                whole[at] = np.where(first, found, whole[at])
        return counts, sizes

    def _factors_of(self, link: Link, i: int) -> Any:
        """A term's local derivatives for all places of the family's letters and its own."""
        key = (link.element, i)
        if key not in self._factors:
            term = link.terms[i]
            letters = (*link.element.letters, *term.letters)
            shape = tuple(letter.size for letter in letters)
            if int(np.prod(shape, dtype=np.int64)) > LARGEST:
                raise SettingError(
                    f"a split by path would need {int(np.prod(shape, dtype=np.int64)):,} local derivatives at "
                    f"{self.chain.evaluation.label(link.element.variable)}; give fewer rows, such as X[:10]."
                )
            values = number_of(term.factor, self.chain.value_of, _mesh(letters))
            self._factors[key] = np.broadcast_to(np.asarray(values, np.float64), shape)
        return self._factors[key]

    def largest_first(self) -> Iterator[Path]:
        """The paths in order of the size of their products, found one by one (best-first search)."""
        _, sizes = self._totals
        order = count()
        start = self.chain.element
        waiting: list[tuple[float, int, float, tuple[Element, ...]]] = [
            (-float(sizes[start.variable][start.place]), next(order), 1.0, (start,))
        ]
        while waiting:
            _, _, product, elements = heapq.heappop(waiting)
            if elements[-1] == self.output:
                yield Path(elements, product)
                continue
            for target, factor in self._next(elements[-1]):
                bound = abs(product * factor) * float(sizes[target.variable][target.place])
                heapq.heappush(waiting, (-bound, next(order), product * factor, (*elements, target)))

    def _next(self, element: Element) -> Iterator[tuple[Element, float]]:
        """The elements an element leads to, with the derivative of each by it."""
        link, places = self._link(element)
        for i, term in enumerate(link.terms):
            factors = self._factors_of(link, i)[tuple(places[letter] for letter in link.element.letters)]
            for inner in np.ndindex(factors.shape):
                at = {**places, **dict(zip(term.letters, inner, strict=True))}
                yield term.target.at(at), float(factors[inner])

    def _link(self, element: Element) -> tuple[Link, dict[Letter, int]]:
        for link in self.links[element.variable]:
            places: dict[Letter, int] = {}
            for own, place in zip(link.element.index, element.place, strict=True):
                if isinstance(own, Letter):
                    places[own] = place
                elif own != place:
                    break
            else:
                return link, places
        raise AssertionError(f"no family holds {element}")


def _mesh(letters: tuple[Letter, ...]) -> dict[Letter, Any]:
    """All places of the letters, each an array along axes for all of them."""
    grids = np.meshgrid(*(np.arange(letter.size) for letter in letters), indexing="ij", sparse=True)
    return dict(zip(letters, grids, strict=True))


def _places(element: Element, mesh: dict[Letter, Any]) -> tuple[Any, ...]:
    return tuple(number_at(i, mesh, n) for i, n in zip(element.index, element.variable.shape, strict=True))
