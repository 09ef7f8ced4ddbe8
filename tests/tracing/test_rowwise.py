"""Programs that keep rows apart: what is said to, does; what mixes rows is never said to keep them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines import evaluate
from chainrule.tracing import Program
from chainrule.tracing.rowwise import is_rowwise

ROWS = 5
X = np.random.default_rng(0).normal(size=(ROWS, 4))
W = np.random.default_rng(1).normal(size=(4, 4))

APART: dict[str, Callable[[Any, Any], Any]] = {
    "layer": lambda x, w: np.tanh(x @ w + w[0]),
    "softmax": lambda x, w: cr.softmax(x),
    "sum": lambda x, w: np.sum(x, axis=1, keepdims=True) * x,
    "transposed": lambda x, w: (w @ x.T).T,
    "reshaped": lambda x, w: np.reshape(np.reshape(x, (x.shape[0], 2, 2)) @ w[:2, :2], (x.shape[0], 4)),
    "joined": lambda x, w: np.concatenate([x, np.broadcast_to(w[0], x.shape)], axis=1)[:, 2:6],
    "cumsum": lambda x, w: np.cumsum(x, axis=1),
    "sort": lambda x, w: np.sort(x, axis=1),
    "picked": lambda x, w: w[np.argmax(x, axis=1)],
    "backwards": lambda x, w: x[:, ::-1],
    "constant": lambda x, w: x * np.ones((ROWS, 1)),
    "einsum": lambda x, w: np.einsum("bi,ij,bj->bj", x, w, x),
    "where": lambda x, w: np.where(x > 0, x, w[1]),
}

MIXED: dict[str, Callable[[Any, Any], Any]] = {
    "centred": lambda x, w: x - np.mean(x, axis=0),
    "total": lambda x, w: x + np.sum(x),
    "gram": lambda x, w: (x @ x.T) @ x,
    "cumsum": lambda x, w: np.cumsum(x, axis=0),
    "backwards": lambda x, w: x[::-1],
    "rolled": lambda x, w: np.roll(x, 1, axis=0),
    "by place": lambda x, w: x * np.arange(ROWS)[:, None],
    "wrongly reshaped": lambda x, w: np.reshape(x.T, x.shape),
    "sorted": lambda x, w: np.sort(x, axis=0),
    "picked": lambda x, w: x[np.argmax(x, axis=1)],
    "square": lambda x, w: x[:, :4] + np.pad(x.T, ((0, 1), (0, 0)))[:, :4],
    "rows joined": lambda x, w: np.concatenate([x[1:], x[:1]], axis=0),
}


def program_of(function: Callable[..., Any]) -> Program:
    return cr.simplify(cr.trace(lambda w, x: function(x, w), W, X))


def changes_one_row_alone(program: Program) -> bool:
    """Whether every row of the result changes with its own row of x and with no other."""
    before = evaluate(program, W, X)
    for row in range(ROWS):
        other = X.copy()
        other[row] += np.random.default_rng(row).normal(size=X.shape[1])
        changed = np.flatnonzero((evaluate(program, W, other) != before).reshape(ROWS, -1).any(axis=1))
        if set(changed) - {row}:
            return False
    exchanged = np.roll(np.arange(ROWS), 2)
    return bool(np.allclose(evaluate(program, W, X[exchanged]), before[exchanged], rtol=1e-12))


@pytest.mark.parametrize("name", APART)
def test_rows_kept_apart(name: str) -> None:
    program = program_of(APART[name])
    assert changes_one_row_alone(program)
    assert is_rowwise(program, 1)


@pytest.mark.parametrize("name", MIXED)
def test_rows_taken_together(name: str) -> None:
    program = program_of(MIXED[name])
    assert not changes_one_row_alone(program)
    assert not is_rowwise(program, 1)


@given(names=st.lists(st.sampled_from([*((0, n) for n in APART), *((1, n) for n in MIXED)]), min_size=2, max_size=4))
def test_compositions_said_to_keep_rows_apart_do(names: list[tuple[int, str]]) -> None:
    def function(x: Any, w: Any) -> Any:
        for kind, name in names:
            y = (APART, MIXED)[kind][name](x, w)
            x = y if y.shape == x.shape else x + np.sum(y, axis=tuple(range(1, y.ndim)))[:, None]
        return x

    program = program_of(function)
    if is_rowwise(program, 1):
        assert changes_one_row_alone(program)
    if all(kind == 0 for kind, _ in names):
        assert is_rowwise(program, 1)


def test_outputs_without_rows() -> None:
    assert not is_rowwise(program_of(lambda x, w: np.sum(x)), 1)
    assert not is_rowwise(program_of(lambda x, w: w), 1)
    assert not is_rowwise(program_of(lambda x, w: x.T), 1)
