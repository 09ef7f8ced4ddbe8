"""Networks written to files: arrays as safetensors, the architecture as JSON in the metadata."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import ModelFileError, SettingError
from chainrule.network.base import BaseNetwork
from chainrule.network.meaning import Meaning
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.initializer import Given
from chainrule.nn.layer import Layer
from chainrule.nn.model import Sequential
from chainrule.nn.parameters import flat_names
from chainrule.training.loss import FunctionLoss
from chainrule.training.named import PIECES

FORMAT = 1
KEY, DIGEST = "chainrule", "sha256"

KNOWN: dict[str, Any] = {**PIECES, "Given": Given}
"""The classes a file names without their code, which are the library's own."""


def save(network: BaseNetwork, path: str | Path, notes: dict[str, Any]) -> None:
    """Write a network; the file appears whole or not at all."""
    from safetensors.numpy import save as to_bytes

    model = network.model
    arrays = {name: np.ascontiguousarray(value) for name, value in flat_names(network.parameters).items()}
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
        "notes": notes,
    }
    try:
        digest = _digest(json.dumps(described, allow_nan=False), arrays)
    except (TypeError, ValueError) as error:
        raise SettingError(
            f"the network cannot be saved: {error}. Notes must be JSON-able: text, numbers, lists, dicts."
        ) from None
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent} to save the network in; make it first")
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        unfinished.write_bytes(to_bytes(arrays, metadata={KEY: json.dumps({DIGEST: digest, **described})}))
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


def read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The description and the arrays of a file, both checked."""
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise ModelFileError(
            f"{path} cannot be read as a safetensors file ({error}). It is damaged, truncated or of another kind; "
            "save the network again."
        ) from None
    if KEY not in metadata:
        raise ModelFileError(
            f"{path} is a safetensors file, but not one that chainrule wrote: it has no architecture in it."
        )
    try:
        described: dict[str, Any] = json.loads(metadata[KEY])
        intact = described.pop(DIGEST) == _digest(json.dumps(described), arrays)
    except (ValueError, KeyError, AttributeError):
        intact = False
    if not intact:
        raise ModelFileError(f"{path} is damaged: what is in it is not what was saved. Save the network again.")
    version = described["format"]
    if version != FORMAT:
        raise ModelFileError(
            f"{path} has format {version}, and this chainrule reads format {FORMAT}; use the version that wrote it."
        )
    return described, arrays


def _digest(description: str, arrays: Mapping[str, Any]) -> str:
    """A fingerprint of the description and of names, types and numbers."""
    import hashlib  # loads OpenSSL, which is only worth its time when a file is read or written

    digest = hashlib.sha256(description.encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}\n".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


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
        else {"dtype": _kind(classes), "labels": list(map(_label, classes.tolist()))},
    }


def _kind(classes: Any) -> str:
    """The name of a dtype that `numpy.dtype` understands, or `T` for text of any length."""
    return "T" if classes.dtype.kind == "T" else str(classes.dtype.str)


def _label(x: Any) -> Any:
    if isinstance(x, bytes):
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
        raise SettingError(f"the network cannot be saved: {x!r} is no layer, setting, number or text.")
