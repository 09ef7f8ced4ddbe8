"""The figures of a network on data it is not learning from."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.nn.parameters import Parameters
from chainrule.training.objective import Batch, Objective, Penalty

CHUNK = 4096
"""Rows evaluated at once: enough to be fast, few enough for any memory."""


class Evaluator:
    """An objective, without penalties, on one set of data."""

    def __init__(self, objective: Objective, data: Batch) -> None:
        self._objective = Objective(objective.model, objective.heads, Penalty())
        self._arrays, self._data = data.arrays(), data

    def __call__(self, parameters: Parameters) -> dict[str, float]:
        """Figures by name, as means over all rows."""
        total: Any = 0.0
        weight = 0.0
        for begin in range(0, len(self._arrays[0]), CHUNK):
            batch = self._data.like([x[begin : begin + CHUNK] for x in self._arrays])
            with np.errstate(all="ignore"):
                loss, accuracies = self._objective(parameters, batch)
            size = float(len(batch.inputs[0]) if batch.weights is None else batch.weights.sum())
            total = total + size * np.array([loss, *accuracies], np.float64)
            weight += size
        means = total / max(weight, 1e-30)
        return dict(zip(self._objective.figures, map(float, means), strict=True))
