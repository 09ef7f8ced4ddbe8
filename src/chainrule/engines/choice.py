"""Which engine computes: the engines there are, and what a user's `engine=` means."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

from chainrule.engines.engine import Engine
from chainrule.engines.jax.engine import JaxEngine
from chainrule.engines.llvm.engine import LlvmEngine
from chainrule.engines.numpy_engine import NumpyEngine
from chainrule.errors import UnknownNameError, UnsupportedError
from chainrule.tracing.program import Program

REFERENCE: Engine = NumpyEngine()
"""The engine that all others are held to. It refuses nothing, and computes as calling the traced code itself would."""

ENGINES: dict[str, Engine] = {
    engine.name: engine
    for engine in (
        LlvmEngine(),
        REFERENCE,
        JaxEngine(),
    )
}
"""Engines by name, in the order in which `auto` prefers them: those behind the reference, which refuses nothing, are only taken
when they are asked for. To add an engine is to add a line here."""

AUTO = "auto"
"""The name for the first engine that can do what is to be done."""

COMPILER = "llvm"
"""The engine for what is compiled unless another is named: `jit`, and `Network.compiled`."""


def names() -> list[str]:
    """What users may give as `engine=`."""
    return [AUTO, *ENGINES]


def named(name: str | Engine) -> Engine | None:
    """The engine of a name, or one that is given itself; `None` for `auto`, which leaves the choice to us.

    Raises
    ------
    UnknownNameError
        For a name that is no engine.
    """
    if isinstance(name, Engine):
        return name
    if not isinstance(name, str) or (name not in ENGINES and name != AUTO):
        raise UnknownNameError.among("engine", name, names())
    return ENGINES.get(name)


def preferred(name: str | Engine = AUTO) -> Engine:
    """The engine of that name, or that engine; for `auto` the first one of which nothing is missing."""
    engine = named(name)
    return next(each for each in ENGINES.values() if each.missing is None) if engine is None else engine


def leads(name: str | Engine) -> bool:
    """Whether this process writes what is kept of a training by that engine."""
    engine = named(name)
    return engine is None or engine.leads


def environment() -> tuple[str, ...]:
    """What the environment says now about the code that engines make: functions are remembered by it."""
    return tuple([engine.setting for engine in ENGINES.values()])


def choose(name: str | Engine, program: Program, data: Sequence[Any] = (), *, task: str) -> Engine:
    """The engine of that name, or that engine; for `auto` the first that does not refuse the Program, or such data for it.

    `task` says what it is for, such as "carry out this training", where it is refused.

    Raises
    ------
    UnknownNameError
        For a name that is no engine.
    UnsupportedError
        When the engine asked for refuses, and why.
    """
    asked = named(name)
    reasons = []
    for engine in ENGINES.values() if asked is None else (asked,):
        reason = why_not(engine, program, data)
        if reason is None:
            return engine
        if asked is None and engine.missing is not None:
            _say_once(f"{reason} here, so chainrule computes more slowly: pip install {engine.missing}")
        reasons.append((engine, reason))
    raise _cannot(task, reasons)


def refuse(engine: Engine, program: Program, *, task: str) -> None:
    """Raise UnsupportedError where an engine that was taken by itself cannot compute a Program, and why."""
    reason = why_not(engine, program)
    if reason is not None:
        raise _cannot(task, [(engine, reason)])


def why_not(engine: Engine, program: Program, data: Sequence[Any] = ()) -> str | None:
    """What keeps an engine from computing a Program, or from running it on such data; `None` if nothing does."""
    return engine.refusal(program, data) if engine.missing is None else f"{engine.missing} is not installed"


def quickest(held: int, computed: int, rows: int, times: int = 1) -> Engine:
    """The engine that `auto` takes for a function of rows that is called so many times.

    The first that is quicker than NumPy by more than making the function takes, all calls together. This is decided by
    sizes alone: equal calls are carried out by the same engine whatever was called before.
    """
    by_reference = REFERENCE.seconds(held, computed, rows)
    for engine in ENGINES.values():
        saved = times * (by_reference - engine.seconds(held, computed, rows))
        if saved >= engine.preparing and engine.missing is None:
            return engine
    return REFERENCE


def load() -> None:
    """Load now what the preferred engine takes long to load, instead of with the first training."""
    preferred().load()


def _cannot(task: str, reasons: Sequence[tuple[Engine, str]]) -> UnsupportedError:
    said = "; ".join(f"the engine {engine.name!r} cannot {task}: {reason}" for engine, reason in reasons)
    return UnsupportedError(f"{said}. Use engine={AUTO!r} or {REFERENCE.name!r}.")


@cache
def _say_once(message: str) -> None:
    warnings.warn(message, stacklevel=2)
