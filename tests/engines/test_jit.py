"""`jit`: functions compiled by every engine."""

from __future__ import annotations

import copy
import threading
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import choice
from chainrule.engines.choice import names
from trying import ENGINES

random = np.random.default_rng(0)
X, W = random.normal(size=(5, 7)), random.normal(size=(7, 3))


every_engine = pytest.mark.parametrize("engine", ENGINES)


@every_engine
def test_nested_arguments_and_results(engine: str) -> None:
    def function(x: Any, p: dict[str, Any]) -> dict[str, Any]:
        return {"sums": np.sum(np.tanh(x @ p["W"] + p["b"]), axis=0), "rows": (np.max(x, axis=1), x.T)}

    p = {"W": W, "b": np.ones(3)}
    found, expected = cr.jit(function, engine=engine)(X, p), function(X, p)
    np.testing.assert_allclose(found["sums"], expected["sums"], rtol=1e-12)
    np.testing.assert_array_equal(found["rows"][0], expected["rows"][0])
    np.testing.assert_array_equal(found["rows"][1], X.T)


@every_engine
@pytest.mark.parametrize("transform", [cr.grad, cr.hessian, cr.jacobian], ids=lambda t: t.__name__)
def test_derivatives_inside(transform: Any, engine: str) -> None:
    derivative = transform(lambda x: np.sum(np.sin(x) * x) ** 2)
    np.testing.assert_allclose(cr.jit(derivative, engine=engine)(X[0]), derivative(X[0]), rtol=1e-12)


@every_engine
def test_compiled_for_every_shape_and_dtype(engine: str) -> None:
    double = cr.jit(lambda x: 2 * x, engine=engine)
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


@every_engine
def test_results_are_the_callers_own(engine: str) -> None:
    same = cr.jit(lambda x: (x, x + 1.0, x.T, np.ones(2)), engine=engine)
    kept = X.copy()
    for part in same(X):
        part[:] = 0
    np.testing.assert_array_equal(X, kept)
    for found, expected in zip(same(X), (X, X + 1, X.T, np.ones(2)), strict=True):
        np.testing.assert_array_equal(found, expected)


@every_engine
@pytest.mark.parametrize(
    "make",
    [np.asfortranarray, lambda x: x[::-1], lambda x: x[:, ::2], lambda x: x.astype(">f8")],
    ids=["columns", "backwards", "steps", "other bytes"],
)
def test_arrays_lying_in_memory_in_any_way(make: Any, engine: str) -> None:
    x = make(X)
    x.flags.writeable = False
    doubled, same = cr.jit(lambda x: (x * 2, x), engine=engine)(x)
    np.testing.assert_array_equal(doubled, x * 2)
    np.testing.assert_array_equal(same, x)
    assert doubled.dtype.isnative
    assert same.dtype.isnative


@every_engine
def test_under_another_trace(engine: str) -> None:
    np.testing.assert_allclose(cr.grad(lambda x: np.sum(cr.jit(np.sin, engine=engine)(x)))(X), np.cos(X))


@every_engine
def test_a_condition_on_values_is_refused(engine: str) -> None:
    with pytest.raises(cr.ChainruleError, match=r"np\.where"):
        cr.jit(lambda x: x if x > 0 else -x, engine=engine)(1.0)


def test_operations_without_machine_code_are_named() -> None:
    with pytest.raises(cr.ChainruleError, match=r"'llvm' cannot compile sort: .*no machine code: sort.*engine='auto'"):
        cr.jit(np.sort)(X)
    for engine in ("auto", "numpy"):
        np.testing.assert_array_equal(cr.jit(np.sort, engine=engine)(X), np.sort(X))


def test_kinds_of_number_without_machine_code_are_named() -> None:
    ran: list[Any] = []
    with pytest.raises(cr.ChainruleError, match=r"arrays of bool, float32.*were given float16"):
        cr.jit(ran.append)(X.astype(np.float16))
    assert ran == []


def test_an_engine_of_another_name() -> None:
    with pytest.raises(cr.ChainruleError, match=r"no engine named 'lvm' \(did you mean 'llvm'"):
        cr.jit(np.sin, engine="lvm")


def test_without_llvmlite_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(ENGINES["llvm"]), "missing", "llvmlite")
    choice._say_once.cache_clear()  # another test may have had it said
    with pytest.raises(cr.ChainruleError, match="llvmlite is not installed"):
        cr.jit(np.sin)(X)
    with pytest.warns(UserWarning, match="pip install llvmlite"):
        np.testing.assert_array_equal(cr.jit(np.sin, engine="auto")(X), np.sin(X))


def test_every_stage_can_be_looked_at() -> None:
    function = cr.jit(lambda x: np.tanh(x @ W))
    assert "tanh" in function.inspect("program", X)
    assert "contraction over 5 × 3" in function.inspect("loops", X)
    assert "offset" in function.inspect("memory", X)
    assert "define void" in function.inspect("llvm", X)
    assert "run:" in function.inspect("assembly", X)
    with pytest.raises(cr.ChainruleError, match="program"):
        function.inspect("programme", X)
    for engine in names():
        assert "sin" in cr.jit(np.sin, engine=engine).inspect("program", X)


@every_engine
def test_many_threads_at_once(engine: str) -> None:
    function = cr.jit(lambda x: np.cumsum(np.exp(-x * x), axis=0) @ W, engine=engine)
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


@every_engine
def test_indices_out_of_bounds_are_errors_and_never_read_memory(engine: str) -> None:
    pick = cr.jit(lambda x, i: x[i], engine=engine)
    assert pick(X, np.array([4, -5]))[1, 0] == X[0, 0]
    for bad in (5, -6, 10**12):
        with pytest.raises(IndexError, match="out of bounds"):
            pick(X, np.array([0, bad]))
    assert pick(X, np.array([1, 2]))[0, 0] == X[1, 0]


@every_engine
@pytest.mark.parametrize("units", [2, 200])
def test_indices_out_of_bounds_in_training(units: int, engine: str) -> None:
    def formula(x: np.ndarray, i: np.ndarray) -> Any:
        return last(hidden(x)[:, :2][np.arange(x.shape[0]), (i[:, 0] * 1000).astype(int)][:, None])

    for good, scale in ((True, 0.0), (False, 1.0)):
        hidden, last = cr.Dense(units, "tanh"), cr.Dense(1)
        network = cr.Network(formula)
        rows = (X, np.full((5, 1), scale))
        if good:
            network.fit(rows, X[:, 0], engine=engine, epochs=2, progress=False)
        else:
            with pytest.raises(IndexError, match="out of bounds"):
                network.fit(rows, X[:, 0], engine=engine, epochs=2, progress=False)


@pytest.mark.parametrize(
    "copied",
    [
        lambda b: b.copy(),
        lambda b: b.flatten(),
        lambda b: b.astype(bool),
        copy.copy,
        np.copy,
        np.conj,
        lambda b: np.meshgrid(b, b)[0],
        lambda b: np.full_like(b, True),
    ],
)
def test_copies_of_truth_values(copied: Any) -> None:
    x = np.array([0.5, -1.0, 2.0])
    np.testing.assert_array_equal(cr.jit(lambda x: copied(x > 0))(x), copied(x > 0))
    np.testing.assert_array_equal(cr.vmap(lambda x: copied(x > 0))(x[None]), copied(x > 0)[None])
