"""Checkpoints as files: a network, its run and what `fit` was given, of the last three moments that were kept."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import MissingFileError, ModelFileError, OtherFormatError, SettingError
from chainrule.network.base import BaseNetwork
from chainrule.network.files.description import plain, short
from chainrule.network.files.reading import read
from chainrule.network.files.runs import history_of, values_of
from chainrule.network.files.storage import content_of, description_of
from chainrule.network.files.values import MissingCodeError, Reader
from chainrule.network.files.writing import keep_name, not_written, place_for, replace_file
from chainrule.nn.parameters import flat_names
from chainrule.training import Batch, Checkpoints, Every, Run, Training
from chainrule.training.between_epochs.states import name_of
from chainrule.training.history import FINISHED, INTERRUPTED
from chainrule.training.stored import store_of

PIECE = 2**24
"""Bytes of data that are looked at together."""

KEPT = 3
"""How many moments are kept, so that one damaged file is not the end."""


class LastThree:
    """Files of which the newest has the name that was given, and those before it `.1` and `.2` behind it."""

    def __init__(self, path: Path) -> None:
        self.names = names_of(path)

    def write(self, content: Sequence[Any], *, in_place: bool) -> None:
        """Write another, or the newest once more."""
        newest = self.names[0]
        replace_file(newest, content, unfinished_name=newest.name, making_room=None if in_place else self._make_room)

    def forget_earlier(self) -> None:
        """Remove those before the newest."""
        for name in self.names[1:]:
            with suppress(FileNotFoundError):
                name.unlink()

    def _make_room(self) -> None:
        """Move every file one place further; the last goes. Whenever this is cut off, the files are whole and in their order."""
        for newer, older in reversed(list(itertools.pairwise(self.names))):
            with suppress(FileNotFoundError):
                os.replace(newer, older)
        keep_name(self.names[0].parent)


class CheckpointFiles:
    """The files of one training.

    Parameters
    ----------
    path : Path
    network : BaseNetwork
        As it is about to be trained.
    given : mapping
        What a file says besides, as values.
    """

    def __init__(self, path: Path, network: BaseNetwork, given: Mapping[str, Any]) -> None:
        self.files = LastThree(path)
        self._described, self._given = description_of(network, network.notes), given
        self._steps: int | None = None

    def write(self, run: Run, states: Sequence[Any]) -> None:
        """Write a moment. It takes the place of the newest if that is of the same step, or of what was there before."""
        if self._steps is not None and run.steps < self._steps:
            return  # handed over late, by whoever was interrupted while doing so
        values = {"run": values_of(run), "states": list(states), **self._given}
        content = content_of(self._described, flat_names(run.left), values)
        self.files.write(content, in_place=self._steps is None or run.steps == self._steps)
        self._steps = run.steps


def names_of(path: Path) -> list[Path]:
    """Where the moments of a training are, the newest first."""
    target = Path(os.path.realpath(path))
    return [target, *(target.with_name(f"{target.name}.{age}") for age in range(1, KEPT))]


@dataclass(frozen=True)
class Kept:
    """A moment that was read: its file, what that says of the network, its arrays, and what is wrong with files newer than it.

    It says the `run`, the `states` of callbacks, what `fit` was given (`fit`), fingerprints of the `data`, the names of `callbacks`,
    and how many `epochs` there are to be.
    """

    path: Path
    described: dict[str, Any]
    arrays: dict[str, Any]
    damaged: tuple[str, ...]

    @property
    def says(self) -> Mapping[str, Any]:
        """What is said of the training, in JSON, by names."""
        found: dict[str, Any] = self.described.get("training", {})
        return found


PARTS: dict[str, type] = {"run": dict, "states": list, "fit": dict, "data": dict, "callbacks": list, "epochs": int}
"""What is said of the training of a network, by names, and of which kind it is."""


def check_parts(path: Path, said: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    """Refuse parts of other kinds, as somebody may have written them into a file; the names in a dict are texts."""
    for name, kind in parts.items():
        value: Any = said.get(name)
        fits = isinstance(value, kind)
        if not fits or (kind is dict and not all(isinstance(key, str) for key in value)):
            raise ModelFileError(
                f"{path} describes no training: {name!r} is {short(value)} in it. Begin anew with another file."
            )


def values_in(found: Kept, parts: Mapping[str, type]) -> dict[str, Any]:
    """What a moment says by these names, none of which is code.

    Raises
    ------
    ModelFileError
        When something else has been written into the file.
    """
    try:
        values = Reader({}, found.arrays).values({name: found.says[name] for name in parts})
    except (MissingCodeError, ValueError, TypeError) as error:
        raise ModelFileError(
            f"{found.path} describes no training ({plain(str(error), 200)}). Begin anew with another file."
        ) from None
    check_parts(found.path, values, parts)
    return values


def newest(path: Path, parts: Mapping[str, type] = PARTS) -> Kept:
    """The newest moment that can be read, of a training that says what has these names.

    Raises
    ------
    MissingFileError
        When there is none.
    ModelFileError
        When none of them can be read, or another version wrote the newest.
    """
    damaged: list[str] = []
    if not any(name.exists() for name in names_of(path)):
        MissingFileError.unless_there(path)
    for name in names_of(path):
        try:
            described, arrays = read(name)
        except MissingFileError:
            continue
        except OtherFormatError:
            raise  # it is whole, and newer than what could be taken instead
        except ModelFileError as error:
            damaged.append(str(error))
            continue
        if not set(parts) <= set(described.get("training", {})):
            raise ModelFileError(
                f"{name} is no checkpoint of such a training. Give another name; if it is a model, cr.load reads it."
            )
        return Kept(name, described, arrays, tuple(damaged))
    raise ModelFileError(
        f"none of the checkpoints {path} can be read: {' '.join(damaged)} Begin anew, with another name for the file."
    )


def checkpoints_for(
    network: BaseNetwork, training: Training, path: Path, every: Every, given: Mapping[str, Any], *, goes_on: bool
) -> Checkpoints | None:
    """What writes a training down, with its first moment on disk, so that it can be gone on from whatever happens.

    Of one whose last moment is there nothing is written, so that it may lie where nobody can write.

    Raises
    ------
    SettingError
        When nothing can be written there, or the files there are of another training that has not ended.
    """
    try:
        data, run, callbacks = fingerprints(training), training.now(), training.settings.callbacks
        if unless_of_another(path, training, data, goes_on=goes_on) and is_whole(run, training.settings.epochs):
            return None
        place_for(path)
        says = {
            "fit": given, "data": data, "callbacks": [name_of(callback) for callback in callbacks],
            "epochs": training.settings.epochs,
        }  # fmt: skip
        files = CheckpointFiles(path, network, says)
        checkpoints = Checkpoints(files.write, every, callbacks)
        checkpoints.begin(run)
    except OSError as error:
        raise not_written(path, error) from error
    if not goes_on:
        files.files.forget_earlier()
    return checkpoints


def unless_of_another(path: Path, training: Training, data: Mapping[str, Any], *, goes_on: bool) -> bool:
    """Refuse a place where a training is kept that has not ended, unless it is this one, with the same data; whether it is."""
    if not any(name.exists() for name in names_of(path)):
        return False
    found = newest(path)
    facts = values_in(found, {name: PARTS[name] for name in ("data", "epochs", "run")})
    run, kept = facts["run"], facts["data"]
    if goes_on and run["settings"] == training.same_to_go_on:
        different = [name for name in {**kept, **data} if kept.get(name) != data.get(name)]
        if different:
            raise SettingError(
                f"{found.path} was kept by a training with other data: {_listed(different)} differ{'s' * (len(different) == 1)} "
                "from what was given then. Give the same rows, in the same order, to go on with it."
            )
        return True
    if not has_ended(run["history"]["stopped"]) and history_of(run["history"]).epochs < facts["epochs"]:
        raise SettingError(
            f"{found.path} is there already, of a training that has not ended. cr.resume({str(path)!r}, X, y) goes on with it; to "
            "begin anew give another name, or remove the file."
        )
    return False


def is_whole(run: Run | None, epochs: int) -> bool:
    """Whether a run has gone through all its epochs, so that nothing is left to do."""
    return run is not None and run.history.epochs == epochs and not len(run.under_way)


def has_ended(stopped: str) -> bool:
    """Whether a training that stopped so is over, whatever epochs are left: early stopping, a callback or its loss ended it."""
    return stopped not in (FINISHED, INTERRUPTED)


def fingerprints(training: Training) -> dict[str, str]:
    """Of every part of the data a text that is another when any number of it is; it takes a pass over them."""
    found = _parts("", training.data, training.batches.rows, training.dtype)
    if training.validation is not None:
        found |= _parts("validation ", training.validation, training.validation_rows, training.dtype)
    return found


def _parts(what: str, data: Batch, rows: int, dtype: Any) -> dict[str, str]:
    """Inputs as the numbers they are computed with, in which a file of others is read; a dataset has been looked at already."""
    store = store_of(data)
    if store is not None:
        return {what + "X": store.fingerprint}
    parts = {"X": data.inputs, "y": (*data.targets, *data.class_indices), "weights": (data.weights,)}
    return {
        what + name: " ".join(fingerprint(x[:rows], dtype if name == "X" else x.dtype) for x in own if x is not None)
        for name, own in parts.items()
    }


def fingerprint(x: Any, dtype: Any = None) -> str:
    """A text that is another when any number of an array is; read piece by piece, for it may be larger than the memory."""
    from xxhash import xxh3_64  # when it is needed

    found, rows = xxh3_64(), max(1, PIECE // max(1, x[:1].nbytes))
    for begin in range(0, len(x), rows):
        found.update(np.ascontiguousarray(x[begin : begin + rows], dtype).data)
    return f"{x.shape[1:]} {found.hexdigest()}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1]
