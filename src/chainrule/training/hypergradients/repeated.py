"""A step that is repeated: traced, and made ready to run on its data, with its state nested as the step has it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.engines import Engine, TrainingLoop, make_runner
from chainrule.tracing import simplify, trace, trees
from chainrule.training.cache import Cache
from chainrule.training.objective import types_of
from chainrule.training.steps.blocks import BLOCK_SECONDS

_loops = Cache()


class Repeated:
    """A loop over a step `(state, rows of data, *scalars) → (new state, what is reported)`.

    Parameters
    ----------
    step : callable
        Plain NumPy code.
    state : container of arrays
        For its shapes.
    data : container of arrays
        Read where they lie: what is written into them between runs is read by the next.
    size : int
        Rows in a batch.
    scalars : sequence of types
    engine : str
    key
        What the step is made from besides shapes; a loop of the same key and shapes is taken from an earlier time. `None`
        for one that is made anew.
    """

    def __init__(
        self,
        step: Callable[..., Any],
        state: Any,
        data: Any,
        size: int,
        scalars: Sequence[Any],
        engine: str | Engine,
        key: Any = None,
    ) -> None:
        arrays = trees.flatten(data)[0]
        leaves, self._structure = trees.flatten(state)

        def program(rows: int) -> Any:
            return simplify(trace(step, types_of(state), types_of(data, rows), *scalars))

        def make() -> TrainingLoop:
            return TrainingLoop(program(size), program(rest) if rest else None, len(leaves), size)

        rest = len(arrays[0]) % size
        kinds = tuple((x.shape, x.dtype) for x in (*leaves, *(x[:size] for x in arrays)))
        same = self._structure, trees.flatten(data)[1], kinds, size, rest, len(scalars)
        loop: TrainingLoop = _loops.find(None if key is None else (key, same), make)
        self.data, self._runner = data, make_runner(loop, arrays, engine)
        self._reported = loop.step.outputs_structure.children[1]
        self._shapes = [x.shape for x in loop.step.outputs[loop.state :]]
        self._ends = np.cumsum([0, *map(math.prod, self._shapes)])
        self._at_once = 1

    def load(self, state: Any) -> None:
        """Go on from this state."""
        self._runner.load(trees.flatten(state)[0])

    @property
    def state(self) -> Any:
        """The state after the last step."""
        return trees.unflatten(self._structure, self._runner.state)

    def run(self, order: Any, first: int, count: int, scalars: list[Any]) -> Any:
        """Carry out steps (see `Runner`), in calls between which Ctrl-C is heard; gives what they report, along a first axis."""
        found: Any = None
        done = 0
        while done < count or found is None:
            steps, began = min(self._at_once, count - done), time.perf_counter()
            part = self._runner.run(order, first + done, steps, [x[done : done + steps] for x in scalars])
            if found is None:
                found = part if steps == count else np.empty((count, *part.shape[1:]), part.dtype)
            found[done : done + steps] = part
            done += steps
            if steps == self._at_once:
                seconds = max(time.perf_counter() - began, 1e-9)
                self._at_once = max(1, min(2 * steps, int(BLOCK_SECONDS * steps / seconds)))
        parts = [
            np.reshape(found[:, begin:end], (count, *shape))
            for begin, end, shape in zip(self._ends, self._ends[1:], self._shapes, strict=False)
        ]
        return trees.unflatten(self._reported, parts)
