"""A call that threads share out gives the bits that one thread gives: every operation, and random Programs from the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.strategies import cases, inputs_of, programs
from tests.trying import examples

import chainrule as cr
from chainrule.engines import ENGINES, cores
from chainrule.engines.llvm.machine import cache
from chainrule.engines.llvm.planning import groups, sharing
from chainrule.engines.llvm.runs import kernel
from chainrule.engines.llvm.runs.kernel import Kernel
from chainrule.engines.llvm.writing import long_sums
from chainrule.ops import REGISTRY
from chainrule.ops.operation import Operation
from chainrule.tracing import Program
from chainrule.tracing.apply import apply

ENGINE = ENGINES["llvm"]


@pytest.fixture(scope="module", autouse=True)
def everything_is_shared_out() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "LARGE", 0)
        patch.setattr(sharing, "WORTH_SHARING", 0)
        patch.setattr(long_sums, "LONG", 2)
        patch.setattr(cores, "usable", lambda: 5)
        patch.setenv(cache.VARIABLE, "off")  # machine code is found again by what it computes, not by how
        yield


def assert_the_same_bits(program: Program, arrays: list[Any]) -> None:
    """With one thread, and several times with more."""
    made = Kernel(program)
    with np.errstate(all="ignore"), pytest.MonkeyPatch.context() as patch:
        found = []
        for threads in (1, 2, 3, 5, 5):
            patch.setattr(cores, "most", lambda threads=threads: threads)
            workspace = made.workspace()
            for place, value in zip(workspace.inputs, arrays, strict=True):
                place[...] = value
            found += [[np.array(x) for x in workspace.run()] for _ in range(2)]
    for one in found[1:]:
        for value, first in zip(one, found[0], strict=True):
            np.testing.assert_array_equal(value, first, strict=True)


@pytest.mark.parametrize("op", REGISTRY.values(), ids=lambda op: op.name)
def test_every_operation(op: Operation) -> None:
    for case in cases(op, np.float64):
        arrays = [np.asarray(x) for x in case.inputs]
        program = cr.trace(lambda *xs, case=case: apply(case.op, *xs, **case.attributes), *arrays)
        if ENGINE.refusal(program) is None and not any(x.dtype.kind == "c" for x in program.inputs):
            assert_the_same_bits(program, arrays)


@settings(examples(25), suppress_health_check=list(HealthCheck))
@given(program=programs(), seed=st.integers(0, 1000))
def test_random_programs(program: Program, seed: int) -> None:
    assume(ENGINE.refusal(program) is None)
    assert_the_same_bits(
        program, [np.asarray(x, v.dtype) for x, v in zip(inputs_of(program, seed), program.inputs, strict=True)]
    )


def test_large_products_of_steps_that_are_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results far from the cache, for whose ends other arrays are fetched, and numbers that differ from step to step."""

    def steps(x: Any, w: Any) -> Any:
        total: Any = 0.0
        for k in range(4):
            x = np.tanh(x @ w * (0.1 + k) + k / 5) - np.mean(x, axis=0) * 0.3
            total = total + np.sum(x * x) / (k + 1.0)
        return total

    random = np.random.default_rng(0)
    x, w = random.normal(size=(1400, 48)).astype(np.float32), (random.normal(size=(48, 48)) / 9).astype(np.float32)
    monkeypatch.setattr(groups, "LONG", 1)
    gradient = cr.grad(steps, argnums=1)
    program = cr.simplify(cr.trace(gradient, x, w))
    assert_the_same_bits(program, [x, w])
    made = Kernel(program)
    assert "@alike" in str(made.function.ir)
    expected = gradient(x, w)
    np.testing.assert_allclose(made(x, w)[0], expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
