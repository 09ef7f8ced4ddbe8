"""What a derivation says, in order, before it is written in any form: equations, some with numbers put in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.explanation.derived import Derived, Instance, Line, Part
from chainrule.explanation.finite_differences import Check
from chainrule.explanation.labels import FEW, numbers, told
from chainrule.explanation.rendering.names import Spelled, in_signs, spelled
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.printer import Leaf, Printer
from chainrule.explanation.rules import CHAIN
from chainrule.explanation.symbolic import rewritten
from chainrule.explanation.symbols import (
    ONE,
    Call,
    Element,
    Expression,
    Numeral,
    Printed,
    Product,
    Slope,
    Symbol,
    add,
    number_of,
    parts,
    symbols_in,
)
from chainrule.ops.notation import ATOM, SIGN, SUM
from chainrule.tracing.program import Variable


@dataclass(frozen=True)
class Passage:
    """One right side: what it is written from, and the digits of the numbers put in (`None`: symbols stay)."""

    parts: tuple[Part, ...]
    digits: int | None = None
    joined: str = "+"
    more: int = 0
    rest: float = 0.0


@dataclass(frozen=True)
class Statement:
    """One equation of a derivation: a left side, right sides one below the other, and a result.

    `left` is a gradient, or the places that an instance is for; `rules` are named beside it.
    """

    left: Element | None
    places: tuple[tuple[str, int], ...]
    steps: tuple[Passage, ...]
    value: float | None
    rules: tuple[str, ...] = ()
    check: Check | None = None


def whole(derivation: Derived) -> Statement:
    """The whole gradient in one: symbols, the numbers it is the product of, the result."""
    terms, more, rest = _largest(derivation)
    formula = add(part.expression for part in terms) if more else derivation.formula
    steps = [Passage((Part(formula, 0.0),), more=more, rest=rest)]
    if len(derivation.factors) > 1:
        steps.append(_consistent(derivation, derivation.factors, "*", 0, 0.0, derivation.value))
    if terms:
        values = tuple(Part(ONE, part.value) for part in terms)
        steps.append(_consistent(derivation, values, "+", more, rest, derivation.value))
    rules = derivation.lines[0].rules if len(derivation.lines) == 1 and isinstance(derivation.formula, Numeral) else ()
    return Statement(derivation.element, (), tuple(steps), derivation.value, rules, derivation.check)


def _largest(derivation: Derived) -> tuple[tuple[Part, ...], int, float]:
    """The terms of the whole gradient, of many the largest, how many others there are and what they are together."""
    terms = derivation.terms
    if len(terms) <= max(derivation.most, WHOLE):
        return terms, 0, 0.0
    kept = sorted(sorted(range(len(terms)), key=lambda i: -abs(terms[i].value))[: derivation.most])
    rest = math.fsum(part.value for i, part in enumerate(terms) if i not in kept)
    return tuple(terms[i] for i in kept), len(terms) - len(kept), rest


def lines(derivation: Derived) -> list[tuple[Statement, list[Statement], int]]:
    """Every line: its formula, its instances in numbers, and how many more elements there are like these."""
    found: list[tuple[Statement, list[Statement], int]] = []
    for line in derivation.lines:
        formula = Passage((Part(line.formula, 0.0),))
        instances = [_numbers(derivation, instance) for instance in line.instances]
        if len(instances) == 1 and not instances[0].places:  # one element: its numbers follow the formula
            only = instances[0]
            steps = (formula, *(s for s in only.steps if not _says_nothing(line.formula, s)))
            found.append((Statement(line.element, (), steps, only.value, line.rules, only.check), [], 0))
        else:
            found.append((Statement(line.element, (), (formula,), None, line.rules), instances, line.more))
    return found


def _says_nothing(formula: Expression, step: Passage) -> bool:
    return isinstance(formula, Numeral)


def _numbers(derivation: Derived, instance: Instance) -> Statement:
    """An instance's numbers: put into the formula, then term by term, then the result."""
    steps = []
    single = len(instance.parts) == 1 and not instance.more
    if instance.parts and not (single and _is_number(instance.parts[0].expression)):
        steps.append(_consistent(derivation, instance.parts, "+", instance.more, instance.rest, instance.value))
        if not single and not all(_is_number(p.expression) for p in instance.parts):
            values = tuple(Part(ONE, p.value) for p in instance.parts)
            steps.append(_consistent(derivation, values, "+", instance.more, instance.rest, instance.value))
    places = tuple((letter.name, place) for letter, place in instance.places.items())
    return Statement(None, places, tuple(steps), instance.value, (), instance.check)


def _is_number(x: Expression) -> bool:
    """Whether an expression with numbers put in is a single number."""
    if isinstance(x, Product) and x.factors[0] == Numeral(-1.0) and len(x.factors) == 2:
        x = x.factors[1]
    return isinstance(x, Numeral | Symbol | Slope)


def _consistent(
    derivation: Derived, parts: Sequence[Part], joined: str, more: int, rest: float, value: float | None
) -> Passage:
    """A step with so many digits that the numbers as printed give the result as printed, to its last digit."""
    steps = [Passage(tuple(parts), digits, joined, more, rest) for digits in range(derivation.digits, 18)]
    if value is None:
        return steps[0]
    size = sum(abs(part.value) for part in parts) + abs(rest)
    if joined == "+" and abs(value) <= 1e-13 * size:  # nothing is left but rounding, which no digits would explain
        return steps[0]
    printed = numeral(value, derivation.digits)
    for step in steps:
        if numeral(_as_printed(derivation, step), derivation.digits) == printed:
            return step
    return steps[-1]


def _as_printed(derivation: Derived, step: Passage) -> float:
    digits = step.digits or derivation.digits

    def value(symbol: Any, places: Any) -> Any:
        x = derivation.value_of(symbol, places)
        return x if places else float(numeral(float(x), digits))

    numbers = [
        float(numeral(p.value, digits))
        if step.joined == "*" or p.expression == ONE
        else float(number_of(rewritten(p.expression, _by_name), value))
        for p in step.parts
    ]
    if step.joined == "*":
        product = 1.0
        for x in numbers:
            product *= x
        return product
    return sum(numbers) + (float(numeral(step.rest, digits)) if step.more else 0.0)


def _by_name(x: Expression) -> Expression | None:
    return x.form if isinstance(x, Printed) and isinstance(x.form, Symbol) else None


_WORD = re.compile(r"[^\W\d][\w.]*'?")
"""A name in a formula as one types it."""

WHOLE = 8
"""Terms of the longest sum that is written as a whole."""
NOTES = 12
"""Values told below the lines of a derivation that is cut."""
SHORT = 2
"""Symbols of the longest formula that stands for a value without name."""


class Writer:
    """Writes the steps of statements in one style."""

    def __init__(self, derivation: Derived, style: Any) -> None:
        self.derivation, self.style = derivation, style
        self.symbolic = Printer(style, self.symbol, derivation.digits)

    def spelled(self, element: Element) -> Spelled:
        """The element's name and places."""
        return spelled(self.derivation.evaluation, element, self.derivation.symbols)

    def name(self, element: Element) -> str:
        """An element by its name, in brackets where that is a formula."""
        name = self.spelled(element)
        text = str(self.style.name(name))
        return text if name.plain or name.places else str(self.style.brackets(text))

    def slope(self, by: Element) -> str:
        """∂output/∂by; what has no name is written as its formula, where that is short."""
        name = self.name(by)
        if by.variable not in self.derivation.evaluation.names:
            formula = self.derivation.formulas.by_itself(by)
            if not isinstance(formula, Symbol) and not self.needs_definition(by):
                name = self.style.brackets(self.symbolic.write(formula))
        return str(self.style.slope(self.name(self.derivation.output), name, self.derivation.evaluation.d))

    def needs_definition(self, x: Element) -> bool:
        """Whether a value has no name and a formula too long to stand for one."""
        if x.variable in self.derivation.evaluation.names or x.variable not in self.derivation.evaluation.makers:
            return False
        if self.derivation.formulas.symbols(x.variable):  # it goes by its label: a short formula, or a number
            return not self.derivation.evaluation.labels[x.variable].tells
        formula = self.derivation.formulas.by_itself(x)
        return isinstance(formula, Symbol) or len(list(symbols_in(formula))) > SHORT

    def definition(self, x: Element) -> str | None:
        """`v7 = …` for a value that needs to be told."""
        if x in self.derivation.definitions:
            return str(self.style.equation(self.name(x), self.symbolic.write(self.derivation.definitions[x])))
        if not self.needs_definition(x):
            return None
        formula = self.derivation.formulas.definition(x)
        if formula != Symbol(x):
            return str(self.style.equation(self.name(x), self.symbolic.write(formula)))
        labels = self.derivation.evaluation.labels
        return None if labels[x.variable].tells else str(self.style.equation(self.name(x), self._told(x)))

    def _told(self, x: Element) -> str:
        """An element of what an operation gives, where no formula of elements says it: sort(a)[1]."""
        evaluation = self.derivation.evaluation
        whole = in_signs(told(evaluation.makers[x.variable], evaluation.labels).text)
        return str(self.style.name(Spelled(whole, self.spelled(x).places)))

    def symbol(self, x: Symbol | Slope) -> Leaf:
        """A symbol by its name."""
        if isinstance(x, Slope):
            return Leaf(self.slope(x.by), SIGN)
        name, evaluation = self.spelled(x.element), self.derivation.evaluation
        if name.plain or name.places or x.element.variable in evaluation.names:
            return Leaf(self.name(x.element), ATOM, name.short)
        label = evaluation.labels[x.element.variable]
        return Leaf(self.style.name(name), SUM if label.text.startswith("-") else label.strength)

    def number(self, x: float, digits: int | None = None) -> str:
        """A number, with the derivation's digits by default."""
        return str(self.style.number(numeral(x, digits or self.derivation.digits)))

    def step(self, step: Passage) -> str:
        """A right side, without what is left out of it."""
        if step.digits is None:
            return self.symbolic.write(step.parts[0].expression)
        digits = step.digits

        def put_in(x: Symbol | Slope) -> Leaf:
            element = x.by if isinstance(x, Slope) else x.element
            if element.letters:
                return self.symbol(x)
            text = numeral(float(self.derivation.value_of(x, {})), digits)
            return Leaf(self.style.number(text.lstrip("-")), ATOM, negative=text.startswith("-"))

        if step.joined == "*":
            factors = [self.number(p.value, digits) for p in step.parts]
            factors[1:] = [
                self.style.brackets(x) if p.value < 0 else x for x, p in zip(factors[1:], step.parts[1:], strict=True)
            ]
            return str(self.style.product(factors, [False] * len(factors)))
        printer = Printer(self.style, put_in, digits)
        if len(step.parts) == 1 and step.parts[0].expression != ONE:
            return printer.write(step.parts[0].expression)
        terms = [self._term(printer, part, digits) for part in step.parts]
        return str(terms[0][1]) if len(terms) == 1 and terms[0][0] == "+" else str(self.style.sum(terms))

    def _term(self, printer: Printer, part: Part, digits: int) -> tuple[str, str]:
        """A part's sign and the rest of it, as a term among others."""
        if part.expression == ONE:
            text = numeral(part.value, digits)
            return "-" if text.startswith("-") else "+", self.style.number(text.lstrip("-"))
        return printer.term(part.expression)


def concluded(rights: list[str], statement: Statement, equals: str, result: str) -> None:
    """Write the result behind the last right side that is in numbers, or below the others."""
    if statement.steps and statement.steps[-1].digits is not None:
        rights[-1] = result if rights[-1] == result else f"{rights[-1]}{equals}{result}"
    else:
        rights.append(result)


def more_like(more: int, instances: int) -> str:
    """That there are further elements like those shown."""
    return f"… and {more} more like {'these' if instances > 1 else 'this'}"


def rules_in_words(rules: Sequence[str]) -> str:
    """The rules used, with commas; the chain rule last."""
    ordered = [r for r in rules if r != CHAIN] + [r for r in rules if r == CHAIN]
    return ", ".join(ordered)


def notes(derivation: Derived) -> list[str]:
    """What a reader should know to read the formulas."""
    found = [f"{name} = {what}" for name, what in _told_below(derivation)]
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
    return (isinstance(x, Call) and x.op.notation.form == "case") or any(map(_has_case, parts(x)))
