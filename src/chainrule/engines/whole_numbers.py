"""Whole numbers of Python's as arguments: the integers that they meet must be long enough to hold them, as NumPy has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.errors import SettingError, shortened
from chainrule.ops.arithmetic import astype
from chainrule.tracing.interpreter import interpret, results
from chainrule.tracing.program import Equation, Program, Variable
from chainrule.tracing.simplify import drop_unused
from chainrule.tracing.trees import row


def range_check(program: Program, arguments: Sequence[Any]) -> Callable[[Sequence[Any]], None] | None:
    """A function of a call's flat arguments that makes sure that whole numbers fit where they go.

    It raises `SettingError`. `arguments` are like those of every call; without whole numbers there is nothing to check: `None`.
    """
    numbers = [i for i, x in enumerate(arguments) if type(x) is int]
    if not numbers:
        return None
    casts = _narrow_casts(program, {program.inputs[i] for i in numbers})
    cast = drop_unused(replace(program, outputs=tuple(e.inputs[0] for e in casts), outputs_structure=row(len(casts))))

    def check(given: Sequence[Any]) -> None:
        for i in numbers:
            _fits(given[i], program.inputs[i].dtype)
        if casts:
            found = results(cast, interpret(cast, dict(zip(cast.inputs, given, strict=True))))
            for value, equation in zip(found, casts, strict=True):
                _fits(int(value), equation.output.dtype)

    return check


def _narrow_casts(program: Program, numbers: set[Variable]) -> list[Equation]:
    """Where a number that depends on nothing but these becomes another integer."""
    casts = []
    known = set(numbers)
    for equation in program.equations:
        variables = {x for x in equation.inputs if isinstance(x, Variable)}
        if variables and variables <= known and not equation.output.shape:
            known.add(equation.output)
            if equation.op is astype and equation.output.dtype.kind in "iu" and variables.pop().dtype.kind == "i":
                casts.append(equation)
    return casts


def _fits(number: int, kind: np.dtype[Any]) -> None:
    limits = np.iinfo(kind)
    if not limits.min <= number <= limits.max:
        raise SettingError(
            f"the whole number {shortened(number)} was given to a compiled function where {kind.name} is needed, which holds "
            f"{limits.min} to {limits.max}. Give a number in between, or a float, or the array beside it with longer integers."
        )
