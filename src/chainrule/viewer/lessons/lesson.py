"""What a lesson consists of: a network with its data, and steps of text, of things done in the view, and of "
"questions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.network.network import Network
from chainrule.training import Optimizer

FEWEST = 2
"""Significant digits that an answer has to have, unless the number has fewer."""


@dataclass(frozen=True)
class Question:
    """A number to be told before it is seen: that of a key, or of its gradient."""

    text: str
    key: str


@dataclass(frozen=True)
class Step:
    """A page of a lesson: its text, with `**bold**` and `code`, and the commands that show what it is about."""

    title: str
    text: str
    do: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    question: Question | None = None


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes
    ----------
    title : str
        What it is called.
    network : callable
        Makes the network, its inputs and its targets.
    steps : tuple of Step
        Its pages, in order.
    loss, optimizer, epochs, batch_size
        How it is trained, which is done before the lesson begins.
    symbols : mapping
        Other names in formulas.
    """

    title: str
    network: Callable[[], tuple[Network, Any, Any]]
    steps: tuple[Step, ...]
    loss: str
    optimizer: Optimizer
    epochs: int
    batch_size: int | None = None
    symbols: Mapping[str, str] = field(default_factory=dict)


_NUMBER = re.compile(r"[-−+]?(\d+\.?\d*|\.\d+)(e[-−+]?\d+)?", re.IGNORECASE)


def judge(text: str, number: float) -> tuple[bool, str]:
    """Whether a number as typed is the number, as far as it was typed; and what is said of it.

    >>> judge("0.138", 0.13848)
    (True, 'Right: 0.13848.')
    >>> judge("0.139", 0.13848)[0]
    False
    """
    typed = text.strip().replace(",", ".")
    if not _NUMBER.fullmatch(typed):
        return False, "Type a number, such as 0.25 or −1.3e−4."
    typed = typed.replace("−", "-").lower()
    mantissa, _, exponent = typed.partition("e")
    last = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    digits = len(re.sub(r"^[-+0.]+", "", mantissa).replace(".", ""))
    shown = f"{number:.6g}".replace("-", "−")
    if abs(float(typed) - number) > 0.5 * last * (1 + 1e-9):
        if abs(float(typed) + number) <= 0.5 * last * (1 + 1e-9) and number:
            return False, "The size is right, the sign is not."
        return False, "Not yet."
    if digits < FEWEST and float(typed) != number:
        return False, "Right as far as it goes. Give at least two digits."
    return True, f"Right: {shown}."
