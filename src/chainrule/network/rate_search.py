"""Which learning rate suits: the loss of every step of a training whose rate grows from step to step."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DivergedError, SettingError
from chainrule.explanation.rendering.json_form import VERSION, exact, written
from chainrule.explanation.rendering.numerals import readable
from chainrule.explanation.rendering.tables import Table
from chainrule.explanation.rendering.written import Written
from chainrule.network.base import BaseNetwork, inputs_of
from chainrule.training.named import as_optimizer
from chainrule.training.stored import Dataset

if TYPE_CHECKING:
    from chainrule.explanation.drawing import Drawing

RISEN = 4.0
"""A loss that is so many times the least one is beyond what is looked at."""

MEMORY = 0.9
"""How much of the running mean that tells so stays from one step to the next."""

REACH = 0.1
"""The share of all steps before and after one by which the curve through the losses is drawn there."""


@dataclass(frozen=True, repr=False, eq=False)
class RateSearch(Written):
    """Losses by learning rate. Printed as a table, shown in notebooks; `draw()` is a picture.

    Attributes
    ----------
    rates, losses : arrays of shape (steps,)
        The learning rate of every step, and the loss of its batch before it.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]

    @cached_property
    def looked_at(self) -> int:
        """So many steps come before the running mean of losses is four times the least one."""
        weights = np.cumsum(MEMORY ** np.arange(len(self.losses)))
        means = np.array(list(accumulate(self.losses, lambda mean, loss: MEMORY * mean + loss))) / weights
        beyond = means > RISEN * np.minimum.accumulate(means)
        return int(np.argmax(beyond)) if beyond.any() else len(self.losses)

    @cached_property
    def _fit(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        losses = self.losses[: self.looked_at]
        return local_lines(losses, max(4, round(REACH * len(self.losses))))

    @property
    def smoothed(self) -> NDArray[np.float64]:
        """The curve through the losses that are looked at: at each the line that fits those around it (Cleveland 1979)."""
        return self._fit[0]

    @property
    def at_least(self) -> float:
        """The rate at which the curve is lowest: from about here on steps are too large."""
        return float(self.rates[np.argmin(self.smoothed)])

    @cached_property
    def learning_rate(self) -> float | None:
        """Where the curve falls fastest by the logarithm of the rate; `None` where it falls nowhere (Smith 2017)."""
        known = round(REACH * len(self.losses))  # before it a line has few losses on its left
        slopes = self._fit[1][known : int(np.argmin(self.smoothed)) + 1]
        return float(self.rates[known + np.argmin(slopes)]) if len(slopes) and slopes.min() < 0 else None

    @property
    def summary(self) -> str:
        """What was found, in a sentence."""
        if self.learning_rate is None:
            return "the loss falls nowhere: it is at its least, or all of these rates are too large"
        return (
            f"the loss falls fastest at a learning rate of {readable(self.learning_rate, 2)}, and is least at "
            f"{readable(self.at_least, 2)}"
        )

    def table(self) -> Table:
        """The curve at every power of ten, and at the rate that is found."""
        whole = {float(10.0**power) for power in range(-12, 4)}
        shown = self.rates[: self.looked_at]
        wanted = sorted(x for x in {*whole, self.learning_rate or 0.0} if shown[0] <= x <= shown[-1])
        rows = []
        for rate in wanted:
            step = int(np.argmin(np.abs(np.log(shown / rate))))
            rows.append(
                (readable(rate, 2) + " ←" * (rate == self.learning_rate), readable(float(self.smoothed[step]), 4))
            )
        return Table(self.summary, ("learning rate", "loss, smoothed"), tuple(rows), self._counted())

    def _counted(self) -> str:
        left = len(self.rates) - self.looked_at
        return f"{len(self.rates):,} steps" + (
            f"; in the last {left:,} of them the loss is beyond all bounds" if left else ""
        )

    def forms(self) -> Mapping[str, Callable[[RateSearch], str]]:
        """What writes it as text, HTML and JSON."""
        return {
            "text": lambda own: str(own.table()),
            "html": lambda own: own.table()._repr_html_() + own.draw()._repr_html_(),
            "json": lambda own: written(own.data()),
        }

    def data(self) -> dict[str, Any]:
        """Every number, as lists."""
        return {
            "version": VERSION,
            "kind": "rate_search",
            "learning_rate": None if self.learning_rate is None else exact(self.learning_rate),
            "at_least": exact(self.at_least),
            "rates": [exact(float(x)) for x in self.rates],
            "losses": [exact(float(x)) for x in self.losses],
        }

    def _repr_html_(self) -> str:
        return self.to("html")

    def draw(self, *, digits: int = 3) -> Drawing:
        """The losses by learning rate, which is drawn by its logarithm.

        Parameters
        ----------
        digits : int
            Significant digits of numbers.
        """
        from chainrule.explanation.drawing.rates import draw_rates

        end = max(2, self.looked_at)
        return draw_rates(
            self.rates[:end], self.losses[:end], self.smoothed[:end], self.learning_rate, self.summary, digits
        )


class _EnoughError(Exception):
    """So many steps have been taken."""


class _Until:
    """Ends a training after so many epochs, within one: of large data an epoch has many more steps than are asked for."""

    def __init__(self, epochs: float) -> None:
        self._epochs = epochs

    def update(self, epochs: float, metrics: Mapping[str, float]) -> None:
        """Told how far it is."""
        if epochs >= self._epochs:
            raise _EnoughError


def search_rates(
    network: BaseNetwork,
    X: Any,
    y: Any,
    *,
    lowest: float,
    highest: float,
    steps: int,
    optimizer: Any,
    batch_size: int | None,
    **settings: Any,
) -> RateSearch:
    """Losses of the steps that a copy of the network takes at rates that grow by the same factor from step to step."""
    owner = "find_learning_rate"
    SettingError.unless_number(owner, "lowest", lowest, above=0)
    SettingError.unless_number(owner, "highest", highest, above=lowest)
    SettingError.unless_count(owner, "steps", steps, at_least=10)
    own: Any = copy.deepcopy(network)
    rows = len(X if isinstance(X, Dataset) else inputs_of(own, X)[0])
    each = 1 if batch_size is None else -(-rows // batch_size)  # steps of an epoch

    def growing(epoch: Any) -> Any:
        return lowest * (highest / lowest) ** np.minimum(np.asarray(epoch) * each / (steps - 1), 1.0)

    with suppress(DivergedError, _EnoughError):
        own.fit(
            X, y, optimizer=replace(as_optimizer(optimizer), learning_rate=growing), batch_size=batch_size,
            epochs=math.ceil(steps / each), record=1, progress=_Until(steps / each), **settings,
        )  # fmt: skip
    losses = np.asarray(own.recording.losses, np.float64)[:steps]
    known = losses[: np.argmin(np.isfinite(losses))] if not np.isfinite(losses).all() else losses
    return RateSearch(lowest * (highest / lowest) ** (np.arange(len(known)) / (steps - 1)), known)


def local_lines(values: NDArray[np.float64], reach: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At every place the value and the slope of the line that fits those around it, by weights (1 − |d|³)³ of their distances d.

    Examples
    --------
    >>> level, slope = local_lines(np.array([1.0, 3.0, 5.0, 7.0]), 2)
    >>> level.round(9), slope.round(9)
    (array([1., 3., 5., 7.]), array([2., 2., 2., 2.]))
    """
    places = np.arange(len(values), dtype=float)
    found = []
    for place in places:
        near = slice(max(0, int(place) - reach), int(place) + reach + 1)
        x, y = places[near] - place, values[near]
        weights = (1.0 - (np.abs(x) / (reach + 1)) ** 3) ** 3
        middle, height = np.average(x, weights=weights), np.average(y, weights=weights)
        spread = np.average((x - middle) ** 2, weights=weights)
        slope = np.average((x - middle) * (y - height), weights=weights) / spread if spread else 0.0
        found.append((height - slope * middle, slope))
    level, slopes = np.array(found).reshape(-1, 2).T
    return level, slopes
