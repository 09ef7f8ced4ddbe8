"""How everything here is timed: medians over interleaved rounds, so that a noisy machine treats all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def microseconds(contenders: dict[str, Callable[[], object]], calls: int = 1000, rounds: int = 15) -> dict[str, float]:
    """The median time of one call of each contender."""
    for call in contenders.values():
        for _ in range(calls // 4 + 1):
            call()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            started = time.perf_counter()
            for _ in range(calls):
                call()
            times[name].append((time.perf_counter() - started) / calls * 1e6)
    return {name: statistics.median(values) for name, values in times.items()}
