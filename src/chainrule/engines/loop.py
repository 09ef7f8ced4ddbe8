"""What an engine is asked to do: a training step as a Program, repeated over batches of rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from chainrule.engines.states import ArrayState, State
from chainrule.tracing.program import Program


class Measurement(NamedTuple):
    """Numbers that are measured of the state at the end of every epoch, over rows of their own, batch by batch.

    The inputs are, in this order, the state, one batch of every array of these rows (`data` arrays), and how many rows of the
    batch are to be counted, an int64: the first ones; the others, of the last batch, fill it up. The outputs are numbers, which
    are added up over the batches.
    """

    program: Program
    data: int
    batch_size: int

    def order(self, rows: int) -> Any:
        """The numbers of the rows, batch after batch, the last one filled up."""
        return np.minimum(np.arange(-(-rows // self.batch_size) * self.batch_size, dtype=np.int32), rows - 1)

    def counted(self, rows: int) -> Any:
        """How many rows of every batch are counted."""
        begins = np.arange(0, rows, self.batch_size, dtype=np.int64)
        return np.minimum(self.batch_size, rows - begins)


class TrainingLoop(NamedTuple):
    """A step that is carried out again and again.

    The step's inputs are, in this order, the state (`state` arrays), one batch of every data array, and the
    scalars of this step; its outputs are the new state and then the metrics, numbers or arrays to be reported.
    `last` is the same step for the smaller batch that ends an epoch when `batch_size` does not divide the rows, whose
    number is no part of a loop. What the `measurement` measures of the state at the end of an epoch is reported with the
    metrics of the epoch's last step, behind them.
    """

    step: Program
    last: Program | None
    state: int
    batch_size: int
    measurement: Measurement | None = None

    def steps_per_epoch(self, rows: int) -> int:
        """Batches in one pass over so many rows, the smaller last one included."""
        return -(-rows // self.batch_size)

    @property
    def metrics(self) -> int:
        """How many numbers the metrics of a step are; those of `last` are as many."""
        return sum(math.prod(x.shape) for x in self.step.outputs[self.state :])

    @property
    def reported(self) -> int:
        """How many numbers are reported of a step: the metrics, and what is measured."""
        return self.metrics + (0 if self.measurement is None else len(self.measurement.program.outputs))

    @property
    def unmeasured(self) -> TrainingLoop:
        """The same steps, of which only the metrics are reported."""
        return self._replace(measurement=None)

    def takes(self, rows: int) -> bool:
        """Whether an epoch may have so many rows: whole batches, and the smaller one that `last` is for."""
        rest = rows % self.batch_size
        return rest == (0 if self.last is None else self.last.inputs[self.state].shape[0])


class Work(Protocol):
    """A call of a runner that is carried out by others."""

    @property
    def report(self) -> Any:
        """What the call gives, once it has ended."""


class Shuffling(Protocol):
    """Orders of rows that are still to be shuffled: permutations already, and the same memory afterwards."""

    @property
    def state(self) -> dict[str, Any]:
        """Where the generator of random numbers stands after it, once it was carried out."""


class Crew(Protocol):
    """Threads that carry out works without Python; the one that puts them there helps, and is to close it."""

    def put(self, work: Any) -> None:
        """Have one carried out."""

    def ended(self) -> list[Any]:
        """Those that have ended and were not told yet, or none yet."""

    def close(self) -> None:
        """Let the threads go; works that were not begun stay undone."""


class Runner(Protocol):
    """A training loop ready to run on its data, in an engine's own way."""

    @property
    def longer(self) -> float:
        """How many times as long as usual a call of it is to be, where calls themselves take time."""

    def agreed(self, number: int) -> int:
        """How many steps, or epochs, all processes take next that carry this out together; this one would take so many."""

    def share(self, rows: int) -> tuple[int, int]:
        """From which to which row of a batch of so many this process needs; the others it does not read."""

    @property
    def state(self) -> State:
        """The state after the last finished step."""

    def load(self, state: Sequence[Any]) -> None:
        """Go on from another state."""

    def run(self, order: Any, first: int, count: int, scalars: list[Any]) -> Any:
        """Carry out `count` steps, from step `first` of the epochs in `order` on.

        `order` has one row of row numbers for every epoch, shape (epochs, rows); `scalars` one array for
        every scalar of the step, shape (count,). Gives the metrics, shape (count, metrics), float64, arrays among them
        number by number, and behind them what is measured, 0 where no epoch ends. Data are read where they lie: what is
        written into them between calls is read by the next, unless they are marked as not writeable.
        """


@runtime_checkable
class Apart(Runner, Protocol):
    """A runner whose calls others can carry out."""

    def crew(self, threads: int, works: int) -> Crew | None:
        """So many threads for its calls and those of others of its loop, so many at a time; `None` if they would be no faster."""

    def begun(self, order: Any, first: int, count: int, scalars: list[Any], before: Shuffling | None = None) -> Work:
        """The same as `run`, to be given to a crew, which shuffles the order before if that is still to be done."""


class Alone:
    """A runner of this process's own, which has nobody to agree with, and whose calls take no time to speak of."""

    longer = 1.0

    def agreed(self, number: int) -> int:
        """As many."""
        return number

    def share(self, rows: int) -> tuple[int, int]:
        """All of them."""
        return 0, rows


class StepRunner(Alone):
    """A training loop carried out step by step in Python, every step by a function of an engine's."""

    def __init__(
        self,
        loop: TrainingLoop,
        data: Sequence[Any],
        function: Callable[[Program], Callable[..., tuple[Any, ...]]],
        held_out: Sequence[Any] = (),
    ) -> None:
        self._loop, self._data, self._held_out = loop, _Rows(data), _Rows(held_out)
        self._measure = None if loop.measurement is None else function(loop.measurement.program)
        self._full = function(loop.step)
        self._last = function(loop.last) if loop.last is not None else self._full
        self._state: list[Any] = []

    @property
    def state(self) -> ArrayState:
        """The state after the last finished step."""
        return ArrayState(self._state)

    def load(self, state: Sequence[Any]) -> None:
        """Go on from another state."""
        self._state = list(state)

    def run(self, order: Any, first: int, count: int, scalars: list[Any]) -> Any:
        """Carry out steps; see `Runner`."""
        loop, width = self._loop, self._loop.metrics
        steps = loop.steps_per_epoch(order.shape[1])
        single = all(x.shape == () for x in loop.step.outputs[loop.state :])
        report = np.zeros((count, loop.reported))
        # A value that leaves the finite range is reported by the caller, with its place.
        with np.errstate(all="ignore"):
            for i in range(count):
                epoch, batch = divmod(first + i, steps)
                rows = order[epoch, batch * loop.batch_size : (batch + 1) * loop.batch_size]
                step = self._full if len(rows) == loop.batch_size else self._last
                outputs = step(*self._state, *self._data.taken(rows), *(s[i] for s in scalars))
                self._state, metrics = list(outputs[: loop.state]), outputs[loop.state :]
                report[i, :width] = metrics if single else np.concatenate([np.ravel(x) for x in metrics])
                if loop.measurement is not None and batch == steps - 1:
                    report[i, width:] = self.measured(loop.measurement)
        return report

    def measured(self, measurement: Measurement) -> Any:
        """What is measured of the state."""
        assert self._measure is not None
        total, size = np.zeros(len(measurement.program.outputs)), measurement.batch_size
        order = measurement.order(self._held_out.count)
        for i, counted in enumerate(measurement.counted(self._held_out.count)):
            batch = self._held_out.taken(order[i * size : (i + 1) * size])
            total += np.array(self._measure(*self._state, *batch, counted), np.float64)
        return total


class _Rows:
    """Arrays of rows, of which some are taken, with their bytes in the CPU's order."""

    def __init__(self, arrays: Sequence[Any]) -> None:
        self._arrays = [(x, x.dtype.newbyteorder("=")) for x in arrays]
        self.count = len(arrays[0]) if arrays else 0

    def taken(self, rows: Any) -> list[Any]:
        return [np.asarray(np.take(x, rows, axis=0), kind) for x, kind in self._arrays]
