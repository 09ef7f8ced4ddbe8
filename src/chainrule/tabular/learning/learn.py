"""A table learned: what is to be done is planned, done in the time there is, and what came out put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import cores
from chainrule.tables import Preparation, Target
from chainrule.tabular.learning.deadline import Asked, Deadline
from chainrule.tabular.learning.ensemble import out_of_fold, together
from chainrule.tabular.learning.folds import folds, latest, unless_idle
from chainrule.tabular.learning.judging import Judge
from chainrule.tabular.learning.learned import Learned
from chainrule.tabular.learning.members import Finished
from chainrule.tabular.learning.plan import Plan, plan
from chainrule.tabular.learning.problem import Problem
from chainrule.tabular.learning.processes import processes_for
from chainrule.tabular.learning.recipe import Recipe
from chainrule.tabular.learning.search import AS_USUAL, Candidate, Rescaled, changes
from chainrule.tabular.learning.work import Work
from chainrule.training.metrics import metric_for

LATEST = 0.2
"""The share of the rows, the latest ones, that networks are watched by where rows have times."""

FEWEST_TO_HOLD_OUT = 20
"""With fewer rows none are held out: networks learn from all, for as long as is usual."""


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
    processes: int | None = None,
    amounts: NDArray[np.float64] | None = None,
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
    processes : int, optional
        How many processes of this machine train networks, one each at a time; by default this one alone.
    amounts : float64 array, (rows,), optional
        The amounts as they stand in the table, which scores are of; by default what is restored of `y`.
    """
    began, deadline, target = time.monotonic(), Deadline(seconds, asked), preparation.target
    amounts = None if target.classes else target.restored(y) if amounts is None else amounts
    judge = None if metric is None else _judge(metric, target, y if amounts is None else amounts, counted)
    problem = Problem(X, y, preparation.features, len(target.classes), weights, judge)
    usual = Candidate(AS_USUAL, recipe, problem, preparation)
    options = changes(usual, others) if search and folds > 1 and len(y) >= FEWEST_TO_HOLD_OUT else []
    threads = threads or (cores.most() if finished is None else finished.threads)

    def planned(recipe: Recipe) -> Plan:
        cost, batch = recipe.weights(problem.features, problem.outputs), recipe.batch(len(y))
        return plan(len(y), cost, batch, seconds, threads, folds, 1 + len(options))

    recipe = recipe.for_rows(len(y), lambda fitted: epochs or planned(fitted).epochs)
    intended = planned(recipe)
    if epochs is not None:
        intended = replace(intended, epochs=epochs, wanted=0)
    parts = _held_out(y, intended, seed, groups, order, weights)
    with processes_for(processes) as elsewhere:
        work = Work(problem, recipe, intended, parts, groups, seed, deadline, threads, progress, finished, elsewhere)
        option, members, names = work.searched(replace(usual, recipe=recipe), options)
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
        interrupted=work.interrupted,
        ended_by=deadline.asked.by,
        chosen_by="loss" if judge is None else judge.metric.title,
        amounts=amounts,
    )


def _judge(metric: str, target: Target, truth: NDArray[Any], weights: NDArray[Any] | None) -> Judge:
    """What chooses by this metric."""
    chosen = metric_for(target.task, metric)
    return Judge(chosen, truth, weights, None if target.classes else target.restored)


def _held_out(
    y: NDArray[Any], intended: Plan, seed: int, groups: Any, order: Any, weights: NDArray[Any] | None
) -> list[NDArray[np.intp]]:
    """The rows that each network is watched by."""
    if (len(y) if weights is None else np.count_nonzero(weights)) < FEWEST_TO_HOLD_OUT:
        return [np.empty(0, np.intp)] * intended.members
    if order is not None:
        parts = [latest(order, LATEST)[1]] * intended.members
    elif intended.folds == 1:
        parts = folds(y, 5, seed, groups, weights)[:1]
    else:
        seeds = range(seed, seed + intended.repeats)
        parts = [part for own in seeds for part in folds(y, intended.folds, own, groups, weights)]
    if weights is not None:
        unless_idle(weights, parts, groups)
    return parts
