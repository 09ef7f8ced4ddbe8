"""Machine code of complex numbers, by their parts: what NumPy computes, or refused by name."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from tests.ops.test_complex import mixtures
from tests.strategies import cases

import chainrule as cr
from chainrule.engines import ENGINES, evaluate
from chainrule.errors import UnsupportedError
from chainrule.ops import REGISTRY
from chainrule.tracing import trees
from chainrule.tracing.apply import apply

OPERATIONS = [op for op in REGISTRY.values() if op.complex]
BY_PARTS = [op for op in OPERATIONS if op.parts or op.part_by_part]


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")  # which `astype` and `put` give, as in NumPy
@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_every_operation(op: Any) -> None:
    tried = 0
    for case in list(cases(op))[:4]:
        for mixed in mixtures(case):
            for kinds in ({}, {"c": np.complex64, "f": np.float32}):
                arrays = [np.asarray(x) for x in mixed.inputs]
                arrays = [x.astype(kinds.get(x.dtype.kind, x.dtype)) for x in arrays]
                if not any(x.dtype.kind == "c" and x.size for x in arrays):
                    continue
                program = cr.trace(lambda *xs, mixed=mixed: apply(mixed.op, *xs, **mixed.attributes), *arrays)
                reason = ENGINES["llvm"].refusal(program)
                if op not in BY_PARTS:
                    assert reason is not None
                    assert op.name in reason
                    continue
                if reason is not None:
                    assert "without elements" in reason
                    continue
                with np.errstate(all="ignore"):
                    expected = evaluate(program, *arrays)
                found = ENGINES["llvm"].executable(program)(*arrays)[0]
                assert found.dtype == np.asarray(expected).dtype
                tolerance = 1e-5 if kinds else 1e-12
                np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
                tried += 1
    assert tried or op not in BY_PARTS


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("op", BY_PARTS, ids=lambda op: op.name)
def test_every_operation_with_constants(op: Any) -> None:
    """A part of a constant may be a number of NumPy's, whose float64 is one of Python's floats."""
    for case in list(cases(op))[:3]:
        for mixed in mixtures(case):
            for place in range(len(mixed.inputs)):
                given = [np.asarray(x)[()] for x in mixed.inputs]
                others = [x for i, x in enumerate(given) if i != place]

                def function(*new: Any, given: Any = given, place: int = place, mixed: Any = mixed) -> Any:
                    inputs = [*new[:place], given[place], *new[place:]]
                    return apply(mixed.op, *inputs, **mixed.attributes)

                kinds = {np.asarray(x).dtype.kind for x in given}
                if not others or "c" not in kinds or not all(np.size(x) for x in given):
                    continue
                with np.errstate(all="ignore"):
                    expected = function(*others)
                np.testing.assert_allclose(cr.jit(function, engine="llvm")(*others), expected, rtol=1e-12, atol=1e-12)


def test_products_with_single_complex_constants() -> None:
    x, y = np.array([0.5, -1.5]), 0.3

    def contracted(x: Any) -> Any:
        return np.vdot(0.7 * x, x + 1j * x).imag * 0.9 + np.einsum(",i->i", np.complex128(2j), x).imag.sum()

    def single(y: Any) -> Any:
        return np.vdot(0.7 * y, y + 1j * y).imag * 0.9 + np.real(np.einsum(",->", np.complex128(1j), y * 1j))

    def looped(x: Any) -> Any:
        z = cr.loop(lambda z, _: z * np.complex128(0.5 + 0.5j) + np.float64(0.25), x + 0j, 3)
        return np.sum(np.abs(z) ** 2)

    for function, at in ((contracted, x), (single, y), (looped, x)):
        for g in (function, cr.grad(function)):
            np.testing.assert_allclose(cr.jit(g, engine="llvm")(at), g(at), rtol=1e-12)
        np.testing.assert_allclose(
            cr.jit(cr.hessian(function), engine="llvm")(at), cr.hessian(function)(at), rtol=1e-12
        )


SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.5, -1e-200, 1e200, np.inf, -np.inf]


@pytest.mark.parametrize("name", ["sqrt", "log", "exp", "absolute", "angle", "conjugate", "isfinite", "isnan", "isinf"])
def test_zeros_cuts_and_the_ends_of_the_range(name: str) -> None:
    z = np.array([complex(a, b) for a in SPECIAL for b in SPECIAL])
    if name in ("sqrt", "log", "exp"):  # NumPy's C library has conventions of its own where a part is infinite
        z = z[np.isfinite(z)]
    op = REGISTRY[name]
    with np.errstate(all="ignore"):
        expected = op.evaluate(z)
        found = cr.jit(lambda z: apply(op, z))(z)
    usual = np.isfinite(np.abs(expected))
    np.testing.assert_allclose(found[usual], expected[usual], rtol=1e-13)
    np.testing.assert_array_equal(np.signbit(np.imag(found[usual])), np.signbit(np.imag(expected[usual])))


def test_quotients_do_not_overflow() -> None:
    a, b = np.array([1e200 + 1e200j, 1 + 2j, 3.0, 1e-300j]), np.array([1e200 - 2e200j, 1e-320j, -2j, 5e-301 + 0j])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(cr.jit(np.divide)(a, b), a / b, rtol=1e-13)
        np.testing.assert_allclose(cr.jit(lambda b: 1.0 / b)(b[[0, 2]]), 1.0 / b[[0, 2]], rtol=1e-13)


ENDS = {
    "exp": (710 + 1.5j, 735 + 1.5707963267948966j, -745 + 3j, 710 + 1e-300j),
    "expm1": (710 + 1.5j, -745 + 3j, 1e-300 + 1e-300j),
    "log": (1.5e308 + 1.7e308j, 1e-310 - 3e-310j, 2e-323 + 2e-323j, 1.7e308 + 1j),
    "log1p": (1.7e308 - 1.7e308j, 1e-9j, -1 + 1e-320j),
    "sqrt": (1.7e308 + 1.7e308j, -1.7e308 + 1e308j, 2e-323j, -3e-320 - 1e-320j, 5e-324 + 5e-324j),
    "sin": (1e-5 + 711j, 3.141592653589793 - 730j, 2 + 700j, 1e-300 - 750j),
    "cos": (1.5707963267948966 + 720j, 2 + 700j, 1e-300 - 710j),
    "sinh": (711 + 1e-5j, -730 + 3.141592653589793j, 700 + 2j),
    "cosh": (720 + 1.5707963267948966j, -700 + 2j, 710 + 0j),
    "tanh": (711 + 1e-5j, -300 + 1j, 1e-310 + 1e-310j),
    "reciprocal": (1e308 + 1e308j, 1e-308 - 1e-308j),
}
"""Numbers at the ends of the range."""


@pytest.mark.parametrize("name", ENDS)
def test_parts_at_the_ends_of_the_range_are_exact(name: str) -> None:
    functions = {"reciprocal": lambda z: 1 / z, "log1p": lambda z: mpmath.log(1 + z)}
    own = functions.get(name, getattr(mpmath, name, None))
    with mpmath.workdps(700):
        exact = [own(mpmath.mpc(z)) for z in ENDS[name]]
        expected = np.array([complex(float(y.real), float(y.imag)) for y in exact])
    found = cr.jit(lambda z: apply(REGISTRY[name], z))(np.array(ENDS[name]))
    for a, b in zip((found.real, found.imag), (expected.real, expected.imag), strict=True):
        fair = np.isfinite(b)
        np.testing.assert_array_equal(a[~fair], b[~fair])
        np.testing.assert_allclose(a[fair], b[fair], rtol=1e-14, atol=1e-290)


def test_powers_to_0_and_of_infinite_numbers() -> None:
    z = np.array([complex(np.inf, 0), complex(0, np.nan), 0, 1 - 2j])
    np.testing.assert_array_equal(cr.jit(lambda z: z**0)(z), np.ones(4))
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(cr.jit(lambda z: z**2)(z), z * z)
        np.testing.assert_array_equal(
            cr.jit(np.sqrt)(np.array([complex(1, np.inf), complex(-2, -np.inf)])).real, np.inf
        )


def leaves(results: Any) -> list[Any]:
    return trees.flatten(results)[0]


def power_of_a_filter(h: Any, x: Any) -> Any:
    """The power that a resonator lets through."""
    z = np.exp(1j * x)
    response = (h[0] + h[1] * z) / (1.0 + h[2] * z**2)
    return np.sum(np.abs(response) ** 2) + np.sum(np.real(np.sqrt(response)) * x)


def test_gradients_and_batches_of_programs() -> None:
    h, x = np.array([0.3, -0.2, 0.5]), np.linspace(0.1, 2.0, 7)
    for function in (power_of_a_filter, cr.grad(power_of_a_filter, (0, 1)), cr.hessian(power_of_a_filter)):
        for found, expected in zip(leaves(cr.jit(function)(h, x)), leaves(function(h, x)), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-10)
    many = np.stack([h, h + 0.1j, h * 1j])
    real = lambda h: np.real(power_of_a_filter(h, x))  # noqa: E731
    np.testing.assert_allclose(cr.jit(cr.vmap(cr.grad(real)))(many), cr.vmap(cr.grad(real))(many), rtol=1e-10)


def test_numbers_arguments_and_results() -> None:
    found = cr.jit(lambda z, k: {"z": z * k, "n": z.real, "same": z})(np.complex64(1 + 2j), 2j)
    assert found["z"] == (1 + 2j) * 2j
    assert (found["z"].dtype, found["n"].dtype, found["same"]) == (np.complex64, np.float32, 1 + 2j)
    assert cr.jit(lambda x: np.abs(x * (1 + 1j)))(2.0) == pytest.approx(2 * np.sqrt(2))
    assert "im" in cr.jit(lambda z: z * z).inspect("loops", np.ones(3, complex))


def test_what_has_no_parts_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match="fft"):
        cr.jit(np.fft.fft)(np.ones(4, complex))
    with pytest.raises(UnsupportedError, match="for complex numbers: prod"):
        cr.jit(lambda z: cr.loop(lambda z, i: z * np.prod(z), z, 3))(np.ones(2, complex))


def test_loops() -> None:
    """Complex numbers carried along, collected, only met inside of a step, in single precision, beside long integers."""
    turned = cr.jit(lambda x: cr.loop(lambda x, i: np.abs(x * np.exp(1j * x)), x, 3))  # complex inside of each step
    assert turned(np.float64(2.0)) == pytest.approx(2.0)

    def steps(z: Any, x: Any) -> Any:
        def step(state: Any, row: Any) -> Any:
            z, n, k = state
            return (z * row + 1j * n, np.abs(z), k + 1), (z, np.real(z) > 0, 3 * k)

        return cr.scan(step, (z, x[0].real, 2**40), x, reverse=True)

    z, x = np.complex64(1 - 2j), np.linspace(0.5, 1.5, 5).astype(np.complex64) * np.complex64(1j)
    for found, expected in zip(leaves(cr.jit(steps)(z, x)), leaves(steps(z, x)), strict=True):
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(found, expected, rtol=2e-6)
    power = cr.jit(lambda z: np.abs(cr.loop(lambda w, i: w * w + z, z, 8)))
    np.testing.assert_allclose(power(0.1 + 0.2j), np.abs(_iterated(0.1 + 0.2j, 8)), rtol=1e-12)


def _iterated(z: complex, times: int) -> complex:
    """w ← w² + z, by Python."""
    w = z
    for _ in range(times):
        w = w * w + z
    return w


def test_a_layer_may_compute_with_complex_numbers() -> None:
    class Turned(cr.Layer):
        def parameters(self, shape: Any) -> Any:
            return {"angle": cr.ParameterSpec((shape[-1],), "normal")}

        def forward(self, p: Any, x: Any) -> Any:
            return np.real(x * np.exp(1j * p["angle"]).astype(np.complex64))

    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)

    def trained(engine: str) -> Any:
        network = cr.Network([Turned(), cr.Dense(1)], seed=0)
        network.fit(x, x.sum(1, keepdims=True), epochs=3, engine=engine, progress=False)
        return network.parameters["turned_0"]["angle"]

    np.testing.assert_allclose(trained("llvm"), trained("numpy"), rtol=1e-5)


REAL_AND_A_CONSTANT: dict[str, Any] = {
    "stacked": lambda x: np.stack([x[0] + 2j, x[1] - 1j]),
    "stacked with a number": lambda x: np.stack([x[0], 1j]),
    "cast into another shape": lambda x: np.broadcast_to(np.reshape(x[0] + 1j, (1,)), (3,)),
    "contracted": lambda x: np.einsum("i,->i", x, x[0] + 1j) + np.einsum("i,->i", x, 2j),
    "a state": lambda x: cr.loop(lambda s, i: np.conj(s) * 2, x[0] + 1j, 3),
    "what all steps share": lambda x: cr.loop(lambda s, i: s * (x[0] + 1j) - x[1], 1j, 3),
    "rows": lambda x: cr.scan(lambda s, r: (s * r, s - r), 1.0 + 0j, np.stack([x[0] + 1j, 1j]))[1],
    "minus zero": lambda x: np.sqrt(np.stack([-x[0], complex(-2.0, -0.0)])),
}


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("name", REAL_AND_A_CONSTANT)
def test_real_values_and_the_imaginary_part_of_a_constant(name: str, kind: Any) -> None:
    """x + 1j has an imaginary part that is known beforehand, and not 0."""
    function, x = REAL_AND_A_CONSTANT[name], np.array([0.7, -1.2], kind)
    found, expected = cr.jit(function, engine="llvm")(x), function(x)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-5 if kind is np.float32 else 1e-14)
    size = lambda x: np.sum(np.abs(function(x)) ** 2)  # noqa: E731
    slope = cr.jit(cr.grad(size), engine="llvm")(x)
    np.testing.assert_allclose(slope, cr.grad(size)(x), rtol=1e-4 if kind is np.float32 else 1e-12)
