"""Values without a derivative where they are 0, whose even powers have one: |x|, norms, and what products make of |x|.

A trace remembers them. Where they cancel, as in |x|², r·r with r = ‖x‖, (c·|x|)², |x|·y·|x|, (|x|·y + |x|)·|x| or Σ|x|·|x|, the
result is computed from what is under them, without the signs that were taken away: x², Σx², (c·x)², x·y·x. What is not followed so
has no second derivative there (`kinks.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import partial, reduce
from operator import xor
from typing import Any

import numpy as np

from chainrule.ops.axes import changes_nothing
from chainrule.ops.operation import Namespace, Operation, dtype_of, shape_of
from chainrule.tracing.corners.alike import of_plain
from chainrule.tracing.corners.kinks import Kinks
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

    __slots__ = ("copies", "kinks", "known")

    def __init__(self) -> None:
        self.known: dict[int, Root] = {}
        self.kinks: Kinks | None = None
        self.copies = Copies()

    def of(self, x: Any) -> Root | None:
        """What is known of a value."""
        root = self.known.get(id(x))
        return root if root is not None and root.value is x else None

    def note(self, value: Any, op: Operation, inputs: tuple[Any, ...], key: Hashable) -> bool:
        """Remember what an operation gave that has a square of its own; whether it is none that was known before.

        What is of integers alone has no derivative, and squares that wrap around as NumPy's do.
        """
        if all(np.dtype(dtype_of(x)).kind in "bui" for x in inputs):
            return False
        inner = self.of(inputs[0]) if op.unsigned else None
        if inner is not None and inner.op.unsigned:  # ||x|| is |x|
            self.known[id(value)] = inner.called(value)
            return False
        signless = op.unsigned and inputs[0].dtype.kind != "c"
        self.known[id(value)] = Root(value, op, inputs, {}, key, frozenset([key] if signless else []))
        return True

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
        if length >= LONGEST or value.dtype.kind not in "fc":
            return
        signs: list[frozenset[Hashable]] = [frozenset() if root is None else root.odd for root in roots]
        if op.shares:  # |x|·a + |x|·b is |x|·(a + b)
            if signs[0] and all(own_signs == signs[0] for own_signs in signs):
                self.known[id(value)] = Root(value, op, tuple(map(own, inputs)), attributes, None, signs[0], length)
            return
        odd, several = reduce(xor, signs), len(inputs) > 1
        beside = several and not op.meets(**attributes)
        key = None
        try:
            if beside and any(signs):  # elements of each, at their places
                shapes = map(shape_of, inputs[slice(*op.moves)])
                odd = frozenset(
                    [
                        (
                            op,
                            *attributes.items(),
                            *zip(signs[slice(*op.moves)], shapes, strict=True),
                            *_places(op, inputs),
                        )
                    ]
                )
            elif attributes and not _in_place(op, inputs, attributes, value):  # elements at other places are others
                odd = frozenset((op, *attributes.items(), sign) for sign in odd)
            if not odd:
                key = _key(op, roots, inputs, attributes, value)
        except TypeError:  # an attribute that cannot be compared
            return
        if (
            several
            and not odd
            and not (_floats(inputs[slice(*op.moves)]) if beside else _multiple(roots, inputs, value.dtype))
        ):
            return  # squares of factors may overflow where that of a product does not, and those of whole numbers do
        self.known[id(value)] = Root(value, op, tuple(map(own, inputs)), attributes, key, odd, length)

    def moved(self, old: Any, new: Any) -> None:
        """Another handle of the same value."""
        root = self.of(old)
        if root is not None:
            self.known[id(new)] = root.called(new)
        if self.kinks is not None:
            self.kinks.moved(old, new)

    def became(self, value: Any, new: Any) -> None:
        """A handle that is another value from now on, that of a new one."""
        self.known.pop(id(value), None)
        if self.kinks is not None:
            self.kinks.moved(new, value)

    def smooth(self, m: Namespace, op: Operation, inputs: tuple[Any, ...], attributes: Mapping[str, Any]) -> Any:
        """A result in which they cancel, from what has derivatives; `None` where they do not."""
        first, last = (self.of(inputs[0]), self.of(inputs[-1])) if inputs else (None, None)
        if first is None:
            return None
        if op.symmetric and first.odd:
            return getattr(m, op.name)(self.signed(m, first.value), *inputs[1:], **attributes)
        if last is not None and len(inputs) == 2 and op.meets(**attributes):
            if op.even is not None and first.key == last.key is not None:
                inputs = (first.value, first.value)  # as good as a square
            elif first.odd and first.odd == last.odd:
                return getattr(m, op.name)(*(self.signed(m, x) for x in inputs), **attributes)
        return None if op.even is None else op.even(m, self._square(m, first), *inputs, **attributes)

    def signed(self, m: Namespace, x: Any, found: dict[int, Any] | None = None) -> Any:
        """The value with the signs that |…| took away; `found` has those of what was met on the way, by what it is made of."""
        root = self.of(x)
        if root is None or not root.odd:
            return x
        if root.op.unsigned:
            return root.inputs[0]
        found, made = {} if found is None else found, id(root.inputs)
        if made not in found:  # several handles may hold a value, and sums hold it several times
            given = [self.signed(m, own, found) for own in root.inputs]
            found[made] = getattr(m, root.op.name)(*given, **root.attributes)
        return found[made]

    def _square(self, m: Namespace, root: Root) -> Callable[[], Any]:
        if root.odd:
            return lambda: m.square(self.signed(m, root.value))
        if root.op.squared is not None:
            kind = root.value.dtype  # squares of integers are taken as of the real numbers that the root is of
            given = [m.astype(x, dtype=kind) if getattr(x, "dtype", kind).kind in "bui" else x for x in root.inputs]
            return partial(root.op.squared, m, *given)
        moved = range(len(root.inputs))[slice(*root.op.moves)]
        squares = [x * x if i in moved else x for i, x in enumerate(root.inputs)]
        return lambda: getattr(m, root.op.name)(*squares, **root.attributes)


def _in_place(op: Operation, inputs: tuple[Any, ...], attributes: Mapping[str, Any], result: Any) -> bool:
    """Whether every element of the result is of those in its place."""
    links = op.axes(*inputs, **attributes)
    return links is not None and all(
        changes_nothing(own, tuple(shape_of(x)), tuple(result.shape)) for own, x in zip(links, inputs, strict=True)
    )


def _key(
    op: Operation, roots: list[Root | None], inputs: tuple[Any, ...], attributes: Mapping[str, Any], result: Any
) -> Hashable:
    """What tells what was made of roots and plain numbers from others; `None` where more went into it."""
    keys: list[Hashable] = []
    for root, x in zip(roots, inputs, strict=True):
        if root is None and type(x) not in (int, float) and not isinstance(x, np.ndarray | np.generic):
            return None
        keys.append(of_plain(x) if root is None else root.key)
    if None in keys:
        return None
    copy = getattr(op, "passes", False) and result.dtype == inputs[0].dtype
    return keys[0] if copy else (op, *keys, *attributes.items())


def _places(op: Operation, inputs: tuple[Any, ...]) -> list[Hashable]:
    """What tells the positions among the inputs from others; traced ones are like no others."""
    moved = range(len(inputs))[slice(*op.moves)]
    rest = [x for i, x in enumerate(inputs) if i not in moved]
    return [of_plain(x) if isinstance(x, np.ndarray | np.generic) else object() for x in rest]


def _floats(inputs: tuple[Any, ...]) -> bool:
    """Whether these are real numbers whose squares are."""
    return all(np.dtype(dtype_of(x)).kind == "f" or type(x) is int for x in inputs)


def _multiple(roots: list[Root | None], inputs: tuple[Any, ...], dtype: np.dtype[Any]) -> bool:
    """Whether it is a root times plain numbers, or divided by such, whose squares are in the range of its dtype."""
    others = [x for root, x in zip(roots, inputs, strict=True) if root is None]
    if len(others) != len(inputs) - 1 or not all(isinstance(x, int | float | np.ndarray | np.generic) for x in others):
        return False
    range_ = np.finfo(dtype)
    sizes = [np.abs(np.asarray(x, dtype)) for x in others if np.asarray(x).dtype.kind != "c"]
    low, high = float(range_.tiny) ** 0.5, float(range_.max) ** 0.5
    return len(sizes) == len(others) and all(((x == 0) | ((x > low) & (x < high))).all() for x in sizes)
