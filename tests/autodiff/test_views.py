"""What is a view in NumPy changes with its value, or is refused; what is a copy does not: as plain arrays do."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from strategies import arguments, examples_of_functions, split_leaves
from together import together

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
    "flat": lambda y: y.flat[1:],
    "tile": lambda y: np.tile(y, 1),
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


def inexact(results):
    """The arrays of a function's result that are no whole numbers."""
    if isinstance(results, list | tuple):
        return [x for item in results for x in inexact(item)]
    return [results] if getattr(getattr(results, "dtype", None), "kind", "") in ("f", "c") else []


def base_written(call, x):
    """What a function gave, read after its argument was written to."""
    y = x * 2.0
    results = inexact(call(y))
    y[...] = x * 0.5 - 3.0
    return sum(np.sum(np.abs(result)) for result in results)


def results_written(call, x):
    """An argument, read after what a function gave was written to."""
    y = x * 2.0
    for result in inexact(call(y)):
        if len(result.shape):
            result[...] = 7.0
    return np.sum(np.abs(y))


EXAMPLES = [(name, function, e) for name, function, e in examples_of_functions() if function.numpy]


@together(EXAMPLES, lambda _, function, given: function.name)
def test_every_function_gives_a_view_where_numpys_does(name, function, given):
    """Or an error where it matters: what was written to one of both shows in the other, or does not, as with plain arrays."""
    args = arguments(given)
    leaves, put = split_leaves(args)
    leaves = [np.nan_to_num(x, posinf=2.0, neginf=-2.0) if x.dtype.kind in "fc" else x for x in leaves]
    for place, leaf in enumerate(leaves):
        if leaf.ndim == 0 or leaf.dtype.kind not in "fc":
            continue

        def call(y, place=place):
            return function.numpy[0](*put([*leaves[:place], y, *leaves[place + 1 :]]), **given.attributes)

        for written in (base_written, results_written):
            try:
                expected = written(call, leaf)
            except (ValueError, DeprecationWarning):  # NumPy refuses
                continue
            try:
                found = cr.jvp(lambda x, written=written, call=call: written(call, x), (leaf,), (leaf,))[0]
            except (cr.errors.InPlaceError, cr.errors.UnsupportedError):
                continue
            np.testing.assert_allclose(found, expected, rtol=1e-9)
