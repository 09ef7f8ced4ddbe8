"""What an initialiser is: a frozen description that draws values for a shape.

A weight has shape (inputs, outputs): its fan-in is the number of inputs, its fan-out the number of outputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import ShapeError

Random = np.random.Generator
Initializer = Callable[[tuple[int, ...], Random], Any]


LARGEST = 2**40
"""No layer is wider than this, and no parameter has more numbers: they would take terabytes."""


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Fan-in and fan-out of a parameter's shape."""
    if not shape:
        return 1, 1
    return (shape[0], shape[0]) if len(shape) == 1 else (math.prod(shape[:-1]), shape[-1])


@dataclass(frozen=True)
class Given:
    """These very values, as nested tuples of numbers."""

    values: Any

    def __call__(self, shape: tuple[int, ...], random: Random) -> Any:
        """The values, checked against the shape they are for."""
        array = np.asarray(self.values, np.float64)
        if array.shape != shape:
            raise ShapeError(
                f"initial values of shape {array.shape} were given for a parameter of shape {shape}; give values of that shape."
            )
        return array
