"""How much rows count: weights of samples and of classes, on one scale for all rows of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.errors import DataError, SettingError, shortened
from chainrule.nn.numbers import as_array
from chainrule.training.objective import Batch
from chainrule.training.targets import Targets


def as_weights(sample_weight: Any, class_weight: Any, targets: Sequence[Targets], rows: int, dtype: Any) -> Any | None:
    """One weight for every row, from both kinds of weight; `None` if neither is given."""
    if sample_weight is None and class_weight is None:
        return None
    weights = np.ones(rows) if sample_weight is None else weights_of_rows(sample_weight, rows)
    if class_weight is not None:
        coded = [t for t in targets if t.class_indices is not None]
        if len(targets) != 1 or not coded:
            raise SettingError("class_weight needs a network with one output whose targets are labels.")
        counts = np.bincount(coded[0].class_indices, minlength=len(coded[0].classes))  # type: ignore[arg-type]
        weights = weights * class_weights(class_weight, coded[0].classes, counts)[coded[0].class_indices]
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise DataError("weights must be finite and not negative, and at least one must be positive.")
    return (weights * to_unit(weights)).astype(dtype)


def weights_of_rows(given: Any, rows: int, name: str = "sample_weight") -> Any:
    """Weights as float64, one for every row.

    Raises
    ------
    DataError
        When there are not as many, or one is negative, NaN or infinite; the message says which.

    Examples
    --------
    >>> weights_of_rows([1, 0.5], 2)
    array([1. , 0.5])
    """
    weights = as_array(given, np.float64, name)
    if weights.shape != (rows,):
        raise DataError(f"{name} has shape {weights.shape}; give one weight for each of the {rows:,} rows.")
    if rows and weights.min() < 0:
        row = int(np.argmax(weights < 0))
        raise DataError(f"{name} is {weights[row]:g} in row {row}; give weights that are not negative.")
    return weights


def to_unit(weights: Any) -> float:
    """The power of two by which the largest weight is from 1/2 to 1, so that ratios are kept to the bit in every dtype.

    Only ratios count. Weights such as 1e39 or 1e-50 are none of float32's numbers.

    Examples
    --------
    >>> to_unit([3.0, 8.0]), to_unit([0.0])
    (0.0625, 1.0)
    """
    largest = float(np.max(weights, initial=0.0))
    return float(np.ldexp(1.0, min(-int(np.frexp(largest)[1]), 1023))) if largest else 1.0


def class_weights(given: Any, classes: Any, counts: Any) -> Any:
    """The weight of every class, of which there are so many rows."""
    if isinstance(given, str) and given == "balanced":
        present = counts > 0
        return np.where(present, counts.sum() / (present.sum() * np.maximum(counts, 1)), 0.0)
    if not isinstance(given, Mapping):
        raise SettingError(f"class_weight was given {shortened(given)}; use 'balanced' or a dict from label to weight.")
    labels = classes.tolist()
    unknown = [label for label in given if label not in labels]
    if unknown:
        raise DataError(
            f"class_weight names {unknown[0]!r}, which is no label in y. Name labels it has: {labels[:10]}."
        )
    return np.array([float(given.get(label, 1.0)) for label in labels])


def scaled(data: Batch) -> Batch:
    """The rows with weights whose mean is 1, so that every batch of them is weighed on the same scale."""
    if data.weights is None:
        return data
    mean = data.weights.mean(dtype=np.float64)
    if not mean > 0:
        raise DataError("all rows to learn from have weight 0; give at least one of them a weight above 0.")
    return replace(data, weights=(data.weights / mean).astype(data.weights.dtype))


def counted(data: Batch) -> Batch:
    """The rows with weights that count how many each stands for, so that means are divided by their sum."""
    if data.weights is None:
        return data
    return replace(data, weights=None, counts=data.weights if data.counts is None else data.weights * data.counts)
