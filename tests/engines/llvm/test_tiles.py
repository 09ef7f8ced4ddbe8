"""Large products: long sums in pieces, rows a whole number of pages long, results too large for the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import TrainingLoop, make_runner
from chainrule.engines.llvm.contractions import tile_writer, tiles
from chainrule.ops import ArrayType
from chainrule.tracing import simplify, trace

FORMS = {"bi,ij->bj": "b i j", "bj,ij->bi": "b j i", "bi,bj->ij": "i b j"}
"""Subscripts, and the letters of their rows, sums and columns."""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("rows", "terms", "columns"), [(30, 6 * tiles.PIECE + 5, 40), (101, 7 * tiles.PIECE, 16), (8, 1024, 2048)]
)
@pytest.mark.parametrize("subscripts", sorted(FORMS))
def test_products(subscripts: str, rows: int, terms: int, columns: int, dtype: str) -> None:
    lengths = dict(zip(FORMS[subscripts].split(), (rows, terms, columns), strict=True))
    random = np.random.default_rng(0)
    operands = subscripts.split("->")[0].split(",")
    x, y = (random.normal(size=[lengths[c] for c in term]).astype(dtype) for term in operands)
    found = cr.jit(lambda x, y: np.einsum(subscripts, x, y))(x, y)
    expected = np.einsum(subscripts, x.astype(np.float64), y.astype(np.float64))
    sizes = np.einsum(subscripts, np.abs(x), np.abs(y)).max()  # roundings of a sum add up as a random walk does
    np.testing.assert_allclose(found, expected, rtol=0, atol=np.sqrt(terms) * np.finfo(dtype).eps * sizes)


def test_what_is_fetched_ahead_is_what_is_read() -> None:
    random = np.random.default_rng(1)
    x, y, z = (random.normal(size=shape) for shape in ((300, 20), (20, 260), (300, 260)))
    assert z.size >= tile_writer.FAR
    np.testing.assert_allclose(cr.jit(lambda x, y, z: x @ y * z + z)(x, y, z), x @ y * z + z, rtol=1e-12, atol=1e-12)


def test_a_state_is_not_written_over_before_it_is_read() -> None:
    def step(state: Any, batch: Any) -> Any:
        return [2.0 * batch[0], np.sum(3.0 * state)]

    types = ArrayType((40,), np.dtype(np.float64)), ArrayType((1, 40), np.dtype(np.float64))
    loop = TrainingLoop(simplify(trace(step, *types)), None, 1, 1)
    data, order = np.arange(120.0).reshape(3, 40), np.arange(3, dtype=np.int32)[None]
    metrics = []
    for engine in ("numpy", "llvm"):
        runner = make_runner(loop, [data], engine)
        runner.load([np.ones(40)])
        metrics.append(runner.run(order, 0, 3, []))
        np.testing.assert_array_equal(runner.state[0], 2.0 * data[2])
    np.testing.assert_array_equal(metrics[0], metrics[1])
