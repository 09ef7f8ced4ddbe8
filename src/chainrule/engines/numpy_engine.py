"""The reference engine: a Program as straight-line Python code that calls NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.engines.engine import Engine, Executable
from chainrule.engines.loop import Runner, StepRunner, TrainingLoop
from chainrule.tracing.program import Program
from chainrule.tracing.straight_line import compile_program


class NumpyEngine(Engine):
    """NumPy itself: what every other engine is held to. It refuses nothing."""

    name = "numpy"

    def executable(self, program: Program) -> Executable:
        """The Program as straight-line Python."""
        return Executable(program, compile_program(program))

    def runner(self, loop: TrainingLoop, data: Sequence[Any], threads: int | None = None) -> Runner:
        """The loop in Python, whose steps need not copy what they give; NumPy's own libraries decide about threads."""
        return StepRunner(loop, data, compile_program)

    def seconds(self, held: int, computed: int, rows: int) -> float:
        """About how long NumPy takes for rows; see `Engine`."""
        return 20e-6 + rows * (9e-12 * held + 1.5e-9 * computed)
