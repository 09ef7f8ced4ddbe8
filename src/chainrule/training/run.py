"""A run as data: all that a training is at a moment, so that going on from it is the same as not having stopped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.engines.workers import uninterrupted
from chainrule.errors import SettingError, shortened
from chainrule.nn.parameters import Parameters, flat_names
from chainrule.tracing import trees
from chainrule.training.batches import Streams
from chainrule.training.history import History
from chainrule.training.schedules import PlateauPosition


@dataclass(frozen=True)
class Best:
    """The best epoch so far for early stopping, and the learned parameters to be restored.

    `before` are those from before that epoch, as long as it is open which of the two are restored.
    """

    epoch: int
    parameters: Parameters | None
    before: Parameters | None = None

    def copy(self) -> Best:
        """The same with arrays of its own."""
        return Best(self.epoch, copied(self.parameters), copied(self.before))


@dataclass(frozen=True)
class Progress:
    """How far an optimizer is: what it keeps for every parameter, and how many steps it has taken."""

    optimizer_state: Any
    steps: int


@dataclass(frozen=True, eq=False)
class Run(Progress):
    """All that a training is at a moment: numbers, texts, and arrays of its own.

    `EpochEnd.run` is the run at the end of an epoch and `network.run` where the last `fit` ended, in the midst of an
    epoch if Ctrl-C or an error ended it there. `fit(X, y, ..., continue_from=run)` goes on from it, with the same
    bits as if it had never stopped.

    Attributes
    ----------
    parameters : nested dict of arrays
        Learned and frozen ones. Where early stopping restores weights the network has those, and the run the last.
    optimizer_state : nested dict of arrays
        What the optimizer keeps, by layer, parameter and its own names.
    steps : int
        Steps the optimizer has taken.
    history : History
        Of all epochs completed.
    streams : dict
        The two streams of random numbers, `order` of the rows and `keys` of dropout (`None` where no layer draws any), as they
        are at the beginning of the epoch that is next or under way.
    under_way : array of shape (steps, numbers)
        What the steps of an epoch that is not completed have reported: their metrics, and what was measured on validation data.
    best : Best or None
        The best epoch so far for early stopping, with its parameters.
    plateau : PlateauPosition or None
        Where an `OnPlateau` stands.
    begun_with : nested dict of arrays or None
        The learned parameters at the beginning of the epoch under way, where early stopping needs them.
    settings : dict
        What has to be the same to go on, as texts and numbers.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> in_two, at_once = cr.Network([cr.Dense(1)]), cr.Network([cr.Dense(1)])
    >>> _ = in_two.fit(X, 2 * X, epochs=4, progress=False)
    >>> _ = in_two.fit(X, 2 * X, epochs=10, continue_from=in_two.run, progress=False)
    >>> _ = at_once.fit(X, 2 * X, epochs=10, progress=False)
    >>> bool(in_two.parameters["dense_0"]["weight"] == at_once.parameters["dense_0"]["weight"])
    True
    """

    parameters: Parameters
    history: History
    streams: Streams
    under_way: Any
    settings: Mapping[str, Any]
    best: Best | None = None
    plateau: PlateauPosition | None = None
    begun_with: Parameters | None = None

    @property
    def epochs(self) -> int:
        """Epochs completed."""
        return self.history.epochs

    @property
    def progress(self) -> Progress:
        """How far the optimizer is, and nothing else."""
        return Progress(self.optimizer_state, self.steps)

    @property
    def left(self) -> Parameters:
        """The parameters that the network has: the last, or where early stopping has restored some, those."""
        best = None if self.best is None or self.history.best_epoch is None else self.best.parameters
        return {layer: {**own, **(best or {}).get(layer, {})} for layer, own in self.parameters.items()}

    def copy(self) -> Run:
        """The run with arrays of its own."""
        return replace(
            self,
            optimizer_state=copied(self.optimizer_state),
            parameters=copied(self.parameters),
            history=self.history.copy(),
            under_way=np.array(self.under_way),
            best=self.best and self.best.copy(),
            begun_with=copied(self.begun_with),
        )

    def __repr__(self) -> str:
        return f"Run({self.epochs} epochs, {self.steps} steps)"


def copied(tree: Any) -> Any:
    """Nested arrays, each a copy."""
    return trees.map_leaves(np.array, tree)


def as_text(setting: Any) -> str:
    """A setting as text that says the same in another process: of functions their names, without their addresses."""
    text = repr(setting)
    if (
        "..." in text
    ):  # so dataclasses write themselves for ever, in a thread in which an interrupt has cut that off once
        text = uninterrupted(repr, setting)
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


def kind_as_texts(objective: Any, clipping: Any, settings: Any) -> dict[str, Any]:
    """What of a training's kind is said by settings alone, as a run keeps it."""
    rule = settings.early_stopping
    return {
        "layers": {name: as_text(layer) for name, layer in objective.model.layers.items()},
        "loss": [as_text(head) for head in objective.heads],
        "clipping": as_text(clipping),
        "gradients": settings.gradients,
        "shuffle": as_text(settings.shuffle),
        "early_stopping": None if rule is None else rule.settled,
    }


def checked(run: Any, parameters: Parameters) -> Run:
    """The run, if it is one, and of a network with such parameters."""
    if not isinstance(run, Run):
        raise SettingError(
            f"continue_from was given {type(run).__name__} {shortened(run):.80}; give a run, such as network.run or EpochEnd.run."
        )
    theirs, ours = (
        {n: (x.shape, x.dtype.name) for n, x in flat_names(p).items()} for p in (run.parameters, parameters)
    )
    for name in {**theirs, **ours}:
        if theirs.get(name) != ours.get(name):
            raise SettingError(
                f"the run to go on from is that of another network: {name} is {_kind(theirs.get(name))} there and "
                f"{_kind(ours.get(name))} here. Continue with a network of the same layers, inputs and dtype."
            )
    return run


def as_kept(own: Any, kept: Any) -> Any:
    """An array of an optimizer's state as a run has it, in place of one's own."""
    given = np.asarray(kept)
    if given.shape != own.shape or given.dtype.kind not in "biuf":
        raise SettingError(
            f"the run to go on from has an optimizer that keeps {given.dtype} of shape {given.shape} where {own.dtype} of shape "
            f"{own.shape} belongs. Continue with the optimizer that it had."
        )
    return np.array(given, own.dtype)


def as_reported(run: Run, width: int) -> Any:
    """What the steps under way have reported, so many numbers each."""
    if run.under_way.ndim != 2 or run.under_way.shape[1] != width:
        raise SettingError(
            f"the run to go on from stands in the midst of an epoch whose steps have reported numbers in shape "
            f"{run.under_way.shape}, and here are {width} a step. Continue on the engine that it was on, or from the end of an epoch."
        )
    return np.array(run.under_way)


def check_settings(run: Run, settings: Mapping[str, Any], epochs: int) -> None:
    """Refuse a run of a training with other settings, or of more epochs than there are to be."""
    different = [name for name in settings if run.settings.get(name) != settings[name]]
    if different:
        said = "; ".join(f"{name} was {run.settings.get(name)} and is {settings[name]}" for name in different)
        raise SettingError(
            f"the run to go on from is that of a training with other settings: {said}. "
            "Give what was given then, or begin anew, from its parameters or from none: network.fit(X, y)."
        )
    begun = run.epochs + (len(run.under_way) > 0)
    if epochs < begun:
        part = " and a part of the next" if begun > run.epochs else ""
        raise SettingError(
            f"here is a run of {run.epochs} epochs{part} together with epochs={epochs}, and epochs counts all of them, those of "
            f"the run included. Give epochs={begun} or more."
        )


def _kind(kind: Any) -> str:
    return "missing" if kind is None else f"{kind[1]} of shape {kind[0]}"
