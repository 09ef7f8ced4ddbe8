"""Linear equations, inverses and determinants, of matrices in the last two axes.

A matrix without inverse is an error, `MatrixError`; the determinant has its derivatives there all the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import MatrixError
from chainrule.ops.axes import Links
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.matrices import (
    by_numpy,
    dtype_of_matrices,
    for_matrices,
    inner,
    like,
    matrix_links,
    outer,
    product,
    real_dtype,
    same_type,
    times_vector,
    together,
    transposed,
)
from chainrule.ops.notation import ATOM, POWER, PRODUCT, SIGN, Notation, named
from chainrule.ops.operation import ArrayType, at, cast, example, shape_of

A = np.array([[2.0, -1.0, 0.5], [0.25, 1.5, -0.75], [-0.5, 1.0, 3.0]])
"""A matrix to try with, and two of them."""
PAIR = np.stack([A, A.T + np.diag([1.0, 0.5, 2.0])])
POSITIVE = np.array([[2.0, 0.5, -0.25], [0.5, 1.5, 0.75], [-0.25, 0.75, 3.0]])
"""A symmetric matrix with positive eigenvalues, all different."""

SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
NO_INVERSE = "{0} without inverse"

_MATRICES = (example(A), example(PAIR), example(np.array([[2.0]])))
REGULAR = (
    "Its rows depend on each other, so it has no inverse: add a small multiple of the identity, or use np.linalg.pinv or "
    "np.linalg.lstsq."
)


# --- linear equations and inverses


def _is_vector(a: Any, b: Any) -> bool:
    """Whether the right-hand side is one vector a matrix."""
    return len(shape_of(b)) < len(shape_of(a))


@by_numpy(REGULAR)
def _solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b[..., None])[..., 0] if _is_vector(a, b) else np.linalg.solve(a, b)


def _solve_forward(m: Any, tangents: Any, y: Any, a: Any, b: Any) -> Any:
    right = tangents[1]
    if tangents[0] is not None:
        moved = (times_vector if _is_vector(a, b) else product)(m, tangents[0], y)
        right = -moved if right is None else right - moved
    return m.solve(a, right)


def _solve_reverse(m: Any, g: Any, y: Any, a: Any, b: Any) -> list[Any]:
    w = m.solve(transposed(m, a), g)
    both = outer(m, w, y) if _is_vector(a, b) else product(m, w, transposed(m, y))
    return [like(m, -both, a), like(m, w, b)]


def _solve_links(a: Any, b: Any) -> tuple[Links, ...]:
    own = 1 if _is_vector(a, b) else 2
    return matrix_links((a, 2), (b, own), last=own)


_WITHOUT = {
    "matrix": "a derivative is taken with the inverse of a matrix of shape {shape}, which has none to working precision: its rows "
    "depend on each other. The first two derivatives of np.linalg.det exist everywhere, and so does np.linalg.pinv; for others give "
    "a matrix with independent rows and columns, such as A + 1e-6 * np.eye(n).",
    "eigenvectors": "the eigenvectors of a matrix of shape {shape} depend on each other to working precision, so that they and the "
    "eigenvalues have no derivatives: it has equal eigenvalues with fewer eigenvectors than rows, or numbers of too different sizes. "
    "Write functions of the matrix itself, such as np.linalg.det, inv, matrix_power or trace; move the eigenvalues apart by a small "
    "change of the matrix; or take other units: a / d[:, None] * d has the same eigenvalues for any vector d.",
}
"""What is said where an inverse is missing that a derivative needs."""


@by_numpy(REGULAR)
def _inv(a: Any, regular: float | None = None, of: str = "matrix") -> Any:
    try:
        found = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        if regular is None:
            raise
        raise MatrixError(_WITHOUT[of].format(shape=np.shape(a))) from None
    if regular is not None and not well_conditioned(a, found, regular).all():
        raise MatrixError(_WITHOUT[of].format(shape=np.shape(a)))
    return found


def well_conditioned(a: Any, inverse: Any, share: float = 0.5) -> Any:
    """Whether less than this share of the digits of an inverse are lost, by default half of them, for each matrix."""
    size = np.abs(a).sum(-1).max(-1, initial=0) * np.abs(inverse).sum(-1).max(-1, initial=0)
    return size * np.finfo(inverse.dtype).eps ** share < 1.0


def _inv_reverse(m: Any, g: Any, y: Any, a: Any, **how: Any) -> list[Any]:
    yt = transposed(m, y)
    return [-product(m, product(m, yt, g), yt)]


solve = Custom(
    "solve",
    value=_solve,
    type=lambda a, b: ArrayType(shape_of(b), dtype_of_matrices(a, b)),
    forward=_solve_forward,
    reverse=_solve_reverse,
    links=_solve_links,
    batched=together("solve"),
    latex=r"{0}^{{-1}} {1}",
    differential=r"{0}^{{-1}} \left(d{1} - d{0} \, y\right)",
    undefined=(at(NO_INVERSE, SINGULAR, np.ones(2)),),
    notation=Notation("function", "solve", PRODUCT, (ATOM, PRODUCT), "{0}⁻¹·{1}", rule="derivative of the solution"),
    doc="A⁻¹·b without the inverse; b is as many vectors as there are matrices, or matrices. b̄ = A⁻ᵀ·ȳ, Ā = −b̄·yᵀ (Giles 2008).",
    examples=(
        example(A, (3,)),
        example(A, (3, 2)),
        example(PAIR, (2, 3)),
        example(PAIR, (2, 3, 2)),
    ),
    complex=True,
)
inv = Custom(
    "inv",
    value=_inv,
    type=same_type,
    forward=lambda m, t, y, a, **how: -product(m, product(m, y, t[0]), y),
    reverse=_inv_reverse,
    links=lambda a, **how: matrix_links((a, 2), last=2),
    batched=together("inv"),
    latex=r"{{{0}}}^{{-1}}",
    differential=r"-y \, d{0} \, y",
    undefined=(at(NO_INVERSE, SINGULAR),),
    notation=Notation("function", "inv", POWER, (ATOM,), "{0}⁻¹", rule="derivative of the inverse"),
    doc="A⁻¹; d(A⁻¹) = −A⁻¹·dA·A⁻¹ (Giles 2008). With `regular`, an error where more than this share of its digits is lost.",
    examples=_MATRICES,
    complex=True,
)
# --- determinants


def _others(s: Any) -> Any:
    """For every number along the last axis the product of all others, without division."""
    ones = np.ones_like(s[..., :1])
    before = np.cumprod(np.concatenate([ones, s[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([ones, s[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return before * after


def _signed_svd(a: Any) -> tuple[Any, Any, Any, Any]:
    """Ū, S, V̄ᵀ of matrices A = U·S·Vᵀ, and det U·det V, which is a sign, or of length 1."""
    u, s, vh = np.linalg.svd(a)
    turn = np.linalg.det(u) * np.linalg.det(vh)
    return np.conj(u), s, np.conj(vh), (turn if a.dtype.kind == "c" else np.round(turn))[..., None, None]


def _inverse_where_good(a: Any) -> Any:
    """The inverses of matrices if all have good ones, and else nothing."""
    try:
        found = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return None
    return found if well_conditioned(a, found).all() else None


@by_numpy("It must have finite numbers.")
def _cofactors(a: Any) -> Any:
    """det(A)·A⁻ᵀ, and for matrices that have no good inverse U·cof(S)·Vᵀ, which needs none."""
    if a.shape[-1] == 0:
        return np.zeros(a.shape, dtype_of_matrices(a))
    inverse = _inverse_where_good(a)
    if inverse is not None:
        return np.linalg.det(a)[..., None, None] * np.swapaxes(inverse, -1, -2)
    u, s, vh, sign = _signed_svd(a)
    return sign * ((u * _others(s)[..., None, :]) @ vh)


@by_numpy("It must have finite numbers.")
def _cofactors_along(a: Any, e: Any) -> Any:
    """The derivative of the cofactors along E; for diagonal matrices it is read off, and A is one in the bases of its SVD."""
    dtype = dtype_of_matrices(a, e)
    n = a.shape[-1]
    if n < 2:
        return np.zeros(a.shape, dtype)
    inverse = _inverse_where_good(a)
    if inverse is not None:
        flipped = np.swapaxes(e @ inverse, -1, -2)
        change = np.trace(flipped, axis1=-2, axis2=-1)[..., None, None] * np.eye(n, dtype=flipped.dtype) - flipped
        cofactors = np.linalg.det(a)[..., None, None] * np.swapaxes(inverse, -1, -2)
        return np.asarray(change @ cofactors, dtype)
    u, s, vh, sign = _signed_svd(a)
    inside = np.swapaxes(u, -1, -2) @ e @ np.swapaxes(vh, -1, -2)
    without = np.where(np.eye(n, dtype=bool), s.dtype.type(1), s[..., None, :])
    pairs = np.where(np.eye(n, dtype=bool), s.dtype.type(0), _others(without))
    changed = -pairs * np.swapaxes(inside, -1, -2)
    diagonal = (pairs @ np.diagonal(inside, axis1=-2, axis2=-1)[..., None])[..., 0]
    changed[..., np.arange(n), np.arange(n)] = diagonal
    return np.asarray(sign * (u @ changed @ vh), dtype)


def _third(m: Any, a: Any, e: Any, g: Any) -> Any:
    """The gradient by A of the second derivative of det along E and G: D³det[E, G, ·]."""
    b = m.inv(a, regular=0.5)
    be, bg = product(m, b, e), product(m, b, g)
    bebg = product(m, be, bg)
    te, tg = (inner(m, transposed(m, b), x) for x in (e, g))
    second = te * tg - inner(m, transposed(m, be), bg)
    inside = for_matrices(m, second) * b
    inside = inside - for_matrices(m, tg) * product(m, be, b) - for_matrices(m, te) * product(m, bg, b)
    inside = inside + product(m, bebg, b) + product(m, product(m, bg, be), b)
    return for_matrices(m, m.det(a)) * transposed(m, inside)


def _along_forward(m: Any, tangents: Any, y: Any, a: Any, e: Any) -> Any:
    by_a = None if tangents[0] is None else _third(m, a, e, tangents[0])
    by_e = None if tangents[1] is None else m.cofactors_along(a, tangents[1])
    return by_e if by_a is None else by_a if by_e is None else by_a + by_e


def _number_type(a: Any) -> ArrayType:
    return ArrayType(shape_of(a)[:-2], dtype_of_matrices(a))


def _number_links(a: Any) -> tuple[Links, ...]:
    return matrix_links((a, 2), last=0)


_finite = by_numpy("It must have finite numbers.")

det = Custom(
    "det",
    value=_finite(lambda a: np.linalg.det(a)),
    type=_number_type,
    forward=lambda m, t, y, a: inner(m, m.cofactors(a), t[0]),
    reverse=lambda m, g, y, a: [for_matrices(m, g) * m.cofactors(a)],
    links=_number_links,
    batched=together("det"),
    latex=r"\det {0}",
    differential=r"\sum_{{ij}} \operatorname{{cof}}({0})_{{ij}} \, d{0}_{{ij}}",
    notation=named("det", rule="Jacobi's formula"),
    doc="The determinant; its derivative is the matrix of cofactors, det(A)·A⁻ᵀ (Jacobi), also where A has no inverse.",
    examples=(*_MATRICES, example(SINGULAR)),
    complex=True,
)
cofactors = Custom(
    "cofactors",
    value=_cofactors,
    type=same_type,
    forward=lambda m, t, y, a: m.cofactors_along(a, t[0]),
    reverse=lambda m, g, y, a: [m.cofactors_along(a, g)],
    links=lambda a: matrix_links((a, 2), last=2),
    batched=together("cofactors"),
    latex=r"\operatorname{{cof}} {0}",
    differential=r"\left(\operatorname{{tr}}\left({0}^{{-1}} d{0}\right) - \left(d{0} \, {0}^{{-1}}\right)^\top\right) y",
    doc="The derivative of the determinant by every element.",
    examples=_MATRICES,
    complex=True,
)
cofactors_along = Custom(
    "cofactors_along",
    value=_cofactors_along,
    type=lambda a, e: ArrayType(shape_of(a), dtype_of_matrices(a, e)),
    forward=_along_forward,
    reverse=lambda m, g, y, a, e: [like(m, _third(m, a, e, g), a), like(m, m.cofactors_along(a, g), e)],
    links=lambda a, e: matrix_links((a, 2), (e, 2), last=2),
    batched=together("cofactors_along"),
    doc="The derivative of the cofactors of A along E, which is symmetric: ⟨G, C(A, E)⟩ = ⟨C(A, G), E⟩.",
    differential=r"\operatorname{{cof}}'_{{{0}}}(d{1}) + \operatorname{{cof}}''_{{{0}}}({1}, d{0})",
    examples=(example(A, (3, 3)), example(PAIR, (2, 3, 3))),
    complex=True,
)
log_abs_det = Custom(
    "log_abs_det",
    value=_finite(lambda a: np.linalg.slogdet(a)[1]),
    type=lambda a: ArrayType(shape_of(a)[:-2], real_dtype(a)),
    forward=lambda m, t, y, a: cast(m, inner(m, transposed(m, m.inv(a)), t[0]), y.dtype),
    reverse=lambda m, g, y, a: [for_matrices(m, g) * transposed(m, m.inv(a))],
    links=_number_links,
    batched=together("log_abs_det"),
    latex=r"\ln \left|\det {0}\right|",
    differential=r"\operatorname{{Re}} \operatorname{{tr}}\left({0}^{{-1}} d{0}\right)",
    undefined=(at(NO_INVERSE, SINGULAR),),
    notation=Notation("function", "log_abs_det", SIGN, (ATOM,), "ln|det {0}|", rule="Jacobi's formula"),
    doc="ln |det A|; its derivative is A⁻ᵀ.",
    examples=_MATRICES,
    complex=True,
)
sign_of_det = Custom(
    "sign_of_det",
    value=_finite(lambda a: np.linalg.slogdet(a)[0]),
    type=_number_type,
    links=_number_links,
    batched=together("sign_of_det"),
    latex=r"\operatorname{{sgn}} \det {0}",
    kinks=(at(NO_INVERSE, SINGULAR),),
    doc="The sign of the determinant.",
    examples=_MATRICES,
)
