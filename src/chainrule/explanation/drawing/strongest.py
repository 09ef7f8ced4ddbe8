"""The connections of a layer that are drawn where all of them would not fit: those of the largest weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CONNECTIONS, NEURONS = 24, 8
"""As many as fit a page, and neurons that they lead to."""


@dataclass(frozen=True)
class Strongest:
    """Connections by the neurons that they lead to: of each the inputs, `count` of `all` together, with a `share` of Σ|w|.

    >>> Strongest.of(np.array([[3.0, 0.0], [-1.0, 6.0]]), connections=2)
    Strongest(inputs={0: (0,), 1: (1,)}, count=2, all=4, share=0.9)
    """

    inputs: Mapping[int, Sequence[int]]
    count: int
    all: int
    share: float

    @classmethod
    def of(cls, weight: Any, connections: int = CONNECTIONS, neurons: int = NEURONS) -> Strongest:
        """The largest by magnitude: so many, or fewer if they led to more neurons than there is room for."""
        sizes = np.nan_to_num(np.abs(np.asarray(weight, np.float64)), posinf=np.inf)
        flat = sizes.ravel()
        most = min(connections, flat.size)
        order = np.argpartition(-flat, most - 1)[:most]
        order = order[np.lexsort((order, -flat[order]))]
        found: dict[int, list[int]] = {}
        for place in order.tolist():
            i, j = divmod(place, sizes.shape[1])
            if j not in found and len(found) == neurons:
                break
            found.setdefault(j, []).append(i)
        inputs = {j: tuple(sorted(found[j])) for j in sorted(found)}
        shown = sum(float(sizes[list(own), j].sum()) for j, own in inputs.items())
        count, total = sum(map(len, inputs.values())), float(flat.sum())
        return cls(inputs, count, flat.size, shown / total if 0.0 < total < np.inf else 1.0)

    @property
    def says(self) -> str:
        """How many they are, and how much of all."""
        return f"{self.count} of {self.all:,} weights, {100 * self.share:.2g} % of Σ|w|"
