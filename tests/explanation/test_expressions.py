"""Typed expressions: they compute what Python would, have right derivatives, and nothing in them is ever executed."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.explanation.expressions import (
    DEEPEST,
    LONGEST,
    ExpressionError,
    functions,
    parse_expression,
)
from strategies import elementwise_cases
from trying import examples

NAMES = ("a", "b", "c")
SMOOTH = {"tanh": math.tanh, "exp": math.exp, "sin": math.sin, "cos": math.cos}
NUMBERS = st.floats(-2, 2).map(lambda x: round(x, 3))

leaves = st.sampled_from(NAMES) | st.integers(0, 9).map(str) | st.floats(0.1, 5).map(lambda x: f"{x:.2f}")
formulas = st.recursive(
    leaves,
    lambda inner: (
        st.tuples(inner, st.sampled_from([" + ", "-", "*", " / "]), inner).map("({0[0]}{0[1]}{0[2]})".format)
        | st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map("{0[0]}{0[1]}{0[2]}".format)
        | inner.map("-{}".format)
        | inner.map("({})**2".format)
        | st.tuples(st.sampled_from(sorted(SMOOTH)), inner).map("{0[0]}({0[1]})".format)
    ),
    max_leaves=10,
)


def by_python(text, numbers):
    return eval(text, {"__builtins__": {}}, {**SMOOTH, **numbers})  # the text is made above


@examples(150)
@given(formulas, st.fixed_dictionaries(dict.fromkeys(NAMES, NUMBERS)))
def test_values_are_those_of_pythons_arithmetic(text, numbers):
    try:
        expected = float(by_python(text, numbers))
    except (ZeroDivisionError, OverflowError):
        expected = math.nan
    try:
        found = float(parse_expression(text)(**{name: np.float64(x) for name, x in numbers.items()}))
    except ExpressionError:
        assert not math.isfinite(expected)  # Python, too, finds no finite number
    else:
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-300)


@examples(100)
@given(formulas, st.fixed_dictionaries(dict.fromkeys(NAMES, NUMBERS)))
def test_gradients_are_those_of_finite_differences(text, numbers):
    expression = parse_expression(text)
    assume(expression.names)
    numbers = {name: numbers[name] for name in expression.names}
    try:
        _, found = expression.values(numbers)
        for name, value in found.items():
            nearby = [by_python(text, {**numbers, name: numbers[name] + h}) for h in (-2e-4, -1e-4, 1e-4, 2e-4)]
            coarse, fine = (nearby[3] - nearby[0]) / 4e-4, (nearby[2] - nearby[1]) / 2e-4
            assume(max(map(abs, nearby)) < 1e4 and abs(coarse - fine) < 1e-4 * (1 + abs(fine)))  # smooth enough to tell
            assert value.grad == pytest.approx((4 * fine - coarse) / 3, rel=1e-4, abs=1e-5)
    except (ExpressionError, ZeroDivisionError, OverflowError):
        assume(False)


@pytest.mark.parametrize("name", sorted(functions()))
def test_every_function_is_the_librarys_own(name):
    op = functions()[name]
    names = NAMES[: len(op.partials)]
    expression = parse_expression(f"{name}({', '.join(names)})")
    case = next(elementwise_cases(op))
    numbers = {name: float(x) for name, x in zip(names, case.inputs, strict=True)}
    result, found = expression.values(numbers)
    assert result.data == pytest.approx(float(op.evaluate(*numbers.values())))
    for own, value in found.items():
        slope = cr.derivative(lambda x, own=own: float(op.evaluate(*{**numbers, own: x}.values())), numbers[own])
        assert value.grad == pytest.approx(slope, rel=1e-6, abs=1e-6)


def test_the_graph_of_the_lecture():
    result, found = parse_expression("(a·b + c)×f").values({"a": 2, "b": -3, "c": 10, "f": -2})
    assert result.data == -8
    assert [value.grad for value in found.values()] == [6, -4, -2, 4]
    assert str(result.explain(found["a"])).splitlines()[0] == "∂L/∂a = f·b"


def test_the_result_has_a_name_that_is_free():
    assert parse_expression("L*y").values({"L": 2.0, "y": 3.0})[0].name == "z"
    assert parse_expression("a").values({"a": 2.0})[0].grad == 1.0


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("a^2", "a**2"), ("2a", "2*a"), ("e^a", "exp(a)"), ("3a²−2a+5", "3*a**2-2*a+5"), ("2(a+1)", "2*(a+1)"),
        ("(a+1)(a−1)", "(a+1)*(a-1)"), ("√a + √(a+1)", "sqrt(a) + sqrt(a+1)"), ("2sin(a)cos(a)", "2*sin(a)*cos(a)"),
        ("a⁻¹", "1/a"), ("2.5e1a", "25*a"), ("π·a", "pi*a"), ("2 a", "2*a"),
    ],
)  # fmt: skip
def test_formulas_may_be_written_as_at_school(written, typed):
    found = [parse_expression(text).values({"a": 0.7}) for text in (written, typed)]
    assert found[0][0].data == pytest.approx(found[1][0].data, rel=1e-15)
    assert found[0][1]["a"].grad == pytest.approx(found[1][1]["a"].grad, rel=1e-14)


def test_e_is_eulers_number_unless_it_is_given_one():
    expression = parse_expression("e*a")
    assert expression(a=2.0) == pytest.approx(2 * math.e)
    assert expression(a=2.0, e=3.0) == 6.0
    with pytest.raises(ExpressionError, match=r"For a product write a\*b"):
        parse_expression("ab").values({"a": 1.0, "b": 2.0})


@pytest.mark.parametrize(
    ("text", "why", "under"),
    [
        ("__import__('os')", "no function named '__import__'", "__import__('os')"),
        ("__import__('os').system('x')", "are all that can stand here", "__import__('os').system('x')"),
        ("(1).__class__", "are all that can stand here", "(1).__class__"),
        ("2*a.data", "are all that can stand here", "a.data"),
        ("a[0] + 1", "are all that can stand here", "a[0]"),
        ("lambda: a", "are all that can stand here", "lambda: a"),
        ("[a for a in b]", "are all that can stand here", "[a for a in b]"),
        ("a if b else c", "are all that can stand here", "a if b else c"),
        ("'text'", "are all that can stand here", "'text'"),
        ("a + True", "are all that can stand here", "True"),
        ("a < b", "are all that can stand here", "a < b"),
        ("a // b", "are all that can stand here", "a // b"),
        ("f'{a}'", "are all that can stand here", "f'{a}'"),
        ("exp(*a)", "are all that can stand here", "*a"),
        ("exp(x=a)", "exp takes 1 number", "exp(x=a)"),
        ("maximum(a)", "maximum takes 2 numbers", "maximum(a)"),
        ("tanhh(a)", "did you mean 'tanh'?", "tanhh(a)"),
        ("2*exp", "exp is a function; write exp(…)", "exp"),
        ("a # b", "a # has no meaning here", "#"),
        ("ä*ü.ö", "are all that can stand here", "ü.ö"),
        ("a + 1e999", "this number is too large", "1e999"),
        ("a + " + "9" * 400, "this number is too large", None),
        ("a +", "cannot be read as an expression", None),
        ("(a", "never closed", "("),
        ("a b", "write a*b for a product", None),
        ("sin a", "write sin(a)", None),
        ("|a|", "write abs(x)", None),
        ("3,5*a", "a point in decimal numbers", None),
        ("1/2a", "two ways; write /(2*a) or /2*a", None),
        ("a(a + 1)", "for a product write a*(…)", "a(a + 1)"),
        ("a := 3", "cannot be read as an expression", None),
        ("import os", "cannot be read as an expression", None),
        ("a; b", "cannot be read as an expression", None),
    ],
)
def test_what_is_refused_is_pointed_at(text, why, under):
    with pytest.raises(ExpressionError) as refused:
        parse_expression(text)
    message, excerpt, marks = str(refused.value).split("\n")
    assert why in message
    if under is not None:
        assert excerpt[marks.index("^") : marks.rindex("^") + 1] == under


@pytest.mark.usefixtures("own_garbage")
@pytest.mark.parametrize(
    "text",
    ["", "  ", "a" * (LONGEST + 1), "a+" * 10**6 + "a", "(" * 900 + "a" + ")" * 90, "-" * 900 + "a", "a\0b", "[" * 1000,
     "+".join("a" * (DEEPEST + 2)), "exp(" * 150 + "a" + ")" * 150, "a**" * 300 + "a", "\ud800", "a\x1b[31m"],
)  # fmt: skip
def test_long_deep_and_broken_text_is_refused_at_once(text):
    started = time.thread_time()
    with pytest.raises(ExpressionError):
        parse_expression(text)
    assert time.thread_time() - started < 1


@examples(250)
@given(
    st.text(max_size=60)
    | st.text("ab1.*-+/()[]^ ,e'#:=_", max_size=60)
    | st.lists(st.sampled_from([*"ab123()+-*/,.", "**", "exp", "tanh", " ", "__", "lambda", "1e9"]), max_size=25).map(
        "".join
    )
)
def test_any_text_gives_finite_numbers_or_one_kind_of_error(text):
    try:
        expression = parse_expression(text)
        result, found = expression.values(dict.fromkeys(expression.names, 1.5))
    except ExpressionError:
        pass
    else:
        assert math.isfinite(result.data)
        assert all(math.isfinite(value.grad) for value in found.values())


@pytest.mark.parametrize(
    ("text", "numbers", "why"),
    [
        ("9**9**9 + a", {"a": 1.0}, "this gives inf for 9 and 3.8742e+08"),
        ("log(-a)", {"a": 1.0}, "this gives nan for -1"),
        ("1/(a - a)", {"a": 1.0}, "this gives inf"),
        ("sqrt(a)", {"a": 0.0}, "no finite derivative (inf) by a"),
        ("a*b", {"a": 1.0}, "'b' was given no number"),
        ("a", {"a": 1.0, "b": 2.0}, "'b' does not occur"),
        ("1 + 2", {"b": 2.0}, "it has no names"),
        ("1 + 2", {}, "nothing to take a derivative by"),
        ("a", {"a": math.nan}, "give a finite number"),
    ],
)
def test_numbers_that_do_not_serve(text, numbers, why):
    with pytest.raises(ExpressionError) as refused:
        parse_expression(text).values(numbers)
    assert why in str(refused.value)


def test_deep_expressions_can_be_explained():
    text = "tanh(" * 40 + "a*b" + ")" * 40
    result, found = parse_expression(text).values({"a": 0.3, "b": 0.5})
    assert result.explain(found["a"]).value == pytest.approx(found["a"].grad)
    text = "+".join(f"{i}*a" for i in range(DEEPEST - 5))
    result, found = parse_expression(text).values({"a": 2.0})
    assert result.explain(found["a"]).value == sum(range(DEEPEST - 5))
