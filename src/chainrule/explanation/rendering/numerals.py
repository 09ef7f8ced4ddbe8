"""Numbers to read: rounded once, when they are printed."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

SIMPLE = 100
"""Denominators of the fractions that decimal numbers are recognised as."""


def numeral(x: float, digits: int) -> str:
    """So many significant digits, as plain ASCII: `0.000438568`, `-8`, `1.5e-09`."""
    if not math.isfinite(x):
        return "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"
    text = f"{x + 0.0:.{digits}g}"  # zero has no sign here
    mantissa, _, exponent = text.partition("e")
    if exponent:
        return f"{mantissa}e{int(exponent)}"
    return text


def readable(x: Any, digits: int = 6) -> str:
    """A number to read, with the minus sign of mathematics; a dash for what is not known.

    Examples
    --------
    >>> readable(-2.5), readable(1 / 3, 3), readable(None)
    ('−2.5', '0.333', '—')
    """
    return "—" if x is None else numeral(float(np.asarray(x)), digits).replace("-", "−")


def coefficient(x: Any, digits: int) -> str:
    """A number of a formula: exact where that is short, a fraction where it is one, `2/3`, and π."""
    if isinstance(x, Fraction):
        return f"{x.numerator}/{x.denominator}" if x.denominator > 1 else str(x.numerator)
    if x == math.pi:
        return "π"
    short = f"{x:.12g}"
    if float(short) == x and len(short) <= 8:
        return numeral(x, 12)
    inverse = 1.0 / x if x else 0.0
    if abs(inverse) >= 2 and abs(inverse - round(inverse)) < 1e-9 * abs(inverse):
        return f"{'-' if x < 0 else ''}1/{abs(round(inverse))}"
    near = Fraction(x).limit_denominator(SIMPLE) if math.isfinite(x) else Fraction(0)
    if 0 < abs(near) < SIMPLE and abs(float(near) - x) <= 4e-16 * abs(x):
        return coefficient(near, digits)
    return numeral(x, digits)


def how_many(count: int, most: int) -> int:
    """How many of so many things are shown where there is room for `most`: all, rather than leave out a single one."""
    return count if count <= most + 1 else most


def unit_of_last_place(text: str) -> float:
    """What 1 in the last digit of a numeral is worth."""
    mantissa, _, exponent = text.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return float(10.0 ** (int(exponent or 0) - decimals))
