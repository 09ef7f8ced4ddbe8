"""Functions of square matrices and Sylvester's equation, as operations whose values SciPy computes.

The derivative of f at A along E is a block of f applied to a larger matrix, f([[A, E], [0, A]]) = [[f(A), L], [0, f(A)]] (Mathias
1996), and its transpose is the derivative at Aᵀ. So each is closed under differentiation. That of a root S is the solution of
S·dS + dS·S = dA, which is there of complex roots of real matrices too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import MatrixError
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.matrices import matrix_links, product, together, transposed
from chainrule.ops.operation import ArrayType, at, cast, dtype_of, example, shape_of
from scipy import linalg

A = np.array([[2.0, -0.4, 0.5], [0.25, 1.5, -0.3], [-0.5, 0.6, 3.0]])
B = np.array([[1.5, 0.3], [-0.2, 0.8]])
NOT_ABOVE_0 = "{0} with an eigenvalue that is 0 or negative"
Q = np.array([[0.5, -1.0], [2.0, 0.25], [1.5, -0.75]])


def _kind(a: Any) -> np.dtype[Any]:
    """The dtype of the result: integers become float64."""
    kind = np.dtype(dtype_of(a))
    return kind if kind.kind in "fc" else np.dtype(np.float64)


def _in_double(a: Any) -> Any:
    return np.asarray(a, np.result_type(_kind(a), np.float64))


def _each(function: Callable[..., Any], *stacks: Any) -> Any:
    """A function of matrices, of every matrix in stacks with the same first axes."""
    lead, shape = stacks[-1].shape[:-2], stacks[-1].shape
    try:
        if not lead:
            return function(*stacks)
        results = [function(*(x[place] for x in stacks)) for place in np.ndindex(lead)]
    except (ValueError, np.linalg.LinAlgError) as error:
        raise MatrixError(
            f"scipy.linalg found no function of a matrix of shape {stacks[0].shape[-2:]}, which may be one that a derivative is "
            f"read off ({str(error).rstrip('.')}). Give finite numbers; logarithms, roots and other powers need a matrix "
            "without eigenvalues that are 0."
        ) from None
    return np.stack(results).reshape(shape) if results else stacks[-1]


class ComplexResultError(MatrixError):
    """A function of a real matrix is complex."""


def _of_its_kind(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def value(a: Any) -> Any:
        kind, a = _kind(a), _in_double(a)
        result = _each(function, a)
        if np.iscomplexobj(result) and kind.kind != "c":
            raise ComplexResultError(
                f"scipy.linalg.{name} of this matrix of shape {a.shape} is complex, for it has a negative eigenvalue; of real ones "
                "only real results have derivatives. Where the complex one is meant, give a complex matrix, a + 0j."
            )
        return result.astype(kind)

    return value


def _same_type(a: Any) -> ArrayType:
    return ArrayType(shape_of(a), _kind(a))


def _along(m: Any, name: str, a: Any, direction: Any) -> Any:
    """The derivative at `a` along a direction."""
    *before, n = a.shape[:-1]
    zero, last = np.zeros(a.shape, a.dtype), len(before) + 1
    above, below = m.concatenate(a, direction, axis=last), m.concatenate(zero, a, axis=last)
    whole = getattr(m, name)(m.concatenate(above, below, axis=last - 1))
    start, stop = (*(0 for _ in before), 0, n), (*before, n, 2 * n)
    return m.slice(whole, start=start, stop=stop, step=(1,) * len(stop))


_BLOCK = r"\left[\operatorname{{function}} \begin{{pmatrix}} {0} & d{0} \\ 0 & {0} \end{{pmatrix}}\right]_{{12}}"


def _matrix_function(name: str, function: Callable[..., Any], latex: str, **more: Any) -> Custom:
    rules: dict[str, Any] = {
        "forward": lambda m, tangents, y, a: _along(m, name, a, tangents[0]),
        "reverse": lambda m, g, y, a: [_along(m, name, transposed(m, a), g)],
        "differential": _BLOCK.replace("function", name),
    }
    return Custom(
        name,
        value=_of_its_kind(name, function),
        type=_same_type,
        links=lambda a: matrix_links((a, 2), last=2),
        batched=together(name),
        latex=latex,
        examples=(example(A), example(B), example(np.stack([A, A.T]))),
        doc=f"scipy.linalg.{name}.",
        complex=True,
        **(rules | more),
    )


def _logm(a: Any) -> Any:
    """SciPy's, which may look without end for the norm of what it makes of a matrix that has no logarithm."""
    if not np.all(np.linalg.eigvals(a)):
        raise np.linalg.LinAlgError("one of its eigenvalues is 0")
    return linalg.logm(a)


expm = _matrix_function("expm", linalg.expm, "e^{{{0}}}")
logm = _matrix_function("logm", _logm, r"\ln {0}", undefined=(at(NOT_ABOVE_0, -np.eye(2)),))
sqrtm = _matrix_function(
    "sqrtm",
    linalg.sqrtm,
    "{0}^{{1/2}}",
    forward=lambda m, tangents, y, a: m.solve_sylvester(y, y, tangents[0]),
    reverse=lambda m, g, y, a: [m.solve_sylvester(transposed(m, y), transposed(m, y), g)],
    differential=r"\operatorname{{sylvester}}\left(y, y, d{0}\right)",
    undefined=(at(NOT_ABOVE_0, -np.eye(2)),),
)
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
    joint = np.result_type(kind, np.float64)  # of real and complex ones together SciPy's value is wrong
    return _each(linalg.solve_sylvester, *(np.asarray(x, joint) for x in (a, b, q))).astype(kind)


def _sylvester_along(m: Any, tangents: Any, x: Any, a: Any, b: Any, q: Any) -> Any:
    da, db, dq = tangents
    side = np.zeros(x.shape, x.dtype) if dq is None else dq
    if da is not None:
        side = side - product(m, da, x)
    if db is not None:
        side = side - product(m, x, db)
    return m.solve_sylvester(a, b, side)


def _sylvester_back(m: Any, g: Any, x: Any, a: Any, b: Any, q: Any) -> list[Any]:
    side = m.solve_sylvester(transposed(m, a), transposed(m, b), g)
    across = transposed(m, x)
    parts = (-product(m, side, across), -product(m, across, side), side)
    return [cast(m, part, of.dtype) for part, of in zip(parts, (a, b, q), strict=True)]


solve_sylvester = Custom(
    "solve_sylvester",
    value=_sylvester,
    type=lambda a, b, q: ArrayType(shape_of(q), _joint(a, b, q)),
    links=lambda a, b, q: matrix_links((a, 2), (b, 2), (q, 2), last=2),
    batched=together("solve_sylvester"),
    forward=_sylvester_along,
    reverse=_sylvester_back,
    latex=r"\operatorname{{sylvester}}\left({0}, {1}, {2}\right)",
    differential=r"\operatorname{{sylvester}}\left({0}, {1}, d{2} - d{0} \, y - y \, d{1}\right)",
    undefined=(at("{0} and −{1} with a common eigenvalue", np.eye(2), -np.eye(2), np.ones((2, 2))),),
    examples=(example(A, B, Q), example(np.stack([A, A.T]), np.stack([B, B.T]), np.stack([Q, Q[::-1]]))),
    doc="The X with A·X + X·B = Q.",
    complex=True,
)
