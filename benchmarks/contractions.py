"""Matrix products in every form, in machine code, beside NumPy's BLAS and PyTorch's, and beside what the cores can do.

    python -m benchmarks.contractions                              the shapes of large layers, float32 and float64, one thread
    python -m benchmarks.contractions --threads 2                  the same in two threads
    python -m benchmarks.contractions --random 30 --least 0.6      shapes drawn anew; fails where a product is slower than that

A core's speed changes with its neighbours' work, so everything is measured in turns, each time between two looks at how much
arithmetic the core does just then; what is told are the middles of those shares.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.peak import Peak
from chainrule.engines.llvm.runs.kernel import Kernel
from chainrule.tracing import trace

FORMS = {
    "x @ w": ("ij,jk->ik", lambda x, w: x @ w),
    "g @ w.T": ("ij,kj->ik", lambda g, w: g @ w.T),
    "x.T @ g": ("ji,jk->ik", lambda x, g: x.T @ g),
}
"""Subscripts with i rows, j terms and k columns, and the same as NumPy and PyTorch have it."""

LAYERS = ((128, 784, 512), (512, 1024, 2048), (512, 2048, 2048), (128, 128, 128))
"""Rows × inner × columns of the layers' forward products; the other forms are those of their gradients."""

Call = Callable[[], object]


def sizes(form: str, rows: int, inner: int, columns: int) -> dict[str, int]:
    """The letters' lengths of a form, of a layer with so many rows, inputs and outputs."""
    order = {"x @ w": (rows, inner, columns), "g @ w.T": (rows, columns, inner), "x.T @ g": (inner, rows, columns)}
    return dict(zip("ijk", order[form], strict=True))


def contenders(form: str, lengths: dict[str, int], dtype: str, threads: int) -> dict[str, Call]:
    """A call for each, once ours was seen to be right."""
    subscripts, product = FORMS[form]
    random = np.random.default_rng(0)
    left, right = subscripts.split("->")[0].split(",")
    a, b = (random.normal(size=[lengths[c] for c in term]).astype(dtype) for term in (left, right))
    workspace = Kernel(trace(lambda a, b: np.einsum(subscripts, a, b), a, b)).workspace()
    workspace.inputs[0][...], workspace.inputs[1][...] = a, b
    expected = product(a.astype(np.float64), b.astype(np.float64))
    scale = np.sqrt(lengths["j"]) * np.finfo(dtype).eps
    np.testing.assert_allclose(workspace.run()[0], expected, rtol=0, atol=4 * scale * max(1.0, np.abs(expected).max()))
    calls: dict[str, Call] = {"chainrule": workspace.run, "NumPy": lambda: product(a, b)}
    if find_spec("torch"):
        import torch

        torch.set_num_threads(threads)
        ta, tb = torch.from_numpy(a), torch.from_numpy(b)
        calls["PyTorch"] = lambda: product(ta, tb)
    return calls


def shares(calls: dict[str, Call], flops: float, peak: Peak, seconds: float, threads: int) -> dict[str, float]:
    """What each does of the arithmetic that the cores can do; the middle of that half for which the core was steadiest."""
    clock = time.thread_time if threads == 1 else time.perf_counter
    repeats = max(1, int(3e7 / flops))
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or min(map(len, found.values())) < 3:
        for name, call in calls.items():
            before = peak.gigaflops()
            started = clock()
            for _ in range(repeats):
                call()
            taken = clock() - started
            after = peak.gigaflops()
            found[name].append(
                (abs(before / after - 1), flops * repeats / taken / 1e9 / threads / ((before + after) / 2))
            )
    steadiest = {name: sorted(values)[: (len(values) + 1) // 2] for name, values in found.items()}
    return {name: statistics.median(share for _, share in values) for name, values in steadiest.items()}


def drawn(count: int, seed: int) -> Iterator[tuple[int, int, int]]:
    """Shapes with sides from 8 to 4,096, thin and skewed ones among them."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        rows, inner, columns = (int(2**x) for x in random.uniform(3, 12, 3))
        yield rows, inner, columns


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contractions", description=__doc__.split("\n")[0])
    parser.add_argument("--random", type=int, default=0, metavar="N", help="so many shapes drawn anew")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="which ones")
    parser.add_argument("--seconds", type=float, default=1.0, help="for every product")
    parser.add_argument(
        "--threads", type=int, default=1, help="of every contender; with several, nothing else must run"
    )
    parser.add_argument("--least", type=float, default=0.0, help="the smallest ratio to the faster of the others")
    arguments = parser.parse_args()
    threads = arguments.threads
    os.environ["OMP_NUM_THREADS"] = str(threads)
    threadpool_limits(threads)
    shapes = list(drawn(arguments.random, arguments.seed)) if arguments.random else LAYERS
    slow: list[str] = []
    for dtype in ("float32", "float64"):
        peak = Peak(dtype)
        for shape in shapes:
            for form in FORMS:
                lengths = sizes(form, *shape)
                flops = 2.0 * shape[0] * shape[1] * shape[2]
                calls = contenders(form, lengths, dtype, threads)
                result = shares(calls, flops, peak, arguments.seconds, threads)
                slow += told(f"{dtype} {'×'.join(map(str, shape))} {form}", result, arguments.least)
    if slow:
        sys.exit(f"slower than {arguments.least} × the faster of the others (seed {arguments.seed}): {'; '.join(slow)}")


def told(name: str, result: dict[str, float], least: float) -> list[str]:
    """One line of the table printed; the name, if it is slow."""
    ratio = result["chainrule"] / max(share for other, share in result.items() if other != "chainrule")
    print(f"{name:36}", *(f"{other} {share:.0%}" for other, share in result.items()), f"ratio {ratio:.2f}", flush=True)
    return [name] if ratio < least else []


if __name__ == "__main__":
    main()
