"""Whether a step takes as long in every process, and how long beside a core that is busy with other things.

What else computed meanwhile is told besides, as far as the system knows: a host may slow its guests down and not say so.

Run by itself: `python -m benchmarks.spread --processes 30 [--workload mnist]`.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.contenders import Chainrule
from benchmarks.report import number, rows
from benchmarks.training import long_epochs, microseconds_per_step
from benchmarks.workloads import WORKLOADS

ROUNDS, AIM = 5, 0.3
"""Times a process measures a step, and seconds each lasts."""


LITTLE = 0.1
"""Of a core, what others may take beside a process that is said to have had the machine to itself."""


class Measured(NamedTuple):
    """A step in one process, in microseconds, and how much of a core others took meanwhile."""

    microseconds: float
    others: float


def step(name: str) -> Measured:
    """The middle of some measurements of a step in this process."""
    workload = WORKLOADS[name]
    contender = Chainrule(workload)
    contender.train(contender.unit)
    epochs = long_epochs(contender, AIM)
    before, begun = others(), time.perf_counter()
    middle = statistics.median(microseconds_per_step(contender, workload, epochs) for _ in range(ROUNDS))
    return Measured(middle, (others() - before) / (time.perf_counter() - begun))


def others() -> float:
    """Seconds of processor time that all but this process have had since the machine was started; NaN where no system tells."""
    try:
        user, nice, system, _, _, *rest = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    except OSError:
        return math.nan
    own = os.times()
    return sum(map(int, (user, nice, system, *rest))) / os.sysconf("SC_CLK_TCK") - own.user - own.system


def processes(name: str, count: int, threads: int | None = None) -> list[Measured]:
    """The same in so many new processes, one after the other, in so many threads; by default as many as suit."""
    own = {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-m", "benchmarks.spread", "--here", "--workload", name]
    texts = [
        subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | own).stdout
        for _ in range(count)
    ]
    return [Measured(*map(float, text.split())) for text in texts]


@contextmanager
def busy_core() -> Iterator[None]:
    """A process that does nothing as fast as it can."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def main(name: str = "mnist", count: int = 30) -> str:
    """The tables."""
    quiet = processes(name, count)
    few = max(3, count // 6)
    with busy_core():
        beside = [[*processes(name, 1), *processes(name, 1, 1)] for _ in range(few)]
    lines = [
        ("all cores quiet, as many threads as suit", *told(quiet)),
        (f"of these, others took less than {LITTLE} of a core", *told([x for x in quiet if x.others < LITTLE])),
        ("one core busy, as many threads as suit", *told([many for many, _ in beside])),
        ("one core busy, one thread", *told([one for _, one in beside])),
    ]
    header = ("", "processes", "middle µs", "least", "most", "nine in ten within", "others, of a core")
    return "\n".join([f"A step of {name}, each in a process of its own:", "", *rows(header, lines)])


def told(measured: Sequence[Measured]) -> tuple[str, ...]:
    """How they lie: the middle, the ends, how far nine in ten are from the middle at most, and what others took at the middle."""
    if not measured:
        return "0", *["–"] * 5
    times = [x.microseconds for x in measured]
    middle = statistics.median(times)
    off = sorted(abs(x / middle - 1) for x in times)
    within = off[max(0, -(-9 * len(off) // 10) - 1)]
    share = statistics.median(x.others for x in measured)
    return str(len(times)), number(middle), number(min(times)), number(max(times)), f"±{within:.0%}", f"{share:.2f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spread", description=__doc__.split("\n")[0])
    parser.add_argument("--processes", type=int, default=30, help="how many, one after the other")
    parser.add_argument("--workload", choices=WORKLOADS, default="mnist")
    parser.add_argument("--here", action="store_true", help="only measure a step in this process, and print it")
    arguments = parser.parse_args()
    if arguments.here:
        print(*step(arguments.workload))
    else:
        print(main(arguments.workload, arguments.processes))
