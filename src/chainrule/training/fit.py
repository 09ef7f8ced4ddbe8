"""The training run: epochs of batches in blocks of steps, with what happens between them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.engines import Runner
from chainrule.engines.workers import Aside
from chainrule.errors import SettingError, ShapeError
from chainrule.nn.parameters import Parameters
from chainrule.tracing import trees
from chainrule.training.callbacks import Callback, EarlyStopping, EpochEnd, StopRule, Watch
from chainrule.training.data import filled_up
from chainrule.training.divergence import diverged
from chainrule.training.evaluation import Evaluator, evaluation_saving
from chainrule.training.history import FINISHED, History
from chainrule.training.loops import is_settled, prepare_runner
from chainrule.training.objective import Batch, merged, split_frozen
from chainrule.training.progress import Display, display
from chainrule.training.schedules import as_schedule, plateau_of
from chainrule.training.step import TrainingStep, parameter_count

BLOCK_SECONDS = 0.03
"""About how long one call of an engine runs, so that progress, callbacks and Ctrl-C stay alive."""


@dataclass(frozen=True)
class Settings:
    """How a training run goes, apart from what is learned.

    `shuffle` may be a function that gives the orders of the rows for the next so many epochs, shape (epochs, rows).
    """

    epochs: int = 20
    batch_size: int | None = 32
    seed: int = 0
    shuffle: bool | Callable[[int], Any] = True
    engine: str = "auto"
    threads: int | None = None
    gradients: str = "chain rule"
    early_stopping: EarlyStopping | None = None
    callbacks: Sequence[Callback] = field(default_factory=tuple)
    stop: StopRule | None = None
    frozen: Sequence[str] = field(default_factory=tuple)
    progress: bool | None = None

    def __post_init__(self) -> None:
        SettingError.unless_count("fit", "epochs", self.epochs)
        if self.batch_size is not None:
            SettingError.unless_count("fit", "batch_size", self.batch_size)
        SettingError.unless_count("fit", "seed", self.seed, at_least=0)
        if self.threads is not None:
            SettingError.unless_count("fit", "threads", self.threads)
        if self.gradients not in ("chain rule", "numerical"):
            raise SettingError(f"gradients was given as {self.gradients!r}; use 'chain rule' or 'numerical'.")
        if not isinstance(self.callbacks, list | tuple):
            raise SettingError(f"callbacks was given as {self.callbacks!r}; give a list of functions of one EpochEnd.")
        for callback in self.callbacks:
            if not callable(callback):
                raise SettingError(
                    f"{callback!r} among the callbacks cannot be called; give functions of one EpochEnd."
                )


@dataclass(frozen=True)
class Progress:
    """How far an optimizer is: what it keeps for every parameter, and how many steps it has taken."""

    optimizer_state: Any
    steps: int


@dataclass(frozen=True)
class Block:
    """Epochs that run together: the first one's number, how many, the orders of their rows, every step's scalars."""

    first: int
    count: int
    order: Any
    rates: Any
    scalars: list[Any]


class Training:
    """A run in progress: its runner, its history, and where it is; `begin` lets the optimizer go on from earlier."""

    def __init__(
        self,
        step: TrainingStep,
        parameters: Parameters,
        data: Batch,
        validation: Batch | None,
        settings: Settings,
        begin: Progress | None = None,
    ) -> None:
        self.step, self.settings = step, settings
        self.rows = len(data.inputs[0])
        self.batch_size = min(settings.batch_size or self.rows, self.rows)
        self.steps_per_epoch = -(-self.rows // self.batch_size)
        alike = is_settled(step) and settings.gradients == "chain rule"
        self.data = data = filled_up(data, self.batch_size) if alike else data
        learned, frozen = split_frozen(parameters, settings.frozen, step.objective.model.specs)
        self.order_of_layers = {layer: list(own) for layer, own in parameters.items()}
        self.dtype = next(iter(next(iter(learned.values())).values())).dtype
        self.learned_count = parameter_count(learned)
        state = step.initial_state(learned, frozen)
        self.earlier = 0 if begin is None else begin.steps
        if begin is not None:
            state["optimizer"] = begin.optimizer_state
        self.runner: Runner
        self.runner, self.structure = prepare_runner(
            step, state, data, self.batch_size, settings.engine, settings.gradients, self.dtype, settings.threads
        )
        self.validator: Evaluator | None = None
        if validation is not None:
            saving = settings.epochs * evaluation_saving(step.objective.model, len(validation.inputs[0]))
            engine = "numpy" if settings.engine == "numpy" else "auto"  # NumPy evaluates what cannot be compiled
            self.validator = Evaluator(step.objective, validation, engine, saving)
        self.state = trees.flatten(state)[0]
        self.history = History()
        # Two streams, so that neither depends on how many epochs are drawn at once.
        self.order_random = np.random.default_rng([settings.seed, 0])
        self.random_layers = any(layer.uses_random for layer in step.objective.model.layers.values())
        self.key_random = np.random.default_rng([settings.seed, 1])
        self.rate = step.optimizer.learning_rate
        self.plateau = plateau_of(self.rate)

    @property
    def parameters(self) -> Parameters:
        """The parameters as they are now."""
        state = trees.unflatten(self.structure, self.state)
        together = merged(state["frozen"], state["learned"])
        return {
            layer: {name: np.array(together[layer][name]) for name in names}
            for layer, names in self.order_of_layers.items()
        }

    @property
    def progress(self) -> Progress:
        """How far the optimizer is now."""
        steps = self.earlier + self.history.epochs * self.steps_per_epoch
        return Progress(trees.unflatten(self.structure, self.state)["optimizer"], steps)

    def run(self) -> History:
        """Carry out all epochs, or as many as early stopping, callbacks and Ctrl-C allow."""
        settings = self.settings
        watch = None if settings.early_stopping is None else Watch(settings.early_stopping, self.validator is not None)
        try:
            with display(settings.epochs, settings.progress) as shown:
                self._epochs(watch, shown)
        except KeyboardInterrupt:
            self.history.stopped = "interrupted"
        if watch is not None and watch.rule.restore_best and watch.parameters is not None:
            self.state = watch.parameters
            self.history.best_epoch = watch.best_epoch
        return self.history

    def _epochs(self, watch: Watch | None, shown: Display) -> None:
        """All epochs, in blocks; while one is carried out, the next is prepared aside where nothing can change it."""
        alone = watch is None and self.validator is None and not self.settings.callbacks and self.plateau is None
        certain = alone and self.settings.stop is None
        seconds_per_step = 0.0
        done = 0
        block = self.block(0, 1)
        while done < self.settings.epochs:
            count = block.count
            following, ahead = done + count, None
            if certain and seconds_per_step and following < self.settings.epochs:
                ahead = Aside(self.block, following, self._length(following, seconds_per_step))
            started = time.perf_counter()
            metrics: list[Any] = []
            try:
                self._carry_out(block, seconds_per_step, shown, metrics)
            finally:  # also when interrupted or diverged: the epochs that were completed are history
                taken = time.perf_counter() - started
                row = self._note_epochs(self._epoch_means(metrics), block, taken / count)
                if ahead is not None:
                    ahead.wait()
            if self.history.stopped != FINISHED:
                return
            seconds_per_step = taken / (count * self.steps_per_epoch)
            done += count
            shown.update(done, row)
            if self._ended(done - 1, row, watch):
                return
            if ahead is not None:
                block = ahead.result()
            elif done < self.settings.epochs:
                block = self.block(done, self._length(done, seconds_per_step) if alone else 1)

    def _length(self, done: int, seconds_per_step: float) -> int:
        """How many epochs from number `done` on one block takes."""
        stop = self.settings.stop
        most = min(self.settings.epochs - done, math.inf if stop is None else stop.ahead)
        return max(1, min(int(BLOCK_SECONDS / (seconds_per_step * self.steps_per_epoch)), int(most)))

    def _epoch_means(self, metrics: list[Any]) -> Any:
        """The metrics of those epochs whose steps are all there, shape (epochs, metrics)."""
        epochs = sum(map(len, metrics)) // self.steps_per_epoch
        if not epochs:
            return np.empty((0, len(self.step.objective.metrics)))
        steps = np.concatenate(metrics)[: epochs * self.steps_per_epoch]
        return self._means(steps.reshape(epochs, self.steps_per_epoch, -1))

    def _note_epochs(self, means: Any, block: Block, seconds: float) -> dict[str, float]:
        """Add epochs to the history, and ask the rule that may stop there; gives the last one's metrics."""
        epochs = len(means)
        if not epochs:
            return {}
        columns: dict[str, Any] = dict(zip(self.step.objective.metrics, means.T, strict=True))
        if self.settings.stop is not None:
            for i, values in enumerate(means.tolist()):
                row = dict(zip(self.step.objective.metrics, values, strict=True))
                self.history.stopped = self.settings.stop(block.first + i, row) or FINISHED
        columns["learning_rate"] = block.rates[self.steps_per_epoch - 1 :: self.steps_per_epoch][:epochs]
        if self.validator is not None:  # then epochs come one at a time
            columns |= {f"val_{k}": [v] for k, v in self.validator(self.parameters).items()}
        self.history.extend({**columns, "seconds": np.full(epochs, seconds)})
        return {name: float(values[-1]) for name, values in columns.items()}

    def block(self, done: int, count: int) -> Block:
        """Some epochs from number `done` on: orders, learning rates, and keys of the random numbers."""
        total = count * self.steps_per_epoch
        numbers = done * self.steps_per_epoch + np.arange(total)
        rates = self._rates(numbers / self.steps_per_epoch)
        keys = np.zeros(total, np.uint32)
        if self.random_layers:
            keys = self.key_random.integers(0, 2**32, size=total, dtype=np.uint32)
        counts = self.earlier + numbers + 1
        scalars = [rates.astype(self.dtype), counts.astype(self.dtype), keys]
        return Block(done, count, self._order(count), rates, scalars)

    def _order(self, count: int) -> Any:
        """The order of the rows in each of the next epochs; rows that fill up the last batch stay behind."""
        shuffle, whole = self.settings.shuffle, np.arange(len(self.data.inputs[0]), dtype=np.int32)
        if shuffle is False or (shuffle is True and self.batch_size == self.rows):  # order in a batch is of no account
            return np.broadcast_to(whole, (count, len(whole)))
        order = np.tile(whole, (count, 1))
        if shuffle is True:
            base = np.broadcast_to(np.arange(self.rows), (count, self.rows))
            order[:, : self.rows] = self.order_random.permuted(
                base, axis=1
            )  # int64, which NumPy shuffles twice as fast
        else:
            given = np.asarray(shuffle(count))
            if given.shape != (count, self.rows):
                raise ShapeError(
                    f"shuffle gave orders of shape {given.shape} for {count} epochs of {self.rows} rows; "
                    f"it must give shape {(count, self.rows)}."
                )
            strange = given[(given < 0) | (given >= self.rows)]
            if strange.size:
                raise ShapeError(f"shuffle gave row {strange[0]}; rows are numbered from 0 to {self.rows - 1}.")
            order[:, : self.rows] = given
        return order

    def _carry_out(self, block: Block, seconds_per_step: float, shown: Display, metrics: list[Any]) -> None:
        """Run a block in calls of about `BLOCK_SECONDS`, adding every call's metrics to `metrics`."""
        total, order, done = block.count * self.steps_per_epoch, block.order, block.first
        first = 0
        length = 1 if not seconds_per_step else max(1, int(BLOCK_SECONDS / seconds_per_step))
        while first < total:
            n = min(length, total - first)
            scalars = [s[first : first + n] for s in block.scalars]
            started = time.perf_counter()
            found = self.runner.run(order, first, n, scalars)
            taken = time.perf_counter() - started
            self._note_passes(n)
            after = self.runner.state
            if not np.isfinite(found).all() or not _finite(after):
                error = diverged(self, self.state, order, first, n, scalars, done)
                self.state = self.runner.state
                metrics.append(found[: (error.epoch - done) * self.steps_per_epoch + error.batch - first])
                raise error
            self.state = after
            metrics.append(
                found
            )  # after the state: an interrupt in between must not leave a history ahead of the weights
            first += n
            length = max(1, min(2 * n, int(BLOCK_SECONDS * n / max(taken, 1e-9))))
            if first < total:
                so_far = self._means(np.concatenate(metrics)[None, -self.steps_per_epoch :])[0]
                shown.update(
                    done + first / self.steps_per_epoch, dict(zip(self.step.objective.metrics, so_far, strict=True))
                )

    def _rates(self, epochs: Any) -> Any:
        rates = np.asarray(as_schedule(self.rate)(epochs), np.float64)
        if rates.shape != epochs.shape or not (np.isfinite(rates) & (rates >= 0)).all():
            raise SettingError(
                f"the schedule {self.rate!r} gave {rates!r} for times of shape {epochs.shape}; "
                "it must give one finite rate for each, none of them negative."
            )
        if self.plateau is not None:
            monitor = self.plateau.monitor or ("loss" if self.validator is None else "val_loss")
            seen = self.history[monitor] if self.history.epochs else []
            rates = rates * self.plateau.scale([-x for x in seen] if "accuracy" in monitor else seen)
        return rates

    def _means(self, steps: Any) -> Any:
        """Means over the steps of every epoch, each step counted by its rows: (epochs, steps, metrics) → (epochs, metrics)."""
        if steps.shape[1] == 1:
            return steps[:, 0]
        sizes = np.full(steps.shape[1], self.batch_size, float)
        if len(sizes) == self.steps_per_epoch:
            sizes[-1] = self.rows - self.batch_size * (self.steps_per_epoch - 1)
        return np.einsum("s,esf->ef", sizes, steps) / sizes.sum()

    def _note_passes(self, steps: int) -> None:
        numerical = self.settings.gradients == "numerical"
        self.history.passes["forward"] += int(steps) * (self.learned_count + 1 if numerical else 1)
        self.history.passes["backward"] += 0 if numerical else int(steps)

    def _ended(self, epoch: int, row: dict[str, float], watch: Watch | None) -> bool:
        for callback in self.settings.callbacks:
            answer = callback(EpochEnd(epoch, dict(row), self.parameters))
            if isinstance(answer, str) or (isinstance(answer, bool | np.bool_) and answer):
                self.history.stopped = answer if isinstance(answer, str) else "stopped by a callback"
                return True
        if watch is not None and watch.see(epoch, row, lambda: self.state):
            self.history.stopped = "early stopping"
            return True
        return False


def _finite(arrays: Sequence[Any]) -> bool:
    """Whether all numbers are finite; a sum is NaN or infinite as soon as one of them is."""
    return all(math.isfinite(float(np.sum(x, dtype=np.float64))) for x in arrays)
