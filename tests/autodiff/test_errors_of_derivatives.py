"""What cannot be differentiated says so, and says what to write instead."""

import json
import math
import statistics
from decimal import Decimal
from functools import cache

import mpmath
import numpy as np
import pytest

import chainrule as cr
from chainrule.autodiff import grad, hessian, hvp, jvp, value_and_grad, vjp
from chainrule.errors import (
    ChainruleError,
    DerivativeLostError,
    DifferentiationError,
    InPlaceError,
    LeakedValueError,
    SettingError,
    TracingError,
    UnsupportedError,
)


def in_place(x):
    y = np.zeros(2)
    y[0] = x[0]
    return np.sum(y)


def augmented(x):
    total = np.zeros(2)
    total += x
    return np.sum(total)


@cache
def remembered(number):
    return number * number


CASES = {
    "vector result": (lambda x: x, DifferentiationError, r"one number.*shape \(2,\).*np\.sum"),
    "container result": (lambda x: {"loss": x[0]}, DifferentiationError, "one number.*gives dict.*vjp"),
    "integer result": (lambda x: np.argmax(x), DifferentiationError, "no real number"),
    "assignment to a plain array": (in_place, InPlaceError, r"y\[i\] = x.*np\.stack"),
    "augmented plain array": (augmented, InPlaceError, r"a = a \+ b"),
    "out=": (lambda x: np.add(x, 1.0, out=np.zeros(2)), InPlaceError, "out="),
    "out= of a function": (lambda x: np.sum(x, out=np.zeros(())), InPlaceError, "out=.*return value"),
    "where=": (lambda x: np.sin(x, where=np.array([True, False])), UnsupportedError, r"np\.where\(mask, np\.sin\(x\), other\)"),
    "float()": (lambda x: float(x[0]), DerivativeLostError, r"float\(\).*stop_gradient"),
    "int()": (lambda x: int(x[0]), DerivativeLostError, r"int\(\)"),
    "complex()": (lambda x: complex(x[0]), DerivativeLostError, r"complex\(\)"),
    "math.sin": (lambda x: math.sin(x[0]), DerivativeLostError, r"np\.sin, not math\.sin"),
    "math.floor": (lambda x: math.floor(x[0]), DerivativeLostError, r"float\(\)"),
    "np.array of a list": (lambda x: np.sum(np.array([x[0], x[1]])), DerivativeLostError, r"np\.stack\(\[a, b\]\)"),
    "np.array": (lambda x: np.sum(np.array(x)), DerivativeLostError, "lose its derivative"),
    "np.asarray": (lambda x: np.sum(np.asarray(x)), DerivativeLostError, "lose its derivative"),
    "sum over a list": (lambda x: np.sum([x[0], x[1]]), DerivativeLostError, r"np\.stack"),
    "item": (lambda x: float(x[0].item()), DerivativeLostError, r"float\(\)"),
    "tolist": (lambda x: sum(x.tolist()), DerivativeLostError, r"\.tolist\(\)"),
    "index": (lambda x: [1.0, 2.0][x[0]], DerivativeLostError, r"np\.take"),
    "range": (lambda x: sum(range(x[0])), DerivativeLostError, "count of repetitions"),
    "unknown function": (lambda x: np.sum(np.union1d(x, x)), UnsupportedError, r"np\.union1d has no derivative"),
    "unknown ufunc": (lambda x: np.sum(np.spacing(x)), UnsupportedError, r"np\.spacing has no derivative"),
    "math.trunc": (lambda x: math.trunc(x[0]) * x[0], DerivativeLostError, r"math\.trunc\(\)"),
    "mean of statistics": (lambda x: statistics.mean(x), DerivativeLostError, r"as_integer_ratio.*NumPy functions"),
    "deviation of statistics": (lambda x: statistics.stdev(list(x)), DerivativeLostError, "as_integer_ratio"),
    "Decimal": (lambda x: Decimal(x[0]), DerivativeLostError, "Decimal is not supported.*NumPy functions"),
    "mpmath": (lambda x: float(mpmath.sin(x[0])), DerivativeLostError, "cannot create mpf.*NumPy functions"),
    "JSON": (lambda x: float(json.dumps(x[0])), DerivativeLostError, "not JSON serializable.*stop_gradient"),
    "memory": (lambda x: sum(memoryview(x)), DerivativeLostError, "bytes-like"),
    "bytes": (lambda x: np.sum(np.frombuffer(x)), DerivativeLostError, "bytes-like"),
    "method of a float": (lambda x: float.fromhex(x[0].hex()), UnsupportedError, r"x\.hex.*one number"),
    "element of a set": (lambda x: x[0] if x[0] in {1.0, 7.0} else x[1], DerivativeLostError, r"x in \[a, b\]"),
    "set of values": (lambda x: sum({x[0], x[0]}), DerivativeLostError, "element of a set"),
    "key": (lambda x: {1.0: x[1]}.get(x[0], 0.0), DerivativeLostError, "key of a dict"),
    "remembered": (lambda x: remembered(x[0]) * remembered(x[1]), DerivativeLostError, r"functools\.cache"),
    "text": (lambda x: np.sum(x * "a"), TracingError, "str cannot take part"),
    "None": (lambda x: np.sum(x + None), TracingError, "NoneType cannot take part"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_error_says_what_to_write_instead(case):
    function, error, message = CASES[case]
    for derivative in (grad(function), grad(lambda x: jvp(function, (x,), (x,))[1])):
        with pytest.raises(error, match=message):
            derivative(np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (3, r"integers \(dtype int64\).*3\.0 instead of 3"),
        (np.array([1, 2]), "integers"),
        (True, r"integers \(dtype bool\)"),
        ("text", "no real number"),
        (np.array([None]), "no real number"),
    ],
)
def test_arguments_without_derivative(argument, message):
    for derivative in (
        grad(np.sum),
        value_and_grad(np.sum),
        lambda x: vjp(np.sum, x),
        lambda x: jvp(np.sum, (x,), (x,)),
    ):
        with pytest.raises(DifferentiationError, match=message):
            derivative(argument)


def test_the_argument_is_named():
    with pytest.raises(DifferentiationError, match=r"argument 1\.layers\[0\]"):
        grad(lambda a, p: a, argnums=(0, 1))(1.0, {"layers": [3]})


def test_values_used_after_their_function_has_returned():
    stored = []
    grad(lambda x: stored.append(x) or x)(1.0)
    jvp(lambda x: stored.append(x) or x, (1.0,), (1.0,))
    for leaked in stored:
        with pytest.raises(LeakedValueError, match=r"add was given .*\(has_aux=True"):
            leaked + 1.0
        with pytest.raises(LeakedValueError):
            grad(lambda x, leaked=leaked: x * leaked)(1.0)
        with pytest.raises(LeakedValueError):
            grad(lambda x, leaked=leaked: grad(lambda y: y * x * leaked)(1.0))(1.0)
        with pytest.raises(LeakedValueError):
            jvp(lambda x, leaked=leaked: leaked * x, (1.0,), (1.0,))


def test_every_error_is_one_of_ours_and_one_of_pythons():
    for function, error, _ in CASES.values():
        assert issubclass(error, ChainruleError)
        with pytest.raises((TypeError, RuntimeError)):  # what a caller who knows only Python would catch
            grad(function)(np.array([1.0, 2.0]))


def test_directions_are_real():
    x = np.array([1.0, 2.0])
    _, pullback = vjp(np.sum, x)
    for call in (
        lambda: jvp(np.sum, (x,), (1j * x,)),
        lambda: pullback(1j),
        lambda: jvp(np.sum, (x,), (np.array(["a", "b"]),)),
    ):
        with pytest.raises(TracingError, match="real"):
            call()


def test_what_a_function_gives_has_no_mask():
    masked = np.ma.masked_array([1.0, 2.0], [False, True])
    for call in (
        lambda: jvp(lambda x: masked, (1.0,), (1.0,)),
        lambda: vjp(lambda x: masked, 1.0),
        lambda: grad(lambda x: np.ma.masked_array(1.0, True))(1.0),
    ):
        with pytest.raises(TracingError, match="mask"):
            call()


def test_numbers_that_numpy_cannot_take():
    for number in (10**400, np.timedelta64(1, "s"), np.datetime64("2020-01-01")):
        with pytest.raises(TracingError):
            grad(lambda x, n=number: np.sum(x * n))(np.ones(3))


def test_half_precision_does_not_overflow_in_means():
    ones = np.ones(70_000, np.float16)
    assert jvp(np.mean, (ones,), (ones,))[1] == 1.0
    assert jvp(lambda x: np.mean(x.reshape(2, -1), axis=1), (ones,), (ones,))[1].tolist() == [1.0, 1.0]


def test_what_numpy_is_told_to_raise_is_raised():
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        grad(lambda x: x / 0.0)(1.0)


@pytest.mark.parametrize("transform", ["grad", "value_and_grad", "jacobian", "hessian", "vmap", "jit"])
def test_what_is_no_function_is_refused_at_once(transform):
    for given in (3, np.ones(2), None):
        with pytest.raises(SettingError, match=rf"^{transform} was given .*no function.*cr\.{transform}\(f\)\(x\)"):
            getattr(cr, transform)(given)


@pytest.mark.parametrize("value", [lambda x: x, lambda x: [x[0]], lambda x: np.ones(2)])
def test_second_derivatives_of_several_numbers_are_refused_by_name(value):
    x = np.ones(2)
    with pytest.raises(DifferentiationError, match=r"^hessian needs .* one number.* gives .*jacobian of jacobian"):
        hessian(value)(x)
    with pytest.raises(DifferentiationError, match=r"^hvp needs .* one number"):
        hvp(value, (x,), (x,))


@pytest.mark.parametrize(
    "name", ["value", "values", "val", "magnitude", "primal", "number", "numbers", "plain", "numpy", "detach"]
)
def test_what_other_libraries_call_the_number_within_is_no_way_around_the_derivative(name):
    """`getattr(x, "value", x)` is what programs write for numbers with units."""

    def f(x):
        own = getattr(x, name, x)
        return np.sum(own() if callable(own) else own * own)

    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(grad(f)(x), 2 * x)
    assert jvp(f, (x,), (x,))[1] == 10.0
    np.testing.assert_array_equal(hessian(f)(x), 2 * np.eye(2))
    np.testing.assert_array_equal(cr.vmap(grad(f))(x[None]), 2 * x[None])
    np.testing.assert_array_equal(cr.jit(grad(f))(x), 2 * x)


def test_values_one_can_look_into_may_be_kept_by_what_they_are():
    a, b = cr.values(a=1.0, b=1.0)
    assert len({a, b, a}) == 2
    assert {a: "first", b: "second"}[b] == "second"


def test_matrices_whose_product_is_another_are_refused():
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]]).view(np.matrix)
    for function in (
        lambda x: x * matrix,
        lambda x: matrix * x,
        lambda x: np.multiply(x, matrix),
        lambda x: x @ matrix,
    ):
        for way in (grad, lambda f: cr.jit(f), lambda f: lambda x: jvp(f, (x,), (x,))):
            with pytest.raises(TracingError, match=r"np\.matrix of shape \(2, 2\).*np\.asarray\(x\), and write @"):
                way(lambda x, function=function: np.sum(function(x)))(np.ones((2, 2)))
