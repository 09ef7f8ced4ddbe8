"""Constant factors joined: fewer multiplications, the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines import REFERENCE
from chainrule.engines.llvm.planning.factors import with_joined_factors
from chainrule.tracing import Program, simplify, trace
from chainrule.tracing.passes.simplify import drop_unused
from trying import examples

X = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)


def joined(f: Any, x: Any = X) -> Program:
    return drop_unused(with_joined_factors(simplify(trace(f, x))))


def multiplications(program: Program) -> int:
    return sum(e.op.name == "multiply" for e in program.equations)


@pytest.mark.parametrize(
    ("f", "count"),
    [
        (lambda x: 2.0 * (0.3 * x), 1),
        (lambda x: 0.25 * (2.0 * (0.3 * x)), 1),
        (lambda x: np.full((3, 4), 0.25, np.float32) * (2.0 * x), 1),
        (lambda x: 0.7 * (0.3 * x), 2),  # rounded twice
        (lambda x: x * np.arange(12, dtype=np.float32).reshape(3, 4) * 2.0, 2),
        (lambda x: np.full((2, 3, 4), 2.0, np.float32) * (2.0 * x), 2),  # gives the result its shape
        (lambda x: np.full((3, 4), 2.0) * (2.0 * x), 2),  # and its dtype
        (lambda x: 2.0**-100 * (2.0**-100 * x), 2),  # no such number
        (lambda x: 2.0**100 * (2.0**100 * x), 2),
        (lambda x: np.inf * (2.0 * x), 2),
        (lambda x: np.nan * (2.0 * x), 2),
    ],
)
def test_multiplications(f: Any, count: int) -> None:
    program = joined(f)
    assert multiplications(program) == count
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(REFERENCE.executable(program)(X)[0], f(X))


@given(
    factors=st.lists(
        st.one_of(st.floats(0.0625, 100, width=32), st.integers(-9, 9).map(lambda k: 2.0**k)), min_size=2, max_size=4
    ),
    x=st.floats(2.0**-20, 2.0**20, width=32),
)
@examples(100)
def test_bits_are_the_same(factors: list[float], x: float) -> None:
    def product(x: Any) -> Any:
        for factor in factors:
            x = factor * x
        return x

    given = np.array([x, -x], np.float32)
    np.testing.assert_array_equal(REFERENCE.executable(joined(product, given))(given)[0], product(given))
    np.testing.assert_array_equal(cr.jit(product)(given), product(given))
