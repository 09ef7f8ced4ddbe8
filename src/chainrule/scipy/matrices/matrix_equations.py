"""Equations whose unknown is a matrix: Sylvester's, Lyapunov's and Riccati's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.autodiff import implicit
from chainrule.errors import UnsupportedError
from chainrule.scipy.standing import in_double, numbers, one_of
from chainrule.tracing.apply import traced
from scipy import linalg


def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """The X with a·X + X·b = q."""
    return traced.solve_sylvester(numbers(a), numbers(b), numbers(q))


def solve_lyapunov(a: Any, q: Any) -> Any:
    """The same as `solve_continuous_lyapunov`."""
    return solve_continuous_lyapunov(a, q)


def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """The X with a·X + X·aᴴ = q."""
    a = numbers(a)
    return traced.solve_sylvester(a, a.conj().T, numbers(q))


def solve_discrete_lyapunov(a: Any, q: Any, method: str | None = None) -> Any:
    """The X with X = a·X·aᴴ + q."""
    one_of(method, (None, "direct", "bilinear"), "method", "scipy.linalg.solve_discrete_lyapunov")
    a, q = in_double(a), in_double(q)
    n = a.shape[0]
    squared = np.reshape(a[:, None, :, None] * a.conj()[None, :, None, :], (n * n, n * n))
    return np.reshape(np.linalg.solve(np.eye(n * n, dtype=a.dtype) - squared, np.reshape(q, n * n)), (n, n))


def _riccati(name: str, condition: Callable[..., Any], given: tuple[Any, ...], beyond: tuple[Any, ...]) -> Any:
    """What SciPy finds, as a function of what its equation holds."""
    if any(x is not None for x in beyond):
        raise UnsupportedError(
            f"scipy.linalg.{name} of traced values takes no e and s; write the equation without them."
        )
    matrices = [numbers(x) for x in given]
    if any(x.dtype.kind == "c" for x in matrices):
        raise UnsupportedError(
            f"scipy.linalg.{name} was given complex matrices; give real ones, by which alone it is differentiated."
        )
    own = getattr(linalg, name)
    return implicit(lambda *plain: own(*plain), condition)(*matrices)


def solve_continuous_are(a: Any, b: Any, q: Any, r: Any, e: None = None, s: None = None, balanced: bool = True) -> Any:
    """The X with aᵀ·X + X·a − X·b·r⁻¹·bᵀ·X + q = 0 that makes a − b·r⁻¹·bᵀ·X stable, by the implicit function theorem."""

    def condition(x: Any, a: Any, b: Any, q: Any, r: Any) -> Any:
        return a.T @ x + x @ a - x @ b @ np.linalg.solve(r, b.T @ x) + q

    return _riccati("solve_continuous_are", condition, (a, b, q, r), (e, s))


def solve_discrete_are(a: Any, b: Any, q: Any, r: Any, e: None = None, s: None = None, balanced: bool = True) -> Any:
    """The X with aᵀ·X·a − X − aᵀ·X·b·(r + bᵀ·X·b)⁻¹·bᵀ·X·a + q = 0 that makes the closed loop stable."""

    def condition(x: Any, a: Any, b: Any, q: Any, r: Any) -> Any:
        across = b.T @ x @ a
        return a.T @ x @ a - x - across.T @ np.linalg.solve(r + b.T @ x @ b, across) + q

    return _riccati("solve_discrete_are", condition, (a, b, q, r), (e, s))


FUNCTIONS: tuple[Callable[..., Any], ...] = (
    solve_sylvester,
    solve_lyapunov,
    solve_continuous_lyapunov,
    solve_discrete_lyapunov,
    solve_continuous_are,
    solve_discrete_are,
)
"""Those that stand for SciPy's functions of the same name."""
