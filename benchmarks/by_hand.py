"""`fit(engine="jax")` beside the same training written by hand in JAX: processor time of whole trainings, in turns, on one core.

`python -m benchmarks.by_hand`
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.training.steps import blocks

WORKLOADS = {
    "64-32-10, 32 rows": ((64, 32, 10), 32, 1792, (50, 400)),
    "784-512-10, 128 rows": ((784, 512, 10), 128, 2560, (4, 24)),
    "784-512-512-10, 512 rows": ((784, 512, 512, 10), 512, 8192, (2, 8)),
}
"""Widths, rows in a batch, rows, epochs of a short training and of a longer one."""

TURNS, RATE = 9, 1e-3


def by_hand(widths: tuple[int, ...], batch: int, X: Any, y: Any, epochs: int) -> Callable[[], Any]:
    """The training in JAX: every epoch a scan over its batches, all epochs in one call."""
    import jax
    import jax.numpy as jnp

    def loss(parameters: Any, x: Any, labels: Any) -> Any:
        for weight, bias in parameters[:-1]:
            x = jax.nn.relu(x @ weight + bias)
        outputs = x @ parameters[-1][0] + parameters[-1][1]
        chosen = jnp.take_along_axis(outputs, labels[:, None], axis=1)[:, 0]
        return jnp.mean(jax.nn.logsumexp(outputs, axis=1) - chosen)

    def step(carried: Any, rows: Any) -> Any:
        parameters, means, squares, count = carried
        value, gradients = jax.value_and_grad(loss)(parameters, features[rows], labels[rows])
        count = count + 1
        means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means, gradients)
        squares = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, squares, gradients)
        parameters = jax.tree.map(
            lambda p, m, v: p - RATE * (m / (1 - 0.9**count)) / (jnp.sqrt(v / (1 - 0.999**count)) + 1e-8),
            parameters,
            means,
            squares,
        )
        return (parameters, means, squares, count), value

    features, labels = jnp.asarray(X), jnp.asarray(y.astype(np.int32))
    epochs_of = jax.jit(lambda carried, order: jax.lax.scan(step, carried, order))
    random = np.random.default_rng(0)
    start = [
        (jnp.asarray(random.normal(0.0, 0.05, (a, b)).astype(np.float32)), jnp.zeros(b, np.float32))
        for a, b in pairwise(widths)
    ]
    nothing = jax.tree.map(jnp.zeros_like, start)

    def train() -> Any:
        order = np.concatenate([random.permutation(len(X)) for _ in range(epochs)]).astype(np.int32)
        return np.asarray(epochs_of((start, nothing, nothing, jnp.float32(0)), order.reshape(-1, batch))[1])

    return train


def by_fit(widths: tuple[int, ...], batch: int, X: Any, y: Any, epochs: int) -> Callable[[], Any]:
    """The training as users write it."""

    def train() -> Any:
        layers = [*(cr.Dense(width, "relu") for width in widths[1:-1]), cr.Dense(widths[-1])]
        settings: dict[str, Any] = {"optimizer": cr.Adam(RATE), "engine": "jax", "progress": False}
        return cr.Network(layers, seed=0).fit(X, y, batch_size=batch, epochs=epochs, **settings)["loss"]

    return train


def main() -> None:
    """Print three lines for each workload: a short training, a longer one, and what a step more takes of either."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    # Calls as long as on a core of its own: others on this one would make them shorter.
    vars(blocks)["time"] = SimpleNamespace(perf_counter=time.process_time)
    random = np.random.default_rng(0)
    for name, (widths, batch, rows, lengths) in WORKLOADS.items():
        X, y = random.normal(size=(rows, widths[0])).astype(np.float32), random.integers(0, widths[-1], rows)
        ways = [way(widths, batch, X, y, epochs) for epochs in lengths for way in (by_fit, by_hand)]
        taken: list[list[float]] = [[] for _ in ways]
        for turn in range(TURNS + 1):
            for train, seconds in zip(ways, taken, strict=True):
                began = time.process_time()
                train()
                if turn:  # the first one compiles
                    seconds.append(time.process_time() - began)
        best, usual = (np.array([of(seconds) for seconds in taken]).reshape(2, 2) for of in (min, median))
        steps = [epochs * rows // batch for epochs in lengths]
        for count, (ours, theirs), (own, others) in zip(steps, best, usual, strict=True):
            ratios = f"{ours / theirs:.3f}, of medians {own / others:.3f}"
            print(f"{name}, {count:,} steps: {ours * 1e3:.1f} ms by fit, {theirs * 1e3:.1f} by hand; {ratios}")
        ours, theirs = (best[1] - best[0]) / (steps[1] - steps[0]) * 1e6
        print(f"{name}, a step: {ours:.1f} µs by fit, {theirs:.1f} by hand; {ours / theirs:.3f}")


if __name__ == "__main__":
    main()
