"""What may happen at the end of an epoch: early stopping, and functions of the user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from chainrule.errors import NotBuiltError, SettingError, shortened
from chainrule.nn.parameters import Parameters
from chainrule.training.history import DIVERGED, FINISHED, INTERRUPTED
from chainrule.training.run import Run, copied


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
        The parameters as they are now; copies, to keep or to look at. The network has them already, so that it may
        be asked, evaluated and saved.
    optimizer_state : nested dict of arrays
        What the optimizer keeps for every parameter, by layer, parameter and its own names; copies.
    run : Run
        All that the training is at the end of this epoch, for `fit(..., continue_from=run)`.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X, runs = np.linspace(-1, 1, 50)[:, None], []
    >>> network = cr.Network([cr.Dense(1)])
    >>> keep_the_third = lambda end: runs.append(end.run) if end.epoch == 2 else None
    >>> history = network.fit(X, 2 * X, epochs=5, callbacks=[keep_the_third], progress=False)
    >>> again = cr.Network([cr.Dense(1)]).fit(X, 2 * X, epochs=5, continue_from=runs[0], progress=False)
    >>> again["loss"] == history["loss"]
    True
    """

    epoch: int
    metrics: Mapping[str, float]
    parameters: Parameters
    moment: Run | None = field(default=None, repr=False, compare=False)

    @cached_property
    def run(self) -> Run:
        """All that the training is at the end of this epoch, made when it is asked for."""
        return self._moment.copy()

    @cached_property
    def optimizer_state(self) -> Any:
        """What the optimizer keeps for every parameter."""
        return copied(self._moment.optimizer_state)

    @property
    def _moment(self) -> Run:
        if self.moment is None:
            raise NotBuiltError("this EpochEnd was made by hand, so it has no run; those that fit gives have one.")
        return self.moment

    @property
    def figures(self) -> Mapping[str, float]:
        """The metrics, by the name they had before."""
        return self.metrics


Callback = Callable[[EpochEnd], Any]
"""A function called after every epoch; `True` or a text (the reason) stops the training."""


def unless_callbacks(given: Any) -> None:
    """Refuse what is no list of functions of one `EpochEnd`."""
    if not isinstance(given, list | tuple):
        raise SettingError(f"callbacks was given as {shortened(given)}; give a list of functions of one EpochEnd.")
    for callback in given:
        if isinstance(callback, type):
            raise SettingError(
                f"the class {callback.__name__} is among the callbacks; give one made of it: {callback.__name__}(…)."
            )
        if isinstance(callback, EarlyStopping):
            raise SettingError(
                f"{shortened(callback)} is among the callbacks; give it as early_stopping=…, a setting of its own."
            )
        if not callable(callback):
            raise SettingError(
                f"{shortened(callback)} among the callbacks cannot be called; give functions of one EpochEnd."
            )


def reason_of(answer: Any) -> str | None:
    """Why a training ends whose callback answers so, `None` where it goes on; how it ends without one is not for it to say."""
    if isinstance(answer, str) and answer not in ("", FINISHED, INTERRUPTED, DIVERGED):
        return str(answer)
    return "stopped by a callback" if isinstance(answer, str | bool | np.bool_) and answer else None


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

    Metrics of validation data are measured at the end of an epoch, so the weights restored are exactly those that had
    the best value. Those of training data are measured while the weights change. With one step an epoch
    (`batch_size=None`) the metric is that of the weights before the step, and these are restored: they are exactly
    those that had it. With several steps it is a mean over all weights of the epoch; restored are those from its end,
    or those from its beginning if the epoch after it was worse than the one before it (of the first epoch: than itself).

    Parameters
    ----------
    patience : int
        Epochs without improvement before training stops.
    monitor : str, optional
        A metric of the history; by default `val_loss` with validation data, `loss` without. Whether more is better is known of
        all metrics but functions.
    min_delta : float
        An improvement counts from this size on.
    restore_best : bool
        Whether the network ends with the weights of its best epoch.
    greater_is_better : bool, optional
        Whether more of the metric is better, where it is a function of yours.
    """

    patience: int = 10
    monitor: str | None = None
    min_delta: float = 0.0
    restore_best: bool = True
    greater_is_better: bool | None = None

    def __post_init__(self) -> None:
        SettingError.unless_count("EarlyStopping", "patience", self.patience)
        SettingError.unless_number("EarlyStopping", "min_delta", self.min_delta, at_least=0)
        if self.greater_is_better is not None:
            SettingError.unless_one_of("EarlyStopping", "greater_is_better", self.greater_is_better, (True, False))

    @property
    def settled(self) -> list[Any]:
        """What of it decides about the numbers of a training."""
        own: list[Any] = [self.monitor, self.min_delta, self.restore_best]
        return own if self.greater_is_better is None else [*own, self.greater_is_better]


def as_early_stopping(given: EarlyStopping | int | bool | None) -> EarlyStopping | None:
    """Early stopping from its patience, `True`, itself, or nothing."""
    if given is None or given is False:
        return None
    if given is True:
        return EarlyStopping()
    return given if isinstance(given, EarlyStopping) else EarlyStopping(given)
