"""The gradient on its way back: it vanishes, explodes, or does not arrive at all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from chainrule.explanation.backward import carry_back
from chainrule.explanation.diagnosis.illness import Finding, Illness
from chainrule.explanation.diagnosis.measures import Measures, norm
from chainrule.explanation.evaluation import Evaluation, double, has_derivative
from chainrule.explanation.sentences import listed, one_part, rounded, told
from chainrule.explanation.stations import Station
from chainrule.ops.operation import eager
from chainrule.tracing.interpreter import reinterpret
from chainrule.tracing.program import Variable

ROUNDING = 8.0
"""Units in the last place by which a sum in a layer may be off."""
FLAT = 'an activation whose slope is 1 where it is on: "relu", whose weights start by "he_normal"'
TOO_FAR = "z nearer to where the activation is steep: standardised inputs, smaller first weights or other first biases"
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
            "norm": norm(worst.dz),
            "norm_above": norm(way[-1].dz),
            "factors": {f.name: f.factor for f in steps},
            "factor_a_layer": factor,
            "act′_a_layer": slopes,
            "largest_act′": max(
                (float(np.abs(x.slopes).max()) for x in way[:-1] if x.slopes is not None), default=None
            ),
            "weights_a_layer": weights,
            "mean_act′": {f.name: f.mean_slope for f in steps if f.mean_slope is not None},
            "weights": _sizes(seen, way),
        }
        says = f"{worst.name} receives {_times(share)} the gradient of {way[-1].name}: ‖∂L/∂z‖ = "
        says += f"{told(evidence['norm'])} against {told(evidence['norm_above'])}"
        says += f", ×{told(factor)} a layer" if len(steps) > 1 else ""
        parts = []
        if slopes is not None:
            name = listed(dict.fromkeys(x.activation for x in way[:-1] if x.slopes is not None))
            mean = _mean([f.mean_slope for f in steps])
            parts.append(f"{name} makes ×{told(slopes)} of it (mean |{name}| = {told(mean or 0.0)})")
        if weights is not None:
            parts.append(f"the weights ×{told(weights)}{_told_sizes(evidence['weights'])}")
        return says + (f"; {', '.join(parts)}" if parts else "") + ".", evidence


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
            yield self.found(says, [x.name for x in low], self._remedy(evidence), **evidence)

    def _remedy(self, evidence: dict[str, Any]) -> str:
        slopes, weights = evidence["act′_a_layer"], evidence["weights_a_layer"]
        tried = []
        if slopes is not None and slopes < STEEP:
            tried.append(FLAT if evidence["largest_act′"] < STEEP else TOO_FAR)
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
            yield self.found(says, [x.name for x in high], self._remedy(evidence), **evidence)

    def _remedy(self, evidence: dict[str, Any]) -> str:
        slopes, weights = evidence["act′_a_layer"], evidence["weights_a_layer"]
        tried = ["gradients that are clipped: clip_norm=1.0"]
        if slopes is not None and slopes > 1 / STEEP:
            tried.insert(0, 'an activation whose slope is at most 1, such as "tanh"')
        if weights is not None and weights > 1:
            tried.insert(0, f"weights {max(1.5, rounded(weights)):g} times smaller at the start")
        return listed(tried)


@dataclass(frozen=True)
class NoGradient(Illness):
    """Parameters whose gradient is exactly 0, while the loss has one further up."""

    looks_for: ClassVar[str] = "parameters whose gradient is exactly 0"

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One for all such parameters, with the place where the gradient ends."""
        none = [p.name for p in seen.parameters if p.gradient == 0 and p.learned and not _cancels(seen, p.name)]
        if not none or not any(x.dz is not None and np.any(x.dz) for x in seen.stations if not x.above):
            return
        reason, remedy, evidence = self._end(seen, {name.rpartition(".")[0] for name in none})
        verb = "has" if len(none) == 1 else "have"
        yield self.found(f"{listed(none)} {verb} no gradient: {reason}.", none, remedy, **evidence)

    def _end(self, seen: Measures, layers: set[str]) -> tuple[str, str, dict[str, Any]]:
        """Why nothing comes: told of the last station, on the way back, at which something arrived from above."""
        for station in reversed(seen.stations):
            above = [x for x in station.above if x.dz is not None and np.any(x.dz)]
            if station.da is not None and np.any(station.da):
                if station.dz is None or not np.any(station.dz):
                    return (
                        f"{station.activation} = 0 in {station.name} at all units and samples",
                        'an activation that has a slope there, such as "tanh", or smaller first weights',
                        {"where": station.name, "mean_act′": 0.0},
                    )
            elif above and (station.dz is None or not np.any(station.dz)):
                w = seen.weights_of(above[0])
                if w is not None and not np.any(w):
                    return (
                        f"the weights of {above[0].name} are all 0, and ∂L/∂a of {station.name} is these times ∂L/∂z",
                        f'first weights of {above[0].layer} that are drawn at random, weight="glorot_uniform"',
                        {"where": above[0].name, "largest_weight": 0.0},
                    )
                return (
                    f"no derivative passes from {above[0].name} to {station.name}",
                    "a way that has derivatives: no comparisons, no rounding, no cr.stop_gradient",
                    {"where": above[0].name},
                )
        quiet = [x for x in seen.stations if x.layer in layers]
        if quiet and not any(x is not None and np.any(x) for x in (s.dz for s in quiet)):
            return (
                f"the loss does not depend on {quiet[-1].name} in a way that has a derivative",
                "a use of its result in the network's output, or frozen=… for what is not to learn",
                {"where": quiet[-1].name},
            )
        return (
            "what they are multiplied by is 0 for every sample",
            "inputs that are not 0, and fewer columns of zeros",
            {"where": sorted(layers)[0] if layers else ""},
        )


@dataclass(frozen=True)
class AtMinimum(Illness):
    """The gradients of samples cancel, to a share of their sizes, in every layer: no step lowers this loss any further."""

    looks_for: ClassVar[str] = "a loss that is at its minimum"
    mild: ClassVar[bool] = True
    share: float = 1e-4

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One, if it is so everywhere."""
        evaluation = seen.network.evaluation
        last = [x for x in seen.stations if not x.above and x.dz is not None]
        if not last or not math.isfinite(seen.loss):
            return
        fits = all(_is_rounding(evaluation, x) for x in last)
        shares = {}
        for station in seen.stations:
            name = f"{station.layer}.{station.made.weight}"
            if station.made.weight is None or station.dz is None or not station.dz.any():
                continue
            inputs = next(layer.inputs for layer in seen.network.layers if layer.layer == station.layer)
            size = math.hypot(*(norm(evaluation.precise(x)) for x in inputs)) * norm(station.dz)
            if size:
                shares[name] = norm(seen.gradient(name)) / size
            if station.made.bias is not None:
                bias = f"{station.layer}.{station.made.bias}"
                shares[bias] = norm(seen.gradient(bias)) / (math.sqrt(station.z.shape[0]) * norm(station.dz))
        if not fits and not (shares and max(shares.values()) < self.share):
            return
        total = math.hypot(*(p.gradient for p in seen.parameters))
        says = f"the gradient is 0 as far as can be told (all of it together {told(total)}): L = {told(seen.loss, 6)} is at a "
        says += "minimum, or a flat place"
        says += ", and no output could be nearer to its target" if fits else ", where the samples' gradients cancel"
        remedy = "nothing, if this loss is low enough; else other first weights (seed=1), or a larger network"
        yield self.found(f"{says}.", [], remedy, loss=seen.loss, gradient=total, shares=shares)


def _cancels(seen: Measures, name: str) -> bool:
    """Whether there are numbers other than 0 in the sum over samples that a gradient is, which is 0 by chance."""
    layer, _, own = name.rpartition(".")
    for station in seen.stations:
        if station.layer != layer or station.dz is None or own not in (station.made.weight, station.made.bias):
            continue
        units: Any = np.reshape(station.dz, (-1, station.units)).any(axis=1)
        given = [x for call in seen.network.layers if call.name == station.name for x in call.inputs]
        inputs = [np.reshape(seen.network.evaluation.precise(x), (len(units), -1)).any(axis=1) for x in given]
        if np.any(units & (np.logical_or.reduce(inputs) if own == station.made.weight else True)):
            return True
    return False


def _is_rounding(evaluation: Evaluation, last: Station) -> bool:
    """Whether ∂L/∂z of a last layer is 0, or so small that it changes by as much as it is where z moves by its rounding."""
    assert evaluation.output is not None
    size = norm(last.dz)
    moved = evaluation.precise(last.z) * (1.0 + ROUNDING * np.finfo(last.z.dtype).eps)
    with np.errstate(all="ignore"):
        values = reinterpret(evaluation.program, evaluation.precise_values, {last.z: moved}, constant=double)
        found = carry_back(
            eager, evaluation.program.equations, lambda x: values[x] if isinstance(x, Variable) else double(x.value),
            {evaluation.output: np.ones(evaluation.output.shape)[()]}, has_derivative,
        )  # fmt: skip
    return size <= norm(found.get(last.z, last.dz) - last.dz)


def _shares(seen: Measures, way_of: Any) -> dict[Station, float]:
    """For every station that is not the last of its way, its ‖∂L/∂z‖ as a share of that of the last."""
    found = {}
    for station in seen.stations:
        way = way_of(seen, station)
        if len(way) > 1 and station.dz is not None and way[-1].dz is not None and norm(way[-1].dz):
            found[station] = norm(station.dz) / norm(way[-1].dz)
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
            sizes[above.name] = {"w": size, "n": below.units, "w·√n": size * math.sqrt(below.units)}
    return sizes


def _times(share: float) -> str:
    return f"{one_part(share)} of" if share < 1 else f"{told(share)} times"


def _told_sizes(sizes: dict[str, dict[str, float]]) -> str:
    """Of the first of these."""
    for name, own in sizes.items():
        return f" (|w|·√n = {told(own['w'])}·√{own['n']:g} = {told(own['w·√n'])} in {name})"
    return ""
