"""Schedules: the learning rate as a function of the time in epochs, fractions included."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import SettingError, is_finite, shortened
from chainrule.training.bounds import is_traced, unless_number
from chainrule.training.schedule import Schedule


@dataclass(frozen=True)
class ConstantRate(Schedule):
    """The same rate throughout."""

    rate: float

    def __call__(self, epoch: Any) -> Any:
        """Learning rates at these times."""
        return np.zeros(np.shape(epoch)) + self.rate


@dataclass(frozen=True)
class Step(Schedule):
    """Multiplied by `factor` after every `every` epochs."""

    rate: float
    every: float = 10.0
    factor: float = 0.5

    def __call__(self, epoch: Any) -> Any:
        """Learning rates at these times."""
        return self.rate * self.factor ** np.floor(np.divide(epoch, self.every))


@dataclass(frozen=True)
class Exponential(Schedule):
    """Multiplied by `factor` in the course of every epoch."""

    rate: float
    factor: float = 0.95

    def __call__(self, epoch: Any) -> Any:
        """Learning rates at these times."""
        return self.rate * self.factor ** np.multiply(epoch, 1.0)


@dataclass(frozen=True)
class Cosine(Schedule):
    """From `rate` down to `final` along half a cosine wave over `epochs`, then constant (Loshchilov and Hutter 2017)."""

    rate: float
    epochs: float
    final: float = 0.0

    def __call__(self, epoch: Any) -> Any:
        """Learning rates at these times."""
        part = np.clip(np.divide(epoch, self.epochs), 0.0, 1.0)
        return self.final + (self.rate - self.final) * 0.5 * (1.0 + np.cos(math.pi * part))


@dataclass(frozen=True)
class PiecewiseLinear(Schedule):
    """From knot to knot in straight lines: `rates` at these `times`, constant before the first and after the last.

    Parameters
    ----------
    rates, times : sequences of floats
        As many of one as of the other; times are in epochs, and rise.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.PiecewiseLinear((0.1, 0.3, 0.0), (0.0, 5.0, 20.0))(np.array([0.0, 2.5, 5.0, 20.0, 30.0]))
    array([0.1, 0.2, 0.3, 0. , 0. ])
    """

    rates: tuple[float, ...]
    times: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("rates", "times"):
            given = getattr(self, name)
            if not isinstance(given, list | tuple) or not given:
                raise SettingError(f"PiecewiseLinear was given {name}={shortened(given)}; give a row of numbers.")
            object.__setattr__(self, name, tuple(given))
            for value in given:
                unless_number("PiecewiseLinear", name, value, at_least=0)
        rising = all(a < b for a, b in itertools.pairwise(self.times))
        if len(self.rates) != len(self.times) or not rising:
            raise SettingError(
                f"PiecewiseLinear was given {len(self.rates)} rates for the times {shortened(self.times)}; give as many of "
                "both, and the times rising."
            )

    def __call__(self, epoch: Any) -> Any:
        """Learning rates at these times."""
        rates, times = (np.stack(x) if isinstance(x, tuple) else x for x in (self.rates, self.times))
        return np.interp(epoch, times, rates)


@dataclass(frozen=True)
class WarmUp(Schedule):
    """Linearly from 0 over the first `epochs`, then as `after` says from its own beginning on."""

    after: Any
    epochs: float = 1.0

    def __post_init__(self) -> None:
        as_schedule(self.after)
        Schedule.__post_init__(self)

    def __call__(self, epoch: Any) -> Any:
        """Learning rates at these times."""
        warm = np.clip(np.divide(epoch, self.epochs), 0.0, 1.0)
        return warm * as_schedule(self.after)(np.maximum(np.subtract(epoch, self.epochs), 0.0))


@dataclass(frozen=True)
class PlateauPosition:
    """Where an `OnPlateau` stands: the best metric, the epochs since without improvement, and the factor reached."""

    best: float = math.inf
    waited: int = 0
    scale: float = 1.0


@dataclass(frozen=True)
class OnPlateau(Schedule):
    """`rate`, multiplied by `factor` whenever `monitor` has not improved for `patience` epochs.

    Parameters
    ----------
    rate : float
        The first learning rate.
    factor : float
        Between 0 and 1.
    patience : int
        Epochs without improvement before the rate falls.
    monitor : str, optional
        A metric of the history; by default `val_loss` with validation data, `loss` without.
    minimum : float
        The rate falls no lower.

    Epochs whose metric is NaN or infinite are not counted.
    """

    rate: float
    factor: float = 0.1
    patience: int = 5
    monitor: str | None = None
    minimum: float = 0.0

    def __post_init__(self) -> None:
        SettingError.unless_count("OnPlateau", "patience", self.patience)
        unless_number("OnPlateau", "factor", self.factor, at_least=0, at_most=1)
        Schedule.__post_init__(self)

    def __call__(self, epoch: Any) -> Any:
        """The first learning rate; what has been seen so far lowers it during training."""
        return np.zeros(np.shape(epoch)) + self.rate

    def after(self, position: PlateauPosition, metric: float) -> PlateauPosition:
        """Where it stands after one more epoch, with this metric, the lower the better; one that is not finite says nothing."""
        if not math.isfinite(metric):
            return position
        better = metric < position.best
        waited = 0 if better else position.waited + 1
        falls = waited >= self.patience
        return PlateauPosition(
            metric if better else position.best,
            0 if falls else waited,
            position.scale * self.factor if falls else position.scale,
        )

    def bounded(self, scale: float) -> float:
        """The factor, kept from taking the rate below its minimum."""
        return max(scale, self.minimum / self.rate if self.rate else 0.0)

    def scale(self, metrics: list[float]) -> float:
        """What the rate is multiplied by after epochs with these metrics, the lower the better."""
        position = PlateauPosition()
        for metric in metrics:
            position = self.after(position, metric)
        return self.bounded(position.scale)


def as_schedule(given: Any) -> Any:
    """A schedule from a number, itself, or a plain function of the time in epochs."""
    if callable(given):
        return given
    if is_traced(given):
        return ConstantRate(given)
    if is_finite(given) and given >= 0:
        return ConstantRate(float(given))
    raise SettingError(
        f"{shortened(given)} is no learning rate; give a number that is not negative, or a schedule such as cr.Cosine."
    )


def plateau_of(given: Any) -> OnPlateau | None:
    """The `OnPlateau` in a schedule, also behind a warm-up; `None` where there is none."""
    while isinstance(given, WarmUp):
        given = given.after
    return given if isinstance(given, OnPlateau) else None
