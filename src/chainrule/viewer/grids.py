"""Grids: numbers that are drawn and not printed, as base64 of their bytes."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

LEVELS, MOST = 30, 250
"""Steps between the least and the greatest number that are kept of a recorded picture, at least half as many: as many as bands of
colour need, and as many as a byte holds."""


def as_grid(values: Any) -> dict[str, Any]:
    """A matrix as float32, row by row, with what its finite numbers lie between; what is not finite is 0.

    >>> as_grid(np.array([[0.5, 1.0]]))
    {'columns': 2, 'rows': 1, 'values': 'AAAAPwAAgD8=', 'least': 0.5, 'greatest': 1.0}
    """
    numbers = np.asarray(values, np.float32)
    finite = numbers[np.isfinite(numbers)]
    least, greatest = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    rows, columns = numbers.shape
    text = _text(np.where(np.isfinite(numbers), numbers, 0.0).astype("<f4"))
    return {"columns": columns, "rows": rows, "values": text, "least": least, "greatest": greatest}


def is_grid(value: dict[str, Any]) -> bool:
    """Whether a part, or a piece of one, is a grid."""
    return {"columns", "rows", "values", "least", "greatest"} <= value.keys()


def in_steps(grid: dict[str, Any], levels: int = LEVELS) -> dict[str, Any]:
    """A grid with a byte for every number, which is (first + byte + ½) · unit: the middle between two multiples of the unit.

    So no number comes to lie on the other side of a whole one, which for classes is another class.

    >>> grid = in_steps(as_grid(np.array([[0.5, 0.99], [1.0, 2.5]])))
    >>> grid["unit"], grid["first"], (np.frombuffer(base64.b64decode(grid["values"]), np.uint8) + grid["first"] + 0.5) * grid["unit"]
    (0.125, 4, array([0.5625, 0.9375, 1.0625, 2.5625]))
    """
    numbers = np.frombuffer(base64.b64decode(grid["values"]), "<f4").astype(float)
    least, greatest = min(grid["least"], 0.0) if 0.0 in numbers else grid["least"], grid["greatest"]
    unit = 2.0 ** np.ceil(np.log2(max(greatest - least, abs(greatest) * 1e-6, 1e-30) / min(levels, MOST)))
    whole = np.floor(numbers / unit)
    first = whole.min() if whole.size else 0.0
    kept = {"values": _text((whole - first).astype(np.uint8)), "unit": float(unit), "first": int(first)}
    ends = {
        "least": float(np.floor(grid["least"] / unit) * unit),
        "greatest": float(np.ceil(grid["greatest"] / unit) * unit),
    }
    return {**grid, **kept, **ends}


def _text(numbers: Any) -> str:
    return base64.b64encode(numbers.tobytes()).decode("ascii")
