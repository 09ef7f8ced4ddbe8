"""Parameters: what a layer asks for, and nested dicts of them read, set and matched by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.errors import DataError, SettingError, ShapeError, UnknownNameError, shortened
from chainrule.nn.initializer import LARGEST, Initializer
from chainrule.ops.operation import ArrayType

Parameters = dict[str, dict[str, Any]]
"""Layer name → parameter name → array."""


@dataclass(frozen=True)
class ParameterSpec:
    """A parameter a layer asks for: its shape, how it is drawn, whether a gradient changes it, and whether it is a bias.

    `initializer` is an initialiser, the name of one, a number, or the values themselves. A `bias` is left alone by the
    penalties `l1` and `l2`; `None` leaves that to the layer's function: a bias is what is only ever added to something
    that depends on the data. One that is not `trainable` stays as it is, or if it is `running` is what the layer's `running`
    makes of it in every step of training.
    """

    shape: tuple[int, ...]
    initializer: Initializer | Any = "glorot_uniform"
    trainable: bool = True
    bias: bool | None = None
    running: bool = False

    def __post_init__(self) -> None:
        if self.running and self.trainable:
            raise SettingError("a ParameterSpec was given running=True; give trainable=False with it.")

    @cached_property
    def size(self) -> int:
        """How many numbers it is."""
        return math.prod(self.shape)

    @property
    def type(self) -> ArrayType:
        """The type as seen while building; the network's dtype is applied when values are drawn."""
        return ArrayType(self.shape, np.dtype(np.float32))


def initial(specs: Mapping[str, Mapping[str, ParameterSpec]], seed: int, dtype: Any) -> Parameters:
    """First values of all parameters, drawn in order from one seed; the arrays are the caller's own."""
    random = np.random.default_rng(seed)
    try:
        if any(spec.size > LARGEST for own in specs.values() for spec in own.values()):
            raise MemoryError
        return {
            layer: {
                name: np.array(spec.initializer(spec.shape, random), dtype, order="C") for name, spec in own.items()
            }
            for layer, own in specs.items()
        }
    except MemoryError:
        sizes = {f"{layer}.{name}": spec.size for layer, own in specs.items() for name, spec in own.items()}
        largest = max(sizes, key=lambda name: sizes[name])
        raise SettingError(
            f"the network has {sum(sizes.values()):,} parameters, {sizes[largest]:,} of them in {largest}, and there is not as "
            "much memory; make its layers smaller."
        ) from None


def flat_names(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`{"dense_0.weight": array, ...}`, the arrays themselves and no copies."""
    return {f"{layer}.{name}": value for layer, own in parameters.items() for name, value in own.items()}


def as_patterns(given: Any) -> tuple[str, ...]:
    """Patterns of names, given as a list of them or as a single one."""
    if not isinstance(given, str | Iterable):
        raise SettingError(
            f"frozen was given {shortened(given)}; give a list of patterns of parameter names, such as ['*.bias']."
        )
    patterns = (given,) if isinstance(given, str) else tuple(given)
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise SettingError(f"frozen was given {pattern!r}; give patterns of parameter names, such as '*.bias'.")
    return patterns


def matching(names: Iterable[str], patterns: Iterable[str]) -> set[str]:
    """The names that match some pattern such as `"*.bias"`; a pattern that matches nothing is an error."""
    known = list(names)
    found: set[str] = set()
    for pattern in patterns:
        hits = {name for name in known if fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")}
        if not hits:
            raise UnknownNameError.among("parameter", pattern, known)
        found |= hits
    return found


def replaced(current: Parameters, new: Mapping[str, Any]) -> Parameters:
    """The parameters with some set anew: nested `{"dense_0": {"weight": …}}` or flat `{"dense_0.weight": …}`.

    Raises
    ------
    UnknownNameError, ShapeError, DataError
        For a name that does not exist, a shape that does not fit, or values that are not finite.
    """
    if not isinstance(new, Mapping):
        raise SettingError(f"parameters were given as {shortened(new)}; give a dict from names to values.")
    flat: dict[str, Any] = {}
    for key, value in new.items():
        flat.update(
            {f"{key}.{name}": inner for name, inner in value.items()} if isinstance(value, Mapping) else {key: value}
        )
    names = flat_names(current)
    result = {layer: dict(own) for layer, own in current.items()}
    for key, value in flat.items():
        if key not in names:
            raise UnknownNameError.among("parameter", key, names)
        layer, _, name = key.rpartition(".")
        try:
            array = np.array(value, names[key].dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f"{key} was given values that are no numbers ({error}); give an array of numbers."
            ) from None
        if array.shape != names[key].shape:
            raise ShapeError(
                f"{key} has shape {names[key].shape} and was given values of shape {array.shape}; give values of its shape."
            )
        if not np.isfinite(array).all():
            raise DataError(f"{key} was given values that are NaN or infinite; give finite numbers.")
        result[layer][name] = array
    return result


def each(function: Callable[[Any], Any], parameters: Parameters) -> Parameters:
    """The parameters with a function applied to every one."""
    return {layer: {name: function(x) for name, x in own.items()} for layer, own in parameters.items()}


def to_read(array: Any) -> Any:
    """An array that cannot be written to, without a copy."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view
