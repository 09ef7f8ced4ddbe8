"""What is passed to a compiled function: Python's numbers, powers of integers, subclasses of arrays."""

import itertools
import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import SettingError, TracingError
from trying import ENGINES
from versions import before

every_engine = pytest.mark.parametrize("engine", ENGINES)

FUNCTIONS = {
    "R * c": lambda R, c: R * c,
    "c - R": lambda R, c: c - R,
    "R / c": lambda R, c: R / c,
    "R // c": lambda R, c: R // c,
    "R % c": lambda R, c: R % c,
    "R ** c": lambda R, c: R**c,
    "R * (c * c)": lambda R, c: R * (c * c),
    "R * (c / 2 + 1)": lambda R, c: R * (c / 2 + 1),
    "R * (2 - c)": lambda R, c: R * (2 - c),
    "R * -abs(c)": lambda R, c: R * -abs(c),
    "np.multiply": lambda R, c: R * np.multiply(c, c),
    "np.where": lambda R, c: np.where(R > 1, c, R),
    "np.maximum": lambda R, c: np.maximum(R, c),
    "np.stack": lambda R, c: np.stack([R[0] * c, c]),
    "R < c": lambda R, c: (c > R) * R,
    "sum": lambda R, c: np.sum(R) * c,
    "clip": lambda R, c: np.clip(R, 0, c),
    "alone": lambda R, c: c,
}


@every_engine
@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_have_the_dtype_of_the_function_itself(name, engine):
    function, compiled = FUNCTIONS[name], cr.jit(FUNCTIONS[name], engine=engine)
    kinds = ("int8", "int32", "int64", "uint8", "float32", "float64")
    for kind, c in itertools.product(kinds, (0.5, 2, True, np.float32(0.5), np.float64(0.5), np.int32(2))):
        R = np.array([1, 2, 3]).astype(kind)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                squared = name == "R ** c" and before(np, 2, 3)  # where it was 2 of any dtype, in that of the base
                expected = np.power(R, c) if squared else np.asarray(function(R, c))
            except (
                TypeError,
                OverflowError,
            ):  # truth values cannot be subtracted, nor numbers beyond the dtype be added
                continue
            if expected.dtype == np.float16:
                continue
            found = np.asarray(compiled(R, c))
        assert found.dtype == expected.dtype, (kind, c)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@every_engine
def test_numbers_in_derivatives_keep_single_precision(engine):
    def flat(x):
        return [y for part in x for y in flat(part)] if isinstance(x, tuple) else [x]

    loss = lambda R, c: np.sum(np.tanh(R * c) ** 2)  # noqa: E731
    R = np.ones(3, np.float32)
    for of in (cr.grad, cr.value_and_grad, lambda f: cr.value_and_grad(f, argnums=(0, 1))):
        found, expected = cr.jit(of(loss), engine=engine)(R, 0.1), of(loss)(R, 0.1)
        for a, b in zip(flat(found), flat(expected), strict=True):
            assert np.asarray(a).dtype == np.asarray(b).dtype
            np.testing.assert_allclose(a, b, rtol=1e-6)


@every_engine
def test_a_number_is_compiled_once_for_all_its_values(engine):
    calls = []
    compiled = cr.jit(lambda x, c: calls.append(1) or x * c, engine=engine)
    for c in (0.5, 1.5, -2.0):
        np.testing.assert_array_equal(compiled(np.ones(2), c), [c, c])
    assert len(calls) == 1


@pytest.mark.parametrize("exponent", [-1, np.int32(-2), np.array([1, -1, 2])], ids=str)
def test_integers_to_negative_powers_are_refused_as_numpy_refuses_them(exponent):
    x = np.array([1, 2, 3])
    with pytest.raises(ValueError, match="negative"):
        x**exponent
    with pytest.raises(SettingError, match=r"negative power.*1.0 / x\*\*n"):
        cr.jit(lambda x: x**exponent)(x)
    np.testing.assert_allclose(
        cr.jit(lambda x: x ** np.asarray(exponent))(x.astype(float)), x.astype(float) ** exponent
    )


def test_inspect_shows_what_runs():
    factor = 2.0
    compiled = cr.jit(lambda x: x * factor)
    assert compiled(3.0) == 6.0
    before = compiled.inspect("program", 3.0)
    factor = 5.0
    assert compiled(3.0) == 6.0  # documented: what is read besides arguments is compiled in
    assert compiled.inspect("program", 3.0) == before
    assert "2.0" in before


MASKED = np.ma.array([1.0, 2.0], mask=[False, True])
with warnings.catch_warnings():
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    MATRIX = np.matrix([[1.0, 2.0]])
DOORS = {
    "grad": lambda x: cr.grad(np.sum)(x),
    "value_and_grad": lambda x: cr.value_and_grad(np.sum)(x),
    "nested": lambda x: cr.grad(lambda p: np.sum(p["a"]))({"a": x}),
    "constant": lambda x: cr.grad(lambda y: np.sum(y * x))(np.ones(x.shape)),
    "constant first": lambda x: cr.grad(lambda y: np.sum(x * y))(np.ones(x.shape)),
    "not differentiated": lambda x: cr.grad(lambda y, z: np.sum(y * z))(np.ones(x.shape), x),
    "jvp": lambda x: cr.jvp(np.sum, (x,), (np.ones(x.shape),)),
    "tangent": lambda x: cr.jvp(np.sum, (np.ones(x.shape),), (x,)),
    "vjp": lambda x: cr.vjp(np.exp, x),
    "cotangent": lambda x: cr.vjp(np.exp, np.ones(x.shape))[1](x),
    "jacobian": lambda x: cr.jacobian(np.exp)(x),
    "hessian": lambda x: cr.hessian(np.sum)(x),
    "derivative": lambda x: cr.derivative(np.sum, x),
    "check_grads": lambda x: cr.check_grads(np.exp, (x,)),
    "vmap": lambda x: cr.vmap(np.exp)(x),
    "jit": lambda x: cr.jit(np.exp)(x),
    "jit of a dict": lambda x: cr.jit(lambda p: np.exp(p["a"]))({"a": x}),
    "constant of jit": lambda x: cr.jit(lambda y: x * y)(np.ones(x.shape)),
    "inspect": lambda x: cr.jit(np.exp).inspect("program", x),
    "trace": lambda x: cr.trace(np.exp, x),
    "evaluate": lambda x: cr.evaluate(cr.trace(np.exp, np.ones(x.shape)), x),
    "Value": lambda x: cr.Value(x),
    "data": lambda x: setattr(cr.Value(np.ones(x.shape)), "data", x),
    "backward": lambda x: (cr.Value(np.ones(x.shape)) * 2.0).backward(x),
}


@pytest.mark.parametrize("x", [MASKED, MATRIX], ids=["masked", "matrix"])
@pytest.mark.parametrize("door", DOORS)
def test_what_a_plain_array_would_lose_is_refused_at_every_door(door, x):
    with pytest.raises(TracingError, match=r"masked array|np\.matrix|plain array"):
        DOORS[door](x)
