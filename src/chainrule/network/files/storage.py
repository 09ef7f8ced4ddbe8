"""Networks written to files: arrays as safetensors, the architecture as JSON in the metadata.

A file may hold a training as well: its run, so that it can be gone on from, and whatever else `training` says, as values. Arrays
among these have numbers for names, and those of the network the names of parameters, which have a point in them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import NotBuiltError, SettingError, shortened
from chainrule.network.base import BaseNetwork
from chainrule.network.files.description import digest_of, parsed
from chainrule.network.files.runs import values_of
from chainrule.network.files.tensors import safetensors
from chainrule.network.files.values import Writer
from chainrule.network.files.writing import replace_file
from chainrule.network.meaning import Meaning
from chainrule.nn.model import Sequential
from chainrule.nn.parameters import flat_names

FORMAT = 1
KEY, DIGEST = "chainrule", "sha256"

LABEL_BYTES = 2**26
"""The most room for labels that a file asks for."""


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


def save(network: BaseNetwork, path: Any, notes: Any, run: bool = False) -> None:
    """Write a network, with its run if that is wanted; the file appears whole or not at all."""
    if not isinstance(notes, Mapping):
        raise SettingError(f"notes were given as {shortened(notes)}; give a dict of texts, numbers, lists and dicts.")
    if run and network.run is None:
        raise NotBuiltError("the network was asked to be saved with its run, and has none; call fit(X, y) first.")
    if as_path(path).suffix.lower() == ".onnx":
        raise SettingError(
            f"save writes what cr.load reads, and {as_path(path).name!r} is called as ONNX models are. Call export, or give "
            "another ending."
        )
    target, training = as_path(path), {"run": values_of(network.run)} if run and network.run is not None else None
    replace_file(target, content_of(description_of(network, notes), flat_names(network.parameters), training))


def description_of(network: BaseNetwork, notes: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says of a network besides its arrays."""
    model = network.model
    row = network.function if isinstance(network.function, Sequential) else None
    writer = Writer()
    return {
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


def content_of(described: Mapping[str, Any], parameters: Mapping[str, Any], training: Any = None) -> list[Any]:
    """A file, piece by piece: a description, parameters by their full names, and the values of a training if there are any."""
    writer = Writer(parameters)
    if training is not None:
        described = {**described, "training": {name: writer.value(x) for name, x in training.items()}}
    arrays = {name: np.asarray(value, order="C") for name, value in writer.arrays.items()}
    try:
        digest = digest_of(json.dumps(described, allow_nan=False), arrays)
        header, pieces = safetensors(arrays, {KEY: json.dumps({DIGEST: digest, **described})})
        parsed(parsed(header)["__metadata__"][KEY])  # as loading will do
    except (TypeError, ValueError, RecursionError) as error:
        raise SettingError(
            f"the network cannot be saved: {error}. Notes must be JSON-able: text, numbers, lists, dicts."
        ) from None
    return pieces


def _meaning(meaning: Meaning, writer: Writer) -> dict[str, Any]:
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
