"""The other libraries, each in the strongest form its own manual offers: JAX, PyTorch and scikit-learn."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.contenders import Contender, WrongResultError, check_against_numpy
from benchmarks.workloads import Workload
from chainrule.engines.cores import usable as usable_cores


class Jax:
    """Whole epochs in `lax.scan` under one `jit`, with optax; parameters are donated, batches gathered inside."""

    name = "JAX"

    def __init__(self, workload: Workload) -> None:
        import jax
        import jax.numpy as jnp
        import optax

        self.workload, self.unit = workload, workload.block
        X, y = workload.data
        self.data = jax.device_put(X), jax.device_put(y)
        optimizer = {"sgd": optax.sgd, "adam": optax.adam}[workload.optimizer](workload.rate)
        activation = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu, "identity": lambda x: x}
        names = [workload.hidden] * (len(workload.sizes) - 2) + [workload.output]

        def loss(parameters: Any, x: Any, t: Any) -> Any:
            for layer, name in zip(parameters, names, strict=True):
                x = activation[name](x @ layer["weight"] + layer["bias"])
            if workload.loss == "squared_error":
                return jnp.mean(jnp.square(x - t))
            if workload.loss == "half_squared_error":
                return 0.5 * jnp.mean(jnp.sum(jnp.square(x - jax.nn.one_hot(t, x.shape[-1])), axis=-1))
            if workload.loss == "binary_cross_entropy":
                return jnp.mean(optax.sigmoid_binary_cross_entropy(x[:, 0], t.astype(x.dtype)))
            return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(x, t))

        def epochs(state: Any, X: Any, y: Any, order: Any) -> Any:
            def step(state: Any, rows: Any) -> Any:
                parameters, slots = state
                if workload.whole:
                    x, t = X, y
                else:
                    x, t = (data.at[rows].get(mode="promise_in_bounds") for data in (X, y))
                value, gradient = jax.value_and_grad(loss)(parameters, x, t)
                updates, slots = optimizer.update(gradient, slots, parameters)
                return (optax.apply_updates(parameters, updates), slots), value

            return jax.lax.scan(step, state, order, length=workload.block * workload.steps_per_epoch)

        self._epochs = jax.jit(epochs, donate_argnums=0)
        self._first = lambda: jax.tree.map(jnp.array, (workload.parameters, optimizer.init(workload.parameters)))

    def _orders(self, random: Any) -> Any:
        """Row numbers of every batch of a block of epochs, drawn on the host."""
        w = self.workload
        if w.whole:
            return None
        orders = np.broadcast_to(np.arange(w.rows, dtype=np.int32), (w.block, w.rows))
        if random is not None:
            orders = random.permuted(orders, axis=1)
        return orders.reshape(-1, w.batch)

    def _train(self, epochs: int, random: Any) -> list[Any]:
        state, losses = self._first(), []
        for _ in range(epochs // self.unit):
            state, values = self._epochs(state, *self.data, self._orders(random))
            losses.append(values)
        return [np.asarray(values) for values in losses]

    def losses(self, epochs: int) -> Any:
        """The mean loss of every epoch, rows in their own order."""
        steps = np.concatenate(self._train(-(-epochs // self.unit) * self.unit, None))
        return steps.reshape(-1, self.workload.steps_per_epoch).mean(axis=1)[:epochs]

    def train(self, epochs: int) -> None:
        """Train with the rows in a new order every epoch."""
        self._train(epochs, np.random.default_rng(0))

    def check(self) -> None:
        """The NumPy engine finds the same losses."""
        check_against_numpy(self, self.workload)


class Torch:
    """PyTorch with fused optimizers: eager or compiled, on one thread or on as many as there are cores, whichever is fastest."""

    name = "PyTorch"
    unit = 1

    def __init__(self, workload: Workload) -> None:
        import torch

        self.torch, self.workload = torch, workload
        X, y = workload.data
        kind = torch.int64 if workload.loss in ("cross_entropy", "half_squared_error") else torch.float32
        self.X, self.y = torch.from_numpy(X), torch.from_numpy(y).to(kind)
        if workload.loss == "half_squared_error":
            self.y = torch.nn.functional.one_hot(self.y, workload.sizes[-1]).to(torch.float32)
        if workload.loss == "binary_cross_entropy":
            self.y = self.y[:, None]
        self._made: dict[bool, tuple[Any, Any]] = {}
        self._first = self._network().state_dict()
        settings = [(compiled, threads) for compiled in (False, True) for threads in sorted({1, usable_cores()})]
        self._compiled, self._threads = min(settings, key=lambda setting: self._seconds(*setting))
        self.setting = f"{'compiled' if self._compiled else 'eager'}, {self._threads} thread{'s'[: self._threads - 1]}"

    def _seconds(self, compiled: bool, threads: int) -> float:
        """How long an epoch takes with a setting; one that does not run here takes for ever."""
        self._compiled, self._threads = compiled, threads
        try:
            self.train(1)
        except RuntimeError:  # no C++ compiler, or a version of Python that PyTorch does not compile for
            return math.inf
        started = time.perf_counter()
        self.train(1)
        return time.perf_counter() - started

    def _begun(self) -> tuple[Any, Any]:
        """The network with its first parameters, and its loss; what was compiled once is used again."""
        if self._compiled not in self._made:
            network, loss = self._network(), self._loss()

            def error(x: Any, t: Any) -> Any:
                return loss(network(x), t)

            self._made[self._compiled] = network, self.torch.compile(error) if self._compiled else error
        network, error = self._made[self._compiled]
        network.load_state_dict(self._first)
        return network, error

    def _network(self) -> Any:
        torch, w = self.torch, self.workload
        modules: list[Any] = []
        for i, layer in enumerate(w.parameters):
            linear = torch.nn.Linear(*layer["weight"].shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(layer["weight"].T.copy()))
                linear.bias.copy_(torch.from_numpy(layer["bias"]))
            modules.append(linear)
            name = w.hidden if i < len(w.parameters) - 1 else w.output
            if name != "identity":
                modules.append({"sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[name]())
        return torch.nn.Sequential(*modules)

    def _loss(self) -> Callable[[Any, Any], Any]:
        functional, scale = self.torch.nn.functional, 0.5 / self.workload.batch
        return {
            "squared_error": functional.mse_loss,
            "half_squared_error": lambda x, t: functional.mse_loss(x, t, reduction="sum") * scale,
            "binary_cross_entropy": functional.binary_cross_entropy_with_logits,
            "cross_entropy": functional.cross_entropy,
        }[self.workload.loss]

    def _train(self, epochs: int, *, shuffle: bool) -> list[float]:
        torch, w = self.torch, self.workload
        torch.manual_seed(0)
        torch.set_num_threads(self._threads)
        network, error = self._begun()
        kind = torch.optim.SGD if w.optimizer == "sgd" else torch.optim.Adam
        optimizer = kind(network.parameters(), lr=w.rate, fused=True)
        means = []
        for _ in range(epochs):
            order = torch.randperm(w.rows) if shuffle else torch.arange(w.rows)
            total = torch.zeros(())
            for begin in range(0, w.rows, w.batch):
                rows = order[begin : begin + w.batch]
                x, t = (self.X, self.y) if w.whole else (self.X[rows], self.y[rows])
                optimizer.zero_grad(set_to_none=True)
                value = error(x, t)
                value.backward()
                optimizer.step()
                total += value.detach()
            means.append(float(total) / w.steps_per_epoch)
        return means

    def losses(self, epochs: int) -> Any:
        """The mean loss of every epoch, rows in their own order."""
        return np.array(self._train(epochs, shuffle=False))

    def train(self, epochs: int) -> None:
        """Train with the rows in a new order every epoch."""
        self._train(epochs, shuffle=not self.workload.whole)

    def check(self) -> None:
        """The NumPy engine finds the same losses."""
        check_against_numpy(self, self.workload)


class ScikitLearn:
    """`MLPClassifier` and `MLPRegressor`, which draw their own first weights.

    Where they don't offer a workload's output and loss (sigmoid outputs with squared error), their classifier with its
    logistic loss stands in, whose arithmetic is the same but for the loss.
    """

    name = "scikit-learn"
    unit = 1

    def __init__(self, workload: Workload) -> None:
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        w = self.workload = workload
        stands_in = w.output == "sigmoid"
        self._kind = MLPRegressor if w.loss == "squared_error" and not stands_in else MLPClassifier
        self._y = w.data[1][:, 0].astype(int) if w.name == "xor" else w.data[1]
        self._settings = {
            "hidden_layer_sizes": w.sizes[1:-1],
            "activation": {"sigmoid": "logistic"}.get(w.hidden, w.hidden),
            "solver": w.optimizer,
            "alpha": 0.0,
            "batch_size": w.batch,
            "learning_rate_init": 0.5 if stands_in else w.rate,
            "momentum": 0.0,
            "nesterovs_momentum": False,
            "tol": 0.0,
            "n_iter_no_change": 10**9,
            "random_state": 0,
        }

    def _train(self, epochs: int, *, shuffle: bool) -> Any:
        from sklearn.exceptions import ConvergenceWarning

        network = self._kind(max_iter=epochs, shuffle=shuffle, **self._settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return network.fit(self.workload.data[0], self._y).loss_curve_

    def losses(self, epochs: int) -> Any:
        """The mean loss of every epoch, rows in their own order."""
        return np.array(self._train(epochs, shuffle=False))

    def train(self, epochs: int) -> None:
        """Train with the rows in a new order every epoch."""
        self._train(epochs, shuffle=not self.workload.whole)

    def check(self) -> None:
        """It learns: the loss falls."""
        losses = self.losses(50 if self.workload.whole else 3)
        if not (np.isfinite(losses).all() and losses[-1] < losses[0]):
            raise WrongResultError(f"{self.name} on {self.workload.name} does not learn: its losses are {losses}.")


PEERS: dict[str, tuple[str, Callable[[Workload], Contender]]] = {
    "JAX": ("optax", Jax),
    "PyTorch": ("torch", Torch),
    "scikit-learn": ("sklearn", ScikitLearn),
}
"""By name, with the module that must be installed."""


def installed() -> dict[str, Callable[[Workload], Contender]]:
    """The peers that are installed here."""
    return {name: make for name, (module, make) in PEERS.items() if find_spec(module)}
