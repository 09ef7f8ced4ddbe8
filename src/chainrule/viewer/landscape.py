"""The loss as a landscape over two directions in the space of parameters, with the ways that trainings took through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.nn.parameters import Parameters, flat_names
from chainrule.tracing import simplify, trace
from chainrule.tracing.interpreter import interpret
from chainrule.training import Batch, Objective
from chainrule.training.objective import types_of

CELLS = 25
"""Places along each direction at which the loss is computed."""
ROOM = 0.25
"""How much further than the ways the landscape reaches, as a share of them."""


@dataclass(frozen=True)
class Landscape:
    """Losses at places a·x + b·y away from `origin`; `losses` has a row for every b, the greatest first."""

    x: str
    y: str
    extent: tuple[float, float, float, float]
    losses: Any
    paths: tuple[tuple[str, Any], ...]
    here: tuple[float, float]
    downhill: tuple[float, float]


def landscape(
    objective: Objective,
    batch: Batch,
    parameters: Parameters,
    gradient: Any,
    paths: Sequence[tuple[str, Sequence[Parameters]]],
    kind: str,
    seed: int = 0,
) -> Landscape:
    """The landscape around the parameters.

    Parameters
    ----------
    gradient : array
        Of the loss by all parameters, in one vector.
    paths : sequence of (name, parameters at some moments)
    kind : {"path", "gradient"}
        Along the two principal components of the first way, or downhill and in a random direction whose parts are as long as the
        parameters they are of (Li et al., Visualizing the Loss Landscape of Neural Nets, 2018).
    """
    origin = vector_of(parameters)
    ways = [(name, np.array([vector_of(x) for x in moments])) for name, moments in paths]
    if kind == "path":
        first, second, names = *_principal(ways[0][1]), ("first component of the way", "second component of the way")
    else:
        first, second, names = *_downhill(parameters, gradient, seed), ("downhill", "a random direction")
    basis = np.stack([first, second])
    placed = [(name, (way - origin) @ basis.T) for name, way in ways]
    if kind == "path":
        every = np.concatenate([way for _, way in placed] + [np.zeros((1, 2))])
        low, high = every.min(axis=0), every.max(axis=0)
        room = ROOM * np.maximum(high - low, 1e-6)
        (a0, b0), (a1, b1) = low - room, high + room
    else:
        a0, b0, a1, b1 = -1.0, -1.0, 1.0, 1.0
    loss = _loss(objective, batch, parameters)
    across, down = np.linspace(a0, a1, CELLS), np.linspace(b1, b0, CELLS)
    losses = np.array([[loss(origin + a * first + b * second) for a in across] for b in down])
    downhill = -basis @ np.asarray(gradient, np.float64)
    at = tuple((name, _with_losses(way, origin, basis, loss)) for name, way in placed)
    extent = (float(a0), float(a1), float(b0), float(b1))
    return Landscape(*names, extent, losses, at, (0.0, 0.0), (float(downhill[0]), float(downhill[1])))


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


def _loss(objective: Objective, batch: Batch, parameters: Parameters) -> Callable[[Any], float]:
    """The loss of a batch as a function of one vector of parameters."""
    arrays, flat = batch.arrays(), flat_names(parameters)

    def loss(parameters: Any, arrays: list[Any]) -> Any:
        return objective(parameters, batch.like(arrays))[0]

    program = simplify(trace(loss, types_of(parameters), types_of(arrays), name="loss"))
    shapes = [(np.shape(x), np.asarray(x).dtype) for x in flat.values()]
    ends = np.cumsum([int(np.prod(shape)) for shape, _ in shapes])

    def of_vector(vector: Any) -> float:
        parts = np.split(vector, ends[:-1])
        own = [part.astype(dtype).reshape(shape) for part, (shape, dtype) in zip(parts, shapes, strict=True)]
        with np.errstate(all="ignore"):
            values = interpret(program, dict(zip(program.inputs, [*own, *arrays], strict=True)))
        return float(np.asarray(values[program.outputs[0]]))  # type: ignore[index]

    return of_vector


def _with_losses(way: Any, origin: Any, basis: Any, loss: Callable[[Any], float]) -> Any:
    """Places with the loss of the landscape there; a way itself lies outside of it, unless it goes in its two directions only."""
    return np.array([[a, b, loss(origin + a * basis[0] + b * basis[1])] for a, b in way])
