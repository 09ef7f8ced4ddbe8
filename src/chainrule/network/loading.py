"""Networks read from files; nothing in a file is executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import ModelFileError
from chainrule.network.meaning import Meaning
from chainrule.network.network import Network
from chainrule.network.storage import KNOWN, read
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.layer import Layer
from chainrule.nn.parameters import flat_names
from chainrule.training.loss import FunctionLoss
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
    described, arrays = read(Path(path))
    if described["layers"] is not None:
        layers: Any = _Reader(path, custom or {}).row(described["layers"])
    elif function is None:
        raise ModelFileError(
            f"{path} holds a network made of the function {described['function']!r}, and code is not stored. "
            f"Give it: cr.load(path, function={described['function']})."
        )
    else:
        layers = function
    network = Network(layers, seed=described["seed"], dtype=described["dtype"], frozen=described["frozen"])
    network.build(*(tuple(shape) for shape in described["inputs"]))
    expected = {name: value.shape for name, value in flat_names(network.parameters).items()}
    found = {name: value.shape for name, value in arrays.items()}
    if expected != found:
        raise ModelFileError(f"{path} has parameters {found}, and the network expects {expected}.")
    network.parameters = arrays
    network.notes = described["notes"]
    reader = _Reader(path, custom or {})
    network.meanings = [reader.meaning(meaning) for meaning in described["outputs"]]
    return network


class _Reader:
    """Layers and settings made again from JSON."""

    def __init__(self, path: str | Path, custom: Mapping[str, Any]) -> None:
        self._path, self._custom = path, custom
        self._layers: list[Any] = []

    def row(self, described: list[Any]) -> list[Any]:
        return [self.value(item) for item in described]

    def value(self, x: Any) -> Any:
        if not isinstance(x, dict):
            return x
        if "tuple" in x:
            return tuple(self.value(item) for item in x["tuple"])
        if "again" in x:
            return self._layers[x["again"]]
        if "loss function" in x:
            return FunctionLoss(self._named(x["loss function"], {}))
        if "function" in x:
            return self._named(x["function"], ACTIVATIONS)
        if "own function" in x:
            return self._named(x["own function"], {})
        kind = self._named(x["type"], KNOWN) if "type" in x else self._named(x["own type"], {})
        place = len(self._layers)
        if issubclass(kind, Layer):
            self._layers.append(None)
        try:
            made = kind(**{name: self.value(setting) for name, setting in x["settings"].items()})
        except TypeError as error:
            raise ModelFileError(
                f"{self._path}: {kind.__name__} does not take the settings stored for it ({error})."
            ) from None
        if issubclass(kind, Layer):
            self._layers[place] = made
        return made

    def _named(self, name: str, known: Mapping[str, Any]) -> Any:
        if name in known:
            return known[name]
        if name in self._custom:
            return self._custom[name]
        raise ModelFileError(
            f"{self._path} uses {name!r}, which is not part of chainrule, and code is not stored. "
            f"Give it: cr.load(path, custom={{{name!r}: {name}}})."
        )

    def meaning(self, x: dict[str, Any]) -> Meaning:
        classes = x["classes"]
        labels = None if classes is None else _labels(classes["labels"], classes["dtype"])
        return Meaning(Head(x["name"], self.value(x["loss"]), x["width"], x["classifies"]), labels, x["flat"])


def _labels(labels: list[Any], kind: str) -> Any:
    if kind == "T":
        return np.array(labels, np.dtypes.StringDType())
    dtype = np.dtype(kind)
    return np.array([label.encode("latin-1") for label in labels] if dtype.kind == "S" else labels, dtype)
