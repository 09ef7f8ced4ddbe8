"""Products whose rows fill a quarter of a vector: NumPy's numbers, and the bits that tiles of single rows have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.llvm.contractions.short_rows import ShortRows
from chainrule.engines.llvm.contractions.tiles import Tiles

TERMS = 37
"""No whole number of vectors, and so many that sums are added up in order by both."""


def layer(x: Any, w: Any, b: Any) -> Any:
    return np.tanh(x @ w + b)


def operands(rows: int, terms: int, columns: int, dtype: str) -> list[Any]:
    random = np.random.default_rng(rows)
    return [random.normal(size=shape).astype(dtype) for shape in ((rows, terms), (terms, columns), (columns,))]


@pytest.mark.parametrize(("dtype", "columns"), [("float32", 4), ("float32", 3), ("float64", 2)])
@pytest.mark.parametrize(("rows", "terms"), [(8, 8), (61, TERMS), (312, 16)])
def test_values(rows: int, terms: int, columns: int, dtype: str) -> None:
    x, w, b = operands(rows, terms, columns, dtype)
    exact = layer(*(a.astype(np.float64) for a in (x, w, b)))
    np.testing.assert_allclose(cr.jit(layer)(x, w, b), exact, rtol=0, atol=terms * np.finfo(dtype).eps)


def test_of_a_batch_and_of_parts_of_arrays() -> None:
    x, w, _ = operands(60, TERMS, 4, "float32")
    whole = cr.jit(lambda x, w: np.einsum("bij,bjk->bik", x, w))
    y, v = x.reshape(3, 20, TERMS), np.stack([w, 2 * w, -w])
    np.testing.assert_allclose(whole(y, v), y @ v, rtol=1e-4, atol=1e-5)
    part = cr.jit(lambda x, w: x[1:, 2:] @ w[2:])
    np.testing.assert_allclose(part(x, w), x[1:, 2:] @ w[2:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [61, 64])
def test_bits_are_those_of_single_rows(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, b = operands(rows, TERMS, 4, "float32")
    monkeypatch.setenv("CHAINRULE_CACHE", "off")
    found = cr.jit(layer)(x, w, b)
    monkeypatch.setattr(ShortRows, "emit", Tiles.emit)
    monkeypatch.setattr(ShortRows, "_accumulate", Tiles._accumulate)
    np.testing.assert_array_equal(cr.jit(layer)(x, w, b), found)
