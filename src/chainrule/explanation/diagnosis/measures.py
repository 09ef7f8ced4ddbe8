"""What the doctor measures of one training step: at every station, of every parameter, and what the step does to it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.explanation.evaluations.networks import NetworkEvaluation
from chainrule.explanation.stations import Station, stations_of
from chainrule.nn.parameters import Parameters, flat_names


def norm(x: Any) -> float:
    """The root of the sum of squares, of all numbers of an array."""
    return float(np.linalg.norm(np.ravel(x)))


@dataclass(frozen=True)
class Flow:
    """How much of the gradient is left at one station, and why.

    `dz`, `da` are ‖∂L/∂z‖ and ‖∂L/∂a‖ over all samples and units. `factor` is ‖∂L/∂z‖ divided by that of the stations `above`; it
    is the product of `slopes`, ‖∂L/∂z‖/‖∂L/∂a‖ (what act′ does to it), and `weights`, ‖∂L/∂a‖/‖∂L/∂z above‖ (what the way through
    their weights does). `mean_slope` is the mean of |act′(z)|. `None` where there is no such thing.
    """

    station: Station
    dz: float | None
    da: float | None
    mean_slope: float | None
    slopes: float | None
    weights: float | None
    factor: float | None

    @property
    def name(self) -> str:
        """Of the station."""
        return self.station.name

    @property
    def above(self) -> tuple[str, ...]:
        """Where the gradient comes from."""
        return tuple(station.name for station in self.station.above)


@dataclass(frozen=True)
class ParameterMeasures:
    """One parameter: ‖W‖, ‖∂L/∂W‖, and the length of the step that is taken with it; `learned` unless it is frozen."""

    name: str
    size: float
    gradient: float
    update: float
    learned: bool
    is_bias: bool

    @property
    def gradient_ratio(self) -> float | None:
        """‖∂L/∂W‖/‖W‖."""
        return self.gradient / self.size if self.size else None

    @property
    def update_ratio(self) -> float | None:
        """‖ΔW‖/‖W‖, of the step that `fit` would take."""
        return self.update / self.size if self.size else None


@dataclass(frozen=True, eq=False)
class Measures:
    """One training step as the doctor sees it: the evaluated network, and its parameters before and after the step."""

    network: NetworkEvaluation
    before: Parameters
    after: Parameters
    frozen: frozenset[str]
    biases: frozenset[str]
    rate: float
    optimizer: str

    @cached_property
    def loss(self) -> float:
        """L."""
        return float(np.asarray(self.network.evaluation.value(self.network.loss))) if self.network.loss else math.nan

    @cached_property
    def rows(self) -> int:
        """How many samples there are."""
        return next((x.shape[0] for x in self.network.evaluation.samples), 1)

    @cached_property
    def stations(self) -> list[Station]:
        """Where the gradient passes, in the order of the forward pass."""
        return stations_of(self.network)

    @cached_property
    def flows(self) -> list[Flow]:
        """How much of the gradient is left at each station."""
        with np.errstate(all="ignore"):
            return [_flow(station) for station in self.stations]

    def flow(self, station: Station) -> Flow:
        """That of a station."""
        return next(flow for flow in self.flows if flow.station is station)

    def gradient(self, name: str) -> Any:
        """∂L by a parameter, 0 where nothing comes."""
        found = self.network.evaluation.cotangent(self.network.known[name])
        return np.zeros(self.network.known[name].shape) if found is None else found

    @cached_property
    def parameters(self) -> list[ParameterMeasures]:
        """Every parameter, in order."""
        before, after = flat_names(self.before), flat_names(self.after)
        with np.errstate(all="ignore"):
            return [
                ParameterMeasures(
                    name,
                    norm(np.asarray(value, np.float64)),
                    norm(self.gradient(name)),
                    norm(np.asarray(after[name], np.float64) - value),
                    name not in self.frozen,
                    name in self.biases,
                )
                for name, value in before.items()
            ]

    def weights_of(self, station: Station) -> Any:
        """The weights of a station's neurons, `None` where there are none that are known as such."""
        name = f"{station.layer}.{station.made.weight}"
        return None if station.made.weight is None else flat_names(self.before).get(name)

    def way_up(self, station: Station) -> Iterator[Station]:
        """The stations above, one after the other, by the one that gives the most."""
        seen = {station.name}
        while station.above:
            station = max(station.above, key=lambda x: -1.0 if x.size is None else x.size)
            if station.name in seen:
                return
            seen.add(station.name)
            yield station


def _flow(station: Station) -> Flow:
    dz, da = station.size, None if station.da is None else norm(station.da)
    slopes = station.slopes
    given = [x.size for x in station.above if x.size is not None]
    above = math.hypot(*given) if given else 0.0
    has_slopes = slopes is not None and dz is not None and da is not None and da > 0
    return Flow(
        station,
        dz,
        da,
        None if slopes is None else float(np.mean(np.abs(slopes))),
        dz / da if has_slopes and dz is not None and da else None,
        da / above if above and da is not None else None,
        dz / above if above and dz is not None else None,
    )
