"""Units that do not learn: dead ones, saturated ones, and several that are the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.explanation.diagnosis.illness import Finding, Illness
from chainrule.explanation.diagnosis.measures import Measures
from chainrule.explanation.sentences import listed, rounded, told
from chainrule.explanation.stations import Station
from chainrule.nn.parameters import flat_names


def _rows(x: Any) -> Any:
    """A row for every sample and place, a column for every unit."""
    return np.reshape(x, (-1, np.shape(x)[-1]))


def _off(station: Station) -> Any:
    """Where a unit is off: a = 0 and act′ = 0, as of relu below 0."""
    return (_rows(station.evaluation.precise(station.a)) == 0) & (_rows(station.slopes) == 0)


def _watched(seen: Measures) -> Iterator[Station]:
    """Stations whose units have slopes of their own and get a gradient through them."""
    for station in seen.stations:
        if (
            station.slopes is not None
            and station.dz is not None
            and station.da is not None
            and len(station.z.shape) > 1
        ):
            yield station


@dataclass(frozen=True)
class DeadUnits(Illness):
    """a = 0 and act′ = 0 on every sample: the unit adds nothing, and its weights get no gradient. Not asked of a single sample.

    Less than `share` of a layer's units is mild: relu has some from the beginning.
    """

    looks_for: ClassVar[str] = "units that are off on every sample"
    share: float = 0.25

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One for every layer with such units."""
        for station in _watched(seen):
            off = _off(station)
            dead = np.flatnonzero(off.all(axis=0))
            if len(off) < 2 or not len(dead):
                continue
            names, act = [f"{station.name}[{j}]" for j in dead], station.activation
            highest = _rows(seen.network.evaluation.precise(station.z))[:, dead].max(axis=0)
            share = len(dead) / station.units
            says = (
                f"{listed(names)} {_are(names)} dead, {len(dead)} of {station.units} units: a = 0 and {act} = 0 on all "
                f"{seen.rows:,} samples (the highest z is {told(float(highest.max()))}), so that no gradient reaches "
                f"{'its' if len(names) == 1 else 'their'} weights."
            )
            remedy = (
                f'"leaky_relu" in {station.layer or station.name}, whose slope is 0.01 where relu\'s is 0, a smaller learning rate, '
                f"or biases that are {told(float(-highest.min()), 1)} higher"
            )
            mild = share < self.share
            evidence = {"layer": station.name, "share": share, "highest_z": highest.tolist(), "samples": seen.rows}
            yield self.found(says, names, remedy, evidence, mild)


@dataclass(frozen=True)
class SaturatedUnits(Illness):
    """|act′(z)| < `slope` on a share of `samples` or more, where the unit is not off: there act is flat, and little comes through.

    σ′ < 0.005 where |z| > 5.3, tanh′ < 0.005 where |z| > 3.3.
    """

    looks_for: ClassVar[str] = "units whose activation is flat on most samples"
    slope: float = 0.005
    samples: float = 0.9

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One for every layer with such units."""
        for station in _watched(seen):
            z, off = _rows(seen.network.evaluation.precise(station.z)), _off(station)
            flat = (np.abs(_rows(station.slopes)) < self.slope) & ~off
            share = flat.mean(axis=0)
            found = np.flatnonzero(share >= self.samples)
            if not len(found):
                continue
            names, act = [f"{station.name}[{j}]" for j in found], station.activation
            slope, size = float(np.abs(_rows(station.slopes)[:, found]).mean()), float(np.abs(z[:, found]).mean())
            says = (
                f"{listed(names)} {_are(names)} saturated, {len(found)} of {station.units} units: |{act}| < {self.slope:g} on at "
                f"least {self.samples:.0%} of the samples (mean |z| = {told(size)}, mean |{act}| = {told(slope)})."
            )
            remedy = (
                f"weights of {station.layer or station.name} about {max(2.0, rounded(size)):g} times smaller, so that |z| is near 1, "
                "or inputs that are standardised: (x − mean)/std"
            )
            evidence = {
                "layer": station.name,
                "share_of_samples": share[found].tolist(),
                "mean_size_of_z": np.abs(z[:, found]).mean(axis=0).tolist(),
                "mean_slope": np.abs(_rows(station.slopes)[:, found]).mean(axis=0).tolist(),
            }
            yield self.found(says, names, remedy, evidence)


@dataclass(frozen=True)
class EqualUnits(Illness):
    """Units of a layer with the same weights and the same gradients: they stay the same, however long they are trained."""

    looks_for: ClassVar[str] = "units of a layer that are all the same"

    def findings(self, seen: Measures) -> Iterator[Finding]:
        """One for every layer with such units."""
        flat = flat_names(seen.before)
        told_of = set()
        for station in seen.stations:
            made, layer = station.made, station.layer
            if made.weight is None or layer in told_of or station.dz is None:
                continue
            told_of.add(layer)
            own = [
                f"{layer}.{name}" for name in (made.weight, made.bias) if name is not None and f"{layer}.{name}" in flat
            ]
            groups: dict[bytes, list[int]] = {}
            for j in range(station.units):
                values = [made.weights_of({made.weight: flat[own[0]]}, j), *(flat[name][j] for name in own[1:])]
                groups.setdefault(b"".join((np.asarray(x) + 0.0).tobytes() for x in values), []).append(j)
            gradients = np.concatenate(
                [_by_unit(seen.gradient(own[0]), made.units), *(seen.gradient(name)[None] for name in own[1:])]
            )
            alike = [group for group in groups.values() if len(group) > 1 and _equal(gradients[:, group])]
            if alike:
                names = [f"{layer}[{j}]" for group in alike for j in group]
                kinds = len(groups)
                says = (
                    f"{listed(names)} have the same weights and the same gradients, so that they stay the same: the {station.units} "
                    f"units of {layer} do the work of {kinds}."
                )
                remedy = f'first weights of {layer} that are drawn at random, weight="glorot_uniform"'
                evidence = {"layer": layer, "units": station.units, "different": kinds, "groups": alike}
                yield self.found(says, names, remedy, evidence)


def _by_unit(gradient: Any, axis: int) -> Any:
    return gradient if axis == 1 else gradient.T


def _equal(columns: Any) -> bool:
    """Whether columns agree, to rounding."""
    size = np.abs(columns).max()
    return bool(np.all(np.abs(columns - columns[:, :1]) <= 1e-12 * size))


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
