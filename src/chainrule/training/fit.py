"""The training run: epochs of batches in blocks of steps, with what happens between them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.engines import Runner
from chainrule.errors import SettingError
from chainrule.nn.parameters import Parameters
from chainrule.tracing import trees
from chainrule.training.callbacks import Callback, EarlyStopping, EpochEnd, Watch
from chainrule.training.divergence import diverged
from chainrule.training.evaluation import Evaluator
from chainrule.training.history import History
from chainrule.training.loops import prepare_runner
from chainrule.training.objective import Batch, merged, split_frozen
from chainrule.training.progress import Display, display
from chainrule.training.schedules import as_schedule, plateau_of
from chainrule.training.step import Step, parameter_count

BLOCK_SECONDS = 0.03
"""About how long one call of an engine runs, so that progress, callbacks and Ctrl-C stay alive."""


@dataclass(frozen=True)
class Settings:
    """How a training run goes, apart from what is learned."""

    epochs: int = 20
    batch_size: int | None = 32
    seed: int = 0
    shuffle: bool = True
    engine: str = "auto"
    gradients: str = "chain rule"
    early_stopping: EarlyStopping | None = None
    callbacks: Sequence[Callback] = field(default_factory=tuple)
    frozen: Sequence[str] = field(default_factory=tuple)
    progress: bool | None = None

    def __post_init__(self) -> None:
        SettingError.unless_count("fit", "epochs", self.epochs)
        if self.batch_size is not None:
            SettingError.unless_count("fit", "batch_size", self.batch_size)
        SettingError.unless_count("fit", "seed", self.seed, at_least=0)
        if self.gradients not in ("chain rule", "numerical"):
            raise SettingError(f"gradients was given as {self.gradients!r}; use 'chain rule' or 'numerical'.")
        if not isinstance(self.callbacks, list | tuple):
            raise SettingError(f"callbacks was given as {self.callbacks!r}; give a list of functions of one EpochEnd.")
        for callback in self.callbacks:
            if not callable(callback):
                raise SettingError(
                    f"{callback!r} among the callbacks cannot be called; give functions of one EpochEnd."
                )


class Training:
    """A run in progress: its runner, its history, and where it is."""

    def __init__(
        self, step: Step, parameters: Parameters, data: Batch, validation: Batch | None, settings: Settings
    ) -> None:
        self.step, self.data, self.settings = step, data, settings
        self.rows = len(data.inputs[0])
        self.batch_size = min(settings.batch_size or self.rows, self.rows)
        self.steps_per_epoch = -(-self.rows // self.batch_size)
        learned, frozen = split_frozen(parameters, settings.frozen, step.objective.model.specs)
        self.order_of_layers = {layer: list(own) for layer, own in parameters.items()}
        self.dtype = next(iter(next(iter(learned.values())).values())).dtype
        self.learned_count = parameter_count(learned)
        state = step.initial_state(learned, frozen)
        self.runner: Runner
        self.runner, self.structure = prepare_runner(
            step, state, data, self.batch_size, settings.engine, settings.gradients, self.dtype
        )
        self.validator = None if validation is None else Evaluator(step.objective, validation)
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
        state = trees.unflatten(self.structure, self.runner.state)
        together = merged(state["frozen"], state["learned"])
        return {
            layer: {name: np.array(together[layer][name]) for name in names}
            for layer, names in self.order_of_layers.items()
        }

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
            self.runner.load(watch.parameters)
            self.history.best_epoch = watch.best_epoch
        return self.history

    def _epochs(self, watch: Watch | None, shown: Display) -> None:
        alone = watch is None and self.validator is None and not self.settings.callbacks and self.plateau is None
        seconds_per_step = 0.0
        done = 0
        while done < self.settings.epochs:
            count = 1
            if alone and seconds_per_step:
                count = max(
                    1, min(int(BLOCK_SECONDS / (seconds_per_step * self.steps_per_epoch)), self.settings.epochs - done)
                )
            started = time.perf_counter()
            numbers = done * self.steps_per_epoch + np.arange(count * self.steps_per_epoch)
            rates = self._rates(numbers / self.steps_per_epoch)
            figures: list[Any] = []
            try:
                self._block(done, count, rates, seconds_per_step, shown, figures)
            finally:  # also when interrupted or diverged: the epochs that were completed are history
                taken = time.perf_counter() - started
                row = self._note_epochs(figures, rates, taken / count)
            seconds_per_step = taken / (count * self.steps_per_epoch)
            done += count
            shown.update(done, row)
            if self._ended(done - 1, row, watch):
                return

    def _note_epochs(self, figures: list[Any], rates: Any, seconds: float) -> dict[str, float]:
        """Add the epochs whose steps are all there to the history; gives the last one's figures."""
        epochs = sum(map(len, figures)) // self.steps_per_epoch
        if not epochs:
            return {}
        steps = np.concatenate(figures)[: epochs * self.steps_per_epoch]
        means = self._means(steps.reshape(epochs, self.steps_per_epoch, -1))
        columns: dict[str, Any] = dict(zip(self.step.objective.figures, means.T, strict=True))
        columns["learning_rate"] = rates[self.steps_per_epoch - 1 :: self.steps_per_epoch][:epochs]
        if self.validator is not None:  # then epochs come one at a time
            columns |= {f"val_{k}": [v] for k, v in self.validator(self.parameters).items()}
        self.history.extend({**columns, "seconds": np.full(epochs, seconds)})
        return {name: float(values[-1]) for name, values in columns.items()}

    def _block(
        self, done: int, count: int, rates: Any, seconds_per_step: float, shown: Display, figures: list[Any]
    ) -> None:
        """Carry out `count` epochs in calls of about `BLOCK_SECONDS`, adding every call's figures to `figures`."""
        total = count * self.steps_per_epoch
        if self.settings.shuffle and self.batch_size < self.rows:  # the order inside a batch is of no account
            base = np.broadcast_to(np.arange(self.rows), (count, self.rows))
            order = self.order_random.permuted(base, axis=1).astype(np.int32)  # NumPy shuffles int64 twice as fast
        else:
            order = np.broadcast_to(np.arange(self.rows, dtype=np.int32), (count, self.rows))
        numbers = done * self.steps_per_epoch + np.arange(total)
        keys = np.zeros(total, np.uint32)
        if self.random_layers:
            keys = self.key_random.integers(0, 2**32, size=total, dtype=np.uint32)
        scalars = [rates.astype(self.dtype), (numbers + 1).astype(self.dtype), keys]
        first = 0
        length = 1 if not seconds_per_step else max(1, int(BLOCK_SECONDS / seconds_per_step))
        while first < total:
            n = min(length, total - first)
            before = self.runner.state
            started = time.perf_counter()
            figures.append(self.runner.run(order, first, n, [s[first : first + n] for s in scalars]))
            taken = time.perf_counter() - started
            self._note_passes(n)
            if not np.isfinite(figures[-1]).all() or not _finite(self.runner.state):
                error = diverged(self, before, order, first, n, [s[first : first + n] for s in scalars], done)
                figures[-1] = figures[-1][: (error.epoch - done) * self.steps_per_epoch + error.batch - first]
                raise error
            first += n
            length = max(1, min(2 * n, int(BLOCK_SECONDS * n / max(taken, 1e-9))))
            if first < total:
                so_far = self._means(np.concatenate(figures)[None, -self.steps_per_epoch :])[0]
                shown.update(
                    done + first / self.steps_per_epoch, dict(zip(self.step.objective.figures, so_far, strict=True))
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
        """Means over the steps of every epoch, each step counted by its rows: (epochs, steps, figures) → (epochs, figures)."""
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
        if watch is not None and watch.see(epoch, row, lambda: self.runner.state):
            self.history.stopped = "early stopping"
            return True
        return False


def _finite(arrays: Sequence[Any]) -> bool:
    """Whether all numbers are finite; a sum is NaN or infinite as soon as one of them is."""
    return all(math.isfinite(float(np.sum(x, dtype=np.float64))) for x in arrays)
