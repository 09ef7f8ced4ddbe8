"""What rules on matrices are written in: products, transposes and triangles of the last two axes, with any axes before."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import numpy as np

from chainrule.errors import MatrixError, UnsupportedError
from chainrule.ops.axes import Kept, Link, Links, Mixed
from chainrule.ops.kinds.contraction import LATIN
from chainrule.ops.operation import ArrayType, cast, dtype_of, shape_of

# --- values and types


def by_numpy(advice: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A value of NumPy's, whose failures say what to do."""

    def decorate(value: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(value)
        def computed(*arrays: Any, **static: Any) -> Any:
            dtype_of_matrices(*arrays)
            try:
                return value(*arrays, **static)
            except MatrixError:
                raise
            except np.linalg.LinAlgError as error:
                shapes = " and ".join(str(np.shape(x)) for x in arrays)
                raise MatrixError(f"{str(error).rstrip('.')}, of shape {shapes}. {advice}") from None

        return computed

    return decorate


def dtype_of_matrices(*arrays: Any) -> np.dtype[Any]:
    """The dtype that numpy.linalg computes in: single precision where everything is, and else double; complex where anything is."""
    return _dtype_together(*map(dtype_of, arrays))


@cache
def _dtype_together(*of_each: Any) -> np.dtype[Any]:
    kinds = [np.dtype(kind) for kind in of_each]
    if any(kind == np.float16 for kind in kinds):
        raise UnsupportedError(
            "numpy.linalg has no half precision, and was given float16; write x.astype(np.float32), and back afterwards."
        )
    single = all(kind in (np.float32, np.complex64) for kind in kinds)
    if any(kind.kind == "c" for kind in kinds):
        return np.dtype(np.complex64 if single else np.complex128)
    return np.dtype(np.float32 if single else np.float64)


def real_dtype(a: Any) -> np.dtype[Any]:
    """The dtype of what is real also where the matrix is complex."""
    return np.dtype(np.empty(0, dtype_of_matrices(a)).real.dtype)


def same_type(a: Any, *_: Any, **__: Any) -> ArrayType:
    """The type of a result that is like its input."""
    return ArrayType(shape_of(a), dtype_of_matrices(a))


# --- axes


def matrix_links(*inputs: tuple[Any, int], last: tuple[int, int] | int) -> tuple[Links, ...]:
    """Leading axes stay; the last ones of every input are combined into the result's `last` ones.

    Every input is given with the number of its own last axes.
    """
    results = last if isinstance(last, int) else len(last)
    found = []
    for x, own in inputs:
        lead = len(shape_of(x)) - own
        links: list[Link] = [Kept(i, i) for i in range(lead)]
        links += [Mixed(lead + i, lead + min(i, results - 1) if results else None) for i in range(own)]
        found.append(tuple(links))
    return tuple(found)


def together(name: str) -> Callable[..., Any]:
    """The batch rule of operations on the last axes: everything gets the batch's axis in front."""

    def batched(m: Any, size: int, batched: Any, *inputs: Any, **static: Any) -> Any:
        every = [
            x if mine else m.broadcast_to(x, shape=(size, *shape_of(x)))
            for x, mine in zip(inputs, batched, strict=True)
        ]
        return getattr(m, name)(*every, **static)

    return batched


# --- products


def _lead(a: Any, last: int) -> str:
    return LATIN[: len(a.shape) - last]


def product(m: Any, a: Any, b: Any) -> Any:
    """A·B."""
    lead = _lead(a, 2)
    return m.einsum(a, b, subscripts=f"{lead}XY,{lead}YZ->{lead}XZ")


def times_vector(m: Any, a: Any, x: Any) -> Any:
    """A·x."""
    lead = _lead(a, 2)
    return m.einsum(a, x, subscripts=f"{lead}XY,{lead}Y->{lead}X")


def outer(m: Any, x: Any, y: Any) -> Any:
    """x·yᵀ."""
    lead = _lead(x, 1)
    return m.einsum(x, y, subscripts=f"{lead}X,{lead}Y->{lead}XY")


def scaled_columns(m: Any, a: Any, x: Any) -> Any:
    """A·diag(x)."""
    lead = _lead(a, 2)
    return m.einsum(a, x, subscripts=f"{lead}XY,{lead}Y->{lead}XY")


def column_products(m: Any, a: Any, b: Any) -> Any:
    """The diagonal of Aᵀ·B."""
    lead = _lead(a, 2)
    return m.einsum(a, b, subscripts=f"{lead}XY,{lead}XY->{lead}Y")


def transposed(m: Any, a: Any) -> Any:
    """Aᵀ."""
    n = len(a.shape)
    return m.transpose(a, axes=(*range(n - 2), n - 1, n - 2))


def conjugated(m: Any, a: Any) -> Any:
    """Ā, which of real numbers is A."""
    return m.conjugate(a) if np.dtype(dtype_of(a)).kind == "c" else a


def adjoint(m: Any, a: Any) -> Any:
    """Aᴴ, the transpose of Ā."""
    return transposed(m, conjugated(m, a))


def inner(m: Any, a: Any, b: Any) -> Any:
    """Σ A∘B, one number a matrix."""
    n = len(a.shape)
    return m.sum(a * b, axis=(n - 2, n - 1), keepdims=False)


def for_matrices(m: Any, number: Any) -> Any:
    """One number a matrix, to be multiplied with matrices."""
    return m.reshape(number, shape=(*number.shape, 1, 1))


def like(m: Any, x: Any, input_: Any) -> Any:
    """A cotangent in the dtype of its input; the real part of one of real numbers."""
    dtype = np.dtype(dtype_of(input_))
    return x if x.dtype == dtype or dtype.kind not in "fc" else cast(m, x, dtype)


# --- triangles


def lower(m: Any, a: Any, below: int = 0) -> Any:
    """The lower triangle, from so many diagonals below the main one."""
    return m.where(np.tri(a.shape[-2], a.shape[-1], -below, bool), a, a.dtype.type(0))


def half_lower(m: Any, a: Any) -> Any:
    """Φ(A): the lower triangle with half of the diagonal."""
    n = a.shape[-1]
    return a * (np.tri(n) - 0.5 * np.eye(n)).astype(a.dtype)


def read_symmetric(m: Any, a: Any) -> Any:
    """The symmetric matrix that is read from a lower triangle; of complex numbers the Hermitian one, with a real diagonal."""
    half = half_lower(m, lower(m, a))
    return half + adjoint(m, half)


def read_adjoint(m: Any, g: Any) -> Any:
    """The cotangent of what a symmetric matrix was read from, given the matrix's."""
    return half_lower(m, g + adjoint(m, g))
