"""Arrays turned over by squares in registers: every element in its place, whatever the lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr

SHAPES = [(10, 32), (32, 10), (9, 9), (16, 16), (17, 33), (4, 5), (3, 40), (64, 100)]


def turned(x: Any) -> Any:
    """All of it, a part that begins and ends inside of rows, and three axes."""
    whole = np.transpose(x)
    cube = np.transpose(np.reshape(np.concatenate([x, 2 * x, 3 * x]), (3, *x.shape)), (2, 0, 1))
    return whole * 2, np.transpose(x[1:, 1:]) + 1, cube * 2


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_element_is_in_its_place(shape: tuple[int, int], dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 10_000, shape).astype(dtype)
    for found, expected in zip(cr.jit(turned)(x), turned(x), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_gradient_by_a_layers_input(shape: tuple[int, int]) -> None:
    w = np.random.default_rng(1).normal(size=shape)
    x = np.random.default_rng(2).normal(size=(20, shape[0]))
    found = cr.jit(cr.grad(lambda x: np.sum(np.tanh(x @ w))))(x)
    np.testing.assert_allclose(found, (1 - np.tanh(x @ w) ** 2) @ w.T, rtol=1e-10, atol=1e-10)
