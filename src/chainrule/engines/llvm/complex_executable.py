"""Compiled functions of complex numbers, by the function of their parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from chainrule.engines.engine import Executable
from chainrule.tracing import Program
from chainrule.tracing.passes.real_parts import is_complex


class ComplexExecutable(Executable):
    """A function of the parts, as one of complex numbers."""

    def __init__(self, program: Program, parts: Executable) -> None:
        super().__init__(program, partial(_by_parts, program, parts))
        self._parts = parts

    @property
    def stages(self) -> Mapping[str, Callable[[], str]]:
        """Those of the function of the parts."""
        return self._parts.stages


def _by_parts(program: Program, parts: Executable, *inputs: Any) -> tuple[Any, ...]:
    own = [part for x in inputs for part in ((x.real, x.imag) if x.dtype.kind == "c" else (x,))]
    found = iter(parts(*own))
    return tuple([_whole(next(found), next(found)) if is_complex(y) else next(found) for y in program.outputs])


def _whole(real: Any, imaginary: Any) -> Any:
    """Numbers of their parts, zeros with their signs."""
    whole = np.empty(np.shape(real), np.result_type(real, np.complex64))
    whole.real, whole.imag = real, imaginary
    return whole[()]
