"""`Report`: all that is to be known of a table's model on one page: what was read, how good it is, why it says what it says."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np

from chainrule.errors import SettingError
from chainrule.explanation.rendering.numerals import readable
from chainrule.explanation.rendering.tables import Table as Shape
from chainrule.notebooks import Shown
from chainrule.tables.options import spell
from chainrule.tables.preparing.preparation import Preparation
from chainrule.tables.preparing.report import lines
from chainrule.tabular.charts import draw_amounts, draw_calibration, draw_counts
from chainrule.tabular.explaining.attribution import Attribution
from chainrule.tabular.explaining.dependence import Dependence
from chainrule.tabular.explaining.importance import Importance
from chainrule.tabular.reporting import page
from chainrule.tabular.scoring.comparing import remarks_beside
from chainrule.tabular.scoring.scores import Scores
from chainrule.training.metrics import metric_for

MOST_COLUMNS, MOST_FOLDED = 30, 500
"""Columns of the table that are told at once, and that are folded."""


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """A model of a table on one page; `save` writes it as a file that needs nothing else.

    Attributes
    ----------
    preparation : Preparation
        What was read, and what the network gets of it.
    source : str
        Where the table came from.
    scores : mapping
        By what they are of ("out of fold", "on test.csv") the scores, beside simpler models where these were tried.
    importance : Importance, optional
        What columns are worth.
    dependences : sequence of Dependence
        How predictions go with columns.
    attributions : mapping
        By a few words on the row, predictions explained.
    notes : sequence of str
        What was put right or decided while reading.
    settings : mapping
        How the model was trained, by names.
    remarks : sequence of str
        What was not as it was to be in the training.
    rows : int, optional
        How many rows the table has whose target is known.
    """

    preparation: Preparation
    source: str
    scores: Mapping[str, Scores]
    importance: Importance | None = None
    dependences: Sequence[Dependence] = ()
    attributions: Mapping[str, Attribution] = field(default_factory=dict)
    notes: Sequence[str] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    rows: int | None = None

    @property
    def title(self) -> str:
        """What is predicted from what."""
        return f"{self.preparation.target.name}, predicted from {self.source}"

    @property
    def html(self) -> str:
        """The page."""
        told = {
            "scores": ("Scores", self._scores()),
            "columns": ("How much columns matter", self._importance()),
            "dependence": ("How predictions depend on columns", self._dependences()),
            "rows": ("Predictions explained", self._attributions()),
            "table": ("How columns were prepared", self._preparation()),
            "settings": ("Settings", self._settings()),
        }
        links = "".join(f'<a href="#{name}">{title}</a>' for name, (title, inner) in told.items() if inner)
        sections = [
            page.section(name, title, about, parts) for name, (title, inner) in told.items() for about, parts in inner
        ]
        head = f"<h1>{escape(self.title)}</h1><nav>{links}</nav>"
        return page.page(self.title, [head, self._facts(), *sections])

    def save(self, path: str | Path) -> Path:
        """Write the page to a file that ends in `.html`.

        Raises
        ------
        SettingError
            When the ending is another one.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise SettingError(f"a report cannot be saved as {path.name!r}; the name must end in .html.")
        path.write_text(self.html, encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        from chainrule.tabular.reporting.showing import of_report

        return of_report(self.title, self.scores, self.importance, self.dependences)

    def __repr__(self) -> str:
        return f"Report({self.title}; .save('report.html') writes it)"

    def _facts(self) -> str:
        target, used = self.preparation.target, len(self.preparation.used)
        found = [
            (f"{readable(scores.metric(), 4)}", f"{metric_for(target.task).title} {of}")
            for of, scores in self.scores.items()
        ]
        first = next(iter(self.scores.values()), None)
        if first is not None:
            found.append((f"{len(first.truth):,}", "rows scored"))
        found.append((f"{used:,} of {len(self.preparation.columns):,}", "columns used"))
        what = (f"{len(target.classes):,} classes", "to predict") if target.classes else ("a number", "to predict")
        found.append(what)
        return page.facts(found)

    def _scores(self) -> list[tuple[str, list[str]]]:
        parts = []
        for of, scores in self.scores.items():
            parts.append(f"<h3>{escape(of[:1].upper() + of[1:])}</h3>")
            if scores.classes:
                drawn = [draw_counts(scores.confusion, scores.classes), draw_calibration(scores.calibration)]
            else:
                drawn = [draw_amounts(scores.truth, scores.outputs, self.preparation.target.name)]
            first, *others = scores.tables()
            own = [table for table in others if table.title != "Confusion matrix"]
            parts += [
                page.table(first),
                page.remarks(remarks_beside(scores)),
                page.pictures(drawn),
                *map(page.table, own),
            ]
            if scores.classes:
                parts.append(
                    page.folded(
                        "Confusion matrix as numbers, with recall and precision", page.table(scores.confusion_table())
                    )
                )
        return [(self._about_scores(), [page.remarks(map(spell, self.remarks)), *parts])] if parts else []

    def _about_scores(self) -> str:
        """Which rows the scores are of."""
        held = self.scores.get("out of fold")
        beside = "Simpler models are scored on the same rows in the same way."
        if held is None:
            return beside
        which = (
            "every row"
            if self.rows in (None, len(held.truth))
            else f"each of {len(held.truth):,} of the {self.rows:,} rows"
        )
        return (
            f"Out of fold: {which} is predicted by networks that were not trained on it, as new rows will be. {beside}"
        )

    def _importance(self) -> list[tuple[str, list[str]]]:
        if self.importance is None:
            return []
        about = (
            f"How much worse the {self.importance.metric.title} of {self.importance.rows:,} rows becomes when the values of a column "
            "are shuffled among them, so that the column carries no information."
        )
        return [(about, [page.pictures([self.importance.draw()]), page.remarks(self.importance.remarks)])]

    def _dependences(self) -> list[tuple[str, list[str]]]:
        if not self.dependences:
            return []
        ends = np.array([found.ends for found in self.dependences])
        between = float(ends[:, 0].min()), float(ends[:, 1].max())
        about = (
            "The mean prediction when a column has one and the same value in all rows and the others stay as they are. All charts "
            "have the same scale. Where columns are correlated, such rows may not exist."
        )
        return [(about, [page.pictures(found.draw(between) for found in self.dependences)])]

    def _attributions(self) -> list[tuple[str, list[str]]]:
        parts = []
        for words, found in self.attributions.items():
            parts += [f"<h3>{escape(words)}</h3><p>{escape(found.summary)}</p>", page.pictures([found.draw()])]
        about = (
            "What each column adds to the prediction for the average row: integrated gradients along the straight line from the "
            "average row to this one. The bars add up to the difference. Rows are counted from 1, as in explain --row."
        )
        return [(about, parts)] if parts else []

    def _preparation(self) -> list[tuple[str, list[str]]]:
        every = lines(self.preparation.columns, self.preparation.target)
        heads = ("column", "kind", "why", "what the network gets")
        shown, others = [every[-1], *every[:-1][:MOST_COLUMNS]], every[:-1][MOST_COLUMNS:]
        parts = [page.table(Shape("", heads, tuple(map(tuple, shown)), texts=4))]
        if others:
            left = len(others) - len(others[:MOST_FOLDED])
            note = f"… and {left:,} further columns" if left else ""
            more = Shape("", heads, tuple(map(tuple, others[:MOST_FOLDED])), note, texts=4)
            parts.append(page.folded(f"{len(others):,} more columns", page.table(more)))
        parts.append(page.remarks(dict.fromkeys([*self.notes, *map(spell, self.preparation.remarks)])))
        return [("Decided from all rows. You can give any column another kind.", parts)]

    def _settings(self) -> list[tuple[str, list[str]]]:
        from chainrule import __version__

        versions = {"chainrule": __version__, "NumPy": np.__version__, "Python": platform.python_version()}
        rows = [(str(name), str(value)) for name, value in {**self.settings, **versions}.items()]
        return [("", [page.table(Shape("", ("setting", "value"), tuple(rows), texts=2))])]
