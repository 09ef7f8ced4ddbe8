"""Complex numbers: what takes them is right for them, in both modes and to second order, and what does not refuses them."""

from __future__ import annotations

import contextlib
import inspect
import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChainruleError, DifferentiationError
from chainrule.ops import FUNCTIONS, REGISTRY, Elementwise
from chainrule.tracing import trees
from strategies import Case, arguments, cases, examples_of_functions, split_leaves
from together import together

TAKING = [op for op in REGISTRY.values() if op.complex and op.differentiable]
REFUSING = [op for op in REGISTRY.values() if not op.complex]


def is_of_one_number(op):
    """Whether it makes one complex number of another, and takes nothing besides."""
    try:
        return np.iscomplexobj(op.evaluate(np.complex128(0.3 + 0.4j)))
    except TypeError:
        return False


HOLOMORPHIC = [op for op in TAKING if isinstance(op, Elementwise) and len(op.domain) == 1 and is_of_one_number(op)]


def complex_like(x, seed=0):
    """Numbers with imaginary parts in place of real ones, away from zeros and branch cuts."""
    if not isinstance(x, np.ndarray | np.generic) or x.dtype.kind != "f":
        return x
    random = np.random.default_rng(seed)
    kind = np.result_type(x, np.complex64)
    return np.asarray(x + 1j * random.uniform(0.3, 0.9, np.shape(x)) * random.choice([-1, 1], np.shape(x)), kind)[()]


def mixtures(case):
    """The case with complex numbers in all places, and in each alone."""
    yield Case(case.op, tuple(complex_like(x, i) for i, x in enumerate(case.inputs)), case.attributes)
    if len(case.inputs) > 1:
        for place in range(len(case.inputs)):
            inputs = tuple(complex_like(x) if i == place else x for i, x in enumerate(case.inputs))
            yield Case(case.op, inputs, case.attributes)


def without_phase(x):
    """Of matrices v·vᴴ for every column v, which is the same whatever number of length 1 LAPACK has multiplied it by."""
    if x.dtype.kind != "c":
        return x
    return np.einsum("...ij,...kj->...ikj", x, np.conj(x))


def function_of(case):
    leaves, put = split_leaves(list(case.inputs))
    seen = without_phase if case.op.any_phase else lambda x: x
    return lambda *new: seen(getattr(cr.tracing.traced, case.op.name)(*put(list(new)), **case.attributes)), leaves


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")  # which `astype` gives, as in NumPy
@pytest.mark.parametrize("op", TAKING, ids=lambda op: op.name)
def test_both_modes_equal_finite_differences_to_second_order(op):
    tried = 0
    for case in list(cases(op))[:3]:
        for mixed in mixtures(case):
            function, leaves = function_of(mixed)
            if any(x.dtype.kind == "c" for x in leaves):
                cr.check_grads(function, leaves, order=2, rtol=1e-4, atol=1e-4)
                tried += 1
    assert tried


@pytest.mark.parametrize("op", HOLOMORPHIC, ids=lambda op: op.name)
def test_holomorphic_operations_have_mpmath_s_derivatives(op):
    mpmath = pytest.importorskip("mpmath")
    ours = {
        "negative": lambda z: -z, "positive": lambda z: +z, "reciprocal": lambda z: 1 / z, "square": lambda z: z * z,
        "exp2": lambda z: 2**z, "log2": lambda z: mpmath.log(z) / mpmath.log(2), "log1p": lambda z: mpmath.log(1 + z),
        "arcsin": mpmath.asin, "arccos": mpmath.acos, "arctan": mpmath.atan, "arcsinh": mpmath.asinh,
        "arccosh": mpmath.acosh, "arctanh": mpmath.atanh, "erf_of_complex": mpmath.erf,
        "wofz": lambda z: mpmath.exp(-z * z) * mpmath.erfc(-1j * z),
    }  # fmt: skip
    exact = ours.get(op.name) or getattr(mpmath, op.name)
    f = lambda z: getattr(cr.tracing.traced, op.name)(z)  # noqa: E731
    first = lambda z: cr.jvp(f, (z,), (np.ones_like(z),))[1]  # noqa: E731
    for z in (0.3 + 0.4j, -0.7 + 0.2j, 1.4 - 2.1j, -2.5 - 0.6j):
        z = np.complex128(z)
        derivatives = [f(z), first(z), cr.jvp(first, (z,), (np.complex128(1),))[1]]
        for order, found in enumerate(derivatives):
            assert abs(found - complex(mpmath.diff(exact, complex(z), order))) <= 1e-9 * max(1, abs(found)), (z, order)
        (reverse,) = cr.vjp(f, z)[1](np.complex128(1))
        assert abs(reverse - derivatives[1]) <= 1e-12 * max(1, abs(reverse))


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("op", [op for op in REGISTRY.values() if op.complex], ids=lambda op: op.name)
def test_a_batch_is_its_members(op):
    for case in list(cases(op))[:3]:
        mixed = next(mixtures(case))
        function, leaves = function_of(mixed)
        if not leaves:
            continue
        batches = [np.stack([x, 0.5 * x, x.conj()]) for x in leaves]
        found = cr.vmap(function)(*batches)
        for i in range(3):
            one = function(*(x[i] for x in batches))
            np.testing.assert_allclose(found[i], one, rtol=1e-12, atol=1e-14)
            assert found.dtype == np.asarray(one).dtype


WAYS = {
    "reverse": lambda f, z: cr.grad(f)(z),
    "forward": lambda f, z: cr.jvp(f, (z,), (z,)),
    "vmap": lambda f, z: cr.vmap(f)(np.stack([z, z])),
    "recorded": lambda f, z: cr.jit(f, engine="numpy")(z),
    "of a real number": lambda f, z: cr.grad(f)(z.real),
    "reverse of forward": lambda f, z: cr.grad(lambda z: np.real(cr.jvp(f, (z,), (z,))[1]))(z),
}


@together([(op, way) for op in REFUSING for way in WAYS], lambda op, way: op.name)
def test_what_assumes_real_numbers_refuses_others(op, way):
    case = next(iter(cases(op)))
    count = len(case.inputs)
    for place in range(count):
        if not isinstance(case.inputs[place], np.ndarray | np.generic):
            continue

        def f(z, place=place):
            x = case.inputs[place]
            mixed = np.broadcast_to(np.sum(z) * 1j, np.shape(x))
            given = [mixed if i == place else y for i, y in enumerate(case.inputs)]
            return np.sum(np.real(getattr(cr.tracing.traced, op.name)(*given, **case.attributes)))

        with pytest.raises(ChainruleError):
            WAYS[way](f, np.array([0.3 + 0.2j, 0.5 - 1.0j]))


def test_a_matrix_of_the_fourier_transform():
    matrix = np.exp(-2j * np.pi * np.outer(range(4), range(4)) / 4)
    x = np.array([0.3, 0.5, 0.9, -0.4])
    power = lambda x: np.sum(np.abs(matrix @ x) ** 2)  # noqa: E731
    transformed = lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2)  # noqa: E731
    for f in (power, transformed):
        np.testing.assert_allclose(cr.grad(f)(x), [2.4, 4.0, 7.2, -3.2], rtol=1e-14)
        np.testing.assert_allclose(cr.hessian(f)(x), 8 * np.eye(4), atol=1e-13)
        np.testing.assert_allclose(cr.jit(cr.grad(f), engine="auto")(x), [2.4, 4.0, 7.2, -3.2], rtol=1e-14)
        assert cr.jvp(f, (x,), (np.ones(4),))[1] == pytest.approx(10.4)


PUBLISHED = {
    "|z|²": (lambda z: np.abs(z) ** 2, lambda z: 2 * np.conj(z)),
    "Re z": (lambda z: np.real(z), lambda z: 1),
    "Im z": (lambda z: np.imag(z), lambda z: -1j),
    "arg z": (lambda z: np.angle(z), lambda z: -1j / z),
    "degrees": (lambda z: np.angle(z, deg=True), lambda z: -1j / z * 180 / np.pi),
    "|z|": (lambda z: abs(z), lambda z: np.conj(z) / np.abs(z)),
    "Re z̄": (lambda z: z.conj().real, lambda z: 1),
    "Im z̄": (lambda z: z.conjugate().imag, lambda z: 1j),
    "Re z³": (lambda z: np.real(z**3), lambda z: 3 * z**2),
    "Im eᶻ": (lambda z: np.imag(np.exp(z)), lambda z: -1j * np.exp(z)),
    "cast": (lambda z: np.real(z).astype(complex).real, lambda z: 1),
}
"""Functions with the gradient ∂f/∂a − i·∂f/∂b by z = a + i·b, so that df = Re(gradient·dz)."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_convention(name):
    f, expected = PUBLISHED[name]
    for z in (1.2 + 0.7j, np.complex128(-0.4 + 2j), np.array(0.3 - 1j)):
        found = cr.grad(f)(z)
        assert found == pytest.approx(expected(np.complex128(z)), rel=1e-13)
        assert found == pytest.approx(cr.derivative(f, z), rel=1e-6, abs=1e-8)
        assert cr.jacobian(f, mode="forward")(z) == pytest.approx(found, rel=1e-13)
        assert cr.grad(f)(np.complex64(z)).dtype == np.complex64


def test_the_convention_is_jax_s():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    z = np.array([0.3 + 0.4j, -1.2 + 0.5j, 0.8 - 0.9j], np.complex64)
    functions = (
        lambda m, z: m.sum(m.abs(m.fft.fft(z) * m.sin(z)) ** 2),
        lambda m, z: m.real(m.sum(m.sqrt(z) * m.conj(z[::-1]))) + m.imag(m.prod(z)),
        lambda m, z: m.sum(m.angle(z) * m.abs(z)) + m.real(m.vdot(z, m.log(z))),
        lambda m, z: m.sum(m.fft.irfft(z**2) ** 3) + m.sum(m.abs(m.fft.rfft(m.real(z)))),
        lambda m, z: m.linalg.norm(z) * m.std(z) + m.var(z, ddof=1),
        lambda m, z: m.real(m.power(z, 1.5 + 0.5j)[0] * m.mean(z)) + m.abs(m.where(m.real(z) > 0, z, 2.0).sum()),
    )
    for f in functions:
        found, exact = cr.grad(lambda z, f=f: f(np, z))(z), jax.grad(lambda z, f=f: f(jnp, z))(jnp.asarray(z))
        assert found.dtype == np.complex64
        np.testing.assert_allclose(found, exact, rtol=2e-4, atol=2e-4)


FFT = [(i, f, e) for i, f, e in examples_of_functions() if getattr(np.fft, f.name, None) in f.numpy]


def test_all_of_numpy_s_fourier_transforms_are_there():
    plain = {"fftfreq", "rfftfreq"}  # of plain numbers
    public = {name for name in np.fft.__all__ if inspect.isroutine(getattr(np.fft, name))}
    assert public - plain == {f.name for _, f, _ in FFT}
    assert cr.grad(lambda d: np.sum(np.fft.fftfreq(4, d) ** 2))(0.5) == pytest.approx(-2 * 0.375 / 0.5**3)


@pytest.mark.parametrize(("_", "function", "example"), FFT, ids=[i for i, _, _ in FFT])
def test_fourier_transforms_of_complex_numbers(_, function, example):
    given = [complex_like(x) for x in arguments(example)]
    leaves, put = split_leaves(given)
    f = lambda *new: function.numpy[0](*put(list(new)), **example.attributes)  # noqa: E731
    if function.name in ("rfft", "rfft2", "rfftn", "ihfft"):
        with pytest.raises(ChainruleError, match="takes real numbers"):
            cr.jvp(f, leaves, leaves)
        return
    value = cr.jvp(f, leaves, leaves)[0]
    np.testing.assert_allclose(value, f(*leaves), rtol=1e-12, atol=1e-13)
    cr.check_grads(f, leaves, order=2)
    np.testing.assert_allclose(cr.jit(f, engine="auto")(*leaves), f(*leaves), rtol=1e-12, atol=1e-13)
    single = [x.astype(np.complex64) for x in leaves]
    assert cr.jvp(f, single, single)[1].dtype == f(*single).dtype


def with_complex(given):
    return [with_complex(x) for x in given] if isinstance(given, list) else complex_like(given)


ALL = [(i, f, e) for i, f, e in examples_of_functions() if f.numpy]


@together(ALL, lambda name, function, example: function.name)
def test_functions_of_complex_numbers_are_numpys_or_refused(name, function, example):
    """The value that NumPy gives, and its derivatives."""
    leaves, put = split_leaves([with_complex(x) for x in arguments(example)])
    if not any(x.dtype.kind == "c" and np.isfinite(x).all() for x in leaves):
        return
    any_phase = False

    def call(*new):
        return trees.flatten(function.numpy[0](*put(list(new)), **example.attributes))[0]

    def numbers(*new):
        found = [np.abs(x) ** 2 for x in call(*new)] if any_phase else call(*new)
        return [x for x in found if getattr(x, "dtype", None) is not None and np.dtype(x.dtype).kind in "fc"]

    with contextlib.suppress(ChainruleError):  # what is refused, or goes by numbers
        any_phase = any(equation.op.any_phase for equation in cr.trace(call, *leaves).equations)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            expected = numbers(*leaves)
    except Exception:  # NumPy has no meaning for it
        return
    try:
        found, _ = cr.jvp(numbers, leaves, leaves)
    except ChainruleError:
        return
    assert len(found) == len(expected)
    for x, y in zip(found, expected, strict=True):
        assert np.asarray(x).dtype.kind == np.asarray(y).dtype.kind or not np.imag(y).any()
        np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)
    if found:
        cr.check_grads(lambda *new: [x * 1.0 for x in numbers(*new)], leaves)


def test_a_complex_value_of_grad_is_an_error_that_says_what_to_take():
    for f, x in ((lambda x: np.sum(x * 1j), np.ones(2)), (lambda z: z * z, 1 + 2j), (lambda z: 1j, 2.0)):
        with pytest.raises(DifferentiationError, match=r"np\.real\(y\).*holomorphic"):
            cr.grad(f)(x)


def test_jacobians_by_complex_numbers_and_of_them():
    a, x = np.array([[1, 2j, 3], [0.1 + 1j, 2, 1]]), np.array([0.3, 0.7, 1.0])
    z = np.array([1 + 2j, 0.5 - 1j])
    real = lambda z: np.stack([np.abs(z[0] * z[1]) ** 2, np.real(z[0] ** 3), np.imag(z[1])])  # noqa: E731
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(cr.jacobian(lambda x: a @ (x * x), mode=mode)(x), a * 2 * x, rtol=1e-14)
        np.testing.assert_allclose(cr.jacobian(real, mode=mode)(z), cr.derivative(real, z), atol=1e-8)
        with pytest.raises(DifferentiationError, match="holomorphic"):
            cr.jacobian(lambda z: z * z, mode=mode)(z)
    with pytest.raises(ChainruleError, match="belongs to real"):
        cr.jvp(np.sin, (1.0,), (1j,))


def test_python_s_complex_numbers_adapt_to_arrays():
    x = np.array([0.5, 2.0], np.float32)
    assert cr.grad(lambda x: np.sum(np.abs(2j * x + 1)))(x).dtype == np.float32
    for f in (lambda a: a * x, lambda a: a**2 * x + 1):
        assert cr.jvp(f, (1 + 2j,), (1j,))[0].dtype == np.complex64
        assert cr.jit(f, engine="auto")(1 + 2j).dtype == np.complex64


def test_names_of_parts_are_views_as_numpy_has_them():
    def f(z):
        w = z * 2
        part = w.real
        part += w.imag**2
        w.imag[0] = 3.0 * part[1]
        return np.sum(np.abs(w) ** 2 * np.array([1.0, 2.0]))

    z = np.array([1 + 2j, -0.5 + 0.3j])
    value, gradient = cr.value_and_grad(f)(z)
    assert value == pytest.approx(f(z))
    slopes = [[(f(z + d * h) - f(z - d * h)) / 2e-6 for h in np.eye(2) * 1e-6] for d in (1.0, 1j)]
    np.testing.assert_allclose(gradient, np.array(slopes[0]) - 1j * np.array(slopes[1]), rtol=1e-7)


def test_every_function_that_tells_complex_from_real():
    z, x = np.array([1 + 2j, 3.0]), np.array([1.0, 2.0])
    for name in ("iscomplexobj", "isrealobj", "iscomplex", "isreal"):
        assert name in FUNCTIONS
        for given in (z, x):
            found = []
            cr.grad(lambda t, name=name, found=found: (found.append(getattr(np, name)(t)), np.sum(np.abs(t)))[1])(given)
            np.testing.assert_array_equal(found[0], getattr(np, name)(given))
