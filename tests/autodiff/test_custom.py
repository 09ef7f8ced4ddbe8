"""Derivatives of one's own, computed again, of solutions; linear maps and vectors."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import (
    DerivativeLostError,
    DifferentiationError,
    InPlaceError,
    MatrixError,
    SettingError,
    ShapeError,
    TracingError,
)
from chainrule.ops import REGISTRY

RANDOM = np.random.default_rng(0)
A, B = RANDOM.normal(size=(2, 3, 3))


@cr.custom_derivative(lambda tangents, y, x: tangents[0] * np.cos(x))
def sine(x: Any) -> Any:
    return math.sin(x)  # sees plain numbers only


@cr.custom_derivative(lambda tangents, y, a, b: tangents[0] @ b + a @ tangents[1])
def product(a: Any, b: Any) -> Any:
    assert type(a) is np.ndarray
    return np.asarray(a) @ np.asarray(b)


def test_one_rule_is_both_modes_and_every_order() -> None:
    cr.check_grads(sine, (0.7,), order=4)
    cr.check_grads(product, (A, B), order=3)
    cr.check_grads(lambda a: product(a, np.eye(3)), (A,))
    assert sine(0.5) == math.sin(0.5)
    np.testing.assert_allclose(cr.vmap(product)(np.stack([A, B]), np.stack([B, A])), [A @ B, B @ A])
    np.testing.assert_allclose(
        cr.hessian(lambda a: np.sum(product(a, a)))(A), cr.hessian(lambda a: np.sum(a @ a))(A), atol=1e-12
    )
    fast = cr.jit(cr.grad(lambda a: np.sum(product(a, B) ** 2)), engine="auto")
    np.testing.assert_allclose(fast(A), cr.grad(lambda a: np.sum((a @ B) ** 2))(A))


def test_integers_among_the_arguments() -> None:
    @cr.custom_derivative(lambda tangents, y, x, n: tangents[0] * n * x ** (n - 1))
    def power(x: Any, n: Any) -> Any:
        return x**n

    cr.check_grads(lambda x: power(x, 3), (np.array([1.5, 2.0]),), order=2)


def test_what_is_wrong_with_a_rule_is_said() -> None:
    with pytest.raises(SettingError, match=r"custom_derivative was given 3"):
        cr.custom_derivative(3)
    wrong = cr.custom_derivative(lambda tangents, y, x: np.sum(tangents[0]))(lambda x: np.asarray(x) * 2.0)
    with pytest.raises(ShapeError, match=r"rule of .* gave a tangent of shape \(\) .* must have"):
        cr.jvp(wrong, (np.ones(2),), (np.ones(2),))
    text = cr.custom_derivative(lambda tangents, y, x: tangents[0])(lambda x: "a")
    with pytest.raises(TracingError):
        cr.grad(text)(1.0)


def test_functions_of_one_name_are_two_operations() -> None:
    def made(factor: float) -> Any:
        @cr.custom_derivative(lambda tangents, y, x: factor * tangents[0])
        def scaled(x: Any) -> Any:
            return factor * x

        return scaled

    two, three = made(2.0), made(3.0)
    assert (cr.grad(two)(1.0), cr.grad(three)(1.0), cr.grad(lambda x: two(three(x)))(1.0)) == (2.0, 3.0, 6.0)


def block(x: Any, p: Any) -> Any:
    return {"y": np.tanh(p["w"] @ x), "z": np.sum(x)}


def test_what_is_computed_again_has_the_same_derivatives() -> None:
    x, p = np.ones(3) * 0.3, {"w": A}

    def total(inner: Any) -> Any:
        return lambda x, p: np.sum(inner(x, p)["y"] ** 2) * inner(x, p)["z"]

    again, kept = total(cr.checkpoint(block)), total(block)
    before = set(REGISTRY)
    for transform in (
        cr.grad,
        cr.hessian,
        lambda f: cr.grad(f, 1),
        lambda f: cr.jit(cr.grad(f)),
        lambda f: cr.jacobian(f, mode="forward"),
    ):
        found, expected = transform(again)(x, p), transform(kept)(x, p)
        np.testing.assert_allclose(
            found["w"] if isinstance(found, dict) else found, expected["w"] if isinstance(expected, dict) else expected
        )
    batch = cr.vmap(cr.grad(again), in_axes=(0, None))(np.stack([x, 2 * x]), p)
    np.testing.assert_allclose(batch, [cr.grad(kept)(x, p), cr.grad(kept)(2 * x, p)])
    assert set(REGISTRY) == before
    assert cr.checkpoint(block)(x, p)["z"] == pytest.approx(0.9)


def peak(function: Any, x: Any) -> int:
    cr.grad(function)(x)
    tracemalloc.start()
    cr.grad(function)(x)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def test_computing_again_takes_less_memory() -> None:
    def steps(x: Any) -> Any:
        for _ in range(10):
            x = np.sin(x) * np.cos(x) + x
        return x

    def total(inner: Any) -> Any:
        def function(x: Any) -> Any:
            for _ in range(10):
                x = inner(x)
            return np.sum(x)

        return function

    x = np.ones(20_000)
    assert peak(total(cr.checkpoint(steps)), x) < 0.3 * peak(total(steps), x)


def newton(a: Any) -> Any:
    x = np.ones_like(a)
    for _ in range(40):
        x = x - (x * x - a) / (2 * x)
    return x


def test_solutions_by_what_they_solve() -> None:
    root = cr.implicit(newton, lambda x, a: x * x - a)
    cr.check_grads(root, (np.array([4.0, 9.0]),), order=2)
    cr.check_grads(root, (2.0,), order=3)
    np.testing.assert_allclose(cr.grad(lambda a: np.sum(root(a)))(np.array([4.0, 9.0])), [0.25, 1 / 6])
    solved = cr.implicit(np.linalg.solve, lambda x, matrix, b: matrix @ x - b)
    cr.check_grads(solved, (A + 3 * np.eye(3), B[0]), order=2)


def stopped(after: int) -> Any:
    def solve(a: Any) -> Any:
        x = np.ones_like(a)
        for _ in range(after):
            x = x - (x * x - a) / (2 * x)
        return x

    return solve


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_is_no_solution_has_no_derivative(dtype: Any) -> None:
    a = np.array([4.0, 9.0], dtype)
    condition = lambda x, a: x * x - a  # noqa: E731
    for way in (cr.grad, lambda f: lambda a: cr.jvp(f, (a,), (a,)), cr.hessian):
        with pytest.raises(DifferentiationError, match=r"does not solve its condition.*more iterations"):
            way(lambda a: np.sum(cr.implicit(stopped(2), condition)(a)))(a)
    loose = cr.implicit(stopped(4), condition, tolerance=0.1)
    np.testing.assert_allclose(cr.grad(lambda a: np.sum(loose(a)))(a), 0.5 / np.sqrt(a), rtol=0.02)
    exact = cr.implicit(lambda a: np.sqrt(a), condition)
    wrong = cr.implicit(lambda a: np.sqrt(a) * dtype(1.05), condition)
    for scale in (1e-12, 1.0, 1e12):  # whatever the units
        slope = cr.grad(lambda a: np.sum(exact(a)))(a * dtype(scale))
        np.testing.assert_allclose(slope, 0.5 / np.sqrt(a * scale), rtol=1e-6)
        with pytest.raises(DifferentiationError, match="does not solve"):
            cr.grad(lambda a: np.sum(wrong(a)))(a * dtype(scale))


def test_solutions_of_zero() -> None:
    difference = cr.implicit(lambda a, b: a - b + 1e-17, lambda x, a, b: x - (a - b))
    assert cr.grad(difference, (0, 1))(1.5, 1.5) == (1.0, -1.0)
    nothing = cr.implicit(lambda a: np.zeros(2), lambda x, a: a * np.sin(x))
    np.testing.assert_array_equal(cr.jacobian(nothing)(3.0), [0.0, 0.0])
    cancelled = cr.implicit(  # to a ten-billionth of what cancels, beside an equation that is 0 = 0
        lambda a: np.stack([a - 1e6 + 1e-4, 0 * a]), lambda x, a: np.stack([x[0] - (a - 1e6), x[1]])
    )
    np.testing.assert_array_equal(cr.jacobian(cancelled)(1e6 + 1e-3), [1.0, 0.0])
    with pytest.raises(DifferentiationError, match="does not solve"):
        cr.grad(cr.implicit(lambda a: 1e-3 + 0 * a, lambda x, a: x * (x + a)))(0.5)
    with pytest.raises(MatrixError):
        cr.grad(cr.implicit(lambda a: 0 * a, lambda x, a: x * x - a))(0.0)


def test_a_condition_of_traced_values_besides_its_arguments() -> None:
    def through(w: Any) -> Any:
        return cr.implicit(lambda a: np.sqrt(a * 2.0), lambda x, a: x * x - a * w)(3.0)

    for way in (
        cr.grad,
        lambda f: lambda w: cr.jvp(f, (w,), (1.0,)),
        cr.jit,
        lambda f: lambda w: cr.vmap(f)(np.ones(2) * w),
    ):
        with pytest.raises((DerivativeLostError, TracingError), match=r"besides its arguments.*Give them as arguments"):
            way(through)(2.0)
    assert cr.grad(lambda w: w * cr.implicit(np.sqrt, lambda x, a: x * x - a)(4.0))(3.0) == 2.0


NONLINEAR: dict[str, Any] = {
    "square": lambda t, y, x: t[0] ** 2,
    "size": lambda t, y, x: np.abs(t[0]) * np.cos(x),
    "cube": lambda t, y, x: t[0] * np.cos(x) + 0.5 * t[0] ** 3,
    "one side": lambda t, y, x: np.maximum(t[0], 0.0),
}


@pytest.mark.parametrize("name", NONLINEAR)
def test_rules_that_are_nothing_for_nothing_are_linear(name: str) -> None:
    x = np.array([0.5, 1.5])
    for way in (lambda f: cr.grad(f)(x), lambda f: cr.jvp(f, (x,), (np.ones(2),))):
        sine = cr.custom_derivative(NONLINEAR[name])(np.sin)
        with pytest.raises(DifferentiationError, match=r"linear in the tangents"):
            way(lambda x, sine=sine: np.sum(sine(x)))


def test_a_rule_is_looked_at_once() -> None:
    calls = []

    @cr.custom_derivative(lambda t, y, x: [t[0] * np.cos(x), calls.append(1)][0])
    def sine(x: Any) -> Any:
        return np.sin(x)

    x = np.array([0.5, 1.5])
    cr.grad(lambda x: np.sum(sine(x)))(x)
    first = len(calls)
    cr.grad(lambda x: np.sum(sine(x)))(x)
    assert first == 3
    assert len(calls) == first + 1


def test_a_linear_map_is_the_derivative_at_a_point() -> None:
    calls = []

    def function(x: Any, p: Any) -> Any:
        calls.append(1)
        return [np.sin(x) * p["s"], np.sum(x), 3.0]

    x, p = np.array([0.1, 0.5]), {"s": 2.0}
    value, derivative = cr.linearize(function, x, p)
    x[...] = 7.0  # the point is as it was
    for tangents in ((np.array([1.0, 0.0]), {"s": 0.0}), (np.array([0.0, 2.0]), {"s": 1.0})):
        expected = cr.jvp(function, (np.array([0.1, 0.5]), p), tangents)
        for a, b in zip(derivative(*tangents), expected[1], strict=True):
            np.testing.assert_allclose(a, b)
        np.testing.assert_allclose(value[0], expected[0][0])
    assert len(calls) == 1 + 2  # and two by jvp
    _, slope = cr.linearize(cr.grad(lambda x: np.sum(x**3)), np.array([1.0, 2.0]))
    np.testing.assert_allclose(slope(np.ones(2)), [6.0, 12.0])
    inner = cr.grad(lambda y: cr.linearize(lambda x: x**2 * y, 3.0)[1](1.0))
    assert inner(1.0) == 6.0


def test_containers_are_vectors_and_back() -> None:
    tree = {"w": np.ones((2, 2)), "b": [3.0, np.arange(2.0)], "none": None}
    vector, unflatten = cr.flatten(tree)
    np.testing.assert_array_equal(vector, [1, 1, 1, 1, 3, 0, 1])
    back = unflatten(vector)
    assert back["none"] is None
    np.testing.assert_array_equal(back["w"], tree["w"])
    np.testing.assert_array_equal(back["b"][1], [0.0, 1.0])
    gradient = cr.grad(lambda q: cr.flatten({"a": q, "b": [q * 2]})[0] @ np.arange(4.0))(np.ones(2))
    np.testing.assert_array_equal(gradient, [0 + 2 * 2, 1 + 2 * 3])
    with pytest.raises(ShapeError, match=r"shape \(3,\); give a vector of 7"):
        unflatten(np.ones(3))
    assert cr.flatten([])[0].shape == (0,)


def test_a_checkpoint_inside_of_compiled_derivatives_and_of_loops() -> None:
    block = cr.checkpoint(lambda x: np.sin(x) * x)
    x = np.array([0.5, 1.5])
    plain = lambda x: np.sum(np.sin(x) * x)  # noqa: E731
    np.testing.assert_allclose(cr.jit(cr.grad(lambda x: np.sum(block(x))))(x), cr.grad(plain)(x))
    np.testing.assert_allclose(cr.jit(lambda x: cr.jvp(block, (x,), (x,))[1])(x), cr.grad(plain)(x) * x)
    inside = lambda x: np.sum(cr.loop(lambda s, i: cr.grad(lambda t: np.sum(block(t)))(s), x, 2))  # noqa: E731
    expected = lambda x: np.sum(cr.grad(plain)(cr.grad(plain)(x)))  # noqa: E731
    np.testing.assert_allclose(cr.grad(inside)(x), cr.grad(expected)(x))


WAYS: dict[str, Any] = {
    "reverse": lambda f, x: cr.grad(f)(x),
    "second order": lambda f, x: cr.hessian(f)(x),
    "third order": lambda f, x: cr.grad(lambda x: np.sum(cr.hessian(f)(x)))(x),
    "jit of reverse": lambda f, x: cr.jit(cr.grad(f))(x),
    "jit of forward": lambda f, x: cr.jit(lambda x: cr.jvp(f, (x,), (x,))[1])(x),
    "jit of second order": lambda f, x: cr.jit(cr.hessian(f))(x),
    "reverse of jit": lambda f, x: cr.grad(cr.jit(f))(x),
    "vmap of reverse": lambda f, x: cr.vmap(cr.grad(f))(np.stack([x, 2 * x])),
    "reverse of vmap": lambda f, x: cr.grad(lambda X: np.sum(cr.vmap(f)(X)))(np.stack([x, 2 * x])),
    "jit of vmap of reverse": lambda f, x: cr.jit(cr.vmap(cr.grad(f)))(np.stack([x, 2 * x])),
}


@pytest.mark.parametrize("way", WAYS)
def test_checkpoint_in_every_mixture(way: str) -> None:
    def block(x: Any) -> Any:
        return np.sin(x) * x, {"square": x * x}

    def with_block(x: Any, block: Any) -> Any:
        first, second = block(x)
        return np.sum(first * second["square"])

    x = np.array([0.5, 1.5])
    found = WAYS[way](lambda x: with_block(x, cr.checkpoint(block)), x)
    np.testing.assert_allclose(found, WAYS[way](lambda x: with_block(x, block), x), rtol=1e-12)


def test_checkpoint_gives_arrays_that_were_written_to() -> None:
    import chainrule.numpy as chainrule_numpy

    def block(x: Any) -> Any:
        total, parts = chainrule_numpy.array(0.0), chainrule_numpy.zeros(2)
        for i in range(2):
            total += x[i] ** 2
            parts[i] = x[1 - i]
        return total, parts

    def loss(x: Any, block: Any) -> Any:
        total, parts = block(x)
        return total * np.sum(parts * np.array([1.0, 2.0]))

    x, again = np.array([0.5, 1.5]), cr.checkpoint(block)
    cr.check_grads(lambda x: loss(x, again), (x,), order=2)
    np.testing.assert_allclose(cr.grad(lambda x: loss(x, again))(x), cr.grad(lambda x: loss(x, block))(x), rtol=1e-12)


def test_checkpoint_keeps_every_dtype() -> None:
    def block(x: Any) -> Any:
        return x, x.astype(np.float32), x * 1j, x > 1.0, 3, np.arange(2)

    x = np.array([0.5, 1.5])
    seen: list[Any] = []
    cr.grad(lambda x: [np.sum(x), seen.extend(cr.checkpoint(block)(x))][0])(x)
    assert [np.dtype(v.dtype) for v in seen] == [np.dtype(np.asarray(v).dtype) for v in block(x)]
    assert cr.grad(lambda x: np.sum(x[cr.checkpoint(lambda x: (x, [1, 1]))(x)[1]] ** 2))(x)[1] == 6.0


def test_what_is_computed_again_must_be_the_same() -> None:
    """The derivative would be that of other numbers."""
    factors, random, settings = np.array([2.0, 3.0]), np.random.default_rng(0), {"k": 2.0}
    x = np.array([0.5, 1.5])

    def later(block: Any, change: Any) -> Any:
        return cr.grad(lambda x: [np.sum(cr.checkpoint(block)(x)), change()][0])(x)

    for block, change in (
        (lambda x: np.tanh(x * factors), lambda: factors.fill(9.0)),
        (lambda x: np.sin(x * settings["k"]), lambda: settings.update(k=5.0)),
        (lambda x: x * random.normal(size=2), lambda: None),
    ):
        with pytest.raises(InPlaceError, match=r"other numbers when it was computed again.*as arguments"):
            later(block, change)
    with np.errstate(all="ignore"):  # infinities are the same too
        assert later(lambda x: np.where(x > 1, np.log(x - 1.5), x), lambda: None)[0] == 1.0


def test_rules_are_linear_and_of_their_arguments_alone() -> None:
    x = np.array([0.5, 1.5])
    for rule in (lambda t, y, x: np.cos(x), lambda t, y, x: t[0] + 1.0):
        sine = cr.custom_derivative(rule)(np.sin)
        with pytest.raises(DifferentiationError, match=r"for tangents of zero.*linear.*tangents\[0\]"):
            cr.grad(lambda x, sine=sine: np.sum(sine(x)))(x)

    def around(x: Any) -> Any:
        return np.sum(cr.custom_derivative(lambda t, y, z: t[0] * x)(lambda z: z * 2.0)(x * 1.0))

    for way in (
        cr.grad,
        lambda f: lambda x: cr.jvp(f, (x,), (x,))[1],
        cr.hessian,
        lambda f: cr.jit(cr.grad(f), engine="numpy"),
    ):
        with pytest.raises(DerivativeLostError, match=r"the rule of a custom_derivative.*Give them as arguments"):
            way(around)(x)

    def in_place(tangents: Any, y: Any, x: Any) -> Any:
        moved = tangents[0]
        moved *= np.cos(x)
        return moved

    sine = cr.custom_derivative(in_place)(np.sin)
    direction = np.ones(2)
    np.testing.assert_allclose(cr.jvp(lambda x: sine(x) + x, (x,), (direction,))[1], np.cos(x) + 1.0)
    np.testing.assert_array_equal(direction, 1.0)
    with pytest.raises(ShapeError, match="one equation for every number"):
        cr.grad(lambda a: np.sum(cr.implicit(np.sqrt, lambda x, a: (x * x - a)[:1])(a)))(x)


@pytest.mark.parametrize("error", [0.0, 1e-17, -2e-13, 3e-9])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_solutions_near_zero_are_as_good_as_absolute_errors(error: float, kind: Any) -> None:
    """Solvers stop at absolute errors, such as `xtol=2e-12`; beside a solution of 0 there is nothing else to compare them with."""
    conditions: list[tuple[Any, float]] = [
        (lambda x, a: x**3 + x - a, 1.0),
        (lambda x, a: np.exp(x) - 1 - a, 1.0),
        (lambda x, a: x - 0.3 * np.sin(x) - a, 1 / 0.7),
        (lambda x, a: np.tanh(x) * 2 - a, 0.5),
    ]
    for condition, slope in conditions:
        solved = cr.implicit(lambda a: kind(error), condition)
        assert cr.grad(solved)(kind(0.0)) == pytest.approx(slope, rel=1e-6)
        beside = cr.implicit(lambda a: np.array([1e3, error], kind), lambda x, a: x - np.stack([1e3 + a, x[1] * 0 + a]))
        assert cr.jacobian(beside)(kind(0.0)).tolist() == [1.0, 1.0]


def test_small_errors_that_change_the_derivative_are_refused() -> None:
    root = lambda x, a: x * x - a  # noqa: E731
    for a, found in ((1e-20, 2e-10), (4.0, np.inf), (1e-20, 1.001e-10)):
        with pytest.raises(DifferentiationError, match="does not solve"):
            cr.grad(cr.implicit(lambda a, found=found: found, root))(a)
    with pytest.raises(
        DifferentiationError, match="does not solve"
    ):  # a number that is wrong, beside one that is large
        cr.jacobian(cr.implicit(lambda a: np.sqrt(a) + np.array([0.0, 0.9]), root))(np.array([1e18, 0.01]))


def test_rules_whose_numbers_are_the_least_there_are() -> None:
    for slope in (5e-324, 3e-323, 1e-310):
        function = cr.custom_derivative(lambda tangents, y, x, slope=slope: tangents[0] * slope)(lambda x: x * slope)  # noqa: B023
        assert cr.grad(function)(1.0) == slope
