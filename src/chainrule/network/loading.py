"""Networks read from files; nothing in a file is executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import ModelFileError, SettingError, shortened
from chainrule.network.description import plain, short
from chainrule.network.meaning import Meaning
from chainrule.network.network import Network
from chainrule.network.reading import read
from chainrule.network.storage import KNOWN, LABEL_BYTES, MOST_LAYERS, as_path
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.layer import Layer
from chainrule.nn.model import Model
from chainrule.tracing import trees
from chainrule.training.loss import FunctionLoss, Loss
from chainrule.training.objective import Head


def load(
    path: str | Path, *, function: Callable[..., Any] | None = None, custom: Mapping[str, Any] | None = None
) -> Network:
    """Read a network that `network.save` wrote.

    Parameters
    ----------
    path : str or Path
        The file.
    function : callable, optional
        For a network made of a function: that function. Code is not in the file.
    custom : mapping, optional
        Your own layers, losses, activations and functions by the names they had: `{"Scale": Scale}`.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ModelFileError
        When the file is damaged, truncated, or not one of chainrule's, or needs code it was not given.

    Examples
    --------
    >>> import os, tempfile, numpy as np, chainrule as cr
    >>> network = cr.Network([cr.Dense(2)]).build(3)
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> network.save(path)
    >>> bool((cr.load(path)(np.ones((1, 3))) == network(np.ones((1, 3)))).all())
    True
    """
    path = as_path(path)
    if not isinstance(custom, Mapping | None) or not (function is None or callable(function)):
        raise SettingError(
            f"load was given function={shortened(function)}, custom={shortened(custom)}; give a function, and a dict from names "
            "to code."
        )
    described, arrays = read(path)
    reader = _Reader(custom or {})
    try:
        _check(described, FIELDS, "the network")
        layers: Any = function if described["layers"] is None else reader.row(described["layers"])
        if layers is None:
            raise ModelFileError(
                f"{path} holds a network made of the function {described['function']!r}, and code is not stored. "
                f"Give it: cr.load(path, function={described['function']})."
            )
        network = Network(layers, seed=described["seed"], dtype=described["dtype"], frozen=described["frozen"])
        network.restore(arrays, *(tuple(shape) for shape in described["inputs"]))
        network.notes = described["notes"]
        network.columns = _columns(described.get("columns", {}))
        network.meanings = reader.meanings(described["outputs"], network.model)
    except _MissingCodeError as error:
        raise ModelFileError(
            f"{path} uses {error.name!r}, which is not part of chainrule, and code is not stored. "
            f"Give it: cr.load(path, custom={{{error.name!r}: {error.name}}})."
        ) from None
    except ModelFileError:
        raise
    except Exception as error:  # of code that was given as well, which the file leads to where it should not
        raise ModelFileError(
            f"{path} describes no network: {plain(str(error) or type(error).__name__, 300)}"
        ) from error
    return network


class _MissingCodeError(Exception):
    """A name whose code was not given."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


FIELDS: dict[str, Any] = {
    "layers": list | None,
    "function": str | None,
    "inputs": list,
    "dtype": str,
    "seed": int,
    "frozen": list,
    "outputs": list,
    "notes": dict,
}
"""What a description has to say of a network, and in what kind."""

OUTPUT: dict[str, Any] = {
    "name": str,
    "loss": dict,
    "width": int,
    "classifies": bool,
    "flat": bool,
    "classes": dict | None,
}
"""What it has to say of an output."""


def _check(found: Any, kinds: Mapping[str, Any], what: str) -> None:
    """Refuse a table that lacks something, or has it in another kind."""
    if not isinstance(found, dict):
        raise ValueError(f"{what} is given as {short(found)} in it.")
    for name, kind in kinds.items():
        value = found.get(name, ...)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ValueError(f"{name!r} of {what} is {'missing' if value is ... else short(value)} in it.")


def _columns(found: Any) -> dict[str, tuple[str, ...]]:
    """The names of columns by input, which files of earlier versions lack."""
    if not isinstance(found, dict):
        raise ValueError(f"columns is given as {short(found)} in it.")
    for names in found.values():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"the names of columns are given as {short(names)} in it.")
    return {name: tuple(names) for name, names in found.items()}


class _Reader:
    """Layers and settings made again from JSON."""

    def __init__(self, custom: Mapping[str, Any]) -> None:
        self._custom = custom
        self._layers: list[Any] = []

    def row(self, described: list[Any]) -> list[Any]:
        if len(described) > MOST_LAYERS:
            raise ValueError(f"it has {len(described)} layers in a row, more than {MOST_LAYERS}.")
        layers = [self.value(item) for item in described]
        for layer in layers:
            if not isinstance(layer, Layer) and KNOWN.get(type(layer).__name__) is type(layer):
                raise ValueError(f"{short(layer)} is among its layers.")
        return layers

    def value(self, x: Any) -> Any:
        if x is None or isinstance(x, str | bool | int | float):
            return x
        if not isinstance(x, dict):
            raise ValueError(f"{short(x)} is given as a setting.")
        match next(iter(x.items()), ("nothing", None)):
            case "tuple", list(items):
                return tuple([self.value(item) for item in items])
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
        raise _MissingCodeError(name)

    def meanings(self, described: list[Any], model: Model) -> list[Meaning]:
        """What the outputs mean; of a network that was never fitted, nothing."""
        outputs = trees.flatten(model.outputs)[0]
        if described and len(described) != len(outputs):
            raise ValueError(f"it describes {len(described)} outputs, and the network has {len(outputs)}.")
        return [self._meaning(x, output.shape) for x, output in zip(described, outputs, strict=False)]

    def _meaning(self, x: Any, shape: tuple[int, ...]) -> Meaning:
        _check(x, OUTPUT, "an output")
        head = Head(x["name"], self.value(x["loss"]), x["width"], x["classifies"])
        if not isinstance(head.loss, Loss) or (head.width,) != shape:
            raise ValueError(f"an output of shape {shape} is described by {short(x)}.")
        return Meaning(head, None if x["classes"] is None else labels_of(x["classes"], head.width), x["flat"])


def labels_of(x: dict[str, Any], width: int) -> Any:
    """The labels that an output tells apart, which must be of the dtype stored for them, and in order."""
    _check(x, {"dtype": str, "labels": list}, "the labels")
    kind, labels = x["dtype"], x["labels"]
    if not 1 <= len(labels) <= max(width, 2):
        raise ValueError(f"there are {len(labels)} labels for {width} outputs.")
    dtype: Any = np.dtypes.StringDType() if kind == "T" else np.dtype(kind)
    if dtype.kind not in LABELS or not all(isinstance(label, LABELS[dtype.kind]) for label in labels):
        raise ValueError(f"there are labels such as {short(labels)} of dtype {short(kind)}.")
    if dtype.itemsize * len(labels) > LABEL_BYTES:
        raise ValueError(f"its {len(labels)} labels of dtype {short(kind)} would take more than {LABEL_BYTES} bytes.")
    given = [label.encode("latin-1") for label in labels] if dtype.kind == "S" else labels
    classes = np.array(given, dtype)
    back = classes.tolist()
    if back != given or list(map(type, back)) != list(map(type, given)):
        raise ValueError(f"its labels {short(labels)} are no {short(kind)}.")
    if len({(type(label), label) for label in labels}) < len(labels) or (
        dtype.kind != "O" and not (classes[1:] > classes[:-1]).all()
    ):
        raise ValueError(f"its labels {short(labels)} are not in order.")
    return classes


LABELS: dict[str, Any] = {
    "b": bool,
    "i": int,
    "u": int,
    "f": float,
    "U": str,
    "S": str,
    "T": str,
    "O": str | bool | int | float,
}
"""For every kind of dtype that labels may have, what they are in JSON."""
