"""grad, value_and_grad, vjp, jvp, jacobian, hessian, hvp: values, containers, mixtures, threads."""

import threading
from collections import namedtuple

import numpy as np
import pytest

import chainrule as cr
from chainrule.autodiff import grad, hessian, hvp, jacobian, jvp, matrices, value_and_grad, vjp
from chainrule.errors import DifferentiationError, SettingError, ShapeError
from chainrule.tracing import trace
from chainrule.tracing.functions import stop_gradient


def cubic(x):
    return x**3


# --- arguments and results


def test_gradient_has_the_form_of_the_argument():
    parameters = {"hidden": {"weight": np.ones((2, 3)), "bias": np.zeros(3)}, "steps": [np.array(2.0), (1.5,)]}

    def loss(p):
        return np.sum(np.ones(2) @ p["hidden"]["weight"] + p["hidden"]["bias"]) * p["steps"][0] + p["steps"][1][0]

    gradient = grad(loss)(parameters)
    np.testing.assert_array_equal(gradient["hidden"]["weight"], np.full((2, 3), 2.0))
    np.testing.assert_array_equal(gradient["hidden"]["bias"], np.full(3, 2.0))
    assert gradient["steps"][0] == 6.0
    assert gradient["steps"][1] == (1.0,)
    assert isinstance(gradient["steps"], list)
    assert isinstance(gradient["steps"][1], tuple)


def test_named_tuples_and_none_keep_their_places():
    Point = namedtuple("Point", ["x", "y"])
    gradient = grad(lambda p, _: p.x * p.y, argnums=(0, 1))(Point(2.0, 3.0), None)
    assert gradient == (Point(3.0, 2.0), None)


def test_argnums():
    def product(a, b, c=1.0):
        return a * b**2 * c

    assert grad(product)(2.0, 3.0) == 9.0
    assert grad(product, argnums=1)(2.0, 3.0) == 12.0
    assert grad(product, argnums=-1)(2.0, 3.0) == 12.0
    assert grad(product, argnums=(0, 1))(2.0, 3.0) == (9.0, 12.0)
    assert grad(product, argnums=[1])(2.0, 3.0) == (12.0,)
    assert grad(product, argnums=1)(2.0, 3.0, c=2.0) == 24.0
    with pytest.raises(SettingError, match="argument 2, but the function was called with 2 positional"):
        grad(product, argnums=2)(2.0, 3.0)


def test_value_and_aux():
    assert value_and_grad(cubic)(2.0) == (8.0, 12.0)
    function = lambda x: (x**2, {"half": x / 2, "note": "kept"})  # noqa: E731
    (value, extra), gradient = value_and_grad(function, has_aux=True)(3.0)
    assert (value, extra, gradient) == (9.0, {"half": 1.5, "note": "kept"}, 6.0)
    assert grad(function, has_aux=True)(3.0) == (6.0, {"half": 1.5, "note": "kept"})
    assert isinstance(extra["half"], float)  # plain, not traced
    value, pullback, extra = vjp(function, 3.0, has_aux=True)
    assert (value, pullback(1.0), extra["half"]) == (9.0, (6.0,), 1.5)
    value, tangent, extra = jvp(function, (3.0,), (1.0,), has_aux=True)
    assert (value, tangent, extra["half"]) == (9.0, 6.0, 1.5)
    for derivative in (grad(cubic, has_aux=True), grad(lambda x: (x, x, x), has_aux=True)):
        with pytest.raises(DifferentiationError, match="has_aux=True the function must give"):
            derivative(1.0)


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 1, 1)])
def test_an_array_of_one_number_is_one_number(shape):
    """As a product of matrices gives it: yᵀ·K·y."""
    x = np.array([0.5, 2.0])
    column = lambda x: np.reshape(x[:, None].T @ np.diag(x) @ x[:, None], shape)  # noqa: E731
    value, gradient = cr.value_and_grad(column)(x)
    np.testing.assert_allclose(value, np.full(shape, np.sum(x**3)))
    np.testing.assert_allclose(gradient, 3 * x**2)
    np.testing.assert_allclose(cr.hessian(column)(x), np.diag(6 * x))
    np.testing.assert_allclose(cr.hvp(column, (x,), (x,)), 6 * x**2)
    np.testing.assert_allclose(cr.jit(cr.grad(column))(x), 3 * x**2)
    np.testing.assert_allclose(cr.vmap(cr.grad(column))(np.stack([x, 2 * x])), np.stack([3 * x**2, 12 * x**2]))
    assert cr.grad(lambda x: np.ones(shape))(x).tolist() == [0.0, 0.0]


def test_arguments_that_do_not_matter_have_derivative_zero():
    gradient = grad(lambda a, b: np.sum(a), argnums=(0, 1))(np.ones(2), np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(gradient[1], np.zeros((2, 2)))
    assert gradient[1].dtype == np.float32
    assert grad(lambda x: 3.0)(1.0) == 0.0
    assert jvp(lambda x: 3.0, (1.0,), (1.0,)) == (3.0, 0.0)


def test_gradient_reaches_an_argument_by_several_paths():
    assert grad(lambda x: x * x + np.sin(x) * x)(2.0) == pytest.approx(4.0 + np.cos(2.0) * 2.0 + np.sin(2.0))
    gradient = grad(lambda p: p["a"] * p["a"] * p["b"])({"a": 3.0, "b": 2.0})
    assert gradient == {"a": 12.0, "b": 9.0}


def test_results_may_be_changed_by_the_caller():
    """No two gradients share memory, and none is the argument itself."""
    x, y = np.ones((2, 3)), np.ones(6)
    first, second = grad(lambda a, b: np.sum((a + b.reshape(2, 3)) ** 2), argnums=(0, 1))(x, y)
    assert not np.shares_memory(first, second)
    a, b = grad(lambda p: np.sum(p[0] + p[1]))([x, x])
    a += 1.0
    np.testing.assert_array_equal(b, np.ones((2, 3)))
    cotangent = np.ones(3)
    (pulled,) = vjp(lambda t: t + 0.0, np.zeros(3))[1](cotangent)
    pulled += 1.0
    np.testing.assert_array_equal(cotangent, np.ones(3))


def test_pullback_may_be_called_again_and_again():
    value, pullback = vjp(lambda x: np.stack([x[0] * x[1], np.exp(x[0])]), np.array([0.0, 2.0]))
    np.testing.assert_array_equal(value, [0.0, 1.0])
    for _ in range(2):
        np.testing.assert_array_equal(pullback(np.array([1.0, 0.0]))[0], [2.0, 0.0])
        np.testing.assert_array_equal(pullback(np.array([0.0, 3.0]))[0], [3.0, 0.0])


def test_vjp_and_jvp_of_containers():
    def function(p, q):
        return {"sum": p["a"] + q, "products": [p["a"] * q, 1.0]}

    value, pullback = vjp(function, {"a": 2.0}, 5.0)
    assert value == {"sum": 7.0, "products": [10.0, 1.0]}
    assert pullback({"products": [1.0, 9.0], "sum": 1.0}) == ({"a": 6.0}, 3.0)
    with pytest.raises(ShapeError, match=r"the cotangent should be a dict"):
        pullback([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"the cotangent has shape \(2,\)"):
        pullback({"sum": np.ones(2), "products": [1.0, 1.0]})
    value, tangent = jvp(function, ({"a": 2.0}, 5.0), ({"a": 1.0}, 0.0))
    assert tangent == {"sum": 1.0, "products": [5.0, 0.0]}


def test_jvp_checks_its_arguments():
    with pytest.raises(ShapeError, match="two tuples of the same length"):
        jvp(np.sin, 1.0, 1.0)
    with pytest.raises(ShapeError, match="two tuples of the same length"):
        jvp(np.sin, (1.0,), (1.0, 2.0))
    with pytest.raises(ShapeError, match=r"a tangent has shape \(2,\) and must have the value's shape \(3,\)"):
        jvp(np.sin, (np.ones(3),), (np.ones(2),))
    assert jvp(np.sin, [0.0], [2])[1] == 2.0  # whole numbers are a direction like any other


@pytest.mark.parametrize("mode", ["auto", "reverse", "forward"])
def test_jacobian_of_containers(mode):
    def function(p, s):
        return {"outer": np.outer(p["u"], p["v"]), "scaled": s * p["u"]}

    p, s = {"u": np.array([1.0, 2.0]), "v": np.array([3.0, 4.0, 5.0])}, np.array(2.0)
    found = jacobian(function, argnums=(0, 1), mode=mode)(p, s)
    by_p, by_s = found["outer"]
    np.testing.assert_array_equal(by_p["u"], np.einsum("ik,j->ijk", np.eye(2), p["v"]))
    np.testing.assert_array_equal(by_p["v"], np.einsum("i,jk->ijk", p["u"], np.eye(3)))
    np.testing.assert_array_equal(by_s, np.zeros((2, 3)))
    np.testing.assert_array_equal(found["scaled"][0]["u"], 2.0 * np.eye(2))
    np.testing.assert_array_equal(found["scaled"][1], p["u"])


@pytest.mark.parametrize("mode", ["auto", "reverse", "forward"])
def test_jacobian_of_empty_and_of_single_numbers(mode):
    assert jacobian(lambda x: x[:0], mode=mode)(np.ones(3)).shape == (0, 3)
    assert jacobian(lambda x: np.sum(x) * np.ones(2), mode=mode)(np.ones(0)).shape == (2, 0)
    assert jacobian(np.sin, mode=mode)(0.0) == 1.0
    for short in ("fwd", "rev"):
        assert jacobian(np.sin, mode=short)(0.0) == 1.0
    with pytest.raises(SettingError, match="mode='sideways'"):
        jacobian(np.sin, mode="sideways")


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize("most", [1, 20, 45])
def test_jacobian_in_parts_where_memory_has_no_room_for_all_directions(mode, most, monkeypatch):
    x, matrix = np.array([[0.1, -0.4, 0.7], [0.2, 0.5, -0.3]]), np.arange(1.0, 6.0)[:, None] / np.arange(1.0, 4.0)
    function = lambda x: np.tanh(x @ matrix.T) * np.sum(x)  # noqa: E731
    whole = jacobian(function, mode=mode)(x)
    monkeypatch.setattr(matrices, "AT_ONCE", most)
    np.testing.assert_allclose(jacobian(function, mode=mode)(x), whole, rtol=1e-14)


def test_the_modes_of_jacobian_agree_for_wide_and_tall():
    random = np.random.default_rng(0)
    for rows, columns in ((2, 5), (5, 2)):
        matrix = random.normal(size=(rows, columns))
        function = lambda x, matrix=matrix: np.tanh(matrix @ x)  # noqa: E731
        x = random.normal(size=columns)
        found = [jacobian(function, mode=mode)(x) for mode in ("auto", "reverse", "forward")]
        np.testing.assert_allclose(found[0], found[1], rtol=1e-13)
        np.testing.assert_allclose(found[0], found[2], rtol=1e-13)


@pytest.mark.parametrize(("rows", "columns", "calls"), [(2, 5, 1), (5, 2, 2)])
def test_jacobian_takes_the_cheaper_mode(rows, columns, calls):
    """Wide: one run, and a pullback for every row. Tall: a first run for the shape, and one with a tangent for all columns."""
    runs = []

    def function(x):
        runs.append(type(x).__name__)
        return np.ones((rows, columns)) @ x

    jacobian(function)(np.ones(columns))
    assert set(runs[1:]) == ({"TangentValue"} if calls > 1 else set())


# --- orders and mixtures of modes


def forward(function):
    """The derivative of a function of one number, in forward mode."""
    return lambda x: jvp(function, (x,), (1.0,))[1]


@pytest.mark.parametrize(
    "modes", [[a, b, c] for a in (grad, forward) for b in (grad, forward) for c in (grad, forward)]
)
def test_third_derivatives_in_every_mixture_of_modes(modes):
    def derivative(function):
        for mode in modes:
            function = mode(function)
        return function

    x = 0.7
    assert derivative(np.sin)(x) == pytest.approx(-np.cos(x), rel=1e-12)
    assert derivative(cubic)(x) == pytest.approx(6.0, rel=1e-12)
    assert derivative(lambda t: np.exp(2 * t))(x) == pytest.approx(8 * np.exp(2 * x), rel=1e-12)
    t, s = np.tanh(x), 1 - np.tanh(x) ** 2
    assert derivative(np.tanh)(x) == pytest.approx(-2 * s * (s - 2 * t * t), rel=1e-12)


def test_seventh_derivative():
    function = np.sin
    for _ in range(7):
        function = grad(function)
    assert function(0.3) == pytest.approx(-np.cos(0.3), rel=1e-12)


@pytest.mark.parametrize("inner", [grad, forward])
@pytest.mark.parametrize("outer", [grad, forward])
def test_nested_derivatives_are_not_confused(inner, outer):
    """d/dx (x · d/dy (x + y)) = 1, not 2: the perturbations of x and y are kept apart.

    Siskind and Pearlmutter, "Perturbation confusion and referential transparency", 2005.
    """
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y)(x))(3.0) == 6.0
    assert outer(lambda x: inner(lambda y: inner(lambda z: x * y * z)(1.0))(1.0) ** 2)(3.0) == 6.0
    assert outer(lambda x: inner(lambda _: x)(1.0) + x)(1.0) == 1.0


def test_hessian_is_the_same_whichever_way():
    random = np.random.default_rng(0)
    x, v = random.normal(size=4), random.normal(size=4)
    weights = random.normal(size=(3, 4))

    def function(x):
        return np.sum(np.tanh(weights @ x) ** 2) + np.prod(np.cos(x))

    found = hessian(function)(x)
    for outer in ("reverse", "forward"):
        for inner in ("reverse", "forward"):
            np.testing.assert_allclose(jacobian(jacobian(function, mode=inner), mode=outer)(x), found, rtol=1e-11)
    np.testing.assert_allclose(found, found.T, rtol=1e-11)
    np.testing.assert_allclose(hvp(function, (x,), (v,)), found @ v, rtol=1e-11)
    np.testing.assert_allclose(grad(lambda x: np.sum(grad(function)(x) * v))(x), found @ v, rtol=1e-11)


def test_hessian_of_several_arguments():
    def function(a, b):
        return np.sum(a) ** 2 * b

    (aa, ab), (ba, bb) = hessian(function, argnums=(0, 1))(np.array([1.0, 2.0]), 3.0)
    np.testing.assert_array_equal(aa, np.full((2, 2), 6.0))
    np.testing.assert_array_equal(ab, [6.0, 6.0])
    np.testing.assert_array_equal(ba, [6.0, 6.0])
    assert bb == 0.0
    product = hvp(function, (np.array([1.0, 2.0]), 3.0), (np.array([1.0, 0.0]), 1.0))
    np.testing.assert_array_equal(product[0], [12.0, 12.0])
    assert product[1] == 6.0


def test_derivative_of_a_training_step():
    """The derivative of a loss after two steps of gradient descent by the learning rate (fixed point: η = 1/2)."""

    def loss_after(rate):
        w = 3.0
        for _ in range(2):
            w = w - rate * grad(lambda w: w**2)(w)
        return w**2

    rate = 0.1
    expected = 9 * 4 * (1 - 2 * rate) ** 3 * -2
    assert grad(loss_after)(rate) == pytest.approx(expected, rel=1e-13)
    assert forward(loss_after)(rate) == pytest.approx(expected, rel=1e-13)
    assert grad(loss_after)(0.5) == 0.0


def test_stop_gradient():
    assert grad(lambda x: x * stop_gradient(x))(3.0) == 3.0
    assert grad(lambda x: stop_gradient(x) ** 2)(3.0) == 0.0
    assert jvp(lambda x: x + stop_gradient(x), (3.0,), (1.0,)) == (6.0, 1.0)
    assert grad(grad(lambda x: x**2 * stop_gradient(x)))(3.0) == 6.0
    assert grad(lambda x: x * stop_gradient(grad(lambda y: x * y**2)(2.0)))(3.0) == 12.0
    np.testing.assert_array_equal(stop_gradient(np.ones(2)), np.ones(2))


# --- long, wide, parallel


def test_a_chain_of_a_hundred_thousand_operations():
    def long(x):
        for _ in range(50_000):
            x = x * 0.5 + 1.0
        return x

    value, gradient = value_and_grad(long)(3.0)
    assert (value, gradient) == (2.0, 0.0)  # 0.5 ** 50000 is 0
    assert jvp(long, (3.0,), (1.0,))[1] == 0.0
    assert grad(lambda x: sum((x for _ in range(100_000)), 0.0))(1.0) == 100_000.0


def test_long_chains_become_programs():
    def long(x):
        for _ in range(10_000):
            x = x + 1.0
        return x

    assert len(trace(long, 0.0).equations) == 10_000


def test_control_flow_on_known_values():
    """Without compilation the numbers are there, so Python's own `if` and `while` decide."""

    def root(x):
        guess = x
        while abs(guess * guess - x) > 1e-12:
            guess = (guess + x / guess) / 2
        return guess if guess > 0 else -guess

    assert grad(root)(2.0) == pytest.approx(0.5 / np.sqrt(2.0), rel=1e-6)
    assert grad(lambda x: np.sum(x) if x[0] > x[1] else np.prod(x))(np.array([2.0, 3.0])).tolist() == [3.0, 2.0]
    assert grad(lambda x: x**2 if x else 5 * x)(0.0) == 5.0
    assert jvp(lambda x: x**2 if x else 5 * x, (0.0,), (1.0,))[1] == 5.0
    assert grad(lambda x: max(x, 1.0) * min(x, 7.0) * abs(x))(-2.0) == 4.0  # −x²


def test_rebinding_with_plus_equals():
    def function(a):
        b = a
        b += a * 2.0
        b *= a
        return b

    assert grad(function)(2.0) == 12.0
    assert grad(lambda x: np.sum(accumulate(x)))(np.ones(3)).tolist() == [5.0, 5.0, 5.0]


def accumulate(x):
    total = np.zeros(3)
    for _ in range(5):
        total = total + x
    return total


def test_threads_do_not_disturb_each_other():
    """Every thread its own nesting of traces, started together and of different depths."""
    barrier, found = threading.Barrier(4), [None] * 4

    def work(index):
        barrier.wait()
        x = 0.1 * (index + 1)
        results = []
        for _ in range(200):
            results.append(grad(lambda t: t * grad(lambda s: np.sin(s) * t)(t))(x))
            results.append(jvp(grad(np.tanh), (x,), (1.0,))[1])
        found[index] = results

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, results in enumerate(found):
        x = 0.1 * (index + 1)
        assert set(results) == {results[0], results[1]}
        assert results[0] == pytest.approx(2 * x * np.cos(x) - x * x * np.sin(x), rel=1e-12)
        assert results[1] == pytest.approx(-2 * np.tanh(x) * (1 - np.tanh(x) ** 2), rel=1e-12)


def test_an_error_inside_leaves_no_trace_behind():
    with pytest.raises(ZeroDivisionError):
        grad(lambda x: 1 / 0)(1.0)
    assert grad(lambda x: x * jvp(cubic, (x,), (1.0,))[1])(2.0) == 36.0


def test_integers_among_the_other_arguments_stay_as_they_are():
    def scores(w, labels, *, scale):
        return np.sum(w[labels]) * scale

    assert grad(scores)(np.zeros(3), np.array([0, 2, 2]), scale=2).tolist() == [2.0, 0.0, 4.0]


def test_dtypes_follow_numpy():
    for dtype in (np.float16, np.float32, np.float64):
        x = np.ones(3, dtype)
        value, gradient = value_and_grad(lambda t: np.sum(2 * np.exp(t) / 3.0))(x)
        assert value.dtype == gradient.dtype == dtype
    mixed = grad(lambda a, b: np.sum(a * b), argnums=(0, 1))(np.ones(2, np.float32), np.ones(2))
    assert [g.dtype for g in mixed] == [np.float32, np.float64]


def test_subclasses_of_arrays_are_read_as_arrays(tmp_path):
    path = tmp_path / "numbers.npy"
    np.save(path, np.array([1.0, 2.0]))
    stored = np.load(path, mmap_mode="r")
    assert grad(lambda x: np.sum(x**2))(stored).tolist() == [2.0, 4.0]
    assert grad(lambda x: np.sum(stored * x))(np.ones(2)).tolist() == [1.0, 2.0]
    assert grad(lambda x: np.sum(np.concatenate([x, stored]) @ np.arange(4.0)))(np.ones(2)).tolist() == [0.0, 1.0]
