"""Jacobians against SymPy, by running an operation's own NumPy code on arrays of symbols."""

import itertools
import math

import numpy as np
import pytest
import sympy as sp

from chainrule.autodiff import jacobian
from chainrule.ops import REGISTRY, Contraction, Layout, Reduction
from chainrule.tracing import apply
from strategies import cases, split_leaves


def runs_on_symbols(op):
    """Whether the operation only adds, multiplies and moves, which NumPy does with any Python objects."""
    joined = getattr(op, "combine", None) or getattr(
        op, "accumulate", None
    )  # how a fold or a running one joins elements
    return isinstance(op, Layout | Contraction) or joined in ("add", "multiply")


POLYNOMIAL = [op for op in REGISTRY.values() if runs_on_symbols(op)]


def symbols_like(x, name):
    return np.array([sp.Symbol(f"{name}_{i}") for i in range(x.size)], object).reshape(x.shape)


def slope(formula, symbol, numbers):
    formula = sp.sympify(formula)
    return float(sp.diff(formula, symbol).subs(numbers)) if symbol in formula.free_symbols else 0.0


@pytest.mark.parametrize("op", POLYNOMIAL, ids=lambda op: op.name)
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_jacobian_equals_sympy(op, mode):
    for case in cases(op):
        leaves, put = split_leaves(case.inputs)
        symbolic = [symbols_like(x, f"s{i}") for i, x in enumerate(leaves)]
        formula = np.asarray(op.evaluate(*put(symbolic), **case.attributes), object)
        numbers = {s: v for xs, x in zip(symbolic, leaves, strict=True) for s, v in zip(xs.flat, x.flat, strict=True)}
        found = jacobian(
            lambda *new, case=case, put=put: apply(case.op, *put(new), **case.attributes),
            argnums=tuple(range(len(leaves))),
            mode=mode,
        )(*leaves)
        for block, xs in zip(found, symbolic, strict=True):
            assert block.shape == formula.shape + xs.shape
            expected = [slope(y, s, numbers) for y, s in itertools.product(formula.flat, xs.flat)]
            np.testing.assert_allclose(block.reshape(-1), expected, rtol=1e-12, atol=1e-14)


def test_the_kinds_that_only_move_and_multiply_are_covered():
    assert {type(op) for op in POLYNOMIAL} >= {Layout, Contraction, Reduction}


def test_product_of_numbers_with_zeros():
    """One zero, two zeros: the products of the others, exactly, where division would give NaN."""
    x = np.array([2.0, 0.0, 3.0])
    np.testing.assert_array_equal(jacobian(np.prod)(x), [0.0, 6.0, 0.0])
    np.testing.assert_array_equal(jacobian(np.prod)(np.array([2.0, 0.0, 0.0])), [0.0, 0.0, 0.0])
    second = jacobian(jacobian(np.prod))(np.array([2.0, 0.0, 0.0]))
    np.testing.assert_array_equal(second, [[0.0, 0.0, 0.0], [0.0, 0.0, 2.0], [0.0, 2.0, 0.0]])
    assert math.prod(x) == 0
