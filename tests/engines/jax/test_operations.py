"""Every operation of the registry computed by JAX as by NumPy: those of one kind in one Program, since XLA takes long for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.strategies import Case, cases

import chainrule as cr
from chainrule.engines import ENGINES, evaluate
from chainrule.ops import REGISTRY
from chainrule.ops.kinds import Contraction, Custom, Elementwise, Layout, Reduction
from chainrule.tracing.apply import apply
from trying import ENGINES as TRIED

ENGINE = ENGINES["jax"]
KINDS = (Elementwise, Reduction, Contraction, Layout, Custom)


def computed(op: Any, dtype: Any) -> list[Case]:
    """The cases of an operation that JAX does not refuse, by day the first; each refusal names the operation."""
    found = []
    for case in cases(op, dtype):
        arrays = [np.asarray(x) for x in case.inputs]
        reason = ENGINE.refusal(cr.trace(lambda *xs, case=case: apply(case.op, *xs, **case.attributes), *arrays))
        if reason is None:
            found.append(case)
            if ENGINE.name not in TRIED:
                break
        else:
            assert op.name in reason
    return found


def tolerance(dtype: Any) -> float:
    """What rounding may make of numbers near 1."""
    return 1e-4 if np.finfo(dtype).eps > 1e-10 else 1e-9


@pytest.mark.parametrize("dtype", [np.float32, *([np.float64] if ENGINE.name in TRIED else [])])
@pytest.mark.parametrize("kind", KINDS)
def test_every_operation(kind: Any, dtype: Any) -> None:
    tried = [case for op in REGISTRY.values() if type(op) is kind for case in computed(op, dtype)]
    inputs = [[np.asarray(x) for x in case.inputs] for case in tried]
    program = cr.trace(
        lambda given: [apply(case.op, *xs, **case.attributes) for case, xs in zip(tried, given, strict=True)], inputs
    )
    with np.errstate(all="ignore"):
        expected = evaluate(program, inputs)
    found = ENGINE.executable(program)(*[x for xs in inputs for x in xs])
    for case, x, reference in zip(tried, found, map(np.asarray, expected), strict=True):
        said = f"{case.op.name} of {[(y.dtype.name, y.shape) for y in map(np.asarray, case.inputs)]}, {case.attributes}"
        assert (np.shape(x), np.asarray(x).dtype) == (reference.shape, reference.dtype), said
        if reference.dtype.kind in "fc":
            near = tolerance(reference.dtype)
            np.testing.assert_allclose(x, reference, rtol=near, atol=near, err_msg=said)
        else:
            np.testing.assert_array_equal(x, reference, err_msg=said)


def test_numpys_functions_of_numbers_where_others_differ() -> None:
    """Integers divided by 0 and raised to powers, compared with numbers beyond them, halves, the sign of −0, NaN among extrema."""
    small, whole, half = np.array([3, -7, 0], np.int8), np.array([3, 7, 0]), np.array([0.1, 3.0], np.float16)
    odd = np.array([-0.0, np.nan, np.inf])

    def several(small: Any, whole: Any, half: Any, odd: Any) -> list[Any]:
        return [
            small // whole,
            small % whole,
            whole**70,
            small < 1000,
            small == -1000,
            np.hypot(half, 100.0),
            np.sign(odd),
            np.maximum(odd, 1.0),
            np.minimum(odd, 1.0),
            small + 1.5,
            np.sum(small > 0),
            np.sqrt(whole),
        ]

    with np.errstate(all="ignore"):
        expected = several(small, whole, half, odd)
    for found, x in zip(cr.jit(several, engine="jax")(small, whole, half, odd), expected, strict=True):
        assert found.dtype == x.dtype
        np.testing.assert_array_equal(found, x)
        assert x.dtype.kind != "f" or (np.signbit(found) == np.signbit(x)).all()
