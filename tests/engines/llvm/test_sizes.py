"""Groups that differ in sizes share code: the same bits as code for each, and hardly more code for more of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.llvm.contractions import blocking
from chainrule.engines.llvm.emission import repeats
from chainrule.engines.llvm.machine import cache
from chainrule.engines.llvm.planning import groups
from chainrule.engines.llvm.runs.kernel import Kernel
from chainrule.engines.llvm.writing.sizes import Sizes, decided, smaller, worked_out
from chainrule.tracing.trees import leaves_of


def compiled(f: Callable[..., Any], *inputs: Any, told: bool) -> Any:
    """The function as machine code that is told sizes wherever it can be, or knows all of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "LONG", 1 if told else 10**9)
        patch.setattr(repeats, "FEW", 0)
        patch.setattr(repeats, "FEW_PRODUCTS", 0)
        patch.setattr(cache, "read", lambda _: None)
        return Kernel(cr.simplify(cr.trace(f, *inputs)))


def same_bits(f: Callable[..., Any], *inputs: Any) -> None:
    known, told = (compiled(f, *inputs, told=told) for told in (False, True))
    for one, other in zip(told(*leaves_of(inputs)), known(*leaves_of(inputs)), strict=True):
        np.testing.assert_array_equal(one, other)


def drawn(dtype: str, rows: int, sizes: list[tuple[int, int]]) -> tuple[list[Any], list[Any], list[Any]]:
    """Rows of numbers on both sides of weights of these sizes, and the weights."""
    random = np.random.default_rng(rows)
    shapes = [(rows, a) for a, _ in sizes], [(rows, b) for _, b in sizes], sizes
    xs, gs, ws = ([random.normal(size=shape).astype(dtype) for shape in kinds] for kinds in shapes)
    return xs, gs, ws


SIZES = [
    (3, 5),
    (5, 16),
    (9, 33),
    (16, 20),
    (17, 48),
    (20, 70),
    (33, 9),
    (48, 17),
    (60, 40),
    (70, 1),
    (1, 33),
    (90, 64),
    (31, 97),
]


@pytest.mark.parametrize("rows", [1, 7, 530])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("in_blocks", [False, True], ids=["where they are", "in blocks"])
def test_products(dtype: str, rows: int, in_blocks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if in_blocks:
        monkeypatch.setattr(blocking, "panels_are_worth", lambda *_, **__: True)

    def products(xs: Any, gs: Any, ws: Any) -> Any:
        return [(np.tanh(x @ w + 0.5), (g @ w.T) * x, w - 0.1 * (x.T @ g)) for x, g, w in zip(xs, gs, ws, strict=True)]

    same_bits(products, *drawn(dtype, rows, SIZES[:: 1 if rows < 500 else 3]))


@pytest.mark.parametrize("rows", [1, 6, 300])
def test_sums_and_elements(rows: int) -> None:
    def elements(xs: Any, gs: Any, ws: Any) -> Any:
        return [
            (np.sum(x, axis=0), np.max(g, axis=1), np.mean(w * w), np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True))
            for x, g, w in zip(xs, gs, ws, strict=True)
        ]

    same_bits(elements, *drawn("float32", rows, SIZES))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "bool"])
def test_moves(dtype: str) -> None:
    """Cut out, put among zeros, joined, turned over and repeated, by vectors and one by one."""

    def moves(xs: Any) -> Any:
        return [
            (
                x[1:, ::2] * 1,
                np.pad(x, ((1, 0), (2, 1))),
                np.concatenate([x[:, 2:], x, x[:, :1]], axis=1),
                np.stack([x[0], x[-1]], axis=1),
                x.T[1:, :] * 1,
                np.broadcast_to(x[:1], x.shape) * 1,
                np.transpose(np.stack([x, x]), (2, 0, 1)),
            )
            for x in xs
        ]

    random = np.random.default_rng(0)
    sizes = [
        (2, 5),
        (4, 4),
        (3, 16),
        (9, 33),
        (16, 16),
        (17, 48),
        (20, 70),
        (33, 9),
        (64, 32),
        (60, 40),
        (31, 97),
        (32, 96),
    ]
    same_bits(moves, [(random.normal(size=size) * 9).astype(dtype) for size in sizes])


def test_moves_of_many_sizes_are_one_function() -> None:
    def total(x: Any) -> Any:
        for k in range(100):
            x = np.tanh(x[1:] - x[:-1])[k % 2 :]
        return np.sum(x)

    def lines(length: int) -> int:
        program = cr.simplify(cr.trace(cr.grad(total), np.ones(length)))
        return str(Kernel(program).function.ir).count("\n")

    assert lines(200) < 1000  # of 1,000 equations


def gradient_of_layers(weights: Any, x: Any) -> Any:
    def loss(weights: Any) -> Any:
        h = x
        for w, b in weights:
            h = np.tanh(h @ w + b)
        return np.mean(h**2)

    return cr.value_and_grad(loss)(weights)


def layers(count: int, rows: int = 33) -> tuple[Any, Any]:
    """Layers that all have other shapes, and what goes into the first."""
    random = np.random.default_rng(0)
    sizes = [int(n) for n in random.permutation(np.arange(10, 11 + count))]
    weights = [(random.normal(size=(a, b)) / 9, np.zeros(b)) for a, b in pairwise(sizes)]
    return weights, random.normal(size=(rows, sizes[0]))


def test_layers_of_other_shapes_are_hardly_more_code() -> None:
    """Of 900 equations 405 groups are like no other, which took 124 lines of code an equation, and 15 in functions."""
    program = cr.simplify(cr.trace(gradient_of_layers, *layers(100)))
    assert str(Kernel(program).function.ir).count("\n") < 8 * 900


def test_they_are_right() -> None:
    weights, x = layers(60)
    value, gradient = cr.jit(gradient_of_layers, engine="llvm")(weights, x)
    expected, expected_gradient = cr.jit(gradient_of_layers, engine="numpy")(weights, x)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    for found, known in zip(leaves_of(gradient), leaves_of(expected_gradient), strict=True):
        np.testing.assert_allclose(found, known, rtol=1e-9, atol=1e-12)


def test_code_is_told_what_it_needs_and_is_that_of_sizes_which_answer_alike() -> None:
    sizes = Sizes([12, 5])
    rows, columns = sizes.all
    assert rows > 8
    assert columns % 2
    sizes.told(rows * columns + 1)
    sizes.told(smaller(rows, 20))
    sizes.told(-(-columns // 2))
    assert decided(lambda n, least: "many" if n > least else "few", rows, 10) == "many"
    for size in worked_out(divmod, rows, columns):
        sizes.told(size)
    assert sizes.numbers([12, 5]) == (61, 12, 3, 2, 2)
    assert sizes.numbers([30, 7]) == (211, 20, 4, 4, 2)
    assert sizes.numbers([8, 5]) is None
    assert sizes.numbers([12, 4]) is None
    assert sizes.numbers([10, 5]) is None


def test_a_size_that_is_needed_as_a_number_is_that_of_no_other() -> None:
    for needed in (lambda n: [*range(n)], hash, float, lambda n: n in {3: 1}):
        sizes = Sizes([3])
        needed(sizes.all[0])
        sizes.told(sizes.all[0])
        assert sizes.numbers([3]) == (3,)
        assert sizes.numbers([4]) is None
