"""Which recipe suits a table: changes are tried on the first folds, and taken where it is surely better with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.tables import Preparation
from chainrule.tables.preparing.scales import ScaleKind
from chainrule.tabular.learning.judging import surely_less
from chainrule.tabular.learning.members import Member
from chainrule.tabular.learning.problem import Problem
from chainrule.tabular.learning.recipe import MOST_EMBEDDED, Recipe

AS_USUAL = "as usual"
"""What a candidate is called that nothing is particular about."""

WAVES, WIDTH_OF_WAVES = 16, 3
"""Waves of a column, and numbers in its vector, as Holzmüller and others tuned them."""

FIRST_LOOK, HOPEFUL = 2, 0.5
"""The folds that tell whether a change is worth the others, and by how many standard errors it must be better on them."""

SURELY = 1.0
"""How many standard errors of the difference a recipe must be better by than the one before it."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A recipe, and how the table is prepared for it.

    Attributes
    ----------
    name : str
        What is particular about it, for the report.
    recipe : Recipe
    problem : Problem
        With the rows as they are prepared.
    preparation : Preparation
        With the scales in use.
    """

    name: str
    recipe: Recipe
    problem: Problem
    preparation: Preparation

    def weights(self, member: Member) -> NDArray[np.float64]:
        """How much every row counts that a member of this had not seen."""
        held = member.assignment.held
        return np.ones(len(held)) if self.problem.weights is None else np.asarray(self.problem.weights[held], float)

    def wrong(self, member: Member) -> NDArray[np.float64]:
        """How wrong a member of this was for every row it had not seen, in units that compare: −ln p, or squared amounts."""
        truth, target = self.problem.y[member.assignment.held], self.preparation.target
        if self.problem.classes:
            return self.problem.wrong(member.said, truth)
        return np.asarray(np.square(target.restored(member.said) - target.restored(truth)))

    def with_name(self, name: str) -> Candidate:
        """The same with one more particular."""
        return replace(self, name=name if self.name == AS_USUAL else f"{self.name}, {name}")


class Rescaled(NamedTuple):
    """The same rows with their numbers scaled otherwise.

    Attributes
    ----------
    name : str
        The scaling, for the report.
    preparation : Preparation
    X : float32 array, (rows, features)
    """

    name: str
    preparation: Preparation
    X: NDArray[np.float32]


Change = Callable[[Candidate], Candidate]
"""Makes another candidate of the best one so far."""


def changes(first: Candidate, others: Sequence[Rescaled] = ()) -> list[Change]:
    """What is tried one after the other, each on the best one so far."""
    target, features = first.preparation.target, first.preparation.features
    found: list[Change] = [
        partial(_on_scale, kind=scale.kind)
        for scale in target.scales
        if scale.kind != target.scale and not target.classes
    ]
    found.append(_smoother)
    if 0 < sum(feature.kind == "number" for feature in features) <= MOST_EMBEDDED:
        found.append(_with_waves)
    return [*found, *(partial(_rescaled, other=other) for other in others)]


def _on_scale(given: Candidate, kind: ScaleKind) -> Candidate:
    """Amounts learned on another scale."""
    target, problem = given.preparation.target, given.problem
    other = target.with_scale(kind)
    judge = None if problem.judge is None else replace(problem.judge, restored=other.restored)
    scaled = replace(problem, y=other.scaled(target.restored(problem.y)), judge=judge)
    preparation = replace(given.preparation, target=other)
    return replace(given, problem=scaled, preparation=preparation).with_name(f"{kind} scale")


def _with_waves(given: Candidate) -> Candidate:
    """Numbers as learned waves in place of curves that bend at their quantiles: for what is smooth."""
    return replace(given, recipe=replace(given.recipe, waves=WAVES, width=WIDTH_OF_WAVES)).with_name("waves")


def _rescaled(given: Candidate, other: Rescaled) -> Candidate:
    """Numbers scaled otherwise."""
    columns = replace(given.preparation, columns=other.preparation.columns)
    return replace(given, problem=replace(given.problem, X=other.X), preparation=columns).with_name(other.name)


def _smoother(given: Candidate) -> Candidate:
    """Numbers as they are, and more that keeps a network from learning by heart."""
    recipe = given.recipe
    plain = replace(recipe, width=0, dropout=max(recipe.dropout or 0.0, 0.3), weight_decay=10 * recipe.weight_decay)
    return replace(given, recipe=plain).with_name("smoother")


Trained = Callable[[Candidate, range], list[Member]]
"""Networks of a candidate for some folds; of fewer where time is up."""


def searched(
    usual: Candidate, options: Sequence[Change], folds: int, trained: Trained, may_go_on: Callable[[int], bool]
) -> tuple[Candidate, list[Member], tuple[str, ...]]:
    """The candidate to take, its networks for the first folds, and the names of all that were tried, this one's first.

    Parameters
    ----------
    usual : Candidate
    options : sequence of Change
        Each is made of the best so far, and taken where that is surely better on all folds. One that is hardly better on the
        first few of these is not tried on the others.
    folds : int
        On how many folds.
    trained : callable
    may_go_on : callable
        Whether there is time for the option of this number.
    """
    taken, members, names = usual, trained(usual, range(folds)), [usual.name]
    for number, change in enumerate(options):
        if len(members) < folds or not may_go_on(number):
            break
        option = change(taken)
        few = FIRST_LOOK if folds > FIRST_LOOK + 1 else folds
        own = trained(option, range(few))
        if len(own) < few:
            break
        if few < folds and is_better((option, own), (taken, members), HOPEFUL):
            own += trained(option, range(few, folds))
            if len(own) < folds:
                break
        names.append(option.name)
        if len(own) == folds and is_better((option, own), (taken, members)):
            taken, members = option, own
    return taken, members, (taken.name, *(name for name in names if name != taken.name))


def is_better(
    new: tuple[Candidate, Sequence[Member]], old: tuple[Candidate, Sequence[Member]], surely: float = SURELY
) -> bool:
    """Whether a candidate is better on its folds, by so many standard errors of the difference: by row, or by the judge there is."""
    first, second = old[0].problem.judge, new[0].problem.judge
    pairs = [members[: len(new[1])] for members in (old[1], new[1])]
    if first is None or second is None:
        before, after = (
            np.concatenate([candidate.wrong(member) for member in members])
            for candidate, members in zip((old[0], new[0]), pairs, strict=True)
        )
        counts = np.concatenate([new[0].weights(member) for member in pairs[1]])
        share, better = counts / counts.sum(), before - after
        mean = np.sum(share * better)
        return bool(mean > surely * np.sqrt(np.sum(np.square(share * (better - mean)))))
    rows = np.concatenate([member.assignment.held for member in pairs[0]])
    said = [np.concatenate([member.said for member in members]) for members in pairs]
    return surely_less(
        lambda kept: first(said[0][kept], rows[kept]) - second(said[1][kept], rows[kept]), len(rows), surely
    )
