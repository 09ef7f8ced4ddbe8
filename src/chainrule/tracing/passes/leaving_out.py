"""What is computed and then left out is not computed: a slice of x + y where y is zero all over it needs nothing of y.

Derivatives are full of it: a layer that works on some columns sends back zeros for the others, and the layer before may want
the derivative by the others only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from chainrule.ops import Elementwise, Layout
from chainrule.ops.axes import Kept, Links, Picked, Put
from chainrule.ops.operation import ArrayType
from chainrule.tracing.program import Atom, Equation, Literal, Program, Variable, axes_of


def leave_out_zeros(program: Program) -> Program:
    """Slices are taken before an operation on elements, not after it, where one of its inputs is zero all over the slice.

    That input is then the number 0.0, so the values stay the same to the bit. What is used elsewhere too stays as it is.
    """
    made = {equation.output: equation for equation in program.equations}
    uses = Counter(x for equation in program.equations for x in equation.inputs if isinstance(x, Variable))
    uses.update(x for x in program.outputs if isinstance(x, Variable))
    equations: list[Equation] = []
    for equation in program.equations:
        equations += _sliced_before(equation, made, uses) if _is_slice(equation) else [equation]
    return replace(program, equations=tuple(equations))


def _sliced_before(taken: Equation, made: dict[Variable, Equation], uses: Counter[Variable]) -> list[Equation]:
    """The equations that give a slice: with those slices of its inputs that are not zero, or the slice alone."""
    whole = taken.inputs[0]
    combined = made.get(whole) if isinstance(whole, Variable) and uses[whole] == 1 else None
    if combined is None or not isinstance(combined.op, Elementwise):
        return [taken]
    full = [x for x in combined.inputs if isinstance(x, Variable) and x.shape == whole.shape]
    zeros = [x for x in full if _is_zero_in(taken, made.get(x))]
    others = [x for x in full if x not in zeros]
    if not zeros or len(others) != 1 or any(x.shape for x in combined.inputs if x not in full):
        return [taken]
    part = Variable(f"{taken.output.name}_part", ArrayType(taken.output.shape, others[0].dtype))
    became: dict[Atom, Atom] = {others[0]: part, **{x: Literal(np.zeros((), x.dtype)[()]) for x in zeros}}
    inputs = tuple(became.get(x, x) for x in combined.inputs)
    earlier = _sliced_before(taken.replace(output=part, inputs=(others[0],)), made, uses)
    return [*earlier, combined.replace(output=taken.output, inputs=inputs)]


def _is_slice(equation: Equation) -> bool:
    """Whether this takes places of one array along its axes."""
    links = _links(equation)
    return links is not None and all(isinstance(link, Kept | Picked) for link in links)


def _links(equation: Equation) -> Links | None:
    if not isinstance(equation.op, Layout) or len(equation.inputs) != 1:
        return None
    links = axes_of(equation)
    return None if links is None else links[0]


def _is_zero_in(taken: Equation, put: Equation | None) -> bool:
    """Whether an array that was put among zeros lies, along some axis, before or behind all that a slice takes."""
    links = None if put is None else _links(put)
    if put is None or links is None:
        return False
    filled = {link.target: _places(link, put.inputs[0].shape, link.source) for link in links if isinstance(link, Put)}
    chosen = {
        link.source: _places(link, taken.output.shape, link.target)
        for link in _links(taken) or ()
        if isinstance(link, Picked)
    }
    return any(
        max(filled[axis]) < min(chosen[axis]) or max(chosen[axis]) < min(filled[axis])
        for axis in filled.keys() & chosen.keys()
        if filled[axis] and chosen[axis]
    )


def _places(link: Put | Picked, shape: tuple[int, ...], axis: int | None) -> range:
    """The places of the whole along one axis that a part of this shape is put to, or taken from."""
    count = 1 if axis is None else shape[axis]
    return range(link.start, link.start + link.step * count, link.step)
