"""A recording: a training of which every moment can be had again, to the bit, and gone on from in other ways."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.errors import DivergedError, SettingError, shortened
from chainrule.training.between_epochs.watching import Seen, Watchers
from chainrule.training.fit import Training
from chainrule.training.history import History
from chainrule.training.keyframes import Moment
from chainrule.training.objective import Batch, in_order
from chainrule.training.recorded.branching import changed, run_of_branch
from chainrule.training.recorded.finding import Event, find
from chainrule.training.recorded.replay import Fixed, Replay
from chainrule.training.run import Best, Run, copied
from chainrule.training.settings import Settings, passes
from chainrule.training.steps.step import TrainingStep, parameter_count
from chainrule.training.stored.arrays import store_of


@dataclass(frozen=True)
class StepBatch:
    """What one step of a training was given.

    Attributes
    ----------
    rows : array of int
        Numbers of the rows of its batch, in `recording.data`.
    learning_rate : float
        η of this step.
    key : int or None
        What the numbers of dropout are drawn from; `None` where nothing is random.
    """

    rows: Any
    learning_rate: float
    key: int | None


class Recording:
    """A training as data: every moment of it, forwards and backwards, with the same bits that it had.

    `fit(..., record=True)` leaves it as `network.recording`, also where Ctrl-C, early stopping or a loss that is not finite
    ended it. States are kept on the way, as many as fit the megabytes that `record` says, evenly spaced; those between are computed
    again from the one before, by the same engine. Steps are counted from 0 and from the first epoch on: step `k` leads
    from `at(k)` to `at(k + 1)`. It holds the data as long as it is there (data on disk are read again, and must not have
    changed), and 8 bytes for every step and metric; it is pickled with the network, but no part of a model file. One thread at a
    time may use it.

    Attributes
    ----------
    first, steps : int
        The first and the last step that `at` gives. `first` is 0 unless the training went on from a run.
    history : History
        Of all epochs completed, as `fit` gave it.
    data : Batch
        The rows that were learned from, in the order they were given in: `inputs`, `targets`, `class_indices`.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> network = cr.Network([cr.Dense(4, "tanh"), cr.Dense(1)])
    >>> history = network.fit(X, X**2, epochs=10, batch_size=16, record=True, progress=False)
    >>> recording = network.recording
    >>> recording
    Recording(10 epochs, 40 steps, finished)
    >>> recording.at(39)
    Run(9 epochs, 39 steps)
    >>> bool((recording.at(40).parameters["dense_1"]["weight"] == network.parameters["dense_1"]["weight"]).all())
    True
    """

    def __init__(self, training: Training) -> None:
        kept = training.recorded()
        if kept is None:
            raise SettingError("this training was not recorded; give its settings record=True.")
        first, begun = kept.frames[0], kept.begun
        self._keyframes, self._begun, self._reports = list(kept.frames), begun, kept.reports
        self.first, self.steps = first.step, kept.frames[-1].step
        self.history: History = training.history.copy()
        self._validation = training.validation
        self._weighted, self._rows = training.weighted, training.batches.rows
        self._fixed = Fixed(
            training.step,
            replace(training.settings, callbacks=(), stop=None, progress=False),
            training.data,
            training.batches.another(),
            training.dtype,
            training.earlier,
            {
                layer: {name: x for name, x in own.items() if name not in first.learned.get(layer, {})}
                for layer, own in begun.parameters.items()
            },
            training.order_of_layers,
        )

    # --- what there is of it

    @property
    def epochs(self) -> int:
        """Epochs completed."""
        return self.history.epochs

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over the data."""
        return self._fixed.batches.steps_per_epoch

    @property
    def stopped(self) -> str:
        """Why it ended, as the history says it."""
        return self.history.stopped

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        """What the step of every number measured on its batch before the update, by name; NaN before the recording began."""
        names = self._fixed.step.objective.metrics
        return dict(zip(names, _to_read(self._reports)[:, : len(names)].T, strict=True))

    @property
    def losses(self) -> Any:
        """The loss that the step of every number measured on its batch before the update; NaN before the recording began."""
        return self.metrics["loss"]

    @cached_property
    def data(self) -> Batch:
        """The rows that were learned from."""
        if store_of(self._fixed.data) is not None:
            return self._fixed.data
        found = self._fixed.data.like([_to_read(x[: self._rows]) for x in self._fixed.data.arrays()])
        return found if self._weighted else replace(found, counts=None)

    def step_of_epoch(self, epoch: int) -> int:
        """The number of the first step of an epoch, counted from 0: `at` gives the moment when it begins."""
        return int(epoch) * self.steps_per_epoch

    def __repr__(self) -> str:
        return f"Recording({self.epochs} epochs, {self.steps} steps, {self.stopped})"

    # --- moments

    def at(self, step: int) -> Run:
        """All that the training was after so many steps.

        The arrays are the caller's own; `network.parameters = recording.at(100).parameters` puts a network there, and
        `fit(..., continue_from=recording.at(100))` goes on as the training did.

        Parameters
        ----------
        step : int
            From `first` to `steps`.

        Raises
        ------
        SettingError
            For a step before or after those recorded.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> X = np.linspace(-1, 1, 50)[:, None]
        >>> network = cr.Network([cr.Dense(1)])
        >>> _ = network.fit(X, 2 * X, epochs=3, batch_size=10, record=True, progress=False)
        >>> [network.recording.at(step).epochs for step in (15, 14, 5, 4, 0)]
        [3, 2, 1, 0, 0]
        """
        step = self._checked(step)
        epoch, moment = min(step // self.steps_per_epoch, self.epochs), self.replay.moment(step)
        history = self.history.until(epoch)
        history.passes = passes(step, self._fixed.settings.gradients, parameter_count(moment.learned))
        if step == self.steps:
            history.stopped, history.best_epoch = self.history.stopped, self.history.best_epoch
        best, before = self._seen.best(epoch), self._seen.needs_before and step > self.step_of_epoch(epoch)
        return Run(
            optimizer_state=copied(moment.optimizer_state),
            steps=self._fixed.earlier + step,
            parameters=self._parameters(moment),
            history=history,
            streams=self.replay.streams(epoch),
            under_way=np.array(self._reports[self.step_of_epoch(epoch) : step]),
            settings=self._begun.settings,
            best=best and Best(best.epoch, *(copied(self._learned(x)) for x in (best.parameters, best.before))),
            plateau=self._seen.plateau(epoch),
            begun_with=copied(self._learned(self.step_of_epoch(epoch))) if before else None,
        )

    def batch(self, step: int) -> StepBatch:
        """The rows, learning rate and key of one step, that leads from `at(step)` to `at(step + 1)`.

        At the end it is the step that would have come next: where the loss left the finite numbers, the one that did.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> X = np.linspace(-1, 1, 7)[:, None]
        >>> network = cr.Network([cr.Dense(1)])
        >>> _ = network.fit(X, 2 * X, epochs=2, batch_size=4, optimizer=cr.SGD(0.1), record=True, progress=False)
        >>> [sorted(network.recording.batch(k).rows.tolist()) for k in (0, 1)]
        [[2, 3, 4, 6], [0, 1, 5]]
        >>> network.recording.batch(3).learning_rate
        0.1
        """
        epoch, number = divmod(self._checked(step), self.steps_per_epoch)
        block, size = self.replay.block(epoch), self._fixed.batches.size
        place = step - self.step_of_epoch(block.first)
        rows = block.order[epoch - block.first, : self._rows][number * size : (number + 1) * size]
        key = int(block.scalars[2][place]) if self._fixed.batches.keyed else None
        return StepBatch(np.array(rows), float(block.rates[place]), key)

    @cached_property
    def replay(self) -> Replay:
        """What computes moments again, made with the first of them."""
        return Replay(self._fixed, self._keyframes, self.steps, self._seen.scales)

    def _checked(self, step: int) -> int:
        if isinstance(step, bool) or not isinstance(step, int | np.integer) or not self.first <= step <= self.steps:
            raise SettingError(
                f"the recording was asked for step {shortened(step)}; give a whole number from {self.first} to {self.steps}."
            )
        return int(step)

    def _parameters(self, moment: Moment) -> Any:
        return copied(in_order(self._fixed.order_of_layers, self._fixed.frozen, moment.learned))

    def _learned(self, place: Any) -> Any:
        """Learned parameters: those after so many steps, or what came with the run that the training began with."""
        if not isinstance(place, int):
            return place
        return self._begun.begun_with if place < self.first else self.replay.moment(place).learned

    @cached_property
    def _seen(self) -> Seen:
        rule, rate = self._fixed.settings.early_stopping, self.rule.optimizer.learning_rate
        watchers = Watchers.of(rule, rate, self._validation is not None, self.steps_per_epoch, self._begun)
        return Seen(self.history, self._begun.epochs, self.steps_per_epoch, watchers)

    # --- other ways on

    def branch(
        self,
        step: int,
        *,
        optimizer: Any = None,
        learning_rate: Any = None,
        l1: float | None = None,
        l2: float | None = None,
        seed: int | None = None,
        steps: int | None = None,
        epochs: int | None = None,
    ) -> Recording:
        """What the training would have become from a moment on with other settings; the recording stays as it is.

        Without other settings it is what the training did, to the bit. Rows come in the order that they had, unless another
        seed is given; early stopping and callbacks are left out, so that it goes as far as it is told. It ends before where the
        loss is no longer finite, and then says that it `stopped` as `"diverged"`.

        Parameters
        ----------
        step : int
            Where it begins, from `first` to `self.steps`; the branch counts on from there.
        optimizer : str or optimizer, optional
            Of the same kind it goes on with the state of the old one, if it keeps as much; another begins anew.
        learning_rate : float or schedule, optional
            In place of the optimizer's; a schedule is of the time in epochs since the beginning of the training.
        l1, l2 : float, optional
            The penalties from here on.
        seed : int, optional
            From which orders of rows and numbers of dropout are drawn anew; of an epoch under way, those of the steps that are left.
        steps, epochs : int, optional
            How far it goes, in steps or in as many as epochs have; by default as far as the training did.

        Returns
        -------
        Recording
            `first` is `step`.

        Raises
        ------
        SettingError
            For a step that is not recorded, for both `steps` and `epochs`, and for settings that `fit` refuses.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> X = np.linspace(-1, 1, 50)[:, None]
        >>> network = cr.Network([cr.Dense(1)])
        >>> _ = network.fit(X, 2 * X, epochs=4, optimizer=cr.SGD(0.01), record=True, progress=False)
        >>> faster = network.recording.branch(4, learning_rate=0.5)
        >>> faster
        Recording(4 epochs, 8 steps, finished)
        >>> bool(faster.losses[-1] < network.recording.losses[-1])
        True
        """
        run, end = self.at(step), step + self._length(step, steps, epochs)
        new = changed(self.rule, optimizer, learning_rate, l1, l2)
        settings = replace(
            self._fixed.settings,
            epochs=max(1, -(-end // self.steps_per_epoch)),
            early_stopping=None,
            seed=self._fixed.settings.seed if seed is None else seed,
        )
        begin = run_of_branch(run, self.rule, new, self.replay.moment(step).learned, settings.seed)
        if seed is not None:
            begin = replace(begin, streams=self._fixed.batches.another(seed).streams)
        training = Training(new, begin.parameters, self.data, self._validation, settings, begin)
        with suppress(DivergedError):  # its history says so
            training.run()
        return Recording(training).until(end)

    def until(self, step: int) -> Recording:
        """The same, ended after so many steps; where that is all, as it is.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> X = np.linspace(-1, 1, 50)[:, None]
        >>> network = cr.Network([cr.Dense(1)])
        >>> _ = network.fit(X, 2 * X, epochs=4, batch_size=10, record=True, progress=False)
        >>> network.recording.until(12)
        Recording(2 epochs, 12 steps, finished)
        """
        if step >= self.steps:
            return self
        last = self.at(step)
        shorter = object.__new__(Recording)
        shorter.__dict__.update(self.__getstate__())
        shorter.steps, shorter.history, shorter._reports = step, last.history, self._reports[:step]
        shorter._keyframes = [frame for frame in self._keyframes if frame.step <= step]
        return shorter

    def _length(self, step: int, steps: int | None, epochs: int | None) -> int:
        if steps is not None and epochs is not None:
            raise SettingError("branch was given both steps and epochs; give one of them.")
        for name, count in (("steps", steps), ("epochs", epochs)):
            if count is not None:
                SettingError.unless_count("branch", name, count, at_least=0)
        if epochs is not None:
            return epochs * self.steps_per_epoch
        return self.steps - step if steps is None else steps

    # --- what happened

    def find(self, what: str, *, after: int | None = None, before: int | None = None) -> Event | None:
        """The first time that something happened after a step, or the last before one; `None` where it did not.

        Parameters
        ----------
        what : {"loss rose", "unit died"}
            The loss of an epoch was higher than that of the one before: the step is the first of that epoch. A unit of a
            layer with an activation died: from the step on no row of the data has a derivative that goes through it. Units
            are looked at when epochs end, of many epochs at 128 of them, and then for the very step between.
        after, before : int, optional
            Only steps after, or before, this one; with `before` alone the last of them is given.

        Returns
        -------
        Event or None
            With `step` and `what`, such as `"unit 3 of dense_0 and 2 more died"`.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> X = np.linspace(-1, 1, 50)[:, None]
        >>> network = cr.Network([cr.Dense(1)])
        >>> rate = lambda epoch: np.where(epoch == 3, 5.0, 0.1)
        >>> _ = network.fit(X, 2 * X, epochs=6, optimizer=cr.SGD(rate), batch_size=None, record=True, progress=False)
        >>> network.recording.find("loss rose").step
        4
        """
        return find(self, what, after, before)

    @property
    def rule(self) -> TrainingStep:
        """The step that was taken again and again."""
        return self._fixed.step

    @property
    def settings(self) -> Settings:
        """How it went: epochs, rows of a batch, seed and the like; callbacks are left out."""
        return self._fixed.settings

    def __getstate__(self) -> dict[str, Any]:
        made_when_asked = {name for name, x in vars(Recording).items() if isinstance(x, cached_property)}
        return {name: x for name, x in vars(self).items() if name not in made_when_asked}


def _to_read(array: Any) -> Any:
    """A view that cannot be written to, of the same kind."""
    view = array[:]
    view.flags.writeable = False
    return view
