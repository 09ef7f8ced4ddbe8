"""Functions of rows in machine code: compiled for blocks of rows, so that a few compilations serve any number."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from chainrule.engines.compilation import load_compiler
from chainrule.errors import UnsupportedError
from chainrule.tracing import Program
from chainrule.tracing.rowwise import is_rowwise

BLOCKS = (256, 16, 1)
"""Rows that a kernel takes at once. The largest block there are rows for is used; the last block of a call begins
early enough to be whole, so that some rows are computed twice."""


class _Workspaces(threading.local):
    """This thread's memory for blocks of every size."""

    def __init__(self) -> None:
        self.by_block: dict[int, Any] = {}


class RowFunction:
    """A function of held arrays, the same for all rows, and of arrays of rows.

    Parameters
    ----------
    trace : callable
        Gives the simplified Program for so many rows: held inputs first, then arrays whose first axis runs over the
        rows; every output has that axis. The last output is a check, and rows for which it is not 0 have no result.
    held : int
        How many inputs are held.

    Raises
    ------
    UnsupportedError
        When an operation has no machine code, when llvmlite is missing, or when rows depend on each other.
    """

    def __init__(self, trace: Callable[[int], Program], held: int) -> None:
        self._trace, self.held = trace, held
        self._kernels: dict[int, Any] = {}
        self._workspaces = _Workspaces()
        self._refuse_what_cannot_be(trace(BLOCKS[-2]))

    def __call__(self, held: Sequence[Any], arrays: Sequence[Any]) -> list[Any] | None:
        """The outputs for all rows, the check left out; `None` if the check refuses one."""
        block = block_for(len(arrays[0]))
        workspaces = self._workspaces.by_block
        workspace = workspaces.get(block)
        if workspace is None:
            workspace = workspaces[block] = self.workspace(block)
        for place, value in zip(workspace.inputs, held, strict=False):
            place[...] = value
        return run(workspace, self.held, block, arrays)

    def workspace(self, block: int) -> Any:
        """Memory for calls on blocks of so many rows, compiled for when they are asked for first."""
        load_compiler()
        from chainrule.engines.llvm.kernel import Kernel, Workspace

        kernel = self._kernels.get(block)
        if kernel is None:  # without a lock, in which a copy of the process could be caught; the first one made counts
            kernel = self._kernels.setdefault(block, Kernel(self._trace(block)))
        return Workspace(kernel)

    def _refuse_what_cannot_be(self, program: Program) -> None:
        if find_spec("llvmlite") is None:
            raise UnsupportedError(
                "there is no machine code here, because llvmlite is not installed; use engine='numpy'."
            )
        load_compiler()
        from chainrule.engines.llvm.lowering import unsupported

        names = unsupported(program)
        if names:
            raise UnsupportedError(f"these operations have no machine code: {', '.join(names)}. Use engine='numpy'.")
        if not is_rowwise(program, self.held):
            raise UnsupportedError(
                "a row's outputs depend on other rows, or cannot be shown not to, and machine code takes rows in blocks. "
                "Use engine='numpy'."
            )


class HeldFunction:
    """A row function with its held arrays, which must not change any more, ready to be called again and again."""

    def __init__(self, function: RowFunction, held: Sequence[Any]) -> None:
        self._function = function
        self._held = list(held)
        self._workspaces = _Workspaces()

    def __call__(self, arrays: Sequence[Any]) -> list[Any] | None:
        """The outputs for all rows, as the row function gives them."""
        block = block_for(len(arrays[0]))
        workspaces = self._workspaces.by_block
        workspace = workspaces.get(block)
        if workspace is None:
            workspace = self._function.workspace(block)
            for place, value in zip(workspace.inputs, self._held, strict=False):
                place[...] = value
            workspaces[block] = workspace  # when it holds all, since an interrupt may come before
        return run(workspace, self._function.held, block, arrays)


def block_for(rows: int) -> int:
    """The block for so many rows."""
    return next(block for block in BLOCKS if block <= rows)


def run(workspace: Any, held: int, block: int, arrays: Sequence[Any]) -> list[Any] | None:
    """All rows, block by block; `None` if a check is not 0."""
    rows = len(arrays[0])
    places, (*outputs, check) = workspace.inputs[held:], workspace.outputs
    if rows == block:
        for place, array in zip(places, arrays, strict=True):
            place[...] = array
        workspace.run()
        return None if np.count_nonzero(check) else [x.copy() for x in outputs]
    results = [np.empty((rows, *x.shape[1:]), x.dtype) for x in outputs]
    for begin in (*range(0, rows - block, block), rows - block):
        part = slice(begin, begin + block)
        for place, array in zip(places, arrays, strict=True):
            place[...] = array[part]
        workspace.run()
        if np.count_nonzero(check):
            return None
        for result, x in zip(results, outputs, strict=True):
            result[part] = x
    return results


COMPILATION = 0.1
"""About how many seconds compiling takes: what machine code must save before it is made unasked."""


def time_saved(parameters: int, numbers: int, rows: int) -> float:
    """About how many seconds sooner than NumPy machine code has a network's outputs; negative where it is slower.

    The network has so many parameters and computes so many numbers for each row. An estimate and not a measurement, so
    that the same calls are carried out in the same way every time.
    """
    by_numpy = 20e-6 + rows * (9e-12 * parameters + 1.5e-9 * numbers)
    copying = 4e-10 * parameters
    by_machine_code = 6e-6 + copying + rows * (7e-12 * parameters + 0.4e-9 * numbers)
    return by_numpy - by_machine_code


def pays(seconds: float) -> bool:
    """Whether that much time saved is worth compiling."""
    return seconds >= COMPILATION and find_spec("llvmlite") is not None
