"""A layer that brings columns to one size, by numbers that it takes from the rows learned from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.nn.layer import Arrays, Layer, Shape
from chainrule.nn.parameters import ParameterSpec

ROWS_AT_ONCE = 65536
"""Rows on disk are never in memory as a whole."""


@dataclass(frozen=True)
class Standardise(Layer):
    """(x − mean)/deviation, column by column.

    Where it is the first of layers in a row, the first `fit` sets its parameters to the mean and the standard deviation of
    the rows learned from; no gradient changes them. Until then they are 0 and 1. `fit(…, standardise=True)` puts it there.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> network = cr.Network([cr.Standardise(), cr.Dense(1)])
    >>> history = network.fit(np.array([[1.0, 100.0], [3.0, 500.0]]), np.array([0.5, 1.5]), epochs=1, progress=False)
    >>> network.parameters["standardise_0"]
    {'mean': array([  2., 300.], dtype=float32), 'deviation': array([  1., 200.], dtype=float32)}
    """

    def parameters(self, *shapes: Shape) -> Mapping[str, ParameterSpec]:
        """The mean and the deviation of every column; they are not learned."""
        width = shapes[0][-1:]
        return {
            "mean": ParameterSpec(width, "zeros", trainable=False),
            "deviation": ParameterSpec(width, "ones", trainable=False, bias=False),
        }

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """(x − mean)/deviation."""
        (x,) = inputs
        return (x - parameters["mean"]) / parameters["deviation"]

    def taken_from(self, parameters: Arrays, inputs: Any) -> Mapping[str, Any]:
        """Means and deviations, unless they are known; a column that never changes is only shifted."""
        if parameters["mean"].any() or (parameters["deviation"] != 1.0).any():
            return {}
        mean, deviation = moments(inputs)
        return {"mean": mean, "deviation": np.where(deviation > 0.0, deviation, 1.0)}


def moments(inputs: Any) -> tuple[Any, Any]:
    """The mean and the deviation of every column; rows that are not in memory say their own."""
    if hasattr(inputs, "moments"):
        found: tuple[Any, Any] = inputs.moments()
        return found
    return moments_of(inputs[begin : begin + ROWS_AT_ONCE] for begin in range(0, len(inputs), ROWS_AT_ONCE))


def moments_of(blocks: Iterable[Any]) -> tuple[Any, Any]:
    """The same of rows that come block by block, in float64; of a column that never changes exactly its number and 0."""
    count, mean, squares, changes = 0, 0.0, 0.0, False
    first: Any = None
    for block in blocks:
        rows = np.asarray(block).reshape(-1, block.shape[-1]).astype(np.float64, copy=False)
        first = rows[0].copy() if first is None else first
        new, own = len(rows), rows.mean(axis=0)
        apart, count = own - mean, count + new
        mean = mean + apart * (new / count)
        squares = squares + np.square(rows - own).sum(axis=0) + np.square(apart) * ((count - new) * new / count)
        changes = changes | (rows != first).any(axis=0)
    return np.where(changes, mean, first), np.where(changes, np.sqrt(squares / count), 0.0)
