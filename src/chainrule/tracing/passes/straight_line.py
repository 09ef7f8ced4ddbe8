"""A Program as straight-line Python code that calls NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from chainrule.tracing.program import Literal, Program, Variable
from chainrule.tracing.refusals import RAW, ours, untraceable

Compiled = Callable[..., tuple[Any, ...]]

FIRST_LINE = 3

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

    One line for every equation, from `FIRST_LINE` on; a value is deleted after its last use, so that memory holds live values only.
    """
    names: dict[str, Any] = {"raw": RAW, "refused": lambda error: refused(program, error)}
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
    lines = [f"def run({', '.join(spelled.values())}):", "    try:"]
    for i, equation in enumerate(program.equations):
        arguments = ", ".join(map(spell, equation.inputs))
        names[f"f{i}"] = equation.op.bind(equation.attributes)
        spelled[equation.output] = f"v{i}"
        lines.append(f"        v{i} = f{i}({arguments})")
        done = {x for x in (*equation.inputs, equation.output) if isinstance(x, Variable)}
        ended = sorted(spelled[x] for x in done if last_use[x] == i and x not in kept)
        if ended:
            lines[-1] += f"; del {', '.join(ended)}"
    lines.append(f"        return ({''.join(spell(x) + ', ' for x in program.outputs)})")
    lines += ["    except raw as error:", "        raise refused(error) from error"]
    return "\n".join(lines), names


def refused(program: Program, error: Exception) -> Exception:
    """The error for an equation whose numbers NumPy would not take, which has the line of its own place."""
    if ours(error) or error.__traceback__ is None:
        return error
    equation = program.equations[error.__traceback__.tb_lineno - FIRST_LINE]
    return untraceable(f"{equation.op.name} in {program.name}", equation.inputs, equation.attributes, error)
