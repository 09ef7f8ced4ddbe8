"""Derivations as LaTeX, and as Markdown with LaTeX in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chainrule.explanation.evaluations.finite_differences import Check
from chainrule.explanation.rendering.commands import sentence
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.story import Passage, Statement, Story
from chainrule.explanation.rendering.styles import LatexStyle, for_markdown
from chainrule.explanation.rendering.writer import Writer, concluded, more_like

Row = tuple[str, str]
"""What stands left and right of the place that is aligned."""


def latex_equations(story: Story) -> list[str]:
    """Every equation by itself, without the signs that begin and end mathematics."""
    writer = Writer(LatexStyle(), story.digits)
    found = _one_by_one(writer, story.whole)
    for block in story.blocks:
        for equation in (block.statement, *block.instances):
            found += _one_by_one(writer, equation)
        if block.more:
            found.append(rf"\ldots\ \mathrm{{and\ {block.more}\ more}}")
    return found


def as_latex(story: Story) -> str:
    """Displayed equations, one below the other, and what is to be known to read them."""
    equations = [f"$$\\displaystyle {equation}$$" for equation in latex_equations(story)]
    return "\n\n".join([*equations, *map(sentence, story.notes)])


def as_markdown(story: Story) -> str:
    """Markdown whose formulas are LaTeX between dollar signs; those that belong together stand below each other."""
    writer = Writer(LatexStyle(), story.digits)
    assert story.whole.left is not None
    title = writer.slope(story.whole.left)
    if story.whole.value is not None:
        title += f" = {writer.number(story.whole.value)}"
    out = [f"**Why** $\\displaystyle {for_markdown(title)}$", aligned(_broken(_rows(writer, story.whole)))]
    if story.blocks:
        ends = (f"${for_markdown(writer.name(x))}$" for x in (story.output, story.element))
        out.append(f"From {' back to '.join(ends)}:")
    for block in story.blocks:
        if block.statement.rules:
            out.append(f"*{writer.rules(block.statement, _plain, lambda x: f'${for_markdown(x)}$')}*")
        rows = [row for equation in (block.statement, *block.instances) for row in _rows(writer, equation)]
        out.append(aligned(_broken(rows)))
        if block.more:
            out.append(more_like(block.more, len(block.instances)))
    return "\n\n".join([*out, *(f"*{sentence(_plain(note))}*" for note in story.notes)])


def aligned(rows: Sequence[Row]) -> str:
    """Displayed equations whose signs of equality stand below each other."""
    inner = for_markdown(" \\\\\n".join(f"{left} & {right}" for left, right in rows))
    return f"$$\n\\begin{{aligned}}\n{inner}\n\\end{{aligned}}\n$$"


WIDE = 64
"""Characters of the longest right side that is put on one line: as many as half a screen shows."""


def _broken(rows: Sequence[Row]) -> list[Row]:
    """The rows, with long sums and products on several lines, broken before their signs."""
    found = []
    for left, right in rows:
        lines = [""]
        for term in _pieces(right, (" + ", " - ")):
            for piece in [term] if _length(term) <= WIDE else _pieces(term, (r"\cdot",)):
                if _length(lines[-1]) > WIDE // 4 and _length(lines[-1] + piece) > WIDE:
                    lines.append(rf"\quad {piece.lstrip()}")
                else:
                    lines[-1] += piece
        found += [(left if i == 0 else "", line.rstrip()) for i, line in enumerate(lines)]
    return found


def _pieces(text: str, signs: tuple[str, ...]) -> list[str]:
    """What stands between signs, each piece with the sign before it, as far as no brackets are around them."""
    found, depth = [""], 0
    for token in re.findall(r"\\left.|\\right.|\\[a-zA-Z]+|\\.| [-+] |.", text):
        depth += (token == "{" or token.startswith(r"\left")) - (token == "}" or token.startswith(r"\right"))
        if not depth and token in signs:
            found.append("")
        found[-1] += token
    return found


def _length(text: str) -> int:
    """About how many characters are to be seen of LaTeX."""
    text = re.sub(r"\\(left|right|mathrm|displaystyle|quad|frac|partial)(?![a-z])|[{}_^]", "", text)
    return len(re.sub(r"\\[a-zA-Z]+|\\.", "x", text).replace(" ", ""))


def _plain(text: str) -> str:
    """Text without what Markdown reads as its own signs."""
    return text.replace("*", r"\*").replace("_", r"\_") if "$" not in text else text


def _one_by_one(writer: Writer, statement: Statement) -> list[str]:
    """The equations of a statement as lines, the rules behind the first of them."""
    told = writer.rules(statement, lambda x: rf"\mathrm{{{writer.style.words(x)}}}")
    rules = rf"\qquad \left({told}\right)" if statement.rules else ""
    found = []
    for left, right in _rows(writer, statement):
        is_first = bool(left) and not left.startswith(r"\mathrm{with}")
        found.append(f"{left} {right}{rules if is_first else ''}".strip())
    return found


def _rows(writer: Writer, statement: Statement) -> list[Row]:
    """A definition if one is needed, the left side with the first right side, the other right sides."""
    rights = [writer.right(x) + _folded(writer, x) for x in statement.rights]
    if statement.value is not None:
        concluded(rights, statement, " = ", writer.number(statement.value))
    if statement.left is None:
        places = ",\\ ".join(f"{writer.style.words(letter)} = {place}" for letter, place in statement.places)
        first = (rf"{places}{{:}}\quad", rights[0])
        told = None
    else:
        first = (writer.slope(statement.left), f"= {rights[0]}")
        told = writer.definition(statement.definition) if statement.definition is not None else None
    before = [(r"\mathrm{with}\quad", told)] if told is not None else []
    after = [("", _checked(writer, statement.check))] if statement.check is not None else []
    return [*before, first, *(("", f"= {right}") for right in rights[1:]), *after]


def _folded(writer: Writer, x: Passage) -> str:
    if not x.more:
        return ""
    return rf" + \ldots\ \mathrm{{({x.more}\ further,\ together\ }}{writer.number(x.rest, x.digits)}\mathrm{{)}}"


def _checked(writer: Writer, check: Check) -> str:
    agrees = "" if check.agrees else r"\quad \mathrm{DOES\ NOT\ AGREE}"
    return (
        rf"\mathrm{{nudged{{:}}}}\ {writer.number(check.difference)},\ \mathrm{{relative\ error}}\ "
        rf"{writer.style.number(numeral(check.error, 2))}{agrees}"
    )
