"""Programs: how they are traced, printed, checked and differentiated."""

from dataclasses import replace

import numpy as np
import pytest

from chainrule.autodiff import check_grads, grad, hessian, jvp, value_and_grad
from chainrule.engines import evaluate
from chainrule.errors import DerivativeLostError, LeakedValueError, ProgramError, ShapeError, TracingError
from chainrule.ops import REGISTRY, ArrayType
from chainrule.tracing import (
    Equation,
    Literal,
    RecordedValue,
    Variable,
    apply,
    check,
    current_scope,
    scope,
    simplify,
    trace,
)
from chainrule.tracing.trees import LEAF, Structure


def layer(x, w):
    return np.tanh(x @ w)


LAYER = trace(layer, np.ones((4, 3)), np.ones((3, 2)))


# --- tracing


def test_prints_as_a_short_list_of_equations():
    assert str(LAYER).splitlines() == [
        "layer(x: float64[4,3], w: float64[3,2])",
        "  v0: float64[4,2] = einsum(x, w, subscripts='ij,jk->ik')",
        "  v1: float64[4,2] = tanh(v0)",
        "  return v1",
    ]
    assert repr(LAYER) == str(LAYER)


def test_prints_constants_scopes_and_paths():
    def function(p, steps):
        with scope("hidden"), scope("activation"):
            y = np.maximum(p["w"][0], 0.5)
        return y + np.arange(3.0), 7.0 * steps

    program = trace(function, {"w": [np.ones(3)]}, np.float32(2.0), name="shown")
    assert str(program).splitlines() == [
        "shown(p.w[0]: float64[3], steps: float32[])",
        "  # hidden / activation",
        "  v0: float64[3] = maximum(p.w[0], 0.5)",
        "  # (no scope)",
        "  v1: float64[3] = add(v0, constant[3])",
        "  v2: float32[] = multiply(7.0, steps)",
        "  return v1, v2",
    ]


def test_inputs_are_named_after_the_parameters():
    def method(first, *rest):
        return first + rest[0] + rest[1]["a"]

    program = trace(method, 1.0, 2.0, {"a": 3.0})
    assert [x.name for x in program.inputs] == ["first", "argument_1", "argument_2.a"]
    assert trace(np.tanh, 1.0).name == "tanh"
    assert [x.name for x in trace(dict, {"a": 1.0}).inputs] == ["argument_0.a"]  # whose parameters Python does not tell
    assert trace(lambda x: x, 1.0).name == "program"


def test_arguments_and_results_keep_their_form():
    program = trace(lambda p, t: {"sum": p["a"] + t[0], "parts": [t[1], (p["b"],)]}, {"a": 1.0, "b": 2.0}, (3.0, 4.0))
    assert evaluate(program, {"b": 20.0, "a": 10.0}, (30.0, 40.0)) == {"sum": 40.0, "parts": [40.0, (20.0,)]}
    with pytest.raises(ShapeError, match="should be a dict"):
        evaluate(program, [1.0, 2.0], (3.0, 4.0))
    assert evaluate(trace(lambda x: (), 1.0), 2.0) == ()
    assert evaluate(trace(lambda x: [x, 5.0, np.ones(2)][:2], 1.0), 2.0) == [2.0, 5.0]


def test_types_alone_are_enough():
    program = trace(layer, ArrayType((4, 3), np.dtype("float32")), ArrayType((3, 2), np.dtype("float32")))
    assert program.outputs[0].type == ArrayType((4, 2), np.dtype("float32"))
    assert ArrayType((2, 3), np.dtype(float)).size == 6
    assert ArrayType((2, 3), np.dtype(float)).ndim == 2


@pytest.mark.parametrize("number", [3, 3.0, True])
def test_numbers_become_arrays_without_axes(number):
    (x,) = trace(lambda x: x, number).inputs
    assert x.type == ArrayType((), np.asarray(number).dtype)


def test_later_changes_of_an_array_do_not_reach_the_program():
    mask = np.array([1.0, 0.0])

    def function(x):
        first = x * mask
        mask[:] = 5.0
        return first + x * mask

    program = simplify(trace(function, np.ones(2)))
    mask[:] = 99.0
    np.testing.assert_array_equal(evaluate(program, np.ones(2)), [6.0, 5.0])


def test_an_array_used_twice_is_kept_once():
    big = np.ones(10_000)
    program = trace(lambda x: np.sum(x * big) + np.sum(x * big), np.ones(10_000))
    constants = {id(x.value) for e in program.equations for x in e.inputs if isinstance(x, Literal)}
    assert len(constants) == 1
    assert len(simplify(program).equations) == 3


def test_traces_the_training_step_with_its_derivative():
    def step(w, x):
        value, gradient = value_and_grad(lambda w: np.mean(np.tanh(x @ w) ** 2))(w)
        return w - 0.1 * gradient, value

    random = np.random.default_rng(0)
    w, x = random.normal(size=(3, 2)), random.normal(size=(4, 3))
    program = trace(step, w, x)
    for made in (program, simplify(program)):
        for found, expected in zip(evaluate(made, w, x), step(w, x), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_programs_can_be_differentiated():
    random = np.random.default_rng(0)
    w, x = random.normal(size=(3, 2)), random.normal(size=(4, 3))
    loss = trace(lambda x, w: np.sum(layer(x, w) ** 2), x, w)
    np.testing.assert_allclose(
        grad(lambda w: evaluate(loss, x, w))(w), grad(lambda w: np.sum(layer(x, w) ** 2))(w), rtol=1e-13
    )
    check_grads(lambda x, w: evaluate(simplify(loss), x, w), (x, w), order=2)


def test_derivatives_of_every_order_become_programs():
    for derivative in (grad(np.sin), grad(grad(np.sin)), lambda x: jvp(grad(np.sin), (x,), (1.0,))[1], hessian(np.sin)):
        assert evaluate(trace(derivative, 0.5), 0.7) == pytest.approx(derivative(0.7), rel=1e-14)


# --- what cannot be traced


def branching(x):
    return x if x > 0 else -x


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (branching, TracingError, r"`if`.*np\.where\(condition, a, b\)"),
        (lambda x: x and 1.0, TracingError, "`and`"),
        (lambda x: max(x, 0.0), TracingError, r"np\.where"),
        (lambda x: float(x), DerivativeLostError, r"float\(\)"),
        (lambda x: np.array([x, x]), DerivativeLostError, r"np\.stack"),
        (lambda x: "text", TracingError, "str cannot take part"),
        (lambda x: {1.0, 2.0}, TracingError, "set cannot take part"),
    ],
)
def test_what_depends_on_numbers_cannot_be_traced(function, error, message):
    with pytest.raises(error, match=message):
        trace(function, 1.0)


def test_values_of_another_trace_must_be_arguments():
    with pytest.raises(TracingError, match="Pass it as an argument"):
        grad(lambda x: evaluate(trace(lambda y: x * y, 1.0), 2.0))(3.0)
    stored = []
    trace(lambda x: stored.append(x) or x, 1.0)
    with pytest.raises(LeakedValueError):
        stored[0] + 1.0


# --- checking


def rebuilt(**changes):
    return replace(LAYER, **changes)


X, W = LAYER.inputs
PRODUCT, TANH = LAYER.equations


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (rebuilt(inputs=(X, X)), "an input is named twice"),
        (rebuilt(equations=(TANH, PRODUCT)), "v0 is used before it is assigned"),
        (rebuilt(equations=(PRODUCT, PRODUCT, TANH)), "v0 is assigned twice"),
        (rebuilt(equations=(PRODUCT.replace(output=X), TANH)), "x is assigned twice"),
        (rebuilt(equations=(PRODUCT,)), "the output v1 is never assigned"),
        (rebuilt(inputs=(X, W, Variable("b", X.type))), "3 inputs do not fit a structure with 2 leaves"),
        (rebuilt(outputs_structure=Structure(list, (0, 1), (LEAF, LEAF))), "1 outputs do not fit a structure with 2"),
        (
            rebuilt(equations=(PRODUCT, TANH.replace(output=Variable("v1", X.type)))),
            r"float64\[4,3\] = tanh\(v0\) — the operation gives float64\[4,2\]",
        ),
        (
            rebuilt(equations=(PRODUCT, TANH.replace(output=Variable("v1", ArrayType((4, 2), np.dtype("float32")))))),
            r"the operation gives float64\[4,2\]",
        ),
    ],
)  # fmt: skip
def test_every_rule_of_programs_is_checked(program, message):
    with pytest.raises(ProgramError, match=message):
        check(program)


def test_operations_must_be_in_the_registry(monkeypatch):
    monkeypatch.delitem(REGISTRY, "tanh")
    with pytest.raises(ProgramError, match="'tanh' is not in the registry"):
        check(LAYER)


def test_shapes_are_checked_while_a_program_is_checked():
    wrong = PRODUCT.replace(inputs=(W, W))
    with pytest.raises(ShapeError, match="axis 'j' has length 2 in one and 3 in the other"):
        check(rebuilt(equations=(wrong, TANH)))


def test_a_right_program_is_handed_back():
    assert check(LAYER) is LAYER


# --- scopes and single values


def test_scopes_nest_and_end():
    assert current_scope() == ""
    with scope("network"):
        with scope("hidden"):
            assert current_scope() == "network / hidden"
        assert current_scope() == "network"
    with pytest.raises(ZeroDivisionError), scope("failing"):
        raise ZeroDivisionError
    assert current_scope() == ""


def test_derivatives_carry_the_scope_of_what_they_are_derivatives_of():
    def loss(w, x):
        with scope("hidden"):
            y = np.tanh(x @ w)
        with scope("loss"):
            return np.sum(y * y)

    program = trace(grad(loss), np.ones((3, 2)), np.ones((4, 3)))
    scopes = [equation.scope for equation in program.equations]
    assert list(dict.fromkeys(scopes)) == ["hidden", "loss", "loss / backward", "hidden / backward"]
    assert "  # hidden / backward" in str(program).splitlines()


def test_traced_values_print_what_they_are():
    seen = []
    trace(lambda x: seen.append(repr(x)) or x, np.ones((2, 3)))
    grad(lambda x: seen.append(repr(x)) or x)(1.5)
    jvp(lambda x: seen.append(repr(x)) or x, (1.5,), (2.0,))
    assert seen == [
        "traced(x: float64[2,3])",
        "traced(np.float64(1.5))" if "np.float64" in seen[1] else "traced(array(1.5))",
        seen[2],
    ]
    assert "tangent=" in seen[2]


def test_a_protocol_for_values_of_other_kinds():
    """Anything with a `traced_value` method takes part as that value."""

    class Named:
        def __init__(self, value):
            self.value = value

        def traced_value(self):
            return self.value

    assert grad(lambda x: apply(REGISTRY["multiply"], Named(x), Named(x)))(3.0) == 6.0
    assert apply(REGISTRY["multiply"], Named(3.0), [1.0, 2.0]).tolist() == [3.0, 6.0]


def test_lists_of_traced_numbers_are_stacked():
    program = trace(lambda x: apply(REGISTRY["tanh"], [x, 1.0, x]), 0.5)
    np.testing.assert_allclose(evaluate(program, 0.5), np.tanh([0.5, 1.0, 0.5]))
    assert isinstance(program.equations[-1], Equation)


def test_nothing_is_recorded_for_plain_values():
    def function(x):
        assert isinstance(x, RecordedValue)
        plain = np.tanh(np.ones(3))
        return x + plain

    assert len(trace(function, 1.0).equations) == 1
