"""Equations of a story written in one style, right side by right side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.explanation.formulas.rules import CHAIN
from chainrule.explanation.formulas.symbols import ONE, Numeral
from chainrule.explanation.rendering.names import Spelled
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.printer import Leaf, Printer
from chainrule.explanation.rendering.story import Definition, Derivative, Name, Passage, Statement, Told
from chainrule.explanation.rendering.styles import TextStyle
from chainrule.ops.notation import ATOM, SIGN

MINUS_ONE = Numeral(-1.0)
LONGEST_MADE = 28
"""Characters of the longest factor that stands beside its rule."""
UNKNOWN = "?"
"""What stands for a number that is hidden."""

Marks = Callable[[str, str, float | None], str]
"""What is written of a number, its key and its value, as a form writes that may be pointed at."""


def unmarked(text: str, key: str, value: float | None) -> str:
    """The text as it is."""
    return text


Hides = Callable[[str, float | None], bool]
"""Whether the number of a key, which has this value, is hidden."""


def none_hidden(key: str, value: float | None) -> bool:
    """All numbers are to be seen."""
    return False


class Writer:
    """Writes the parts of a story in one style.

    `marks` may put the key of a number to what is written of it; numbers that are `hidden` are question marks.
    """

    def __init__(self, style: Any, digits: int, marks: Marks = unmarked, hidden: Hides = none_hidden) -> None:
        self.style, self.digits, self.marks, self.hidden = style, digits, marks, hidden
        self._symbolic = Printer(style, self._leaf, digits)

    def formula(self, x: Told) -> str:
        """A formula in symbols."""
        return self._symbolic.write(x)

    def name(self, x: Name) -> str:
        """A number by its name."""
        text = str(self.style.name(x.spelled))
        return self._marked(str(self.style.brackets(text)) if x.bracketed else text, x.key, x.value)

    def _marked(self, text: str, key: str, value: float | None) -> str:
        return self.marks(text, key, None if self.hidden(key, value) else value)

    def slope(self, x: Derivative) -> str:
        """∂output/∂by."""
        of, by = (self.name(y) if isinstance(y, Name) else self.style.brackets(self.formula(y)) for y in (x.of, x.by))
        return self._marked(str(self.style.slope(of, by, x.d)), x.key, x.value)

    def rules(self, x: Statement, words: Callable[[str], str] = str, formula: Callable[[str], str] = str) -> str:
        """The rules used, the chain rule last; where there are several, each with what it made, unless that is long.

        `words` and `formula` say how words, and formulas among them, stand where this is written.
        """
        made: dict[str, dict[str, str]] = {rule: {} for rule in sorted(x.rules, key=lambda rule: rule == CHAIN)}
        several = len({rule for rule, _ in x.made}) > 1
        if several:
            plain = Writer(TextStyle(), self.digits)
            for rule, factor in x.made:
                if factor not in (ONE, MINUS_ONE):
                    made[rule].setdefault(plain.formula(factor), self.formula(factor))
        short = {rule for rule, factors in made.items() if 0 < len(" and ".join(factors)) <= LONGEST_MADE}
        told = [
            words(f"{rule}: ") + words(" and ").join(map(formula, factors.values())) if rule in short else words(rule)
            for rule, factors in made.items()
        ]
        return words("; " if several else ", ").join(told)

    def definition(self, x: Definition) -> str:
        """`v7 = …`."""
        return str(self.style.equation(self.name(x.left), self.formula(x.right)))

    def number(self, x: float, digits: int | None = None) -> str:
        """A number, with the story's digits by default."""
        return str(self.style.number(numeral(x, digits or self.digits)))

    def right(self, x: Passage) -> str:
        """A right side, without what is left out of it."""
        if x.kind == "formula":
            return self.formula(x.terms[0].formula)
        if x.kind == "numbers":
            printer = Printer(self.style, lambda leaf: self._put_in(leaf, x.digits), x.digits)
            if len(x.terms) == 1:
                return printer.write(x.terms[0].formula)
            return str(self.style.sum([printer.term(term.formula) for term in x.terms]))
        written = [self._signed(term.value or 0.0, term.formula, x.digits) for term in x.terms]
        if x.joined == "*":
            factors = [self.style.negative(text) if sign == "-" else text for sign, text in written]
            factors[1:] = [
                self.style.brackets(text) if sign == "-" else text
                for text, (sign, _) in zip(factors[1:], written[1:], strict=True)
            ]
            return str(self.style.product(factors, [False] * len(factors)))
        return written[0][1] if len(written) == 1 and written[0][0] == "+" else str(self.style.sum(written))

    def _leaf(self, x: Name | Derivative) -> Leaf:
        if isinstance(x, Derivative):
            return Leaf(self.slope(x), SIGN)
        return Leaf(self.name(x), x.strength, x.strength == ATOM and x.spelled.short)

    def _put_in(self, x: Name | Derivative, digits: int) -> Leaf:
        """The number that a symbol stands for; symbols with letters stay."""
        if x.value is None:
            return self._leaf(x)
        sign, text = self._signed(x.value, x, digits)
        return Leaf(text, ATOM, negative=sign == "-")

    def _signed(self, x: float, of: Told, digits: int) -> tuple[str, str]:
        """A number's sign and the rest of it."""
        key = of.key if isinstance(of, Name | Derivative) else ""
        text = UNKNOWN if self.hidden(key, x) else numeral(x, digits)
        number = self._marked(str(self.style.number(text.lstrip("-"))), key, x)
        return "-" if text.startswith("-") else "+", number

    def result(self, x: float, key: str) -> str:
        """What comes out, by its key."""
        sign, text = self._signed(x, Name(Spelled("", ()), variable=key), self.digits)
        return str(self.style.negative(text)) if sign == "-" else text


def concluded(rights: list[str], statement: Statement, equals: str, result: str) -> None:
    """Write the result behind the last right side that is in numbers, or below the others."""
    if statement.rights and statement.rights[-1].kind != "formula":
        rights[-1] = result if rights[-1] == result else f"{rights[-1]}{equals}{result}"
    else:
        rights.append(result)


def more_like(more: int, instances: int) -> str:
    """That there are further elements like those shown."""
    return f"… and {more} more like {'these' if instances > 1 else 'this'}"
