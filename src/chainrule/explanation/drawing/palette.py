"""Colours, signs and strokes: how a number looks.

Blue is positive and vermilion negative (Okabe and Ito's palette, told apart with every kind of colour vision); the
sign is written as well, and magnitude is shown by thickness or depth of colour.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

INK, MUTED, LINE, PAPER = "#1b2530", "#586473", "#c9d0d8", "#ffffff"
POSITIVE, NEGATIVE, ZERO = "#0072b2", "#d55e00", "#8a94a0"
POSITIVE_TEXT, NEGATIVE_TEXT = "#005a92", "#a84300"
"""Darker, so that small letters on white keep a contrast of more than 4.5 to 1."""

VALUE_FILL, VALUE_STROKE = "#f3f6fa", "#7d8b9b"
LEAF_FILL, LEAF_STROKE = "#eaf3ea", "#5e8a63"
RESULT_FILL, RESULT_STROKE = "#f1ecf8", "#7b63a5"
OPERATION_FILL, OPERATION_STROKE = "#fff2cf", "#a8821f"
BLOCK_FILL, BLOCK_STROKE = "#f6f4ef", "#8d8674"

NOT_COMPUTED = "—"
_STEPS = 8
_DEEPEST = {1: (0, 84, 150), -1: (190, 70, 0)}


def sign_of(x: float) -> int:
    """1, −1, or 0 for zero and NaN."""
    return int(x > 0) - int(x < 0)


def colour_of(x: float) -> str:
    """The colour of a line that stands for `x`."""
    return (ZERO, POSITIVE, NEGATIVE)[sign_of(x)]


def text_colour_of(x: float) -> str:
    """The colour of `x` in writing."""
    return (MUTED, POSITIVE_TEXT, NEGATIVE_TEXT)[sign_of(x)]


def thickness_of(x: float, largest: float, thickest: float = 4.0) -> float:
    """The width of a line that stands for `x`, where the widest stands for `largest`."""
    if not largest > 0 or not math.isfinite(x):
        return 1.0
    return 0.8 + (thickest - 0.8) * min(1.0, abs(x) / largest)


NO_NUMBER = 127
"""The depth of NaN."""


def depths(array: Any, largest: float) -> np.ndarray[Any, np.dtype[np.int8]]:
    """How deep the colours of numbers are, from −8 to 8: 0 at 0, deeper towards ±`largest`."""
    x = np.asarray(array, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        shares = np.minimum(1.0, np.abs(x) / largest) if largest > 0 else np.zeros(x.shape)
    found = np.sign(x) * np.ceil(np.nan_to_num(shares) * _STEPS - 1e-9)
    return np.where(np.isnan(x), NO_NUMBER, np.nan_to_num(found)).astype(np.int8)


def shade(x: float, largest: float) -> str:
    """The colour of a heat map's cell: white at 0, deeper towards ±`largest`; grey for NaN."""
    return SHADES[int(depths(x, largest))]


def _mixed(depth: int) -> str:
    share = abs(depth) / _STEPS * 0.92
    return "#" + "".join(f"{round(255 + (c - 255) * share):02x}" for c in _DEEPEST[1 if depth > 0 else -1])


SHADES = {**{depth: _mixed(depth) for depth in range(-_STEPS, _STEPS + 1)}, NO_NUMBER: "#b9bec5"}
"""The colour of every depth."""


def is_dark(colour: str) -> bool:
    """Whether white letters read better on it than dark ones."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 140


def number(x: Any, digits: int = 4) -> str:
    """A number in writing, with a real minus."""
    return _tidy(f"{_plain(x):.{digits}g}" if not _is_whole(x) else f"{x}")


def signed(x: Any, digits: int = 4) -> str:
    """A number with its sign, also where it is positive; 0 has none."""
    text = number(x, digits)
    return f"+{text}" if _plain(x) > 0 else text


def largest_of(*arrays: Any) -> float:
    """The largest magnitude among finite numbers; 0 where there is none."""
    found = 0.0
    for array in arrays:
        if array is not None and np.size(array):
            magnitudes = np.abs(np.asarray(array, np.float64))
            found = max(found, float(np.max(magnitudes, initial=0.0, where=np.isfinite(magnitudes))))
    return found


def _is_whole(x: Any) -> bool:
    return isinstance(x, bool | np.bool_) or (isinstance(x, int | np.integer) and abs(int(x)) < 10**9)


def _plain(x: Any) -> float:
    return float(x)


def _tidy(text: str) -> str:
    if "e" in text and not text.isalpha():  # True and False are words
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("inf", "∞").replace("-", "−")
