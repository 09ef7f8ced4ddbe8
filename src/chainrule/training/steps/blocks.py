"""Blocks: epochs that are drawn and run together, carried out in calls of about 30 ms."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from chainrule.engines import Apart, Runner, Shuffling, State, Work
from chainrule.errors import SettingError
from chainrule.training.alike import alike
from chainrule.training.batches import Batches, Drawn, Streams
from chainrule.training.schedules import as_schedule

BLOCK_SECONDS = 0.03
"""About how long one call of an engine runs, so that progress, callbacks and Ctrl-C stay alive, unless it says that calls have to be
longer."""

AT_ONCE = 8
"""How many times as many steps as one call the next takes at the most, while it is not yet known how long a step takes."""


@dataclass(frozen=True)
class Block:
    """Epochs that run together.

    The first one's number, how many, what was drawn for them, every step's learning rate and scalars.
    """

    first: int
    count: int
    drawn: Drawn
    rates: Any
    scalars: list[Any]

    @classmethod
    def empty(cls, first: int, streams: Streams) -> Block:
        """No epochs, before this one."""
        return cls(first, 0, Drawn(None, None, streams, streams), None, [])

    @property
    def order(self) -> Any:
        """The orders of their rows."""
        return self.drawn.order

    @property
    def before(self) -> Streams:
        """Where the streams of random numbers stood before they were drawn."""
        return self.drawn.before

    @property
    def after(self) -> Streams:
        """Where they stand after the block."""
        return self.drawn.after


class Timetable:
    """What steps are given, block by block: the rows from `batches`, the learning rates of a schedule, numbers and keys."""

    def __init__(self, batches: Batches, learning_rate: Any, dtype: Any) -> None:
        self.batches, self._learning_rate, self._dtype = batches, learning_rate, dtype
        self._rate = as_schedule(learning_rate)
        self._known: dict[tuple[int, int, int], tuple[Any, Any]] = {}

    def another(self, batches: Batches) -> Timetable:
        """The same with other batches, as many in an epoch; the numbers of a block are found once for both."""
        other = alike(self)
        other.batches = batches
        return other

    def block(self, done: int, count: int, earlier: int = 0, scale: Any = None, *, by_others: bool = False) -> Block:
        """Some epochs from number `done` on, the next that are drawn.

        The optimizer has taken `earlier` steps beyond those of the epochs before; rates are multiplied by the scale, or
        each by its own, if there is one.
        """
        rates, scalars = self._numbers(done, count, earlier)
        if scale is not None:
            rates = rates * scale
            scalars = [rates.astype(self._dtype), *scalars[1:]]
        drawn = self.batches.draw(count, by_others=by_others)
        return Block(done, count, drawn, rates, [*scalars, drawn.keys])

    def _numbers(self, done: int, count: int, earlier: int) -> tuple[Any, list[Any]]:
        """The schedule's rates in a block's steps, and with them how many steps were taken, as steps are given them.

        They are remembered of the last block, and are not to be written to.
        """
        found = self._known.get((done, count, earlier))
        if found is None:
            steps = self.batches.steps_per_epoch
            numbers = done * steps + np.arange(count * steps)
            rates = self._rates(numbers / steps)
            found = rates, [x.astype(self._dtype) for x in (rates, earlier + numbers + 1)]
            self._known.clear()
            self._known[done, count, earlier] = found
        return found

    def _rates(self, epochs: Any) -> Any:
        rates = np.asarray(self._rate(epochs), np.float64)
        if rates.shape != epochs.shape or not (np.isfinite(rates) & (rates >= 0)).all():
            raise SettingError(
                f"the schedule {self._learning_rate!r} gave {rates!r} for times of shape {epochs.shape}; "
                "it must give one finite rate for each, none of them negative."
            )
        return rates


class Call:
    """A call of a runner: its first step of the block, and how many; and what is to be done before where others carry it out."""

    def __init__(
        self, runner: Runner, order: Any, first: int, count: int, scalars: list[Any], before: Shuffling | None = None
    ) -> None:
        self.first, self.count, self.scalars = first, count, scalars
        self._runner, self._order, self._before, self._began = runner, order, before, time.perf_counter()
        self._work: Work | None = None
        self.seconds = 0.0

    def begun(self) -> Work:
        """What others are to carry out, of a runner with which they can."""
        self._work = cast(Apart, self._runner).begun(self._order, self.first, self.count, self.scalars, self._before)
        return self._work

    def ended(self) -> tuple[Any, State]:
        """What it reports and the state after it; it is carried out now, unless others have done so."""
        asked = self._order, self.first, self.count, self.scalars
        report = self._runner.run(*asked) if self._work is None else self._work.report
        self.seconds = time.perf_counter() - self._began
        return report, self._runner.state


class BlockRunner:
    """Carries out blocks. How many steps one call takes depends on the clock, and what they compute does not.

    A call takes the share of the time of a block that is given, and is carried out by whoever goes through the training unless it
    is left to others.
    """

    def __init__(self, runner: Runner, steps_per_epoch: int, share: float = 1.0, *, by_others: bool = False) -> None:
        self.runner, self._share, self.by_others = runner, share, by_others
        self._steps_per_epoch = steps_per_epoch
        self._speed = _Speed()

    def another(self, runner: Runner) -> BlockRunner:
        """The same with another runner of the loop; how fast they are is known together."""
        other = alike(self)
        other.runner = runner
        return other

    @property
    def _seconds(self) -> float:
        return BLOCK_SECONDS * self.runner.longer

    @property
    def knows_its_speed(self) -> bool:
        """Whether a block has been carried out."""
        return self._speed.seconds > 0

    def epochs_at_once(self, most: float) -> int:
        """How many epochs the next block should take."""
        if not self.knows_its_speed:
            return 1
        epochs = int(self._seconds / (self._speed.seconds * self._steps_per_epoch))
        return max(1, min(self.runner.agreed(epochs), int(most)))

    def calls(self, block: Block, first: int) -> Iterator[Call]:
        """The calls that carry out a block from its step `first` on, each of which is to be ended before the next."""
        total, seconds = block.count * self._steps_per_epoch, self._seconds * self._share
        length = 1 if not self.knows_its_speed else max(1, int(seconds / self._speed.seconds))
        begun, steps, left = time.perf_counter(), total - first, block.drawn.left
        while first < total:
            count = min(self.runner.agreed(length), total - first)
            scalars = [s[first : first + count] for s in block.scalars]
            yield (call := Call(self.runner, block.order, first, count, scalars, left))
            first, left = first + count, None
            length = max(1, min(AT_ONCE * count, int(seconds * count / max(call.seconds, 1e-9))))
        if steps:
            self._speed.seconds = max(time.perf_counter() - begun, 1e-9) / steps


class _Speed:
    """How long a step takes, in seconds; 0 as long as that is not known."""

    seconds = 0.0
