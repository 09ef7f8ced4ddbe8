"""Formulas of values that have a name, found again inside other formulas: exp(z_j)/Σ exp(z_k) is the softmax's output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations

from chainrule.explanation.formulas.indices import Entry, Letter, letters_in
from chainrule.explanation.formulas.symbolic import call, rewritten
from chainrule.explanation.formulas.symbols import (
    Call,
    Element,
    Expression,
    Numeral,
    Place,
    Printed,
    Product,
    Series,
    Symbol,
    multiply,
    parts,
)


@dataclass(frozen=True)
class Known:
    """A value that has a name: an element with letters for all places, and the formula that it is computed by."""

    element: Element
    formula: Expression

    @property
    def shortens(self) -> bool:
        """Whether the name says more than the formula: of several operations, a condition's number, or an activation, as in
        (a − t) for (σ(z) − t)."""
        form = _form(self.formula)
        return isinstance(form, Call) and (
            getattr(form.op, "activation", None) is not None
            or form.op.notation.form == "case"
            or not all(isinstance(x, Symbol | Numeral) for x in form.arguments)
        )


def by_name(x: Expression, values: Sequence[Known]) -> Expression:
    """The expression with names in place of the formulas of these values; numbers stay those that were computed."""
    if not values:
        return x

    def named(part: Expression) -> Expression | None:
        for value in values:
            found: dict[Letter, Entry] = {}
            if isinstance(_form(part), Call) and _same(value.formula, part, found, {}):
                computed = part.computed if isinstance(part, Printed) else part
                return Printed(Symbol(value.element.at(found)), computed)
        return None

    def change(part: Expression) -> Expression | None:
        """The name of a part, or of what one factor is over the denominator of another."""
        if not isinstance(part, Product):
            return named(part)
        for quotient, factor in permutations(part.factors, 2):
            form = _form(quotient)
            if isinstance(form, Call) and form.op.notation.algebra == "quotient":
                name = named(call(form.op, factor, form.arguments[1]))
                if name is not None:
                    others = [x for x in part.factors if x is not quotient and x is not factor]
                    return rewritten(multiply([*others, form.arguments[0], name]), change)
        return None

    return rewritten(x, change)


def _same(pattern: Expression, x: Expression, found: dict[Letter, Entry], bound: dict[Letter, Letter]) -> bool:
    """Whether an expression is a pattern with places put in for its letters, which are noted in `found`."""
    pattern, x = _form(pattern), _form(x)
    if type(pattern) is not type(x):
        return False
    if isinstance(pattern, Symbol) and isinstance(x, Symbol):
        return pattern.element.variable is x.element.variable and _places(
            zip(pattern.element.index, x.element.index, strict=True), found, bound
        )
    if isinstance(pattern, Place) and isinstance(x, Place):
        return _places([(pattern.letter, x.letter)], found, bound)
    if isinstance(pattern, Series) and isinstance(x, Series):
        if [letter.size for letter in pattern.letters] != [letter.size for letter in x.letters]:
            return False
        bound = bound | dict(zip(pattern.letters, x.letters, strict=True))
    elif isinstance(pattern, Call) and isinstance(x, Call):
        if pattern.op is not x.op:
            return False
    elif not parts(pattern):
        return pattern == x
    pairs = list(zip(parts(pattern), parts(x), strict=False))
    return len(parts(pattern)) == len(parts(x)) and all(_same(a, b, found, bound) for a, b in pairs)


def _places(pairs: Iterable[tuple[Entry, Entry]], found: dict[Letter, Entry], bound: dict[Letter, Letter]) -> bool:
    for own, other in pairs:
        if isinstance(own, Letter) and own not in bound:
            if found.setdefault(own, other) != other or set(letters_in([other])) & set(bound.values()):
                return False
        elif (bound[own] if isinstance(own, Letter) else own) != other:
            return False
    return True


def _form(x: Expression) -> Expression:
    return _form(x.form) if isinstance(x, Printed) else x
