"""The eight trainings that are timed: their networks, their data, and the arithmetic one step of each needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

import chainrule as cr

Arrays = list[dict[str, Any]]
"""A `weight` and a `bias` for every layer."""


@dataclass(frozen=True)
class Workload:
    """A network of dense layers, the data it learns from, and how.

    `loss` is one of `squared_error`, `half_squared_error` (½Σ over the outputs of one-hot labels),
    `binary_cross_entropy` and `cross_entropy`. `goal` is how many times faster than the fastest peer a step is to be.
    `block` is how many epochs a peer that compiles its loop may carry out in one call.
    """

    name: str
    sizes: tuple[int, ...]
    hidden: str
    output: str
    rows: int
    batch: int
    optimizer: str
    rate: float
    loss: str
    goal: float
    block: int = 1

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch; all of these workloads have whole ones."""
        return self.rows // self.batch

    @property
    def whole(self) -> bool:
        """Whether a batch is all the data; then nothing is shuffled or gathered."""
        return self.batch == self.rows

    @property
    def flops(self) -> int:
        """Multiplications and additions in the matrix products of one step; the first layer's input needs no gradient."""
        weights = [inputs * outputs for inputs, outputs in zip(self.sizes, self.sizes[1:], strict=False)]
        return 2 * self.batch * (3 * sum(weights) - weights[0])

    @property
    def description(self) -> str:
        """Sizes, activations, batch, optimizer and loss in one line."""
        activations = self.hidden.replace("relu", "ReLU") + (", sigmoid output" if self.output == "sigmoid" else "")
        batch = f"all {self.rows:,}" if self.whole else f"{self.batch} of {self.rows:,}"
        optimizer = {"sgd": "SGD", "adam": "Adam"}[self.optimizer]
        loss = {"half_squared_error": "½Σ squared error"}.get(self.loss, self.loss.replace("_", " "))
        return f"{'-'.join(map(str, self.sizes))} {activations}; {batch}; {optimizer}; {loss}"

    @cached_property
    def data(self) -> tuple[Any, Any]:
        """Inputs as float32, and labels as integers or targets as float32, the same every time."""
        random = np.random.default_rng(len(self.name) + self.rows)
        if self.name == "xor":
            return np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([[0], [1], [1], [0]], np.float32)
        X = random.normal(size=(self.rows, self.sizes[0])).astype(np.float32)
        if self.sizes[0] == 784:  # like the pixels of handwritten digits: most are 0, the others up to 1
            X = np.where(random.random(X.shape) < 0.8, 0, np.abs(X) % 1).astype(np.float32)
        teacher = random.normal(size=(self.sizes[0], self.sizes[-1])) / np.sqrt(self.sizes[0])
        answers = np.tanh((X - X.mean()) @ teacher).astype(np.float32)
        if self.loss == "squared_error":
            return X, answers
        labels = answers[:, 0] > 0 if self.sizes[-1] == 1 else answers.argmax(axis=1)
        return X, labels.astype(np.int32)

    @cached_property
    def parameters(self) -> Arrays:
        """The first weights and biases, drawn by chainrule and given to every contender that takes them."""
        first = self.network().build(self.sizes[0]).parameters
        return [{name: np.array(value) for name, value in layer.items()} for layer in first.values()]

    def network(self) -> cr.Network:
        """The network with its first parameters."""
        outputs = self.sizes[1:]
        activations = [self.hidden] * (len(outputs) - 1) + [self.output]
        return cr.Network([cr.Dense(n, a) for n, a in zip(outputs, activations, strict=True)], seed=3)

    def with_rate(self, rate: float) -> Workload:
        """The same with another learning rate."""
        return replace(self, rate=rate)


WORKLOADS = {
    w.name: w
    for w in (
        Workload("xor", (2, 2, 1), "sigmoid", "sigmoid", 4, 4, "sgd", 5.0, "squared_error", 2.0, block=10_000),
        Workload(
            "play", (2, 16, 16, 1), "tanh", "identity", 500, 10, "sgd", 0.1, "binary_cross_entropy", 10.0, block=100
        ),
        Workload(
            "expm", (4, 32, 16, 4), "tanh", "identity", 10_000, 10_000, "adam", 1e-3, "squared_error", 4.0, block=10
        ),
        Workload("digits", (64, 32, 10), "relu", "identity", 1_792, 32, "adam", 1e-3, "cross_entropy", 4.0, block=20),
        Workload(
            "tab", (30, 128, 64, 1), "relu", "identity", 6_400, 64, "adam", 1e-3, "binary_cross_entropy", 3.0, block=5
        ),
        Workload("nielsen", (784, 30, 10), "sigmoid", "sigmoid", 10_000, 10, "sgd", 3.0, "half_squared_error", 4.0),
        Workload("mnist", (784, 512, 512, 10), "relu", "identity", 12_800, 128, "adam", 1e-3, "cross_entropy", 2.0),
        Workload("wide", (1024, 2048, 2048, 1024), "relu", "identity", 4_096, 512, "adam", 1e-3, "squared_error", 1.2),
    )
}
"""By name, from the smallest to the largest."""
