"""A call in the middle of another, as from a signal's handler or an object's `__del__`: both answer for what they were asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from trying import ENGINES

random = np.random.default_rng(0)
X = random.normal(size=(20, 6)).astype(np.float32)
NETWORK = cr.Network([cr.Dense(9, "tanh"), cr.Dense(3)], seed=0).build(6)

Ask = Callable[[Any], Any]

ASKED: dict[str, Callable[[str], Ask]] = {
    "a function": lambda engine: cr.jit(lambda x: np.tanh(x @ x.T) + np.sum(x), engine=engine),
    "a function of complex numbers": lambda engine: cr.jit(lambda x: np.exp(1j * x) @ x.T, engine=engine),
    "a network": lambda engine: lambda x: NETWORK.predict(x, engine=engine),
    "a compiled network": lambda engine: NETWORK.compiled(),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("asked", ASKED)
def test_between_any_two_lines(asked: str, engine: str) -> None:
    ask, times = ASKED[asked](engine), 0
    expected, other = ask(X), ask(-X)

    def between(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal times
        if "engines" not in frame.f_code.co_filename:
            return None
        times += 1
        np.testing.assert_array_equal(ask(-X), other)
        return between

    before = sys.gettrace()
    sys.settrace(between)
    try:
        found = ask(X)
    finally:
        sys.settrace(before)
    assert times > 5
    np.testing.assert_array_equal(found, expected)
