"""Programs that compute the same have the same identity, and others another one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.ops import REGISTRY, Elementwise
from chainrule.tracing import apply
from chainrule.tracing.identity import identity

X = np.linspace(-1.0, 1.0, 6).reshape(2, 3)
WEIGHTS = np.arange(6.0).reshape(3, 2)

DIFFERENT = {
    "as it is": lambda x: np.sum(np.tanh(x @ WEIGHTS)),
    "another operation": lambda x: np.sum(np.sin(x @ WEIGHTS)),
    "another axis": lambda x: np.sum(np.tanh(x @ WEIGHTS), axis=0),
    "another constant array": lambda x: np.sum(np.tanh(x @ (WEIGHTS + np.eye(3, 2)))),
    "a constant of another dtype": lambda x: np.sum(np.tanh(x @ WEIGHTS.astype(np.float32))),
    "a number": lambda x: 2.0 * np.sum(np.tanh(x @ WEIGHTS)),
    "another number": lambda x: np.nextafter(2.0, 3.0) * np.sum(np.tanh(x @ WEIGHTS)),
    "an array as output": lambda x: (np.sum(np.tanh(x @ WEIGHTS)), WEIGHTS),
    "another array as output": lambda x: (np.sum(np.tanh(x @ WEIGHTS)), 2.0 * WEIGHTS),
}


def test_the_same_twice_and_different_ones() -> None:
    once, again = ([identity(cr.trace(f, X)) for f in DIFFERENT.values()] for _ in range(2))
    assert once == again
    assert None not in once
    assert len(set(once)) == len(DIFFERENT)


@pytest.mark.parametrize("given", [X[:1], X.astype(np.float32)], ids=["shape", "dtype"])
def test_inputs_of_another_kind(given: Any) -> None:
    f = DIFFERENT["as it is"]
    assert identity(cr.trace(f, X)) != identity(cr.trace(f, given))


def test_operations_of_others_have_none() -> None:
    mine = Elementwise("my_own", value=lambda m, x: m.tanh(x), partials=(lambda m, x, y: 1 - y * y,), domain=())
    try:
        assert identity(cr.trace(lambda x: apply(mine, x), X)) is None
    finally:
        del REGISTRY["my_own"]


def test_names_that_are_those_of_other_values() -> None:
    """Users may call an argument as values are called that nobody named."""

    def program(of_sum: bool) -> Any:
        def function(v0: Any, x: Any) -> Any:
            total = v0 + x
            return (total if of_sum else v0) * x, total

        return cr.trace(function, X, X)

    assert str(program(True)) == str(program(False))
    assert identity(program(True)) != identity(program(False))


def test_which_constants_are_one_array_matters() -> None:
    v, w = np.ones((3, 3)), np.ones((3, 3))

    def program(first: Any, second: Any) -> Any:
        return cr.trace(lambda x: np.sum(first * np.sin(x)) + np.sum(second * np.cos(x)) + np.sum(v + x), np.ones(3))

    assert identity(program(v, w)) == identity(program(v, w))
    assert len({identity(program(a, b)) for a in (v, w) for b in (v, w)}) == 4
