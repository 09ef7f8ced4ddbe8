"""What each polynomial of vector mathematics approximates, and the Remez exchange that finds such polynomials.

`python tests/engines/llvm/approximations.py TANH float32` finds the coefficients of a table again and prints them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import mpmath
import numpy as np

DIGITS = 60
mpf = mpmath.mpf
NEARLY_ZERO = mpf(10) ** -15


@dataclass(frozen=True)
class Target:
    """A polynomial is to be near `function` on an interval; `weight` turns the difference into the error that counts."""

    function: Callable[[mpf], mpf]
    weight: Callable[[mpf], mpf]
    low: mpf
    high: mpf
    errors: dict[str, float]
    """The error after rounding the coefficients, as a power of two, for each dtype that has a table."""


def power_series(function, order, first):
    """`function`(t)/t^order, whose limit at 0 is `first`."""
    return lambda t: function(t) / t**order if abs(t) > NEARLY_ZERO else mpf(first)


def odd_part(function, first):
    """(f(x)/x − 1)/x² as a function of x²."""
    return power_series(lambda z: function(mpmath.sqrt(z)) / mpmath.sqrt(z) - 1 if z else mpf(0), 1, first)


def ratio(z):
    """log((1 + s)/(1 − s))/s as a function of z = s²."""
    s = mpmath.sqrt(z)
    return mpmath.log((1 + s) / (1 - s)) / s if z > mpf(10) ** -9 else 2 + 2 * z / 3 + 2 * z**2 / 5 + 2 * z**3 / 7


def logarithm(base, slope):
    """log(1 + f)/f − slope to a base."""
    scale = 1 / mpmath.log(base)
    return lambda f: (mpmath.log1p(f) / f if abs(f) > NEARLY_ZERO else 1) * scale - mpf(slope)


def size(t):
    return abs(t) + mpf(10) ** -30


def share_in_tanh(f):
    """What an error of P(f) in 2^k·(1 + f·P(f)) = e^2x does to tanh(x) = 1 − 2/(e^2x + 1), with the smallest k that goes with f
    beyond 0.55, beside what it does to e^2x where that is 3 and tanh ½."""
    y = mpf(2) ** (f + (2 if f > mpf("-0.415") else 3))
    return size(f) * y / (y + 1) ** 2 * 16 / 3


with mpmath.workdps(DIGITS):
    ONE, TINY = mpf(1), mpf(10) ** -20
    HALF_LN2 = mpmath.log(2) / 2 * mpf("1.002")
    LOW, HIGH = mpmath.sqrt(ONE / 2) - 1, mpmath.sqrt(mpf(2)) - 1
    RATIO_END = mpf("0.02945")
    TARGETS = {
        "EXP": Target(
            power_series(lambda r: mpmath.expm1(r) - r, 2, 0.5), lambda r: r**2 / mpmath.exp(r) + mpf(10) ** -30,
            -HALF_LN2, HALF_LN2, {"float32": -28.2, "float64": -63.5},
        ),
        "EXPM1": Target(
            power_series(lambda r: mpmath.expm1(r) - r, 2, 0.5), size,
            -HALF_LN2, HALF_LN2, {"float32": -28.7, "float64": -59.6},
        ),
        "EXP2": Target(
            power_series(lambda f: mpf(2) ** f - 1, 1, mpmath.log(2)), size,
            mpf("-0.501"), mpf("0.501"), {"float32": -26.0, "float64": -56.0},
        ),
        "TANH": Target(odd_part(mpmath.tanh, -ONE / 3), size, TINY, mpf("0.3025"), {"float32": -24.8, "float64": -55.5}),
        "TANH_EXP2": Target(
            power_series(lambda f: mpf(2) ** f - 1, 1, mpmath.log(2)), share_in_tanh,
            mpf("-0.5005"), mpf("0.5005"), {"float32": -23.6, "float64": -57.7},
        ),
        "LOG": Target(power_series(lambda f: mpmath.log1p(f) - f, 2, -0.5), size, LOW, HIGH, {"float32": -30.2}),
        "LOG2": Target(logarithm(2, "1.4375"), lambda f: ONE, LOW, HIGH, {"float32": -26.8}),
        "LOG10": Target(logarithm(10, "0.4375"), lambda f: mpf(2), LOW, HIGH, {"float32": -27.6}),
        "LOG_RATIO": Target(lambda z: (ratio(z) - 2) / z, lambda z: z / 2, TINY, RATIO_END, {"float64": -59.5}),
        "LOG_RATIO_TAIL": Target(
            lambda z: (ratio(z) - 2 - 2 * z / 3) / z**2 / mpmath.log(2), lambda z: z**2 / 2 + mpf(10) ** -30,
            TINY, RATIO_END, {"float64": -65.7},
        ),
        "LOG_RATIO_SHORT": Target(
            lambda z: ratio(z) / mpmath.log(2), lambda z: ONE, TINY, RATIO_END, {"float64": -43.6}
        ),
        "EXP2_SHORT": Target(
            lambda f: mpf(2) ** f, lambda f: mpf(2) ** -f, mpf("-0.5005"), mpf("0.5005"), {"float64": -34.5}
        ),
        "SIN": Target(odd_part(mpmath.sin, -ONE / 6), size, TINY, mpf("0.629"), {"float32": -27.8, "float64": -57.8}),
        "COS": Target(
            power_series(lambda z: mpmath.cos(mpmath.sqrt(z)) - 1, 1, -0.5), size,
            TINY, mpf("0.629"), {"float32": -33.1, "float64": -63.9},
        ),
        "ARCTAN": Target(
            odd_part(mpmath.atan, -ONE / 3), size, TINY, mpf("0.1716"), {"float32": -30.5, "float64": -59.5}
        ),
        "ARCSIN": Target(
            odd_part(mpmath.asin, ONE / 6), size, TINY, mpf("0.2501"), {"float32": -27.6, "float64": -55.8}
        ),
        "CBRT": Target(
            lambda y: y ** (-ONE / 3), lambda y: y ** (ONE / 3),
            1 + LOW, 1 + HIGH, {"float32": -14.7, "float64": -17.4},
        ),
        "ERF": Target(
            lambda z: mpmath.erf(mpmath.sqrt(z)) / mpmath.sqrt(z) - 1, lambda z: ONE,
            TINY, mpf("1.001"), {"float32": -29.4},
        ),
        "ERFC": Target(lambda x: mpmath.log(mpmath.erfc(x)), mpmath.erfc, ONE, mpf(4), {"float32": -30.8}),
    }  # fmt: skip


def error(target, coefficients, points=400):
    """The largest weighted difference of a polynomial to its target, as a power of two."""
    with mpmath.workdps(DIGITS):
        width = (target.high - target.low) / points
        places = [target.low + width * i + mpf(10) ** -20 for i in range(points)]
        highest_first = [mpf(c) for c in reversed(coefficients)]
        worst = max(abs(target.weight(t) * (target.function(t) - mpmath.polyval(highest_first, t))) for t in places)
        return float(mpmath.log(worst, 2))


def exchange(target, function, powers, rounds=12):
    """Remez: the coefficients of these powers with the smallest largest weighted difference to `function`."""
    count = len(powers)
    middle, half = (target.low + target.high) / 2, (target.high - target.low) / 2
    grid = [middle - half * mpmath.cos(mpmath.pi * i / (40 * count)) for i in range(40 * count + 1)]
    samples = [(t, function(t), target.weight(t)) for t in grid]
    nodes = [samples[round(40 * count * (i + 0.5) / (count + 1))] for i in range(count + 1)]
    for _ in range(rounds):
        matrix = mpmath.matrix([[t**p for p in powers] + [(-1) ** i / w] for i, (t, _, w) in enumerate(nodes)])
        *coefficients, level = mpmath.lu_solve(matrix, mpmath.matrix([f for _, f, _ in nodes]))
        runs = []  # the largest difference of each run of equal signs
        for sample in samples:
            t, f, w = sample
            difference = w * (f - mpmath.fsum(c * t**p for c, p in zip(coefficients, powers, strict=True)))
            if not runs or (runs[-1][0] > 0) != (difference > 0):
                runs.append((difference, sample))
            elif abs(difference) > abs(runs[-1][0]):
                runs[-1] = (difference, sample)
        while len(runs) > count + 1:
            runs.pop(0 if abs(runs[0][0]) < abs(runs[-1][0]) else -1)
        if len(runs) <= count or max(abs(d) for d, _ in runs) < 1.01 * abs(level):
            break
        nodes = [sample for _, sample in runs]
    return coefficients


def find(target, count, dtype, refitted=3):
    """`count` coefficients in a dtype: the lowest are rounded one by one, and the others fitted again after each."""
    with mpmath.workdps(DIGITS):
        fixed, function, best = [], target.function, None
        for _ in range(refitted + 1):
            powers = list(range(len(fixed), count))
            try:
                found = exchange(target, function, powers)
            except ZeroDivisionError:  # nothing is left to improve
                break
            rounded = fixed + [float(dtype(float(c))) for c in found]
            if best is None or error(target, rounded) < error(target, best):
                best = rounded
            fixed = rounded[: len(fixed) + 1]
            function = lambda t, fixed=tuple(fixed): (  # noqa: E731
                target.function(t) - mpmath.fsum(c * t**p for p, c in enumerate(fixed))
            )
        return best


if __name__ == "__main__":
    from chainrule.engines.llvm.mathematics import coefficients

    name, dtype_name = sys.argv[1:]
    dtype = getattr(np, dtype_name)
    table = find(TARGETS[name], len(getattr(coefficients, name)[np.dtype(dtype)]), dtype)
    print(*table, f"error 2^{error(TARGETS[name], table):.1f}", sep="\n")
