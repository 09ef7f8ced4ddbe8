"""Keyframes: states of a training that are kept on its way, and what each of its steps has measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.nn.parameters import Parameters
from chainrule.tracing import trees
from chainrule.training.batches import Streams
from chainrule.training.run import Run

MOST = 512
"""The most keyframes that are kept, however small they are."""

LARGE = 2**21
"""Bytes of a state that takes so long to be copied that calls are not made shorter for it."""


@dataclass(frozen=True)
class Moment:
    """What changes from step to step, as it is after so many steps of a training, counted from its first epoch on."""

    step: int
    learned: Parameters
    optimizer_state: Any

    @cached_property
    def bytes(self) -> int:
        """How large its arrays are."""
        return sum(x.nbytes for x in trees.flatten([self.learned, self.optimizer_state])[0])


@dataclass(frozen=True)
class Keyframe(Moment):
    """A moment from which the steps that follow can be carried out again.

    `streams` are those of random numbers as they are at the beginning of `epoch`, which is not after it.
    """

    epoch: int
    streams: Streams


class Keyframes:
    """The keyframes of a training under way: the first, the last, and as many between them as there is room for.

    A runner gives its state in arrays of their own, so that a keyframe is no copy. When there are more than `most`, those
    are let go that come sooner after the one before than 2/most of the way so far, and from then on none is kept that does. So
    about most/2 to most are there, evenly spaced, however long the training is.

    Attributes
    ----------
    begun : Run
        The training at its first keyframe.
    frames : list of Keyframe
        In the order of their steps.
    """

    def __init__(self, begun: Run, first: Keyframe, megabytes: int) -> None:
        self.begun = begun
        own = {layer: {name: begun.parameters[layer][name] for name in kept} for layer, kept in first.learned.items()}
        self.frames = [Keyframe(first.step, own, begun.optimizer_state, first.epoch, first.streams)]
        self.most = max(2, min(MOST, megabytes * 2**20 // max(1, first.bytes)))
        self._distance = 1
        self._steps = first.step
        self._reports = np.full((first.step, begun.under_way.shape[1]), np.nan)
        self._note(begun.under_way)

    @property
    def reports(self) -> Any:
        """What every step has reported, a row for each from the first of the training on; NaN where that is not known."""
        return self._reports[: self._steps]

    @property
    def share(self) -> float:
        """What share of its usual time a call is to take, so that there are moments to keep: the more, the smaller they are."""
        return min(1.0, max(0.2, self.frames[0].bytes / LARGE))

    def note(self, step: int, report: Any, frame: Callable[[], Keyframe]) -> None:
        """Take what the last steps have reported, and the moment they have led to, if there is to be a keyframe."""
        self._steps = step
        self._note(report)
        if step - self.frames[-1].step >= self._distance:
            self.frames.append(frame())
            if len(self.frames) > self.most:
                self._thin()

    def ended(self, frame: Keyframe, report: Any) -> Keyframes:
        """With the last one in any case, and again what the steps of its block have reported: both may have been cut off."""
        self._steps = frame.step
        self._note(report)
        if frame.step > self.frames[-1].step:
            self.frames.append(frame)
        return self

    def _note(self, report: Any) -> None:
        """Put down the rows of the steps before where it is."""
        known, end = self._reports, self._steps
        if len(known) < end:  # room for twice as many, so that adding one costs little
            larger = np.empty((2 * end, known.shape[1]))
            larger[: len(known)] = known
            self._reports = known = larger
        known[end - len(report) : end] = report

    def _thin(self) -> None:
        first, *rest = self.frames
        self._distance = max(1, 2 * (rest[-1].step - first.step) // self.most)
        kept = [first]
        for frame in rest:
            if frame.step - kept[-1].step >= self._distance:
                kept.append(frame)
        self.frames = kept
