"""Operations applied to formulas, tidied as one writes them: `m = symbolic` in a rule of a declaration gives a formula."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from copy import copy
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np

from chainrule.explanation.formulas.indices import Entry, Letter
from chainrule.explanation.formulas.symbols import (
    ONE,
    ZERO,
    Call,
    Expression,
    Numeral,
    Place,
    Printed,
    Product,
    Series,
    Slope,
    Sum,
    Symbol,
    add,
    as_power,
    by_algebra,
    coefficient_of,
    counted,
    has_letter,
    known,
    multiply,
    power_of,
    series,
    without_coefficient,
)
from chainrule.ops.kinds.elementwise import Elementwise
from chainrule.ops.kinds.reduction import Uniform
from chainrule.ops.operation import REGISTRY, Operation


def _divide(a: Expression, b: Expression) -> Expression:
    if b == ZERO:  # infinite or no number, which is told and not computed
        return Call(by_algebra()["quotient"], (a, b))
    if isinstance(b, Numeral) and (isinstance(a, Numeral) or b.value in (1.0, -1.0)):
        return multiply([a, Numeral(1.0 / b.value)])
    if a == ZERO:
        return ZERO
    if coefficient_of(a) < 0:
        return multiply([Numeral(-1.0), _divide(multiply([Numeral(-1.0), a]), b)])
    if isinstance(a, Call) and a.op.notation.algebra == "quotient":
        top, bottom = a.arguments
        return _divide(top, multiply([bottom, b]))
    made = Call(by_algebra()["quotient"], (a, b))
    return printed(Call(made.op, shorter), made) if (shorter := _without_shift(a, b)) is not None else made


def _without_shift(a: Expression, b: Expression) -> tuple[Expression, Expression] | None:
    """eˣ⁻ᶜ/Σ eʸ⁻ᶜ, which keeps numbers finite, without c; `None` for anything else."""
    below = b.body if isinstance(b, Series) else b
    if (
        not isinstance(a, Call)
        or not isinstance(below, Call)
        or a.op is not below.op
        or a.op.notation.form != "exponential"
    ):
        return None
    terms, others = (x.terms if isinstance(x, Sum) else (x,) for x in (a.arguments[0], below.arguments[0]))
    letters = b.letters if isinstance(b, Series) else ()
    common = [x for x in terms if x in others and not has_letter(x, letters)]
    if not common:
        return None
    top, bottom = (Call(a.op, (add([x for x in side if x not in common]),)) for side in (terms, others))
    return top, series(letters, bottom)


def as_one_fraction(x: Expression) -> Expression:
    """A product with its fractions put together: x/√(1 + x²) for 2 · 1/(2·√(1 + x²)) · x."""
    if not isinstance(x, Product) or not any(_quotient(factor) for factor in x.factors):
        return x
    tops, bottoms = zip(*(_quotient(factor) or (_form(factor), ONE) for factor in x.factors), strict=True)
    top, bottom = _without_common_factors(multiply(tops), multiply(bottoms))
    number = float(coefficient_of(top)) / float(coefficient_of(bottom))
    if number.is_integer() or (1.0 / number).is_integer():
        numbers = (number, 1.0) if number.is_integer() else (math.copysign(1.0, number), abs(1.0 / number))
        top, bottom = (
            multiply([Numeral(n), *without_coefficient(side)]) for n, side in zip(numbers, (top, bottom), strict=True)
        )
    return printed(_divide(top, bottom), x)


def _without_common_factors(top: Expression, bottom: Expression) -> tuple[Expression, Expression]:
    """x²/(x · y) as x/y; numbers in front stay."""
    above: list[Expression] = list(top.factors) if isinstance(top, Product) else [top]
    below: list[Expression] = list(bottom.factors) if isinstance(bottom, Product) else [bottom]
    for i, j in product(range(len(above)), range(len(below))):
        (base, exponent), (other, own) = as_power(above[i]), as_power(below[j])
        if base == other and not isinstance(base, Numeral):
            above[i], below[j] = power_of(base, max(exponent - own, 0.0)), power_of(base, max(own - exponent, 0.0))
    return multiply(above), multiply(below)


def _quotient(x: Expression) -> tuple[Expression, Expression] | None:
    """What is over what, of a fraction."""
    form = _form(x)
    if isinstance(form, Call) and form.op.notation.algebra == "quotient":
        return form.arguments[0], form.arguments[1]
    return None


def _form(x: Expression) -> Expression:
    return _form(x.form) if isinstance(x, Printed) else x


def _power(a: Expression, b: Expression) -> Expression:
    return power_of(a, float(b.value)) if isinstance(b, Numeral) else Call(by_algebra()["power"], (a, b))


def _complement(condition: Expression) -> Expression:
    """x ≤ 0 where x > 0 does not hold; of what is no number neither does."""
    made = Call(by_algebra()["complement"], (condition,))
    form = _form(condition)
    if not isinstance(form, Call) or not form.op.notation.opposite:
        return made
    return printed(Call(_by_sign()[form.op.notation.opposite, 2], form.arguments), made)


_TIDY: dict[str, Callable[..., Expression]] = {
    "sum": lambda a, b: add([a, b]),
    "difference": lambda a, b: add([a, multiply([Numeral(-1.0), b])]),
    "product": lambda a, b: multiply([a, b]),
    "negation": lambda a: multiply([Numeral(-1.0), a]),
    "identity": lambda a: a,
    "quotient": _divide,
    "reciprocal": lambda a: _divide(ONE, a),
    "power": _power,
    "complement": _complement,
}


@cache
def _by_sign() -> dict[tuple[str, int], Operation]:
    """The operations with signs of their own in Python, by what is typed and the number of inputs: ("-", 1)."""
    return {
        (op.notation.typed.format("", "").strip(), len(op.notation.operands)): op
        for op in REGISTRY.values()
        if op.notation.typed
    }


def with_static(op: Any, static: Mapping[str, Any]) -> Any:
    """An operation with its static arguments as part of it, where another library computes it or textbooks print it
    otherwise; others are written without them."""
    if not static or not isinstance(op, Elementwise) or (op.loops and op.textbook.value is None):
        return op
    return _with_static(op, tuple(static.items()))


@cache
def _with_static(op: Elementwise, static: tuple[tuple[str, Any], ...]) -> Operation:
    made, given = copy(op), dict(static)
    rules = tuple(partial(rule, **given) if callable(rule) else rule for rule in op.partials)
    sign = f"{op.notation.sign or op.name}[{', '.join(str(x) for x in given.values())}]"
    notation = copy(op.notation)
    notation.sign = sign
    for name, value in (
        ("value", partial(op.value, **given)),
        ("evaluate", partial(op.evaluate, **given)),
        ("partials", rules),
        ("textbook", op.textbook.given(**given)),
        ("notation", notation),
        ("latex", re.sub(r"(?<![A-Za-z\\])n(?![A-Za-z])", f"{{{{{_static_in_latex(*given.values())}}}}}", op.latex)),
    ):
        object.__setattr__(made, name, value)
    return made


def _static_in_latex(*values: Any) -> str:
    """Static arguments in the place of the n of a declaration."""
    return ", ".join(_static_in_latex(*x) if isinstance(x, tuple) else str(x) for x in values)


def call(op: Operation, *arguments: Expression) -> Expression:
    """An operation applied, tidied: 1·x is x, x + 0 is x, and the like; as textbooks print it where it says so."""
    tidy = _TIDY.get(op.notation.algebra)
    if tidy is not None:
        return tidy(*arguments)
    made = known(Call(op, arguments))
    if op.textbook.value is None:
        return made
    return printed(as_expression(op.textbook.value(symbolic, *map(Formula, arguments))), made)


def share(partial: Uniform, count: int) -> Numeral:
    """What each of so many numbers counts in a sum or a mean: 1, or 1/N as a fraction."""
    value = float(partial.of_count(count))
    exact = Fraction(value).limit_denominator(max(count, 1))
    return Numeral(exact if float(exact) == value and exact.denominator > 1 else value)


def printed(form: Expression, computed: Expression) -> Expression:
    """What is computed, in the form that textbooks print; its number stands in front, as in any product."""
    if isinstance(computed, Printed):
        computed = computed.computed
    if form == computed:
        return computed
    if isinstance(form, Numeral):
        return Printed(form, computed)
    number = coefficient_of(form)
    if number == 1.0:
        return Printed(form, computed)
    inner = Printed(multiply(without_coefficient(form)), multiply([Numeral(1.0 / number), computed]))
    return multiply([Numeral(number), inner])


class Formula:
    """An expression that takes part in an operation's rule: Python's operators on it build larger ones.

    It is an element, in double precision as all derivatives; `shape` is that of the array it stands for.
    """

    __slots__ = ("expression", "shape")
    __hash__ = None  # type: ignore[assignment]
    dtype = np.dtype(np.float64)

    def __init__(self, expression: Expression, shape: tuple[int, ...] = ()) -> None:
        self.expression, self.shape = expression, shape


def _method(sign: str, inputs: int = 2, reflected: bool = False) -> Callable[..., Formula]:
    def method(self: Formula, *other: Any) -> Formula:
        arguments = (*other, self) if reflected else (self, *other)
        return Formula(call(_by_sign()[sign, inputs], *map(as_expression, arguments)))

    return method


for _name, _sign in {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "**", "mod": "%"}.items():
    setattr(Formula, f"__{_name}__", _method(_sign))
    setattr(Formula, f"__r{_name}__", _method(_sign, reflected=True))
for _name, _sign in {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}.items():
    setattr(Formula, f"__{_name}__", _method(_sign))
for _name, _sign in {"neg": "-", "pos": "+"}.items():
    setattr(Formula, f"__{_name}__", _method(_sign, inputs=1))


def as_expression(x: Any) -> Expression:
    """A formula's expression; numbers become `Numeral`."""
    return (
        x.expression
        if isinstance(x, Formula)
        else x
        if isinstance(x, Expression)
        else Numeral(x if isinstance(x, Fraction) else float(x))
    )


class Symbolic:
    """The namespace `m` whose values are formulas."""

    def __getattr__(self, name: str) -> Callable[..., Formula]:
        if name not in REGISTRY:
            raise AttributeError(name)

        def apply(*arguments: Any, **static: Any) -> Formula:
            op = with_static(REGISTRY[name], static)
            if static and op is REGISTRY[name]:
                raise TypeError(
                    f"{name} has no formula of its static arguments"
                )  # how it goes is then seen from the numbers
            return Formula(call(op, *map(as_expression, arguments)))

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
    if isinstance(x, Printed):
        return printed(rewritten(x.form, change), rewritten(x.computed, change))
    return x


def at_places(x: Expression, places: Mapping[Letter, Entry]) -> Expression:
    """The expression with places put in for letters."""

    def change(part: Expression) -> Expression | None:
        if isinstance(part, Symbol):
            return Symbol(part.element.at(places))
        if isinstance(part, Place):
            return counted(places.get(part.letter, part.letter))
        return Slope(part.of, part.by.at(places)) if isinstance(part, Slope) else None

    return rewritten(x, change) if places else x
