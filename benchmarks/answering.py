"""Answers of a trained network: one row and many, by NumPy, by machine code, and prepared beforehand."""

from __future__ import annotations

import numpy as np

import chainrule as cr
from benchmarks.timing import microseconds

SIZES = [(2, 16, 16, 1), (64, 32, 10), (30, 128, 64, 1), (784, 30, 10), (784, 512, 512, 10)]
ROWS = [1, 16, 256, 4096]


def rows_of_metrics(sizes: tuple[int, ...]) -> list[str]:
    """Lines of the table for one network; the answers are compared before they are timed."""
    random = np.random.default_rng(0)
    network = cr.Network([*(cr.Dense(n, "relu") for n in sizes[1:-1]), cr.Dense(sizes[-1])])
    X = random.normal(size=(max(ROWS), sizes[0])).astype(np.float32)
    network.fit(X, random.integers(0, max(2, sizes[-1]), len(X)), epochs=1, progress=False)
    compiled = network.compiled()
    lines = []
    for rows in ROWS:
        x = X[:rows]
        contenders = {
            "numpy": lambda x=x: network.predict_proba(x, engine="numpy"),
            "llvm": lambda x=x: network.predict_proba(x, engine="llvm"),
            "compiled": lambda x=x: compiled.predict_proba(x),
        }
        for answer in contenders.values():
            np.testing.assert_allclose(answer(), contenders["numpy"](), rtol=1e-4, atol=1e-5)
        times = microseconds(contenders, calls=max(5, 2000 // rows), rounds=9)
        if rows == 1:
            workspace = compiled._answers.holding("predict_proba", compiled._parameters).workspace(1)
            workspace.inputs[-1][...] = x
            times["arithmetic"] = microseconds({"": workspace.run}, calls=2000, rounds=9)[""]
        figures = " | ".join(f"{times[name]:.1f}" if name in times else "" for name in (*contenders, "arithmetic"))
        lines.append(f"| {'-'.join(map(str, sizes))} | {rows} | {figures} |")
    return lines


def main() -> None:
    """Print the table."""
    print("| network | rows | NumPy µs | machine code µs | `net.compiled()` µs | its arithmetic µs |")
    print("|---|---|---|---|---|---|")
    for sizes in SIZES:
        print(*rows_of_metrics(sizes), sep="\n", flush=True)


if __name__ == "__main__":
    main()
