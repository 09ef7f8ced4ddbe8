"""`chainrule.numpy`: NumPy itself outside of derivatives, and arrays that traced values can be written into within."""

from __future__ import annotations

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
        if name not in CREATING and not name.startswith("__"):
            assert getattr(np, name) is getattr(numpy, name), name
    assert set(dir(np)) == set(dir(numpy))


CALLS: dict[str, tuple[Any, ...]] = {
    "zeros": ((2, 3),), "empty": (0,), "ones": (3, "f4"), "eye": (3,), "identity": (2,), "tri": (3,), "full": ((2,), 1.5),
    "zeros_like": (numpy.ones((2, 2), "f4"),), "ones_like": (numpy.arange(3),), "empty_like": (numpy.ones(0),),
    "full_like": (numpy.ones(2), 3.0), "array": ([[1.0, 2.0], [3.0, 4.0]],), "asarray": ([1, 2],), "asanyarray": ([1.0, 2.0],),
    "ascontiguousarray": (numpy.ones((2, 3)).T,), "copy": (numpy.arange(4.0),), "linspace": (0.0, 1.0, 5),
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
    assert set(CALLS) == set(CREATING) - {"copyto", "r_", "c_"}


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
            (y == plain, plain == plain),
            (numpy.concatenate([y, plain]), numpy.concatenate([plain, plain])), (numpy.sum(y), plain.sum()), (y[0], plain[0]),
            (y.T @ y, plain.T @ plain), (y.shape, plain.shape), (y.max(), 4.0), (y[y > 2], plain[plain > 2]), (list(y)[1], plain[1]),
        ):  # fmt: skip
            numpy.testing.assert_array_equal(found, expected)
        assert repr(y) == repr(plain)
        return x

    cr.grad(function)(1.0)
