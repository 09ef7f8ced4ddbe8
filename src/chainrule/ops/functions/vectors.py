"""Functions of vectors and of variables with several observations: vector products, covariances, correlations."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import ShapeError
from chainrule.ops.functions.elementwise import conjugate
from chainrule.ops.functions.function import array, cast, floating, function, ndim, one_axis, together, whole
from chainrule.ops.functions.function import shape as shape_of
from chainrule.ops.functions.products import einsum
from chainrule.ops.functions.shaping import moveaxis, reshape
from chainrule.ops.operation import example


@function(
    example((3, 5)),
    example((3, 5), (2, 5), bias=True),
    example((5, 3), rowvar=False, ddof=0),
    example((5,)),
    example((3, 5), aweights=np.array([1.0, 2.0, 0.5, 1.0, 1.5]), fweights=np.array([1, 2, 1, 3, 1])),
)
def cov(
    m: Any, m_: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None,
    fweights: Any = None, aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    """The covariances of variables, one in every row (or column), over their observations."""
    given_kinds = [array(x).dtype for x in (m_, y) if x is not None]
    dtype = np.result_type(*given_kinds, float) if dtype is None else dtype  # as NumPy has it, also for float32
    x = _variables(m, cast(m, floating(m, m_), dtype), rowvar)
    if not x.shape[0] or (y is not None and 0 in shape_of(y)):
        raise ShapeError("covariances of no variables were asked for; give at least one, with observations.")
    if y is not None:
        x = m.concatenate(*together(m, x, _variables(m, cast(m, floating(m, y), dtype), rowvar)), axis=0)
    delta = (1 if bias == 0 else 0) if ddof is None else whole(ddof, "ddof")
    w: Any = None
    for given in (fweights, aweights):
        if given is not None:
            own = cast(m, array(given), np.dtype(float))
            if shape_of(own) != (x.shape[1],):
                raise ShapeError(
                    f"cov was given weights of shape {shape_of(own)} for {x.shape[1]} observations; give as many."
                )
            w = own if w is None else w * own
    if w is None:
        middle = m.mean(x, axis=(1,), keepdims=True)
        centred = weighted = x - middle
        divisor: Any = x.shape[1] - delta
        if divisor <= 0:
            raise ShapeError(f"cov needs more than ddof={delta} observations and was given {x.shape[1]}.")
    else:
        total = m.sum(w, axis=(0,), keepdims=False)
        middle = m.sum(x * w, axis=(1,), keepdims=True) / total
        centred = x - middle
        weighted = centred * w
        divisor = total - delta
        if aweights is not None and delta:
            divisor = (
                total - delta * m.sum(w * cast(m, array(aweights), np.dtype(float)), axis=(0,), keepdims=False) / total
            )
        divisor = m.maximum(divisor, 0)
    products = m.einsum(centred, conjugate(m, weighted), subscripts="ij,kj->ik") / divisor
    return reshape(m, products, ()) if products.shape == (1, 1) else products


def _variables(m: Any, x: Any, rowvar: bool) -> Any:
    """Variables as rows."""
    if ndim(x) > 2:
        raise ShapeError(f"covariances of an array of shape {shape_of(x)} were asked for; give a vector or a matrix.")
    if ndim(x) < 2:
        return reshape(m, x, (1, -1))
    return x if rowvar else m.transpose(x, axes=(1, 0))


@function(example((3, 5)), example((3, 5), (2, 5)), example((5, 3), rowvar=False))
def corrcoef(m: Any, x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """The correlations of variables: covariances over the product of both standard deviations."""
    c = cov(m, x, y, rowvar, dtype=dtype)
    if ndim(c) == 0:
        return c / c
    n = c.shape[0]
    spread = m.sqrt(m.take(reshape(m, c, (n * n,)), np.arange(n) * (n + 1), axis=0))
    scaled = c / reshape(m, spread, (n, 1)) / reshape(m, spread, (1, n))
    return scaled if scaled.dtype.kind == "c" else m.clip(scaled, -1.0, 1.0)


@function(example((3,), (3,)), example((2, 3), (4, 2, 3)), example((3, 4), (3, 4), axis=0))
def cross(m: Any, a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The vector product of vectors with three components."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = array(a), array(b)
    u, v = (moveaxis(m, x, one_axis(i, ndim(x)), -1) for x, i in ((a, axisa), (b, axisb)))
    parts = [_components(m, x) for x in (u, v)]
    if not all(len(p) in (2, 3) for p in parts):
        raise ShapeError(
            f"cross was given vectors of {u.shape[-1]} and {v.shape[-1]} components; give vectors of three."
        )
    if len(parts[0]) == len(parts[1]) == 2:
        return parts[0][0] * parts[1][1] - parts[0][1] * parts[1][0]
    (a0, a1, a2), (b0, b1, b2) = ([*p, np.zeros((), p[0].dtype)] if len(p) == 2 else p for p in parts)
    found = together(m, a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0)
    result = m.concatenate(*(m.reshape(x, shape=(*shape_of(x), 1)) for x in found), axis=ndim(found[0]))
    return moveaxis(m, result, -1, one_axis(axisc, ndim(result)))


def _components(m: Any, x: Any) -> list[Any]:
    whole_axes = (None,) * (ndim(x) - 1)
    steps, last = (1,) * ndim(x), ndim(x) - 1
    return [
        m.slice(x, start=(*whole_axes, i), stop=(*whole_axes, i + 1), step=steps, drop=(last,))
        for i in range(x.shape[-1])
    ]


@function(example((2, 3), (2, 3)), example((3, 2), (3, 2), axis=0))
def vecdot(m: Any, x1: Any, x2: Any, /, axis: int = -1) -> Any:
    """The products of vectors along an axis."""
    x1, x2 = (moveaxis(m, x, one_axis(axis, ndim(x)), -1) for x in (array(x1), array(x2)))
    return _product(m, conjugate(m, x1), x2, "vecdot", (-1,), (-1,), "...i,...i->...")


@function(example((2, 3), (3,)), example((4, 2, 3), (4, 3)))
def matvec(m: Any, x1: Any, x2: Any, /) -> Any:
    """The products of matrices with vectors."""
    return _product(m, array(x1), array(x2), "matvec", (-2, -1), (-1,), "...ij,...j->...i")


@function(example((2,), (2, 3)), example((4, 2), (4, 2, 3)))
def vecmat(m: Any, x1: Any, x2: Any, /) -> Any:
    """The products of vectors with matrices."""
    return _product(m, conjugate(m, array(x1)), array(x2), "vecmat", (-1,), (-2, -1), "...i,...ij->...j")


def _product(
    m: Any, x1: Any, x2: Any, called: str, first: tuple[int, ...], second: tuple[int, ...], subscripts: str
) -> Any:
    if ndim(x1) < len(first) or ndim(x2) < len(second):
        raise ShapeError(f"{called} was given shapes {shape_of(x1)} and {shape_of(x2)}; give arrays with more axes.")
    return einsum(m, subscripts, x1, x2)
