"""`scipy.linalg`, differentiable: equations, factors, functions of matrices, matrices with a structure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import ShapeError, UnsupportedError
from chainrule.ops.kinds.custom import Custom
from chainrule.scipy import matrix_equations, matrix_functions, structured_matrices
from chainrule.scipy.closures import is_numbers, plain
from chainrule.scipy.standing import Standing, names_of, numbers
from chainrule.tracing.apply import traced
from scipy import linalg

standing = Standing(linalg)


def turned(a: Any) -> Any:
    """Rows and columns exchanged, of a matrix or a stack of such."""
    return np.swapaxes(a, -1, -2)


def _symmetric(a: Any, lower: bool) -> Any:
    """The symmetric matrix of which one triangle is given."""
    strict = np.tril(a, -1) if lower else np.triu(a, 1)
    return strict + turned(strict) + (np.tril(np.triu(a)))


def _transposed(a: Any, trans: Any) -> Any:
    return turned(a) if trans in (1, 2, "T", "C") else a


def _assumed(a: Any, structure: str | None, lower: bool) -> Any:
    """The matrix of which only a part is looked at."""
    if structure in (None, "gen", "general", "banded"):
        return a
    if structure in ("sym", "her", "pos", "symmetric", "hermitian", "positive definite"):
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
    return np.linalg.solve(_transposed(_assumed(a, assume_a, lower), int(transposed)), b)


@standing
def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    """The x with a·x = b, of a triangle of a."""
    a, b = numbers(a), numbers(b)
    inner = -1 if lower and unit_diagonal else 1 if unit_diagonal else 0
    triangle = np.tril(a, inner) if lower else np.triu(a, inner)
    if unit_diagonal:
        triangle = triangle + np.eye(a.shape[-1])
    return np.linalg.solve(_transposed(triangle, trans), b)


@standing
def lstsq(
    a: Any, b: Any, cond: Any = None, overwrite_a: bool = False, overwrite_b: bool = False, check_finite: bool = True,
    lapack_driver: Any = None,
) -> Any:  # fmt: skip
    """The x with the least |a·x − b|², its sums of squares, the rank and the singular values."""
    a, b = numbers(a), numbers(b)
    found = np.linalg.lstsq(a, b, rcond=cond if cond is not None else float(np.finfo(float).eps))
    rows, columns = tuple(a.shape)
    missed = b - a @ found[0]
    sums = np.sum(missed**2, axis=0) if rows > columns and found[2] == columns else np.zeros(0)
    return found[0], sums, found[2], found[3]


@standing
def cholesky(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The triangle with a = L·Lᵀ, or a = Uᵀ·U."""
    a = numbers(a)
    return np.linalg.cholesky(a) if lower else turned(np.linalg.cholesky(turned(a)))


@standing
def cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Cholesky's triangle, the other triangle 0, and which it is."""
    return cholesky(a, lower), lower


@standing
def cho_solve(c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """The x with a·x = b, given Cholesky's factor of a."""
    c, lower = c_and_lower
    first, second = ("N", "T") if lower else ("T", "N")
    return solve_triangular(c, solve_triangular(c, b, first, lower), second, lower)


def _eliminated(a: Any) -> Any:
    """U, and the strict triangle of L below it, of a matrix whose rows need no exchange."""
    rows, columns = tuple(a.shape)
    upper, lower = [], []
    for _ in range(min(rows, columns)):
        upper.append(np.pad(a[0], (columns - a.shape[1], 0)))
        factors = a[1:, 0] / a[0, 0]
        lower.append(np.pad(factors, (rows - factors.shape[0], 0)))
        a = a[1:, 1:] - factors[:, None] * a[0, 1:]
    return np.stack(lower, axis=1), np.stack(upper)


def _order(a: Any, called: str) -> Any:
    """How LAPACK exchanges the rows."""
    exchanges = linalg.lu_factor(plain(a, f"scipy.linalg.{called}"))[1]
    order = np.arange(a.shape[0])
    for i, j in enumerate(exchanges):
        order[[i, j]] = order[[j, i]]
    return exchanges, order


@standing
def lu(
    a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True, p_indices: bool = False
) -> Any:
    """The P, L and U with a = P·L·U; exchanges of rows are taken as they are."""
    a = numbers(a)
    if len(a.shape) != 2:
        raise ShapeError(
            f"scipy.linalg.lu of traced values was given shape {tuple(a.shape)}; give one matrix, or use vmap."
        )
    _, order = _order(a, "lu")
    lower, upper = _eliminated(a[order])
    lower, back = lower + np.eye(*lower.shape), np.argsort(order)
    if permute_l:
        return lower[back], upper
    return back if p_indices else np.eye(a.shape[0])[:, order], lower, upper


@standing
def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """L and U of a square matrix in one, and the exchanges of rows."""
    a = numbers(a)
    if len(a.shape) != 2 or a.shape[0] != a.shape[1]:
        raise ShapeError(
            f"scipy.linalg.lu_factor of traced values was given shape {tuple(a.shape)}; give one square matrix."
        )
    exchanges, order = _order(a, "lu_factor")
    lower, upper = _eliminated(a[order])
    return lower + upper, exchanges


@standing
def lu_solve(lu_and_piv: Any, b: Any, trans: Any = 0, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """The x with a·x = b, given `lu_factor(a)`."""
    factors, exchanges = lu_and_piv
    order = np.arange(len(exchanges))
    for i, j in enumerate(exchanges):
        order[[i, j]] = order[[j, i]]
    b = numbers(b)
    if trans in (1, 2, "T", "C"):
        inner = solve_triangular(factors, b, "T")
        return solve_triangular(factors, inner, "T", lower=True, unit_diagonal=True)[np.argsort(order)]
    return solve_triangular(factors, solve_triangular(factors, b[order], lower=True, unit_diagonal=True))


@standing
def inv(
    a: Any, overwrite_a: bool = False, check_finite: bool = True, *, assume_a: str | None = None, lower: bool = False
) -> Any:
    """The inverse."""
    return np.linalg.inv(_assumed(numbers(a), assume_a, lower))


@standing
def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The determinant."""
    return np.linalg.det(numbers(a))


@standing
def pinv(a: Any, *, rtol: Any = None, check_finite: bool = True) -> Any:
    """The pseudoinverse."""
    return np.linalg.pinv(numbers(a), rcond=rtol)


@standing
def pinvh(a: Any, atol: None = None, rtol: Any = None, lower: bool = True, *, check_finite: bool = True) -> Any:
    """The pseudoinverse of a symmetric matrix."""
    if atol is not None:
        raise UnsupportedError("scipy.linalg.pinvh of traced values takes no atol; give rtol.")
    return np.linalg.pinv(_symmetric(numbers(a), lower), rcond=rtol)


@standing
def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True) -> Any:
    """A norm of vectors or matrices."""
    return np.linalg.norm(numbers(a), ord, axis, keepdims)


def _signs(a: Any, b: Any, vectors: Any, **options: Any) -> Any:
    """By which eigenvectors are those of SciPy's: either is right, and LAPACK's drivers differ."""
    signs = np.ones((*vectors.shape[:-2], 1, vectors.shape[-1]), vectors.dtype)
    for place in np.ndindex(vectors.shape[:-2]):
        second = b if b is None or b.ndim == 2 else b[place]
        own = linalg.eigh(a if a.ndim == 2 else a[place], second, **options)[1]
        signs[place] = np.where(np.sum(own * vectors[place], axis=0) < 0.0, -1.0, 1.0)
    return signs


@standing
def eigh(
    a: Any, b: Any = None, *, lower: bool = True, eigvals_only: bool = False, overwrite_a: bool = False,
    overwrite_b: bool = False, type: int = 1, check_finite: bool = True, subset_by_index: Any = None, driver: Any = None,
) -> Any:  # fmt: skip
    """Eigenvalues, smallest first, and eigenvectors of a symmetric matrix; of the pair a·v = λ·b·v with a `b`."""
    a, b = numbers(a), None if b is None else numbers(b)
    if type != 1:
        raise UnsupportedError(f"scipy.linalg.eigh of traced values takes type=1 only; it was given type={type}.")
    whole = slice(None)
    part = whole if subset_by_index is None else slice(subset_by_index[0], subset_by_index[1] + 1)
    inner = _symmetric(a, lower)
    if b is not None:
        factor = np.linalg.cholesky(_symmetric(b, lower))
        inner = np.linalg.solve(factor, turned(np.linalg.solve(factor, inner)))
    if eigvals_only:
        return np.linalg.eigvalsh(inner)[..., part]
    values, vectors = np.linalg.eigh(inner)
    if b is not None:
        vectors = np.linalg.solve(turned(factor), vectors)
    values, vectors = values[..., part], vectors[..., part]
    if is_numbers(a) and (b is None or is_numbers(b)):
        own_a, own_b = plain(a, "eigh"), None if b is None else plain(b, "eigh")
        chosen = {"lower": lower, "driver": driver, "subset_by_index": subset_by_index}
        vectors = vectors * _signs(own_a, own_b, plain(vectors, "eigh"), **chosen)
    return values, vectors


def _pencil(a: Any, b: Any) -> Any:
    """The matrix with the eigenvalues of the pair a·v = λ·b·v."""
    return numbers(a) if b is None else np.linalg.solve(numbers(b), numbers(a))


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
    values, vectors = np.linalg.eig(_pencil(a, b))
    return (values + 0j, vectors) if right else values + 0j


@standing
def eigvals(a: Any, b: Any = None, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Eigenvalues of a square matrix, complex; of the pair a·v = λ·b·v with a `b`."""
    return np.linalg.eigvals(_pencil(a, b)) + 0j


@standing
def eigvalsh(
    a: Any, b: Any = None, *, lower: bool = True, overwrite_a: bool = False, overwrite_b: bool = False, type: int = 1,
    check_finite: bool = True, subset_by_index: Any = None, driver: Any = None,
) -> Any:  # fmt: skip
    """Eigenvalues of a symmetric matrix."""
    return eigh(a, b, lower=lower, eigvals_only=True, type=type, subset_by_index=subset_by_index)


@standing
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, overwrite_a: bool = False, check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:  # fmt: skip
    """Singular values and vectors."""
    a = numbers(a)
    if not compute_uv:
        return np.linalg.svd(a, compute_uv=False)
    return tuple(np.linalg.svd(a, full_matrices=full_matrices))


@standing
def svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Singular values, the largest first."""
    return np.linalg.svd(numbers(a), compute_uv=False)


@standing
def polar(a: Any, side: str = "right") -> Any:
    """An orthogonal u and a symmetric p with a = u·p, or p·u with `side="left"`."""
    u, values, v = np.linalg.svd(numbers(a), full_matrices=False)
    symmetric = (turned(v) * values) @ v if side == "right" else (u * values) @ turned(u)
    return u @ v, symmetric


@standing
def orthogonal_procrustes(A: Any, B: Any, check_finite: bool = True) -> Any:
    """The orthogonal R with the least |A·R − B|, and the sum of the singular values of Aᵀ·B."""
    u, values, v = np.linalg.svd(turned(turned(numbers(B)) @ numbers(A)))
    return u @ v, np.sum(values)


@standing
def qr(
    a: Any, overwrite_a: bool = False, lwork: Any = None, mode: str = "full", pivoting: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    """Q and R, economic."""
    a = numbers(a)
    if pivoting or mode not in ("full", "r", "economic"):
        raise UnsupportedError(
            f"scipy.linalg.qr of traced values was given mode={mode!r}, pivoting={pivoting}; it takes mode='full', 'r' or "
            "'economic' and no pivoting. Exchange columns before, by positions from scipy.linalg.qr of plain numbers."
        )
    if mode == "r":
        r: Any = np.linalg.qr(a, mode="r")
        missing = a.shape[-2] - r.shape[-2]
        return (np.pad(r, ((0, 0),) * (len(a.shape) - 2) + ((0, missing), (0, 0))) if missing else r,)
    if mode == "full" and a.shape[-2] > a.shape[-1]:
        raise UnsupportedError(
            f"scipy.linalg.qr of a traced matrix of shape {tuple(a.shape)} has no derivative with mode='full', whose last columns "
            "are any; write mode='economic'."
        )
    return tuple(np.linalg.qr(a))


def _of_matrix(name: str) -> Callable[..., Any]:
    return lambda A: getattr(traced, name)(numbers(A))


for _name in ("expm", "logm", "sqrtm", "sinm", "cosm", "sinhm", "coshm", "tanm", "tanhm"):
    standing.add(_name, _of_matrix(_name))


@standing
def expm_frechet(A: Any, E: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True) -> Any:
    """e^A and its derivative along E, a block of e^[[A, E], [0, A]]."""
    A, E = numbers(A), numbers(E)
    n = A.shape[0]
    whole = traced.expm(np.concatenate([np.concatenate([A, E], 1), np.concatenate([np.zeros((n, n)), A], 1)]))
    return (whole[:n, :n], whole[:n, n:]) if compute_expm else whole[:n, n:]


@standing
def fractional_matrix_power(A: Any, t: Any) -> Any:
    """A^t = e^(t·ln A)."""
    return traced.expm(numbers(t) * traced.logm(numbers(A)))


for _derived in (*structured_matrices.FUNCTIONS, *matrix_equations.FUNCTIONS):
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
