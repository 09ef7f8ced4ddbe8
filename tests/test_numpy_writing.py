"""Arrays of chainrule.numpy are written to in every way that NumPy has: with NumPy's results and right derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest

import chainrule as cr
import chainrule.numpy as np
from chainrule.errors import ChainruleError, InPlaceError, PositionError

pytestmark = pytest.mark.filterwarnings("ignore:Setting the shape on:DeprecationWarning")  # from NumPy 2.5 on

X = numpy.array([0.5, -1.5, 2.0])


def shaped(x: Any) -> Any:
    b = np.zeros(6)
    b[:3] = x
    b.shape = (2, -1)
    b[1, 1:] = x[0] * x[1:]
    return b


def shaped_before(x: Any) -> Any:
    b = np.zeros(6)
    b.shape = 2, 3
    b[0] += x
    b.shape = (3, 2)
    b[2] = x[1]
    return b


def shape_of_a_view(x: Any) -> Any:
    b = np.zeros((2, 3))
    row = b[1]
    row.shape = (3, 1)
    row[:, 0] = x
    return b


def views_keep_their_shape(x: Any) -> Any:
    b = np.zeros(6)
    part, turned = b[1:4], np.transpose(np.reshape(b, (2, 3)))
    b.shape = 2, 3
    part[:] = x
    turned[0, 1] = x[0] * x[1]
    b[1, 2] = part[1]
    return np.concatenate([b.ravel(), part, turned.ravel()])


def parts(x: Any) -> Any:
    b = np.ones(3, complex)
    b.real = x
    b.imag = x[0] * x
    b.imag[1] += x[2]
    return np.abs(b) ** 2


def real_of_real(x: Any) -> Any:
    b = np.zeros(3)
    b.real = x
    b.real[0] *= 2.0
    return b


def flat(x: Any) -> Any:
    b = np.zeros((2, 3))
    b.flat[1] = x[0]
    b.flat[[2, 4]] = x[1:]
    b.flat[3:6:2] = x[1]
    return b * sum(v * v for v in b.flat) + len(b.flat) + b.flat[1] + b.flat[[2, 2]].sum()


def flat_columns(x: Any) -> Any:
    b = np.zeros((3, 2)).T
    b.flat = x
    b.flat[-1] = x[0]
    return b


def filled(x: Any) -> Any:
    b = np.zeros((2, 2))
    b.fill(x[1])
    b[0].fill(x[0] * x[1])
    return b


def sorted_in_place(x: Any) -> Any:
    b = np.zeros((2, 3))
    b[:] = x
    b[0].sort()
    b.partition(1, axis=0)
    b[1] = b[1, ::-1] * [1.0, -1.0, 1.0]
    b[1].partition(1)
    return b


def put(x: Any) -> Any:
    b, c = np.zeros((2, 3)), np.zeros(4)
    np.put(b, [4, 0, -1], x)
    c.put([5, -7], x[:2] ** 2, mode="wrap")
    np.put(c, [9, 1], x[2], mode="clip")
    return np.concatenate([b.ravel(), c])


def masks(x: Any) -> Any:
    b, c = np.ones((2, 3)), np.ones((2, 3))
    mask = numpy.array([[True, False, True], [False, True, True]])
    np.putmask(b, mask, x)
    np.place(c, mask, x[:2])
    return b * c


def along_an_axis(x: Any) -> Any:
    b = np.ones((3, 2))
    np.put_along_axis(b, numpy.array([[1], [0], [1]]), x[:, None], axis=1)
    return b


def diagonals(x: Any) -> Any:
    b, c = np.ones((3, 3)), np.zeros((5, 2))
    np.fill_diagonal(b, x)
    np.fill_diagonal(c, x[0], wrap=True)
    return np.sum(b**2) * c


def added_at(x: Any) -> Any:
    b, c = np.ones((2, 2)), np.zeros(3)
    np.add.at(b, ([0, 0, 1], [1, 1, 0]), x)
    np.subtract.at(c, [2, 2], x[0])
    np.add.at(c, slice(0, 2), x[1:] * x[1])
    return np.sum(b) * b[0, 1] * c


WAYS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        shaped, shaped_before, shape_of_a_view, views_keep_their_shape,
        parts, real_of_real, flat, flat_columns, filled, sorted_in_place, put, masks,
        along_an_axis, diagonals, added_at,
    )
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
def test_values_are_numpys_and_derivatives_are_right(name: str) -> None:
    function = WAYS[name]
    expected = function(X)
    assert type(expected) is numpy.ndarray
    value, pullback = cr.vjp(function, X)
    numpy.testing.assert_allclose(value, expected, rtol=1e-14)
    assert value.shape == expected.shape
    assert numpy.any(pullback(numpy.ones_like(value))[0])
    cr.check_grads(function, (X,), order=2)
    if name != "sorted_in_place":
        numpy.testing.assert_allclose(cr.jit(function, engine="auto")(X), expected, rtol=1e-14)
    batch = numpy.stack([X, 2 * X])
    numpy.testing.assert_allclose(cr.vmap(function)(batch), [function(x) for x in batch], rtol=1e-14)


def test_nothing_traced_is_numpys_own() -> None:
    """While a trace is open, too."""

    def f(x: Any) -> Any:
        b = np.zeros((2, 2))
        b.shape = 4
        b.flat[0] = 2.0
        np.put(b, [1], 3.0)
        np.add.at(b, [1, 1], 1.0)
        b.fill(b[1])
        np.fill_diagonal(b.reshape(2, 2), 1.0)
        assert isinstance(np.asarray(b) + 0, object)
        numpy.testing.assert_array_equal(numpy.array(b), [1.0, 5.0, 5.0, 1.0])
        return x * b[1]

    assert cr.grad(f)(1.0) == 5.0


def resized(x: Any) -> Any:
    b = np.zeros(2)
    b.resize((3,))
    return b * x


def another_dtype(x: Any) -> Any:
    b = np.zeros(2)
    b.dtype = numpy.int64
    return b


def not_in_one_piece(x: Any) -> Any:
    b = np.zeros((2, 3)).T
    b.shape = 6
    return b


def imaginary(x: Any) -> Any:
    b = np.zeros(3)
    b.imag = x
    return b


def far(x: Any) -> Any:
    b = np.zeros(3)
    np.put(b, 3, x[0])
    return b


@pytest.mark.parametrize(
    ("function", "error", "says"),
    [
        (resized, InPlaceError, r"np\.resize"),
        (another_dtype, InPlaceError, r"b\.astype\(dtype\)"),
        (not_in_one_piece, InPlaceError, r"b = b\.reshape"),
        (imaginary, InPlaceError, "dtype=complex"),
        (far, PositionError, "position 3 for an array of 3 elements"),
    ],
)
def test_what_cannot_be_is_told(function: Any, error: type[ChainruleError], says: str) -> None:
    with pytest.raises(error, match=says):
        cr.grad(lambda x: np.sum(function(x)))(X)


def test_traced_values_are_written_to_as_well() -> None:
    """With plain NumPy, where the array is a value that was computed."""

    def f(x: Any) -> Any:
        y = numpy.outer(x, x)
        numpy.fill_diagonal(y, x**3)
        numpy.put(y, [1, 5], x[:2])
        numpy.add.at(y, ([0, 0], [2, 2]), x[1:])
        z = x * 2.0
        z.sort()
        y[1].fill(x[2])
        y[2].put([0], z[1])
        return y * z

    X = numpy.array([0.5, -1.5, 2.0])
    numpy.testing.assert_allclose(cr.vjp(f, X)[0], f(X), rtol=1e-14)
    cr.check_grads(f, (X,), order=2)
