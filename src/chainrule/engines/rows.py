"""Functions of rows: made for blocks of rows, so that a few Programs serve any number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.engines.choice import REFERENCE, refuse
from chainrule.engines.engine import Engine, Executable, Workspace, Workspaces
from chainrule.errors import UnsupportedError
from chainrule.tracing import Program
from chainrule.tracing.passes.any_rows import keeps_apart

BLOCKS = (256, 16, 1)
"""Rows that a function takes at once. The largest block there are rows for is used; the last block of a call begins
early enough to be whole, so that some rows are computed twice."""


class RowFunction:
    """A function of held arrays, the same for all rows, and of arrays of rows.

    Parameters
    ----------
    trace : callable
        Gives the simplified Program for so many rows: held inputs first, then arrays whose first axis runs over the
        rows; every output has that axis. The last output is a check, and rows for which it is not 0 have no result.
    held : int
        How many inputs are held.
    engine : Engine
        What computes it.

    Raises
    ------
    UnsupportedError
        When the engine refuses, or when rows depend on each other.
    """

    def __init__(self, trace: Callable[[int], Program], held: int, engine: Engine) -> None:
        self._trace, self.held, self._engine = trace, held, engine
        self._functions: dict[int, Executable] = {}
        self._workspaces = {block: Workspaces() for block in BLOCKS}
        refuse(engine, trace(BLOCKS[-2]), task="compute these outputs")
        if not keeps_apart(trace, held, BLOCKS[-2]):
            raise UnsupportedError(
                "a row's outputs depend on other rows, or on their number, or cannot be shown not to, and the engine "
                f"{engine.name!r} takes rows in blocks. Use engine={REFERENCE.name!r}."
            )

    def __call__(self, held: Sequence[Any], arrays: Sequence[Any]) -> list[Any] | None:
        """The outputs for all rows, the check left out; `None` if the check refuses one."""
        block = block_for(len(arrays[0]))
        workspaces = self._workspaces[block]
        workspace = workspaces.take(self.workspace, block)
        for place, value in zip(workspace.inputs, held, strict=False):
            place[...] = value
        outputs = run(workspace, self.held, block, arrays)
        workspaces.append(workspace)
        return outputs

    def workspace(self, block: int) -> Workspace:
        """A workspace for blocks of so many rows, whose function is made when it is asked for first."""
        function = self._functions.get(block)
        if (
            function is None
        ):  # without a lock, in which a copy of the process could be caught; the first one made counts
            function = self._functions.setdefault(block, self._engine.executable(self._trace(block)))
        return function.workspace()


class HeldFunction:
    """A row function with its held arrays, which must not change any more, ready to be called again and again."""

    def __init__(self, function: RowFunction, held: Sequence[Any]) -> None:
        self._function = function
        self._held = list(held)
        self._workspaces = {block: Workspaces() for block in BLOCKS}

    def __call__(self, arrays: Sequence[Any]) -> list[Any] | None:
        """The outputs for all rows, as the row function gives them."""
        block = block_for(len(arrays[0]))
        workspaces = self._workspaces[block]
        workspace = workspaces.take(self.workspace, block)
        outputs = run(workspace, self._function.held, block, arrays)
        workspaces.append(workspace)
        return outputs

    def workspace(self, block: int) -> Workspace:
        """A workspace for blocks of so many rows, with the held arrays in it."""
        workspace = self._function.workspace(block)
        for place, value in zip(workspace.inputs, self._held, strict=False):
            place[...] = value
        return workspace


def block_for(rows: int) -> int:
    """The block for so many rows."""
    return next(block for block in BLOCKS if block <= rows)


def run(workspace: Workspace, held: int, block: int, arrays: Sequence[Any]) -> list[Any] | None:
    """All rows, block by block; `None` if a check is not 0."""
    rows = len(arrays[0])
    places = workspace.inputs[held:]
    if rows == block:
        for place, array in zip(places, arrays, strict=True):
            place[...] = array
        *outputs, check = workspace.run()
        return None if np.count_nonzero(check) else [x.copy() for x in outputs]
    results: list[Any] = []
    for begin in (*range(0, rows - block, block), rows - block):
        part = slice(begin, begin + block)
        for place, array in zip(places, arrays, strict=True):
            place[...] = array[part]
        *outputs, check = workspace.run()
        if np.count_nonzero(check):
            return None
        results = results or [np.empty((rows, *x.shape[1:]), x.dtype) for x in outputs]
        for result, x in zip(results, outputs, strict=True):
            result[part] = x
    return results
