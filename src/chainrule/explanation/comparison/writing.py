"""A comparison in writing: for terminals, as Markdown and as HTML."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from html import escape
from typing import Any

from chainrule.explanation.comparison.compared import Compared
from chainrule.explanation.plain import plain
from chainrule.explanation.rendering.commands import sentence
from chainrule.explanation.rendering.json_form import VERSION, written
from chainrule.explanation.rendering.numerals import numeral
from chainrule.explanation.rendering.tables import Table
from chainrule.explanation.rendering.written import filled
from chainrule.explanation.sentences import listed


def as_text(told: Compared) -> str:
    """Sentences, a table of the gradients, and the derivation if there is one."""
    out = [_title(told), ""]
    for number, (says, remedy) in enumerate(_sentences(told), 1):
        begin = f"{number}. " if len(told.differences) > 1 else ""
        out += [*filled(says, begin), *filled(remedy, " " * len(begin)), ""]
    out.append(str(_table(told)))
    if told.explanation is not None:
        out += ["", "How the right number comes about:", "", told.explanation.to("text")]
    return "\n".join(out)


def as_markdown(told: Compared) -> str:
    """Sentences as a list, a table in HTML, and formulas in LaTeX."""
    out = [f"**{sentence(_title(told))}**"]
    out += [f"{i}. {sentence(says)} {sentence(remedy)}" for i, (says, remedy) in enumerate(_sentences(told), 1)]
    out.append(_table(told)._repr_html_())
    if told.explanation is not None:
        out += ["How the right number comes about:", told.explanation.to("markdown")]
    return "\n\n".join(out)


def as_html(told: Compared) -> str:
    """The same as a piece of a page."""
    out = [f"<p><b>{escape(_title(told))}</b></p>"]
    out += [f"<p>{i}. {escape(f'{says} {remedy}')}</p>" for i, (says, remedy) in enumerate(_sentences(told), 1)]
    further = "" if told.explanation is None else told.explanation.to("html")
    return f'<div class="chainrule-comparison">{"".join(out)}{_table(told)._repr_html_()}{further}</div>'


def as_data(told: Compared) -> dict[str, Any]:
    """Everything as nested dicts of numbers and texts."""
    data = {
        "version": VERSION,
        "kind": "comparison",
        "is_right": told.is_right,
        "first_wrong": told.first_wrong,
        "tolerance": told.tolerance,
        "dtype": told.dtype,
        "typed": told.typed,
        "differences": [asdict(x) for x in told.differences],
        "gradients": [asdict(x) for x in told.gradients],
        "explanation": None if told.explanation is None else json.loads(told.explanation.to("json")),
    }
    return plain(data)  # type: ignore[no-any-return]


def as_json(told: Compared) -> str:
    """The same as JSON, numbers unrounded."""
    return written(as_data(told))


FORMS: dict[str, Callable[[Compared], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "html": as_html,
    "json": as_json,
}
"""Ways to write a comparison, by name."""


def _title(told: Compared) -> str:
    count, wrong = len(told.gradients), sum(not x.is_right for x in told.gradients)
    if not wrong:
        error = numeral(max((x.error or 0.0 for x in told.gradients), default=0.0), 2).replace("-", "−")
        which = "The gradient is" if count == 1 else f"All {count} gradients are"
        why = f"rounding of {told.dtype}" if told.typed is None else f"rounding to the {told.typed} digits given"
        return f"{which} right: at most {error} of the largest number off, which is {why}."
    if count == 1:
        return "The gradient is wrong."
    return f"{wrong} of {count} gradients {'is' if wrong == 1 else 'are'} wrong; the first on the way back is {told.first_wrong}."


def _sentences(told: Compared) -> list[tuple[str, str]]:
    count = len(told.gradients)
    names = ["all of them" if len(x.names) == count > 1 else listed(x.names) for x in told.differences]
    return [(f"{own}: {x.says}.", f"{x.remedy}.") for own, x in zip(names, told.differences, strict=True)]


def _table(told: Compared) -> Table:
    rows = []
    for x in told.gradients:
        at = "" if not x.place else f"[{', '.join(map(str, x.place))}]"
        numbers = ["—" if n is None else numeral(n, told.digits).replace("-", "−") for n in (x.mine, x.right)]
        off = "—" if x.error is None else numeral(x.error, 2).replace("-", "−")
        if x.place is None:
            at = f"shape {x.shape}"
        rows.append((x.name, "right" if x.is_right else "WRONG", at, *numbers, off))
    return Table("", ("gradient", "", "largest difference at", "given", "right", "relative"), tuple(rows), texts=3)
