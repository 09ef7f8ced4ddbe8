"""A table learned: prepared, divided into folds, recipes tried, networks trained in the time there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import cores
from chainrule.network import Network
from chainrule.tables import Preparation, Target
from chainrule.tables.options import counted
from chainrule.tabular.deadline import Asked, Deadline
from chainrule.tabular.ensemble import OutOfFold, out_of_fold, together
from chainrule.tabular.folds import folds, latest
from chainrule.tabular.folds import others as beside
from chainrule.tabular.importance import Predictor, predictors_of
from chainrule.tabular.judging import Judge
from chainrule.tabular.members import Assignment, Finished, Member, train
from chainrule.tabular.metrics import metric_for
from chainrule.tabular.plan import Plan, least_epochs, plan
from chainrule.tabular.problem import Problem
from chainrule.tabular.recipe import Recipe
from chainrule.tabular.search import AS_USUAL, Candidate, Rescaled, changes, searched
from chainrule.tabular.shortfall import shortfall
from chainrule.training import History

LATEST = 0.2
"""The share of the rows, the latest ones, that networks are watched by where rows have times."""

FEWEST_TO_HOLD_OUT = 20
"""With fewer rows none are held out: networks learn from all, for as long as is usual."""


@dataclass(frozen=True, eq=False)
class Learned:
    """What came out of it.

    Attributes
    ----------
    network : Network
        The mean of all members.
    preparation : Preparation
        With the scales that were taken.
    X : float32 array, (rows, features)
        The rows as this prepares them.
    y : array, (rows,)
        What each is: class numbers, or amounts as this scales them.
    out_of_fold : OutOfFold
        What was said of rows by networks that had not seen them.
    plan : Plan
        What was to be done.
    recipe : Recipe
    tried : tuple of str
        The recipes that were tried, the one taken first.
    epochs : tuple of int
        How many each has made.
    members : tuple of Member
        The networks, each with the rows that it had not seen.
    histories : tuple of History
        How each went.
    seconds : float
    interrupted : bool
        Whether Ctrl-C ended it.
    ended_by : int
        The number of the signal that did; SIGINT for Ctrl-C.
    chosen_by : str
        The metric that chose epochs and recipes, or "loss".
    """

    network: Network
    preparation: Preparation
    X: NDArray[np.float32]
    y: NDArray[Any]
    out_of_fold: OutOfFold
    plan: Plan
    recipe: Recipe
    tried: tuple[str, ...]
    epochs: tuple[int, ...]
    members: tuple[Member, ...]
    histories: tuple[History, ...]
    seconds: float
    interrupted: bool
    ended_by: int
    chosen_by: str = "loss"

    @property
    def truth(self) -> NDArray[Any]:
        """What each row is: class numbers, or amounts in the table's units."""
        target = self.preparation.target
        return self.y if target.classes else np.asarray(target.restored(self.y))

    @property
    def predictors(self) -> list[Predictor]:
        """The networks, each with the rows that it had not seen."""
        networks, held = [x.network for x in self.members], [x.assignment.held for x in self.members]
        return predictors_of(networks, held, self.preparation.target)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was not as it was to be: time that was short, and rows that neither taught nor were held out."""
        unused = len(self.out_of_fold.unused) if len(self.out_of_fold.rows) else 0
        idle = f"{counted(unused, 'earlier row')} of groups that are held out taught nothing"
        return (*shortfall(self.plan, self.epochs, self.seconds, self.interrupted), *[idle] * bool(unused))

    @property
    def settings(self) -> dict[str, object]:
        """How it was done, by names."""
        done = {
            "networks": len(self.members),
            "epochs": ", ".join(map(str, self.epochs)),
            "seconds": round(self.seconds, 1),
            "chosen by": self.chosen_by,
        }
        return {**done, "recipes tried": ", ".join(self.tried), **vars(self.recipe)}


def learn(
    X: NDArray[np.float32],
    y: NDArray[Any],
    preparation: Preparation,
    *,
    recipe: Recipe = Recipe(),  # noqa: B008 (frozen)
    search: bool = True,
    seconds: float | None = 10.0,
    folds: int = 5,
    epochs: int | None = None,
    weights: NDArray[Any] | None = None,
    counted: NDArray[Any] | None = None,
    groups: Any = None,
    order: Any = None,
    metric: str | None = None,
    others: Sequence[Rescaled] = (),
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[float], None] = lambda share: None,
    asked: Asked | None = None,
    finished: Finished | None = None,
) -> Learned:
    """Networks for prepared rows, whose mean is one network.

    Parameters
    ----------
    X : float32 array, (rows, features)
    y : array, (rows,)
        What the preparation's target makes of the rows: class numbers, or scaled amounts.
    preparation : Preparation
    recipe : Recipe
        What is begun with.
    search : bool
        Whether others are tried.
    seconds : float, optional
        The time there is; `None` is as long as it takes.
    folds : int
        Parts of the rows, each of which is held out once; 1 trains one network, watched by a fifth of the rows.
    epochs : int, optional
        How many every network makes; by default as many as suit the rows and the time.
    weights, counted : array, (rows,), optional
        How much each row counts in the loss; and in the metric.
    groups, order : array, (rows,), optional
        Rows of one group are held out together; of rows with an order the latest are, and earlier ones of their groups teach
        nothing.
    metric : str, optional
        What chooses epochs and recipes; by default the loss.
    others : sequence of Rescaled
        The same rows with other scales, which are tried as well.
    seed : int
    threads : int, optional
        How many networks are trained side by side; by default what OMP_NUM_THREADS says, or as many as there are cores.
    progress : callable
        Told the share of the work that is done, or of the time that is gone where that is more.
    asked : Asked, optional
        Set by who wants it to end; what was learned by then is what comes out.
    finished : Finished, optional
        Networks that an earlier training of the same has finished, and where those of this one are noted.
    """
    began = time.monotonic()
    deadline = Deadline(seconds, asked)
    target = preparation.target
    amounts = None if target.classes else target.restored(y)
    judge = None if metric is None else _judge(metric, target, y if amounts is None else amounts, counted)
    problem = Problem(X, y, preparation.features, len(target.classes), weights, judge)
    threads = threads or cores.most()
    usual = Candidate(AS_USUAL, recipe, problem, preparation)
    options = changes(usual, others) if search and folds > 1 and len(y) >= FEWEST_TO_HOLD_OUT else []

    def planned(recipe: Recipe) -> tuple[Plan, int]:
        cost = recipe.weights(problem.features, problem.outputs)
        return plan(len(y), cost, recipe.batch(len(y)), seconds, threads, folds, 1 + len(options)), cost

    recipe = recipe.for_rows(len(y), lambda fitted: epochs or planned(fitted)[0].epochs)
    usual = replace(usual, recipe=recipe)
    intended, cost = planned(recipe)
    options = options[: intended.recipes - 1]
    if epochs is not None:
        intended = replace(intended, epochs=epochs, wanted=0)
    least = least_epochs(len(y), cost, recipe.batch(len(y)))
    parts = _held_out(y, intended, seed, groups, order)
    progress(0.0)

    def assignments(candidate: Candidate, chosen: range) -> list[Assignment]:
        return [
            Assignment(candidate.recipe, beside(len(y), parts[k], groups), parts[k], intended.epochs, seed + k, least)
            for k in chosen
        ]

    def told(before: int) -> Callable[[float], None]:
        return lambda done: progress(min(1.0, max((before + done) / work, deadline.share)))

    first, interrupted, begun = intended.tried, False, 0
    work = first * len(options) + len(parts)

    def trained(candidate: Candidate, chosen: range) -> list[Member]:
        nonlocal interrupted, begun
        own = assignments(candidate, chosen)
        members, interrupted = train(
            candidate.problem, own, deadline, threads=threads, progress=told(begun), finished=finished
        )
        begun += len(own)
        return members

    def in_time(number: int) -> bool:
        return not interrupted and deadline.share <= first * (number + 2) / work  # by then it was to be done

    # What is tried of the recipe that is taken is not lost.
    option, members = usual, list[Member]()
    names: tuple[str, ...] = (usual.name,)
    if first:
        option, members, names = searched(usual, options, first, trained, in_time)
    if len(members) < len(parts) and not (members and (interrupted or deadline.is_over)):
        begun = work - (len(parts) - len(members))
        members += trained(option, range(len(members), len(parts)))
    labels = np.array(target.classes) if problem.classes else None
    return Learned(
        network=together(option.problem, members, labels),
        preparation=option.preparation,
        X=option.problem.X,
        y=option.problem.y,
        out_of_fold=out_of_fold(option.problem, members),
        plan=intended,
        recipe=option.recipe,
        tried=names,
        epochs=tuple(member.epochs for member in members),
        members=tuple(members),
        histories=tuple(member.history for member in members),
        seconds=time.monotonic() - began,
        interrupted=interrupted,
        ended_by=deadline.asked.by,
        chosen_by="loss" if judge is None else judge.metric.title,
    )


def _judge(metric: str, target: Target, truth: NDArray[Any], weights: NDArray[Any] | None) -> Judge:
    """What chooses by this metric."""
    chosen = metric_for(target.task, metric)
    return Judge(chosen, truth, weights, None if target.classes else target.restored)


def _held_out(y: NDArray[Any], intended: Plan, seed: int, groups: Any, order: Any) -> list[NDArray[np.intp]]:
    """The rows that each network is watched by."""
    if len(y) < FEWEST_TO_HOLD_OUT:
        return [np.empty(0, np.intp)] * intended.members
    if order is not None:
        return [latest(order, LATEST)[1]] * intended.members
    if intended.folds == 1:
        return folds(y, 5, seed, groups)[:1]
    return [part for repeat in range(intended.repeats) for part in folds(y, intended.folds, seed + repeat, groups)]
