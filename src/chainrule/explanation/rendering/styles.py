"""The signs of text, LaTeX and MathML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from chainrule.explanation.formulas.indices import Letter
from chainrule.explanation.rendering.commands import mathematics, words
from chainrule.explanation.rendering.names import Spelled
from chainrule.explanation.rendering.story import Signs
from chainrule.ops.notation import ATOM, POWER, PRODUCT, SIGN, SUM

_WORDY = re.compile(r"(?<!\w)[^\W\d_²³]{2}|\.|∂|\w\[")
"""What makes a factor long: a word, a decimal, a derivative, an index in brackets."""

_OPENING, _CLOSING = ("{", "(", "|", "[", ", "), ("}", ")", r"\right", ",")
"""What stands before and behind an argument that LaTeX encloses."""


class TextStyle:
    """One line of Unicode text."""

    inline_fractions = True

    def number(self, text: str) -> str:
        """A numeral, with a true minus."""
        return text.replace("-", "−")

    def name(self, x: Spelled) -> str:
        """A name with its places."""
        return x.text

    def slope(self, of: str, by: str, d: str = "∂") -> str:
        """∂of/∂by, or with d where there is one variable only."""
        return f"{d}{of}/{d}({by})" if d.isalpha() and by.endswith(")") and by[0] != "(" else f"{d}{of}/{d}{by}"

    def sum(self, terms: Sequence[tuple[str, str]]) -> str:
        """Terms with their signs between them."""
        (sign, first), *rest = terms
        text = f"−{first}" if sign == "-" else first
        return text + "".join(f" {'−' if sign == '-' else '+'} {term}" for sign, term in rest)

    def product(self, factors: Sequence[str], touching: Sequence[bool]) -> str:
        """Factors with dots between them, and room around the dots unless all names are short."""
        dot = " · " if any(map(_WORDY.search, factors)) else "·"
        return factors[0] + "".join(x if t else f"{dot}{x}" for x, t in zip(factors[1:], touching[1:], strict=True))

    def negative(self, x: str) -> str:
        """−x."""
        return f"−{x}"

    def fraction(self, top: str, bottom: str) -> str:
        """top/bottom."""
        return f"{top}/{bottom}"

    def power(self, base: str, exponent: str) -> str:
        """A power; squares and cubes with a raised digit."""
        return base + {"2": "²", "3": "³"}.get(exponent, f"^{exponent}")

    def series(self, letters: Sequence[Letter], body: str) -> str:
        """Σ_k body."""
        return f"Σ_{','.join(x.name for x in letters)} {body}"

    def function(self, op: Signs, arguments: Sequence[str]) -> str:
        """name(x)."""
        return f"{op.sign or op.name}({', '.join(arguments)})"

    def strength(self, op: Signs) -> int:
        """A call is one piece."""
        return ATOM

    def root(self, sign: str, x: str) -> str:
        """√(x)."""
        return f"{sign}({x})"

    def exponential(self, op: Signs, exponent: str) -> str:
        """exp(x), lest one takes the e for a name."""
        return f"{op.name}({exponent})"

    def infix(self, op: Signs, left: str, right: str) -> str:
        """Left > right."""
        return f"{left} {op.sign} {right}"

    def prefix(self, op: Signs, x: str) -> str:
        """¬x."""
        return f"{op.sign}{x}"

    def fence(self, op: Signs, x: str) -> str:
        """|x|."""
        left, right = list(op.sign)
        return f"{left}{x}{right}"

    def cases(self, condition: str, chosen: str, other: str) -> str:
        """As in Python."""
        return f"({chosen} if {condition} else {other})"

    def equation(self, left: str, right: str) -> str:
        """Left = right."""
        return f"{left} = {right}"

    def brackets(self, x: str, square: bool = False) -> str:
        """Parentheses or square brackets."""
        return f"[{x}]" if square else f"({x})"

    def letter(self, letter: Letter) -> str:
        """The letter."""
        return letter.name


class LatexStyle:
    """LaTeX that matplotlib's mathtext understands as well."""

    inline_fractions = False

    def number(self, text: str) -> str:
        """A numeral, powers of ten written as such."""
        mantissa, _, exponent = text.replace("π", r"\pi").partition("e")
        if "/" in mantissa:
            top, bottom = mantissa.split("/")
            return rf"\frac{{{top}}}{{{bottom}}}"
        if not exponent:
            return mantissa
        return (
            rf"{mantissa.removesuffix('1')}10^{{{exponent}}}"
            if mantissa in ("1", "-1")
            else rf"{mantissa} \cdot 10^{{{exponent}}}"
        )

    def name(self, x: Spelled) -> str:
        """A letter in italics, longer names upright; a formula that serves as a name as one."""
        name = mathematics(x.name)
        if not x.places:
            return name
        name = name if x.plain else self.brackets(name)
        places = "".join(x.places) if x.compact else ", ".join(x.places)
        return f"{name}_{{{self.words(places)}}}"

    def words(self, text: str) -> str:
        """Text for upright letters."""
        return words(text)

    def slope(self, of: str, by: str, d: str = "∂") -> str:
        """∂of/∂by as a fraction."""
        sign = d.replace("∂", r"\partial")
        return rf"\frac{{{sign} {of}}}{{{sign} {by}}}"

    def sum(self, terms: Sequence[tuple[str, str]]) -> str:
        """Terms with their signs between them."""
        (sign, first), *rest = terms
        text = f"-{first}" if sign == "-" else first
        return text + "".join(f" {sign} {term}" for sign, term in rest)

    def product(self, factors: Sequence[str], touching: Sequence[bool]) -> str:
        """Factors with dots between them."""
        return factors[0] + "".join(
            rf" {x}" if t else rf" \cdot {x}" for x, t in zip(factors[1:], touching[1:], strict=True)
        )

    def negative(self, x: str) -> str:
        """−x."""
        return f"-{x}"

    def fraction(self, top: str, bottom: str) -> str:
        """A fraction."""
        return rf"\frac{{{top}}}{{{bottom}}}"

    def power(self, base: str, exponent: str) -> str:
        """A power."""
        return rf"{{{base}}}^{{{exponent}}}"

    def series(self, letters: Sequence[Letter], body: str) -> str:
        """Σ with the letters below."""
        return rf"\sum_{{{', '.join(map(self.letter, letters))}}} {body}"

    def function(self, op: Signs, arguments: Sequence[str]) -> str:
        """The operation's own LaTeX, with brackets around arguments that it does not enclose."""
        if not op.latex:
            return rf"\mathrm{{{self.words(op.name)}}}" + self.brackets(", ".join(arguments))
        pieces = re.split("\0(\\d)\0", op.latex.format(*(f"\0{i}\0" for i in range(len(arguments)))))
        for i in range(1, len(pieces), 2):
            x, before, after = arguments[int(pieces[i])], pieces[i - 1], pieces[i + 1]
            enclosed = before.endswith(_OPENING) and after.startswith(_CLOSING) and not after.startswith("}^")
            pieces[i] = x if enclosed else self.brackets(x)
        return "".join(pieces)

    def strength(self, op: Signs) -> int:
        """What the operation's own LaTeX is, outside all brackets: a sum, a product, a fraction, a power, or one piece."""
        outside = op.latex.format(*["x"] * 9)
        while (inner := re.sub(r"\\left.((?!\\left|\\right).)*\\right.|\{[^{}]*\}", "", outside)) != outside:
            outside = inner
        signs = ((r"[-+]", SUM), (r"\\cdot|mod", PRODUCT), (r"\\frac|\\sum|\\prod|\\big", SIGN), (r"\^", POWER))
        return next((strength for sign, strength in signs if re.search(sign, outside)), ATOM)

    def root(self, sign: str, x: str) -> str:
        """A root with its degree."""
        return rf"\sqrt{'' if sign == '√' else '[3]'}{{{x}}}"

    def infix(self, op: Signs, left: str, right: str) -> str:
        """The operation's own LaTeX."""
        return op.latex.format(left, right)

    def exponential(self, op: Signs, exponent: str) -> str:
        """The operation's own LaTeX."""
        return op.latex.format(exponent)

    prefix = fence = exponential

    def cases(self, condition: str, chosen: str, other: str) -> str:
        """On one line, as mathtext has no braces over several."""
        return rf"\left({chosen} \ \mathrm{{if}}\ {condition}\ \mathrm{{else}}\ {other}\right)"

    def equation(self, left: str, right: str) -> str:
        """Left = right."""
        return f"{left} = {right}"

    def brackets(self, x: str, square: bool = False) -> str:
        """Parentheses or square brackets that grow with what they hold."""
        return rf"\left[{x}\right]" if square else rf"\left({x}\right)"

    def letter(self, letter: Letter) -> str:
        """The letter."""
        return letter.name.replace("′", "'")


def for_markdown(latex: str) -> str:
    """LaTeX that pages of Markdown show: names of functions without \\operatorname, which GitHub refuses."""
    return re.sub(r"\\operatorname\{([^{}]*)\}", r"\\mathop{\\mathrm{\1}}", latex)


class MathmlStyle:
    """MathML, which browsers show without fonts or network."""

    inline_fractions = False

    def number(self, text: str) -> str:
        """A numeral, powers of ten written as such."""
        mantissa, _, exponent = text.partition("e")
        sign, mantissa = ("<mo>−</mo>", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
        if "/" in mantissa:
            top, bottom = mantissa.split("/")
            return f"<mrow>{sign}<mfrac><mn>{top}</mn><mn>{bottom}</mn></mfrac></mrow>"
        if not exponent:
            return f"<mrow>{sign}<mn>{mantissa}</mn></mrow>" if sign else f"<mn>{mantissa}</mn>"
        power = f"<msup><mn>10</mn>{self.number(exponent)}</msup>"
        return f"<mrow>{sign}{'' if mantissa == '1' else f'<mn>{mantissa}</mn><mo>·</mo>'}{power}</mrow>"

    def name(self, x: Spelled) -> str:
        """A letter in italics, longer names upright."""
        name = f"<mi>{escape(x.name)}</mi>" if x.short else f'<mi mathvariant="normal">{escape(x.name)}</mi>'
        if not x.places:
            return name
        name = name if x.plain else self.brackets(name)
        places = [f"<mi>{escape(p)}</mi>" if p[0].isalpha() else f"<mn>{escape(p)}</mn>" for p in x.places]
        between = "" if x.compact else "<mo>,</mo>"
        return f"<msub>{name}<mrow>{between.join(places)}</mrow></msub>"

    def slope(self, of: str, by: str, d: str = "∂") -> str:
        """∂of/∂by as a fraction."""
        return self.fraction(f"<mi>{d}</mi>{of}", f"<mi>{d}</mi>{by}")

    def sum(self, terms: Sequence[tuple[str, str]]) -> str:
        """Terms with their signs between them."""
        (sign, first), *rest = terms
        text = f"<mo>−</mo>{first}" if sign == "-" else first
        following = "".join(f"<mo>{'−' if sign == '-' else sign}</mo>{term}" for sign, term in rest)
        return f"<mrow>{text}{following}</mrow>"

    def product(self, factors: Sequence[str], touching: Sequence[bool]) -> str:
        """Factors with dots between them."""
        rest = "".join(x if t else f"<mo>·</mo>{x}" for x, t in zip(factors[1:], touching[1:], strict=True))
        return f"<mrow>{factors[0]}{rest}</mrow>"

    def negative(self, x: str) -> str:
        """−x."""
        return f"<mrow><mo>−</mo>{x}</mrow>"

    def fraction(self, top: str, bottom: str) -> str:
        """A fraction."""
        return f"<mfrac><mrow>{top}</mrow><mrow>{bottom}</mrow></mfrac>"

    def power(self, base: str, exponent: str) -> str:
        """A power."""
        return f"<msup><mrow>{base}</mrow><mrow>{exponent}</mrow></msup>"

    def series(self, letters: Sequence[Letter], body: str) -> str:
        """Σ with the letters below."""
        below = "<mo>,</mo>".join(map(self.letter, letters))
        return f"<mrow><munder><mo>∑</mo><mrow>{below}</mrow></munder>{body}</mrow>"

    def function(self, op: Signs, arguments: Sequence[str]) -> str:
        """The function's name and its arguments."""
        inside = "<mo>,</mo>".join(arguments)
        name = escape(op.sign or op.name)
        return f'<mrow><mi mathvariant="normal">{name}</mi>{self.brackets(inside)}</mrow>'

    def strength(self, op: Signs) -> int:
        """A call is one piece."""
        return ATOM

    def root(self, sign: str, x: str) -> str:
        """A root with its degree."""
        return f"<msqrt>{x}</msqrt>" if sign == "√" else f"<mroot><mrow>{x}</mrow><mn>3</mn></mroot>"

    def exponential(self, op: Signs, exponent: str) -> str:
        """A power of e or of a number."""
        kind = "mi" if op.sign.isalpha() else "mn"
        return f"<msup><{kind}>{op.sign}</{kind}><mrow>{exponent}</mrow></msup>"

    def infix(self, op: Signs, left: str, right: str) -> str:
        """Left > right."""
        return f"<mrow>{left}<mo>{escape(op.sign)}</mo>{right}</mrow>"

    def prefix(self, op: Signs, x: str) -> str:
        """¬x."""
        return f"<mrow><mo>{op.sign}</mo>{x}</mrow>"

    def fence(self, op: Signs, x: str) -> str:
        """|x|."""
        left, right = list(op.sign)
        return f"<mrow><mo>{left}</mo>{x}<mo>{right}</mo></mrow>"

    def cases(self, condition: str, chosen: str, other: str) -> str:
        """In words."""
        return self.brackets(f"{chosen}<mtext> if </mtext>{condition}<mtext> else </mtext>{other}")

    def equation(self, left: str, right: str) -> str:
        """Left = right."""
        return f"<mrow>{left}<mo>=</mo>{right}</mrow>"

    def brackets(self, x: str, square: bool = False) -> str:
        """Parentheses or square brackets."""
        left, right = "[]" if square else "()"
        return f"<mrow><mo>{left}</mo>{x}<mo>{right}</mo></mrow>"

    def letter(self, letter: Letter) -> str:
        """The letter."""
        return f"<mi>{escape(letter.name)}</mi>"
