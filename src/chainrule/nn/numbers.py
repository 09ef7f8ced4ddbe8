"""Numbers as people have them: lists, frames, masked, sparse and object arrays, turned into arrays or refused with a reason."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError, DataError, ShapeError, shortened

NUMBERS = "fiub"
"""The kinds of dtype that hold real numbers."""

_DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
_DATES_IN_TABLES = ("date", "time", "duration", "period")
"""How the names of dtypes begin that pandas, Polars and Arrow give to dates, times and differences of them."""


def as_plain(x: Any, what: str) -> Any:
    """The data as a NumPy array of the kind they are of: numbers as numbers, also where they came as objects.

    What a mask hides, and what is missing among numbers, is NaN; the caller refuses it. Dates and times are refused
    here, wherever they hide: as numbers they would be nanoseconds since 1970.
    """
    _refuse_dates(x, what)
    if hasattr(x, "toarray"):  # a SciPy sparse matrix
        x = x.toarray()
    if isinstance(x, np.ma.MaskedArray):
        x = _unmasked(x, what)
    try:
        raw = np.asarray(x)
    except ChainruleError:
        raise
    except ValueError as error:
        raise ShapeError(
            f"{what} has rows of different lengths ({error}); give every row the same number of values."
        ) from None
    if raw.dtype.kind in "mM":
        raise _dates(what)
    return _of_objects(raw) if raw.dtype.kind == "O" else raw


def as_array(x: Any, dtype: Any, what: str) -> Any:
    """Arrays, lists, and data frames (by the array protocol) as an array of finite real numbers, C-contiguous.

    A `numpy.memmap` of real numbers is left on disk as it is, in whatever order its bytes are, and its numbers are not
    looked at.
    """
    if isinstance(x, np.memmap) and x.dtype.kind in NUMBERS and x.size:
        return x
    columns = columns_of(x)
    raw = as_plain(x, what)
    if raw.dtype.kind not in NUMBERS:
        raw = _numbers(raw, columns, what)
    if raw.size == 0:
        raise DataError(f"{what} is empty (shape {raw.shape}); give at least one row and one column.")
    with np.errstate(over="ignore"):  # numbers too large for float32 are refused below
        array = np.ascontiguousarray(raw, dtype)
    if not _all_finite(array):
        _refuse(raw, array, columns, what)
    return array


def _all_finite(array: Any) -> bool:
    """Whether all numbers are finite: those whose squares have a finite sum are, which takes one pass and no room."""
    flat = array.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.einsum("i,i->", flat, flat)
    return bool(np.isfinite(total)) or bool(np.isfinite(array).all())


def columns_of(x: Any) -> list[str] | None:
    """The names of a frame's columns."""
    return [str(c) for c in x.columns] if hasattr(x, "columns") else None


def unless_hashable(labels: Any, what: str) -> None:
    """Refuse objects that are no single labels, such as dicts and lists."""
    for value in labels.reshape(-1).tolist():
        try:
            hash(value)
        except TypeError:
            raise DataError(
                f"{what} has {shortened(value)} among its labels; give text, numbers or other single values."
            ) from None


def is_missing(value: Any) -> bool:
    """None, and what pandas writes for a missing value."""
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _refuse_dates(x: Any, what: str) -> None:
    """Refuse a table's columns of dates; converted together with numbers they would look like these."""
    given = x.dtypes if hasattr(x, "columns") else [x.dtype] if hasattr(x, "dtype") else []
    kinds = [str(kind).lower() for kind in given]
    found = [i for i, kind in enumerate(kinds) if kind.startswith(_DATES_IN_TABLES)]
    if found:
        columns = columns_of(x)
        raise _dates(what, "" if columns is None else f" in column {columns[found[0]]}")


def _dates(what: str, where: str = "") -> DataError:
    return DataError(
        f"{what} has dates or times{where}, which are no numbers. Give numbers that mean something, for instance the days "
        "since the first one, (t - t.min()) / np.timedelta64(1, 'D'), or the hour and the day of the week."
    )


def _unmasked(x: Any, what: str) -> Any:
    """A masked array without its mask: NaN, or among text None, where it hides something."""
    if not np.ma.is_masked(x):
        return np.ma.getdata(x)
    if x.dtype.kind in NUMBERS:
        return np.ma.filled(x.astype(np.float64), np.nan)
    if x.dtype.kind in "mM":
        raise _dates(what)
    shown = np.array(np.ma.getdata(x), object)
    shown[np.ma.getmaskarray(x)] = None
    return shown


def _of_objects(raw: Any) -> Any:
    """Objects that are all numbers, or missing, as NumPy would have them had they come in a list; others as they are."""
    values = raw.ravel().tolist()
    if not values or all(is_missing(v) for v in values):
        return raw
    present = [v for v in values if not is_missing(v)]
    if not all(_is_number(v) for v in present):
        return raw
    if len(present) == len(values) and not any(_is_exact(v) for v in present):
        found = np.array(present)
        if found.dtype.kind in NUMBERS:
            return found.reshape(raw.shape)
    try:
        return np.array([np.nan if is_missing(v) else float(v) for v in values]).reshape(raw.shape)
    except OverflowError:  # a whole number beyond all floats, which is none of the numbers to be computed with
        return raw


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | int | float | np.bool_ | np.integer | np.floating) or _is_exact(value)


def _is_exact(value: Any) -> bool:
    """A `Decimal` or a `Fraction`."""
    return type(value).__name__ in ("Decimal", "Fraction") and hasattr(value, "as_integer_ratio")


def _numbers(raw: Any, columns: list[str] | None, what: str) -> Any:
    if raw.ndim == 0:
        given = shortened(raw.item())
        held = "; of a dict of columns make a frame or an array" if isinstance(raw.item(), dict) else ""
        raise DataError(f"{what} was given as {given}; give an array of numbers, shape (rows, features){held}.")
    if raw.dtype.kind == "c":
        raise DataError(f"{what} has complex numbers; give real and imaginary parts as columns of their own.")
    if raw.dtype.names:
        raise DataError(
            f"{what} has rows with fields ({', '.join(raw.dtype.names[:5])}); give columns, such as "
            "numpy.lib.recfunctions.structured_to_unstructured(x)."
        )
    if raw.dtype.kind == "O":
        if any(isinstance(v, _DATES) or type(v).__name__ == "Period" for v in raw.ravel() if not is_missing(v)):
            raise _dates(what)
        missing = np.frompyfunc(is_missing, 1, 1)(raw).astype(bool)
        raw = np.where(missing, np.nan, raw)
    try:
        return raw.astype(np.float64)
    except OverflowError:
        raise DataError(
            f"{what} has whole numbers too large to compute with; give smaller ones, such as their logarithms."
        ) from None
    except (TypeError, ValueError):
        bad = []
        for i in range(raw.shape[-1] if raw.ndim > 1 else 1):
            try:
                (raw[:, i] if raw.ndim > 1 else raw).astype(np.float64)
            except (TypeError, ValueError):
                bad.append(columns[i] if columns else str(i))
        raise DataError(
            f"{what} has values that are no numbers (dtype {raw.dtype}, {'columns' if len(bad) > 1 else 'column'} "
            f"{', '.join(bad[:5])}{'…' if len(bad) > 5 else ''}). Make numbers of text first, for instance one column for "
            "every value; cr.TableModel takes such tables as they are."
        ) from None


def _refuse(raw: Any, array: Any, columns: list[str] | None, what: str) -> None:
    place = np.argwhere(~np.isfinite(array))[0]
    count = int((~np.isfinite(array)).sum())
    value = raw[tuple(place)] if raw.ndim else raw
    column = "" if array.ndim < 2 else f", column {columns[place[1]] if columns else place[1]}"
    if np.isfinite(np.asarray(value, np.float64)):
        raise DataError(
            f"{what} has {value} in row {place[0]}{column}, too large for {array.dtype}; scale it or use dtype='float64'."
        )
    raise DataError(
        f"{what} has {count} NaN or infinite {'value' if count == 1 else 'values'}, the first ({value}) in row {place[0]}{column}. "
        "Remove those rows, or fill them in (with the column's mean, say)."
    )
