"""Exclusive or: the smallest problem that needs a hidden layer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Xor(NamedTuple):
    """The rows `X` and the labels `y` of exclusive or."""

    X: NDArray[np.float32]
    y: NDArray[np.int64]


def xor() -> Xor:
    """The four rows of exclusive or: 1 where exactly one of the two inputs is 1.

    Returns
    -------
    Xor
        `X`, float32 of shape (4, 2), and `y`, int64 of shape (4,).

    Examples
    --------
    >>> from chainrule.datasets import xor
    >>> X, y = xor()
    >>> for row, label in zip(X, y):
    ...     print(row, label)
    [0. 0.] 0
    [0. 1.] 1
    [1. 0.] 1
    [1. 1.] 0
    """
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
    return Xor(X, np.array([0, 1, 1, 0], dtype=np.int64))
