"""Eigenvalues and eigenvectors, singular values and vectors, the factors of QR, pseudo-inverses and least squares.

Every part of a decomposition is an operation of its own; NumPy computes all of them at once, and what it found is remembered.

Where eigenvalues (or singular values) are equal, any basis of their common space is as good as another. So it is this way there:

- The derivative of the eigenvalues is taken with the basis that LAPACK gives: finite, and right for what has no order, as Σ f(λ).
- The derivative of the eigenvectors, and the second one of the eigenvalues, does not exist one by one. Where vectors of equal values
  are used that is an error, `MatrixError`, whatever they are multiplied by: where f(λᵢ) = f(λⱼ) = 0, V·f(Λ)·Vᵀ still changes by
  (f(λᵢ) − f(λⱼ))/(λᵢ − λⱼ) → f′, of which the cotangent of V, 0, says nothing; Σ f(λ) has the same in its second derivatives.
- So reverse mode asks what is used (`tracing/traces/use.py`). Columns that are sliced away, or multiplied by a plain 0, are not:
  v[:, -k:] has its derivative where only others are equal. Forward mode carries the tangents of all vectors and is an error there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import MatrixError
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.linear_algebra import POSITIVE, A
from chainrule.ops.matrices import (
    adjoint,
    by_numpy,
    column_products,
    conjugated,
    dtype_of_matrices,
    like,
    matrix_links,
    product,
    read_adjoint,
    read_symmetric,
    real_dtype,
    same_type,
    scaled_columns,
    together,
    transposed,
)
from chainrule.ops.operation import ArrayType, at, cast, dtype_of, example, shape_of

TALL = np.array([[2.0, -1.0], [0.25, 1.5], [-0.5, 1.0]])
WIDE = TALL.T.copy()
"""Matrices of more rows than columns, and of fewer."""
_SYMMETRIC = (example(POSITIVE), example(np.stack([POSITIVE, A @ A.T])))
_ANY = (example(A), example(TALL), example(WIDE), example(np.stack([TALL, TALL[::-1]])))

EQUAL_VALUES, EQUAL_OR_NONE = "{0} with equal eigenvalues", "{0} with singular values that are equal or 0"


# --- what was computed last

ROOM = 2**21
"""Elements of all matrices together whose decompositions are remembered, of each kind."""


def remembered(decompose: Callable[..., Any]) -> Callable[..., Any]:
    """A decomposition that is not computed again for the matrix it was last computed for, as its parts and their rules ask."""
    last: list[
        tuple[Any, Any, Any]
    ] = []  # the newest of a few; one list is put in place of another, so threads do not meet

    def parts(a: Any, *static: Any) -> tuple[Any, ...]:
        a = np.asarray(a)
        for known, how, found in last:
            if how == static and known.dtype == a.dtype and known.shape == a.shape and known.tobytes() == a.tobytes():
                return tuple(x.copy() for x in found)
        found = tuple(decompose(a, *static))
        if a.size > ROOM:
            return found
        kept = [(a.copy(), static, found), *last[:3]]
        while sum(known.size for known, _, _ in kept) > ROOM:
            kept.pop()
        last[:] = kept
        return tuple(x.copy() for x in found)

    return parts


# --- quotients of differences


def _apart(x: Any, d: Any, w: Any, counted: Any = False, diagonal: bool = True) -> Any:
    """x/d, and 0 where d is 0 to working precision."""
    dtype = np.result_type(x, d)
    n = max((*np.shape(d)[-2:], 1))
    eps = np.finfo(dtype).eps
    largest = np.max(np.abs(w), axis=-1, initial=0.0)[..., None, None]
    near = np.abs(d) <= 8 * n * eps * largest
    if diagonal:
        near = near | np.eye(np.shape(d)[-1], dtype=bool)
    sizes = np.abs(x)
    wrong = near & (sizes > 100 * n * eps * np.max(sizes, axis=(-2, -1), keepdims=True, initial=0.0))
    rows, columns = np.shape(d)[-2:]
    same = np.eye(rows, columns, dtype=bool) & (rows == columns)
    wrong |= near & counted & ~same
    if diagonal:
        wrong &= ~same
    if wrong.any():
        place = tuple(map(int, np.argwhere(wrong)[0]))
        several = (w[(*place[:-2], i)].item() for i in (place[-2] if diagonal else place[-1], place[-1]))
        first, second = (z if z.imag else z.real for z in sorted(several, key=lambda z: (z.real, z.imag)))
        raise MatrixError(
            f"eigenvalues or singular values {first:.6g} and {second:.6g} are equal to working precision, "
            "or 0, so their vectors (and the second derivatives of the values) have no derivatives one by one. Where only the values "
            "are used, take np.linalg.eigvalsh, eigvals or svdvals. Where some vectors are, take their columns first, as v[:, -2:]; "
            "full_matrices=False leaves out those that only complete a basis. For more than that write functions of the matrix "
            "itself, such as np.linalg.det, inv, slogdet, trace or norm, or move the values apart by a small change of the matrix, "
            "as in A + 1e-6 * np.diag(np.arange(n))."
        )
    return np.where(near, np.zeros((), dtype), x / np.where(near, np.ones((), dtype), d))


def _apart_forward(m: Any, tangents: Any, y: Any, x: Any, d: Any, w: Any, *counted: Any, diagonal: bool = True) -> Any:
    tx, td, *_ = tangents
    over = tx
    if td is not None:
        over = -(y * td) if over is None else over - y * td
    return None if over is None else m.quotient_of_gaps(over, d, w, *counted, diagonal=diagonal)


def _apart_reverse(
    m: Any, g: Any, y: Any, x: Any, d: Any, w: Any, *counted: Any, diagonal: bool = True, used: Any = None
) -> list[Any]:
    by_x = m.quotient_of_gaps(g, d, w, *(counted or (used,) * (used is not None)), diagonal=diagonal)
    return [like(m, by_x, x), like(m, -(by_x * y), d), None, *(None for _ in counted)]


quotient_of_gaps = Custom(
    "quotient_of_gaps",
    value=_apart,
    type=lambda x, d, w, counted=False, diagonal=True: ArrayType(shape_of(x), np.result_type(dtype_of(x), dtype_of(d))),
    forward=_apart_forward,
    reverse=_apart_reverse,
    links=lambda x, d, w, *counted, diagonal=True: matrix_links(
        (x, 2), (d, 2), (w, 1), *((c, 2) for c in counted), last=2
    ),
    batched=together("quotient_of_gaps"),
    asks_use=True,
    doc="""x/d, and 0 on the diagonal and where d is 0 beside the largest of w; an error if x is not 0 there as well.

    d has differences or sums of the numbers w. The derivative by w is 0: it only says what is large. Where it is
    `counted`, off the diagonal, it is an error also where x is 0.""",
    differential=r"\frac{{d{0} - y \, d{1}}}{{{1}}}",
    undefined=(at("{1} = 0 where {0} is not", np.ones((2, 2)), np.zeros((2, 2)), np.ones(2), np.zeros((2, 2), bool)),),
    examples=(
        example((2, 2), np.array([[0.0, 2.0], [-2.0, 0.0]]) + 0.125, np.array([3, 1]), np.zeros((1, 2), bool)),
        example((3, 2), np.eye(3, 2) + 1.0, np.array([3, 1]), np.zeros((3, 2), bool), diagonal=False),
        example((2, 2, 2), np.full((2, 2, 2), 1.5), np.array([[1, 2], [3, 4]]), np.zeros((2, 1, 2), bool)),
        example((2, 2), np.array([[0.0, 2.0], [-2.0, 0.0]]), np.array([3, 1]), np.ones((1, 2), bool)),
    ),
    complex=True,
)


def used_columns(m: Any, used: Any) -> tuple[Any, ...]:
    """Whether anything of each column is used, for `quotient_of_gaps`; nothing where that is not known."""
    return () if used is None else (m.any(used, axis=(len(used.shape) - 2,), keepdims=True),)


def reached(m: Any, v: Any, g: Any) -> Any:
    """The vectors, and 0 for those that the cotangent of their values leaves out as plain numbers."""
    return scaled_columns(m, v, (g != 0).astype(real_dtype(v))) if isinstance(g, np.ndarray | np.generic) else v


def gaps(m: Any, w: Any, sign: float = -1.0) -> Any:
    """w_j − w_i in row i and column j, or w_j + w_i."""
    columns, rows = m.reshape(w, shape=(*w.shape[:-1], 1, w.shape[-1])), m.reshape(w, shape=(*w.shape, 1))
    return columns - rows if sign < 0 else columns + rows


# --- eigenvalues and eigenvectors of symmetric matrices

_FINITE = by_numpy("It must have finite numbers.")
_eigh = remembered(lambda a, uplo: np.linalg.eigh(a, uplo))


def _symmetric(m: Any, t: Any, uplo: str) -> Any:
    """The change of the matrix that is read from one triangle."""
    return read_symmetric(m, t) if uplo == "L" else transposed(m, read_symmetric(m, transposed(m, t)))


def _symmetric_adjoint(m: Any, g: Any, uplo: str) -> Any:
    return read_adjoint(m, g) if uplo == "L" else transposed(m, read_adjoint(m, transposed(m, g)))


def _eigenvalues_forward(m: Any, tangents: Any, y: Any, a: Any, uplo: str = "L", alone: bool = False) -> Any:
    v = m.eigenvectors(a, uplo=uplo)
    return cast(m, column_products(m, conjugated(m, v), product(m, _symmetric(m, tangents[0], uplo), v)), y.dtype)


def _eigenvalues_reverse(m: Any, g: Any, y: Any, a: Any, uplo: str = "L", alone: bool = False) -> list[Any]:
    v = reached(m, m.eigenvectors(a, uplo=uplo), g)
    return [_symmetric_adjoint(m, product(m, scaled_columns(m, conjugated(m, v), g), transposed(m, v)), uplo)]


def _eigenvectors_forward(m: Any, tangents: Any, y: Any, a: Any, uplo: str = "L") -> Any:
    w = m.eigenvalues(a, uplo=uplo)
    change = product(m, adjoint(m, y), product(m, _symmetric(m, tangents[0], uplo), y))
    return product(m, y, m.quotient_of_gaps(change, gaps(m, w), w))


def _eigenvectors_reverse(m: Any, g: Any, y: Any, a: Any, uplo: str = "L", used: Any = None) -> list[Any]:
    w, yt = m.eigenvalues(a, uplo=uplo), transposed(m, y)
    inside = m.quotient_of_gaps(product(m, yt, g), gaps(m, w), w, *used_columns(m, used))
    return [_symmetric_adjoint(m, product(m, product(m, conjugated(m, y), inside), yt), uplo)]


@_FINITE
def _eigenvalues(a: Any, uplo: Any = "L", alone: bool = False) -> Any:
    return np.linalg.eigvalsh(a, uplo) if alone else _eigh(a, uplo)[0]


eigenvalues = Custom(
    "eigenvalues",
    value=_eigenvalues,
    type=lambda a, uplo="L", alone=False: ArrayType(shape_of(a)[:-1], real_dtype(a)),
    forward=_eigenvalues_forward,
    reverse=_eigenvalues_reverse,
    links=lambda a, uplo="L", alone=False: matrix_links((a, 2), last=1),
    batched=together("eigenvalues"),
    latex=r"\lambda\left({0}\right)",
    differential=r"\operatorname{{diag}}\left(V^H d{0} \, V\right)",
    kinks=(at(EQUAL_VALUES, np.eye(2)),),
    doc="""Eigenvalues of a symmetric or Hermitian matrix, ascending, read from one triangle; dλᵢ = vᵢᴴ·dA·vᵢ (Magnus 1985).

    `alone` is how NumPy computes them without eigenvectors. For equal ones see the module's first lines, and `cholesky` for
    what it means that one triangle is read.""",
    examples=(*_SYMMETRIC, example(POSITIVE, uplo="U"), example(POSITIVE, alone=True)),
    complex=True,
)
eigenvectors = Custom(
    "eigenvectors",
    value=_FINITE(lambda a, uplo="L": _eigh(a, uplo)[1]),
    type=lambda a, uplo="L": same_type(a),
    forward=_eigenvectors_forward,
    reverse=_eigenvectors_reverse,
    links=lambda a, uplo="L": matrix_links((a, 2), last=2),
    batched=together("eigenvectors"),
    latex=r"V\left({0}\right)",
    differential=r"y \left(F \circ \left(y^H d{0} \, y\right)\right),\ F_{{ij}} = \frac{{1}}{{\lambda_j - \lambda_i}}",
    kinks=(at(EQUAL_VALUES, np.eye(2)),),
    doc="""The eigenvectors of a symmetric or Hermitian matrix as columns, of length 1 (Magnus 1985).

    dvᵢ = Σⱼ vⱼ·(vⱼᴴ·dA·vᵢ)/(λᵢ − λⱼ) over j ≠ i. A complex one may be multiplied by any number of length 1, so that only what does
    not depend on that is to be differentiated.""",
    examples=(*_SYMMETRIC, example(POSITIVE, uplo="U")),
    complex=True,
    asks_use=True,
    any_phase=True,
)


# --- singular values and vectors

_svd = remembered(lambda a: np.linalg.svd(a, full_matrices=False))


def _parts(m: Any, a: Any) -> tuple[Any, Any, Any]:
    return m.left_singular_vectors(a), m.singular_values(a), m.right_singular_vectors(a)


def _values_forward(m: Any, tangents: Any, y: Any, a: Any, alone: bool = False) -> Any:
    u, v = m.left_singular_vectors(a), m.right_singular_vectors(a)
    return cast(m, column_products(m, conjugated(m, u), product(m, tangents[0], v)), y.dtype)


def _values_reverse(m: Any, g: Any, y: Any, a: Any, alone: bool = False) -> list[Any]:
    u, v = (reached(m, x, g) for x in (m.left_singular_vectors(a), m.right_singular_vectors(a)))
    return [product(m, scaled_columns(m, conjugated(m, u), g), transposed(m, v))]


def over_values(m: Any, x: Any, s: Any, *counted: Any) -> Any:
    """x·S⁻¹ for vectors outside the space of u."""
    divisor = m.broadcast_to(m.reshape(s, shape=(*s.shape[:-1], 1, s.shape[-1])), shape=tuple(x.shape))
    return m.quotient_of_gaps(x, divisor, s, *counted, diagonal=False)


def _outside(m: Any, u: Any, x: Any) -> Any:
    """(1 − U·Uᴴ)·x."""
    return x - product(m, u, product(m, adjoint(m, u), x))


def _vectors_forward(m: Any, t: Any, u: Any, s: Any, v: Any) -> Any:
    """The tangent of U for the tangent of A = U·S·Vᴴ: inside its own space, and out of it."""
    tv = product(m, t, v)
    e = product(m, adjoint(m, u), tv)
    even, odd = 0.5 * (e + adjoint(m, e)), 0.5 * (e - adjoint(m, e))
    inside = m.quotient_of_gaps(even, gaps(m, s), s) + m.quotient_of_gaps(odd, gaps(m, s, 1.0), s, diagonal=False)
    found = product(m, u, inside)
    return found + over_values(m, _outside(m, u, tv), s) if u.shape[-2] > u.shape[-1] else found


def _vectors_reverse(m: Any, g: Any, u: Any, s: Any, v: Any, used: Any) -> Any:
    """The cotangent of A = U·S·Vᴴ for the cotangent of U."""
    own, across, counted = product(m, transposed(m, u), g), conjugated(m, u), used_columns(m, used)
    x = m.quotient_of_gaps(own, gaps(m, s), s, *counted)
    odd = 0.5 * (own - adjoint(m, own))
    inside = 0.5 * (x + adjoint(m, x)) + m.quotient_of_gaps(odd, gaps(m, s, 1.0), s, *counted, diagonal=False)
    left = product(m, across, inside)
    if u.shape[-2] > u.shape[-1]:
        left = left + over_values(m, _outside(m, across, g), s, *counted)
    return product(m, left, transposed(m, v))


def _left_forward(m: Any, tangents: Any, y: Any, a: Any) -> Any:
    return _vectors_forward(m, tangents[0], y, m.singular_values(a), m.right_singular_vectors(a))


def _left_reverse(m: Any, g: Any, y: Any, a: Any, used: Any = None) -> list[Any]:
    return [_vectors_reverse(m, g, y, m.singular_values(a), m.right_singular_vectors(a), used)]


def _right_forward(m: Any, tangents: Any, y: Any, a: Any) -> Any:
    return _vectors_forward(m, adjoint(m, tangents[0]), y, m.singular_values(a), m.left_singular_vectors(a))


def _right_reverse(m: Any, g: Any, y: Any, a: Any, used: Any = None) -> list[Any]:
    return [adjoint(m, _vectors_reverse(m, g, y, m.singular_values(a), m.left_singular_vectors(a), used))]


def _values_type(a: Any, alone: bool = False) -> ArrayType:
    shape = shape_of(a)
    return ArrayType((*shape[:-2], min(shape[-2:])), real_dtype(a))


def _left_type(a: Any) -> ArrayType:
    shape = shape_of(a)
    return ArrayType((*shape[:-1], min(shape[-2:])), dtype_of_matrices(a))


def _right_type(a: Any) -> ArrayType:
    shape = shape_of(a)
    return ArrayType((*shape[:-2], shape[-1], min(shape[-2:])), dtype_of_matrices(a))


@_FINITE
def _singular_values(a: Any, alone: bool = False) -> Any:
    return np.linalg.svd(a, compute_uv=False) if alone else _svd(a)[1]


singular_values = Custom(
    "singular_values",
    value=_singular_values,
    type=_values_type,
    forward=_values_forward,
    reverse=_values_reverse,
    links=lambda a, alone=False: matrix_links((a, 2), last=1),
    batched=together("singular_values"),
    latex=r"\sigma\left({0}\right)",
    differential=r"\operatorname{{Re}} \operatorname{{diag}}\left(U^H d{0} \, V\right)",
    kinks=(at(EQUAL_OR_NONE, np.diag([1.0, 0.0])), at(EQUAL_OR_NONE, np.eye(2))),
    doc="""Singular values, descending; dσᵢ = Re uᵢᴴ·dA·vᵢ (Giles 2008). `alone` is how NumPy computes them without vectors.

    Where one is 0 it has a kink, as |x| has; the derivative is that of one of its sides.""",
    examples=(*_ANY, example(TALL, alone=True)),
    complex=True,
)
left_singular_vectors = Custom(
    "left_singular_vectors",
    value=_FINITE(lambda a: _svd(a)[0]),
    type=_left_type,
    forward=_left_forward,
    reverse=_left_reverse,
    links=lambda a: matrix_links((a, 2), last=2),
    batched=together("left_singular_vectors"),
    latex=r"U\left({0}\right)",
    differential=r"y P + \left(1 - y y^H\right) d{0} \, V S^{{-1}}",
    kinks=(at(EQUAL_OR_NONE, np.diag([1.0, 0.0])), at(EQUAL_OR_NONE, np.eye(2))),
    doc="""The U of A = U·S·Vᴴ, with as many columns as there are singular values (Wan and Zhang 2019).

    dU = U·P + (1 − U·Uᴴ)·dA·V·S⁻¹ with Pᵢⱼ = eᵢⱼ/(σⱼ − σᵢ) + oᵢⱼ/(σⱼ + σᵢ), where e and o are the even and odd part of Uᴴ·dA·V.
    Of complex matrices both vectors of a pair may be multiplied by the same number of length 1, so that only what does not depend on
    that is to be differentiated.""",
    examples=_ANY,
    complex=True,
    asks_use=True,
    any_phase=True,
)
right_singular_vectors = Custom(
    "right_singular_vectors",
    value=_FINITE(lambda a: np.ascontiguousarray(np.conj(np.swapaxes(_svd(a)[2], -1, -2)))),
    type=_right_type,
    forward=_right_forward,
    reverse=_right_reverse,
    links=lambda a: matrix_links((a, 2), last=2),
    batched=together("right_singular_vectors"),
    latex=r"V\left({0}\right)",
    differential=r"y P + \left(1 - y y^H\right) d{0}^H U S^{{-1}}",
    kinks=(at(EQUAL_OR_NONE, np.diag([1.0, 0.0])), at(EQUAL_OR_NONE, np.eye(2))),
    doc="The V of A = U·S·Vᴴ, with as many columns as there are singular values: U for Aᴴ.",
    examples=_ANY,
    complex=True,
    asks_use=True,
    any_phase=True,
)
