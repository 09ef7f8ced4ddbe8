"""What has changed in a view since its parts were made, and what goes on by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Topics:
    """The topics that were touched, and the move that is repeated while something plays.

    Attributes
    ----------
    interval : float or None
        Seconds between moves; `None` where nothing plays.
    busy : bool
        Whether another thread touches topics, as a training under way does.
    """

    def __init__(self) -> None:
        self._touched: set[str] = set()
        self._lock = threading.Lock()
        self._move: Callable[[], None] | None = None
        self.interval: float | None = None
        self.busy = False

    def touch(self, *topics: str) -> None:
        """Say that these have changed."""
        with self._lock:
            self._touched.update(topics)

    def taken(self) -> set[str]:
        """What was touched since this was last asked."""
        with self._lock:
            touched, self._touched = self._touched, set()
            return touched

    def repeat(self, move: Callable[[], None] | None, interval: float | None = None) -> None:
        """Have a move made at intervals from now on; `None` ends that."""
        self._move, self.interval = move, interval if move is not None else None

    def play(self) -> None:
        """Make the move once."""
        if self._move is not None:
            self._move()
