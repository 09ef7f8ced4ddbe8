"""What is a view in NumPy changes with its value, or is refused; what is a copy does not: as plain arrays do."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr

POINT = np.array([0.3, 0.6, -0.4, 1.2])

VIEWS = {
    "T": lambda y: y.T,
    "reshape": lambda y: np.reshape(y, 4),
    ".reshape": lambda y: y.reshape(-1),
    "ravel": lambda y: np.ravel(y),
    ".ravel": lambda y: y.ravel(),
    "swapaxes": lambda y: y.swapaxes(0, 0),
    "squeeze": lambda y: np.squeeze(y),
    "transpose": lambda y: np.transpose(y),
    "moveaxis": lambda y: np.moveaxis(y, 0, 0),
    "real": lambda y: np.real(y),
    ".real": lambda y: y.real,
    ".conj": lambda y: y.conj(),
    ".conjugate": lambda y: y.conjugate(),
    "astype": lambda y: y.astype(float, copy=False),
    "another shape": lambda y: y.reshape(2, 2),
    "a part": lambda y: y[1:],
    "flip": lambda y: y[::-1],
}

COPIES = {
    "copy": lambda y: y.copy(),
    "np.copy": lambda y: np.copy(y),
    "flatten": lambda y: y.flatten(),
    "astype": lambda y: y.astype(float),
    "positive": lambda y: +y,
    "roll": lambda y: np.roll(y, 0),
    "repeat": lambda y: np.repeat(y, 1),
    "round": lambda y: y + 0 * np.round(y),
    "concatenate": lambda y: np.concatenate([y]),
    "take": lambda y: y[np.arange(4)],
    "np.conj": lambda y: np.conj(y),
}


def changed(take):
    """A function that changes what it took of a value, and reads the value after."""

    def function(x):
        y = x * 1.5 + 0.25
        part = take(y)
        part -= 1.0
        return np.sum(3.0 * part.ravel()) + np.sum(y**2)

    return function


def slopes(function, x, step=1e-6):
    """The derivative by central differences of the plain function."""
    units = np.eye(len(x)) * step
    return np.array([(function(x + unit) - function(x - unit)) / (2 * step) for unit in units])


@pytest.mark.parametrize("name", VIEWS)
def test_views(name):
    function = changed(VIEWS[name])
    try:
        value, gradient = cr.value_and_grad(function)(POINT)
    except cr.errors.InPlaceError:
        return
    assert value == pytest.approx(function(POINT))
    np.testing.assert_allclose(gradient, slopes(function, POINT), rtol=1e-6)


@pytest.mark.parametrize("name", COPIES)
def test_copies(name):
    function = changed(COPIES[name])
    value, gradient = cr.value_and_grad(function)(POINT)
    assert value == pytest.approx(function(POINT))
    np.testing.assert_allclose(gradient, slopes(function, POINT), rtol=1e-6)
    assert cr.jit(function)(POINT) == pytest.approx(function(POINT))


def test_the_same_shape_is_no_reason_to_refuse():
    cr.grad(changed(VIEWS["reshape"]))(POINT)
