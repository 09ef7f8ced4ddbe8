"""The networks of an ensemble: each trained on other rows, side by side in threads, until all are done or time is up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import cores
from chainrule.engines.choice import AUTO, COMPILER, ENGINES
from chainrule.engines.threads import Threads
from chainrule.errors import DivergedError
from chainrule.network import Network
from chainrule.tabular.learning.deadline import Deadline
from chainrule.tabular.learning.looks import Looks
from chainrule.tabular.learning.plan import passes_between_looks
from chainrule.tabular.learning.problem import Problem
from chainrule.tabular.learning.recipe import Recipe
from chainrule.tabular.learning.under_way import UnderWay
from chainrule.training import History
from chainrule.training.data import ChosenRows
from chainrule.training.schedules import OnPlateau

HEARD = 0.1
"""Seconds between two looks at whether the user wants to stop."""


@dataclass(frozen=True, eq=False)
class Assignment:
    """What one network is to do.

    Attributes
    ----------
    recipe : Recipe
    learned, held : int arrays
        Rows it learns from, and rows it is watched by; none held where there are too few.
    epochs, seed : int
    least : int
        Epochs that it makes also where time is up, unless somebody ends it.
    """

    recipe: Recipe
    learned: NDArray[np.intp]
    held: NDArray[np.intp]
    epochs: int
    seed: int
    least: int = 0


@dataclass(frozen=True, eq=False)
class Member:
    """A network that was trained.

    Attributes
    ----------
    network : Network
    layers : tuple
        Its layers.
    assignment : Assignment
    said : array, (held rows, classes) or (held rows,)
        Probabilities of classes, or scaled amounts, of the rows that were held out.
    history : History
        How it went, from one look at the rows held out to the next.
    epochs : int
        Passes over its rows; fewer than assigned where time was up.
    """

    network: Network
    layers: tuple[Any, ...]
    assignment: Assignment
    said: NDArray[Any]
    history: History
    epochs: int


Places = Callable[[Problem, Assignment], UnderWay]
"""Where a network that is to do this is kept while it is trained; it can be pickled."""


class Finished(Protocol):
    """Where networks are that have been trained, by what each was to do."""

    @property
    def threads(self) -> int:
        """For how many threads the training is planned."""

    def find(self, problem: Problem, own: Assignment) -> Member | None:
        """The network that has done this, if there is one."""

    def keep(self, problem: Problem, own: Assignment, member: Member) -> None:
        """Note one that was trained."""

    @property
    def places(self) -> Places:
        """Where those that are being trained are kept."""


class Elsewhere(Protocol):
    """What trains networks in place of this process."""

    @property
    def count(self) -> int:
        """How many at a time."""

    def trained(
        self, problem: Problem, own: Assignment, deadline: Deadline, threads: int, note: Callable[[float], None],
        places: Places | None,
    ) -> Member:  # fmt: skip
        """One network."""


def train(
    problem: Problem,
    assignments: Sequence[Assignment],
    deadline: Deadline,
    *,
    threads: int | None = None,
    progress: Callable[[float], None] = lambda done: None,
    finished: Finished | None = None,
    elsewhere: Elsewhere | None = None,
) -> tuple[list[Member], bool]:
    """The networks, in order, and whether somebody ended it; at least one, and those that time allows.

    A network begun when time is up keeps the best weights it had. Bits do not depend on the number of threads, nor on where they
    are trained. Networks that are finished already are taken from there, and others noted.
    """
    threads = threads or cores.most()
    most, by = (threads, trained) if elsewhere is None else (elsewhere.count, elsewhere.trained)
    each = max(1, threads // len(assignments))
    done = [0.0] * len(assignments)

    def one(place: int) -> Member | None:
        own = assignments[place]
        member = None if finished is None else finished.find(problem, own)
        if member is not None or (place and deadline.is_over):
            return member

        def note(share: float) -> None:
            done[place] = share
            progress(sum(done))

        member = by(problem, own, deadline, each, note, None if finished is None else finished.places)
        if finished is not None:
            finished.keep(problem, own, member)
        return member

    with Threads(min(most, len(assignments))) as pool:
        futures = [pool.submit(one, place) for place in range(len(assignments))]
        left = set(futures)
        while left:
            try:
                _, left = wait(left, HEARD, FIRST_COMPLETED)
            except KeyboardInterrupt:  # of a host that has a handler of its own
                deadline.asked.set()
        members = [member for future in futures if (member := future.result()) is not None]
    return members, deadline.asked.is_set()


def trained(
    problem: Problem, own: Assignment, deadline: Deadline, threads: int, note: Callable[[float], None],
    places: Places | None,
) -> Member:  # fmt: skip
    """One network, trained; with a tenth of the rate where the recipe's own makes it diverge."""
    try:
        return _attempt(problem, own, deadline, threads, note, places)
    except DivergedError:
        calmer = replace(own.recipe, learning_rate=own.recipe.learning_rate / 10)
        return _attempt(problem, replace(own, recipe=calmer), deadline, threads, note, places)


def _engine() -> str:
    """What carries out training and watching: machine code by name, so that both are, and what there is without it."""
    return COMPILER if ENGINES[COMPILER].missing is None else AUTO


def _attempt(
    problem: Problem, own: Assignment, deadline: Deadline, threads: int, note: Callable[[float], None],
    places: Places | None,
) -> Member:  # fmt: skip
    recipe, X, engine = own.recipe, problem.X, _engine()
    batch = recipe.batch(len(own.learned))
    passes = passes_between_looks(own.epochs, -(-len(own.learned) // batch))
    looks, learned = own.epochs // passes, np.tile(own.learned, passes)
    layers = recipe.layers(problem.features, X, problem.outputs)
    under_way = None if places is None else places(problem, own)
    begun = None if under_way is None else under_way.begun()
    network = problem.meant(Network(layers, seed=own.seed)) if begun is None else begun[0]
    seen = Looks(problem, own.held, own.seed, network, engine, threads, looks)
    if begun is not None:
        seen.load_state_dict(begun[1])
    weights = None if problem.weights is None else problem.weights[learned]
    optimizer = recipe.optimizer(looks)
    held: tuple[NDArray[Any], ...] | None = None
    if len(own.held) and isinstance(optimizer.learning_rate, OnPlateau):  # which sees what the training itself measures
        held = (X[own.held], problem.y[own.held]) + (() if problem.weights is None else (problem.weights[own.held],))

    def each_epoch(end: Any) -> bool:
        seen.see(end)
        note((end.epoch + 1) / looks)
        asked = deadline.asked.is_set()
        if under_way is not None:
            under_way.note(network, end, seen.state_dict(), at_once=asked)
        return deadline.is_over if passes * (end.epoch + 1) >= own.least else asked

    with closing(seen):
        history = network.fit(
            ChosenRows(X, learned),
            problem.y[learned],
            loss=problem.loss(recipe.label_smoothing),
            optimizer=optimizer,
            epochs=looks,
            batch_size=batch,
            sample_weight=weights,
            l2=recipe.l2,
            seed=own.seed,
            callbacks=[each_epoch],
            engine=engine,
            threads=None if threads >= cores.most() else threads,  # of all that there are as many as pay
            progress=False,
            validation_data=held,
            continue_from=network.run,
        )
        seen.restore(network, history)
    return Member(network, layers, own, seen.said, history, passes * history.epochs)
