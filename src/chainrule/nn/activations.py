"""Activation functions by name, read off the declarations of operations and functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.errors import SettingError, UnknownNameError, shortened
from chainrule.ops import FUNCTIONS, REGISTRY, Elementwise
from chainrule.tracing.functions import all_public

Activation = str | Callable[[Any], Any]
"""A name from `ACTIVATIONS`, or any function of one array written in NumPy."""


def identity(x: Any) -> Any:
    """X itself."""
    return x


_OF_NUMPY = {op.name: op for op in REGISTRY.values() if isinstance(op, Elementwise) and op.activation and op.ufunc}
_OURS = {name: function for name, function in FUNCTIONS.items() if function.activation}

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": identity,
    **{name: op.ufunc for name, op in _OF_NUMPY.items() if op.ufunc},
    **{name: all_public()[name] for name in _OURS},
}
"""Activation functions by name."""

OTHER_NAMES = {"linear": "identity", "swish": "silu"}
"""What activations are called elsewhere, each with the name here."""

_KINDS = {name: op.activation for name, op in _OF_NUMPY.items()} | {name: f.activation for name, f in _OURS.items()}
_START = {"rectifier": "he_normal", "self-normalizing": "lecun_normal"}


def activation(given: Activation) -> Callable[[Any], Any]:
    """The function an activation's name stands for; a function stands for itself."""
    if callable(given):
        return given
    if not isinstance(given, str):
        raise SettingError(
            f"{shortened(given)} is no activation; give a name such as 'relu', or a function of one array."
        )
    name = _known(given)
    if name not in ACTIVATIONS:
        raise UnknownNameError.among("activation", given, ACTIVATIONS)
    return ACTIVATIONS[name]


def _known(given: str) -> str:
    """The name here of what may be written in another case, or as elsewhere."""
    lower = given if given in ACTIVATIONS else given.lower()
    return OTHER_NAMES.get(lower, lower)


def name_of(given: Activation) -> str:
    """The name to show for an activation."""
    if isinstance(given, str):
        return _known(given)
    for name, function in ACTIVATIONS.items():
        if function is given:
            return name
    return str(getattr(given, "__name__", type(given).__name__))


def start_before(given: Activation) -> str:
    """The initialiser that suits the weights before an activation, by what kind of activation it is."""
    return _START.get(str(_KINDS.get(name_of(given))), "glorot_uniform")
