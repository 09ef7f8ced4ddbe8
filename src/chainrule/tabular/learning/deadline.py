"""When a training ends: at a time, or when somebody says so."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from chainrule.training.between_epochs.signals import ENDING, heard


class Asked(threading.Event):
    """Somebody's wish that it end, and the number of the signal that said so."""

    by: int = signal.SIGINT


class Deadline:
    """A time to end at, and an event that asks for the end.

    Examples
    --------
    >>> deadline = Deadline(3600)
    >>> deadline.is_over
    False
    >>> deadline.asked.set()
    >>> deadline.is_over
    True
    """

    def __init__(self, seconds: float | None, asked: Asked | None = None) -> None:
        self.began, self.seconds = time.monotonic(), seconds
        self.asked = asked or Asked()

    @property
    def is_over(self) -> bool:
        """Whether it is time."""
        return self.asked.is_set() or self.share >= 1.0

    @property
    def share(self) -> float:
        """The share of the time that is gone; 0 where there is no end."""
        return 0.0 if self.seconds is None else (time.monotonic() - self.began) / self.seconds


@contextmanager
def asked_by_signals() -> Iterator[Asked]:
    """While it lasts, a signal that would raise KeyboardInterrupt sets an event instead, so that nothing learned is lost.

    It would be raised between any two instructions, also where a network is done and not yet kept. Only the main thread hears
    signals; in others nothing changes, nor where a host has handlers of its own.
    """
    asked = Asked()

    def hear(number: int) -> None:
        asked.by = number
        asked.set()

    with heard(hear, (signal.SIGINT, *ENDING)):
        yield asked
