"""Derivations told: names for their elements, numbers put in with as many digits as make them come out, and notes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from chainrule.explanation.derived import Derived, Instance, Line, Part
from chainrule.explanation.evaluations.labels import FEW, numbers, told
from chainrule.explanation.formulas.symbolic import rewritten
from chainrule.explanation.formulas.symbols import (
    Call,
    Element,
    Expression,
    Numeral,
    Printed,
    Product,
    Series,
    Slope,
    Sum,
    Symbol,
    add,
    number_of,
    parts,
    symbols_in,
)
from chainrule.explanation.rendering.names import Spelled, in_signs, spelled
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.story import (
    Applied,
    Block,
    Definition,
    Derivative,
    Name,
    Passage,
    Signs,
    Statement,
    Story,
    Term,
    Told,
)
from chainrule.explanation.rendering.styles import TextStyle
from chainrule.explanation.rendering.writer import Writer
from chainrule.ops.notation import ATOM, SUM
from chainrule.tracing.program import Variable

WHOLE = 8
"""Terms of the longest sum that is written as a whole."""
NOTES = 12
"""Values told below the lines of a derivation that is cut."""
SHORT = 2
"""Symbols of the longest formula that stands for a value without name."""

_WORD = re.compile(r"[^\W\d][\w.]*'?")
"""A name in a formula as one types it."""


@np.errstate(all="ignore")  # numbers that are not finite are told
def tell(derivation: Derived) -> Story:
    """All that a derivation says."""
    teller = _Teller(derivation)
    lines = tuple(map(teller.block, derivation.lines))
    output, element = teller.name(derivation.output), teller.name(derivation.element)
    return Story(output, element, teller.whole(), lines, tuple(_notes(derivation)), derivation.digits)


def told_by(x: Expression, name: Callable[[Any], Told]) -> Told:
    """A formula as it is printed, with what `name` gives in place of symbols and slopes."""

    def told(x: Expression) -> Told:
        match x:
            case Symbol() | Slope():
                return name(x)
            case Printed():
                return told(x.form)
            case Sum():
                return Sum(tuple(map(told, x.terms)))  # type: ignore[arg-type]
            case Product():
                return Product(tuple(map(told, x.factors)))  # type: ignore[arg-type]
            case Series():
                return Series(x.letters, told(x.body))  # type: ignore[arg-type]
            case Call():
                return Applied(Signs.of(x.op), tuple(map(told, x.arguments)))
        return x

    return told(x)


class _Teller:
    """Puts names to the elements of one derivation."""

    def __init__(self, derivation: Derived) -> None:
        self.derivation, self.evaluation = derivation, derivation.evaluation

    # --- equations

    def whole(self) -> Statement:
        """The whole gradient in one: symbols, the numbers it is the product of, the result."""
        derivation = self.derivation
        terms, more, rest = _largest(derivation)
        formula = add(part.expression for part in terms) if more else derivation.formula
        rights = [self._formula(formula, more, rest)]
        if len(derivation.factors) > 1:
            rights.append(self._numbers("values", derivation.factors, "*", 0, 0.0, derivation.value))
        if terms:
            rights.append(self._numbers("values", terms, "+", more, rest, derivation.value))
        single = len(derivation.lines) == 1 and isinstance(derivation.formula, Numeral)
        rules = derivation.lines[0].rules if single else ()
        left = self.slope(derivation.element)
        return Statement(
            left, (), tuple(rights), derivation.value, rules, derivation.check, self.definition(derivation.element)
        )

    def block(self, line: Line) -> Block:
        """A line: its formula, and its instances in numbers."""
        formula = self._formula(line.formula)
        instances = [self._instance(instance) for instance in line.instances]
        left = self.slope(line.element)
        definition = self.definition(line.element)
        made = tuple((rule, self.told(x)) for rule, x in line.made)
        if len(instances) == 1 and not instances[0].places:  # one element: its numbers follow the formula
            only = instances[0]
            rights = (formula, *(() if isinstance(line.formula, Numeral) else only.rights))
            return Block(Statement(left, (), rights, only.value, line.rules, only.check, definition, made=made))
        statement = Statement(left, (), (formula,), None, line.rules, None, definition, made=made)
        return Block(statement, tuple(instances), line.more)

    def _instance(self, instance: Instance) -> Statement:
        """An instance's numbers: put into the formula, then term by term, then the result."""
        rights = []
        single = len(instance.parts) == 1 and not instance.more
        ways = (instance.parts, "+", instance.more, instance.rest, instance.value)
        if instance.parts and not (single and _is_number(instance.parts[0].expression)):
            rights.append(self._numbers("numbers", *ways))
            if not single and not all(_is_number(p.expression) for p in instance.parts):
                rights.append(self._numbers("values", *ways))
        places = tuple((letter.name, place) for letter, place in instance.places.items())
        key = self.slope(instance.element).key
        return Statement(None, places, tuple(rights), instance.value, (), instance.check, key=key)

    def _formula(self, x: Expression, more: int = 0, rest: float = 0.0) -> Passage:
        return Passage("formula", (Term(self.told(x)),), self.derivation.digits, "+", more, rest)

    def _numbers(
        self, kind: str, parts: Sequence[Part], joined: str, more: int, rest: float, value: float | None
    ) -> Passage:
        """A right side with so many digits that the numbers as printed give the result as printed, to its last digit."""
        terms = tuple(Term(self.told(part.expression), part.value) for part in parts)
        few = self.derivation.digits
        explained = value is not None and not (joined == "+" and _is_rounding(value, parts, rest))
        digits = self._digits(kind, parts, joined, more, rest, value) if explained and value is not None else few
        return Passage(kind, terms, digits, joined, more, rest)

    def _digits(self, kind: str, parts: Sequence[Part], joined: str, more: int, rest: float, value: float) -> int:
        few = self.derivation.digits
        printed = numeral(value, few)
        for digits in range(few, 18):
            if numeral(self._as_printed(kind, parts, joined, more, rest, digits), few) == printed:
                return digits
        return 17

    def _as_printed(self, kind: str, parts: Sequence[Part], joined: str, more: int, rest: float, digits: int) -> float:
        """What the numbers of a right side give, computed from the digits that are printed."""

        def value(symbol: Any, places: Any) -> Any:
            x = self.derivation.value_of(symbol, places)
            return x if places else float(numeral(float(x), digits))

        found = [
            float(numeral(p.value, digits))
            if kind == "values"
            else float(number_of(rewritten(p.expression, _by_name), value))
            for p in parts
        ]
        if joined == "*":
            return math.prod(found)
        return sum(found) + (float(numeral(rest, digits)) if more else 0.0)

    # --- formulas and names

    def told(self, x: Expression) -> Told:
        """A formula with names in place of elements, as it is printed."""
        return told_by(x, lambda leaf: self.slope(leaf.by) if isinstance(leaf, Slope) else self.symbol(leaf.element))

    def spelled(self, element: Element) -> Spelled:
        """The element's name and places."""
        return spelled(self.evaluation, element, self.derivation.symbols)

    def name(self, element: Element, strength: int = ATOM) -> Name:
        """An element by its name, in brackets where that is a formula."""
        spelled = self.spelled(element)
        bracketed = strength == ATOM and not (spelled.plain or spelled.places)
        return Name(spelled, strength, bracketed, *self._which(element), self._value(Symbol(element), element))

    def symbol(self, element: Element) -> Name:
        """An element in a formula; one without name is as strong as the formula it goes by."""
        spelled = self.spelled(element)
        if spelled.plain or spelled.places or element.variable in self.evaluation.names:
            return self.name(element)
        label = self.evaluation.labels[element.variable]
        strength = SUM if label.text.startswith("-") else label.strength
        return Name(spelled, strength, False, *self._which(element), self._value(Symbol(element), element))

    def slope(self, by: Element) -> Derivative:
        """∂output/∂by; what has no name is written as its formula, where that is short."""
        output, told_by = self.name(self.derivation.output), self._spoken_of(by)
        value = self._value(Slope(self.derivation.output, by), by)
        return Derivative(output, told_by, *self._which(by), value, self.evaluation.d)

    def _spoken_of(self, x: Element) -> Told:
        if x.variable not in self.evaluation.names:
            formula = self.derivation.formulas.by_itself(x)
            if not isinstance(formula, Symbol) and not self._needs_definition(x):
                return self.told(formula)
        return self.name(x)

    def _which(self, element: Element) -> tuple[str, tuple[int | str, ...]]:
        """The name that an element's variable goes by outside of formulas, if any, and its index."""
        name = "" if element.variable in self.evaluation.aside else self.evaluation.names.get(element.variable, "")
        return name, tuple(i if isinstance(i, int) else str(i) for i in element.index)

    def _value(self, symbol: Symbol | Slope, element: Element) -> float | None:
        return None if element.letters else float(self.derivation.value_of(symbol, {}))

    def _needs_definition(self, x: Element) -> bool:
        """Whether a value has no name and a formula too long to stand for one."""
        if x.variable in self.evaluation.names or x.variable not in self.evaluation.makers:
            return False
        if self.derivation.formulas.symbols(x.variable):  # it goes by its label: a short formula, or a number
            return not self.evaluation.labels[x.variable].tells
        formula = self.derivation.formulas.by_itself(x)
        return isinstance(formula, Symbol) or len(list(symbols_in(formula))) > SHORT

    def definition(self, x: Element) -> Definition | None:
        """`v7 = …` for a value that needs to be told."""
        if x in self.derivation.definitions:
            return Definition(self.name(x), self.told(self.derivation.definitions[x]))
        if not self._needs_definition(x):
            return None
        formula = self.derivation.formulas.definition(x)
        if formula != Symbol(x):
            return Definition(self.name(x), self.told(formula))
        labels = self.evaluation.labels
        if labels[x.variable].tells:
            return None
        whole = in_signs(told(self.evaluation.makers[x.variable], labels).text)  # sort(a)[1], where no formula says it
        return Definition(self.name(x), Name(Spelled(whole, self.spelled(x).places)))


def _is_rounding(value: float, parts: Sequence[Part], rest: float) -> bool:
    """Whether terms cancel, and what is left may be nothing but rounding, which no digits would explain."""
    return abs(value) <= 1e-13 * (sum(abs(part.value) for part in parts) + abs(rest))


def _largest(derivation: Derived) -> tuple[tuple[Part, ...], int, float]:
    """The terms of the whole gradient, of many the largest, how many others there are and what they are together."""
    terms = derivation.terms
    if len(terms) <= max(derivation.most, WHOLE):
        return terms, 0, 0.0
    kept = sorted(sorted(range(len(terms)), key=lambda i: -abs(terms[i].value))[: derivation.most])
    rest = math.fsum(part.value for i, part in enumerate(terms) if i not in kept)
    return tuple(terms[i] for i in kept), len(terms) - len(kept), rest


def _is_number(x: Expression) -> bool:
    """Whether an expression with numbers put in is a single number."""
    if isinstance(x, Product) and x.factors[0] == Numeral(-1.0) and len(x.factors) == 2:
        x = x.factors[1]
    return isinstance(x, Numeral | Symbol | Slope)


def _by_name(x: Expression) -> Expression | None:
    return x.form if isinstance(x, Printed) and isinstance(x.form, Symbol) else None


# --- what is to be known to read the formulas


def _notes(derivation: Derived) -> list[str]:
    found = [*_names_told(derivation), *(f"{name} = {what}" for name, what in _told_below(derivation))]
    if derivation.further:  # some of the values are told in the lines left out
        more = [f"… and {len(found) - NOTES} more values on the way."] * (len(found) > NOTES)
        cut = f'{derivation.further} more lines before the last one are left out; depth="terms" shows them.'
        found = [cut, *found[:NOTES], *more]
    spoken_of = {x.variable for line in derivation.lines for x in _elements(line)}
    for every, last in derivation.evaluation.states.items():
        if every not in spoken_of:
            continue
        name, other = derivation.evaluation.label(every), derivation.evaluation.label(last)
        same = "" if other.startswith(f"{name}[") else f"; the last is {other}"
        found.append(f"{name} has the state of the loop after every step t, counted from 0{same}.")
    instances = [x for line in derivation.lines for x in line.instances if x.value]
    left = {numeral(x.value, derivation.digits) for x in instances if _is_rounding(x.value, x.parts, x.rest)}
    found += [f"{in_signs(text)} is what rounding left of 0." for text in sorted(left)]
    if any(_has_case(line.formula) for line in derivation.lines):
        found.append("[…] around a comparison is 1 where it holds and 0 where it does not.")
    found += derivation.kinks
    if derivation.family:
        wrong = sum(not check.agrees for check in derivation.family)
        nudged = f"{len(derivation.family)} such gradients compared with their finite differences"
        found.append(f"{nudged}: {f'{wrong} DO NOT AGREE' if wrong else 'all agree'}.")
    return found


def _elements(line: Line) -> Iterator[Element]:
    """The elements that a line is of."""
    yield line.element
    yield from _elements_of(line.formula)


def _elements_of(formula: Expression) -> Iterator[Element]:
    for x in symbols_in(formula):
        yield x.element if isinstance(x, Symbol) else x.by


def _names_told(derivation: Derived) -> Iterator[str]:
    """Values with a name that are not on the way, and computed from what is: the probabilities of scores, conditions."""
    evaluation, teller, writer = derivation.evaluation, _Teller(derivation), Writer(TextStyle(), derivation.digits)
    lines = {line.element.variable for line in derivation.lines}
    spoken_of = dict.fromkeys(x.variable for line in derivation.lines for x in _elements_of(line.formula))
    for x in spoken_of:
        if x in lines or x not in evaluation.names or x not in evaluation.makers or x in evaluation.cotangents:
            continue
        element, formula = derivation.formulas.of_every_place(x)
        left, right = writer.name(teller.name(element)), writer.formula(teller.told(formula))
        if x.dtype.kind == "b":
            single = {y.element for y in symbols_in(formula) if isinstance(y, Symbol) and not y.element.letters}
            values = [f"{writer.name(teller.name(y))} = {evaluation.values[y.variable][y.place]}" for y in single]
            yield f"{left} is 1 where {right} and 0 elsewhere{''.join(f'; {told}' for told in values)}."
        else:
            yield f"{left} = {right}"


def _told_below(derivation: Derived) -> Iterator[tuple[str, str]]:
    """Values that formulas speak of by a name that nobody gave and no line tells, and what they are."""
    evaluation = derivation.evaluation
    lines = {line.element.variable for line in derivation.lines}
    told_by_number = {x for x in lines if x in evaluation.makers and not evaluation.labels[x].tells}
    hidden = [x for x, label in evaluation.labels.items() if x in evaluation.constants or not label.tells]
    by_name = {evaluation.label(x): x for x in reversed(hidden)}
    waiting = [x.variable for line in derivation.lines for x in _elements(line)]
    for line in derivation.lines:
        if line.element.variable in told_by_number:
            waiting += [x.variable for x in _elements_of(derivation.formulas.definition(line.element))]
    seen: set[Variable] = set()
    while waiting:
        x = waiting.pop(0)
        if x in seen:
            continue
        seen.add(x)
        text = evaluation.label(x)
        if x in evaluation.constants:
            few = np.size(evaluation.values[x]) <= 2 * FEW
            yield (
                evaluation.label(x),
                numbers(evaluation.values[x]) if few else f"numbers of shape {x.shape} in the code",
            )
        elif x not in evaluation.names and x in evaluation.makers and not evaluation.labels[x].tells and x not in lines:
            text = told(evaluation.makers[x], evaluation.labels).text
            yield evaluation.label(x), in_signs(text)
        waiting += [by_name[name] for name in _WORD.findall(text) if name in by_name]


def _has_case(x: Expression) -> bool:
    signs = x.op.notation if isinstance(x, Call) else None
    return (signs is not None and (signs.form == "case" or signs.compares)) or any(map(_has_case, parts(x)))
