"""Derivatives by the settings of a training: time and memory beside JAX with `optax.inject_hyperparams`, one process for each.

`python -m benchmarks.hypergradients` takes some minutes, `--quick` leaves out the long training. JAX has the whole training in
`lax.scan` under one `jit`: forward mode by `jacfwd`, reverse mode by `grad` with all states kept, and with the scan in √n pieces
under `jax.checkpoint`. All are float32, in one thread, with the rows in order, and must agree. Times are the processor's: the first
call compiles; of three later ones the middle counts. Memory is what the process has grown by at its largest since the data were
there, compiling included.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

WORKLOADS = {
    "digits": {"sizes": (64, 32, 10), "batch": 32, "rows": 1792, "epochs": 18},
    "wide": {"sizes": (100, 256, 256, 10), "batch": 128, "rows": 2560, "epochs": 10},
    "long": {"sizes": (64, 64, 10), "batch": 32, "rows": 1024, "epochs": 128},
}
"""Of 1,008, 200 and 4,096 steps of SGD with momentum."""

SETTINGS = {"few": "learning rate and momentum", "many": "a weight for every row"}
CONTENDERS = {
    "few": ("chainrule forward", "JAX forward", "chainrule reverse", "JAX reverse"),
    "many": ("chainrule reverse", "JAX reverse", "JAX checkpoints"),
}
RATE, MOMENTUM = 0.02, 0.8
TOLERANCE = 2e-3


def data_of(workload: dict[str, Any]) -> tuple[Any, ...]:
    """Rows and targets, to learn from and to validate on, and first parameters."""
    random, sizes = np.random.default_rng(0), workload["sizes"]
    X, V = (random.normal(size=(n, sizes[0])).astype(np.float32) for n in (workload["rows"], 500))
    parameters = [
        {"weight": (random.normal(size=(a, b)) / math.sqrt(a)).astype(np.float32), "bias": np.zeros(b, np.float32)}
        for a, b in itertools.pairwise(sizes)
    ]
    return X, np.sin(X[:, : sizes[-1]]), V, np.sin(V[:, : sizes[-1]]), parameters


def chainrule(workload: dict[str, Any], settings: str, mode: str) -> Callable[[], tuple[float, Any]]:
    """`hypergradient`, called anew every time."""
    import chainrule as cr

    X, y, V, t, parameters = data_of(workload)
    layers = [cr.Dense(n, "tanh") for n in workload["sizes"][1:-1]] + [cr.Dense(workload["sizes"][-1])]
    network = cr.Network(layers).build(X.shape[1])
    network.parameters = {f"dense_{i}": own for i, own in enumerate(parameters)}
    by = ["learning_rate", "momentum"] if settings == "few" else ["sample_weight"]

    def call() -> tuple[float, Any]:
        found = cr.hypergradient(
            network, (X, y), (V, t), optimizer=cr.SGD(RATE, momentum=MOMENTUM), loss="squared_error", by=by, mode=mode,
            epochs=workload["epochs"], batch_size=workload["batch"], shuffle=False,
        )  # fmt: skip
        return found.value, np.hstack([found[name] for name in by])

    return call


def jax(workload: dict[str, Any], settings: str, mode: str) -> Callable[[], tuple[float, Any]]:
    """The whole training as one compiled function of its settings, and its derivative."""
    import jax
    import jax.numpy as jnp
    import optax

    X, y, V, t, parameters = map(jax.device_put, data_of(workload))
    steps, batch = workload["epochs"] * workload["rows"] // workload["batch"], workload["batch"]
    numbers = jnp.arange(steps) % (workload["rows"] // batch)
    optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=RATE, momentum=MOMENTUM)

    def outputs(parameters: Any, x: Any) -> Any:
        for layer in parameters[:-1]:
            x = jnp.tanh(x @ layer["weight"] + layer["bias"])
        return x @ parameters[-1]["weight"] + parameters[-1]["bias"]

    def trained(given: Any) -> Any:
        weights = None if settings == "few" else given / jnp.mean(given)
        state = optimizer.init(parameters)
        if settings == "few":
            state = state._replace(hyperparams={**state.hyperparams, "learning_rate": given[0], "momentum": given[1]})

        def step(carried: Any, number: Any) -> Any:
            own, state = carried

            def rows(x: Any) -> Any:
                return jax.lax.dynamic_slice_in_dim(x, number * batch, batch)

            def loss(own: Any) -> Any:
                each = jnp.mean(jnp.square(outputs(own, rows(X)) - rows(y)), axis=-1)
                return jnp.mean(each if weights is None else rows(weights) * each)

            updates, state = optimizer.update(jax.grad(loss)(own), state, own)
            return (optax.apply_updates(own, updates), state), None

        def stretch(carried: Any, numbers: Any) -> Any:
            return jax.lax.scan(step, carried, numbers)

        if mode == "checkpoints":
            length = next(n for n in range(math.isqrt(steps), 0, -1) if steps % n == 0)
            pieces = numbers.reshape(-1, length)
            (own, _), _ = jax.lax.scan(jax.checkpoint(stretch), (parameters, state), pieces)
        else:
            (own, _), _ = stretch((parameters, state), numbers)
        value = jnp.mean(jnp.square(outputs(own, V) - t))
        return value, value

    derivative = (jax.jacfwd if mode == "forward" else jax.grad)(trained, has_aux=True)
    compiled = jax.jit(derivative)
    at = jnp.array([RATE, MOMENTUM]) if settings == "few" else jnp.ones(workload["rows"])

    def call() -> tuple[float, Any]:
        slopes, value = compiled(at)
        return float(value), np.asarray(slopes)

    return call


def one(library: str, mode: str, name: str, settings: str) -> None:
    """A contender in this process: its times and memory as JSON."""
    workload = WORKLOADS[name]
    call = {"chainrule": chainrule, "JAX": jax}[library](workload, settings, mode)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    for _ in range(4):
        started = time.process_time()
        value, slopes = call()
        times.append(time.process_time() - started)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    steps = workload["epochs"] * workload["rows"] // workload["batch"]
    later = statistics.median(times[1:]) / steps * 1e6
    print(
        json.dumps(
            {"first": times[0], "step": later, "memory": grown / 1024, "value": value, "slopes": slopes.tolist()}
        )
    )


def run(contender: str, name: str, settings: str) -> dict[str, Any]:
    """A contender in a process of its own."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"), "1")
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    command = [sys.executable, "-m", "benchmarks.hypergradients", "--one", *contender.split(), name, settings]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **threads, "XLA_FLAGS": flags})
    if done.returncode:
        raise RuntimeError(f"{contender} failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def agree(found: dict[str, dict[str, Any]]) -> None:
    """Refuse derivatives that differ by more than float32 does."""
    (first, ours), *others = found.items()
    for name, theirs in others:
        a, b = np.array(ours["slopes"]), np.array(theirs["slopes"])
        if not np.abs(a - b).max() <= TOLERANCE * np.abs(a).max():
            raise AssertionError(f"{first} and {name} differ: {a[:3]}, {b[:3]}")


def main(quick: bool) -> None:
    """Measure and print a table."""
    print("| training | by | contender | µs a step | first call, s | memory, MB |")
    print("|---|---|---|---|---|---|")
    for name in [name for name in WORKLOADS if not quick or name != "long"]:
        for settings, described in SETTINGS.items():
            found = {contender: run(contender, name, settings) for contender in CONTENDERS[settings]}
            agree(found)
            for contender, row in found.items():
                print(
                    f"| {name} | {described} | {contender} | {row['step']:.1f} | {row['first']:.1f} | {row['memory']:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
    else:
        main("--quick" in sys.argv)
