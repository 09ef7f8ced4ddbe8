"""What notebooks show of a model of a table, and of its report: tables, and pictures as images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from chainrule.explanation.rendering.tables import Table
from chainrule.tables.options import spell
from chainrule.tables.preparing.report import lines

if TYPE_CHECKING:
    from chainrule.tables import Preparation
    from chainrule.tabular.explaining.dependence import Dependence
    from chainrule.tabular.explaining.importance import Importance
    from chainrule.tabular.scoring.scores import Scores

MOST_COLUMNS, MOST_REMARKS = 12, 6
"""Columns and remarks of a table that are shown."""


def of_model(title: str, preparation: Preparation, scores: Scores | None) -> str:
    """What is predicted from what, how good it is, and what is remarkable."""
    every = lines(preparation.columns, preparation.target)
    shown = [*every[:-1][:MOST_COLUMNS], every[-1]]
    left = len(every) - len(shown)
    note = f"… and {left:,} further columns" if left else ""
    columns = Table("", ("column", "kind", "why", "what the network gets"), tuple(map(tuple, shown)), note, texts=4)
    told = [] if scores is None else [scores.tables()[0]._repr_html_()]
    return "".join([_said(title), *told, columns._repr_html_(), *map(_small, preparation.remarks[:MOST_REMARKS])])


def of_report(
    title: str, scores: Mapping[str, Scores], importance: Importance | None, dependences: Sequence[Dependence]
) -> str:
    """The scores, what columns are worth and how predictions go with them; the rest is on the page that `save` writes."""
    parts = [_said(title)]
    for of, found in scores.items():
        parts += [_said(of[:1].upper() + of[1:]), found.to("html")]
    if importance is not None:
        parts += [_said("How much columns matter"), importance.draw()._repr_html_()]
    if dependences:
        parts += [_said("How predictions depend on columns"), *(found.draw()._repr_html_() for found in dependences)]
    return "".join([*parts, _small("The full report as a page: report.save('report.html')")])


def _said(words: str) -> str:
    return f"<p><b>{escape(words)}</b></p>"


def _small(words: str) -> str:
    return f"<p><small>{escape(spell(words))}</small></p>"
