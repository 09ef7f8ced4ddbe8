"""The time of one training step of every workload: chainrule and its peers in one process, taking turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.contenders import Chainrule, Contender
from benchmarks.peers import installed
from benchmarks.workloads import WORKLOADS, Workload

MOST_EPOCHS = 3_000_000
"""A fit keeps every epoch's metrics; longer ones measure the memory."""


@dataclass
class Result:
    """One workload's microseconds for a step, by contender, one for every round; their first calls' seconds, and best settings."""

    workload: Workload
    microseconds: dict[str, list[float]] = field(default_factory=dict)
    first_call: dict[str, float] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        own = {"microseconds": self.microseconds, "first_call": self.first_call, "settings": self.settings}
        return {"workload": self.workload.name, **own}

    @classmethod
    def of(cls, figures: dict[str, Any]) -> Result:
        """The result with these figures."""
        own = {name: figures[name] for name in ("microseconds", "first_call", "settings")}
        return cls(WORKLOADS[figures["workload"]], **own)

    def median(self, name: str) -> float:
        """The middle of the rounds."""
        return statistics.median(self.microseconds[name])

    def best(self, name: str) -> float:
        """The fastest round."""
        return min(self.microseconds[name])

    def ratio(self, peer: str) -> float:
        """How many times longer a peer takes: the middle of the rounds' ratios."""
        pairs = zip(self.microseconds[peer], self.microseconds["chainrule"], strict=True)
        return statistics.median(theirs / ours for theirs, ours in pairs)

    @property
    def peers(self) -> list[str]:
        """Everyone but chainrule."""
        return [name for name in self.microseconds if name != "chainrule"]

    @property
    def fastest_peer(self) -> str:
        """The peer that takes the shortest."""
        return min(self.peers, key=self.ratio)

    @property
    def gigaflops(self) -> float:
        """Operations a nanosecond in chainrule's matrix products."""
        return self.workload.flops / self.median("chainrule") / 1e3


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def long_epochs(contender: Contender, aim: float) -> int:
    """How many epochs last about `aim` seconds longer than the shortest fit."""
    unit = contender.unit
    shortest = min(seconds(partial(contender.train, unit)) for _ in range(2))
    units, taken = 1, 0.0  # beyond the first
    while taken < aim / 4 and units < MOST_EPOCHS // unit:
        units = min(4 * units, MOST_EPOCHS // unit) if taken else units
        taken = max(seconds(partial(contender.train, (1 + units) * unit)) - shortest, 1e-6)
    return (1 + max(1, min(round(aim * units / taken), MOST_EPOCHS // unit))) * unit


def microseconds_per_step(contender: Contender, workload: Workload, epochs: int) -> float:
    """The difference between a long and the shortest fit, divided by the steps between them."""
    time.sleep(0.02)  # threads of the contender before go to sleep
    for _ in range(5):
        shortest = seconds(partial(contender.train, contender.unit))
        longest = seconds(partial(contender.train, epochs))
        if longest > shortest:
            return (longest - shortest) / ((epochs - contender.unit) * workload.steps_per_epoch) * 1e6
    raise RuntimeError(
        f"{contender.name} on {workload.name}: the machine is too busy to tell a long fit from a short one."
    )


def measure(workload: Workload, rounds: int, aim: float, peers: Iterable[str] | None = None) -> Result:
    """Check every contender, then time them in turns."""
    makers = {"chainrule": Chainrule, **installed()}
    result = Result(workload)
    contenders = {
        name: make(workload) for name, make in makers.items() if peers is None or name in {"chainrule", *peers}
    }
    for name, contender in contenders.items():
        result.first_call[name] = seconds(partial(contender.train, contender.unit))
        contender.check()
        if hasattr(contender, "setting"):
            result.settings[name] = contender.setting
    lengths = {name: long_epochs(contender, aim) for name, contender in contenders.items()}
    result.microseconds = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            result.microseconds[name].append(microseconds_per_step(contender, workload, lengths[name]))
    return result


def main(names: Iterable[str] = (), *, quick: bool = False, peers: Iterable[str] | None = None) -> list[Result]:
    """All workloads or some; `quick` for a rough answer."""
    results = []
    for name in names or WORKLOADS:
        results.append(measure(WORKLOADS[name], 3 if quick else 7, 0.15 if quick else 0.6, peers))
        print(line(results[-1]), flush=True)
    return results


def line(result: Result) -> str:
    """A result in one line."""
    parts = [
        f"{name} {result.median(name):.4g} ({result.best(name):.4g})"
        + ("" if name == "chainrule" else f" {result.ratio(name):.2f}×")
        for name in result.microseconds
    ]
    return f"{result.workload.name:8} µs a step, median (best): " + "; ".join(parts)
