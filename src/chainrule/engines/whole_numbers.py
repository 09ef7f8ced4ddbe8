"""Whole numbers as arguments: the integers that they meet must hold them, and operations have a result, as NumPy has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.errors import SettingError, UnsupportedError, shortened
from chainrule.ops import Elementwise
from chainrule.ops.arithmetic import astype
from chainrule.tracing.interpreter import interpret
from chainrule.tracing.passes.simplify import drop_unused
from chainrule.tracing.program import Equation, Program, Variable
from chainrule.tracing.trees import row


def of_numbers(program: Program) -> set[Variable]:
    """The variables without axes that depend on nothing but inputs without axes: known before a call begins."""
    known = {x for x in program.inputs if not x.shape}
    for equation in program.equations:
        variables = {x for x in equation.inputs if isinstance(x, Variable)}
        if variables and variables <= known and not equation.output.shape:
            known.add(equation.output)
    return known


@contextmanager
def fitting() -> Iterator[None]:
    """While code is made of a Program: a whole number in it that the integers beside it cannot hold is refused."""
    try:
        yield
    except OverflowError as error:
        raise UnsupportedError(
            f"a whole number in a compiled function does not fit to the integers beside it ({error}). Give these more bits, as by "
            "x.astype(int), or write the number as a float."
        ) from None


def range_check(program: Program, arguments: Sequence[Any]) -> Callable[[Sequence[Any]], None] | None:
    """A function of a call's flat arguments that makes sure that whole numbers fit where they go.

    It raises `SettingError`. `arguments` are like those of every call; where there is nothing to check it is `None`.
    """
    numbers = [i for i, x in enumerate(arguments) if type(x) is int]
    known = of_numbers(program)
    casts = [e for e in program.equations if _is_narrow(e) and known.issuperset(e.inputs)] if numbers else []
    positive = dict.fromkeys(known, 1)
    partial = [e for e in program.equations if is_partial(e) and not is_partial(e, positive)]
    if not numbers and not partial:
        return None
    needed = tuple(x for e in (*casts, *partial) for x in e.inputs if x in known)
    before = drop_unused(replace(program, outputs=needed, outputs_structure=row(len(needed))))

    def check(given: Sequence[Any]) -> None:
        for i in numbers:
            _fit(given[i], program.inputs[i].dtype)
        if needed:
            values = interpret(before, dict(zip(before.inputs, given, strict=True)))
            for equation in casts:
                _fit(int(values[equation.inputs[0]]), equation.output.dtype)  # type: ignore[index]
            for equation in partial:
                _have_a_result(equation, {x: values[x] for x in equation.inputs if x in known})

    return check


def _is_narrow(equation: Equation) -> bool:
    """Whether integers become others."""
    kinds = [equation.output.dtype.kind, *(x.dtype.kind for x in equation.inputs if isinstance(x, Variable))]
    return equation.op is astype and len(kinds) == 2 and kinds[0] in "iu" and kinds[1] == "i"


def is_partial(equation: Equation, values: Mapping[Any, Any] = MappingProxyType({})) -> bool:
    """Whether NumPy refuses some numbers of such types, where those of some variables are known."""
    op = equation.op
    return isinstance(op, Elementwise) and op.partly is not None and op.partly(*_told(equation, values))


def _told(equation: Equation, values: Mapping[Any, Any]) -> list[Any]:
    """What is known of an equation's inputs: their numbers, or else their types."""
    return [values.get(x, x.type) if isinstance(x, Variable) else x.value for x in equation.inputs]


def _fit(number: int, kind: np.dtype[Any]) -> None:
    limits = np.iinfo(kind)
    if not limits.min <= number <= limits.max:
        raise SettingError(
            f"the whole number {shortened(number)} was given to a compiled function where {kind.name} is needed, which holds "
            f"{limits.min} to {limits.max}. Give a number in between, or a float, or the array beside it with longer integers."
        )


def _have_a_result(equation: Equation, values: Mapping[Any, Any]) -> None:
    if is_partial(equation, values):
        given = ", ".join(map(str, _told(equation, values)))
        raise SettingError(
            f"{equation.op.name}({given}) in a compiled function has no result, in NumPy neither. Give other numbers, or floats."
        )
