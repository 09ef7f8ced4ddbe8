"""Formulas as small trees, written by the operations' own declarations: `m = symbolic` in a rule gives the derivative.

Elements of arrays are the symbols; an index may hold a letter, which stands for every place along an axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.ops.operation import REGISTRY, Operation
from chainrule.tracing.program import Variable


@dataclass(frozen=True)
class Letter:
    """An index that stands for every place along an axis of this length."""

    name: str
    size: int

    def __str__(self) -> str:
        return self.name


Index = tuple[int | Letter, ...]


@dataclass(frozen=True)
class Element:
    """One number of an array, or with letters in the index a family of them."""

    variable: Variable
    index: Index = ()

    def at(self, places: Mapping[Letter, int | Letter]) -> Element:
        """The element with places put in for letters."""
        return Element(self.variable, tuple(places.get(i, i) if isinstance(i, Letter) else i for i in self.index))

    @property
    def place(self) -> tuple[int, ...]:
        """The index of an element that has no letters."""
        return tuple(i for i in self.index if not isinstance(i, Letter))

    @property
    def letters(self) -> tuple[Letter, ...]:
        """The letters in the index."""
        return tuple(i for i in self.index if isinstance(i, Letter))


@dataclass(frozen=True)
class Numeral:
    """A number known from the formula."""

    value: float


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


Expression = Numeral | Symbol | Place | Slope | Sum | Product | Series | Call
ZERO, ONE = Numeral(0.0), Numeral(1.0)


def add(terms: Iterable[Expression]) -> Expression:
    """The sum, flat, with its numbers added up and zeros left out."""
    flat: list[Expression] = []
    number = 0.0
    for term in terms:
        for part in term.terms if isinstance(term, Sum) else (term,):
            if isinstance(part, Numeral):
                number += part.value
            else:
                flat.append(part)
    common = {abs(_coefficient(part)) for part in flat} | ({abs(number)} if number else set())
    if len(flat) > 1 and len(common) == 1 and common != {1.0}:  # a·x + a·y is a·(x + y)
        (size,) = common
        inner = [multiply([Numeral(1.0 if _coefficient(x) > 0 else -1.0), *_without_coefficient(x)]) for x in flat]
        return multiply([Numeral(size), add([*inner, Numeral(number / size)])])
    if number:
        first = flat and _coefficient(flat[0]) < 0
        flat.insert(0 if first or (flat and number == 1.0) else len(flat), Numeral(number))
    return ZERO if not flat else flat[0] if len(flat) == 1 else Sum(tuple(flat))


def multiply(factors: Iterable[Expression]) -> Expression:
    """The product, flat, with its numbers multiplied and in front, ones left out, and equal neighbours as squares."""
    flat: list[Expression] = []
    number = 1.0
    for factor in factors:
        for part in factor.factors if isinstance(factor, Product) else (factor,):
            if isinstance(part, Numeral):
                number *= part.value
            elif flat and flat[-1] == part and not isinstance(part, Slope):
                flat[-1] = Call(REGISTRY["square"], (part,))
            else:
                flat.append(part)
    if number == 0.0:
        return ZERO
    if number != 1.0 or not flat:
        flat.insert(0, Numeral(number))
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def series(letters: tuple[Letter, ...], body: Expression) -> Expression:
    """The sum over letters, with the factors that do not depend on them outside; without letters the body itself."""
    if not letters or body == ZERO:
        return body
    if isinstance(body, Product):
        outside = [factor for factor in body.factors if not _has_letter(factor, letters)]
        if outside:
            inside = [factor for factor in body.factors if _has_letter(factor, letters)]
            return multiply([series(letters, multiply(inside)), *outside])
    if isinstance(body, Series):
        return Series((*letters, *body.letters), body.body)
    return Series(letters, body)


def _divide(a: Expression, b: Expression) -> Expression:
    if isinstance(b, Numeral) and (isinstance(a, Numeral) or b.value in (1.0, -1.0)):
        return multiply([a, Numeral(1.0 / b.value)]) if not isinstance(a, Numeral) else Numeral(a.value / b.value)
    if a == ZERO:
        return ZERO
    if isinstance(a, Product) and isinstance(a.factors[0], Numeral) and a.factors[0].value == -1.0:
        return multiply([Numeral(-1.0), _divide(multiply(a.factors[1:]), b)])
    if isinstance(a, Call) and a.op.name == "divide":
        top, bottom = a.arguments
        return _divide(top, multiply([bottom, b]))
    return Call(REGISTRY["divide"], (a, b))


def _power(a: Expression, b: Expression) -> Expression:
    if isinstance(b, Numeral):
        if b.value == 0.0:
            return ONE
        if b.value == 1.0:
            return a
        if b.value == 2.0:
            return Call(REGISTRY["square"], (a,))
    return Call(REGISTRY["power"], (a, b))


_TIDY: dict[str, Callable[..., Expression]] = {
    "add": lambda a, b: add([a, b]),
    "subtract": lambda a, b: add([a, multiply([Numeral(-1.0), b])]),
    "multiply": lambda a, b: multiply([a, b]),
    "negative": lambda a: multiply([Numeral(-1.0), a]),
    "positive": lambda a: a,
    "astype": lambda a: a,
    "divide": _divide,
    "reciprocal": lambda a: _divide(ONE, a),
    "power": _power,
}


def call(op: Operation, *arguments: Expression) -> Expression:
    """An operation applied, tidied: 1·x is x, x + 0 is x, and the like."""
    tidy = _TIDY.get(op.name)
    return tidy(*arguments) if tidy is not None else Call(op, arguments)


class Formula:
    """An expression that takes part in an operation's rule: Python's operators on it build larger ones."""

    __slots__ = ("expression",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, expression: Expression) -> None:
        self.expression = expression


def _method(name: str, reflected: bool = False) -> Callable[..., Formula]:
    def method(self: Formula, *other: Any) -> Formula:
        arguments = (*other, self) if reflected else (self, *other)
        return Formula(call(REGISTRY[name], *map(as_expression, arguments)))

    return method


for _sign, _name in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power",
}.items():  # fmt: skip
    setattr(Formula, f"__{_sign}__", _method(_name))
    setattr(Formula, f"__r{_sign}__", _method(_name, reflected=True))
for _sign, _name in {
    "neg": "negative", "pos": "positive", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "eq": "equal", "ne": "not_equal",
}.items():  # fmt: skip
    setattr(Formula, f"__{_sign}__", _method(_name))


def as_expression(x: Any) -> Expression:
    """A formula's expression; numbers become `Numeral`."""
    return x.expression if isinstance(x, Formula) else x if isinstance(x, Expression) else Numeral(float(x))


class Symbolic:
    """The namespace `m` whose values are formulas."""

    def __getattr__(self, name: str) -> Callable[..., Formula]:
        if name not in REGISTRY:
            raise AttributeError(name)

        def apply(*arguments: Any) -> Formula:
            return Formula(call(REGISTRY[name], *map(as_expression, arguments)))

        return apply


symbolic = Symbolic()


def rewritten(x: Expression, change: Callable[[Expression], Expression | None]) -> Expression:
    """The expression with every part replaced that `change` gives something for."""
    new = change(x)
    if new is not None:
        return new
    if isinstance(x, Sum):
        return add([rewritten(term, change) for term in x.terms])
    if isinstance(x, Product):
        return multiply([rewritten(factor, change) for factor in x.factors])
    if isinstance(x, Series):
        return series(x.letters, rewritten(x.body, change))
    if isinstance(x, Call):
        return call(x.op, *(rewritten(argument, change) for argument in x.arguments))
    return x


def at_places(x: Expression, places: Mapping[Letter, int | Letter]) -> Expression:
    """The expression with places put in for letters."""

    def change(part: Expression) -> Expression | None:
        if isinstance(part, Symbol):
            return Symbol(part.element.at(places))
        if isinstance(part, Place):
            place = places.get(part.letter, part.letter)
            return Place(place) if isinstance(place, Letter) else Numeral(float(place))
        return Slope(part.of, part.by.at(places)) if isinstance(part, Slope) else None

    return rewritten(x, change) if places else x


def number_of(x: Expression, value: Callable[[Symbol | Slope, Mapping[Letter, Any]], Any], places: Any = None) -> Any:
    """The number an expression stands for; with arrays as places, an array of them.

    `value(symbol, places)` says what symbols stand for, with numbers or arrays of numbers as places of letters.
    """
    places = places or {}
    if isinstance(x, Numeral):
        return x.value
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
        outer = np.broadcast_shapes(*(np.shape(p) for p in places.values()), ())
        return np.broadcast_to(body, outer + sizes).sum(axis=tuple(range(-axes, 0)))
    return x.op.evaluate(*(number_of(argument, value, places) for argument in x.arguments))


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
    if isinstance(x, Series):
        return (x.body,)
    return x.arguments if isinstance(x, Call) else ()


def _has_letter(x: Expression, letters: tuple[Letter, ...]) -> bool:
    if isinstance(x, Place):
        return x.letter in letters
    if isinstance(x, Symbol | Slope):
        element = x.element if isinstance(x, Symbol) else x.by
        return any(letter in letters for letter in element.letters)
    return any(_has_letter(part, letters) for part in parts(x))


def _coefficient(x: Expression) -> float:
    """The number in front."""
    return x.factors[0].value if isinstance(x, Product) and isinstance(x.factors[0], Numeral) else 1.0


def _without_coefficient(x: Expression) -> tuple[Expression, ...]:
    return x.factors[1:] if isinstance(x, Product) and isinstance(x.factors[0], Numeral) else (x,)
