"""A derivation as plain text, for terminals of any width."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from textwrap import wrap

from chainrule.explanation.evaluations.finite_differences import Check
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.story import Passage, Statement, Story
from chainrule.explanation.rendering.styles import TextStyle
from chainrule.explanation.rendering.writer import Writer, more_like


def as_text(story: Story, width: int | None = None) -> str:
    """The derivation in lines of at most this width, the terminal's by default."""
    width = width or max(60, shutil.get_terminal_size((88, 24)).columns)
    writer = Writer(TextStyle(), story.digits)
    out = list(_equation(writer, _left(writer, story.whole), story.whole, "", width))
    if story.blocks:
        out += ["", f"From {story.output.spelled.text} back to {story.element.spelled.text}:"]
    for block in story.blocks:
        out.append("")
        definition = block.statement.definition
        if definition is not None:
            out += [
                f"  with {piece}" if i == 0 else f"         {piece}"
                for i, piece in enumerate(_wrapped(writer.definition(definition), width - 8, width - 10))
            ]
        out += _equation(writer, _left(writer, block.statement), block.statement, "  ", width)
        for instance in block.instances:
            out += _equation(writer, _left(writer, instance), instance, "      ", width)
        if block.more:
            out.append(f"      {more_like(block.more, len(block.instances))}")
    for note in story.notes:
        out += ["", note]
    return "\n".join(out)


def _left(writer: Writer, statement: Statement) -> str:
    """A left side: a gradient, or the places that an instance is for."""
    if statement.left is not None:
        return writer.slope(statement.left)
    return ", ".join(f"{letter} = {place}" for letter, place in statement.places) + ":"


def _equation(writer: Writer, left: str, statement: Statement, indent: str, width: int) -> Iterator[str]:
    """An equation with its right sides one below the other, the rules on the first line if there is room."""
    first = left.endswith(":")
    rights = [writer.right(x) + _folded(writer, x) for x in statement.rights]
    if statement.value is not None:
        result = writer.number(statement.value) + _checked(statement.check, writer.digits)
        numeric = [i for i, x in enumerate(statement.rights) if x.kind != "formula"]
        if numeric and rights[numeric[-1]] == writer.number(statement.value):
            rights[numeric[-1]] = result
        elif numeric and len(rights[numeric[-1]]) + len(result) + len(left) + 20 < width:
            rights[numeric[-1]] += f" = {result}"
        elif not (rights and rights[-1] == result):
            rights.append(result)
    rules = f"   ({writer.rules(statement)})" if statement.rules else ""
    start = f"{indent}{left} " if first else f"{indent}{left} = "
    under = len(start) - 2 if 2 * len(start) <= width else min(len(start) - 2, 30)
    hanging = " " * under + "= "
    for i, right in enumerate(rights):
        head = start if i == 0 else hanging
        pieces = list(_wrapped(right, width - len(head), width - len(hanging) - 2))
        if i == 0 and rules:
            padded = pieces[0].ljust(max(0, 52 - len(head))) + rules
            if len(pieces) == 1 and len(head) + len(padded) <= width:
                pieces[0] = padded
            elif len(pieces) == 1 and len(head) + len(pieces[0]) + len(rules) <= width:
                pieces[0] += rules
            else:
                pieces += _listed(rules.strip(), max(width - len(hanging), 24))
        yield head + pieces[0]
        for piece in pieces[1:]:
            yield " " * len(hanging) + piece


def _listed(rules: str, width: int) -> list[str]:
    """Rules on lines of at most this width, broken between one and the next."""
    space, sign = "\N{NO-BREAK SPACE}", ";" if ";" in rules else ","
    kept = rules.replace(" ", space).replace(f"{sign}{space}", f"{sign} ")
    return [line.replace(space, " ") for line in wrap(kept, width, break_long_words=False)]


def _folded(writer: Writer, x: Passage) -> str:
    if not x.more:
        return ""
    together = writer.number(x.rest, x.digits)
    return f" + … and {x.more} further term{'s' if x.more > 1 else ''}, together {together}"


def _checked(check: Check | None, digits: int) -> str:
    if check is None:
        return ""
    said = f"   [nudged: {numeral(check.difference, digits)}, relative error {check.error:.1e}]".replace("-", "−")
    return said if check.agrees else f"{said}   <<< DOES NOT AGREE"


def _wrapped(text: str, first: int, rest: int) -> Iterator[str]:
    """The text in pieces, broken before signs between factors and terms, the outer ones rather than the inner."""
    room = max(first, 24)
    while len(text) > room:
        cut = _break(text, room, room // 3) or _break(text, room, 0)
        if not cut:
            break
        yield text[:cut].rstrip()
        text, room = text[cut:].lstrip(), max(rest, 24)
    yield text


def _break(text: str, room: int, least: int) -> int:
    """Where to break: at the outermost sign that leaves at least so much of the room filled."""
    best, best_depth, depth = 0, 99, 0
    for i, c in enumerate(text[: room + 1]):
        if c in "([":
            depth += 1
        elif c in ")]":
            depth -= 1
        sign = (
            c == "·"
            or (c == "/" and not least)
            or (c in "+−=" and text[i - 1 : i] == " " and text[i + 1 : i + 2] == " ")
        )
        if sign and i > least and depth <= best_depth:
            best, best_depth = i, depth
    return best
