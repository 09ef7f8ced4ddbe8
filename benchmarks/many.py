"""Many small networks at once: `fit_many` beside JAX with `vmap` and scikit-learn one by one, and a search over settings.

    python -m benchmarks.many [--networks 1000] [--rounds 3]

Every network is 2-16-16-1 and has rows in an order of its own; all take the same batches, epochs and optimizer, and JAX the very
first weights and orders, so that what is timed is checked first: the losses of every epoch agree. JAX carries out whole epochs in
`lax.scan`, vectorized over the networks by `vmap`, in one call. Turns are interleaved; medians are told, of the time that passed and
of processor time, which says how much of the difference is threads. The search is on digits: 24 settings in 5 folds.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

import chainrule as cr
from benchmarks.contenders import WrongResultError

ROWS, BATCH, EPOCHS, RATE = 500, 32, 50, 0.001
LOOKED_AT = 4
"""Networks whose losses are compared, and which scikit-learn is timed with; its time for more is as many times as long."""


def data() -> tuple[Any, Any]:
    """Rows with two features, and a smooth target."""
    X = np.random.default_rng(0).normal(size=(ROWS, 2)).astype(np.float32)
    return X, (np.sin(3 * X[:, 0]) * X[:, 1]).astype(np.float32)


def network() -> cr.Network:
    """The one that all are like."""
    return cr.Network([cr.Dense(16, "relu"), cr.Dense(16, "relu"), cr.Dense(1)])


def fitted(count: int) -> Any:
    """So many networks, trained by `fit_many`."""
    X, y = data()
    return cr.fit_many(
        network(), X, y, seeds=range(count), optimizer=cr.Adam(RATE), batch_size=BATCH, epochs=EPOCHS, progress=False
    )


class Jax:
    """Whole trainings in `lax.scan` under `jit`, `vmap` over the networks; orders are drawn on the host, as elsewhere here."""

    def __init__(self) -> None:
        import jax
        import jax.numpy as jnp
        import optax

        X, y = map(jnp.asarray, data())
        optimizer = optax.adam(RATE)

        def loss(parameters: Any, x: Any, t: Any) -> Any:
            for weight, bias in parameters[:-1]:
                x = jax.nn.relu(x @ weight + bias)
            weight, bias = parameters[-1]
            return jnp.mean(jnp.square((x @ weight + bias)[:, 0] - t))

        def step(state: Any, rows: Any) -> Any:
            parameters, slots = state
            value, gradient = jax.value_and_grad(loss)(parameters, X[rows], y[rows])
            updates, slots = optimizer.update(gradient, slots, parameters)
            return (optax.apply_updates(parameters, updates), slots), value

        whole = ROWS // BATCH * BATCH

        def epoch(state: Any, order: Any) -> Any:
            state, values = jax.lax.scan(step, state, order[:whole].reshape(-1, BATCH))
            if whole == ROWS:
                return state, jnp.mean(values)
            state, last = step(state, order[whole:])
            return state, (BATCH * jnp.sum(values) + (ROWS - whole) * last) / ROWS

        def train(parameters: Any, orders: Any) -> Any:
            (parameters, _), losses = jax.lax.scan(epoch, (parameters, optimizer.init(parameters)), orders)
            return parameters, losses

        self._train = jax.jit(jax.vmap(train))
        self._first: dict[int, Any] = {}
        self._stacked = lambda many: jax.tree.map(lambda *leaves: jnp.stack(leaves), *many)

    def losses(self, count: int) -> Any:
        """The losses of all epochs of all networks."""
        if count not in self._first:
            built = [cr.Network(list(network().function.layers), seed=s).build(2).parameters for s in range(count)]
            self._first[count] = self._stacked([[(x["weight"], x["bias"]) for x in own.values()] for own in built])
        rows = np.broadcast_to(np.arange(ROWS), (EPOCHS, ROWS))
        orders = np.stack([np.random.default_rng([s, 0]).permuted(rows, axis=1) for s in range(count)])
        return np.asarray(self._train(self._first[count], orders.astype(np.int32))[1])


def one_by_one(count: int) -> None:
    """So many networks of scikit-learn's."""
    from sklearn.neural_network import MLPRegressor

    X, y = data()
    for seed in range(count):
        MLPRegressor(
            hidden_layer_sizes=(16, 16), alpha=0.0, batch_size=BATCH, learning_rate_init=RATE, max_iter=EPOCHS, tol=0.0,
            n_iter_no_change=EPOCHS + 1, random_state=seed,
        ).fit(X, y)  # fmt: skip


def loaded(library: str) -> tuple[Any, Any]:
    """A library's search and its classifier."""
    if library == "scikit-learn":
        from sklearn.model_selection import GridSearchCV
        from sklearn.neural_network import MLPClassifier
    else:
        from chainrule.sklearn import GridSearchCV, MLPClassifier
    return GridSearchCV, MLPClassifier


def search(library: str, dtype: str) -> Any:
    """24 settings in 5 folds."""
    from sklearn.datasets import load_digits

    GridSearchCV, MLPClassifier = loaded(library)
    X, y = load_digits(return_X_y=True)
    settings = {"alpha": [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0], "learning_rate_init": [3e-4, 1e-3, 3e-3, 1e-2]}
    return GridSearchCV(MLPClassifier(random_state=0, max_iter=100), settings, cv=5).fit((X / 16).astype(dtype), y)


def check(jax: Jax) -> None:
    """The same losses in every epoch, to rounding.

    Raises
    ------
    WrongResultError
        When they are not.
    """
    ours, theirs = [one.history["loss"] for one in fitted(LOOKED_AT)], jax.losses(LOOKED_AT)
    if not np.allclose(ours, theirs, rtol=1e-3):
        worst = np.abs(np.array(ours) / theirs - 1).max()
        raise WrongResultError(f"JAX's losses differ from those of fit_many by {worst:.2e}.")


def timed(turns: dict[str, Callable[[], Any]], rounds: int) -> dict[str, tuple[float, float]]:
    """Medians of seconds and of seconds of processor time, of interleaved turns."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            begun = time.perf_counter(), time.process_time()
            turn()
            seen[name].append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    return {name: tuple(map(statistics.median, zip(*rows, strict=True))) for name, rows in seen.items()}  # type: ignore[misc]


def main(count: int = 1000, rounds: int = 3) -> str:
    """Both tables."""
    from sklearn.datasets import load_digits

    warnings.simplefilter("ignore")
    turns: dict[str, Callable[[], Any]] = {"fit_many": lambda: fitted(count)}
    if find_spec("jax") and find_spec("optax"):
        jax = Jax()
        check(jax)
        turns["JAX, vmap"] = lambda: jax.losses(count)
    for turn in turns.values():
        turn()
    turns["scikit-learn"] = lambda: one_by_one(LOOKED_AT)
    found = timed(turns, rounds)
    found["scikit-learn"] = tuple(x * count / LOOKED_AT for x in found["scikit-learn"])  # type: ignore[assignment]
    lines = [f"{count} networks 2-16-16-1, {ROWS} rows, batches of {BATCH}, {EPOCHS} epochs, Adam", ""]
    lines += _table(found, "fit_many")
    scores: dict[str, float] = {}

    def searching(library: str, dtype: str) -> Callable[[], None]:
        return lambda: scores.update({f"{library}, {dtype}": search(library, dtype).best_score_})

    kinds = [
        ("chainrule", "float64"),
        ("chainrule", "float32"),
        ("scikit-learn", "float64"),
        ("scikit-learn", "float32"),
    ]
    for library, _ in kinds:  # importing takes 1 s, of either: it is no part of a search
        _ = load_digits(), loaded(library)
    found = timed({f"{library}, {dtype}": searching(library, dtype) for library, dtype in kinds}, max(1, rounds // 3))
    if max(scores.values()) - min(scores.values()) > 0.01:
        raise WrongResultError(f"the searches found other scores: {scores}.")
    return "\n".join(
        [*lines, "", "24 settings in 5 folds on digits, 100 epochs", "", *_table(found, next(iter(found)))]
    )


def _table(found: dict[str, tuple[float, float]], ours: str) -> list[str]:
    rows = [f"| {'':30} | seconds | times ours | processor seconds | times ours |", f"|{'-' * 32}|---:|---:|---:|---:|"]
    for name, (passed, worked) in found.items():
        rows.append(
            f"| {name:30} | {passed:.2f} | {passed / found[ours][0]:.1f} | {worked:.2f} | {worked / found[ours][1]:.1f} |"
        )
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(main(asked.networks, asked.rounds))
