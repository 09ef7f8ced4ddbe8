"""Which recipe suits a table: a few are tried on the first folds, and one is taken where it is surely better than the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from chainrule.tables import Target
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
            found.append(Candidate(f"{scale.kind} scale", recipe, replace(problem, y=other.scaled(amounts)), other))
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
    chosen, least = 0, None
    for number, (candidate, members) in enumerate(tried):
        own = np.concatenate([candidate.wrong(member) for member in members])
        if least is not None:
            better = least - own
            error = better.std() / np.sqrt(len(better))
            if not better.mean() > SURELY * error:
                continue
        chosen, least = number, own
    return chosen
