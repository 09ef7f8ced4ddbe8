"""The work that was planned for a table: recipes tried on the first folds, then the networks of all of them, while there is time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tabular.learning.deadline import Deadline
from chainrule.tabular.learning.folds import others
from chainrule.tabular.learning.members import Assignment, Elsewhere, Finished, Member, train
from chainrule.tabular.learning.plan import Plan, least_epochs
from chainrule.tabular.learning.problem import Problem
from chainrule.tabular.learning.recipe import Recipe
from chainrule.tabular.learning.search import Candidate, Change, searched


@dataclass(eq=False)
class Work:
    """What is to be done, and how much of it has been begun.

    Attributes
    ----------
    problem : Problem
    recipe : Recipe
        What is begun with.
    plan : Plan
    parts : sequence of int arrays
        The rows that each network is watched by.
    groups : array, (rows,), optional
        Rows of one group are held out together.
    seed : int
    deadline : Deadline
    threads : int
    progress : callable
        Told the share of the work that is done, or of the time that is gone where that is more.
    finished : Finished, optional
    elsewhere : Elsewhere, optional
        What trains networks in place of this process.
    interrupted : bool
        Whether somebody has ended it.
    """

    problem: Problem
    recipe: Recipe
    plan: Plan
    parts: Sequence[NDArray[np.intp]]
    groups: Any
    seed: int
    deadline: Deadline
    threads: int
    progress: Callable[[float], None]
    finished: Finished | None
    elsewhere: Elsewhere | None
    interrupted: bool = field(default=False, init=False)
    _begun: int = field(default=0, init=False)
    _total: int = field(default=0, init=False)

    def searched(self, usual: Candidate, options: Sequence[Change]) -> tuple[Candidate, list[Member], tuple[str, ...]]:
        """The candidate taken, its networks, and the names of all that were tried, its own first.

        What is tried of the recipe that is taken is not lost.
        """
        options = options[: self.plan.recipes - 1]
        self._total = self.plan.tried * len(options) + len(self.parts)
        self.progress(0.0)
        option, members = usual, list[Member]()
        names: tuple[str, ...] = (usual.name,)
        if self.plan.tried:
            option, members, names = searched(usual, options, self.plan.tried, self._trained, self._in_time)
        left = len(self.parts) - len(members)
        if left and not (members and (self.interrupted or self.deadline.is_over)):
            self._begun = self._total - left
            members += self._trained(option, range(len(members), len(self.parts)))
        return option, members, names

    def _trained(self, candidate: Candidate, chosen: range) -> list[Member]:
        """Networks of a candidate for some folds."""
        rows = len(self.problem.y)
        least = least_epochs(
            rows, self.recipe.weights(self.problem.features, self.problem.outputs), self.recipe.batch(rows)
        )
        own = [
            Assignment(
                candidate.recipe,
                others(rows, self.parts[k], self.groups),
                self.parts[k],
                self.plan.epochs,
                self.seed + k,
                least,
            )
            for k in chosen
        ]
        before = self._begun

        def told(done: float) -> None:
            self.progress(min(1.0, max((before + done) / self._total, self.deadline.share)))

        members, self.interrupted = train(
            candidate.problem, own, self.deadline, threads=self.threads, progress=told, finished=self.finished,
            elsewhere=self.elsewhere,
        )  # fmt: skip
        self._begun += len(own)
        return members

    def _in_time(self, number: int) -> bool:
        """Whether there is time for the option of this number: by then it was to be done."""
        return not self.interrupted and self.deadline.share <= self.plan.tried * (number + 2) / self._total
