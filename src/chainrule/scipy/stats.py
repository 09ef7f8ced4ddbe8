"""`scipy.stats`, differentiable: densities, shares and quantiles of distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from chainrule.scipy.distributions import Distribution
from chainrule.scipy.laws import LAWS
from chainrule.scipy.standing import is_traced, names_of, numbers
from chainrule.tracing.apply import traced

DISTRIBUTIONS: dict[str, Any] = {name: Distribution(getattr(stats, name), law) for name, law in LAWS.items()}
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


DISTRIBUTIONS["dirichlet"] = _Dirichlet()
globals().update(DISTRIBUTIONS)


def __getattr__(name: str) -> object:
    return getattr(stats, name)


def __dir__() -> list[str]:
    return names_of(stats, DISTRIBUTIONS)
