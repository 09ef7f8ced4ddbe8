"""Functions of square matrices and Sylvester's equation, as operations whose values SciPy computes.

The derivative of f at A along E is a block of f applied to a larger matrix, f([[A, E], [0, A]]) = [[f(A), L], [0, f(A)]] (Mathias
1996), and its transpose is the derivative at Aᵀ. So each is closed under differentiation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import MatrixError
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.operation import ArrayType, at, dtype_of, example, shape_of
from scipy import linalg

A = np.array([[2.0, -0.4, 0.5], [0.25, 1.5, -0.3], [-0.5, 0.6, 3.0]])
B = np.array([[1.5, 0.3], [-0.2, 0.8]])
NOT_ABOVE_0 = "{0} with an eigenvalue that is 0 or negative"
Q = np.array([[0.5, -1.0], [2.0, 0.25], [1.5, -0.75]])


def _kind(a: Any) -> np.dtype[Any]:
    """The dtype of the result: integers become float64."""
    kind = np.dtype(dtype_of(a))
    return kind if kind.kind == "f" else np.dtype(np.float64)


def _real(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def value(a: Any) -> Any:
        kind, a = _kind(a), np.asarray(a, np.float64)
        inner = a.reshape(-1, *a.shape[-2:]) if a.ndim > 2 else [a]
        results = [function(x) for x in inner]
        result = np.stack(results).reshape(a.shape) if a.ndim > 2 and results else results[0] if results else a
        if np.iscomplexobj(result):
            raise MatrixError(
                f"scipy.linalg.{name} of this matrix of shape {a.shape} is complex; derivatives are there of real results only. "
                "Its eigenvalues must not be negative."
            )
        return result.astype(kind)

    return value


def _same_type(a: Any) -> ArrayType:
    return ArrayType(shape_of(a), _kind(a))


def transposed(m: Any, a: Any) -> Any:
    """Rows and columns exchanged."""
    n = len(a.shape)
    return m.transpose(a, axes=(*range(n - 2), n - 1, n - 2))


def _along(m: Any, name: str, a: Any, direction: Any) -> Any:
    """The derivative at `a` along a direction."""
    *before, n = a.shape[:-1]
    zero, last = np.zeros(a.shape, a.dtype), len(before) + 1
    above, below = m.concatenate(a, direction, axis=last), m.concatenate(zero, a, axis=last)
    whole = getattr(m, name)(m.concatenate(above, below, axis=last - 1))
    start, stop = (*(0 for _ in before), 0, n), (*before, n, 2 * n)
    return m.slice(whole, start=start, stop=stop, step=(1,) * len(stop))


_BLOCK = r"\left[\operatorname{{function}} \begin{{pmatrix}} {0} & d{0} \\ 0 & {0} \end{{pmatrix}}\right]_{{12}}"


def _matrix_function(name: str, function: Callable[..., Any], latex: str, **limits: Any) -> Custom:
    return Custom(
        name,
        value=_real(name, function),
        type=_same_type,
        forward=lambda m, tangents, y, a: _along(m, name, a, tangents[0]),
        reverse=lambda m, g, y, a: [_along(m, name, transposed(m, a), g)],
        latex=latex,
        differential=_BLOCK.replace("function", name),
        examples=(example(A), example(B), example(np.stack([A, A.T]))),
        doc=f"scipy.linalg.{name}.",
        **limits,
    )


expm = _matrix_function("expm", linalg.expm, "e^{{{0}}}")
logm = _matrix_function("logm", linalg.logm, r"\ln {0}", undefined=(at(NOT_ABOVE_0, -np.eye(2)),))
sqrtm = _matrix_function("sqrtm", linalg.sqrtm, "{0}^{{1/2}}", undefined=(at(NOT_ABOVE_0, -np.eye(2)),))
sinm = _matrix_function("sinm", linalg.sinm, r"\sin {0}")
cosm = _matrix_function("cosm", linalg.cosm, r"\cos {0}")
sinhm = _matrix_function("sinhm", linalg.sinhm, r"\sinh {0}")
coshm = _matrix_function("coshm", linalg.coshm, r"\cosh {0}")
tanm = _matrix_function("tanm", linalg.tanm, r"\tan {0}")
tanhm = _matrix_function("tanhm", linalg.tanhm, r"\tanh {0}")


def _joint(*matrices: Any) -> np.dtype[Any]:
    return np.result_type(*map(_kind, matrices))


def _sylvester(a: Any, b: Any, q: Any) -> Any:
    kind = _joint(a, b, q)
    return linalg.solve_sylvester(*(np.asarray(x, np.float64) for x in (a, b, q))).astype(kind)


def _product(m: Any, a: Any, b: Any) -> Any:
    return m.einsum(a, b, subscripts="ij,jk->ik")


def _sylvester_along(m: Any, tangents: Any, x: Any, a: Any, b: Any, q: Any) -> Any:
    da, db, dq = tangents
    side = np.zeros(x.shape, x.dtype) if dq is None else dq
    if da is not None:
        side = side - _product(m, da, x)
    if db is not None:
        side = side - _product(m, x, db)
    return m.solve_sylvester(a, b, side)


def _sylvester_back(m: Any, g: Any, x: Any, a: Any, b: Any, q: Any) -> list[Any]:
    side = m.solve_sylvester(transposed(m, a), transposed(m, b), g)
    across = transposed(m, x)
    parts = (-_product(m, side, across), -_product(m, across, side), side)
    return [
        part if part.dtype == of.dtype else m.astype(part, dtype=of.dtype)
        for part, of in zip(parts, (a, b, q), strict=True)
    ]


solve_sylvester = Custom(
    "solve_sylvester",
    value=_sylvester,
    type=lambda a, b, q: ArrayType(shape_of(q), _joint(a, b, q)),
    forward=_sylvester_along,
    reverse=_sylvester_back,
    latex=r"\operatorname{{sylvester}}\left({0}, {1}, {2}\right)",
    differential=r"\operatorname{{sylvester}}\left({0}, {1}, d{2} - d{0} \, y - y \, d{1}\right)",
    undefined=(at("{0} and −{1} with a common eigenvalue", np.eye(2), -np.eye(2), np.ones((2, 2))),),
    examples=(example(A, B, Q),),
    doc="The X with A·X + X·B = Q.",
)
