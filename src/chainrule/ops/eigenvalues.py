"""Eigenvalues and eigenvectors of square matrices that need not be symmetric: complex numbers, of real matrices too.

With A·V = V·diag(λ): dλᵢ = (V⁻¹·dA·V)ᵢᵢ, and dV = V·(F∘(V⁻¹·dA·V)) with Fᵢⱼ = 1/(λⱼ − λᵢ), up to a factor of every eigenvector
(Giles 2008). LAPACK makes vectors of length 1 whose largest component is real, and the derivative is that of such vectors. But a
sign may jump from one matrix to the next: only what does not depend on it, as projections and |vᵢ|² do not, is to be differentiated.

- Where eigenvalues are equal, derivatives of the values are right for what does not depend on their order, such as Σ f(λ), as long
  as there are as many eigenvectors as rows; where there are fewer, that is an error, `MatrixError`.
- The eigenvectors have no derivatives there: an error where they are used, as in `decompositions.py`. V⁻¹ uses all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.ops.decompositions import EQUAL_VALUES, gaps, remembered, used_columns
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.linear_algebra import A
from chainrule.ops.matrices import (
    by_numpy,
    dtype_of_matrices,
    like,
    matrix_links,
    product,
    scaled_columns,
    together,
    transposed,
)
from chainrule.ops.operation import ArrayType, at, example, shape_of

TURNING = np.array([[0.5, -1.5, 0.25], [1.0, 0.75, -0.5], [0.25, 0.5, -1.0]])
"""A real matrix with one real eigenvalue and a pair of complex ones."""
_EXAMPLES = (example(A), example(TURNING), example(np.stack([A, TURNING])))

_FINITE = by_numpy("It must have finite numbers.")


def _complex(a: Any) -> np.dtype[Any]:
    return np.result_type(dtype_of_matrices(a), np.complex64)


@remembered
def _eig(a: Any) -> tuple[Any, Any]:
    values, vectors = np.linalg.eig(a)
    return values.astype(_complex(a)), vectors.astype(_complex(a))


@_FINITE
def _values(a: Any, alone: bool = False) -> Any:
    return np.linalg.eigvals(a).astype(_complex(a)) if alone else _eig(a)[0]


def _parts(m: Any, a: Any) -> tuple[Any, Any]:
    """V and V⁻¹."""
    v = m.general_eigenvectors(a)
    return v, m.inv(v, regular=0.5, of="eigenvectors")


def _values_forward(m: Any, tangents: Any, y: Any, a: Any, alone: bool = False) -> Any:
    v, inverse = _parts(m, a)
    moved, lead = product(m, tangents[0], v), "abcdefgh"[: len(a.shape) - 2]
    return m.einsum(inverse, moved, subscripts=f"{lead}XY,{lead}YX->{lead}X")


def _values_reverse(m: Any, g: Any, y: Any, a: Any, alone: bool = False) -> list[Any]:
    v, inverse = _parts(m, a)
    return [like(m, product(m, scaled_columns(m, transposed(m, inverse), g), transposed(m, v)), a)]


def _column_sums(m: Any, x: Any) -> Any:
    return m.sum(x, axis=(len(x.shape) - 2,), keepdims=True)


def _largest(m: Any, v: Any) -> Any:
    """1 at the component of every vector that LAPACK has made real, the largest, and 0 at the others."""
    n, rows = v.shape[-1], len(v.shape) - 2
    x, y = m.real(v), m.imag(v)
    if not n:
        return x
    place = m.argmax((m.square(x) + m.square(y)) * m.indicator(y == 0, x), axis=rows)
    here = m.equal(m.reshape(place, shape=(*place.shape[:-1], 1, n)), np.arange(n)[:, None])
    return m.indicator(here, x)


def _vectors_forward(m: Any, tangents: Any, y: Any, a: Any) -> Any:
    v, inverse = _parts(m, a)
    w, here = m.general_eigenvalues(a), _largest(m, v)
    inside = m.quotient_of_gaps(product(m, inverse, product(m, tangents[0], v)), gaps(m, w), w)
    change = product(m, v, inside)
    longer = _column_sums(m, m.real(m.conjugate(v) * change))
    turned = _column_sums(m, here * m.imag(change)) / _column_sums(m, here * m.real(v))
    return change - v * (longer + turned * 1j)


def _vectors_reverse(m: Any, g: Any, y: Any, a: Any, used: Any = None) -> list[Any]:
    v, inverse = _parts(m, a)
    w, here = m.general_eigenvalues(a), _largest(m, v)
    along = _column_sums(m, g * v)
    turned = m.imag(along) / _column_sums(m, here * m.real(v))
    free = g - m.real(along) * m.conjugate(v) - here * turned * 1j
    inside = m.quotient_of_gaps(product(m, transposed(m, v), free), gaps(m, w), w, *used_columns(m, used))
    return [like(m, product(m, transposed(m, inverse), product(m, inside, transposed(m, v))), a)]


general_eigenvalues = Custom(
    "general_eigenvalues",
    value=_values,
    type=lambda a, alone=False: ArrayType(shape_of(a)[:-1], _complex(a)),
    forward=_values_forward,
    reverse=_values_reverse,
    links=lambda a, alone=False: matrix_links((a, 2), last=1),
    batched=together("general_eigenvalues"),
    latex=r"\lambda\left({0}\right)",
    differential=r"\operatorname{{diag}}\left(V^{{-1}} d{0} \, V\right)",
    kinks=(at(EQUAL_VALUES, np.eye(2)),),
    doc="Eigenvalues of a square matrix, complex (Giles 2008). `alone` is how NumPy computes them without eigenvectors.",
    examples=(*_EXAMPLES, example(TURNING, alone=True)),
    complex=True,
    to_complex=True,
)
general_eigenvectors = Custom(
    "general_eigenvectors",
    value=_FINITE(lambda a: _eig(a)[1]),
    type=lambda a: ArrayType(shape_of(a), _complex(a)),
    forward=_vectors_forward,
    reverse=_vectors_reverse,
    links=lambda a: matrix_links((a, 2), last=2),
    batched=together("general_eigenvectors"),
    latex=r"V\left({0}\right)",
    differential=r"y \left(F \circ \left(y^{{-1}} d{0} \, y\right)\right) - y \, C,\ F_{{ij}} = \frac{{1}}{{\lambda_j - \lambda_i}}",
    kinks=(at(EQUAL_VALUES, np.eye(2)),),
    doc="""The eigenvectors of a square matrix as columns, complex; the diagonal C keeps length 1 and the largest component real.

    Signs may jump from one matrix to the next, so only what does not depend on them is to be differentiated.""",
    examples=_EXAMPLES,
    complex=True,
    asks_use=True,
    to_complex=True,
)
