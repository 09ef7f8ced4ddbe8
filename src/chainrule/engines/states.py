"""The state of a training loop after a step: its arrays, wherever they are, and whether their numbers are finite."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


class State(Sequence[Any]):
    """What a runner gives as its state: arrays in their order, which the runner never writes into.

    They may be elsewhere, on a GPU for instance, and come as NumPy's when one of them is asked for.
    """

    @property
    @abstractmethod
    def is_finite(self) -> bool:
        """Whether all their numbers are finite."""


class ArrayState(list[Any], State):
    """A state in NumPy's arrays, of which whoever made it may have seen that all numbers are finite.

    Examples
    --------
    >>> import numpy as np
    >>> ArrayState([np.ones(2), np.zeros(3)]).is_finite, ArrayState([np.array([1.0, np.nan])]).is_finite
    (True, False)
    """

    def __init__(self, arrays: Iterable[Any], *, seen_finite: bool = False) -> None:
        super().__init__(arrays)
        self._seen_finite = seen_finite

    @property
    def is_finite(self) -> bool:
        """Whether all their numbers are finite."""
        return self._seen_finite or are_finite(self)


SMALL = 2**12
"""Numbers up to which arrays are put together to be looked at: every call of NumPy takes as long as some thousand of them."""


def are_finite(arrays: Sequence[Any]) -> bool:
    """Whether all numbers are finite; a sum is NaN or infinite as soon as one of them is, and may be where all are large."""
    small, large = [x for x in arrays if x.size <= SMALL], [x for x in arrays if x.size > SMALL]
    if small and not np.isfinite(np.concatenate(small, axis=None)).all():
        return False
    with np.errstate(all="ignore"):
        if math.isfinite(sum(float(np.add.reduce(x, axis=None)) for x in large)):
            return True
        return all(math.isfinite(float(np.sum(x, dtype=np.float64))) for x in large)
