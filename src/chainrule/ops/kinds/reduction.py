"""The kind `Reduction`: axes of an array combined into one number each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import ShapeError
from chainrule.ops.axes import Links, reducing
from chainrule.ops.lazy import cached_property
from chainrule.ops.operation import (
    ArrayType,
    Example,
    Namespace,
    Operation,
    axes_of_example,
    dtype_of,
    eager,
    exemplar,
    shape_of,
)


class Uniform(NamedTuple):
    """A partial derivative that is the same for all elements, and depends on their number alone."""

    of_count: Callable[[int], float]


HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)

Partial = Callable[..., Any] | Uniform | None
"""∂result/∂element: a function of `(m, y, x, axis)`, the same for all elements, or `None` where there is none."""


@dataclass(init=False, eq=False, repr=False, kw_only=True)
class Reduction(Operation):
    """Elements along some axes, combined.

    `combine` names the elementwise operation that joins two elements (`add`, `maximum`, …) and
    `finish(total, count)` what is done to the result. A reduction that is no such fold gives
    `value(m, x, axis)` instead, in terms of other operations, keeping the reduced axes with length 1.
    `partial` is ∂y/∂x of each element: `partial(m, y, x, axis)`, with `y` kept in `x`'s number of axes, or
    `Uniform`, a function of the count alone. Without it there is no derivative.

    Every member takes the attributes `axis` (a tuple of axes, none negative) and `keepdims`.
    """

    combine: str | None = None
    finish: Callable[[Any, int], Any] | None = None
    value: Callable[..., Any] | None = None
    partial: Partial = None
    needs_elements: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.differentiable = self.partial is not None
        if self.combine is not None:
            self._fold = getattr(np, self.combine).reduce
        self._is_fold = self.combine is not None and self.finish is None and not self.needs_elements

    def counted(self, given: Example) -> Example:
        """The same with a tuple of axes: all, where none is named."""
        axis = given.attributes.get("axis")
        if type(axis) is tuple and min(axis, default=0) >= 0:
            return given
        n = axes_of_example(given)
        axes = range(n) if axis is None else (axis,) if type(axis) is int else axis
        return Example(given.inputs, {**given.attributes, "axis": tuple(i % n for i in axes)})

    def evaluate(self, x: Any, axis: tuple[int, ...], keepdims: bool = False) -> Any:
        """The reduction of plain arrays, by NumPy's own `reduce` where it is a fold; sums of float16 are added up in float32."""
        if self.combine == "add" and getattr(x, "itemsize", 0) == 2 and x.dtype == HALF:  # too coarse to add up in
            return self.evaluate(x.astype(SINGLE), axis, keepdims).astype(HALF)[()]
        if self._is_fold:
            return self._fold(x, axis, None, None, keepdims)
        shape = np.shape(x)
        if self.needs_elements:
            self._check_elements(shape, axis)
        if self.combine is not None:
            total = self._fold(x, axis, None, None, keepdims)
            return total if self.finish is None else self.finish(total, _count(shape, axis))
        assert self.value is not None
        kept = self.value(eager, np.asarray(x), axis)
        return kept if keepdims else np.reshape(kept, _reduced(shape, axis, False))[()]

    @cached_property
    def keeps_one(self) -> bool:
        """Whether one element combined with no other stays as it is, to the bit: NumPy's sums begin with 0, and 0 + −0 is 0."""
        plain = self.combine is not None and self.finish is None
        return plain and bool(np.signbit(self.evaluate(np.array([-0.0]), axis=(0,))).all())

    @cached_property
    def selects(self) -> bool:
        """Whether its result is one of the elements, to the bit."""
        plain = self.combine is not None and self.finish is None
        return plain and bool(self.evaluate(np.array([0.3, 0.3]), axis=(0,)) == 0.3)

    def infer(self, x: Any, axis: tuple[int, ...], keepdims: bool = False) -> ArrayType:
        """The shape without the axes, and the dtype NumPy gives."""
        shape = shape_of(x)
        result = ArrayType(_reduced(shape, axis, keepdims), _result_dtype(self, dtype_of(x)))
        if self.needs_elements:
            self._check_elements(shape, axis)
        return result

    def axes(self, *inputs: Any, **attributes: Any) -> tuple[Links, ...]:
        """The reduced axes are combined, the others kept."""
        return (reducing(len(shape_of(inputs[0])), attributes["axis"], attributes.get("keepdims", False)),)

    def batch(self, m: Namespace, size: int, batched: Sequence[bool], inputs: Sequence[Any], **attributes: Any) -> Any:
        """The axes one further."""
        return getattr(m, self.name)(*inputs, **{**attributes, "axis": tuple(i + 1 for i in attributes["axis"])})

    def written(self, m: Namespace, *inputs: Any, **attributes: Any) -> Any:
        """A reduction that is no fold, as it declares its value."""
        if self.combine is not None:
            return None
        assert self.value is not None
        (x,) = inputs
        kept, axis = self.value(m, x, attributes["axis"]), attributes["axis"]
        shape = _reduced(x.shape, axis, attributes.get("keepdims", False))
        return kept if kept.shape == shape else m.reshape(kept, shape=shape)

    def pullback(
        self,
        m: Namespace,
        cotangent: Any,
        output: Any,
        inputs: Sequence[Any],
        wanted: Sequence[Any],
        **attributes: Any,
    ) -> list[Any]:
        """partial · spread(cotangent)."""
        (x,) = inputs
        axis = attributes["axis"]
        if isinstance(self.partial, Uniform) and not cotangent.shape:  # one number broadcasts by itself
            factor = self.partial.of_count(_count(x.shape, axis))
            return [m.broadcast_to(cotangent if factor == 1 else cotangent * factor, shape=x.shape)]
        kept = _reduced(x.shape, axis, True)
        spread = cotangent if cotangent.shape == kept else m.reshape(cotangent, shape=kept)
        if isinstance(self.partial, Uniform):
            factor = self.partial.of_count(_count(x.shape, axis))
            spread = spread if factor == 1 else spread * factor
            return [spread if kept == x.shape else m.broadcast_to(spread, shape=x.shape)]
        assert self.partial is not None
        y = output if output.shape == kept else m.reshape(output, shape=kept)
        return [self.partial(m, y, x, axis) * spread]

    def pushforward(
        self, m: Namespace, tangents: Sequence[Any], output: Any, inputs: Sequence[Any], **attributes: Any
    ) -> Any:
        """Σ partial · tangent."""
        (tangent,), (x,) = tangents, inputs
        if tangent is None:
            return None
        axis, keepdims = attributes["axis"], attributes.get("keepdims", False)
        if isinstance(self.partial, Uniform):
            factor = self.partial.of_count(_count(x.shape, axis))
            if factor == 1:
                return m.sum(tangent, axis=axis, keepdims=keepdims)
            half = tangent.dtype == HALF  # whose largest number is 65504
            wide = m.astype(tangent, dtype=SINGLE) if half else tangent
            total = m.sum(wide, axis=axis, keepdims=keepdims) * factor
            return m.astype(total, dtype=HALF) if half else total
        assert self.partial is not None
        kept = _reduced(x.shape, axis, True)
        y = output if output.shape == kept else m.reshape(output, shape=kept)
        return m.sum(self.partial(m, y, x, axis) * tangent, axis=axis, keepdims=keepdims)

    def _check_elements(self, shape: tuple[int, ...], axis: tuple[int, ...]) -> None:
        if _count(shape, axis) == 0 and 0 not in _reduced(shape, axis, False):
            raise ShapeError(
                f"{self.name} was given an array of shape {shape} and would combine zero elements along "
                f"axis {axis}, which has no meaning. Give at least one element."
            )


def _reduced(shape: tuple[int, ...], axis: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    if type(axis) is not tuple or (axis and (min(axis) < 0 or max(axis) >= len(shape))):
        raise ShapeError(
            f"a reduction of shape {shape} was given axis={axis}; rules give a tuple of axes counted from the front, such as "
            "(0,), and functions make one by all_axes(axis, ndim)."
        )
    if keepdims:
        return tuple(1 if i in axis else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axis)


def _count(shape: tuple[int, ...], axis: tuple[int, ...]) -> int:
    count = 1
    for i in axis:
        count *= shape[i]
    return count


@cache
def _result_dtype(op: Reduction, kind: Any) -> np.dtype[Any]:
    return np.asarray(op.evaluate(np.ones(1, np.result_type(exemplar(kind))), axis=(0,))).dtype
