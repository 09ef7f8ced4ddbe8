"""Trainings begun in a view: carried out in a thread of their own, looked at while they go, and recorded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from chainrule.errors import ChainruleError
from chainrule.training import (
    Clipping,
    EpochEnd,
    Optimizer,
    Penalty,
    Recording,
    Run,
    Settings,
    Training,
    as_optimizer,
)
from chainrule.training.run import copied
from chainrule.training.step import TrainingStep
from chainrule.viewer.networks import NetworkSubject

FRAME = 0.05
"""Seconds between two moments of a training under way that are shown, at least."""


@dataclass
class Plan:
    """How a training is to go."""

    optimizer: Any = "adam"
    epochs: int = 200
    batch_size: int | None = 32
    seed: int = 0
    l1: float = 0.0
    l2: float = 0.0
    engine: str = "auto"

    @property
    def rule(self) -> Optimizer:
        """The optimizer."""
        return as_optimizer(self.optimizer)


@dataclass
class Trainer:
    """Trains the network of a subject, from the parameters that it shows, on its data.

    Attributes
    ----------
    plan : Plan
        How the next training goes.
    tell : callable
        Called with what is to be done in the view's own thread.
    ended : callable
        Called there with the recording, and what ended the training, when one has ended.
    """

    subject: NetworkSubject
    plan: Plan
    tell: Callable[[Callable[[], None]], None]
    ended: Callable[[Recording | None, str], None]
    seen: Callable[[EpochEnd], None]
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether a training is under way."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, begin: Run | None = None, *, wait: bool = False) -> None:
        """Begin a training, or go on with one; `wait` until it has ended."""
        self._stopping.clear()
        training = self._training(begin)
        if wait:
            self._run(training)
            return
        self._thread = threading.Thread(target=self._run, args=(training,), name="chainrule-training", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the training after its epoch under way."""
        self._stopping.set()

    def _training(self, begin: Run | None) -> Training:
        plan, subject = self.plan, self.subject
        epochs = plan.epochs + (begin.epochs if begin is not None else 0)
        size = None if plan.batch_size is None else min(plan.batch_size, subject.row_count)
        settings = Settings(
            epochs=epochs,
            batch_size=size,
            seed=plan.seed,
            engine=plan.engine,
            callbacks=(self._after_epoch(),),
            frozen=subject.network.frozen,
            progress=False,
            record=True,
        )
        objective = replace(subject.objective, penalty=Penalty(plan.l1, plan.l2))
        parameters = subject.parameters if begin is None else begin.parameters
        step = TrainingStep(objective, plan.rule, Clipping())
        return Training(step, copied(parameters), subject.data, None, settings, begin)

    def _after_epoch(self) -> Callable[[EpochEnd], Any]:
        last = 0.0
        waiting = threading.Event()

        def after(end: EpochEnd) -> bool:
            nonlocal last
            if self._stopping.is_set():
                return True
            if time.monotonic() - last >= FRAME and not waiting.is_set():
                last = time.monotonic()
                waiting.set()

                def show() -> None:
                    waiting.clear()
                    self.seen(end)

                self.tell(show)
            return False

        return after

    def _run(self, training: Training) -> None:
        says = ""
        try:
            training.run()
        except ChainruleError as error:
            says = str(error)
        recording = Recording(training) if training.recorded() is not None else None
        self.tell(lambda: self.ended(recording, says))
