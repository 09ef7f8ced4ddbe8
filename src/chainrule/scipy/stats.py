"""`scipy.stats`, differentiable: densities, shares and quantiles of distributions."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.scipy.distributions import Distribution
from chainrule.scipy.error_functions import LOG_ROOT_TWO_PI
from chainrule.scipy.further_laws import FURTHER_LAWS
from chainrule.scipy.laws import LAWS
from chainrule.scipy.standing import is_traced, names_of, numbers
from chainrule.tracing.apply import traced
from scipy import stats

DISTRIBUTIONS: dict[str, Any] = {
    name: Distribution(getattr(stats, name), law) for name, law in (LAWS | FURTHER_LAWS).items()
}
"""What has derivatives here, by name."""


class _Dirichlet:
    """`scipy.stats.dirichlet`: its own, but for `pdf` and `logpdf` of traced values."""

    def __getattr__(self, name: str) -> Any:
        return getattr(stats.dirichlet, name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        """The distribution with these parameters, as SciPy freezes it."""
        return stats.dirichlet(*args, **options)

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """Σ (α − 1)·ln x − ln B(α), along the first axis; the last share may be left out."""
        if not is_traced(x) and not is_traced(alpha):
            return stats.dirichlet.logpdf(x, alpha)
        x, alpha = numbers(x), numbers(alpha)
        if x.shape[0] == alpha.shape[0] - 1:
            x = np.concatenate([x, 1.0 - np.sum(x, axis=0, keepdims=True)])
        powers = np.reshape(alpha - 1.0, (-1,) + (1,) * (len(x.shape) - 1))
        return np.sum(traced.xlogy(powers, x), axis=0) - np.sum(traced.gammaln(alpha)) + traced.gammaln(np.sum(alpha))

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

    def entropy(self, mean: Any = None, cov: Any = 1) -> Any:
        """n·(1 + ln 2π)/2 + ln det Σ/2."""
        if not any(map(is_traced, (mean, cov))):
            return stats.multivariate_normal.entropy(mean, cov)
        cov = numbers(cov)
        n = cov.shape[0] if len(cov.shape) else int(np.size(mean)) if mean is not None else 1
        spread = np.linalg.slogdet(cov)[1] if len(cov.shape) == 2 else np.sum(np.log(np.broadcast_to(cov, (n,))))
        return n * (0.5 + LOG_ROOT_TWO_PI) + 0.5 * spread

    def pdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """e to the `logpdf`."""
        if not any(map(is_traced, (x, mean, cov))):
            return stats.multivariate_normal.pdf(x, mean, cov, allow_singular)
        return np.exp(self.logpdf(x, mean, cov, allow_singular))


DISTRIBUTIONS["dirichlet"] = _Dirichlet()
DISTRIBUTIONS["multivariate_normal"] = _MultivariateNormal()
globals().update(DISTRIBUTIONS)
sys.modules.update(
    {f"{__name__}.{name}": x for name, x in DISTRIBUTIONS.items()}
)  # `import chainrule.scipy.stats.norm as norm`


def __getattr__(name: str) -> object:
    return getattr(stats, name)


def __dir__() -> list[str]:
    return names_of(stats, DISTRIBUTIONS)
