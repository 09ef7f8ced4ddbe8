"""A network along the straight line between two rows: its derivatives there, added up (integrated gradients).

Between two categories there is no line, but there is one between their learned vectors: a table of embeddings is given one
row for every point of the line, and every point its own row's number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.autodiff import grad
from chainrule.network import Network
from chainrule.nn.embeddings import CategoryEmbedding

Vector = NDArray[np.float64]
Of = Callable[[Any], Any]
"""From outputs (rows, outputs) to the one number of each row that is looked at."""

ORDER = 3
"""Points of Gauss and Legendre's rule in each interval."""
FIRST, MOST_INTERVALS, MOST_NUMBERS = 32, 4096, 8_000_000
"""Intervals at first and at most, and numbers of points that are kept at once."""
AT_ONCE = 1024
SHORTEST = 1e-6
"""Intervals shorter than this are halved no more: something jumps there."""
TOLERANCE = 5e-4
"""What the rule may leave, relative to the largest change along the line, before intervals are halved.

Where a network of 256-256 bends some thousand times along the line, parts were then right to 0.05 % of the largest.
"""


@dataclass(frozen=True)
class VectorsOfCategories:
    """One table of embeddings: where it lies in the parameters, which column of X it reads, and its vectors' place in a point."""

    layer: str
    name: str
    column: int
    place: slice


@dataclass(frozen=True)
class SmoothNetwork:
    """A network as a function of points that have vectors where X has codes of categories.

    Examples
    --------
    >>> import chainrule as cr
    >>> network = cr.Network([cr.CategoryEmbedding(sizes=(5,), widths=2), cr.Dense(1)]).build(3)
    >>> smooth = SmoothNetwork(network)
    >>> point = smooth.point(np.array([0.5, -1.0, 4.0]))
    >>> point.shape, bool(np.allclose(smooth(point[None]), network(np.array([[0.5, -1.0, 4.0]]))))
    ((4,), True)
    """

    network: Network

    @cached_property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """The network's parameters in double precision."""
        return {
            layer: {k: np.asarray(v, np.float64) for k, v in own.items()}
            for layer, own in self.network.parameters.items()
        }

    @cached_property
    def width(self) -> int:
        """Columns of X."""
        return int(self.network.model.inputs[0][0])

    @cached_property
    def embedding(self) -> dict[str, CategoryEmbedding]:
        """The layers that turn codes into vectors."""
        return {name: x for name, x in self.network.layers.items() if isinstance(x, CategoryEmbedding)}

    @cached_property
    def numbers(self) -> int:
        """The first columns of X, which are numbers and flags."""
        return self.width - max((len(layer.sizes) for layer in self.embedding.values()), default=0)

    @cached_property
    def tables(self) -> tuple[VectorsOfCategories, ...]:
        """All tables of embeddings."""
        found, start = [], self.numbers
        for layer, kind in self.embedding.items():
            for i in range(len(kind.sizes)):
                name = f"weight_{i}"
                wide = self.parameters[layer][name].shape[1]
                column = self.width - len(kind.sizes) + i
                found.append(VectorsOfCategories(layer, name, column, slice(start, start + wide)))
                start += wide
        return tuple(found)

    @cached_property
    def columns(self) -> NDArray[np.intp]:
        """The column of X that each number of a point comes from."""
        return np.concatenate(
            [np.arange(self.numbers), *(np.full(t.place.stop - t.place.start, t.column) for t in self.tables)]
        ).astype(np.intp)

    def point(self, row: Any, shares: Sequence[Any] = ()) -> Vector:
        """The point of a row of X; for a mean of rows, `shares` of the categories of each column of codes."""
        row = np.asarray(row, np.float64)
        parts = [row[: self.numbers]]
        for t in self.tables:
            table = self.parameters[t.layer][t.name]
            if len(shares):
                own = np.asarray(shares[t.column - self.numbers], np.float64)
                parts.append(own @ table[: len(own)])
            else:
                parts.append(table[int(row[t.column])])
        return np.concatenate(parts)

    def __call__(self, points: Any) -> Any:
        """The network's outputs for points, (points, outputs)."""
        parameters = {layer: dict(own) for layer, own in self.parameters.items()}
        for t in self.tables:
            parameters[t.layer][t.name] = points[:, t.place]
        own_row = np.arange(len(points), dtype=np.float64)[:, None]
        codes = [own_row] * (self.width - self.numbers)
        X = np.concatenate([points[:, : self.numbers], *codes], axis=1) if codes else points
        return self.network.model.apply(parameters, [X]).outputs


@dataclass(frozen=True)
class Integral:
    """What each number of a point adds on the way from one point to another.

    Attributes
    ----------
    parts : array
        They add up to `end − start`, to rounding.
    start, end : float
        The values at the ends.
    error : float
        What the rule left between its sums and the changes, over the line or as the root of the sum of squares over the
        intervals, whichever is more, relative to the largest change along the line; it was shared out.
    points : int
        Where derivatives were taken.
    """

    parts: Vector
    start: float
    end: float
    error: float
    points: int


def integrate(function: Callable[[Any], Any], start: Vector, end: Vector) -> Integral:
    """∫₀¹ ∂f/∂xᵢ(start + t·(end − start)) dt · (endᵢ − startᵢ) for every i (Sundararajan, Taly and Yan 2017).

    The parts of an interval have to add up to the change of f over it. Where they do not, because f bends there, the interval
    is halved; what is left in the end is shared out among its parts by their size.

    Parameters
    ----------
    function : callable
        From points (points, numbers) to one number each; a row depends on its own point alone.
    start, end : arrays of shape (numbers,)
        The two points.
    """
    along = np.asarray(end - start, np.float64)
    nodes, weights = np.polynomial.legendre.leggauss(ORDER)
    slopes = grad(lambda points: np.sum(function(points)))

    def values(t: Vector) -> Vector:
        return np.concatenate([np.asarray(function(start + x[:, None] * along)) for x in _pieces(t, len(along))])

    def parts(low: Vector, high: Vector) -> Vector:
        half = 0.5 * (high - low)
        t = (0.5 * (low + high)[:, None] + half[:, None] * nodes).ravel()
        found = [np.asarray(slopes(start + x[:, None] * along)) for x in _pieces(t, len(along))]
        by_interval = np.concatenate(found).reshape(len(low), ORDER, len(along))
        return np.asarray(np.einsum("k,nki->ni", weights, by_interval) * half[:, None] * along)

    most = max(FIRST, min(MOST_INTERVALS, MOST_NUMBERS // max(1, len(along))))
    edges = np.linspace(0.0, 1.0, FIRST + 1)
    low, high, at = edges[:-1], edges[1:], values(edges)
    first, last = at[:-1], at[1:]
    found, points = parts(low, high), FIRST * ORDER
    largest = max(float(np.ptp(at)), float(np.abs(found.sum(axis=0)).max(initial=0.0)), 1e-12)
    while True:
        left = (last - first) - found.sum(axis=1)
        error = max(abs(float(left.sum())), float(np.linalg.norm(left))) / largest
        wrong = (np.abs(left) > 0.5 * TOLERANCE * largest / math.sqrt(len(low))) & (high - low > SHORTEST)
        if error <= TOLERANCE or not wrong.any() or len(low) + wrong.sum() > most:
            break
        middle = 0.5 * (low[wrong] + high[wrong])
        between = values(middle)
        halves_low, halves_high = np.append(low[wrong], middle), np.append(middle, high[wrong])
        halves_first, halves_last = np.append(first[wrong], between), np.append(between, last[wrong])
        low, high = np.append(low[~wrong], halves_low), np.append(high[~wrong], halves_high)
        first, last = np.append(first[~wrong], halves_first), np.append(last[~wrong], halves_last)
        found = np.concatenate([found[~wrong], parts(halves_low, halves_high)])
        points += ORDER * len(halves_low)
    sizes = np.abs(found)
    whole = sizes.sum(axis=1, keepdims=True)
    even = np.abs(along) / max(float(np.abs(along).sum()), 1e-300)
    shares = np.divide(sizes, whole, out=np.broadcast_to(even, sizes.shape).copy(), where=whole > 0)
    together = (found + left[:, None] * shares).sum(axis=0)
    return Integral(together, float(at[0]), float(at[-1]), error, points)


def _pieces(t: Vector, width: int) -> list[Vector]:
    """Places along the line, as many together as are computed at once."""
    at_once = max(1, min(AT_ONCE, MOST_NUMBERS // (4 * max(1, width))))
    return np.array_split(t, max(1, -(-len(t) // at_once)))
