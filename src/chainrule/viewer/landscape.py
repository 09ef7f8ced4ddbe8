"""The loss as a landscape over two directions in the space of parameters, with the ways that trainings took through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.autodiff import vmap
from chainrule.nn.parameters import Parameters, flat_names
from chainrule.ops.operation import ArrayType
from chainrule.tracing import Program, simplify, trace
from chainrule.tracing.interpreter import interpret
from chainrule.tracing.trees import map_leaves
from chainrule.training import Batch, Objective
from chainrule.training.objective import types_of

CELLS = 25
"""Places along each direction at which the loss is computed."""
ROOM = 0.25
"""How much further than the ways the landscape reaches, as a share of them."""
AT_ONCE = 2**21
"""Numbers of parameters, and of rows at work, for which losses are computed together: some megabytes."""

Ways = Sequence[tuple[str, Any]]
"""Names of trainings, with the parameters at some of their moments as vectors, one a row."""


@dataclass(frozen=True, eq=False)
class Losses:
    """The loss of a batch at places in the space of parameters, which are vectors of all of them: many at once, by one Program."""

    objective: Objective
    batch: Batch
    parameters: Parameters

    def __call__(self, places: Any) -> Any:
        """The losses at places, of which each is a row."""
        found = []
        for first in range(0, len(places), self._count):
            some = places[first : first + self._count]
            filled = np.concatenate([some, np.repeat(some[-1:], self._count - len(some), axis=0)])
            with np.errstate(all="ignore"):
                values = interpret(
                    self._program,
                    dict(zip(self._program.inputs, [*self._apart(filled), *self.batch.arrays()], strict=True)),
                )
            found.append(np.asarray(values[self._program.outputs[0]], np.float64)[: len(some)])  # type: ignore[index]
        return np.concatenate(found)

    @cached_property
    def _count(self) -> int:
        """How many places are computed together."""
        widths = [shape[-1] for x in flat_names(self.parameters).values() if (shape := np.shape(x))]
        numbers = vector_of(self.parameters).size + len(self.batch.inputs[0]) * max(widths, default=1)
        return int(max(1, min(CELLS * CELLS, AT_ONCE // numbers)))

    @cached_property
    def _program(self) -> Program:
        def loss(parameters: Any, arrays: list[Any]) -> Any:
            return vmap(lambda own: self.objective(own, self.batch.like(arrays))[0])(parameters)

        types = map_leaves(lambda x: ArrayType((self._count, *x.shape), x.dtype), types_of(self.parameters))
        return simplify(trace(loss, types, types_of(self.batch.arrays()), name="losses"))

    def _apart(self, places: Any) -> list[Any]:
        """The parameters, of every place one."""
        arrays = [np.asarray(x) for x in flat_names(self.parameters).values()]
        parts = np.split(places, np.cumsum([x.size for x in arrays])[:-1], axis=1)
        return [part.astype(x.dtype).reshape(-1, *x.shape) for part, x in zip(parts, arrays, strict=True)]


@dataclass(frozen=True, eq=False)
class Landscape:
    """Losses over a plane, at origin + a·first + b·second: `losses` has a row for every b, the greatest first.

    `paths` are ways in the plane, each place with the loss of the landscape there: a way itself lies outside of it, unless it goes in
    its two directions only.
    """

    x: str
    y: str
    origin: Any
    basis: Any
    extent: tuple[float, float, float, float]
    losses: Any = field(repr=False)
    paths: Ways = ()

    def place(self, vectors: Any) -> Any:
        """Where in the plane vectors of parameters are, or nearest to it."""
        return (vectors - self.origin) @ self.basis.T

    def reaches(self, vector: Any) -> bool:
        """Whether these parameters are on the part of the plane that is shown."""
        a, b = self.place(vector)
        a0, a1, b0, b1 = self.extent
        return bool(a0 <= a <= a1 and b0 <= b <= b1)


def along(losses: Losses, ways: Ways, here: Any) -> Landscape:
    """The landscape through the end of the first way, in its two principal directions, as far as all ways and `here` reach."""
    first = ways[0][1]
    origin, basis = first[-1], np.stack(_principal(first))
    every = (np.concatenate([way for _, way in ways] + [here[None]]) - origin) @ basis.T
    every = every[np.isfinite(every).all(axis=1)]
    low, high = (every.min(axis=0), every.max(axis=0)) if len(every) else (np.zeros(2), np.zeros(2))
    room = ROOM * np.maximum(high - low, 1e-6)
    (a0, b0), (a1, b1) = low - room, high + room
    names = "first component of the way", "second component of the way"
    return _over(losses, names, origin, basis, (float(a0), float(a1), float(b0), float(b1)), ways)


def around(losses: Losses, ways: Ways, here: Any, parameters: Parameters, gradient: Any, seed: int = 0) -> Landscape:
    """The landscape around the parameters: downhill as far as half their length, and in a random direction whose parts are as long as
    the parameters they are of (Li et al., Visualizing the Loss Landscape of Neural Nets, 2018)."""
    basis = np.stack(_downhill(parameters, gradient, seed))
    return _over(losses, ("downhill", "a random direction"), here, basis, (-1.0, 1.0, -1.0, 1.0), ways)


def _over(
    losses: Losses,
    names: tuple[str, str],
    origin: Any,
    basis: Any,
    extent: tuple[float, float, float, float],
    ways: Ways,
) -> Landscape:
    a0, a1, b0, b1 = extent
    down, across = np.meshgrid(np.linspace(b1, b0, CELLS), np.linspace(a0, a1, CELLS), indexing="ij")
    grid = np.stack([across.ravel(), down.ravel()], axis=1)
    flat = [(way - origin) @ basis.T for _, way in ways]
    found = _in_plane(losses, np.concatenate([grid, *flat]), origin, basis)
    parts = np.split(found[len(grid) :], np.cumsum([len(way) for way in flat])[:-1])
    paths = [(name, np.column_stack([way, own])) for (name, _), way, own in zip(ways, flat, parts, strict=bool(ways))]
    return Landscape(*names, origin, basis, extent, found[: len(grid)].reshape(CELLS, CELLS), tuple(paths))


def _in_plane(losses: Losses, places: Any, origin: Any, basis: Any) -> Any:
    """The losses at places of a plane; vectors of all parameters are made for some at a time, for they may be long."""
    some = max(1, AT_ONCE // len(origin))
    parts = [losses(origin + places[i : i + some] @ basis) for i in range(0, len(places), some)]
    return np.concatenate(parts)


def vector_of(parameters: Parameters) -> Any:
    """All parameters as one vector."""
    return np.concatenate([np.ravel(x).astype(np.float64) for x in flat_names(parameters).values()])


def _principal(way: Any) -> tuple[Any, Any]:
    """The two orthonormal directions in which a way goes furthest; where it has but one, any across it, of one parameter none."""
    centred = np.vstack([way - way.mean(axis=0), np.zeros_like(way[:1])])  # two rows at least give two directions
    found = np.linalg.svd(np.nan_to_num(centred), full_matrices=False)[2]
    return found[0], found[1] if len(found) > 1 else np.zeros_like(found[0])


def _downhill(parameters: Parameters, gradient: Any, seed: int) -> tuple[Any, Any]:
    """Downhill as far as the parameters are long, and a random direction that is as long as they are, part by part."""
    slope = np.asarray(gradient, np.float64)
    length = np.linalg.norm(vector_of(parameters)) or 1.0
    first = -slope / np.linalg.norm(slope) * length * 0.5 if np.any(slope) else np.zeros_like(slope)
    random = np.random.default_rng(seed)
    parts = []
    for x in flat_names(parameters).values():
        own = random.normal(size=np.shape(x))
        parts.append((own * (np.linalg.norm(x) or 1.0) / np.linalg.norm(own)).ravel())
    second = np.concatenate(parts)
    across = second - first * (second @ first) / (first @ first or 1.0)
    return first, across
