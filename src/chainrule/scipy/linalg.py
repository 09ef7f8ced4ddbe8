"""`scipy.linalg`, differentiable: equations, factors, functions of matrices, matrices with a structure."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.ops.kinds.custom import Custom
from chainrule.scipy.closures import is_numbers, plain
from chainrule.scipy.matrices import factors, matrix_equations, matrix_functions, structured_matrices
from chainrule.scipy.matrices.factors import adjoint, transposed_as, turned
from chainrule.scipy.matrices.matrix_functions import ComplexResultError
from chainrule.scipy.standing import Standing, in_double, is_traced, names_of, numbers, one_of
from chainrule.tracing.apply import as_operand, traced
from scipy import linalg

standing = Standing(linalg)


def _symmetric(a: Any, lower: bool, mirrored: Callable[[Any], Any] = adjoint) -> Any:
    """The symmetric matrix of which one triangle is given; of complex numbers the Hermitian one, or as `mirrored` says."""
    half = (np.tril(a, -1) if lower else np.triu(a, 1)) + 0.5 * np.tril(np.triu(a))
    return half + mirrored(half)


def _assumed(a: Any, structure: str | None, lower: bool) -> Any:
    """The matrix of which only a part is looked at."""
    if structure in (None, "gen", "general", "banded"):
        return a
    if structure in ("sym", "symmetric"):
        return _symmetric(a, lower, turned)
    if structure in ("her", "pos", "hermitian", "positive definite"):
        return _symmetric(a, lower)
    parts = {
        "diagonal": lambda: np.tril(np.triu(a)), "tridiagonal": lambda: np.tril(np.triu(a, -1), 1),
        "upper triangular": lambda: np.triu(a), "lower triangular": lambda: np.tril(a),
    }  # fmt: skip
    if structure not in parts:
        raise UnsupportedError(
            f"scipy.linalg.solve of traced values was given assume_a={structure!r}; known are None, 'general', 'symmetric', "
            f"'positive definite', 'banded', {', '.join(map(repr, parts))}."
        )
    return parts[structure]()


@standing
def solve(
    a: Any, b: Any, lower: bool = False, overwrite_a: bool = False, overwrite_b: bool = False, check_finite: bool = True,
    assume_a: str | None = None, transposed: bool = False,
) -> Any:  # fmt: skip
    """The x with a·x = b."""
    a, b = numbers(a), numbers(b)
    return np.linalg.solve(transposed_as(_assumed(a, assume_a, lower), int(transposed)), b)


@standing
def lstsq(
    a: Any, b: Any, cond: Any = None, overwrite_a: bool = False, overwrite_b: bool = False, check_finite: bool = True,
    lapack_driver: Any = None,
) -> Any:  # fmt: skip
    """The x with the least |a·x − b|², its sums of squares, the rank and the singular values."""
    one_of(lapack_driver, (None, "gelsd", "gelsy", "gelss"), "lapack_driver", "scipy.linalg.lstsq")
    a, b = numbers(a), numbers(b)
    found = np.linalg.lstsq(
        a, b, rcond=cond if cond is not None else float(np.finfo(a.dtype if a.dtype.kind in "fc" else float).eps)
    )
    x, _, rank, values = found
    rows, columns = tuple(a.shape)
    if lapack_driver == "gelsy":
        return x, np.zeros(0, x.dtype), rank, None
    missed = b - a @ x
    sums = np.sum((missed * missed.conj()).real, axis=0) if rows > columns and rank == columns else np.zeros(0, x.dtype)
    return x, sums, rank, values


@standing
def inv(
    a: Any, overwrite_a: bool = False, check_finite: bool = True, *, assume_a: str | None = None, lower: bool = False
) -> Any:
    """The inverse."""
    return np.linalg.inv(_assumed(numbers(a), assume_a, lower))


@standing
def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The determinant."""
    return np.linalg.det(in_double(a))


def _pseudoinverse(a: Any, atol: Any, rtol: Any, return_rank: bool) -> Any:
    """With SciPy's bound: below atol + rtol·σ₁ a singular value counts as 0."""
    kind = a.dtype if a.dtype.kind in "fc" else np.dtype(float)
    relative = max(a.shape[-2:]) * float(np.finfo(kind).eps) if rtol is None and not atol else float(rtol or 0.0)
    if atol or return_rank:
        values = np.linalg.svd(plain(a, "scipy.linalg.pinv"), compute_uv=False)
        largest = float(np.max(values, initial=0.0))
        relative = relative + float(atol or 0.0) / (largest or 1.0)
        rank = int(np.sum(values > relative * largest))
    inverse = np.linalg.pinv(a, rcond=relative)
    return (inverse, rank) if return_rank else inverse


@standing
def pinv(a: Any, *, atol: Any = None, rtol: Any = None, return_rank: bool = False, check_finite: bool = True) -> Any:
    """The pseudoinverse."""
    return _pseudoinverse(numbers(a), atol, rtol, return_rank)


@standing
def pinvh(
    a: Any, atol: Any = None, rtol: Any = None, lower: bool = True, return_rank: bool = False, check_finite: bool = True
) -> Any:
    """The pseudoinverse of a symmetric matrix."""
    return _pseudoinverse(_symmetric(numbers(a), lower), atol, rtol, return_rank)


@standing
def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True) -> Any:
    """A norm of vectors or matrices."""
    a = numbers(a)
    by_fortran = (len(a.shape) == 1 and ord in (None, 2)) or (len(a.shape) == 2 and ord in (1, math.inf))
    return np.linalg.norm(in_double(a) if by_fortran and axis is None and not keepdims else a, ord, axis, keepdims)


def _turned_as(own: Any, vectors: Any) -> Any:
    """Eigenvectors as SciPy gives them: each may be multiplied by a number of length 1, and LAPACK's drivers differ."""
    along = np.sum(own * plain(vectors, "scipy.linalg").conj(), axis=-2, keepdims=True)
    return vectors * np.where(along == 0.0, 1.0, along / np.where(along == 0.0, 1.0, np.abs(along)))


def _own_vectors(a: Any, b: Any, **options: Any) -> Any:
    """SciPy's eigenvectors, of every matrix of a stack."""
    if a.ndim == 2 and (b is None or b.ndim == 2):
        return linalg.eigh(a, b, **options)[1]
    stack = np.broadcast_shapes(a.shape, a.shape if b is None else b.shape)
    second = b if b is None else np.broadcast_to(b, stack)
    pairs = zip(np.broadcast_to(a, stack), [None] * stack[0] if second is None else second, strict=True)
    return np.stack([_own_vectors(x, y, **options) for x, y in pairs])


def _wanted(values: Any, select: Any, bounds: Any, called: str) -> Any:
    """Which of all eigenvalues, smallest first: all, those between two places, or those between two bounds."""
    if select in ("a", "all", 0):
        return slice(None)
    if select in ("i", "index", 2):
        return slice(bounds[0], bounds[1] + 1)
    if select in ("v", "value", 1):
        known = plain(values, f"scipy.linalg.{called}")
        return np.flatnonzero((known > bounds[0]) & (known <= bounds[1]))
    raise UnsupportedError(
        f"scipy.linalg.{called} was given select={select!r}; it takes 'a' (all), 'i' (by index), 'v' (by value)."
    )


@standing
def eigh(
    a: Any, b: Any = None, *, lower: bool = True, eigvals_only: bool = False, overwrite_a: bool = False,
    overwrite_b: bool = False, type: int = 1, check_finite: bool = True, subset_by_index: Any = None,
    subset_by_value: Any = None, driver: Any = None,
) -> Any:  # fmt: skip
    """Eigenvalues, smallest first, and eigenvectors of a symmetric matrix; of the pair a·v = λ·b·v with a `b`."""
    a, b = numbers(a), None if b is None else numbers(b)
    if type != 1:
        raise UnsupportedError(f"scipy.linalg.eigh of traced values takes type=1 only; it was given type={type}.")
    select = "a" if subset_by_index is subset_by_value else "v" if subset_by_index is None else "i"
    bounds = subset_by_value if subset_by_index is None else subset_by_index
    inner = _symmetric(a, lower)
    if b is not None:
        factor = np.linalg.cholesky(_symmetric(b, lower))
        inner = np.linalg.solve(factor, adjoint(np.linalg.solve(factor, inner)))
    if eigvals_only:
        values = np.linalg.eigvalsh(inner)
        return values[..., _wanted(values, select, bounds, "eigh")]
    values, vectors = np.linalg.eigh(inner)
    if b is not None:
        vectors = np.linalg.solve(adjoint(factor), vectors)
    part = _wanted(values, select, bounds, "eigh")
    values, vectors = values[..., part], vectors[..., part]
    if is_numbers(a) and (b is None or is_numbers(b)):
        chosen = {
            "lower": lower, "driver": driver, "subset_by_index": subset_by_index, "subset_by_value": subset_by_value
        }  # fmt: skip
        own = _own_vectors(plain(a, "eigh"), None if b is None else plain(b, "eigh"), **chosen)
        vectors = _turned_as(own, vectors)
    return values, vectors


def _pencil(a: Any, b: Any) -> Any:
    """The matrix with the eigenvalues of the pair a·v = λ·b·v."""
    return numbers(a) if b is None else np.linalg.solve(numbers(b), numbers(a))


def _as_scipys(a: Any, b: Any, values: Any, vectors: Any = None) -> tuple[Any, Any]:
    """In the order, and of the length and turn, in which SciPy has the eigenvalues and vectors of a pair, where there are numbers."""
    if b is None or not (is_numbers(values) and len(values.shape) == 1):
        return values, vectors
    left, found = list(plain(values, "eig")), []
    own, own_vectors = linalg.eig(plain(numbers(a), "eig"), plain(numbers(b), "eig"))
    places = list(range(len(left)))
    for value in own:
        found.append(min(places, key=lambda i: abs(left[i] - value)))
        places.remove(found[-1])
    if vectors is None:
        return values[found], None
    vectors = vectors[:, found]
    plain_vectors = plain(vectors, "eig")
    along = np.sum(own_vectors * plain_vectors.conj(), axis=0) / np.sum(np.abs(plain_vectors) ** 2, axis=0)
    return values[found], vectors * (along.real if np.isrealobj(own_vectors) else along)


@standing
def eig(
    a: Any, b: Any = None, left: bool = False, right: bool = True, overwrite_a: bool = False, overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    """Eigenvalues, complex, and eigenvectors of a square matrix; of the pair a·v = λ·b·v with a `b`."""
    if left:
        raise UnsupportedError(
            "scipy.linalg.eig of traced values gives no left eigenvectors. Take the right ones of the transposed matrix, eig(a.T)."
        )
    pencil = _pencil(a, b)
    values, vectors = _as_scipys(a, b, *np.linalg.eig(pencil))
    if pencil.dtype.kind != "c" and is_numbers(values) and not np.any(plain(values, "eig").imag):
        vectors = np.real(vectors)  # as SciPy has them, and NumPy before 2.5
    return (values + 0j, vectors) if right else values + 0j


@standing
def eigvals(
    a: Any, b: Any = None, overwrite_a: bool = False, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """Eigenvalues of a square matrix, complex; of the pair a·v = λ·b·v with a `b`."""
    return _as_scipys(a, b, np.linalg.eigvals(_pencil(a, b)))[0] + 0j


@standing
def eigvalsh(
    a: Any, b: Any = None, *, lower: bool = True, overwrite_a: bool = False, overwrite_b: bool = False, type: int = 1,
    check_finite: bool = True, subset_by_index: Any = None, subset_by_value: Any = None, driver: Any = None,
) -> Any:  # fmt: skip
    """Eigenvalues of a symmetric matrix."""
    chosen = {"subset_by_index": subset_by_index, "subset_by_value": subset_by_value}
    return eigh(a, b, lower=lower, eigvals_only=True, type=type, **chosen)


def _tridiagonal(d: Any, e: Any) -> Any:
    """The symmetric matrix with d on its diagonal and e beside it."""
    beside = np.diag(numbers(e), -1)
    return np.diag(numbers(d)) + beside + turned(beside)


@standing
def eigh_tridiagonal(
    d: Any, e: Any, eigvals_only: bool = False, select: Any = "a", select_range: Any = None, check_finite: bool = True,
    tol: float = 0.0, lapack_driver: str = "auto",
) -> Any:  # fmt: skip
    """Eigenvalues and eigenvectors of the symmetric matrix with d on its diagonal and e beside it."""
    if eigvals_only:
        return eigvalsh_tridiagonal(d, e, select, select_range)
    d, e = numbers(d), numbers(e)
    values, vectors = np.linalg.eigh(_tridiagonal(d, e))
    part = _wanted(values, select, select_range, "eigh_tridiagonal")
    values, vectors = values[part], vectors[:, part]
    if is_numbers(d) and is_numbers(e):
        own = linalg.eigh_tridiagonal(
            plain(d, "d"), plain(e, "e"), False, select, select_range, tol=tol, lapack_driver=lapack_driver
        )
        vectors = _turned_as(own[1], vectors)
    return values, vectors


@standing
def eigvalsh_tridiagonal(
    d: Any, e: Any, select: Any = "a", select_range: Any = None, check_finite: bool = True, tol: float = 0.0,
    lapack_driver: str = "auto",
) -> Any:  # fmt: skip
    """Eigenvalues of the symmetric matrix with d on its diagonal and e beside it."""
    values = np.linalg.eigvalsh(_tridiagonal(d, e))
    return values[_wanted(values, select, select_range, "eigvalsh_tridiagonal")]


def _of_matrix(name: str) -> Callable[..., Any]:
    return lambda A: getattr(traced, name)(numbers(A))


@standing
def sqrtm(A: Any) -> Any:
    """The S with S·S = A, complex of a matrix with negative eigenvalues."""
    a = numbers(A)
    try:
        return traced.sqrtm(a)
    except ComplexResultError:
        return traced.sqrtm(a + 0j)


@standing
def logm(A: Any) -> Any:
    """The L with e^L = A."""
    return traced.logm(in_double(A))


for _name in ("expm", "sinm", "cosm", "sinhm", "coshm", "tanm", "tanhm"):
    standing.add(_name, _of_matrix(_name))


@standing
def expm_frechet(A: Any, E: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True) -> Any:
    """e^A and its derivative along E, a block of e^[[A, E], [0, A]]."""
    one_of(method, (None, "SPS", "blockEnlarge"), "method", "scipy.linalg.expm_frechet")
    A, E = (numbers(x) if method == "blockEnlarge" else in_double(x) for x in (A, E))
    n = A.shape[0]
    whole = traced.expm(np.concatenate([np.concatenate([A, E], 1), np.concatenate([np.zeros((n, n), A.dtype), A], 1)]))
    return (whole[:n, :n], whole[:n, n:]) if compute_expm else whole[:n, n:]


@standing
def fractional_matrix_power(A: Any, t: Any) -> Any:
    """A^t = e^(t·ln A); whole powers that are not traced are products."""
    A = numbers(A)
    if not is_traced(t):
        t = float(t)
        if t == int(t):
            return np.linalg.matrix_power(A, int(t))
    return traced.expm(as_operand(t) * traced.logm(in_double(A)))


for _derived in (*factors.FUNCTIONS, *structured_matrices.FUNCTIONS, *matrix_equations.FUNCTIONS):
    standing(_derived)
for _name, _instead in {
    "schur": "eigh of a symmetric matrix, or what is wanted of it: sqrtm, logm, solve_sylvester; its vectors may be turned.",
    "ldl": "cholesky of a positive matrix, or lu.",
    "hessenberg": "qr, or lu.",
    "null_space": "the projector on it, np.eye(n) - pinv(a) @ a; any basis is as good as another.",
    "orth": "the projector on it, a @ pinv(a); any basis is as good as another.",
}.items():
    standing.refuse(_name, _instead)

OPERATIONS = {op.name: op for op in vars(matrix_functions).values() if isinstance(op, Custom)}
"""The operations whose values SciPy computes, by name."""

globals().update(standing.functions)


def __getattr__(name: str) -> object:
    return getattr(linalg, name)


def __dir__() -> list[str]:
    return names_of(linalg, standing.functions)
