"""The kind `Layout`: elements moved, repeated or left out, none of them computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from chainrule.ops.axes import Links
from chainrule.ops.notation import EXACT, Accuracy
from chainrule.ops.operation import ArrayType, Namespace, Operation, cast, dtype_of, shape_of

NOWHERE = -1
"""In an index map: a place that no element of the input goes to, which is 0."""


@dataclass(init=False, eq=False, repr=False, kw_only=True)
class Layout(Operation):
    """A linear map that only moves elements, so its forward derivative is the map itself.

    `value(*inputs, **attributes)` is NumPy's own code and `shape(*shapes, **attributes)` the shape of the result. That
    is enough, if all inputs are moved: where each element comes from is then found by moving numbered elements.
    What is moved along axes as a whole says so, and is faster for it:

    - `links(*shapes, **attributes)`: how the axes of every input go on (`ops/axes.py`);
    - `adjoint(m, cotangent, index, *inputs, **attributes)`: the reverse map for the input at position `index`;
    - `batched(m, size, batched, *inputs, **attributes)`: the results for a batch, whose axis is the first of the inputs
      that are `batched`: all of them, if the map is linear in all.

    Inputs from position `linear` on (the indices of a `take`) have no derivative. `adds`: elements that come to one place are
    added. `view`: NumPy's result may share the memory of the input, `needs_contiguous` where it lies in memory one after the
    other; `write_back(m, x, view, **attributes)` is then the input with the view's numbers.
    """

    value: Callable[..., Any]
    shape: Callable[..., tuple[int, ...]]
    links: Callable[..., tuple[Links, ...]] | None = None
    adjoint: Callable[..., Any] | None = None
    batched: Callable[..., Any] | None = None
    linear: int | None = None
    adds: bool = False
    view: bool = False
    write_back: Callable[..., Any] | None = None
    needs_contiguous: bool = False
    complex: bool = True
    part_by_part: bool = True
    accuracy: Accuracy = EXACT

    def __post_init__(self) -> None:
        super().__post_init__()
        self.evaluate = self.value  # type: ignore[method-assign]
        self.remembers = self.linear is not None
        self.views = self.view
        self.carries, self.moves = not self.adds, (0, self.linear)

    def meets(self, **attributes: Any) -> bool:
        """Elements of several inputs stand beside each other."""
        return False

    def infer(self, *inputs: Any, **attributes: Any) -> ArrayType:
        """The shape as declared; the dtype of the inputs together."""
        shapes, kinds = tuple([shape_of(x) for x in inputs]), tuple([dtype_of(x) for x in inputs[: self.linear]])
        try:
            return _result_type(self, shapes, kinds, tuple(attributes.items()))
        except TypeError:  # an attribute that cannot be compared
            return ArrayType(tuple(self.shape(*shapes, **attributes)), _together(kinds))

    def axes(self, *inputs: Any, **attributes: Any) -> tuple[Links, ...] | None:
        """As declared."""
        if self.links is None:
            return None
        shapes = tuple(shape_of(x) for x in inputs)
        try:
            return _links(self.links, shapes, tuple(attributes.items()))
        except TypeError:  # an attribute that cannot be compared
            return self.links(*shapes, **attributes)

    def batch(self, m: Namespace, size: int, batched: Sequence[bool], inputs: Sequence[Any], **attributes: Any) -> Any:
        """As declared, with inputs that are no batch repeated, if the map is linear in all."""
        spread = list(inputs)
        if self.linear is None:
            spread = [
                x if mine else m.broadcast_to(x, shape=(size, *shape_of(x)))
                for x, mine in zip(inputs, batched, strict=True)
            ]
        if self.batched is not None:
            return self.batched(m, size, batched, *spread, **attributes)
        if self.linear is not None and len(inputs) != 1:
            return super().batch(m, size, batched, inputs, **attributes)
        sources = self._sources([x.shape[1:] for x in spread], attributes)
        flat = [m.reshape(x, shape=(size, math.prod(x.shape[1:]))) for x in spread]
        return _with_zeros(m, m.take(_joined(m, flat, 1), np.maximum(sources, 0), axis=1), sources)

    @property
    def at_once(self) -> bool:
        """Where it is declared how, or by the index map."""
        alone = self.linear is None or all(len(example.inputs) == 1 for example in self.examples)
        return self.batched is not None or alone

    def written(self, m: Namespace, *inputs: Any, **attributes: Any) -> Any:
        """Without links: elements taken from the places that the index map has."""
        if self.links is not None:
            return None
        sources = self._sources([x.shape for x in inputs], attributes)
        flat = [m.reshape(x, shape=(math.prod(x.shape),)) for x in inputs]
        return _with_zeros(m, m.take(_joined(m, flat, 0), np.maximum(sources, 0), axis=0), sources)

    def has_loops(self, inputs: int) -> bool:
        """By its links, or by the index map."""
        return self.links is not None or self.linear is None or inputs == 1

    def uses(
        self, m: Namespace, used: Any, inputs: Sequence[Any], wanted: Sequence[Any], **attributes: Any
    ) -> list[Any]:
        """Those that used ones are copies of: the adjoint, for each wanted input that the map is linear in."""
        linear = len(inputs) if self.linear is None else self.linear
        adjoint = self.adjoint or self._by_index_map
        return [
            adjoint(m, used, i, *inputs, **attributes) if want and i < linear else None for i, want in enumerate(wanted)
        ]

    def pullback(
        self,
        m: Namespace,
        cotangent: Any,
        output: Any,
        inputs: Sequence[Any],
        wanted: Sequence[Any],
        **attributes: Any,
    ) -> list[Any]:
        """The adjoint, for each wanted input that the map is linear in."""
        results = self.uses(m, cotangent, inputs, wanted, **attributes)
        for i, moved in enumerate(results):
            if moved is not None and moved.dtype != (dtype := inputs[i].dtype):
                results[i] = cast(m, moved, dtype)
        return results

    def pushforward(
        self, m: Namespace, tangents: Sequence[Any], output: Any, inputs: Sequence[Any], **attributes: Any
    ) -> Any:
        """The map itself, applied to the tangents; an input without one contributes zeros."""
        linear = len(inputs) if self.linear is None else self.linear
        if all(tangent is None for tangent in tangents[:linear]):
            return None
        moved = [
            x if i >= linear else t if t is not None else np.zeros(shape_of(x), output.dtype)
            for i, (t, x) in enumerate(zip(tangents, inputs, strict=True))
        ]
        return getattr(m, self.name)(*moved, **attributes)

    def _sources(self, shapes: Sequence[tuple[int, ...]], attributes: dict[str, Any]) -> Any:
        """For every place of the result the number of the element there, counted in row-major order, or `NOWHERE`."""
        ends = np.cumsum([math.prod(shape) for shape in shapes])
        numbers = np.split(np.arange(1, ends[-1] + 1, dtype=np.intp), ends[:-1])
        given = (own.reshape(shape) for own, shape in zip(numbers, shapes, strict=True))
        return np.asarray(self.value(*given, **attributes)) - 1

    def _by_index_map(self, m: Namespace, cotangent: Any, index: int, *inputs: Any, **attributes: Any) -> Any:
        """The cotangents of the places that each element of one input went to, added up."""
        shapes = [shape_of(x) for x in inputs]
        before, own = (math.prod(shape) for shape in shapes[:index]), math.prod(shapes[index])
        sources = self._sources(shapes, attributes).ravel() - sum(before)
        kept = np.flatnonzero((sources >= 0) & (sources < own))
        flat = m.take(m.reshape(cotangent, shape=(sources.size,)), kept, axis=0)
        total = m.scatter_add(flat, sources[kept], axis=0, length=own)
        return m.reshape(total, shape=shapes[index])


def _joined(m: Namespace, flat: Sequence[Any], axis: int) -> Any:
    """The elements of all inputs in one row."""
    return flat[0] if len(flat) == 1 else m.concatenate(*flat, axis=axis)


def _with_zeros(m: Namespace, taken: Any, sources: Any) -> Any:
    """What was taken, and zeros in places that nothing goes to."""
    return m.where(sources != NOWHERE, taken, taken.dtype.type(0)) if (sources == NOWHERE).any() else taken


@lru_cache(maxsize=4096)
def _links(
    declared: Callable[..., tuple[Links, ...]], shapes: tuple[Any, ...], attributes: tuple[Any, ...]
) -> tuple[Links, ...]:
    """What was declared, for shapes that are asked for again and again: long Programs have thousands of like slices."""
    return declared(*shapes, **dict(attributes))


@lru_cache(maxsize=4096)
def _result_type(
    op: Layout, shapes: tuple[tuple[int, ...], ...], kinds: tuple[Any, ...], attributes: tuple[tuple[str, Any], ...]
) -> ArrayType:
    return ArrayType(tuple(op.shape(*shapes, **dict(attributes))), _together(kinds))


def _together(kinds: tuple[Any, ...]) -> np.dtype[Any]:
    """The dtype of arrays and numbers of these kinds together."""
    dtypes = [np.asarray(kind(1)).dtype if isinstance(kind, type) else kind for kind in dict.fromkeys(kinds)]
    return np.result_type(*dtypes)
