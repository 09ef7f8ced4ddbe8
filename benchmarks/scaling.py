"""A training in 1, 2 and 4 processes of one machine, joined over its loopback: strong and weak scaling, in turns.

Run by itself: `python -m benchmarks.scaling`. Every process has one core, as far as there are; with fewer cores than processes
there is nothing to be gained, and what is measured is what the meetings cost.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SIZES, BATCH, STEPS, EPOCHS, TURNS = (784, 512, 512, 10), 512, 16, 8, 3
PARAMETERS = sum((a + 1) * b for a, b in itertools.pairwise(SIZES))

WORK = f"""
import json, os, sys, time
import jax
import numpy as np
import chainrule as cr

batch, where = int(sys.argv[1]), sys.argv[2]
random = np.random.default_rng(0)
X = random.normal(size=(batch * {STEPS}, {SIZES[0]})).astype(np.float32)
y = random.integers(0, {SIZES[-1]}, len(X))
network = cr.Network([*(cr.Dense(n, "relu") for n in {SIZES[1:-1]}), cr.Dense({SIZES[-1]})])
times, used = [], []

def note(end):
    times.append(time.perf_counter())
    used.append(time.process_time())

history = network.fit(
    X, y, epochs={EPOCHS}, batch_size=batch, engine=cr.JaxEngine(devices="all"), callbacks=[note], progress=False
)
found = {{
    "seconds": sorted(np.diff(times) / {STEPS})[{EPOCHS} // 2 - 1],
    "processor": sorted(np.diff(used) / {STEPS})[{EPOCHS} // 2 - 1],
    "loss": history["loss"][-1],
}}
with open(f"{{where}}/{{jax.process_index()}}", "w") as file:
    json.dump(found, file)
"""


def measured(processes: int, batch: int) -> dict[str, float]:
    """One training: seconds a step as the first process sees them, processor seconds a step of all, the last loss."""
    cores = sorted(os.sched_getaffinity(0))[:processes]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "work.py"
        script.write_text(WORK)
        started = [sys.executable, "-m", "chainrule", "launch", "--processes", str(processes)]
        subprocess.run(
            [*started, str(script), str(batch), folder],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        every = [json.loads((Path(folder) / str(number)).read_text()) for number in range(processes)]
    return {**every[0], "processor": sum(one["processor"] for one in every)}


def main() -> None:
    """Measure in turns and print medians."""
    kinds = {"strong": lambda n: BATCH, "weak": lambda n: BATCH // 4 * n}
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(TURNS):
        for kind, batch in kinds.items():
            for processes in (1, 2, 4):
                found.setdefault((kind, processes), []).append(measured(processes, batch(processes)))
    sizes, load = "-".join(map(str, SIZES)), os.getloadavg()[0]
    print(f"{sizes}, {PARAMETERS:,} parameters, Adam, float32; medians of {TURNS} turns, load {load:.1f}")
    print("| scaling | processes | batch | ms a step | processor ms a step | last loss |\n|---|---|---|---|---|---|")
    for (kind, processes), turns in found.items():
        seconds, processor = (1e3 * statistics.median(one[name] for one in turns) for name in ("seconds", "processor"))
        print(
            f"| {kind} | {processes} | {kinds[kind](processes)} | {seconds:.1f} | {processor:.1f} | {turns[0]['loss']:.7f} |"
        )


if __name__ == "__main__":
    main()
