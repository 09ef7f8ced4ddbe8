"""Replay: steps of a training carried out again, from the nearest moment that is known."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.engines import Runner
from chainrule.nn.parameters import Parameters
from chainrule.tracing import trees
from chainrule.training.batches import Batches, Streams
from chainrule.training.keyframes import Keyframe, Moment
from chainrule.training.objective import Batch
from chainrule.training.settings import Settings
from chainrule.training.steps.blocks import Block, Timetable
from chainrule.training.steps.loops import prepare_runners
from chainrule.training.steps.step import TrainingStep

ROWS_AT_ONCE = 2**14
"""About how many numbers of rows are drawn at once: epochs of them, and at least one."""

CACHED_BYTES = 2**25
CACHED = 1024
"""How large the moments are together that are remembered, and how many there are at most."""


@dataclass(frozen=True)
class Fixed:
    """What of a training is the same in all of its steps.

    The data with the rows that fill up the last batch; how rows are shared out; the optimizer's steps beyond those of the
    epochs; the parameters that are not learned, and the order of all by layer and name.
    """

    step: TrainingStep
    settings: Settings
    data: Batch
    batches: Batches
    dtype: Any
    earlier: int
    frozen: Parameters
    order_of_layers: dict[str, list[str]]


class Replay:
    """The moments of a training, computed again by the engine that it had, to the same bits.

    What was computed on the way to a moment is remembered, so that going back or on by a step is a step's work: the way is
    gone in about √n stretches, and of the last one every step is kept. One thread at a time may ask.

    `scale` gives what the rates of an epoch are multiplied by, `steps` is where the training ended.
    """

    def __init__(
        self, fixed: Fixed, keyframes: Sequence[Keyframe], steps: int, scale: Callable[[int, int], Any]
    ) -> None:
        self._fixed, self._keyframes, self._steps, self._scale = fixed, keyframes, steps, scale
        self._per_epoch = fixed.batches.steps_per_epoch
        self._timetable = Timetable(fixed.batches, fixed.step.optimizer.learning_rate, fixed.dtype)
        self._streams: dict[int, Streams] = {frame.epoch: frame.streams for frame in keyframes}
        self._blocks: list[Block] = []
        self._runner: Runner | None = None
        self._state: dict[str, Any] = {}
        self._structure = trees.LEAF
        self._room = max(8, min(CACHED, CACHED_BYTES // max(1, keyframes[0].bytes)))
        self._known: dict[int, Moment] = {}

    # --- states

    def moment(self, step: int) -> Moment:
        """What the training was after so many steps."""
        nearest = self._nearest(step)
        for moment in self._moments(nearest, _stops(nearest.step, step, self._room)) if nearest.step < step else ():
            self._remember(moment)
            nearest = moment
        self._remember(nearest)
        return nearest

    def _nearest(self, step: int) -> Moment:
        """The last moment known that is not after it."""
        frame = self._keyframes[bisect_right(self._keyframes, step, key=lambda frame: frame.step) - 1]
        known = max((k for k in self._known if k <= step), default=-1)
        return self._known[known] if known > frame.step else frame

    def _remember(self, moment: Moment) -> None:
        """Keep it as the one last asked for, and let go those that have not been for longest."""
        self._known.pop(moment.step, None)
        self._known[moment.step] = moment
        while len(self._known) > self._room:
            del self._known[next(iter(self._known))]

    def _moments(self, start: Moment, stops: Sequence[int]) -> Iterator[Moment]:
        """Go on from a moment, and give what is at each of these steps, which rise."""
        runner, at = self._loaded(start), start.step
        for stop in stops:
            while at < stop:
                block = self.block(at // self._per_epoch)
                first = at - block.first * self._per_epoch
                count = min(stop - at, block.count * self._per_epoch - first)
                runner.run(block.order, first, count, [s[first : first + count] for s in block.scalars])
                at += count
            state = trees.unflatten(self._structure, runner.state)
            yield Moment(at, state["learned"], state["optimizer"])

    def _loaded(self, moment: Moment) -> Runner:
        """The runner, with the state of a moment."""
        fixed, settings = self._fixed, self._fixed.settings
        if self._runner is None:
            self._state = fixed.step.initial_state(moment.learned, fixed.frozen)
            runners, self._structure, _ = prepare_runners(
                fixed.step, self._state, fixed.data, fixed.batches.size,
                settings.engine, settings.gradients, fixed.dtype, settings.threads,
            )  # fmt: skip
            self._runner = runners()
        self._state |= {"learned": moment.learned, "optimizer": moment.optimizer_state}
        self._runner.load(trees.flatten(self._state)[0])
        return self._runner

    # --- what steps are given

    def block(self, epoch: int) -> Block:
        """Epochs drawn together, this one among them; going back they are drawn again as they were."""
        held = next((b for b in self._blocks if b.first <= epoch < b.first + b.count), None)
        while held is None:
            done = max(e for e in self._streams if e <= epoch)
            last = max(epoch + 1, -(-self._steps // self._per_epoch))
            count = min(max(1, ROWS_AT_ONCE // self._fixed.batches.rows), last - done)
            self._fixed.batches.streams = self._streams[done]
            block = self._timetable.block(done, count, self._fixed.earlier, self._scale(done, count))
            self._streams[done + count] = block.after
            self._blocks = [*self._blocks[-1:], block]
            held = block if epoch < done + count else None
        return held

    def streams(self, epoch: int) -> Streams:
        """The streams of random numbers at the beginning of an epoch."""
        if epoch in self._streams:
            return self._streams[epoch]
        block = self.block(epoch)
        return self._fixed.batches.later(block.before, epoch - block.first)


def _stops(begin: int, end: int, room: int) -> list[int]:
    """Where to stop on the way: after stretches of about √n steps, and after every one of the last; not more than there is room."""
    half = max(1, room // 2)
    stretch = max(math.isqrt(end - begin), -(-(end - begin) // half))
    single = max(end - min(stretch, half), begin)
    return [*range(begin + stretch, single, stretch), *range(single + 1, end + 1)]
