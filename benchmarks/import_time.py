"""How long `import chainrule` takes beyond NumPy's own import, in fresh processes."""

from __future__ import annotations

import statistics
import subprocess
import sys

CODE = (
    "import time; a = time.perf_counter(); import numpy; b = time.perf_counter(); {what}; c = time.perf_counter(); "
    "print(b - a, c - b)"
)


def main(rounds: int = 15) -> list[tuple[str, float]]:
    """Medians in milliseconds."""
    result = []
    for name, what in {
        "import chainrule": "import chainrule",
        "…and a Network": "import chainrule; chainrule.Network",
    }.items():
        times = []
        for _ in range(rounds):
            run = subprocess.run(
                [sys.executable, "-c", CODE.format(what=what)], capture_output=True, text=True, check=True
            )
            times.append([1000 * float(part) for part in run.stdout.split()])
        result.append((name, statistics.median(t[1] for t in times)))
        numpy = statistics.median(t[0] for t in times)
    return [("import numpy", numpy), *result]


if __name__ == "__main__":
    for name, time in main():
        print(f"{name:20} {time:8.1f} ms")
