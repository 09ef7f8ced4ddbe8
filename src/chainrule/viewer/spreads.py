"""Spreads: how many numbers lie between edges that are evenly far apart."""

from __future__ import annotations

from typing import Any

import numpy as np

BINS = 24


def edges_of(numbers: Any) -> Any:
    """Edges from the least to the greatest finite number, rising; fewer than usual where floats between them are few.

    >>> edges_of(np.array([0.0, 3.0, 12.0, np.nan]))[:3]
    array([0. , 0.5, 1. ])
    """
    finite = numbers[np.isfinite(numbers)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low == high:
        room = max(0.5, 1e-6 * abs(low))
        low, high = low - room, high + room
    share = np.linspace(0.0, 1.0, BINS + 1)
    return np.unique(np.clip(low * (1.0 - share) + high * share, low, high))


def counts_between(numbers: Any, edges: Any) -> Any:
    """How many finite numbers lie between two neighbours each."""
    return np.histogram(numbers[np.isfinite(numbers)], edges)[0]
