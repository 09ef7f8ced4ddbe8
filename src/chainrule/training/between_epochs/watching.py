"""Watching a training: early stopping, and how far a learning rate has fallen on plateaus."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np

from chainrule.errors import SettingError, UnknownNameError
from chainrule.nn.parameters import Parameters
from chainrule.training.between_epochs.callbacks import EarlyStopping
from chainrule.training.history import History
from chainrule.training.metrics import METRICS
from chainrule.training.run import Best, Run
from chainrule.training.schedules import OnPlateau, PlateauPosition, plateau_of


def direction(monitor: str, greater_is_better: bool | None = None) -> Literal[-1, 1]:
    """What makes less of a metric better: as is said, or as the registry of metrics says.

    Raises
    ------
    SettingError
        When nobody says it.
    """
    if greater_is_better is None:
        name = monitor.removeprefix("val_")
        metric = next((one for one in METRICS.values() if name == one.name or name.startswith(f"{one.name}_")), None)
        if name.startswith("loss") or (metric is not None and metric.compares):
            greater_is_better = metric is not None and metric.greater_is_better
        else:
            raise SettingError(
                f"{monitor!r} was to be monitored, and nothing says whether more of it is better. Early stopping can be told: "
                f"cr.EarlyStopping(monitor={monitor!r}, greater_is_better=True)."
            )
    return -1 if greater_is_better else 1


def is_of_epochs_end(monitor: str) -> bool:
    """Whether a metric is measured when an epoch is over, and not step by step in it."""
    return monitor.partition("_")[0] not in ("loss", "accuracy")


def warn_unless_finite(history: History, since: int = 0) -> None:
    """Warn of validation metrics that were NaN or infinite after epochs from `since` on, of which none can be the best.

    Before that the training may not have had them, nor those since that it had before.
    """
    for name in (name for name in history if name.startswith("val_")):
        strange = np.flatnonzero(~np.isfinite(history.column(name)[since:]))
        ended = since > 0 and name != "val_loss" and len(strange) == history.epochs - since
        if len(strange) and not ended:
            warnings.warn(
                f"{name} is NaN or infinite after {len(strange)} of {history.epochs - since} epochs, first after epoch "
                f"{since + strange[0] + 1}. Early stopping takes no such epoch for the best, and OnPlateau does not count it. Look "
                "for validation data far from those learned from, or too large for the dtype (dtype='float64').",
                RuntimeWarning,
                stacklevel=3,
            )


class Watch:
    """Early stopping at work; `EarlyStopping` says which parameters it keeps."""

    def __init__(
        self, rule: EarlyStopping, validated: bool, steps_per_epoch: int, best: Best | None = None, seen: int = 0
    ) -> None:
        self.rule = rule
        self.monitor = rule.monitor or ("val_loss" if validated else "loss")
        self._noted = seen, best  # one value, so that Ctrl-C cannot come between its parts
        self._sign: Literal[-1, 1] | None = None
        self._measured_after = is_of_epochs_end(self.monitor)
        self._one_step = steps_per_epoch == 1

    @property
    def seen(self) -> int:
        """How many epochs it has seen."""
        return self._noted[0]

    @property
    def best(self) -> Best | None:
        """The best of them."""
        return self._noted[1]

    @property
    def needs_before(self) -> bool:
        """Whether the parameters from before an epoch are asked for."""
        return self.rule.restore_best and not self._measured_after

    def see(self, history: History, learned: Callable[[int], Any]) -> None:
        """Note the next epoch of a history; `learned` gives the parameters before (0) and after it (1), or what they are found by."""
        if self._sign is None:
            if self.monitor not in history or self.monitor == "seconds":
                raise UnknownNameError.among("metric to monitor", self.monitor, set(history) - {"seconds"})
            self._sign = direction(self.monitor, self.rule.greater_is_better)
        values, sign, (epoch, best) = history.column(self.monitor), self._sign, self._noted
        now = sign * float(values[epoch])
        least = math.inf if best is None else sign * float(values[best.epoch])
        if now < least - self.rule.min_delta:
            best = Best(epoch, *self._kept(learned))
        elif best is not None and best.before is not None:
            earlier = sign * float(values[max(best.epoch - 1, 0)])
            best = Best(best.epoch, best.before if now > earlier else best.parameters)
        self._noted = epoch + 1, best

    def find(self, found: Callable[[Any], Parameters | None]) -> None:
        """Have the best epoch's parameters where so far there was what they are found by."""
        seen, best = self._noted
        if best is not None:
            self._noted = seen, Best(best.epoch, found(best.parameters), found(best.before))

    def is_over(self, history: History) -> bool:
        """Whether it is time to stop."""
        return self.ahead(history) <= 0

    def ahead(self, history: History) -> int:
        """How many epochs there are at least until it is."""
        best_epoch = 0 if self.best is None else self.best.epoch
        return best_epoch + self.rule.patience + 1 - history.epochs

    def _kept(self, learned: Callable[[int], Any]) -> tuple[Any, Any]:
        if not self.rule.restore_best:
            return None, None
        if self._measured_after:
            return learned(1), None
        return (learned(0), None) if self._one_step else (learned(1), learned(0))


class Plateau:
    """A learning rate that falls on plateaus, at work."""

    def __init__(
        self, rule: OnPlateau, validated: bool, position: PlateauPosition | None = None, seen: int = 0
    ) -> None:
        self.rule, self._noted = rule, (seen, position or PlateauPosition())
        self._monitor = rule.monitor or ("val_loss" if validated else "loss")

    def see(self, history: History) -> None:
        """Note the next epoch."""
        seen, position = self._noted
        value = float(history.column(self._monitor)[seen])
        self._noted = seen + 1, self.rule.after(position, direction(self._monitor) * value)

    @property
    def ahead(self) -> int:
        """How many epochs have the same rate at least."""
        return self.rule.patience - self.position.waited

    @property
    def seen(self) -> int:
        """How many epochs it has seen."""
        return self._noted[0]

    @property
    def position(self) -> PlateauPosition:
        """Where it stands after them."""
        return self._noted[1]

    @property
    def scale(self) -> float:
        """What the learning rate is multiplied by now."""
        return self.rule.bounded(self.position.scale)


class Watchers:
    """Both of them in one training, each where it is asked for."""

    def __init__(self, stopping: Watch | None, plateau: Plateau | None) -> None:
        self.stopping, self.plateau = stopping, plateau

    @classmethod
    def of(
        cls,
        rule: EarlyStopping | None,
        learning_rate: Any,
        validated: bool,
        steps_per_epoch: int,
        run: Run | None = None,
    ) -> Watchers:
        """What watches a training, as it stands where a run does."""
        falling = plateau_of(learning_rate)
        best, position, seen = (None, None, 0) if run is None else (run.best, run.plateau, run.epochs)
        stopping = None if rule is None else Watch(rule, validated, steps_per_epoch, best, seen)
        return cls(stopping, None if falling is None else Plateau(falling, validated, position, seen))

    def __bool__(self) -> bool:
        return self.stopping is not None or self.plateau is not None

    @property
    def best(self) -> Best | None:
        """The best epoch that early stopping has seen."""
        return None if self.stopping is None else self.stopping.best

    @property
    def needs_before(self) -> bool:
        """Whether the parameters from before an epoch are asked for."""
        return self.stopping is not None and self.stopping.needs_before

    @property
    def position(self) -> PlateauPosition | None:
        """Where the plateau's rule stands."""
        return None if self.plateau is None else self.plateau.position

    @property
    def scale(self) -> float | None:
        """What the learning rate is multiplied by now, if there is such a rule."""
        return None if self.plateau is None else self.plateau.scale

    def ahead(self, history: History) -> float:
        """How many epochs there are at least before one of them changes anything."""
        plateau = math.inf if self.plateau is None else self.plateau.ahead
        return min(plateau, math.inf if self.stopping is None else self.stopping.ahead(history))

    def see(self, history: History, learned: Callable[[int, int], Any]) -> None:
        """Show them the epochs that they have not seen; `learned` gives the parameters before (0) and after (1) an epoch."""
        while self.plateau is not None and self.plateau.seen < history.epochs:
            self.plateau.see(history)
        while self.stopping is not None and self.stopping.seen < history.epochs:
            self.stopping.see(history, partial(learned, self.stopping.seen))

    def find(self, found: Callable[[Any], Parameters | None]) -> None:
        """Have the best epoch's parameters where so far there was what they are found by."""
        if self.stopping is not None:
            self.stopping.find(found)

    def are_over(self, history: History) -> bool:
        """Whether early stopping ends the training."""
        return self.stopping is not None and self.stopping.is_over(history)


class Seen:
    """Where early stopping and a plateau stood after each epoch from `first` on, told by the history alone.

    The best epoch's parameters are told by the steps after which they are there; those that came with a run as they are.
    """

    def __init__(self, history: History, first: int, steps_per_epoch: int, watchers: Watchers) -> None:
        watch, plateau = watchers.stopping, watchers.plateau
        self._first, self._steps = first, steps_per_epoch
        self._rule = None if plateau is None else plateau.rule
        self.needs_before = watchers.needs_before
        self._bests, self._positions = [watchers.best], [watchers.position]
        for epoch in range(first, history.epochs):
            if watch is not None:
                watch.see(history, partial(self._steps_after, epoch))
                self._bests.append(watch.best)
            if plateau is not None:
                plateau.see(history)
                self._positions.append(plateau.position)

    def _steps_after(self, epoch: int, end: int) -> Any:
        return (epoch + end) * self._steps

    def best(self, epochs: int) -> Best | None:
        """The best epoch after so many."""
        return self._bests[min(epochs - self._first, len(self._bests) - 1)]

    def plateau(self, epochs: int) -> PlateauPosition | None:
        """Where the plateau's rule stood after so many."""
        return self._positions[min(epochs - self._first, len(self._positions) - 1)]

    def scales(self, done: int, count: int) -> Any:
        """What the learning rates of some epochs are multiplied by, step by step."""
        if self._rule is None:
            return 1.0
        scales = [self._rule.bounded((self.plateau(e) or PlateauPosition()).scale) for e in range(done, done + count)]
        return np.repeat(scales, self._steps)
