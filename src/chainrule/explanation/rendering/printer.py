"""Expressions written out: one walk that knows where parentheses go, and a style that knows the signs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chainrule.explanation.formulas.indices import Letter
from chainrule.explanation.formulas.symbols import (
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
    without_coefficient,
)
from chainrule.explanation.rendering.numerals import coefficient
from chainrule.explanation.rendering.story import Applied, Derivative, Name, Signs, Told
from chainrule.ops.notation import ATOM, COMPARISON, POWER, PRODUCT, SIGN, SUM


class Style(Protocol):
    """The signs of one form: text, LaTeX or MathML."""

    def number(self, text: str) -> str:
        """A numeral as Python writes it."""

    def sum(self, terms: Sequence[tuple[str, str]]) -> str:
        """Terms, each with its sign "+" or "-"."""

    def product(self, factors: Sequence[str], touching: Sequence[bool]) -> str:
        """Factors; `touching` says which of them follow the one before without a sign."""

    def negative(self, x: str) -> str:
        """−x."""

    def fraction(self, top: str, bottom: str) -> str:
        """A fraction."""

    def power(self, base: str, exponent: str) -> str:
        """A power."""

    def series(self, letters: Sequence[Letter], body: str) -> str:
        """Σ over letters."""

    def root(self, sign: str, x: str) -> str:
        """A root, √ or ∛."""

    def exponential(self, op: Signs, exponent: str) -> str:
        """A power whose base is a number."""

    def infix(self, op: Signs, left: str, right: str) -> str:
        """An operation's sign between two operands."""

    def prefix(self, op: Signs, x: str) -> str:
        """An operation's sign before its operand."""

    def fence(self, op: Signs, x: str) -> str:
        """An operation's signs on both sides."""

    def cases(self, condition: str, chosen: str, other: str) -> str:
        """One thing if a condition holds, and another otherwise."""

    def function(self, op: Signs, arguments: Sequence[str]) -> str:
        """A function by the operation's name."""

    def strength(self, op: Signs) -> int:
        """How strongly holds together what `function` writes."""

    def equation(self, left: str, right: str) -> str:
        """Left = right."""

    def brackets(self, x: str, square: bool = False) -> str:
        """Parentheses or square brackets."""

    def letter(self, letter: Letter) -> str:
        """An index letter as a number."""

    inline_fractions: bool
    """Whether a fraction is written on one line, so that its parts need parentheses."""


@dataclass(frozen=True)
class Leaf:
    """How a symbol is written, how strongly that holds together, whether it is a short name or a negative number.

    The text of a negative number has no sign.
    """

    text: str
    strength: int = ATOM
    short: bool = False
    negative: bool = False


Formula = Expression | Told
LEAVES = Symbol | Slope | Name | Derivative


class Printer:
    """Writes formulas in a style; `leaf` says how symbols, or names, and derivatives are written."""

    def __init__(self, style: Style, leaf: Callable[[Any], Leaf], digits: int = 6) -> None:
        self.style, self.leaf, self.digits = style, leaf, digits

    def write(self, x: Formula) -> str:
        """The expression."""
        return self._write(x)[0]

    def term(self, x: Formula) -> tuple[str, str]:
        """The expression as a term among others: its sign, "+" or "-", and the rest."""
        if isinstance(_form(x), Sum):
            return "+", self.style.brackets(self.write(x))
        return self._signed(x)

    def _write(self, x: Formula) -> tuple[str, int]:
        style = self.style
        if isinstance(x, Numeral):
            text = coefficient(abs(x.value), self.digits)
            if x.value < 0:
                return style.negative(style.number(text)), SUM
            return style.number(text), PRODUCT if "/" in text else ATOM
        if isinstance(x, LEAVES):
            leaf = self.leaf(x)
            return (style.negative(leaf.text), SUM) if leaf.negative else (leaf.text, leaf.strength)
        if isinstance(x, Place):
            return style.letter(x.letter), ATOM
        if isinstance(x, Printed):
            return self._write(x.form)
        if isinstance(x, Sum):
            return style.sum([self._signed(term) for term in x.terms]), SUM
        if isinstance(x, Product):
            return self._product(x)
        if isinstance(x, Series):
            return style.series(x.letters, self._within(x.body, PRODUCT)), SIGN
        return self._call(x)

    def _within(self, x: Formula, strength: int, condition: bool = False) -> str:
        """The expression as part of something that holds together so strongly; a condition elsewhere is 1 or 0."""
        text, own = self._write(x)
        if own >= strength:
            return text
        return self.style.brackets(text, square=(own == COMPARISON and not condition) or _holds_series(x))

    def _signed(self, term: Formula) -> tuple[str, str]:
        """A term of a sum: its sign, and the rest."""
        term = _form(term)
        if isinstance(term, Sum):
            return "+", self._within(term, PRODUCT)
        if isinstance(term, Numeral) and term.value < 0:
            return "-", self._within(Numeral(-term.value), SUM)
        if isinstance(term, Product):
            negative, text = self._factors(term)
            return "-" if negative else "+", text
        if isinstance(term, LEAVES):
            leaf = self.leaf(term)
            text = leaf.text if leaf.strength >= PRODUCT else self.style.brackets(leaf.text)
            return "-" if leaf.negative else "+", text
        return "+", self._within(term, SUM)

    def _product(self, x: Product) -> tuple[str, int]:
        negative, text = self._factors(x)
        return (self.style.negative(text), SUM) if negative else (text, PRODUCT)

    def _factors(self, x: Product) -> tuple[bool, str]:
        """Whether a product has a minus in front, and what follows it."""
        factors = [part for factor in map(_form, x.factors) for part in _factors_of(factor)]
        texts, touching = [], []
        negative = isinstance(factors[0], Numeral) and factors[0].value < 0
        if negative:
            assert isinstance(factors[0], Numeral)
            factors[:1] = [] if factors[0].value == -1.0 else [Numeral(-factors[0].value)]
        for i, factor in enumerate(factors):
            before = factors[i - 1] if i else None
            alike = isinstance(factor, Sum) and any(before in (t, *without_coefficient(t)) for t in factor.terms)
            touching.append(alike and isinstance(before, Symbol | Name) and self.leaf(before).short)  # y(1 − y)
            leaf = self.leaf(factor) if isinstance(factor, LEAVES) else None
            if i == 0 and leaf is not None and leaf.negative:
                negative = not negative
                texts.append(leaf.text)
            elif isinstance(factor, Series) and i < len(factors) - 1:
                texts.append(self.style.brackets(self._write(factor)[0], square=True))
            else:
                alone = isinstance(factor, Numeral) or len(factors) == 1
                texts.append(self._within(factor, PRODUCT if alone else SIGN))
        return negative, texts[0] if len(texts) == 1 else self.style.product(texts, touching)

    def _call(self, x: Call | Applied) -> tuple[str, int]:
        style, arguments = self.style, x.arguments
        notation = x.signs if isinstance(x, Applied) else Signs.of(x.op)
        if notation.form == "fraction":
            if style.inline_fractions:
                top, bottom = map(self._within, arguments, notation.operands)
                return style.fraction(top, bottom), PRODUCT
            return style.fraction(*map(self.write, arguments)), SIGN
        if notation.form == "power":
            base = self._within(arguments[0], ATOM)
            if len(arguments) == 1:
                return style.power(base, style.number(notation.sign)), POWER
            exponent = self._within(arguments[1], ATOM) if style.inline_fractions else self.write(arguments[1])
            return style.power(base, exponent), POWER
        if notation.form in ("infix", "prefix"):
            write = style.infix if notation.form == "infix" else style.prefix
            connects = ATOM in notation.operands  # conditions
            parts = (self._within(x, own, connects) for x, own in zip(arguments, notation.operands, strict=True))
            return write(notation, *parts), notation.strength
        texts = [self.write(a) for a in arguments]
        if notation.form == "case":
            return style.brackets(texts[0], square=True), ATOM
        if notation.form == "cases":
            return style.cases(*texts), ATOM
        if notation.form == "root":
            return style.root(notation.sign, texts[0]), ATOM
        if notation.form == "fence":
            return style.fence(notation, texts[0]), ATOM
        if notation.form == "exponential":
            return style.exponential(notation, texts[0]), ATOM
        return style.function(notation, texts), style.strength(notation)


def _form(x: Formula) -> Formula:
    """What is written of an expression."""
    return _form(x.form) if isinstance(x, Printed) else x


def _factors_of(x: Formula) -> tuple[Formula, ...]:
    """The factors that may stand among others without parentheses."""
    return x.factors if isinstance(x, Product) and not isinstance(x.factors[0], Numeral) else (x,)


def _holds_series(x: Formula) -> bool:
    if isinstance(x, Series):
        return True
    x = _form(x)
    parts = x.terms if isinstance(x, Sum) else x.factors if isinstance(x, Product) else ()
    return any(map(_holds_series, parts))
