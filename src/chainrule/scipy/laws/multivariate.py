"""Distributions of several numbers at once, and of matrices: SciPy's own, with derivatives of their densities."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import ShapeError, UnsupportedError
from chainrule.numpy.buffer import without_buffers
from chainrule.scipy import special
from chainrule.scipy.functions.error_functions import LOG_ROOT_TWO_PI
from chainrule.scipy.standing import answered, as_array, is_traced, numbers
from chainrule.tracing.apply import opened, traced
from scipy import stats

LOG_2 = math.log(2.0)
BESIDE = {"seed", "maxpts", "abseps", "releps"}
"""What SciPy takes and no density depends on."""


class Several:
    """One of SciPy's distributions: its own object, but for the rules that have derivatives, where something is traced."""

    def __init__(
        self, own: Any, log_density: Callable[..., Any], kind: str = "pdf", **rules: Callable[..., Any]
    ) -> None:
        self.own, self.__doc__ = own, own.__doc__
        self.rules = {
            kind: lambda *args, **options: np.exp(log_density(*args, **options)),
            f"log{kind}": log_density,
            **rules,
        }
        self.of_parameters = set(rules)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "own":
            raise AttributeError(name)
        own = getattr(self.own, name)
        return self._differentiable(name, own) if callable(own) else own

    def _differentiable(self, name: str, own: Callable[..., Any]) -> Callable[..., Any]:
        called = f"scipy.stats.{type(self.own).__name__.removesuffix('_gen')}.{name}"

        def call(*args: Any, **options: Any) -> Any:
            if opened:
                args, options = without_buffers(args), without_buffers(options)
            if not any(map(is_traced, (*args, *options.values()))):
                return own(*args, **options)
            if name not in self.rules:
                raise self.refused(called)
            given = {key: x for key, x in options.items() if key not in BESIDE}
            return answered(called, self.rules[name], args, given)

        return call

    def refused(self, called: str) -> UnsupportedError:
        """The error for a method without a derivative."""
        return UnsupportedError(
            f"{called} has no derivative here. Use one of those that have: {', '.join(self.rules)}; or give plain numbers, from "
            "outside of what is differentiated."
        )

    def __call__(self, *args: Any, **options: Any) -> Any:
        """The distribution with these parameters, frozen."""
        if opened:
            args, options = without_buffers(args), without_buffers(options)
        is_plain = not any(map(is_traced, (*args, *options.values())))
        return FrozenSeveral(self, args, options, self.own(*args, **options) if is_plain else None)


class FrozenSeveral:
    """A distribution with its parameters, some of them traced, or what its density is asked of."""

    def __init__(self, of: Several, args: tuple[Any, ...], options: dict[str, Any], own: Any) -> None:
        self._of, self._args, self._options, self._own = of, args, options, own

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        own = None if self._own is None else getattr(self._own, name)
        if own is not None and not callable(own):
            return own

        def call(*x: Any, **named: Any) -> Any:
            if own is not None and not any(map(is_traced, without_buffers((*x, *named.values())))):
                return own(*x, **named)
            if name not in self._of.rules:
                raise self._of.refused(f"{name} of this distribution")
            return getattr(self._of, name)(*x, *self._args, **named, **self._options)

        return call


# --- of vectors


def _places(x: Any, mean: Any, scale: Any, called: str) -> tuple[Any, Any, tuple[int, ...]]:
    """Points less the mean along the last axis of two, the matrix of the spread, and the shape that SciPy gives."""
    x, scale = numbers(as_array(x)), numbers(as_array(scale))
    if mean is not None:
        mean = np.reshape(numbers(as_array(mean)), -1)
    n = mean.shape[0] if mean is not None else scale.shape[0] if len(scale.shape) > 1 else 1
    if n == 1:
        scale = np.reshape(scale, (1, 1))
    elif len(scale.shape) < 2:
        scale = scale * np.eye(n) if not len(scale.shape) else np.diag(scale)
    outer = tuple(x.shape) if n == 1 and len(x.shape) <= 1 else tuple(x.shape[:-1])
    if tuple(scale.shape) != (n, n) or ((len(x.shape) > 1 or n > 1) and x.shape[-1:] not in ((n,), (1,), ())):
        raise ShapeError(
            f"{called} was given points of shape {tuple(x.shape)} and a spread of shape {tuple(scale.shape)} for {n} at once; give "
            "points that have them along the last axis, and as the spread a number, a vector or a square matrix of as many."
        )
    points = np.reshape(x, (-1, 1)) if n == 1 or x.shape[-1:] != (n,) else np.reshape(x, (-1, n))
    points = points * 1.0 if mean is None else points - mean
    points = points if points.shape[-1] == n else np.broadcast_to(points, (points.shape[0], n))
    return points, scale, tuple(i for i in outer if i != 1)


def _on_its_support(points: Any, cov: Any) -> Any:
    """The logarithm of the density in the space that a singular covariance spans, and −∞ outside of it (Rao 1973, 8a.4)."""
    sizes, directions = np.linalg.eigh(cov)
    largest = np.max(np.abs(sizes))
    bound = (1e6 if sizes.dtype == float else 1e3) * np.finfo(sizes.dtype).eps * largest  # as SciPy has it
    kept = sizes > bound
    scaled = points @ (directions[:, kept] / np.sqrt(sizes[kept]))
    logs = -0.5 * np.sum(scaled**2, axis=1) - 0.5 * np.sum(np.log(sizes[kept])) - kept.sum() * LOG_ROOT_TWO_PI
    outside = np.sum((points @ directions[:, ~kept]) ** 2, axis=1) >= (1e3 * bound) ** 2
    return np.where(outside, -np.inf, logs)


def _scaled(points: Any, scale: Any) -> tuple[Any, Any]:
    """Squared distances by the spread, and half the logarithm of its determinant."""
    factor = np.linalg.cholesky(scale)
    return np.sum(np.linalg.solve(factor, points.T) ** 2, axis=0), np.sum(np.log(np.diagonal(factor)))


def _normal(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    """−(x − μ)ᵀ·Σ⁻¹·(x − μ)/2 − ln det Σ/2 − n·ln(2π)/2; points along the last axis."""
    if allow_singular and is_traced(cov):
        raise UnsupportedError(
            "stats.multivariate_normal.logpdf was called with a traced cov and allow_singular=True; derivatives by cov are "
            "there of regular ones only. Add a small multiple of the identity to cov, and leave allow_singular out."
        )
    cov = getattr(cov, "covariance", cov)  # of SciPy's Covariance
    points, cov, shape = _places(x, mean, cov, "multivariate_normal.logpdf")
    if allow_singular:
        return np.reshape(_on_its_support(points, cov), shape)
    squares, half_log = _scaled(points, cov)
    return np.reshape(-0.5 * squares - half_log - points.shape[1] * LOG_ROOT_TWO_PI, shape)


def _normal_entropy(mean: Any = None, cov: Any = 1) -> Any:
    """n·(1 + ln 2π)/2 + ln det Σ/2."""
    n = 1 if mean is None else len(np.reshape(numbers(as_array(mean)), -1))
    n = max(n, np.shape(numbers(as_array(cov)))[0] if len(np.shape(numbers(as_array(cov)))) > 1 else 1)
    _, cov, _ = _places(np.zeros(n), np.zeros(n), cov, "multivariate_normal.entropy")
    return n * (0.5 + LOG_ROOT_TWO_PI) + 0.5 * np.linalg.slogdet(cov)[1]


def _student(x: Any, loc: Any = None, shape: Any = 1, df: Any = 1) -> Any:
    """ln Γ((ν + n)/2) − ln Γ(ν/2) − n·ln(νπ)/2 − ln det Σ/2 − (ν + n)/2·ln(1 + |x − μ|²/ν), with |·| by Σ."""
    if not is_traced(df) and df == math.inf:
        return _normal(x, loc, shape)
    points, scale, outer = _places(x, loc, 1 if shape is None else shape, "multivariate_t.logpdf")
    df, n = numbers(df), points.shape[1]
    squares, half_log = _scaled(points, scale)
    half = 0.5 * (df + n)
    logs = traced.gammaln(half) - traced.gammaln(0.5 * df) - 0.5 * n * np.log(math.pi * df)
    return np.reshape(logs - half_log - half * np.log1p(squares / df), outer)


def _dirichlet(x: Any, alpha: Any) -> Any:
    """Σ (α − 1)·ln x − ln B(α), along the first axis; the last share may be left out."""
    x, alpha = numbers(as_array(x)), numbers(as_array(alpha))
    if x.shape[0] == alpha.shape[0] - 1:
        x = np.concatenate([x, 1.0 - np.sum(x, axis=0, keepdims=True)])
    powers = np.reshape(alpha - 1.0, (-1,) + (1,) * (len(x.shape) - 1))
    return np.sum(traced.xlogy(powers, x), axis=0) - np.sum(traced.gammaln(alpha)) + traced.gammaln(np.sum(alpha))


def _dirichlet_mean(alpha: Any) -> Any:
    """α/Σα."""
    alpha = numbers(as_array(alpha))
    return alpha / np.sum(alpha)


def _multinomial(x: Any, n: Any, p: Any) -> Any:
    """ln n! + Σ (x·ln p − ln x!), along the last axis; the last share is what the others leave."""
    x, n, p = numbers(as_array(x)) * 1.0, numbers(n) * 1.0, numbers(as_array(p))
    first = p[..., :-1]
    p = np.concatenate([first, 1.0 - np.sum(first, axis=-1, keepdims=True)], axis=-1)
    counts = np.logical_and(x >= 0.0, np.floor(x) == x)
    inside = np.where(counts, x, 0.0)
    value = traced.gammaln(n + 1.0) + np.sum(traced.xlogy(inside, p) - traced.gammaln(inside + 1.0), axis=-1)
    return np.where(np.logical_and(np.all(counts, axis=-1), np.sum(x, axis=-1) == n), value, -math.inf)


# --- of matrices


def _matrices(x: Any, scale: Any, called: str) -> tuple[Any, Any, Any]:
    """Matrices along the first axis, which SciPy has along the last, the scale as one, and whether there are several."""
    x, scale = numbers(as_array(x)), numbers(as_array(scale))
    scale = np.reshape(scale, (1, 1)) if not len(scale.shape) else np.diag(scale) if len(scale.shape) == 1 else scale
    n = scale.shape[0]
    if not len(x.shape):
        x = x * np.eye(n)
    elif len(x.shape) == 1:
        x = np.reshape(x, (1, 1, -1)) if n == 1 else np.diag(x)
    if tuple(x.shape[:2]) != (n, n) or tuple(scale.shape) != (n, n) or len(x.shape) > 3:
        raise ShapeError(
            f"{called} was given shapes {tuple(x.shape)} and {tuple(scale.shape)}; give square matrices of one size, several along "
            "the last axis."
        )
    several = len(x.shape) == 3 and x.shape[2] != 1
    return np.moveaxis(x, 2, 0) if len(x.shape) == 3 else x[None], scale, several


def _trace(a: Any) -> Any:
    return np.sum(np.diagonal(a, axis1=-2, axis2=-1), axis=-1)


def _wishart(x: Any, df: Any, scale: Any) -> Any:
    """(ν − n − 1)/2·ln det X − tr(S⁻¹·X)/2 − ν·n·ln 2/2 − ν/2·ln det S − ln Γ_n(ν/2)."""
    x, scale, several = _matrices(x, scale, "wishart.logpdf")
    df, n = numbers(df), scale.shape[0]
    spread = _trace(np.linalg.solve(scale, x))
    logs = 0.5 * (df - n - 1.0) * np.linalg.slogdet(x)[1] - 0.5 * spread - 0.5 * n * LOG_2 * df
    logs = logs - 0.5 * df * np.linalg.slogdet(scale)[1] - special.multigammaln(0.5 * df, n)
    return logs if several else logs[0]


def _inverse_wishart(x: Any, df: Any, scale: Any) -> Any:
    """ν/2·ln det S − (ν + n + 1)/2·ln det X − tr(S·X⁻¹)/2 − ν·n·ln 2/2 − ln Γ_n(ν/2)."""
    x, scale, several = _matrices(x, scale, "invwishart.logpdf")
    df, n = numbers(df), scale.shape[0]
    spread = _trace(np.linalg.solve(x, np.broadcast_to(scale, tuple(x.shape))))
    logs = 0.5 * df * np.linalg.slogdet(scale)[1] - 0.5 * (df + n + 1.0) * np.linalg.slogdet(x)[1] - 0.5 * spread
    logs = logs - 0.5 * n * LOG_2 * df - special.multigammaln(0.5 * df, n)
    return logs if several else logs[0]


MULTIVARIATE: dict[str, Any] = {
    "dirichlet": Several(stats.dirichlet, _dirichlet, mean=_dirichlet_mean),
    "multivariate_normal": Several(stats.multivariate_normal, _normal, entropy=_normal_entropy),
    "multinomial": Several(stats.multinomial, _multinomial, "pmf"),
    "multivariate_t": Several(stats.multivariate_t, _student),
    "wishart": Several(stats.wishart, _wishart),
    "invwishart": Several(stats.invwishart, _inverse_wishart),
}
"""By their names in `scipy.stats`."""
