"""Mistakes on the way back: their gradients are computed by a pass that makes them, and then compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any, ClassVar

import numpy as np

from chainrule.explanation.comparison.mistake import Given, Hypothesis, Mistake, groups_of, of_pass
from chainrule.explanation.comparison.passes import (
    added,
    as_one,
    at_a,
    carried,
    of_z_as_a,
    through_unit,
    twice,
    uses_of,
    with_slopes,
    with_updated_weights,
)
from chainrule.explanation.evaluations.evaluation import Evaluation, double
from chainrule.explanation.sentences import listed, told
from chainrule.explanation.stations import Station
from chainrule.tracing.interpreter import reinterpret
from chainrule.tracing.program import Variable

MOST_UNITS, MOST_PATHS = 64, 200
"""Units of a layer, and paths in all, up to which it is looked whether one was left out."""


@dataclass(frozen=True)
class _OtherSlope(Mistake):
    """Something else in the place of act′(z), in one layer or in all."""

    words: ClassVar[str]
    remedy: ClassVar[str]
    slope: ClassVar[staticmethod[[Station], Any]]

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """For all layers, for all but the last, and for each."""
        for stations in groups_of(given.stations):
            found = with_slopes(given.evaluation, stations, self.slope)
            if found is not None:
                names = listed(x.name for x in reversed(stations))
                acts = listed(dict.fromkeys(x.activation for x in stations))
                yield Hypothesis(
                    f"what comes out {self.words.format(act=acts, where=names)}",
                    self.remedy,
                    of_pass(given, found),
                    evidence={"layers": [x.name for x in stations]},
                )


@dataclass(frozen=True)
class MissingSlope(_OtherSlope):
    """δ = ∂L/∂a in place of ∂L/∂a · act′(z)."""

    words: ClassVar[str] = "without {act} in {where}, δ = ∂L/∂a"
    remedy: ClassVar[str] = "Multiply by the derivative of the activation, δ = ∂L/∂a · act′(z)"
    slope: ClassVar[staticmethod[[Station], Any]] = staticmethod(as_one)


@dataclass(frozen=True)
class SlopeTwice(_OtherSlope):
    """δ = ∂L/∂a · act′(z)²: as where softmax or σ with cross-entropy gives a − t, and act′ is multiplied by once more."""

    words: ClassVar[str] = "with {act} twice in {where}, δ = ∂L/∂a · act′(z)²"
    remedy: ClassVar[str] = "Multiply by act′ once; with cross-entropy ∂L/∂z = a − t already contains it"
    slope: ClassVar[staticmethod[[Station], Any]] = staticmethod(twice)


@dataclass(frozen=True)
class SlopeAtActivation(_OtherSlope):
    """act′(a) in place of act′(z)."""

    words: ClassVar[str] = "with {act} taken at a instead of z in {where}"
    remedy: ClassVar[str] = "Take act′ at z, the value before the activation"
    slope: ClassVar[staticmethod[[Station], Any]] = staticmethod(at_a)


@dataclass(frozen=True)
class SlopeOfLinear(_OtherSlope):
    """z(1 − z) in place of a(1 − a), 1 − z² in place of 1 − a²: the derivative in terms of a, with z put in."""

    words: ClassVar[str] = "with z put in for a in {act} of {where}, as in z(1 − z)"
    remedy: ClassVar[str] = "Put in a: a(1 − a) for σ, 1 − a² for tanh"
    slope: ClassVar[staticmethod[[Station], Any]] = staticmethod(of_z_as_a)


@dataclass(frozen=True)
class UpdatedWeights(Mistake):
    """δ is carried back through weights that have been updated already (a slip of Mazur's readers: update first, then go on)."""

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """With the learning rate that was said, or with the one that fits the first wrong gradient, which depends on it linearly."""
        own = list(given.parameters.values())
        fitted = given.rate is None
        rate = self._fitted(given, own) if fitted else given.rate
        if rate is None:
            return
        found = with_updated_weights(given.evaluation, own, rate)
        yield Hypothesis(
            f"what comes out when weights are updated (learning rate {told(rate, 6)}) before the gradient passes them",
            "Compute all gradients first, with the weights of the forward pass, and then update all",
            of_pass(given, found),
            2 if fitted else 0,
            {"learning_rate": rate},
        )

    def _fitted(self, given: Given, own: list[Variable]) -> float | None:
        unit = with_updated_weights(given.evaluation, own, 1.0)
        for name in given.wrong:
            mine, right = given.mine[name], given.right(name)
            change = given.of(unit, name) - right
            if mine.shape == right.shape and np.isfinite(mine).all() and not given.same(name, change + right, right):
                rate = float(np.vdot(change, mine - right) / np.vdot(change, change))
                return rate if rate > 0 else None
        return None


@dataclass(frozen=True)
class AfterUpdate(Mistake):
    """The gradient at the parameters after the step."""

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """If a learning rate was said."""
        if given.rate is None:
            return
        evaluation = given.evaluation
        rate = given.rate
        learned = [x for x in given.parameters.values() if x in evaluation.cotangents]
        changed = {x: evaluation.precise(x) - rate * evaluation.cotangents[x] for x in learned}
        values = reinterpret(evaluation.program, evaluation.precise_values, changed, constant=double)
        after = Evaluation(evaluation.program, values, evaluation.names).backward(evaluation.output)
        yield Hypothesis(
            f"the gradient at the parameters after a step with learning rate {rate:g}",
            "Compute it before the update",
            of_pass(given, after.cotangents),
            evidence={"learning_rate": rate},
        )


@dataclass(frozen=True)
class WrongPenalty(Mistake):
    """What comes by way of no sample, the gradient of a penalty such as ½·l2·Σw², is left out, or there twice."""

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """Without it, and with it twice."""
        whole = given.evaluation.cotangents
        data = carried(given.evaluation, given.frontier) if given.samples else whole
        penalty = added(whole, data, -1.0)
        if any(not given.same(name, given.of(data, name), given.right(name)) for name in given.names):
            ways = {
                "is missing": (data, "Add its gradient, l1·sign(w) + l2·w"),
                "counts twice": (added(whole, penalty), "The gradient of ½·l2·w² is l2·w"),
            }
            for way, (found, remedy) in ways.items():
                yield Hypothesis(f"the penalty (l1, l2) {way}", remedy, of_pass(given, found))


@dataclass(frozen=True)
class ForgottenPath(Mistake):
    """The sum over paths without one of them: an output, a unit, a use of a value or of a shared layer; or one of them alone."""

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """By outputs, by uses, by units, up to 200 in all."""
        whole = given.evaluation.cotangents
        ways = chain(self._outputs(given), self._uses(given), self._units(given))
        for way, part, several in islice(ways, MOST_PATHS):
            evidence = {"path": way}
            remedy = "Add up all paths, ∂L/∂a_j = Σ_k w_jk·δ_k"
            yield Hypothesis(
                f"the path by way of {way} is missing",
                remedy,
                of_pass(given, added(whole, part, -1.0)),
                evidence=evidence,
            )
            if several:
                yield Hypothesis(
                    f"only the path by way of {way} is there", remedy, of_pass(given, part), evidence=evidence
                )

    def _outputs(self, given: Given) -> Iterator[tuple[str, dict[Variable, Any], bool]]:
        for x in given.outputs:
            units = x.shape[-1]
            if 1 < units <= MOST_UNITS:
                for k in range(units):
                    yield f"{given.evaluation.label(x)}[{k}]", through_unit(given.evaluation, x, k), units > 2

    def _uses(self, given: Given) -> Iterator[tuple[str, dict[Variable, Any], bool]]:
        evaluation = given.evaluation
        for x in [*given.parameters.values(), *(y for y in evaluation.names if y in evaluation.makers)]:
            uses = uses_of(evaluation, x)
            if len(uses) > 1:
                for equation, part in uses:
                    way = f"{_next_name(evaluation, equation.output)}, a use of {evaluation.label(x)}"
                    yield way, carried(evaluation, {x: part}), len(uses) > 2

    def _units(self, given: Given) -> Iterator[tuple[str, dict[Variable, Any], bool]]:
        for station in given.stations:
            if station.z not in given.outputs and station.a not in given.outputs and 1 < station.units <= MOST_UNITS:
                for j in range(station.units):
                    yield f"{station.name}[{j}]", through_unit(given.evaluation, station.z, j), False


@dataclass(frozen=True)
class LeftOutSample(Mistake):
    """The sum over samples without one of them, divided by all or by the others."""

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """Each sample."""
        whole = given.evaluation.cotangents
        for n, part in enumerate(given.by_sample):
            rest = added(whole, part, -1.0)
            share = given.rows / (given.rows - 1)
            remedy = f"Add up all {given.rows} rows"
            yield Hypothesis(f"sample {n} is missing", remedy, of_pass(given, rest), evidence={"sample": n})
            scaled = {x: share * g for x, g in rest.items()}
            yield Hypothesis(
                f"sample {n} is missing, and the mean is over the other {given.rows - 1}",
                remedy,
                of_pass(given, scaled),
                evidence={"sample": n},
            )


@dataclass(frozen=True)
class OneSample(Mistake):
    """The gradient of one sample alone, divided by the number of samples or not."""

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """Each sample."""
        for n, part in enumerate(given.by_sample):
            for factor, said in ((1.0, f", divided by {given.rows}"), (float(given.rows), "")):
                own = {x: factor * g for x, g in part.items()}
                yield Hypothesis(
                    f"the gradient of sample {n} alone{said}",
                    f"Add up all {given.rows} rows, as delta.sum(axis=0)",
                    of_pass(given, own),
                    evidence={"sample": n},
                )


@dataclass(frozen=True)
class NotSummed(Mistake):
    """A gradient for every sample, where their sum was to be taken."""

    def hypotheses(self, given: Given) -> Iterator[Hypothesis]:
        """Divided by the number of samples or not."""
        for factor in (1.0, float(given.rows)):
            yield Hypothesis(
                f"a gradient for each of the {given.rows} samples",
                f"Take their {'sum' if factor == 1.0 else 'mean'} over the first axis",
                partial(self._stacked, given, factor),
            )

    def _stacked(self, given: Given, factor: float, name: str) -> Any:
        if np.shape(given.mine[name])[:1] != (given.rows,) or not given.by_sample or name not in given.parameters:
            return None
        return factor * np.stack([given.of(part, name) for part in given.by_sample])


def _next_name(evaluation: Evaluation, x: Variable) -> str:
    """What a variable goes by, or else the first that does on the way from it to the loss."""
    while x not in evaluation.names and not evaluation.labels[x].tells:
        further = [e.output for e, _ in evaluation.uses[x] if evaluation.cotangent(e.output) is not None]
        if not further:
            break
        x = further[0]
    return evaluation.label(x)
