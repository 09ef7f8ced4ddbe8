"""What is remembered from one network to the next: the things used last, whoever asks in the middle of whose question."""

from __future__ import annotations

import threading
from typing import Any

from chainrule.training.cache import KEPT, Cache
from waiting import LONG


def test_the_things_used_last_are_kept() -> None:
    cache, made = Cache(), list[int]()

    def thing(key: int) -> int:
        return cache.find(key, lambda: made.append(key) or -key)  # type: ignore[func-returns-value]

    for key in range(1, KEPT + 1):
        assert thing(key) == -key
    thing(1)
    thing(KEPT + 1)  # too much: 2 was used least lately
    made.clear()
    for key in (1, *range(3, KEPT + 2)):
        assert thing(key) == -key
    assert not made
    thing(2)
    assert made == [2]
    cache.find(None, lambda: made.append(0))
    cache.find(None, lambda: made.append(0))
    assert made == [2, 0, 0]


class Asking:
    """A key that asks as well whenever it is looked at, as a signal's handler may between any two of Python's steps."""

    def __init__(self, cache: Cache) -> None:
        self.cache, self.others = cache, 0

    def ask(self) -> None:
        self.others += 1
        if self.others % 2:  # or it would ask for ever
            assert self.cache.find(self.others, lambda: self.others) == self.others

    def __hash__(self) -> int:
        self.ask()
        return 1

    def __eq__(self, other: Any) -> bool:
        self.ask()
        return isinstance(other, Asking)


def test_a_question_in_the_middle_of_another() -> None:
    cache, found = Cache(), list[str]()

    def ask() -> None:
        for _ in range(3 * KEPT):
            found.append(cache.find(Asking(cache), lambda: "thing"))

    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    asker.join(LONG)
    assert found == ["thing"] * (3 * KEPT)
