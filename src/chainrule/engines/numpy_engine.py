"""The reference engine: a Program as straight-line Python code that calls NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from chainrule.engines.loop import TrainingLoop
from chainrule.tracing.program import Literal, Program, Variable

Compiled = Callable[..., tuple[Any, ...]]

_compiled: WeakKeyDictionary[Program, Compiled] = WeakKeyDictionary()


def compile_program(program: Program) -> Compiled:
    """A function of the flat inputs that gives the flat outputs; made once for every Program."""
    if program not in _compiled:
        source, names = source_of(program)
        exec(compile(source, f"<{program.name}>", "exec"), names)  # the text above holds names and numbers only
        _compiled[program] = names["run"]
    return _compiled[program]


def source_of(program: Program) -> tuple[str, dict[str, Any]]:
    """The Python text of a Program, and what its names stand for.

    One line for every equation; a value is deleted after its last use, so that memory holds live values only.
    """
    names: dict[str, Any] = {}
    spelled: dict[Variable, str] = {x: f"x{i}" for i, x in enumerate(program.inputs)}

    def spell(x: Variable | Literal) -> str:
        if isinstance(x, Variable):
            return spelled[x]
        name = f"c{len(names)}"
        names[name] = x.value
        return name

    last_use: dict[Variable, int] = {}
    for i, equation in enumerate(program.equations):
        for x in (*equation.inputs, equation.output):
            if isinstance(x, Variable):
                last_use[x] = i
    kept = {x for x in program.outputs if isinstance(x, Variable)} | set(program.inputs)
    lines = [f"def run({', '.join(spelled.values())}):"]
    for i, equation in enumerate(program.equations):
        arguments = ", ".join(map(spell, equation.inputs))
        names[f"f{i}"] = equation.op.bind(equation.attributes)
        spelled[equation.output] = f"v{i}"
        lines.append(f"    v{i} = f{i}({arguments})")
        done = {x for x in (*equation.inputs, equation.output) if isinstance(x, Variable)}
        ended = sorted(spelled[x] for x in done if last_use[x] == i and x not in kept)
        if ended:
            lines.append(f"    del {', '.join(ended)}")
    lines.append(f"    return ({''.join(spell(x) + ', ' for x in program.outputs)})")
    return "\n".join(lines), names


class NumpyRunner:
    """A training loop carried out step by step in Python."""

    def __init__(self, loop: TrainingLoop, data: list[Any]) -> None:
        self._loop, self._data = loop, data
        self._full = compile_program(loop.step)
        self._last = compile_program(loop.last) if loop.last is not None else self._full
        self._state: list[Any] = []

    @property
    def state(self) -> list[Any]:
        """The state after the last finished step."""
        return list(self._state)

    def load(self, state: list[Any]) -> None:
        """Go on from another state."""
        self._state = list(state)

    def run(self, order: Any, first: int, count: int, scalars: list[Any]) -> Any:
        """Carry out steps; see `Runner`."""
        loop, metrics = self._loop, []
        steps = loop.steps_per_epoch(order.shape[1])
        with np.errstate(
            all="ignore"
        ):  # a value that leaves the finite range is reported by the caller, with its place
            for i in range(count):
                epoch, batch = divmod(first + i, steps)
                rows = order[epoch, batch * loop.batch_size : (batch + 1) * loop.batch_size]
                step = self._full if len(rows) == loop.batch_size else self._last
                outputs = step(*self._state, *(np.take(x, rows, axis=0) for x in self._data), *(s[i] for s in scalars))
                self._state = list(outputs[: loop.state])
                metrics.append(outputs[loop.state :])
        return np.array(metrics, np.float64)
