"""Programs and functions compiled by XLA."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from chainrule.engines.engine import Executable
from chainrule.engines.jax.evaluation import Evaluation
from chainrule.engines.jax.settings import Settings, types_of
from chainrule.forks import compiling
from chainrule.tracing.passes.straight_line import compile_program
from chainrule.tracing.program import Program


def compiled(function: Callable[..., Any], types: Sequence[Any], settings: Settings) -> Any:
    """A function of arrays of such types, compiled."""
    with compiling, settings.held():
        return jax.jit(function).lower(*types).compile()


class JaxExecutable(Executable):
    """A Program compiled by XLA, when it is called first or its code is asked for."""

    def __init__(self, program: Program, settings: Settings) -> None:
        made: list[Any] = []

        def function() -> Any:
            if not made:
                made.append(compiled(_evaluation(program, settings), types_of(program.inputs), settings))
            return made[0]

        def call(*inputs: Any) -> tuple[Any, ...]:
            run = function()
            with settings.computing():
                outputs, doubt = run(*inputs)
                if doubt is None or not bool(doubt):
                    return tuple([np.asarray(x) for x in outputs])
            return compile_program(program)(*inputs)  # which says what is wrong, or has other numbers

        super().__init__(program, call)
        self._function = function

    @property
    def stages(self) -> Mapping[str, Callable[[], str]]:
        """XLA's own code."""
        return {"hlo": lambda: str(self._function().as_text())}


def _evaluation(program: Program, settings: Settings) -> Callable[..., Any]:
    def computed(*arrays: Any) -> Any:
        evaluation = Evaluation(settings.rounded)
        outputs = evaluation.outputs(program, arrays)
        return outputs, evaluation.doubt

    return computed
