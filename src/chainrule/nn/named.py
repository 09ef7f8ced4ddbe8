"""Initialisers by name, read off their declarations."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.declarations import by_name, declared
from chainrule.errors import UnknownNameError
from chainrule.nn import initializers
from chainrule.nn.initializer import Given, Initializer
from chainrule.nn.initializers import Constant

INITIALIZERS: dict[str, Initializer] = by_name(declared(initializers))
"""Initialisers by name."""


def initializer(given: Any) -> Initializer:
    """An initialiser from its name, itself, a number, or the values wanted."""
    if isinstance(given, str):
        if given not in INITIALIZERS:
            raise UnknownNameError.among("initialiser", given, INITIALIZERS)
        return INITIALIZERS[given]
    if callable(given):
        return given  # type: ignore[no-any-return]
    if isinstance(given, int | float):
        return Constant(float(given))
    return Given(_as_tuples(np.asarray(given, np.float64).tolist()))


def _as_tuples(x: Any) -> Any:
    return tuple(map(_as_tuples, x)) if isinstance(x, list) else x
