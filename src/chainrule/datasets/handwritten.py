"""The UCI handwritten digits: 1,797 images of 8×8."""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Digits(NamedTuple):
    """Handwritten digits: `images` to look at, `X` and `y` to learn from."""

    images: NDArray[np.uint8]
    X: NDArray[np.float32]
    y: NDArray[np.int64]


def digits() -> Digits:
    """The 1,797 handwritten digits of the UCI repository.

    They are the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak, 1998, UCI
    Machine Learning Repository, https://doi.org/10.24432/C50P49), licensed CC BY 4.0 and shipped with the package.

    Returns
    -------
    Digits
        `images`, uint8 of shape (1797, 8, 8): in each cell how many of 16 pixels were inked, 0 to 16.
        `X`, float32 of shape (1797, 64): the images as rows, divided by 16, so 0 to 1.
        `y`, int64 of shape (1797,): the digit, 0 to 9.

    Examples
    --------
    >>> from chainrule.datasets import digits
    >>> images, X, y = digits()
    >>> images.shape, X.shape, y.shape
    ((1797, 8, 8), (1797, 64), (1797,))
    >>> print(images[1])
    [[ 0  0  0 12 13  5  0  0]
     [ 0  0  0 11 16  9  0  0]
     [ 0  0  3 15 16  6  0  0]
     [ 0  7 15 16 16  2  0  0]
     [ 0  0  1 16 16  3  0  0]
     [ 0  0  1 16 16  6  0  0]
     [ 0  0  1 16 16  6  0  0]
     [ 0  0  0 11 16 10  0  0]]
    >>> print(y[1])
    1
    """
    with files("chainrule.datasets").joinpath("digits.npz").open("rb") as stream, np.load(stream) as arrays:
        images: NDArray[np.uint8] = arrays["images"]
        labels: NDArray[np.uint8] = arrays["labels"]
    X = images.reshape(len(images), -1).astype(np.float32) / np.float32(16)
    return Digits(images, X, labels.astype(np.int64))
