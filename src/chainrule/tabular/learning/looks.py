"""Looks at the rows held out, between epochs: beside the next epoch where they are many and a core is free for it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.choice import COMPILER
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

    One that goes on while the next epoch changes the network asks another one with the parameters as they were. Both have half of the
    threads then: threads of a training wait for each other, so one that has to share its core holds up all.

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
    epochs : int
        How many there are to be, after the last of which nothing goes on beside a look.
    """

    def __init__(
        self,
        problem: Problem,
        held: NDArray[np.intp],
        seed: int,
        network: Network,
        engine: str,
        threads: int,
        epochs: int,
    ) -> None:
        self._problem, self._held, self._engine, self._threads, self._epochs = problem, held, engine, threads, epochs
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
        beside = self._pool is not None and end.epoch + 1 < self._epochs
        threads = -(-self._threads // 2) if beside else self._threads
        with self._sharing() if beside else nullcontext():
            said = self._problem.probabilities(self._outputs(threads))
        self._unseen.see(said)
        self._best.see(said, end)

    def _sharing(self) -> AbstractContextManager[None]:
        """While it lasts the training has half of the threads, where several carry out its steps."""
        if self._engine != COMPILER:
            return nullcontext()
        from chainrule.engines.llvm.threads.thread_choice import side_by_side  # loaded by the training, with LLVM

        return side_by_side(2)

    def _outputs(self, threads: int) -> NDArray[Any]:
        """The raw outputs of the rows, of some thousand at a time, shared out to so many threads."""
        rows = self._held
        size = -(-len(rows) // max(1, len(rows) // MANY) // BLOCKS[0]) * BLOCKS[0]
        pieces = [rows[begin : begin + size] for begin in range(0, len(rows), size)]

        def outputs(piece: NDArray[np.intp]) -> NDArray[Any]:
            return np.asarray(self._network(self._problem.X[piece], engine=self._engine))

        if threads == 1 or len(pieces) == 1:
            return np.concatenate([*map(outputs, pieces)])
        with Threads(min(threads, len(pieces))) as pool:
            return np.concatenate([*pool.map(outputs, pieces)])
