"""`scipy.special`, differentiable."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.ops import FUNCTIONS, REGISTRY
from chainrule.ops.kinds.elementwise import Elementwise
from chainrule.scipy import (
    bessel_functions,
    entropies,
    error_functions,
    gamma_functions,
    incomplete_functions,
    power_functions,
)
from chainrule.scipy.standing import Standing, names_of, numbers, plain_static
from chainrule.tracing.apply import traced
from scipy import special

standing = Standing(special)

OWN_NAMES = {"erf": "erf", "expit": "sigmoid", "psi": "digamma", "loggamma": "gammaln"}
"""SciPy's names of operations that are called otherwise, or are chainrule's own and have machine code."""

BY_ORDER = {"jn": "jv", "yn": "yv", "kn": "kv", **{name: name for name in ("jv", "yv", "iv", "kv", "ive", "kve")}}
BY_ORDER |= {"polygamma": "polygamma", "zeta": "zeta"}
"""Functions of an order and a number."""


def _elementwise(name: str, count: int) -> Callable[..., Any]:
    if count == 1:
        return lambda x, /: getattr(traced, name)(numbers(x))
    if count == 2:
        return lambda x, y, /: getattr(traced, name)(numbers(x), numbers(y))
    return lambda x, y, z, /: getattr(traced, name)(numbers(x), numbers(y), numbers(z))


def _of_order(called: str, name: str) -> Callable[..., Any]:
    def function(n: Any, x: Any, /) -> Any:
        order = plain_static(n, "order", f"scipy.special.{called}", "its last argument")
        x = numbers(x)
        shape = np.broadcast_shapes(np.shape(order), tuple(x.shape))
        return getattr(traced, name)(x if tuple(x.shape) == shape else np.broadcast_to(x, shape), order=order)

    return function


def _declared(*modules: ModuleType) -> dict[str, Elementwise]:
    return {x.name: x for module in modules for x in vars(module).values() if isinstance(x, Elementwise)}


OPERATIONS = _declared(
    gamma_functions, error_functions, entropies, bessel_functions, incomplete_functions, power_functions
)
"""The operations whose values SciPy computes, by name."""

for _name, _op in OPERATIONS.items():
    if _name not in BY_ORDER.values() and hasattr(special, _name):
        standing.add(_name, _elementwise(_name, len(_op.domain)))
for _name, _own in OWN_NAMES.items():
    standing.add(_name, _elementwise(_own, 1))
for _name, _own in BY_ORDER.items():
    standing.add(_name, _of_order(_name, _own))


def _summed(a: Any, axis: Any, b: Any, keepdims: Any) -> tuple[Any, Any]:
    """The largest exponent, and Σ b·e^(a − it)."""
    largest = np.max(traced.stop_gradient(a), axis=axis, keepdims=True, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    terms = np.exp(a - largest)
    total = np.sum(terms if b is None else b * terms, axis=axis, keepdims=keepdims)
    return np.reshape(largest, total.shape), total


@standing
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """ln Σ b·e^a; with `return_sign` the logarithm of the size, and the sign."""
    a, b = numbers(a), None if b is None else numbers(b)
    if b is not None:
        a = np.broadcast_to(a, np.broadcast_shapes(tuple(a.shape), tuple(b.shape)))
    largest, total = _summed(a, axis, b, keepdims)
    if return_sign:
        return largest + np.log(np.abs(total)), np.sign(total)
    return largest + np.log(total)


@standing
def softmax(x: Any, axis: Any = None) -> Any:
    """e^x/Σ e^x."""
    x = numbers(x)
    return np.exp(x - logsumexp(x, axis=axis, keepdims=True))


@standing
def log_softmax(x: Any, axis: Any = None) -> Any:
    """x − ln Σ e^x."""
    x = numbers(x)
    return x - logsumexp(x, axis=axis, keepdims=True)


@standing
def multigammaln(a: Any, d: Any) -> Any:
    """ln Γ_d(a) = ln π · d(d − 1)/4 + Σ ln Γ(a − i/2)."""
    a = numbers(a)
    return float(d * (d - 1) * 0.25 * np.log(np.pi)) + sum(traced.gammaln(a - 0.5 * i) for i in range(int(d)))


@standing
def huber(delta: Any, r: Any, /) -> Any:
    """r²/2 up to δ, and δ·(|r| − δ/2) beyond."""
    delta, r = numbers(delta), numbers(r)
    size = np.abs(r)
    return np.where(size <= delta, 0.5 * r**2, delta * (size - 0.5 * delta))


@standing
def exp10(x: Any, /) -> Any:
    """10^x."""
    return np.exp(numbers(x) * float(np.log(10.0)))


def _of_numpy(name: str) -> Callable[..., Any]:
    return lambda x, /: getattr(np, name)(numbers(x))


for _name in ("exp2", "expm1", "log1p", "cbrt", "sinc", "round"):
    if _name in REGISTRY or _name in FUNCTIONS:
        standing.add(_name, _of_numpy(_name))


def real_logarithm(x: Any) -> Any:
    """ln Γ for real positive numbers, as which alone `loggamma` is differentiated."""
    x = numbers(x)
    if x.dtype.kind == "c":
        raise UnsupportedError(
            f"scipy.special.loggamma was given complex numbers (dtype {x.dtype}); it is differentiated by real ones. Use np.real(z)."
        )
    return traced.gammaln(x)


@standing
def erf(z: Any, /) -> Any:
    """2/√π ∫₀ᶻ e^(−t²) dt."""
    z = numbers(z)
    return traced.erf_of_complex(z) if z.dtype.kind == "c" else traced.erf(z)


standing.add("loggamma", real_logarithm)
globals().update(standing.functions)


def __getattr__(name: str) -> object:
    return getattr(special, name)


def __dir__() -> list[str]:
    return names_of(special, standing.functions)
