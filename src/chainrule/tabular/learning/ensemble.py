"""The members of an ensemble as one network, and what they say of the rows each had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.network import Network
from chainrule.nn.ensembles import Average
from chainrule.nn.layers import Dropout
from chainrule.tabular.learning.members import Member
from chainrule.tabular.learning.problem import Problem


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What was said of rows by networks that had not learned from them.

    Attributes
    ----------
    rows : int array, (rows held out,)
        Which rows, ascending.
    said : array, (rows held out, classes) or (rows held out,)
        Probabilities of classes, or scaled amounts; the mean where several networks had not seen a row.
    fold : int array, (rows held out,)
        In which part each row was when it was first held out.
    unused : int array
        Rows that were neither held out nor learned from.
    """

    rows: NDArray[np.intp]
    said: NDArray[np.float64]
    fold: NDArray[np.intp]
    unused: NDArray[np.intp]


def together(problem: Problem, members: Sequence[Member], labels: NDArray[Any] | None = None) -> Network:
    """One network that gives the members' mean, of probabilities or of amounts; one member alone is that network.

    Dropout, which says nothing where nothing is learned, is left out of it: one row takes a third less time so.
    """
    if len(members) == 1:
        return problem.meant(members[0].network, labels)
    rows = tuple(tuple(x for x in member.layers if not isinstance(x, Dropout)) for member in members)
    average = Average(rows, "probabilities" if problem.classes else "outputs")
    network = problem.meant(Network([average], seed=members[0].assignment.seed), labels)
    own = [layer for member in members for layer in member.network.parameters.values()]
    network.parameters = dict(zip(network.parameters, own, strict=True))
    return network


def out_of_fold(problem: Problem, members: Sequence[Member]) -> OutOfFold:
    """What the members said of the rows they had not seen."""
    total = np.zeros((len(problem.X), *((problem.classes,) if problem.classes else ())))
    times, fold = np.zeros(len(problem.X)), np.full(len(problem.X), -1)
    unused = np.ones(len(problem.X), bool)
    for number, member in enumerate(members):
        held = member.assignment.held
        total[held] += member.said
        times[held] += 1
        unused[held] = unused[member.assignment.learned] = False
        fold[held[fold[held] < 0]] = number
    rows = np.flatnonzero(times)
    counts = times[rows].reshape(-1, *[1] * (total.ndim - 1))
    return OutOfFold(rows, total[rows] / counts, fold[rows], np.flatnonzero(unused))
