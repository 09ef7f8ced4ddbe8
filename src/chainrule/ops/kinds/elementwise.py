"""The kind `Elementwise`: one number out for one number in from each input, broadcast over arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np

from chainrule.errors import ShapeError
from chainrule.ops.axes import Links, broadcasting
from chainrule.ops.operation import (
    OF_NUMPY,
    ArrayType,
    Namespace,
    Operation,
    at,
    cast,
    dtype_of,
    eager,
    exemplar,
    lets_through,
    shape_of,
)

Partial = Callable[..., Any] | float | None
"""∂output/∂input: a function of `(m, output, *inputs)`, a constant, or `None` where it is zero."""


ActivationKind = Literal["plain", "rectifier", "self-normalizing"]
"""What an activation does to the size of numbers, which decides how the weights before it start: a rectifier passes
about half of them on, a self-normalizing one brings them to mean 0 and variance 1."""


class Domain(NamedTuple):
    """The interval an input may come from, and the points inside it that are different.

    At `kinks` there is a value, and no derivative of the first or second order; at `poles` there is no value. Both stand
    for all points that are whole numbers of the `period` away, where there is one. Tests draw from all of it, or from the
    part that is `drawn`.
    """

    low: float = -math.inf
    high: float = math.inf
    kinks: tuple[float, ...] = ()
    dtype: str = "float"
    poles: tuple[float, ...] = ()
    period: float | None = None
    drawn: tuple[float, float] | None = None

    @property
    def points(self) -> tuple[float, ...]:
        """The kinks and poles; of endlessly many those near 0."""
        points = (*self.kinks, *self.poles)
        return points if self.period is None else tuple(x + k * self.period for x in points for k in range(-9, 10))

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval that is drawn from."""
        return (self.low, self.high) if self.drawn is None else self.drawn


NUMBERS = frozenset({int, float})
"""Types of Python's numbers, which adapt to the arrays they meet."""

REAL = Domain()
POSITIVE = Domain(low=0.0)
NONZERO = Domain(poles=(0.0,))
BENT = Domain(kinks=(0.0,))
UNIT = Domain(-1.0, 1.0)
BOOLEAN = Domain(0, 1, dtype="bool")
INTEGER = Domain(0, 31, dtype="uint32")
EQUAL = at("{0} = {1}", 1.0, 1.0)
"""The kink of `maximum`; tests keep the inputs of operations that have it apart."""


@dataclass(init=False, eq=False, repr=False, kw_only=True)
class Elementwise(Operation):
    """An operation on numbers, applied to arrays element by element.

    `value(m, *inputs)` is the number, written over the namespace `m`; `partials` are its derivatives by
    each input, of complex numbers dy = ∂·dx, or where y is real dy = Re(∂·dx).
    What `value` takes after the inputs, one for every entry of `domain`, are static arguments, which both get by
    name. Where NumPy has a ufunc of the same name, that is the value for plain arrays; `numpy` names
    another implementation. `neutral` has for each of two inputs the number that leaves the other one as it is; an operation that
    gives the numbers of its first input unchanged sets `passes`.

    `defaults` are values for the last inputs, by name, where it is called as `cr.<name>`. One that says what kind of
    `activation` it is can be named in a layer, and is public where NumPy has no ufunc of its name.
    """

    value: Callable[..., Any]
    partials: tuple[Partial, ...]
    domain: tuple[Domain, ...]
    numpy: Callable[..., Any] | None = None
    neutral: tuple[float | None, float | None] = (None, None)
    passes: bool = False
    defaults: Mapping[str, float] = field(default_factory=dict)
    activation: ActivationKind | None = None
    partly: Callable[..., bool] | None = None
    """Whether NumPy may refuse numbers of such types, as machine code, which has none for them, cannot."""
    loops: bool = True
    """Whether there is an algorithm for it in machine code; an operation that another library computes has none."""
    squared: Callable[..., Any] | None = None
    even: Callable[..., Any] | None = None
    unsigned: bool = False
    carries: bool = False
    shares: bool = False
    symmetric: bool = False
    flattens: Callable[..., int] | None = None
    moves: tuple[int, int | None] = (0, None)
    ufunc: np.ufunc | None = field(init=False, default=None)
    """NumPy's ufunc of this name, if there is one; a function of this name that is none means something else."""

    def __post_init__(self) -> None:
        super().__post_init__()
        found = getattr(np, self.name, None)
        if isinstance(found, np.ufunc):
            self.ufunc = found
            OF_NUMPY.setdefault(found, self)
        implementation = self.numpy or self.ufunc
        if implementation is None:
            implementation = _composed(self.value, several=len(self.domain) > 1)
        self.evaluate = implementation  # type: ignore[method-assign]
        self.public = self.public or (self.activation is not None and self.ufunc is None)
        self.differentiable = any(partial is not None for partial in self.partials)
        self.remembers = any(map(callable, self.partials))

    def infer(self, *inputs: Any, **attributes: Any) -> ArrayType:
        """The broadcast shape, and the dtype NumPy gives."""
        shapes, kinds = tuple([shape_of(x) for x in inputs]), tuple([dtype_of(x) for x in inputs])
        return _result_type(self, shapes, kinds, tuple(attributes.items()))

    def has_loops(self, inputs: int) -> bool:
        """As declared."""
        return self.loops

    def axes(self, *inputs: Any, **attributes: Any) -> tuple[Links, ...]:
        """All inputs broadcast."""
        shapes = [shape_of(x) for x in inputs]
        result = np.broadcast_shapes(*shapes)
        return tuple(broadcasting(shape, result) for shape in shapes)

    def batch(self, m: Namespace, size: int, batched: Sequence[bool], inputs: Sequence[Any], **attributes: Any) -> Any:
        """The operation itself: axes that batched inputs lack beside the others come behind the batch's."""
        if len(inputs) > 1:
            ndims = [len(shape_of(x)) - mine for x, mine in zip(inputs, batched, strict=True)]
            ndim = max(ndims)
            inputs = [
                m.reshape(x, shape=(size, *(1,) * (ndim - n), *x.shape[1:])) if mine and n < ndim else x
                for x, mine, n in zip(inputs, batched, ndims, strict=True)
            ]
        return getattr(m, self.name)(*inputs, **attributes)

    def uses(
        self, m: Namespace, used: Any, inputs: Sequence[Any], wanted: Sequence[Any], **attributes: Any
    ) -> list[Any]:
        """Those in the places of the used ones, but for what is multiplied by a plain 0."""
        if len(inputs) == 2 and self.meets(**attributes):
            for x, want in zip(inputs, wanted, strict=True):
                used = used * lets_through(x, want)
        return super().uses(m, used, inputs, wanted, **attributes)

    def pullback(
        self,
        m: Namespace,
        cotangent: Any,
        output: Any,
        inputs: Sequence[Any],
        wanted: Sequence[Any],
        **attributes: Any,
    ) -> list[Any]:
        """cotangent · ∂, summed back to the input's shape."""
        results: list[Any] = [None] * len(inputs)
        given = inputs if len(inputs) == 1 else self._as_reals(m, output, inputs)
        for i, partial in enumerate(self.partials):
            if partial is None or not wanted[i]:
                continue
            x = inputs[i]
            if callable(partial):
                product = cotangent * partial(m, output, *given, **attributes)
            elif partial == 1:
                product = cotangent
            elif partial == -1:
                product = -cotangent
            else:
                product = cotangent * partial
            if product.shape != x.shape or (product.dtype is not x.dtype and product.dtype != x.dtype):
                product = sum_to(m, product, x.shape, x.dtype)
            results[i] = product
        return results

    def pushforward(
        self, m: Namespace, tangents: Sequence[Any], output: Any, inputs: Sequence[Any], **attributes: Any
    ) -> Any:
        """Σ ∂ · tangent, broadcast to the output's shape."""
        total = None
        given = inputs if len(inputs) == 1 else self._as_reals(m, output, inputs)
        for i, partial in enumerate(self.partials):
            term = tangents[i]
            if term is None or partial is None:
                continue
            if callable(partial):
                term = term * partial(m, output, *given, **attributes)
            elif partial != 1:
                term = term * partial
            total = term if total is None else total + term
        if total is not None and (total.shape != output.shape or total.dtype != output.dtype):
            total = m.broadcast_to(cast(m, total, output.dtype), shape=output.shape)
        return total

    def _as_reals(self, m: Namespace, output: Any, inputs: Sequence[Any]) -> Sequence[Any]:
        """Inputs as partials are given them: as integers and truth values, −b and b − 1 would be other numbers, or none."""
        for i, x in enumerate(inputs):
            if getattr(x, "dtype", output.dtype).kind in "bui" and self.domain[i].dtype == "float":
                inputs = [*inputs[:i], m.astype(x, dtype=output.dtype), *inputs[i + 1 :]]
        return inputs


def _composed(value: Callable[..., Any], *, several: bool) -> Callable[..., Any]:
    """The value as declared. Python numbers beside arrays take part in their dtype, also where the rule computes with them
    alone: NumPy's functions make float64 of a Python number, which would widen float32."""

    def of_several(*inputs: Any, **attributes: Any) -> Any:
        if not NUMBERS.isdisjoint(map(type, inputs)):
            kind = np.result_type(*inputs).type
            inputs = tuple([kind(x) if type(x) in NUMBERS else x for x in inputs])
        return value(eager, *inputs, **attributes)

    return of_several if several else lambda *inputs, **attributes: value(eager, *inputs, **attributes)


def sum_to(m: Namespace, x: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """The adjoint of broadcasting: `x` summed down to `shape`, in the given dtype."""
    if x.shape != shape:
        axes = _broadcast_axes(tuple(x.shape), tuple(shape))
        if axes:
            x = m.sum(x, axis=axes, keepdims=False)
        if x.shape != shape:
            x = m.reshape(x, shape=shape)
    return x if x.dtype == dtype else cast(m, x, dtype)


@lru_cache(maxsize=4096)
def _broadcast_axes(result: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of a result along which an input of this shape was repeated."""
    extra = len(result) - len(shape)
    return (*range(extra), *(i + extra for i, n in enumerate(shape) if n == 1 and result[i + extra] != 1))


@lru_cache(maxsize=4096)
def _result_type(
    op: Elementwise,
    shapes: tuple[tuple[int, ...], ...],
    kinds: tuple[Any, ...],
    attributes: tuple[tuple[str, Any], ...],
) -> ArrayType:
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(
            f"{op.name} was given shapes {' and '.join(map(str, shapes))}, which do not broadcast together. "
            "Axes are compared from the last to the first and must be equal or 1."
        ) from None
    return ArrayType(shape, _result_dtype(op, kinds, attributes))


@cache
def _result_dtype(op: Elementwise, kinds: tuple[Any, ...], attributes: tuple[tuple[str, Any], ...]) -> np.dtype[Any]:
    result = op.evaluate(*(exemplar(kind) for kind in kinds), **dict(attributes))
    return np.asarray(result).dtype
