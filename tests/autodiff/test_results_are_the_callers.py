"""What a transform gives is the caller's own: it shares memory with no argument, with no other result, and with no memory of ours.

So whatever is written into a result afterwards, arguments stay as they are, and asked again the transform gives the same.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.tracing import trees

Function = Callable[[Any], Any]
TABLE = np.arange(6.0).reshape(2, 3)
SQUARE = np.array([[2.0, 1.0], [1.0, 3.0]])


@cr.custom_derivative(lambda tangents, y, x: tangents[0])
def itself(x: Any) -> Any:
    return x


BODIES: dict[str, Function] = {
    "itself": lambda x: x,
    "a row": lambda x: x[1],
    "an element": lambda x: x[0, 0],
    "transposed": lambda x: x.T,
    "reshaped": lambda x: x.reshape(-1),
    "broadcast": lambda x: np.broadcast_to(x, (4, 2, 3)),
    "split": lambda x: np.split(x, 2),
    "rows": lambda x: list(x),
    "twice": lambda x: (x, x),
    "nested": lambda x: {"a": x, "b": [x.T, x[0]], "c": 2.0 * x},
    "computed, and views of it": lambda x: (lambda y: (y, y, y[0], y.T))(np.exp(x)),
    "an array from outside": lambda x: (TABLE, x),
    "a view from outside": lambda x: (TABLE.T, x[0]),
    "a decomposition": lambda x: tuple(np.linalg.eigh(SQUARE + x[:, :2] @ x[:, :2].T)),
    "in place": lambda x: (lambda y: [y.__setitem__(0, 1.0), y][1])(x.copy()),
    "where": lambda x: np.where(True, x, 0.0),
    "einsum": lambda x: np.einsum("ij->ji", x),
    "a part": lambda x: np.real(x),
    "without derivative": cr.stop_gradient,
    "of one's own": itself,
    "computed again": cr.checkpoint(lambda x: (x, x.T)),
    "no step": lambda x: cr.scan(lambda s, r: (s, s), x, None, length=0),
    "steps": lambda x: cr.scan(lambda s, r: (s, r), x[0], x),
}


def total(function: Function) -> Function:
    return lambda x: sum(np.sum(np.real(y)) for y in trees.flatten(function(x))[0]) + np.sum(x * x)


def vjp_of(function: Function, x: Any, **options: Any) -> Any:
    value, pullback, *aux = cr.vjp(function, x, **options)
    cotangent = trees.map_leaves(np.ones_like, value)
    return value, pullback(cotangent), pullback(cotangent), aux


def linear(function: Function, x: Any, t: Any) -> Any:
    value, derivative = cr.linearize(function, x)
    return value, derivative(t), derivative(t)


def flattened(x: Any) -> Any:
    vector, unflatten = cr.flatten({"a": x, "b": x.T})
    return vector, unflatten(vector), unflatten(vector)


def with_aux(function: Function) -> Function:
    return lambda x: (np.sum(x * x), function(x))


TRANSFORMS: dict[str, Callable[[Function, Any, Any], Any]] = {
    "value_and_grad": lambda f, x, t: cr.value_and_grad(total(f))(x),
    "value_and_grad by two": lambda f, x, t: cr.value_and_grad(lambda a, b: total(f)(a) + total(f)(b), (0, 1))(x, t),
    "value_and_grad with aux": lambda f, x, t: cr.value_and_grad(with_aux(f), has_aux=True)(x),
    "grad with aux": lambda f, x, t: cr.grad(with_aux(f), has_aux=True)(x),
    "aux of another argument": lambda f, x, t: cr.grad(lambda a, b: (np.sum(a), f(b)), has_aux=True)(x, t),
    "vjp": lambda f, x, t: vjp_of(f, x),
    "vjp with aux": lambda f, x, t: vjp_of(with_aux(f), x, has_aux=True),
    "jvp": lambda f, x, t: cr.jvp(f, (x,), (t,)),
    "jvp with aux": lambda f, x, t: cr.jvp(with_aux(f), (x,), (t,), has_aux=True),
    "linearize": linear,
    "jacobian": lambda f, x, t: cr.jacobian(f)(x),
    "jacobian, forward": lambda f, x, t: cr.jacobian(f, mode="forward")(x),
    "hessian": lambda f, x, t: cr.hessian(total(f))(x),
    "hvp": lambda f, x, t: cr.hvp(total(f), (x,), (t,)),
    "vmap": lambda f, x, t: cr.vmap(f)(x[None]),
    "vmap along another axis": lambda f, x, t: cr.vmap(f, in_axes=1)(x[:, None]),
    "vmap of what is shared": lambda f, x, t: cr.vmap(lambda a, b: (f(a), b), in_axes=(None, 0))(x, t),
    "vmap to what is shared": lambda f, x, t: cr.vmap(lambda a, b: f(a), in_axes=(None, 0), out_axes=None)(x, t),
    "jit": lambda f, x, t: cr.jit(f, engine="auto")(x),
    "jit by NumPy": lambda f, x, t: cr.jit(f, engine="numpy")(x),
    "jit twice": lambda f, x, t: cr.jit(lambda x: cr.jit(f)(x), engine="numpy")(x),
    "evaluate": lambda f, x, t: cr.evaluate(cr.trace(f, x), x),
    "evaluate, simplified": lambda f, x, t: cr.evaluate(cr.simplify(cr.trace(f, x)), x),
    "checkpoint": lambda f, x, t: cr.checkpoint(f)(x),
    "checkpoint, differentiated": lambda f, x, t: cr.value_and_grad(cr.checkpoint(total(f)))(x),
    "scan": lambda f, x, t: cr.scan(lambda s, r: (s, (r, f(s))), x, t, length=2),
    "loop": lambda f, x, t: (cr.loop(lambda s, i: s, x, 2), cr.loop(lambda s, i: s, x, 0)),
    "implicit": lambda f, x, t: cr.implicit(lambda a: a, lambda y, a: y - a)(x),
    "custom_derivative": lambda f, x, t: itself(x),
    "flatten": lambda f, x, t: flattened(x),
    "derivative": lambda f, x, t: cr.derivative(lambda a: total(f)(a), x),
}  # fmt: skip


def arrays(results: Any) -> list[Any]:
    return [x for x in trees.flatten(results)[0] if isinstance(x, np.ndarray)]


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("order", ["C", "F"])
def test_results_are_the_callers(name: str, order: Any) -> None:
    random = np.random.default_rng(0)
    lent = [np.asarray(random.uniform(0.2, 1.0, (2, 3)), order=order) for _ in range(2)]
    before = [x.copy() for x in (*lent, TABLE)]
    for body, function in BODIES.items():
        found = arrays(TRANSFORMS[name](function, *lent))
        first = [x.copy() for x in found]
        for x in found:
            assert x.flags.writeable, body
            assert not any(np.shares_memory(x, y) for y in (*lent, TABLE)), body
        assert not any(np.shares_memory(x, y) for x, y in combinations(found, 2)), body
        for x in found:
            x[...] = 77.0
        for x, y in zip((*lent, TABLE), before, strict=True):
            np.testing.assert_array_equal(x, y, err_msg=body)
        for x, y in zip(arrays(TRANSFORMS[name](function, *lent)), first, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-13, err_msg=body)


def test_what_is_kept_for_later_stays() -> None:
    for function in (np.exp, lambda x: x, lambda x: x.T, np.linalg.inv):
        x = SQUARE.copy()
        value, derivative = cr.linearize(function, x)
        other, pullback = cr.vjp(function, x)
        expected, back = derivative(TABLE[:, :2]), pullback(TABLE[:, :2].copy())
        for y in (value, other, x):
            y[...] = 77.0
        np.testing.assert_array_equal(derivative(TABLE[:, :2]), expected)
        np.testing.assert_array_equal(pullback(TABLE[:, :2])[0], back[0])


@pytest.mark.parametrize("layers", [[cr.Dropout(0.5)], [cr.Flatten()], [cr.Dense(2)]], ids=str)
def test_answers_of_networks(layers: Any) -> None:
    network = cr.Network(layers).build(3)
    inputs = np.ones((4, 3), np.float32)
    for ask in (network, network.predict, network.compiled(), network.compiled().predict):
        answer = ask(inputs)
        first = answer.copy()
        answer[...] = 77.0
        np.testing.assert_array_equal(inputs, 1.0)
        np.testing.assert_array_equal(ask(inputs), first)


def test_a_program_s_constants_stay() -> None:
    program = cr.simplify(cr.trace(lambda x: (TABLE * 2.0, x), np.ones(2)))
    fast = cr.jit(lambda x: (TABLE * 2.0, TABLE, x))
    for call in (lambda: cr.evaluate(program, np.ones(2)), lambda: fast(np.ones(2))):
        for y in call():
            y[...] = 77.0
        np.testing.assert_array_equal(call()[0], 2.0 * TABLE)


def test_results_inside_another_trace_are_their_own() -> None:
    def outer(x: Any) -> Any:
        value, tangent = cr.jvp(lambda a: (a, a), (x,), (np.ones(3),))
        value[0][0] = 5.0  # x and the other one stay
        mapped = cr.vmap(lambda a: a)(x)
        mapped[1] = 7.0
        return np.sum(x * value[1]) + np.sum(value[0]) + np.sum(mapped * tangent[0])

    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(cr.grad(outer)(x), 2 * x + [0.0, 1.0, 1.0] + [1.0, 0.0, 1.0])


def test_a_number_in_an_array() -> None:
    x = np.array(2.0)
    for found in (
        cr.value_and_grad(lambda x: x)(x),
        cr.jvp(lambda x: x, (x,), (np.array(1.0),)),
        (cr.jit(lambda x: x)(x),),
    ):
        assert not any(isinstance(y, np.ndarray) and np.shares_memory(x, y) for y in found)


def test_sums_of_single_precision_are_the_same_when_computed_again() -> None:
    x = np.asarray(np.random.default_rng(0).uniform(0.2, 1.0, (2, 3)), np.float32, order="F")
    found = cr.grad(cr.checkpoint(lambda x: np.sum(x) + np.sum(np.zeros(2))))(x)
    np.testing.assert_array_equal(found, np.ones((2, 3)))


@pytest.mark.parametrize("engine", ["numpy", "llvm", "auto"])
def test_a_loop_without_steps_compiles(engine: str) -> None:
    x = np.arange(3.0)
    fast = cr.jit(lambda x: cr.scan(lambda s, r: (2.0 * s, None), x, None, length=0)[0] * 3.0, engine=engine)
    np.testing.assert_array_equal(fast(x), 3.0 * x)
    state, collected = cr.scan(lambda s, r: (2.0 * s, (s, s[0])), x, None, length=0)
    assert [y.shape for y in (state, *collected)] == [(3,), (0, 3), (0,)]
    assert cr.grad(lambda a: cr.loop(lambda s, i: s * a, a, 0))(3.0) == 1.0
