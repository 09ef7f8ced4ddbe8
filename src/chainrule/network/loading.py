"""Networks read from files; nothing in a file is executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import ModelFileError, SettingError, shortened
from chainrule.network.files.description import plain, short
from chainrule.network.files.reading import read
from chainrule.network.files.runs import run_of
from chainrule.network.files.storage import LABEL_BYTES, as_path
from chainrule.network.files.values import MissingCodeError, Reader
from chainrule.network.meaning import Meaning
from chainrule.network.network import Network
from chainrule.nn.model import Model
from chainrule.tracing import trees
from chainrule.training.loss import Loss
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
    check_code("load", function, custom)
    return network_in(path, *read(path), function, custom or {}, "cr.load(path")[0]


def check_code(owner: str, function: Any, custom: Any) -> None:
    """Refuse what is no code by name."""
    if not isinstance(custom, Mapping | None) or not (function is None or callable(function)):
        raise SettingError(
            f"{owner} was given function={shortened(function)}, custom={shortened(custom)}; give a function, and a dict from names "
            "to code."
        )


def network_in(
    path: Path,
    described: dict[str, Any],
    arrays: dict[str, Any],
    function: Callable[..., Any] | None,
    custom: Mapping[str, Any],
    call: str,
) -> tuple[Network, dict[str, Any]]:
    """The network that is described, and the values of the training that came with it; none where none did.

    `call` is how code that is missing is given, up to where it comes.
    """
    if "layers" not in described and "training" in described:
        raise ModelFileError(
            f"{path} is a checkpoint of a training on a table, and no model. Go on with it by fit(…, resume=…), or chainrule train "
            "--resume, and save the model."
        )
    reader = Reader(custom, arrays)
    try:
        _check(described, FIELDS, "the network")
        layers: Any = function if described["layers"] is None else reader.row(described["layers"])
        if layers is None:
            raise ModelFileError(
                f"{path} holds a network made of the function {described['function']!r}, and code is not stored. "
                f"Give it: {call}, function={described['function']})."
            )
        network = Network(layers, seed=described["seed"], dtype=described["dtype"], frozen=described["frozen"])
        parameters = {name: x for name, x in arrays.items() if not name.isdecimal()}
        network.restore(parameters, *(tuple(shape) for shape in described["inputs"]))
        network.notes = described["notes"]
        network.columns = _columns(described.get("columns", {}))
        network.meanings = _meanings(reader, described["outputs"], network.model)
        training = reader.values(described.get("training", {}))
        if training:
            run = run_of(training["run"], network.parameters)
            network.hold(network.parameters, run.history.copy(), run)
    except MissingCodeError as error:
        raise ModelFileError(
            f"{path} uses {error.name!r}, which is not part of chainrule, and code is not stored. "
            f"Give it: {call}, custom={{{error.name!r}: {error.name}}})."
        ) from None
    except ModelFileError:
        raise
    except Exception as error:  # of code that was given as well, which the file leads to where it should not
        raise ModelFileError(
            f"{path} describes no network: {plain(str(error) or type(error).__name__, 300)}"
        ) from error
    return network, training


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


def _meanings(reader: Reader, described: list[Any], model: Model) -> list[Meaning]:
    """What the outputs mean; of a network that was never fitted, nothing."""
    outputs = trees.flatten(model.outputs)[0]
    if described and len(described) != len(outputs):
        raise ValueError(f"it describes {len(described)} outputs, and the network has {len(outputs)}.")
    return [_meaning(reader, x, output.shape) for x, output in zip(described, outputs, strict=False)]


def _meaning(reader: Reader, x: Any, shape: tuple[int, ...]) -> Meaning:
    _check(x, OUTPUT, "an output")
    head = Head(x["name"], reader.value(x["loss"]), x["width"], x["classifies"])
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
