"""Messages between a session and one front end: commands that are read with distrust, and what the front end has still to be told."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from chainrule.errors import shortened
from chainrule.viewer.session import Session

Message = dict[str, Any]

PAUSE = 1 / 30
"""Seconds between two messages to a front end, at least; what changes in between is told once."""


HALF = re.compile("[\ud800-\udfff]")
"""Half of a character of UTF-16, which JavaScript and JSON may have by itself, and UTF-8 not."""


class Outbox:
    """What one front end has still to be told: of every part the newest value, and the answers to its commands.

    However slow the front end is, no more than one value of each part waits here, and nobody waits for it.

    Parameters
    ----------
    wake : callable
        Called, from any thread, when there is something to tell.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._parts: dict[str, Any] = {}
        self._answers: list[Message] = []

    def tell(self, changes: Any) -> None:
        """Have parts told that have changed."""
        with self._lock:
            self._parts.update(changes)
        self._wake()

    def answer(self, answer: Message) -> None:
        """Have an answer told, after the parts that have changed until now."""
        with self._lock:
            self._answers.append(answer)
        self._wake()

    def taken(self) -> tuple[dict[str, Any], list[Message]]:
        """The parts and the answers that wait, which from now on do so no more."""
        with self._lock:
            parts, answers = self._parts, self._answers
            self._parts, self._answers = {}, []
            return parts, answers


def written(message: Message) -> str:
    """A message as JSON text that UTF-8 can write: halves of characters, which names may have, as their numbers."""
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return HALF.sub(lambda found: f"\\u{ord(found[0]):x}", text)


def read(text: str | bytes) -> Any:
    """What a text from outside says as JSON; the text itself where that is none."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def pass_on(command: Any, session: Session, outbox: Outbox) -> None:
    """Have a command from outside carried out in its turn, and answered; what is none is told so."""
    if isinstance(command, dict) and isinstance(command.get("do"), str) and _is_text(command):
        session.send(command, outbox.answer)
        return
    says = f'a command was given as {shortened(command)}; give an object such as {{"id": 1, "do": "hello"}}.'
    outbox.answer({"id": None, "error": says})


def _is_text(command: Message) -> bool:
    """Whether its texts are whole characters, which alone all hosts can send back."""
    try:
        return HALF.search(json.dumps(command, ensure_ascii=False)) is None
    except (TypeError, ValueError, RecursionError):
        return False
