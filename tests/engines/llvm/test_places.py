"""Values take the places of others that are done with: whatever a group still reads is there, in whichever order it writes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import chainrule as cr
from trying import examples

PRODUCT_OF = {
    "numbers": lambda x, y, s: np.einsum("i,->i", x[:, 0], s),
    "rows": lambda x, y, s: np.einsum("ik,k->i", x, y),
    "columns": lambda x, y, s: np.einsum("ki,k->i", x.T, y),
}
"""What is added to what is there: kinds of products, which are written by different code."""

BESIDE = {
    "added": lambda c, d, a, b, q: c + q,
    "apart": lambda c, d, a, b, q: a + b,
    "again": lambda c, d, a, b, q: c * a,
    "both": lambda c, d, a, b, q: d - c,
    "other": lambda c, d, a, b, q: d * b,
}
"""What is computed beside the product, of values that are done with then."""


@pytest.mark.parametrize("kind", PRODUCT_OF)
@pytest.mark.parametrize("shape", [(3, 2), (40, 20), (16, 700)])
def test_what_a_product_is_added_to(kind: str, shape: tuple[int, int]) -> None:
    """In every order: the sum may be written first, and what it begins with read apart from all others, or neither."""
    random = np.random.default_rng(shape)
    length, summed = shape
    given = [*random.normal(size=(3, length)), random.normal(size=shape), random.normal(size=summed), np.asarray(0.7)]
    for order in permutations(BESIDE, 3):
        if "added" not in order:
            continue

        def function(a: Any, b: Any, e: Any, x: Any, y: Any, s: Any, order: Any = order) -> Any:
            c, d = np.einsum(",i->i", s, e), np.einsum(",i->i", s, a)
            q = PRODUCT_OF[kind](x, y, s)
            return [BESIDE[name](c, d, a, b, q) for name in order]

        for name, found, right in zip(order, cr.jit(function, engine="llvm")(*given), function(*given), strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-9, err_msg=f"{name} of {order}")


def test_a_second_derivative() -> None:
    """As it was found: by a vector, of a product added to a vector, whose numbers all lie in a few places."""
    weights, v = np.array([1.3, -0.7, 0.4]), np.random.default_rng(0).uniform(0.5, 1.0, (2, 3))

    def f(x: Any, y: Any) -> Any:
        return np.sum((np.tanh(np.einsum("i,i->", x, y) + x) + x) * weights) + 0.1 * np.sum(x * y)

    def slope(x: Any, y: Any) -> Any:
        return sum(np.sum(g * d) for g, d in zip(cr.grad(f, (0, 1))(x, y), v, strict=True))

    second = cr.grad(slope, (0, 1))
    given = np.array([0.43, -0.73, -1.46]), np.array([-1.54, 1.0, 1.32])
    for found, expected in zip(cr.jit(second, engine="llvm")(*given), second(*given), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


LENGTHS = {"a": 3, "b": 5}
PRODUCTS = ["a,->a", ",b->b", "a,b->ab", "ab,b->a", "ab,ab->", "a,ab->b", "ab,->ab", "ab,cb->ac", ",->"]
ELEMENTWISE = [np.add, np.add, np.subtract, np.multiply]


@st.composite
def mixed(draw: Any) -> tuple[Callable[..., Any], list[Any]]:
    """Products and what is done to them point by point, several results of which are wanted."""
    shapes = [(), (), (3,), (3,), (5,), (5,), (3, 5), (3, 5)]
    inputs, steps = len(shapes), []

    def among(shape: tuple[int, ...]) -> int:
        return draw(st.sampled_from([i for i, x in enumerate(shapes) if x == shape][-4:]))

    for _ in range(draw(st.integers(3, 14))):
        if draw(st.booleans()):
            subscripts = draw(st.sampled_from(PRODUCTS))
            letters, result = subscripts.split("->")
            length = {**LENGTHS, "c": 3}
            wanted = [tuple(length[c] for c in part) for part in letters.split(",")]
            shape = tuple(length[c] for c in result)
            if any(x not in shapes for x in wanted):
                continue
            steps.append((subscripts, *(among(x) for x in wanted)))
        else:
            shape = draw(st.sampled_from(shapes[-4:]))
            steps.append((draw(st.sampled_from(ELEMENTWISE)), among(shape), among(shape)))
        shapes.append(shape)
    assume(steps)
    wanted = draw(st.lists(st.integers(inputs, len(shapes) - 1), min_size=1, max_size=6, unique=True))

    def function(*given: Any) -> Any:
        values = list(given)
        for what, i, j in steps:
            values.append(
                np.einsum(what, values[i], values[j]) if isinstance(what, str) else what(values[i], values[j])
            )
        return [values[i] for i in wanted]

    random = np.random.default_rng(draw(st.integers(0, 9)))
    return function, [np.asarray(random.uniform(-1.0, 1.0, x)) for x in shapes[:inputs]]


@examples(100)
@given(mixed())
def test_products_and_what_is_done_to_them(drawn: tuple[Callable[..., Any], list[Any]]) -> None:
    function, given = drawn
    for found, expected in zip(cr.jit(function, engine="llvm")(*given), function(*given), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * (1 + np.abs(expected).max()))
