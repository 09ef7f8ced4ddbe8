"""Programs walked equation by equation: every rule, from any values known before, and only as far as asked."""

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.tracing.interpreter import applied, evaluated, interpret, reinterpret, results, walk

PROGRAM = cr.trace(lambda x, y: (np.sin(x) * y, np.exp(y) + 2.0), np.ones(3), np.ones(3))
X, Y = np.array([0.3, -1.0, 2.0]), np.array([1.0, 0.5, -0.25])


def known(*inputs: Any) -> dict[Any, Any]:
    return dict(zip(PROGRAM.inputs, inputs, strict=True))


def test_every_variable_has_its_value() -> None:
    values = interpret(PROGRAM, known(X, Y))
    assert list(values) == [*PROGRAM.inputs, *(e.output for e in PROGRAM.equations)]
    for found, expected in zip(results(PROGRAM, values), (np.sin(X) * Y, np.exp(Y) + 2), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_traced_values_go_through() -> None:
    def through(x: Any) -> Any:
        return np.sum(results(PROGRAM, interpret(PROGRAM, known(x, Y), applied))[0])

    np.testing.assert_allclose(cr.grad(through)(X), np.cos(X) * Y, rtol=1e-15)


def test_whoever_walks_may_stop() -> None:
    seen: list[str] = []

    def noting(equation: Any, inputs: list[Any]) -> Any:
        seen.append(equation.op.name)
        return evaluated(equation, inputs)

    for equation, inputs, output in walk(PROGRAM, known(X, Y), noting):
        assert equation.op.name == "sin"
        assert inputs[0] is X
        np.testing.assert_array_equal(output, np.sin(X))
        break
    assert seen == ["sin"]


def test_what_is_known_is_not_computed_and_constants_stand_for_what_the_caller_says() -> None:
    sine = PROGRAM.equations[0].output
    values = interpret(PROGRAM, {**known(X, Y), sine: np.ones(3)}, constant=lambda value: 10 * value)
    first, second = results(PROGRAM, values)
    np.testing.assert_array_equal(first, Y)
    np.testing.assert_array_equal(second, np.exp(Y) + 20)


@pytest.mark.parametrize("changed", [0, 1])
def test_only_what_depends_on_a_change_is_computed_again(changed: int) -> None:
    values = interpret(PROGRAM, known(X, Y))
    new = [X, Y]
    new[changed] = new[changed] + 1
    computed: list[str] = []

    def noting(equation: Any, inputs: list[Any]) -> Any:
        computed.append(equation.op.name)
        return evaluated(equation, inputs)

    again = reinterpret(PROGRAM, values, {PROGRAM.inputs[changed]: new[changed]}, noting)
    assert sorted(computed) == [["multiply", "sin"], ["add", "exp", "multiply"]][changed]
    everything = interpret(PROGRAM, known(*new))
    assert set(again) == set(everything)
    for x, value in everything.items():
        np.testing.assert_array_equal(again[x], value)
    assert values[PROGRAM.inputs[changed]] is (X, Y)[changed]  # the values before are left as they are
