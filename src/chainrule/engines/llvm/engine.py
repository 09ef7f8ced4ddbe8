"""The engine `llvm`, as the rest of the library sees it. Nothing of LLVM is loaded before something is compiled."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from chainrule.engines import cores
from chainrule.engines.engine import Engine, Executable
from chainrule.engines.llvm.machine.target import chosen
from chainrule.engines.loop import Runner, Shuffling, TrainingLoop
from chainrule.forks import compiling
from chainrule.tracing.passes.real_parts import has_complex, in_parts, without_parts
from chainrule.tracing.program import Program

MANY_SHUFFLED = 2**20
"""Numbers of rows that NumPy shuffles before machine code is made that does it: it takes 7 ms for them, about as long as making."""


class LlvmEngine(Engine):
    """Machine code, made by LLVM, for operations that have a meaning in loops."""

    name = "llvm"
    preparing = 0.1

    def __init__(self) -> None:
        self._shuffled = 0

    @property
    def missing(self) -> str | None:
        """`llvmlite`, where it is not installed."""
        return None if find_spec("llvmlite") else "llvmlite"

    @property
    def setting(self) -> str:
        """The CPU that code is made for, where that is less than there is."""
        return chosen()

    def refusal(self, program: Program, data: Sequence[Any] = ()) -> str | None:
        """Operations and kinds of number without machine code, and data on disk that it cannot read where they lie."""
        reason = _without_machine_code(program)
        if reason is not None:
            return reason
        mapped = [x for x in data if isinstance(x, np.memmap)]
        if not all(x.flags.c_contiguous for x in mapped):
            return "data mapped from disk does not lie in one piece"
        foreign = [x.dtype for x in mapped if not x.dtype.isnative]
        return (
            f"data mapped from disk has its bytes in another order than this CPU ({foreign[0]!r})" if foreign else None
        )

    def executable(self, program: Program) -> Executable:
        """The Program as a kernel."""
        load_compiler()
        from chainrule.engines.llvm.complex_executable import ComplexExecutable
        from chainrule.engines.llvm.runs.kernel import Kernel

        return ComplexExecutable(program, Kernel(in_parts(program))) if has_complex(program) else Kernel(program)

    def runner(
        self, loop: TrainingLoop, data: Sequence[Any], threads: int | None = None, held_out: Sequence[Any] = ()
    ) -> Runner:
        """Loop and step compiled together."""
        load_compiler()
        from chainrule.engines.llvm.runs.runner import LlvmRunner

        return LlvmRunner(loop, list(data), threads, list(held_out))

    def shuffle(self, random: np.random.Generator, orders: Any) -> None:
        """In machine code from the time on when so many numbers were drawn that making it is worth it."""
        if self._shuffles(orders):
            from chainrule.engines.llvm.runs.shuffling import shuffle

            if shuffle(random, orders):
                return
        super().shuffle(random, orders)

    def shuffling(self, random: np.random.Generator, orders: Any) -> Shuffling | None:
        """From the same time on."""
        if self._shuffles(orders):
            from chainrule.engines.llvm.runs.shuffling import shuffling

            return shuffling(random, orders)
        return None

    def _shuffles(self, orders: Any) -> bool:
        self._shuffled += orders.size
        if self._shuffled < MANY_SHUFFLED:
            return False
        load_compiler()
        return True

    def seconds(self, held: int, computed: int, rows: int) -> float:
        """About how long machine code takes for rows; the held numbers are copied with every call."""
        return 6e-6 + 4e-10 * held + rows * (7e-12 * held + 0.4e-9 * computed)

    def memory(self, loop: TrainingLoop) -> tuple[list[int], int]:
        """The arena as it is planned, and what every thread has for itself."""
        load_compiler()
        from chainrule.engines.llvm.machine.machine import target
        from chainrule.engines.llvm.plan import plan_loop

        plan = plan_loop(loop, target())
        threads = cores.most() if plan.shared else 1
        return [buffer.nbytes for buffer in plan.state], plan.arena_bytes + threads * plan.workspace_bytes

    def load(self) -> None:
        """Load LLVM, and make it ready for this CPU."""
        load_compiler()
        from chainrule.engines.llvm.runs.runner import LlvmRunner

        LlvmRunner.begin()


@lru_cache(maxsize=1)
def load_compiler() -> None:
    """Import the compiler, which is done where it is first needed; a fork meanwhile would leave the child half of it."""
    with compiling:
        import chainrule.engines.llvm.inspection
        import chainrule.engines.llvm.runs.kernel
        import chainrule.engines.llvm.runs.runner  # noqa: F401


@lru_cache(maxsize=64)
def _without_machine_code(program: Program) -> str | None:
    """What of a Program has no machine code, looked for once."""
    load_compiler()
    from chainrule.engines.llvm.planning.lowering import COMPLEX, DTYPES, constants, unsupported

    known = (*DTYPES, *COMPLEX)
    kinds = sorted({str(x.dtype) for x in program.inputs if x.dtype.name not in known})
    if kinds:
        return f"compiled functions take arrays of {', '.join(known)}, and were given {', '.join(kinds)}"
    kinds = sorted({x.dtype.name for x in constants(program) if x.dtype.name not in known})
    if kinds:
        return f"compiled functions hold arrays of {', '.join(known)}, and this one has constants of {', '.join(kinds)}"
    if has_complex(program) and (names := sorted(without_parts(program))):
        return f"these operations have no machine code for complex numbers: {', '.join(names)}"
    names = unsupported(program)
    if not names:
        return None
    empty = next((x.shape for e in program.equations for x in (*e.inputs, e.output) if 0 in x.shape), None)
    if empty is not None:
        return f"an array without elements (shape {empty}) has no machine code, so there is none of {', '.join(names)}"
    return f"these operations have no machine code: {', '.join(names)}"
