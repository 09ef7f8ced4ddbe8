"""Products of few terms and sums across lanes: each number is the same whatever is computed beside it, and as exact as NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr

FORMS: dict[str, Callable[..., Any]] = {
    "bias": lambda x, w, b: x @ w + b,
    "bias first": lambda x, w, b: b + x @ w,
    "sum needed again": lambda x, w, b: (x @ w + b) * (x @ w),
    "result needed again": lambda x, w, b: np.tanh(x @ w + b) + (x @ w + b),
    "with itself": lambda x, w, b: x @ w + x @ w,
    "with what is made of it": lambda x, w, b: x @ w + np.exp(-np.abs(x @ w)),
    "of all": lambda x, w, b: x @ w + x[:, :1] * b,
    "number": lambda x, w, b: x @ w + 0.3,
    "product as bias": lambda x, w, b: x @ w + b * b,
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", sorted(FORMS))
def test_what_is_added_to_products(form: str, dtype: str) -> None:
    f, random = FORMS[form], np.random.default_rng(len(form))
    for rows, terms, units in [(4, 2, 2), (1, 8, 3), (3, 9, 1), (2, 16, 5), (5, 17, 4), (7, 1, 9)]:
        x, w, b = (random.normal(size=shape).astype(dtype) for shape in ((rows, terms), (terms, units), (units,)))
        wide = [a.astype(np.float64) for a in (x, w, b)]
        sizes = np.abs(wide[0]) @ np.abs(wide[1]) + np.abs(wide[2]) + np.abs(wide[2]) ** 2 + 1.0
        found = cr.jit(f)(x, w, b)
        assert found.dtype == dtype
        assert (np.abs(found - f(*wide)) <= 8 * np.finfo(dtype).eps * sizes**2).all()


def test_whole_numbers() -> None:
    x, w, b = np.arange(6).reshape(3, 2), np.arange(8).reshape(2, 4) - 3, np.arange(4) * 10
    for f in FORMS.values():
        if f not in (FORMS["number"], FORMS["with what is made of it"], FORMS["result needed again"]):
            np.testing.assert_array_equal(cr.jit(f)(x, w, b), f(x, w, b))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("terms", [2, 3, 4, 7, 8, 16, 19, 33])
def test_sums_across_lanes_are_the_same_one_by_one(terms: int, dtype: str) -> None:
    random = np.random.default_rng(terms)
    alone = cr.jit(lambda x, y: np.einsum("j,j->", x, y))
    for count in (*range(1, 10), 15, 16, 17, 21, 40):
        x, y = ((9 * random.normal(size=shape)).astype(dtype) for shape in ((terms,), (count, terms)))
        together = cr.jit(lambda x, y: np.einsum("j,kj->k", x, y))(x, y)
        np.testing.assert_array_equal(together, [alone(x, row) for row in y])
        wide = np.einsum("j,kj->k", x.astype(np.float64), y.astype(np.float64))
        sizes = np.einsum("j,kj->k", np.abs(x).astype(np.float64), np.abs(y).astype(np.float64))
        eps = np.finfo(dtype).eps if together.dtype.kind == "f" else 0
        assert (np.abs(together - wide) <= terms * eps * sizes).all()
