"""Arrays of JAX that NumPy's functions compute with: by the function of the same name, in the dtypes that NumPy has."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

PYTHON = (int, float, complex)
"""Types of Python's numbers, which adapt to the arrays they meet; a truth value does not."""


class Value(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of JAX in NumPy's dress. What would need its numbers raises, as they are not known yet."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Kind of number."""
        kind: np.dtype[Any] = np.dtype(self.array.dtype)
        return kind

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    @property
    def T(self) -> Value:  # noqa: N802 - NumPy's name
        """The axes in the other order."""
        return Value(self.array.T)

    @property
    def real(self) -> Value:
        """The real part."""
        return Value(jnp.real(self.array))

    @property
    def imag(self) -> Value:
        """The imaginary part."""
        return Value(jnp.imag(self.array))

    def astype(self, dtype: Any, **_: Any) -> Value:
        """The same numbers in another dtype."""
        return Value(as_kind(self.array, dtype))

    def reshape(self, *shape: Any) -> Value:
        """The same numbers in another shape."""
        return Value(self.array.reshape(*shape))

    def transpose(self, *axes: Any) -> Value:
        """The axes in another order."""
        return Value(self.array.transpose(*axes))

    def copy(self) -> Value:
        """Itself: nothing writes into arrays of JAX."""
        return self

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Value]:
        return iter([self[i] for i in range(len(self))])  # JAX gives the last one for places that are not there

    def __getitem__(self, key: Any) -> Value:
        return Value(self.array[_bare(key)])

    def __bool__(self) -> bool:
        return bool(self.array)  # raises JAX's own error: the number is not known yet

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("an array of JAX was to become one of NumPy")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        options = {name: x for name, x in options.items() if x is not None}
        if method == "__call__" and not options:
            return _called(ufunc, inputs)
        if method in ("reduce", "accumulate") and options.keys() <= {"axis", "keepdims"}:
            return _folded(ufunc, method, inputs[0], **options)
        return NotImplemented

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        if function in ABOUT_TYPES:
            return ABOUT_TYPES[function](*inputs, **options)
        names = function.__module__.split(".")[1:]
        namespace: Any = jnp
        for name in names if names and names[0] in ("linalg", "fft") else ():
            namespace = getattr(namespace, name)
        return dressed(getattr(namespace, function.__name__)(*_bare(inputs), **_bare(options)))


def array_of(x: Any, dtype: Any) -> Any:
    """An array of JAX in this dtype, of whatever holds numbers."""
    return as_kind(x.array, dtype) if type(x) is Value else jnp.asarray(np.asarray(x, dtype))


def as_kind(x: Any, dtype: Any) -> Any:
    """An array of JAX in another dtype: of complex numbers in a real one, the real part."""
    dtype = np.dtype(dtype)
    if x.dtype == dtype:
        return x
    return (jnp.real(x) if x.dtype.kind == "c" and dtype.kind not in "cb" else x).astype(dtype)


def dressed(x: Any) -> Any:
    """What JAX has computed, in NumPy's dress."""
    if isinstance(x, jnp.ndarray):
        return Value(x)
    if isinstance(x, tuple | list):
        parts = [dressed(part) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    return x


def _bare(x: Any) -> Any:
    """Arguments as JAX takes them."""
    if type(x) is Value:
        return x.array
    if type(x) in (tuple, list):
        return type(x)([_bare(part) for part in x])
    return {name: _bare(part) for name, part in x.items()} if type(x) is dict else x


def _kind(x: Any) -> Any:
    """The dtype of an array, or the type of a number of Python's, as NumPy is told of it."""
    if type(x) in PYTHON:
        return type(x)
    return x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype


def _called(ufunc: np.ufunc, inputs: Any) -> Any:
    *kinds, result = _loop(ufunc, tuple(map(_kind, inputs)))
    if result.kind == "b" and any(map(_is_beyond, inputs, kinds)):  # integers are compared however long they are
        inputs = [
            math.copysign(math.inf, x) if _is_beyond(x, kind) else x for x, kind in zip(inputs, kinds, strict=True)
        ]
        kinds = [np.dtype(np.float64)] * len(inputs)
    function = OWN.get(ufunc) or getattr(jnp, ufunc.__name__)
    given = [as_kind(array_of(x, kind), WIDER.get(kind, kind)) for x, kind in zip(inputs, kinds, strict=True)]
    found = function(*given)
    return Value(as_kind(found, result))


def _is_beyond(x: Any, kind: np.dtype[Any]) -> bool:
    """Whether a number of Python's is none of the integers of a dtype."""
    return type(x) is int and kind.kind in "iu" and not np.iinfo(kind).min <= x <= np.iinfo(kind).max


@cache
def _loop(ufunc: np.ufunc, kinds: tuple[Any, ...]) -> tuple[np.dtype[Any], ...]:
    """The dtypes that NumPy computes in."""
    return ufunc.resolve_dtypes((*kinds, None))


def _folded(ufunc: np.ufunc, method: str, x: Any, axis: Any = 0, keepdims: bool = False) -> Any:
    kind = getattr(ufunc, method)(np.ones(1, x.dtype)).dtype
    array = array_of(x, kind)
    function = getattr(getattr(jnp, ufunc.__name__), method)
    if method == "accumulate":
        return Value(as_kind(function(array, axis=axis), kind))
    if not array.size:  # also where there is no neutral element, if there are no results
        return Value(jnp.asarray(ufunc.reduce(np.zeros(x.shape, kind), axis=axis, keepdims=keepdims)))
    if axis == ():
        return Value(array)
    return Value(as_kind(function(array, axis=axis, keepdims=keepdims), kind))


WIDER = {np.dtype(np.float16): np.dtype(np.float32)}
"""NumPy computes with halves in float32, and rounds the result."""


def _floor_divide(a: Any, b: Any) -> Any:
    """Of integers by 0 the quotient is 0."""
    if a.dtype.kind not in "iu":
        return jnp.floor_divide(a, b)
    return jnp.where(b == 0, 0, jnp.floor_divide(a, jnp.where(b == 0, 1, b)))


def _remainder(a: Any, b: Any) -> Any:
    """Of integers by 0 the rest is 0."""
    if a.dtype.kind not in "iu":
        return jnp.remainder(a, b)
    return jnp.where(b == 0, 0, jnp.remainder(a, jnp.where(b == 0, 1, b)))


def _power(a: Any, b: Any) -> Any:
    """Of integers by squaring, bit by bit of the exponent, as far as their own bits go."""
    if a.dtype.kind not in "iu":
        return jnp.power(a, b)

    def more(_: int, carried: Any) -> Any:
        result, factor, left = carried
        return jnp.where(left & 1 == 1, result * factor, result), factor * factor, left >> 1

    a, b = jnp.broadcast_arrays(a, b)
    return lax.fori_loop(0, 8 * b.dtype.itemsize, more, (jnp.ones_like(a), a, b))[0]


def _on_its_side(function: Callable[..., Any], side: int = 1) -> Callable[..., Any]:
    """A function whose imaginary part has the sign of its argument's, or the other one: XLA forgets that of 0, which says on
    which side of a cut a number lies."""

    def computed(x: Any) -> Any:
        found = function(x)
        return lax.complex(found.real, jnp.copysign(found.imag, side * x.imag)) if x.dtype.kind == "c" else found

    return computed


OWN: dict[np.ufunc, Callable[..., Any]] = {
    np.arccos: _on_its_side(jnp.arccos, -1),
    np.arccosh: _on_its_side(jnp.arccosh),
    np.arcsin: _on_its_side(jnp.arcsin),
    np.floor_divide: _floor_divide,
    np.power: _power,
    np.remainder: _remainder,
    np.sqrt: _on_its_side(jnp.sqrt),
    np.sign: lambda x: jnp.where(x == 0, 0, jnp.sign(x)).astype(x.dtype),  # without the sign of −0
}
"""What JAX computes otherwise than NumPy."""


def _where(condition: Any, a: Any, b: Any) -> Value:
    kind = result_type(a, b)
    return Value(jnp.where(array_of(condition, bool), array_of(a, kind), array_of(b, kind)))


def result_type(*inputs: Any) -> np.dtype[Any]:
    """The dtype of arrays and numbers together."""
    return np.result_type(*[np.zeros((), x.dtype) if type(x) is Value else x for x in inputs])


ABOUT_TYPES: dict[Any, Callable[..., Any]] = {
    np.result_type: result_type,
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.size,
    np.where: _where,
}
"""Functions in which NumPy's dtypes and shapes count."""
