"""Names to read for the variables of a Program: the names given, short formulas of them, or numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, overload

import numpy as np

from chainrule.ops.notation import ATOM, SUM
from chainrule.tracing.program import Atom, Equation, Literal, Program, Variable

LONGEST = 28
"""Characters of the longest formula that serves as a name."""


@overload
def labels_of(program: Program, names: Mapping[Variable, str]) -> dict[Variable, str]: ...
@overload
def labels_of(program: Program, names: Mapping[Variable, str], constant: Literal) -> str: ...


def labels_of(program: Program, names: Mapping[Variable, str], constant: Literal | None = None) -> Any:
    """A name for every variable, all different: given, or the formula as one would type it, or `v7`."""
    if constant is not None:
        return _constant(constant)
    spelled: dict[Variable, tuple[str, int]] = {}
    taken = set(names.values())
    for number, x in enumerate(program.inputs):
        spelled[x] = _free(names.get(x, x.name), taken, x not in names, f"input_{number}"), ATOM
    for number, equation in enumerate(program.equations):
        if equation.output in names:
            spelled[equation.output] = names[equation.output], ATOM
            continue
        text, strength = _formula(equation, spelled)
        if len(text) > LONGEST or text in taken:
            text, strength = _free(f"v{number}", taken, True, f"v{number}'"), ATOM
        taken.add(text)
        spelled[equation.output] = text, strength
    return {x: text for x, (text, _) in spelled.items()}


def _free(text: str, taken: set[str], new: bool, otherwise: str) -> str:
    if new and text in taken:
        text = otherwise
    taken.add(text)
    return text


def _constant(x: Literal) -> str:
    if x.shape:
        return f"constant{list(x.shape)}"
    return f"{np.asarray(x.value)[()]:.6g}" if np.asarray(x.value).dtype.kind == "f" else str(x.value)


def _formula(equation: Equation, spelled: Mapping[Variable, tuple[str, int]]) -> tuple[str, int]:
    """The formula, and how strongly it holds together."""

    def spell(x: Atom, strength: int) -> str:
        text, own = spelled[x] if isinstance(x, Variable) else (_constant(x), ATOM)
        return text if own >= strength and not (text.startswith("-") and strength > SUM) else f"({text})"

    notation, inputs = equation.op.notation, equation.inputs
    if notation.typed:
        return notation.typed.format(*map(spell, inputs, notation.operands)), notation.strength
    return f"{equation.op.name}({', '.join(spell(x, 0) for x in inputs)})", ATOM
