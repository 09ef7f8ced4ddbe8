"""How long a workload's machine code takes to make: the first fit of one epoch minus the next one like it."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.latency import CACHE
from benchmarks.workloads import WORKLOADS

CODE = """
import numpy as np
import chainrule as cr
from benchmarks.contenders import Chainrule
from benchmarks.training import seconds
from benchmarks.workloads import WORKLOADS
workload = WORKLOADS[{name!r}]
workload.data, workload.parameters
if {after_another}:
    cr.Network([cr.Dense(1)]).fit(np.ones((3, 2)), np.ones((3, 1)), epochs=1, progress=False)
train = Chainrule(workload).train
first = seconds(lambda: train(1))
print(first - min(seconds(lambda: train(1)) for _ in range(3)))
"""

KINDS = ("in a fresh process", "after another network", "from the cache")
"""With LLVM to be loaded first; with LLVM loaded; and in a fresh process, with the machine code on disk."""


def milliseconds(name: str, kind: str, cache: str) -> float:
    """One measurement in a process of its own."""
    code = CODE.format(name=name, after_another=kind == "after another network")
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, CACHE: cache},
    )
    return 1000 * float(run.stdout)


def main(names: Iterable[str] = (), rounds: int = 3) -> dict[str, dict[str, float]]:
    """Medians in milliseconds by workload and kind."""
    result: dict[str, dict[str, float]] = {}
    for name in names or WORKLOADS:
        with tempfile.TemporaryDirectory() as folder:
            caches = dict(zip(KINDS, ("off", "off", folder), strict=True))
            milliseconds(name, KINDS[2], folder)
            times = {kind: [milliseconds(name, kind, cache) for _ in range(rounds)] for kind, cache in caches.items()}
        result[name] = {kind: statistics.median(values) for kind, values in times.items()}
    return result


if __name__ == "__main__":
    for name, times in main(sys.argv[1:]).items():
        print(f"{name:8} " + ", ".join(f"{kind} {time:.0f} ms" for kind, time in times.items()))
