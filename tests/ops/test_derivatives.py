"""Every operation of every kind: both modes against finite differences and each other; types; empty arrays."""

import numpy as np
import pytest

from chainrule.autodiff import check_grads, jvp, vjp
from chainrule.errors import UnsupportedError
from chainrule.ops import REGISTRY, ArrayType, Elementwise, Layout
from chainrule.ops.operation import eager
from chainrule.tracing import apply
from strategies import attributes_of, cases, elementwise_cases, split_leaves, with_numbers

OPERATIONS = list(REGISTRY.values())
SMOOTH = [op for op in OPERATIONS if op.differentiable]
STEPWISE = [op for op in OPERATIONS if not op.differentiable]


def by_name(op):
    return op.name


def function_of(case):
    """The case as a function of its real inputs, and these."""
    leaves, put = split_leaves(case.inputs)
    return (lambda *new: apply(case.op, *put(new), **case.attributes)), leaves


def random_like(x, random):
    return np.asarray(random.normal(size=np.shape(x)), np.asarray(x).dtype)


@pytest.mark.parametrize("op", OPERATIONS, ids=by_name)
def test_is_tried_with_something(op):
    assert any(split_leaves(case.inputs)[0] for case in cases(op)) or not op.differentiable
    assert list(cases(op))


@pytest.mark.parametrize("op", SMOOTH, ids=by_name)
def test_both_modes_equal_finite_differences_to_second_order(op):
    tried = list(cases(op))
    if isinstance(
        op, Elementwise
    ):  # Python numbers beside arrays: of one shape, for they broadcast as arrays without axes do
        tried += with_numbers(max(tried, key=lambda case: sum(map(np.size, case.inputs))))
    for case in tried:
        function, leaves = function_of(case)
        if leaves:
            check_grads(function, leaves, order=2)


BESIDE = [
    op for op in SMOOTH if isinstance(op, Elementwise) and op.loops and sum(d.dtype == "float" for d in op.domain) > 1
]


@pytest.mark.parametrize("kind", [np.bool_, np.int8, np.uint8, np.uint32])
@pytest.mark.parametrize("op", BESIDE, ids=by_name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # some have no value beside 0
def test_derivatives_beside_integers_are_those_beside_the_same_real_numbers(op, kind):
    """As such, −b would be another number where b has no sign, b − 1 where it is 0, and b·b where it is large."""
    random = np.random.default_rng(5)
    most = {np.bool_: 1, np.uint32: 3}.get(kind, 12)
    for attributes in attributes_of(op):
        for i, partial in enumerate(op.partials):
            if partial is None or op.domain[i].dtype != "float":
                continue
            given = [random.integers(0, most + 1, 6).astype(kind if d.dtype == "float" else d.dtype) for d in op.domain]
            real = [x.astype(float) if d.dtype == "float" else x for x, d in zip(given, op.domain, strict=True)]
            given[i] = real[i] = random.uniform(0.3, 0.9, 6)
            for inputs in (given, real):
                function = lambda x, i=i, inputs=inputs: apply(op, *inputs[:i], x, *inputs[i + 1 :], **attributes)  # noqa: B023, E731
                found = vjp(function, given[i])[1](np.ones(6))[0], jvp(function, [given[i]], [np.ones(6)])[1]
                if inputs is given:
                    beside = found
            np.testing.assert_allclose(beside, found, rtol=1e-12, atol=1e-12, err_msg=str((i, attributes)))


@pytest.mark.parametrize("op", SMOOTH, ids=by_name)
def test_where_a_cotangent_comes_from_is_used(op):
    """By any element of the result: what it depends on is said to be, and nothing where nothing of the result is used."""
    random = np.random.default_rng(4)
    for case in cases(op):
        varies = [isinstance(x, np.ndarray) and x.dtype.kind in "fc" for x in case.inputs]
        output = op.evaluate(*case.inputs, **case.attributes)
        for size in (0.0, 0.3, 1.0):
            used = (random.uniform(size=np.shape(output)) < size).astype(float)
            parts = op.pullback(
                eager, used * random_like(output, random), output, case.inputs, varies, **case.attributes
            )
            found = op.uses(eager, used, case.inputs, varies, **case.attributes)
            for x, part, of_input, own in zip(case.inputs, parts, found, varies, strict=True):
                assert (of_input is not None) == own or part is None
                if own and part is not None:
                    assert of_input.shape == np.shape(x)
                    assert np.all((of_input > 0) >= (part != 0))
                    assert size or op.axes(*case.inputs, **case.attributes) is None or not of_input.any()


@pytest.mark.parametrize("op", SMOOTH, ids=by_name)
def test_reverse_is_the_adjoint_of_forward(op):
    random = np.random.default_rng(3)
    for case in cases(op):
        function, leaves = function_of(case)
        directions = [random_like(x, random) for x in leaves]
        y, tangent = jvp(function, leaves, directions)
        value, pullback = vjp(function, *leaves)
        g = random_like(y, random)
        np.testing.assert_array_equal(y, value)
        forward = np.real(np.sum(g * tangent))
        reverse = sum(np.real(np.sum(c * t)) for c, t in zip(pullback(g), directions, strict=True))
        np.testing.assert_allclose(forward, reverse, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("op", SMOOTH, ids=by_name)
def test_pullback_is_linear_and_can_itself_be_differentiated(op):
    random = np.random.default_rng(6)
    for case in cases(op):
        function, leaves = function_of(case)
        value, pullback = vjp(function, *leaves)
        g, t = random_like(value, random), random_like(value, random)
        pulled, along = jvp(pullback, (g,), (t,))
        for found, expected in zip((*pulled, *along), (*pullback(g), *pullback(t)), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("op", SMOOTH, ids=by_name)
def test_every_cotangent_has_the_dtype_of_its_input(op):
    for narrow, wide in zip(cases(op, np.float32), cases(op, np.float64), strict=True):
        for even in (0, 1):
            mixed = [pair[(i + even) % 2] for i, pair in enumerate(zip(narrow.inputs, wide.inputs, strict=True))]
            leaves, put = split_leaves(tuple(mixed))
            function = lambda *new, put=put, case=narrow: apply(case.op, *put(new), **case.attributes)  # noqa: E731
            y, tangent = jvp(function, leaves, [np.ones_like(x) for x in leaves])
            cotangents = vjp(function, *leaves)[1](np.ones_like(y))
            assert tangent.dtype == y.dtype
            assert [c.dtype for c in cotangents] == [x.dtype for x in leaves]


@pytest.mark.parametrize("op", [op for op in SMOOTH if isinstance(op, Layout)], ids=by_name)
def test_layouts_adjoint_is_exact(op):
    """With whole numbers there is no rounding: ⟨g, J·t⟩ = ⟨Jᵀ·g, t⟩ to the last bit, for every input alone."""
    random = np.random.default_rng(4)
    for case in cases(op):
        function, leaves = function_of(case)
        for i in range(len(leaves)):
            directions = [random.integers(-5, 6, x.shape) * float(k == i) for k, x in enumerate(leaves)]
            y, tangent = jvp(function, leaves, directions)
            g = random.integers(-5, 6, np.shape(y)).astype(float)
            assert np.sum(g * tangent) == np.sum(vjp(function, *leaves)[1](g)[i] * directions[i])


@pytest.mark.parametrize("op", SMOOTH, ids=by_name)
def test_single_precision_stays_single_precision(op):
    random = np.random.default_rng(5)
    for narrow, wide in zip(cases(op, np.float32), cases(op, np.float64), strict=True):
        dtype = np.dtype(narrow.attributes.get("dtype", np.float32))
        function, leaves = function_of(narrow)
        reference, wide_leaves = function_of(wide)
        directions = [random_like(x, random) for x in leaves]
        y, tangent = jvp(function, leaves, directions)
        exact_y, exact_tangent = jvp(reference, wide_leaves, directions)
        g = random_like(y, random)
        cotangents, exact_cotangents = vjp(function, *leaves)[1](g), vjp(reference, *wide_leaves)[1](g)
        assert y.dtype == tangent.dtype
        assert y.dtype in (dtype, np.complex64 if op.to_complex else dtype)
        assert all(c.dtype == np.float32 for c in cotangents)
        assert all(c.shape == x.shape for c, x in zip(cotangents, leaves, strict=True))
        for found, expected in [
            (y, exact_y),
            (tangent, exact_tangent),
            *zip(cotangents, exact_cotangents, strict=True),
        ]:
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("op", [op for op in SMOOTH if isinstance(op, Elementwise)], ids=by_name)
def test_a_number_does_not_widen_single_precision(op):
    for case in cases(op, np.float32):
        for mixed in with_numbers(case):
            function, leaves = function_of(mixed)
            if not leaves:
                continue
            y, tangent = jvp(function, leaves, [np.ones_like(x) for x in leaves])
            cotangents = vjp(function, *leaves)[1](np.ones_like(y))
            assert {y.dtype, tangent.dtype, *(c.dtype for c in cotangents)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("op", STEPWISE, ids=by_name)
def test_operations_without_derivative_give_zero(op):
    for case in cases(op):
        function, leaves = function_of(case)
        y, tangent = jvp(function, leaves, [np.ones_like(x) for x in leaves])
        np.testing.assert_array_equal(y, case.evaluate())
        assert np.shape(tangent) == np.shape(y)
        assert not np.any(tangent)
        value, pullback = vjp(function, *leaves)
        cotangents = pullback(np.ones(np.shape(value)))
        assert all(c.shape == x.shape and not np.any(c) for c, x in zip(cotangents, leaves, strict=True))


@pytest.mark.parametrize("op", OPERATIONS, ids=by_name)
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:Matrix is singular", "ignore:.*logm")  # SciPy's, of zeros and ones
def test_inferred_types_are_those_of_values(op):
    tried = 0
    for dtype in (np.float64, np.float32, np.float16, np.int64, np.int32, np.uint8, bool):
        for case in cases(op):
            variants = [case, *with_numbers(case)] if isinstance(op, Elementwise) else [case]
            for variant in variants:
                inputs = [x.astype(dtype) if is_real(x) else x for x in variant.inputs]
                try:
                    with np.errstate(all="ignore"):
                        value = np.asarray(op.evaluate(*inputs, **case.attributes))
                except UnsupportedError:  # numpy.linalg has no half precision
                    assert dtype == np.float16
                    continue
                except (TypeError, ValueError, OverflowError):  # NumPy has no such operation for this dtype
                    assert dtype not in (np.float64, np.float32, np.float16)
                    continue
                types = [ArrayType(x.shape, x.dtype) if hasattr(x, "dtype") else x for x in inputs]
                assert op.infer(*types, **case.attributes) == ArrayType(value.shape, value.dtype)
                tried += 1
    assert tried


def is_real(x):
    return hasattr(x, "dtype") and x.dtype.kind == "f"


def emptied(op):
    """Cases with arrays that have no elements."""
    if isinstance(op, Elementwise):
        for case in elementwise_cases(op):
            if case.inputs[0].ndim:
                arrays = np.broadcast_arrays(*case.inputs)
                yield type(case)(op, tuple(x[:0].copy() for x in arrays), case.attributes)
        return
    for case in cases(op):
        if all(np.ndim(x) for x in case.inputs):
            yield type(case)(op, tuple(x[(slice(0),) * np.ndim(x)] for x in case.inputs), case.attributes)


@pytest.mark.parametrize("op", OPERATIONS, ids=by_name)
def test_empty_arrays_do_not_crash(op):
    for case in emptied(op):
        function, leaves = function_of(case)
        try:
            value = case.evaluate()
        except ValueError:  # shapes fixed by attributes, extrema of nothing
            assert not isinstance(op, Elementwise)
            continue
        y, tangent = jvp(function, leaves, [np.ones_like(x) for x in leaves])
        assert np.shape(y) == np.shape(tangent) == np.shape(value)
        cotangents = vjp(function, *leaves)[1](np.ones(np.shape(y)))
        assert [c.shape for c in cotangents] == [x.shape for x in leaves]
