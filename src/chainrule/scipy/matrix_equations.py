"""Equations whose unknown is a matrix: Sylvester's and Lyapunov's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.scipy.standing import numbers
from chainrule.tracing.apply import traced


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
    a, q = numbers(a), numbers(q)
    n = a.shape[0]
    squared = np.reshape(a[:, None, :, None] * a.conj()[None, :, None, :], (n * n, n * n))
    return np.reshape(np.linalg.solve(np.eye(n * n) - squared, np.reshape(q, n * n)), (n, n))


FUNCTIONS: tuple[Callable[..., Any], ...] = (
    solve_sylvester,
    solve_lyapunov,
    solve_continuous_lyapunov,
    solve_discrete_lyapunov,
)
"""Those that stand for SciPy's functions of the same name."""
