"""Engines: what turns a Program into numbers. They know no derivative, layer, loss or optimizer."""

from __future__ import annotations

import warnings
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from chainrule.engines.compilation import load_compiler
from chainrule.engines.loop import Runner, TrainingLoop
from chainrule.engines.numpy_engine import NumpyRunner, compile_program
from chainrule.errors import ShapeError, UnknownNameError, UnsupportedError
from chainrule.tracing import trees
from chainrule.tracing.apply import Traced, apply
from chainrule.tracing.program import Program, Variable

__all__ = ["ENGINES", "Runner", "TrainingLoop", "compile_program", "evaluate", "load", "prepare"]

ENGINES = ("auto", "llvm", "numpy")
"""Engines by name; `auto` is `llvm` where it can be, and `numpy` elsewhere."""


def prepare(loop: TrainingLoop, data: list[Any], engine: str = "auto", threads: int | None = None) -> Runner:
    """The loop, ready to run on the data with the engine asked for, in at most so many threads.

    Raises
    ------
    UnknownNameError
        For a name that is no engine.
    UnsupportedError
        For `llvm`, when it is not installed or an operation of the loop cannot be compiled; `auto` takes `numpy` then.
    """
    if engine not in ENGINES:
        raise UnknownNameError.among("engine", engine, ENGINES)
    if engine == "numpy":
        return NumpyRunner(loop, data)
    reason = why_not_compiled(loop, data)
    if reason is None:
        load_compiler()
        from chainrule.engines.llvm.runner import LlvmRunner

        return LlvmRunner(loop, data, threads)
    if engine == "llvm":
        raise UnsupportedError(
            f"the engine 'llvm' cannot carry out this training: {reason}. Use engine='auto' or 'numpy'."
        )
    return NumpyRunner(loop, data)


def load() -> None:
    """Load LLVM now, where it is installed, instead of with the first training: for modules that are there for training."""
    if find_spec("llvmlite") is not None:
        load_compiler()
        from chainrule.engines.llvm.runner import LlvmRunner

        LlvmRunner.begin()


def why_not_compiled(loop: TrainingLoop, data: list[Any]) -> str | None:
    """What keeps a loop from becoming machine code; `None` if nothing does."""
    if find_spec("llvmlite") is None:
        _say_once("llvmlite is not installed here, so chainrule trains with NumPy, more slowly: pip install llvmlite")
        return "llvmlite is not installed"
    names = _unsupported(loop.step)
    if names:
        return f"these operations have no machine code: {', '.join(names)}"
    scattered = any(isinstance(x, np.memmap) and not x.flags.c_contiguous for x in data)
    return "data mapped from disk does not lie in one piece" if scattered else None


@lru_cache(maxsize=64)
def _unsupported(program: Program) -> list[str]:
    """The names of operations that have no machine code, looked for once in a Program."""
    load_compiler()
    from chainrule.engines.llvm.lowering import unsupported

    return unsupported(program)


@cache
def _say_once(message: str) -> None:
    warnings.warn(message, stacklevel=2)


def evaluate(program: Program, *args: Any) -> Any:
    """The value of a Program for arguments nested as its function's were.

    Parameters
    ----------
    program : Program
        As `trace` or `simplify` give it.
    *args
        Of the shapes it was traced with. Traced values are allowed: a Program can be differentiated.

    Returns
    -------
    array or container
        Nested as the function's result.

    Raises
    ------
    ShapeError
        When an argument does not have the shape the Program was made for.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> program = cr.trace(lambda x: np.sum(x * x), np.ones(3))
    >>> cr.evaluate(program, np.array([1.0, 2.0, 3.0]))
    np.float64(14.0)
    """
    leaves = trees.flatten_like(program.inputs_structure, args, "the arguments")
    if any(isinstance(leaf, Traced) for leaf in leaves):
        return trees.unflatten(program.outputs_structure, _interpret(program, leaves))
    arrays = []
    for variable, leaf in zip(program.inputs, leaves, strict=True):
        array = np.asarray(leaf, variable.dtype)
        if array.shape != variable.shape:
            raise ShapeError(
                f"{program.name} was made for {variable.name} of shape {variable.shape} and was given shape {array.shape}. "
                "Trace the function again for the new shape."
            )
        arrays.append(array)
    return trees.unflatten(program.outputs_structure, list(compile_program(program)(*arrays)))


def _interpret(program: Program, leaves: list[Any]) -> list[Any]:
    """Every equation applied in turn, to traced values."""
    values: dict[Variable, Any] = dict(zip(program.inputs, leaves, strict=True))
    for equation in program.equations:
        inputs = (values[x] if isinstance(x, Variable) else x.value for x in equation.inputs)
        values[equation.output] = apply(equation.op, *inputs, **equation.attributes)
    return [values[x] if isinstance(x, Variable) else x.value for x in program.outputs]
