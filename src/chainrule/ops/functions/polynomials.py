"""Polynomials given by their coefficients, the highest power first, and their least-squares fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.ops.functions.function import (
    array,
    cast,
    floating,
    function,
    is_known,
    ndim,
    seen,
    shape,
    together,
    whole,
)
from chainrule.ops.functions.joining import stack
from chainrule.ops.functions.lines import convolve
from chainrule.ops.functions.shaping import cut_along, reshape
from chainrule.ops.operation import example
from chainrule.ops.roots import COEFFICIENTS


@function(example((3,)), example((3,), 4, increasing=True), example((2,), 2))
def vander(m: Any, x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Powers of every element side by side."""
    x = array(x)
    if ndim(x) != 1:
        raise ShapeError(f"vander was given shape {shape(x)}; give a vector.")
    count = x.shape[0] if N is None else whole(N, "N")
    if x.dtype.kind == "b":
        x = m.astype(x, dtype=np.dtype(int))
    powers: list[Any] = [np.ones(x.shape, x.dtype)]
    for _ in range(count - 1):
        powers.append(powers[-1] * x)
    columns = [m.reshape(p, shape=(x.shape[0], 1)) for p in (powers if increasing else powers[::-1])]
    kind = np.promote_types(x.dtype, int)  # as NumPy has it, which makes float64 of float32
    return cast(m, m.concatenate(*columns, axis=1), kind) if count > 0 else np.zeros((x.shape[0], 0), kind)


@function(example((3,), (2, 2)), example(np.array([2.0, -1.0]), (3,)), example((4,), 0.5))
def polyval(m: Any, p: Any, x: Any) -> Any:
    """The value of a polynomial at places, by Horner's rule."""
    p = _coefficients(p, "polyval")
    x = array(x)
    value = np.zeros(x.shape, x.dtype)
    for i in range(shape(p)[0]):
        value = value * x + _coefficient(m, p, i)
    return value


def _coefficients(p: Any, called: str) -> Any:
    p = array(p)
    if ndim(p) == 0:
        return p.reshape(1)
    if ndim(p) != 1:
        raise ShapeError(
            f"{called} was given coefficients of shape {shape(p)}; give a vector, the highest power first."
        )
    return p


def _coefficient(m: Any, p: Any, i: int) -> Any:
    return p[i] if is_known(p) else m.slice(p, start=(i,), stop=(i + 1,), step=(1,), drop=(0,))


@function(example((3,), (2,)), example((2,), (2,)))
def polyadd(m: Any, a1: Any, a2: Any) -> Any:
    """The sum of two polynomials."""
    first, second = _as_long(m, _coefficients(a1, "polyadd"), _coefficients(a2, "polyadd"))
    return first + second


@function(example((3,), (2,)), example((2,), (4,)))
def polysub(m: Any, a1: Any, a2: Any) -> Any:
    """The difference of two polynomials."""
    first, second = _as_long(m, _coefficients(a1, "polysub"), _coefficients(a2, "polysub"))
    return first - second


def _as_long(m: Any, *ps: Any) -> list[Any]:
    """The same polynomials, all with as many coefficients as the longest."""
    longest = max(p.shape[0] for p in ps)
    missing = [longest - p.shape[0] for p in ps]
    return [m.concatenate(np.zeros(n, p.dtype), p, axis=0) if n else p for p, n in zip(ps, missing, strict=True)]


@function(example((3,), (2,)))
def polymul(m: Any, a1: Any, a2: Any) -> Any:
    """The product of two polynomials."""
    return convolve(m, *(_trimmed(m, _coefficients(a, "polymul")) for a in (a1, a2)))


def _trimmed(m: Any, p: Any) -> Any:
    """Without the zeros in front, where the numbers are known."""
    plain = seen(m, p)
    if not is_known(plain):
        return p
    n = plain.shape[0]
    first = next((i for i in range(n) if plain[i] != 0), max(n - 1, 0))
    return cut_along(m, p, 0, first, n) if first else p


@function(example((4,)), example((4,), 2), example((3,), m=2))
def polyder(m: Any, p: Any, /, *given: Any, **named: Any) -> Any:
    """The derivative of a polynomial, `m` times."""
    times = whole(given[0] if given else named.get("m", 1), "m")
    if times < 0 or len(given) > 1 or not set(named) <= {"m"}:
        raise SettingError(f"polyder takes m, how often to differentiate, from 0 on; it was given {given} and {named}.")
    p = _coefficients(p, "polyder")
    for _ in range(times):
        n = shape(p)[0]
        p = cut_along(m, p, 0, 0, max(n - 1, 0)) * np.arange(n - 1, 0, -1)
    return p


@function(example((3,)), example((2,), 2, k=[1.0, 2.0]))
def polyint(m: Any, p: Any, /, *given: Any, k: Any = None, **named: Any) -> Any:
    """An integral of a polynomial, `m` times, with constants `k`."""
    times = whole(given[0] if given else named.get("m", 1), "m")
    if times < 0 or len(given) > 1 or not set(named) <= {"m"}:
        raise SettingError(f"polyint takes m, how often to integrate, from 0 on; it was given {given} and {named}.")
    p = floating(m, _coefficients(p, "polyint"))
    constants = array(0.0 if k is None else k)
    if ndim(constants) == 0 or shape(constants) == (1,):
        constants = m.broadcast_to(m.reshape(constants, shape=(1,)), shape=(times,))
    if shape(constants) != (times,):
        raise ShapeError(f"polyint was given constants of shape {shape(constants)} for m={times}; give one for each.")
    for i in range(times):
        n = shape(p)[0]
        parts = together(m, p / np.arange(n, 0, -1, dtype=p.dtype), cut_along(m, constants, 0, i, i + 1))
        p = m.concatenate(*parts, axis=0)
    return p


@function(example((3,)), example((2,)))
def poly(m: Any, seq_of_zeros: Any) -> Any:
    """The coefficients of the polynomial with these zeros; of a matrix this is not traced."""
    zeros = floating(m, array(seq_of_zeros))
    zeros = cast(m, zeros, np.mintypecode(zeros.dtype.char))  # half precision becomes double
    if ndim(zeros) == 0:
        zeros = m.reshape(zeros, shape=(1,))
    if ndim(zeros) != 1:
        raise ShapeError(
            f"poly was given shape {shape(zeros)}; give a vector of zeros, for a matrix its np.linalg.eigvals."
        )
    result = np.ones(1, zeros.dtype)
    for i in range(shape(zeros)[0]):
        factor = m.concatenate(np.ones(1, zeros.dtype), -cut_along(m, zeros, 0, i, i + 1), axis=0)
        result = convolve(m, result, factor)
    return result


@function(*COEFFICIENTS)
def roots(m: Any, p: Any) -> Any:
    """Where a polynomial is 0; in a Program and in a batch complex numbers, whatever they are."""
    p = floating(m, _coefficients(p, "roots"))
    found = m.polynomial_roots(p)
    plain = seen(m, found)
    all_real = is_known(plain) and p.dtype.kind != "c" and not np.any(np.imag(plain))
    return m.real(found) if all_real else found


@function(example((4,), (2,)), example((3,), (3,)), example((2,), (3,)))
def polydiv(m: Any, u: Any, v: Any) -> Any:
    """Quotient and remainder of two polynomials; the remainder begins with its first coefficient that is not 0."""
    u, v = together(m, *(floating(m, _coefficients(a, "polydiv")) for a in (u, v)))
    steps, more = shape(u)[0] - shape(v)[0] + 1, shape(v)[0]
    if steps < 1:
        return np.zeros(1, u.dtype), _trimmed_of_zeros(m, m.positive(u))
    quotient, left = [], [_coefficient(m, u, i) for i in range(shape(u)[0])]
    divisor = [_coefficient(m, v, i) for i in range(more)]
    for i in range(steps):
        quotient.append(left[i] / divisor[0])
        for k in range(more):
            left[i + k] = left[i + k] - quotient[i] * divisor[k]
    rest = left[steps:] or [left[-1]]
    return stack(m, quotient), _trimmed_of_zeros(m, stack(m, rest))


def _trimmed_of_zeros(m: Any, p: Any) -> Any:
    """Without what is as good as 0 in front, as NumPy's remainder is, where the numbers are known."""
    plain = seen(m, p)
    if not is_known(plain):
        return p
    n = plain.shape[0]
    first = next((i for i in range(n) if not np.allclose(plain[i], 0, rtol=1e-14)), n - 1)
    return cut_along(m, p, 0, first, n) if first else p


@function(
    example((4,), (4,), 2),
    example([0.0, 1.0, 2.0, 3.5], (4, 2), 1, w=np.array([1.0, 2.0, 1.0, 0.5])),
)
def polyfit(
    m: Any, x: Any, y: Any, deg: Any, rcond: float | None = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    """The polynomial nearest to samples by least squares."""
    if full or cov:
        raise SettingError(
            f"polyfit was given full={full} and cov={cov}; leave both out: the coefficients can be traced."
        )
    x, y, deg = floating(m, x), floating(m, y), whole(deg, "deg")
    if deg < 0 or ndim(x) != 1 or ndim(y) not in (1, 2) or shape(y)[0] != shape(x)[0] or not shape(x)[0]:
        raise ShapeError(
            f"polyfit was given x of shape {shape(x)}, y of shape {shape(y)} and deg={deg}; give as many of both."
        )
    n = shape(x)[0]
    relative = n * float(np.finfo(x.dtype).eps) if rcond is None else float(rcond)
    powers = vander(m, x, deg + 1)
    samples = cast(m, reshape(m, y, (n, -1)), powers.dtype)
    if w is not None:
        weights = floating(m, w)
        if shape(weights) != (n,):
            raise ShapeError(f"polyfit was given weights of shape {shape(weights)} for {n} samples; give one for each.")
        column = reshape(m, weights, (n, 1))
        powers, samples = powers * column, samples * column
    size = m.sqrt(m.sum(m.square(powers), axis=(0,), keepdims=True))
    found = m.lstsq(powers / size, samples, rcond=relative) / reshape(m, size, (deg + 1, 1))
    return reshape(m, found, (deg + 1,)) if ndim(y) == 1 else found
