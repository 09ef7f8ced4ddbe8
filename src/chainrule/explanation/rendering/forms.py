"""The forms a derivation can be had in."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from chainrule.errors import UnknownNameError
from chainrule.explanation.derived import Derived, Instance, Line
from chainrule.explanation.finite_differences import Check
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.story import Passage, Statement, Writer, left_out, lines, rules_in_words, whole
from chainrule.explanation.rendering.styles import LatexStyle, MathmlStyle, TextStyle
from chainrule.explanation.rendering.text import as_text
from chainrule.explanation.symbols import Element


def render_derivation(derivation: Derived, form: str) -> str:
    """The derivation as "text", "markdown", "latex", "html", "mathml" or "json"."""
    if form not in FORMS:
        raise UnknownNameError.among("form", form, FORMS)
    return FORMS[form](derivation)


def _statements(derivation: Derived) -> list[tuple[Statement, int]]:
    """All equations in order, instances after the line they belong to, with the number of those left out."""
    found: list[tuple[Statement, int]] = []
    for statement, instances, more in lines(derivation):
        found.append((statement, 0))
        found += [(instance, more if instance is instances[-1] else 0) for instance in instances]
    return found


def _last(derivation: Derived) -> Element:
    """What the last line is of."""
    return derivation.lines[-1].element


def _conclude(rights: list[str], statement: Statement, equals: str, result: str) -> None:
    """Write the result behind the last right side that is in numbers, or below the others."""
    if statement.steps and statement.steps[-1].digits is not None:
        rights[-1] = result if rights[-1] == result else f"{rights[-1]}{equals}{result}"
    else:
        rights.append(result)


# --- LaTeX


def latex_equations(derivation: Derived) -> list[str]:
    """Every equation by itself, without the signs that begin and end mathematics."""
    writer = Writer(derivation, LatexStyle())
    top = whole(derivation)
    found = _latex(writer, top)
    if len(derivation.lines) > 1:
        for statement, more in _statements(derivation):
            if derivation.further and statement.left == _last(derivation):
                found.append(rf"\ldots\ \mathrm{{and\ {derivation.further}\ more\ lines}}")
            found += _latex(writer, statement)
            if more:
                found.append(rf"\ldots\ \mathrm{{and\ {more}\ more}}")
    return found


def _latex(writer: Writer, statement: Statement) -> list[str]:
    style = writer.style
    if statement.left is not None:
        left = writer.slope(statement.left)
    else:
        left = (
            ",\\ ".join(f"{letter.replace('′', chr(39))} = {place}" for letter, place in statement.places) + r":\quad"
        )
    rights = [writer.step(step) + _latex_folded(writer, step) for step in statement.steps]
    if statement.value is not None:
        _conclude(rights, statement, " = ", writer.number(statement.value) + _latex_check(writer, statement.check))
    rules = rf"\qquad \mathrm{{({style.words(rules_in_words(statement.rules))})}}" if statement.rules else ""
    definition = None if statement.left is None else writer.definition(statement.left)
    told = [rf"\mathrm{{with}}\ {definition}"] if definition is not None else []
    joined = [*told, f"{left} {'= ' if statement.left is not None else ''}{rights[0]}{rules}"]
    return joined + [f"= {right}" for right in rights[1:]]


def _latex_folded(writer: Writer, step: Passage) -> str:
    if not step.more:
        return ""
    return (
        rf" + \ldots\ \mathrm{{({step.more}\ further,\ together\ }}{writer.number(step.rest, step.digits)}\mathrm{{)}}"
    )


def _latex_check(writer: Writer, check: Check | None) -> str:
    if check is None:
        return ""
    agrees = "" if check.agrees else r"\quad \mathrm{DOES\ NOT\ AGREE}"
    return (
        rf"\qquad \mathrm{{nudged:}}\ {writer.number(check.difference)},\ \mathrm{{relative\ error}}\ "
        rf"{writer.style.number(numeral(check.error, 2))}{agrees}"
    )


def as_latex(derivation: Derived) -> str:
    """Displayed equations, one below the other."""
    return "\n\n".join(f"$$\\displaystyle {equation}$$" for equation in latex_equations(derivation))


def as_markdown(derivation: Derived) -> str:
    """Markdown whose formulas are LaTeX between dollar signs."""
    writer = Writer(derivation, LatexStyle())
    out = [f"**Why {_title(derivation)}**", ""]
    out += [f"$$\n{equation}\n$$" for equation in _latex(writer, whole(derivation))]
    if len(derivation.lines) > 1:
        out += ["", "Line by line, from the output back:", ""]
        for statement, more in _statements(derivation):
            if derivation.further and statement.left == _last(derivation):
                out.append(left_out(derivation))
            out += [f"$$\n{equation}\n$$" for equation in _latex(writer, statement)]
            if more:
                out.append(f"… and {more} more like these.")
    return "\n".join(out)


def _title(derivation: Derived) -> str:
    writer = Writer(derivation, TextStyle())
    said = writer.slope(derivation.element)
    return said if derivation.value is None else f"{said} = {writer.number(derivation.value)}"


# --- MathML


def _mathml(writer: Writer, statement: Statement) -> list[str]:
    left = writer.slope(statement.left) if statement.left is not None else ""
    rights = [writer.step(step) + _mathml_folded(writer, step) for step in statement.steps]
    if statement.value is not None:
        _conclude(rights, statement, "<mo>=</mo>", writer.number(statement.value))
    return [
        _math(f"{left if i == 0 else ''}{'<mo>=</mo>' if left or i else ''}{right}") for i, right in enumerate(rights)
    ]


def _math(formula: str) -> str:
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>{formula}</mrow></math>'


def _mathml_folded(writer: Writer, step: Passage) -> str:
    if not step.more:
        return ""
    return f"<mo>+</mo><mtext>… and {step.more} further, together </mtext>{writer.number(step.rest, step.digits)}"


def as_mathml(derivation: Derived) -> str:
    """The whole gradient as one MathML formula."""
    formula = Writer(derivation, MathmlStyle())
    rows = []
    top = whole(derivation)
    assert top.left is not None
    rights = [formula.step(step) + _mathml_folded(formula, step) for step in top.steps]
    if top.value is not None:
        _conclude(rights, top, "<mo>=</mo>", formula.number(top.value))
    for i, right in enumerate(rights):
        left = formula.slope(top.left) if i == 0 else ""
        rows.append(f"<mtr><mtd>{left}</mtd><mtd><mo>=</mo></mtd><mtd>{right}</mtd></mtr>")
    table = f'<mtable columnalign="right center left">{"".join(rows)}</mtable>'
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{table}</math>'


_CELL = 'style="text-align:left;padding:.25em .8em;vertical-align:baseline"'


def as_html(derivation: Derived) -> str:
    """What a notebook shows: MathML in a table, with the rules beside each line; no script, font or network."""
    writer = Writer(derivation, MathmlStyle())
    rows = []
    if len(derivation.lines) > 1:
        for statement, more in _statements(derivation):
            if derivation.further and statement.left == _last(derivation):
                rows.append(f"<tr><td {_CELL}>{escape(left_out(derivation))}</td><td {_CELL}></td></tr>")
            rows.append(_row(writer, statement))
            if more:
                rows.append(f"<tr><td {_CELL}>… and {more} more like these</td><td {_CELL}></td></tr>")
    table = f'<table style="border-collapse:collapse">{"".join(rows)}</table>' if rows else ""
    head = f"<p><b>{escape(_title(derivation))}</b>{_html_check(derivation.check, derivation.digits)}</p>"
    return f'<div class="chainrule-derivation">{head}{as_mathml(derivation)}{table}</div>'


def _row(writer: Writer, statement: Statement) -> str:
    places = ", ".join(f"{letter} = {place}" for letter, place in statement.places)
    said = f"<span>{escape(places)}: </span>" if places else ""
    indent = "&#160;" * 6 if places else ""
    formulas = " ".join(_mathml(writer, statement))
    notes = escape(rules_in_words(statement.rules)) + _html_check(statement.check, writer.derivation.digits)
    definition = None if statement.left is None else writer.definition(statement.left)
    if definition is not None:
        formulas = f"with {_math(definition)}<br/>{formulas}"
    return f"<tr><td {_CELL}>{indent}{said}{formulas}</td><td {_CELL}><small>{notes}</small></td></tr>"


def _html_check(check: Check | None, digits: int) -> str:
    if check is None:
        return ""
    said = f"nudged: {numeral(check.difference, digits)}, relative error {check.error:.1e}".replace("-", "−")
    return (
        f" <small>{said}</small>" if check.agrees else f' <strong style="color:#b00020">{said}: does not agree</strong>'
    )


# --- JSON


def as_data(derivation: Derived) -> dict[str, Any]:
    """Everything as numbers and texts."""
    writer = Writer(derivation, TextStyle())
    return {
        "gradient": writer.slope(derivation.element),
        "of": writer.spelled(derivation.output).text,
        "by": writer.spelled(derivation.element).text,
        "value": derivation.value,
        "formula": writer.symbolic.write(derivation.formula),
        "factors": [part.value for part in derivation.factors],
        "check": _check_data(derivation.check),
        "lines": [_line_data(writer, line) for line in derivation.lines],
        "further": derivation.further,
    }


def _line_data(writer: Writer, line: Line) -> dict[str, Any]:
    return {
        "gradient": writer.slope(line.element),
        "formula": writer.symbolic.write(line.formula),
        "rules": list(line.rules),
        "instances": [_instance_data(writer, instance) for instance in line.instances],
        "more": line.more,
    }


def _instance_data(writer: Writer, instance: Instance) -> dict[str, Any]:
    return {
        "places": {letter.name: place for letter, place in instance.places.items()},
        "terms": [{"formula": writer.symbolic.write(p.expression), "value": p.value} for p in instance.parts],
        "further": {"terms": instance.more, "value": instance.rest},
        "value": instance.value,
        "check": _check_data(instance.check),
    }


def _check_data(check: Check | None) -> Any:
    return None if check is None else {"nudged": check.difference, "error": check.error, "agrees": check.agrees}


def as_json(derivation: Derived) -> str:
    """Everything as JSON; numbers unrounded."""
    return json.dumps(as_data(derivation), ensure_ascii=False, indent=1)


FORMS = {
    "text": as_text,
    "markdown": as_markdown,
    "latex": as_latex,
    "html": as_html,
    "mathml": as_mathml,
    "json": as_json,
}
"""Ways to write a derivation, by name."""
