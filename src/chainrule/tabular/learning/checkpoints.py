"""What is done of a training on a table, in a file: its networks, as soon as each is learned, so that none is learned twice."""

from __future__ import annotations

import glob
import re
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.engines import cores
from chainrule.errors import ModelFileError, SettingError
from chainrule.network import Network
from chainrule.network.files.checkpoints import LastThree, fingerprint, names_of, newest, values_in
from chainrule.network.files.holding import held
from chainrule.network.files.runs import history_of, values_of_history
from chainrule.network.files.storage import FORMAT, as_path, content_of
from chainrule.network.files.writing import not_written
from chainrule.nn.parameters import flat_names
from chainrule.tabular.learning.members import Assignment, Member, Places
from chainrule.tabular.learning.problem import Problem
from chainrule.tabular.learning.under_way import UnderWay
from chainrule.tabular.ready import Ready
from chainrule.training.history import FINISHED
from chainrule.training.run import as_text

NETWORK = "network-"
"""How what comes behind the name begins in the names of files of networks under way."""

THREADS = "threads"
"""The name of the setting that may be left open: for how many threads a training is planned."""

PARTS: dict[str, type] = {"of": dict, "ended": bool, "networks": dict}
"""What is said of a training on a table, by names, and of which kind it is."""


class FinishedNetworks:
    """The networks that are done, by what each was to do; all in one file, of which the last three states are kept.

    What is done depends on nothing but the data and the settings, so a training that begins anew and takes from here what is
    there ends as one that was never stopped. Networks that are being learned have files of their own, until they are done.

    Parameters
    ----------
    path : Path
    of : mapping
        Texts that say which training it is: of the data, and of its settings.
    threads : int or None
        For how many threads it is planned; where nobody says, for as many as the one that is gone on with, or as there are cores.
    goes_on : bool
        Whether the file is there, and to be gone on with.

    Raises
    ------
    SettingError
        When the file is of another training, cannot be written, or is there and not to be gone on with.
    """

    def __init__(self, path: Path, of: Mapping[str, str], threads: int | None, *, goes_on: bool) -> None:
        self._of = {**of, THREADS: str(threads or cores.most())}
        self._threads_are_given = threads is not None
        self._files, self._lock = LastThree(path), threading.Lock()
        self._path = self._files.names[0]
        self._done: dict[str, dict[str, Any]] = {}
        self._fails = False
        there = any(name.exists() for name in names_of(path))
        if goes_on or there:
            self._take(path, goes_on=goes_on)
        try:
            self._write(ended=False, in_place=True)
        except OSError as error:
            raise not_written(path, error) from error
        if not goes_on:
            self._files.forget_earlier()
            self._forget_those_under_way()

    def __len__(self) -> int:
        return len(self._done)

    @property
    def threads(self) -> int:
        """For how many threads the training is planned."""
        return int(self._of[THREADS])

    def find(self, problem: Problem, own: Assignment) -> Member | None:
        """The network that has done this before, if there is one."""
        values = self._done.get(_key(problem, own))
        if values is None:
            return None
        own = replace(own, recipe=replace(own.recipe, learning_rate=values["learning_rate"]))
        layers = own.recipe.layers(problem.features, problem.X, problem.outputs)
        network = problem.meant(Network(layers, seed=own.seed))
        network.parameters = values["parameters"]
        network.history = history = history_of(values["history"])
        return Member(network, layers, own, values["said"], history, values["epochs"])

    @property
    def places(self) -> Places:
        """Where networks are kept while they are learned."""
        return partial(_under_way, self._path)

    def keep(self, problem: Problem, own: Assignment, member: Member) -> None:
        """Keep a network, unless it was ended before it had done what it was to do."""
        if member.history.stopped != FINISHED:
            return
        values = {
            "learning_rate": member.assignment.recipe.learning_rate,
            "parameters": flat_names(member.network.parameters),
            "said": member.said,
            "history": values_of_history(member.history),
            "epochs": member.epochs,
        }
        with self._lock:
            self._done[_key(problem, own)] = values
            self._try_to_write(ended=False)
        if not self._fails:
            for assignment in (own, member.assignment):  # which has a lower rate where this one diverged
                self.places(problem, assignment).remove()

    def end(self) -> None:
        """Note that all is done."""
        with self._lock:
            self._try_to_write(ended=True)
        if not self._fails:
            self._forget_those_under_way()

    def _forget_those_under_way(self) -> None:
        for file in self._path.parent.glob(f"{glob.escape(self._path.name)}.{NETWORK}*"):
            with suppress(OSError):
                file.unlink()

    def _take(self, path: Path, *, goes_on: bool) -> None:
        found = newest(path, PARTS)
        values = values_in(found, PARTS)
        if not goes_on:
            if not values["ended"]:
                raise SettingError(
                    f"{found.path} is there already, of a training that has not ended. Give it as resume to go on with that; to "
                    "begin anew give another name, or remove the file."
                )
            return
        planned = values["of"].get(THREADS)
        if not self._threads_are_given and isinstance(planned, str) and re.fullmatch(r"[1-9]\d{0,3}", planned):
            self._of[THREADS] = planned
        different = [name for name in {**values["of"], **self._of} if values["of"].get(name) != self._of.get(name)]
        if different:
            said = "; ".join(f"{name} was {values['of'].get(name)} and is {self._of.get(name)}" for name in different)
            raise SettingError(
                f"{found.path} was kept by a training with other data or settings: {said}. Give what was given then, or begin anew "
                "with another file."
            )
        if found.damaged:
            warnings.warn(
                f"{' '.join(found.damaged)} {found.path.name}, which was kept before it, is taken.",
                RuntimeWarning,
                stacklevel=5,
            )
        try:
            self._done = {str(key): dict(values) for key, values in values["networks"].items()}
        except (TypeError, ValueError) as error:
            raise ModelFileError(f"{found.path} holds no networks ({error}); begin anew with another file.") from None

    def _try_to_write(self, *, ended: bool) -> None:
        try:
            self._write(ended=ended, in_place=ended)
        except OSError as error:
            if not self._fails:
                warnings.warn(
                    f"a network that is done could not be written: {error}. Training goes on, and it is tried again with the next.",
                    RuntimeWarning,
                    stacklevel=2,
                )
            self._fails = True

    def _write(self, *, ended: bool, in_place: bool) -> None:
        training = {"of": self._of, "ended": ended, "networks": self._done}
        self._files.write(content_of({"format": FORMAT}, {}, training), in_place=in_place)
        self._fails = False


def _under_way(path: Path, problem: Problem, own: Assignment) -> UnderWay:
    """Where a network that is to do this is kept while it is learned."""
    which = fingerprint(np.frombuffer(_key(problem, own).encode(), np.uint8)).split()[-1]
    return UnderWay(path.with_name(f"{path.name}.{NETWORK}{which}"))


def _key(problem: Problem, own: Assignment) -> str:
    """A text that is another when anything is that decides what a network becomes."""
    arrays = (problem.X, problem.y, problem.weights, own.learned, own.held)
    numbers = " ".join("none" if x is None else fingerprint(x) for x in arrays)
    return f"{own.recipe} {own.epochs} {own.seed} {own.least} {problem.classes} {numbers}"


def seconds_kept(path: str | Path) -> float | None:
    """How long the training that is kept here may take; `None` for as long as it takes.

    Raises
    ------
    MissingFileError, ModelFileError
        When there is none, or none that can be read.
    """
    found = newest(as_path(path), PARTS)
    text = values_in(found, PARTS)["of"].get("seconds")
    with suppress(TypeError, ValueError):
        return None if text == as_text(None) else float(text)
    raise ModelFileError(
        f"{found.path} does not say how long its training may take; give the time as it was given then."
    )


@contextmanager
def finished_networks(
    checkpoint: Any, resume: Any, ready: Ready, learning: Mapping[str, Any], weights: Any, target: str
) -> Iterator[FinishedNetworks | None]:
    """Where networks of a training with these rows and settings are kept, by this process alone; `None` where no file was given."""
    if checkpoint is None and resume is None:
        yield None
        return
    if checkpoint is not None and resume is not None:
        raise SettingError(
            "fit was given both checkpoint and resume; give resume alone to go on, and on with that file."
        )
    columns = {"the weights": weights, "the groups": ready.groups, "the order": ready.order}
    numbered = {name: np.unique(x, return_inverse=True)[1] for name, x in columns.items() if x is not None}
    rows = {"the table": ready.X, "the target": ready.y, **numbered}
    settings = {**{name: x for name, x in learning.items() if name != THREADS}, "target": target}
    of = {**{name: fingerprint(x) for name, x in rows.items()}, **{name: as_text(x) for name, x in settings.items()}}
    path = as_path(checkpoint if resume is None else resume)
    with held(path):
        yield FinishedNetworks(path, of, learning[THREADS], goes_on=resume is not None)
