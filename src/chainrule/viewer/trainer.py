"""Trainings begun in a view: carried out in a thread of their own, looked at while they go, and recorded."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chainrule.engines import Engine
from chainrule.engines.choice import named
from chainrule.nn.parameters import Parameters
from chainrule.training import (
    Clipping,
    Penalty,
    Recording,
    Run,
    Settings,
    Training,
    as_optimizer,
)
from chainrule.training.run import copied
from chainrule.training.steps.step import TrainingStep
from chainrule.viewer.networks import NetworkSubject
from chainrule.viewer.topics import told

FRAME = 0.025
"""Seconds between two moments of a training under way that are shown, at least: a call of the engine takes some 30 ms."""


@dataclass(frozen=True)
class Glimpse:
    """A training under way: the steps and epochs that are done, with its loss on the way through this epoch, and its parameters."""

    step: int
    epochs: float
    loss: float
    parameters: Parameters


@dataclass(frozen=True)
class Plan:
    """How a training is to go; what makes no sense is refused when it is made. `other` are its settings that are not here."""

    optimizer: Any = "adam"
    epochs: int = 200
    batch_size: int | None = 32
    seed: int = 0
    l1: float = 0.0
    l2: float = 0.0
    engine: str | Engine = "auto"
    shared: bool = False
    clipping: Clipping = field(default_factory=Clipping)
    other: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        named(self.engine)
        object.__setattr__(self, "optimizer", as_optimizer(self.optimizer))
        _ = self.settings(self.epochs), self.penalty

    @classmethod
    def of(cls, recording: Recording) -> Plan:
        """How a recorded training went."""
        settings, rule = recording.settings, recording.rule
        penalty = rule.objective.penalty
        return cls(
            rule.optimizer,
            settings.epochs,
            settings.batch_size,
            settings.seed,
            penalty.l1,
            penalty.l2,
            settings.engine,
            penalty.shared,
            rule.clipping,
            settings,
        )

    @property
    def penalty(self) -> Penalty:
        """What is added to the loss."""
        return Penalty(self.l1, self.l2, self.shared)

    def settings(self, epochs: int, **more: Any) -> Settings:
        """Those of a training of so many epochs."""
        own = {name: getattr(self, name) for name in ("batch_size", "seed", "engine")}
        return replace(self.other, epochs=epochs, **own, early_stopping=None, record=True, **more)


def goes_on(run: Run) -> bool:
    """Whether a training here can go on with a run: they are without validation and early stopping."""
    return run.settings.get("early_stopping") is None and not run.settings.get("validation rows")


@dataclass
class Trainer:
    """Trains the network of a subject, from the parameters that it shows, on its data.

    Attributes
    ----------
    tell : callable
        Called with what is to be done in the view's own thread.
    ended : callable
        Called there with the recording, and what ended the training, when one has ended.
    seen : callable
        Called there with moments of the training, within its epochs too.
    running : bool
        Whether a training is under way; it is until `ended` was called.
    """

    subject: NetworkSubject
    tell: Callable[[Callable[[], None]], None]
    ended: Callable[[Recording | None, str], None]
    seen: Callable[[Glimpse], None]
    running: bool = False
    _shown: Training | None = None
    _again: float = 0.0
    _waiting: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def prepare(self, plan: Plan, begin: Run | None = None) -> Training:
        """A training as planned, or one to go on from a run."""
        subject = self.subject
        epochs = plan.epochs + (begin.epochs if begin is not None else 0)
        settings = plan.settings(epochs, stop=_Stop(self._stopping), progress=self)
        if settings.batch_size is not None:
            settings = replace(settings, batch_size=min(settings.batch_size, subject.row_count))
        objective = replace(subject.objective, penalty=plan.penalty)
        parameters = subject.parameters if begin is None else begin.parameters
        step = TrainingStep(objective, plan.optimizer, plan.clipping)
        return Training(step, copied(parameters), subject.data, None, settings, begin)

    def start(self, training: Training, *, wait: bool = False) -> None:
        """Carry out a training; or `wait` until it has ended, with nothing shown on the way."""
        self._stopping.clear()
        self.running, self._shown = True, None if wait else training
        if wait:
            self._run(training)
        else:
            threading.Thread(target=self._run, args=(training,), name="chainrule-training", daemon=True).start()

    def stop(self) -> None:
        """End the training after its epoch under way."""
        self._stopping.set()

    def update(self, epochs: float, metrics: Mapping[str, float]) -> None:
        """Have the moment shown that the training is at, if it is time for one and the last was drawn."""
        training, began = self._shown, time.monotonic()
        if training is None or began < self._again or self._waiting.is_set():
            return
        self._waiting.set()
        glimpse = Glimpse(round(epochs * training.steps_per_epoch), epochs, float(metrics["loss"]), training.parameters)

        def show() -> None:
            self._waiting.clear()
            self.seen(glimpse)

        self.tell(show)
        done = time.monotonic()
        self._again = done + max(FRAME, done - began)  # half of the time at least is the training's

    def _run(self, training: Training) -> None:
        says = ""
        try:
            training.run()
        except Exception as error:  # layers and losses may be anybody's
            says = told(error)
        recording = Recording(training) if training.recorded() is not None else None

        def end() -> None:
            self.running = False
            self.ended(recording, says)

        self.tell(end)


@dataclass(frozen=True)
class _Stop:
    """Ends a training after an epoch, once it is asked to."""

    asked: threading.Event
    ahead: float = math.inf

    def __call__(self, epoch: int, metrics: Mapping[str, float]) -> str | None:
        return "stopped in the view" if self.asked.is_set() else None
