"""Elementwise functions whose call differs from their operation's: options, defaults, special cases."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.ops.functions.function import function, is_known, seen, whole
from chainrule.ops.operation import copied, example

_POWERS = {2: "square", 1: "positive", 0.5: "sqrt", -1: "reciprocal"}


@function(
    example((3,), 3),
    example((3,), 2),
    example(np.array([0.5, 1.5, 2.5]), 0.5),
    example(np.array([0.5, 1.5, 2.5]), -1),
    example(np.array([0.5, 1.5, 2.5]), (3,)),
    example(2.0, (3,)),
)
def power(m: Any, x1: Any, x2: Any, /) -> Any:
    """x1 to the power x2; the commonest constant exponents become simpler operations."""
    if type(x2) in (int, float) and x2 in _POWERS and x1.dtype.kind in "fc":
        return getattr(m, _POWERS[x2])(x1)
    if isinstance(x2, int | np.generic | np.ndarray) and _whole(x1) and _whole(x2) and np.any(np.less(x2, 0)):
        raise SettingError(
            f"integers (dtype {x1.dtype}) to a negative power (exponent {x2}) are no integers. Write 1.0 / x**n, or the base as "
            "x.astype(float)."
        )
    return m.power(x1, x2)


def _whole(x: Any) -> bool:
    return isinstance(x, int) or getattr(x, "dtype", np.dtype(float)).kind in "iu"


@function(example(np.array([True, False])), example(np.array([0, 5, -3])), differentiable=False)
def invert(m: Any, x: Any, /) -> Any:
    """Not, for truth values; every bit the other way round, for integers."""
    if x.dtype == bool:
        return m.logical_not(x)
    if x.dtype.kind not in "iu":
        raise ShapeError(f"~ is for truth values and integers; this has dtype {x.dtype}.")
    return m.bitwise_xor(x, x.dtype.type(-1 if x.dtype.kind == "i" else np.iinfo(x.dtype).max))


@function(example(np.array([True, False, True]), (3,), (3,)), example(np.array([[True], [False]]), (2, 3), 0.0))
def where(m: Any, condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """Elements of x where the condition holds, of y elsewhere."""
    if x is None and y is None and is_known(seen(m, condition)):
        return np.asarray(seen(m, condition)).nonzero()
    if x is None or y is None:
        raise ShapeError("np.where with one argument selects an unknown number of elements; give all three.")
    return m.where(condition, x, y)


@function(example((4,), -0.5, 0.5), example((4,), None, 0.3), example((4,), -0.3, None))
def clip(m: Any, a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """The elements kept between two bounds."""
    if (min is not None and a_min is not None) or (max is not None and a_max is not None):
        raise SettingError("clip was given a bound twice, as a_min and min, or as a_max and max; give each once.")
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    if low is None and high is None:
        return a
    if low is None:
        return m.minimum(a, high)
    return m.maximum(a, low) if high is None else m.clip(a, low, high)


@function(example((4,)))
def real(m: Any, val: Any) -> Any:
    """The real part; of real numbers the numbers themselves."""
    return m.real(val) if val.dtype.kind == "c" else val


@function(example(np.array([1.0 + 2.0j, -0.5j])))
def imag(m: Any, val: Any) -> Any:
    """The imaginary part; of real numbers zeros."""
    return m.imag(val) if val.dtype.kind == "c" else np.zeros(val.shape, val.dtype)


@function(example((4,)))
def conjugate(m: Any, x: Any, /) -> Any:
    """The complex conjugate; of real numbers the numbers themselves."""
    return m.conjugate(x) if x.dtype.kind == "c" else copied(m, x)


@function(example(np.array([1.0 + 2.0j, -0.5j])), example(np.array([1.0 + 2.0j]), deg=True))
def angle(m: Any, z: Any, deg: bool = False) -> Any:
    """The angle of complex numbers in the plane, from −π to π; of real numbers 0 or π."""
    found = m.angle(z) if z.dtype.kind == "c" else m.stop_gradient(m.arctan2(m.positive(z) * 0.0, z))
    return found * (180.0 / math.pi) if deg else found


@function(example((3,)), differentiable=False)
def iscomplexobj(m: Any, x: Any) -> bool:
    """Whether these are complex numbers, whatever their imaginary parts."""
    return bool(x.dtype.kind == "c")


@function(example((3,)), differentiable=False)
def isrealobj(m: Any, x: Any) -> bool:
    """Whether these are no complex numbers."""
    return bool(x.dtype.kind != "c")


@function(example((3,)), differentiable=False)
def iscomplex(m: Any, x: Any) -> Any:
    """Where imaginary parts are other than 0."""
    return m.not_equal(imag(m, x), 0)


@function(example((3,)), differentiable=False)
def isreal(m: Any, x: Any) -> Any:
    """Where imaginary parts are 0."""
    return m.equal(imag(m, x), 0)


@function(example((4,)), example((4,), 1), numpy=(np.round, np.around), name="round", differentiable=False)
def round_(m: Any, a: Any, decimals: int = 0) -> Any:
    """The nearest number with so many decimals, halves to even."""
    places = whole(decimals, "decimals")
    integers = _whole(a) and a.dtype
    if integers and places >= 0:
        return m.positive(a)
    if places == 0:
        return m.rint(a)
    scale = 10.0 ** abs(places)
    result = m.rint(a * scale) / scale if places > 0 else m.rint(a / scale) * scale
    return m.astype(result, dtype=integers) if integers else result


@function(example((4,)), numpy=(), activation="plain")
def hard_tanh(m: Any, x: Any) -> Any:
    """x kept between −1 and 1."""
    return m.clip(x, -1.0, 1.0)
