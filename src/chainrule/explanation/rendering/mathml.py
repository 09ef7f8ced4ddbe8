"""Derivations as MathML, and as HTML with MathML in it: no script, font or network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from chainrule.explanation.derived import Derived
from chainrule.explanation.finite_differences import Check
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.story import (
    Passage,
    Statement,
    Writer,
    concluded,
    lines,
    more_like,
    notes,
    rules_in_words,
    whole,
)
from chainrule.explanation.rendering.styles import MathmlStyle, TextStyle

Row = tuple[str, str, str]
"""A left side, a sign, a right side."""


def as_mathml(derivation: Derived) -> str:
    """All of the derivation as one table of formulas, with the rules as text beside them."""
    writer = Writer(derivation, MathmlStyle())
    found = _cells(_rows(writer, whole(derivation)))
    if len(derivation.lines) > 1:
        for statement, instances, more in lines(derivation):
            rows = [row for equation in (statement, *instances) for row in _rows(writer, equation)]
            found += _cells(rows, rules_in_words(statement.rules))
            if more:
                found += _cells([("", "", _text(more_like(more, len(instances))))])
    found += _cells([("", "", _text(note)) for note in notes(derivation)])
    return table(found)


def as_html(derivation: Derived) -> str:
    """Formulas in MathML, the rules below each line, and what is to be known to read them."""
    writer, top = Writer(derivation, MathmlStyle()), whole(derivation)
    out = [f"<p><b>{escape(_title(derivation))}</b>{_checked(derivation.check, derivation.digits)}</p>"]
    out.append(f'<div style="overflow-x:auto">{table(_cells(_rows(writer, top)))}</div>')
    if len(derivation.lines) > 1:
        for statement, instances, more in lines(derivation):
            out.append(_block(writer, statement, instances, more))
    out += [f"<p><small>{escape(note)}</small></p>" for note in notes(derivation)]
    return f'<div class="chainrule-derivation">{"".join(out)}</div>'


def table(rows: Sequence[str]) -> str:
    """Rows of cells as displayed mathematics."""
    inner = f'<mtable displaystyle="true">{"".join(rows)}</mtable>'
    style = "margin-left:0;text-align:left"
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block" style="{style}">{inner}</math>'


def _block(writer: Writer, statement: Statement, instances: Sequence[Statement], more: int) -> str:
    """One line with its instances; words below the formulas, where they have the whole width."""
    rows, checks = [], []
    for equation in (statement, *instances):
        rows += _rows(writer, equation)
        places = ", ".join(f"{letter} = {place}" for letter, place in equation.places)
        if equation.check is not None:
            checks.append(
                f"{escape(places)}{': ' if places else ''}{_checked(equation.check, writer.derivation.digits)}"
            )
    said = [escape(rules_in_words(statement.rules))] if statement.rules else []
    said += checks
    if more:
        said.append(escape(more_like(more, len(instances))))
    below = f'<div style="margin-left:2em"><small>{"<br/>".join(said)}</small></div>' if said else ""
    return f'<div style="margin:.8em 0;overflow-x:auto">{table(_cells(rows))}{below}</div>'


def _title(derivation: Derived) -> str:
    writer = Writer(derivation, TextStyle())
    said = writer.slope(derivation.element)
    return said if derivation.value is None else f"{said} = {writer.number(derivation.value)}"


def _rows(writer: Writer, statement: Statement) -> list[Row]:
    """A definition if one is needed, the left side with the first right side, the other right sides."""
    rights = [writer.step(step) + _folded(writer, step) for step in statement.steps]
    if statement.value is not None:
        concluded(rights, statement, "<mo>=</mo>", writer.number(statement.value))
    if statement.left is None:
        places = "<mo>,</mo>".join(f"<mi>{escape(x)}</mi><mo>=</mo><mn>{place}</mn>" for x, place in statement.places)
        first, told = (f"{places}<mo>:</mo>", "", rights[0]), None
    else:
        first, told = (writer.slope(statement.left), "=", rights[0]), writer.definition(statement.left)
    before = [("<mtext>with</mtext>", "", told)] if told is not None else []
    return [*before, first, *(("", "=", right) for right in rights[1:])]


def _cells(rows: Sequence[Row], words: str = "") -> list[str]:
    """Rows of a table, and words below them."""
    below = [("", "", _text(f"({words})"))] if words else []
    found = []
    for left, sign, right in (*rows, *below):
        cells = zip(("right", "center", "left"), (left, f"<mo>{sign}</mo>" if sign else "", right), strict=True)
        inner = "".join(f'<mtd style="text-align:{side}">{cell}</mtd>' for side, cell in cells)
        found.append(f"<mtr>{inner}</mtr>")
    return found


def _text(words: str) -> str:
    return f"<mtext>{escape(words)}</mtext>"


def _folded(writer: Writer, step: Passage) -> str:
    if not step.more:
        return ""
    return f"<mo>+</mo><mtext>… and {step.more} further, together&#160;</mtext>{writer.number(step.rest, step.digits)}"


def _checked(check: Check | None, digits: int) -> str:
    if check is None:
        return ""
    said = f"nudged: {numeral(check.difference, digits)}, relative error {check.error:.1e}".replace("-", "−")
    return (
        f" <small>{said}</small>" if check.agrees else f' <strong style="color:#b00020">{said}: does not agree</strong>'
    )
