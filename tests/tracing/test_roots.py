"""Even powers and products of |x| and norms: every derivative where these are 0 themselves, and never of later numbers."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.ops import REGISTRY
from trying import examples

WAYS: dict[str, Any] = {
    "reverse": lambda f, x: cr.jacobian(cr.grad(f))(x),
    "forward": lambda f, x: cr.jacobian(lambda x: cr.jacobian(f, mode="forward")(x), mode="forward")(x),
    "machine code": lambda f, x: cr.jit(cr.hessian(f))(x),
}
STEPS = {  # with |x| for x, and what is left without the signs
    "{0} * 3.0": "{0} * 3.0", "y * {0}": "y * {0}", "-{0}": "-{0}", "{0} / y": "{0} / y", "{0}[::-1]": "{0}[::-1]",
    "{0} * np.abs(y)": "{0} * y", "{0}.reshape(3, 1)[:, 0]": "{0}", "np.abs(x[::-1]) * {0}": "x[::-1] * {0}",
    "{0} + {0} * y": "{0} + {0} * y", "y * {0} - {0} / y": "y * {0} - {0} / y",
}  # fmt: skip


@examples(30)
@given(
    st.lists(st.sampled_from(sorted(STEPS)), max_size=4),
    st.sampled_from(sorted(WAYS)),
    st.sampled_from(["** 2", "** 4", "* r"]),
)
def test_products_of_sizes_have_every_derivative_where_they_are_zero(steps: list[str], way: str, power: str) -> None:
    rough, smooth = "np.abs(x)", "x"
    for step in steps:
        rough, smooth = f"({step.format(rough)})", f"({STEPS[step].format(smooth)})"
    y = np.array([0.5, -2.0, 1.5])
    f, g = (
        eval(f"lambda x: [np.sum(r {power} + x) for r in [{source}]][0]", {"np": np, "y": y})
        for source in (rough, smooth)
    )
    x = np.array([0.0, 1.5, 0.0])
    assert f(x) == g(x)
    np.testing.assert_allclose(cr.value_and_grad(f)(x)[0], f(x), rtol=1e-15)
    np.testing.assert_allclose(WAYS[way](f, x), WAYS[way](g, x), rtol=1e-13, atol=1e-15)


def test_what_was_written_to_later_does_not_count() -> None:
    buffer = np.ones(2)

    def over_the_input(x: Any) -> Any:
        x = x * 1.0
        y = np.abs(x)
        x[0] = 5.0
        return np.sum(y**2)

    def in_place(x: Any) -> Any:
        x = x * 1.0
        y = np.abs(x) * 2.0
        x *= 3.0
        return np.sum(y * y) / 4.0

    def over_the_result(x: Any) -> Any:
        y = np.abs(x)
        y[0] = x[0]
        return np.sum(y**2) + 0.0 * np.sum(y**3)

    def buffers(x: Any) -> Any:
        buffer[:] = 0.0
        y = np.hypot(x, buffer)
        buffer[:] = 7.0
        return np.sum(y**2)

    def factors(x: Any) -> Any:
        buffer[:] = 1.0
        y = np.abs(x) * buffer
        buffer[:] = 7.0
        return np.sum(y**2)

    x = np.array([1.0, -2.0])
    for function in (over_the_input, in_place, over_the_result, buffers, factors):
        for compiled in (lambda f: f, cr.jit):
            value, gradient = compiled(cr.value_and_grad(function))(x)
            assert value == 5.0, function.__name__
            assert gradient.tolist() == [2.0, -4.0], function.__name__
        assert cr.jvp(function, (x,), (np.ones(2),))[1] == -2.0


@pytest.mark.parametrize("name", [name for name, op in REGISTRY.items() if op.carries and getattr(op, "ufunc", None)])
def test_what_carries_a_sign_gives_it_to_its_result(name: str) -> None:
    op = REGISTRY[name]
    a, b = np.array([0.5, 2.0, -3.0]), np.array([-1.5, 0.25, 4.0])
    inputs = (a, b)[: len(op.domain)]  # type: ignore[attr-defined]
    for i in range(len(inputs)):
        turned = [-x if i == k else x for k, x in enumerate(inputs)]
        np.testing.assert_array_equal(op.evaluate(*turned), -op.evaluate(*inputs))


@pytest.mark.parametrize("name", [name for name, op in REGISTRY.items() if op.shares])
def test_a_sign_that_all_inputs_share_is_one_of_the_result(name: str) -> None:
    a, b = np.array([0.5, 2.0, -3.0]), np.array([-1.5, 0.25, 4.0])
    np.testing.assert_array_equal(REGISTRY[name].evaluate(-a, -b), -REGISTRY[name].evaluate(a, b))


def test_a_sum_that_holds_one_before_twice_is_followed_once() -> None:
    def f(x: Any) -> Any:
        y = np.abs(x)
        for _ in range(30):
            y = y + y * 0.125  # written out, a thousand million terms
        return np.sum(y * y)

    assert cr.grad(f)(np.array([0.5]))[0] == pytest.approx(1.125**60, rel=1e-12)
    np.testing.assert_allclose(cr.hessian(f)(np.zeros(2)), 2 * 1.125**60 * np.eye(2), rtol=1e-12)
    assert len(cr.trace(cr.grad(f), np.zeros(2)).equations) < 1000


@pytest.mark.parametrize("order", sorted(set(permutations([0, 0, 1, 1]))))
@pytest.mark.parametrize(("power", "right"), [(2, 4.0), (4, 0.0)])
def test_products_of_two_sizes_have_derivatives_in_every_order(
    order: tuple[int, ...], power: int, right: float
) -> None:
    f: Any = lambda x, y: (np.abs(x) * np.abs(y)) ** power  # noqa: E731
    for position in order:
        f = cr.grad(f, position)
    assert f(0.0, 0.0) == right


def test_sums_of_different_sizes_have_no_second_derivative() -> None:
    """(|x| + |y|)² and |x|·(|x| + 1) bend |x|, whatever is beside it."""
    for f in (lambda x: (np.abs(x[0]) + np.abs(x[1])) ** 2, lambda x: np.abs(x[0]) * (np.abs(x[0]) + 1.0)):
        assert np.isnan(cr.hessian(f)(np.array([0.0, 2.0]))[0, 0])


def test_long_chains_of_products_end() -> None:
    def f(x: Any) -> Any:
        y = np.abs(x)
        for _ in range(3000):
            y = y * 1.0001
        return np.sum(y**2)

    assert cr.grad(f)(np.array([0.5]))[0] == pytest.approx(1.0001**6000, rel=1e-10)


SMOOTH = {  # what has a second derivative where |x| and norms have none, and the same without them
    "a copy": (lambda x: np.sum(np.abs(x).copy() * np.abs(x)), lambda x: np.sum(x**2)),
    "a size of a size": (lambda x: np.sum(np.abs(np.abs(x)) * np.abs(x)), lambda x: np.sum(x**2)),
    "a scalar product": (lambda x: np.abs(x) @ np.abs(x), lambda x: np.sum(x**2)),
    "dot of multiples": (lambda x: np.dot(2.0 * np.abs(x), np.abs(x) / 4.0), lambda x: np.sum(x**2) / 2.0),
    "vdot": (lambda x: np.vdot(np.abs(x), np.abs(x)), lambda x: np.sum(x**2)),
    "einsum": (lambda x: np.einsum("i,i,i->", np.abs(x), x, np.abs(x)), lambda x: np.sum(x**3)),
    "one of several norms": (
        lambda x: np.linalg.norm(np.reshape(x, (2, 2)), axis=1)[1] ** 2, lambda x: np.sum(x[2:] ** 2),
    ),
    "norms elsewhere": (
        lambda x: np.sum(np.hypot(x[:2], x[2:])[::-1].reshape(2, 1) ** 2 * np.array([[1.0], [3.0]])),
        lambda x: np.sum((x[1::-1] ** 2 + x[:1:-1] ** 2) * np.array([1.0, 3.0])),
    ),
    "the negative of a norm": (lambda x: (-np.linalg.norm(x)) ** 4, lambda x: np.sum(x**2) ** 2),
    "elements at positions": (
        lambda x: np.sum(np.abs(x)[[0, 0, 2]] * np.abs(x)[[0, 0, 2]]), lambda x: np.sum(x[[0, 0, 2]] ** 2),
    ),
    "stacked": (lambda x: np.sum(np.stack([np.abs(x), x]) * np.stack([np.abs(x), 2 * x])), lambda x: 3 * np.sum(x**2)),
    "joined": (lambda x: np.sum(np.concatenate([np.abs(x), [7.0]]) ** 2), lambda x: np.sum(x**2)),
    "norms put together": (
        lambda x: np.sum(np.stack([np.hypot(x[0], x[1]), np.hypot(x[2], x[3])])[[1, 0, 1]] ** 2),
        lambda x: np.sum(x**2) + np.sum(x[2:] ** 2),
    ),
    "a copied norm": (lambda x: (+np.linalg.norm(x)) ** 2, lambda x: np.sum(x**2)),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SMOOTH)
def test_second_derivatives_of_what_has_them(name: str, way: str) -> None:
    rough, smooth = SMOOTH[name]
    for x in (np.zeros(4), np.array([0.0, 1.5, 0.0, -0.5]), np.array([0.3, -1.5, 0.7, 2.0])):
        assert cr.value_and_grad(rough)(x)[0] == pytest.approx(rough(x), rel=1e-15, abs=0.0)
        np.testing.assert_allclose(WAYS[way](rough, x), WAYS[way](smooth, x), rtol=1e-13, atol=1e-15)


def test_sums_of_products_at_other_places_keep_their_kinks() -> None:
    """|xᵢ|·|xⱼ| of different elements have kinks, and are not xᵢ·xⱼ."""
    x, w = np.array([1.0, -2.0]), np.array([[1.0, 3.0], [3.0, 0.5]])
    for f, g in (
        (lambda x: np.sum(np.outer(np.abs(x), np.abs(x))), lambda x: np.sum(np.abs(x)) ** 2),
        (lambda x: np.abs(x) @ w @ np.abs(x), lambda x: np.sum(w * np.abs(x)[:, None] * np.abs(x))),
        (lambda x: np.abs(x)[::-1] @ np.abs(x), lambda x: 2.0 * np.abs(x[0]) * np.abs(x[1])),
        (lambda x: np.abs(x)[[0, 1]] @ np.abs(x)[[1, 0]], lambda x: 2.0 * np.abs(x[0]) * np.abs(x[1])),
        (lambda x: np.stack([np.abs(x), x])[0] @ np.stack([x, np.abs(x)])[0], lambda x: np.sum(np.abs(x) * x)),
        (lambda x: np.sum(np.stack([np.abs(x), x]) * np.stack([x, np.abs(x)])), lambda x: 2 * np.sum(np.abs(x) * x)),
        (lambda x: np.sum(np.bincount([0, 0], weights=np.abs(x)) ** 2), lambda x: np.sum(np.abs(x)) ** 2),
        (
            lambda x: cr.loop(
                lambda s, i: s + cr.take(np.abs(x), i, axis=0) * cr.take(np.abs(x), 1 - i, axis=0), 0.0, 2
            ),
            lambda x: 2.0 * np.abs(x[0]) * np.abs(x[1]),
        ),
    ):
        np.testing.assert_allclose(cr.grad(f)(x), cr.grad(g)(x), rtol=1e-14)
        assert f(x) == pytest.approx(cr.value_and_grad(f)(x)[0], rel=1e-15)
        assert f(x) == pytest.approx(g(x), rel=1e-15)


def test_numbers_of_python_s_do_not_widen() -> None:
    for kind in (np.float16, np.float32):
        x = kind(0.5)
        for f in (
            lambda x: np.hypot(x, 1.0) ** 2,
            lambda x: np.hypot(2, x) * np.hypot(2, x),
            lambda x: (np.abs(x) * 3.0) ** 2,
        ):
            value, slope = cr.value_and_grad(f)(x)
            assert value.dtype == slope.dtype == f(x).dtype == kind
            assert value == pytest.approx(float(f(np.float64(0.5))), rel=1e-3)


def test_squares_of_roots_of_integers() -> None:
    """Of integers |x|² wraps around as NumPy's does, and the square of a length is a real number, in which nothing does."""
    whole, real = np.array([60_000, -100], np.int32), np.array([0.5, 1.0])
    for f in (
        lambda x, y: np.abs(x) ** 2,
        lambda x, y: np.abs(x) @ np.abs(x),
        lambda x, y: np.hypot(x, x) ** 2,
        lambda x, y: np.hypot(x, y) ** 2,
        lambda x, y: np.linalg.norm(x) ** 2,
    ):
        expected = f(whole, real)
        found = cr.evaluate(cr.trace(f, whole, real), whole, real)
        np.testing.assert_allclose(found, expected, rtol=1e-14)
        assert found.dtype == expected.dtype
