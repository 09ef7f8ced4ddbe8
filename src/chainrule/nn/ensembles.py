"""Several networks as one: the mean of what they give."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from chainrule.errors import SettingError, shortened
from chainrule.nn.layer import Arrays, Layer
from chainrule.nn.model import Sequential, in_a_row
from chainrule.tracing import functions as f


@dataclass(frozen=True)
class Average(Layer):
    """The mean of what several rows of layers give for the same input.

    Parameters
    ----------
    members : tuple of tuples of layers
        The networks, each as its layers; their outputs have the same shape.
    of : {"outputs", "probabilities"}
        `"outputs"`: y = 1/K Σ_k y_k. `"probabilities"`: scores whose softmax is the mean of the members' probabilities,
        y = ln 1/K Σ_k softmax(y_k).

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> members = tuple((cr.Dense(4, "relu"), cr.Dense(1)) for _ in range(3))
    >>> cr.Network([cr.Average(members)]).build(2)(np.ones((5, 2))).shape
    (5, 1)
    """

    members: tuple[tuple[Any, ...], ...]
    of: Literal["outputs", "probabilities"] = "outputs"

    def __post_init__(self) -> None:
        if not isinstance(self.members, list | tuple) or not self.members:
            raise SettingError(f"Average was given members={shortened(self.members)}; give rows of layers.")
        SettingError.unless_one_of("Average", "of", self.of, ("outputs", "probabilities"))
        object.__setattr__(self, "members", tuple(in_a_row(member).layers for member in self.members))

    def forward(self, parameters: Arrays, *inputs: Any) -> Any:
        """The mean."""
        (x,) = inputs
        outputs = [Sequential(member)(x) for member in self.members]
        if self.of == "outputs":
            return sum(outputs[1:], outputs[0]) * (1.0 / len(outputs))
        log_probabilities = np.stack([f.log_softmax(output) for output in outputs])
        return f.logsumexp(log_probabilities, axis=0) - math.log(len(outputs))
