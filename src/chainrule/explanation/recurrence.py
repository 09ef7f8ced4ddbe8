"""The steps of a loop told as one: states as one array over the steps, and what is alike in every step with a letter t.

This is backpropagation through time as textbooks print it: ∂L/∂h[t, k] = Σ_l ∂L/∂h[t + 1, l] · …, ∂L/∂w = Σ_t ….
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.explanation.chain import Chain, Link, Term
from chainrule.explanation.evaluation import Evaluation
from chainrule.explanation.indices import Entry, Index, Letter, combined, taken_apart, with_places
from chainrule.explanation.labels import names_of_states
from chainrule.explanation.symbolic import rewritten
from chainrule.explanation.symbols import (
    Call,
    Element,
    Expression,
    Numeral,
    Place,
    Printed,
    Product,
    Series,
    Slope,
    Sum,
    Symbol,
)
from chainrule.ops.operation import ArrayType
from chainrule.tracing import trees
from chainrule.tracing.program import Variable

FEWEST = 3
"""Steps that are told as one; fewer are told one by one."""


@dataclass(frozen=True)
class States:
    """The states of loops as arrays with an axis for the steps, `axes`, and where in them the state after each step is."""

    axes: Mapping[Variable, int] = field(default_factory=dict)
    places: Mapping[Variable, tuple[Variable, int]] = field(default_factory=dict)

    def told(self, element: Element) -> Element:
        """A state's element as one of the array of all steps."""
        if element.variable not in self.places:
            return element
        every, number = self.places[element.variable]
        axis = self.axes[every]
        return Element(every, (*element.index[:axis], number, *element.index[axis:]))

    def single(self, element: Element) -> Element:
        """An element of the array of all steps as that of one state."""
        if element.variable not in self.axes:
            return element
        axis = self.axes[element.variable]
        at = (element.variable, element.index[axis])
        variable = next(x for x, place in self.places.items() if place == at)
        return Element(variable, (*element.index[:axis], *element.index[axis + 1 :]))

    def number(self, element: Element) -> int | None:
        """After which step an element is; `None` if it is of no state, or of several."""
        place = element.index[self.axes[element.variable]] if element.variable in self.axes else None
        return place if isinstance(place, int) else None


def with_states(evaluation: Evaluation) -> tuple[Evaluation, States]:
    """The same evaluation with the states of loops as arrays besides, along with their cotangents."""
    loops: dict[tuple[int, str], dict[int, Variable]] = {}
    for x in names_of_states(evaluation.program):
        assert x.step is not None
        loops.setdefault(x.step[:2], {})[x.step.number] = x
    axes, names = dict[Variable, int](), dict(evaluation.names)
    places: dict[Variable, tuple[Variable, int]] = {}
    values, cotangents, samples = dict(evaluation.values), dict(evaluation.cotangents), set(evaluation.samples)
    for (_, name), steps in loops.items():
        first, length = next(iter(steps.values())), max(steps) + 1
        if len(steps) < FEWEST:
            continue
        axis = int(first in samples)  # samples come first, as they do in sequences
        shape = (*first.shape[:axis], length, *first.shape[axis:])
        taken = set(names.values())
        every = Variable(
            next(n for i in range(len(taken) + 1) if (n := name + "′" * i) not in taken), ArrayType(shape, first.dtype)
        )
        axes[every], names[every] = axis, every.name
        places |= {x: (every, number) for number, x in steps.items()}
        samples |= {every} if axis else set()
        for known in (values, cotangents):
            if any(x in known for x in steps.values()):
                known[every] = stacked(known, steps, every, axis)
    inputs = (*axes, *evaluation.program.inputs)
    program = replace(evaluation.program, inputs=inputs, inputs_structure=trees.row(len(inputs)))
    last = {every: x for x, (every, _) in sorted(places.items(), key=lambda place: place[1][1])}
    found = replace(
        evaluation,
        program=program,
        values=values,
        names=names,
        samples=frozenset(samples),
        cotangents=cotangents,
        states=last,
    )
    return (found if axes else evaluation), States(axes, places)


def stacked(known: Mapping[Variable, Any], steps: Mapping[int, Variable], every: Variable, axis: int) -> Any:
    """What is known of the state after every step, along an axis; zeros where nothing is."""
    found = np.zeros(every.shape, np.result_type(*(known[x] for x in steps.values() if x in known)))
    for number, x in steps.items():
        if x in known:
            found[(slice(None),) * axis + (number,)] = known[x]
    return found


@dataclass(frozen=True)
class Told:
    """A link as it is told, and those of the chain that it tells."""

    link: Link
    members: tuple[Link, ...]


def told_together(chain: Chain, states: States) -> list[Told]:
    """The links of a chain, with those of one loop's steps that are alike as one, and terms that are alike as one sum."""
    if not states.axes:
        return [Told(link, (link,)) for link in chain.links]
    for every, axis in states.axes.items():
        steps = {number: x for x, (own, number) in states.places.items() if own is every and x in chain.shares}
        if steps:
            chain.shares[every] = stacked(chain.shares, steps, every, axis)
    found = [Told(_with_sums(chain, _renamed(link, states), states), (link,)) for link in chain.links]
    runs: dict[Any, list[Told]] = {}
    for told in found:
        if states.number(told.link.element) is not None:
            runs.setdefault(_pattern(told.link.element, states), []).append(told)
    merged: dict[int, Told] = {}
    for own in runs.values():
        letter = _letter(chain)
        ordered = sorted(own, key=lambda told: states.number(told.link.element) or 0)
        for run, link in _alike(
            [(states.number(told.link.element), told.link) for told in ordered], letter, chain.output
        ):
            if link is None:
                continue
            members = ordered[run]
            chain.told |= set(link.element.letters)
            together = Told(link, tuple(x for told in members for x in told.members))
            merged |= {id(told): together for told in members}
    return list({id(told): told for told in (merged.get(id(told), told) for told in found)}.values())


def _with_sums(chain: Chain, link: Link, states: States) -> Link:
    """The link with the ways to states after step and step as one sum over the steps."""
    letter = _letter(chain) + "′" * (link.element.variable in states.axes)
    ways: dict[Any, list[tuple[int, Term]]] = {}
    for term in link.terms:
        number = states.number(term.target)
        if number is not None:
            ways.setdefault(_pattern(term.target, states), []).append((number, term))
    replaced: dict[int, Term | None] = {}
    for own in ways.values():
        ordered = sorted(own, key=lambda way: way[0])
        singles = [(number, Link(link.element, (term,))) for number, term in ordered]
        for run, together in _alike(singles, letter, chain.output):
            if together is None:
                continue
            (term,) = together.terms
            (step,) = (x for x in term.target.letters if x.name == letter)
            chain.told.add(step)
            members = [term for _, term in ordered[run]]
            replaced |= {id(x): None for x in members[1:]}
            replaced[id(members[0])] = replace(term, letters=(step, *term.letters))
    terms = [replaced.get(id(term), term) for term in link.terms]
    return Link(link.element, tuple(term for term in terms if term is not None))


def _alike(links: Sequence[tuple[int | None, Link]], letter: str, output: Element) -> list[tuple[slice, Link | None]]:
    """Links by their steps in runs that are alike, each with a letter for the step; `None` for those by themselves."""
    found: list[tuple[slice, Link | None]] = []
    begin = 0
    while begin < len(links):
        end, together = begin + 1, None
        for stop in range(begin + FEWEST, len(links) + 1):
            run = links[begin:stop]
            if any(b != (a or 0) + 1 for (a, _), (b, _) in pairwise(run)):
                break
            one = _one([link for _, link in run], Letter(letter, len(run)), output)
            if one is None:
                break
            end, together = stop, one
        found.append((slice(begin, end), together))
        begin = end
    return found


class _OtherFormError(Exception):
    """Expressions that differ in more than places that go with the step."""


def _one(links: Sequence[Link], step: Letter, output: Element) -> Link | None:
    """One link for several, with a letter for the step, if they differ in nothing but places that go with it."""
    head = links[0]
    if len({len(link.element.letters) for link in links} | {-len(link.terms) for link in links}) > 2:
        return None
    form = _Form(step, [dict(zip(link.element.letters, head.element.letters, strict=True)) for link in links])
    try:
        element = form.element([link.element for link in links])
        terms = []
        for ways in zip(*(link.terms for link in links), strict=True):
            whole = form.expression(
                [Series(way.letters, Product((Slope(output, way.target), way.factor))) for way in ways]
            )
            assert isinstance(whole, Series)
            assert isinstance(whole.body, Product)
            slope, factor = whole.body.factors
            assert isinstance(slope, Slope)
            terms.append(
                Term(slope.by, whole.letters, factor, tuple(dict.fromkeys(r for way in ways for r in way.rules)))
            )
    except _OtherFormError:
        return None
    return Link(element, tuple(terms))


@dataclass(frozen=True)
class _Form:
    """What expressions for consecutive steps have in common; `letters` are those of the first for those of each."""

    step: Letter
    letters: list[dict[Letter, Letter]]

    def expression(self, forms: Sequence[Expression]) -> Expression:
        """One expression for all, with the letter in places that go with the step."""
        head = forms[0]
        if any(type(x) is not type(head) for x in forms):
            raise _OtherFormError
        if isinstance(head, Symbol):
            return Symbol(self.element([x.element for x in forms if isinstance(x, Symbol)]))
        if isinstance(head, Slope):
            return Slope(head.of, self.element([x.by for x in forms if isinstance(x, Slope)]))
        if isinstance(head, Place):
            place = self.entry([x.letter for x in forms if isinstance(x, Place)])
            return Place(place) if isinstance(place, Letter) else self._fails()
        if isinstance(head, Numeral):
            return head if all(x == head for x in forms) else self._fails()
        if isinstance(head, Series):
            for x, own in zip(forms, self.letters, strict=True):
                if not isinstance(x, Series) or [a.size for a in x.letters] != [a.size for a in head.letters]:
                    raise _OtherFormError
                own.update(zip(x.letters, head.letters, strict=True))
            return Series(head.letters, self.expression([x.body for x in forms if isinstance(x, Series)]))
        if isinstance(head, Printed):
            both = [(x.form, x.computed) for x in forms if isinstance(x, Printed)]
            return Printed(*self._each(both))
        if isinstance(head, Call):
            same = all(isinstance(x, Call) and x.op is head.op for x in forms)
            inner = self._each([x.arguments for x in forms if isinstance(x, Call)])
            return Call(head.op, inner) if same else self._fails()
        if isinstance(head, Sum):
            return Sum(self._each([x.terms for x in forms if isinstance(x, Sum)]))
        return Product(self._each([x.factors for x in forms if isinstance(x, Product)]))

    def _each(self, forms: Sequence[tuple[Expression, ...]]) -> tuple[Expression, ...]:
        if len(set(map(len, forms))) > 1:
            raise _OtherFormError
        return tuple(map(self.expression, zip(*forms, strict=True)))

    def element(self, elements: Sequence[Element]) -> Element:
        """One element for all."""
        if len({x.variable for x in elements}) > 1:
            raise _OtherFormError
        return Element(elements[0].variable, self._index([x.index for x in elements]))

    def _index(self, indices: Sequence[Index]) -> Index:
        return tuple(map(self.entry, zip(*indices, strict=True)))

    def entry(self, entries: Sequence[Entry]) -> Entry:
        """One place for all: the same, or one more or less with every step."""
        own = [with_places(x, letters) for x, letters in zip(entries, self.letters, strict=True)]
        numbers, multiples = zip(*map(taken_apart, own), strict=True)
        ways = {b - a for a, b in pairwise(numbers)}
        if len({frozenset(x) for x in multiples}) > 1 or len(ways) > 1 or abs(way := ways.pop()) > 1:
            raise _OtherFormError
        return combined([(1, own[0]), (way, self.step)])

    def _fails(self) -> Any:
        raise _OtherFormError


def _renamed(link: Link, states: States) -> Link:
    """The link in elements of the arrays of all steps."""

    def change(x: Expression) -> Expression | None:
        if isinstance(x, Symbol):
            return Symbol(states.told(x.element))
        return Slope(states.told(x.of), states.told(x.by)) if isinstance(x, Slope) else None

    terms = [
        replace(term, target=states.told(term.target), factor=rewritten(term.factor, change)) for term in link.terms
    ]
    return Link(states.told(link.element), tuple(terms))


def _pattern(element: Element, states: States) -> tuple[Any, ...]:
    """What elements have in common that may be of the same kind after other steps."""
    axis = states.axes[element.variable]
    return element.variable, *("·" if isinstance(i, Letter) else i for k, i in enumerate(element.index) if k != axis)


def _letter(chain: Chain) -> str:
    """The letter for the step, with a prime where a user has it for another place."""
    return "t" + "′" * any(letter.name == "t" for letter in chain.element.letters)
