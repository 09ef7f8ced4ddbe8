"""How much rows count: as they are weighted, and so that rare classes count as much as common ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError, SettingError
from chainrule.nn.numbers import as_array
from chainrule.tables import Target


def weights_of_rows(given: Any, rows: int) -> NDArray[np.float64]:
    """Weights as they were given, one for every row.

    Raises
    ------
    DataError
        When they are none: others than one for every row, negative ones, or only zeros.
    """
    weights = as_array(given, np.float64, "weights")
    if weights.shape != (rows,):
        raise DataError(f"weights has shape {weights.shape}; give one weight for each of the table's {rows:,} rows.")
    if (weights < 0).any() or not (weights > 0).any():
        raise DataError(
            "weights must not be negative, and at least one must be positive; leave rows that count nothing out."
        )
    return np.asarray(weights)


def balanced_weights(y: NDArray[Any], target: Target, weights: NDArray[Any] | None) -> NDArray[np.float64]:
    """Weights with which every class counts the same."""
    if not target.classes:
        raise SettingError(
            f"{target.name!r} holds amounts, of which none are rare; balance classes only, and leave it out here."
        )
    given = np.ones(len(y)) if weights is None else np.asarray(weights, np.float64)
    of_class = np.bincount(y, given, len(target.classes))
    return np.asarray(given * (given.sum() / (np.count_nonzero(of_class) * of_class[y])))
