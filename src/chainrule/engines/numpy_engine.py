"""The reference engine: a Program as straight-line Python code that calls NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.engines.engine import Engine, Executable
from chainrule.engines.loop import Runner, StepRunner, TrainingLoop
from chainrule.tracing.passes.straight_line import compile_program
from chainrule.tracing.program import Program

LARGE_PRODUCT, WAKING = 2**18, 5e-4
"""Products of so many multiplications are shared out by BLAS to threads that sleep, and waking them takes as long as this, in
seconds; where other work keeps the cores busy, many times as long."""


class NumpyEngine(Engine):
    """NumPy itself: what every other engine is held to. It refuses nothing."""

    name = "numpy"

    def executable(self, program: Program) -> Executable:
        """The Program as straight-line Python."""
        return Executable(program, compile_program(program))

    def runner(
        self, loop: TrainingLoop, data: Sequence[Any], threads: int | None = None, held_out: Sequence[Any] = ()
    ) -> Runner:
        """The loop in Python, whose steps need not copy what they give; NumPy's own libraries decide about threads."""
        return StepRunner(loop, data, compile_program, held_out)

    def seconds(self, held: int, computed: int, rows: int) -> float:
        """About how long NumPy takes for rows; see `Engine`."""
        waking = WAKING if rows * held >= LARGE_PRODUCT else 0.0
        return 20e-6 + waking + rows * (9e-12 * held + 1.5e-9 * computed)
