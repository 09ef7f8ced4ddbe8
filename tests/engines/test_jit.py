"""`jit`: functions as machine code."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import chainrule as cr

random = np.random.default_rng(0)
X, W = random.normal(size=(5, 7)), random.normal(size=(7, 3))


def test_nested_arguments_and_results() -> None:
    def function(x: Any, p: dict[str, Any]) -> dict[str, Any]:
        return {"sums": np.sum(np.tanh(x @ p["W"] + p["b"]), axis=0), "rows": (np.max(x, axis=1), x.T)}

    p = {"W": W, "b": np.ones(3)}
    found, expected = cr.jit(function)(X, p), function(X, p)
    np.testing.assert_allclose(found["sums"], expected["sums"], rtol=1e-12)
    np.testing.assert_array_equal(found["rows"][0], expected["rows"][0])
    np.testing.assert_array_equal(found["rows"][1], X.T)


@pytest.mark.parametrize("transform", [cr.grad, cr.hessian, cr.jacobian], ids=lambda t: t.__name__)
def test_derivatives_inside(transform: Any) -> None:
    derivative = transform(lambda x: np.sum(np.sin(x) * x) ** 2)
    np.testing.assert_allclose(cr.jit(derivative)(X[0]), derivative(X[0]), rtol=1e-12)


def test_compiled_for_every_shape_and_dtype() -> None:
    double = cr.jit(lambda x: 2 * x)
    assert double(np.float32([1, 2])).dtype == np.float32
    assert double(np.ones((2, 3))).shape == (2, 3)
    assert double(3.0) == 6.0
    assert double(np.arange(3)).tolist() == [0, 2, 4]


def test_one_shape_in_every_dtype_by_one_function() -> None:
    """Called with one dtype after the other, and again: no call is answered by another's code."""
    numbers = np.array([3, 0, 7])
    half = cr.jit(lambda x: x + x // 2)
    for _ in range(2):
        for name in ("float64", "int64", "float32", "uint8", "int32", "float64"):
            x = (numbers + 0.5).astype(name)
            found = half(x)
            assert found.dtype == name
            np.testing.assert_array_equal(found, x + x // 2)


def test_one_row_of_arrays_nested_in_every_way_by_one_function() -> None:
    def first_less_last(*args: Any) -> Any:
        parts = args if len(args) > 1 else args[0]
        if isinstance(parts, dict):
            return {"difference": parts["a"] - parts["b"]}
        return (parts[0] - parts[1],) if isinstance(parts, tuple) else [parts[0] - parts[1]]

    function, y = cr.jit(first_less_last), X + 1.0
    for _ in range(2):
        for args in ((X, y), ((X, y),), ([X, y],), ({"a": X, "b": y},), ({"b": y, "a": X},)):
            found, expected = function(*args), first_less_last(*args)
            assert type(found) is type(expected)
            leaf = found["difference"] if isinstance(found, dict) else found[0]
            np.testing.assert_array_equal(leaf, X - y)


@pytest.mark.parametrize("function", [np.argmax, np.argmin])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_place_of_nan_is_that_of_the_extremum(function: Any, dtype: str) -> None:
    """As NumPy has it: the first NaN, wherever it stands, and however many there are."""
    rows = np.random.default_rng(3).integers(-3, 3, (40, 9)).astype(dtype)  # with ties
    for i, places in enumerate([(0,), (4,), (8,), (2, 5), (5, 2), range(9)]):
        rows[i, list(places)] = np.nan
    rows[6, [3, 6]] = np.inf, np.nan
    rows[7, [3, 6]] = np.nan, -np.inf
    for axis in (0, 1):
        compiled = cr.jit(lambda x, axis=axis: function(x, axis=axis))
        np.testing.assert_array_equal(compiled(rows), function(rows, axis=axis))
    for row in rows[:8]:
        assert cr.jit(function)(row) == function(row)


def test_results_are_the_callers_own() -> None:
    same = cr.jit(lambda x: (x, x + 1.0))
    first = same(X)
    first[0][:] = 0
    first[1][:] = 0
    np.testing.assert_array_equal(same(X)[0], X)
    np.testing.assert_array_equal(same(X)[1], X + 1)


@pytest.mark.parametrize(
    "make", [np.asfortranarray, lambda x: x[::-1], lambda x: x[:, ::2]], ids=["columns", "backwards", "steps"]
)
def test_arrays_lying_in_memory_in_any_way(make: Any) -> None:
    x = make(X)
    x.flags.writeable = False
    np.testing.assert_array_equal(cr.jit(lambda x: x * 2)(x), x * 2)


def test_under_another_trace() -> None:
    np.testing.assert_allclose(cr.grad(lambda x: np.sum(cr.jit(np.sin)(x)))(X), np.cos(X))


def test_a_condition_on_values_is_refused() -> None:
    with pytest.raises(cr.ChainruleError, match=r"np\.where"):
        cr.jit(lambda x: x if x > 0 else -x)(1.0)


def test_operations_without_machine_code_are_named() -> None:
    with pytest.raises(cr.ChainruleError, match="sort"):
        cr.jit(np.sort)(X)


def test_every_stage_can_be_looked_at() -> None:
    function = cr.jit(lambda x: np.tanh(x @ W))
    assert "tanh" in function.inspect("program", X)
    assert "contraction over 5 × 3" in function.inspect("loops", X)
    assert "offset" in function.inspect("memory", X)
    assert "define void" in function.inspect("llvm", X)
    assert "run:" in function.inspect("assembly", X)
    with pytest.raises(cr.ChainruleError, match="program"):
        function.inspect("programme", X)


def test_many_threads_at_once() -> None:
    function = cr.jit(lambda x: np.cumsum(np.exp(-x * x), axis=0) @ W)
    expected = [function(X + i) for i in range(8)]
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(200):
            if not np.array_equal(function(X + i), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_indices_out_of_bounds_are_errors_and_never_read_memory() -> None:
    pick = cr.jit(lambda x, i: x[i])
    assert pick(X, np.array([4, -5]))[1, 0] == X[0, 0]
    for bad in (5, -6, 10**12):
        with pytest.raises(IndexError, match="out of bounds"):
            pick(X, np.array([0, bad]))
    assert pick(X, np.array([1, 2]))[0, 0] == X[1, 0]


@pytest.mark.parametrize("units", [2, 200])
def test_indices_out_of_bounds_in_training(units: int) -> None:
    def formula(x: np.ndarray, i: np.ndarray) -> Any:
        return last(hidden(x)[:, :2][np.arange(x.shape[0]), (i[:, 0] * 1000).astype(int)][:, None])

    for good, scale in ((True, 0.0), (False, 1.0)):
        hidden, last = cr.Dense(units, "tanh"), cr.Dense(1)
        network = cr.Network(formula)
        rows = (X, np.full((5, 1), scale))
        if good:
            network.fit(rows, X[:, 0], engine="llvm", epochs=2, progress=False)
        else:
            with pytest.raises(IndexError, match="out of bounds"):
                network.fit(rows, X[:, 0], engine="llvm", epochs=2, progress=False)
