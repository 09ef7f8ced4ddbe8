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
from chainrule.errors import UnsupportedError
from chainrule.tracing import Program
from chainrule.tracing.passes.any_rows import keeps_apart
from chainrule.tracing.passes.rowwise import is_rowwise
from trying import examples

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
    "loop": lambda x, w: cr.loop(lambda s, i: np.tanh(s @ w) + i, x, 3),
    "scan": lambda x, w: cr.scan(lambda s, c: (np.tanh(s + c), s * w[0, 0]), np.zeros(len(x)), x.T)[1].T,
    "scan back": lambda x, w: cr.scan(lambda s, c: (s @ w + c[:, None], None), np.ones((len(x), 4)), x.T, reverse=True)[
        0
    ],
    "rows late": lambda x, w: cr.loop(
        lambda s, i: (s[1], s[2], s[2] @ w), (np.zeros(x.shape), np.zeros(x.shape), x), 3
    )[0],
    "loop in a loop": lambda x, w: cr.loop(lambda s, i: cr.loop(lambda r, j: np.sin(r) @ w, s, 2) + i, x, 2),
    "beside": lambda x, w: cr.loop(lambda s, i: (s[0] * s[1][0], s[1] @ w), (x, w), 3)[0],
    "each": lambda x, w: cr.vmap(lambda row: cr.scan(lambda s, c: (np.sin(s) * c, s), row[:2], row)[1])(x)[:, :, 0],
    "slope": lambda x, w: cr.jvp(lambda x: cr.loop(lambda s, i: np.tanh(s @ w), x, 3), (x,), (np.ones(x.shape),))[1],
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
    "over rows": lambda x, w: cr.scan(lambda s, row: (s + row, s), np.zeros(4), x)[1],
    "loop": lambda x, w: cr.loop(lambda s, i: s - np.mean(s, axis=0), x, 1),
    "loop backwards": lambda x, w: cr.loop(lambda s, i: s[::-1], x, 1),
    "mixed late": lambda x, w: cr.loop(lambda s, i: (s[0] + s[1], s[1] + s[2], np.mean(s[0])), (x, 0.0, 0.0), 3)[0],
    "by place in a loop": lambda x, w: cr.loop(lambda s, i: s + x, np.arange(ROWS)[:, None] * np.ones(4), 2),
    "cut elsewhere": lambda x, w: np.concatenate([np.ravel(x), x[:, 0]])[1:21].reshape(x.shape),
    "cut and turned": lambda x, w: np.concatenate([np.ravel(x), x[:, 0]])[:20][::-1].reshape(x.shape),
    "rows of a shared one": lambda x, w: cr.scan(lambda s, i: (s + x[i], None), x, np.arange(2))[0],
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


PIECES = st.lists(st.sampled_from([*((0, n) for n in APART), *((1, n) for n in MIXED)]), min_size=1, max_size=3)


def composed(names: list[tuple[int, str]], x: Any, w: Any) -> Any:
    for kind, name in names:
        y = (APART, MIXED)[kind][name](x, w)
        x = y if y.shape == x.shape else x + np.sum(y, axis=tuple(range(1, y.ndim)))[:, None]
    return x


@given(names=PIECES, more=PIECES)
def test_compositions_said_to_keep_rows_apart_do(names: Any, more: Any) -> None:
    program = program_of(lambda x, w: composed(names + more, x, w))
    if is_rowwise(program, 1):
        assert changes_one_row_alone(program)
    if all(kind == 0 for kind, _ in names + more):
        assert is_rowwise(program, 1)


@examples(25)
@given(first=PIECES, second=PIECES, steps=st.integers(1, 3), order=st.permutations(range(3)), same=st.booleans())
def test_loops_said_to_keep_rows_apart_do(first: Any, second: Any, steps: int, order: Any, same: bool) -> None:
    """States that change places, one of them perhaps the same for all rows before the first step."""

    def function(x: Any, w: Any) -> Any:
        def step(state: Any, c: Any) -> Any:
            a, b, d = (state[i] for i in order)
            return (composed(first, a, w), b + d * c[:, None], composed(second, b, w)), np.sum(d, axis=1)

        (a, b, _), sums = cr.scan(step, (x, np.ones(x.shape) if same else np.sin(x), x @ w), x.T[:steps])
        return a + b + sums[-1][:, None]

    program = program_of(function)
    if is_rowwise(program, 1):
        assert changes_one_row_alone(program)
    if not same and all(kind == 0 for kind, _ in first + second):
        assert is_rowwise(program, 1)


def test_rows_of_arrays_put_together_and_cut_out_again() -> None:
    def function(x: Any, w: Any) -> Any:
        return np.concatenate([np.ravel(x @ w), x[:, 0], np.ravel(x)])[-20:].reshape(x.shape)

    assert is_rowwise(program_of(function), 1)
    assert changes_one_row_alone(program_of(function))


def test_outputs_without_rows() -> None:
    assert not is_rowwise(program_of(lambda x, w: np.sum(x)), 1)
    assert not is_rowwise(program_of(lambda x, w: w), 1)
    assert not is_rowwise(program_of(lambda x, w: x.T), 1)


BY_NUMBER: dict[str, Callable[[Any, Any], Any]] = {
    "factor": lambda x, w: x * x.shape[0],
    "part": lambda x, w: x * np.full((len(x), 1), 1.0 / len(x)),
    "whole numbers": lambda x, w: x + len(x) // 3,
    "steps": lambda x, w: cr.loop(lambda s, i: s * 0.9, x, len(x)),
    "steps inside": lambda x, w: cr.loop(lambda s, i: cr.loop(lambda r, j: r * 0.9, s, len(x)), x, 2),
    "place": lambda x, w: x + w[len(x) % 4],
    "another way": lambda x, w: np.tanh(x) if len(x) % 2 else np.sin(x),
    "power": lambda x, w: x ** len(x),
}


def trace_of(function: Callable[..., Any]) -> Callable[[int], Program]:
    return lambda rows: cr.simplify(cr.trace(lambda w, x: function(x, w), W, np.ones((rows, 4))))


@pytest.mark.parametrize("rows", [2, 16])
@pytest.mark.parametrize("name", [name for name in APART if name != "constant"])  # for so many rows, as it is written
def test_what_keeps_rows_apart_does_so_for_any_number(name: str, rows: int) -> None:
    assert keeps_apart(trace_of(APART[name]), 1, rows)


@pytest.mark.parametrize("rows", [2, 16])
@pytest.mark.parametrize("name", BY_NUMBER)
def test_what_depends_on_how_many_rows_there_are(name: str, rows: int) -> None:
    assert is_rowwise(trace_of(BY_NUMBER[name])(rows), 1)
    assert not keeps_apart(trace_of(BY_NUMBER[name]), 1, rows)


def test_networks_that_count_their_rows_are_given_all_of_them() -> None:
    network = cr.Network(lambda x: x * x.shape[0], dtype="float64").build(1)
    many = np.ones((5000, 1))
    assert network.predict(many)[0] == network(many)[0] == 5000.0
    with pytest.raises(UnsupportedError, match="on their number"):
        network.predict(many, engine="llvm")
