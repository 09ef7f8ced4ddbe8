"""Timelines: where a training is looked at, step by step in both directions, and the branches that were taken from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import SettingError, UnknownNameError
from chainrule.training import Recording, Run
from chainrule.training.recorded.finding import Event
from chainrule.training.recorded.recording import StepBatch

SETTINGS = ("optimizer", "learning_rate", "l1", "l2", "seed")
"""What may be another in a branch."""


@dataclass(frozen=True)
class Branch:
    """A training gone on from a step with other settings; `parent` is the branch that it was taken from, if it was from one."""

    name: str
    start: int
    settings: str
    recording: Recording
    parent: int | None


class Timeline:
    """A recorded training, the step that is looked at, and its branches.

    The training may have been gone on with, and is then several recordings one after the other. A branch is looked at in place of
    the training; before the step where it begins they are the same.
    """

    def __init__(self, recording: Recording) -> None:
        self.trunk = [recording]
        self.branches: list[Branch] = []
        self.shown: int | None = None
        self.step = recording.steps

    @property
    def _all(self) -> list[Recording]:
        """The recordings that what is looked at consists of; of a step the last one counts that has it."""
        found, at = [], self.shown
        while at is not None:
            found.append(self.branches[at].recording)
            at = self.branches[at].parent
        return [*self.trunk, *reversed(found)]

    @property
    def recording(self) -> Recording:
        """The last of them."""
        return self._all[-1]

    @property
    def steps(self) -> int:
        """The last step there is."""
        return self.recording.steps

    @property
    def first(self) -> int:
        """The first step there is."""
        return self.trunk[0].first

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over the data."""
        return self.recording.steps_per_epoch

    def owner(self, step: int) -> Recording:
        """The recording that has a step."""
        return next((own for own in reversed(self._all) if own.first <= step), self.trunk[0])

    def at(self, step: int) -> Run:
        """All that the training was after so many steps."""
        return self.owner(step).at(step)

    def batch(self, step: int) -> StepBatch:
        """What the step that comes next after so many was given."""
        return self.owner(step).batch(step)

    def losses(self, branch: int | None) -> tuple[Any, Any]:
        """Steps, and what each measured before its update; of a branch those of its own."""
        parts = self.trunk if branch is None else [self.branches[branch].recording]
        ends = [own.first for own in parts[1:]] + [parts[-1].steps]
        steps = [np.arange(own.first, end) for own, end in zip(parts, ends, strict=True)]
        return np.concatenate(steps), np.concatenate([own.losses[at] for own, at in zip(parts, steps, strict=True)])

    def find(self, what: str, *, after: int) -> Event | None:
        """The first time that something happened after a step."""
        every = self._all
        for i, own in enumerate(every):
            begin, end = max(after, own.first), min([own.steps, *(later.first for later in every[i + 1 :])])
            if begin < end and (event := own.find(what, after=begin, before=end + 1)) is not None:
                return event
        return None

    # --- going about in it

    def go(self, step: int) -> None:
        """Look at the moment after so many steps."""
        self.step = min(max(step, self.first), self.steps)

    def show(self, branch: int | None) -> None:
        """Look at a branch, `None` for the training itself."""
        if branch is not None and not 0 <= branch < len(self.branches):
            raise SettingError(
                f"branch {branch!r} was to be shown, and there are {len(self.branches)}; give None for the training itself."
            )
        self.shown = branch
        self.go(self.step)

    def branch(self, settings: dict[str, Any], name: str = "") -> Branch:
        """Go on from here with other settings, as far as the training went, and look at that."""
        unknown = set(settings) - set(SETTINGS)
        if unknown:
            raise UnknownNameError.among("setting of a branch", min(unknown), SETTINGS)
        steps = max(self.steps - self.step, self.steps_per_epoch)
        found = self.owner(self.step).branch(self.step, steps=steps, **settings)
        told = ", ".join(f"{key} = {value}" for key, value in settings.items()) or "the same settings"
        parent = self.shown
        while parent is not None and self.branches[parent].start >= self.step:  # there it is not yet another
            parent = self.branches[parent].parent
        new = Branch(name or f"branch {len(self.branches) + 1}", self.step, told, found, parent)
        self.branches.append(new)
        self.shown = len(self.branches) - 1
        return new
