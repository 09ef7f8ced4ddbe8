"""`make bench`: the quick benchmarks, written as a table to `benchmarks/results.md`."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np

import chainrule as cr
from benchmarks import eager_gradient, import_time


def table(title: str, unit: str, rows: list[tuple[str, float]], reference: str) -> list[str]:
    """A Markdown table with the ratio to one of its rows."""
    base = dict(rows).get(reference)
    lines = [f"## {title}", "", f"| | {unit} | relative to {reference} |", "|---|---|---|"]
    lines += [f"| {name} | {time:.1f} | {'' if base is None else f'{time / base:.2f}'} |" for name, time in rows]
    return [*lines, ""]


def main() -> None:
    eager = eager_gradient.main()
    reference = "PyTorch, eager" if any(name.startswith("PyTorch") for name, _ in eager) else "NumPy by hand"
    lines = [
        "# Results",
        "",
        "Written by `make bench`; medians over interleaved rounds in one run.",
        f"Machine: {platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, chainrule {cr.__version__}.",
        "",
        *table("Gradient of Σ tanh(xW + b)², 8×8, float64", "µs", eager, reference),
        *table("Import", "ms", import_time.main(), "import numpy"),
    ]
    Path(__file__).with_name("results.md").write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
