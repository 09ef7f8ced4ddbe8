"""Looks at the rows held out, between epochs: beside the next epoch where they are many and a core is free for it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.rows import BLOCKS
from chainrule.engines.threads import Threads
from chainrule.network import Network
from chainrule.network.copying import renewed
from chainrule.tabular.learning.problem import Problem
from chainrule.tabular.learning.unseen import Best, Unseen
from chainrule.training import EpochEnd, History

MANY = 8192
"""About so many rows are asked for at a time: they are worth a thread, and take little room beside all of them."""


class Looks:
    """What a network says of the rows held out after every epoch.

    One that goes on while the next epoch changes the network asks another one with the parameters as they were.

    Parameters
    ----------
    problem : Problem
    held : int array
        The rows held out; of none nothing is asked.
    seed : int
    network : Network
        The one that is trained, built for these rows.
    engine : str
    threads : int
        How many there are for this network; with one alone, or few rows, a look is taken before the next epoch begins.
    """

    def __init__(
        self, problem: Problem, held: NDArray[np.intp], seed: int, network: Network, engine: str, threads: int
    ) -> None:
        self._problem, self._held, self._engine, self._threads = problem, held, engine, threads
        self._best, self._unseen = Best(problem, held), Unseen(problem, held, seed)
        self._pool = Threads(1) if threads > 1 and len(held) > MANY else None
        self._network = network if self._pool is None else problem.meant(renewed(network))
        self._going_on: Future[None] | None = None

    def see(self, end: EpochEnd) -> None:
        """Take a look at what this epoch has made of the network, once the one before has ended."""
        if not len(self._held):
            return
        if self._pool is None:
            self._look(end)
        else:
            self.wait()
            self._network.parameters = end.parameters
            self._going_on = self._pool.submit(self._look, end)

    def wait(self) -> None:
        """Come back when no look goes on."""
        if self._going_on is not None:
            self._going_on.result()

    def restore(self, network: Network, history: History) -> None:
        """Give the trained network the weights of its best epoch, and the history how wrong it was in each."""
        self.wait()
        self._best.restore(network, history)

    def state_dict(self) -> dict[str, Any]:
        """What has been seen so far, as values."""
        self.wait()
        return {"best": self._best.state_dict(), "unseen": self._unseen.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._best.load_state_dict(state["best"])
        self._unseen.load_state_dict(state["unseen"])

    def close(self) -> None:
        """Let go of the thread."""
        if self._pool is not None:
            self._pool.shutdown()

    @property
    def said(self) -> NDArray[Any]:
        """What was said of the rows held out, as if they had not chosen the epoch."""
        return self._unseen.said if len(self._held) else self._problem.nothing_said

    def _look(self, end: EpochEnd) -> None:
        said = self._problem.probabilities(self._outputs())
        self._unseen.see(said)
        self._best.see(said, end)

    def _outputs(self) -> NDArray[Any]:
        """The raw outputs of the rows, of some thousand at a time, shared out to threads."""
        rows = self._held
        size = -(-len(rows) // max(1, len(rows) // MANY) // BLOCKS[0]) * BLOCKS[0]
        pieces = [rows[begin : begin + size] for begin in range(0, len(rows), size)]

        def outputs(piece: NDArray[np.intp]) -> NDArray[Any]:
            return np.asarray(self._network(self._problem.X[piece], engine=self._engine))

        if self._threads == 1 or len(pieces) == 1:
            return np.concatenate([*map(outputs, pieces)])
        with Threads(min(self._threads, len(pieces))) as pool:
            return np.concatenate([*pool.map(outputs, pieces)])
