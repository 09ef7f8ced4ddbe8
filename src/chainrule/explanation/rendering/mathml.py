"""Derivations as MathML, and as HTML with MathML in it: no script, font or network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from chainrule.explanation.evaluations.finite_differences import Check
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.story import Block, Passage, Statement, Story
from chainrule.explanation.rendering.styles import MathmlStyle, TextStyle
from chainrule.explanation.rendering.writer import Writer, concluded, more_like

Row = tuple[str, str, str]
"""A left side, a sign, a right side."""


def as_mathml(story: Story) -> str:
    """All of the derivation as one table of formulas, with the rules as text beside them."""
    writer = Writer(MathmlStyle(), story.digits)
    found = _cells(_rows(writer, story.whole))
    for block in story.blocks:
        rows = [row for equation in (block.statement, *block.instances) for row in _rows(writer, equation)]
        found += _cells(rows, writer.rules(block.statement, _text))
        if block.more:
            found += _cells([("", "", _text(more_like(block.more, len(block.instances))))])
    found += _cells([("", "", _text(note)) for note in story.notes])
    return table(found)


def as_html(story: Story) -> str:
    """Formulas in MathML, the rules below each line, and what is to be known to read them."""
    writer = Writer(MathmlStyle(), story.digits)
    out = [f"<p><b>{escape(_title(story))}</b>{_checked(story.whole.check, story.digits)}</p>"]
    out.append(f'<div style="overflow-x:auto">{table(_cells(_rows(writer, story.whole)))}</div>')
    out += [_block(writer, block) for block in story.blocks]
    out += [f"<p><small>{escape(note)}</small></p>" for note in story.notes]
    return f'<div class="chainrule-derivation">{"".join(out)}</div>'


def table(rows: Sequence[str]) -> str:
    """Rows of cells as displayed mathematics."""
    inner = f'<mtable displaystyle="true">{"".join(rows)}</mtable>'
    style = "margin-left:0;text-align:left"
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block" style="{style}">{inner}</math>'


def _block(writer: Writer, block: Block) -> str:
    """One line with its instances; words below the formulas, where they have the whole width."""
    statement, instances = block.statement, block.instances
    rows, checks = [], []
    for equation in (statement, *instances):
        rows += _rows(writer, equation)
        places = ", ".join(f"{letter} = {place}" for letter, place in equation.places)
        if equation.check is not None:
            checks.append(f"{escape(places)}{': ' if places else ''}{_checked(equation.check, writer.digits)}")
    said = [writer.rules(statement, escape, _inline)] if statement.rules else []
    said += checks
    if block.more:
        said.append(escape(more_like(block.more, len(instances))))
    below = f'<div style="margin-left:2em"><small>{"<br/>".join(said)}</small></div>' if said else ""
    return f'<div style="margin:.8em 0;overflow-x:auto">{table(_cells(rows))}{below}</div>'


def _title(story: Story) -> str:
    writer = Writer(TextStyle(), story.digits)
    assert story.whole.left is not None
    said = writer.slope(story.whole.left)
    return said if story.whole.value is None else f"{said} = {writer.number(story.whole.value)}"


def _rows(writer: Writer, statement: Statement) -> list[Row]:
    """A definition if one is needed, the left side with the first right side, the other right sides."""
    rights = [writer.right(x) + _folded(writer, x) for x in statement.rights]
    if statement.value is not None:
        concluded(rights, statement, "<mo>=</mo>", writer.number(statement.value))
    if statement.left is None:
        places = "<mo>,</mo>".join(f"<mi>{escape(x)}</mi><mo>=</mo><mn>{place}</mn>" for x, place in statement.places)
        first, told = (f"{places}<mo>:</mo>", "", rights[0]), None
    else:
        first = (writer.slope(statement.left), "=", rights[0])
        told = writer.definition(statement.definition) if statement.definition is not None else None
    before = [("<mtext>with</mtext>", "", told)] if told is not None else []
    return [*before, first, *(("", "=", right) for right in rights[1:])]


def _cells(rows: Sequence[Row], words: str = "") -> list[str]:
    """Rows of a table, and below them words, as MathML."""
    below = [("", "", f"<mrow>{_text('(')}{words}{_text(')')}</mrow>")] if words else []
    found = []
    for left, sign, right in (*rows, *below):
        cells = zip(("right", "center", "left"), (left, f"<mo>{sign}</mo>" if sign else "", right), strict=True)
        inner = "".join(f'<mtd style="text-align:{side}">{cell}</mtd>' for side, cell in cells)
        found.append(f"<mtr>{inner}</mtr>")
    return found


def _inline(formula: str) -> str:
    """A formula among words."""
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>{formula}</mrow></math>'


def _text(words: str) -> str:
    inner = re.sub(r"^ | $", "&#160;", escape(words))  # blanks at an end are not shown
    return f"<mtext>{inner}</mtext>"


def _folded(writer: Writer, x: Passage) -> str:
    if not x.more:
        return ""
    return f"<mo>+</mo><mtext>… and {x.more} further, together&#160;</mtext>{writer.number(x.rest, x.digits)}"


def _checked(check: Check | None, digits: int) -> str:
    if check is None:
        return ""
    said = f"nudged: {numeral(check.difference, digits)}, relative error {check.error:.1e}".replace("-", "−")
    return (
        f" <small>{said}</small>" if check.agrees else f' <strong style="color:#b00020">{said}: does not agree</strong>'
    )
