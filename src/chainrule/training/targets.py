"""Targets as people have them, turned into what a loss takes: labels of any kind, or values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import DataError, ShapeError
from chainrule.nn.numbers import NUMBERS, as_array, as_plain, is_missing, unless_hashable
from chainrule.training.loss import Loss

REMEDY = (
    "Give y as it was learned; to learn other targets begin with a new network, or let this one forget what its outputs "
    "mean (network.meanings = ())."
)


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
    array = as_plain(y, "y")
    return str(array.dtype.kind) in "USbiuOT" and _in_one_column(array)


def are_one_hot(y: Any, width: int) -> bool:
    """Whether targets are rows of zeros with a single one, or other rows of probabilities of so many classes."""
    array = as_plain(y, "y")
    if width < 2 or array.dtype.kind not in NUMBERS or array.shape[1:] != (width,):
        return False
    return bool((array >= 0).all() and (abs(array.sum(axis=1, dtype=np.float64) - 1) <= 1e-3).all())


def _in_one_column(array: Any) -> bool:
    return len(array.shape) == 1 or (len(array.shape) == 2 and int(array.shape[1]) == 1)


def as_targets(y: Any, loss: Loss, width: int, rows: int, dtype: Any, classes: Any = None, what: str = "y") -> Targets:
    """Targets for a network with `width` outputs: labels of any kind for classification, values otherwise.

    `classes` are the labels that the outputs stand for already.
    """
    raw = as_plain(y, what)
    if raw.shape[:1] != (rows,):
        raise DataError(
            f"{what} has {raw.shape[0] if raw.ndim else 'no'} rows and X has {rows}; give one target for every row of X."
        )
    if rows == 0:
        raise DataError(f"{what} is empty; give at least one row.")
    whole = raw.dtype.kind in "USbiuOT"
    flat = _in_one_column(raw)
    labels = flat and (loss.task == "classification" or (whole and width > 1 and loss.task == "regression"))
    if labels and not (width == 1 and _are_parts(raw)):
        return _labels(raw.reshape(rows), loss, width, dtype, classes, what)
    if raw.ndim == 1:
        raw = raw[:, None]
    if raw.dtype.kind not in NUMBERS and not _has_dates(raw):
        raise DataError(
            f"{what} has {raw.dtype} values, and the loss {type(loss).__name__} needs numbers. Turn them into numbers "
            "(y.astype(float)), or use a loss for labels such as 'cross_entropy'."
        )
    array = as_array(raw, dtype, what)
    if array.ndim != 2:
        raise ShapeError(f"{what} has shape {array.shape}; give one row of {width} values for every row of X.")
    if array.shape[1:] != (width,):
        raise _wrong_width(array, width, what)
    loss.unless_fit(array, what)
    one_hot = (
        loss.task == "classification"
        and width > 1
        and bool((array.sum(axis=1) == 1).all() and np.isin(array, (0, 1)).all())
    )
    if not one_hot:
        return Targets(array, None, None)
    known = classes is not None and len(classes) == width
    return Targets(array, array.argmax(axis=1).astype(np.int32), classes if known else np.arange(width))


def _are_parts(raw: Any) -> bool:
    """Whether numbers are finite and not all whole, as probabilities are."""
    return raw.dtype.kind == "f" and bool(np.isfinite(raw).all() and (raw % 1 != 0).any())


def _has_dates(raw: Any) -> bool:
    """Whether objects are refused as dates, with their own remedy."""
    return raw.dtype.kind == "O" and not any(isinstance(v, str | bytes) for v in raw.ravel())


def _wrong_width(array: Any, width: int, what: str) -> ShapeError:
    column = array[:, 0]
    if array.shape[1] == 1 and (column % 1 == 0).all() and len(np.unique(column)) <= width:
        return ShapeError(
            f"{what} has one column of real numbers and the network has {width} outputs. If they are labels, give whole "
            f"numbers ({what}.astype(int)) or loss='cross_entropy'; if they are values, end the network in Dense(1)."
        )
    return ShapeError(
        f"{what} has {array.shape[1]} column{'s' * (array.shape[1] != 1)} and the network has {width} outputs. "
        f"Give {what} with {width} columns, or end the network in Dense({array.shape[1]})."
    )


# --- labels


def _labels(raw: Any, loss: Loss, width: int, dtype: Any, classes: Any, what: str) -> Targets:
    if raw.dtype.kind == "f" and not np.isfinite(raw).all():
        raise DataError(f"{what} has {int((~np.isfinite(raw)).sum())} NaN or infinite labels; remove those rows.")
    if raw.dtype.kind == "O" and any(is_missing(v) or v != v for v in raw):
        raise DataError(f"{what} has missing labels; remove those rows.")
    if raw.dtype.kind == "O":
        unless_hashable(raw, what)
    found, class_indices = _different(raw)
    if classes is not None:
        class_indices = _places(found, classes, what)[class_indices]
    else:
        classes, places = _first_classes(found, loss, width, what)
        class_indices = places[class_indices]
    class_indices = class_indices.astype(np.int32)
    encoded = np.asarray(loss.encode(class_indices, max(len(classes), 1), width))
    return Targets(
        np.ascontiguousarray(encoded if encoded.dtype == np.int32 else encoded.astype(dtype)), class_indices, classes
    )


def _places(found: Any, classes: Any, what: str) -> Any:
    """Where labels stand among those learned already: equal numbers are the same label, text is never a number."""
    ours, theirs = _comparable(found), _comparable(classes)
    if "O" in (ours.dtype.kind, theirs.dtype.kind):
        places = _places_of_objects(ours.tolist(), theirs.tolist())
        new = found[places < 0]
    else:
        places = np.searchsorted(theirs, ours)
        alike = (ours.dtype.kind in NUMBERS) == (theirs.dtype.kind in NUMBERS)
        new = found if not alike or _is_text(ours) != _is_text(theirs) else found[~np.isin(ours, theirs)]
    if len(new):
        shown = ", ".join(map(repr, new[:5].tolist()))
        raise DataError(
            f"{what} has labels the network has not learned: [{shown}{', …' if len(new) > 5 else ''}]. "
            f"It knows only {classes[:10].tolist()}. {REMEDY}"
        )
    return places


def _different(labels: Any) -> tuple[Any, Any]:
    """The different labels in order, and the place of each among them; those that have no order are ordered as text."""
    if labels.dtype.kind != "O" or len({type(v) for v in labels}) < 2:
        try:
            return np.unique(labels, return_inverse=True)
        except TypeError:  # such as members of an enumeration
            pass
    as_text = [f"{v} {type(v).__name__}" for v in labels]
    _, first, places = np.unique(as_text, return_index=True, return_inverse=True)
    return labels[first], places


def _places_of_objects(labels: list[Any], classes: list[Any]) -> Any:
    """The place of every label among the classes, −1 for one that is none of them."""
    by_value = {v: i for i, v in enumerate(classes)}
    exactly = {(type(v), v): i for i, v in enumerate(classes)}  # 1 and True are equal, and two labels
    return np.array([exactly.get((type(v), v), by_value.get(v, -1)) for v in labels], int)


def _is_text(labels: Any) -> tuple[bool, bool]:
    return labels.dtype.kind == "U", labels.dtype.kind == "S"


def _comparable(labels: Any) -> Any:
    """Labels that are all text as text of one kind, whatever holds them."""
    text = labels.dtype.kind == "T" or (labels.dtype.kind == "O" and all(isinstance(v, str) for v in labels))
    return np.array(labels.tolist(), str) if text else labels


def _first_classes(found: Any, loss: Loss, width: int, what: str) -> tuple[Any, Any]:
    """The classes that outputs stand for from now on, and where the labels found are among them."""
    if width == 1:
        if len(found) > 2:
            raise ShapeError(
                f"{what} has {len(found)} classes and the network has one output. End it in Dense({len(found)}) "
                "and use loss='cross_entropy'; or, if these are values and not labels, use loss='squared_error'."
            )
        return _two(found, loss, what)
    if len(found) > width:
        if np.issubdtype(found.dtype, np.integer) and found.min() < 0:
            raise DataError(f"{what} has negative class numbers such as {found.min()}; give them as 0 to {width - 1}.")
        raise DataError(
            f"{what} has {len(found)} classes ({found[:5].tolist()} …) and the network has {width} outputs. "
            f"End the network in Dense({len(found)})."
        )
    if len(found) == width:
        return found, np.arange(width)
    return _wider(found, width, what)


def _two(found: Any, loss: Loss, what: str) -> tuple[Any, Any]:
    """The two classes of a single output. A label alone says which it is if it is a boolean, 0, 1 or −1."""
    if len(found) == 2:
        return found, np.arange(2)
    label = found[0]
    pairs = [(0, 1), (-1, 1)]
    if loss.one_column[0] != 0 and found.dtype.kind != "b":
        pairs.reverse()
    if found.dtype.kind in NUMBERS:
        for pair in pairs:
            if label in pair:
                signed = np.int64 if found.dtype.kind == "u" and min(pair) < 0 else found.dtype
                return np.array(pair).astype(signed), np.array([pair.index(int(label))])
    raise DataError(
        f"{what} has the single label {label!r}, and one output tells two apart: nothing says which of them this is. Give rows "
        "of both labels; or 0 and 1, −1 and 1, or booleans, which mean what they say also alone."
    )


def _wider(found: Any, width: int, what: str) -> tuple[Any, Any]:
    """More outputs than classes seen: allowed where labels are 0 … width − 1, some of which are absent."""
    kind = found.dtype.kind
    numbered = kind in "iu" or (kind == "b" and width == 2) or (kind == "f" and bool((found % 1 == 0).all()))
    if numbered and found.min() >= 0 and found.max() < width:
        return np.arange(width).astype(found.dtype if kind in "bf" else np.int64), found.astype(np.int64)
    raise DataError(
        f"{what} has {len(found)} classes ({found[:5].tolist()}) and the network has {width} outputs. "
        f"End the network in Dense({len(found)}), or Dense(1) with loss='binary_cross_entropy' for two classes."
    )
