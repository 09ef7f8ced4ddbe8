"""Where a second derivative is not known: of what bends |x| or a norm at 0, if it is not one of the even powers that have one.

The derivative of |x| at 0 is taken as 0, and so is its second one: sums, multiples and whatever does not bend it keep both. What
bends it, as exp(−|x|) or (|x| + 1)², has the second derivative 0 of that convention and may have another one in truth, so it is
told to be nan. A trace remembers what its values are made of, if it may be differentiated twice.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np

from chainrule.forks import load
from chainrule.ops.kinds.elementwise import Elementwise
from chainrule.ops.operation import REGISTRY, Operation

Parts = Mapping[Hashable, tuple[Any, bool]]
"""Values with kinks where they are 0; and whether each element of what is made of one is made of its element in that place."""

Process = Callable[[Operation, tuple[Any, ...], dict[str, Any]], Any]
"""What carries out an operation in a trace."""

NOTHING: Parts = {}


class Kinks:
    """What the values of a trace are made of without bends."""

    __slots__ = ("parts",)

    def __init__(self) -> None:
        self.parts: dict[int, tuple[Any, Parts]] = {}

    def of(self, x: Any) -> Parts:
        """The values with kinks that this one is made of."""
        value, parts = self.parts.get(id(x), (None, NOTHING))
        return parts if value is x else NOTHING

    def note(self, value: Any, own: Any) -> None:
        """Remember a value with a kink where it is 0; `own` is a handle of it that stays as it is."""
        self.parts[id(value)] = value, {id(own): (own, True)}

    def moved(self, old: Any, new: Any) -> None:
        """Another handle of the same value; what the new one was before does not count."""
        self.parts.pop(id(new), None)
        if parts := self.of(old):
            self.parts[id(new)] = new, parts

    def spread(self, result: Any, op: Operation, inputs: tuple[Any, ...]) -> None:
        """Remember what an operation gave of such values, which it does not bend."""
        found = dict(self.of(result))
        for x in inputs:
            for key, (root, placed) in self.of(x).items():
                placed = placed and isinstance(op, Elementwise) and root.shape == result.shape
                found[key] = root, placed and found.get(key, (None, True))[1]
        if found:
            self.parts[id(result)] = result, found

    def told(
        self, process: Process, op: Operation, inputs: tuple[Any, ...], attributes: dict[str, Any]
    ) -> tuple[Any, ...]:
        """The inputs of an operation; if it bends them, with second derivatives of nan where they have kinks."""
        own = list(map(self.of, inputs))
        if not op.differentiable or not any(own):
            return inputs
        if not load("chainrule.tracing.bends").bends(op, inputs, attributes, list(map(bool, own))):
            return inputs
        return tuple([with_kinks(process, x, parts) for x, parts in zip(inputs, own, strict=True)])


def with_kinks(process: Process, x: Any, parts: Parts) -> Any:
    """The same value, whose second derivative is nan where one of those that it is made of is 0."""
    result = x
    for root, placed in parts.values():
        term = process(REGISTRY["kink"], (root,), {})
        kind = np.empty(0, x.dtype).real.dtype
        if term.dtype != kind:
            term = process(REGISTRY["astype"], (term,), {"dtype": kind})
        if not placed:
            term = process(REGISTRY["min"], (term,), {"axis": tuple(range(len(root.shape))), "keepdims": False})
        result = process(REGISTRY["add"], (result, term), {})
    if result is not x and x.is_number:
        result.__class__ = type(x)
    return result
