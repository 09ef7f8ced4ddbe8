"""Rows in blocks: the same values as the whole Program's, by NumPy and in machine code, for everything that rows are joined to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.llvm.machine import machine
from chainrule.engines.llvm.planning import row_blocks
from chainrule.engines.llvm.planning.lowering import lower
from chainrule.engines.llvm.planning.row_blocks import in_blocks
from chainrule.engines.llvm.runs.kernel import Kernel
from chainrule.tracing import Program
from chainrule.tracing.passes.straight_line import compile_program
from chainrule.tracing.program import bodies_of

random = np.random.default_rng(0)
W, V, S = random.normal(size=(5, 4)), random.normal(size=(3,)), random.normal()
ROWS = 29
X, T, COUNTS = random.normal(size=(ROWS, 5)), random.normal(size=(ROWS,)), random.integers(0, 9, (ROWS, 2, 3))


def extremes(w: Any, v: Any, s: Any, x: Any, t: Any, c: Any) -> Any:
    h = np.tanh(x @ w)
    return np.max(h, axis=0), np.min(h * s), np.max(c), np.sum(c, axis=(0, 2)), np.any(h > 0.9, axis=0)


def means(w: Any, v: Any, s: Any, x: Any, t: Any, c: Any) -> Any:
    h = np.exp(x @ w) * t[:, None]
    return np.mean(h), np.mean(h, axis=0, keepdims=True), np.mean(c * v, axis=(0, 1)), np.mean(np.sum(h, axis=1))


def products(w: Any, v: Any, s: Any, x: Any, t: Any, c: Any) -> Any:
    h = np.sin(x @ w)
    return x.T @ h, t @ h, np.einsum("ijk,il->jkl", c * v, h), np.sum(w) * np.sum(h @ w.T, axis=0)


def thin(w: Any, v: Any, s: Any, x: Any, t: Any, c: Any) -> Any:
    """Products whose rows are short, so that others are computed along vectors, and turned back."""
    h = np.cos(x @ w)[:, :2]
    both = np.einsum("ijk,il->ljk", c[:, :, :2] * v[0], x)
    return x.T @ h, both, np.sum(both[..., 0]) * (x.T @ h)


def weighted(w: Any, v: Any, s: Any, x: Any, t: Any, c: Any) -> Any:
    """A sum that rows need again, and another that needs that one."""
    weights = np.square(t) / np.sum(np.square(t))
    share = weights / np.max(weights)
    return np.sum(weights[:, None] * (x @ w), axis=0), share @ x, s * np.sum(share)


def moved(w: Any, v: Any, s: Any, x: Any, t: Any, c: Any) -> Any:
    """Rows that are reshaped, joined, and along another axis than the first."""
    both = np.concatenate([np.reshape(c * v, (len(c), 6)), x], axis=1)
    across = np.transpose(both)
    return np.sum(across * t, axis=1), np.sum(np.reshape(across, (11, 1, len(c))) ** 2, axis=2), both.T @ both


def steps(w: Any, v: Any, s: Any, x: Any, t: Any, c: Any) -> Any:
    """A constant with a place for every row, all equal, and results that need sums."""
    value, gradient = cr.value_and_grad(lambda w: np.mean((np.tanh(x @ w) - 0.5) ** 2))(w)
    return w - s * gradient, value, w + s


JOINED: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (extremes, means, products, thin, weighted, moved, steps)
}


def blocked(function: Callable[..., Any], blocks: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Program, Program]:
    """A Program in loops, and the same with its rows in so many blocks."""
    monkeypatch.setattr(row_blocks, "fits", lambda program, data, target: False)
    monkeypatch.setattr(row_blocks, "blocks_of", lambda region, target: blocks)
    lowered = lower(cr.trace(function, W, V, S, X, T, COUNTS))
    return lowered.program, in_blocks(lowered, lowered.program.inputs[3:], machine.target()).program


def loops(program: Program) -> list[Any]:
    return [e for e in program.equations if bodies_of(e)]


@pytest.mark.parametrize("blocks", [1, 3, 29])  # with nothing left, with 2 rows left, of one row each
@pytest.mark.parametrize("name", JOINED)
def test_blocks_give_the_same(name: str, blocks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, program = blocked(JOINED[name], blocks, monkeypatch)
    (loop,) = loops(program)
    assert loop.attributes["length"] == blocks
    inputs = W, V, np.float64(S), X, T, COUNTS
    expected = compile_program(whole)(*inputs)
    for found in (compile_program(program)(*inputs), Kernel(program)(*map(np.asarray, inputs))):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
            assert np.asarray(a).dtype == np.asarray(b).dtype


def test_short_rows_are_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    (loop,) = loops(blocked(thin, 3, monkeypatch)[1])
    wide = machine.target().lanes(8) >= 4
    turned = {(5, 2): (2, 5), (5, 2, 2): (2, 2, 5)}
    assert {x.shape for x in loop.attributes["body"].collected} == set(turned.values() if wide else turned)


def normalised(w: Any, v: Any, s: Any, x: Any, t: Any, c: Any) -> Any:
    """Rows need a sum of what a product gives."""
    h = x @ w
    return np.sum((h - np.mean(h, axis=0)) ** 2, axis=0)


def kept(w: Any, v: Any, s: Any, x: Any, t: Any, c: Any) -> Any:
    """Rows are asked for."""
    h = x @ w
    return h, np.sum(h, axis=0)


def mixed(w: Any, v: Any, s: Any, x: Any, t: Any, c: Any) -> Any:
    """Rows of other rows."""
    return np.sum(np.cumsum(x @ w, axis=0) * t[:, None], axis=0)


def numbered(w: Any, v: Any, s: Any, x: Any, t: Any, c: Any) -> Any:
    """Rows that are told apart by a constant."""
    return np.sum(x @ w * np.arange(ROWS)[:, None], axis=0)


@pytest.mark.parametrize("function", [normalised, kept, mixed, numbered])
def test_rows_that_are_needed_otherwise_are_not_taken_in_blocks(
    function: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, program = blocked(function, 3, monkeypatch)
    assert program is whole


def test_rows_that_fit_into_the_cache_stay_together() -> None:
    lowered = lower(cr.trace(products, W, V, S, np.tile(X, (200, 1)), np.tile(T, 200), np.tile(COUNTS, (200, 1, 1))))
    data, target = lowered.program.inputs[3:], machine.target()
    assert in_blocks(lowered, data, replace(target, second_cache=2**22)) is lowered
    cut = in_blocks(lowered, data, replace(target, second_cache=2**19)).program
    (loop,) = loops(cut)
    rows, length = len(X) * 200, loop.attributes["length"]
    block = sum(x.type.size for x in loop.attributes["body"].program.inputs[:3]) * 8
    assert length % 16 == 0
    assert rows // length > 1
    assert block <= 2**19
