"""The step that is taken: too large or too small for the weights, or of inputs on very different scales."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.explanation.diagnosis.illness import Finding, Illness
from chainrule.explanation.diagnosis.measures import Measures, ParameterMeasures, norm
from chainrule.explanation.sentences import listed, rounded, told


@dataclass(frozen=True)
class _Moved(Illness):
    """How far weights move in one step, as a share of their own size; a thousandth is the rule of thumb (CS231n)."""

    def _ratios(self, seen: Measures) -> dict[ParameterMeasures, float]:
        """‖ΔW‖/‖W‖ of everything learned that is no bias and has a gradient."""
        return {
            p: p.update_ratio
            for p in seen.parameters
            if p.learned and not p.is_bias and p.gradient and p.update_ratio is not None
        }

    def _told(
        self, seen: Measures, ratios: dict[ParameterMeasures, float], worst: ParameterMeasures, rate: float
    ) -> Finding:
        ratio = ratios[worst]
        names = [p.name for p in ratios]
        others = f" (others: {listed(n for n in names if n != worst.name)})" if len(names) > 1 else ""
        says = (
            f"{worst.name} moves by {told(ratio)} of its own size in one step{others}: ‖ΔW‖/‖W‖ = {told(worst.update)}/"
            f"{told(worst.size)} with {seen.optimizer} at η = {seen.rate:g}; about 0.001 is typical."
        )
        evidence = {
            "ratios": {p.name: r for p, r in ratios.items()},
            "learning_rate": seen.rate,
            "suggested_learning_rate": rate,
        }
        return self.found(says, names, f"learning_rate={rate:g} instead of {seen.rate:g}", evidence)


@dataclass(frozen=True)
class LargeUpdate(_Moved):
    """‖ΔW‖/‖W‖ above a bound: what was learned is thrown over."""

    looks_for: ClassVar[str] = "steps that move weights by more than a tenth of their size"
    ratio: float = 0.1

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One, with a rate at which the largest move is a hundredth."""
        large = {p: r for p, r in self._ratios(seen).items() if r > self.ratio and math.isfinite(r)}
        if large:
            worst = max(large, key=lambda p: large[p])
            yield self._told(seen, large, worst, rounded(seen.rate * 0.01 / large[worst]))


@dataclass(frozen=True)
class SmallUpdate(_Moved):
    """‖ΔW‖/‖W‖ below a bound in every weight: nothing will change in a reasonable time."""

    looks_for: ClassVar[str] = "steps that move no weight by more than a hundred-thousandth of its size"
    ratio: float = 1e-5

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One, with a rate at which the largest move is a thousandth; not where the gradients of samples cancel."""
        small = self._ratios(seen)
        if not small or not max(small.values()) < self.ratio:
            return
        best = max(small, key=lambda p: small[p])
        if small[best] > 0:
            yield self._told(seen, small, best, rounded(seen.rate * 0.001 / small[best]))


@dataclass(frozen=True)
class UnevenFeatures(Illness):
    """Features whose largest values differ by a factor: one rate cannot suit the weights of both (LeCun et al. 1998)."""

    looks_for: ClassVar[str] = "features on very different scales"
    times: float = 100.0

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One for every layer that is given such data."""
        evaluation = seen.network.evaluation
        data = [x for x in evaluation.program.inputs if x in evaluation.samples and x.dtype.kind == "f"]
        for layer in seen.network.layers:
            for x in layer.inputs:
                if x not in data or len(x.shape) != 2 or x.shape[0] < 2:
                    continue
                sizes = np.abs(evaluation.precise(x)).max(axis=0)
                used = np.flatnonzero(sizes)
                if not len(used) or sizes.max() <= self.times * sizes[used].min():
                    continue
                high, low = int(sizes.argmax()), int(used[sizes[used].argmin()])
                name = evaluation.label(x)
                says = (
                    f"{name}[{high}] reaches {told(float(sizes[high]))} and {name}[{low}] only {told(float(sizes[low]))}, a factor "
                    f"of {told(float(sizes[high] / sizes[low]))}{self._slopes(seen, layer, high, low)}."
                )
                remedy = "inputs that are standardised: (X - X.mean(axis=0)) / X.std(axis=0)"
                evidence = {"largest_values": sizes.tolist(), "largest": high, "smallest": low, "layer": layer.name}
                yield self.found(says, [f"{name}[{high}]", f"{name}[{low}]"], remedy, evidence)

    def _slopes(self, seen: Measures, layer: Any, high: int, low: int) -> str:
        """What it does to the gradients of the weights that the two features have."""
        if layer.made.weight is None or len(layer.inputs) != 1:
            return ""
        gradient = np.moveaxis(seen.gradient(f"{layer.layer}.{layer.made.weight}"), layer.made.units, -1)
        large, small = norm(gradient[high]), norm(gradient[low])
        return f"; the gradients of their weights in {layer.name} are {told(large)} and {told(small)} long"
