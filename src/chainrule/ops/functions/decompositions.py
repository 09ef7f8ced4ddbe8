"""NumPy's decompositions of matrices, and what is named in numpy.linalg a second time."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import SettingError, ShapeError, UnsupportedError, shortened
from chainrule.ops.decompositions import TALL, WIDE
from chainrule.ops.eigenvalues import TURNING
from chainrule.ops.functions.elementwise import conjugate
from chainrule.ops.functions.function import array, cast, function, is_known, ndim, one_axis, seen, whole
from chainrule.ops.functions.joining import concatenate
from chainrule.ops.functions.linear_algebra import matrices, square
from chainrule.ops.functions.products import contract, tensordot
from chainrule.ops.functions.shaping import diagonal, moveaxis, reshape, swapaxes
from chainrule.ops.linear_algebra import PAIR, POSITIVE, A
from chainrule.ops.matrices import adjoint, dtype_of_matrices, real_dtype
from chainrule.ops.operation import example

_SYMMETRIC = (example(POSITIVE), example(np.stack([POSITIVE, A @ A.T])), example(POSITIVE, UPLO="U"))


class EigResult(NamedTuple):
    """Eigenvalues in no order, and eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


class EighResult(NamedTuple):
    """Eigenvalues, ascending, and eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


class SVDResult(NamedTuple):
    """U, the singular values and Vᴴ."""

    U: Any
    S: Any
    Vh: Any


class QRResult(NamedTuple):
    """Q and R."""

    Q: Any
    R: Any


def _triangle(uplo: Any) -> str:
    if not isinstance(uplo, str) or uplo.upper() not in ("L", "U"):
        raise SettingError(f"eigh was given UPLO={shortened(uplo)}; use 'L' or 'U'.")
    return uplo.upper()


_GENERAL = (example(A), example(TURNING), example(np.stack([A, TURNING])))


@cache
def _always_complex() -> bool:
    """Whether NumPy makes complex numbers of all eigenvalues; before 2.5 they were real where all of a real matrix's are."""
    return np.linalg.eigvals(np.eye(1)).dtype.kind == "c"


def _as_numpy(m: Any, a: Any, values: Any, *others: Any) -> tuple[Any, ...]:
    """Real numbers, where NumPy makes such of known ones; in a Program complex ones."""
    plain = seen(m, values)
    if a.dtype.kind == "c" or _always_complex() or not is_known(plain) or np.any(np.imag(plain)):
        return values, *others
    return tuple(m.real(x) for x in (values, *others))


@function(*_GENERAL, name="linalg.eig", numpy=(np.linalg.eig,))
def eig(m: Any, a: Any) -> EigResult:
    """Eigenvalues and eigenvectors of a square matrix; in a Program and in a batch complex numbers, whatever they are.

    Eigenvectors of equal eigenvalues have no derivatives: it is an error to use them.
    """
    a = square(a, "eig")
    return EigResult(*_as_numpy(m, a, m.general_eigenvalues(a), m.general_eigenvectors(a)))


@function(*_GENERAL, name="linalg.eigvals", numpy=(np.linalg.eigvals,))
def eigvals(m: Any, a: Any) -> Any:
    """Eigenvalues of a square matrix; in a Program and in a batch complex numbers, whatever they are."""
    a = square(a, "eigvals")
    return _as_numpy(m, a, m.general_eigenvalues(a, alone=True))[0]


@function(*_SYMMETRIC, name="linalg.eigh", numpy=(np.linalg.eigh,))
def eigh(m: Any, a: Any, UPLO: str = "L") -> EighResult:
    """Eigenvalues and eigenvectors of a symmetric matrix, read from one triangle.

    Eigenvectors of equal eigenvalues have no derivatives: it is an error to use them. Take the columns that are needed, v[:, -k:].
    """
    a, uplo = square(a, "eigh"), _triangle(UPLO)
    return EighResult(m.eigenvalues(a, uplo=uplo), m.eigenvectors(a, uplo=uplo))


@function(*_SYMMETRIC, name="linalg.eigvalsh", numpy=(np.linalg.eigvalsh,))
def eigvalsh(m: Any, a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of a symmetric matrix, read from one triangle."""
    return m.eigenvalues(square(a, "eigvalsh"), uplo=_triangle(UPLO), alone=True)


@function(
    example(A),
    example(PAIR),
    example(TALL),
    example(WIDE),
    example(TALL, full_matrices=False),
    example(WIDE, full_matrices=False),
    example(TALL, compute_uv=False),
    name="linalg.svd",
    numpy=(np.linalg.svd,),
)
def svd(m: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular values, and the vectors of U and Vᴴ: with `full_matrices` bases, without it as many as there are singular values.

    Those of equal singular values, and of 0, have no derivatives: it is an error to use them. Take the columns that are needed,
    u[:, :k].
    """
    a = matrices(a, "svd")
    if hermitian:
        raise UnsupportedError(
            "np.linalg.svd with hermitian=True cannot be traced; leave it out, or use np.linalg.eigh."
        )
    if not compute_uv:
        return m.singular_values(a, alone=True)
    u, v = m.left_singular_vectors(a), m.right_singular_vectors(a)
    if full_matrices:
        u, v = _completed(m, u, a, "svd"), _completed(m, v, adjoint(m, a), "svd of rows")
    return SVDResult(u, m.singular_values(a), adjoint(m, v))


def _completed(m: Any, columns: Any, a: Any, by: str) -> Any:
    """Orthonormal columns of the space of a's, and those that are missing to a basis."""
    rows, own = a.shape[-2:]
    return columns if rows <= own else concatenate(m, [columns, m.completing_columns(a, by=by)], axis=-1)


@function(example(TALL), example(PAIR), name="linalg.svdvals", numpy=(np.linalg.svdvals,))
def svdvals(m: Any, x: Any, /) -> Any:
    """Singular values."""
    return m.singular_values(matrices(x, "svdvals"), alone=True)


@function(
    example(A),
    example(TALL),
    example(WIDE),
    example(np.stack([TALL, TALL[::-1]])),
    example(WIDE, "complete"),
    example(TALL, "complete"),
    example(TALL, mode="r"),
    name="linalg.qr",
    numpy=(np.linalg.qr,),
)
def qr(m: Any, a: Any, mode: str = "reduced") -> Any:
    """Orthogonal columns Q and a triangle R with Q·R = A."""
    a = matrices(a, "qr")
    if mode == "r":
        return m.triangular_factor(a)
    if mode not in ("reduced", "complete"):
        raise UnsupportedError(
            f"np.linalg.qr with mode={shortened(mode)} cannot be traced; use 'reduced', 'complete' or 'r'."
        )
    q, r = m.orthogonal_factor(a), m.triangular_factor(a)
    missing = a.shape[-2] - a.shape[-1]
    if mode == "complete" and missing > 0:
        below = np.zeros((*a.shape[:-2], missing, a.shape[-1]), r.dtype)
        return QRResult(_completed(m, q, a, "qr"), concatenate(m, [r, below], axis=-2))
    return QRResult(q, r)


@function(
    example(A), example(TALL), example(WIDE), example(PAIR, rcond=1e-10), example(A, rtol=1e-12),
    name="linalg.pinv",
    numpy=(np.linalg.pinv,),
)  # fmt: skip
def pinv(m: Any, a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue) -> Any:
    """The pseudo-inverse; singular values below `rcond` times the largest count as 0."""
    a = matrices(a, "pinv")
    if hermitian:
        raise UnsupportedError("np.linalg.pinv with hermitian=True cannot be traced; leave it out.")
    if rcond is None and rtol is None:
        rcond = max(a.shape[-2:]) * float(np.finfo(dtype_of_matrices(a)).eps)
    elif rcond is None:
        rcond = 1e-15 if rtol is np._NoValue else rtol
    return m.pinv(a, rcond=_number(rcond, "pinv", "rcond"))


def _number(value: Any, called: str, what: str) -> float:
    """A bound that is one plain number."""
    if ndim(value):
        raise UnsupportedError(f"np.linalg.{called} with {what} as an array cannot be traced; give one number.")
    return float(value)


@function(
    example(TALL, (3,), rcond=None), example(TALL, (3, 2)), example(WIDE, (2,)), example(A, (3, 1), rcond=-1),
    name="linalg.lstsq",
    numpy=(np.linalg.lstsq,),
)  # fmt: skip
def lstsq(m: Any, a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """Least squares: the solution, the sums of squares that are left, the rank, and the singular values.

    The sums are given where there are more rows than columns; NumPy leaves them out as well where the rank is less than full.
    """
    a, b = matrices(a, "lstsq"), array(b)
    if ndim(a) != 2 or ndim(b) not in (1, 2) or b.shape[0] != a.shape[0]:
        raise ShapeError(
            f"lstsq was given shapes {tuple(a.shape)} and {tuple(b.shape)}; give one matrix, and b of as many "
            "rows with one or two axes."
        )
    rows, columns = a.shape
    dtype = dtype_of_matrices(a, b)
    eps = float(np.finfo(dtype).eps)
    relative = eps * max(rows, columns) if rcond is None else _number(rcond, "lstsq", "rcond")
    relative = relative if 0.0 < relative < 1.0 else eps  # as LAPACK has it
    right = b if ndim(b) == 2 else reshape(m, b, (rows, 1))
    a, right = cast(m, a, dtype), cast(m, right, dtype)
    x = m.lstsq(a, right, rcond=relative)
    left = np.zeros(0, real_dtype(a))
    if rows > columns:
        rest = right - m.einsum(a, x, subscripts="ij,jk->ik")
        left = m.sum(m.square(m.real(rest)) + m.square(m.imag(rest)), axis=(0,), keepdims=False)
    rank = m.rank_of_matrix(a, relative=relative)
    x = x if ndim(b) == 2 else reshape(m, x, (columns,))
    return x, left, m.astype(rank, dtype=np.dtype(np.int32)), m.singular_values(a, alone=True)


@function(
    example(A), example(PAIR), example(TALL, 0.5), example(TALL, rtol=0.1), differentiable=False,
    name="linalg.matrix_rank",
    numpy=(np.linalg.matrix_rank,),
)  # fmt: skip
def matrix_rank(m: Any, A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The number of singular values that are not 0 to working precision."""
    if ndim(A) < 2:
        return m.astype(m.any(m.not_equal(A, 0), axis=tuple(range(ndim(A))), keepdims=False), dtype=np.dtype(int))
    if hermitian:
        raise UnsupportedError("np.linalg.matrix_rank with hermitian=True cannot be traced; leave it out.")
    bound, relative = (None if x is None else _number(x, "matrix_rank", "tol") for x in (tol, rtol))
    return m.rank_of_matrix(matrices(A, "matrix_rank"), tol=bound, relative=relative)


# --- numpy.linalg's own forms of functions that NumPy has as well


@function(example(PAIR), example(TALL, offset=-1), name="linalg.trace", numpy=(np.linalg.trace,))
def trace(m: Any, x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sum of the diagonal of the last two axes."""
    found = diagonal(m, x, whole(offset, "offset"), -2, -1)
    total = m.sum(found, axis=(ndim(found) - 1,), keepdims=False)
    return total if dtype is None else m.astype(total, dtype=np.dtype(dtype))


@function(
    example(PAIR), example(WIDE, offset=1), name="linalg.diagonal", numpy=(np.linalg.diagonal,), numpys_is_a_view=True
)
def diagonal_of_matrices(m: Any, x: Any, /, *, offset: int = 0) -> Any:
    """The diagonal of the last two axes."""
    return diagonal(m, x, offset, -2, -1)


@function(example((2, 3, 4)), name="linalg.matrix_transpose", numpy=(np.linalg.matrix_transpose,))
def matrix_transpose(m: Any, x: Any, /) -> Any:
    """The last two axes exchanged."""
    return swapaxes(m, matrices(x, "matrix_transpose"), -1, -2)


@function(example((3,), (2,)), name="linalg.outer", numpy=(np.linalg.outer,))
def outer(m: Any, x1: Any, x2: Any, /) -> Any:
    """All products of an element of one vector with one of another."""
    x1, x2 = array(x1), array(x2)
    if ndim(x1) != 1 or ndim(x2) != 1:
        raise ShapeError(
            f"linalg.outer was given shapes {tuple(x1.shape)} and {tuple(x2.shape)}; give two vectors, or use np.outer."
        )
    return m.einsum(x1, x2, subscripts="i,j->ij")


@function(example((2, 3, 4), (3, 4, 5)), example((2, 3), (4, 2), axes=([0], [1])), name="linalg.tensordot", numpy=(np.linalg.tensordot,))  # fmt: skip  # noqa: E501
def linalg_tensordot(m: Any, x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """The product summed over pairs of axes."""
    return tensordot(m, x1, x2, axes)


@function(example((3,), (3,)), example((2, 3), (3,)), example((3, 2), (3, 2), axis=0), name="linalg.vecdot", numpy=(np.linalg.vecdot,))  # fmt: skip  # noqa: E501
def vecdot(m: Any, x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """Σ of the products along one axis, of complex numbers the first ones' conjugates; the others broadcast."""
    x1, x2 = conjugate(m, array(x1)), array(x2)
    x1, x2 = (moveaxis(m, x, one_axis(axis, ndim(x)), -1) for x in (x1, x2))
    letters = "abcdefghijklmnopqrstuvw"[: max(ndim(x1), ndim(x2)) - 1]
    terms = [letters[len(letters) - ndim(x) + 1 :] + "z" for x in (x1, x2)]
    return contract(m, [x1, x2], terms, letters)


@function(example((3,), (3,)), example((2, 3), (3,)), example((3, 2), (3, 2), axis=0), name="linalg.cross", numpy=(np.linalg.cross,))  # fmt: skip  # noqa: E501
def cross(m: Any, x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The product of vectors in space."""
    x1, x2 = array(x1), array(x2)
    moved = [moveaxis(m, x, one_axis(axis, ndim(x)), -1) for x in (x1, x2)]
    if any(x.shape[-1] != 3 for x in moved):
        raise ShapeError(
            f"linalg.cross was given shapes {tuple(x1.shape)} and {tuple(x2.shape)}; give vectors of 3 numbers along axis {axis}."
        )
    (x, x_), (y, y_) = (
        [m.take(v, np.array(order), axis=ndim(v) - 1) for order in ([1, 2, 0], [2, 0, 1])] for v in moved
    )
    return moveaxis(m, x * y_ - x_ * y, -1, one_axis(axis, max(ndim(x1), ndim(x2))))
