"""The gradient on its way back: it vanishes, or explodes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from chainrule.explanation.diagnosis.illness import Finding, Illness
from chainrule.explanation.diagnosis.measures import Measures
from chainrule.explanation.sentences import listed, one_part, rounded, told
from chainrule.explanation.stations import Station

FLAT = 'an activation whose slope is 1 where it is on: "relu", with weights initialised by "he_normal"'
TOO_FAR = (
    "values of z where the activation is steep: standardised inputs, smaller initial weights or other initial biases"
)
STEEP = 0.5
"""An activation whose act′ leaves less than this of a gradient, layer by layer, is what makes it vanish."""


@dataclass(frozen=True)
class _Changing(Illness):
    """How the gradient at a station compares with the last hidden one, and by which factors it came about."""

    def _way(self, seen: Measures, station: Station) -> list[Station]:
        """From a station up to the last hidden one, or up to the last where none is hidden in between."""
        way = [station, *seen.way_up(station)]
        return way[:-1] if len(way) > 2 else way

    def _told(self, seen: Measures, worst: Station, share: float) -> tuple[str, dict[str, Any]]:
        """The sentence and its evidence."""
        way = self._way(seen, worst)
        steps = [seen.flow(x) for x in way[:-1]]
        factor = share ** (1 / len(steps))
        slopes = _mean([f.slopes for f in steps])
        weights = _mean([f.weights for f in steps])
        evidence = {
            "share": share,
            "of": way[-1].name,
            "norm": worst.size,
            "norm_above": way[-1].size,
            "factors": {f.name: f.factor for f in steps},
            "factor_a_layer": factor,
            "slope_a_layer": slopes,
            "largest_slope": max(
                (float(np.abs(x.slopes).max()) for x in way[:-1] if x.slopes is not None), default=None
            ),
            "weights_a_layer": weights,
            "mean_slopes": {f.name: f.mean_slope for f in steps if f.mean_slope is not None},
            "weights": _sizes(seen, way),
        }
        says = f"{worst.name} receives {_times(share)} the gradient of {way[-1].name}: ‖∂L/∂z‖ = "
        says += f"{told(evidence['norm'])} against {told(evidence['norm_above'])}"
        says += f", ×{told(factor)} per layer" if len(steps) > 1 else ""
        parts = []
        if slopes is not None:
            name = listed(dict.fromkeys(x.activation for x in way[:-1] if x.slopes is not None))
            mean = _mean([f.mean_slope for f in steps])
            parts.append(f"×{told(slopes)} from {name} (mean |{name}| = {told(mean or 0.0)})")
        if weights is not None:
            parts.append(f"×{told(weights)} from the weights{_told_sizes(evidence['weights'])}")
        return says + (f": {', '.join(parts)}" if parts else "") + ".", evidence


@dataclass(frozen=True)
class VanishingGradient(_Changing):
    """Less than a share of the last hidden layer's ∂L/∂z is left further down (Hochreiter 1991; Nielsen 2015, chapter 5)."""

    looks_for: ClassVar[str] = "a layer that receives less than a tenth of the gradient of those above it"
    share: float = 0.1

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One for all layers that are below the share, told of the one that receives least."""
        shares = _shares(seen, self._way)
        low = {x: share for x, share in shares.items() if 0 < share < self.share}
        if low:
            worst = min(low, key=lambda x: low[x])
            says, evidence = self._told(seen, worst, low[worst])
            yield self.found(says, [x.name for x in low], self._remedy(evidence), evidence)

    def _remedy(self, evidence: dict[str, Any]) -> str:
        slopes, weights = evidence["slope_a_layer"], evidence["weights_a_layer"]
        tried = []
        if slopes is not None and slopes < STEEP:
            tried.append(FLAT if evidence["largest_slope"] < STEEP else TOO_FAR)
        if weights is not None and weights < STEEP:
            tried.append(f"weights about {rounded(1 / weights):g} times as large at the start")
        return listed(tried or ["fewer layers, or a path around them: x + layer(x)"])


@dataclass(frozen=True)
class ExplodingGradient(_Changing):
    """Further down ∂L/∂z is many times that of the last hidden layer (Bengio, Simard and Frasconi 1994)."""

    looks_for: ClassVar[str] = "a layer that receives more than ten times the gradient of those above it"
    times: float = 10.0

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One for all layers that are beyond the bound, told of the one that receives most."""
        shares = _shares(seen, self._way)
        high = {x: share for x, share in shares.items() if self.times < share < math.inf}
        if high:
            worst = max(high, key=lambda x: high[x])
            says, evidence = self._told(seen, worst, high[worst])
            yield self.found(says, [x.name for x in high], self._remedy(evidence), evidence)

    def _remedy(self, evidence: dict[str, Any]) -> str:
        slopes, weights = evidence["slope_a_layer"], evidence["weights_a_layer"]
        tried = ["gradients that are clipped: clip_norm=1.0"]
        if slopes is not None and slopes > 1 / STEEP:
            tried.insert(0, 'an activation whose slope is at most 1, such as "tanh"')
        if weights is not None and weights > 1:
            tried.insert(0, f"weights {max(1.5, rounded(weights)):g} times smaller at the start")
        return listed(tried)


def _shares(seen: Measures, way_of: Any) -> dict[Station, float]:
    """For every station that is not the last of its way, its ‖∂L/∂z‖ as a share of that of the last."""
    found = {}
    for station in seen.stations:
        way = way_of(seen, station)
        if len(way) > 1 and station.size is not None and way[-1].size:
            found[station] = station.size / way[-1].size
    return found


def _mean(factors: list[float | None]) -> float | None:
    """The geometric mean of those there are: what makes their product, taken as often."""
    given = [x for x in factors if x is not None and x > 0]
    return math.exp(math.fsum(map(math.log, given)) / len(given)) if given else None


def _sizes(seen: Measures, way: list[Station]) -> dict[str, dict[str, float]]:
    """Of the layers above that have weights of neurons: the size of a weight, the number n of units it comes from, and w·√n."""
    sizes = {}
    for below, above in pairwise(way):
        w = seen.weights_of(above)
        if w is not None and w.size:
            size = float(np.sqrt(np.mean(np.square(np.asarray(w, np.float64)))))
            sizes[above.name] = {"w": size, "n": below.units, "w_root_n": size * math.sqrt(below.units)}
    return sizes


def _times(share: float) -> str:
    return f"{one_part(share)} of" if share < 1 else f"{told(share)} times"


def _told_sizes(sizes: dict[str, dict[str, float]]) -> str:
    """Of the first of these."""
    for name, own in sizes.items():
        return f" (|w|·√n = {told(own['w'])}·√{own['n']:g} = {told(own['w_root_n'])} in {name})"
    return ""
