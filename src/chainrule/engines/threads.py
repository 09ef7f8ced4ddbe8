"""Threads of Python, as many as the system has: containers and shells allow a process a number of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any


class Threads(ThreadPoolExecutor):
    """An executor of threads. Where there can be no more of them, whoever hands something over carries it out.

    Examples
    --------
    >>> with Threads(2) as threads:
    ...     list(threads.map(abs, [-1, 2, -3]))
    [1, 2, 3]
    """

    def submit(self, function: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        """Have it carried out."""
        found: Future[Any] = Future()
        left = [function]

        def carry_out() -> None:
            with suppress(IndexError):  # one that was carried out here is still in the line
                work = left.pop()
                if found.set_running_or_notify_cancel():
                    try:
                        found.set_result(work(*given, **named))
                    except BaseException as error:
                        found.set_exception(error)

        try:
            super().submit(carry_out)
        except RuntimeError:
            carry_out()
        return found


def possible(count: int) -> int:
    """How many of so many threads there can be besides those there are."""
    end = threading.Event()
    begun: list[threading.Thread] = []
    with suppress(RuntimeError):
        while len(begun) < count:
            thread = threading.Thread(target=end.wait, daemon=True)
            thread.start()
            begun.append(thread)
    end.set()
    for thread in begun:
        thread.join()
    return len(begun)
