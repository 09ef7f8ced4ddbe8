"""How far gradients may be apart by rounding: that of their dtype, and of the digits to which they were typed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

DOUBLE, SINGLE = 1e-9, 2e-5
"""Relative differences up to which gradients are the same, where all is in double precision, and where not."""
TYPED = range(3, 11)
"""Digits of numbers that were typed. Those with fewer may be exact, such as 0.25, and those with more were computed."""
MOST_TYPED = 1000
"""Numbers of the largest array that somebody types."""


class Rounding(NamedTuple):
    """The relative difference up to which gradients are the same, the dtype, and to how many digits they were typed, if they were."""

    tolerance: float
    dtype: str
    typed: int | None


def rounding_of(values: Iterable[Any], mine: Sequence[Any]) -> Rounding:
    """What rounding may do to gradients at such values, of which some were given as `mine`."""
    single = any(np.asarray(x).dtype in (np.float32, np.float16) for x in (*values, *mine))
    tolerance = SINGLE if single else DOUBLE
    known = [(digits, x) for x in mine if (digits := _digits(x)) in TYPED]
    share = max((_half_a_unit(digits, x) for digits, x in known), default=0.0)
    typed = min(digits for digits, _ in known) if share > tolerance else None
    return Rounding(max(tolerance, share), "float32" if single else "float64", typed)


def _digits(x: Any) -> int:
    """The digits of the number that has most of them; 0 where there is none."""
    numbers = np.ravel(x)
    if numbers.dtype != np.float64 or numbers.size > MOST_TYPED or not np.isfinite(numbers).all():
        return 0
    return max((len(Decimal(repr(float(n))).normalize().as_tuple().digits) for n in numbers if n), default=0)


def _half_a_unit(digits: int, x: Any) -> float:
    """Half a unit in the last place of the largest number, as a share of it."""
    largest = float(np.abs(x).max())
    return float(0.5 * 10.0 ** (math.floor(math.log10(largest)) - digits + 1) / largest)
