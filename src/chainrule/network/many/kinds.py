"""Networks of one kind, which differ in numbers alone: their data and their loop are made ready once, for all of them."""

from __future__ import annotations

import copy
import threading
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.engines import Apart, Crew, Engine
from chainrule.errors import DivergedError
from chainrule.network.fitting import carry_out, course, training_for
from chainrule.network.network import Network
from chainrule.network.standardising import take_from_rows
from chainrule.nn.parameters import as_patterns, each, initial, replaced
from chainrule.training import Clipping, History, Penalty, Settings, Training, as_early_stopping
from chainrule.training.alike import alike
from chainrule.training.between_epochs.progress import Display
from chainrule.training.cache import key_of
from chainrule.training.steps.blocks import BlockRunner, Call

NUMBERS = ("learning_rate", "l1", "l2")
"""Settings that a loop is given as numbers, so that networks which differ in them are of one kind."""


def kind_of(network: Network) -> Any:
    """What networks share that differ in weights alone; one that was fitted, or is code of the user's, is a kind by itself."""
    inputs = network.model.inputs if network.is_built else None
    key = None if network.meanings else key_of(network.function, (), (), network.dtype, network.frozen, inputs)
    return id(network) if key is None else key


class Kind:
    """Networks of one kind on the same data.

    A runner carries out one training after the other: each thread of Python has one of its own, and of those that a crew carries
    out each as long as it lasts.
    """

    def __init__(self, network: Network, X: Any, y: Any, given: Mapping[str, Any]) -> None:
        self._network, self._data, self._given = copy.deepcopy(network), (X, y), dict(given)
        self._first: Training | None = None
        self._blocks: BlockRunner | None = None
        self._likes: dict[int, Training] = {}  # by the identity of the arguments, which whoever asks keeps
        self._lock, self._own, self._free = threading.Lock(), threading.local(), list[BlockRunner]()

    def crew(self, given: Mapping[str, Any], threads: int, works: int) -> Crew | None:
        """What carries out trainings with these arguments, so many at the same time, where nothing else looks at their epochs."""
        training = self._ready(given)
        if training.validator is not None or training.scorer is not None or not isinstance(training.runner, Apart):
            return None
        return training.runner.crew(threads, works)

    def fit(
        self, network: Network, seed: int | None, given: Mapping[str, Any], progress: Display
    ) -> tuple[Network, DivergedError | None]:
        """A network like this one, trained as is asked, with a seed from other first weights; and how it diverged, if it did."""
        like = self._ready(given)
        if not hasattr(self._own, "blocks"):
            self._own.blocks = self._another()
        own, training = self._begun(like, network, seed, given, progress, self._own.blocks)
        try:
            carry_out(own, training)
        except DivergedError as error:
            return own, error
        return own, None

    def course(
        self, network: Network, seed: int | None, given: Mapping[str, Any], progress: Display
    ) -> Generator[Call, None, tuple[Network, DivergedError | None]]:
        """The same, gone through call by call, each of which a crew is to carry out before it goes on."""
        like = self._ready(given)
        blocks = self._free.pop() if self._free else self._another(by_others=True)
        own, training = self._begun(like, network, seed, given, progress, blocks)
        diverged = None
        try:
            yield from course(own, training)
        except DivergedError as error:
            diverged = error
        self._free.append(blocks)
        return own, diverged

    def _begun(
        self,
        like: Training,
        network: Network,
        seed: int | None,
        given: Mapping[str, Any],
        progress: Display,
        blocks: BlockRunner,
    ) -> tuple[Network, Training]:
        """A network of the kind and its training, before the first epoch."""
        own = self._copy(network, seed)
        take_from_rows(own, like.data.inputs[0][: like.batches.rows])
        settings = like.settings.another(int(given["seed"] if seed is None else seed), progress)
        return own, like.another(own.parameters, settings, blocks)

    def _ready(self, given: Mapping[str, Any]) -> Training:
        """The training that all with these arguments are like."""
        with self._lock:
            if self._first is None:
                self._first = _training(self._network, *self._data, **self._given)
            if id(given) not in self._likes:
                objective = replace(self._first.step.objective, penalty=Penalty(given["l1"], given["l2"]))
                step = replace(self._first.step, objective=objective, optimizer=given["optimizer"])
                self._likes[id(given)] = self._first.like(step)
        return self._likes[id(given)]

    def _another(self, *, by_others: bool = False) -> BlockRunner:
        """A runner of the loop; how fast they are is known together."""
        assert self._first is not None
        with self._lock:
            if self._blocks is None:
                self._blocks = BlockRunner(self._first.runner, self._first.steps_per_epoch, by_others=by_others)
                return self._blocks
        return self._blocks.another(self._first.runners())

    def _copy(self, network: Network, seed: int | None) -> Network:
        """A network of the kind, with the parameters of this one or first ones of a seed."""
        own, known = alike(self._network), self._network.parameters
        own.first_values, own.notes = network.first_values, dict(network.notes)
        own.seed = network.seed if seed is None else seed
        if seed is None and network.is_built:
            first = each(np.array, {layer: network.parameters.get(layer, own) for layer, own in known.items()})
        else:
            first = initial(own.model.specs, own.seed, own.dtype)
            first = replaced(first, own.first_values) if own.first_values else first
        own.hold(first, History())
        own.run = own.recording = None
        return own


def _training(
    network: Network,
    X: Any,
    y: Any,
    *,
    l1: float,
    l2: float,
    clip_value: float | None,
    clip_norm: float | None,
    early_stopping: Any,
    frozen: Any,
    epochs: int,
    batch_size: int | None,
    seed: int,
    shuffle: bool,
    gradients: str,
    engine: str | Engine,
    threads: int | None,
    **others: Any,
) -> Training:
    """The training that `fit` would carry out with these arguments."""
    settings = Settings(
        epochs=epochs, batch_size=batch_size, seed=seed, shuffle=shuffle, engine=engine, threads=threads, gradients=gradients,
        early_stopping=as_early_stopping(early_stopping), frozen=network.frozen if frozen is None else as_patterns(frozen),
        progress=False,
    )  # fmt: skip
    penalty, clipping = Penalty(l1, l2), Clipping(clip_value, clip_norm)
    return training_for(network, X, y, settings, penalty=penalty, clipping=clipping, **others)
