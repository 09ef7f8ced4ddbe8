"""The pieces of networks, layers and initialisers, and initialisers by name, read off their declarations."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.declarations import by_name, declared
from chainrule.errors import SettingError, UnknownNameError, is_finite, shortened
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
    if isinstance(given, bool | np.bool_):
        raise SettingError(
            f"{given} is no initialiser; give a name such as 'zeros', a number or an array, or bias=None for no bias."
        )
    if is_finite(given):
        return Constant(float(given))
    try:
        values = np.asarray(given, np.float64)
    except (TypeError, ValueError, OverflowError):
        values = np.array(np.nan)
    if not np.isfinite(values).all():
        raise SettingError(
            f"{shortened(given)} is no initialiser; give a name such as 'he_normal', a number, or an array of finite numbers."
        )
    return Given(_as_tuples(values.tolist()))


def settled(given: Any) -> Any:
    """How a parameter starts, as a layer keeps it: arrays as tuples, so that layers can be compared and hashed; `None` is none.

    Raises
    ------
    SettingError, UnknownNameError
        When it is no initialiser.
    """
    if given is None:
        return None
    made = initializer(given)
    return made if isinstance(made, Given) else given


def _as_tuples(x: Any) -> Any:
    return tuple(map(_as_tuples, x)) if isinstance(x, list) else x
