"""What may happen at the end of an epoch: early stopping, and functions of the user's."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from chainrule.errors import SettingError, UnknownNameError
from chainrule.nn.parameters import Parameters


@dataclass(frozen=True)
class EpochEnd:
    """What a callback is given after every epoch.

    Attributes
    ----------
    epoch : int
        Counted from 0.
    metrics : dict
        This epoch's metrics, as in the history.
    parameters : nested dict of arrays
        The parameters as they are now; copies, to keep or to look at.
    """

    epoch: int
    metrics: Mapping[str, float]
    parameters: Parameters

    @property
    def figures(self) -> Mapping[str, float]:
        """The metrics, by the name they had before."""
        return self.metrics


Callback = Callable[[EpochEnd], Any]
"""A function called after every epoch; `True` or a text (the reason) stops the training."""


class StopRule(Protocol):
    """When to stop, judged by the metrics of epochs alone, so that many of them can run in one call."""

    @property
    def ahead(self) -> float:
        """How many epochs may pass until it must be asked again; only the last of them can be one that ends training."""

    def __call__(self, epoch: int, metrics: Mapping[str, float]) -> str | None:
        """Note an epoch, called for each in order; a text, the reason, ends training."""


@dataclass(frozen=True)
class EarlyStopping:
    """Stop when `monitor` has not improved for `patience` epochs; the best epoch's weights are restored.

    Parameters
    ----------
    patience : int
        Epochs without improvement before training stops.
    monitor : str, optional
        A metric of the history; by default `val_loss` with validation data, `loss` without. Of accuracies more
        is better, of everything else less.
    min_delta : float
        An improvement counts from this size on.
    restore_best : bool
        Whether the network ends with the weights of its best epoch.
    """

    patience: int = 10
    monitor: str | None = None
    min_delta: float = 0.0
    restore_best: bool = True

    def __post_init__(self) -> None:
        SettingError.unless_count("EarlyStopping", "patience", self.patience)
        SettingError.unless_number("EarlyStopping", "min_delta", self.min_delta, at_least=0)


def as_early_stopping(given: EarlyStopping | int | bool | None) -> EarlyStopping | None:
    """Early stopping from its patience, `True`, itself, or nothing."""
    if given is None or given is False:
        return None
    if given is True:
        return EarlyStopping()
    return given if isinstance(given, EarlyStopping) else EarlyStopping(given)


class Watch:
    """Early stopping at work: the best value so far, and the parameters that gave it."""

    def __init__(self, rule: EarlyStopping, validated: bool) -> None:
        self.rule = rule
        self.monitor = rule.monitor or ("val_loss" if validated else "loss")
        self.sign: Literal[-1, 1] = -1 if "accuracy" in self.monitor else 1
        self.best, self.best_epoch, self.parameters = math.inf, 0, None

    def see(self, epoch: int, metrics: Mapping[str, float], parameters: Callable[[], Any]) -> bool:
        """Note an epoch; says whether it is time to stop."""
        if self.monitor not in metrics:
            raise UnknownNameError.among("metric to monitor", self.monitor, metrics)
        value = self.sign * metrics[self.monitor]
        if value < self.best - self.rule.min_delta:
            self.best, self.best_epoch, self.parameters = value, epoch, parameters()
        return epoch - self.best_epoch >= self.rule.patience
