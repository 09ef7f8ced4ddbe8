"""What predicts rows that it has not learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.preparing.target import Target
from chainrule.training.metrics import Array


@dataclass(frozen=True)
class Predictor:
    """What predicts rows it has not learned from: `raw(X)` gives amounts or probabilities, `rows` says which rows those are."""

    raw: Callable[[Array], Array]
    rows: NDArray[np.intp]


def predictors_of(
    networks: Sequence[Callable[[Any], Any]], held: Sequence[NDArray[np.intp]], target: Target
) -> list[Predictor]:
    """The networks of folds as predictors of the rows that each has not seen; none where no rows were held out.

    Parameters
    ----------
    networks : sequence of Network
        Each gives scores of classes, or scaled amounts.
    held : sequence of int arrays
        The rows that each has not seen.
    target : Target
        Says what outputs mean.
    """

    def raw(network: Callable[[Any], Any]) -> Callable[[Array], Array]:
        def outputs(X: Array) -> Array:
            scores = np.asarray(network(X), np.float64)
            if not target.classes:
                return np.asarray(target.restored(scores))
            shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
            return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))

        return outputs

    return [Predictor(raw(network), rows) for network, rows in zip(networks, held, strict=True) if len(rows)]
