"""Checkpoints: some moments of a training are written down by another thread, while it goes on."""

from __future__ import annotations

import re
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chainrule.engines.workers import Aside
from chainrule.errors import ChainruleError, SettingError, shortened
from chainrule.training.between_epochs.states import Unkept, state_of
from chainrule.training.run import Run

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
"""Seconds of a unit of time, as typed."""

Write = Callable[[Run, list[Any]], None]
"""Keeps a run, with the state of every callback; raises OSError where the system refuses."""

USUAL = "30s"
"""How often, where nobody says."""


def seconds_of(text: str) -> float | None:
    """A time in seconds, as typed; `None` for what is none.

    Examples
    --------
    >>> seconds_of("10s"), seconds_of("1.5m"), seconds_of("90"), seconds_of("soon")
    (10.0, 90.0, 90.0, None)
    """
    found = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([smh]?)\s*", text.lower())
    return float(found[1]) * UNITS[found[2]] if found is not None and float(found[1]) else None


def as_typed(every: Any) -> Any:
    """A `timedelta` as it is typed, and anything else as it is.

    Examples
    --------
    >>> as_typed(timedelta(minutes=5)), as_typed("5m"), as_typed(3)
    ('300.000000s', '5m', 3)
    """
    return f"{every.total_seconds():f}s" if isinstance(every, timedelta) else every


@dataclass(frozen=True)
class Every:
    """How often a checkpoint is due: after so many epochs, or so many seconds."""

    epochs: int | None = None
    seconds: float | None = None

    @classmethod
    def of(cls, given: Any) -> Every:
        """From a number of epochs, or a time as typed, such as `"30s"`."""
        if isinstance(given, str):
            seconds = seconds_of(given)
            if seconds is None:
                raise SettingError(f"every was given as {shortened(given)}; give a time such as '30s' or '5m'.")
            return cls(seconds=seconds)
        SettingError.unless_count("fit", "every", given)
        return cls(epochs=int(given))

    def is_due(self, epochs: int, seconds: float) -> bool:
        """Whether one is, so many epochs and seconds after the last."""
        return epochs >= self.epochs if self.epochs is not None else seconds >= (self.seconds or 0.0)


class Checkpoints:
    """Told of moments of a training, it has those written that are due, one at a time.

    Nothing of a run is ever written to again, so that a moment is taken by its arrays and none of them is copied. Where the
    one before is still being written, a moment that is due is let go, and the next is taken; so a slow disk holds nobody up.
    Where the system refuses, it is told once, and tried again with the next. A callback's state that no file can hold is refused
    when it begins; later the moment is kept without it, which is told once.

    Parameters
    ----------
    write : callable
        Keeps a run and the states of the callbacks.
    every : Every
        How often.
    callbacks : sequence of callables
        Those with `state_dict()` are asked for it: numbers, texts, arrays, and dicts, lists and tuples of them.
    """

    def __init__(self, write: Write, every: Every, callbacks: Sequence[Any] = ()) -> None:
        self._write, self._every, self._callbacks = write, every, callbacks
        self._one_at_a_time = threading.Lock()  # held by workers alone, which no signal reaches
        self._writing: Aside | None = None
        self._fails = False
        self._held: tuple[Run, list[Any]] | None = None
        self._epochs, self._seconds = 0, time.monotonic()
        self._told = 0
        self._without: set[str] = set()

    def begin(self, run: Run) -> None:
        """Write where it begins, before anything else is done; raises what keeps it from being written."""
        self._epochs, self._seconds, self._told = run.epochs, time.monotonic(), run.epochs
        states = self._states()
        for state in states:
            if isinstance(state, Unkept):
                raise SettingError(state.reason)
        self._write(run, states)

    def note(self, epochs: int, now: Callable[[], Run] | None) -> None:
        """Have a moment written if it is time: after so many epochs, with the callbacks told of all of them.

        `None` where the training ends here: that moment is for `end` to write, with what the end changes.
        """
        self._told, self._held = epochs, None
        seconds = time.monotonic()
        if now is None or not self._every.is_due(epochs - self._epochs, seconds - self._seconds) or not self._is_free():
            return
        self._epochs, self._seconds = epochs, seconds
        states = self._states()
        self._tell_what_is_missing(states)
        self._writing = Aside(self._written, now(), states)

    def hold(self, now: Callable[[], Run]) -> None:
        """Take a moment before the callbacks are told of its epoch: what is kept if that never ends."""
        if self._callbacks:
            self._held = now(), self._states()

    def end(self, run: Run) -> None:
        """Write where it has ended, and wait for that.

        If it ended while the callbacks were told of an epoch, that is the moment before; where there was no time to take one,
        the last that was written is gone on from.
        """
        last, self._held = self._held or (run, self._states()), None
        if self._writing is not None:
            self._writing.wait()
        if self._callbacks and last[0].epochs > self._told:
            return
        self._tell_what_is_missing(last[1])
        error, self._writing = Aside(self._written, *last).result(), None
        self._fails = False  # what the last moment has come to is told in any case
        self._tell(error, "The earlier ones are kept, and the network has all that was learned: save it elsewhere.")

    def _states(self) -> list[Any]:
        """The state of every callback as it is now, `None` of those that have none."""
        return [state_of(callback) for callback in self._callbacks]

    def _is_free(self) -> bool:
        """Whether nothing is being written; what came of the last is told."""
        if self._writing is not None and self._writing.is_done:
            error, self._writing = self._writing.result(), None
            self._tell(error, "Training goes on, the earlier ones are kept, and it is tried again.")
        return self._writing is None

    def _written(self, run: Run, states: list[Any]) -> Exception | None:
        """What went wrong with the file, if anything did."""
        with self._one_at_a_time:
            try:
                self._write(run, states)
            except (OSError, MemoryError, ChainruleError) as error:
                return error
        return None

    def _tell(self, error: Exception | None, more: str) -> None:
        told, self._fails = self._fails, error is not None
        if error is not None and not told:
            warnings.warn(f"a checkpoint could not be written: {error}. {more}", RuntimeWarning, stacklevel=2)

    def _tell_what_is_missing(self, states: Sequence[Any]) -> None:
        for reason in {state.reason for state in states if isinstance(state, Unkept)} - self._without:
            self._without.add(reason)
            warnings.warn(
                f"{reason} Training goes on and is kept without this state, so a training that is resumed may end otherwise.",
                RuntimeWarning,
                stacklevel=2,
            )
