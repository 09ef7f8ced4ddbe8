"""Activation functions by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import UnknownNameError
from chainrule.tracing import functions as f

Activation = str | Callable[[Any], Any]
"""A name from `ACTIVATIONS`, or any function of one array written in NumPy."""


def identity(x: Any) -> Any:
    """X itself."""
    return x


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": identity,
    "sigmoid": f.sigmoid,
    "tanh": np.tanh,
    "relu": f.relu,
    "leaky_relu": f.leaky_relu,
    "elu": f.elu,
    "selu": f.selu,
    "gelu": f.gelu,
    "silu": f.silu,
    "softplus": f.softplus,
    "softsign": f.softsign,
    "hard_tanh": f.hard_tanh,
    "step": f.step,
    "exp": np.exp,
    "softmax": f.softmax,
    "log_softmax": f.log_softmax,
}
"""Activation functions by name."""

RECTIFIERS = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus")
"""Activations that pass about half of their input on; He's initialisers suit them."""


def activation(given: Activation) -> Callable[[Any], Any]:
    """The function an activation's name stands for; a function stands for itself."""
    if callable(given):
        return given
    if given not in ACTIVATIONS:
        raise UnknownNameError.among("activation", given, ACTIVATIONS)
    return ACTIVATIONS[given]


def name_of(given: Activation) -> str:
    """The name to show for an activation."""
    if isinstance(given, str):
        return given
    for name, function in ACTIVATIONS.items():
        if function is given:
            return name
    return str(getattr(given, "__name__", type(given).__name__))
