"""The steps of a loop told as one: states as one array over the steps, and what is alike in every step with a letter t.

This is backpropagation through time as textbooks print it: ∂L/∂h[t, k] = Σ_l ∂L/∂h[t + 1, l] · …, ∂L/∂w = Σ_t ….
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.explanation.derivations.chain import Chain, Link, Term
from chainrule.explanation.evaluations.elements import Formulas
from chainrule.explanation.evaluations.labels import is_state, name_in_loop
from chainrule.explanation.formulas.indices import Entry, Index, Letter, combined, taken_apart, with_places
from chainrule.explanation.formulas.symbolic import rewritten
from chainrule.explanation.formulas.symbols import (
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
    counted,
)
from chainrule.ops.operation import ArrayType
from chainrule.tracing import trees
from chainrule.tracing.program import Variable

FEWEST = 3
"""Steps that are told as one; fewer are told one by one."""


@dataclass(frozen=True)
class States:
    """Values of loops as arrays with an axis for the steps, `axes`, and where in them the value of each step is."""

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


def _with_states(chain: Chain) -> States:
    """The values of loops that go by name or have lines, as arrays besides; along with their cotangents and shares."""
    evaluation = chain.evaluation
    loops: dict[tuple[int, str], dict[int, Variable]] = {}
    for x in (e.output for e in evaluation.program.equations):
        if x.step is not None and (x in evaluation.names or x in chain.stations):
            loops.setdefault(x.step[:2], {})[x.step.number] = x
    axes, names = dict[Variable, int](), dict(evaluation.names)
    places: dict[Variable, tuple[Variable, int]] = {}
    values, cotangents, samples = dict(evaluation.values), dict(evaluation.cotangents), set(evaluation.samples)
    for (_, name), steps in loops.items():
        first = next(iter(steps.values()))
        if len(steps) < FEWEST:
            continue
        axis = int(first in samples)  # samples come first, as they do in sequences
        shape = (*first.shape[:axis], max(steps) + 1, *first.shape[axis:])
        taken = set(names.values())
        free = next(n for i in range(len(taken) + 1) if (n := name_in_loop(name, i)) not in taken)
        every = Variable(free, ArrayType(shape, first.dtype))
        axes[every], names[every] = axis, free
        places |= {x: (every, number) for number, x in steps.items()}
        samples |= {every} if axis else set()
        for known in (values, cotangents, chain.shares):
            if any(x in known for x in steps.values()):
                known[every] = _stacked(known, steps, every, axis)
    inputs = (*axes, *evaluation.program.inputs)
    program = replace(evaluation.program, inputs=inputs, inputs_structure=trees.row(len(inputs)))
    last = {places[x][0]: x for x in sorted(filter(is_state, places), key=lambda x: places[x][1])}
    chain.evaluation = replace(
        evaluation,
        program=program,
        values=values,
        names=names,
        samples=frozenset(samples),
        cotangents=cotangents,
        states=last,
    )
    return States(axes, places)


def _stacked(known: Mapping[Variable, Any], steps: Mapping[int, Variable], every: Variable, axis: int) -> Any:
    """What is known of the state after every step, along an axis; zeros where nothing is."""
    found = np.zeros(every.shape, np.result_type(*(known[x] for x in steps.values() if x in known)))
    for number, x in steps.items():
        if x in known:
            found[(slice(None),) * axis + (number,)] = known[x]
    return found


@dataclass(frozen=True)
class Told:
    """A link as it is told, those of the chain that it tells, and how a value that nobody named is computed."""

    link: Link
    members: tuple[Link, ...]
    definition: Expression | None = None


def told_together(chain: Chain) -> tuple[list[Told], States]:
    """The links of a chain, with those of one loop's steps that are alike as one, and terms that are alike as one sum."""
    evaluation, symbols, stations = chain.evaluation, chain.formulas.symbols, chain.stations
    if all(e.output.step is None for e in evaluation.program.equations):
        return [Told(link, (link,)) for link in chain.links], States()
    formulas = Formulas(evaluation, lambda x: symbols(x) and (x in evaluation.names or x in stations), chain.alphabet)
    states = _with_states(chain)
    found = []
    for link in chain.links:
        x, definition = link.element, None
        if x.variable in states.places and x.variable not in evaluation.names:
            definition = _renamed(formulas.made_by(evaluation.makers[x.variable], x), states)
        found.append(Told(_with_sums(chain, _link_renamed(link, states), states), (link,), definition))
    runs: dict[Any, list[tuple[int, Told]]] = {}
    for told in found:
        number = states.number(told.link.element)
        if number is not None and told.members[0].element != chain.element:
            runs.setdefault(_pattern(told.link.element, states), []).append((number, told))
    merged: dict[int, Told] = {}
    for own in runs.values():
        for members, together in _alike(sorted(own, key=lambda x: x[0]), _letter(chain), chain.output):
            if together is not None:
                chain.told |= {x for x in together.link.element.letters if x.name == _letter(chain)}
                merged |= {id(told): together for told in members}
    return list({id(told): told for told in (merged.get(id(told), told) for told in found)}.values()), states


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
        singles = [(number, Told(Link(link.element, (term,)), ())) for number, term in sorted(own, key=lambda x: x[0])]
        for members, together in _alike(singles, letter, chain.output):
            if together is None:
                continue
            (term,) = together.link.terms
            (step,) = (x for x in term.target.letters if x.name == letter)
            chain.told.add(step)
            replaced |= {id(told.link.terms[0]): None for told in members}
            replaced[id(members[0].link.terms[0])] = replace(term, letters=(step, *term.letters))
    terms = [replaced.get(id(term), term) for term in link.terms]
    return Link(link.element, tuple(term for term in terms if term is not None))


def _alike(steps: Sequence[tuple[int, Told]], letter: str, output: Element) -> Iterator[tuple[list[Told], Told | None]]:
    """What is told of steps, in runs that are alike, each with a letter for the step; `None` for those by themselves."""

    def together(begin: int, end: int) -> Told | None:
        run = steps[begin:end]
        follow = len(run) >= FEWEST and all(b == a + 1 for (a, _), (b, _) in pairwise(run))
        return _one([told for _, told in run], Letter(letter, len(run)), output) if follow else None

    begin = 0
    while begin < len(steps):
        end = begin + 1
        if together(begin, begin + FEWEST):  # of runs of the fewest that overlap, all are alike if each is
            end = begin + FEWEST
            while end < len(steps) and together(end - FEWEST + 1, end + 1):
                end += 1
        yield [told for _, told in steps[begin:end]], together(begin, end)
        begin = end


class _OtherFormError(Exception):
    """Expressions that differ in more than places that go with the step."""


def _one(told: Sequence[Told], step: Letter, output: Element) -> Told | None:
    """One for several, with a letter for the step, if they differ in nothing but places that go with it."""
    links, definitions = [x.link for x in told], [x.definition for x in told if x.definition is not None]
    head = links[0]
    if len({(len(link.element.letters), len(link.terms)) for link in links}) > 1:
        return None
    form = _Form(step, [dict(zip(link.element.letters, head.element.letters, strict=True)) for link in links])
    try:
        element = form.element([link.element for link in links])
        terms = [form.term(ways, output) for ways in zip(*(link.terms for link in links), strict=True)]
        if 0 < len(definitions) < len(links):
            return None
        definition = form.expression(definitions) if definitions else None
    except _OtherFormError:
        return None
    return Told(Link(element, tuple(terms)), tuple(link for x in told for link in x.members), definition)


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
            return self._number([float(x.value) for x in forms if isinstance(x, Numeral)])
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

    def term(self, ways: Sequence[Term], output: Element) -> Term:
        """One term for all."""
        whole = self.expression([Series(way.letters, Product((Slope(output, way.target), way.factor))) for way in ways])
        assert isinstance(whole, Series)
        assert isinstance(whole.body, Product)
        slope, factor = whole.body.factors
        assert isinstance(slope, Slope)
        return Term(slope.by, whole.letters, factor, tuple(dict.fromkeys(rule for way in ways for rule in way.rules)))

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

    def _number(self, numbers: Sequence[float]) -> Expression:
        if len(set(numbers)) == 1:
            return Numeral(numbers[0])
        if not all(x.is_integer() for x in numbers):
            raise _OtherFormError
        return counted(self.entry([int(x) for x in numbers]))

    def _fails(self) -> Any:
        raise _OtherFormError


def _renamed(x: Expression, states: States) -> Expression:
    """The expression in elements of the arrays of all steps."""

    def change(x: Expression) -> Expression | None:
        if isinstance(x, Symbol):
            return Symbol(states.told(x.element))
        return Slope(states.told(x.of), states.told(x.by)) if isinstance(x, Slope) else None

    return rewritten(x, change)


def _link_renamed(link: Link, states: States) -> Link:
    terms = [replace(x, target=states.told(x.target), factor=_renamed(x.factor, states)) for x in link.terms]
    return Link(states.told(link.element), tuple(terms))


def _pattern(element: Element, states: States) -> tuple[Any, ...]:
    """What elements have in common that may be of the same kind after other steps."""
    axis = states.axes[element.variable]
    return element.variable, *("·" if isinstance(i, Letter) else i for k, i in enumerate(element.index) if k != axis)


def _letter(chain: Chain) -> str:
    """The letter for the step, with a prime where a user has it for another place."""
    return "t" + "′" * any(letter.name == "t" for letter in chain.element.letters)
