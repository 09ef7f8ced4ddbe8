"""The split of data into rows to learn from and rows kept back for the test."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError, SettingError


class Split(NamedTuple):
    """Data in two parts, in scikit-learn's order."""

    X_train: NDArray[Any]
    X_test: NDArray[Any]
    y_train: NDArray[Any]
    y_test: NDArray[Any]


def split(X: Any, y: Any, test: float = 0.2, seed: int = 0, stratify: bool | None = None) -> Split:
    """`X` and `y` in a training and a test part, drawn at random.

    Parameters
    ----------
    X, y : array of `rows` entries
        The data; the first axis counts the rows.
    test : float
        The share of rows kept back, between 0 and 1.
    seed : int
        The same seed draws the same rows.
    stratify : bool, optional
        Whether each label of `y` keeps its share in both parts. By default: when `y` does not hold real numbers and
        its labels occur twice or more on average.

    Returns
    -------
    Split
        `X_train, X_test, y_train, y_test`.

    Raises
    ------
    DataError
        When the lengths differ or there are too few rows for two parts.
    SettingError
        When `test` is not between 0 and 1.

    Examples
    --------
    >>> from chainrule.datasets import digits, split
    >>> _, X, y = digits()
    >>> X_train, X_test, y_train, y_test = split(X, y, test=0.2, seed=0)
    >>> X_train.shape, X_test.shape
    ((1438, 64), (359, 64))
    """
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim == 0 or y.ndim == 0 or len(X) != len(y):
        raise DataError(
            f"split was given X of shape {X.shape} and y of shape {y.shape}; both need the same number of rows."
        )
    train, kept = split_rows(y, test, seed, stratify)
    return Split(X[train], X[kept], y[train], y[kept])


def split_rows(
    y: Any, test: float = 0.2, seed: int = 0, stratify: bool | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The row numbers of the training and of the test part, as `split` draws them, each in ascending order.

    Arguments and errors are those of `split`. Every label keeps at least one row to learn from.

    Examples
    --------
    >>> from chainrule.datasets import split_rows
    >>> train, test = split_rows(["a", "a", "a", "b", "b", "b"], test=1 / 3)
    >>> len(train), len(test)
    (4, 2)
    """
    y = np.asarray(y)
    if not 0 < test < 1:
        raise SettingError(f"split was given test={test!r}; the share of rows kept back must be between 0 and 1.")
    if y.ndim == 0 or len(y) < 2:
        raise DataError(f"split was given {y.size} row{'s' * (y.size != 1)}; two parts need at least 2 rows.")
    if stratify is None:
        stratify = y.ndim == 1 and y.dtype.kind != "f" and 2 * len(np.unique(y)) <= len(y)
    if stratify and y.ndim != 1:
        raise DataError(f"split was given y of shape {y.shape}; stratify=True needs one label per row.")
    SettingError.unless_count("split", "seed", seed, at_least=0)
    random = np.random.default_rng(seed)
    count = min(max(round(test * len(y)), 1), len(y) - 1)
    groups = _by_label(y) if stratify else [np.arange(len(y))]
    chosen = [
        random.permutation(group)[:share]
        for group, share in zip(groups, _shares(groups, test, count, random), strict=True)
    ]
    kept = np.sort(np.concatenate(chosen))
    if not len(kept):
        raise DataError("split found a different label in every row; to keep some back, use stratify=False.")
    return np.setdiff1d(np.arange(len(y)), kept), kept


def _by_label(y: NDArray[Any]) -> list[NDArray[np.intp]]:
    """The row numbers of each label."""
    _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
    return np.split(np.argsort(inverse, kind="stable"), np.cumsum(counts)[:-1])


def _shares(groups: list[NDArray[np.intp]], test: float, count: int, random: np.random.Generator) -> list[int]:
    """How many rows of each group to keep back: `count` in all, by largest remainder, never the whole group."""
    sizes = np.array([len(group) for group in groups])
    shares = np.minimum(np.floor(test * sizes).astype(int), sizes - 1)
    remainders = np.where(shares < sizes - 1, test * sizes - shares, -1.0)
    order = random.permutation(len(groups))  # labels of the same size take turns from seed to seed
    order = order[np.argsort(-remainders[order], kind="stable")]
    for group in order:
        if shares.sum() >= count or remainders[group] < 0:
            break
        shares[group] += 1
    return [int(share) for share in shares]
