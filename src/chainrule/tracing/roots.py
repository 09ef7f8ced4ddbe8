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

from chainrule.forks import load
from chainrule.ops.axes import changes_nothing
from chainrule.ops.kinds.elementwise import Elementwise
from chainrule.ops.operation import REGISTRY, Namespace, Operation, dtype_of, shape_of
from chainrule.tracing.keeping import Copies

Parts = Mapping[Hashable, tuple[Any, bool]]
"""Values with kinks where they are 0, by what tells them from others; and whether something is made of each in its place."""

Process = Callable[[Operation, tuple[Any, ...], dict[str, Any]], Any]
"""What carries out an operation in a trace."""

_NOTHING: Parts = {}

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

    __slots__ = ("copies", "known", "parts")

    def __init__(self) -> None:
        self.known: dict[int, Root] = {}
        self.parts: dict[int, tuple[Any, Parts]] = {}
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
            elif attributes and not _in_place(op, inputs, attributes, value):  # elements at other places are others
                odd = frozenset((op, *attributes.items(), key) for key in odd)
        except TypeError:  # an attribute that cannot be compared
            return
        if several and not odd and not (beside and all(dtype_of(x).kind == "f" for x in _moved(op, inputs))):
            return  # squares of factors may overflow where that of a product does not, and those of whole numbers do
        self.known[id(value)] = Root(value, op, tuple(map(own, inputs)), attributes, None, odd, length)

    def moved(self, old: Any, new: Any) -> None:
        """Another handle of the same value."""
        root, parts = self.of(old), self.parts_of(old)
        if root is not None:
            self.known[id(new)] = root.called(new)
        if parts:
            self.parts[id(new)] = new, parts

    def became(self, value: Any, new: Any) -> None:
        """A handle that is another value from now on, that of a new one."""
        self.known.pop(id(value), None)
        self.parts.pop(id(value), None)
        if parts := self.parts_of(new):
            self.parts[id(value)] = value, parts

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

    def note_kink(self, value: Any, own: Any) -> None:
        """Remember what an operation gave that has a kink where it is 0; `own` is a handle that stays as it is."""
        root = self.of(value)
        if root is not None and root.key is not None and not self.parts_of(value):
            self.parts[id(value)] = value, {root.key: (own, True)}

    def parts_of(self, x: Any) -> Parts:
        """The values with kinks that this one is made of without bends, and whether each of its elements is of theirs in its place."""
        value, parts = self.parts.get(id(x), (None, _NOTHING))
        return parts if value is x else _NOTHING

    def spread(self, result: Any, op: Operation, inputs: tuple[Any, ...]) -> None:
        """Remember what an operation gave of values with kinks, which it does not bend."""
        found = dict(self.parts_of(result))
        in_place = isinstance(op, Elementwise)
        for x in inputs:
            for key, (root, placed) in self.parts_of(x).items():
                placed = placed and in_place and root.shape == result.shape
                found[key] = root, placed and found.get(key, (None, True))[1]
        if found:
            self.parts[id(result)] = result, found

    def kinked(
        self, process: Process, op: Operation, inputs: tuple[Any, ...], attributes: dict[str, Any]
    ) -> tuple[Any, ...]:
        """The inputs of an operation that bends them, with second derivatives of nan where those they are made of have a kink."""
        own = [self.parts_of(x) for x in inputs]
        if not any(own) or not op.differentiable:
            return inputs
        if not load("chainrule.tracing.bends").bends(op, inputs, attributes, [bool(parts) for parts in own]):
            return inputs
        return tuple([_with_kinks(process, x, parts) for x, parts in zip(inputs, own, strict=True)])

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


def _with_kinks(process: Process, x: Any, parts: Parts) -> Any:
    """The same value, whose second derivative is nan where one of those it is made of is 0."""
    result = x
    for root, placed in parts.values():
        term = process(REGISTRY["kink"], (root,), {})
        kind = np.empty(0, x.dtype).real.dtype
        if term.dtype != kind:
            term = process(REGISTRY["astype"], (term,), {"dtype": kind})
        if not placed:
            axes = tuple(range(len(root.shape)))
            term = process(REGISTRY["min"], (term,), {"axis": axes, "keepdims": False})
        result = process(REGISTRY["add"], (result, term), {})
    if result is not x and x.is_number:
        result.__class__ = type(x)
    return result


def _moved(op: Operation, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs without those that are positions."""
    return inputs[: getattr(op, "linear", None)]


def _in_place(op: Operation, inputs: tuple[Any, ...], attributes: Mapping[str, Any], result: Any) -> bool:
    """Whether every element of the result is of those in its place."""
    links = op.axes(*inputs, **attributes)
    return links is not None and all(
        changes_nothing(own, tuple(shape_of(x)), tuple(result.shape)) for own, x in zip(links, inputs, strict=True)
    )


def _of_position(x: Any) -> Hashable:
    """What tells positions from others; traced ones are like no others."""
    return (x.shape, x.dtype, x.tobytes()) if isinstance(x, np.ndarray | np.generic) else object()
