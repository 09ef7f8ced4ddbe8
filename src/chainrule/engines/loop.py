"""What an engine is asked to do: a training step as a Program, repeated over batches of rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from chainrule.tracing.program import Program


class TrainingLoop(NamedTuple):
    """A step that is carried out again and again.

    The step's inputs are, in this order, the state (`state` arrays), one batch of every data array, and the
    scalars of this step; its outputs are the new state and then the metrics, numbers or arrays to be reported.
    `last` is the same step for the smaller batch that ends an epoch when `batch_size` does not divide the rows, whose
    number is no part of a loop.
    """

    step: Program
    last: Program | None
    state: int
    batch_size: int

    def steps_per_epoch(self, rows: int) -> int:
        """Batches in one pass over so many rows, the smaller last one included."""
        return -(-rows // self.batch_size)

    @property
    def reported(self) -> int:
        """How many numbers the metrics of a step are; those of `last` are as many."""
        return sum(math.prod(x.shape) for x in self.step.outputs[self.state :])

    def takes(self, rows: int) -> bool:
        """Whether an epoch may have so many rows: whole batches, and the smaller one that `last` is for."""
        rest = rows % self.batch_size
        return rest == (0 if self.last is None else self.last.inputs[self.state].shape[0])


class Runner(Protocol):
    """A training loop ready to run on its data, in an engine's own way."""

    @property
    def state(self) -> list[Any]:
        """The state after the last finished step."""

    def load(self, state: list[Any]) -> None:
        """Go on from another state."""

    def run(self, order: Any, first: int, count: int, scalars: list[Any]) -> Any:
        """Carry out `count` steps, from step `first` of the epochs in `order` on.

        `order` has one row of row numbers for every epoch, shape (epochs, rows); `scalars` one array for
        every scalar of the step, shape (count,). Gives the metrics, shape (count, metrics), float64, arrays among them
        number by number. Data are read where they lie: what is written into them between calls is read by the next.
        """


class StepRunner:
    """A training loop carried out step by step in Python, every step by a function of an engine's."""

    def __init__(
        self, loop: TrainingLoop, data: Sequence[Any], function: Callable[[Program], Callable[..., tuple[Any, ...]]]
    ) -> None:
        self._loop, self._data = loop, data
        self._kinds = [x.dtype.newbyteorder("=") for x in data]
        self._full = function(loop.step)
        self._last = function(loop.last) if loop.last is not None else self._full
        self._state: list[Any] = []

    @property
    def state(self) -> list[Any]:
        """The state after the last finished step."""
        return list(self._state)

    def load(self, state: list[Any]) -> None:
        """Go on from another state."""
        self._state = list(state)

    def run(self, order: Any, first: int, count: int, scalars: list[Any]) -> Any:
        """Carry out steps; see `Runner`."""
        loop, metrics = self._loop, []
        steps = loop.steps_per_epoch(order.shape[1])
        # A value that leaves the finite range is reported by the caller, with its place.
        with np.errstate(all="ignore"):
            for i in range(count):
                epoch, batch = divmod(first + i, steps)
                rows = order[epoch, batch * loop.batch_size : (batch + 1) * loop.batch_size]
                step = self._full if len(rows) == loop.batch_size else self._last
                data = [np.asarray(np.take(x, rows, axis=0), d) for x, d in zip(self._data, self._kinds, strict=True)]
                outputs = step(*self._state, *data, *(s[i] for s in scalars))
                self._state = list(outputs[: loop.state])
                metrics.append(outputs[loop.state :])
        if all(x.shape == () for x in loop.step.outputs[loop.state :]):
            return np.array(metrics, np.float64)
        return np.array([np.concatenate([np.ravel(x) for x in step]) for step in metrics], np.float64)
