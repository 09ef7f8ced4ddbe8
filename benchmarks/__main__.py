"""`make bench`: everything is measured, and written to `results.md` and `results.svg`.

    python -m benchmarks [xor digits …] [--quick] [--peers JAX …]

With names of workloads, or `--quick`, or `--peers`, only training steps are measured, and printed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import compile_time, eager_gradient, import_time, latency, peak, report, training
from benchmarks.chart import draw
from benchmarks.peers import PEERS
from benchmarks.workloads import WORKLOADS

HERE = Path(__file__).parent


def everything() -> str:
    """All measurements, as a document; the chart is drawn beside it."""
    gigaflops = peak.gigaflops()
    results = training.main()
    draw(results, HERE / "results.svg")
    starts = latency.main()
    compiled = compile_time.main()
    eager = eager_gradient.main()
    reference = "PyTorch, eager" if any(name.startswith("PyTorch") for name, _ in eager) else "NumPy by hand"
    lines = [
        "# Results",
        "",
        *report.machine(),
        "",
        "![Time of a training step relative to chainrule's, for every workload and peer](results.svg)",
        "",
        *report.shortfalls(results, dict(starts), compiled),
        *report.steps(results, gigaflops),
        *report.relative("From the start of a process to a trained XOR", "ms", starts, "Python and NumPy alone"),
        *report.compiling(compiled, results),
        *report.relative("Gradient of Σ tanh(xW + b)², 8×8, float64", "µs", eager, reference),
        *report.relative("Import", "ms", import_time.main(), "import numpy"),
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("workloads", nargs="*", metavar="workload", help=f"of {', '.join(WORKLOADS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="few and short rounds, for a rough answer")
    parser.add_argument("--peers", nargs="*", choices=sorted(PEERS), help="only beside these; none for chainrule alone")
    arguments = parser.parse_args()
    unknown = set(arguments.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: no such workload; there are {', '.join(WORKLOADS)}")
    if arguments.workloads or arguments.quick or arguments.peers is not None:
        training.main(arguments.workloads, quick=arguments.quick, peers=arguments.peers)
        return
    document = everything()
    (HERE / "results.md").write_text(document)
    print(document)


if __name__ == "__main__":
    main()
