"""Who takes part: something that trains a workload, and the check its result must pass before it is timed."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

import chainrule as cr
from benchmarks.workloads import Workload


class WrongResultError(AssertionError):
    """A contender's losses are not those of the same training carried out by the NumPy engine."""


class Contender(Protocol):
    """A library on one workload."""

    name: str
    unit: int
    """The smallest number of epochs it can train; others are multiples of it."""

    def losses(self, epochs: int) -> Any:
        """Train from the first parameters with the rows in their own order; the mean loss of every epoch."""

    def train(self, epochs: int) -> None:
        """Train from the first parameters with the rows in a new order every epoch."""

    def check(self) -> None:
        """Raise `WrongResultError` unless it learns what it should."""


def checked_epochs(workload: Workload) -> int:
    """Epochs that are compared: one, or as many as make ten steps."""
    return -(-10 // workload.steps_per_epoch)


def check_against_numpy(contender: Contender, workload: Workload) -> None:
    """Compare with the NumPy engine on the same first parameters and the same batches, to float32 tolerance."""
    epochs = checked_epochs(workload)
    expected = Chainrule(workload, engine="numpy").losses(epochs)
    found = np.asarray(contender.losses(epochs), float)
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=2e-4, atol=1e-6):
        raise WrongResultError(
            f"{contender.name} on {workload.name}: losses {found} after each of {epochs} epochs; the NumPy engine gives {expected}."
        )


class Chainrule:
    """chainrule through the public `fit`."""

    unit = 1

    def __init__(self, workload: Workload, engine: str = "auto") -> None:
        self.name = "chainrule" if engine == "auto" else f"chainrule, {engine}"
        self.workload, self.engine = workload, engine

    def fit(self, epochs: int, *, shuffle: bool) -> cr.History:
        """A new network, trained."""
        w = self.workload
        X, y = w.data
        return w.network().fit(
            X,
            y,
            loss="l2_norm" if w.loss == "half_squared_error" else w.loss,
            optimizer=cr.SGD(w.rate) if w.optimizer == "sgd" else cr.Adam(w.rate),
            epochs=epochs,
            batch_size=None if w.whole else w.batch,
            shuffle=shuffle,
            engine=self.engine,
            progress=False,
        )

    def losses(self, epochs: int) -> Any:
        """The mean loss of every epoch, rows in their own order."""
        return np.array(self.fit(epochs, shuffle=False)["loss"])

    def train(self, epochs: int) -> None:
        """Train with the rows in a new order every epoch."""
        self.fit(epochs, shuffle=True)

    def check(self) -> None:
        """Its own NumPy engine finds the same losses."""
        check_against_numpy(self, self.workload)
