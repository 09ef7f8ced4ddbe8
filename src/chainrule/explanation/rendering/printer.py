"""Expressions written out: one walk that knows where parentheses go, and a style that knows the signs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chainrule.explanation.rendering.numerals import coefficient
from chainrule.explanation.symbols import Call, Expression, Letter, Numeral, Place, Product, Series, Slope, Sum, Symbol
from chainrule.ops.operation import Operation

# How strongly a piece of text holds together.
COMPARISON, SUM, PRODUCT, SERIES, POWER, ATOM = range(6)

_COMPARISONS = {
    "greater": ">", "less": "<", "greater_equal": "≥", "less_equal": "≤", "equal": "=", "not_equal": "≠",
}  # fmt: skip


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

    def function(self, op: Operation, arguments: Sequence[str]) -> str:
        """An operation by its own notation."""

    def relation(self, left: str, sign: str, right: str) -> str:
        """A comparison."""

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


class Printer:
    """Writes expressions in a style; `leaf` says how symbols and slopes are written."""

    def __init__(self, style: Style, leaf: Callable[[Symbol | Slope], Leaf], digits: int = 6) -> None:
        self.style, self.leaf, self.digits = style, leaf, digits

    def write(self, x: Expression) -> str:
        """The expression."""
        return self._write(x)[0]

    def term(self, x: Expression) -> tuple[str, str]:
        """The expression as a term among others: its sign, "+" or "-", and the rest."""
        if isinstance(x, Sum):
            return "+", self.style.brackets(self.write(x))
        return self._signed(x)

    def _write(self, x: Expression) -> tuple[str, int]:
        style = self.style
        if isinstance(x, Numeral):
            text = coefficient(abs(x.value), self.digits)
            if x.value < 0:
                return style.negative(style.number(text)), SUM
            return style.number(text), PRODUCT if "/" in text else ATOM
        if isinstance(x, Symbol | Slope):
            leaf = self.leaf(x)
            return (style.negative(leaf.text), SUM) if leaf.negative else (leaf.text, leaf.strength)
        if isinstance(x, Place):
            return style.letter(x.letter), ATOM
        if isinstance(x, Sum):
            return style.sum([self._signed(term) for term in x.terms]), SUM
        if isinstance(x, Product):
            return self._product(x)
        if isinstance(x, Series):
            return style.series(x.letters, self._within(x.body, PRODUCT)), SERIES
        return self._call(x)

    def _within(self, x: Expression, strength: int) -> str:
        """The expression as part of something that holds together so strongly."""
        text, own = self._write(x)
        return text if own >= strength else self.style.brackets(text, square=_holds_series(x))

    def _signed(self, term: Expression) -> tuple[str, str]:
        """A term of a sum: its sign, and the rest."""
        if isinstance(term, Numeral) and term.value < 0:
            return "-", self._within(Numeral(-term.value), SUM)
        if isinstance(term, Product):
            negative, text = self._factors(term)
            return "-" if negative else "+", text
        if isinstance(term, Symbol | Slope):
            leaf = self.leaf(term)
            return "-" if leaf.negative else "+", leaf.text
        return "+", self._write(term)[0]

    def _product(self, x: Product) -> tuple[str, int]:
        negative, text = self._factors(x)
        return (self.style.negative(text), SUM) if negative else (text, PRODUCT)

    def _factors(self, x: Product) -> tuple[bool, str]:
        """Whether a product has a minus in front, and what follows it."""
        factors, texts, touching = list(x.factors), [], []
        negative = isinstance(factors[0], Numeral) and factors[0].value < 0
        if negative:
            assert isinstance(factors[0], Numeral)
            factors[:1] = [] if factors[0].value == -1.0 else [Numeral(-factors[0].value)]
        for i, factor in enumerate(factors):
            before = factors[i - 1] if i else None
            touching.append(isinstance(factor, Sum) and isinstance(before, Symbol) and self.leaf(before).short)
            leaf = self.leaf(factor) if isinstance(factor, Symbol | Slope) else None
            if i == 0 and leaf is not None and leaf.negative:
                negative = not negative
                texts.append(leaf.text)
            elif isinstance(factor, Series) and i < len(factors) - 1:
                texts.append(self.style.brackets(self._write(factor)[0], square=True))
            else:
                texts.append(self._within(factor, PRODUCT if isinstance(factor, Numeral) else SERIES))
        return negative, texts[0] if len(texts) == 1 else self.style.product(texts, touching)

    def _call(self, x: Call) -> tuple[str, int]:
        name, arguments = x.op.name, x.arguments
        if name in _COMPARISONS:
            left, right = (self._within(a, SUM) for a in arguments)
            return self.style.relation(left, _COMPARISONS[name], right), COMPARISON
        if name == "divide":
            if self.style.inline_fractions:
                top, bottom = self._within(arguments[0], PRODUCT), self._within(arguments[1], SERIES)
                return self.style.fraction(top, bottom), PRODUCT
            return self.style.fraction(self.write(arguments[0]), self.write(arguments[1])), SERIES
        if name == "square":
            return self.style.power(self._within(arguments[0], ATOM), self.style.number("2")), POWER
        if name == "power":
            exponent = self._within(arguments[1], ATOM) if self.style.inline_fractions else self.write(arguments[1])
            return self.style.power(self._within(arguments[0], ATOM), exponent), POWER
        if name == "indicator":
            return self.style.brackets(self.write(arguments[0]), square=True), ATOM
        return self.style.function(x.op, [self.write(a) for a in arguments]), SUM if name == "expm1" else ATOM


def _holds_series(x: Expression) -> bool:
    if isinstance(x, Series):
        return True
    parts = x.terms if isinstance(x, Sum) else x.factors if isinstance(x, Product) else ()
    return any(map(_holds_series, parts))
