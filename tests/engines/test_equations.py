"""Every engine computes what NumPy computes: every operation's cases, and random Programs from the registry."""

from __future__ import annotations

import os
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.strategies import cases, inputs_of, programs
from tests.together import together

import chainrule as cr
from chainrule.engines import evaluate
from chainrule.ops import REGISTRY
from chainrule.ops.operation import Operation
from chainrule.tracing.apply import apply
from trying import ENGINES


def assert_same(found: Any, expected: Any, *, single: bool = False) -> None:
    """Equal, to rounding; `single` when float32 took part on the way."""
    expected = np.asarray(expected)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    if expected.dtype.kind in "fc":
        tolerance = 1e-4 if single or expected.dtype in (np.float32, np.complex64) else 1e-9
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(found, expected)


@together(
    product(REGISTRY.values(), (np.float64, np.float32), ENGINES), lambda op, dtype, engine: f"{op.name}-{engine}"
)
def test_every_operation(op: Operation, dtype: Any, engine: str) -> None:
    for case in cases(op, dtype):
        arrays = [np.asarray(x) for x in case.inputs]
        program = cr.trace(lambda *xs, case=case: apply(case.op, *xs, **case.attributes), *arrays)
        reason = ENGINES[engine].refusal(program)
        if reason is not None:
            assert op.name in reason
            empty = any(v.type.size == 0 for v in (*program.inputs, *(e.output for e in program.equations)))
            assert empty or not op.has_loops(len(case.inputs))
            continue
        with np.errstate(all="ignore"):
            expected = evaluate(program, *arrays)
            found = ENGINES[engine].executable(program)(*arrays)[0]
        assert_same(found, expected)


KINDS = ("bool", "int8", "uint8", "int16", "uint32", "int64", "uint64", "float32")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kinds", [*((kind, kind) for kind in KINDS), ("bool", "int8"), ("int64", "float32")])
def test_products_of_every_kind_of_number(kinds: tuple[str, str], engine: str) -> None:
    """Integers are taken as far as their bits go; of truth values a sum is whether any holds."""
    random, kind = np.random.default_rng(0), np.result_type(*kinds)
    for example in REGISTRY["einsum"].examples:
        subscripts = example.attributes["subscripts"]
        shapes = [tuple(5 * n for n in shape) for shape in example.inputs]
        x, y = (random.integers(0, 2 if k == "bool" else 100, s).astype(k) for k, s in zip(kinds, shapes, strict=True))
        counts = np.einsum(subscripts, x.astype(np.int64), y.astype(np.int64))
        expected = counts > 0 if kind == np.bool_ else counts.astype(kind)
        found = cr.jit(lambda x, y, subscripts=subscripts: np.einsum(subscripts, x, y), engine=engine)(x, y)
        assert_same(found, expected)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [(7, 7, 7), (40, 700, 40)])
def test_products_of_truth_values_beside_long_functions(shape: tuple[int, int, int], engine: str) -> None:
    """What is computed at the end of a tile is so much there that its sums are written to memory before."""
    random, (rows, summed, columns) = np.random.default_rng(0), shape
    x, y = (random.random(s) < 0.5 / summed**0.5 for s in ((rows, summed), (summed, columns)))
    z = random.normal(size=(rows, columns)).astype(np.float32)
    function = lambda x, y, z: (np.einsum("ij,jk->ik", x, y), cr.softplus(z), np.tanh(z))  # noqa: E731
    for found, expected in zip(cr.jit(function, engine=engine)(x, y, z), function(x, y, z), strict=True):
        assert_same(found, expected)


@pytest.mark.parametrize("engine", ENGINES)
@settings(
    max_examples=int(os.environ.get("CHAINRULE_EXAMPLES", "80")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(program=programs(), seed=st.integers(0, 1000))
def test_random_programs(engine: str, program: Any, seed: int) -> None:
    assume(ENGINES[engine].refusal(program) is None)
    arrays = [np.asarray(x, v.dtype) for x, v in zip(inputs_of(program, seed), program.inputs, strict=True)]
    with np.errstate(all="ignore"):
        expected = evaluate(program, *arrays)
    function = ENGINES[engine].executable(program)
    single = any(e.output.dtype == np.float32 for e in program.equations)
    for _ in range(2):  # the second call finds the first one's values in memory
        with np.errstate(all="ignore"):
            found = function(*arrays)
        for value, reference in zip(found, expected if isinstance(expected, list | tuple) else [expected], strict=True):
            reference = np.asarray(reference)
            if reference.dtype.kind == "f" and (
                not np.isfinite(reference).all() or np.abs(reference).max(initial=0) > 1e6
            ):
                continue  # overflow and cancellation at the edge of the range need not agree in every digit
            assert_same(value, reference, single=single)
