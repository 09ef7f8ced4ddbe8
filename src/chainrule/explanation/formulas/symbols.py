"""Formulas as small trees, and their sums and products.

Elements of arrays are the symbols; an index may hold a letter, which stands for every place along an axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from chainrule.explanation.formulas.indices import Entry, Index, Letter, letters_in, taken_apart, with_places
from chainrule.ops.operation import REGISTRY, Operation
from chainrule.tracing.program import Variable


@dataclass(frozen=True)
class Element:
    """One number of an array, or with letters in the index a family of them."""

    variable: Variable
    index: Index = ()

    def at(self, places: Mapping[Letter, Entry]) -> Element:
        """The element with places put in for letters."""
        return Element(self.variable, tuple(with_places(i, places) for i in self.index))

    @property
    def place(self) -> tuple[int, ...]:
        """The index of an element that has no letters."""
        return tuple(i for i in self.index if isinstance(i, int))

    @property
    def letters(self) -> tuple[Letter, ...]:
        """The letters in the index."""
        return letters_in(self.index)


@dataclass(frozen=True)
class Numeral:
    """A number known from the formula; shares of a whole, such as a mean's 1/N, are fractions."""

    value: float | Fraction


@dataclass(frozen=True)
class Symbol:
    """An element of an array that goes by its name."""

    element: Element


@dataclass(frozen=True)
class Place:
    """The place a letter stands for, as a number."""

    letter: Letter


@dataclass(frozen=True)
class Slope:
    """∂of/∂by, a derivative that goes by its name."""

    of: Element
    by: Element


@dataclass(frozen=True)
class Sum:
    """Terms added up."""

    terms: tuple[Expression, ...]


@dataclass(frozen=True)
class Product:
    """Factors multiplied."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True)
class Series:
    """Σ of the body over all places that its letters stand for."""

    letters: tuple[Letter, ...]
    body: Expression


@dataclass(frozen=True)
class Call:
    """An operation applied; what is neither a sum nor a product."""

    op: Operation
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Printed:
    """What textbooks print for something, beside what was computed, which its number is of."""

    form: Expression
    computed: Expression


Expression = Numeral | Symbol | Place | Slope | Sum | Product | Series | Call | Printed
ZERO, ONE = Numeral(0.0), Numeral(1.0)
SMALLEST_SHARE = 1 << 20
"""The largest denominator of a fraction; smaller numbers are decimal ones."""


def add(terms: Iterable[Expression]) -> Expression:
    """The sum, flat: terms alike are one, zeros are left out, and y − x is written rather than −x + y.

    Derivatives by name stay apart, as the rule that gave them has them.
    """
    counts: dict[tuple[tuple[Expression, ...], int], float | Fraction] = {}
    for term in terms:
        for part in term.terms if isinstance(term, Sum) else (term,):
            factors = without_coefficient(part)
            key = factors, len(counts) * any(isinstance(x, Slope) for x in symbols_in(part))
            counts[key] = counts[key] + coefficient_of(part) if key in counts else coefficient_of(part)
    kept = [(factors, number) for (factors, _), number in counts.items() if number]
    if kept and kept[0][1] < 0:
        kept.sort(key=lambda x: x[1] < 0)
    sizes = {abs(number) for _, number in kept}
    if len(kept) > 1 and len(sizes) == 1 and sizes != {1.0}:  # a·x + a·y is a·(x + y)
        inner = [multiply([Numeral(1.0 if n > 0 else -1.0), *factors]) for factors, n in kept]
        first = kept[0][1]
        return multiply([Numeral(first if first > 0 else -first), add(inner)])
    flat = tuple(multiply([Numeral(number), *factors]) for factors, number in kept)
    return ZERO if not flat else flat[0] if len(flat) == 1 else Sum(flat)


def multiply(factors: Iterable[Expression]) -> Expression:
    """The product, flat, with its numbers multiplied and in front, ones left out, and equal neighbours as powers."""
    flat: list[Expression] = []
    number: float | Fraction = 1.0
    for factor in factors:
        for part in factor.factors if isinstance(factor, Product) else (factor,):
            if isinstance(part, Numeral):
                number = _product_of_numbers(number, part.value)
                continue
            base, exponent = as_power(part)
            before, times = as_power(flat.pop()) if flat else (ONE, 0.0)
            if before == base and not isinstance(part, Slope):
                flat.append(power_of(base, exponent + times))
            else:
                flat += [*([power_of(before, times)] if times else []), part]
    if number == 0.0:
        return ZERO
    if number != 1.0 or not flat:
        flat.insert(0, Numeral(number))
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def _product_of_numbers(a: float | Fraction, b: float | Fraction) -> float | Fraction:
    """The product of two numbers, a fraction where one of them is and the other one is a half, a whole, or the like."""
    if not isinstance(a, Fraction) and not isinstance(b, Fraction):
        return a * b
    if not (math.isfinite(a) and math.isfinite(b)):
        return float(a) * float(b)
    exact = [Fraction(x) for x in (a, b)]
    if any(x.denominator > SMALLEST_SHARE for x in exact):
        return float(a) * float(b)
    product = exact[0] * exact[1]
    return float(product) if product.denominator == 1 else product


def power_of(base: Expression, exponent: float) -> Expression:
    """A power with a number as exponent, as one writes it."""
    if exponent == 0.0:
        return ONE
    if exponent == 1.0:
        return base
    if exponent == 2.0:
        return Call(by_algebra()["square"], (base,))
    return Call(by_algebra()["power"], (base, Numeral(exponent)))


def as_power(x: Expression) -> tuple[Expression, float]:
    """Base and exponent, which is a whole number above 0; what is no such power is its own first."""
    if isinstance(x, Call) and x.op.notation.algebra == "square":
        return x.arguments[0], 2.0
    if isinstance(x, Call) and x.op.notation.algebra == "power" and isinstance(x.arguments[1], Numeral):
        exponent = float(x.arguments[1].value)
        if exponent > 0 and exponent.is_integer():
            return x.arguments[0], exponent
    return x, 1.0


def series(letters: tuple[Letter, ...], body: Expression) -> Expression:
    """The sum over letters, with the factors that do not depend on them outside; without letters the body itself."""
    if not letters or body == ZERO:
        return body
    if isinstance(body, Product):
        outside = [factor for factor in body.factors if not has_letter(factor, letters)]
        if outside:
            inside = [factor for factor in body.factors if has_letter(factor, letters)]
            return multiply([series(letters, multiply(inside)), *outside])
    if isinstance(body, Series):
        return Series((*letters, *body.letters), body.body)
    return Series(letters, body)


def counted(place: Entry) -> Expression:
    """A place as a number to compute with."""
    number, multiples = taken_apart(place)
    return add([*(multiply([Numeral(float(n)), Place(letter)]) for letter, n in multiples), Numeral(float(number))])


def where_holds(condition: Expression) -> Expression:
    """1 where a condition holds and 0 where it does not."""
    (bracket,) = (op for op in REGISTRY.values() if op.notation.form == "case")
    return known(Call(bracket, (condition, ONE)))


def known(x: Call) -> Expression:
    """The number of a bracket around a condition that no symbol or letter is left in; of others the condition alone; else itself."""
    if x.op.notation.form != "case":
        return x
    if _is_open(x.arguments[0]):
        return Call(x.op, (x.arguments[0], ONE))  # the other argument says the kind of number
    return Numeral(float(x.op.evaluate(number_of(x.arguments[0], lambda symbol, places: None), 1.0)))


def _is_open(x: Expression) -> bool:
    return isinstance(x, Symbol | Slope | Place) or any(map(_is_open, parts(x)))


@cache
def by_algebra() -> dict[str, Operation]:
    """The operation of each algebraic behaviour that formulas are written in."""
    return {op.notation.algebra: op for op in reversed(REGISTRY.values()) if op.notation.algebra}


def number_of(x: Expression, value: Callable[[Symbol | Slope, Mapping[Letter, Any]], Any], places: Any = None) -> Any:
    """The number an expression stands for; with arrays as places, an array of them, or one that broadcasts to it.

    `value(symbol, places)` says what symbols stand for, with numbers or arrays of numbers as places of letters.
    """
    places = places or {}
    if isinstance(x, Numeral):
        return float(x.value)
    if isinstance(x, Symbol | Slope):
        return value(x, places)
    if isinstance(x, Place):
        return places[x.letter]
    if isinstance(x, Sum):
        return sum(number_of(term, value, places) for term in x.terms)
    if isinstance(x, Product):
        return math.prod(number_of(factor, value, places) for factor in x.factors)
    if isinstance(x, Series):
        axes = len(x.letters)
        inner = {letter: np.asarray(place)[(...,) + (None,) * axes] for letter, place in places.items()}
        inner |= {
            letter: np.arange(letter.size).reshape((-1,) + (1,) * (axes - 1 - i)) for i, letter in enumerate(x.letters)
        }
        body = np.asarray(number_of(x.body, value, inner), np.float64)
        sizes = tuple(letter.size for letter in x.letters)
        outer = body.shape[:-axes]  # of length 1 where no place of outer letters matters
        return np.broadcast_to(body, outer + sizes).sum(axis=tuple(range(-axes, 0)))
    if isinstance(x, Printed):
        return number_of(x.computed, value, places)
    return x.op.evaluate(*(np.asarray(number_of(argument, value, places))[()] for argument in x.arguments))


def symbols_in(x: Expression) -> Iterable[Symbol | Slope]:
    """The symbols and slopes, from left to right, each as often as it occurs."""
    if isinstance(x, Symbol | Slope):
        yield x
    for part in parts(x):
        yield from symbols_in(part)


def parts(x: Expression) -> tuple[Expression, ...]:
    """What an expression is put together from."""
    if isinstance(x, Sum):
        return x.terms
    if isinstance(x, Product):
        return x.factors
    if isinstance(x, Series | Printed):
        return (x.body if isinstance(x, Series) else x.form,)
    return x.arguments if isinstance(x, Call) else ()


def has_letter(x: Expression, letters: tuple[Letter, ...]) -> bool:
    """Whether one of these letters is free in an expression."""
    if isinstance(x, Place):
        return x.letter in letters
    if isinstance(x, Symbol | Slope):
        element = x.element if isinstance(x, Symbol) else x.by
        return any(letter in letters for letter in element.letters)
    if isinstance(x, Printed) and has_letter(x.computed, letters):
        return True
    return any(has_letter(part, letters) for part in parts(x))


def coefficient_of(x: Expression) -> float | Fraction:
    """The number in front; a number by itself."""
    first = x.factors[0] if isinstance(x, Product) else x
    return first.value if isinstance(first, Numeral) else 1.0


def without_coefficient(x: Expression) -> tuple[Expression, ...]:
    """The factors behind the number in front; none of a number by itself."""
    factors = x.factors if isinstance(x, Product) else (x,)
    return factors[1:] if isinstance(factors[0], Numeral) else factors
