"""Layers, settings and values as JSON, and made of it again: what a file says, but for arrays, which it has by their names."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from chainrule.engines import ENGINES
from chainrule.errors import SettingError
from chainrule.network.files.description import plain, short
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.initializer import Given
from chainrule.nn.layer import Layer
from chainrule.training.between_epochs.callbacks import EarlyStopping
from chainrule.training.between_epochs.states import NUMBERS, Unkept
from chainrule.training.loss import FunctionLoss
from chainrule.training.named import PIECES

MOST_LAYERS = 2000
"""The most layers in a row that a file holds."""

ENGINE_KINDS = {type(engine).__name__: type(engine) for engine in ENGINES.values()}
KNOWN: dict[str, Any] = {**PIECES, **ENGINE_KINDS, "Given": Given, "EarlyStopping": EarlyStopping, "Unkept": Unkept}
"""The classes a file names without their code, which are the library's own."""


class Writer:
    """Layers, settings and values as JSON; a layer met again is told by its number, and an array by its name.

    Attributes
    ----------
    arrays : dict
        All arrays by their names: those that it was given, and those met.
    """

    def __init__(self, arrays: Mapping[str, Any] | None = None) -> None:
        self._numbers: dict[int, int] = {}
        self._names: dict[str, Any] = {}
        self.arrays = dict(arrays or {})
        self._known = {id(array): name for name, array in self.arrays.items()}

    def _own(self, x: Any) -> str:
        """The name of something of the user's, by which `load` is given it again."""
        name = str(getattr(x, "__name__", type(x).__name__))
        if self._names.setdefault(name, x) is not x:
            raise SettingError(
                f"the network cannot be saved: two different functions or types of yours are called {name!r}, "
                "and load could not tell them apart. Give them different names."
            )
        return name

    def row(self, layers: tuple[Any, ...]) -> list[Any]:
        """Layers one after the other."""
        if len(layers) > MOST_LAYERS:
            raise SettingError(
                f"the network cannot be saved: it has {len(layers)} layers in a row, and only {MOST_LAYERS} can be read again."
            )
        return [self.value(layer) for layer in layers]

    def _array(self, x: Any) -> str:
        """The name of an array; those that are no parameters have numbers."""
        if x.dtype.kind not in "biuf":
            raise SettingError(
                f"the network cannot be saved: with it comes an array of {x.dtype}. Keep numbers and truth values."
            )
        name = self._known.setdefault(id(x), str(len(self.arrays)))
        self.arrays[name] = x
        return name

    def value(self, x: Any) -> Any:
        """A layer, a setting, or a value: number, text, array, dict, list or tuple."""
        if isinstance(x, np.generic) and x.dtype.name in NUMBERS:  # before floats, one of which np.float64 is
            return {"number": [x.dtype.name, self.value(x.item())]}
        if isinstance(x, float) and not math.isfinite(x):
            return {"float": repr(float(x))}
        if x is None or isinstance(x, str | bool | int | float):
            return x
        if isinstance(x, tuple | list):
            return {"list" if isinstance(x, list) else "tuple": [self.value(item) for item in x]}
        if isinstance(x, Mapping):
            return {"dict": [[self.value(key), self.value(item)] for key, item in x.items()]}
        if isinstance(x, np.ndarray):
            return {"array": self._array(x)}
        if isinstance(x, np.generic):
            return x.item()
        if isinstance(x, FunctionLoss):
            return {"loss function": self._own(x.function)}
        if dataclasses.is_dataclass(x) and not isinstance(x, type):
            if isinstance(x, Layer):
                if id(x) in self._numbers:
                    return {"again": self._numbers[id(x)]}
                self._numbers[id(x)] = len(self._numbers)
            settings = {f.name: self.value(getattr(x, f.name)) for f in dataclasses.fields(x)}
            kind = type(x)
            if KNOWN.get(kind.__name__) is kind:
                return {"type": kind.__name__, "settings": settings}
            return {"own type": self._own(kind), "settings": settings}
        if callable(x):
            names = [name for name, function in ACTIVATIONS.items() if function is x]
            return {"function": names[0]} if names else {"own function": self._own(x)}
        raise SettingError(
            f"the network cannot be saved: {x!r} is no layer, setting, number or text. Keep nothing else in a layer."
        )


class MissingCodeError(Exception):
    """A name whose code was not given."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Reader:
    """Layers and settings made again from JSON."""

    def __init__(self, custom: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        self._custom, self._arrays = custom, arrays
        self._layers: list[Any] = []

    def row(self, described: list[Any]) -> list[Any]:
        """Layers one after the other."""
        if len(described) > MOST_LAYERS:
            raise ValueError(f"it has {len(described)} layers in a row, more than {MOST_LAYERS}.")
        layers = [self.value(item) for item in described]
        for layer in layers:
            if not isinstance(layer, Layer) and KNOWN.get(type(layer).__name__) is type(layer):
                raise ValueError(f"{short(layer)} is among its layers.")
        return layers

    def values(self, described: Any) -> dict[str, Any]:
        """Values by their names."""
        if not isinstance(described, dict):
            raise ValueError(f"{short(described)} is given for values by their names.")
        return {name: self.value(x) for name, x in described.items()}

    def value(self, x: Any) -> Any:
        """A layer, a setting or a value."""
        if x is None or isinstance(x, str | bool | int | float):
            return x
        if not isinstance(x, dict):
            raise ValueError(f"{short(x)} is given as a setting.")
        match next(iter(x.items()), ("nothing", None)):
            case "tuple", list(items):
                return tuple([self.value(item) for item in items])
            case "list", list(items):
                return [self.value(item) for item in items]
            case "dict", list(pairs):
                return {self.value(key): self.value(item) for key, item in pairs}
            case "array", str(name) if name in self._arrays:
                return self._arrays[name]
            case "float", ("inf" | "-inf" | "nan") as text:
                return float(text)
            case "number", [str(kind), item] if kind in NUMBERS:
                return self._number(kind, self.value(item))
            case "again", int(number) if 0 <= number < len(self._layers) and self._layers[number] is not None:
                return self._layers[number]
            case "loss function", str(name):
                return FunctionLoss(self._named(name, {}))
            case "function", str(name):
                return self._named(name, ACTIVATIONS)
            case "own function", str(name):
                return self._named(name, {})
            case "type", str(name):
                return self._made(self._named(name, KNOWN), x.get("settings"))
            case "own type", str(name):
                return self._made(self._named(name, {}), x.get("settings"))
        raise ValueError(f"{short(x)} is given as a setting.")

    @staticmethod
    def _number(kind: str, value: Any) -> Any:
        """One of NumPy's numbers, which has to be all that is said of it."""
        of, found = NUMBERS[kind], None
        if type(value) is type(of(0).item()):
            with np.errstate(over="ignore"), suppress(OverflowError):
                found = of(value)
        if found is None or (found.item() != value and value == value):
            raise ValueError(f"{short(value)} is given as {kind}.")
        return found

    def _made(self, kind: Any, settings: Any) -> Any:
        if not isinstance(kind, type) or not isinstance(settings, dict):
            raise ValueError(f"{short(kind)} has the settings {short(settings)}.")
        place = len(self._layers)
        if issubclass(kind, Layer):
            self._layers.append(None)
        values = {name: self.value(setting) for name, setting in settings.items()}
        try:
            made = kind(**values)
        except TypeError as error:
            raise ValueError(f"{kind.__name__} does not take the settings stored for it ({error}).") from None
        if issubclass(kind, Layer):
            self._layers[place] = made
        return made

    def _named(self, name: str, known: Mapping[str, Any]) -> Any:
        if name in known:
            return known[name]
        if name in self._custom:
            return self._custom[name]
        if plain(name, 100) != name:
            raise ValueError(f"it uses {short(name)}.")
        raise MissingCodeError(name)
