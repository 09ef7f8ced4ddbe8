"""`chainrule.numpy`: NumPy itself outside of derivatives, and arrays that traced values can be written into within."""

from __future__ import annotations

import copy
import importlib
import inspect
from typing import Any

import numpy
import pytest

import chainrule as cr
import chainrule.numpy as np
from chainrule.errors import ChainruleError, DerivativeLostError
from chainrule.numpy.buffer import Buffer
from chainrule.numpy.creation import CREATING

POINT = numpy.array([0.3, 0.6, -0.4, 1.2])


def kernel(x: Any) -> Any:
    K = np.zeros((4, 4))
    for i in range(4):
        for j in range(4):
            K[i, j] = np.exp(-((x[i] - x[j]) ** 2))
    K += np.eye(4) * 0.1
    return np.sum(K @ x)


def views(x: Any) -> Any:
    y = np.zeros(6)
    v = y[1:5]
    v[:] = x
    v[0] += y[2]
    y[0] = v.sum()
    row = y.reshape(2, 3)[1]
    row *= 2
    return y @ y


def arrays_of_values(x: Any) -> Any:
    A = np.array([[x[0], 1.0], [x[1] ** 2, x[2]]])
    b = np.asarray([x[3], 2.0])
    A[0, 1] = x[3]
    return np.sum(A @ b)


def recursion(x: Any) -> Any:
    s = np.empty_like(x)
    s[0] = 1.0
    for i in range(1, 4):
        s[i] = 0.5 * s[i - 1] + x[i]
    t = np.zeros(3)
    t += s[:3]
    t[np.array([True, False, True])] = x[0]
    return np.sum(s**2) + t.sum()


def joined(x: Any) -> Any:
    z = np.r_[x[0], np.zeros(2), x[1:3]]
    w = np.c_[x, np.ones(4)]
    return np.sum(z**2) + np.sum(w[:, 0] * w[:, 1]) + np.linspace(x[0], x[1], 5) @ np.arange(5.0)


def integrator(x: Any) -> Any:
    path = np.zeros((20, 4))
    path[0] = x
    for k in range(19):
        q = path[k]
        path[k + 1] = q + 0.01 * np.array([q[1], -q[0], q[3], -q[2] * q[1]])
    return np.sum(path[-1] ** 2)


def copies(x: Any) -> Any:
    u = np.full(3, x[0])
    u[1] = x[1]
    c = np.copy(u)
    c[0] = 5.0
    np.copyto(u[2:], x[3:])
    return np.sum(u**2) + np.sum(c * u)


def transposed(x: Any) -> Any:
    A = np.zeros((2, 3))
    T = A.T
    T[0] = x[:2]
    A[1, 2] = x[2] * T[0, 0]
    return np.sum(T**2) + numpy.max(A) + numpy.linalg.norm(A)


def written_by_functions(x: Any) -> Any:
    total = np.ones(4)
    numpy.multiply(x, 2.0, out=total)
    total /= np.full_like(x, 3.0)
    total[total < 0] = 0.0
    return total @ np.ones_like(total) + np.identity(4)[0] @ x


PROGRAMS = [
    kernel, views, arrays_of_values, recursion, joined, integrator, copies, transposed, written_by_functions,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_that_create_arrays_and_write_into_them(program: Any) -> None:
    value = program(POINT.copy())
    assert isinstance(value, float)
    gradient = numpy.array([(program(POINT + u) - program(POINT - u)) / 2e-6 for u in numpy.eye(4) * 1e-6])
    ways = {
        "reverse": lambda: cr.value_and_grad(program)(POINT),
        "forward": lambda: (value, cr.jacobian(program, mode="forward")(POINT)),
        "compiled": lambda: cr.jit(cr.value_and_grad(program))(POINT),
        "batch": lambda: tuple(x[1] for x in cr.vmap(cr.value_and_grad(program))(numpy.stack([POINT / 2, POINT]))),
    }
    for name, way in ways.items():
        found = way()
        numpy.testing.assert_allclose(found[0], value, rtol=1e-12, err_msg=name)
        numpy.testing.assert_allclose(found[1], gradient, atol=1e-8, err_msg=name)
    change = numpy.array(
        [(cr.grad(program)(POINT + u) - cr.grad(program)(POINT - u)) / 2e-6 for u in numpy.eye(4) * 1e-6]
    )
    numpy.testing.assert_allclose(cr.hessian(program)(POINT), change, atol=1e-7)


def test_everything_else_is_numpys_own() -> None:
    for name in dir(numpy):
        if name not in CREATING and name not in np.OWN_MODULES and not name.startswith("__"):
            assert getattr(np, name) is getattr(numpy, name), name
    for name in np.OWN_MODULES:
        own, theirs = importlib.import_module(f"chainrule.numpy.{name}"), getattr(numpy, name)
        assert getattr(np, name) is own
        assert set(dir(own)) == set(dir(theirs))
        for inner in theirs.__all__:
            found, expected = getattr(own, inner), getattr(theirs, inner)
            made_again = inspect.ismodule(expected) or (isinstance(expected, type) and found is not expected)
            assert found is expected or (made_again and name == "polynomial"), inner
    assert set(dir(np)) == set(dir(numpy))


CALLS: dict[str, tuple[Any, ...]] = {
    "zeros": ((2, 3),), "empty": (0,), "ones": (3, "f4"), "eye": (3,), "identity": (2,), "tri": (3,), "full": ((2,), 1.5),
    "zeros_like": (numpy.ones((2, 2), "f4"),), "ones_like": (numpy.arange(3),), "empty_like": (numpy.ones(0),),
    "full_like": (numpy.ones(2), 3.0), "array": ([[1.0, 2.0], [3.0, 4.0]],), "asarray": ([1, 2],), "asanyarray": ([1.0, 2.0],),
    "ascontiguousarray": (numpy.ones((2, 3)).T,), "asfortranarray": ([[1.0, 2.0]],),
    "require": ([1, 2], float), "copy": (numpy.arange(4.0),), "linspace": (0.0, 1.0, 5),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_without_a_trace_arrays_are_numpys(name: str) -> None:
    found, expected = getattr(np, name)(*CALLS[name]), getattr(numpy, name)(*CALLS[name])
    assert type(found) is numpy.ndarray
    assert found.dtype == expected.dtype
    numpy.testing.assert_array_equal(found, expected)
    with_traces = []
    cr.grad(lambda x: with_traces.append(getattr(np, name)(*CALLS[name])) or x)(1.0)
    assert type(with_traces[0]) is (Buffer if expected.dtype.kind == "f" else numpy.ndarray)
    numpy.testing.assert_array_equal(numpy.asarray(with_traces[0]), expected)
    assert set(CALLS) == set(CREATING) - {"copyto", "isscalar", "r_", "c_", "vectorize", "ndenumerate"}


def test_other_libraries_see_numbers_or_an_error() -> None:
    def function(x: Any) -> Any:
        y = np.zeros(3)
        assert numpy.asarray(y).tolist() == [0.0, 0.0, 0.0]
        assert float(y[0]) == 0.0
        assert len(y) == 3
        y[0] = x
        with pytest.raises(DerivativeLostError):
            numpy.asarray(y)
        with pytest.raises(ChainruleError):
            float(y[0])
        return y[0] * 2.0

    assert cr.grad(function)(3.0) == 2.0


def test_buffers_behave_as_arrays() -> None:
    def function(x: Any) -> Any:
        y = np.array([[1.0, -2.0], [3.0, 4.0]])
        plain = numpy.array([[1.0, -2.0], [3.0, 4.0]])
        for found, expected in (
            (y + 1, plain + 1), (2 - y, 2 - plain), (y @ y, plain @ plain), (-y, -plain), (abs(y), abs(plain)), (y > 0, plain > 0),
            (y.sum(axis=0), plain.sum(axis=0)), (y.mean(), plain.mean()), (numpy.sin(y), numpy.sin(plain)),
            (y == plain, plain == plain), ((y > 0) & (y < 3), (plain > 0) & (plain < 3)), (~(y > 0), plain <= 0),
            (divmod(y, 3)[1], plain % 3), (divmod(7, y)[0], 7 // plain),
            (numpy.concatenate([y, plain]), numpy.concatenate([plain, plain])), (numpy.sum(y), plain.sum()), (y[0], plain[0]),
            (y.T @ y, plain.T @ plain), (y.shape, plain.shape), (y.max(), 4.0), (y[y > 2], plain[plain > 2]), (list(y)[1], plain[1]),
        ):  # fmt: skip
            numpy.testing.assert_array_equal(found, expected)
        assert repr(y) == repr(plain)
        return x

    cr.grad(function)(1.0)


VIEWS = {
    "ravel": lambda b: b.ravel(), "transpose": lambda b: b.transpose(), "np.ravel": numpy.ravel, "flip": numpy.flip,
    "split": lambda b: numpy.split(b, 3)[0], "squeeze": lambda b: b.squeeze(), "real": lambda b: b.real, "mT": lambda b: b.mT,
    "diagonal": numpy.diagonal, "swapaxes": lambda b: numpy.swapaxes(b, 0, 1), "asarray": lambda b: np.asarray(b),
    "contiguous": lambda b: np.ascontiguousarray(b), "copy": lambda b: b.copy(), "sum": lambda b: b + 1.0,
    "moveaxis": lambda b: numpy.moveaxis(b, 0, 1), "broadcast": lambda b: numpy.broadcast_to(b, (2, 3, 3)),
    "part of a part": lambda b: b[1:].T[0],
}  # fmt: skip


@pytest.mark.parametrize("name", VIEWS)
def test_views_of_buffers_are_what_numpys_are(name: str) -> None:
    def program(x: Any) -> Any:
        b = np.ones((3, 3))
        view = VIEWS[name](b)
        b[0, 0] = x[0] * 2
        b[2, 1] = x[1]
        return np.sum(view * numpy.arange(1.0, 1.0 + view.size).reshape(view.shape)) + np.sum(b**2)

    value = program(POINT)
    slopes = numpy.array([(program(POINT + u) - program(POINT - u)) / 2e-6 for u in numpy.eye(4) * 1e-6])
    for way in (
        cr.value_and_grad(program),
        cr.jit(cr.value_and_grad(program)),
        lambda x: (value, cr.jacobian(program, mode="forward")(x)),
    ):
        found = way(POINT)
        assert found[0] == pytest.approx(value)
        numpy.testing.assert_allclose(found[1], slopes, atol=1e-8)


def test_results_of_buffers_can_be_written_into_as_well() -> None:
    def program(x: Any) -> Any:
        a = np.eye(3) * 2.0
        b = numpy.sqrt(a).copy()
        b[0] = x[:3]
        c = numpy.ones(3)
        np.multiply(x[:3], 2.0, out=a[1], where=x[:3] > 0)
        return np.sum(b**2) + np.sum(a**3) + np.sum(c)

    slopes = numpy.array([(program(POINT + u) - program(POINT - u)) / 2e-6 for u in numpy.eye(4) * 1e-6])
    numpy.testing.assert_allclose(cr.grad(program)(POINT), slopes, atol=1e-8)


def returned(x: Any) -> Any:
    y = np.zeros(4)
    y[0] = x[0] ** 2
    y[1:3] = x[2:] * x[1]
    return y


def test_a_buffer_can_be_what_a_function_returns() -> None:
    slopes = numpy.array([(returned(POINT + u) - returned(POINT - u)) / 2e-6 for u in numpy.eye(4) * 1e-6]).T
    for mode in ("forward", "reverse"):
        numpy.testing.assert_allclose(cr.jacobian(returned, mode=mode)(POINT), slopes, atol=1e-8)
    for found in (
        cr.jit(returned)(POINT), cr.vjp(returned, POINT)[0], cr.jvp(returned, (POINT,), (POINT,))[0],
        cr.vmap(returned)(numpy.stack([POINT, POINT]))[1], cr.linearize(returned, POINT)[0],
    ):  # fmt: skip
        assert type(found) is numpy.ndarray
        numpy.testing.assert_array_equal(found, returned(POINT))


@pytest.mark.parametrize("transform", [cr.grad, cr.jit, cr.value_and_grad, cr.hessian, cr.vmap])
def test_a_buffer_can_be_what_a_transformation_is_given(transform: Any) -> None:
    def program(x: Any) -> Any:
        y = np.zeros(4)
        y[:] = x * 2.0
        inner = transform(lambda z: numpy.sum(numpy.sin(z) ** 2))(y)
        return sum(numpy.sum(part) for part in (inner if isinstance(inner, tuple) else (inner,)))

    slopes = numpy.array([(program(POINT + u) - program(POINT - u)) / 2e-6 for u in numpy.eye(4) * 1e-6])
    numpy.testing.assert_allclose(cr.grad(program)(POINT), slopes, atol=1e-7)


def test_buffers_are_copied_as_arrays_are() -> None:
    def program(x: Any) -> Any:
        y = np.zeros(4)
        y[:] = x
        others = copy.copy(y), copy.deepcopy(y)
        y[0] = 9.0
        return numpy.sum(others[0] ** 2) + numpy.sum(others[1] ** 3) + y[1]

    numpy.testing.assert_allclose(cr.grad(program)(POINT), 2 * POINT + 3 * POINT**2 + numpy.array([0, 1, 0, 0]))


def test_what_is_asked_of_scalars_is_answered_as_numpy_does() -> None:
    def asked(x: Any) -> Any:
        seen.append(
            [np.isscalar(y) for y in (x, x * x, np.sum(x), np.ones(2) * x, np.array(x), np.zeros(()), 2.0, "a", [x])]
        )
        return x * x

    def plain(x: Any) -> Any:
        return [
            numpy.isscalar(y)
            for y in (x, x * x, numpy.sum(x), numpy.ones(2) * x, numpy.array(x), 0 * numpy.array(x), 2.0, "a", [x])
        ]

    seen: list[Any] = []
    cr.grad(asked)(3.0)
    cr.jvp(asked, (3.0,), (1.0,))
    cr.trace(asked, 3.0)
    cr.vmap(asked)(np.ones(3))
    asked(3.0)
    expected = plain(3.0)
    expected[5] = False
    assert seen == [expected] * 5
