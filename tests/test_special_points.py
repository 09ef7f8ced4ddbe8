"""Derivatives of every order, by every mode, at points where their rules meet 0/0: powers, norms, the error function.

What is right comes from mpmath with 40 digits. `CHAINRULE_EXAMPLES` says how many formulas are tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

import chainrule as cr
from expectations import EXAMPLES, names, thoroughness


class ExactNumPy:
    """What formulas use of NumPy and of this library, in mpmath's numbers."""

    sin, cos, tanh, exp, expm1, arctan, sinh, arcsinh = (
        mpmath.sin, mpmath.cos, mpmath.tanh, mpmath.exp, mpmath.expm1, mpmath.atan, mpmath.sinh, mpmath.asinh
    )  # fmt: skip
    erf, cosh, log1p, abs = mpmath.erf, mpmath.cosh, mpmath.log1p, abs
    gelu = staticmethod(lambda u: u * mpmath.ncdf(u))
    sigmoid = staticmethod(lambda u: 1 / (1 + mpmath.exp(-u)))
    silu = staticmethod(lambda u: u / (1 + mpmath.exp(-u)))
    softplus = staticmethod(lambda u: mpmath.log1p(mpmath.exp(u)))
    logaddexp = staticmethod(lambda u, v: mpmath.log(mpmath.exp(u) + mpmath.exp(v)))
    square = staticmethod(lambda u: u * u)
    hypot = staticmethod(lambda u, v: mpmath.sqrt(u * u + v * v))
    stack = staticmethod(list)
    std = staticmethod(lambda u: mpmath.sqrt(sum((x - sum(u) / len(u)) ** 2 for x in u) / len(u)))

    class linalg:  # noqa: N801
        norm = staticmethod(lambda u: mpmath.sqrt(sum(x * x for x in u)))


@dataclass(frozen=True)
class Point:
    """Formulas `outer` of U, where U is one of `inner`, and the numbers that x and y may be."""

    outer: tuple[str, ...]
    inner: tuple[str, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]


NAMES = ["sin", "cos", "tanh", "exp", "expm1", "arctan", "sinh", "arcsinh", "log1p", "cosh", "square"]
OWN = ["sigmoid", "silu", "softplus"]
POINTS = {
    "functions": Point(
        (*(f"np.{n}(U)" for n in NAMES), *(f"cr.{n}(U)" for n in OWN), "np.logaddexp(U, 0.0)", "U ** 3", "U * U"),
        ("x", "x + y", "x * y", "np.sin(x) * 0.5", "x ** 2 + y"), (0.0, 0.0, 0.5, 1.0), (0.0, 0.25),
    ),
    "error function": Point(
        ("cr.erf(U)", "cr.gelu(U)"), ("x", "x + y", "x - 2.0 * y", "x * 0.5", "np.sin(x)"), (0.0,), (0.0,)
    ),
    "powers": Point(
        ("U", "np.log1p(U)", "U * y", "U * x"), ("x ** y", "x ** (2.0 * y)"), (0.5, 1.0, 2.0, 23.0), (0.0, 0.0, 1.0, 2.0, -1.0)
    ),
    "powers at 0": Point(
        ("U", "np.exp(U)"),
        ("(x + 2.0) ** x", "(2.0 + y) ** x", "(1.0 + y * y) ** (x * y)", "x ** 2 * y", "x ** 3", "x ** 1 + y ** 2", "2.0 ** (x * y)"),
        (0.0,), (0.0, 1.0),
    ),
    "norms at 0": Point(
        ("U ** 2", "U ** 2 * 0.5 + U ** 4", "np.sin(U ** 2)", "(lambda u: u * u)(U)"),
        ("np.abs(x)", "np.hypot(x, y)", "np.linalg.norm(np.stack([x, y]))", "np.std(np.stack([x, y]))", "np.abs(x * y)",
         "np.linalg.norm(np.stack([x, 2.0 * x]))", "np.abs(x) * np.abs(y)"),
        (0.0,), (0.0, 0.0, 1.0),
    ),
}  # fmt: skip


@st.composite
def formulas(draw: Any, point: Point) -> str:
    """One formula of x and y."""
    return draw(st.sampled_from(point.outer)).replace("U", f"({draw(st.sampled_from(point.inner))})")


def differentiated(f: Any, ways: list[tuple[int, str]]) -> Any:
    """A derivative by one argument after the other, each by its mode."""
    for position, mode in ways:
        unit = tuple(float(i == position) for i in range(2))
        f = (
            cr.grad(f, position)
            if mode == "reverse"
            else lambda *x, inner=f, unit=unit: cr.jvp(inner, tuple(map(_as_float, x)), unit)[1]
        )
    return f


def _as_float(x: Any) -> Any:
    return float(x) if isinstance(x, int) else x


@pytest.mark.parametrize("name", names(POINTS))
def test_derivatives_of_every_order_at_special_points(name: str) -> None:
    """Against mpmath, with 40 digits: whatever the order of the arguments and the modes."""

    @thoroughness(name, EXAMPLES // 5)
    @given(st.data())
    def holds(data: Any) -> None:
        source = data.draw(formulas(POINTS[name]))
        x, y = data.draw(st.sampled_from(POINTS[name].x)), data.draw(st.sampled_from(POINTS[name].y))
        modes = st.tuples(st.sampled_from([0, 1]), st.sampled_from(["reverse", "forward"]))
        ways = data.draw(st.lists(modes, min_size=1, max_size=5))
        compiled = data.draw(st.sampled_from([False, False, False, True]))
        note(f"{source} at x = {x}, y = {y} by {ways}{' in machine code' if compiled else ''}")
        orders = tuple(sum(position == i for position, _ in ways) for i in range(2))
        with mpmath.workdps(40):
            exact = eval(f"lambda x, y: {source}", {"np": ExactNumPy, "cr": ExactNumPy})
            right = float(mpmath.re(mpmath.diff(exact, (x, y), orders, h=mpmath.mpf(10) ** -8)))
        f = differentiated(eval(f"lambda x, y: {source}", {"np": np, "cr": cr}), ways)
        with np.errstate(all="ignore"):
            found = float(np.asarray((cr.jit(f) if compiled else f)(x, y)))
        assert found == pytest.approx(right, rel=1e-7, abs=1e-7)

    holds()
