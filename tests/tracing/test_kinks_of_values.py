"""Second derivatives where |x| and norms are 0: the true ones where there are any, or nan, and never a number that is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.ops import REGISTRY, operation
from chainrule.tracing.bends import bends
from trying import examples

norm = np.linalg.norm
ONES = np.ones(2)

WAYS: dict[str, Any] = {
    "reverse over reverse": lambda f: lambda x: cr.jacobian(cr.grad(f))(x),
    "forward over reverse": lambda f: cr.hessian(f),
    "forward over forward": lambda f: cr.jacobian(cr.jacobian(f, mode="forward"), mode="forward"),
    "compiled": lambda f: cr.jit(cr.hessian(f), engine="auto"),
    "of a compiled one": lambda f: cr.hessian(cr.jit(f)),
    "for members of a batch": lambda f: lambda x: cr.jacobian(cr.grad(lambda x: np.sum(cr.vmap(f)(x[None]))))(x),
    "members of a batch": lambda f: lambda x: cr.vmap(cr.hessian(f))(x[None])[0],
}

R2 = sympy.Symbol("s")
"""x² + y²."""

RIGHT: dict[str, Any] = {  # and what it is as a function of x and y
    "norm·norm": (lambda x: norm(x) * norm(x), "s"),
    "norm·norm of what is computed twice": (lambda x: norm(2 * x) * norm(2 * x), "4*s"),
    "(3·norm)²": (lambda x: (3 * norm(x)) ** 2, "9*s"),
    "(−norm/2)²": (lambda x: (-norm(x) / 2) ** 2, "s/4"),
    "norm·norm elsewhere": (lambda x: norm(x).reshape(1) @ norm(x).reshape(1), "s"),
    "norms by norms": (lambda x: np.dot(norm(x[None], axis=1), norm(x[None], axis=1)), "s"),
    "norm⁴": (lambda x: norm(x) ** 4, "s**2"),
    "in exp": (lambda x: np.exp(-(norm(x) ** 2)), "exp(-s)"),
    "sizes computed twice": (lambda x: np.sum(np.abs(x + 1.0 - 1.0) * np.abs(x + 1.0 - 1.0)), "s"),
    "sizes of what is moved by an array": (lambda x: np.sum(np.abs(x - 0 * ONES) * np.abs(x - 0 * ONES)), "s"),
    "np.where": (lambda x: np.sum(np.where(x > -1, np.abs(x), 5.0) ** 2), "s"),
    "np.where, the other": (lambda x: np.sum(np.where(x < -1, 5.0, np.abs(x)) ** 2), "s"),
    "np.where of a norm": (lambda x: np.where(x[0] > -1, norm(x), 0) ** 2, "s"),
    "astype": (lambda x: np.sum(np.abs(x).astype(np.float32).astype(float) ** 2), "s"),
    "cosh": (lambda x: np.sum(np.cosh(np.abs(x))), "cosh(x) + cosh(y)"),
    "log cosh": (lambda x: np.sum(np.log(np.cosh(2 * np.abs(x)))), "log(cosh(2*x)) + log(cosh(2*y))"),
    "cos": (lambda x: np.cos(np.abs(x[0]) * np.abs(x[0])) + np.cos(np.abs(x[1])), "cos(x**2) + cos(y)"),
    "std": (lambda x: np.std(x) ** 2, "(x - y)**2/4"),
    "linear in it": (lambda x: 3 * np.sum(np.abs(x)) + np.max(np.abs(x)) + norm(x) + cr.relu(norm(x)) + x[0] ** 2, "x**2"),
    "nothing": (lambda x: np.exp(np.sum(np.abs(x[:0])) + x[0]), "exp(x)"),
    "a size of complex numbers": (lambda x: np.sum(np.abs(np.exp(1j * x) * x) ** 2), "s"),
    "what else bends": (lambda x: np.exp(x[0]) * (1 + np.abs(x[1] - x[1])), "exp(x)"),
    "|x|³": (lambda x: np.sum(np.abs(x) ** 3 + np.exp(np.abs(x) ** 2.5)) - norm(x) ** 3, "0"),
    "another element": (lambda x: np.exp(np.abs(x + np.array([0.0, 1.0]))[1]), "exp(y + 1)"),
    "the largest": (lambda x: np.exp(np.max(np.abs(x + np.array([0.0, 1.0])))), "exp(y + 1)"),
}  # fmt: skip

UNKNOWN: dict[str, Any] = {  # nan by x; what is true has a second derivative, or has none
    "tanh(norm)·norm": (lambda x: np.tanh(norm(x)) * norm(x)),
    "Matérn's kernel": (lambda x: (1 + norm(x)) * np.exp(-norm(x))),
    "a stable softplus": (lambda x: np.sum(np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0))),
    "cosh of a norm": (lambda x: np.cosh(norm(x))),
    "hypot with 1": (lambda x: np.sum(np.hypot(np.abs(x), 1.0))),
    "exp": (lambda x: np.exp(-np.abs(x[0]))),
    "outer": (lambda x: np.sum(np.outer(np.abs(x), np.abs(x)))),
    "prod": (lambda x: np.prod(np.stack([np.abs(x[0]), np.abs(x[0])]))),
    "shifted": (lambda x: (norm(x) + 1.0) ** 2 - 2.0 * norm(x)),
    "without the mean": (lambda x: np.sum((np.abs(x) - np.mean(np.abs(x))) ** 2)),
    "sorted": (lambda x: np.sum(np.sqrt(1.0 + np.sort(np.abs(x))))),
    "cumsum": (lambda x: np.cumsum(np.abs(x))[0] ** 3 + np.cumsum(np.abs(x))[0] ** 2),
    "written into": (lambda x: np.sum(written(x) ** 3 + np.exp(written(x)))),
    "a size of a size": (lambda x: np.exp(np.abs(np.abs(x[0]) - 1.0))),
    "steps of a loop": (lambda x: cr.loop(lambda s, i: s + np.abs(x[0]) * (i + 1.0), 0.0, 2) ** 2),
    "a state of a loop": (lambda x: cr.loop(lambda s, i: s * np.abs(x[0]) + 1.0, 1.0, 3)),
    "relu of a norm": (lambda x: np.cos(cr.relu(norm(x)))),
    "a size of a size in a loop": (lambda x: cr.loop(lambda s, i: s * np.abs(np.abs(x[0])), 1.0, 2)),
    "a custom rule": (lambda x: custom(np.abs(x[0]))),
    "less its negative": (lambda x: less_its_negative(norm(x)) ** 2),
    "variance of both signs": (lambda x: np.var(np.stack([norm(x), 0.0]) * np.array([1.0, 0.0]) - np.stack([0.0, norm(x)]))),
    "an imaginary one": (lambda x: np.real(np.exp(1j * np.abs(x[0]))) + np.imag(np.exp(1j * norm(x)) * 1j)),
    "its size": (lambda x: np.real(np.conj(1j * norm(x)) * (1j * norm(x)))),
}  # fmt: skip


custom = cr.custom_derivative(lambda tangents, y, x: 2.0 * x * tangents[0])(lambda x: x**2)
"""x², by a rule of the user's."""


def less_its_negative(x: Any) -> Any:
    return x - (-x)


def written(x: Any) -> Any:
    y = np.abs(x)
    y[1] = 1.0
    return y


def true_hessian(text: str) -> Any:
    """By SymPy, at the origin."""
    x, y = sympy.symbols("x y", real=True)
    f = sympy.sympify(text, locals={"x": x, "y": y}).subs(R2, x**2 + y**2)
    return np.array([[float(sympy.diff(f, a, b).subs({x: 0, y: 0})) for a in (x, y)] for b in (x, y)])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", RIGHT)
def test_a_second_derivative_that_is_there_is_found(name: str, way: str) -> None:
    f, text = RIGHT[name]
    np.testing.assert_allclose(WAYS[way](f)(np.zeros(2)), true_hessian(text), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", UNKNOWN)
def test_one_that_is_not_known_is_nan(name: str, way: str) -> None:
    f = UNKNOWN[name]
    assert np.isfinite(cr.grad(f)(np.zeros(2))).all()
    assert np.isnan(WAYS[way](f)(np.zeros(2))[0, 0])
    away = np.array([0.7, -1.5])
    h = 1e-5 * np.eye(2)
    numerical = np.array([(cr.grad(f)(away + e) - cr.grad(f)(away - e)) / 2e-5 for e in h])
    np.testing.assert_allclose(WAYS[way](f)(away), numerical, rtol=1e-5, atol=1e-7)


ROOTS = [
    "np.abs(x)", "np.abs(2 * x)", "norm(np.stack([x, 2 * x]))", "np.hypot(x, x)", "np.std(np.stack([x, -x, 2 * x]))",
    "np.abs(np.sin(x))", "np.sum(np.abs(np.stack([x, 3 * x])))",
    "np.max(np.abs(np.stack([x, -x])))", "cr.loop(lambda s, i: s + np.abs(x), 0.0, 2)",
]  # fmt: skip
BENDS = [
    "np.exp({0})", "np.cosh({0})", "np.cos({0})", "({0}) ** 2", "({0}) ** 3", "-({0})", "3 * ({0})", "({0}) + 1", "1 / (2 + {0})",
    "np.where(x > -1, {0}, 7.0)", "np.reshape({0}, (1,))[0]", "np.sqrt(4 + {0})", "np.cumsum(np.stack([{0}, x]))[1]", "({0}) * ({1})",
    "np.sort(np.stack([{0}, 30.0]))[0]", "cr.jit(lambda q: q * q)({0})", "np.dot(np.stack([{0}, x]), np.stack([{1}, 1.0]))",
    "cr.loop(lambda s, i: s * ({0}), 1.0, 2)", "({0}) + ({1})", "({0}) - ({1})", "np.stack([{0}, {1}])[1]",
    "np.mean(np.stack([{0}, x]))",
]  # fmt: skip


@examples(20)
@given(st.data())
def test_programs_of_these_are_right_or_nan(data: Any) -> None:
    """Where slopes on both sides of 0 agree, there is a second derivative."""
    source = data.draw(st.sampled_from(ROOTS))
    for _ in range(data.draw(st.integers(1, 3))):
        other = data.draw(st.sampled_from([*ROOTS, "x + 2.0", "np.cos(x)"]))
        source = data.draw(st.sampled_from(BENDS)).format(source, other)
    f = eval(f"lambda x: {source}", {"np": np, "cr": cr, "norm": norm})
    way = data.draw(st.sampled_from(["reverse over reverse", "forward over reverse", "forward over forward"]))
    found = WAYS[way](lambda x: f(x[0]))(np.zeros(1))[0, 0]
    steps = np.array([-2e-4, -1e-4, 1e-4, 2e-4])
    slopes = [(cr.grad(f)(t) - cr.grad(f)(0.0)) / t for t in steps]
    if not np.isnan(found) and np.allclose(slopes, np.mean(slopes), rtol=0.01, atol=0.01):
        assert found == pytest.approx(np.mean(slopes), rel=0.01, abs=0.01)


def test_only_the_elements_that_are_zero_have_none() -> None:
    x = np.array([0.0, 1.0, -2.0])
    found = cr.hessian(lambda x: np.sum(np.tanh(np.abs(x))))(x)
    assert np.isnan(found[0]).any()
    assert np.isfinite(found[1:, 1:]).all()
    t = np.tanh(x[1:])
    np.testing.assert_allclose(np.diag(found)[1:], -2 * np.abs(t) * (1 - t**2), rtol=1e-13)
    shares = cr.hessian(lambda w: np.sum(np.array([1.0, 2.0, 3.0]) * w / np.sum(np.abs(w))))(x)
    assert np.isfinite(shares[1:, 1:]).all()


def test_powers_have_as_many_derivatives_as_they_have() -> None:
    for power, known in ((2.5, 2), (3, 2), (3.5, 3), (4, 6), (5, 4)):
        f = lambda x, power=power: np.abs(x) ** power  # noqa: E731
        for order in range(1, known + 1):
            f = cr.grad(f)
            assert f(0.0) == (24.0 if (power, order) == (4, 4) else 0.0)
        assert power not in (3, 5) or np.isnan(cr.grad(f)(0.0))


def test_rates_of_penalties_are_as_the_derivative_of_a_size_is_taken() -> None:
    """∂²/∂λ∂w of λ·‖w‖ and λ·Σ|w|, and of mean absolute errors, where they are 0."""
    for penalty in (lambda w: norm(w), lambda w: np.sum(np.abs(w)), lambda w: np.std(w)):
        slopes = lambda rate, penalty=penalty: cr.grad(lambda w: rate * penalty(w) + np.sum(w**2))(np.zeros(3))  # noqa: E731
        assert cr.jacobian(slopes)(0.5).tolist() == [0.0] * 3
    X, t = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([2.0, 3.0])
    assert cr.hessian(lambda w: np.mean(np.abs(X @ w - t)))(np.array([1.0, 0.5])).tolist() == [[0.0] * 2] * 2


def test_buffers_that_are_used_again_do_not_make_others_alike() -> None:
    for size in (2, 5000):
        buffer = np.zeros(size)

        def f(x: Any, buffer: Any = buffer) -> Any:
            buffer[:] = 1.0
            first = np.abs(x + buffer)
            buffer[:] = 3.0
            return np.sum(first * np.abs(x + buffer))

        x = np.full(size, -2.0)
        assert cr.jvp(cr.grad(f), (x,), (np.ones(size),))[1].tolist() == [-2.0] * size  # −(x + 1)·(x + 3)


def test_written_values_are_not_what_they_were() -> None:
    def f(x: Any) -> Any:
        y = x * 1.0
        first = np.abs(y)
        y[0] = 5.0
        return np.sum(first * np.abs(y))

    assert cr.hessian(f)(np.array([1.0, -2.0])).tolist() == [[0.0, 0.0], [0.0, 2.0]]


def test_small_factors_whose_squares_are_none() -> None:
    for c in (1e-200, 1e200):
        value, slopes = cr.value_and_grad(lambda x, c=c: (c * norm(x) / c) ** 2)(np.array([3.0, 4.0]))
        assert value == pytest.approx(25.0)
        np.testing.assert_allclose(slopes, [6.0, 8.0])
    assert cr.value_and_grad(lambda x: (norm(x) * 1e-200) ** 2)(1e200 * np.ones(1) / 1e100)[0] == pytest.approx(1e-200)


@pytest.mark.parametrize("name", [n for n, op in REGISTRY.items() if getattr(op, "ufunc", None)])
def test_which_operations_forget_a_sign(name: str) -> None:
    op = REGISTRY[name]
    x = np.array([0.25, 0.5, 0.75])
    try:
        with np.errstate(all="ignore"):
            right, left = op.evaluate(x), op.evaluate(-x)
    except (TypeError, ValueError):  # it takes several inputs
        return
    if op.symmetric:
        assert np.array_equal(right, left)
    elif np.array_equal(right, left) and op.differentiable and not op.unsigned:
        assert op.even is not None, "it gives the same of −x: say symmetric=True"


def test_which_operations_bend() -> None:
    x = np.ones((2, 2))
    straight = [
        ("add", (x, x), {}), ("negative", (x,), {}), ("sum", (x,), {"axis": (0,), "keepdims": False}), ("sort", (x,), {"axis": 0}),
        ("maximum", (x, x), {}), ("max", (x,), {"axis": (0, 1), "keepdims": False}), ("transpose", (x,), {"axes": (1, 0)}),
        ("relu", (x,), {}), ("cumsum", (x,), {"axis": 1}), ("absolute", (x,), {}), ("concatenate", (x, x), {"axis": 0}),
        ("astype", (x,), {"dtype": np.dtype("float32")}), ("clip", (x, 0.0, 2.0), {}),
    ]  # fmt: skip
    for name, inputs, attributes in straight:
        inside = [isinstance(given, np.ndarray) for given in inputs]
        assert not bends(operation(name), inputs, attributes, inside), name
    for name, inputs, inside in (
        ("multiply", (x, x), (True, False)), ("multiply", (x, x), (False, True)), ("divide", (x, x), (True, False)),
        ("where", (x > 0, x, x), (False, True, True)), ("power", (x, 1), (True, False)),
    ):  # fmt: skip
        assert not bends(operation(name), inputs, {}, inside), name
    for name, inputs, inside in (
        ("multiply", (x, x), (True, True)), ("divide", (x, x), (False, True)), ("exp", (x,), (True,)),
        ("power", (x, 3), (True, False)), ("hypot", (x, x), (True, False)), ("sqrt", (x,), (True,)), ("tanh", (x,), (True,)),
    ):  # fmt: skip
        assert bends(operation(name), inputs, {}, inside), name
    assert bends(operation("einsum"), (x, x), {"subscripts": "ij,jk->ik"}, (True, True))
    assert not bends(operation("einsum"), (x, x), {"subscripts": "ij,jk->ik"}, (True, False))
