"""Which operations bend what they are given: whose derivative by some of their inputs depends on these inputs again.

Sums, multiples and moves do not, nor do `maximum` and the like but for their kinks; powers, `exp` and products of such inputs do.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from chainrule.errors import ChainruleError
from chainrule.ops import Elementwise
from chainrule.ops.operation import ArrayType, Operation, dtype_of, shape_of
from chainrule.tracing.apply import apply, traced
from chainrule.tracing.program import Equation, Program, Variable
from chainrule.tracing.traces.recorder import trace

_known: dict[Hashable, bool] = {}


def bends(op: Operation, inputs: Sequence[Any], attributes: dict[str, Any], inside: Sequence[bool]) -> bool:
    """Whether its derivative by the inputs `inside` depends on them. Where that cannot be found out it may.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.ops import operation
    >>> x = np.ones(2)
    >>> [bends(operation("multiply"), (x, x), {}, inside) for inside in ((True, False), (True, True))]
    [False, True]
    """
    kinds = tuple([_kind(x) for x in inputs])
    key: Hashable = (op, kinds, *attributes.items(), *inside)
    try:
        found = _known.get(key)
    except TypeError:  # an attribute that cannot be compared
        return _found(op, kinds, attributes, inside)
    if found is None:
        found = _known[key] = _found(op, kinds, attributes, inside)
    return found


def _kind(x: Any) -> Any:
    """What stands for an input: a number of Python's for itself."""
    return (tuple(shape_of(x)), dtype_of(x)) if hasattr(x, "dtype") else x


def _found(op: Operation, kinds: Sequence[Any], attributes: dict[str, Any], inside: Sequence[bool]) -> bool:
    if not op.listed:  # a rule of the user's is asked for derivatives only
        return True
    if isinstance(op, Elementwise):
        neutral = any(type(kind) in (int, float) and kind == n for kind, n in zip(kinds, op.neutral, strict=False))
        if neutral or not any(map(callable, op.partials)):
            return False
    places = [i for i, kind in enumerate(kinds) if type(kind) is tuple]
    types = [ArrayType(*kinds[i]) for i in places]

    def moved(*own: Any) -> Any:
        inputs = list(kinds)
        for i, x in zip(places, own[: len(places)], strict=True):
            inputs[i] = x
        directions = iter(own[len(places) :])
        tangents = [next(directions) if mine else None for mine in inside]
        tangent = op.pushforward(traced, tangents, apply(op, *inputs, **attributes), inputs, **attributes)
        return () if tangent is None else tangent

    try:
        program = trace(moved, *types, *(ArrayType(*kinds[i]) for i, mine in enumerate(inside) if mine))
    except ChainruleError:
        return True
    return _depends(program, {program.inputs[n] for n, i in enumerate(places) if inside[i]})


def _depends(program: Program, given: set[Variable]) -> bool:
    """Whether a derivative of a Program by some of its inputs can be other than 0."""
    for equation in program.equations:
        if any(x in given and _passes(equation, i) for i, x in enumerate(equation.inputs)):
            given.add(equation.output)
    return not given.isdisjoint(x for x in program.outputs if isinstance(x, Variable))


def _passes(equation: Equation, place: int) -> bool:
    """Whether a derivative goes through an equation to the input at a place."""
    op = equation.op
    return op.differentiable and not (isinstance(op, Elementwise) and op.partials[place] is None)
