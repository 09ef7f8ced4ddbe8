"""Writing to traced values is NumPy's: names and views see it, in every mode, order and under `jit` and `vmap`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChainruleError, InPlaceError, ShapeError

POINT = np.array([0.3, 0.6, -0.4, 1.2])


def elements(x: Any) -> Any:
    y = x * 1.0
    y[0] = x[1] ** 2
    y[1:] += y[0]
    return np.sum(y**2)


def views(x: Any) -> Any:
    y = x * 1.0
    part = y[1:]
    part *= x[0]
    y[2] = 3 * part[0]
    return np.sum(y * np.sin(part.sum()))


def rows(x: Any) -> Any:
    y = np.stack([x, x * x])
    row = y[1]
    row -= x
    y[:, 0] = row[1]
    return np.sum(y**2) + np.sum(row**3)


def transposed(x: Any) -> Any:
    y = np.stack([x, x * x])
    t = y.T
    t[0] = 7 * x[:2]
    z = t.T[1]
    z[1] = 0.0
    return np.sum(y * np.cos(y))


def masks_and_positions(x: Any) -> Any:
    y = x * 1.0
    y[y > 0.5] = x[0]
    y[[0, 2]] = y[[2, 0]]
    y[[1, 1]] = [x[3], x[2] ** 2]
    return np.sum(y**2)


def recursion(x: Any) -> Any:
    y = x.copy()
    for i in range(1, len(x)):
        y[i] = y[i - 1] * 0.5 + np.sin(y[i])
    return y[-1] + np.sum(y)


def argument(x: Any) -> Any:
    x[0] = 2.0
    x += 1
    return np.sum(x**2)


def backwards(x: Any) -> Any:
    y = x * 1.0
    v = y[::-1]
    v[0] = v[1]
    w = v[1:]
    w[0] = 5 * x[2]
    return np.sum(y * np.arange(4.0))


def reshaped(x: Any) -> Any:
    y = x * 1.0
    m = y.reshape(2, 2)
    m[0] = m[1] * x[:2]
    n = y[None, :, None]
    n[0, 3] = x[0]
    return np.sum(y**3)


def whole(x: Any) -> Any:
    y = x * 1.0
    y[...] = x[0]
    y[1:3] = [x[1], x[2] ** 2]
    y[:, None][2] = x[3]
    return np.sum(y**2 * np.arange(1.0, 5.0))


PROGRAMS: list[Callable[[Any], Any]] = [
    elements, views, rows, transposed, masks_and_positions, recursion, argument, backwards, reshaped, whole,
]  # fmt: skip


def slopes(function: Any, x: Any, step: float = 1e-6) -> Any:
    units = np.eye(len(x)) * step
    return np.array([(function((x + u).copy()) - function((x - u).copy())) / (2 * step) for u in units])


@pytest.mark.parametrize("function", PROGRAMS)
def test_every_way_to_a_derivative(function: Any) -> None:
    value, gradient = function(POINT.copy()), slopes(function, POINT)
    ways = {
        "reverse": lambda: cr.value_and_grad(function)(POINT),
        "forward": lambda: (value, cr.jacobian(function, mode="forward")(POINT)),
        "vjp": lambda: (value, cr.vjp(function, POINT)[1](1.0)[0]),
        "compiled": lambda: cr.jit(cr.value_and_grad(function))(POINT),
        "of the compiled": lambda: cr.value_and_grad(cr.jit(function))(POINT),
        "numpy": lambda: cr.jit(cr.value_and_grad(function), engine="numpy")(POINT),
        "batch": lambda: tuple(x[1] for x in cr.vmap(cr.value_and_grad(function))(np.stack([POINT / 2, POINT]))),
    }
    before = POINT.copy()
    for name, way in ways.items():
        found = way()
        np.testing.assert_allclose(found[0], value, rtol=1e-12, err_msg=name)
        np.testing.assert_allclose(found[1], gradient, atol=1e-8, err_msg=name)
    assert (before == POINT).all()  # the caller's array is as it was
    curvature = np.array(
        [(cr.grad(function)(POINT + u) - cr.grad(function)(POINT - u)) / 2e-6 for u in np.eye(4) * 1e-6]
    )
    np.testing.assert_allclose(cr.hessian(function)(POINT), curvature, atol=1e-7)
    np.testing.assert_allclose(cr.jit(cr.hessian(function))(POINT), curvature, atol=1e-7)


KEYS = [
    1, -1, (2, 0), slice(1, 3), (slice(None, None, -2), 1), Ellipsis, (Ellipsis, 2), (None, 1), np.array([0, 2, 0]), [3, 1],
    np.array([True, False, True, False]), (slice(None), [2, 0]), ([0, 1], [2, 2]), (np.array([[0, 1], [2, 3]]), 1), slice(0, 0),
    np.arange(12).reshape(4, 3) % 2 == 0, (slice(1, 3), np.array([True, False, True])), (np.int64(2), np.uint8(1)),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_every_key_numpy_takes(key: Any) -> None:
    x = np.random.default_rng(0).normal(size=(4, 3))
    shape = x[key].shape
    for value in (np.random.default_rng(1).normal(size=shape), np.float64(0.5), np.ones(shape[-1:])):

        def function(x: Any, value: Any) -> Any:
            y = x * 2.0
            y[key] = value * 1.0
            return np.sin(y) * np.arange(12.0).reshape(4, 3)

        np.testing.assert_array_equal(cr.vjp(function, x, value)[0], function(x, value))
        cr.check_grads(function, (x, value))
        pullback = cr.jit(lambda x, v: cr.vjp(function, x, v)[1](np.ones((4, 3))), engine="auto")
        for a, b in zip(pullback(x, value), cr.vjp(function, x, value)[1](np.ones((4, 3))), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-14)


def test_positions_and_masks_that_are_not_known_yet() -> None:
    x = np.random.default_rng(0).normal(size=(4, 3))

    def function(x: Any, i: Any, j: Any) -> Any:
        y = x * 1.0
        y[i] = y[j] ** 2
        y[1:3, j] = 0.25
        y[i, j] = x[0, 0]
        y[y > 0.5] = 0.5
        return y

    fast = cr.jit(function)
    for i in range(-1, 3):
        for j in range(3):
            np.testing.assert_array_equal(fast(x, i, j), function(x, i, j))
    batch = cr.vmap(function)(np.stack([x, 2 * x]), np.array([0, 3]), np.array([2, 1]))
    np.testing.assert_array_equal(batch, [function(x, 0, 2), function(2 * x, 3, 1)])


REFUSED: dict[str, tuple[Any, Any]] = {
    "a wrong shape": (lambda y: y.__setitem__(slice(0, 3), y[:2]), ShapeError),
    "text": (lambda y: y.__setitem__(0, "a"), ChainruleError),
    "complex numbers": (lambda y: y.__setitem__(0, 1j), ChainruleError),
    "no such place": (lambda y: y.__setitem__(9, 1.0), ShapeError),
    "what is broadcast": (lambda y: np.broadcast_to(y, (2, 4)).__setitem__(0, 1.0), InPlaceError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    call, kind = REFUSED[name]

    def function(x: Any) -> Any:
        y = x * 1.0
        call(y)
        return np.sum(y)

    for way in (cr.grad(function), cr.jit(function), lambda x: cr.jvp(function, (x,), (x,))):
        with pytest.raises(kind):
            way(POINT)


def test_a_reshape_that_may_be_a_copy() -> None:
    """NumPy's reshape of a transposed array is a copy: the numbers decide where they are known, and else it is an error."""

    def function(x: Any, order: str) -> Any:
        y = np.stack([x, 2 * x])
        y = y.T * 1.0 if order == "F" else y * 1.0
        line = y.reshape(-1)
        line[3] = x[0] ** 2
        return np.sum(y**2) + np.sum(line)

    for order in "CF":
        value, gradient = cr.value_and_grad(lambda x, o=order: function(x, o))(POINT)
        assert value == pytest.approx(function(POINT, order))
        np.testing.assert_allclose(gradient, slopes(lambda x, o=order: function(x, o), POINT), atol=1e-8)
    with pytest.raises(InPlaceError, match=r"view or a copy.*x\.copy\(\)"):
        cr.jit(lambda x: function(x, "C"))(POINT)


def test_an_inner_derivative_does_not_write_outside() -> None:
    def outer(x: Any) -> Any:
        y = x * 1.0

        def inner(z: Any) -> Any:
            y[0] = z[0]
            return np.sum(y * z)

        return np.sum(cr.grad(inner)(x))

    with pytest.raises(InPlaceError, match="derivative inside"):
        cr.grad(outer)(POINT)


def test_elements_are_read_when_they_are_reached() -> None:
    def function(x: Any) -> Any:
        y = x * 1.0
        for i, e in enumerate(y):
            y[(i + 1) % 4] = e * 2
        return np.sum(y**2)

    np.testing.assert_allclose(cr.grad(function)(POINT), slopes(function, POINT), atol=1e-7)
    assert cr.jit(function)(POINT) == pytest.approx(function(POINT))


@pytest.mark.parametrize(
    ("take", "axes"),
    [(lambda y: y[..., 0], 1), (np.diag, 2), (lambda y: y.diagonal(), 2), (np.linalg.diagonal, 2)],
)
def test_views_by_special_rules_are_not_used_later(take: Any, axes: int) -> None:
    def function(x: Any, before: bool) -> Any:
        y = x * 1.0 if axes == 1 else np.stack([x, 2 * x, 3 * x, 4 * x])
        if before:
            y[...] = x[0]
            return np.sum(take(y) ** 2)
        part = take(y)
        y[0] = 7.0
        return np.sum(part**2)

    np.testing.assert_allclose(
        cr.grad(lambda x: function(x, True))(POINT), slopes(lambda x: function(x, True), POINT), atol=1e-7
    )
    with pytest.raises(InPlaceError, match=r"x\.copy\(\)"):
        cr.grad(lambda x: function(x, False))(POINT)


def test_writing_through_the_flat_of_a_copy_is_refused() -> None:
    def function(x: Any, transposed: bool) -> Any:
        y = np.outer(x, x)
        (y.mT if transposed else y).flat[1] = 7.0
        return np.sum(np.sin(y) * y[0])

    np.testing.assert_allclose(
        cr.grad(lambda x: function(x, False))(POINT), slopes(lambda x: function(x, False), POINT), atol=1e-6
    )
    with pytest.raises(InPlaceError, match=r"x\.copy\(\)"):
        cr.grad(lambda x: function(x, True))(POINT)


OWN_ARGUMENTS: dict[str, Any] = {
    "jit": cr.jit,
    "jit, numpy": lambda f: cr.jit(f, engine="numpy"),
    "checkpoint": cr.checkpoint,
    "vjp": lambda f: lambda *x: cr.vjp(f, *x)[0],
    "jvp": lambda f: lambda *x: cr.jvp(f, x, x)[0],
    "linearize": lambda f: lambda *x: cr.linearize(f, *x)[0],
    "vmap": lambda f: lambda *x: [v[0] for v in cr.vmap(f)(*(v[None] for v in x))],
}
AROUND: dict[str, Any] = {
    "plain": lambda f, *x: f(*x),
    "reverse": lambda f, *x: cr.vjp(f, *x)[0],
    "reverse by one": lambda f, *x: cr.vjp(lambda y: f(y, x[1]), x[0])[0],
    "forward": lambda f, *x: cr.jvp(f, x, x)[0],
    "jit": lambda f, *x: cr.jit(f)(*x),
    "vmap": lambda f, *x: cr.vmap(f, (0, None))(x[0][None], x[1])[0],
    "a derivative in a derivative": lambda f, *x: cr.vjp(lambda *y: cr.vjp(f, *y)[0], *x)[0],
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("inner", OWN_ARGUMENTS)
def test_what_a_function_does_with_its_arguments_is_not_seen_outside(inner: str, around: str) -> None:
    """That is so where it is machine code, and so everywhere."""

    def writes(x: Any, y: Any) -> Any:
        x[0] = 5.0
        y *= 2.0
        return x * y, y[:2], y

    def outside(x: Any, y: Any) -> Any:
        x = x * 1.0
        product, part, twice = OWN_ARGUMENTS[inner](writes)(x, y)
        twice *= 10.0
        part += 1.0
        return np.stack([x[0], y[1], product[0], product[2], part[1], twice[1]])

    x, y = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.25, -1.0])
    found = AROUND[around](outside, x, y)
    np.testing.assert_array_equal(found[:4], [1.0, 0.25, 5.0, -6.0])
    np.testing.assert_array_equal(
        found, outside(x, y)
    )  # whether results share memory with each other is the same as well
    np.testing.assert_array_equal(y, [0.5, 0.25, -1.0])


def test_an_inner_jit_keeps_what_even_powers_are_of() -> None:
    square = cr.jit(lambda a: a**2)
    assert cr.hessian(lambda x: np.sum(square(np.abs(x))))(np.zeros(1)) == 2.0


# --- arrays without axes, which are written to, and numbers, which are not

WITHOUT_AXES: dict[str, Callable[[Any, Any], Any]] = {
    "np.array": lambda n, x: n.array(x[0] * 1.0),
    "np.asarray": lambda n, x: n.asarray(x[0] * 1.0),
    "np.copy": lambda n, x: n.copy(x[0]),
    "np.full": lambda n, x: n.full((), x[0]),
    "written": lambda n, x: _written(n.zeros(()), x[0]),
    "np.where": lambda n, x: n.where(True, x[0], 1.0),
    "np.select": lambda n, x: n.select([True], [x[0]]),
    "np.tensordot": lambda n, x: n.tensordot(x[0], x[1], 0),
    "reshape": lambda n, x: (x * 1.0)[:1].reshape(()),
    "squeeze": lambda n, x: (x[:1] * 1.0).squeeze(),
    "np.squeeze": lambda n, x: n.squeeze(n.max(x, keepdims=True)),
    "an element": lambda n, x: (x * 1.0)[0],
    "an element of a list": lambda n, x: n.array([x[0], x[1]])[1],
    "sum": lambda n, x: n.sum(x),
    "norm": lambda n, x: n.linalg.norm(x),
    "dot": lambda n, x: n.dot(x, x),
    "computed": lambda n, x: n.array(x[0]) * 1.0,
    "picked": lambda n, x: n.array(x[0] * 1.0)[()],
    "clip": lambda n, x: n.clip(n.array(x[0]), 0.0, 9.0),
    "einsum": lambda n, x: n.einsum("i->", x),
    "max": lambda n, x: n.max(x),
    "take": lambda n, x: n.take(x, 0),
}


def _written(y: Any, x: Any) -> Any:
    y += x
    return y


CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "+=": lambda n, y: y.__iadd__(1.0) if hasattr(y, "__iadd__") else y + 1.0,
    "another name": lambda n, y: [y, _written(y, 1.0)][0],
    "a view": lambda n, y: [y, _written(y[None], 1.0)][0],
    "another shape": lambda n, y: [y.reshape(1, 1), _written(y, 1.0)][0][0, 0],
    "transposed": lambda n, y: [y.T, _written(y, 1.0)][0],
    "picked before": lambda n, y: [y[()], _written(y, 1.0)][0],
    "copied before": lambda n, y: [n.copy(y), _written(y, 1.0)][0],
    "a method's copy": lambda n, y: [y.copy(), _written(y, 1.0)][0],
}


@pytest.mark.parametrize("made", WITHOUT_AXES)
def test_arrays_without_axes_are_written_to_and_numbers_are_not(made: str) -> None:
    import chainrule.numpy as chainrule_numpy

    x = np.array([2.0, 3.0])
    for name, change in CHANGES.items():

        def f(n: Any, x: Any, change: Any = change) -> Any:
            return change(n, WITHOUT_AXES[made](n, x)) * x[1]

        expected = f(np, x)
        for around, way in AROUND.items():
            found = way(lambda x, _, f=f: f(chainrule_numpy, x), x, x)
            np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=f"{name}, {around}")
        if made != "norm":
            cr.check_grads(lambda x, f=f: f(chainrule_numpy, x), (x,), order=1)


@pytest.mark.parametrize("key", [(), ..., (...,)], ids=str)
def test_the_one_element_of_an_array_without_axes(key: Any) -> None:
    import chainrule.numpy as chainrule_numpy

    def f(x: Any) -> Any:
        y = chainrule_numpy.array(x[0] * 1.0)
        y[key] = x[1] ** 2
        chainrule_numpy.multiply(y, 2.0, out=y)
        return y + 0.0

    x = np.array([2.0, 3.0])
    for around, way in AROUND.items():
        assert way(lambda x, _: f(x), x, x) == 18.0, around
    with pytest.raises(InPlaceError, match="a single number"):
        cr.grad(lambda x: [x[0], x[0].__setitem__(key, 1.0)][0])(x)
    with pytest.raises(InPlaceError, match=r"a view by special rules.*x\.copy"):
        cr.grad(lambda x: _written((x * 1.0)[0, ...], 1.0))(x)


@pytest.mark.parametrize("kind", [np.array, np.float64, float])
def test_an_argument_is_an_array_or_a_number_as_it_is_given(kind: Any) -> None:
    def f(x: Any) -> Any:
        z = x
        z += 1.0
        return x * 1.0

    expected = f(kind(2.0))
    for around, way in AROUND.items():
        if around != "vmap":
            assert way(lambda x, _: f(x), kind(2.0), 1.0) == expected, around
    assert cr.value_and_grad(f)(kind(2.0)) == (expected, 1.0)


def test_which_functions_give_arrays_without_axes() -> None:
    """Asked of NumPy: what it makes of numbers."""
    from chainrule.ops import FUNCTIONS
    from chainrule.tracing.views import ARRAYS, VIEWS

    found = set()
    number, vector = np.float64(1.5), np.ones(3)
    given = {"where": (True, number, number), "select": ([True], [number]), "pad": (number, 0), "roll": (number, 0)}
    usual = [(number,), (number, number), (number, number, 0), (vector,), (vector, vector), (np.eye(2),)]
    for name, function in FUNCTIONS.items():
        for numpy, args in product(function.numpy, [given[name]] if name in given else usual):
            with contextlib.suppress(Exception):
                result = numpy(*args)
                if isinstance(result, np.ndarray) and not result.shape and result.dtype.kind == "f":
                    found.add(name)
    assert found - VIEWS <= ARRAYS
    assert len(ARRAYS - found) <= 1  # which depends on the version


def test_what_a_derivative_has_read_of_an_outer_trace_stays_as_it_was() -> None:
    """What is written later into values that an outer trace knows does not reach the derivative inside."""

    def product(a: np.ndarray, x: np.ndarray) -> Any:
        factor = x * 1
        y = a * factor
        factor[0] = 100.0
        return np.sum(y * y)

    a, x = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    expected = 2 * a * x**2
    np.testing.assert_allclose(cr.grad(product)(a, x), expected)
    np.testing.assert_allclose(cr.jit(cr.grad(product))(a, x), expected)
    np.testing.assert_allclose(cr.vmap(cr.grad(product))(a[None], x[None])[0], expected)
    np.testing.assert_allclose(cr.jacobian(cr.grad(product), 1)(a, x), np.diag(4 * a * x))
    np.testing.assert_allclose(cr.jit(cr.hessian(product))(a, x), np.diag(2 * x**2))
