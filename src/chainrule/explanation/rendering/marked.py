"""Derivations as data with the MathML of every formula beside it, in which every number can be pointed at by its key."""

from __future__ import annotations

from html import escape
from typing import Any

from chainrule.explanation.derived import Derived
from chainrule.explanation.evaluations.finite_differences import Check
from chainrule.explanation.rendering.json_form import VERSION, exact
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.story import Block, Passage, Statement
from chainrule.explanation.rendering.styles import MathmlStyle, TextStyle
from chainrule.explanation.rendering.telling import tell
from chainrule.explanation.rendering.writer import UNKNOWN, Hides, Writer, more_like, none_hidden


def marked(text: str, key: str, value: float | None) -> str:
    """MathML with the key and the value of the number that it stands for."""
    if not key:
        return text
    number = "" if value is None else f' data-value="{exact(value)}"'
    return f'<mrow data-key="{escape(key)}"{number}>{text}</mrow>'


def marked_data(derivation: Derived, hidden: Hides = none_hidden) -> dict[str, Any]:
    """What a derivation says, line by line, as MathML with keys; without the numbers that are `hidden`."""
    story = tell(derivation)
    writer = Writer(MathmlStyle(), story.digits, marked, hidden)
    whole = _statement(writer, story.whole)
    return {
        "version": VERSION,
        "kind": "derivation",
        "gradient": whole["left"],
        "value": None if hidden(whole["left"]["key"], story.whole.value) else exact(story.whole.value),
        "from": _mathml(writer.name(story.output)),
        "to": _mathml(writer.name(story.element)),
        "whole": whole,
        "lines": [_block(writer, block) for block in story.blocks],
        "notes": list(story.notes),
    }


def _block(writer: Writer, block: Block) -> dict[str, Any]:
    more = more_like(block.more, len(block.instances)) if block.more else ""
    instances = [_statement(writer, x) for x in block.instances]
    return {**_statement(writer, block.statement), "instances": instances, "more": more}


def _statement(writer: Writer, x: Statement) -> dict[str, Any]:
    digits = writer.digits
    key = x.left.key if x.left is not None else x.key
    known = not writer.hidden(key, x.value)
    left = x.left and {
        "mathml": _mathml(writer.slope(x.left)),
        "key": key,
        "value": exact(x.left.value) if known else None,
    }
    result = x.value if x.value is None else {
        "mathml": _mathml(writer.result(x.value, key)),
        "text": numeral(x.value, digits).replace("-", "−") if known else UNKNOWN,
        "key": key,
        "value": exact(x.value) if known else None,
    }  # fmt: skip
    return {
        "left": left,
        "places": ", ".join(f"{letter} = {place}" for letter, place in x.places),
        "definition": x.definition and {"mathml": _mathml(writer.definition(x.definition))},
        "rights": [_right(writer, right) for right in x.rights],
        "result": result,
        "rules": Writer(TextStyle(), digits).rules(x),
        "check": _check(x.check, digits) if known else None,
    }


def _check(x: Check | None, digits: int) -> dict[str, Any] | None:
    if x is None:
        return None
    return {
        "nudged": numeral(x.difference, digits).replace("-", "−"),
        "value": exact(x.difference),
        "error": f"{x.error:.1e}".replace("-", "−"),
        "agrees": x.agrees,
    }


def _right(writer: Writer, x: Passage) -> dict[str, Any]:
    rest = writer.number(x.rest, x.digits)
    more = f"<mo>+</mo><mtext>… and {x.more} further, together&#160;</mtext>{rest}" if x.more else ""
    return {"mathml": _mathml(writer.right(x) + more), "kind": x.kind, "more": x.more}


def _mathml(inner: str) -> str:
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>{inner}</mrow></math>'
