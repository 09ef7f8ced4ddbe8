"""The chain of derivatives from one element to the output: families of elements, and what leads from each to the next.

A *station* is a variable whose gradient gets a line of its own; between stations, the formulas of the equations
passed are multiplied in symbols. A *family* is a station's element with letters for the axes that sums run over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.errors import NoFormulaError
from chainrule.explanation.evaluations.backward import dependents
from chainrule.explanation.evaluations.elements import Formulas
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.forward import shares
from chainrule.explanation.evaluations.uses import Use, uses_of
from chainrule.explanation.formulas.indices import Entry, Letter, letters_in, number_at
from chainrule.explanation.formulas.letters import (
    Alphabet,
    first_free,
    relettered,
    settled,
    with_bound_letters_apart,
    with_first_letters,
    with_other_letters,
)
from chainrule.explanation.formulas.rules import only_moves, rule_of
from chainrule.explanation.formulas.symbolic import at_places
from chainrule.explanation.formulas.symbols import (
    ONE,
    ZERO,
    Element,
    Expression,
    Numeral,
    Series,
    Slope,
    Symbol,
    add,
    coefficient_of,
    multiply,
    parts,
    series,
    symbols_in,
)
from chainrule.tracing.program import Variable

MOST_WAYS = 1000
"""Ways between two stations that are followed one by one."""


@dataclass(frozen=True)
class Term:
    """Σ over `letters` of ∂output/∂target · factor: one family of ways on from an element."""

    target: Element
    letters: tuple[Letter, ...]
    factor: Expression
    rules: tuple[str, ...]
    made: tuple[tuple[str, Expression], ...] = ()
    """What each rule made of the factor, from the output's side."""

    def at(self, places: Mapping[Letter, Entry], change: Callable[[Expression], Expression] = lambda x: x) -> Term:
        """The term with places put in for letters, in changed formulas."""
        letters = tuple(new for x in self.letters if isinstance(new := places.get(x, x), Letter))
        made = tuple((rule, at_places(change(x), places)) for rule, x in self.made)
        return Term(self.target.at(places), letters, at_places(change(self.factor), places), self.rules, made)

    def product(self, output: Element) -> Expression:
        """∂output/∂target · factor, with the letters free."""
        slope: Expression = ONE if self.target == output else Slope(output, self.target)
        return multiply([slope, self.factor])


@dataclass(frozen=True)
class Link:
    """The gradient of one family: the sum of its terms."""

    element: Element
    terms: tuple[Term, ...]

    def formula(self, output: Element) -> Expression:
        """The gradient in terms of the gradients of the next stations."""
        return add([series(term.letters, term.product(output)) for term in self.terms])

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules used, each once."""
        return tuple(dict.fromkeys(rule for term in self.terms for rule in term.rules))


class Chain:
    """The links from an element to the output, the output's side first.

    `stations` say which variables get a line: the first choice, and where no formula leads from one to the next, the finer ones after
    it, and in the end all.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        element: Element,
        stations: Sequence[Callable[[Variable], bool]],
        symbols: Callable[[Variable], bool],
        most: int,
    ) -> None:
        assert evaluation.output is not None
        self.evaluation, self.element, self.most = evaluation, element, most
        self.output = Element(evaluation.output, (0,) * len(evaluation.output.shape))
        self.order = {x: i for i, x in enumerate(evaluation.values)}
        self.relevant = _between(evaluation, element.variable)
        self.alphabet = Alphabet({letter.name for letter in element.letters})
        self.formulas = Formulas(evaluation, symbols, self.alphabet)
        own = {element.variable, evaluation.output, *(self.formulas.lengthy & self.relevant)}
        choices = [{x for x in self.relevant if chosen(x) and not self._holds_output(x)} | own for chosen in stations]
        self.stations, *self.finer = [*choices, self.relevant]
        self.families: dict[tuple[Any, ...], Element] = {}
        self._dependents: dict[Variable, set[Variable]] = {}
        self.told: set[Letter] = set()  # letters of steps that are told as one
        self.shares = {} if element.letters else shares(evaluation, element, self.relevant.__contains__)
        self.links = self._links()

    def _holds_output(self, x: Variable) -> bool:
        """Whether the output is one of its elements, and nothing else is made of them: ∂y[1]/∂y[k] says nothing."""
        uses = [equation for equation, _ in self.evaluation.uses[x] if equation.output in self.relevant]
        return (
            all(only_moves(e) and e.output is self.evaluation.output for e in uses) and x is not self.evaluation.output
        )

    def _links(self) -> list[Link]:
        """All families that the element leads to, those that come last in the computation first."""
        found: dict[Element, Link] = {}
        waiting = [self._family(self.element)]
        while waiting:
            waiting.sort(key=lambda e: self.order[e.variable], reverse=True)
            element = waiting.pop()
            if element in found or element == self.output:
                continue
            try:
                found[element] = Link(element, tuple(self._terms(element)))
            except NoFormulaError:  # letters cannot lead on from here, or there are too many ways: place by place
                if element.letters and self.shares:
                    waiting.extend(element.at(places) for places in self.places(element, self.most))
                    continue
                if not self.finer:
                    raise
                self.stations = self.finer.pop(0)
                waiting.append(element)
                continue
            waiting.extend(self._family(term.target) for term in found[element].terms)
        return self._alive(sorted(found.values(), key=lambda link: self.order[link.element.variable], reverse=True))

    def _alive(self, links: Sequence[Link]) -> list[Link]:
        """The links without terms by way of elements that lead nowhere."""
        dead: set[Element] = set()
        alive = []
        for link in links:
            terms = tuple(x for x in link.terms if self._family(x.target) not in dead)
            alive.append(Link(link.element, terms))
            dead |= set() if terms else {link.element}
        return alive

    def _family(self, element: Element) -> Element:
        """The family of this pattern that was met first, so that it keeps its letters; of all places where one is not every."""
        index = tuple(
            entry
            if isinstance(entry, int) or _every(entry, size)
            else self.alphabet.letter(size, axis == 0 and element.variable in self.evaluation.samples)
            for axis, (entry, size) in enumerate(zip(element.index, element.variable.shape, strict=True))
        )
        return self.families.setdefault(_pattern(element), Element(element.variable, index))

    def _terms(self, element: Element) -> list[Term]:
        """The ways from an element to the next stations, those to the same family added up."""
        found: dict[tuple[Any, ...], Term] = {}
        for way in self._ways(element):
            if way.factor == ZERO:
                continue
            term = self._with_known_letters(element, way)
            key = (term.target, frozenset(term.letters))
            if key in found:
                both = tuple(dict.fromkeys((*found[key].rules, *term.rules)))
                made = (*found[key].made, *term.made)
                term = replace(term, factor=add([found[key].factor, term.factor]), rules=both, made=made)
            found[key] = term
        terms = sorted(found.values(), key=lambda term: isinstance(term.product(self.output), Numeral))
        if terms and coefficient_of(terms[0].factor) < 0:  # as sums are written
            terms.sort(key=lambda term: coefficient_of(term.factor) < 0)
        return terms

    def _with_known_letters(self, element: Element, term: Term) -> Term:
        """The term with the letters its family has, which its other sums then leave to it."""
        family = self._family(term.target)
        places = {
            old: new
            for old, new in zip(term.target.index, family.index, strict=True)
            if isinstance(old, Letter) and old in term.letters and isinstance(new, Letter) and old.size == new.size
        }
        if any(new in element.letters for new in places.values()):
            return term
        others = [x for x in term.letters if x not in places and x in places.values()]
        return term.at({**places, **{x: self.alphabet.letter(x.size, x.name[0] == "n") for x in others}})

    def _ways(self, element: Element) -> Iterator[Term]:
        """Every way from an element through nameless values to the next stations."""
        waiting: list[tuple[Element, tuple[Letter, ...], tuple[tuple[str, Expression], ...]]] = [(element, (), ())]
        count, moving = 0, self._after(element.variable)
        while waiting:
            here, letters, made = waiting.pop()
            for use in self._uses(here):
                count += 1
                rule = rule_of(use.equation, use.position, moving, self.evaluation.samples)
                # The factor nearer to the output comes first, as the chain rule is written.
                way = (use.target, (*letters, *use.letters), ((rule, self.formulas.partial(use)), *made))
                if use.target.variable in self.stations:
                    factor = self.formulas.by_name(multiply(x for _, x in way[2]))
                    named = tuple((name, self.formulas.by_name(x)) for name, x in way[2] if name)
                    term = Term(way[0], way[1], factor, tuple(name for name, _ in named), named)
                    yield term.at(settled(term.letters, factor))
                elif count > MOST_WAYS:
                    raise NoFormulaError(
                        f"there are more than {MOST_WAYS} ways on from {self.evaluation.label(element.variable)}; give whole "
                        "numbers as places instead of letters, or names to values in between."
                    )
                else:
                    waiting.append(way)

    def _after(self, x: Variable) -> set[Variable]:
        """A variable and those that depend on it."""
        if x not in self._dependents:
            self._dependents[x] = {x, *dependents(self.evaluation.program.equations, [x])}
        return self._dependents[x]

    def between(self, link: Link) -> set[Variable]:
        """The nameless values between a link's element and the next stations."""
        found: set[Variable] = set()
        waiting = [link.element.variable]
        while waiting:
            for equation, _ in self.evaluation.uses[waiting.pop()]:
                x = equation.output
                if x in self.relevant and x not in self.stations and x not in found:
                    found.add(x)
                    waiting.append(x)
        return found

    def _uses(self, element: Element) -> Iterator[Use]:
        uses = uses_of(self.evaluation, element, self.alphabet, loose=not self.shares)
        return (use for use in uses if use.target.variable in self.relevant)

    def tidy(self, formula: Expression, element: Element | None = None) -> Expression:
        """The formula with few letters: those of an element and of steps stay, other sums run over the first that are free."""
        return with_first_letters(formula, self.told.union(self.element.letters, element.letters if element else ()))

    def in_first_letters(self, link: Link) -> Link:
        """The link with few letters: n for samples, and then the first that are free, but for those that a user chose."""
        element = link.element
        kept = {*self.told, *self.element.letters}
        has_samples = element.variable in self.evaluation.samples
        own: dict[Letter, Entry] = {}
        for axis, entry in enumerate(element.index):
            for letter in letters_in([entry]):
                if letter not in kept and letter not in own:
                    taken = {str(x) for x in (*kept, *own.values())}
                    own[letter] = Letter(first_free(taken, axis == 0 and has_samples), letter.size)
        terms = []
        for term in link.terms:
            bound = {x: Letter(f"{x.name}·", x.size) for x in term.letters if x not in kept}
            terms.append(term.at({**own, **bound}, with_bound_letters_apart))
        return Link(element.at(own), tuple(terms))

    def made(self, link: Link) -> tuple[tuple[str, Expression], ...]:
        """What each rule made of a link's formula, in the letters that its tidied formula has."""
        found: dict[tuple[str, Expression], None] = {}
        for term in link.terms:
            whole = series(term.letters, term.product(self.output))
            sides = list(_series_in(whole)), list(_series_in(self.tidy(whole, link.element)))
            if [len(x.letters) for x in sides[0]] != [len(x.letters) for x in sides[1]]:
                return ()  # sums that were put together
            places: dict[Letter, Entry] = {
                old: new
                for before, after in zip(*sides, strict=True)
                for old, new in zip(before.letters, after.letters, strict=True)
            }
            shown = {x.element.variable for x in symbols_in(whole) if isinstance(x, Symbol)}
            for rule, x in term.made:
                if not shown.issuperset(y.element.variable for y in symbols_in(x) if isinstance(y, Symbol)):
                    x = ONE  # it went, with others, into a name
                found[rule, self.tidy(relettered(x, places), link.element)] = None
        return tuple(found)

    def nested(self, size: int) -> Expression:
        """The whole gradient in one formula; gradients whose formulas would have more symbols stay by name."""
        known: dict[Element, Expression] = {self.output: ONE}
        formula: Expression = ONE
        for link in self.links:
            slopes: list[Expression] = []
            for term in link.terms:
                family = self._family(term.target)
                inner = known.get(family, Slope(self.output, family))
                taken = {*link.element.letters, *term.letters, *term.target.letters}
                inner = with_other_letters(inner, taken, lambda x: self.alphabet.letter(x.size, x.name[0] == "n"))
                inner = at_places(inner, _moved(family, term.target))
                product = multiply([inner, term.factor])
                places = settled(term.letters, product)
                left = tuple(x for x in term.letters if x not in places)
                slopes.append(series(left, at_places(product, places)))
            formula = add(sorted(slopes, key=lambda x: isinstance(x, Numeral)))
            if len(list(symbols_in(formula))) <= size:
                known[link.element] = formula
        return formula

    # --- numbers

    def places(self, family: Element, most: int) -> list[dict[Letter, int]]:
        """Places of a family's letters, so many of those through which most of the gradient passes."""
        if not family.letters:
            return [{}]
        grid = [np.arange(letter.size) for letter in family.letters]
        mesh = dict(zip(family.letters, np.meshgrid(*grid, indexing="ij"), strict=True))
        share = self.shares.get(family.variable)
        if share is None:
            share = np.zeros(family.variable.shape)
        index = tuple(number_at(i, mesh, n) for i, n in zip(family.index, family.variable.shape, strict=True))
        order = np.argsort(-np.abs(np.asarray(share)[index]).ravel(), kind="stable")
        shape = tuple(letter.size for letter in family.letters)
        return [
            dict(zip(family.letters, map(int, np.unravel_index(place, shape)), strict=True)) for place in order[:most]
        ]

    def value_of(self, symbol: Any, places: Mapping[Letter, Any]) -> Any:
        """The number of a symbol or a slope, in double precision."""
        element = symbol.by if isinstance(symbol, Slope) else symbol.element
        sizes = element.variable.shape
        index = tuple(number_at(i, places, n) for i, n in zip(element.index, sizes, strict=True))
        if isinstance(symbol, Slope):
            return np.asarray(self.evaluation.cotangents[element.variable])[index]
        return np.asarray(self.evaluation.precise(element.variable))[index]


def _pattern(element: Element) -> tuple[Any, ...]:
    """What two families have in common that differ in their letters only."""
    seen: dict[Entry, int] = {}
    return (
        element.variable,
        *(i if isinstance(i, int) else f"#{seen.setdefault(i, len(seen))}" for i in element.index),
    )


def _series_in(x: Expression) -> Iterator[Series]:
    """The sums over letters in a formula, the outer ones first."""
    if isinstance(x, Series):
        yield x
    for part in parts(x):
        yield from _series_in(part)


def _every(entry: Entry, size: int) -> bool:
    """Whether a place stands for every place along an axis of this size."""
    return isinstance(entry, Letter) and entry.size == size


def _moved(family: Element, to: Element) -> dict[Letter, Entry]:
    """What stands for a family's letters in one of its elements."""
    pairs = zip(family.index, to.index, strict=True)
    return {old: new for old, new in pairs if isinstance(old, Letter) and new != old}


def _between(evaluation: Evaluation, start: Variable) -> set[Variable]:
    """The variables on some way from `start` to the output."""
    after = dependents(evaluation.program.equations, [start])
    return {x for x in after if x in evaluation.cotangents} | {start}
