"""`make bench`: everything is measured, and written to `results/`, a document, a chart and the figures of this CPU.

    python -m benchmarks [xor digits …] [--quick] [--cores 1] [--peers JAX …]

With names of workloads, or `--quick`, or `--peers`, only training steps are measured, and printed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import (
    compile_time,
    eager_gradient,
    import_time,
    latency,
    many,
    overview,
    peak,
    report,
    spread,
    training,
)
from benchmarks.chart import draw
from benchmarks.peers import PEERS
from benchmarks.training import Result
from benchmarks.workloads import WORKLOADS

RESULTS = Path(__file__).parent / "results"


@contextmanager
def on_cores(count: int | None) -> Iterator[None]:
    """Processes begun here have so many cores; those that are there without a number, or where the system cannot say."""
    if count is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def steps(cores: int | None, names: Sequence[str] = (), *, quick: bool = False) -> list[Result]:
    """Training steps measured in a process of its own: libraries look once, when they are loaded, how many cores there are."""
    with tempfile.TemporaryDirectory() as folder, on_cores(cores):
        file = Path(folder) / "results.json"
        command = [sys.executable, "-m", "benchmarks", *(names or WORKLOADS), "--json", str(file)]
        subprocess.run([*command, *(["--quick"] if quick else [])], check=True)
        return [Result.of(entry) for entry in json.loads(file.read_text())]


def everything(*, quick: bool) -> str:
    """All measurements, as a document; the chart and the figures are written beside it, and the overview anew."""
    name = report.cpu()
    one, results = steps(1, quick=quick), steps(None, quick=quick)
    gigaflops = peak.gigaflops()
    draw(results, RESULTS / f"{name}.svg")
    overview.write(RESULTS, name, one, results)
    starts = latency.main()
    compiled = compile_time.main()
    eager = eager_gradient.main()
    reference = "PyTorch, eager" if any(name.startswith("PyTorch") for name, _ in eager) else "NumPy by hand"
    lines = [
        f"# Results on {name}",
        "",
        *report.machine(),
        "",
        f"![Time of a training step relative to chainrule's, for every workload and peer]({name}.svg)",
        "",
        *report.shortfalls(results, dict(starts), compiled),
        *report.steps("A step of training, on all cores", results, gigaflops),
        *report.steps("On one core", one, gigaflops),
        *report.relative("From the start of a process to a trained XOR", "ms", starts, "Python and NumPy alone"),
        *report.compiling(compiled, results),
        *report.relative("Gradient of Σ tanh(xW + b)², 8×8, float64", "µs", eager, reference),
        "",
        "## Many networks at once",
        "",
        many.main(100 if quick else 1000, 1 if quick else 3),
        "",
        "## The same in every process",
        "",
        spread.main("mnist", 6 if quick else 30),
        *report.relative("Import", "ms", import_time.main(), "import numpy"),
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("workloads", nargs="*", metavar="workload", help=f"of {', '.join(WORKLOADS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="few and short rounds, for a rough answer")
    parser.add_argument("--all", action="store_true", help="with --quick: everything, roughly, and written")
    parser.add_argument("--cores", type=int, help="only so many")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of training steps there")
    parser.add_argument("--peers", nargs="*", choices=sorted(PEERS), help="only beside these; none for chainrule alone")
    arguments = parser.parse_args()
    unknown = set(arguments.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: no such workload; there are {', '.join(WORKLOADS)}")
    if arguments.cores is not None:
        command = [sys.executable, "-m", "benchmarks", *(arguments.workloads or WORKLOADS)]
        command += ["--quick"] * arguments.quick
        command += [] if arguments.peers is None else ["--peers", *arguments.peers]
        with on_cores(arguments.cores):
            subprocess.run(command, check=True)
        return
    if not arguments.all and (arguments.workloads or arguments.quick or arguments.peers is not None):
        results = training.main(arguments.workloads, quick=arguments.quick, peers=arguments.peers)
        if arguments.json:
            arguments.json.write_text(json.dumps([result.figures for result in results]))
        return
    document = everything(quick=arguments.quick)
    (RESULTS / f"{report.cpu()}.md").write_text(document)
    print(document)


if __name__ == "__main__":
    main()
