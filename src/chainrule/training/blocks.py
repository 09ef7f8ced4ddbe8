"""Blocks: epochs that are drawn and run together, carried out in calls of about 30 ms."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.engines import Runner, State
from chainrule.errors import SettingError
from chainrule.training.batches import Batches, Streams
from chainrule.training.schedules import as_schedule

BLOCK_SECONDS = 0.03
"""About how long one call of an engine runs, so that progress, callbacks and Ctrl-C stay alive, unless it says that calls have to be
longer."""

AT_ONCE = 8
"""How many times as many steps as one call the next takes at the most, while it is not yet known how long a step takes."""


@dataclass(frozen=True)
class Block:
    """Epochs that run together.

    The first one's number, how many, the orders of their rows, every step's learning rate and scalars, and where the
    streams of random numbers stood before and after they were drawn.
    """

    first: int
    count: int
    order: Any
    rates: Any
    scalars: list[Any]
    before: Streams
    after: Streams


class Timetable:
    """What steps are given, block by block: the rows from `batches`, the learning rates of a schedule, numbers and keys."""

    def __init__(self, batches: Batches, learning_rate: Any, dtype: Any) -> None:
        self.batches, self._learning_rate, self._dtype = batches, learning_rate, dtype
        self._rate = as_schedule(learning_rate)
        self._known: dict[tuple[int, int], tuple[Any, Any]] = {}

    def another(self, batches: Batches) -> Timetable:
        """The same with other batches, as many in an epoch; the numbers of a block are found once for both."""
        other = copy.copy(self)
        other.batches = batches
        return other

    def block(self, done: int, count: int, earlier: int = 0, scale: Any = 1.0) -> Block:
        """Some epochs from number `done` on, the next that are drawn.

        The optimizer has taken `earlier` steps beyond those of the epochs before; rates are multiplied by the scale, or
        each by its own.
        """
        numbers, rates = self._numbers(done, count)
        before, rates = self.batches.streams, rates * scale
        order, keys = self.batches.draw(count)
        counts = earlier + numbers + 1
        scalars = [rates.astype(self._dtype), counts.astype(self._dtype), keys]
        return Block(done, count, order, rates, scalars, before, self.batches.streams)

    def _numbers(self, done: int, count: int) -> tuple[Any, Any]:
        """The numbers of a block's steps and the schedule's rates, remembered of the last block."""
        found = self._known.get((done, count))
        if found is None:
            steps = self.batches.steps_per_epoch
            numbers = done * steps + np.arange(count * steps)
            found = numbers, self._rates(numbers / steps)
            self._known.clear()
            self._known[done, count] = found
        return found

    def _rates(self, epochs: Any) -> Any:
        rates = np.asarray(self._rate(epochs), np.float64)
        if rates.shape != epochs.shape or not (np.isfinite(rates) & (rates >= 0)).all():
            raise SettingError(
                f"the schedule {self._learning_rate!r} gave {rates!r} for times of shape {epochs.shape}; "
                "it must give one finite rate for each, none of them negative."
            )
        return rates


@dataclass(frozen=True)
class Call:
    """One call of a runner: its first step of the block, how many, what it reported, and the state after it."""

    first: int
    count: int
    scalars: list[Any]
    report: Any
    state: State


class BlockRunner:
    """Carries out blocks. How many steps one call takes depends on the clock, and what they compute does not.

    A call takes the share of the time of a block that is given.
    """

    def __init__(self, runner: Runner, steps_per_epoch: int, share: float = 1.0) -> None:
        self.runner, self._share = runner, share
        self._steps_per_epoch = steps_per_epoch
        self._seconds_per_step = 0.0

    @property
    def _seconds(self) -> float:
        return BLOCK_SECONDS * self.runner.longer

    @property
    def knows_its_speed(self) -> bool:
        """Whether a block has been carried out."""
        return self._seconds_per_step > 0

    def epochs_at_once(self, most: float) -> int:
        """How many epochs the next block should take."""
        if not self.knows_its_speed:
            return 1
        epochs = int(self._seconds / (self._seconds_per_step * self._steps_per_epoch))
        return max(1, min(self.runner.agreed(epochs), int(most)))

    def calls(self, block: Block, first: int) -> Iterator[Call]:
        """Carry out a block from its step `first` on, call by call."""
        total, seconds = block.count * self._steps_per_epoch, self._seconds * self._share
        length = 1 if not self._seconds_per_step else max(1, int(seconds / self._seconds_per_step))
        begun, steps = time.perf_counter(), total - first
        while first < total:
            count = min(self.runner.agreed(length), total - first)
            scalars = [s[first : first + count] for s in block.scalars]
            started = time.perf_counter()
            report = self.runner.run(block.order, first, count, scalars)
            taken = time.perf_counter() - started
            yield Call(first, count, scalars, report, self.runner.state)
            first += count
            length = max(1, min(AT_ONCE * count, int(seconds * count / max(taken, 1e-9))))
        if steps:
            self._seconds_per_step = max(time.perf_counter() - begun, 1e-9) / steps
