"""Files the commands read and write: checked before the work begins, not after."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.errors import ChainruleError, MissingExtraError, ModelFileError, nearest
from chainrule.tables import Preparation


class FileError(ChainruleError):
    """A file that is not where it was said to be, or a place where none can be written.

    Fails: `chainrule train dta.csv --target y`, when the file is called data.csv.
    Works: `chainrule train data.csv --target y`.
    """


def to_read(path: Path) -> Path:
    """`path`, when a file is there."""
    if path.is_dir():
        raise FileError(f"{path} is a folder; a file is needed.")
    if not path.exists():
        folder = path.parent
        names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        hint = nearest(path.name, names) if folder.is_dir() else f": there is no folder {folder}"
        raise FileError(f"there is no file {path}{hint}" + ("" if hint.endswith("?") else "."))
    return path


def to_write(path: Path | None, option: str) -> None:
    """Raise when no file can be written at `path`, which `option` gave."""
    if path is None:
        return
    if path.is_dir():
        raise FileError(f"{option} {path} is a folder; give the name of a file.")
    if not path.parent.is_dir():
        raise FileError(f"{option} {path} cannot be written: there is no folder {path.parent}; make it first.")


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def to_draw(path: Path | None) -> None:
    """Raise when no picture can be drawn at `path`."""
    to_write(path, "--plot")
    if path is not None and not can_draw():
        raise MissingExtraError.of("matplotlib", "plot", f"drawing {path}")


def load_model(path: Path) -> tuple[Any, Preparation]:
    """The network of a model file and the preparation of the table it was trained on."""
    network = cr.load(to_read(path))
    notes = network.notes or {}
    if "preparation" not in notes:
        raise ModelFileError(
            f"{path} holds a network, but not how a table becomes its inputs: it was not saved by `chainrule train`. "
            "Use it in Python: chainrule.load(path).predict(X)."
        )
    preparation = Preparation.from_json(notes["preparation"])
    labels = None if network.classes is None else network.classes.dtype.kind
    known = None if preparation.target.task == "regression" else np.array(preparation.target.classes).dtype.kind
    if labels != known or network.model.inputs != ((len(preparation.features),),):
        raise ModelFileError(f"{path} holds a network for another table than the one it describes. Train it again.")
    return network, preparation
