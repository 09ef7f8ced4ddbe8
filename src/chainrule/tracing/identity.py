"""What a Program computes as a short text: Programs with the same text are the same computation."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from chainrule.ops.operation import REGISTRY, Operation
from chainrule.tracing.loops.body import Body
from chainrule.tracing.loops.loop import LOOP
from chainrule.tracing.program import Atom, Equation, Literal, Program, bodies_of

PLAIN = (str, int, float, bool, np.dtype, type(None))
"""Settings of an equation whose text says all about them."""


def identity(program: Program) -> str | None:
    """A fingerprint of all equations, constants included; `None` where operations or settings are not the library's own.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> one, same, other = (cr.trace(lambda x: k * np.sin(x), np.ones(3)) for k in (2.0, 2.0, 3.0))
    >>> identity(one) == identity(same), identity(one) == identity(other)
    (True, False)
    """
    equations = _all_equations(program)
    settings = [value for e in equations for value in e.attributes.values() if not isinstance(value, Body)]
    if not all(map(_is_own, {e.op for e in equations})) or not all(map(is_plain, settings)):
        return None
    digest = hashlib.sha256(str(program).encode())
    for whole in _all_programs(program):  # names need not be different ones
        digest.update(str(_wiring(whole)).encode())
    atoms = [x for equation in equations for x in equation.inputs]
    bodies = [body for equation in equations for body in bodies_of(equation)]
    found: dict[int, int] = {}
    for x in (*atoms, *program.outputs, *(x for body in bodies for x in body.outputs)):
        if isinstance(x, Literal) and hasattr(x.value, "dtype"):
            # Which of them are one array matters as well: an array that is used twice has one place in memory.
            place = found.setdefault(id(x.value), len(found))
            digest.update(f"{place}{x.value.dtype.str}{x.value.shape}".encode())
            digest.update(np.ascontiguousarray(x.value).tobytes())
    return digest.hexdigest()


def _all_programs(program: Program) -> list[Program]:
    """A Program and those of its loops."""
    inside = [x for equation in program.equations for body in bodies_of(equation) for x in _all_programs(body)]
    return [program, *inside]


def _all_equations(program: Program) -> list[Equation]:
    return [equation for whole in _all_programs(program) for equation in whole.equations]


def _wiring(program: Program) -> list[list[int | None]]:
    """Which values every equation takes, and what comes out, by their numbers; constants have none."""
    numbers: dict[Atom, int] = {x: i for i, x in enumerate([*program.inputs, *(e.output for e in program.equations)])}
    return [[numbers.get(x) for x in atoms] for atoms in (*(e.inputs for e in program.equations), program.outputs)]


def _is_own(op: Operation) -> bool:
    """Whether everything declared about an operation is code of the library."""
    declared = (getattr(x, "__module__", None) for x in vars(op).values() if callable(x))
    return (op is LOOP or REGISTRY.get(op.name) is op) and all(
        m is None or m.startswith(("chainrule.", "numpy")) for m in declared
    )


def is_plain(value: Any) -> bool:
    """Whether the text of a setting says all about it."""
    if isinstance(value, tuple):
        return all(map(is_plain, value))
    return isinstance(value, (*PLAIN, np.generic))
