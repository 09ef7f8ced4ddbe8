"""Passes leave the value of every Program as it is, and its equations fewer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines import evaluate
from chainrule.ops import REGISTRY, ArrayType, Reduction
from chainrule.tracing import Equation, Literal, Program, Variable, apply, check, simplify, trace
from chainrule.tracing.passes.leaving_out import leave_out_zeros
from chainrule.tracing.passes.simplify import drop_unused, fold_constants, remove_identities, share_equal
from chainrule.tracing.trees import LEAF, Structure
from strategies import inputs_of, programs
from trying import examples

PASSES = [simplify, fold_constants, remove_identities, leave_out_zeros, share_equal, drop_unused]


def interpret(program, arrays):
    """Every equation in turn: what a Program means, in the fewest words."""
    given = map(np.asarray, arrays)  # as engines have them: NumPy's power of scalars may differ in the last digit
    values = dict(zip(program.inputs, given, strict=True))
    for equation in program.equations:
        inputs = [values[x] if isinstance(x, Variable) else x.value for x in equation.inputs]
        values[equation.output] = equation.op.evaluate(*inputs, **equation.attributes)
    return [values[x] if isinstance(x, Variable) else x.value for x in program.outputs]


@pytest.mark.parametrize("rewrite", PASSES, ids=lambda rewrite: rewrite.__name__)
@examples(60)
@given(program=programs(), seed=st.integers(0, 5))
def test_no_pass_changes_the_value(rewrite, program, seed):
    arrays = inputs_of(program, seed)
    rewritten = check(rewrite(program))
    assert len(rewritten.equations) <= len(program.equations)
    with np.errstate(all="ignore"):
        pairs = zip(interpret(rewritten, arrays), interpret(program, arrays), strict=True)
        for found, expected in pairs:
            np.testing.assert_array_equal(found, expected)
            assert np.asarray(found).dtype == np.asarray(expected).dtype
            assert np.shape(found) == np.shape(expected)


@examples(60)
@given(program=programs(), seed=st.integers(0, 5))
def test_the_engine_computes_what_the_equations_say(program, seed):
    arrays = inputs_of(program, seed)
    with np.errstate(all="ignore"):
        for found, expected in zip(evaluate(program, *arrays), interpret(program, arrays), strict=True):
            np.testing.assert_array_equal(found, expected)


@examples(40)
@given(program=programs())
def test_simplifying_again_changes_nothing_more(program):
    once = simplify(program)
    assert len(simplify(once).equations) <= len(once.equations)


def equations_of(function, *examples):
    return [equation.op.name for equation in simplify(trace(function, *examples)).equations]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + -0.0,
        lambda x: -0.0 + x,
        lambda x: x - 0.0,
        lambda x: x * 1.0,
        lambda x: 1 * x,
        lambda x: x / 1.0,
        lambda x: +x,
        lambda x: x.reshape(2, 3),
        lambda x: apply(REGISTRY["transpose"], x, axes=(0, 1)),
        lambda x: np.broadcast_to(x, (2, 3)),
        lambda x: x.astype(np.float64),
        lambda x: (x * 1.0 - 0.0) / 1.0,
        lambda x: x[:, :],
    ],
)
def test_what_changes_nothing_is_removed(function):
    assert equations_of(function, np.ones((2, 3))) == []


@pytest.fixture
def norm():
    """A reduction that changes a number which it combines with no other."""
    op = Reduction("norm_for_a_test", value=lambda m, x, axis: m.sqrt(m.sum(m.square(x), axis=axis, keepdims=True)),
                   partial=lambda m, y, x, axis: x / y)  # fmt: skip
    yield op
    del REGISTRY[op.name]


def test_what_is_combined_with_nothing_keeps_its_value(norm):
    """To the bit: a sum begins with 0, and 0 + −0 is 0."""
    x = np.array([-2.0, -0.0, 0.0, 3.0, np.inf])
    for op in REGISTRY.values():
        if isinstance(op, Reduction):
            program = trace(lambda x, op=op: apply(op, x, axis=()), x)
            before, after = evaluate(program, x), evaluate(simplify(program), x)
            assert before.tobytes() == after.tobytes(), op
    removed = {op.name for op in REGISTRY.values() if isinstance(op, Reduction) and op.keeps_one}
    assert removed == {op.name for op in REGISTRY.values() if isinstance(op, Reduction) and op.differentiable
                       and equations_of(lambda x, op=op: apply(op, x, axis=()), x) == []}  # fmt: skip
    assert removed


def test_what_changes_the_type_is_kept():
    assert equations_of(lambda x: x * 1.0, np.arange(3)) == ["multiply"]
    assert equations_of(lambda x: x + np.zeros(()), np.ones(3, np.float32)) == ["add"]
    assert equations_of(lambda x: x / 1, np.arange(3)) == ["divide"]
    assert equations_of(lambda x: x + np.zeros((2, 1)), np.ones(3)) == ["add"]


def test_constants_are_computed_in_advance():
    program = simplify(chain_on_constant(3))
    assert program.equations == ()
    assert program.outputs[0].value == pytest.approx(np.tanh(np.tanh(np.tanh(0.5))))


def chain_on_constant(count):
    equations, x = [], Literal(np.float64(0.5))
    for i in range(count):
        output = Variable(f"v{i}", ArrayType((), np.dtype(float)))
        equations.append(Equation(output, REGISTRY["tanh"], (x,)))
        x = output
    return check(Program((), tuple(equations), (x,), Structure(tuple), LEAF))


def test_large_constants_are_not_computed_in_advance():
    big = Literal(np.zeros(5000))
    output = Variable("v0", ArrayType((5000,), np.dtype(float)))
    program = Program((), (Equation(output, REGISTRY["tanh"], (big,)),), (output,), Structure(tuple), LEAF)
    assert len(simplify(program).equations) == 1


def test_equal_equations_are_shared():
    assert equations_of(lambda x: np.tanh(x) * np.tanh(x), 1.0) == ["tanh", "multiply"]
    assert equations_of(lambda x: np.sum(x, axis=0) * np.sum(x, axis=1), np.ones((2, 2))) == ["sum", "sum", "multiply"]
    assert equations_of(lambda x: np.sum(x, axis=0) * np.sum(x, axis=0), np.ones((2, 2))) == ["sum", "multiply"]


def test_numbers_that_only_look_equal_are_not_shared():
    """0.0 and −0.0, one and true, zeros of two dtypes: different constants, different results."""
    x = Variable("x", ArrayType((), np.dtype("float32")))

    def pair(first, second):
        equations = []
        for i, value in enumerate((first, second)):
            constant = Literal(value)
            kind = REGISTRY["divide"].infer(x.type, constant.kind)
            equations.append(Equation(Variable(f"v{i}", kind), REGISTRY["divide"], (x, constant)))
        outputs = tuple(equation.output for equation in equations)
        structure = Structure(list, (0, 1), (LEAF, LEAF))
        return check(Program((x,), tuple(equations), outputs, Structure(tuple, (0,), (LEAF,)), structure))

    for first, second in (
        (2.0, np.float64(2.0)),
        (np.array(0, np.int64), np.array(0.0)),
        (2, 2.0),
        (np.float32(0.0), np.float32(-0.0)),
    ):
        program = simplify(pair(first, second))
        with np.errstate(all="ignore"):
            for found, divisor in zip(evaluate(program, np.float32(1.0)), (first, second), strict=True):
                expected = np.divide(np.float32(1.0), divisor)
                assert (found, found.dtype) == (expected, expected.dtype)
    assert len(simplify(pair(2.0, 2.0)).equations) == 1


def test_attributes_that_cannot_be_hashed_are_no_obstacle():
    twice = lambda x: [apply(REGISTRY["transpose"], x, axes=[1, 0]) for _ in range(2)]  # noqa: E731
    assert equations_of(twice, np.ones((2, 3))) == ["transpose", "transpose"]


def test_unused_equations_are_dropped():
    def function(x):
        np.exp(np.tanh(x))
        return np.sin(x)

    assert equations_of(function, 1.0) == ["sin"]


def test_broadcasts_that_arithmetic_does_by_itself_are_left_out():
    def function(x, b):
        return x + np.broadcast_to(b, (4, 3))

    assert equations_of(function, np.ones((4, 3)), np.ones(3)) == ["add"]
    both = lambda a, b: np.broadcast_to(a, (4, 3)) * np.broadcast_to(b, (4, 3))  # noqa: E731
    assert equations_of(both, np.ones(3), np.ones((4, 1))) == ["multiply"]
    assert equations_of(both, np.ones(3), np.ones(3)) == ["broadcast_to", "multiply"]  # one must give the shape


def test_passes_do_not_change_what_they_are_given():
    program = trace(lambda x: (x * 1.0) + np.tanh(x) + np.tanh(x), np.ones(3))
    before = str(program)
    for rewrite in PASSES:
        rewrite(program)
    assert str(program) == before


def test_simplified_programs_can_be_interpreted_under_a_trace():
    program = simplify(trace(lambda x: np.tanh(x) * 2.0, 1.0))
    assert apply(program.equations[0].op, 0.5) == np.tanh(0.5)


def test_a_simplified_program_has_the_derivatives_of_its_function():
    def f(x):
        return np.sum(x * x + cr.stop_gradient(x * x))

    x = np.array([1.0, -2.0])
    program = cr.simplify(cr.trace(f, x))
    np.testing.assert_array_equal(cr.grad(lambda x: cr.evaluate(program, x))(x), cr.grad(f)(x))
    np.testing.assert_array_equal(cr.jit(cr.grad(f))(x), 2 * x)


def test_layouts_that_change_nothing_go() -> None:
    x = np.ones((2, 3))
    for function in (
        lambda x: np.reshape(x, (2, 3)),
        lambda x: np.transpose(x, (0, 1)),
        lambda x: x[:, :],
        lambda x: np.reshape(x, (2, -1))[::1] * 1.0,
        lambda x: np.broadcast_to(x, (2, 3)),
    ):
        program = cr.trace(function, x)
        assert not cr.simplify(program).equations, program


def put_and_taken(rows, columns, put, taken):
    """x + 2·(zeros with y put into some columns), of which other columns are taken."""
    place = {"start": (None, put.start), "stop": (None, put.stop), "step": (1, put.step)}

    def function(x, y):
        wide = apply(REGISTRY["embed"], y, shape=(rows, columns), **place)
        return (x + wide)[:, taken.start : taken.stop : taken.step]

    return function, (np.full((rows, columns), -0.0), np.ones((rows, len(put))))


@pytest.mark.parametrize(
    ("put", "taken"),
    [
        (range(3), range(3, 8)),
        (range(5, 8), range(5)),
        (range(0, 6, 2), range(6, 8)),
        (range(4), range(3, 8)),
        (range(2, 6), range(0, 8, 2)),
        (range(2, 6), range(3, 5)),
    ],
)
def test_what_a_slice_leaves_out_is_not_computed(put, taken):
    function, arrays = put_and_taken(2, 8, put, taken)
    program = trace(function, *arrays)
    simpler = simplify(program)
    apart = max(put) < min(taken) or max(taken) < min(put)
    assert ("embed" in [equation.op.name for equation in simpler.equations]) is not apart
    for found, expected in zip(interpret(simpler, arrays), interpret(program, arrays), strict=True):
        assert found.tobytes() == np.ascontiguousarray(expected).tobytes()  # of −0.0 + 0.0 the sign too


def test_what_is_used_elsewhere_too_stays_whole():
    arrays = np.ones((2, 8)), np.ones((2, 3))
    wide = lambda y: apply(REGISTRY["embed"], y, shape=(2, 8), start=(None, 0), stop=(None, 3), step=(1, 1))  # noqa: E731
    names = equations_of(lambda x, y: ((whole := x + wide(y))[:, 3:], np.sum(whole)), *arrays)
    assert names.count("add") == 1
    assert "embed" in names


def test_a_layer_that_needs_no_derivative_by_what_it_was_given_computes_none():
    layers = [cr.CategoryEmbedding((5,), 3), cr.PiecewiseEmbedding(((0.0, 1.0, 2.0),) * 2, 4), cr.Dense(1)]
    network = cr.Network(layers).build(4)

    def loss(parameters, x):
        return np.sum(network.model.apply(parameters, (x,)).outputs)

    rows = np.zeros((6, 4), np.float32)
    names = equations_of(cr.grad(loss), network.parameters, rows)
    assert "embed" not in names
    assert "scatter_add" in names
