"""Every function: the NumPy functions it stands for, on plain arrays, traced, and differentiated."""

import inspect
import operator
from functools import partial
from itertools import islice

import numpy as np
import pytest

import chainrule as cr
import chainrule.numpy as numpy_with_traces
from chainrule.autodiff import check_grads, grad, jvp, vjp, vmap
from chainrule.engines import evaluate
from chainrule.errors import InPlaceError, ShapeError, TracingError, UnknownNameError, UnsupportedError
from chainrule.ops import FUNCTIONS, REGISTRY, Elementwise, eager, operation
from chainrule.tracing import Traced, apply, simplify, trace, traced, trees
from chainrule.tracing.numpy_interface import _METHODS
from strategies import arguments, elementwise_cases, examples_of_functions, split_leaves
from together import together
from versions import before

KINDS = ("result_type", "common_type", "min_scalar_type", "can_cast")
"""Functions whose answer is no array."""
EXAMPLES = [case for case in examples_of_functions() if case[1].name not in KINDS]
OF_NUMPY = [(name, f, e, n) for name, f, e in EXAMPLES for n in f.numpy]


def by_name(case, function, *others):
    return function.name


def as_list(x):
    return list(x) if isinstance(x, list | tuple) else [x]


def assert_same(found, expected):
    assert len(as_list(found)) == len(as_list(expected))
    for a, b in zip(as_list(found), as_list(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-14)
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype


@together(EXAMPLES, by_name)
def test_traced_equals_plain(name, function, example):
    """The implementation on plain arrays, as a Program, and inside both derivatives gives one value."""
    args = arguments(example)
    expected = function.implementation(eager, *args, **example.attributes)
    leaves, put = split_leaves(args)

    def call(*new):
        result = function.implementation(traced, *put(new), **example.attributes)
        return list(result) if isinstance(result, tuple) else result

    assert_same(call(*leaves), expected)
    if function.by_numbers:
        with pytest.raises(TracingError, match="needs the numbers"):
            trace(call, *leaves)
    else:
        program = trace(call, *leaves)
        assert_same(evaluate(program, *leaves), expected)
        assert_same(evaluate(simplify(program), *leaves), expected)
    if leaves:
        assert_same(jvp(call, leaves, [np.ones_like(x) for x in leaves])[0], expected)
        assert_same(vjp(call, *leaves)[0], expected)


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")  # from NumPy 2.5 on
@together([(*case, dtype) for case in OF_NUMPY for dtype in (np.float32, np.float64)], by_name)
def test_numpy_call_on_traced_values_reaches_it(name, function, example, numpy, dtype):
    args = arguments(example, dtype)
    expected = numpy(*args, **example.attributes)
    leaves, put = split_leaves(args)
    seen = []

    def call(*new):
        result = numpy(*put(new), **example.attributes)
        seen.append(result)
        return list(result) if isinstance(result, tuple) else result

    by_numbers = function.by_numbers and leaves
    found = jvp(call, leaves, leaves)[0] if by_numbers else evaluate(trace(call, *leaves), *leaves)
    assert len(as_list(found)) == len(as_list(expected))
    for a, b in zip(as_list(found), as_list(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-6)
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
    if function.differentiable and leaves:
        assert any(isinstance(x, Traced) for x in as_list(seen[0]) if x.size)


@together(EXAMPLES, by_name)
def test_derivatives(name, function, example):
    leaves, put = split_leaves(arguments(example))

    def call(*new):
        result = function.implementation(traced, *put(new), **example.attributes)
        return (
            [y for y in result if hasattr(y, "dtype") and y.dtype.kind in "fc"]
            if isinstance(result, list | tuple)
            else result
        )

    if function.differentiable:
        assert leaves
        check_grads(call, leaves, order=2)
        _, pullback = vjp(call, *leaves)
        outputs, structure = trees.flatten(call(*leaves))
        cotangents = pullback(trees.unflatten(structure, [np.ones(np.shape(y)) for y in outputs]))
        assert any(np.any(c) for c in cotangents)
    elif leaves:
        _, tangent = jvp(call, leaves, [np.ones_like(x) for x in leaves])
        assert not any(np.any(t) for t in as_list(tangent))


@together(EXAMPLES, by_name)
def test_members_of_a_batch_have_what_they_have_alone(name, function, example):
    leaves, put = split_leaves(arguments(example))
    if not leaves or function.name in ("shape", "ndim", "size"):
        return
    members = [leaves, [x * 1.0625 + 0.03125 for x in leaves]]

    def call(*new):
        result = function.implementation(traced, *put(new), **example.attributes)
        return list(result) if isinstance(result, tuple) else result

    stacked = [np.stack(both) for both in zip(*members, strict=True)]
    if function.by_numbers:
        with pytest.raises(TracingError, match="needs the numbers"):
            vmap(call)(*stacked)
        return
    found = vmap(call)(*stacked)
    for i, own in enumerate(members):
        for a, b in zip(as_list(found), as_list(call(*own)), strict=True):
            np.testing.assert_allclose(a[i], b, rtol=1e-12, atol=1e-13)


def test_no_numpy_function_is_claimed_twice():
    claimed = [numpy for function in FUNCTIONS.values() for numpy in function.numpy]
    assert len(claimed) == len(set(claimed))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_has_examples_and_a_docstring(name):
    function = FUNCTIONS[name]
    assert function.examples
    assert function.implementation.__doc__
    assert not function.differentiable or all(split_leaves(arguments(e))[0] for e in function.examples)


@together(OF_NUMPY, by_name)
def test_views_write_through_where_numpy_s_do(name, function, example, numpy):
    """A result that is written to changes the first argument, or does not."""
    x, *rest = arguments(example)
    if type(x) is not np.ndarray or x.dtype.kind != "f" or not x.size:
        return

    def changed(t):
        for part in as_list(numpy(t, *rest, **example.attributes)):
            if getattr(part, "shape", ()):
                part[...] = 7.0
        return t + 0.0

    try:
        expected = changed(x.copy())
    except (ValueError, DeprecationWarning):  # NumPy's is for reading
        return
    try:
        found = jvp(changed, (x.copy(),), (np.ones_like(x),))[0]
    except (InPlaceError, UnsupportedError):  # where it is not known, and into complex numbers
        return
    np.testing.assert_array_equal(found, expected)


INTO = [case for case in EXAMPLES if "out" in inspect.signature(case[1].implementation).parameters]


@together(INTO, by_name)
def test_results_are_not_written_into_arrays(name, function, example):
    with pytest.raises(InPlaceError, match="return value"):
        function.implementation(eager, *arguments(example), **example.attributes, out=np.zeros(3))


# --- methods and operators


METHODS = [(name, example) for name in _METHODS for example in FUNCTIONS[name].examples]


@together(METHODS, lambda name, example: name)
def test_methods_do_what_arrays_methods_do(name, example):
    x, *rest = arguments(example)
    expected = getattr(x, name)(*rest, **example.attributes)
    if FUNCTIONS[name].by_numbers:
        assert_same(jvp(lambda t: getattr(t, name)(*rest, **example.attributes), (x,), (x,))[0], expected)
        return
    assert_same(evaluate(trace(lambda t: getattr(t, name)(*rest, **example.attributes), x), x), expected)


def test_methods_of_form():
    x = np.arange(6.0).reshape(2, 3)
    for form in (
        lambda t: t.T,
        lambda t: t.mT,
        lambda t: t.reshape(3, 2),
        lambda t: t.reshape((3, -1)),
        lambda t: t.reshape(-1),
        lambda t: t.transpose(),
        lambda t: t.transpose(1, 0),
        lambda t: t.transpose((1, 0)),
        lambda t: t.flatten(),
        lambda t: t.astype(np.float32),
        lambda t: t.astype(int),
        lambda t: t.astype(np.float64),
    ):
        assert_same(evaluate(trace(form, x), x), form(x))
    recorded = []
    trace(lambda t: recorded.extend([t.ndim, t.size, len(t), t.shape, t.dtype]) or t, x)
    assert recorded == [2, 6, 2, (2, 3), np.dtype(float)]


BINARY = [
    *[getattr(operator, name) for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")],
    *[getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")],
]


@pytest.mark.parametrize("symbol", BINARY, ids=lambda symbol: symbol.__name__)
def test_binary_operators_and_their_reflections(symbol):
    a, b = np.array([[1.5, 2.0, 0.25]]), np.array([[2.0], [3.5]])
    assert_same(evaluate(trace(symbol, a, b), a, b), symbol(a, b))
    for number in (2, 2.5, np.float64(2.5), np.float32(1.5), np.array(3), np.array([1.0, 2.0, 3.0])):
        assert_same(evaluate(trace(partial(symbol, number), a), a), symbol(number, a))
        assert_same(evaluate(trace(lambda t, number=number: symbol(t, number), a), a), symbol(a, number))


@pytest.mark.parametrize("symbol", [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift])
def test_operators_on_bits(symbol):
    a, b = np.array([5, 3, 1], np.uint32), np.array([1, 2, 3], np.uint32)
    assert_same(evaluate(trace(symbol, a, b), a, b), symbol(a, b))
    assert_same(evaluate(trace(lambda t: symbol(t, 2), a), a), symbol(a, 2))
    assert_same(evaluate(trace(lambda t: symbol(b, t), a), a), symbol(b, a))
    if symbol in (operator.and_, operator.or_, operator.xor):
        p, q = np.array([True, False, True]), np.array([True, True, False])
        assert_same(evaluate(trace(symbol, p, q), p, q), symbol(p, q))


@pytest.mark.parametrize("values", [np.array([True, False]), np.array([0, 7, -3]), np.array([0, 7], np.uint8)])
def test_invert(values):
    assert_same(evaluate(trace(operator.invert, values), values), ~values)
    assert_same(evaluate(trace(np.invert, values), values), ~values)
    with pytest.raises(ShapeError, match="truth values and integers"):
        trace(operator.invert, np.ones(2))


def test_matrix_product_operator_with_plain_arrays_and_lists_on_either_side():
    x, w = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    assert_same(evaluate(trace(lambda t: t @ w, x), x), x @ w)
    assert_same(evaluate(trace(lambda t: x @ t, w), w), x @ w)
    assert_same(evaluate(trace(lambda t: t @ w.tolist(), x), x), x @ w)
    assert_same(evaluate(trace(lambda t: x.tolist() @ t, w), w), x @ w)


@pytest.mark.parametrize("symbol", [operator.neg, operator.pos, operator.abs])
def test_unary_operators(symbol):
    x = np.array([1.5, -2.0])
    assert_same(evaluate(trace(symbol, x), x), symbol(x))


UFUNCS = [op for op in REGISTRY.values() if isinstance(op, Elementwise) and op.ufunc]


@pytest.mark.parametrize("op", UFUNCS, ids=lambda op: op.name)
def test_ufuncs_reach_the_operation_of_their_name(op):
    inputs = next(islice(elementwise_cases(op), 1, None)).inputs
    program = trace(op.ufunc, *inputs)
    assert_same(evaluate(program, *inputs), op.ufunc(*inputs))
    assert program.equations[-1].op is op


@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "minimum", "logical_or", "logical_and"])
@pytest.mark.parametrize(
    "options", [{}, {"axis": 1}, {"axis": None}, {"axis": (0, 1)}, {"axis": 1, "keepdims": True}, {"where": True}]
)
def test_reduce_of_ufuncs(name, options):
    x, reduce = np.arange(6.0).reshape(2, 3) - 1, getattr(np, name).reduce
    assert_same(evaluate(trace(lambda t: reduce(t, **options), x), x), reduce(x, **options))


@pytest.mark.parametrize("options", [{}, {"axis": 1}, {"axis": -1}])
def test_accumulate_of_add(options):
    x = np.arange(6.0).reshape(2, 3)
    assert_same(evaluate(trace(lambda t: np.add.accumulate(t, **options), x), x), np.add.accumulate(x, **options))


def test_lists_take_part_where_numpy_takes_them():
    x = np.array([1.0, 2.0, 3.0])
    for use in (
        lambda t: np.dot([1.0, 2.0, 3.0], t),
        lambda t: np.matmul(t, [[1.0], [2.0], [3.0]]),
        lambda t: np.inner([1.0, 2.0, 3.0], t),
        lambda t: np.outer([1.0, 2.0], t),
        lambda t: np.tensordot([[1.0, 2.0, 3.0]], t, axes=1),
        lambda t: np.einsum("i,i", [1.0, 2.0, 3.0], t),
        lambda t: np.concatenate([t, [4.0]]),
        lambda t: np.stack([t, [4.0, 5.0, 6.0]]),
        lambda t: np.where([True, False, True], t, [7.0, 8.0, 9.0]),
        lambda t: np.clip(t, [0.0, 2.5, 0.0], 2.75),
        lambda t: t + [1.0, 2.0, 3.0],  # noqa: RUF005
        lambda t: [1.0, 2.0, 3.0] * t,
    ):
        assert_same(evaluate(trace(use, x), x), use(x))
        check_grads(use, [x], order=1)


# --- shapes that do not fit


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t @ np.ones((2, 2)),
        lambda t: t @ 3.0,
        lambda t: np.dot(np.ones((2, 2, 4)), t),
        lambda t: np.inner(t, np.ones(4)),
        lambda t: np.tensordot(t, np.ones((3, 2)), axes=2),
        lambda t: np.einsum("ij,jk->ik", t, np.ones((4, 2))),
        lambda t: np.einsum("ij,ij->", t, np.ones((3, 2))),
        lambda t: np.einsum("ij->ik", t),
        lambda t: np.einsum(t, [0, 1], 3.0),
        lambda t: apply(operation("einsum"), t, t, subscripts="i,i->"),
        lambda t: np.einsum("ijk->i", t),
        lambda t: np.einsum("ij,j->i", t),
        lambda t: t.reshape(4, 2),
        lambda t: t.reshape(-1, -1),
        lambda t: t.reshape(-1, 4),
        lambda t: np.sum(t, axis=2),
        lambda t: np.sum(t, axis=(0, 0)),
        lambda t: np.concatenate([t, np.ones((3, 3))], axis=1),
        lambda t: np.concatenate([t[0, 0], t[0, 1]]),
        lambda t: np.stack([t, np.ones(3)]),
        lambda t: np.split(t, 2, axis=1),
        lambda t: np.squeeze(t, axis=0),
        lambda t: np.transpose(t, (0, 0)),
        lambda t: np.broadcast_to(t, (2, 4)),
        lambda t: t + np.ones(4),
        lambda t: np.diag(t.reshape(1, 2, 3)),
        lambda t: np.var(t, axis=0, ddof=2),
        lambda t: np.max(t[:0]),
        lambda t: np.mean(t[:, :0], axis=1),
        lambda t: np.take(t, 0.5),
        lambda t: np.take_along_axis(t, np.array([0]), axis=0),
        lambda t: np.reshape(t, 6, order="K"),
        lambda t: np.pad(t, 1, mode="linear_ramp"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_named(call):
    """In a Program by us; with numbers at hand NumPy's own error may come first."""
    x = np.ones((2, 3))
    with pytest.raises(ShapeError) as error:
        trace(call, x)
    assert str(error.value).endswith(".")  # a sentence
    for derivative in (lambda: vjp(call, x), lambda: jvp(call, (x,), (x,))):
        with pytest.raises(ValueError, match=" "):
            derivative()


def test_clip_without_bounds_is_the_value_itself():
    implementation = FUNCTIONS["clip"].implementation
    assert trace(lambda t: implementation(traced, t), 1.0).equations == ()


def test_operations_are_found_by_name():
    assert operation("tanh") is REGISTRY["tanh"]
    with pytest.raises(UnknownNameError, match=r"'tanhh'.*'tanh'"):
        operation("tanhh")
    with pytest.raises(ValueError, match="'tanh' is declared twice"):
        Elementwise("tanh", value=lambda m, x: x, partials=(1,), domain=())


def test_where_with_one_argument_needs_numbers():
    with pytest.raises(ShapeError, match="unknown number of elements"):
        trace(lambda t: np.where(t > 0), np.ones(3))


def test_the_trace_of_a_matrix_is_no_method():
    with pytest.raises(TracingError, match=r"np\.trace\(x\)"):
        grad(lambda t: t.trace())(np.ones((2, 2)))


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda t: np.take(t, [0], mode="near"), "mode='near'"),
        (lambda t: np.linalg.norm(t, "nuclear"), "nuclear"),
        (lambda t: np.linalg.norm(t[0], "fro"), "'fro', which is for matrices"),
        (lambda t: np.linalg.norm(t, 3), "ord=3"),
    ],
)
def test_options_that_cannot_be_traced(call, hint):
    with pytest.raises(ValueError, match=hint):
        trace(call, np.ones((2, 3)))


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda t: np.sin(t, where=np.array([True, False])), "where="),
        (lambda t: np.histogram2d(t, t), "np.histogram2d has no derivative"),
        (lambda t: np.gcd(t, 2), "np.gcd has no derivative"),
    ],
)  # fmt: skip
def test_what_is_unknown_is_named(call, hint):
    with pytest.raises(UnsupportedError, match=hint):
        grad(lambda t: np.sum(call(t)))(np.ones(2))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # what NumPy says of such numbers is not asked here
@pytest.mark.parametrize("kind", [np.float64, np.int8, int, list, float])
def test_dtypes_beside_arguments_of_another_kind(kind):
    """float32 beside doubles, integers, lists and numbers of Python's gives what NumPy gives, whichever of them is traced."""
    tried = 0
    for _, _, example, numpy in OF_NUMPY:
        args = arguments(example, np.float32)
        places = [i for i, x in enumerate(args) if isinstance(x, np.ndarray) and x.dtype == np.float32 and x.size]
        for own, other in ((i, k) for i in places for k in places if i != k):
            x = args[other]
            changed = x.tolist() if kind is list else 2.0 if kind is float else np.rint(3 * x).astype(kind)

            def call(x, own=own, other=other, changed=changed, args=args, numpy=numpy, example=example):
                new = [x if i == own else changed if i == other else a for i, a in enumerate(args)]
                result = numpy(*new, **example.attributes)
                return list(result) if isinstance(result, tuple) else result

            try:
                expected = call(args[own])
            except (ValueError, TypeError, IndexError, np.linalg.LinAlgError):  # NumPy takes no such argument
                continue
            if numpy is np.full_like:  # which only asks the array that it is like
                continue
            found = jvp(call, [args[own]], [args[own]])[0]
            dtypes = [np.asarray(x).dtype for x in as_list(expected)]
            assert [np.asarray(x).dtype for x in as_list(found)] == dtypes, (numpy.__name__, own, other)
            tried += 1
    assert tried > 100


OF_INTEGERS = (
    "sum",
    "prod",
    "max",
    "min",
    "mean",
    "var",
    "std",
    "norm",
    "vector_norm",
    "linalg.matrix_norm",
    "isclose",
    "einsum",
)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", [np.bool_, np.int8, np.uint8, np.int32])
def test_integers_and_truth_values(kind):
    """What is summed, divided or compared of them is what NumPy makes of them, in its dtype."""
    for _, function, example, numpy in OF_NUMPY:
        if function.name not in OF_INTEGERS:
            continue
        arrays = (np.ndarray, np.float64)
        args = [np.abs(np.rint(3 * x)).astype(kind) if isinstance(x, arrays) else x for x in arguments(example)]
        places = [i for i, x in enumerate(args) if isinstance(x, np.ndarray)]

        def call(*new, args=args, places=places, numpy=numpy, example=example):
            return numpy(
                *[new[places.index(i)] if i in places else x for i, x in enumerate(args)], **example.attributes
            )

        try:
            expected = np.asarray(call(*[args[i] for i in places]))
        except (TypeError, OverflowError):  # NumPy takes no such numbers there
            continue
        found = evaluate(trace(call, *[args[i] for i in places]), *[args[i] for i in places])
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=str((function.name, example)))
        assert found.dtype == expected.dtype, (function.name, example)


def test_parts_without_elements_are_no_hindrance_to_machine_code():
    x, wide = np.array([[1.0, 2.0]], np.float32), np.zeros((1, 0))
    joined = cr.jit(lambda x: np.concatenate([x[:, :0], 3.0 * x, x[:, 2:]], axis=1), engine="llvm")(x)
    assert (joined.dtype, joined.tolist()) == (np.float32, [[3.0, 6.0]])
    traced = cr.trace(lambda x: np.concatenate([x, wide], axis=1), x)  # no elements, and a dtype that counts
    assert traced.outputs[0].dtype == np.float64
    with pytest.raises(ShapeError, match="must be equal"):
        cr.trace(lambda x: np.concatenate([x, np.zeros((2, 0))], axis=1), x)


def test_dtypes_of_arguments_that_are_joined():
    v = np.array([0.5, 1.0, 2.0], np.float32)
    for function, dtype in {
        lambda v: np.append(v, 1.0): np.float64,
        lambda v: np.choose([0, 1, 0], [v, 1.0]): np.float32,
        lambda v: np.gradient(v, [0.0, 0.5, 2.0]): np.float32,
        lambda v: np.gradient(v, np.float64(0.5)): np.float32,
        lambda v: v * np.heaviside(v, 0.5): np.float32,
        lambda v: numpy_with_traces.r_[v, 1.0, 2]: np.float32,
        lambda v: numpy_with_traces.r_[v, [1.0]]: np.float64,
    }.items():
        assert function(v).dtype == dtype
        assert jvp(function, (v,), (v,))[0].dtype == dtype


@pytest.mark.parametrize("q", [0.4, np.float64(0.4), np.float32(0.4), [0.2, 0.4], np.array([0.4]), [0, 1]], ids=repr)
@pytest.mark.parametrize("method", ["linear", "lower", "nearest", "inverted_cdf", "hazen", "midpoint"])
def test_quantiles_have_numpys_dtype(method, q):
    for dtype in (np.float16, np.float32, np.float64):
        x = np.array([[1.0, 3.0, 2.0, 5.0], [2.0, 2.0, 7.0, 1.0]], dtype)
        found, expected = (
            cr.vjp(lambda x: np.quantile(x, q, axis=1, method=method), x)[0],
            np.quantile(x, q, axis=1, method=method),
        )
        if not (isinstance(q, np.float64) and before(np, 2, 4)):  # where it was a Python number, that has no dtype
            assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-2 if dtype == np.float16 else 1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble, np.complex64], ids=lambda t: t.__name__)
def test_covariances_have_numpys_dtype(dtype):
    x = np.array([[1.0, 3.0, 2.0], [2.0, 2.5, 7.0]], dtype)
    for function in (np.cov, np.corrcoef, lambda x: np.cov(x, np.ones(3, np.longdouble))):
        found, expected = cr.vjp(function, x)[0], function(x)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-14)
