"""The example in the compiler's README: one small training step, printed at every stage.

`python tests/engines/llvm/story.py` writes the stages into the README; a test holds that they are there as they are now.
They are for a CPU with vectors of 32 bytes, so that the text is the same on every machine.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.engines.llvm import ir, plan
from chainrule.engines.llvm.emission import emission
from chainrule.engines.llvm.inspection import groups_text, memory_text
from chainrule.engines.llvm.machine import target
from chainrule.engines.llvm.planning.groups import Grouping
from chainrule.engines.llvm.planning.lowering import lower
from chainrule.engines.llvm.writing.code import Code, pointer
from chainrule.engines.loop import TrainingLoop

README = Path(plan.__file__).with_name("README.md")

TARGET = target.Target(
    "x86-64-v3", "", vector_bytes=32, registers=16, fused=True, rounds=True, first_cache=2**15, second_cache=2**18
)
"""A CPU like most that there are."""

BLOCK = re.compile(r"<!-- stage: ([\w ]+) -->\n```(\w+)\n.*?```", re.DOTALL)
"""A stage in the README: a comment that names it, and the text."""


def loss(p: Any, x: Any, t: Any) -> Any:
    return np.mean((np.tanh(x @ p["w"] + p["b"]) - t) ** 2)


def step(p: Any, x: Any, t: Any, rate: Any) -> Any:
    value, gradient = cr.value_and_grad(loss)(p, x, t)
    return {name: p[name] - rate * gradient[name] for name in p}, value


def stages() -> dict[str, str]:
    """The text of every stage."""
    p = {"w": np.zeros((20, 16), np.float32), "b": np.zeros(16, np.float32)}
    x, t, rate = np.zeros((32, 20), np.float32), np.zeros((32, 16), np.float32), np.float32(0.1)
    traced = cr.trace(step, p, x, t, rate)
    program = cr.simplify(traced)
    made = plan.plan_loop(TrainingLoop(program, None, state=2, batch_size=32), TARGET).steps[0]
    groups = [code_of(made, i) for i in range(len(made.grouping.groups))]
    contraction = groups[0].splitlines()
    product = next(i for i, line in enumerate(contraction) if "fmuladd" in line)
    begin = max(i for i, line in enumerate(contraction[:product]) if line.startswith("loop"))
    end = next(i for i, line in enumerate(contraction) if i > product and line.startswith("  br "))
    inner = contraction[begin : end + 1]
    index = max(i for i, line in enumerate(inner) if "phi" in line)
    return {
        "source": inspect.getsource(loss) + "\n\n" + inspect.getsource(step).rstrip(),
        "program": str(program),
        "lowering": str(lower(cr.simplify(cr.trace(cr.logsumexp, np.zeros(5)))).program),
        "groups": groups_text(made.grouping),
        "memory": memory_text(made.memory),
        "inner loop": "\n".join([*inner[:3], "  …", *inner[index : index + 16], "  …", inner[-1]]),
        "last group": groups[-1],
    }


def code_of(made: plan.PlannedStep, number: int) -> str:
    """The code of one group as a function of its own."""
    module = ir.Module("story")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer]), f"group_{number}")
    function.args[0].rename("arena")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    alone = Grouping([made.grouping.groups[number]], made.grouping.views)
    emission.emit(Code(builder, function.args[0], TARGET, unrolled=False), made.memory, alone)
    builder.ret_void()
    return str(function)


def rewritten(text: str) -> str:
    """The README with every stage as it is now."""
    now = stages()
    return BLOCK.sub(lambda m: f"<!-- stage: {m[1]} -->\n```{m[2]}\n{now[m[1]]}\n```", text)


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
