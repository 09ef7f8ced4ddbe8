"""`scipy.special`, differentiable."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from chainrule.errors import SettingError, UnsupportedError, shortened
from chainrule.ops import FUNCTIONS, REGISTRY
from chainrule.ops.kinds.elementwise import Elementwise
from chainrule.scipy.functions import (
    bessel_functions,
    entropies,
    error_functions,
    faddeeva,
    gamma_functions,
    harmonics,
    incomplete_functions,
    integral_functions,
    named_functions,
    named_shares,
    normal_relatives,
    power_functions,
)
from chainrule.scipy.precision import in_scipys_precision
from chainrule.scipy.standing import Standing, names_of, numbers, plain_static
from chainrule.tracing.apply import traced
from chainrule.tracing.refusals import DERIVED_ELSEWHERE
from scipy import special

standing = Standing(special)


def _add(name: str, derived: Callable[..., Any], weak: bool = False) -> None:
    if own := getattr(special, name, None):
        standing.add(name, in_scipys_precision(own, derived, weak))


def _stands(derived: Callable[..., Any]) -> Callable[..., Any]:
    _add(derived.__name__, derived)
    return derived


OWN_NAMES = {"erf": "erf", "expit": "sigmoid", "psi": "digamma"}
"""SciPy's names of operations that are called otherwise, or are chainrule's own and have machine code."""

BY_ORDER = {
    "jn": "jv",
    "yn": "yn",
    "kn": "kn",
    **{name: name for name in ("jv", "yv", "iv", "kv", "ive", "kve", "hankel1", "hankel2", "expn")},
}
BY_ORDER |= {"polygamma": "polygamma", "zeta": "zeta"}
"""Functions of an order and a number."""

WHOLE = {"yn": "yv", "kn": "kv", "expn": ""}
"""Those of whole orders, of others of which SciPy drops the fraction, and what takes any order."""

BY_PARAMETERS = {
    **{name: (name, 1) for name in ("hyp0f1", "eval_hermite", "eval_hermitenorm", "eval_chebyt", "eval_chebyu")},
    **{name: (name, 1) for name in ("eval_legendre", "eval_laguerre")},
    **{name: (name, 2) for name in ("hyp1f1", "hyperu", "eval_gegenbauer", "eval_genlaguerre")},
    **{name: (name, 3) for name in ("hyp2f1", "eval_jacobi")},
}
"""Functions of so many numbers that are parameters, and one that they are differentiated by."""

PARTS = {
    "sici": ("sine_integral", "cosine_integral"),
    "shichi": ("hyperbolic_sine_integral", "hyperbolic_cosine_integral"),
    "fresnel": ("fresnel_sine", "fresnel_cosine"),
}
"""Functions with two results, and the operations that are these."""


def _elementwise(name: str, count: int) -> Callable[..., Any]:
    if count == 1:
        return lambda x, /: getattr(traced, name)(numbers(x))
    if count == 2:
        return lambda x, y, /: getattr(traced, name)(numbers(x), numbers(y))
    return lambda x, y, z, /: getattr(traced, name)(numbers(x), numbers(y), numbers(z))


def _of_order(called: str, name: str) -> Callable[..., Any]:
    def function(n: Any, x: Any, /) -> Any:
        order = plain_static(n, "order", f"scipy.special.{called}", "its last argument")
        if called in WHOLE and np.any(np.mod(order, 1)):
            others = f", or take scipy.special.{WHOLE[called]}" if WHOLE[called] else ""
            raise SettingError(
                f"scipy.special.{called} was given the order {shortened(n)}, whose fraction SciPy drops; give a whole number{others}."
            )
        x = numbers(x)
        shape = np.broadcast_shapes(np.shape(order), tuple(x.shape))
        return getattr(traced, name)(x if tuple(x.shape) == shape else np.broadcast_to(x, shape), order=order)

    return function


def _parameter(x: Any, called: str) -> Any:
    """A parameter that nothing is differentiated by, one number."""
    found = plain_static(x, "parameter", f"scipy.special.{called}", "its last argument")
    if isinstance(found, tuple):
        raise UnsupportedError(
            f"scipy.special.{called} of traced values was given a parameter of shape {np.shape(x)}; it takes numbers. Call it for "
            "each, and put the results together with np.stack."
        )
    return found


def _of_parameters(called: str, name: str, count: int) -> Callable[..., Any]:
    def function(*args: Any) -> Any:
        *parameters, x = args
        if len(parameters) != count:
            raise UnsupportedError(f"scipy.special.{called} was given {len(args)} arguments; give {count + 1}.")
        return getattr(traced, name)(numbers(x), order=tuple(_parameter(p, called) for p in parameters))

    return function


def _of_parts(names: tuple[str, str]) -> Callable[..., Any]:
    def function(x: Any, /) -> Any:
        return tuple(getattr(traced, name)(numbers(x)) for name in names)

    return function


def _declared(*modules: ModuleType) -> dict[str, Elementwise]:
    return {x.name: x for module in modules for x in vars(module).values() if isinstance(x, Elementwise)}


OPERATIONS = _declared(
    gamma_functions, error_functions, entropies, bessel_functions, incomplete_functions, power_functions,
    integral_functions, named_functions, faddeeva, named_shares, normal_relatives,
)  # fmt: skip
"""The operations whose values SciPy computes, by name."""

for _name, _op in OPERATIONS.items():
    if hasattr(special, _name):
        _add(_name, _elementwise(_name, len(_op.domain)), weak=True)
for _name, _own in OWN_NAMES.items():
    _add(_name, _elementwise(_own, 1))
for _name, _own in BY_ORDER.items():
    _add(_name, _of_order(_name, _own))
for _name, (_own, _count) in BY_PARAMETERS.items():
    _add(_name, _of_parameters(_name, _own, _count))
for _name, _both in PARTS.items():
    _add(_name, _of_parts(_both))


def _summed(a: Any, axis: Any, b: Any, keepdims: Any) -> tuple[Any, Any]:
    """The largest exponent, and Σ b·e^(a − it)."""
    largest = np.max(traced.stop_gradient(a), axis=axis, keepdims=True, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    terms = np.exp(a - largest)
    total = np.sum(terms if b is None else b * terms, axis=axis, keepdims=keepdims)
    return np.reshape(largest, total.shape), total


@_stands
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """ln Σ b·e^a; with `return_sign` the logarithm of the size, and the sign."""
    a, b = numbers(a), None if b is None else numbers(b)
    if b is not None:
        a = np.broadcast_to(a, np.broadcast_shapes(tuple(a.shape), tuple(b.shape)))
    largest, total = _summed(a, axis, b, keepdims)
    if return_sign:
        return largest + np.log(np.abs(total)), np.sign(total)
    return largest + np.log(total)


@_stands
def softmax(x: Any, axis: Any = None) -> Any:
    """e^x/Σ e^x."""
    x = numbers(x)
    return np.exp(x - logsumexp(x, axis=axis, keepdims=True))


@_stands
def log_softmax(x: Any, axis: Any = None) -> Any:
    """x − ln Σ e^x."""
    x = numbers(x)
    return x - logsumexp(x, axis=axis, keepdims=True)


@_stands
def multigammaln(a: Any, d: Any) -> Any:
    """ln Γ_d(a) = ln π · d(d − 1)/4 + Σ ln Γ(a − i/2)."""
    a = numbers(a)
    return float(d * (d - 1) * 0.25 * np.log(np.pi)) + sum(traced.gammaln(a - 0.5 * i) for i in range(int(d)))


def huber(delta: Any, r: Any, /) -> Any:
    """r²/2 up to δ, and δ·(|r| − δ/2) beyond; infinite of negative δ."""
    delta, r = numbers(delta), numbers(r)
    size = np.abs(r)
    value = np.where(size <= delta, 0.5 * r**2, delta * (size - 0.5 * delta))
    return np.where(delta < 0.0, np.inf, value)


_add("huber", huber, weak=True)


@_stands
def exp10(x: Any, /) -> Any:
    """10^x."""
    return np.power(10.0, numbers(x))


def _of_amplitude(name: str, called: str) -> Callable[..., Any]:
    def function(phi: Any, m: Any, /) -> Any:
        parameter = plain_static(m, "parameter m", f"scipy.special.{called}", "the amplitude")
        if isinstance(parameter, tuple):
            raise UnsupportedError(
                f"scipy.special.{called} of a traced amplitude was given m of shape {np.shape(m)}; it takes one number. Call it "
                "for each, and put the results together with np.stack."
            )
        return getattr(traced, name)(numbers(phi), order=(parameter,))

    return function


def _together(names: tuple[str, ...], called: str) -> Callable[..., Any]:
    parts = [_of_amplitude(name, called) for name in names]
    return lambda u, m, /: tuple(part(u, m) for part in parts)


_add("ellipkinc", _of_amplitude("ellipkinc", "ellipkinc"))
_add("ellipeinc", _of_amplitude("ellipeinc", "ellipeinc"))
_add("ellipj", _together(("jacobi_sn", "jacobi_cn", "jacobi_dn", "jacobi_am"), "ellipj"))


@_stands
def airy(z: Any, /) -> Any:
    """Ai, Ai′, Bi and Bi′."""
    z = numbers(z)
    return tuple(f(z, order=(slope,)) for f in (traced.airy_ai, traced.airy_bi) for slope in (0, 1))


@_stands
def lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    """The W with W·e^W = z on the branch k, complex."""
    return traced.lambertw(numbers(z), order=_parameter(k, "lambertw"))


def _spherical(name: str, below: float, above: float) -> Callable[..., Any]:
    def function(n: Any, z: Any, derivative: bool = False) -> Any:
        n, z, f = _parameter(n, name), numbers(z), getattr(traced, name)
        if not derivative:
            return f(z, order=n)
        higher = above * (n + 1) / (2 * n + 1) * f(z, order=n + 1)
        return higher + below * n / (2 * n + 1) * f(z, order=n - 1) if n else higher

    return function


for _name, _signs in named_functions.SPHERICAL.items():
    _add(_name, _spherical(_name, *_signs))


@_stands
def softplus(x: Any, /) -> Any:
    """ln(1 + e^x)."""
    return traced.softplus(numbers(x))


def _of_numpy(name: str) -> Callable[..., Any]:
    return lambda x, /: getattr(np, name)(numbers(x))


for _name in ("exp2", "expm1", "log1p", "cbrt", "sinc", "round"):
    if _name in REGISTRY or _name in FUNCTIONS:
        _add(_name, _of_numpy(_name))


@_stands
def erf(z: Any, /) -> Any:
    """2/√π ∫₀ᶻ e^(−t²) dt."""
    z = numbers(z)
    return traced.erf_of_complex(z) if z.dtype.kind == "c" else traced.erf(z)


for _derived in harmonics.FUNCTIONS:
    _stands(_derived)
DERIVED_ELSEWHERE.update(standing.functions)
globals().update(standing.functions)


def __getattr__(name: str) -> object:
    return getattr(special, name)


def __dir__() -> list[str]:
    return names_of(special, standing.functions)
