"""Reverse accumulation: one loop for tapes and for equations, keeping the cotangents that are asked for and no others."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.autodiff.transforms import observed_gradient
from chainrule.explanation.evaluations.backward import carry_back
from chainrule.ops.operation import eager
from chainrule.tracing.interpreter import interpret
from chainrule.tracing.program import Variable
from chainrule.tracing.traces.reverse import accumulate

RANDOM = np.random.default_rng(0)


def test_equations_and_tapes_have_the_same_cotangents() -> None:
    def function(x: Any, w: Any) -> Any:
        z = x @ w
        return np.sum(np.tanh(z) * z + np.max(z, axis=0)) / np.sum(x * x)

    x, w = RANDOM.normal(size=(4, 3)), RANDOM.normal(size=(3, 5))
    program = cr.trace(function, x, w)
    values = interpret(program, dict(zip(program.inputs, (x, w), strict=True)))
    (output,) = program.outputs
    assert isinstance(output, Variable)
    found = carry_back(
        eager,
        program.equations,
        lambda a: values[a] if isinstance(a, Variable) else a.value,
        {output: np.float64(1.0)},
        lambda a: isinstance(a, Variable) and a.dtype.kind == "f",
    )
    for variable, gradient in zip(program.inputs, cr.grad(function, (0, 1))(x, w), strict=True):
        np.testing.assert_array_equal(found[variable], gradient)
    assert set(found) == set(values)  # every value in between has its cotangent


def test_cotangents_of_values_in_between() -> None:
    """Against a second differentiation, by the value in between as an argument."""
    x = RANDOM.normal(size=5)

    def function(p: dict[str, Any]) -> Any:
        z = np.sin(p["x"])
        a = z * z
        unused = np.exp(z)
        return np.sum(a * p["x"]), {"z": z, "a": [a, a], "none": None, "unused": unused, "constant": np.ones(2)}

    value, gradient, seen, cotangents = observed_gradient(function)({"x": x})
    expected = cr.value_and_grad(lambda x: np.sum(np.sin(x) ** 2 * x))(x)
    np.testing.assert_allclose(value, expected[0], rtol=1e-14)
    np.testing.assert_allclose(gradient["x"], expected[1], rtol=1e-14)
    np.testing.assert_array_equal(seen["z"], np.sin(x))
    assert type(seen["a"][0]) is np.ndarray
    np.testing.assert_allclose(cotangents["z"], cr.grad(lambda z: np.sum(z * z * x))(np.sin(x)), rtol=1e-14)
    np.testing.assert_array_equal(cotangents["a"][1], x)
    assert cotangents["none"] is cotangents["unused"] is cotangents["constant"] is None


def test_cotangents_that_nobody_wants_are_dropped_on_the_way() -> None:
    alive: list[Any] = []
    most = 0

    class Negation:
        """An operation that makes a fresh cotangent and counts how many of them there are."""

        asks_use = False

        @staticmethod
        def pullback(m: Any, cotangent: Any, output: Any, inputs: Any, wanted: Any) -> list[Any]:
            nonlocal most
            fresh = -cotangent
            alive.append(weakref.ref(fresh))
            del cotangent
            gc.collect(0)
            most = max(most, sum(r() is not None for r in alive))
            return [fresh]

    operation: Any = Negation()
    nodes: list[Any] = [None, None, *((operation, [None], {}, None, [i], None) for i in range(1, 20))]
    found: list[Any] = [None] * 20 + [np.ones(3)]
    accumulate(eager, nodes, found, 20, kept={7})
    assert most <= 4  # what is carried, what is made, and place 7
    assert [i for i, cotangent in enumerate(found) if cotangent is not None] == [1, 7]
    np.testing.assert_array_equal(found[1], -np.ones(3))
    np.testing.assert_array_equal(found[7], -np.ones(3))


def test_threads_that_share_a_tape_do_not_take_each_others_values() -> None:
    x = RANDOM.normal(size=8)

    def along(x: Any, i: int) -> Any:
        for _ in range(200):
            x = np.sin(x * (i + 1))
        return np.sum(x)

    def threaded(x: Any) -> Any:
        with ThreadPoolExecutor(8) as pool:
            return sum(pool.map(lambda i: along(x, i), range(8)))

    expected = sum(cr.grad(along)(x, i) for i in range(8))
    for _ in range(3):
        np.testing.assert_allclose(cr.grad(threaded)(x), expected, rtol=1e-10)
