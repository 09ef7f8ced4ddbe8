"""Layouts as the compiler sees them: which ones only read memory in another way, and how the others move elements."""

from __future__ import annotations

import math

from chainrule.engines.llvm.planning.buffers import long_axes
from chainrule.ops import Contraction, Elementwise, Layout, Reduction
from chainrule.ops.axes import Kept, Link, Links, Picked, Put, Regrouped, Scattered
from chainrule.tracing import Equation
from chainrule.tracing.program import axes_of


def is_move(equation: Equation) -> bool:
    """Whether an equation neither computes point by point nor adds up: it moves elements, or depends on their order."""
    return not isinstance(equation.op, Elementwise | Reduction | Contraction)


def links_of(equation: Equation) -> tuple[Links, ...]:
    """How the axes of a layout's inputs go on; lowering leaves only layouts that say so."""
    links = axes_of(equation)
    assert links is not None
    return links


def is_strided(equation: Equation) -> bool:
    """Whether a layout's result can be read from its input's memory with other strides."""
    if not isinstance(equation.op, Layout) or len(equation.inputs) != 1:
        return False
    return all(isinstance(link, Kept | Picked) or _splits(link) for link in links_of(equation)[0])


def _splits(link: Link) -> bool:
    """Whether an axis becomes several, in which its places lie in the same order."""
    return isinstance(link, Regrouped) and len(link.sources) == 1


def keeps_places(equation: Equation) -> bool:
    """Whether the elements lie in the same order, so that point by point the result is the input: axes of length 1 come or go."""
    (x,), output = equation.inputs, equation.output
    if long_axes(x.shape) != long_axes(output.shape):
        return False
    targets = [link.target for link in links_of(equation)[0] if isinstance(link, Kept) and x.shape[link.source] != 1]
    return targets == sorted(targets) and len(targets) == len(long_axes(x.shape))


def goes_from_inputs(equation: Equation) -> bool:
    """Whether the inputs say where their elements go, instead of the result where its elements come from."""
    return any(isinstance(link, Put | Scattered) for links in links_of(equation) for link in links)


def adds_up(equation: Equation) -> bool:
    """Whether several elements may go to one place."""
    return any(isinstance(link, Scattered) for links in links_of(equation) for link in links)


def leaves_zeros(equation: Equation) -> bool:
    """Whether there are places that no element goes to, or that elements are added to."""
    moved = sum(math.prod(x.shape) for x in equation.inputs)
    return adds_up(equation) or (goes_from_inputs(equation) and moved < equation.output.type.size)
