"""Traced values that are copied, kept, pickled, or nested in other threads: the right derivative, or an error."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DerivativeLostError, LeakedValueError, SettingError
from waiting import LONG

X = np.array([0.5, -1.25, 2.0])


@dataclasses.dataclass
class Pair:
    first: Any
    second: Any


class Named(NamedTuple):
    first: Any
    second: Any


COPIES: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "in a list": lambda x: copy.deepcopy([x, 1.0])[0],
    "in a dict": lambda x: copy.deepcopy({"x": {"y": x}})["x"]["y"],
    "twice in a list": lambda x: sum(copy.deepcopy([x, x])) / 2,
    "asdict": lambda x: dataclasses.asdict(Pair(x, [x]))["second"][0],
    "astuple": lambda x: dataclasses.astuple(Pair(x, 1.0))[0],
    "replace": lambda x: dataclasses.replace(Pair(1.0, x), first=2.0).second,
    "named tuple": lambda x: copy.deepcopy(Named(x, 1))._replace(second=2).first,
    "np.copy": np.copy,
    "method": lambda x: x.copy(),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_keep_the_derivative(name: str) -> None:
    copied = COPIES[name]

    def f(x: Any) -> Any:
        return np.sum(copied(x) ** 3 + copied(x * x))

    expected = 3 * X**2 + 2 * X
    value, gradient = cr.value_and_grad(f)(X)
    assert type(value) is np.float64
    np.testing.assert_allclose(gradient, expected, rtol=1e-14)
    value, tangent = cr.jvp(f, (X,), (np.ones(3),))
    assert type(value) is np.float64
    np.testing.assert_allclose(tangent, np.sum(expected), rtol=1e-14)
    np.testing.assert_allclose(cr.vjp(f, X)[1](2.0)[0], 2 * expected, rtol=1e-14)
    np.testing.assert_allclose(cr.hessian(f)(X), np.diag(6 * X + 2), rtol=1e-14)
    np.testing.assert_allclose(cr.evaluate(cr.trace(cr.grad(f), X), X), expected, rtol=1e-14)


def test_copies_of_values() -> None:
    a = cr.Value(3.0, name="a")
    (copy.deepcopy(a * a) * 2.0).backward()
    assert a.grad == 12.0  # d(2a²)/da
    b = copy.deepcopy(a)  # one that nothing was computed for is a new variable
    (a * b).backward()
    assert (a.grad, b.grad, b.data) == (3.0, 3.0, 3.0)
    b.data = 5.0
    assert a.data == 3.0
    assert pickle.loads(pickle.dumps(a)).data == 3.0
    deep = a
    for _ in range(5000):
        deep = deep + 1.0
    copy.deepcopy(deep).backward()  # no matter how long its past is
    assert a.grad == 1.0


def test_pickles_are_refused() -> None:
    for derivative in (cr.grad, lambda f: lambda x: cr.jvp(f, (x,), (x,)), lambda f: lambda x: cr.trace(f, x)):
        with pytest.raises(DerivativeLostError, match=r"pickled.*stop_gradient"):
            derivative(lambda x: np.sum(pickle.loads(pickle.dumps([x]))[0]))(X)


KEPT: dict[str, Callable[[Callable[[Any], Any]], Any]] = {
    "grad": lambda f: cr.grad(f)(1.0),
    "jvp": lambda f: cr.jvp(f, (1.0,), (1.0,)),
    "vjp": lambda f: cr.vjp(f, 1.0),
    "trace": lambda f: cr.trace(f, np.float64(1.0)),
}


@pytest.mark.parametrize("keeps", KEPT)
@pytest.mark.parametrize("gives", ["grad", "value_and_grad", "jvp", "vjp", "jacobian", "hessian", "aux"])
def test_values_kept_from_an_earlier_call_are_no_results(keeps: str, gives: str) -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x * x)
        return kept[0]

    KEPT[keeps](f)
    with pytest.raises(LeakedValueError, match=r"kept from a call.*anew"):
        {
            "grad": lambda: cr.grad(f)(2.0),
            "value_and_grad": lambda: cr.value_and_grad(f)(2.0),
            "jvp": lambda: cr.jvp(f, (2.0,), (1.0,)),
            "vjp": lambda: cr.vjp(f, 2.0),
            "jacobian": lambda: cr.jacobian(f)(2.0),
            "hessian": lambda: cr.hessian(f)(2.0),
            "aux": lambda: cr.grad(lambda x: (x, f(x)), has_aux=True)(2.0),
        }[gives]()


def test_values_of_a_function_around_are_results() -> None:
    assert cr.grad(lambda x: x + cr.grad(lambda y: x)(3.0))(2.0) == 1.0
    assert cr.grad(lambda x: cr.value_and_grad(lambda y: x * x)(3.0)[0])(2.0) == 4.0


# --- threads


def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(function(*args)))
    thread.start()
    thread.join()
    return found[0]


def in_pool(function: Callable[..., Any], *args: Any) -> Any:
    with ThreadPoolExecutor(2) as pool:
        return next(iter(pool.map(function, *([a] for a in args))))


INNER: dict[str, Callable[[Any], Any]] = {  # each is dy/dt of x·t² at t = 3, which is 6·x
    "grad": lambda x: cr.grad(lambda t: x * t * t)(3.0),
    "jvp": lambda x: cr.jvp(lambda t: x * t * t, (3.0,), (1.0,))[1],
    "vjp": lambda x: cr.vjp(lambda t: x * t * t, 3.0)[1](1.0)[0],
    "of a traced argument": lambda x: cr.grad(lambda t: t * t * 3.0)(x),
    "thread in a thread": lambda x: in_thread(lambda: cr.grad(lambda t: x * t * t)(3.0)),
}


@pytest.mark.parametrize("run", [in_thread, in_pool])
@pytest.mark.parametrize("inner", INNER)
def test_a_derivative_nested_in_another_thread(run: Callable[..., Any], inner: str) -> None:
    """f(x) = (6x)·x, so f′ = 12x and f″ = 12."""

    def f(x: Any) -> Any:
        return run(INNER[inner], x) * x

    assert cr.value_and_grad(f)(2.0) == (24.0, 24.0)
    assert cr.jvp(f, (2.0,), (1.0,)) == (24.0, 24.0)
    assert cr.grad(cr.grad(f))(2.0) == 12.0
    assert cr.jvp(cr.grad(f), (2.0,), (1.0,))[1] == 12.0
    assert cr.evaluate(cr.trace(cr.grad(f), 2.0), 2.0) == 24.0


def test_many_threads_at_once() -> None:
    """Σᵢ d(x·tⁱ)/dt at t = 1 is Σᵢ i·x, and times x its derivative is 2x·Σᵢ i."""

    def f(x: Any) -> Any:
        with ThreadPoolExecutor(8) as pool:
            return x * sum(pool.map(lambda i: cr.grad(lambda t: np.sin(x * t) + x * t**i)(1.0), range(1, 40)))

    x, total = 0.3, sum(range(1, 40))
    expected = 39 * (2 * x * np.cos(x) - x * x * np.sin(x)) + 2 * x * total
    for _ in range(3):
        np.testing.assert_allclose(cr.grad(f)(x), expected, rtol=1e-12)


def test_derivatives_beside_each_other_in_threads() -> None:
    points = np.linspace(-2, 2, 60)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(cr.grad(cr.grad(lambda x: np.exp(np.sin(x)))), points))
    expected = np.exp(np.sin(points)) * (np.cos(points) ** 2 - np.sin(points))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_derivatives_begun_and_ended_out_of_order() -> None:
    """Two traces in two threads, each begun before the other has ended."""
    steps = []

    def run(name: str, other: threading.Event, mine: threading.Event) -> float:
        def f(x: Any) -> Any:
            y = x * x
            mine.set()
            assert other.wait(LONG)
            steps.append(name)
            return y * x

        return float(cr.grad(f)(2.0))

    first, second = threading.Event(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(run, "a", first, second), pool.submit(run, "b", second, first)]
        assert [future.result() for future in found] == [12.0, 12.0]
    assert sorted(steps) == ["a", "b"]


# --- settings that would give wrong numbers


@pytest.mark.parametrize("transform", [cr.grad, cr.value_and_grad, cr.jacobian, cr.hessian])
def test_argnums_are_read_once(transform: Any) -> None:
    for wrong in (1.0, "a", (0, 1.0), None):  # 1.0 == 1, which was asked for before
        transform(lambda a, b: a * b, argnums=(0, 1))(2.0, 3.0)
        transform(lambda a, b: a * b, argnums=1)(2.0, 3.0)
        with pytest.raises(SettingError, match="give the place of an argument"):
            transform(lambda a, b: a * b, argnums=wrong)
    places = [0]
    ready = [transform(lambda a, b: a * b, argnums=given) for given in (places, iter(places), np.array(places))]
    places.append(1)
    expected = transform(lambda a, b: a * b, argnums=(0,))(2.0, 3.0)
    assert all(f(2.0, 3.0) == expected for f in ready for _ in range(2))


@pytest.mark.parametrize("argnums", [(0, 0), (0, -2), (1, -1), (0, 1, 0)])
@pytest.mark.parametrize("transform", [cr.grad, cr.value_and_grad, cr.jacobian, cr.hessian])
def test_an_argument_is_named_once(transform: Any, argnums: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match=r"argument \d of 2 more than once"):
        transform(lambda a, b: a * b, argnums=argnums)(2.0, 3.0)


@pytest.mark.parametrize("method", ["central", "forward", "backward"])
@pytest.mark.parametrize(
    ("x", "h"),
    [(1.0, 1e-20), (1e10, 1e-8), (np.float32(1.0), 1e-9), (np.array([0.0, 1.0]), 1e-300), (np.float32(0.0), 1e-60)],
)
def test_a_nudge_that_is_lost_in_rounding(x: Any, h: float, method: Any) -> None:
    with pytest.raises(SettingError, match=r"lost in rounding at x = .* apart; use a larger h"):
        cr.derivative(lambda v: np.sum(v * v), x, method=method, h=h)


def test_small_nudges_that_are_not_lost() -> None:
    assert cr.derivative(lambda v: 3 * v, 0.0, h=1e-300) == pytest.approx(3.0)
    assert cr.derivative(lambda v: 3 * v, 1.0, h=1e-8) == pytest.approx(3.0, rel=1e-6)
