"""Batches against loops over their members: every operation, every mode, every order of transforms."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines import evaluate
from chainrule.errors import PositionError, SettingError, ShapeError, TracingError, UnsupportedError
from chainrule.ops import REGISTRY
from chainrule.tracing import apply
from strategies import cases, inputs_of, programs, split_leaves
from together import together

MEMBERS = 3


def batched(x: Any, seed: int) -> Any:
    """Members that differ from each other by little, so that they stay in the operation's domain."""
    factors = 1.0 + 0.01 * np.random.default_rng(seed).random(MEMBERS)
    return np.stack([(x * f).astype(x.dtype) for f in factors])


def member(x: Any, mine: bool, i: int) -> Any:
    return x[i] if mine else x


def patterns(count: int) -> list[tuple[bool, ...]]:
    """Which of the inputs are batches: each alone, and all."""
    return [p for p in product((False, True), repeat=count) if any(p)] if count <= 3 else [(True,) * count]


@together([(op, dtype) for op in REGISTRY.values() for dtype in (np.float32, np.float64)], lambda op, dtype: op.name)
def test_every_operation(op: Any, dtype: Any) -> None:
    for case in cases(op, dtype):
        leaves, put = split_leaves(case.inputs)
        for flags in patterns(len(leaves)):
            given = [batched(x, i) if mine else x for i, (x, mine) in enumerate(zip(leaves, flags, strict=True))]

            def function(*new: Any, put: Any = put, case: Any = case) -> Any:
                return apply(case.op, *put(new), **case.attributes)

            axes = tuple(0 if mine else None for mine in flags)
            found = cr.vmap(function, axes)(*given)
            members = [[member(x, mine, i) for x, mine in zip(given, flags, strict=True)] for i in range(MEMBERS)]
            expected = np.stack([np.asarray(function(*own)) for own in members])
            np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype == np.float32 else 1e-13, atol=1e-6)
            assert found.dtype == expected.dtype


@pytest.mark.parametrize("op", [op for op in REGISTRY.values() if op.differentiable], ids=lambda op: op.name)
def test_both_modes_inside_and_outside(op: Any) -> None:
    """The derivative of a batch is the batch of derivatives, in both modes."""
    for case in cases(op):
        leaves, put = split_leaves(case.inputs)
        if not leaves:
            continue

        def total(*new: Any, put: Any = put, case: Any = case) -> Any:
            return np.sum(np.real(apply(case.op, *put(new), **case.attributes)))

        given = [batched(x, i) for i, x in enumerate(leaves)]
        every = tuple(range(len(leaves)))
        ones = [np.ones_like(x) for x in leaves]
        inside = cr.vmap(cr.grad(total, every))(*given)
        outside = cr.grad(lambda *new: np.sum(cr.vmap(total)(*new)), every)(*given)
        forward = cr.vmap(lambda *new, ones=ones: cr.jvp(total, new, ones)[1])(*given)
        for i in range(MEMBERS):
            expected = cr.grad(total, every)(*(x[i] for x in given))
            for a, b, c in zip(inside, outside, expected, strict=True):
                np.testing.assert_allclose(a[i], c, rtol=1e-12, atol=1e-13)
                np.testing.assert_allclose(b[i], c, rtol=1e-12, atol=1e-13)
            np.testing.assert_allclose(forward[i], np.real(sum(np.sum(g) for g in expected)), rtol=1e-10, atol=1e-11)


@given(program=programs().filter(lambda program: program.inputs), seed=st.integers(0, 5))
def test_random_programs(program: Any, seed: int) -> None:
    """The reference engine on a batch, against each member by itself."""
    several = [inputs_of(program, seed + i) for i in range(MEMBERS)]
    with np.errstate(all="ignore"):
        expected = [evaluate(program, *own) for own in several]
        found = cr.vmap(lambda *own: evaluate(program, *own))(*(np.stack(own) for own in zip(*several, strict=True)))
    for i in range(MEMBERS):
        for a, b in zip(found, expected[i], strict=True):
            np.testing.assert_allclose(a[i], b, rtol=1e-5 if b.dtype == np.float32 else 1e-12, atol=1e-12)


def test_indices_that_differ_from_member_to_member() -> None:
    x = np.random.default_rng(0).normal(size=(4, 5, 6))
    indices = np.random.default_rng(1).integers(0, 5, size=(4, 2, 3))
    for axes in ((0, 0), (None, 0), (0, None)):
        own = x if axes[0] == 0 else x[0]
        places = indices if axes[1] == 0 else indices[0]
        found = cr.vmap(lambda x, i: apply(REGISTRY["take"], x, i, axis=0), axes)(own, places)
        for k in range(4):
            np.testing.assert_array_equal(
                found[k], np.take(member(own, axes[0] == 0, k), member(places, axes[1] == 0, k), axis=0)
            )
    gradient = cr.grad(lambda x: np.sum(cr.vmap(lambda x, i: np.take(x, i, axis=0) ** 2)(x, indices)))(x)
    expected = np.stack([cr.grad(lambda y, k=k: np.sum(np.take(y, indices[k], axis=0) ** 2))(x[k]) for k in range(4)])
    np.testing.assert_allclose(gradient, expected)


def test_an_index_out_of_bounds_takes_nothing_from_another_member() -> None:
    with pytest.raises(IndexError):
        cr.vmap(lambda x, i: np.take(x, i, axis=0))(np.ones((3, 2)), np.array([0, 2, 1]))
    with pytest.raises(IndexError):
        cr.vmap(lambda x, i: np.take(x, i, axis=0))(np.ones((3, 2)), np.array([0, -3, 1]))
    np.testing.assert_array_equal(
        cr.vmap(lambda x, i: np.take(x, i, axis=0))(np.arange(6.0).reshape(3, 2), np.array([0, -1, 1])), [0, 3, 5]
    )


@pytest.mark.parametrize("engine", [None, "numpy"])
@pytest.mark.parametrize(("axis", "place"), [(0, 5), (0, -4), (1, 4), (1, -7)])
def test_an_index_out_of_bounds_is_told_as_the_member_was_given_it(axis: int, place: int, engine: Any) -> None:
    """Once and twice batched, and in what derivatives add up, which machine code does without the values."""
    x, places = np.ones((2, 3, 3, 4)), np.array([[0, 1, 2], [0, place, 1]])
    once = cr.vmap(lambda x, i: np.sum(np.take(x, i, axis=axis)))
    for function, rows in ((once, (x[0], places[1])), (cr.vmap(once), (x, places))):
        gradient = cr.grad(lambda x, i, function=function: np.sum(function(x, i)))
        for call in (function, gradient):
            with pytest.raises(PositionError, match=f"index {place} .*axis {axis} with size {(3, 4)[axis]}; give one"):
                (call if engine is None else cr.jit(call, engine=engine))(*rows)
    with pytest.raises(PositionError, match=f"index {place} .*axis {axis} with size"):
        cr.vmap(lambda x, i: np.take_along_axis(x, i[:, None], axis=axis))(x[0], places[[1, 1, 1]])


def f(x: Any, w: Any) -> Any:
    return np.tanh(x @ w) * np.max(x, axis=-1, keepdims=True) + np.cumsum(np.sort(x, axis=-1), axis=-1)[..., :1]


X, W = np.random.default_rng(2).normal(size=(5, 4)), np.random.default_rng(3).normal(size=(4, 4))


def test_inside_itself() -> None:
    found = cr.vmap(lambda x: cr.vmap(lambda a, b: np.dot(a, b), in_axes=(0, None))(X, x))(X)
    np.testing.assert_allclose(found, X @ X.T)


def test_machine_code_of_a_batch_and_a_batch_of_machine_code() -> None:
    def value(x: Any, w: Any) -> Any:
        return np.sum(np.tanh(x @ w) * np.max(x))

    expected = np.stack([cr.grad(value)(x, W) for x in X])
    over = cr.vmap(cr.grad(value), in_axes=(0, None))
    np.testing.assert_allclose(cr.jit(over)(X, W), expected, rtol=1e-12)
    np.testing.assert_allclose(cr.vmap(cr.jit(cr.grad(value)), in_axes=(0, None))(X, W), expected, rtol=1e-12)


def test_second_derivatives_of_a_batch() -> None:
    def value(x: Any) -> Any:
        return np.sum(np.sin(x) * x[0]) + np.prod(x)

    expected = np.stack([cr.hessian(value)(x) for x in X])
    np.testing.assert_allclose(cr.vmap(cr.hessian(value))(X), expected, rtol=1e-12, atol=1e-14)
    diagonal = cr.jacobian(lambda xs: cr.vmap(cr.grad(value))(xs))(X)
    for i in range(len(X)):
        np.testing.assert_allclose(diagonal[i, :, i], expected[i], rtol=1e-12, atol=1e-14)


def test_axes_in_any_place_and_nested_arguments() -> None:
    parameters = {"w": np.stack([W, 2 * W], axis=-1), "b": np.ones(4)}
    axes = {"w": -1, "b": None}
    found = cr.vmap(lambda p, x: f(x, p["w"]) + p["b"], in_axes=(axes, None), out_axes=1)(parameters, X)
    expected = np.stack([f(X, W) + 1, f(X, 2 * W) + 1], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    pair = cr.vmap(lambda x: {"twice": 2 * x, "same": np.float64(3)}, out_axes={"twice": 1, "same": None})(X)
    np.testing.assert_array_equal(pair["twice"], 2 * X.T)
    assert pair["same"] == 3
    np.testing.assert_array_equal(cr.vmap(lambda x, y: x - y)(X, y=X), np.zeros_like(X))
    np.testing.assert_array_equal(cr.vmap(lambda x: np.ones(2))(X), np.ones((5, 2)))


def test_an_empty_batch() -> None:
    assert cr.vmap(lambda x: np.sum(np.sort(x)))(np.ones((0, 3))).shape == (0,)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: cr.vmap(np.add)(np.ones(3), np.ones(4)), ShapeError, "different sizes: 3 .* 4"),
        (lambda: cr.vmap(np.add, in_axes=None)(np.ones(3), np.ones(3)), SettingError, "at least one argument"),
        (lambda: cr.vmap(np.add, in_axes=(0,))(np.ones(3), np.ones(3)), SettingError, "1 entries"),
        (lambda: cr.vmap(np.sin)(1.0), ShapeError, "axis 0 of an array of shape"),
        (lambda: cr.vmap(np.sin, in_axes=2)(np.ones((2, 2))), ShapeError, "axis 2"),
        (lambda: cr.vmap(np.sin, in_axes="x")(np.ones(2)), SettingError, "in_axes with 'x'"),
        (lambda: cr.vmap(np.sin, out_axes=None)(np.ones(2)), SettingError, "differs from member to member"),
        (lambda: cr.vmap(np.sin, out_axes=3)(np.ones(2)), ShapeError, r"out_axes with 3 .*shape \(\).*from -1 to 0"),
        (
            lambda: cr.vmap(np.sin, out_axes=(0, 0))(np.ones(2)),
            SettingError,
            "for an array; give a whole number or None",
        ),
        (lambda: cr.vmap(lambda x: {"a": x}, out_axes="c")(np.ones(2)), SettingError, "or a dict of them"),
        (lambda: cr.vmap(3), SettingError, "which is no function"),
        (lambda: cr.vmap(lambda x: x if x > 0 else -x)(np.ones(2)), TracingError, r"np\.where"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(call: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        call()


def test_what_has_no_machine_code_says_so() -> None:
    with pytest.raises(UnsupportedError, match="sort"):
        cr.jit(cr.vmap(np.sort))(X)


def test_axes_by_the_names_of_arguments():
    def f(p, x, *more, scale=1.0, **others):
        return scale * (x @ p["w"] + p["b"]) + sum(more) + sum(others.values())

    W, X, b = np.arange(6.0).reshape(2, 3), np.arange(8.0).reshape(4, 2), np.arange(4.0)
    p = {"w": W, "b": b[:, None]}
    expected = np.stack([X[i] @ W + b[i] for i in range(4)])
    inner = {"w": None, "b": 0}
    np.testing.assert_allclose(cr.vmap(f, in_axes={"p": inner})(p, X), expected)
    np.testing.assert_allclose(cr.vmap(f, in_axes={"p": inner, "x": 1})(p, X.T), expected)
    np.testing.assert_allclose(cr.vmap(f, in_axes={"p": inner, "x": 1})(x=X.T, p=p), expected)
    np.testing.assert_allclose(cr.vmap(f, in_axes={"p": inner, "scale": None})(p, X, scale=2.0), 2 * expected)
    np.testing.assert_allclose(cr.vmap(f, in_axes={"p": inner})(p, X, scale=b), b[:, None] * expected)
    np.testing.assert_allclose(cr.vmap(f, in_axes={"p": inner, "more": None})(p, X, 1.0, 2.0), expected + 3.0)
    np.testing.assert_allclose(cr.vmap(f, in_axes={"p": inner, "shift": None})(p, X, shift=1.0), expected + 1.0)
    gradients = cr.vmap(cr.grad(lambda p, x: np.sum(f(p, x) ** 2)), in_axes={"p": inner})(p, X)
    for i in range(4):
        own = cr.grad(lambda w, i=i: np.sum((X[i] @ w + b[i]) ** 2))(W)
        np.testing.assert_allclose(gradients["w"][i], own)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: cr.vmap(lambda p: p["w"], in_axes={"w": 0})({"w": np.ones(2)}),
            r"'w', which is no argument.*in_axes=\{'p':",
        ),
        (lambda: cr.vmap(lambda x, y: x + y, in_axes={"x": {"a": 0}})(np.ones(2), np.ones(2)), "for an array"),
        (lambda: cr.vmap(lambda p: p["w"], in_axes={"p": {"v": 0}})({"w": np.ones(2)}), "give an entry for each"),
    ],
)
def test_names_that_are_none_are_told(call, says):
    with pytest.raises(SettingError, match=says):
        call()
