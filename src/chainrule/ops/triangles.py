"""Cholesky's factor of a matrix, and the inverse of a triangle, which its derivative is taken with."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import MatrixError
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.linear_algebra import PAIR, POSITIVE, REGULAR, A, well_conditioned
from chainrule.ops.matrices import (
    adjoint,
    by_numpy,
    conjugated,
    dtype_of_matrices,
    half_lower,
    lower,
    matrix_links,
    product,
    read_adjoint,
    read_symmetric,
    same_type,
    together,
    transposed,
)
from chainrule.ops.operation import at, example

_DEFINITE = (
    "It must be symmetric with positive eigenvalues: add a multiple of the identity, as in A + 1e-6 * np.eye(n)."
)

SMALL = 48
"""Rows of triangles that LAPACK inverts; larger ones are put together from halves, by products, which is several times as fast."""


def _by_halves(a: Any) -> Any:
    """The inverse of a lower triangle: [[B, 0], [C, D]]⁻¹ = [[B⁻¹, 0], [−D⁻¹·C·B⁻¹, D⁻¹]]."""
    n = a.shape[-1]
    if n <= SMALL:
        return np.tril(np.linalg.inv(np.tril(a)))
    h = n // 2
    found = np.zeros(a.shape, dtype_of_matrices(a))
    found[..., :h, :h], found[..., h:, h:] = _by_halves(a[..., :h, :h]), _by_halves(a[..., h:, h:])
    found[..., h:, :h] = -(found[..., h:, h:] @ a[..., h:, :h]) @ found[..., :h, :h]
    return found


@by_numpy(REGULAR)
def _inverse_of_triangle(a: Any) -> Any:
    found = _by_halves(a)
    if not well_conditioned(np.tril(a), found, 0.9).all():
        raise MatrixError(
            f"a derivative is taken with the inverse of a triangle of shape {np.shape(a)}, which has none to working precision: "
            "its rows depend on each other, and so do those of the matrix whose factor it is. Use np.linalg.pinv or "
            "np.linalg.lstsq, or add a small multiple of the identity."
        )
    return found


inverse_of_triangle = Custom(
    "inverse_of_triangle",
    value=_inverse_of_triangle,
    type=same_type,
    forward=lambda m, t, y, a: -product(m, product(m, y, lower(m, t[0])), y),
    reverse=lambda m, g, y, a: [lower(m, -product(m, product(m, transposed(m, y), lower(m, g)), transposed(m, y)))],
    links=lambda a: matrix_links((a, 2), last=2),
    batched=together("inverse_of_triangle"),
    latex=r"{{{0}}}^{{-1}}",
    differential=r"-y \, d{0} \, y",
    undefined=(at("{0} with a 0 on its diagonal", np.diag([1.0, 0.0])),),
    doc="L⁻¹ for a lower triangle, which is all that is read; an error where a tenth of its digits is all that is right.",
    examples=(example(A), example(PAIR)),
    complex=True,
)


def _cholesky_forward(m: Any, tangents: Any, y: Any, a: Any) -> Any:
    change = read_symmetric(m, tangents[0])
    inverse = m.inverse_of_triangle(y)
    inside = product(m, product(m, inverse, change), adjoint(m, inverse))
    return product(m, y, half_lower(m, inside))


def _cholesky_reverse(m: Any, g: Any, y: Any, a: Any) -> list[Any]:
    inverse = m.inverse_of_triangle(y)
    inside = half_lower(m, product(m, transposed(m, y), lower(m, g)))
    return [read_adjoint(m, product(m, product(m, transposed(m, inverse), inside), conjugated(m, inverse)))]


cholesky = Custom(
    "cholesky",
    value=by_numpy(_DEFINITE)(lambda a: np.linalg.cholesky(a)),
    type=same_type,
    forward=_cholesky_forward,
    reverse=_cholesky_reverse,
    links=lambda a: matrix_links((a, 2), last=2),
    batched=together("cholesky"),
    latex=r"\operatorname{{chol}} {0}",
    differential=r"y \, \Phi\left(y^{{-1}} \, d{0} \, y^{{-H}}\right)",
    undefined=(at("{0} whose eigenvalues are not all above 0", -np.eye(2)),),
    doc="""The lower triangle L with L·Lᴴ = A; dL = L·Φ(L⁻¹·dA·L⁻ᴴ), Φ the lower triangle with half its diagonal (Murray 2016).

    As in NumPy the lower triangle is all that is read of A, so the derivative by an element above the diagonal is 0, and one below
    stands for both. Where A is symmetric whatever it depends on, nothing is to be seen of that; for a derivative by A itself that is
    symmetric, write (A + A.T) / 2.""",
    examples=(example(POSITIVE), example(np.stack([POSITIVE, POSITIVE + np.eye(3)]))),
    complex=True,
)
