"""Data as people have it, turned into arrays a network can learn from, or refused with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.errors import DataError, SettingError, ShapeError, shown
from chainrule.training.loss import Loss
from chainrule.training.objective import Batch


def as_array(x: Any, dtype: Any, what: str) -> Any:
    """Arrays, lists, and data frames (by the array protocol) as an array of finite real numbers, C-contiguous.

    A `numpy.memmap` of real numbers is left on disk as it is, in whatever order its bytes are, and its numbers are not
    looked at.
    """
    columns = [str(c) for c in x.columns] if hasattr(x, "columns") else None
    if hasattr(x, "toarray"):  # a SciPy sparse matrix
        x = x.toarray()
    if isinstance(x, np.ma.MaskedArray):
        x = np.ma.filled(x.astype(np.float64), np.nan)
    if isinstance(x, np.memmap) and x.dtype.kind in "fiub" and x.size:
        return x
    try:
        raw = np.asarray(x)
    except ValueError as error:
        raise ShapeError(
            f"{what} has rows of different lengths ({error}); give every row the same number of values."
        ) from None
    if raw.ndim == 0 and raw.dtype.kind not in "fiub":
        raise DataError(f"{what} was given as {shown(raw.item())}; give an array of numbers.")
    if raw.dtype.kind not in "fiub":
        raw = _numbers(raw, columns, what)
    raw = np.atleast_1d(raw)
    if raw.size == 0:
        raise DataError(f"{what} is empty (shape {raw.shape}); give at least one row and one column.")
    with np.errstate(over="ignore"):  # numbers too large for float32 are refused below
        array = np.ascontiguousarray(raw, dtype)
    if not np.isfinite(array).all():
        _refuse(raw, array, columns, what)
    return array


def _numbers(raw: Any, columns: list[str] | None, what: str) -> Any:
    if raw.dtype.kind == "c":
        raise DataError(f"{what} has complex numbers; give real and imaginary parts as columns of their own.")
    if raw.dtype.kind in "mM":
        raise DataError(
            f"{what} has dates or times ({raw.dtype}); say how they count, such as (x - start) / np.timedelta64(1, 'D')."
        )
    if raw.dtype.names:
        raise DataError(
            f"{what} has rows with fields ({', '.join(raw.dtype.names[:5])}); give columns, such as "
            "numpy.lib.recfunctions.structured_to_unstructured(x)."
        )
    if raw.dtype.kind == "O":
        missing = np.frompyfunc(_is_missing, 1, 1)(raw).astype(bool)
        raw = np.where(missing, np.nan, raw)
    try:
        return raw.astype(np.float64)
    except OverflowError:
        raise DataError(f"{what} has whole numbers too large for any number here; scale them.") from None
    except (TypeError, ValueError):
        bad = []
        for i in range(raw.shape[-1] if raw.ndim > 1 else 1):
            try:
                (raw[:, i] if raw.ndim > 1 else raw).astype(np.float64)
            except (TypeError, ValueError):
                bad.append(columns[i] if columns else str(i))
        raise DataError(
            f"{what} has values that are no numbers (dtype {raw.dtype}, {'columns' if len(bad) > 1 else 'column'} "
            f"{', '.join(bad[:5])}{'…' if len(bad) > 5 else ''}). Turn text into numbers first, for instance one column for "
            "every value; the command `chainrule train` does that for CSV files."
        ) from None


def _is_missing(value: Any) -> bool:
    """None, and what pandas writes for a missing value."""
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _refuse(raw: Any, array: Any, columns: list[str] | None, what: str) -> None:
    place = np.argwhere(~np.isfinite(array))[0]
    count = int((~np.isfinite(array)).sum())
    value = raw[tuple(place)]
    column = "" if array.ndim < 2 else f", column {columns[place[1]] if columns else place[1]}"
    if np.isfinite(np.asarray(value, np.float64)):
        raise DataError(
            f"{what} has {value} in row {place[0]}{column}, too large for {array.dtype}; scale it or use dtype='float64'."
        )
    raise DataError(
        f"{what} has {count} NaN or infinite {'value' if count == 1 else 'values'}, the first ({value}) in row {place[0]}{column}. "
        "Remove those rows, or fill them in (with the column's mean, say)."
    )


def as_inputs(X: Any, dtype: Any, names: Sequence[str], expected: Sequence[tuple[int, ...]] | None) -> list[Any]:
    """The arrays of all inputs, each (rows, *features), checked against each other and against the network.

    One input may be given as it is; several as a tuple in order, or as a dict by the names of the function's
    arguments.
    """
    if len(names) == 1:
        parts = [next(iter(X.values())) if isinstance(X, dict) and list(X) == list(names) else X]
    elif isinstance(X, Mapping) and set(X) == set(names):
        parts = [X[name] for name in names]
    elif isinstance(X, tuple | list) and len(X) == len(names):
        parts = list(X)
    else:
        raise ShapeError(
            f"this network has the inputs {', '.join(names)}; give a tuple of {len(names)} arrays, or a dict with these names."
        )
    arrays = []
    for i, (part, name) in enumerate(zip(parts, names, strict=True)):
        what = "X" if len(names) == 1 else f"input {name}"
        array = as_array(part, dtype, what)
        if array.ndim == 1:
            hint = "X[None] for one row, X[:, None] for one column" if len(names) == 1 else "add an axis"
            raise ShapeError(f"{what} has shape {array.shape}; a network takes (rows, features): {hint}.")
        if expected is not None and array.shape[1:] != expected[i]:
            raise ShapeError(
                f"{what} has shape {array.shape}, rows of shape {array.shape[1:]}; this network was built for rows of shape "
                f"{expected[i]}."
            )
        arrays.append(array)
    if len({len(a) for a in arrays}) > 1:
        raise ShapeError(f"the inputs have different numbers of rows: {', '.join(str(len(a)) for a in arrays)}.")
    return arrays


@dataclass(frozen=True)
class Targets:
    """What one output is to learn: arrays as the loss takes them, and what they stand for.

    `class_indices` are class numbers, `None` for values; `classes` the labels they stand for.
    """

    array: Any
    class_indices: Any | None
    classes: Any | None


def are_labels(y: Any) -> bool:
    """Whether targets look like labels: text, booleans, or whole numbers in one column."""
    array = np.asarray(y)
    if array.dtype.kind == "O":
        return not all(isinstance(v, float) for v in array.ravel()[:100])
    return array.dtype.kind in "USbiuT" and (array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1))


def as_targets(y: Any, loss: Loss, width: int, rows: int, dtype: Any, classes: Any = None, what: str = "y") -> Targets:
    """Targets for a network with `width` outputs: labels of any kind for classification, values otherwise."""
    raw = np.asarray(y)
    if raw.shape[:1] != (rows,):
        raise DataError(
            f"{what} has {raw.shape[0] if raw.ndim else 'no'} rows and X has {rows}; give one target for every row of X."
        )
    if rows == 0:
        raise DataError(f"{what} is empty; give at least one row.")
    whole = raw.dtype.kind in "USbiuOT"
    flat = raw.ndim == 1 or (raw.ndim == 2 and raw.shape[1] == 1)
    soft = width == 1 and raw.dtype.kind == "f" and bool(np.isfinite(raw).all() and (raw % 1 != 0).any())
    if flat and not soft and (loss.task == "classification" or (whole and width > 1 and loss.task == "regression")):
        return _labels(raw.reshape(rows), loss, width, dtype, classes, what)
    if raw.ndim == 1:
        raw = raw[:, None]
    if raw.dtype.kind not in "fiub":
        raise DataError(f"{what} has {raw.dtype} values, and the loss {type(loss).__name__} needs numbers.")
    array = as_array(raw, dtype, what)
    if array.ndim != 2:
        raise ShapeError(f"{what} has shape {array.shape}; give one row of {width} values for every row of X.")
    if array.shape[1:] != (width,):
        raise ShapeError(
            f"{what} has {array.shape[1]} columns and the network has {width} outputs. "
            f"Give {what} with {width} columns, or end the network in Dense({array.shape[1]})."
        )
    if loss.task == "classification" and loss.link != "identity" and ((array < 0) | (array > 1)).any():
        raise DataError(
            f"{what} has values outside 0 … 1; {type(loss).__name__} needs probabilities, or labels in one column."
        )
    if loss.link == "softmax" and (abs(array.sum(axis=1) - 1) > 1e-3).any():
        raise DataError(
            f"{what} has rows that do not sum to 1, and {type(loss).__name__} needs probabilities. "
            "For several labels at once use loss='binary_cross_entropy'."
        )
    if loss.link == "exp" and (array < 0).any():
        raise DataError(f"{what} has negative values, and {type(loss).__name__} needs counts or rates.")
    one_hot = (
        loss.task == "classification"
        and width > 1
        and bool((array.sum(axis=1) == 1).all() and np.isin(array, (0, 1)).all())
    )
    return Targets(
        array, array.argmax(axis=1).astype(np.int32) if one_hot else None, np.arange(width) if one_hot else None
    )


def _labels(raw: Any, loss: Loss, width: int, dtype: Any, classes: Any, what: str) -> Targets:
    if raw.dtype.kind == "f" and not np.isfinite(raw).all():
        raise DataError(f"{what} has {int((~np.isfinite(raw)).sum())} NaN or infinite labels; remove those rows.")
    if raw.dtype.kind == "O" and any(_is_missing(v) or v != v for v in raw):
        raise DataError(f"{what} has missing labels; remove those rows.")
    found, class_indices = _different(raw)
    if classes is None:
        classes = found
    elif (places_among(found, classes) < 0).any():
        new = found[places_among(found, classes) < 0]
        raise DataError(
            f"{what} has labels the network has not learned: {new[:5].tolist()}. It knows {list(classes)[:10]}."
        )
    else:
        class_indices = places_among(found, classes)[class_indices]
    if width == 1 and len(classes) > 2:
        raise ShapeError(
            f"{what} has {len(classes)} classes and the network has one output. End it in Dense({len(classes)}) "
            "and use loss='cross_entropy'; or, if these are values and not labels, use loss='squared_error'."
        )
    if width > 1 and len(classes) > width:
        if np.issubdtype(raw.dtype, np.integer) and classes.min() < 0:
            raise DataError(f"{what} has negative class numbers such as {classes.min()}.")
        raise DataError(
            f"{what} has {len(classes)} classes ({classes[:5].tolist()} …) and the network has {width} outputs. "
            f"End the network in Dense({len(classes)})."
        )
    if width > len(classes):
        classes, class_indices = _wider(classes, class_indices, width, what)
    class_indices = class_indices.astype(np.int32)
    encoded = np.asarray(loss.encode(class_indices, max(len(classes), 1), width))
    return Targets(
        np.ascontiguousarray(encoded if encoded.dtype == np.int32 else encoded.astype(dtype)), class_indices, classes
    )


def _different(labels: Any) -> tuple[Any, Any]:
    """The different labels in order, and the place of each among them; those of different kinds are ordered as text."""
    if labels.dtype.kind != "O" or len({type(v) for v in labels}) < 2:
        return np.unique(labels, return_inverse=True)
    as_text = [f"{v} {type(v).__name__}" for v in labels]
    _, first, places = np.unique(as_text, return_index=True, return_inverse=True)
    return labels[first], places


def places_among(labels: Any, classes: Any) -> Any:
    """The place of every label among the classes, −1 for one that is none of them."""
    if "O" not in (labels.dtype.kind, classes.dtype.kind):
        return np.where(np.isin(labels, classes), np.searchsorted(classes, labels), -1)
    known = classes.tolist()
    by_value = {v: i for i, v in enumerate(known)}
    exactly = {(type(v), v): i for i, v in enumerate(known)}  # 1 and True are equal, and two labels
    return np.array([exactly.get((type(v), v), by_value.get(v, -1)) for v in labels.ravel().tolist()], int)


def _wider(classes: Any, class_indices: Any, width: int, what: str) -> tuple[Any, Any]:
    """More outputs than classes seen: allowed where labels are 0 … width − 1, some of which are absent."""
    if width == 1:
        return classes, class_indices
    if classes.dtype.kind in "iu" and classes.min() >= 0 and classes.max() < width:
        return np.arange(width), classes[class_indices]
    raise DataError(
        f"{what} has {len(classes)} classes ({classes[:5].tolist()}) and the network has {width} outputs. "
        f"End the network in Dense({len(classes)}), or Dense(1) with loss='binary_cross_entropy' for two classes."
    )


def as_weights(sample_weight: Any, class_weight: Any, targets: Sequence[Targets], rows: int, dtype: Any) -> Any | None:
    """One weight for every row, from both kinds of weight; `None` if neither is given."""
    if sample_weight is None and class_weight is None:
        return None
    weights = np.ones(rows)
    if sample_weight is not None:
        weights = as_array(sample_weight, np.float64, "sample_weight")
        if weights.shape != (rows,):
            raise DataError(f"sample_weight has shape {weights.shape}; give one weight for each of the {rows} rows.")
    if class_weight is not None:
        coded = [t for t in targets if t.class_indices is not None]
        if len(targets) != 1 or not coded:
            raise SettingError("class_weight needs a network with one output whose targets are labels.")
        weights = weights * _class_weights(class_weight, coded[0])[coded[0].class_indices]
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise DataError("weights must be finite and not negative, and at least one must be positive.")
    return weights.astype(dtype)


def _class_weights(given: Any, targets: Targets) -> Any:
    assert targets.classes is not None
    counts = np.bincount(targets.class_indices, minlength=len(targets.classes))  # type: ignore[arg-type]
    if isinstance(given, str) and given == "balanced":
        present = counts > 0
        return np.where(present, counts.sum() / (present.sum() * np.maximum(counts, 1)), 0.0)
    if not isinstance(given, Mapping):
        raise SettingError(f"class_weight was given {shown(given)}; use 'balanced' or a dict from label to weight.")
    labels = targets.classes.tolist()
    unknown = [label for label in given if label not in labels]
    if unknown:
        raise DataError(f"class_weight names {unknown[0]!r}, which is no label in y: {labels[:10]}.")
    return np.array([float(given.get(label, 1.0)) for label in labels])


def split_off(data: Batch, share: float, seed: int) -> tuple[Batch | None, Batch]:
    """A random share of the rows as validation data, and the others; both in their old order."""
    SettingError.unless_number("fit", "validation_split", share, at_least=0, below=1)
    if not share:
        return None, data
    rows = len(data.inputs[0])
    order = np.random.default_rng([seed, 2]).permutation(rows)
    count = max(1, round(rows * share))
    if count >= rows:
        raise SettingError(f"validation_split={share} of {rows} rows leaves none to learn from.")
    held, kept = np.sort(order[:count]), np.sort(order[count:])
    return data.like([x[held] for x in data.arrays()]), data.like([x[kept] for x in data.arrays()])


FILLED_BYTES = 2**28
"""Data up to this size are copied so that their last batch can be filled up."""


def owned(data: Batch) -> Batch:
    """Copies that nobody can change while a training reads them; what is on disk stays there, and can be changed."""
    return data.like([x if isinstance(x, np.memmap) else np.array(x) for x in data.arrays()])


def filled_up(data: Batch, batch_size: int) -> Batch:
    """The data with rows of weight 0 behind them that make the last batch as large as the others.

    Then one compiled step serves all batches. Data are left as they are where this would add more than a quarter to
    them, where they lie on disk, and where they are very large.
    """
    arrays = data.arrays()
    rows = len(arrays[0])
    missing = -rows % batch_size
    large = sum(x.nbytes for x in arrays) > FILLED_BYTES
    if not missing or 4 * missing > rows or large or any(isinstance(x, np.memmap) for x in arrays):
        return data
    weights = np.ones(rows, data.inputs[0].dtype) if data.weights is None else data.weights
    more = [np.concatenate([x, x[:missing]]) for x in replace(data, weights=weights).arrays()]
    more[-1][rows:] = 0
    return replace(data, weights=weights).like(more)
