"""Engines: what turns a Program into numbers. They know no derivative, layer, loss or optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.engines.choice import AUTO, ENGINES, REFERENCE, choose, load, preferred, why_not
from chainrule.engines.engine import Engine, Executable, Workspace
from chainrule.engines.loop import Apart, Crew, Measurement, Runner, Shuffling, TrainingLoop, Work
from chainrule.engines.states import State
from chainrule.errors import ShapeError
from chainrule.tracing import trees
from chainrule.tracing.apply import PLAIN, Traced, separate
from chainrule.tracing.interpreter import applied, interpret, results
from chainrule.tracing.passes.straight_line import compile_program
from chainrule.tracing.plain import plain_array
from chainrule.tracing.program import Program, as_program

__all__ = [
    "AUTO",
    "ENGINES",
    "REFERENCE",
    "Apart",
    "Crew",
    "Engine",
    "Executable",
    "Measurement",
    "Runner",
    "Shuffling",
    "State",
    "TrainingLoop",
    "Work",
    "Workspace",
    "compile_program",
    "evaluate",
    "load",
    "make_runner",
    "measures",
    "preferred",
]


def make_runner(
    loop: TrainingLoop,
    data: Sequence[Any],
    engine: str | Engine = AUTO,
    threads: int | None = None,
    held_out: Sequence[Any] = (),
) -> Runner:
    """The loop, ready to run on the data with the engine asked for, in at most so many threads.

    What it measures it measures on the arrays held out; `measures` says whether the engine can.

    Raises
    ------
    UnknownNameError
        For a name that is no engine.
    UnsupportedError
        When the engine asked for is not installed or refuses an operation of the loop; `auto` takes another then.
    """
    return _engine_of(loop, data, engine).runner(loop, data, threads, held_out)


def measures(loop: TrainingLoop, data: Sequence[Any], engine: str | Engine, held_out: Sequence[Any]) -> bool:
    """Whether the engine that carries out the steps can also measure what the loop does, on these arrays."""
    if loop.measurement is None:
        return False
    return why_not(_engine_of(loop, data, engine), loop.measurement.program, held_out) is None


def _engine_of(loop: TrainingLoop, data: Sequence[Any], engine: str | Engine) -> Engine:
    return choose(engine, loop.step, data, task="carry out this training")


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
    leaves = trees.flatten_like(as_program("evaluate", program).inputs_structure, args, "the arguments")
    if any(isinstance(leaf, Traced) for leaf in leaves):
        values = interpret(program, dict(zip(program.inputs, leaves, strict=True)), applied)
        return trees.unflatten(program.outputs_structure, results(program, values))
    arrays = []
    for variable, leaf in zip(program.inputs, leaves, strict=True):
        array = np.asarray(leaf if type(leaf) in PLAIN else plain_array(leaf), variable.dtype)
        if array.shape != variable.shape:
            raise ShapeError(
                f"{program.name} was made for {variable.name} of shape {variable.shape} and was given shape {array.shape}. "
                "Give one of that shape. Trace the function again for another."
            )
        arrays.append(array)
    return trees.unflatten(program.outputs_structure, list(map(separate, compile_program(program)(*arrays))))
