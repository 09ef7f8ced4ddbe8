"""What a mistake is: a declaration that computes the gradients it would give, to be compared with those that were given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.explanation.comparison.passes import Cotangents, frontier_of, in_double_precision, through_sample
from chainrule.explanation.comparison.rounding import Rounding
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.stations import Station
from chainrule.tracing.program import Variable

AMPLIFIED = 4.0
"""How many times what rounding did to the right gradient it may do to the other one."""
MOST_STATIONS = 50
"""Calls of layers up to which each is thought of by itself; steps of a long loop are not."""
MOST_SAMPLES = 256
"""Rows up to which it is looked at what each of them adds."""


@dataclass(frozen=True, eq=False)
class Given:
    """Gradients that were given, by name, beside the evaluation that has the right ones.

    `names` go from the output to the input, in the order of the backward pass; `parameters` are those of the loss, `biases` of
    them those that are added only; `stations` where there is an activation, from the last to the first; `outputs` the variables
    that the loss takes from the network. `samples` are the variables whose rows are samples; `rate` a learning rate, if one was
    said. Two gradients are the same when they differ by less than the `tolerance` of this precision, as a share of the
    largest number in them.
    """

    evaluation: Evaluation
    names: Mapping[str, Variable]
    mine: Mapping[str, Any]
    parameters: Mapping[str, Variable]
    biases: frozenset[str]
    stations: tuple[Station, ...]
    outputs: tuple[Variable, ...]
    samples: frozenset[Variable]
    rate: float | None
    precision: Rounding

    @property
    def tolerance(self) -> float:
        """The share of the largest number by which gradients may differ."""
        return self.precision.tolerance

    def right(self, name: str) -> Any:
        """The gradient as it should be."""
        return self.of(self.evaluation.cotangents, name)

    def of(self, cotangents: Cotangents, name: str) -> Any:
        """What a backward pass gives for a name; 0 where nothing arrives."""
        x = self.names[name]
        return np.asarray(cotangents.get(x, np.zeros(x.shape)))

    @cached_property
    def largest(self) -> float:
        """The largest number in the right gradient."""
        return max((float(np.abs(self.right(name)).max(initial=0.0)) for name in self.names), default=0.0)

    def same(self, name: str, a: Any, b: Any) -> bool:
        """Whether two gradients of one name agree to rounding."""
        if np.shape(a) != np.shape(b) or not (np.isfinite(a).all() and np.isfinite(b).all()):
            return False
        return bool(np.abs(a - b).max(initial=0.0) <= self.bound(name, b))

    def bound(self, name: str, other: Any = 0.0) -> float:
        """How far two gradients of one name may be apart by rounding."""
        return self.tolerance * self.scale(name, other) + AMPLIFIED * self.rounding.get(name, 0.0)

    @cached_property
    def rounding(self) -> Mapping[str, float]:
        """How far the right gradients are from those of a pass in double precision: what rounding does to them here.

        Nothing where the pass was in double precision; much where a unit is saturated, and 1 − a² is left of an a that was rounded.
        """
        evaluation = self.evaluation
        if evaluation.precise_values is evaluation.values:
            return {}
        whole = in_double_precision(evaluation)
        return {name: float(np.abs(self.of(whole, name) - self.right(name)).max(initial=0.0)) for name in self.names}

    def scale(self, name: str, other: Any = 0.0) -> float:
        """The size of numbers that rounding is measured by."""
        sizes = [float(np.abs(x).max(initial=0.0)) for x in (self.right(name), np.asarray(other))]
        return max(*sizes, 1e-4 * self.largest)

    def is_right(self, name: str) -> bool:
        """Whether what was given is right."""
        return self.same(name, self.mine[name], self.right(name))

    @cached_property
    def wrong(self) -> list[str]:
        """The names whose gradient is not right, the one nearest to the output first."""
        return [name for name in self.names if not self.is_right(name)]

    @cached_property
    def rows(self) -> int:
        """How many samples there are."""
        return next((x.shape[0] for x in self.samples), 1)

    @cached_property
    def by_sample(self) -> list[Cotangents]:
        """What every sample adds to the gradient; empty for a single one, and for very many."""
        if not 1 < self.rows <= MOST_SAMPLES:
            return []
        return [through_sample(self.evaluation, self.frontier, n) for n in range(self.rows)]

    @cached_property
    def frontier(self) -> Cotangents:
        """∂L by the last values that belong to single samples."""
        return frontier_of(self.evaluation, self.samples)


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One way to go wrong: what it would give for a name (`None`: it says nothing of it), how it is told, and what to do.

    `unknowns` numbers were chosen so that it fits, which must be fewer than the numbers that it then explains.
    """

    says: str
    remedy: str
    gives: Callable[[str], Any]
    unknowns: int = 0
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mistake:
    """A way in which gradients are got wrong."""

    def hypotheses(self, given: Given) -> Iterable[Hypothesis]:
        """What could have been done, with the gradients that come of it."""
        raise SettingError(f"{type(self).__name__} has no hypotheses(given); write one.")


def of_pass(given: Given, cotangents: Cotangents | None) -> Callable[[str], Any]:
    """What a backward pass gives for each name."""
    return lambda name: None if cotangents is None else given.of(cotangents, name)


def groups_of(stations: tuple[Station, ...]) -> Iterator[tuple[Station, ...]]:
    """All stations together, all but the last, and each by itself unless they are very many; the last come first in each."""
    if len(stations) > 1:
        yield stations
    if len(stations) > 2:
        yield stations[1:]
    if len(stations) <= MOST_STATIONS:
        yield from ((station,) for station in stations)
