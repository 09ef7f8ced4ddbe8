"""Functions of chainrule.numpy take lists with traced values in them as NumPy's take lists of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest

import chainrule as cr
import chainrule.numpy as np
import chainrule.numpy.linalg as la
from chainrule.errors import ChainruleError

X = numpy.array([1.0, 2.0, 3.5])

CALLS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: np.sum([x[0], x[1] * x[2]]),
    "mean of a tuple": lambda x: np.mean((x[0], x[1])),
    "diag": lambda x: np.diag([x[0], x[1]]) @ np.ones(2),
    "norm": lambda x: np.linalg.norm([x[0], x[1]]) + la.norm([[x[0], 1.0], [2.0, x[2]]], "fro"),
    "dot": lambda x: np.dot([x[0], x[1]], [1.0, x[2]]),
    "a ufunc": lambda x: np.exp([x[0], x[1]]),
    "a ufunc of two": lambda x: np.maximum([x[0], x[1]], [[1.5], [2.5]]),
    "a ufunc's method": lambda x: np.multiply.reduce([x[0], x[1]]) * np.add.outer([x[0], 1.0], x),
    "cross": lambda x: np.cross([x[0], 0, 1], [0, x[1], x[2]]),
    "solve": lambda x: np.linalg.solve([[x[0], 0], [1.0, x[1]]], [x[2], 1.0]),
    "lists in a list": lambda x: np.concatenate([[x[0]], [x[1], 2.0], x]),
    "numbers and lists": lambda x: np.hstack([x[0], [x[1], 2.0]]),
    "rows": lambda x: np.vstack(([x[0], 1.0], (2.0, x[1]))),
    "keywords": lambda x: np.trapezoid(y=[x[0], x[1], x[2]], x=[0.0, 1.0, 3.0]),
    "where": lambda x: np.where([True, False], [x[0], x[1]], 0.0),
    "interp": lambda x: np.interp(0.3, [0, 1], [x[0], x[1]]),
    "einsum": lambda x: np.einsum("i,i", [x[0], x[1]], [1.0, 2.0]),
    "meshgrid": lambda x: np.multiply(*np.meshgrid([x[0], x[1]], x)),
    "positions": lambda x: x[np.argmax([x[0], x[1]])],
    "fft": lambda x: np.abs(np.fft.fft([x[0], x[1], 1.0])),
    "an operator on the right": lambda x: np.array([[1.0, 2.0]]) @ [x[0], x[1]] + np.ones(1) * [x[2]],
    "an operator on the left": lambda x: [x[0], x[1]] * np.ones(2) - [x[2], 1.0] @ np.eye(2),
    "in place": lambda x: np.add(np.ones(2), [x[0], x[1]], out=np.zeros(2)),
    "arrays that were written to": lambda x: np.sum([_written(x), np.ones(2)], axis=0),
    "vectorize": lambda x: np.vectorize(lambda a, b: a * a if a > b else -b)(x, np.array([[0.0], [2.5]])),
    "vectorize of several results": lambda x: np.add(*np.vectorize(lambda a: (a, a * a))(x)),
    "ndenumerate": lambda x: sum(v * (i + 2 * j) for (i, j), v in np.ndenumerate(np.outer(x, x))),
    "ndenumerate of plain numbers": lambda x: sum(v * x[i] for (i,), v in np.ndenumerate(np.array([1.0, 2.0]))),
    "asked to be in Fortran's order": lambda x: np.asfortranarray(np.outer(x, x)) * np.require(x, float, "C"),
    "item": lambda x: np.outer(x, x)[:1, :1].item() * np.outer(x, x).item(5) * x.item((2,)) + np.outer(x, x).item(0, 1),
    "r_": lambda x: np.r_[1.0, x, [x[0], 2.0], 0:2],
    "c_": lambda x: np.c_[[x[0], 1.0], [2.0, x[1]]],
}


def _written(x: Any) -> Any:
    b = np.zeros(2)
    b[0] = x[1]
    return b


@pytest.mark.parametrize("name", CALLS)
def test_values_are_numpys_and_derivatives_are_right(name: str) -> None:
    function = CALLS[name]
    numpy.testing.assert_allclose(cr.vjp(function, X)[0], function(X), rtol=1e-14)
    cr.check_grads(function, (X,), order=2)
    if name not in ("positions", "vectorize"):
        numpy.testing.assert_allclose(cr.jit(function, engine="auto")(X), function(X), rtol=1e-14)


def test_outside_of_a_trace_they_are_numpys_own_and_inside_look_so() -> None:
    assert np.sum is numpy.sum
    seen = []
    cr.grad(lambda x: seen.append((np.sum, np.add, np.float64, np.pi)) or x)(1.0)
    assert repr(seen[0][0]) == repr(numpy.sum)
    assert seen[0][0].__doc__ == numpy.sum.__doc__ or seen[0][0].__wrapped__ is numpy.sum
    assert seen[0][1].identity == 0
    assert seen[0][2:] == (numpy.float64, numpy.pi)


def test_what_lists_are_not_about_stays_an_error() -> None:
    with pytest.raises(ChainruleError, match=r"np\.stack"):
        cr.grad(lambda x: np.sum(np.arange(x, 3.0)))(1.0)
    with pytest.raises(ChainruleError, match="shape"):
        cr.grad(lambda x: np.sum([[x, x], [x]]))(1.0)


def test_vectorize_is_numpys_with_all_its_settings() -> None:
    @np.vectorize
    def f(a: Any, b: Any = 1.0) -> Any:
        """What it says."""
        return a + b

    @np.vectorize(otypes=[float])
    def g(a: Any) -> Any:
        return a * a

    assert f.__doc__ == "What it says."
    numpy.testing.assert_array_equal(f([1.0, 2.0], b=2.0), [3.0, 4.0])
    numpy.testing.assert_array_equal(
        f(numpy.ones((2, 1)), numpy.arange(3.0)), 1.0 + numpy.ones((2, 1)) * numpy.arange(3.0)
    )
    numpy.testing.assert_array_equal(g([1, 2]), [1.0, 4.0])
    numpy.testing.assert_array_equal(cr.grad(lambda x: np.sum(g(x) * f(np.ones(3))))(X), 4.0 * X)
    with pytest.raises(ChainruleError, match=r"chainrule\.vmap"):
        cr.grad(lambda x: np.sum(f(x, b=2.0)))(X)


PLAIN: dict[str, Callable[[Any], Any]] = {
    "append": lambda x: numpy.append([x[0], 2.0], x[1:]),
    "dot": lambda x: numpy.dot([x[0], x[1], 1.0], x),
    "interp": lambda x: numpy.interp(x[0] - 0.7, [0.0, 1.0], [x[1], x[2]]),
    "lists in a list": lambda x: numpy.concatenate([[x[0], [x[1]]][1], x]),
    "solve": lambda x: numpy.linalg.solve([[x[0], 0.0], [1.0, x[1]]], x[:2]),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_numpy_s_functions_take_them_where_another_argument_is_traced(name: str) -> None:
    function = PLAIN[name]
    numpy.testing.assert_allclose(cr.vjp(function, X)[0], function(X), rtol=1e-14)
    cr.check_grads(function, (X,), order=2)
