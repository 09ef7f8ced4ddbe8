"""Which recipe suits a table: a few are tried on the first folds, and one is taken where it is surely better than the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from chainrule.tables import Target
from chainrule.tabular.judging import surely_less
from chainrule.tabular.members import Member
from chainrule.tabular.problem import Problem
from chainrule.tabular.recipe import Recipe

SURELY = 1.0
"""How many standard errors of the difference a recipe must be better by than the one before it."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A recipe, and the scale on which amounts are learned.

    Attributes
    ----------
    name : str
        What is particular about it, for the report.
    recipe : Recipe
    problem : Problem
    target : Target
        With the scale in use.
    """

    name: str
    recipe: Recipe
    problem: Problem
    target: Target

    def wrong(self, member: Member) -> NDArray[np.float64]:
        """How wrong a member of this was for every row it had not seen, in units that compare: −ln p, or squared amounts."""
        truth = self.problem.y[member.assignment.held]
        if self.problem.classes:
            return self.problem.wrong(member.said, truth)
        return np.asarray(np.square(self.target.restored(member.said) - self.target.restored(truth)))


def candidates(
    recipe: Recipe, problem: Problem, target: Target, amounts: NDArray[np.float64] | None
) -> list[Candidate]:
    """What is tried, the recipe itself first; `amounts` are those to predict, in the units of the table."""
    first = Candidate("as usual", recipe, problem, target)
    found = [first]
    for scale in target.scales:
        if scale.kind != target.scale and amounts is not None:
            other = target.with_scale(scale.kind)
            judge = None if problem.judge is None else replace(problem.judge, restored=other.restored)
            scaled = replace(problem, y=other.scaled(amounts), judge=judge)
            found.append(Candidate(f"{scale.kind} scale", recipe, scaled, other))
    plain = replace(recipe, width=0, dropout=max(recipe.dropout, 0.3), weight_decay=10 * recipe.weight_decay)
    found.append(replace(first, name="smoother", recipe=plain))
    return found


def best(tried: Sequence[tuple[Candidate, Sequence[Member]]]) -> int:
    """Which of these is best; a later one only where it is surely better.

    Examples
    --------
    >>> best([])
    0
    """
    chosen = 0
    for number in range(1, len(tried)):
        if _is_surely_better(tried[number], tried[chosen]):
            chosen = number
    return chosen


def _is_surely_better(new: tuple[Candidate, Sequence[Member]], old: tuple[Candidate, Sequence[Member]]) -> bool:
    """Whether a candidate is better by a standard error of the difference: by row, or by the judge of what is asked for."""
    first, second = old[0].problem.judge, new[0].problem.judge
    if first is None or second is None:
        before, after = (np.concatenate([x.wrong(member) for member in members]) for x, members in (old, new))
        better = before - after
        return bool(better.mean() > SURELY * better.std() / np.sqrt(len(better)))
    rows = np.concatenate([member.assignment.held for member in old[1]])
    said = [np.concatenate([member.said for member in members]) for _, members in (old, new)]
    return surely_less(
        lambda kept: first(said[0][kept], rows[kept]) - second(said[1][kept], rows[kept]), len(rows), SURELY
    )
