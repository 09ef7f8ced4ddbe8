"""Data that JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chainrule.explanation.rendering.json_form import exact


def plain(x: Any) -> Any:
    """Containers as dicts and lists, NumPy's numbers as Python's, and those that are not finite as texts, for JSON has none."""
    if isinstance(x, Mapping):
        return {str(key): plain(value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [plain(value) for value in x]
    if isinstance(x, np.generic):
        return plain(x.item())
    return exact(x) if isinstance(x, float) else x
