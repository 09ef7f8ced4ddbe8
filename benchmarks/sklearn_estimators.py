"""scikit-learn's multilayer perceptrons and ours: the same parameters and data, each fit in a process of its own.

`python -m benchmarks.sklearn_estimators` takes some minutes, `--quick` leaves the search out. The first fit in a process
counts, once without machine code on disk and once with; a second one shows what later fits cost. Scores must agree.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec

LIBRARIES = {"scikit-learn": "sklearn.neural_network", "chainrule": "chainrule.sklearn"}

TASKS = {
    "digits": "MLPClassifier(random_state=0), load_digits(return_X_y=True)",
    "breast cancer": "MLPClassifier(random_state=0), load_breast_cancer(return_X_y=True)",
    "regression": "MLPRegressor(random_state=0), make_regression(10_000, 50, noise=1.0, random_state=0)",
    "search": """GridSearchCV(
        MLPClassifier(random_state=0),
        {
            "hidden_layer_sizes": [(50,), (100,)],
            "activation": ["relu", "tanh"],
            "alpha": [1e-4, 1e-2, 1.0],
            "learning_rate_init": [1e-3, 1e-2],
        },
        cv=3,
    ), load_digits(return_X_y=True)""",
}
"""An estimator and data: 24 settings, in three folds, for the search."""

GOALS = {"digits": 10, "breast cancer": 10, "regression": 3, "search": 10}
"""How many times as fast as scikit-learn a first fit is to be."""

FIT = """
import json, time, warnings
from sklearn.datasets import load_breast_cancer, load_digits, make_regression
from sklearn.model_selection import GridSearchCV
from {module} import MLPClassifier, MLPRegressor
warnings.simplefilter("ignore")
times = []
for _ in range({fits}):
    estimator, (X, y) = {task}
    started = time.perf_counter()
    estimator.fit(X, y)
    times.append(time.perf_counter() - started)
row, rounds = X[:1], []
for _ in range(20):
    started = time.perf_counter()
    for _ in range(50):
        estimator.predict(row)
    rounds.append((time.perf_counter() - started) / 50)
print(json.dumps([times[0], times[-1], min(rounds), estimator.score(X, y)]))
"""


def run(task: str, library: str, threads: str, cache: str) -> list[float]:
    """Seconds of the first fit and of a second, of a row's prediction, and the score."""
    fits = 1 if task == "search" else 2
    code = FIT.format(module=LIBRARIES[library], fits=fits, task=TASKS[task])
    environment = {**os.environ, "CHAINRULE_CACHE": cache}
    if threads != "default":
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    found: list[float] = json.loads(done.stdout)
    return found


def measure(task: str, threads: str, rounds: int) -> dict[str, list[float]]:
    """Medians over interleaved rounds, by contender."""
    seen: dict[str, list[list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        if task != "search":
            run(task, "chainrule", threads, folder)
        for _ in range(rounds):
            seen.setdefault("scikit-learn", []).append(run(task, "scikit-learn", threads, "off"))
            seen.setdefault("no cache", []).append(run(task, "chainrule", threads, "off"))
            if task != "search":
                seen.setdefault("warm cache", []).append(run(task, "chainrule", threads, folder))
    medians = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in seen.items()}
    theirs, ours = medians["scikit-learn"][3], medians["no cache"][3]
    if not abs(theirs - ours) < 0.02:
        raise AssertionError(f"{task}: scikit-learn scores {theirs:.4f} and chainrule {ours:.4f}.")
    return medians


def main(tasks: list[str], rounds: int) -> None:
    """Print a table for one thread, and for as many as each library takes by itself."""
    if find_spec("sklearn") is None:
        raise SystemExit("scikit-learn is not installed here.")
    for threads in ("1", "default"):
        print(f"\nthreads: {threads}")
        print(f"{'':15}{'scikit-learn':>14}{'no cache':>18}{'warm cache':>18}{'second fit':>18}{'goal':>6}   a row, µs")
        for task in tasks:
            found = measure(task, threads, 1 if task == "search" else rounds)
            theirs, cold = found["scikit-learn"], found["no cache"]
            warm = found.get("warm cache", cold)
            shown = [f"{x:9.3f} s {theirs[0] / x:5.1f}×" for x in (cold[0], warm[0], warm[1])]
            if task == "search":
                shown[1:] = ["", ""]
            rows = f"{1e6 * theirs[2]:.0f} and {1e6 * warm[2]:.0f}"
            print(
                f"{task:15}{theirs[0]:12.3f} s{''.join(f'{x:>18}' for x in shown)}{GOALS[task]:>5}×   {rows}",
                flush=True,
            )


if __name__ == "__main__":
    chosen = [task for task in TASKS if "--quick" not in sys.argv or task != "search"]
    main(chosen, rounds=3)
