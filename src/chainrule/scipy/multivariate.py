"""Distributions of several numbers at once, and of matrices: SciPy's own, with derivatives of their densities."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.scipy import special
from chainrule.scipy.error_functions import LOG_ROOT_TWO_PI
from chainrule.scipy.standing import is_traced, numbers
from chainrule.tracing.apply import traced
from chainrule.tracing.scope import of_library
from scipy import stats

LOG_2 = math.log(2.0)


class _Dirichlet:
    """`scipy.stats.dirichlet`: its own, but for `pdf` and `logpdf` of traced values."""

    def __getattr__(self, name: str) -> Any:
        return getattr(stats.dirichlet, name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        """The distribution with these parameters, as SciPy freezes it."""
        return stats.dirichlet(*args, **options)

    @of_library("stats.dirichlet.logpdf")
    def logpdf(self, x: Any, alpha: Any) -> Any:
        """Σ (α − 1)·ln x − ln B(α), along the first axis; the last share may be left out."""
        if not is_traced(x) and not is_traced(alpha):
            return stats.dirichlet.logpdf(x, alpha)
        x, alpha = numbers(x), numbers(alpha)
        if x.shape[0] == alpha.shape[0] - 1:
            x = np.concatenate([x, 1.0 - np.sum(x, axis=0, keepdims=True)])
        powers = np.reshape(alpha - 1.0, (-1,) + (1,) * (len(x.shape) - 1))
        return np.sum(traced.xlogy(powers, x), axis=0) - np.sum(traced.gammaln(alpha)) + traced.gammaln(np.sum(alpha))

    @of_library("stats.dirichlet.pdf")
    def pdf(self, x: Any, alpha: Any) -> Any:
        """e to the `logpdf`."""
        if not is_traced(x) and not is_traced(alpha):
            return stats.dirichlet.pdf(x, alpha)
        return np.exp(self.logpdf(x, alpha))


def _on_its_support(points: Any, cov: Any) -> Any:
    """The logarithm of the density in the space that a singular covariance spans, and −∞ outside of it (Rao 1973, 8a.4)."""
    sizes, directions = np.linalg.eigh(cov)
    bound = (
        (1e6 if sizes.dtype == float else 1e3) * np.finfo(sizes.dtype).eps * np.max(np.abs(sizes))
    )  # as SciPy has it
    kept = sizes > bound
    scaled = points @ (directions[:, kept] / np.sqrt(sizes[kept]))
    logs = -0.5 * np.sum(scaled**2, axis=1) - 0.5 * np.sum(np.log(sizes[kept])) - kept.sum() * LOG_ROOT_TWO_PI
    outside = np.sum((points @ directions[:, ~kept]) ** 2, axis=1) >= (1e3 * bound) ** 2
    return np.where(outside, -np.inf, logs)


class _MultivariateNormal:
    """`scipy.stats.multivariate_normal`: its own, but for `pdf` and `logpdf` of traced values; by cov where it is regular."""

    def __getattr__(self, name: str) -> Any:
        return getattr(stats.multivariate_normal, name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        """The distribution with these parameters, as SciPy freezes it."""
        return stats.multivariate_normal(*args, **options)

    @of_library("stats.multivariate_normal.logpdf")
    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """−(x − μ)ᵀ·Σ⁻¹·(x − μ)/2 − ln det Σ/2 − n·ln(2π)/2; points along the last axis."""
        if not any(map(is_traced, (x, mean, cov))):
            return stats.multivariate_normal.logpdf(x, mean, cov, allow_singular)
        if allow_singular and is_traced(cov):
            raise UnsupportedError(
                "stats.multivariate_normal.logpdf was called with a traced cov and allow_singular=True; derivatives by cov are "
                "there of regular ones only. Add a small multiple of the identity to cov, and leave allow_singular out."
            )
        x, cov = numbers(x), numbers(cov)
        given: Any = 0 if mean is None else mean if len(np.shape(mean)) else np.reshape(numbers(mean), 1)
        n = (
            given.shape[0]
            if mean is not None
            else cov.shape[0]
            if len(cov.shape)
            else x.shape[-1]
            if len(x.shape)
            else 1
        )
        cov = cov * np.eye(n) if not len(cov.shape) else np.diag(cov) if len(cov.shape) == 1 else cov
        points = np.reshape(x, (-1, n)) - given
        if allow_singular:
            logs = _on_its_support(points, cov)
        else:
            factor = np.linalg.cholesky(cov)
            scaled = np.linalg.solve(factor, points.T)
            logs = -0.5 * np.sum(scaled**2, axis=0) - np.sum(np.log(np.diagonal(factor))) - n * LOG_ROOT_TWO_PI
        shape = tuple(x.shape) if n == 1 and (not len(x.shape) or x.shape[-1] != 1) else tuple(x.shape[:-1])
        return np.reshape(logs, shape)

    @of_library("stats.multivariate_normal.entropy")
    def entropy(self, mean: Any = None, cov: Any = 1) -> Any:
        """n·(1 + ln 2π)/2 + ln det Σ/2."""
        if not any(map(is_traced, (mean, cov))):
            return stats.multivariate_normal.entropy(mean, cov)
        cov = numbers(cov)
        n = cov.shape[0] if len(cov.shape) else int(np.size(mean)) if mean is not None else 1
        spread = np.linalg.slogdet(cov)[1] if len(cov.shape) == 2 else np.sum(np.log(np.broadcast_to(cov, (n,))))
        return n * (0.5 + LOG_ROOT_TWO_PI) + 0.5 * spread

    @of_library("stats.multivariate_normal.pdf")
    def pdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """e to the `logpdf`."""
        if not any(map(is_traced, (x, mean, cov))):
            return stats.multivariate_normal.pdf(x, mean, cov, allow_singular)
        return np.exp(self.logpdf(x, mean, cov, allow_singular))


class _WithDensity:
    """One of SciPy's: its own, but for the density and its logarithm of traced values."""

    def __init__(self, own: Any, log_density: Callable[..., Any], kind: str = "pdf") -> None:
        self._own, self._logs = own, {kind: (log_density, False), f"log{kind}": (log_density, True)}
        self.__doc__ = own.__doc__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        own = getattr(self._own, name)
        if name not in self._logs:
            return own
        density, logarithm = self._logs[name]

        @of_library(f"stats.{name}")
        def call(*args: Any, **options: Any) -> Any:
            if not any(map(is_traced, (*args, *options.values()))):
                return own(*args, **options)
            found = density(*args, **options)
            return found if logarithm else np.exp(found)

        return call

    def __call__(self, *args: Any, **options: Any) -> Any:
        """The distribution with these parameters, as SciPy freezes it."""
        return self._own(*args, **options)


def _multinomial(x: Any, n: Any, p: Any) -> Any:
    """ln n! + Σ (x·ln p − ln x!), along the last axis; the last share is what the others leave."""
    x, n, p = numbers(x) * 1.0, numbers(n) * 1.0, numbers(p)
    first = p[..., :-1]
    p = np.concatenate([first, 1.0 - np.sum(first, axis=-1, keepdims=True)], axis=-1)
    terms = traced.xlogy(x, p) - traced.gammaln(x + 1.0)
    value = traced.gammaln(n + 1.0) + np.sum(terms, axis=-1)
    return np.where(np.sum(x, axis=-1) == n, value, -math.inf)


def _student(x: Any, loc: Any = None, shape: Any = 1, df: Any = 1) -> Any:
    """ln Γ((ν + n)/2) − ln Γ(ν/2) − n·ln(νπ)/2 − ln det Σ/2 − (ν + n)/2·ln(1 + |x − μ|²/ν), with |·| by Σ."""
    x, scale, df = numbers(x), numbers(shape), numbers(df)
    n = scale.shape[0] if len(scale.shape) else x.shape[-1] if len(x.shape) else 1
    scale = scale * np.eye(n) if len(scale.shape) < 2 else scale
    points = np.reshape(x, (-1, n)) - (0.0 if loc is None else numbers(loc))
    factor = np.linalg.cholesky(scale)
    square = np.sum(np.linalg.solve(factor, points.T) ** 2, axis=0)
    half = 0.5 * (df + n)
    logs = traced.gammaln(half) - traced.gammaln(0.5 * df) - 0.5 * n * np.log(math.pi * df)
    logs = logs - np.sum(np.log(np.diagonal(factor))) - half * np.log1p(square / df)
    return np.reshape(logs, tuple(x.shape)[:-1])


def _wishart(x: Any, df: Any, scale: Any) -> Any:
    """(ν − n − 1)/2·ln det X − tr(S⁻¹·X)/2 − ν·n·ln 2/2 − ν/2·ln det S − ln Γ_n(ν/2), of one matrix."""
    x, df, scale = numbers(x), numbers(df), numbers(scale)
    n = x.shape[0]
    spread = np.trace(np.linalg.solve(scale, x))
    logs = 0.5 * (df - n - 1.0) * np.linalg.slogdet(x)[1] - 0.5 * spread - 0.5 * n * LOG_2 * df
    return logs - 0.5 * df * np.linalg.slogdet(scale)[1] - special.multigammaln(0.5 * df, n)


def _inverse_wishart(x: Any, df: Any, scale: Any) -> Any:
    """ν/2·ln det S − (ν + n + 1)/2·ln det X − tr(S·X⁻¹)/2 − ν·n·ln 2/2 − ln Γ_n(ν/2), of one matrix."""
    x, df, scale = numbers(x), numbers(df), numbers(scale)
    n = x.shape[0]
    spread = np.trace(np.linalg.solve(x, scale))
    logs = 0.5 * df * np.linalg.slogdet(scale)[1] - 0.5 * (df + n + 1.0) * np.linalg.slogdet(x)[1] - 0.5 * spread
    return logs - 0.5 * n * LOG_2 * df - special.multigammaln(0.5 * df, n)


MULTIVARIATE: dict[str, Any] = {
    "dirichlet": _Dirichlet(),
    "multivariate_normal": _MultivariateNormal(),
    "multinomial": _WithDensity(stats.multinomial, _multinomial, "pmf"),
    "multivariate_t": _WithDensity(stats.multivariate_t, _student),
    "wishart": _WithDensity(stats.wishart, _wishart),
    "invwishart": _WithDensity(stats.invwishart, _inverse_wishart),
}
"""By their names in `scipy.stats`."""
