"""A derivation: why a gradient is what it is, in symbols and in numbers, line by line from the output back."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

from chainrule.errors import DifferentiationError, SettingError
from chainrule.explanation.derivations.chain import Chain, Link, Term
from chainrule.explanation.derivations.kinks import kinks_met
from chainrule.explanation.derivations.recurrence import States, Told, told_together
from chainrule.explanation.derived import Derived, Instance, Line, Part
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.finite_differences import Check, finite_difference_check
from chainrule.explanation.evaluations.labels import is_state
from chainrule.explanation.evaluations.lifting import with_constants_as_inputs
from chainrule.explanation.evaluations.plainer import without_idle_equations
from chainrule.explanation.evaluations.shifts import without_shifts
from chainrule.explanation.formulas.indices import Entry, Letter
from chainrule.explanation.formulas.letters import with_bound_letters_apart
from chainrule.explanation.formulas.rules import CHAIN, PATHS, has_number, only_moves
from chainrule.explanation.formulas.symbolic import at_places
from chainrule.explanation.formulas.symbols import Element, Expression, Product, Sum, number_of, parts, symbols_in
from chainrule.explanation.rendering.numerals import how_many
from chainrule.explanation.rendering.written import Written, from_story
from chainrule.tracing.program import Variable
from chainrule.tracing.scope import in_library

DEPTHS = ("layers", "factors", "terms")
NESTED = 30
"""Symbols of the longest formula that is written as a whole."""
LONGEST = 24
"""Symbols of the longest line; a longer one is taken apart, with a line for every operation that has no name."""
CHECKED = 100
"""Gradients of one kind that are checked where a formula is for all of them."""
EVERY = 1000
"""Terms shown one by one at depth "terms"."""
LINES = 40
"""Lines shown of a long derivation; depth "terms" shows all."""


@dataclass(frozen=True, repr=False)
class Derivation(Derived, Written):
    """Why ∂output/∂element is what it is.

    `formula` is the whole gradient in one, with the numbers of its `factors` if it is a product and of its `terms` if it
    is a sum; `value` is the gradient, `None` for an element with letters. `lines` lead from the output back to the
    element; of a long derivation they are the first ones and the last, with `further` ones between. Printing gives text;
    `to(form)` gives "text", "markdown", "latex", "html", "mathml" or "json", and notebooks show it by themselves.
    """

    def forms(self) -> Mapping[str, Callable[[Derived], str]]:
        """What writes it as text, Markdown, LaTeX, HTML, MathML and JSON."""
        from chainrule.explanation.rendering.forms import FORMS
        from chainrule.explanation.rendering.telling import tell

        return from_story(tell, FORMS)

    def _repr_latex_(self) -> str:
        return self.to("latex")


def derive(
    evaluation: Evaluation,
    element: Element,
    *,
    depth: str = "factors",
    stations: Callable[[Variable], bool] | None = None,
    symbolic: Callable[[Variable], bool] | None = None,
    symbols: Mapping[str, str] | None = None,
    most: int = 3,
    digits: int = 6,
    check: bool = False,
) -> Derivation:
    """Why the gradient of an evaluation's output by an element is what it is.

    Parameters
    ----------
    evaluation : Evaluation
        After a backward pass.
    element : Element
        By which; with letters in its index a formula for all such elements comes out, without numbers.
    depth : {"layers", "factors", "terms"}
        Which values get a line: the `stations`, all that have a name, or all; the last with every line and term of long ones.
    stations : callable, optional
        Says of a variable whether it gets a line at depth "layers".
    symbolic : callable, optional
        Says of a variable whether it goes by its name in formulas; by default those that were given one.
    symbols : mapping, optional
        Other names, such as `{"hidden.weight": "w"}`.
    most : int
        Terms and elements of a kind that are shown one by one; the rest is added up. Depth "terms" shows all.
    digits : int
        Significant digits of numbers.
    check : bool
        Whether to put finite differences beside the gradients, and to warn where they differ.
    """
    if depth not in DEPTHS:
        raise SettingError(f"depth was given as {depth!r}; use {', '.join(map(repr, DEPTHS))}.")
    SettingError.unless_count("explain", "digits", digits)
    SettingError.unless_count("explain", "most", most)
    if evaluation.output is None:
        raise DifferentiationError("there is no derivative to explain before a backward pass.")
    if element.variable not in evaluation.cotangents:
        raise DifferentiationError(
            f"{evaluation.label(evaluation.output)} does not depend on {evaluation.label(element.variable)} in a way "
            "that has a derivative, so its gradient is 0 and there is nothing to derive. Ask for a value that it is computed from."
        )
    shown = EVERY if depth == "terms" else most
    chain, told, states = _told(evaluation, element, depth, stations, symbolic, shown)
    with np.errstate(all="ignore"):
        further = 0 if depth == "terms" else max(0, len(told) - LINES)
        chosen_lines = told if not further else [*told[: LINES - 1], told[-1]]
        lines = tuple(_line(chain, x.link, states, shown, check) for x in chosen_lines)
        whole = told[-1].link.formula(chain.output) if states.axes else chain.nested(NESTED)
        formula = chain.tidy(whole)
        value = None if element.letters else float(np.asarray(evaluation.cotangents[element.variable])[element.place])
        inner = parts(formula) if isinstance(formula, Product | Sum) and value is not None else ()
        numbers = tuple(Part(x, float(number_of(x, chain.value_of))) for x in inner)
        kinks = () if element.letters else tuple(dict.fromkeys(kinks_met(chain.evaluation, element)))
    checked = finite_difference_check(evaluation, element) if check and value is not None else None
    family = tuple(_of_its_kind(evaluation, element)) if check and value is None else ()
    found = Derivation(
        chain.evaluation,
        chain.output,
        element,
        formula,
        numbers if isinstance(formula, Product) else (),
        numbers if isinstance(formula, Sum) else (),
        value,
        lines,
        chain.value_of,
        chain.formulas,
        {x.link.element: chain.tidy(x.definition, x.link.element) for x in told if x.definition is not None},
        dict(symbols or {}),
        digits,
        checked,
        further,
        shown,
        family,
        kinks,
    )
    _warn_of_mismatches(found)
    return found


@np.errstate(all="ignore")  # numbers that are not finite are told
def _told(
    evaluation: Evaluation,
    element: Element,
    depth: str,
    stations: Callable[[Variable], bool] | None,
    symbolic: Callable[[Variable], bool] | None,
    shown: int,
) -> tuple[Chain, list[Told], States]:
    """The chain of gradients, what is told of it in order, and the states of loops; lines that would be too long are taken apart."""
    named = symbolic or evaluation.names.__contains__
    moved = set(map(attrgetter("output"), filter(only_moves, evaluation.program.equations)))
    chosen: dict[str, Callable[[Variable], bool]] = {
        "layers": stations or named, "factors": named, "terms": lambda x: named(x) or x not in moved,
    }  # fmt: skip
    evaluation = without_idle_equations(without_shifts(evaluation), {element.variable})
    evaluation = with_constants_as_inputs(evaluation)

    def is_told(x: Variable) -> bool:
        return is_state(x) or chosen[depth](x)

    def is_station(x: Variable) -> bool:
        return is_state(x) or (chosen[depth](x) and (depth == "terms" or not _is_incidental(evaluation, x)))

    chain = Chain(evaluation, element, (is_station, is_told), named, shown)
    told, states = told_together(chain)
    long = [x for x in told if len(list(symbols_in(x.link.formula(chain.output)))) > LONGEST]
    if long:
        more = set().union(*(chain.between(link) for x in long for link in x.members))
        told_of_loops = {x.step[:2] for x in more if x.step is not None}
        more |= {x for x in chain.relevant if x.step is not None and x.step[:2] in told_of_loops}  # of every step alike
        choices = [lambda x, own=own: x in more or own(x) for own in (is_station, is_told)]
        chain = Chain(evaluation, element, choices, lambda x: x in more or named(x), shown)
        told, states = told_together(chain)
    return chain, _readable(chain, told), states


def _is_incidental(evaluation: Evaluation, x: Variable) -> bool:
    """Whether a value that nobody named is part of a sum that a library's function makes."""
    maker, uses = evaluation.makers.get(x), evaluation.uses[x]
    if x in evaluation.names or maker is None or not uses:
        return False
    own = [(maker, i) for i, y in enumerate(maker.inputs) if isinstance(y, Variable) and y not in evaluation.constants]
    return all(in_library(e.scope) and has_number(e, i, evaluation.constants) for e, i in (*own, *uses))


def _readable(chain: Chain, told: Sequence[Told]) -> list[Told]:
    """What is told, in few letters, without gradients that are 0 and without what another line says of more elements."""
    found: list[Told] = []
    for x in told:
        if not x.link.terms and x is not told[-1]:
            continue
        link = chain.in_first_letters(x.link)
        places = dict(zip(x.link.element.letters, link.element.letters, strict=True))
        definition = None if x.definition is None else at_places(with_bound_letters_apart(x.definition), places)
        found.append(Told(link, x.members, definition))
    alike: dict[Variable, list[Told]] = {}
    for x in found:
        alike.setdefault(x.link.element.variable, []).append(x)
    others = {id(x): [other for other in alike[x.link.element.variable] if other is not x] for x in found}
    return [x for x in found if not any(_says(chain, other.link, x.link) for other in others[id(x)])]


def _says(chain: Chain, general: Link, special: Link) -> bool:
    """Whether a link is another's at some places of its letters."""
    if special.element == chain.element:
        return False
    places: dict[Letter, Entry] = {}
    for own, other in zip(general.element.index, special.element.index, strict=True):
        is_place = isinstance(own, Letter) and isinstance(other, int) and other < own.size
        if own != other and not (is_place and places.setdefault(own, other) == other):  # type: ignore[arg-type]
            return False
    both = (at_places(general.formula(chain.output), places), special.formula(chain.output))
    tidied = [chain.tidy(with_bound_letters_apart(x), special.element) for x in both]
    return tidied[0] == tidied[1]


def _line(chain: Chain, link: Link, states: States, most: int, check: bool) -> Line:
    rules = list(link.rules)
    if any(term.target != chain.output for term in link.terms):
        rules.append(CHAIN)
    if len(link.terms) > 1 or any(term.letters for term in link.terms):
        rules.append(PATHS)
    instances: tuple[Instance, ...] = ()
    more = 0
    if not chain.element.letters:
        count = math.prod(letter.size for letter in link.element.letters)
        chosen = sorted(chain.places(link.element, how_many(count, most)), key=lambda p: list(p.values()))
        more = count - len(chosen)
        instances = tuple(_instance(chain, link, p, states, most, check) for p in chosen)
    formula = chain.tidy(link.formula(chain.output), link.element)
    return Line(link.element, formula, tuple(rules), instances, more, chain.made(link))


def _instance(
    chain: Chain, link: Link, places: Mapping[Letter, int], states: States, most: int, check: bool
) -> Instance:
    """The numbers of a line for one element: its largest terms by themselves, the others together."""
    products = [at_places(term.product(chain.output), places) for term in link.terms]
    values = [_numbers(chain, term, product) for term, product in zip(link.terms, products, strict=True)]
    nothing = np.zeros(0, np.int64)
    every = np.concatenate([np.zeros(0), *(x.ravel() for x in values)])
    owner = np.concatenate([nothing, *(np.full(x.size, i) for i, x in enumerate(values))])
    place = np.concatenate([nothing, *(np.arange(x.size) for x in values)])
    largest = np.sort(np.argsort(-np.abs(every), kind="stable")[: how_many(every.size, most)])
    kept = []
    for i in largest:
        term = link.terms[owner[i]]
        inner = np.unravel_index(place[i], values[owner[i]].shape)
        at = dict(zip(term.letters, map(int, inner), strict=True))
        kept.append(Part(chain.tidy(at_places(products[owner[i]], at)), float(every[i])))
    rest = float(np.sum(np.delete(every, largest)))
    element = link.element.at(places)
    value = float(np.asarray(chain.evaluation.cotangents[element.variable])[element.place])
    checked = finite_difference_check(chain.evaluation, states.single(element)) if check else None
    return Instance(element, places, tuple(kept), every.size - len(kept), rest, value, checked)


def _numbers(chain: Chain, term: Term, product: Expression) -> Any:
    """A term's value at every place of its letters."""
    sizes = tuple(letter.size for letter in term.letters)
    grid = dict(zip(term.letters, np.meshgrid(*map(np.arange, sizes), indexing="ij", sparse=True), strict=True))
    return np.broadcast_to(np.asarray(number_of(product, chain.value_of, grid), np.float64), sizes)


def _of_its_kind(evaluation: Evaluation, element: Element) -> Iterator[Check]:
    """The gradients by single elements that an element with letters stands for, spread over all where these are many."""
    sizes = tuple(letter.size for letter in element.letters)
    count = math.prod(sizes)
    for i in np.unique(np.linspace(0, count - 1, min(count, CHECKED)).astype(int)):
        places = dict(zip(element.letters, map(int, np.unravel_index(i, sizes)), strict=True))
        yield finite_difference_check(evaluation, element.at(places))


def _warn_of_mismatches(derivation: Derivation) -> None:
    checks = [derivation.check, *derivation.family, *(i.check for line in derivation.lines for i in line.instances)]
    wrong = [check for check in checks if check is not None and not check.agrees]
    if wrong:
        warnings.warn(
            f"{len(wrong)} gradients differ from their finite differences; the derivation marks them. Values at a kink "
            "(relu at 0) have no finite difference; anything else is a wrong derivative.",
            stacklevel=4,
        )
