"""Where a second derivative is not known: of what bends |x| or a norm at 0, if it is not one of the even powers that have one.

The derivative of |x| at 0 is taken as 0, and so is its second one: sums, multiples and whatever does not bend it keep both. What
bends it, as exp(−|x|) or (|x| + 1)², has the second derivative 0 of that convention and may have another one in truth, so it is
told to be nan. A trace remembers what its values are made of, if it may be differentiated twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import numpy as np

from chainrule.forks import load
from chainrule.ops.kinds.elementwise import Elementwise
from chainrule.ops.operation import REGISTRY, Operation

KINK = "kink"
"""The operation whose second derivative is nan, which another trace may have put in already."""

Own = Callable[[Any], Any]
"""Gives a handle of a value that stays as it is."""


class Made:
    """How a value comes of values with kinks without bends, and whether it has one itself, where it is 0: whether it is a `root`.

    `others` are the roots it comes of, and whether each of its elements comes of the element in that place alone.
    """

    __slots__ = ("attributes", "inputs", "op", "others", "place", "root", "value")

    def __init__(self, value: Any, place: int, root: bool = False) -> None:
        self.value, self.place, self.root = value, place, root
        self.op: Operation | None = None
        self.inputs: tuple[Any, ...] = ()
        self.attributes: Mapping[str, Any] = {}
        self.others: dict[Made, bool] = {}

    @property
    def roots(self) -> Mapping[Made, bool]:
        """The others, and itself."""
        return {**self.others, self: True} if self.root else self.others


class Kinks:
    """What the values of a trace are made of without bends."""

    __slots__ = ("known", "places")

    def __init__(self) -> None:
        self.known: dict[int, tuple[Any, Made]] = {}
        self.places = count()

    def of(self, x: Any) -> Made | None:
        """How a value is made, if it has kinks."""
        value, made = self.known.get(id(x), (None, None))
        return made if value is x else None

    def note(self, value: Any, own: Any) -> None:
        """Remember a value with a kink where it is 0; `own` is a handle of it that stays as it is."""
        self.known[id(value)] = value, Made(own, next(self.places), root=True)

    def moved(self, old: Any, new: Any) -> None:
        """Another handle of the same value; what the new one was before does not count."""
        made = self.of(old)
        if made is not None:
            self.known[id(new)] = new, made
        else:
            self.known.pop(id(new), None)

    def spread(
        self, result: Any, op: Operation, inputs: tuple[Any, ...], attributes: Mapping[str, Any], own: Own
    ) -> None:
        """Remember what an operation gave of such values, which it does not bend; `own` gives a handle that stays as it is."""
        sources = list(map(self.of, inputs))
        if not any(sources) or op.name == KINK:
            return
        made = self.of(result) or Made(own(result), next(self.places))
        made.op, made.inputs, made.attributes = op, tuple(map(own, inputs)), attributes
        for source in sources:
            for root, placed in source.roots.items() if source else ():
                placed = placed and isinstance(op, Elementwise) and root.value.shape == result.shape
                made.others[root] = placed and made.others.get(root, True)
        self.known[id(result)] = result, made

    def told(self, op: Operation, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> tuple[Any, ...]:
        """The inputs of an operation; if it bends them, with second derivatives of nan where they have kinks."""
        inside = [self.of(x) is not None for x in inputs]
        if not op.differentiable or not any(inside) or op.name == KINK:
            return inputs
        if not load("chainrule.tracing.bends").bends(op, inputs, attributes, inside):
            return inputs
        derivative = 2 if op.flattens is None else op.flattens(*inputs)
        return tuple([self.without(x, derivative) for x in inputs])

    def without(self, x: Any, derivative: int = 2) -> Any:
        """The same value, whose second or later derivative is nan where one of those that it is made of is 0 and counts."""
        made = self.of(x)
        if made is None:
            return x
        process, result = x.trace.process, x
        for root, counts in self._counting(made):
            if 0 in root.value.shape:
                continue
            term = process(REGISTRY[KINK], (root.value, counts), {"order": 2 - derivative})
            kind = np.empty(0, x.dtype).real.dtype
            if term.dtype != kind:
                term = process(REGISTRY["astype"], (term,), {"dtype": kind})
            if not made.roots[root]:
                axes = tuple(range(len(root.value.shape)))
                term = process(REGISTRY["min"], (term,), {"axis": axes, "keepdims": False})
            result = process(REGISTRY["add"], (result, term), {})
        if x.is_number:
            result.__class__ = type(x)
        return result

    def _counting(self, made: Made) -> Iterator[tuple[Made, Any]]:
        """The values with kinks that one comes of, and where these make a difference to it."""
        if made.op is None:
            yield made, True
            return
        m = load("chainrule.tracing.apply").traced
        numbers = np.arange(1.0, math.prod(made.value.shape) + 1.0)  # weights such that nothing cancels by chance
        weights = np.exp(1j * numbers) if made.value.dtype.kind == "c" else np.cos(numbers)
        found: dict[Made, Any] = {made: weights.reshape(made.value.shape).astype(made.value.dtype)}
        waiting = [made]
        while waiting:
            one = max(waiting, key=lambda one: one.place)  # whatever comes of it has been gone through
            waiting.remove(one)
            cotangent = found[one]
            if one.root:
                yield one, m.not_equal(cotangent, 0)
            if one.op is None:
                continue
            sources = list(map(self.of, one.inputs))
            wanted = [source is not None for source in sources]
            back = one.op.pullback(m, cotangent, one.value, one.inputs, wanted, **one.attributes)
            if isinstance(one.op, Elementwise) and len(wanted) == 1:
                back = [_counted(m, back[0], cotangent)]
            for source, part in zip(sources, back, strict=True):
                if source is None or part is None:
                    continue
                if source not in found:
                    waiting.append(source)
                found[source] = part if source not in found else found[source] + part


def _counted(m: Any, back: Any, cotangent: Any) -> Any:
    """What an operation of one input carries back, and its cotangent where the slope is taken as 0, as that of relu at 0."""
    if back is None:
        return cotangent
    if back.dtype.kind != "c" and cotangent.dtype.kind == "c":
        cotangent = m.real(cotangent)
    return m.where(m.equal(back, 0), m.astype(cotangent, dtype=back.dtype), back)
