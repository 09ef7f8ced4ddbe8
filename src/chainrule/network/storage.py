"""Networks written to files: arrays as safetensors, the architecture as JSON in the metadata."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import SettingError, shortened
from chainrule.network.base import BaseNetwork
from chainrule.network.description import digest_of, parsed
from chainrule.network.meaning import Meaning
from chainrule.network.writing import replace_file
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.initializer import Given
from chainrule.nn.layer import Layer
from chainrule.nn.model import Sequential
from chainrule.nn.parameters import flat_names
from chainrule.training.loss import FunctionLoss
from chainrule.training.named import PIECES

FORMAT = 1
KEY, DIGEST = "chainrule", "sha256"

LABEL_BYTES = 2**26
"""The most room for labels that a file asks for."""

MOST_LAYERS = 2000
"""The most layers in a row that a file holds."""

KNOWN: dict[str, Any] = {**PIECES, "Given": Given}
"""The classes a file names without their code, which are the library's own."""


def as_path(given: Any) -> Path:
    """The path of a file."""
    if not isinstance(given, str | bytes | os.PathLike):
        raise SettingError(f"the path was given as {shortened(given)}; give the name of a file, or a pathlib.Path.")
    path = Path(os.fsdecode(given))
    try:
        if b"\0" not in os.fsencode(path):
            return path
    except UnicodeEncodeError:
        pass
    raise SettingError(f"the path was given as {shortened(given)}, which the system cannot write; give another name.")


def save(network: BaseNetwork, path: Any, notes: Any) -> None:
    """Write a network; the file appears whole or not at all."""
    from safetensors.numpy import save as to_bytes

    if not isinstance(notes, Mapping):
        raise SettingError(f"notes were given as {shortened(notes)}; give a dict of texts, numbers, lists and dicts.")
    target = as_path(path)
    model = network.model
    arrays = {name: np.asarray(value, order="C") for name, value in flat_names(network.parameters).items()}
    row = network.function if isinstance(network.function, Sequential) else None
    writer = _Writer()
    described = {
        "format": FORMAT,
        "layers": None if row is None else writer.row(row.layers),
        "function": getattr(network.function, "__name__", "function") if row is None else None,
        "inputs": [list(shape) for shape in model.inputs],
        "dtype": network.dtype.name,
        "seed": network.seed,
        "frozen": list(network.frozen),
        "outputs": [_meaning(meaning, writer) for meaning in network.meanings],
        "columns": {name: list(columns) for name, columns in network.columns.items()},
        "notes": dict(notes),
    }
    try:
        digest = digest_of(json.dumps(described, allow_nan=False), arrays)
        content = to_bytes(arrays, metadata={KEY: json.dumps({DIGEST: digest, **described})})
        parsed(parsed(header_of(content))["__metadata__"][KEY])  # as loading will do
    except (TypeError, ValueError, RecursionError) as error:
        raise SettingError(
            f"the network cannot be saved: {error}. Notes must be JSON-able: text, numbers, lists, dicts."
        ) from None
    replace_file(target, content)


def header_of(content: bytes) -> str:
    """The header of a safetensors file."""
    return content[8 : 8 + int.from_bytes(content[:8], "little")].decode()


def _meaning(meaning: Meaning, writer: _Writer) -> dict[str, Any]:
    classes = meaning.classes
    return {
        "name": meaning.head.name,
        "loss": writer.value(meaning.head.loss),
        "width": meaning.head.width,
        "classifies": meaning.head.classifies,
        "flat": bool(meaning.flat),
        "classes": None
        if classes is None
        else {"dtype": _kind(classes), "labels": [_label(x, classes.dtype.kind) for x in classes.tolist()]},
    }


def _kind(classes: Any) -> str:
    """The name of a dtype that `numpy.dtype` understands, or `T` for text of any length."""
    if classes.nbytes > LABEL_BYTES and classes.dtype.kind in "US":  # room that the labels do not need
        classes = np.array(classes.tolist())
    return "T" if classes.dtype.kind == "T" else str(classes.dtype.str)


def _label(x: Any, kind: str) -> Any:
    if kind == "S":
        return x.decode("latin-1")
    if isinstance(x, str | bool | int | float):
        return x
    raise SettingError(
        f"the network cannot be saved: its labels are {type(x).__name__} objects such as {x!r}. "
        "Fit it with labels that are text or numbers."
    )


class _Writer:
    """Layers and settings as JSON; a layer met again is told by its number."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._names: dict[str, Any] = {}

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
        if len(layers) > MOST_LAYERS:
            raise SettingError(
                f"the network cannot be saved: it has {len(layers)} layers in a row, and only {MOST_LAYERS} can be read again."
            )
        return [self.value(layer) for layer in layers]

    def value(self, x: Any) -> Any:
        if x is None or isinstance(x, str | bool | int | float):
            return x
        if isinstance(x, tuple | list):
            return {"tuple": [self.value(item) for item in x]}
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
