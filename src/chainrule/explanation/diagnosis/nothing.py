"""No gradient: parameters that it does not reach, and a loss that is at its minimum."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.explanation.diagnosis.illness import Finding, Illness
from chainrule.explanation.diagnosis.measures import Measures, norm
from chainrule.explanation.evaluations.backward import carry_back
from chainrule.explanation.evaluations.evaluation import Evaluation, double, has_derivative
from chainrule.explanation.sentences import listed, told
from chainrule.explanation.stations import Station
from chainrule.ops.operation import eager
from chainrule.tracing.interpreter import reinterpret
from chainrule.tracing.program import Variable

ROUNDING = 8.0
"""Units in the last place by which a sum in a layer may be off."""


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
        yield self.found(f"{listed(none)} {verb} no gradient: {reason}.", none, remedy, evidence)

    def _end(self, seen: Measures, layers: set[str]) -> tuple[str, str, dict[str, Any]]:
        """Why nothing comes: told of the last station, on the way back, at which something arrived from above."""
        for station in reversed(seen.stations):
            above = [x for x in station.above if x.dz is not None and np.any(x.dz)]
            if station.da is not None and np.any(station.da):
                if station.dz is None or not np.any(station.dz):
                    return (
                        f"{station.activation} = 0 in {station.name} at all units and samples",
                        'an activation that has a slope there, such as "tanh", or smaller initial weights',
                        {"where": station.name, "mean_slope": 0.0},
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
                    "a path that has derivatives: no comparisons, no rounding, no cr.stop_gradient",
                    {"where": above[0].name},
                )
        quiet = [x for x in seen.stations if x.layer in layers]
        if quiet and not any(x is not None and np.any(x) for x in (s.dz for s in quiet)):
            return (
                f"the loss does not depend on {quiet[-1].name} in a way that has a derivative",
                "using its result in the network's output, or frozen=… for parameters that should not learn",
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
            if station.made.weight is None or not station.size:
                continue
            inputs = next(layer.inputs for layer in seen.network.layers if layer.layer == station.layer)
            size = math.hypot(*(norm(evaluation.precise(x)) for x in inputs)) * station.size
            if size:
                shares[name] = norm(seen.gradient(name)) / size
            if station.made.bias is not None:
                bias = f"{station.layer}.{station.made.bias}"
                shares[bias] = norm(seen.gradient(bias)) / (math.sqrt(station.z.shape[0]) * station.size)
        if not fits and not (shares and max(shares.values()) < self.share):
            return
        total = math.hypot(*(p.gradient for p in seen.parameters))
        says = f"the gradient is 0 to rounding (the norm of all of it {told(total)}): L = {told(seen.loss, 6)} is at a "
        says += "minimum, or a flat place"
        says += ", and no output could be nearer to its target" if fits else ", where the samples' gradients cancel"
        remedy = "other initial weights (seed=1) or a larger network, unless this loss is low enough"
        yield self.found(f"{says}.", [], remedy, {"loss": seen.loss, "gradient": total, "shares": shares})


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
    size = last.size or 0.0
    moved = evaluation.precise(last.z) * (1.0 + ROUNDING * np.finfo(last.z.dtype).eps)
    with np.errstate(all="ignore"):
        values = reinterpret(evaluation.program, evaluation.precise_values, {last.z: moved}, constant=double)
        found = carry_back(
            eager, evaluation.program.equations, lambda x: values[x] if isinstance(x, Variable) else double(x.value),
            {evaluation.output: np.ones(evaluation.output.shape)[()]}, has_derivative,
        )  # fmt: skip
    return size <= norm(found.get(last.z, last.dz) - last.dz)
