"""Names to read for the variables of a Program: the names given, short formulas of them, or numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain, count
from math import prod
from typing import NamedTuple

import numpy as np

from chainrule.explanation.formulas.indices import Index
from chainrule.explanation.formulas.linking import origin
from chainrule.explanation.formulas.symbols import ZERO
from chainrule.ops import REGISTRY, Layout
from chainrule.ops.notation import ATOM, SUM
from chainrule.tracing.program import Atom, Equation, Literal, Program, Variable

LONGEST = 28
"""Characters of the longest formula that serves as a name."""
FEW = 6
"""Numbers of the largest array that is written as its numbers."""
_CALL = re.compile(r"(?<![\w.])([^\W\d]\w*)(?=\()")


class Label(NamedTuple):
    """A name to read, how strongly it holds together, and whether it tells how the value is computed, unlike `v7`."""

    text: str
    strength: int = ATOM
    tells: bool = True


def with_signs(formula: str) -> str:
    """A formula with functions by the signs that formulas have for them: σ(x) for sigmoid(x)."""
    return _CALL.sub(lambda call: _signs().get(call[1], call[1]), formula)


@cache
def _signs() -> dict[str, str]:
    """What functions are called in formulas, by the names one types."""
    named = [op for op in REGISTRY.values() if op.notation.form == "function" and not op.notation.typed]
    return {op.spoken: op.notation.sign for op in named if op.notation.sign.isalpha()}


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """The name wanted for a result, or where an argument is called so another one."""
    others = set(taken)
    return next(x for x in chain([wanted], "fyzgLF", (f"f{i}" for i in count())) if x not in others)


def labels_of(program: Program, names: Mapping[Variable, str], longest: int = LONGEST) -> dict[Variable, Label]:
    """A name for every variable: given, or the formula as one would type it, or `v7` for what is longer than the longest.

    All are different, but for what is another value's numbers in another shape.
    """
    found: dict[Variable, Label] = {}
    taken = set(names.values())
    makers = {e.output: e for e in program.equations if isinstance(e.op, Layout) and e.output not in names}
    for number, x in enumerate(program.inputs):
        name = names.get(x, x.name)
        found[x] = Label(name if x in names or name not in taken else f"input_{number}")
        taken.add(found[x].text)
    for number, equation in enumerate(program.equations):
        x = equation.output
        label = Label(names[x]) if x in names else _picked(equation, makers, found) or told(equation, found)
        moved = equation.inputs[0] if x in makers and isinstance(equation.inputs[0], Variable) else None
        if moved is not None and label.text == found[moved].text:
            label = found[moved]
        elif x not in names and (len(with_signs(label.text)) > longest or label.text in taken):
            label = Label(f"v{number}'" if f"v{number}" in taken else f"v{number}", tells=False)
        taken.add(label.text)
        found[x] = label
    return found


def _picked(equation: Equation, makers: Mapping[Variable, Equation], labels: Mapping[Variable, Label]) -> Label | None:
    """A single number that was moved only, by the place it comes from: `y[2]`; `None` for anything else."""
    x: Atom = equation.output
    index: Index = (0,) * len(x.shape)
    if x not in makers or prod(x.shape) != 1:
        return None
    while isinstance(x, Variable) and x in makers:
        own = makers[x]
        linear = own.op.linear if isinstance(own.op, Layout) else None
        routes = [origin(own, i, index) for i in range(len(own.inputs[:linear]))]
        ways = [(i, route) for i, route in enumerate(routes) if route is None or route.conditions != (ZERO,)]
        if len(ways) != 1 or ways[0][1] is None:
            return None
        x, index = own.inputs[ways[0][0]], tuple(ways[0][1].places[k] for k in range(len(own.inputs[ways[0][0]].shape)))
    if not isinstance(x, Variable):
        return None
    text, strength, _ = labels[x]
    places = ", ".join(str(i) for i, n in zip(index, x.shape, strict=True) if n != 1)
    return Label(f"{text if strength == ATOM else f'({text})'}[{places}]") if places else labels[x]


def names_of_states(program: Program) -> dict[Variable, str]:
    """Names for the states of loops that were carried out step by step, `h[2]` after the third step."""
    loops: dict[str, list[int]] = {}
    names = {}
    for x in (e.output for e in program.equations):
        if x.step is not None and is_state(x):
            known = loops.setdefault(x.step.value, [])
            if x.step.loop not in known:
                known.append(x.step.loop)
            names[x] = f"{name_in_loop(x.step.value, known.index(x.step.loop))}[{x.step.number}]"
    return names


def is_state(x: Variable) -> bool:
    """Whether a value is the state of a loop after one of its steps."""
    return x.step is not None and x.step.is_state


def name_in_loop(value: str, place: int) -> str:
    """What a value is called in one of several loops."""
    return f"{value}#{place + 1}" if place else value


def told(equation: Equation, labels: Mapping[Variable, Label]) -> Label:
    """What an equation computes, of values that go by their labels."""

    def spell(x: Atom, strength: int) -> str:
        text, own, _ = labels[x] if isinstance(x, Variable) else Label(label_of_constant(x))
        return text if own >= strength and not (text.startswith("-") and strength > SUM) else f"({text})"

    notation, inputs = equation.op.notation, equation.inputs
    typed = notation.typed if notation.typed_with is None else notation.typed_with(**equation.attributes)
    if typed:
        return Label(typed.format(*map(spell, inputs, notation.operands)), notation.strength)
    return Label(f"{equation.op.spoken}({', '.join(spell(x, 0) for x in inputs)})")


def is_uniform(array: object) -> bool:
    """Whether all numbers of an array are the same real number."""
    flat = np.ravel(np.asarray(array))
    return bool(flat.size) and flat.dtype.kind in "fiub" and bool((flat == flat[0]).all())


def label_of_constant(x: Literal) -> str:
    """A constant's numbers, one for all where they are the same, or the shape of many."""
    if is_uniform(x.value):
        return numbers(np.ravel(x.value)[0])
    return numbers(x.value) if np.size(x.value) <= FEW else f"constant{list(x.shape)}"


def numbers(array: object) -> str:
    """The numbers of an array in nested brackets, as one types them."""
    value = np.asarray(array)
    if value.ndim:
        return f"[{', '.join(map(numbers, value))}]"
    return f"{value[()]:.6g}" if value.dtype.kind == "f" else str(value[()])
