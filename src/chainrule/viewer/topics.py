"""What has changed in a view since its parts were made, and what goes on by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from chainrule.errors import ChainruleError

NOTICE = "notice"


def told(error: Exception) -> str:
    """What is told of an error: of one that is not the library's, its type too."""
    return str(error) if isinstance(error, ChainruleError) else f"{type(error).__name__}: {error}"


class Topics:
    """The topics that were touched, and the move that is repeated while something plays.

    Attributes
    ----------
    interval : float or None
        Seconds between moves; `None` where nothing plays.
    notice : dict or None
        What was told last.
    post : callable
        Has a function called in the view's own thread, between commands, for threads that have something to show.
    """

    def __init__(self) -> None:
        self._touched: set[str] = set()
        self._lock = threading.Lock()
        self._move: Callable[[], None] | None = None
        self.interval: float | None = None
        self.notice: dict[str, Any] | None = None
        self._notices = 0
        self.post: Callable[[Callable[[], None]], None] = lambda action: action()

    def touch(self, *topics: str) -> None:
        """Say that these have changed."""
        with self._lock:
            self._touched.update(topics)

    def taken(self) -> set[str]:
        """What was touched since this was last asked."""
        with self._lock:
            touched, self._touched = self._touched, set()
            return touched

    def say(self, kind: str, text: str) -> None:
        """Something to be told: "error" or "note"."""
        self._notices += 1
        self.notice = {"kind": kind, "text": text, "id": self._notices}
        self.touch(NOTICE)

    def repeat(self, move: Callable[[], None] | None, interval: float | None = None) -> None:
        """Have a move made at intervals from now on; `None` ends that."""
        self._move, self.interval = move, interval if move is not None else None

    def play(self) -> None:
        """Make the move once."""
        if self._move is not None:
            self._move()
