"""Contractions in blocks: every form and shape, whatever the caches, in no more memory than is planned, on any number of threads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines import cores
from chainrule.engines.llvm.contractions import blocking
from chainrule.engines.llvm.contractions.tile_writer import PIECE
from chainrule.engines.llvm.machine import machine
from chainrule.engines.llvm.runs.kernel import Kernel
from chainrule.tracing import trace

FORMS = {
    "ij,jk->ik": "i j k",
    "ij,kj->ik": "i j k",
    "ji,jk->ik": "i j k",
    "ji,kj->ik": "i j k",
    "bij,bkj->bik": "b i j k",
    "bij,bjk->bik": "b i j k",
    "aij,kj->aik": "a i j k",
    "abji,jk->abik": "a b i j k",
    "ij,ajk->aik": "a i j k",
}
"""Subscripts, and all their letters: rows i, sums j, columns k, and others of one operand or both."""

FAR = {"i": 400, "j": 2 * PIECE, "k": 300}
"""The longest that letters are drawn; others are at most 5."""


@pytest.fixture
def everything_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking, "panels_are_worth", lambda *_, **__: True)
    monkeypatch.setattr(blocking, "turned_is_worth", lambda *_: True)


def checked(subscripts: str, lengths: dict[str, int], dtype: str) -> Kernel:
    """A product whose result is right, and that has written nothing behind the memory it has for itself."""
    random = np.random.default_rng(sum(lengths.values()))
    left, right = subscripts.split("->")[0].split(",")
    x, y = (random.normal(size=[lengths[c] for c in term]).astype(dtype) for term in (left, right))
    kernel = Kernel(trace(lambda x, y: np.einsum(subscripts, x, y) + 1, x, y))
    workspace = kernel.workspace()
    workspace.inputs[0][...], workspace.inputs[1][...] = x, y
    (own,) = workspace._team.workspaces
    behind = own[-4096:]
    behind[...] = 171
    (found,) = workspace.run()
    assert np.all(behind == 171)
    assert (own.nbytes > 4096) == (kernel.workspace_bytes > 0)
    expected = np.einsum(subscripts, x.astype(np.float64), y.astype(np.float64)) + 1
    sizes = 1 + np.einsum(subscripts, np.abs(x), np.abs(y)).max()
    atol = 2 * np.sqrt(lengths["j"]) * np.finfo(dtype).eps * sizes
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)
    return kernel


def drawn(data: Any, subscripts: str) -> dict[str, int]:
    return {
        c: data.draw(st.one_of(st.integers(1, 40), st.integers(1, FAR[c])) if c in FAR else st.integers(1, 5), label=c)
        for c in FORMS[subscripts].split()
    }


@pytest.mark.usefixtures("everything_in_blocks")
@given(data=st.data(), subscripts=st.sampled_from(sorted(FORMS)), dtype=st.sampled_from(["float32", "float64"]))
def test_any_shape(data: Any, subscripts: str, dtype: str) -> None:
    checked(subscripts, drawn(data, subscripts), dtype)


@pytest.mark.usefixtures("everything_in_blocks")
@pytest.mark.parametrize("second_cache", [2**12, 2**16, 2**22])
@pytest.mark.parametrize("subscripts", sorted(FORMS))
def test_caches_of_any_size_give_the_same_bits(
    subscripts: str, second_cache: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = {"a": 2, "b": 3, "i": 61, "j": 2 * PIECE + 3, "k": 203}
    random, (left, right) = np.random.default_rng(0), subscripts.split("->")[0].split(",")
    x, y = (random.normal(size=[lengths[c] for c in term]).astype(np.float32) for term in (left, right))
    results = []
    for size in (2**20, second_cache):
        target = replace(machine.target(), second_cache=size)
        monkeypatch.setattr("chainrule.engines.llvm.runs.kernel.target", lambda target=target: target)
        results.append(Kernel(trace(lambda x, y: np.einsum(subscripts, x, y), x, y))(x, y)[0])
    np.testing.assert_array_equal(*results)


@pytest.mark.usefixtures("everything_in_blocks")
def test_any_number_of_threads_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable", lambda: 3)
    random = np.random.default_rng(0)
    X, y = random.normal(size=(300, PIECE + 90)).astype(np.float32), random.integers(0, 5, 300)
    found = []
    for threads in (1, 2, 3):
        network = cr.Network([cr.Dense(260, "tanh"), cr.Dense(140, "relu"), cr.Dense(5)], seed=0)
        network.fit(X, y, epochs=2, batch_size=150, seed=0, threads=threads, engine="llvm", progress=False)
        found.append(network.parameters)
    for other in found[1:]:
        for name, layer in found[0].items():
            for key, value in layer.items():
                np.testing.assert_array_equal(other[name][key], value)


@pytest.mark.parametrize(
    ("subscripts", "rows", "columns"),
    [("ij,jk->ik", 7, 203), ("ji,jk->ik", 203, 7), ("bij,bjk->bik", 7, 203), ("ji,bjk->bik", 203, 7)],
)
def test_what_is_asked_for_ahead_changes_no_bit(
    subscripts: str, rows: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = {"b": 2, "i": rows, "j": 90, "k": columns}
    random, (left, right) = np.random.default_rng(0), subscripts.split("->")[0].split(",")
    x, y = (random.normal(size=[lengths[c] for c in term]).astype(np.float32) for term in (left, right))
    results = []
    monkeypatch.setattr(blocking, "panels_are_worth", lambda *_, **__: False)
    for size, asked in ((2**20, False), (2**12, True)):
        target = replace(machine.target(), second_cache=size)
        monkeypatch.setattr("chainrule.engines.llvm.runs.kernel.target", lambda target=target: target)
        kernel = Kernel(trace(lambda x, y: np.einsum(subscripts, x, y), x, y))
        assert ("prefetch" in str(kernel.function.ir)) == asked
        results.append(kernel(x, y)[0])
    np.testing.assert_array_equal(*results)
    np.testing.assert_allclose(results[0], np.einsum(subscripts, x, y), rtol=0, atol=1e-4)


def test_large_products_are_taken_in_blocks_and_small_ones_where_they_are() -> None:
    def of(subscripts: str, *shapes: tuple[int, ...]) -> int:
        x, y = (np.zeros(shape, np.float32) for shape in shapes)
        return Kernel(trace(lambda x, y: np.einsum(subscripts, x, y), x, y)).workspace_bytes

    assert of("ij,jk->ik", (512, 700), (700, 512))
    assert of("ij,kj->ik", (512, 700), (512, 700))
    assert of("ji,jk->ik", (512, 700), (512, 700))
    assert not of("ij,jk->ik", (8, 20), (20, 30))
    assert not of("ji,jk->ik", (20, 8), (20, 30))
    one_tile = machine.target().accumulators // 2
    assert not of("ij,jk->ik", (one_tile, 700), (700, 4096))
    assert of("ij,jk->ik", (one_tile + 1, 700), (700, 4096))
