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


ENDS: dict[str, Any] = {
    "targets": lambda z, row, column, all_: (z - all_) ** 2,
    "truth values": lambda z, row, column, all_: np.where(z > all_, z, row),
    "two results": lambda z, row, column, all_: (np.tanh(z), np.tanh(z) * all_, z < 0),
    "an array of constants": lambda z, row, column, all_: z * np.arange(4.0, dtype=np.float32) + 1,
    "a number for every row": lambda z, row, column, all_: np.exp(-(z**2)) * column,
    "a number for all": lambda z, row, column, all_: z * row[0] - column[0, 0],
    "sums": lambda z, row, column, all_: (np.sum(z - row, axis=0), np.max(z, axis=1)),
    "turned over": lambda z, row, column, all_: np.transpose(z) * 2 + np.transpose(all_),
}
"""What becomes of a product's results, with what is the same for all rows, for all columns, and neither."""


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("rows", [50, 64])
def test_ends(end: str, rows: int) -> None:
    x, w, row = operands(rows, TERMS, 4, "float32")
    column, all_ = (np.random.default_rng(3).normal(size=(rows, n)).astype(np.float32) for n in (1, 4))
    found = cr.jit(lambda x, w, *others: ENDS[end](x @ w, *others))(x, w, row, column, all_)
    expected = ENDS[end](x @ w, row, column, all_)
    for a, b in zip(*((y if isinstance(y, tuple) else (y,)) for y in (found, expected)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rows", [61, 64])
def test_bits_are_those_of_single_rows(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, b = operands(rows, TERMS, 4, "float32")
    monkeypatch.setenv("CHAINRULE_CACHE", "off")
    found = cr.jit(layer)(x, w, b)
    for name in ("emit", "_at_once", "_accumulate"):
        monkeypatch.setattr(ShortRows, name, getattr(Tiles, name))
    np.testing.assert_array_equal(cr.jit(layer)(x, w, b), found)
