"""What everything that is written as JSON has in common: its version, numbers as they are, the text itself."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

VERSION = 1
"""Grows when what is there changes its meaning; new fields do not change it."""


def written(data: Any) -> str:
    """JSON as all explanations write it."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def exact(x: float | Fraction | None) -> float | str | None:
    """A number as JSON has it; what is not finite as a text that JavaScript and Python read."""
    if x is None or math.isfinite(x):
        return None if x is None else float(x)
    return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
