"""One prediction explained column by column: what each adds to the prediction for an average row."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from chainrule.errors import SettingError, UnknownNameError, shortened
from chainrule.explanation.rendering.contributions import Piece, Writes, as_html, as_text, render_splits
from chainrule.explanation.rendering.json_form import VERSION, exact, written
from chainrule.explanation.rendering.numerals import how_many, readable
from chainrule.explanation.rendering.written import Written
from chainrule.network import Network
from chainrule.tables.columns.texts import plain
from chainrule.tables.missing import Spelling
from chainrule.tables.preparing.preparation import Preparation
from chainrule.tabular.amounts import amount
from chainrule.tabular.explaining.association import places_of
from chainrule.tabular.explaining.average_row import AverageRow
from chainrule.tabular.explaining.paths import SmoothNetwork, integrate
from chainrule.tracing import functions as f

if TYPE_CHECKING:
    from chainrule.explanation.drawing import Drawing

Of = Literal["log-odds", "probability", "amount"]
LONGEST_VALUE, WIDTH = 24, 78
DIGITS = 4


@dataclass(frozen=True)
class ColumnPart:
    """What a column adds: its name, its value in this row, and the number."""

    column: str
    value: str
    added: float


@dataclass(frozen=True, repr=False)
class Attribution(Written):
    """A prediction as the average row's prediction plus what every column adds; the parts add up to the difference.

    Printed as a table with bars, shown in notebooks; `draw()` is a picture, `to("json")` has every number.

    Attributes
    ----------
    target, of : str
        What is predicted, and in which terms: "log-odds" or "probability" of a class, or "amount".
    label : object
        The class that is looked at; `None` for amounts.
    prediction, baseline : float
        For the row, and for the average row, in these terms.
    parts : tuple of ColumnPart
        The largest first.
    error : float
        What the numerical integral left, relative to the largest change along the way; it was shared out among the parts.
    """

    target: str
    of: Of
    label: Any
    prediction: float
    baseline: float
    parts: tuple[ColumnPart, ...]
    error: float

    @property
    def total(self) -> float:
        """The sum of the parts, rounded once: prediction − baseline."""
        return math.fsum(part.added for part in self.parts)

    def __getitem__(self, column: str) -> float:
        """What a column adds."""
        for part in self.parts:
            if part.column == column:
                return part.added
        raise UnknownNameError.among("column", column, [part.column for part in self.parts])

    def __iter__(self) -> Any:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def summary(self) -> str:
        """What is split, in a sentence without its end."""
        what = self.target if self.label is None else f"{self.of} of {self.target} = {self.label}"
        prediction, baseline = (self._number(x) for x in (self.prediction, self.baseline))
        return f"{what}: {prediction} here, {baseline} for the average row"

    def _number(self, x: float) -> str:
        text = amount(x, DIGITS)
        return f"{text} (p = {readable(_expit(x), 3)})" if self.of == "log-odds" else text

    @property
    def note(self) -> str:
        """How it was found, in a sentence."""
        return (
            "Integrated gradients from the average training row to this one (Sundararajan, Taly and Yan 2017); "
            f"the parts add up, {readable(100 * self.error, 2)} % of integration error shared out among them."
        )

    def _pieces(self) -> list[tuple[str, float]]:
        return [(f"{part.column} = {part.value}", part.added) for part in self.parts]

    def forms(self) -> Mapping[str, Callable[[Attribution], str]]:
        """What writes it as text, HTML and JSON."""
        return {
            "text": lambda own: own._in_lines(),
            "html": lambda own: f"{own._written(as_html)}<p><small>{own.note}</small></p>",
            "json": lambda own: written(own.data()),
        }

    def _in_lines(self) -> str:
        title, _, parts = self._written(as_text).partition("\n")
        return "\n".join([textwrap.fill(title, WIDTH), parts, "", textwrap.fill(self.note, WIDTH)])

    def _written(self, write: Writes) -> str:
        splits = {"column": [Piece(name, added) for name, added in self._pieces()]}
        return render_splits(f"{self.summary}; the difference", self.total, splits, DIGITS, write)

    def data(self) -> dict[str, Any]:
        """Every number, as nested dicts and lists."""
        label = self.label.item() if isinstance(self.label, np.generic) else self.label
        return {
            "version": VERSION,
            "kind": "attribution",
            "target": self.target,
            "of": self.of,
            "label": label,
            "prediction": exact(self.prediction),
            "baseline": exact(self.baseline),
            "error": exact(self.error),
            "parts": [{"column": x.column, "value": x.value, "added": exact(x.added)} for x in self.parts],
        }

    def _repr_html_(self) -> str:
        return self.to("html")

    def draw(self, *, digits: int = 4, most: int = 12) -> Drawing:
        """The parts as signed bars.

        Parameters
        ----------
        digits : int
            Significant digits of numbers.
        most : int
            The most bars; the smallest of more are drawn as one.
        """
        from chainrule.explanation.drawing import draw_bars

        what = self.target if self.label is None else f"{self.target} = {self.label}"
        SettingError.unless_count("draw", "most", most, at_least=2)
        bars = self._pieces()
        shown = how_many(len(bars), most - 1)
        if shown < len(bars):
            rest = math.fsum(added for _, added in bars[shown:])
            bars = [*bars[:shown], (f"{len(bars) - shown:,} others together", rest)]
        return draw_bars(
            self.total, {"by column": bars}, title=f"Contributions to the {self.of} of {what}", digits=digits
        )


def attribute(
    network: Network,
    preparation: Preparation,
    average: AverageRow,
    x: Any,
    cells: Mapping[str, Any],
    *,
    label: Any = None,
    of: Of | None = None,
) -> Attribution:
    """One prediction explained: partᵢ = Σ over the features of column i of ∫₀¹ ∂f/∂xⱼ(x̄ + t·(x − x̄)) dt · (xⱼ − x̄ⱼ).

    Parameters
    ----------
    network : Network
        Gives scores of the classes, or one scaled amount, for what the preparation gives.
    preparation : Preparation
        What gave the network's inputs.
    average : AverageRow
        Where the way begins.
    x : array of shape (features,)
        The row, prepared.
    cells : mapping
        The same row's cells by column, to be read.
    label : optional
        The class to look at; by default the one that is predicted.
    of : {"log-odds", "probability"}, optional
        In which terms, for classes; by default log-odds, ln p − ln(1 − p), in which parts that have nothing to do with each
        other add up. Amounts are told in their own unit.

    Returns
    -------
    Attribution

    Raises
    ------
    UnknownNameError
        For a label that was not learned.
    SettingError
        For terms that do not fit the task.

    References
    ----------
    Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", 2017.
    """
    features, target = preparation.features, preparation.target
    smooth = SmoothNetwork(network)
    point, start = smooth.point(x), smooth.point(average.means, average.shares)
    if target.task == "regression":
        SettingError.unless_one_of("explain", "of", of or "amount", ("amount",))
        if label is not None:
            raise SettingError(
                f"a label was given, {shortened(label)}, but {target.name!r} is an amount; leave it out."
            )
        scale, terms = target.in_use, "amount"

        def function(points: Any) -> Any:
            return scale.restored(smooth(points)[:, 0])

    else:
        terms = of or "log-odds"
        SettingError.unless_one_of("explain", "of", terms, ("log-odds", "probability"))
        scores = np.asarray(_scores(smooth(point[None])))
        number = int(scores[0].argmax()) if label is None else _number_of(label, target.classes)
        label = target.classes[number]

        def function(points: Any) -> Any:
            return _of_class(_scores(smooth(points)), number, terms)

    found = integrate(function, start, point)
    by_feature = np.bincount(smooth.columns, found.parts, len(features))
    places = places_of(features)
    added = {name: float(by_feature[own].sum()) for name, own in places.items()}
    spelling = Spelling.of(preparation.missing_mark, preparation.value_mark)
    parts = sorted(
        (ColumnPart(name, _cell(cells[name], spelling), value) for name, value in added.items()),
        key=lambda part: -abs(part.added),
    )
    return Attribution(target.name, terms, label, found.end, found.start, tuple(parts), found.error)  # type: ignore[arg-type]


def _scores(outputs: Any) -> Any:
    """Scores of all classes; of one score, which is the second class's, beside 0."""
    if outputs.shape[1] > 1:
        return outputs
    return np.concatenate([outputs * 0.0, outputs], axis=1)


def _of_class(scores: Any, number: int, terms: str) -> Any:
    """ln p − ln(1 − p) of a class, from its score and those of all others; or p."""
    others = [k for k in range(scores.shape[1]) if k != number]
    odds = scores[:, number] - f.logsumexp(scores[:, np.array(others)], axis=1)
    return odds if terms == "log-odds" else f.sigmoid(odds)


def _number_of(label: Any, classes: Sequence[Any]) -> int:
    if label not in classes:
        raise UnknownNameError.among("class", label, [str(x) for x in classes])
    return list(classes).index(label)


def _expit(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x > -700 else 0.0


def _cell(cell: Any, spelling: Spelling) -> str:
    """A cell in writing."""
    cell = plain(cell)
    if cell is None or (isinstance(cell, str | float | int) and spelling.is_missing(str(cell))):
        return "missing"
    text = readable(cell, 6) if isinstance(cell, float) else str(cell)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
