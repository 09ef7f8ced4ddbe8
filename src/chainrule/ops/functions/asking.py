"""Questions about arrays: what is equal, close, real, and of which kind; plain answers wherever numbers are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.ops.functions.function import array, floating, function, ndim, shape
from chainrule.ops.operation import example


@function(example((4,), np.array([0.25, 1.0, -0.5, 3.0])), example((3,), (3,), rtol=0.5), differentiable=False)
def isclose(m: Any, a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether numbers differ by no more than atol + rtol·|b|."""
    a, b = array(a), floating(m, b)
    near = m.less_equal(m.absolute(a - b), atol + rtol * m.absolute(b))
    if b.dtype.kind == "f":
        near = m.logical_and(near, m.isfinite(b))
    result = m.logical_or(near, m.equal(a, b))
    if equal_nan and a.dtype.kind == b.dtype.kind == "f":
        result = m.logical_or(result, m.logical_and(m.isnan(a), m.isnan(b)))
    return result


@function(example((4,), (4,)), example((3,), np.array([[0.0], [1.0]])), differentiable=False)
def allclose(m: Any, a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether all numbers differ by no more than atol + rtol·|b|."""
    return _all(m, isclose(m, a, b, rtol, atol, equal_nan))


@function(example((4,), (4,)), example((2, 3), (3,)), differentiable=False)
def array_equal(m: Any, a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    """Whether two arrays have one shape and the same elements."""
    return shape(a1) == shape(a2) and _all(m, _equal(m, array(a1), array(a2), equal_nan))


@function(example((4,), (4,)), example((2, 3), (3,)), differentiable=False)
def array_equiv(m: Any, a1: Any, a2: Any) -> Any:
    """Whether two arrays, broadcast to each other, have the same elements."""
    try:
        np.broadcast_shapes(shape(a1), shape(a2))
    except ValueError:
        return False
    return _all(m, _equal(m, array(a1), array(a2), False))


def _equal(m: Any, a: Any, b: Any, equal_nan: bool) -> Any:
    same = m.equal(a, b)
    if equal_nan and a.dtype.kind == b.dtype.kind == "f":
        same = m.logical_or(same, m.logical_and(m.isnan(a), m.isnan(b)))
    return same


def _all(m: Any, condition: Any) -> Any:
    """Whether all hold: Python's answer where it is known, as NumPy has it."""
    answer = m.all(condition, axis=tuple(range(ndim(condition))), keepdims=False)
    return bool(answer) if isinstance(answer, np.bool_ | np.ndarray) else answer


def _kind(x: Any) -> Any:
    """What NumPy decides a common dtype by: a dtype, or a number of Python's, which adapts."""
    if getattr(x, "is_number", False):
        return {"b": True, "i": 1, "f": 1.0}[x.dtype.kind]
    return x if isinstance(x, type | np.ndarray | np.generic) or not hasattr(x, "dtype") else x.dtype


@function(example((4,), (2,)), differentiable=False)
def result_type(m: Any, *arrays_and_dtypes: Any) -> Any:
    """The dtype that arrays have in common."""
    return np.result_type(*map(_kind, arrays_and_dtypes))


@function(example((4,), (3,)), differentiable=False)
def common_type(m: Any, *arrays: Any) -> Any:
    """The type of floating-point numbers that arrays have in common."""
    return np.common_type(*(np.empty(0, array(x).dtype) for x in arrays))


@function(example((4,), np.float64), differentiable=False)
def can_cast(m: Any, from_: Any, to: Any, casting: Any = "safe") -> bool:
    """Whether numbers of one dtype can be made ones of another."""
    return np.can_cast(array(from_).dtype if hasattr(from_, "shape") else from_, to, casting)


@function(example((1, 4)), differentiable=False)
def min_scalar_type(m: Any, a: Any, /) -> Any:
    """The dtype: of an array, and here of a single traced number as well, the one it has."""
    return np.min_scalar_type(a) if isinstance(a, np.ndarray | np.generic | int | float) else array(a).dtype
