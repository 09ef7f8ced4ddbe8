"""Values without a derivative where they are 0, whose even powers have one: |x|, norms, and what products make of |x|.

A trace remembers them. Where they cancel, as in |x|², r·r with r = ‖x‖, (c·|x|)², |x|·y·|x| or Σ|x|·|x|, the result is computed from
what is under them, without the signs that were taken away: x², Σx², (c·x)², x·y·x. Norms computed twice and norms times factors,
(c·‖x‖)², are not followed: where they are 0 their second derivative is taken as 0.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import partial, reduce
from operator import xor
from typing import Any

import numpy as np

from chainrule.ops.operation import Namespace, Operation, dtype_of, shape_of
from chainrule.tracing.keeping import Copies

LONGEST = 64
"""So many products, each of the one before, are followed."""


class Root:
    """How such a value came about.

    `inputs` are as they were then, and `key` tells it from others. It is what `odd` holds the keys of, each once under |…|, times
    what has all derivatives; `length` counts products.
    """

    __slots__ = ("attributes", "inputs", "key", "length", "odd", "op", "value")

    def __init__(
        self,
        value: Any,
        op: Operation,
        inputs: tuple[Any, ...],
        attributes: Mapping[str, Any],
        key: Hashable,
        odd: frozenset[Hashable],
        length: int = 0,
    ) -> None:
        self.value, self.op, self.inputs, self.attributes = value, op, inputs, attributes
        self.key, self.odd, self.length = key, odd, length

    def called(self, value: Any) -> Root:
        """The same of another handle."""
        return Root(value, self.op, self.inputs, self.attributes, self.key, self.odd, self.length)


class Roots:
    """What a trace remembers of them."""

    __slots__ = ("copies", "known")

    def __init__(self) -> None:
        self.known: dict[int, Root] = {}
        self.copies = Copies()

    def of(self, x: Any) -> Root | None:
        """What is known of a value."""
        root = self.known.get(id(x))
        return root if root is not None and root.value is x else None

    def note(self, value: Any, op: Operation, inputs: tuple[Any, ...], key: Hashable) -> None:
        """Remember what an operation gave that has a square of its own."""
        inner = self.of(inputs[0]) if op.unsigned else None
        if inner is not None and inner.op.unsigned:  # ||x|| is |x|
            self.known[id(value)] = inner.called(value)
            return
        signless = op.unsigned and inputs[0].dtype.kind != "c"
        self.known[id(value)] = Root(value, op, inputs, {}, key, frozenset([key] if signless else []))

    def carry(
        self,
        value: Any,
        op: Operation,
        inputs: tuple[Any, ...],
        attributes: Mapping[str, Any],
        own: Callable[[Any], Any],
    ) -> None:
        """Remember what an operation gave, where its inputs make it one of them; `own` gives an input that stays as it is."""
        roots = [self.of(x) for x in inputs]
        length = max([root.length + 1 for root in roots if root is not None], default=LONGEST)
        if length >= LONGEST:
            return
        signs: list[frozenset[Hashable]] = [frozenset() if root is None else root.odd for root in roots]
        odd, several = reduce(xor, signs), len(inputs) > 1
        beside = several and not op.meets(**attributes)
        try:
            if beside and any(signs):  # elements of each, at their places
                moved = _moved(op, inputs)
                places = [_of_position(x) for x in inputs[len(moved) :]]
                odd = frozenset([(op, *attributes.items(), *zip(signs, map(shape_of, moved), strict=False), *places)])
            elif attributes:  # elements at other places are others
                odd = frozenset((op, *attributes.items(), key) for key in odd)
        except TypeError:  # an attribute that cannot be compared
            return
        if several and not odd and not (beside and all(dtype_of(x).kind == "f" for x in _moved(op, inputs))):
            return  # squares of factors may overflow where that of a product does not, and those of whole numbers do
        self.known[id(value)] = Root(value, op, tuple(map(own, inputs)), attributes, None, odd, length)

    def moved(self, old: Any, new: Any) -> None:
        """Another handle of the same value."""
        root = self.of(old)
        if root is not None:
            self.known[id(new)] = root.called(new)

    def forget(self, value: Any) -> None:
        """A handle that is another value from now on."""
        self.known.pop(id(value), None)

    def smooth(self, m: Namespace, op: Operation, inputs: tuple[Any, ...], attributes: Mapping[str, Any]) -> Any:
        """A result in which they cancel, from what has derivatives; `None` where they do not."""
        first, last = (self.of(inputs[0]), self.of(inputs[-1])) if inputs else (None, None)
        if first is None:
            return None
        if last is not None and len(inputs) == 2 and op.meets(**attributes):
            if op.even is not None and first.key == last.key is not None:
                inputs = (first.value, first.value)  # as good as a square
            elif first.odd and first.odd == last.odd:
                return getattr(m, op.name)(*(self.signed(m, x) for x in inputs), **attributes)
        return None if op.even is None else op.even(m, self._square(m, first), *inputs)

    def signed(self, m: Namespace, x: Any) -> Any:
        """The value with the signs that |…| took away."""
        root = self.of(x)
        if root is None or not root.odd:
            return x
        if root.op.unsigned:
            return root.inputs[0]
        return getattr(m, root.op.name)(*(self.signed(m, given) for given in root.inputs), **root.attributes)

    def _square(self, m: Namespace, root: Root) -> Callable[[], Any]:
        if root.odd:
            return lambda: m.square(self.signed(m, root.value))
        if root.op.squared is not None:
            return partial(root.op.squared, m, *root.inputs)
        moved = _moved(root.op, root.inputs)
        others = root.inputs[len(moved) :]
        return lambda: getattr(m, root.op.name)(
            *(x * x for x in moved), *others, **root.attributes
        )  # elements elsewhere


def _moved(op: Operation, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs without those that are positions."""
    return inputs[: getattr(op, "linear", None)]


def _of_position(x: Any) -> Hashable:
    """What tells positions from others; traced ones are like no others."""
    return (x.shape, x.dtype, x.tobytes()) if isinstance(x, np.ndarray | np.generic) else object()
