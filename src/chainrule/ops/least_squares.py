"""The factors of QR, pseudo-inverses, and solutions by least squares."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.ops.decompositions import TALL, WIDE, remembered
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.linear_algebra import PAIR, SINGULAR, A
from chainrule.ops.matrices import (
    adjoint,
    by_numpy,
    conjugated,
    dtype_of_matrices,
    half_lower,
    like,
    lower,
    matrix_links,
    product,
    together,
    transposed,
)
from chainrule.ops.notation import ATOM, POWER, Notation
from chainrule.ops.operation import ArrayType, at, example, shape_of

_FINITE = by_numpy("It must have finite numbers.")
_qr = remembered(lambda a: np.linalg.qr(a))
_ANY = (example(A), example(TALL), example(WIDE), example(np.stack([TALL, TALL[::-1]])))


# --- QR


def _first(m: Any, a: Any) -> Any:
    """As many columns as there are rows, at most."""
    rows, columns = a.shape[-2:]
    if columns <= rows:
        return a
    n = len(a.shape)
    return m.slice(a, start=(None,) * n, stop=(*(None,) * (n - 1), rows), step=(1,) * n)


def _embedded(m: Any, g: Any, a: Any) -> Any:
    """The cotangent of a matrix, given that of its first columns."""
    rows, columns = a.shape[-2:]
    if columns <= rows:
        return g
    n = len(a.shape)
    return m.embed(g, shape=tuple(a.shape), start=(None,) * n, stop=(*(None,) * (n - 1), rows), step=(1,) * n)


def _inverse(m: Any, r: Any) -> Any:
    """R⁻¹ of an upper triangle."""
    return transposed(m, m.inverse_of_triangle(transposed(m, r)))


def _turn(m: Any, x: Any) -> Any:
    """The matrix with Ωᴴ = −Ω and the lower triangle of x, of whose diagonal it has the imaginary part."""
    half = half_lower(m, x)
    return half - adjoint(m, half)


def _turn_adjoint(m: Any, g: Any) -> Any:
    return half_lower(m, g - adjoint(m, g))


def _orthogonal_forward(m: Any, tangents: Any, y: Any, a: Any) -> Any:
    moved = product(m, _first(m, tangents[0]), _inverse(m, _first(m, m.triangular_factor(a))))
    inside = product(m, adjoint(m, y), moved)
    return moved + product(m, y, _turn(m, inside) - inside)


def _orthogonal_reverse(m: Any, g: Any, y: Any, a: Any) -> list[Any]:
    own = product(m, transposed(m, y), g)
    whole = g + product(m, conjugated(m, y), _turn_adjoint(m, own) - own)
    r = _inverse(m, _first(m, m.triangular_factor(a)))
    return [_embedded(m, product(m, whole, transposed(m, r)), a)]


def _triangular_forward(m: Any, tangents: Any, y: Any, a: Any) -> Any:
    q = m.orthogonal_factor(a)
    qh = adjoint(m, q)
    inside = product(m, qh, product(m, _first(m, tangents[0]), _inverse(m, _first(m, y))))
    change = product(m, qh, tangents[0]) - product(m, _turn(m, inside), y)
    return change - lower(m, change, 1)  # which is 0 but for rounding


def _triangular_reverse(m: Any, g: Any, y: Any, a: Any) -> list[Any]:
    g, q = g - lower(m, g, 1), conjugated(m, m.orthogonal_factor(a))
    turned = _turn_adjoint(m, product(m, g, transposed(m, y)))
    whole = product(m, product(m, q, turned), transposed(m, _inverse(m, _first(m, y))))
    return [product(m, q, g) - _embedded(m, whole, a)]


def _least(a: Any) -> int:
    return int(min(shape_of(a)[-2:]))


_doc = """

    d(A) = dQ·R + Q·dR, where Ω = Qᴴ·dQ has Ωᴴ = −Ω and dR is a triangle with a real diagonal (Walter and Lehmann
    2010). A must have independent columns, or rows; where it has more columns than rows, Q is that of the first ones."""
orthogonal_factor = Custom(
    "orthogonal_factor",
    value=_FINITE(lambda a: _qr(a)[0]),
    type=lambda a: ArrayType((*shape_of(a)[:-1], _least(a)), dtype_of_matrices(a)),
    forward=_orthogonal_forward,
    reverse=_orthogonal_reverse,
    links=lambda a: matrix_links((a, 2), last=2),
    batched=together("orthogonal_factor"),
    latex=r"Q\left({0}\right)",
    differential=r"\left(d{0} - y \, dR\right) R^{{-1}}",
    kinks=(at("{0} whose first columns depend on each other", SINGULAR),),
    doc="The Q of A = Q·R, whose columns are orthogonal and of length 1." + _doc,
    examples=_ANY,
    complex=True,
)
triangular_factor = Custom(
    "triangular_factor",
    value=_FINITE(lambda a: _qr(a)[1]),
    type=lambda a: ArrayType((*shape_of(a)[:-2], _least(a), shape_of(a)[-1]), dtype_of_matrices(a)),
    forward=_triangular_forward,
    reverse=_triangular_reverse,
    links=lambda a: matrix_links((a, 2), last=2),
    batched=together("triangular_factor"),
    latex=r"R\left({0}\right)",
    differential=r"Q^H d{0} - Q^H dQ \, y",
    kinks=(at("{0} whose first columns depend on each other", SINGULAR),),
    doc="The R of A = Q·R, an upper triangle." + _doc,
    examples=_ANY,
    complex=True,
)


# --- pseudo-inverses


def _pinv_forward(m: Any, tangents: Any, y: Any, a: Any, rcond: float = 1e-15) -> Any:
    t, yh = tangents[0], adjoint(m, y)
    th = adjoint(m, t)
    outside = product(m, y, product(m, yh, th))
    found = outside - product(m, outside, product(m, a, y)) - product(m, y, product(m, t, y))
    inside = product(m, product(m, th, yh), y)
    return found + inside - product(m, y, product(m, a, inside))


def _pinv_reverse(m: Any, g: Any, y: Any, a: Any, rcond: float = 1e-15) -> list[Any]:
    yt, yh, gt = transposed(m, y), adjoint(m, y), transposed(m, g)
    left = product(m, product(m, gt, y), yh)
    right = product(m, yh, product(m, y, gt))
    found = left - product(m, a, product(m, y, left)) + right - product(m, right, product(m, y, a))
    return [conjugated(m, found) - product(m, product(m, yt, g), yt)]


pinv = Custom(
    "pinv",
    value=by_numpy("It must have finite numbers.")(lambda a, rcond=1e-15: np.linalg.pinv(a, rcond)),
    type=lambda a, rcond=1e-15: ArrayType((*shape_of(a)[:-2], shape_of(a)[-1], shape_of(a)[-2]), dtype_of_matrices(a)),
    forward=_pinv_forward,
    reverse=_pinv_reverse,
    links=lambda a, rcond=1e-15: matrix_links((a, 2), last=2),
    batched=together("pinv"),
    latex=r"{{{0}}}^{{+}}",
    differential=r"-y \, d{0} \, y + y y^H d{0}^H (1 - {0} y) + (1 - y {0}) \, d{0}^H y^H y",
    kinks=(at("{0} near to matrices of another rank", SINGULAR),),
    notation=Notation("function", "pinv", POWER, (ATOM,), "{0}⁺", rule="derivative of the pseudo-inverse"),
    doc="""The pseudo-inverse P = A⁺, for matrices whose rank stays the same near by (Golub and Pereyra 1973).

    dP = −P·dA·P + P·Pᴴ·dAᴴ·(1 − A·P) + (1 − P·A)·dAᴴ·Pᴴ·P. Where the rank changes A⁺ jumps, and the derivative is that of matrices of
    the same rank.""",
    examples=(*_ANY, example(PAIR, rcond=1e-10)),
    complex=True,
)


# --- least squares


def _lstsq_forward(m: Any, tangents: Any, y: Any, a: Any, b: Any, rcond: float) -> Any:
    t, right = tangents
    p = m.pinv(a, rcond=rcond)
    found = None if right is None else product(m, p, right)
    if t is not None:
        ph, th = adjoint(m, p), adjoint(m, t)
        inside = product(m, th, product(m, ph, y))
        by_a = product(m, p, product(m, ph, product(m, th, b - product(m, a, y)))) - product(m, p, product(m, t, y))
        by_a = by_a + inside - product(m, p, product(m, a, inside))
        found = by_a if found is None else found + by_a
    return found


def _lstsq_reverse(m: Any, g: Any, y: Any, a: Any, b: Any, rcond: float) -> list[Any]:
    p = m.pinv(a, rcond=rcond)
    right = product(m, transposed(m, p), g)
    back, rest = product(m, conjugated(m, p), right), g - product(m, transposed(m, a), right)
    by_a = product(m, b - product(m, a, y), transposed(m, back))
    by_a = by_a + product(m, product(m, adjoint(m, p), y), transposed(m, rest))
    by_a = conjugated(m, by_a) - product(m, right, transposed(m, y))
    return [like(m, by_a, a), like(m, right, b)]


lstsq = Custom(
    "lstsq",
    value=by_numpy("It must have finite numbers.")(lambda a, b, rcond: np.linalg.lstsq(a, b, rcond)[0]),
    type=lambda a, b, rcond: ArrayType((shape_of(a)[-1], shape_of(b)[-1]), dtype_of_matrices(a, b)),
    forward=_lstsq_forward,
    reverse=_lstsq_reverse,
    latex=r"{{{0}}}^{{+}} {1}",
    differential=r"{0}^+ (d{1} - d{0} \, y) + {0}^+ {0}^{{+H}} d{0}^H ({1} - {0} y)"
    r" + (1 - {0}^+ {0}) \, d{0}^H {0}^{{+H}} y",
    kinks=(at("{0} near to matrices of another rank", SINGULAR, np.eye(2), rcond=1e-14),),
    doc="The x with the least |A·x − b|, and of those the shortest: A⁺·b, for matrices whose rank stays the same near by.",
    examples=(example(TALL, (3, 2), rcond=1e-14), example(WIDE, (2, 1), rcond=1e-14), example(A, (3, 2), rcond=1e-14)),
    complex=True,
)
rank_of_matrix = Custom(
    "rank_of_matrix",
    value=by_numpy("It must have finite numbers.")(
        lambda a, tol=None, relative=None: (
            np.asarray(np.linalg.matrix_rank(a, tol, rtol=relative))[()]
            if relative is not None
            else np.asarray(np.linalg.matrix_rank(a, tol))[()]
        )
    ),
    type=lambda a, tol=None, relative=None: ArrayType(
        shape_of(a)[:-2], np.asarray(np.linalg.matrix_rank(np.eye(1, dtype=dtype_of_matrices(a)))).dtype
    ),
    links=lambda a, tol=None, relative=None: matrix_links((a, 2), last=0),
    batched=together("rank_of_matrix"),
    latex=r"\operatorname{{rank}} {0}",
    kinks=(at("{0} near to matrices of another rank", SINGULAR),),
    doc="The number of singular values that are not 0 to working precision.",
    examples=(example(A), example(PAIR), example(TALL, tol=0.5), example(TALL, relative=0.1)),
    complex=True,
)
